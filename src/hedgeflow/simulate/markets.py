"""The simulated market: days of tapes, and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.tapes import TIME
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.hedging import Hedge, PremiumState, hedge_of, premium_path
from hedgeflow.simulate.hours import Session, sessions_of
from hedgeflow.simulate.listing import LOT, Book
from hedgeflow.simulate.option_flow import ordinary_orders
from hedgeflow.simulate.paths import IndexPath, PathState, first_state, index_path
from hedgeflow.simulate.perpetual import (
    Trades,
    hedge_quote_tape,
    hedge_trade_tape,
    minute_bars,
    ordinary_trades,
)
from hedgeflow.simulate.prints import Orders, Printed, mark, option_tape
from hedgeflow.simulate.shocks import Shock, shock_at, shock_times
from hedgeflow.simulate.streams import Component, stream
from hedgeflow.simulate.truth import TRUTH_SCHEMA, TruthTable, hedge_truth

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
    contracts : DataFrame
        Every option that was live at some time.
    truth : DataFrame
        One row per shock: `shock_id`, `shock_class`, `ts` and `last_print` of its option prints,
        customers' `side`, `contract` with the most units, number of `strikes`, `option_units`,
        `delta` (hedge demand D, signed: negative, dealers must sell), `hedge_start`,
        `half_time_minutes`, `hedge_volume` (signed units that dealers trade, 0 without hedging)
        and `impact_bps` (signed peak). No signal may read it.
    prints_truth, hedge_truth : DataFrame
        Truth of each row of `option_trades` and `hedge_trades`, see `truth.TRUTH_SCHEMAS`.
    coverage : Coverage
        What all tapes cover: whole sessions.
    """

    scenario: Scenario
    option_trades: pl.DataFrame
    hedge_trades: pl.DataFrame
    hedge_quotes: pl.DataFrame
    bars: pl.DataFrame
    contracts: pl.DataFrame
    truth: pl.DataFrame
    prints_truth: pl.DataFrame
    hedge_truth: pl.DataFrame
    coverage: Coverage

    def truth_tables(self) -> dict[TruthTable, pl.DataFrame]:
        """Return what really happened, by table."""
        return {
            TruthTable.SHOCKS: self.truth,
            TruthTable.PRINTS: self.prints_truth,
            TruthTable.HEDGE_TRADES: self.hedge_truth,
        }


def simulate(scenario: Scenario) -> SimulatedMarket:
    """Return every day of a scenario at once: the days of `simulate_days`, joined."""
    return joined(list(simulate_days(scenario)))


def joined(days: list[SimulatedMarket]) -> SimulatedMarket:
    """Return consecutive days of one market as one."""
    intervals = [interval for day in days for interval in day.coverage.intervals]
    contracts = pl.concat([day.contracts for day in days])
    return SimulatedMarket(
        scenario=days[0].scenario,
        option_trades=pl.concat([day.option_trades for day in days]),
        hedge_trades=pl.concat([day.hedge_trades for day in days]),
        hedge_quotes=pl.concat([day.hedge_quotes for day in days]),
        bars=pl.concat([day.bars for day in days]),
        contracts=contracts.unique("contract", keep="first", maintain_order=True),
        truth=pl.concat([day.truth for day in days]),
        prints_truth=pl.concat([day.prints_truth for day in days]),
        hedge_truth=pl.concat([day.hedge_truth for day in days]),
        coverage=Coverage.of(intervals),
    )


