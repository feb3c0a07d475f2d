"""What an expiration-pressure scan has to do on the way to an expiry, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.signals.empirical_probability import UNFITTED
from hedgeflow.signals.settlement_history import PressureHistory
from hedgeflow.signals.settlement_probability import half_way_marks
from hedgeflow.signals.settlement_rules import WHOLE_MINUTES
from hedgeflow.signals.settlement_state import LiveExpiry, needs_history

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hedgeflow.signals.chain import Chain
    from hedgeflow.signals.settlement_rules import PressureRules

_ORDER: Final = ("resolve", "list", "remember", "sample", "notify", "retire")
"""Of what is due at one instant: an expiry is resolved before the next one is looked at."""


class Due(NamedTuple):
    """Something to do once everything known at an instant is in."""

    at_ns: int
    what: str
    minutes: float


def timetable(rules: PressureRules, expiry_ns: int, listed_ns: NDArray[np.int64]) -> list[Due]:
    """Return what is due on the way to an expiry."""

    def before(minutes: float) -> int:
        return expiry_ns - round(minutes * MINUTE_NS)

    due = [Due(before(minutes), "notify", float(minutes)) for minutes in rules.notice_minutes]
    due += [Due(before(minutes), "sample", float(minutes)) for minutes in rules.sample_minutes]
    due += [Due(int(at) - 1, "list", 0.0) for at in np.unique(listed_ns) if at < expiry_ns]
    if needs_history(rules):
        due += [
            Due(before(minutes), "remember", float(minutes)) for minutes in range(1, WHOLE_MINUTES)
        ]
        due.append(Due(expiry_ns - SECOND_NS, "remember", 0.0))
    due.append(Due(expiry_ns - 1, "retire", 0.0))
    due.append(Due(expiry_ns, "resolve", 0.0))
    return due


def in_order(due: list[Due]) -> list[Due]:
    """Return what is due by instant; at one instant an expiry is resolved before all else."""
    return sorted(due, key=lambda each: (each.at_ns, _ORDER.index(each.what)))


def time_factors(
    rules: PressureRules, chain: Chain, session_minutes: ArrayLike | None
) -> NDArray[np.float64]:
    """Return pressure's minutes per real minute of each expiry (precise.md 28)."""
    if rules.session_minutes is None:
        return np.ones(chain.expiry_ns.size)
    lengths = np.zeros(0) if session_minutes is None else np.asarray(session_minutes, np.float64)
    if lengths.shape != chain.expiry_ns.shape or not bool((lengths > 0.0).all()):
        raise DataError(
            f"rules scale time by the session, but {lengths.size} session lengths were given for"
            f" {chain.expiry_ns.size} expiries, or one is not positive",
            where="session_minutes",
            hint="Give the length of each expiry's session in minutes",
        )
    return rules.session_minutes / lengths


def listed_strikes(
    chain: Chain, first: int, stop: int, now_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return places, strikes and half-way marks of an expiry's strikes that are listed by now."""
    places = first + np.flatnonzero(chain.listed_ns[first:stop] <= now_ns)
    strikes = chain.strike[places]
    return places, strikes, half_way_marks(strikes) if strikes.size else np.zeros(1)


def no_expiry() -> LiveExpiry:
    """Return what stands in for a live expiry when the chain has no more."""
    thresholds, past, past_first = PressureHistory(1, None).arrays()
    nowhere = np.zeros(0, np.int64)
    return LiveExpiry(
        0, 0, 0, nowhere, np.zeros(0), np.zeros(1), 1.0, thresholds, past, past_first, UNFITTED
    )
