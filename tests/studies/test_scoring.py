"""Detection against truth: the matching rule, and every score, beside slow and obvious ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.signals.rules import SigningRule
from hedgeflow.simulate import TRUTH_FOLDER, TruthTable, read_truth, scenario, write_to_catalog
from hedgeflow.strategies.volume_shock import VolumeShockConfig, load_config
from hedgeflow.studies.markets import load_market
from hedgeflow.studies.scanning import scan_market
from hedgeflow.studies.scoring.classes import (
    AMBIGUOUS,
    EMERGENCY,
    NO_SHOCK,
    SWEEP,
    confusions,
    is_clear,
)
from hedgeflow.studies.scoring.detection import detection, missed_shocks, recall_by_group
from hedgeflow.studies.scoring.estimates import demand_scores
from hedgeflow.studies.scoring.figures import Rate, f_score, ratios
from hedgeflow.studies.scoring.matching import chance_of_overlap, latest_shock, overlaps
from hedgeflow.studies.scoring.scores import score_catalog
from hedgeflow.studies.scoring.shocks import Found
from hedgeflow.studies.scoring.signing import SigningCounts
from hedgeflow.studies.scoring.watching import TruthWatch
from hedgeflow.studies.shock_tables import true_classes

WINDOW_NS = 5 * MINUTE_NS
DAY_NS = 1440 * MINUTE_NS
CONFIG = VolumeShockConfig()

# --- matching -----------------------------------------------------------------------------------

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=8)


def found_at(places: list[tuple[int, int]]) -> pl.DataFrame:
    """Return things found, from first anomaly to end, in units of a minute."""
    return pl.DataFrame(
        {
            "first_ns": [first * MINUTE_NS for first, _ in places],
            "until_ns": [(first + length) * MINUTE_NS for first, length in places],
        },
        schema={"first_ns": pl.Int64, "until_ns": pl.Int64},
    )


def shocks_at(places: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "shock_id": list(range(len(places))),
            "shock_first_ns": [first * MINUTE_NS for first, _ in places],
            "shock_last_ns": [(first + length) * MINUTE_NS for first, length in places],
        },
        schema=dict.fromkeys(("shock_id", "shock_first_ns", "shock_last_ns"), pl.Int64),
    )


def slow_pairs(found: list[tuple[int, int]], shocks: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the pairs that have an instant in common, tried at every half minute.

    What was found covers the half-open window before its first anomaly, to its end.
    """
    pairs = set()
    for i, (first, length) in enumerate(found):
        seen = {half for half in range(-20, 200) if 2 * (first - 5) < half <= 2 * (first + length)}
        for j, (begun, lasted) in enumerate(shocks):
            printing = set(range(2 * begun, 2 * (begun + lasted) + 1))
            if seen & printing:
                pairs.add((i, j))
    return pairs


@given(spans, spans)
def test_a_pair_overlaps_where_window_and_prints_have_an_instant_in_common(found, shocks):
    table = found_at(found).with_row_index("place")
    pairs = overlaps(table, shocks_at(shocks), WINDOW_NS)
    assert set(pairs.select("place", "shock_id").rows()) == slow_pairs(found, shocks)


@given(spans, spans)
def test_of_several_shocks_the_one_that_began_last_counts(found, shocks):
    pairs = slow_pairs(found, shocks)
    matched = latest_shock(found_at(found), shocks_at(shocks), WINDOW_NS)
    assert matched.height == len(found)
    for i, row in enumerate(matched.iter_rows(named=True)):
        begun = [shocks[j][0] for place, j in pairs if place == i]
        assert (row["shock_first_ns"] is None) == (not begun)
        if begun:
            assert row["shock_first_ns"] == max(begun) * MINUTE_NS


def test_anomalies_match_shocks_of_their_own_contract_only():
    found = found_at([(10, 0), (10, 0)]).with_columns(contract=pl.Series(["A", "B"]))
    shocks = shocks_at([(8, 2)]).with_columns(contract=pl.lit("B"))
    assert overlaps(found, shocks, WINDOW_NS, by=["contract"])["contract"].to_list() == ["B"]


