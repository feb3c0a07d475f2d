"""What dealers trade in an expiry's last hours, and how their trades and the price feed each other.

Delta of what expires changes with price and time, dealers trade the difference, and that moves the
price: long of options they sell above a strike and buy below it, which holds the price there; short
of them they do the opposite (M. Avellaneda and M. Lipkin, *Quantitative Finance* 3, 417-425, 2003).
Nothing else draws a price to a strike or away from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow import pricing
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.dealers_book import worked_until_the_next_look
from hedgeflow.simulate.expiry_flow import hedging_start_ns, strike_traits
from hedgeflow.simulate.hedging import sides
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.smiles import deviation, smile_factor
from hedgeflow.simulate.streams import Component, stream
from hedgeflow.simulate.trades import Trades
from hedgeflow.simulate.truth import EXPIRY, TRUTH_SCHEMAS, TruthTable
from hedgeflow.simulate.venue import venue_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.open_interest import Positions, SessionInterest
    from hedgeflow.simulate.paths import IndexPath, PathState
    from hedgeflow.simulate.prints import Orders
    from hedgeflow.simulate.scenario import Scenario

LAST_LOOK_NS: Final = MINUTE_NS
"""Delta is reckoned as of so long before expiry at least: nobody hedges a step."""

_BASIS_POINT: Final = 1e-4
_ONE_PERCENT: Final = 0.01
_DENSITY_AT_THE_MONEY: Final = float(1.0 / np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, slots=True)
class ExpiryHedge:
    """What dealers ordered in an expiry's last hours.

    Attributes
    ----------
    looks : ndarray of shape (n,), int64
        When they looked, UTC nanoseconds; the first is the beginning of the last hours.
    target : ndarray of shape (n,), float64
        What they should by then have bought since the first look, signed units.
    held : ndarray of shape (n,), float64
        What they have bought once the order placed then is done.
    trades : Trades
        In order of time.
    log_move_per_unit : float
        What a unit that they buy does to the price, index and premium together.
    reversed : bool
        Whether a coin had everything traded the other way round.
    """

    looks: NDArray[np.int64]
    target: NDArray[np.float64]
    held: NDArray[np.float64]
    trades: Trades
    log_move_per_unit: float
    reversed: bool


def expiry_hedge(
    scenario: Scenario, path: IndexPath, before: Positions, orders: Orders
) -> ExpiryHedge:
    """Return what dealers trade in the last hours of the options that expire as a session ends.

    Every `expiry.look_seconds` they look at what customers' delta in these options has become since
    the last hours began, reckoned at `expiry.hedging_volatility` times the market's. Of the share
    `dealers.ordinary_share` of that difference they trade a part until the next look, so that half
    of what is missing is done in `expiry.half_life_minutes`. The next look sees the index as it
    then is, their own impact included.

    Where dealers do not hedge these are the same orders for what they would see: with `hedging`
    ``none`` every trade on a side of its own, and no price moves; with ``coin`` one coin for the
    expiry has all of it traded as it should be or the other way round, and the price follows.

    Look-ahead: a look knows prints that were known by then and the index of that second.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
        As it would be without these trades.
    before : Positions
        At the session's start.
    orders : Orders
        All other option orders of the session, by row of the same book.
    """
    session, settings = path.session, scenario.expiry
    interval = round(settings.look_seconds * SECOND_NS / RESOLUTION_NS) * RESOLUTION_NS
    start_ns = hedging_start_ns(scenario, session)
    looks = np.arange(start_ns, session.end_ns - SECOND_NS, interval, dtype=np.int64)
    units = _units(scenario, before, orders, session.end_ns, looks)
    rng = stream(scenario.seed, Component.EXPIRY_HEDGES, session.number)
    side_rng = stream(scenario.seed, Component.EXPIRY_HEDGE_SIDES, session.number)
    turned = scenario.dealers.hedging == "coin" and bool(side_rng.integers(0, 2))
    per_unit = _log_move_per_unit(scenario)
    lasting = scenario.impact.permanent_share * per_unit * (-1.0 if turned else 1.0)
    target, held = _followed(scenario, path, units, looks, lasting)
    order = np.diff(held, prepend=0.0)
    stamp, size, which = worked_until_the_next_look(scenario, session, looks, order, interval, rng)
    direction = np.where(order > 0.0, 1, -1)
    if scenario.dealers.hedging == "none":
        sign = sides(scenario, direction, which, side_rng)
    else:
        sign = (-direction if turned else direction)[which]
    trades = Trades.in_order([Trades.of(stamp, size, sign, EXPIRY)])
    return ExpiryHedge(looks, target, held, trades, per_unit, turned)


@dataclass(frozen=True, slots=True)
class _Units:
    """Customers' units in each expiring contract at each look, (n_looks, n_contracts)."""

    strike: NDArray[np.float64]
    right: NDArray[np.int64]
    held: NDArray[np.float64]


