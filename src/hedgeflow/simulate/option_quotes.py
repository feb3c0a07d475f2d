"""Quotes of options: each contract's is set anew at moments of its own, and stands in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow import pricing
from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.market.time import MINUTE_NS, SECOND_NS, YEAR_NS
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.smiles import implied_volatility
from hedgeflow.simulate.streams import Component, fixed_draws
from hedgeflow.simulate.venue import venue_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.listing import Book
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

RESOLUTION_NS: Final = 1_000_000
"""Stamps of the trade and quote tapes are milliseconds."""

_NOISE: Final = 0.006
"""Standard deviation of a quote's volatility around the smile, share of it."""

_WIDEST_HALF: Final = 0.5
"""Half of the spread is at most this share of the volatility."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """Quotes of contracts at instants.

    Attributes
    ----------
    middle, half : ndarray of shape (n,)
        The middle, and half of the spread, implied volatility.
    bid, ask : ndarray of shape (n,)
        Ticks, at least one apart; a bid of 0 is none.
    """

    middle: NDArray[np.float64]
    half: NDArray[np.float64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]


def set_at(
    scenario: Scenario,
    session: Session,
    book: Book,
    contract: NDArray[np.int64],
    stamps: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return when the quotes that were known at some instants had been set.

    Every `option_quotes.update_seconds` a contract's quote is set anew, each contract at an offset
    of its own; a session's first one stands from its start or the contract's listing.

    Look-ahead: a quote is known one step of the tape's resolution after it was set.
    """
    period = max(1, round(scenario.option_quotes.update_seconds * SECOND_NS / RESOLUTION_NS))
    offset = book.number[contract] * 7919 % period
    known = (stamps - session.start_ns) // RESOLUTION_NS - 1
    at = session.start_ns + ((known - offset) // period * period + offset) * RESOLUTION_NS
    return np.maximum(at, np.maximum(session.start_ns, book.listed_ns[contract]))


def quotes_at(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    contract: NDArray[np.int64],
    set_ns: NDArray[np.int64],
    at_ns: NDArray[np.int64],
) -> Quotes:
    """Return quotes as the market stands at some instants.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    book : Book
    contract : ndarray of shape (n,), int64
        Rows of the book.
    set_ns : ndarray of shape (n,), int64
        When each quote was set: it fixes the little that its volatility is off the smile.
    at_ns : ndarray of shape (n,), int64
        The instants; equal to `set_ns` for quotes as the tape shows them.
    """
    strike, expiry_ns = book.strike[contract], book.expiry_ns[contract]
    middle = implied_volatility(scenario, path, strike, expiry_ns, at_ns)
    noise = fixed_draws(scenario.seed, Component.OPTION_QUOTES, book.number[contract], set_ns)
    middle *= 1.0 + _NOISE * np.sqrt(12.0) * (noise - 0.5)
    half = np.minimum(scenario.option_quotes.half_spread_vol, _WIDEST_HALF * middle)
    ticks = venue_of(scenario).option_ticks
    index = path.price[path.second(at_ns)]
    years = (expiry_ns - at_ns) / YEAR_NS
    right = book.right[contract]
    bid = np.floor(ticks * pricing.value(right, index, strike, years, middle - half))
    ask = np.ceil(ticks * pricing.value(right, index, strike, years, middle + half))
    return Quotes(middle, half, bid, np.maximum(ask, bid + 1.0))


def option_quote_tape(
    scenario: Scenario,
    path: IndexPath,
    book: Book,
    met: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
) -> pl.DataFrame:
    """Return a session's quote tape: what each print met, and every listed contract regularly.

    Every `option_quotes.refresh_minutes` from the session's start, and as a contract is listed,
    the quote that stands is on it too.

    Parameters
    ----------
    scenario : Scenario
    path : IndexPath
    book : Book
    met : (contract, set_ns, bid, ask), ndarrays of shape (n,)
        The quotes that prints met, as `Marks` have them.
    """
    contract, asked_ns = _refreshes(scenario, path.session, book)
    set_ns = set_at(scenario, path.session, book, contract, asked_ns)
    quotes = quotes_at(scenario, path, book, contract, set_ns, set_ns)
    ticks = venue_of(scenario).option_ticks
    bid = np.where(quotes.bid > 0.0, quotes.bid, np.nan) / ticks
    row = np.concatenate((met[0], contract))
    stamp = np.concatenate((met[1], set_ns))
    _, first = np.unique(
        (stamp - path.session.start_ns) // RESOLUTION_NS * book.number.size + row,
        return_index=True,
    )
    row, stamp = row[first], stamp[first]
    frame = pl.DataFrame(
        {
            "ts": stamp,
            "known_at": stamp + RESOLUTION_NS,
            "contract": book.symbol.gather(row),
            "bid": pl.Series(np.concatenate((met[2], bid))[first]).fill_nan(None),
            "ask": np.concatenate((met[3], quotes.ask / ticks))[first],
            "bid_size": _sizes(scenario, book.number[row], -stamp),
            "ask_size": _sizes(scenario, book.number[row], stamp),
        }
    ).with_columns(bid_size=pl.when(pl.col("bid").is_not_null()).then("bid_size"))
    return conformed(frame, tape_schema(TapeKind.OPTION_QUOTES))


def _refreshes(
    scenario: Scenario, session: Session, book: Book
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the contracts that are quoted regularly, and the instants when a quote must stand."""
    period = round(scenario.option_quotes.refresh_minutes * MINUTE_NS)
    first = np.maximum(book.listed_ns, session.start_ns) + RESOLUTION_NS
    regular = np.arange(session.start_ns + period, session.end_ns, period)
    row = np.arange(book.number.size, dtype=np.int64)
    rows = np.concatenate((row, np.tile(row, regular.size)))
    stamps = np.concatenate((first, np.repeat(regular, row.size)))
    live = (stamps > book.listed_ns[rows]) & (stamps < book.expiry_ns[rows])
    return rows[live], stamps[live]


def _sizes(
    scenario: Scenario, number: NDArray[np.int64], stamps: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return quantities quoted at one side, contracts: exponential, at least a lot."""
    draws = fixed_draws(scenario.seed, Component.QUOTE_SIZES, number, stamps)
    lots = np.ceil(-scenario.option_quotes.size_lots * np.log1p(-draws))
    return np.round(np.maximum(lots, 1.0) * scenario.chain.lot, 9)
