"""What an expiration-pressure scan is told: prices, volatilities, open interest and its changes."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class EventKind(IntEnum):
    """What an event's value is; within a batch events are taken in this order.

    An official print comes before the trades known at the same instant, so that these widen its
    band rather than vanish.
    """

    PRICE = 0
    """The underlying's price; positive, quote currency."""
    SIGMA = 1
    """The annual volatility in force, a fraction; NaN or 0: not known from now on."""
    SCALE = 2
    """V5 in force, underlying units; NaN or 0: not known from now on (precise.md 21)."""
    SETTLED = 3
    """Official open interest of the event's contract, contracts."""
    VOLUME = 4
    """Contracts traded in the event's contract, unsigned."""
    SIGNED = 5
    """Customers' signed contracts in the event's contract: positive, they bought."""


EVENT: Final = np.dtype([("known_ns", "i8"), ("kind", "i1"), ("contract", "i4"), ("value", "f8")])
"""One event: when it became known (UTC ns), its `EventKind`, the contract's index in the chain
(-1 for the underlying's own), and its value."""


def events(
    known_ns: ArrayLike, kind: EventKind, value: ArrayLike, contract: ArrayLike = -1
) -> NDArray[Any]:
    """Return events of one kind.

    Parameters
    ----------
    known_ns : array_like of shape (n,), int64
        UTC nanoseconds, ascending.
    kind : EventKind
    value : array_like of shape (n,) or scalar
    contract : array_like of shape (n,) or scalar
        Index in the chain; -1 for PRICE, SIGMA and SCALE.
    """
    known = np.asarray(known_ns, np.int64)
    rows = np.zeros(known.size, EVENT)
    rows["known_ns"] = known
    rows["kind"] = kind
    rows["contract"] = contract
    rows["value"] = value
    return rows


def merged(*parts: NDArray[Any]) -> NDArray[Any]:
    """Return events of several arrays as one, by instant, then kind, then as they were given."""
    rows = np.concatenate([np.zeros(0, EVENT), *parts])
    return rows[np.lexsort((rows["kind"], rows["known_ns"]))]
