"""From tables to evidence: no trades, one trade, planted effects, and refusals at the door."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence import samples
from hedgeflow.evidence import EvidenceTables, assess, package_document
from hedgeflow.evidence.latency import LatencyBucket, trend_p_value
from hedgeflow.evidence.rates import win_rate
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.volume_shock.claims import DECLARATION


def assessed(tables, **changes):
    return assess(tables, DECLARATION, samples.manifest(**changes))


def document(evidence):
    return package_document(evidence, timestamp="2024-03-01T00:00:00Z", files={})


def claim(evidence, name):
    return next(each for each in evidence.claims if each.id == name)


@pytest.fixture(scope="module")
def strong():
    return assessed(samples.tables(samples.mixed(170, 10), flow_noise=0.2))


@pytest.fixture(scope="module")
def borderline():
    return assessed(samples.tables(samples.mixed(129, 25)))


def test_a_strong_effect_with_a_signed_tape_is_validated(strong):
    assert strong.decision.verdict == "VALIDATED"
    assert strong.label == "VALIDATED"


def test_129_of_154_is_not_shown_to_be_80_per_cent(borderline):
    gates = {gate.id: gate for gate in borderline.gates}
    assert gates["win-rate"].status == "INCONCLUSIVE"
    assert "83.8 % (77.1 % to 88.8 %)" in gates["win-rate"].sentence
    assert borderline.performance.overall.wins_needed.wins == 133


def test_without_a_signed_tape_delta_flow_is_untestable_and_named(borderline):
    assert borderline.decision.untestable == ("delta-flow",)
    assert borderline.decision.verdict == "REJECTED"
    assert borderline.label == "REJECTED (INCONCLUSIVE)"


def test_the_resolution_quotes_counts_rate_p_and_hedge_instrument(borderline):
    text = " ".join(borderline.resolution)
    for words in (
        "154 trades, 129 of them won",
        "83.8 % (77.1 % to 88.8 %)",
        "takes 133 wins",
        "p = 0.0017, the largest of 0.001 against 1,000 draws of matched random entries",
        "0.0017 against 600 draws of directions dealt out again and 0.0012 against 800 draws",
        "BTC-PERPETUAL on EXAMPLE, V5 = 315",
        "no signed hedge tape",
    ):
        assert words in text


def test_a_losing_strategy_is_rejected_conclusively():
    evidence = assessed(samples.tables(samples.mixed(20, 100)))
    assert evidence.decision.verdict == "REJECTED"
    assert evidence.decision.could_tell == "CONCLUSIVE"
    assert {"win-rate", "sharpe"} <= set(evidence.decision.failed)


def test_49_trades_are_insufficient_data_whatever_they_earned():
    evidence = assessed(samples.tables([True] * 49, flow_noise=0.2))
    assert evidence.decision.verdict == "INSUFFICIENT_DATA"
    assert evidence.decision.source_verdict == "INSUFFICIENT_DATA"


def test_simulated_data_say_so_in_label_and_resolution():
    evidence = assessed(samples.tables(samples.mixed(170, 10), flow_noise=0.2), simulated=True)
    assert evidence.label.startswith("SIMULATED: ")
    assert evidence.resolution[0].startswith("SIMULATED data, no evidence about any market.")


def test_the_model_of_response_times_is_refused_as_a_test():
    for model in ("tiers", "calibrated"):
        config = {"response": {"model": model}}
        evidence = assessed(samples.tables([]), config=config)
        assert claim(evidence, "response-time-model").status == "REFUSED"
        assert [each["id"] for each in document(evidence)["hypothesis_validation"]["refused"]] == [
            "response-time-model"
        ]


def figures(value):
    """Every number in a document."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in figures(item)]
    if isinstance(value, list):
        return [number for item in value for number in figures(item)]
    return [value] if isinstance(value, float) else []