def test_the_chance_of_an_overlap_is_what_random_times_give():
    rng = np.random.default_rng(1)
    shocks = shocks_at([(60, 1), (300, 4), (700, 0), (1100, 8)])
    starts = rng.uniform(0, DAY_NS, 20_000).astype(np.int64)
    found = pl.DataFrame({"first_ns": starts, "until_ns": starts + 3 * MINUTE_NS})
    hits = overlaps(found.with_row_index("place"), shocks, WINDOW_NS)["place"].n_unique()
    expected = chance_of_overlap(found, shocks, WINDOW_NS, DAY_NS)
    assert hits / found.height == pytest.approx(expected, abs=0.003)
    assert chance_of_overlap(found.clear(), shocks, WINDOW_NS, DAY_NS) is None


def test_the_true_class_of_the_evidence_package_follows_the_same_rule():
    alerts = pl.DataFrame(
        {
            "alert_id": ["a", "b", "c"],
            "event_id": [0, 1, 2],
            "triggered_ns": [10 * MINUTE_NS, 100 * MINUTE_NS, 14 * MINUTE_NS],
        }
    )
    events = pl.DataFrame(
        {"event_id": [0, 1, 2], "first_ns": [9 * MINUTE_NS, 99 * MINUTE_NS, 14 * MINUTE_NS]}
    )
    truth = pl.DataFrame(
        {
            "ts": pl.Series([8 * MINUTE_NS]).cast(pl.Datetime("ns", "UTC")),
            "last_print": pl.Series([9 * MINUTE_NS]).cast(pl.Datetime("ns", "UTC")),
            "shock_class": [EMERGENCY],
        }
    )
    found = true_classes(alerts, events, truth, WINDOW_NS)
    assert found["alert_id"].to_list() == ["a", "b", "c"]
    assert found["true_class"].to_list() == [EMERGENCY, AMBIGUOUS, AMBIGUOUS]  # c sees after 9
    longer = true_classes(alerts, events, truth, 2 * WINDOW_NS)
    assert longer["true_class"].to_list() == [EMERGENCY, AMBIGUOUS, EMERGENCY]


# --- detection ----------------------------------------------------------------------------------

SHOCKS = 40


def true_shocks(count: int = SHOCKS) -> pl.DataFrame:
    """Return shocks half an hour apart, sweeps and emergencies in turn, all clear cases."""
    place = np.arange(count)
    sweep = place % 2 == 0
    demand = np.where(sweep, 20.0, 90.0) * np.where(place % 3 == 0, -1.0, 1.0) + 0.01 * place
    first = (place * 30 + 60) * MINUTE_NS
    return pl.DataFrame(
        {
            "shock_id": place,
            "shock_class": np.where(sweep, SWEEP, EMERGENCY),
            "contract": [f"C{each}" for each in place],
            "strikes": np.where(sweep, 4, 2),
            "shock_first_ns": first,
            "shock_last_ns": first + 30 * SECOND_NS,
            "demand": demand,
            "demand_scaled": demand * 100,
            "concentration": np.where(sweep, 0.4, 0.95),
            "response_minutes": np.where(sweep, 11.0, 2.0),
            "should_alert": place > 0,
        }
    )


