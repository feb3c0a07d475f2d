"""The arrays in which an expiration-pressure scan keeps where it stands."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.empirical_probability import EmpiricalTable
from hedgeflow.signals.implied_move import source_point
from hedgeflow.signals.settlement_models import EMPIRICAL, MODELS, SOURCE
from hedgeflow.signals.settlement_rules import (
    CONDITION,
    COUNTS,
    NOTICE,
    STANDARD_MULTIPLIER,
    PressureRules,
)

MARKET: Final = np.dtype([("price", "f8"), ("price_ns", "i8"), ("sigma", "f8"), ("scale", "f8")])
"""The underlying as last told; NaN: not known. `price_ns` is the instant that the price is of."""

HOLDS: Final = np.iinfo(np.int64).max
"""`ceased_ns` of an alert whose condition held at the last evaluation."""

CURSOR: Final = np.dtype([("conditions", "i8"), ("notices", "i8"), ("alerts", "i8")])
"""Rows written since the last slice, and alerts given since the scan began."""

RULES: Final = np.dtype(
    [
        ("model", "i8"),
        ("use_estimated", "?"),
        ("convention", "i8"),
        ("threshold", "f8"),
        ("is_quantile", "?"),
        ("is_rank", "?"),
        ("needs_history", "?"),
        ("needs_sigma", "?"),
        ("needs_table", "?"),
        ("oi_above", "f8"),
        ("filter_oi", "f8"),
        ("filter_distance", "f8"),
        ("filter_minutes", "f8"),
        ("filter_pressure", "f8"),
        ("crisis_minutes", "f8"),
        ("high_minutes", "f8"),
        ("pin_minutes", "f8"),
        ("pin_oi_above", "f8"),
        ("pin_distance_below", "f8"),
        ("panic_oi_above", "f8"),
        ("panic_distance_below", "f8"),
        ("confidence_divisor", "f8"),
        ("confidence_cap", "f8"),
        ("target_floor", "f8"),
        ("target_multiple", "f8"),
        ("rearm_ns", "i8"),
        ("oldest_price_ns", "i8"),
        ("monitor_minutes", "f8"),
        ("monitor_distance", "f8"),
        ("monitor_oi", "f8"),
        ("is_sigma_point", "?"),
        ("is_bps_point", "?"),
        ("point_coefficient", "f8"),
        ("minutes_per_year", "f8"),
        ("is_relative", "?"),
        ("reference_units", "f8"),
    ]
)
"""`PressureRules` as kernels read them, and what follows from them."""

_BPS: Final = 1e-4


class LiveExpiry(NamedTuple):
    """The next expiration and what is fixed while it is the next.

    Attributes
    ----------
    expiry_ns : int
    first, stop : int
        Its strikes are places [first, stop) of the chain's.
    places : ndarray of shape (n,), int64
        Those of them that are listed by now.
    strikes : ndarray of shape (n,), float64
    marks : ndarray of shape (n + 1,), float64
        Half-way marks between listed strikes (precise.md 33).
    time_factor : float
        Pressure's minutes per real minute.
    thresholds : ndarray of shape (181,), float64
        Quantile of earlier expiries' pressures by whole minute left.
    past : ndarray of shape (m,), float64
        Earlier expiries' pressures, ascending within each whole minute.
    past_first : ndarray of shape (182,), int64
        Where each minute's begin; a minute with fewer earlier expiries than needed has none.
    table : EmpiricalTable
        What the empirical model has learnt from expiries that are over.
    """

    expiry_ns: int
    first: int
    stop: int
    places: NDArray[np.int64]
    strikes: NDArray[np.float64]
    marks: NDArray[np.float64]
    time_factor: float
    thresholds: NDArray[np.float64]
    past: NDArray[np.float64]
    past_first: NDArray[np.int64]
    table: EmpiricalTable


class Alerts(NamedTuple):
    """Where each strike's alert stands.

    Attributes
    ----------
    urgency : ndarray of shape (strikes,), int8
        Of the strike's last alert, -1 before the first.
    ceased_ns : ndarray of shape (strikes,), int64
        The first evaluation at which its condition no longer held, `HOLDS` while it holds.
    number : ndarray of shape (strikes,), int64
        Of the strike's last alert.
    is_warned : ndarray of shape (strikes,), bool
        PREPARE_FOR_PANIC_MODE was given.
    """

    urgency: NDArray[np.int8]
    ceased_ns: NDArray[np.int64]
    number: NDArray[np.int64]
    is_warned: NDArray[np.bool_]


class Outputs(NamedTuple):
    """What a fold writes: rows up to the cursor, counts of the live expiry, room to reckon in."""

    cursor: NDArray[Any]
    conditions: NDArray[Any]
    notices: NDArray[Any]
    counts: NDArray[Any]
    scratch: NDArray[np.float64]


def no_alerts(strikes: int) -> Alerts:
    """Return the state of strikes that have had no alert."""
    return Alerts(
        np.full(strikes, -1, np.int8),
        np.zeros(strikes, np.int64),
        np.full(strikes, -1, np.int64),
        np.zeros(strikes, np.bool_),
    )


def no_outputs(cursor: NDArray[Any], rows: int) -> Outputs:
    """Return room for so many conditions and notices."""
    return Outputs(
        cursor,
        np.zeros(rows, CONDITION),
        np.zeros(rows, NOTICE),
        np.zeros(1, COUNTS),
        np.zeros(rows),
    )


def rules_record(rules: PressureRules) -> NDArray[Any]:
    """Return rules as kernels read them, one `RULES` record."""
    record = np.zeros(1, RULES)
    for name in RULES.names or ():
        if hasattr(rules, name):
            record[name] = getattr(rules, name)
    model = MODELS[rules.probability]
    record["model"] = model
    record["use_estimated"] = rules.open_interest == "estimated"
    record["convention"] = int(rules.gamma_convention)
    record["is_quantile"] = rules.quantile is not None
    record["is_rank"] = rules.confidence == "rank"
    record["needs_history"] = needs_history(rules)
    record["needs_sigma"] = model != SOURCE or rules.distance == "sigma"
    record["needs_table"] = model == EMPIRICAL
    record["rearm_ns"] = round(rules.rearm_minutes * MINUTE_NS)
    record["oldest_price_ns"] = round(rules.oldest_price_minutes * MINUTE_NS)
    record["is_sigma_point"] = rules.distance == "sigma"
    record["is_bps_point"] = rules.distance == "bps"
    record["point_coefficient"] = {
        "points": 1.0,
        "bps": rules.bps_per_point * _BPS,
        "sigma": source_point(1.0, 1.0, rules.move, rules.minutes_per_year),
    }[rules.distance]
    relative = rules.reference_risk is not None
    record["is_relative"] = relative
    record["reference_units"] = (rules.reference_risk or 0.0) * STANDARD_MULTIPLIER
    return record


def needs_history(rules: PressureRules) -> bool:
    """Say whether rules compare pressures with those of earlier expiries."""
    return rules.quantile is not None or rules.confidence == "rank"