def test_without_trades_every_estimate_is_null_with_a_reason():
    body = document(assessed(samples.tables([])))
    estimates = []

    def collect(value):
        if isinstance(value, dict):
            if {"value", "lower", "upper", "reason"} <= set(value):
                estimates.append(value)
            for item in value.values():
                collect(item)
        elif isinstance(value, list):
            for item in value:
                collect(item)

    for section in (
        "performance_metrics",
        "statistical_measures",
        "performance_by_flow_type",
        "hypothesis_validation",
    ):
        collect(body[section])
    measured = [each for each in estimates if each.get("statistic") != "trades"]
    assert len(measured) > 80
    assert all(each["value"] is None and each["reason"] for each in measured)
    assert body["experimental_validity"]["verdict"] == "INSUFFICIENT_DATA"


def test_one_trade_yields_figures_but_no_interval_beyond_its_rate():
    overall = assessed(samples.tables([True])).performance.overall
    assert overall.win_rate.upper == 1.0
    assert overall.expectancy_points.value > 0
    assert overall.expectancy_points.lower is None
    assert overall.payoff_ratio.reason == "no losing trades"


def test_other_trades_give_other_figures():
    first = document(assessed(samples.tables(samples.mixed(60, 20))))
    second = document(assessed(samples.tables(samples.mixed(45, 35))))
    for section in ("performance_metrics", "statistical_measures"):
        assert first[section] != second[section]


def test_the_order_of_rows_changes_nothing():
    tables = samples.tables(samples.mixed(60, 20), flow_noise=0.5)
    shuffled = EvidenceTables(
        tables.trades.reverse(),
        tables.alerts.reverse(),
        tables.decisions.reverse(),
        tables.ledger_entries.reverse(),
        tables.sessions,
        365.0,
        nulls=tables.nulls,
        flow=tables.flow,
        costs_note=tables.costs_note,
    )
    assert document(assessed(tables)) == document(assessed(shuffled))


def test_expectancy_interval_is_by_days_and_net_of_costs(borderline):
    overall, profit = borderline.performance.overall, borderline.performance.profit
    assert overall.expectancy_usd.value == pytest.approx(profit.net_usd / 154)
    assert profit.gross_usd - profit.net_usd == pytest.approx(3.0 * 154)
    assert "bootstrap of sessions" in overall.expectancy_usd.method


def test_frequency_counts_every_session(borderline):
    assert borderline.performance.overall.trades_per_session.value == pytest.approx(154 / 60)


def test_alerts_at_the_confidence_cap_and_skips_are_counted(borderline):
    counts = borderline.performance.alerts
    assert counts.at_confidence_cap.value == pytest.approx(39 / 154)
    assert counts.skip_reasons == {"NO_SIZE": 1}


def test_classes_sum_to_the_whole_and_unclaimed_classes_are_shown():
    tables = samples.tables(samples.mixed(60, 20))
    ambiguous = tables.trades.with_columns(
        pl.when(pl.col("event_id") % 5 == 0)
        .then(pl.lit("AMBIGUOUS_SIGNAL"))
        .otherwise(pl.col("flow_class"))
        .alias("flow_class")
    )
    changed = samples.tables(samples.mixed(60, 20), trades=ambiguous)
    by_class = assessed(changed).by_class
    assert by_class["AMBIGUOUS_SIGNAL"].trades == 16
    assert sum(part.trades for part in by_class.values()) == 80


def test_classes_that_differ_in_win_rate_are_found_and_holm_adjusted():
    outcomes = [number % 2 == 1 or number % 10 == 0 for number in range(160)]
    evidence = assessed(samples.tables(outcomes))
    by_quantity = {each.quantity: each for each in evidence.differences}
    rate = by_quantity["win_rate"]
    assert rate.p_value_holm == pytest.approx(2 * rate.p_value, rel=0.01) or rate.p_value < 1e-6
    assert claim(evidence, "flow-types-win-rate").status == "PASSED"
    assert by_quantity["response_minutes"].reason == "no signed hedge tape"


