"""Complex orders: legs that belong together become one order with the sum of their demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from hedgeflow.signals.demand import put_demands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.demand import DemandTerms
    from hedgeflow.signals.fold_arrays import Entries
    from hedgeflow.signals.prints import PrintSlice


@dataclass(frozen=True, slots=True)
class Legs:
    """Legs of complex orders, as they were printed or with each order's sums at its lead leg.

    Attributes
    ----------
    contract : ndarray of shape (n,), int32
    lots : ndarray of shape (n,), int64
    demand, expected, variance : ndarray of shape (n,), float64
        Underlying units (squared for the variance).
    """

    contract: NDArray[np.int32]
    lots: NDArray[np.int64]
    demand: NDArray[np.float64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]


def net_legs(
    prints: PrintSlice,
    entries: Entries,
    places: NDArray[np.int64],
    terms: DemandTerms,
    rank: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Put each complex order's sums at its lead leg; return the buffer places of the other legs.

    Parameters
    ----------
    prints : PrintSlice
    entries : Entries
        The window buffer; the legs' demand is settled here.
    places : ndarray of shape (2, n), int64
        Where the legs are in the slice and in the buffer.
    terms : DemandTerms
    rank : ndarray
        Alphabetical rank by contract index.
    """
    printed, held = places
    weight = np.empty(held.size)
    put_demands(entries, held, terms, weight)
    legs = Legs(
        entries.contract[held],
        entries.lots[held],
        entries.demand[held],
        entries.expected[held],
        entries.variance[held],
    )
    groups = order_groups(prints.ts[printed], prints.combo[printed], prints.block[printed])
    netted, stands = net_orders(legs, weight, groups, rank)
    lead = held[stands]
    entries.lots[lead] = netted.lots[stands]
    entries.demand[lead] = netted.demand[stands]
    entries.expected[lead] = netted.expected[stands]
    entries.variance[lead] = netted.variance[stands]
    return held[~stands]


def order_groups(
    ts: NDArray[np.int64], combo: NDArray[np.int64], block: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return a group label per leg: legs that share a stamp and either id are one order.

    Parameters
    ----------
    ts, combo, block : ndarray of shape (n,)
        Legs only; -1 where an id is missing.

    Returns
    -------
    ndarray of shape (n,), int64
        The index of the group's first leg.
    """
    parent = np.arange(ts.size, dtype=np.int64)
    for ids in (combo, block):
        order = np.lexsort((ids, ts))
        _join_equal_neighbours(order, ts, ids, parent)
    _point_at_roots(parent)
    return parent


@nb.njit(cache=True)
def _root(parent: NDArray[np.int64], leg: int) -> int:
    while parent[leg] != leg:
        parent[leg] = parent[parent[leg]]
        leg = parent[leg]
    return leg


@nb.njit(cache=True)
def _join_equal_neighbours(
    order: NDArray[np.int64],
    ts: NDArray[np.int64],
    ids: NDArray[np.int64],
    parent: NDArray[np.int64],
) -> None:
    for k in range(1, order.size):
        a, b = order[k - 1], order[k]
        if ids[a] >= 0 and ids[a] == ids[b] and ts[a] == ts[b]:
            first, second = _root(parent, a), _root(parent, b)
            parent[max(first, second)] = min(first, second)


@nb.njit(cache=True)
def _point_at_roots(parent: NDArray[np.int64]) -> None:
    for leg in range(parent.size):
        parent[leg] = _root(parent, leg)


def net_orders(
    legs: Legs,
    weight: NDArray[np.float64],
    groups: NDArray[np.int64],
    rank: NDArray[np.int32],
) -> tuple[Legs, NDArray[np.bool_]]:
    """Return the legs with each order's sums at its lead leg, and which of them still stand.

    The lead leg is the contract with the largest sum of q abs(delta), then more lots, then the
    contract id; the order has that contract's lots and the sum of all legs' demand (precise.md 9).

    Parameters
    ----------
    legs : Legs
        In order of the tape.
    weight : ndarray of shape (n,)
        q abs(delta) of every leg.
    groups : ndarray of shape (n,)
        `order_groups` of the legs.
    rank : ndarray
        Alphabetical rank by contract index.
    """
    stands = np.zeros(legs.lots.size, np.bool_)
    netted = Legs(
        legs.contract,
        legs.lots.copy(),
        legs.demand.copy(),
        legs.expected.copy(),
        legs.variance.copy(),
    )
    order = np.lexsort((rank[legs.contract], groups))
    _net(
        order,
        groups,
        legs.contract,
        weight,
        netted.lots,
        netted.demand,
        netted.expected,
        netted.variance,
        stands,
    )
    return netted, stands


@nb.njit(cache=True)
def _net(
    order: NDArray[np.int64],
    groups: NDArray[np.int64],
    contract: NDArray[np.int32],
    weights: NDArray[np.float64],
    lots: NDArray[np.int64],
    demand: NDArray[np.float64],
    expected: NDArray[np.float64],
    variance: NDArray[np.float64],
    stands: NDArray[np.bool_],
) -> None:
    start = 0
    while start < order.size:
        group = groups[order[start]]
        stop = start
        total_demand = 0.0
        total_expected = 0.0
        total_variance = 0.0
        lead, lead_lots, lead_weight = -1, np.int64(0), -1.0
        while stop < order.size and groups[order[stop]] == group:
            first = order[stop]
            leg_lots, weight = np.int64(0), 0.0
            while (
                stop < order.size
                and groups[order[stop]] == group
                and contract[order[stop]] == contract[first]
            ):
                leg = order[stop]
                leg_lots += lots[leg]
                weight += weights[leg]
                total_demand += demand[leg]
                total_expected += expected[leg]
                total_variance += variance[leg]
                stop += 1
            if lead < 0 or weight > lead_weight or (weight == lead_weight and leg_lots > lead_lots):
                lead, lead_lots, lead_weight = first, leg_lots, weight
        stands[lead] = True
        lots[lead] = lead_lots
        demand[lead] = total_demand
        expected[lead] = total_expected
        variance[lead] = total_variance
        start = stop
