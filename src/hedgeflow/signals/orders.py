"""Complex orders: legs that belong together become one order with the sum of their demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OrderTape:
    """The tape that windows, baselines and history read: single prints and netted orders.

    Attributes
    ----------
    ts : ndarray of shape (n,), int64
    contract : ndarray of shape (n,), int32
    lots : ndarray of shape (n,), int64
    demand, expected, variance : ndarray of shape (n,), float64
        Underlying units (squared for the variance).
    spot : ndarray of shape (n,), float64
    rule : ndarray of shape (n,), uint8
        `SigningRule` of the print, or of the order's first lead print.
    institutional : ndarray of shape (n,), bool
    """

    ts: NDArray[np.int64]
    contract: NDArray[np.int32]
    lots: NDArray[np.int64]
    demand: NDArray[np.float64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    spot: NDArray[np.float64]
    rule: NDArray[np.uint8]
    institutional: NDArray[np.bool_]

    def keep(self, mask: NDArray[np.bool_]) -> OrderTape:
        """Return the entries where `mask` holds."""
        return OrderTape(
            self.ts[mask],
            self.contract[mask],
            self.lots[mask],
            self.demand[mask],
            self.expected[mask],
            self.variance[mask],
            self.spot[mask],
            self.rule[mask],
            self.institutional[mask],
        )


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
    tape: OrderTape,
    unsigned: NDArray[np.float64],
    legs: NDArray[np.int64],
    groups: NDArray[np.int64],
    rank: NDArray[np.int32],
) -> tuple[OrderTape, NDArray[np.bool_]]:
    """Return the tape with each order's sums at its lead leg, and which entries still stand.

    The lead leg is the contract with the largest sum of q abs(delta), then more lots, then the
    contract id; the order has that contract's lots and the sum of all legs' demand (precise.md 9).

    Parameters
    ----------
    tape : OrderTape
        Every print.
    unsigned : ndarray of shape (n,)
        q abs(delta) of every print.
    legs : ndarray of shape (m,)
        Positions of the legs in the tape.
    groups : ndarray of shape (m,)
        `order_groups` of those legs.
    rank : ndarray
        Alphabetical rank by contract index.
    """
    keep = np.ones(tape.ts.size, np.bool_)
    lots, demand = tape.lots.copy(), tape.demand.copy()
    expected, variance = tape.expected.copy(), tape.variance.copy()
    order = np.lexsort((legs, rank[tape.contract[legs]], groups))
    _net(order, legs, groups, tape.contract, unsigned, lots, demand, expected, variance, keep)
    netted = OrderTape(
        tape.ts,
        tape.contract,
        lots,
        demand,
        expected,
        variance,
        tape.spot,
        tape.rule,
        tape.institutional,
    )
    return netted, keep


@nb.njit(cache=True)
def _net(
    order: NDArray[np.int64],
    legs: NDArray[np.int64],
    groups: NDArray[np.int64],
    contract: NDArray[np.int32],
    unsigned: NDArray[np.float64],
    lots: NDArray[np.int64],
    demand: NDArray[np.float64],
    expected: NDArray[np.float64],
    variance: NDArray[np.float64],
    keep: NDArray[np.bool_],
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
            leg_contract = contract[legs[order[stop]]]
            first = legs[order[stop]]
            leg_lots, weight = np.int64(0), 0.0
            while (
                stop < order.size
                and groups[order[stop]] == group
                and contract[legs[order[stop]]] == leg_contract
            ):
                place = legs[order[stop]]
                leg_lots += lots[place]
                weight += unsigned[place]
                total_demand += demand[place]
                total_expected += expected[place]
                total_variance += variance[place]
                keep[place] = False
                stop += 1
            if weight > lead_weight or (weight == lead_weight and leg_lots > lead_lots):
                lead, lead_lots, lead_weight = first, leg_lots, weight
        keep[lead] = True
        lots[lead] = lead_lots
        demand[lead] = total_demand
        expected[lead] = total_expected
        variance[lead] = total_variance
        start = stop