# Flaws C6: 81.7 % of 89 against 92.3 % of 65 does not reach p < 0.01.
def test_73_of_89_against_60_of_65_is_no_significant_difference():
    outcomes = [True] * 73 + [False] * 16 + [True] * 60 + [False] * 5
    dates = samples.sessions(60)
    trades = samples.trades_table(
        dates, outcomes, class_of=lambda number: (samples.SWEEP, samples.EMERGENCY)[number >= 89]
    )
    tables = samples.tables(
        outcomes,
        trades=trades,
        ledger_entries=samples.ledger_table(trades),
        nulls=samples.nulls(trades),
    )
    rate = assessed(tables).differences[0]
    assert (rate.sweep.n, rate.emergency.n) == (89, 65)
    assert 0.05 < rate.p_value < 0.12


def bucket(trades, wins):
    return LatencyBucket("", trades, wins, win_rate(wins, trades))


# Armitage (1955): the trend statistic's square is n r squared of outcome on score.
def test_the_trend_over_latency_is_armitages():
    from scipy.stats import norm

    sizes, wins = (60, 30, 20), (50, 20, 8)
    score = np.repeat([0.0, 1.0, 2.0], sizes)
    outcome = np.concatenate(
        [np.arange(size) < won for size, won in zip(sizes, wins, strict=True)]
    ).astype(float)
    expected = norm.cdf(np.corrcoef(score, outcome)[0, 1] * np.sqrt(score.size))
    found = trend_p_value(tuple(bucket(*each) for each in zip(sizes, wins, strict=True)))
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.value < 0.001


def test_latencies_in_one_bucket_show_no_trend():
    found = trend_p_value((bucket(10, 5), bucket(0, 0), bucket(0, 0)))
    assert found.reason == "all trades fall into one latency bucket"


def test_latency_buckets_split_at_2_and_5_minutes():
    tables = samples.tables([True] * 6)
    ages = pl.Series("age_seconds", [0.0, 119.9, 120.0, 299.9, 300.0, 900.0])
    speed = assessed(
        samples.tables([True] * 6, trades=tables.trades.with_columns(ages))
    ).performance.execution_latency
    assert [each.trades for each in speed.buckets] == [2, 2, 2]
    assert speed.share_under_limit.value == pytest.approx(4 / 6)
    assert speed.detection_to_entry_seconds.max == 900.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop("net_usd"), "'net_usd' is missing"),
        (lambda frame: frame.with_columns(net_bps=pl.lit(float("nan"))), "not finite"),
        (lambda frame: frame.with_columns(net_bps=pl.lit(None, pl.Float64)), "null"),
        (lambda frame: frame.with_columns(net_bps=pl.lit("1")), "expected Float64"),
        (lambda frame: frame.with_columns(session=pl.lit("2030-01-01")), "2030-01-01 is not among"),
    ],
)
def test_broken_trades_are_refused(change, message):
    tables = samples.tables([True] * 5)
    with pytest.raises(EvidenceError, match=message):
        samples.tables([True] * 5, trades=change(tables.trades))


def test_sessions_must_ascend():
    with pytest.raises(EvidenceError, match="do not ascend"):
        samples.tables([], sessions=("2024-01-02", "2024-01-01"))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"data_hash": ""}, "data_hash"), ({"trials": 0}, "trials"), ({"code_version": ""}, "code")],
)
def test_a_manifest_without_provenance_is_refused(change, message):
    with pytest.raises(EvidenceError, match=message):
        samples.manifest(**change)


def test_the_config_hash_is_of_the_whole_config_in_any_order():
    first = samples.manifest(config={"a": 1, "b": {"c": 2.5}})
    same = samples.manifest(config={"b": {"c": 2.5}, "a": 1})
    other = samples.manifest(config={"a": 1, "b": {"c": 2.6}})
    assert first.config_hash == same.config_hash != other.config_hash


def test_hypotheses_count_trades_and_events_and_not_the_draws_of_their_tests():
    tables = samples.tables(samples.mixed(70, 30), flow_noise=0.5)
    evidence = assess(tables, DECLARATION, samples.manifest())
    sizes = {each.id: each.sample_size for each in evidence.hypotheses}
    assert sizes["edge"] == 100
    assert sizes["delta-flow"] == tables.flow.height