def found_in(shocks: pl.DataFrame, seen: pl.DataFrame | None = None) -> Found:
    """Return what a perfect detector finds of shocks that are `seen` as they are."""
    seen = shocks if seen is None else seen
    events = seen.select(
        event_id=pl.col("shock_id"),
        first_ns=pl.col("shock_first_ns") + SECOND_NS,
        last_ns=pl.col("shock_last_ns"),
        until_ns=pl.col("shock_last_ns"),
        demand="demand",
        decided=pl.lit(value=True),
        no_scale=pl.lit(value=False),
    )
    alerts = seen.select(
        event_id=pl.col("shock_id"),
        triggered_ns=pl.col("shock_last_ns"),
        contract="contract",
        first_ns=pl.col("shock_first_ns") + SECOND_NS,
        until_ns=pl.col("shock_last_ns"),
        flow_class="shock_class",
        flow_class_at_close="shock_class",
        demand="demand",
        demand_low=pl.col("demand") - 1.0,
        demand_high=pl.col("demand") + 1.0,
        response_model=pl.lit("calibrated"),
    )
    anomalies = seen.select(
        event_id=pl.col("shock_id"),
        contract="contract",
        first_ns=pl.col("shock_last_ns"),
        until_ns=pl.col("shock_last_ns"),
        window_ns=pl.lit(MINUTE_NS, dtype=pl.Int64),
    )
    contracts = shocks.select("shock_id", "contract", "shock_first_ns", "shock_last_ns")
    return Found(shocks, contracts, alerts, events, anomalies, WINDOW_NS)


def test_a_perfect_detector_scores_one_everywhere():
    shocks = true_shocks()
    found = found_in(shocks)
    for each in detection(found, 2 * DAY_NS):
        assert (each.recall.share, each.precision.share, each.f1) == (1.0, 1.0, 1.0)
    assert all(each.recall.share == 1.0 for each in recall_by_group(found))
    assert missed_shocks(found, set()) == ()
    for each in confusions(found, CONFIG):
        assert each.accuracy.share == each.accuracy_of_shocks.share == 1.0
        assert {case.accuracy.of for case in each.clear} == {0, SHOCKS}
        assert [row.f1 for row in each.rows] == [1.0, 1.0, None]
    scores, band = demand_scores(found, dict.fromkeys(keys_of(found), 0.0))
    assert all(each.sign_right.share == 1.0 for each in scores)
    assert all(each.ratio.bias == pytest.approx(0.0) for each in scores)
    assert band.of_shock.share == band.of_same_prints.share == 1.0


def keys_of(found: Found) -> list[tuple[int, int, str]]:
    return found.alerts.select("event_id", "triggered_ns", "contract").rows()


def test_alerts_at_random_times_are_right_about_as_often_as_by_chance():
    rng = np.random.default_rng(4)
    shocks = true_shocks()
    count = 2_000
    starts = rng.uniform(0, 2 * DAY_NS, count).astype(np.int64)
    drawn = shocks[rng.integers(0, SHOCKS, count).tolist()].with_columns(
        shock_id=pl.int_range(count), shock_first_ns=starts, shock_last_ns=starts + SECOND_NS
    )
    found = found_in(shocks, drawn)
    alerts = detection(found, 2 * DAY_NS)[0]
    assert alerts.by_chance is not None
    assert alerts.precision.low is not None
    assert alerts.precision.high is not None
    assert alerts.precision.low < alerts.by_chance < alerts.precision.high
    at_decision = confusions(found, CONFIG)[0]
    assert at_decision.accuracy_of_shocks.low is not None
    assert at_decision.accuracy_of_shocks.low < 0.5 < (at_decision.accuracy_of_shocks.high or 0)


def test_recall_counts_shocks_and_precision_counts_alerts():
    shocks = true_shocks(4)
    twice = pl.concat([shocks[:2], shocks[:1]])  # the first shock has two alerts
    beside = shocks[3:].with_columns(pl.col("shock_first_ns", "shock_last_ns") + 10 * MINUTE_NS)
    alerts, events, contracts = detection(found_in(shocks, pl.concat([twice, beside])), DAY_NS)
    assert (alerts.recall.count, alerts.recall.of) == (2, 4)
    assert (alerts.precision.count, alerts.precision.of) == (3, 4)
    assert alerts.f1 == pytest.approx(2 * 0.5 * 0.75 / 1.25)
    assert events.precision.count == 3
    assert (contracts.recall.count, contracts.recall.of) == (2, 4)
    assert (contracts.precision.count, contracts.precision.of) == (2, 3)  # one contract an event


