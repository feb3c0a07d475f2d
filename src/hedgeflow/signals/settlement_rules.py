"""The rules of an expiration-pressure scan as plain data, and the rows that it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

import numpy as np

from hedgeflow.market.expiries.clock import NOTICE_MINUTES
from hedgeflow.market.time import HOUR_NS
from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.implied_move import MoveRules

STANDARD_MULTIPLIER: Final = 100.0
"""Open interest is counted in contracts of so many underlying units (precise.md 28)."""

WHOLE_MINUTES: Final = 181
"""Whole minutes left at which pressures of past expiries are kept: 0 to 180."""


class Urgency(IntEnum):
    """How near expiry is: CRISIS < 15 <= HIGH < 45 <= LOW minutes (expiration-pressure.md 2)."""

    LOW = 0
    HIGH = 1
    CRISIS = 2


class SignalClass(IntEnum):
    """The source's named strategies, as far as a condition has their signature.

    Each lies within one urgency: PIN_RISK_MANAGEMENT is a part of LOW, STEERING is all of HIGH,
    ASSIGNMENT_RISK_PANIC is a part of CRISIS. OTHER is what is left of LOW and CRISIS: alerts
    that the source sizes and trades by their urgency without giving them a name.
    """

    OTHER = 0
    PIN_RISK_MANAGEMENT = 1
    STEERING = 2
    ASSIGNMENT_RISK_PANIC = 3


class NoAlert(IntEnum):
    """Why no strike can be an alert at an instant."""

    NONE = 0
    """Something can."""
    NO_SCALE = 1
    NO_SIGMA = 2
    NO_MODEL = 3
    NO_HISTORY = 4
    TOO_EARLY = 5
    """No pressures are remembered of so many minutes left."""


class NoticeKind(IntEnum):
    """What a notice says."""

    TIMED = 0
    PREPARE_FOR_PANIC_MODE = 1


@dataclass(frozen=True, slots=True)
class PressureRules:
    """Everything that decides an expiration-pressure scan; the defaults are the source's numbers.

    Minutes are real minutes to expiry unless said otherwise; open interest is in contracts of 100
    underlying units; distances are in points of the source, times the point's size.

    Attributes
    ----------
    probability : str
        ``source``, ``lognormal`` or ``empirical``: the model that makes risk.
    open_interest : str
        ``estimated``: carried forward by signed volume where there is any; ``settled``: the last
        official print alone.
    gamma_convention : GammaConvention
        Whose side dealers are taken to be on at a strike where no print was signed.
    threshold : float
        Pressure above it is an alert; not read where `quantile` is given.
    quantile : float or None
        Nearest-rank quantile of earlier expiries' pressures at the same whole minute left.
    quantile_expiries : int
        How many earlier expiries; with fewer there is no alert (NO_HISTORY).
    oi_above : float
        An alert needs more open interest than this.
    filter_oi, filter_distance, filter_minutes, filter_pressure : float
        No alert below, beyond, before, below (expiration-pressure.md 2, precise.md 32).
    crisis_minutes, high_minutes : float
        Urgency is CRISIS below the first, HIGH below the second, else LOW.
    pin_minutes, pin_oi_above, pin_distance_below : float
        PIN_RISK_MANAGEMENT: from `high_minutes` to `pin_minutes`, both included.
    panic_oi_above, panic_distance_below : float
        ASSIGNMENT_RISK_PANIC: within `crisis_minutes`.
    confidence : str
        ``linear``: pressure / `confidence_divisor`; ``rank``: the share of earlier expiries'
        pressures at the same whole minute left that are not larger. Both capped.
    target_floor, target_multiple : float
        Target distance = max(floor, multiple x distance).
    rearm_minutes : float
        A strike's alert of one urgency may come again when its condition has ceased so long.
    monitor_minutes, monitor_distance, monitor_oi : float
        The evolution monitor: below, below, at least.
    notice_minutes : tuple of float
        Timed notices, minutes before expiry.
    distance : str
        Size of a point: ``points`` 1, ``bps`` of the price, ``sigma`` of the expected move.
    bps_per_point : float
    move : MoveRules
        What a point is under ``sigma``, and from which prints volatility comes (precise.md 23).
    minutes_per_year : float
        525,600 where markets never close, 252 x 390 otherwise.
    reference_risk : float or None
        Risk is OI x M x probability x this / V5 (precise.md 28); None: OI in units of M / 100.
    session_minutes : float or None
        Pressure's minutes are scaled by this / the session's own; None: as they are.
    sample_minutes : tuple of float
        Minutes left at which every model's probability is kept and later scored.
    oldest_price_minutes : float
        A price that is of longer ago makes no alert, no sample, no history and no outcome.
    """

    probability: Literal["source", "lognormal", "empirical"] = "source"
    open_interest: Literal["estimated", "settled"] = "estimated"
    gamma_convention: GammaConvention = GammaConvention.LONG_CALLS_SHORT_PUTS
    threshold: float = 10.0
    quantile: float | None = None
    quantile_expiries: int = 10
    oi_above: float = 1_000.0
    filter_oi: float = 500.0
    filter_distance: float = 50.0
    filter_minutes: float = 180.0
    filter_pressure: float = 10.0
    crisis_minutes: float = 15.0
    high_minutes: float = 45.0
    pin_minutes: float = 120.0
    pin_oi_above: float = 2_000.0
    pin_distance_below: float = 20.0
    panic_oi_above: float = 1_500.0
    panic_distance_below: float = 8.0
    confidence: Literal["linear", "rank"] = "linear"
    confidence_divisor: float = 1_000.0
    confidence_cap: float = 0.95
    target_floor: float = 15.0
    target_multiple: float = 1.5
    rearm_minutes: float = 5.0
    monitor_minutes: float = 15.0
    monitor_distance: float = 5.0
    monitor_oi: float = 2_000.0
    notice_minutes: tuple[float, ...] = NOTICE_MINUTES
    distance: Literal["points", "bps", "sigma"] = "points"
    bps_per_point: float = 1.6667
    move: MoveRules = field(
        default=MoveRules(
            lookback_ns=HOUR_NS,
            moneyness=0.03,
            days_min=1.0,
            days_max=30.0,
            prints=5,
            points=8.0,
            minutes=8.0,
        )
    )
    minutes_per_year: float = 252.0 * 390.0
    reference_risk: float | None = None
    session_minutes: float | None = None
    sample_minutes: tuple[float, ...] = (180, 120, 90, 60, 45, 30, 15, 10, 5, 2)
    oldest_price_minutes: float = 5.0


CONDITION: Final = np.dtype(
    [
        ("at_ns", "i8"),
        ("expiry_ns", "i8"),
        ("strike", "f8"),
        ("alert_number", "i8"),
        ("is_new", "?"),
        ("urgency", "i1"),
        ("signal_class", "i1"),
        ("pressure", "f8"),
        ("threshold", "f8"),
        ("risk", "f8"),
        ("oi", "f8"),
        ("settled_oi", "f8"),
        ("settled_ns", "i8"),
        ("estimated_oi", "f8"),
        ("oi_low", "f8"),
        ("oi_high", "f8"),
        ("probability", "f8"),
        ("distance", "f8"),
        ("minutes_left", "f8"),
        ("confidence", "f8"),
        ("target_distance", "f8"),
        ("dealer_gamma", "f8"),
        ("gamma_basis", "i1"),
        ("dealer_units", "f8"),
        ("price", "f8"),
        ("price_ns", "i8"),
        ("sigma", "f8"),
        ("point", "f8"),
        ("scale", "f8"),
    ]
)
"""One strike at one evaluation at which the alert condition holds and passes the filter.

