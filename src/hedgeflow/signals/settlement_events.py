"""What an expiration-pressure scan is told: prices, volatilities, open interest and its changes."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import iso

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


BEFORE_ANYTHING: Final = np.iinfo(np.int64).min
"""Earlier than every instant."""

EVENT: Final = np.dtype(
    [
        ("known_ns", "i8"),
        ("kind", "i1"),
        ("contract", "i4"),
        ("value", "f8"),
        ("observed_ns", "i8"),
    ]
)
"""One event: when it became known (UTC ns), its `EventKind`, the contract's index in the chain
(-1 for the underlying's own), its value, and the instant that the value is of.

A price of a late feed is of long before it was known: it never takes the place of a newer one.
"""


def events(
    known_ns: ArrayLike,
    kind: EventKind,
    value: ArrayLike,
    contract: ArrayLike = -1,
    observed_ns: ArrayLike | None = None,
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
    observed_ns : array_like of shape (n,), int64, optional
        The instants that the values are of; default: `known_ns`.
    """
    known = np.asarray(known_ns, np.int64)
    rows = np.zeros(known.size, EVENT)
    rows["known_ns"] = known
    rows["kind"] = kind
    rows["contract"] = contract
    rows["value"] = value
    rows["observed_ns"] = known if observed_ns is None else observed_ns
    return rows


def merged(*parts: NDArray[Any]) -> NDArray[Any]:
    """Return events of several arrays as one, by instant, then kind, then as they were given."""
    rows = np.concatenate([np.zeros(0, EVENT), *parts])
    return rows[np.lexsort((rows["kind"], rows["known_ns"]))]


def check_events(rows: NDArray[Any], after_ns: int, contracts: int) -> None:
    """Refuse events that a scan cannot take in.

    Parameters
    ----------
    rows : ndarray of `EVENT`
        At least one.
    after_ns : int
        The last slice's end, or `BEFORE_ANYTHING`.
    contracts : int
        How many contracts the chain has.

    Raises
    ------
    DataError
        Events are not sorted by instant and kind, the first is not after `after_ns`, one names no
        contract of the chain, or has a value that cannot be.
    """
    known_ns, kind, contract, value, observed_ns = (rows[name] for name in EVENT.names or ())
    steps = np.diff(known_ns)
    if bool(((steps < 0) | ((steps == 0) & (np.diff(kind) < 0))).any()):
        raise DataError(
            "events must be sorted by the instant at which they are known, then by kind",
            where=_WHERE,
            hint="Sort them with `merged`",
        )
    if known_ns[0] <= after_ns:
        raise DataError(
            f"the first event, at {iso(int(known_ns[0]))}, is not after the last slice, which"
            f" ended at {iso(after_ns)}",
            where=_WHERE,
            hint="Cut slices between two instants",
        )
    of_contract = kind >= EventKind.SETTLED
    outside = of_contract & ((contract < 0) | (contract >= contracts))
    unknown_kind = (kind < EventKind.PRICE) | (kind > EventKind.SIGNED)
    may_be_unknown = (kind == EventKind.SIGMA) | (kind == EventKind.SCALE)
    bad = outside | unknown_kind | np.isinf(value) | (np.isnan(value) & ~may_be_unknown)
    bad |= (value < 0.0) & (kind != EventKind.SIGNED)
    bad |= (value == 0.0) & (kind == EventKind.PRICE)
    bad |= observed_ns > known_ns
    if bool(bad.any()):
        first = rows[int(np.flatnonzero(bad)[0])]
        raise DataError(
            f"an event of kind {first['kind']} for contract {first['contract']} of {contracts}"
            f" with value {first['value']:g} cannot be",
            where=f"{_WHERE}, {iso(int(first['known_ns']))}",
            hint="Prices are positive, quantities finite and not negative unless signed, and"
            " nothing is known before it is observed",
        )


_WHERE: Final = "expiration-pressure events"