def test_recall_is_told_by_class_and_by_thirds_of_size():
    shocks = true_shocks(6)
    seen = shocks.filter(pl.col("shock_class") == EMERGENCY)
    groups = {each.group: each.recall for each in recall_by_group(found_in(shocks, seen))}
    assert (groups[EMERGENCY].count, groups[EMERGENCY].of) == (3, 3)
    assert (groups[SWEEP].count, groups[SWEEP].of) == (0, 3)
    thirds = [groups[name] for name in groups if "third" in name]
    assert [(each.count, each.of) for each in thirds] == [(0, 2), (1, 2), (2, 2)]
    assert groups["true pressure above the threshold"].of == 5


def test_every_missed_shock_has_the_reason_that_is_true_of_it():
    shocks = true_shocks(5)
    found = found_in(shocks, shocks[:3])
    decided = pl.Series([True, False, False])
    no_scale = pl.Series([False, True, False])
    found = replace(
        found,
        alerts=found.alerts.clear(),
        events=found.events.with_columns(decided=decided, no_scale=no_scale),
    )
    missed = missed_shocks(found, {(4, "C4")})
    assert [each.reason for each in missed] == [
        "JOINED_EVENT", "NO_SCALE", "BELOW_THRESHOLD", "NO_ANOMALY", "NO_BASELINE",
    ]  # fmt: skip
    assert [each.shock_id for each in missed] == [0, 1, 2, 3, 4]
    assert missed[1].demand == pytest.approx(90.01)


# --- classes ------------------------------------------------------------------------------------


def test_the_confusion_of_classes_is_the_count_of_a_hand_made_table():
    shocks = true_shocks(4)  # sweep, emergency, sweep, emergency
    beside = shocks[:1].with_columns(
        pl.col("shock_first_ns", "shock_last_ns") + 15 * MINUTE_NS, shock_id=pl.lit(9)
    )
    given_classes = [SWEEP, SWEEP, AMBIGUOUS, EMERGENCY, AMBIGUOUS]
    found = found_in(shocks, pl.concat([shocks, beside], how="vertical_relaxed"))
    alerts = found.alerts.with_columns(
        flow_class=pl.Series(given_classes),
        flow_class_at_close=pl.Series([SWEEP, EMERGENCY, SWEEP, EMERGENCY, EMERGENCY]),
        response_model=pl.Series(["tiers", "tiers", "tiers", "calibrated", "calibrated"]),
    )
    decided, closed = confusions(replace(found, alerts=alerts), CONFIG)
    assert [row.true_class for row in decided.rows] == [SWEEP, EMERGENCY, NO_SHOCK]
    assert [list(row.assigned.values()) for row in decided.rows] == [
        [1, 0, 1], [1, 1, 0], [0, 0, 1],
    ]  # fmt: skip
    sweep, emergency, neither = decided.rows
    assert sweep.precision == Rate.out_of(1, 2)
    assert sweep.recall == Rate.out_of(1, 2)
    assert emergency.precision == Rate.out_of(1, 1)
    assert emergency.f1 == pytest.approx(2 / 3)
    assert (neither.precision, neither.recall) == (None, Rate.out_of(1, 1))
    assert decided.accuracy == Rate.out_of(3, 5)
    assert decided.accuracy_of_shocks == Rate.out_of(2, 4)
    by_model = {case.response_model: case.accuracy for case in decided.clear if case.factor == 1.25}
    assert by_model == {
        "any": Rate.out_of(2, 4), "tiers": Rate.out_of(1, 3), "calibrated": Rate.out_of(1, 1),
    }  # fmt: skip
    assert closed.accuracy == Rate.out_of(4, 5)


def shocks_dtype(name: str) -> pl.DataType:
    return true_shocks(1).schema[name]


