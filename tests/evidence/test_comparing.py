"""Two packages side by side: what differs, and what the intervals allow for."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from evidence import samples
from hedgeflow.evidence import assess, package_document
from hedgeflow.evidence.comparing import compare, different, joint_interval
from hedgeflow.evidence.manifest import Inputs
from hedgeflow.evidence.opening import Package
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.volume_shock.claims import DECLARATION

NOW = "2024-03-01T00:00:00Z"
INPUTS = Inputs("BTC", "run", "trial", "options", "hedge", None, None, None, None, None, None,
                truth=False)  # fmt: skip


@cache
def assessed(wins, losses):
    tables = samples.tables(samples.mixed(wins, losses), flow_noise=0.5)
    return assess(tables, DECLARATION, samples.manifest())


def package(tmp_path, name, wins=70, losses=20, **changes):
    evidence = replace(assessed(wins, losses), manifest=samples.manifest(**changes))
    return Package(tmp_path / name, package_document(evidence, timestamp=NOW, files={}))


def estimate(value, lower, upper, level=0.95):
    return {"value": value, "lower": lower, "upper": upper, "level": level}


def figure(comparison, name):
    return next(each for each in comparison.figures if each.name == name)


WIN_RATE = "performance_metrics.overall.win_rate"


def test_of_symmetric_intervals_the_joint_one_is_the_root_of_the_sum_of_squares():
    low, high = joint_interval(estimate(1.0, 0.7, 1.3), estimate(2.0, 1.6, 2.4))
    assert (low, high) == pytest.approx((1.0 - 0.5, 1.0 + 0.5))


def test_the_joint_interval_of_two_rates_is_that_of_newcombe():
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, table II: 56/70 less 48/80.

    His method 10 takes Wilson's intervals, as packages do: 0.0524 to 0.3339.
    """
    from hedgeflow.evidence.rates import wilson_bounds

    first, second = (
        estimate(wins / n, *wilson_bounds(wins, n, 0.95)) for wins, n in ((48, 80), (56, 70))
    )
    assert joint_interval(first, second) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_interval_of_the_difference_of_means_covers_as_it_says():
    generator = np.random.default_rng(5)
    a, b = generator.normal(0.0, 1.0, (4_000, 50)), generator.normal(0.3, 2.0, (4_000, 80))
    covered = 0
    for x, y in zip(a, b, strict=True):
        ends = [(float(z.mean()), 1.96 * float(z.std(ddof=1)) / math.sqrt(z.size)) for z in (x, y)]
        low, high = joint_interval(*(estimate(m, m - h, m + h) for m, h in ends))
        covered += low <= 0.3 <= high
    assert covered / 4_000 == pytest.approx(0.945, abs=0.015)


@pytest.mark.parametrize("broken", [estimate(None, 0.0, 1.0), estimate(0.5, None, None),
                                    estimate(0.5, 0.4, 0.6, level=0.9)])  # fmt: skip
def test_without_both_intervals_of_one_level_nothing_can_be_told(broken):
    assert joint_interval(broken, estimate(0.5, 0.4, 0.6)) is None


def test_a_package_is_like_itself(tmp_path):
    one = package(tmp_path, "a")
    found = compare(one, one)
    assert (found.settings, found.data) == ((), ())
    assert not any(pair.differs for pair in (*found.gates, *found.claims))
    assert {pair.difference for pair in found.figures} <= {0.0, None}
    assert all(pair.inside for pair in found.figures if pair.inside is not None)
    assert len(found.figures) > 50


def test_what_the_intervals_do_not_allow_for_is_told_from_what_they_do(tmp_path):
    found = compare(package(tmp_path, "a", 70, 20), package(tmp_path, "b", 66, 24))
    assert figure(found, WIN_RATE).inside is True
    found = compare(package(tmp_path, "a", 70, 20), package(tmp_path, "b", 30, 60))
    pair = figure(found, WIN_RATE)
    assert pair.inside is False
    assert pair.difference == pytest.approx((30 - 70) / 90)
    assert pair.headline
    statuses = {each.name: (each.first, each.second) for each in found.gates}
    assert statuses["win-rate"] == ("INCONCLUSIVE", "FAILED")


def test_settings_are_told_by_dotted_keys(tmp_path):
    config = {"preset": "source", "response": {"model": "tiers"}, "alert": {"confidence_cap": 0.95}}
    found = compare(package(tmp_path, "a"), package(tmp_path, "b", config=config))
    assert [(each.name, each.first, each.second) for each in found.settings] == [
        ("preset", "normalized", "source"),
        ("response.model", "calibrated", "tiers"),
    ]


def test_a_key_that_only_one_has_is_told():
    pairs = different({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}})
    assert [(each.name, each.first, each.second) for each in pairs] == [("a.c", None, 2)]


def test_data_and_code_that_differ_are_told(tmp_path):
    other = {"data_hash": "sha256:other", "code_version": "0.2.0", "trials": 9}
    found = compare(package(tmp_path, "a"), package(tmp_path, "b", **other))
    assert {each.name for each in found.data} == {"data_hash", "trials"}
    assert found.code_versions == ("0.1.0", "0.2.0")


def test_one_tape_under_both_is_said_to_share_its_errors(tmp_path):
    pair = [package(tmp_path, name, inputs=INPUTS) for name in "ab"]
    assert "same option tape" in compare(*pair).warnings[0]
    apart = [pair[0], package(tmp_path, "b", inputs=replace(INPUTS, option_data="others"))]
    assert compare(*apart).warnings == ()


def test_a_simulated_market_beside_a_recorded_one_is_said_before_all_else(tmp_path):
    found = compare(package(tmp_path, "real"), package(tmp_path, "made", simulated=True))
    assert found.warnings[0].startswith("SIMULATED BESIDE RECORDED: made is of a simulated market")
    assert found.simulated == (False, True)


def test_packages_of_two_strategies_are_refused(tmp_path):
    with pytest.raises(EvidenceError, match="a is of volume-shock and b of gamma-scalper"):
        compare(package(tmp_path, "a"), package(tmp_path, "b", strategy="gamma-scalper"))


def test_the_figures_of_each_are_checked_against_each_other_again(tmp_path):
    good, bad = package(tmp_path, "a"), package(tmp_path, "b")
    bad.document["performance_metrics"]["overall"]["wins"] = 89
    found = compare(good, bad)
    assert found.contradictions[0] == ()
    assert any("win rate" in sentence for sentence in found.contradictions[1])
