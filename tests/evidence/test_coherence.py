"""Packages that contradict themselves, the source's own sample first."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from evidence import samples
from hedgeflow.evidence import assess, check, package_document
from hedgeflow.strategies.volume_shock.claims import DECLARATION

SOURCE_SAMPLE = {
    "experimental_validity": "VALIDATED",
    "hypothesis_results": {"primary": "SUPPORTED - Win rate 83.7% (CI: 78.1%-89.3%)"},
    "statistical_measures": {
        "confidence_interval": 0.95,
        "p_value": 0.0008,
        "effect_size": 1.73,
        "sample_size": 154,
        "statistical_power": 0.96,
    },
    "performance_by_flow_type": {
        "institutional_sweep": {"win_rate": 0.817, "avg_win_points": 11.4, "sample_size": 89},
        "gamma_emergency": {"win_rate": 0.923, "avg_win_points": 21.7, "sample_size": 65},
    },
}


def statuses(package):
    return {each.id: each.status for each in check(package).checks}


def sentence(package, name):
    return next(each.sentence for each in check(package).checks if each.id == name)


@pytest.fixture(scope="module")
def own():
    evidence = assess(samples.tables(samples.mixed(129, 25)), DECLARATION, samples.manifest())
    return package_document(evidence, timestamp="2024-03-01T00:00:00Z", files={})


def test_the_sources_own_sample_contradicts_itself():
    assert not check(SOURCE_SAMPLE).coherent


# Flaws C2: 0.817 x 89 + 0.923 x 65 = 132.7 of 154 = 86.2 %, not 83.7 %.
def test_81_7_of_89_and_92_3_of_65_make_86_2_and_not_83_7():
    found = next(each for each in check(SOURCE_SAMPLE).checks if each.id == "weighted-mean")
    assert found.status == "FAILED"
    assert found.stated == pytest.approx(0.837)
    assert found.recomputed == pytest.approx(0.862, abs=5e-4)


def test_81_7_per_cent_of_89_is_no_whole_number_of_wins():
    found = statuses(SOURCE_SAMPLE)
    assert found["integer-count-institutional_sweep"] == "FAILED"
    assert found["integer-count-gamma_emergency"] == "HOLDS"
    assert "72.71" in sentence(SOURCE_SAMPLE, "integer-count-institutional_sweep")


def test_its_sizes_add_up_and_129_wins_are_83_7_per_cent_cut_off():
    found = statuses(SOURCE_SAMPLE)
    assert found["class-sizes"] == "HOLDS"
    assert found["integer-count-overall"] == "HOLDS"


def test_its_interval_is_no_usual_interval_of_its_counts():
    assert statuses(SOURCE_SAMPLE)["interval"] == "FAILED"


def test_its_p_value_fits_neither_a_coin_nor_the_claim():
    assert statuses(SOURCE_SAMPLE)["p-value"] == "FAILED"
    assert "names no null" in sentence(SOURCE_SAMPLE, "p-value")


def test_its_effect_size_is_unnamed_and_not_cohens_h():
    assert statuses(SOURCE_SAMPLE)["effect-size"] == "FAILED"


def test_a_foreign_package_that_agrees_with_itself_is_coherent():
    package = {
        "performance_metrics": {
            "overall_win_rate": 0.838,
            "win_rate_confidence_interval": [0.771, 0.888],
        },
        "statistical_measures": {"sample_size": 154, "p_value": 0.14},
        "performance_by_flow_type": {
            "sweep": {"win_rate": 0.79775, "sample_size": 89},
            "emergency": {"win_rate": 0.89231, "sample_size": 65},
        },
    }
    assert check(package).coherent
    assert statuses(package)["sharpe"] == "NOT_CHECKABLE"


# Flaws C7: 83.7 %, +15/-8, five a day is an annual Sharpe of 47, not 2.5 to 4.0.
@pytest.mark.parametrize(("sharpe", "status"), [(3.0, "FAILED"), (47.0, "HOLDS")])
def test_a_stated_sharpe_must_fit_win_rate_payoff_and_frequency(sharpe, status):
    package = {
        "performance_metrics": {
            "overall_win_rate": 0.837,
            "sharpe_ratio": sharpe,
            "average_win_points": 15.0,
            "average_loss_points": 8.0,
            "trades_per_session": 5.0,
        },
        "statistical_measures": {"sample_size": 154},
    }
    assert statuses(package)["sharpe"] == status


def test_an_empty_package_states_nothing_to_contradict():
    assert set(statuses({}).values()) == {"NOT_CHECKABLE"}


def test_our_own_package_agrees_with_itself(own):
    found = statuses(own)
    assert set(found.values()) == {"HOLDS"}
    assert {"weighted-mean", "interval", "p-value", "ledger", "sharpe", "payoff"} <= set(found)


def test_a_package_without_trades_contradicts_nothing():
    evidence = assess(samples.tables([]), DECLARATION, samples.manifest())
    assert evidence.coherence.coherent


FORGERIES = [
    ("performance_metrics.overall.wins", 140, "win-rate"),
    ("performance_metrics.overall.win_rate.value", 0.91, "win-rate"),
    ("performance_metrics.overall.win_rate.lower", 0.81, "interval"),
    ("performance_metrics.overall.flat", 5, "counts"),
    ("performance_metrics.overall.expectancy_usd.value", 500.0, "payoff"),
    ("performance_metrics.overall.average_loss_usd.value", 1.0, "payoff"),
    ("performance_metrics.sharpe_annualised.value", 3.0, "sharpe"),
    ("performance_metrics.profit.fees_usd", 0.0, "costs"),
    ("performance_metrics.profit.ledger_net_usd", 0.0, "ledger"),
    ("performance_by_flow_type.GAMMA_EMERGENCY.trades", 5, "class-sizes"),
    ("performance_by_flow_type.GAMMA_EMERGENCY.win_rate.value", 0.95, "weighted-mean"),
    ("statistical_measures.sample_size", 90, "sample-size"),
    ("statistical_measures.p_value.value", 0.0001, "p-value"),
    ("statistical_measures.nulls.0.exceedances_mean", 7, "p-value"),
    ("statistical_measures.nulls.1.exceedances_mean", 9, "p-value"),
    ("statistical_measures.nulls.1.draws", 9, "p-value-win-rate"),
    ("statistical_measures.nulls.1.observed_mean_net_bps", 99.0, "null-mean"),
    ("statistical_measures.p_value_win_rate.value", 0.5, "p-value-win-rate"),
    ("statistical_measures.nulls.0.observed_mean_net_bps", 99.0, "null-mean"),
    ("statistical_measures.nulls.0.observed_win_rate", 0.1, "null-win-rate"),
]


@pytest.mark.parametrize(("path", "value", "name"), FORGERIES)
def test_one_forged_figure_is_found(own, path, value, name):
    forged = copy.deepcopy(own)
    *folders, last = path.split(".")
    place = forged
    for folder in folders:
        place = place[int(folder)] if folder.isdecimal() else place[folder]
    assert place[last] != value
    place[last] = value
    assert statuses(forged)[name] == "FAILED"
    assert not check(forged).coherent


def test_a_null_compared_with_other_trades_makes_the_package_incoherent():
    tables = samples.tables(samples.mixed(170, 10), flow_noise=0.2)
    other = samples.null_draws(samples.tables([True] * 20).trades)
    nulls = samples.nulls(tables.trades, MATCHED_ENTRIES=other)
    evidence = assess(replace(tables, nulls=nulls), DECLARATION, samples.manifest())
    assert assess(tables, DECLARATION, samples.manifest()).decision.verdict == "VALIDATED"
    assert evidence.decision.verdict == "REJECTED"
    assert "coherence" in evidence.decision.failed


def test_a_ledger_that_does_not_add_up_is_never_validated():
    tables = samples.tables(samples.mixed(170, 10), flow_noise=0.2)
    short = samples.tables(
        samples.mixed(170, 10), flow_noise=0.2, ledger_entries=tables.ledger_entries[:-1]
    )
    evidence = assess(short, DECLARATION, samples.manifest())
    assert evidence.decision.verdict == "REJECTED"
    assert any("ledger" in line for line in evidence.decision.reasons)