@pytest.mark.parametrize(
    ("change", "clear"),
    [
        ({}, [True, True]),
        ({"response_minutes": [6.3, 3.9]}, [True, True]),
        ({"response_minutes": [6.2, 4.1]}, [False, False]),
        ({"response_minutes": [None, None]}, [False, False]),
        ({"concentration": [0.61, 0.79]}, [False, False]),
        ({"strikes": [2, 2]}, [False, True]),
        ({"demand_scaled": [100.0, -3_800.0]}, [True, True]),
        ({"demand_scaled": [100.0, -3_700.0]}, [True, False]),
        ({"demand_scaled": [None, None]}, [True, False]),
    ],
)
def test_a_case_is_clear_by_its_truth_alone(change, clear):
    shocks = true_shocks(2).with_columns(
        pl.Series(name, values, dtype=shocks_dtype(name)) for name, values in change.items()
    )
    assert shocks.select(is_clear(CONFIG, 1.25)).to_series().to_list() == clear


def test_concentration_is_asked_of_the_classifier_that_has_it_only():
    signature = load_config(settings=["classifier.mode=signature"])
    shocks = true_shocks(2).with_columns(concentration=pl.Series([0.9, 0.1]))
    assert shocks.select(is_clear(signature)).to_series().to_list() == [True, True]


# --- figures ------------------------------------------------------------------------------------


def test_a_rate_carries_its_wilson_interval():
    """Wilson's own interval of 81 in 263: Newcombe (1998), table I, method 3."""
    rate = Rate.out_of(81, 263)
    assert (rate.low, rate.high) == (
        pytest.approx(0.2553, abs=5e-5),
        pytest.approx(0.3662, abs=5e-5),
    )
    assert Rate.out_of(0, 0).share is None


def test_the_f_score_is_the_harmonic_mean():
    assert f_score(Rate.out_of(1, 2), Rate.out_of(1, 1)) == pytest.approx(2 / 3)
    assert f_score(Rate.out_of(0, 2), Rate.out_of(0, 1)) == 0.0
    assert f_score(Rate.out_of(0, 0), Rate.out_of(0, 1)) is None


def test_ratios_leave_out_what_is_not_known_and_keep_wrong_signs_in_the_quartiles():
    estimate = np.array([2.0, 8.0, -1.0, np.nan, 5.0])
    truth = np.array([1.0, 2.0, 1.0, 1.0, 0.0])
    found = ratios(estimate, truth)
    assert (found.count, found.median) == (3, 2.0)
    assert found.bias == pytest.approx(np.sqrt(2.0 * 4.0) - 1.0)
    assert found.correlation == pytest.approx(np.corrcoef([2, 8, -1], [1, 2, 1])[0, 1])
    assert ratios(estimate[:0], truth[:0]).median is None


# --- signing ------------------------------------------------------------------------------------


def test_signing_is_counted_by_rule_by_lots_and_by_side():
    quote, none = SigningRule.QUOTE, SigningRule.NONE
    counts = SigningCounts()
    counts.add(
        sign=np.array([1, 1, -1]),
        rule=np.array([quote, quote, quote]),
        side=np.array([1, -1, -1]),
        lots=np.array([10, 1, 1]),
    )
    counts.add(np.array([0.0]), np.array([none]), np.array([1]), np.array([4]))
    score = counts.score([0.5, 1.0, 0.8, 0.75, 0.5, 0.5])
    assert (score.right.count, score.right.of) == (2, 4)
    assert score.lots_right == pytest.approx(11 / 16)
    by_rule = {each.rule: each for each in score.rules}
    assert set(by_rule) == {"QUOTE", "NONE"}
    assert by_rule["QUOTE"].right == Rate.out_of(2, 3)
    assert by_rule["QUOTE"].lots_right == pytest.approx(11 / 12)
    assert by_rule["QUOTE"].is_calibrated is True
    assert by_rule["NONE"].is_calibrated is None
    buy, sell = score.sides
    assert (buy.precision, buy.recall) == (Rate.out_of(1, 2), Rate.out_of(1, 2))
    assert (sell.precision, sell.recall) == (Rate.out_of(1, 1), Rate.out_of(1, 2))


def test_a_probability_outside_the_interval_is_not_calibrated():
    counts = SigningCounts()
    ones = np.ones(1_000, np.int64)
    counts.add(ones, ones * SigningRule.TICK, ones, ones)
    score = counts.score([0.5, 1.0, 0.8, 0.75, 0.5, 0.5])
    assert score.rules[0].is_calibrated is False


