"""What a ladder stands on is what the fold itself goes by, at every evaluation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS
from hedgeflow.signals.chain import build_chain
from hedgeflow.signals.settlement_events import EventKind, events, merged
from hedgeflow.signals.settlement_rules import PressureRules
from hedgeflow.studies.expiration.standing_scan import StandingScan

STRIKES = (95.0, 100.0, 105.0)
DAYS, DAYS_OF_A_MODEL = 6, 36
"""The empirical model asks for 30 finishes at each time."""

SETTINGS = {
    "a fixed pressure": {},
    "a quantile": {"quantile": 0.6},
    "a rank": {"confidence": "rank"},
    "a quantile in reference units": {"quantile": 0.6, "reference_risk": 100_000.0},
    "lognormal": {"probability": "lognormal", "quantile": 0.6},
    "empirical": {"probability": "empirical", "threshold": 0.1, "filter_pressure": 0.0},
}
REASONS = {"NO_HISTORY", "NO_SIGMA", "NO_SCALE", "NO_MODEL"}


def expiries(days):
    return [(20_000 + day) * DAY_NS + 20 * HOUR_NS for day in range(days)]


def chain(days):
    rows = [
        (f"{expiry}-{strike}-{right}", expiry, strike, right)
        for expiry in expiries(days)
        for strike in STRIKES
        for right in (1, -1)
    ]
    symbols, expiry, strike, right = zip(*rows, strict=True)
    return build_chain(list(symbols), expiry, strike, right, np.full(len(rows), 100.0))


def told(seed, days):
    rng = np.random.default_rng(seed)
    parts = []
    for place, expiry in enumerate(expiries(days)):
        contracts = np.arange(6 * place, 6 * place + 6)
        counts = rng.integers(500, 9_000, 6).astype(float)
        known = np.full(6, expiry - 6 * HOUR_NS)
        parts.append(events(known, EventKind.SETTLED, counts, contracts))
        at = expiry - np.arange(240, 0, -5) * MINUTE_NS
        parts.append(events(at, EventKind.PRICE, 100.0 + np.cumsum(rng.normal(0, 0.3, at.size))))
        sigma = np.where(rng.random(at.size) < 0.1, np.nan, 0.3)
        parts.append(events(at, EventKind.SIGMA, sigma))
        scale = np.where(rng.random(at.size) < 0.1, np.nan, 20_000.0)
        parts.append(events(at, EventKind.SCALE, scale))
        which = rng.choice(contracts, at.size)
        lots = rng.integers(-300, 300, at.size).astype(float)
        parts.append(events(at, EventKind.VOLUME, np.abs(lots), which))
        parts.append(events(at, EventKind.SIGNED, lots, which))
    return merged(*parts)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_threshold_and_why_there_is_none_are_the_fold_s_own(name):
    rules = PressureRules(
        quantile_expiries=2, sample_minutes=(120.0, 60.0, 30.0, 5.0), **SETTINGS[name]
    )
    days = DAYS_OF_A_MODEL if rules.probability == "empirical" else DAYS
    scan, stream = StandingScan(rules, chain(days)), told(3, days)
    seen, conditions = set(), 0
    for known in np.unique(stream["known_ns"]).tolist():
        before = scan.counts
        found = scan.advance(stream[stream["known_ns"] == known]).conditions
        after = scan.counts
        looked = after["evaluations"].sum() > before["evaluations"].sum()
        if not looked:
            continue
        standing = scan.standing(known)
        assert standing.evaluated_ns == known
        grown = {each for each in REASONS if (after[each.lower()] > before[each.lower()]).any()}
        assert grown == {standing.no_alert} & REASONS
        assert math.isinf(standing.threshold) == bool(standing.no_alert)
        assert all(found["threshold"] == standing.threshold)
        conditions += found.size
        seen.add(standing.no_alert)
    assert conditions
    assert "" in seen
    assert len(seen) > 1 or name == "a fixed pressure"


def test_calls_and_puts_add_up_to_the_ladder_s_strikes():
    scan, stream = StandingScan(PressureRules(), chain(DAYS)), told(8, DAYS)
    at = expiries(DAYS)[2] - 50 * MINUTE_NS
    scan.advance(stream[stream["known_ns"] <= at])
    rungs, standing = scan.ladder(at), scan.standing(at)
    assert rungs["strike"].tolist() == list(STRIKES)
    settled = standing.settled_calls + standing.settled_puts
    estimated = standing.estimated_calls + standing.estimated_puts
    np.testing.assert_array_equal(settled, rungs["settled_oi"])
    np.testing.assert_array_equal(estimated, rungs["estimated_oi"])
    assert (settled != estimated).any()
    assert (standing.settled_calls != standing.settled_puts).any()