def simulate_days(scenario: Scenario) -> Iterator[SimulatedMarket]:
    """Yield a scenario's sessions one by one, each in memory on its own.

    What lasts over their end is carried: price, volatility, listed contracts, hedges not yet done,
    the perpetual's premium and activity.
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
    premium: PremiumState
    flow: tuple[float, float]
    pending: Trades
    shocks: int


def _first(scenario: Scenario, session: Session) -> _State:
    return _State(
        path=first_state(scenario),
        book=Book.empty().listed(scenario, session.start_ns, scenario.index.start_price),
        premium=PremiumState.at_rest(),
        flow=(0.0, 0.0),
        pending=Trades.none(),
        shocks=0,
    )


def _day(scenario: Scenario, session: Session, state: _State) -> tuple[SimulatedMarket, _State]:
    path, next_path = index_path(scenario, session, state.path)
    price = float(path.price[int(path.second(np.array([session.listing_ns]))[0])])
    books = (state.book, state.book.listed(scenario, session.listing_ns, price))
    symbols = books[1].symbols()
    ordinary = _ordinary(scenario, path, books)
    shocks = _shocks(scenario, path, books)
    printed = _printed(scenario, path, books[1], shocks, state.shocks)
    tape, prints = option_tape(session, symbols, [ordinary, *printed])
    demands = [
        float((each.orders.side * each.orders.lots * each.marks.delta).sum()) * LOT
        for each in printed
    ]
    rng = stream(scenario.seed, Component.HEDGES, session.number)
    sign_rng = stream(scenario.seed, Component.UNHEDGED_SIGNS, session.number)
    hedges = [
        hedge_of(scenario, session, (state.shocks + i, shock.start_ns), demand, rng, sign_rng)
        for i, (shock, demand) in enumerate(zip(shocks, demands, strict=True))
    ]
    premium, next_premium = premium_path(scenario, session, hedges, state.premium)
    middle = path.price * np.exp(premium)
    ordinary_flow, flow = ordinary_trades(
        scenario, session, stream(scenario.seed, Component.HEDGE_FLOW, session.number), state.flow
    )
    hedging = Trades.in_order([state.pending, *(hedge.trades for hedge in hedges)])
    today, pending = hedging.split(session.end_ns)
    every = Trades.in_order([ordinary_flow, today])
    trades = hedge_trade_tape(scenario, session, middle, every)
    market = SimulatedMarket(
        scenario=scenario,
        option_trades=tape,
        hedge_trades=trades,
        hedge_quotes=hedge_quote_tape(
            scenario, session, middle, stream(scenario.seed, Component.HEDGE_QUOTES, session.number)
        ),
        bars=minute_bars(trades),
        contracts=books[1].frame(session.start_ns),
        truth=_truth(books[1], symbols, shocks, demands, hedges, state.shocks),
        prints_truth=prints,
        hedge_truth=hedge_truth(trades, every.origin),
        coverage=Coverage.of([(session.start_ns, session.end_ns)]),
    )
    after = _State(next_path, books[1], next_premium, flow, pending, state.shocks + len(shocks))
    return market, after


def _ordinary(scenario: Scenario, path: IndexPath, books: tuple[Book, Book]) -> Printed:
    session = path.session
    rng = stream(scenario.seed, Component.OPTION_FLOW, session.number)
    spans = ((session.start_ns, session.listing_ns), (session.listing_ns, session.end_ns))
    orders = Orders.concatenated(
        [
            ordinary_orders(scenario, path, book, rng, span)
            for book, span in zip(books, spans, strict=True)
        ]
    )
    rng = stream(scenario.seed, Component.OPTION_PRINTS, session.number)
    unsigned = rng.random(orders.stamp.size) < scenario.option_flow.unsigned_share
    return Printed(orders, mark(scenario, path, books[1], orders, rng), unsigned)


def _shocks(scenario: Scenario, path: IndexPath, books: tuple[Book, Book]) -> list[Shock]:
    rng = stream(scenario.seed, Component.SHOCKS, path.session.number)
    return [
        shock_at(scenario, path, books[moment[0] >= path.session.listing_ns], rng, moment)
        for moment in shock_times(scenario, path.session, rng)
    ]


def _printed(
    scenario: Scenario, path: IndexPath, book: Book, shocks: list[Shock], first_id: int
) -> list[Printed]:
    rng = stream(scenario.seed, Component.SHOCK_PRINTS, path.session.number)
    parts = [shock.orders for shock in shocks]
    marks = [mark(scenario, path, book, orders, rng) for orders in parts]
    share = scenario.option_flow.unsigned_share
    unsigned = [rng.random(orders.stamp.size) < share for orders in parts]
    return [Printed(orders, marks[i], unsigned[i], first_id + i) for i, orders in enumerate(parts)]


def _truth(
    book: Book,
    symbols: pl.Series,
    shocks: list[Shock],
    demands: list[float],
    hedges: list[Hedge],
    first_id: int,
) -> pl.DataFrame:
    rows = [
        _truth_row(book, symbols, first_id + i, shock, demand, hedge)
        for i, (shock, demand, hedge) in enumerate(zip(shocks, demands, hedges, strict=True))
    ]
    instants = {name: pl.Int64 for name, dtype in TRUTH_SCHEMA.items() if dtype == TIME}
    table = pl.DataFrame(rows, schema=TRUTH_SCHEMA | instants, orient="row")
    return conformed(table, TRUTH_SCHEMA)


def _truth_row(
    book: Book, symbols: pl.Series, number: int, shock: Shock, demand: float, hedge: Hedge
) -> tuple[int | float | str, ...]:
    orders = shock.orders
    rows, inverse = np.unique(orders.contract, return_inverse=True)
    lots = np.bincount(inverse, weights=orders.lots)
    return (
        number,
        shock.shock_class.value,
        int(orders.stamp.min()),
        int(orders.stamp.max()),
        int(orders.side[0]),
        str(symbols[int(rows[int(np.argmax(lots))])]),
        int(np.unique(book.strike[rows]).size),
        float(lots.sum()) * LOT,
        demand,
        hedge.start_ns,
        hedge.half_time_minutes,
        hedge.volume,
        hedge.impact_bps,
    )