# --- a whole catalog ----------------------------------------------------------------------------

SMALL = {
    "option_flow.trades_per_day": 3_000.0,
    "future.trades_per_day": 2_000.0,
    "future.quote_interval_seconds": 60.0,
}


def small_catalog(folder: Path, changes: dict[str, object] | None = None, days: int = 3) -> Catalog:
    catalog = Catalog.create_or_open(folder)
    write_to_catalog(scenario("effect", SMALL | (changes or {}), days=days, seed=5), catalog)
    return catalog


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory) -> Catalog:
    """Return a market whose tape knows no print's side; tests only read it."""
    return small_catalog(
        tmp_path_factory.mktemp("unsigned") / "market", {"option_flow.unsigned_share": 1.0}
    )


@pytest.fixture(scope="module")
def signed(tmp_path_factory) -> Catalog:
    return small_catalog(
        tmp_path_factory.mktemp("signed") / "market", {"option_flow.unsigned_share": 0.0}
    )


def test_watching_a_scan_changes_nothing_of_it(signed):
    watched = score_catalog(signed, CONFIG)
    market = load_market(signed, "SIM", CONFIG)
    plain = scan_market(market, CONFIG)
    assert (watched.alerts, watched.prints) == (plain.alerts.height, plain.prints)
    assert watched.notes == (*market.notes, *plain.notes)
    assert watched.shocks == read_truth(signed.path, TruthTable.SHOCKS).height
    events = {each.found_by: each.precision.of for each in watched.detection}
    assert events["events"] == plain.events.height


def test_a_tape_that_knows_every_side_is_signed_without_an_error(signed):
    score = score_catalog(signed, CONFIG)
    assert [each.rule for each in score.signing.rules] == ["AGGRESSOR"]
    assert score.signing.right.share == score.signing.lots_right == 1.0
    assert [side.f1 for side in score.signing.sides] == [1.0, 1.0]
    assert score.band.of_same_prints.share == 1.0
    assert all(each.sign_right.share == 1.0 for each in score.demand)


def test_shocks_before_there_is_a_past_are_missed_for_want_of_one(signed):
    score = score_catalog(signed, CONFIG)
    truth = read_truth(signed.path, TruthTable.SHOCKS)
    first_day = truth.filter(pl.col("ts").dt.date() == truth["ts"][0].date())
    reasons = {each.shock_id: each.reason for each in score.missed}
    assert {reasons[shock] for shock in first_day["shock_id"]} == {"NO_BASELINE"}


def test_a_contract_that_had_an_anomaly_had_a_baseline(signed):
    market = load_market(signed, "SIM", CONFIG)
    watch = TruthWatch(signed.path, market, CONFIG)
    scan = scan_market(market, CONFIG, advance=watch.advance)
    contracts = watch.shock_contracts().filter(
        pl.struct("shock_id", "contract").is_in(
            [{"shock_id": shock, "contract": name} for shock, name in watch.without_baseline]
        )
    )
    assert contracts.height > 3
    found = scan.anomalies.with_columns(first_ns=pl.col("at_ns"), until_ns=pl.col("at_ns"))
    assert overlaps(found, contracts, SECOND_NS, by=["contract"]).is_empty()