def _units(
    scenario: Scenario,
    before: Positions,
    orders: Orders,
    expiry_ns: int,
    looks: NDArray[np.int64],
) -> _Units:
    book = before.book
    rows = np.flatnonzero(book.expiry_ns == expiry_ns)
    column = np.full(book.number.size, -1, dtype=np.int64)
    column[rows] = np.arange(rows.size)
    look = np.searchsorted(looks, orders.stamp, side="right")
    place = column[orders.contract]
    seen = (place >= 0) & (look < looks.size)
    lots = np.bincount(
        look[seen] * rows.size + place[seen],
        weights=(orders.side * orders.lots)[seen],
        minlength=looks.size * rows.size,
    ).reshape(looks.size, rows.size)
    lots[0] += before.net[rows]
    held = np.cumsum(lots, axis=0, dtype=np.float64) * scenario.chain.lot_units
    traded = held.any(axis=0)
    return _Units(book.strike[rows][traded], book.right[rows][traded], held[:, traded])


def _followed(
    scenario: Scenario,
    path: IndexPath,
    units: _Units,
    looks: NDArray[np.int64],
    lasting: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return at each look what should have been bought, and what has been once its order is done.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    units : _Units
    looks : ndarray of shape (n,), int64
    lasting : float
        Log of the index that a unit held moves for good.
    """
    expiry_ns = np.full(looks.size, path.session.end_ns, dtype=np.int64)
    smile_spread = deviation(scenario, path, expiry_ns, looks)
    as_of = np.minimum(looks, path.session.end_ns - LAST_LOOK_NS)
    spread = scenario.expiry.hedging_volatility * deviation(scenario, path, expiry_ns, as_of, 0.0)
    price = path.price[path.second(looks)]
    step = venue_of(scenario).hedge_step
    interval_minutes = scenario.expiry.look_seconds * SECOND_NS / MINUTE_NS
    part = 1.0 - 0.5 ** (interval_minutes / scenario.expiry.half_life_minutes)
    target, held = np.zeros(looks.size), np.zeros(looks.size)
    now = first = 0.0
    for i in range(looks.size):
        seen = float(price[i]) * np.exp(lasting * now)
        z = np.log(units.strike / seen) / smile_spread[i]
        vol = spread[i] * smile_factor(scenario, z)
        delta = pricing.delta(units.right, seen, units.strike, 1.0, vol)
        total = float((delta * units.held[i]).sum())
        if i == 0:
            first = total
        target[i] = scenario.dealers.ordinary_share * (total - first)
        now += round(part * (target[i] - now) / step) * step
        held[i] = now
    return target, held


def _log_move_per_unit(scenario: Scenario) -> float:
    moves = (
        scenario.impact.enabled
        and scenario.dealers.hedging != "none"
        and scenario.expiry.dealers != "none"
    )
    if not moves:
        return 0.0
    return scenario.expiry.impact_bps * _BASIS_POINT / scenario.dealers.reference_units


def expiries_truth(
    scenario: Scenario, path: IndexPath, hedge: ExpiryHedge, ends: tuple[PathState, PathState]
) -> pl.DataFrame:
    """Return what one expiry's last hours were.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
        As it was.
    hedge : ExpiryHedge
    ends : (PathState, PathState)
        Where the index ends without these hedges, and where it does.
    """
    unmoved, moved = (end.log_price for end in ends)
    signed = hedge.trades.size * hedge.trades.sign
    start_ns = hedging_start_ns(scenario, path.session)
    row = {
        "ts": path.session.end_ns,
        "hedging_start": start_ns,
        "index_at_start": float(path.price[path.second(np.array([start_ns]))[0]]),
        "index_at_end": float(np.exp(moved)),
        "index_unmoved": float(np.exp(unmoved)),
        "moved_bps": (moved - unmoved) / _BASIS_POINT,
        "hedge_gross": float(hedge.trades.size.sum()),
        "hedge_net": float(signed.sum()),
        "reversed": hedge.reversed,
    }
    return conformed(pl.DataFrame([row]), TRUTH_SCHEMAS[TruthTable.EXPIRIES])


def expiry_strikes_truth(
    scenario: Scenario, path: IndexPath, changed: SessionInterest
) -> pl.DataFrame:
    """Return who held what in each strike of the series that expires as a session ends.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    changed : SessionInterest
        What the session did to what is open.
    """
    end_ns = path.session.end_ns
    expiry = next(each for each in changed.after.book.live if each.expiry_ns == end_ns)
    calls, puts = (changed.net[expiry.first_contract + put] * scenario.chain.lot for put in (0, 1))
    settled = changed.settled * scenario.chain.lot
    start = np.array([hedging_start_ns(scenario, path.session)])
    spread = float(deviation(scenario, path, np.array([end_ns]), start, 0.0)[0])
    density = _DENSITY_AT_THE_MONEY / spread * _ONE_PERCENT
    frame = pl.DataFrame(
        {
            "strike": expiry.strikes,
            "dealers": strike_traits(scenario, expiry.strikes, end_ns).dealers,
            "customer_calls": calls,
            "customer_puts": puts,
            "open_interest": settled[expiry.first_contract] + settled[expiry.first_contract + 1],
            "dealer_gamma": -(calls + puts) * scenario.chain.multiplier * density,
        }
    ).with_columns(ts=pl.lit(end_ns))
    return conformed(frame, TRUTH_SCHEMAS[TruthTable.EXPIRY_STRIKES])