`at_ns` is when all of it was known. `alert_number` counts the scan's alerts from 0; rows of one
alert share it and `is_new` marks its first. Open interest is in contracts of 100 underlying units,
`settled_ns` the oldest instant at which an official figure of it became known; `price_ns` is the
instant that the price is of; `distance` and `target_distance` are in price units; `point` is the
size of a source point in price units; `dealer_gamma` in underlying units per price unit, NaN
without a volatility, by the `GammaConvention` in `gamma_basis`; `dealer_units` the underlying units
of options that dealers are long, which has its sign; `scale` is V5, NaN where not known.
"""

NOTICE: Final = np.dtype(
    [
        ("at_ns", "i8"),
        ("expiry_ns", "i8"),
        ("kind", "i1"),
        ("minutes_left", "f8"),
        ("strike", "f8"),
        ("distance", "f8"),
        ("oi", "f8"),
    ]
)
"""A notice: timed ones have no strike (NaN)."""

SAMPLE: Final = np.dtype(
    [
        ("expiry_ns", "i8"),
        ("at_ns", "i8"),
        ("minutes_left", "f8"),
        ("strike", "f8"),
        ("oi", "f8"),
        ("price", "f8"),
        ("sigma", "f8"),
        ("distance", "f8"),
        ("distance_sigmas", "f8"),
        ("source", "f8"),
        ("lognormal", "f8"),
        ("empirical", "f8"),
        ("finish", "f8"),
        ("inside", "i1"),
    ]
)
"""What each model said of a strike at a fixed minute before expiry, and how it came out.

Given after expiry; `inside` 1: the price finished nearer to this strike than to its listed
neighbours, 0: it did not, -1: not known, because no price was young enough at expiry.
"""

LADDER: Final = np.dtype(
    [
        ("strike", "f8"),
        ("settled_oi", "f8"),
        ("settled_ns", "i8"),
        ("estimated_oi", "f8"),
        ("oi_low", "f8"),
        ("oi_high", "f8"),
        ("oi", "f8"),
        ("distance", "f8"),
        ("pressure", "f8"),
        ("dealer_gamma", "f8"),
        ("gamma_basis", "i1"),
        ("dealer_units", "f8"),
        ("source", "f8"),
        ("lognormal", "f8"),
        ("empirical", "f8"),
    ]
)
"""A strike of the live expiry as it stands, units as in `CONDITION`."""

COUNTS: Final = np.dtype(
    [
        ("expiry_ns", "i8"),
        ("first_ns", "i8"),
        ("last_ns", "i8"),
        ("evaluations", "i8"),
        ("stale_price", "i8"),
        ("no_history", "i8"),
        ("no_sigma", "i8"),
        ("no_scale", "i8"),
        ("no_model", "i8"),
        ("below_open_interest", "i8"),
        ("largest_oi", "f8"),
        ("conditions", "i8"),
        ("alerts", "i8"),
        ("oi_too_small", "i8"),
        ("too_far", "i8"),
        ("too_early", "i8"),
        ("too_weak", "i8"),
        ("finish", "f8"),
    ]
)
"""What came of one expiry: evaluations while it was live, and why there was no alert.

`evaluations`, the four `no_` counts, `stale_price` (news at which the price was too old to look at
anything) and `below_open_interest` (evaluations at which nothing else was wanting, and no strike
had enough of it for an alert) are of instants; `conditions` and the filter's four, which count the
first reason that stops, are of strikes at instants. `first_ns` and `last_ns` are of evaluations, 0
where there was none; `largest_oi` is the most open interest at one strike in any of them, contracts
of 100 units; `finish` is the price at expiry, NaN where not known.
"""
