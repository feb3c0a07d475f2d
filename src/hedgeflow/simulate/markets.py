"""The simulated market: days of tapes, and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.simulate.dealers_book import BookState, rebalanced
from hedgeflow.simulate.expiry_flow import expires, expiry_orders
from hedgeflow.simulate.expiry_hedging import (
    ExpiryHedge,
    expiries_truth,
    expiry_hedge,
    expiry_strikes_truth,
)
from hedgeflow.simulate.future import hedge_quote_tape, hedge_trade_tape, minute_bars, quoted
from hedgeflow.simulate.hedged_shocks import HedgedShock, hedged_shocks
from hedgeflow.simulate.hours import Session, sessions_of
from hedgeflow.simulate.impact import ImpactState, Moves
from hedgeflow.simulate.listing import Book
from hedgeflow.simulate.open_interest import (
    Positions,
    SessionInterest,
    first_positions,
    open_interest_tape,
    positions_truth,
    session_interest,
)
from hedgeflow.simulate.option_flow import ordinary_orders
from hedgeflow.simulate.option_quotes import option_quote_tape
from hedgeflow.simulate.order_flow import FlowState, ordinary_trades
from hedgeflow.simulate.paths import IndexPath, PathState, first_state, index_path
from hedgeflow.simulate.prints import Marks, Orders, Printed, deltas, option_tape, printed
from hedgeflow.simulate.streams import Component, stream
from hedgeflow.simulate.trades import Trades
from hedgeflow.simulate.truth import TRUTH_SCHEMAS, TruthTable, hedge_truth, shocks_truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hedgeflow.simulate.scenario import Scenario


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    """Tapes of one session or of all, in the schemas of `hedgeflow.market.tapes`, and the truth.

    Attributes
    ----------
    scenario : Scenario
    option_trades, hedge_trades, hedge_quotes : DataFrame
        Stamps of 1 ms; known 1 ms after.
    bars : DataFrame
        1-minute bars of `hedge_trades`, volume in underlying units.
    option_quotes : DataFrame
        Empty unless the scenario asks for the tape.
    open_interest : DataFrame
        Of each contract as a session starts, as the one before left it.
    contracts : DataFrame
        Every option that was live at some time.
    truth : DataFrame
        One row per shock: `shock_id`, `shock_class`, `ts` and `last_print` of its option prints,
        customers' `side`, `contract` with the most units, number of `strikes`, `option_units`,
        `delta` (hedge demand D, signed: negative, dealers must sell), `hedge_start`,
        `half_time_minutes`, `hedge_volume` (signed units that dealers trade, 0 without hedging;
        whole, though no tape has what comes after the last session) and `impact_bps` (signed peak).
        No signal may read it.
    prints_truth, hedge_truth, positions_truth : DataFrame
        Truth of each row of `option_trades` and `hedge_trades`, and what is open at each session's
        end, see `truth.TRUTH_SCHEMAS`.
    expiries_truth, expiry_strikes_truth : DataFrame
        What happened in each expiry's last hours, and who held what in its strikes; empty unless
        `expiry.enabled`.
    coverage : Coverage
        What all tapes cover: whole sessions.
    """

    scenario: Scenario
    option_trades: pl.DataFrame
    hedge_trades: pl.DataFrame
    hedge_quotes: pl.DataFrame
    bars: pl.DataFrame
    option_quotes: pl.DataFrame
    open_interest: pl.DataFrame
    contracts: pl.DataFrame
    truth: pl.DataFrame
    prints_truth: pl.DataFrame
    hedge_truth: pl.DataFrame
    positions_truth: pl.DataFrame
    expiries_truth: pl.DataFrame
    expiry_strikes_truth: pl.DataFrame
    coverage: Coverage

    @property
    def rows(self) -> int:
        """Rows of all its tapes."""
        tapes = (self.option_trades, self.option_quotes, self.hedge_trades, self.hedge_quotes)
        return sum(tape.height for tape in tapes)

    def truth_tables(self) -> dict[TruthTable, pl.DataFrame]:
        """Return what really happened, by table."""
        return {
            TruthTable.SHOCKS: self.truth,
            TruthTable.PRINTS: self.prints_truth,
            TruthTable.HEDGE_TRADES: self.hedge_truth,
            TruthTable.POSITIONS: self.positions_truth,
            TruthTable.EXPIRIES: self.expiries_truth,
            TruthTable.EXPIRY_STRIKES: self.expiry_strikes_truth,
        }


def simulate(scenario: Scenario) -> SimulatedMarket:
    """Return every day of a scenario at once: the days of `simulate_days`, joined."""
    return joined(list(simulate_days(scenario)))


def joined(days: list[SimulatedMarket]) -> SimulatedMarket:
    """Return consecutive days of one market as one."""
    frames = {
        field.name: pl.concat([getattr(day, field.name) for day in days])
        for field in fields(SimulatedMarket)
        if field.name not in {"scenario", "coverage"}
    }
    contracts = frames.pop("contracts").unique("contract", keep="first", maintain_order=True)
    intervals = [interval for day in days for interval in day.coverage.intervals]
    return SimulatedMarket(
        scenario=days[0].scenario,
        contracts=contracts,
        coverage=Coverage.of(intervals),
        **frames,
    )


def simulate_days(scenario: Scenario) -> Iterator[SimulatedMarket]:
    """Yield a scenario's sessions one by one, each in memory on its own.

    What lasts over their end is carried: price, volatility, listed contracts, open positions,
    hedges not yet done and the impact still to come, what dealers hold, the future's premium,
    activity and imbalance.
    """
    sessions = sessions_of(scenario)
    state = _first(scenario, sessions[0])
    for session in sessions:
        market, state = _day(scenario, session, state)
        yield market


@dataclass(frozen=True, slots=True)
class _State:
    path: PathState
    book: Book
    positions: Positions | None
    impact: ImpactState
    held: BookState
    flow: FlowState
    pending: Trades
    """Hedges not yet done, by nanoseconds from the end of the session."""
    shocks: int


def _first(scenario: Scenario, session: Session) -> _State:
    return _State(
        path=first_state(scenario),
        book=Book.empty().listed(scenario, session.start_ns, scenario.index.start_price),
        positions=None,
        impact=ImpactState.at_rest(),
        held=BookState(),
        flow=FlowState(),
        pending=Trades.none(),
        shocks=0,
    )


def _day(scenario: Scenario, session: Session, state: _State) -> tuple[SimulatedMarket, _State]:
    path, end = index_path(scenario, session, state.path)
    books = _books(scenario, path, state.book)
    orders = ordinary_orders(
        scenario, path, books, _stream(scenario, Component.OPTION_FLOW, session)
    )
    moves = Moves(scenario, session, state.impact)
    shocks = hedged_shocks(scenario, path, books, state.shocks, moves)
    unmoved, unmoved_end = moves.moved(path), moves.moved_end(end)
    before = (state.positions or first_positions(scenario, unmoved, books[0])).within(books[1])
    building = expiry_orders(scenario, path, books[1]) if scenario.expiry.enabled else None
    steady = orders if building is None else Orders.concatenated([orders, building])
    expiry = None
    if building is not None and expires(books[1], session):
        every_order = Orders.concatenated([steady, *(each.shock.orders for each in shocks)])
        expiry = expiry_hedge(scenario, unmoved, before, every_order)
        moves.add_flow(expiry.trades, expiry.log_move_per_unit)
    path, end = moves.moved(path), moves.moved_end(end)
    every_print = _printed(scenario, path, books[1], orders, shocks, state.shocks)
    of_shocks = every_print[1:]
    if building is not None:
        rng = _stream(scenario, Component.EXPIRY_PRINTS, session)
        every_print.append(printed(scenario, path, books[1], building, rng))
    tape, prints = option_tape(session, books[1].symbol, every_print)
    interest = session_interest(
        scenario, session, before, Orders.concatenated([each.orders for each in every_print])
    )
    book = rebalanced(scenario, path, before, steady, shocks, state.held, expiry)
    flow = ordinary_trades(
        scenario, session, _stream(scenario, Component.HEDGE_FLOW, session), state.flow
    )
    premium, impact = moves.premium()
    future = quoted(scenario, path, premium, flow.pace)
    hedges = Trades.in_order(
        [state.pending.later(session.start_ns), *(shock.hedge.trades for shock in shocks)]
    )
    hedged, pending = hedges.split(session.end_ns)
    at_expiry = Trades.none() if expiry is None else expiry.trades
    every_trade = Trades.in_order([flow.trades, hedged, book.trades, at_expiry])
    trades = hedge_trade_tape(future, every_trade)
    expiries, strikes = _expiry_truth(scenario, path, expiry, (unmoved_end, end), interest)
    market = SimulatedMarket(
        scenario=scenario,
        option_trades=tape,
        hedge_trades=trades,
        hedge_quotes=hedge_quote_tape(
            scenario, future, _stream(scenario, Component.HEDGE_QUOTES, session)
        ),
        bars=minute_bars(trades),
        option_quotes=_quotes(scenario, path, books[1], every_print),
        open_interest=open_interest_tape(scenario, session, before),
        contracts=books[1].frame(scenario),
        truth=_truth(scenario, path, books[1], of_shocks, shocks, state.shocks),
        prints_truth=prints,
        hedge_truth=hedge_truth(trades, every_trade.origin),
        positions_truth=positions_truth(scenario, session, interest),
        expiries_truth=expiries,
        expiry_strikes_truth=strikes,
        coverage=Coverage.of([(session.start_ns, session.end_ns)]),
    )
    after = _State(
        path=end,
        book=books[1],
        positions=interest.after,
        impact=impact,
        held=book.after,
        flow=flow.after,
        pending=pending.later(-session.end_ns),
        shocks=state.shocks + len(shocks),
    )
    return market, after


def _stream(scenario: Scenario, component: Component, session: Session) -> np.random.Generator:
    return stream(scenario.seed, component, session.number)


def _books(scenario: Scenario, path: IndexPath, book: Book) -> tuple[Book, Book]:
    """Return the contracts before and after the session's listing."""
    session = path.session
    before = book.without_expired(session.start_ns)
    price = float(path.price[int(session.second(np.array([session.listing_ns]))[0])])
    return before, before.listed(scenario, session.listing_ns, price)


