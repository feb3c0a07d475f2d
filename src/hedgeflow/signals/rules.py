"""The rules of a volume-shock scan as plain data, and the records that kernels read and write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np


class SigningRule(IntEnum):
    """Which rule signed a print (volume-shock.md 1)."""

    NONE = 0
    AGGRESSOR = 1
    QUOTE = 2
    TICK = 3
    COMPLEX = 4
    ASSUMED = 5


class BaselineOrigin(IntEnum):
    """Whose history an anomaly was compared with (precise.md 13)."""

    NONE = 0
    CONTRACT = 1
    BUCKET = 2
    FLOOR = 3
    DAYS = 4


class FlowClass(IntEnum):
    """What kind of order a shock looks like (volume-shock.md 5)."""

    AMBIGUOUS_SIGNAL = 0
    INSTITUTIONAL_SWEEP = 1
    GAMMA_EMERGENCY = 2


class Tier(IntEnum):
    """The response tier's own label, recorded beside the class (volume-shock.md 3)."""

    ROUTINE_HEDGING = 0
    INSTITUTIONAL_SWEEP = 1
    GAMMA_EMERGENCY = 2


SIGNING_RULES: Final = len(SigningRule)


@dataclass(frozen=True, slots=True)
class PrintRules:
    """How one print becomes signed hedge demand (precise.md 5 to 9).

    Attributes
    ----------
    assume_bought : bool
        The source's silent assumption: every customer bought.
    probabilities : tuple of float
        Probability that a sign is right, indexed by `SigningRule`.
    complex : str
        ``net``, ``include`` or ``exclude``.
    exclude_conditions : tuple of str
        Print conditions that are left out.
    premium_adjusted : bool
        Subtract the premium in coin from an inverse option's delta.
    institutional_contracts : float
        A print of at least this many contracts is institutional.
    """

    assume_bought: bool
    probabilities: tuple[float, ...]
    complex: str
    exclude_conditions: tuple[str, ...]
    premium_adjusted: bool
    institutional_contracts: float


@dataclass(frozen=True, slots=True)
class BaselineRules:
    """What normal volume is (precise.md 11 to 14)."""

    sessions: int
    history_sessions: int
    quantile: float
    moneyness_edges: tuple[float, ...]
    days_edges: tuple[int, ...]


SHOCK_PARAMS: Final = np.dtype(
    [
        ("ratio", "f8"),
        ("fixed_floor_lots", "f8"),
        ("baseline_floor_lots", "f8"),
        ("floor_is_quantile", "u1"),
        ("floor_is_bucket", "u1"),
        ("skip_without_history", "u1"),
        ("unit_is_event", "u1"),
        ("event_gap_ns", "i8"),
        ("event_length_ns", "i8"),
        ("emergency_demand", "f8"),
        ("urgent_demand", "f8"),
        ("emergency_minutes", "f8"),
        ("urgent_minutes", "f8"),
        ("routine_minutes", "f8"),
        ("shortest_minutes", "f8"),
        ("longest_minutes", "f8"),
        ("classify_by_signature", "u1"),
        ("sweep_strikes", "i8"),
        ("sweep_concentration_below", "f8"),
        ("sweep_ratio_above", "f8"),
        ("sweep_response_above", "f8"),
        ("emergency_concentration_above", "f8"),
        ("emergency_ratio_above", "f8"),
        ("emergency_demand_above", "f8"),
        ("emergency_response_below", "f8"),
    ]
)
"""Rules that stay the same over a scan; lots, nanoseconds, minutes, reference units."""

SESSION_PARAMS: Final = np.dtype(
    [
        ("open_ns", "i8"),
        ("threshold", "f8"),
        ("demand_scale", "f8"),
        ("calibrated", "u1"),
        ("response_a", "f8"),
        ("response_b", "f8"),
        ("smallest_demand", "f8"),
    ]
)
"""What is fixed at a session's start from the past: `demand_scale` NaN means NO_SCALE."""

ANOMALY: Final = np.dtype(
    [
        ("ts", "i8"),
        ("contract", "i4"),
        ("window", "i4"),
        ("lots", "i8"),
        ("baseline_lots", "f8"),
        ("floor_lots", "f8"),
        ("ratio", "f8"),
        ("origin", "i4"),
        ("demand", "f8"),
        ("demand_expected", "f8"),
        ("demand_variance", "f8"),
        ("event", "i8"),
    ]
)

DECISION: Final = np.dtype(
    [
        ("ts", "i8"),
        ("first_ns", "i8"),
        ("event", "i8"),
        ("contract", "i4"),
        ("window", "i4"),
        ("demand", "f8"),
        ("demand_expected", "f8"),
        ("demand_variance", "f8"),
        ("scaled", "f8"),
        ("response_minutes", "f8"),
        ("pressure", "f8"),
        ("ratio", "f8"),
        ("strikes", "i8"),
        ("concentration", "f8"),
        ("lots", "i8"),
        ("flow_class", "i4"),
        ("origin", "i4"),
        ("spot", "f8"),
        ("member_from", "i8"),
        ("member_to", "i8"),
        ("institutional_lots", "i8"),
        ("rule_lots", "i8", (SIGNING_RULES,)),
    ]
)
"""An exposure whose pressure passed the threshold: an alert in the making."""

MEMBER: Final = np.dtype(
    [
        ("contract", "i4"),
        ("window", "i4"),
        ("origin", "i4"),
        ("start_ns", "i8"),
        ("lots", "i8"),
        ("demand", "f8"),
        ("demand_expected", "f8"),
        ("demand_variance", "f8"),
        ("ratio", "f8"),
    ]
)
"""A contract with an anomaly in an event, and what it has traded since its first window began."""

CLOSE: Final = np.dtype(
    [
        ("event", "i8"),
        ("first_ns", "i8"),
        ("last_ns", "i8"),
        ("closed_ns", "i8"),
        ("members", "i8"),
        ("anomalies", "i8"),
        ("strikes", "i8"),
        ("concentration", "f8"),
        ("ratio", "f8"),
        ("lots", "i8"),
        ("demand", "f8"),
        ("scaled", "f8"),
        ("response_minutes", "f8"),
        ("pressure", "f8"),
        ("largest_pressure", "f8"),
        ("flow_class", "i4"),
        ("decided", "u1"),
        ("no_scale", "u1"),
    ]
)
"""An event as it stood when it closed; its class is never used for trading (precise.md 19)."""


def record(dtype: np.dtype[Any], **values: float) -> np.ndarray[Any, Any]:
    """Return a one-element structured array with every field given by name."""
    names = set(dtype.names or ())
    if names != set(values):
        message = f"fields must be {sorted(names)}, was {sorted(values)}"
        raise ValueError(message)
    filled = np.zeros(1, dtype=dtype)
    for name, value in values.items():
        filled[name] = value
    return filled
