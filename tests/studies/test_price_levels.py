"""Tapes of noise: how often prices seem to respond where nothing follows from what is predicted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from hedgeflow.evidence.sign_flips import sign_flip_p_value
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS
from hedgeflow.signals.hedge_response import SignedFlow
from hedgeflow.signals.price_moves import (
    NINE_TENTHS_IN_HALVES,
    accelerations,
    against_placebos,
    completions,
    moves,
    windows_of,
)
from signals.tapes import DAY_ZERO

DAYS, EVENTS, TRIALS = 16, 36, 400
HALF_WIDTH = 5 * MINUTE_NS


def tape(seed: int, impact: float) -> SignedFlow:
    """Return signed flow of noise that pushes its price, each day more or less volatile.

    One price and one sum a second; ordinary flow moves the price by `impact`, so that the price
    stops wherever the flow happens to: what makes an aligned acceleration treacherous.
    """
    rng = np.random.default_rng(seed)
    seconds = DAYS * 86_400
    scale = np.repeat(np.exp(rng.normal(0.0, 0.7, DAYS)), 86_400)
    flow = rng.normal(size=seconds) * scale
    returns = impact * flow + 1e-5 * rng.normal(size=seconds) * scale
    total = np.concatenate(([0.0], np.cumsum(flow)))
    price = 100.0 * np.exp(np.concatenate(([0.0], np.cumsum(returns))))
    return SignedFlow(DAY_ZERO, total, price)


def prices_of(flow: SignedFlow):
    def known(at_ns):
        place = (at_ns - flow.first_ns) // SECOND_NS
        inside = (place >= 0) & (place < flow.price.size)
        return np.where(inside, flow.price[np.clip(place, 0, flow.price.size - 1)], np.nan)

    return known


def p_values(flow: SignedFlow, seed: int) -> dict[str, float]:
    """Return the p-values of events at random instants with directions that mean nothing.

    Several events lie on the same minutes of a day and share their direction, as shocks do.
    """
    rng = np.random.default_rng(seed)
    prices = prices_of(flow)
    starts = DAY_ZERO + rng.integers(0, DAYS, EVENTS // 3) * DAY_NS
    starts += rng.integers(30, 23 * 60, EVENTS // 3) * MINUTE_NS
    begun = np.concatenate([starts + shift * MINUTE_NS for shift in (0, 2, 5)])
    side = np.tile(rng.choice([-1.0, 1.0], EVENTS // 3), 3)[:, None]
    windows = windows_of(None, begun, 10)
    windows[windows < DAY_ZERO] = 0
    minutes = rng.uniform(1.0, 10.0, EVENTS)[:, None]
    predicted = windows + np.rint(minutes * NINE_TENTHS_IN_HALVES * MINUTE_NS).astype(np.int64)
    seen = completions(flow, windows, 15.0, 0.9)
    observed = windows + np.rint(np.nan_to_num(seen) * MINUTE_NS).astype(np.int64)
    figures = {
        "move": side * moves(prices, windows, windows + (minutes * MINUTE_NS).astype(np.int64)),
        "predicted": side * accelerations(prices, predicted, HALF_WIDTH),
        "observed": np.where(
            np.isfinite(seen), side * accelerations(prices, observed, HALF_WIDTH), np.nan
        ),
    }
    day = (begun - DAY_ZERO) // DAY_NS
    found = {}
    for name, values in figures.items():
        told = against_placebos(values, 5)
        known = np.isfinite(told.own)
        estimate = sign_flip_p_value(
            (told.own - told.mean)[known],
            day[known],
            seed=seed,
            sides="greater" if name == "move" else "two-sided",
            none="",
        )
        found[name] = estimate.value
    return found


@pytest.fixture(scope="module")
def tried() -> list[dict[str, float]]:
    tapes = [tape(seed, impact) for seed, impact in ((1, 1e-5), (2, 0.0))]
    return [p_values(tapes[trial % 2], trial) for trial in range(TRIALS)]


@pytest.mark.parametrize("level", [0.05, 0.01])
@pytest.mark.parametrize("name", ["move", "predicted", "observed"])
def test_noise_is_taken_for_a_response_as_often_as_the_level_says(tried, name, level):
    rejected = sum(each[name] <= level for each in tried)
    assert rejected <= binom.ppf(0.999, TRIALS, level)
    if level == 0.05:  # few sessions give coarse p-values, which may be smaller than asked
        assert rejected >= binom.ppf(0.001, TRIALS, 0.02)