def test_a_tape_without_sides_is_signed_by_quotes_and_ticks_as_a_slow_count_says(unsigned):
    score = score_catalog(unsigned, CONFIG)
    tape = unsigned.read(load_market(unsigned, "SIM", CONFIG).options)
    side = tape.join(read_truth(unsigned.path, TruthTable.PRINTS), on="trade_id")["side"].to_list()
    right: dict[str, list[bool]] = {}
    memory: dict[str, tuple[object, float, int]] = {}
    for row, true in zip(tape.iter_rows(named=True), side, strict=True):
        day, price, ticked = row["ts"].date(), row["price"], 0
        known = memory.get(row["contract"])
        if known is not None and known[0] == day:
            ticked = int(np.sign(price - known[1])) or known[2]
        memory[row["contract"]] = (day, price, ticked)
        rule, sign = ("TICK", ticked) if ticked else ("NONE", 0)
        bid, ask = row["bid"], row["ask"]
        if bid is not None and ask is not None and 0 < bid <= ask:
            off = price - 0.5 * (bid + ask)
            if off:
                rule, sign = "QUOTE", int(np.sign(off))
        if row["combo_id"] is not None and sign:
            rule = "COMPLEX"
        right.setdefault(rule, []).append(sign == true)
    assert {each.rule: each.right for each in score.signing.rules} == {
        rule: Rate.out_of(sum(hits), len(hits)) for rule, hits in right.items()
    }
    assert len(right) >= 3


def test_the_truth_that_is_read_is_that_of_the_catalog(signed, tmp_path):
    """A truth with every side turned round: every sign is wrong, and so is every demand."""
    catalog = small_catalog(tmp_path / "turned", {"option_flow.unsigned_share": 0.0})
    for path in (catalog.path / TRUTH_FOLDER / TruthTable.PRINTS).glob("*.parquet"):
        pl.read_parquet(path).with_columns(-pl.col("side")).write_parquet(path)
    score, straight = score_catalog(catalog, CONFIG), score_catalog(signed, CONFIG)
    assert score.signing.right.share == 0.0
    assert score.band.of_same_prints.share == 0.0
    assert score.detection == straight.detection


def test_expected_responses_are_held_against_the_hedges_own_trades(signed):
    """Half of a hedge, counted trade by trade on the tape, from the event's first anomaly."""
    score = score_catalog(signed, CONFIG)
    market = load_market(signed, "SIM", CONFIG)
    scan = scan_market(market, CONFIG)
    trades = market.trades.join(
        read_truth(signed.path, TruthTable.HEDGE_TRADES), on="trade_id"
    ).with_columns(at=pl.col("ts").dt.epoch("ns"))
    shocks = read_truth(signed.path, TruthTable.SHOCKS).with_columns(
        pl.col("ts", "last_print").dt.epoch("ns")
    )
    begun = dict(scan.events.select("event_id", "first_ns").rows())
    ratio = []
    for alert in scan.alerts.iter_rows(named=True):
        first = begun[alert["event_id"]]
        for shock in shocks.iter_rows(named=True):
            if shock["ts"] > alert["triggered_ns"] or shock["last_print"] <= first - WINDOW_NS:
                continue
            hedge = trades.filter(pl.col("shock_id") == shock["shock_id"])
            half = hedge.filter(pl.col("size").cum_sum() >= 0.5 * pl.col("size").sum())["at"][0]
            ratio.append(alert["response_minutes"] / ((half - first) / MINUTE_NS))
    found = score.response.scores[0]
    assert (found.source, found.ratio.count) == ("tiers", len(ratio))
    assert len(ratio) >= 8
    assert found.ratio.median == pytest.approx(np.median(ratio), rel=0.01)
    assert found.ratio.bias == pytest.approx(np.expm1(np.log(ratio).mean()), rel=0.02)


def test_where_nobody_hedges_there_is_no_response_to_compare_with(tmp_path):
    catalog = small_catalog(tmp_path / "null", {"dealers.hedging": "none"})
    score = score_catalog(catalog, CONFIG)
    assert score.alerts > 8
    assert {each.ratio.count for each in score.response.scores} == {0}
    assert score.clear_shocks == {}
    assert score.detection[0].recall.share is not None


def test_prints_of_which_the_truth_knows_nothing_are_refused(tmp_path):
    catalog = small_catalog(tmp_path / "market", days=1)
    [path] = (catalog.path / TRUTH_FOLDER / TruthTable.PRINTS).glob("*.parquet")
    pl.read_parquet(path)[1:].write_parquet(path)
    with pytest.raises(CatalogError, match="of which the truth knows nothing"):
        score_catalog(catalog, CONFIG)
