"""Option shocks of known size, side and time: institutional sweeps and gamma emergencies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow import pricing
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, SECOND_NS, YEAR_NS
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.prints import Orders, tail_lots
from hedgeflow.simulate.smiles import implied_volatility
from hedgeflow.simulate.trades import filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.listing import Book, Expiry
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

_SHORTEST_LIFE_NS: Final = 3 * HOUR_NS
"""Shocks come in options whose delta does not jump while they print."""

_QUIET_AT_THE_END_MINUTES: Final = 3.0
"""No shock starts this close to the end of its session, so that its prints stay within it."""

_DURATION_SIGMA: Final = 0.2
_SWEEP_STRIKES: Final = (3, 6)
_SWEEP_DELTAS: Final = (0.15, 0.65)
_EMERGENCY_DELTAS: Final = (0.30, 0.65)
_EMERGENCY_SHARE: Final = (0.88, 1.0)
_DIRICHLET_CONCENTRATION: Final = 8.0
_SWEEP_AT_ONCE: Final = 0.75
_EMERGENCY_AT_ONCE: Final = 0.9
"""Share of a shock that prints in its first millisecond: orders sent to all strikes together."""


class ShockClass(StrEnum):
    """The two kinds of shock, named as the flow classes that should find them."""

    SWEEP = "INSTITUTIONAL_SWEEP"
    EMERGENCY = "GAMMA_EMERGENCY"


@dataclass(frozen=True, slots=True)
class Shock:
    """One shock as it was sent: its class, its first instant, its orders.

    Attributes
    ----------
    shock_class : ShockClass
    start_ns : int
        No order is earlier.
    orders : Orders
        All on one side.
    """

    shock_class: ShockClass
    start_ns: int
    orders: Orders


def shock_times(
    scenario: Scenario, session: Session, rng: np.random.Generator
) -> list[tuple[int, ShockClass]]:
    """Return a session's shocks in order of time: uniform over it, a shortest gap apart."""
    if not scenario.shocks.enabled or session.number < scenario.shocks.first_day:
        return []
    sweeps = int(
        rng.integers(scenario.shocks.sweeps_per_day[0], scenario.shocks.sweeps_per_day[1] + 1)
    )
    emergencies = int(
        rng.integers(
            scenario.shocks.emergencies_per_day[0], scenario.shocks.emergencies_per_day[1] + 1
        )
    )
    count = sweeps + emergencies
    if count == 0:
        return []
    gap = scenario.shocks.gap_minutes
    free = session.seconds / 60.0 - _QUIET_AT_THE_END_MINUTES - gap * (count - 1)
    minutes = np.sort(rng.uniform(0.0, max(free, 0.0), count)) + gap * np.arange(count)
    is_sweep = rng.permutation(count) < sweeps
    stamps = session.start_ns + (minutes * MINUTE_NS).astype(np.int64)
    stamps -= stamps % RESOLUTION_NS
    return [
        (stamp, ShockClass.SWEEP if sweep else ShockClass.EMERGENCY)
        for stamp, sweep in zip(stamps.tolist(), is_sweep.tolist(), strict=True)
    ]


def shock_at(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    rng: np.random.Generator,
    moment: tuple[int, ShockClass],
) -> Shock:
    """Return a shock: one side and one right, contracts and lots for a random hedge demand.

    Its prints differ from ordinary ones in number and direction only: sizes come from the same
    Pareto tail, contracts from those listed, prices from the same smile and spread. A sweep takes
    3 to 6 strikes of one expiry, none with the greater part; an emergency has at least 88 % of
    its volume in one contract. The greater part of either prints in one millisecond, in every
    contract of it, as orders do that were sent together; the rest follows.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    book : Book
        Contracts live at the shock.
    rng : Generator
    moment : (int, ShockClass)
        First instant, UTC nanoseconds, and class.
    """
    start_ns, shock_class = moment
    sweep = shock_class is ShockClass.SWEEP
    side = int(2 * rng.integers(0, 2) - 1)
    right = int(2 * rng.integers(0, 2) - 1)
    median = scenario.shocks.sweep_units if sweep else scenario.shocks.emergency_units
    demand = median * float(np.exp(scenario.shocks.units_sigma * rng.standard_normal()))
    if sweep:
        wanted = int(rng.integers(_SWEEP_STRIKES[0], _SWEEP_STRIKES[1] + 1))
        contract, delta = _strikes(
            scenario, path, book, rng, start_ns, right, wanted, _SWEEP_DELTAS
        )
        weight = rng.dirichlet(np.full(contract.size, _DIRICHLET_CONCENTRATION))
        weight = 0.5 * weight + 0.5 / contract.size
    else:
        contract, delta = _strikes(scenario, path, book, rng, start_ns, right, 2, _EMERGENCY_DELTAS)
        share = float(rng.uniform(*_EMERGENCY_SHARE))
        weight = np.array([share, 1.0 - share])[: contract.size]
    units = demand * weight / abs(float(np.dot(weight, delta)))
    lots = np.maximum(np.round(units / scenario.chain.lot_units), 1.0).astype(np.int64)
    seconds = scenario.shocks.sweep_seconds if sweep else scenario.shocks.emergency_seconds
    left = (path.session.end_ns - start_ns) / SECOND_NS - 1.0
    duration = min(left, seconds * float(np.exp(_DURATION_SIGMA * rng.standard_normal())))
    orders = _sliced(scenario, rng, contract, lots, side)
    offset = (rng.random(orders.stamp.size) * duration * SECOND_NS).astype(np.int64)
    offset[_at_once(orders, _SWEEP_AT_ONCE if sweep else _EMERGENCY_AT_ONCE)] = 0
    stamp = start_ns + offset - offset % RESOLUTION_NS
    return Shock(
        shock_class, start_ns, Orders.simple(stamp, orders.contract, orders.lots, orders.side)
    )


