"""Effect sizes, power and the observations needed, claim by claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from evidence import samples
from hedgeflow.evidence import assess
from hedgeflow.evidence.estimates import EffectKind, Estimate, Measure, missing
from hedgeflow.evidence.power import observations_needed, power_of, powers
from hedgeflow.strategies.claims import Gate
from hedgeflow.strategies.volume_shock.claims import DECLARATION

Z = 1.959963984540054


def gate(comparison=">=", threshold=0.8, upper=None, statistic="win_rate"):
    return Gate("gate", "", statistic, comparison, threshold, 0, "", upper_threshold=upper)


def one(claim, value, *, n=100, kind=EffectKind.MEAN, half=None):
    bounds = (None, None) if half is None else (value - half, value + half)
    measure = Measure(Estimate(value, *bounds, n), n, kind=kind)
    (found,) = powers([claim], {(claim.statistic, ""): measure})
    return found


@given(st.floats(0.01, 1.5), st.integers(1, 5_000), st.floats(0.001, 0.2))
def test_power_is_statsmodels(effect, observations, alpha):
    from statsmodels.stats.power import NormalIndPower

    peer = NormalIndPower().power(effect, observations, alpha, ratio=0, alternative="larger")
    assert power_of(effect, observations, alpha) == pytest.approx(float(peer), abs=1e-12)


@given(st.floats(0.02, 1.5))
def test_the_observations_needed_are_statsmodels(effect):
    from statsmodels.stats.power import normal_sample_size_one_tail

    peer = normal_sample_size_one_tail(effect, 0.80, 0.025)
    assert observations_needed((effect,)) == max(1, math.ceil(peer - 1e-9))


# Cohen (1988), 6.4 and example 6.8: h = 0.20 at two-sided 5 % takes 325 for a power of 95 %.
def test_an_h_of_a_fifth_takes_325_for_a_power_of_95_per_cent():
    assert observations_needed((0.20,), 0.025, 0.95) == 325


# Cohen (1988), 4.4: a correlation of 0.30 against 0, two-sided 5 %, has a power of 0.86 at n = 100
# (table 4.3.2) and takes 85 for 0.80 (table 4.4.1; 84 or 85 by Fisher's transformation).
def test_a_correlation_of_0_30_is_cohens():
    found = one(gate(">", 0.0, statistic="r"), 0.30, kind=EffectKind.CORRELATION)
    assert found.power == pytest.approx(0.86, abs=0.005)
    assert found.needed in {84, 85}
    assert found.effect == "Cohen's q"


def test_a_rate_of_83_8_per_cent_against_80_takes_hundreds_of_trades():
    found = one(gate(), 129 / 154, n=154, kind=EffectKind.RATE)
    h = 2 * math.asin(math.sqrt(129 / 154)) - 2 * math.asin(math.sqrt(0.8))
    assert found.effect_size == pytest.approx(h)
    assert found.power == pytest.approx(norm.cdf(h * math.sqrt(154) - Z))
    assert found.needed == math.ceil(((Z + norm.ppf(0.8)) / h) ** 2)
    assert 0.88 < found.detectable < 0.90


def test_a_means_effect_follows_from_its_clustered_interval():
    found = one(gate(">=", 12.0, statistic="points"), 14.0, half=4.0)
    deviation = 4.0 / Z * 10.0
    assert found.effect_size == pytest.approx(2.0 / deviation)
    assert found.power == pytest.approx(norm.cdf(2.0 / (4.0 / Z) - Z))
    assert found.detectable == pytest.approx(12.0 + (Z + norm.ppf(0.8)) * 4.0 / Z)


def test_a_claim_from_above_is_turned_round():
    found = one(gate("<=", 0.12, statistic="cost"), 0.10, half=0.01)
    assert found.effect_size > 0.0
    assert found.detectable < 0.12
    assert one(gate("<=", 0.12, statistic="cost"), 0.14, half=0.01).needed is None


def test_a_band_must_be_kept_at_both_ends():
    found = one(gate("within", 8.0, 15.0), 11.5, half=2.0)
    error = 2.0 / Z
    assert found.power == pytest.approx(2.0 * norm.cdf(3.5 / error - Z) - 1.0)
    assert found.detectable is None
    assert one(gate("within", 8.0, 15.0), 16.0, half=1.0).needed is None


def test_a_squared_correlation_is_compared_by_its_root():
    found = one(gate(">", 0.70, statistic="r_squared"), 0.81, kind=EffectKind.R_SQUARED)
    assert found.effect_size == pytest.approx(math.atanh(0.9) - math.atanh(math.sqrt(0.70)))
    below = one(gate(">", 0.70, statistic="r_squared"), -0.05, kind=EffectKind.R_SQUARED)
    assert below.effect_size < 0.0
    assert below.needed is None
    assert below.detectable == found.detectable > 0.70


def test_with_what_is_needed_the_power_is_80_per_cent_and_with_one_fewer_not():
    first = one(gate(), 0.9, n=50, kind=EffectKind.RATE)
    assert one(gate(), 0.9, n=first.needed, kind=EffectKind.RATE).power >= 0.8
    assert one(gate(), 0.9, n=first.needed - 1, kind=EffectKind.RATE).power < 0.8


# The power that is stated is the share of records that pass, up to the normal approximation.
def test_the_stated_power_of_a_rate_is_how_often_wilson_shows_it():
    from hedgeflow.evidence.rates import wins_needed

    found = one(gate(), 0.9, n=150, kind=EffectKind.RATE)
    wins = np.random.default_rng(0).binomial(150, 0.9, 20_000)
    assert (wins >= wins_needed(150, 0.8)).mean() == pytest.approx(found.power, abs=0.05)


def test_what_was_not_found_says_why_and_p_values_have_no_effect():
    claim = gate(statistic="points")
    gone = Measure(missing("no trades"), 0)
    (found,) = powers([claim], {("points", ""): gone})
    assert (found.power, found.needed, found.reason) == (None, None, "no trades")
    exact = Measure(Estimate(0.01), 50, exact=True)
    assert powers([gate(statistic="p_value")], {("p_value", ""): exact}) == ()
    bare = Measure(Estimate(3.0, n=3, reason="3 sessions"), 10)
    (found,) = powers([claim], {("points", ""): bare})
    assert found.reason == "3 sessions"


def test_every_gate_and_claim_of_the_strategy_that_has_an_effect_is_listed_once():
    evidence = assess(
        samples.tables(samples.mixed(129, 25), flow_noise=0.5), DECLARATION, samples.manifest()
    )
    ids = [each.id for each in evidence.powers]
    assert len(ids) == len(set(ids))
    assert {"win-rate", "sharpe", "delta-flow", "primary-points", "response-time",
            "sweep-win", "emergency-hold", "accuracy"} <= set(ids)  # fmt: skip
    assert not {"significance", "sample", "primary-drawdown"} & set(ids)
    by_id = {each.id: each for each in evidence.powers}
    assert by_id["win-rate"].observations == 154
    assert by_id["sharpe"].observations == 60
    assert 0.0 < by_id["win-rate"].power < 0.5