def _printed(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    ordinary: Orders,
    shocks: list[HedgedShock],
    first_id: int,
) -> list[Printed]:
    """Return ordinary orders, and then each shock's, as they print."""
    rng = _stream(scenario, Component.OPTION_PRINTS, path.session)
    flow = printed(scenario, path, book, ordinary, rng)
    rng = _stream(scenario, Component.SHOCK_PRINTS, path.session)
    return [
        flow,
        *(
            printed(scenario, path, book, each.shock.orders, rng, number)
            for number, each in enumerate(shocks, first_id)
        ),
    ]


def _truth(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    prints: list[Printed],
    shocks: list[HedgedShock],
    first_id: int,
) -> pl.DataFrame:
    return shocks_truth(
        scenario,
        book,
        [each.shock for each in shocks],
        [_demand(scenario, path, book, each) for each in prints],
        [each.hedge for each in shocks],
        first_id,
    )


def _expiry_truth(
    scenario: Scenario,
    path: IndexPath,
    hedge: ExpiryHedge | None,
    ends: tuple[PathState, PathState],
    interest: SessionInterest,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    if hedge is None:
        tables = (TruthTable.EXPIRIES, TruthTable.EXPIRY_STRIKES)
        expiries, strikes = (pl.DataFrame(schema=TRUTH_SCHEMAS[table]) for table in tables)
        return expiries, strikes
    return (
        expiries_truth(scenario, path, hedge, ends),
        expiry_strikes_truth(scenario, path, interest),
    )


def _demand(scenario: Scenario, path: IndexPath, book: Book, shock: Printed) -> float:
    delta = deltas(path, book, shock.orders, shock.marks.iv)
    lots = shock.orders.side * shock.orders.lots
    return float((lots * delta).sum()) * scenario.chain.lot_units


def _quotes(scenario: Scenario, path: IndexPath, book: Book, prints: list[Printed]) -> pl.DataFrame:
    if not scenario.option_quotes.tape:
        return pl.DataFrame(schema=tape_schema(TapeKind.OPTION_QUOTES))
    contract = np.concatenate([each.orders.contract for each in prints])
    marks = Marks.concatenated([each.marks for each in prints])
    return option_quote_tape(scenario, path, book, (contract, marks.set_ns, marks.bid, marks.ask))