def _strikes(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    rng: np.random.Generator,
    start_ns: int,
    right: int,
    wanted: int,
    deltas: tuple[float, float],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return up to `wanted` contracts of one expiry in a range of abs(delta), and their deltas.

    The first expiry in a random order (nearer ones more likely first) that has them; failing all,
    the strikes nearest in delta of the last.
    """
    far_enough = [e for e in book.live if e.expiry_ns - start_ns >= _SHORTEST_LIFE_NS]
    candidates = far_enough or list(book.live[-1:])
    weights = 1.0 / (1.0 + np.arange(len(candidates)))
    order = rng.choice(len(candidates), len(candidates), replace=False, p=weights / weights.sum())
    middle = 0.5 * (deltas[0] + deltas[1])
    for expiry in (candidates[int(rank)] for rank in order):
        delta = _deltas_of(scenario, path, expiry, start_ns, right)
        inside = np.flatnonzero((np.abs(delta) >= deltas[0]) & (np.abs(delta) <= deltas[1]))
        if inside.size >= wanted:
            chosen = rng.choice(inside, wanted, replace=False)
            return expiry.first_contract[chosen] + (right < 0), delta[chosen]
    expiry = candidates[-1]
    delta = _deltas_of(scenario, path, expiry, start_ns, right)
    chosen = np.argsort(np.abs(np.abs(delta) - middle))[:wanted]
    return expiry.first_contract[chosen] + (right < 0), delta[chosen]


def _deltas_of(
    scenario: Scenario, path: IndexPath, expiry: Expiry, start_ns: int, right: int
) -> NDArray[np.float64]:
    stamps = np.full(expiry.strikes.size, start_ns, dtype=np.int64)
    expiry_ns = np.full(expiry.strikes.size, expiry.expiry_ns, dtype=np.int64)
    vols = implied_volatility(scenario, path, expiry.strikes, expiry_ns, stamps)
    price = path.price[path.second(stamps)]
    return pricing.delta(right, price, expiry.strikes, (expiry_ns - stamps) / YEAR_NS, vols)


def _sliced(
    scenario: Scenario,
    rng: np.random.Generator,
    contract: NDArray[np.int64],
    lots: NDArray[np.int64],
    side: int,
) -> Orders:
    """Return each contract's lots cut into prints of tail sizes, stamps still zero, shuffled."""
    contracts: list[NDArray[np.int64]] = []
    sizes: list[NDArray[np.int64]] = []
    for row, total in zip(contract.tolist(), lots.tolist(), strict=True):
        if total <= 0:
            continue
        pieces = filled(tail_lots(scenario, rng, int(total) + 1), int(total))
        sizes.append(pieces)
        contracts.append(np.full(pieces.size, row, dtype=np.int64))
    rows, pieces = np.concatenate(contracts), np.concatenate(sizes)
    order = rng.permutation(rows.size)
    zeros = np.zeros(rows.size, dtype=np.int64)
    return Orders.simple(zeros, rows[order], pieces[order], zeros + side)


def _at_once(orders: Orders, share: float) -> NDArray[np.bool_]:
    """Return which prints come first: of every contract, those up to a share of its lots."""
    first = np.zeros(orders.lots.size, dtype=np.bool_)
    for row in np.unique(orders.contract):
        mine = np.flatnonzero(orders.contract == row)
        before = np.cumsum(orders.lots[mine]) - orders.lots[mine]
        first[mine] = before < share * orders.lots[mine].sum()
    return first
