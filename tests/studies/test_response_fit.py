"""The calibrated response on hedges that came after its fit: better where there is a law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.response import fit_response
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.studies.response_fit import TESTED_TOGETHER, Hedges, forecast_errors

RULES = VolumeShockConfig().response
WINDOW_NS = 15 * MINUTE_NS


def hedges(count: int, slope: float, noise: float, seed: int = 1, gap: float = 60.0) -> Hedges:
    rng = np.random.default_rng(seed)
    demand = np.exp(rng.uniform(np.log(500.0), np.log(20_000.0), count))
    logs = np.log(5.0) + slope * (np.log(demand) - np.log(3_000.0)) + noise * rng.normal(size=count)
    start = (np.arange(count) * gap * MINUTE_NS).astype(np.int64)
    return Hedges(demand * rng.choice([-1.0, 1.0], count), np.exp(logs), start, start + WINDOW_NS)


def test_where_larger_demands_are_hedged_faster_by_a_law_the_model_beats_both_others():
    found = forecast_errors(hedges(200, -0.3, 0.1), RULES, WINDOW_NS)
    assert found is not None
    assert (found.hedges, found.tested) == (200, 170)
    assert found.calibrated == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.15)
    assert found.calibrated < 0.5 * found.constant
    assert found.calibrated < found.tiers
    assert found.r_squared is not None
    assert found.r_squared > 0.8
    assert found.sentence.endswith("the best of the three.")


def test_where_there_is_no_law_the_model_is_no_better_than_the_mean():
    found = forecast_errors(hedges(200, 0.0, 0.5), RULES, WINDOW_NS)
    assert found is not None
    assert found.r_squared is not None
    assert found.r_squared < 0.03


def test_errors_are_those_of_fits_made_by_hand():
    given = hedges(45, -0.3, 0.4, gap=60.0)
    found = forecast_errors(given, RULES, WINDOW_NS)
    errors = []
    for first in (30, 40):
        fit = fit_response(given.demand[:first], given.minutes[:first], 30)
        for place in range(first, min(first + TESTED_TOGETHER, 45)):
            forecast = np.clip(np.exp(fit.a + fit.b * np.log(abs(given.demand[place]))), 0.5, 30.0)
            errors.append(abs(np.log(forecast) - np.log(given.minutes[place])))
    assert found is not None
    assert found.tested == len(errors) == 15
    assert found.calibrated == pytest.approx(np.mean(errors))


def test_a_hedge_that_was_not_over_before_the_test_is_not_fitted_on():
    """All but the first ones are known at the very end: too few to fit, so nothing is tested."""
    given = hedges(60, -0.3, 0.1)
    late = np.where(np.arange(60) < 20, given.known_ns, given.known_ns[-1])
    assert forecast_errors(replace(given, known_ns=late), RULES, WINDOW_NS) is None


def test_what_comes_later_changes_no_earlier_forecast():
    given = hedges(50, -0.3, 0.3)
    other = replace(given, minutes=np.where(np.arange(50) < 40, given.minutes, 29.0))
    first = forecast_errors(
        replace(given, **{name: getattr(given, name)[:40] for name in Hedges.__slots__}),
        RULES,
        WINDOW_NS,
    )
    whole, changed = (forecast_errors(each, RULES, WINDOW_NS) for each in (given, other))
    assert None not in (first, whole, changed)
    assert changed.calibrated != whole.calibrated
    assert first.tested == 10
    for each, observed in ((whole, given), (changed, other)):
        late = np.log(observed.minutes[40:])
        fit = fit_response(observed.demand[:40], observed.minutes[:40], 30)
        forecast = np.clip(
            fit.a + fit.b * np.log(np.abs(observed.demand[40:])), np.log(0.5), np.log(30)
        )
        total = 10 * first.calibrated + np.abs(forecast - late).sum()
        assert each.calibrated == pytest.approx(total / 20)


def test_too_few_hedges_say_nothing():
    assert forecast_errors(hedges(30, -0.3, 0.1), RULES, WINDOW_NS) is None
