"""The nulls of an event strategy: other minutes, and its own minutes with other directions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.evidence import NullDraws
from hedgeflow.fills import order_arrival_ns
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.studies.exit_rules import exit_rule

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.replay import HedgeTape
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.exit_rules import ExitRule

BPS: Final = 10_000.0
UNFOLLOWED: Final = ("EXIT_HEDGE_COMPLETE", "EXIT_KILLED")
"""Exits that are no matter of price and time, and that no draw makes."""
_DIRECTIONS: Final = 1
"""Keeps the generator of directions apart from that of entries."""
_SESSIONS: Final = 2
_FEW_SESSIONS: Final = 14
"""From so many on there are more different draws than are made."""


def matched_null(trades: pl.DataFrame, tape: HedgeTape, config: StrategyConfig) -> NullDraws | None:
    """Return what the same exits would have earned from random entries.

    Each draw moves every trade to a random minute of its own session, near its own time, outside
    its own holding time and while it could have been entered at all; the directions are dealt out
    again among the trades; the way out stays as the strategy's `ExitRule` says, and so does each
    trade's cost in basis points. A trade that has no such minute keeps its own entry (on ticks the
    minute after it), which makes the null harder to beat. Directions are dealt to trades one by
    one: where those of a session go one way and prices keep a direction all session, p-values are
    too small, and `session_direction_null` is the one to beat.

    Parameters
    ----------
    trades : polars.DataFrame
        The trades table; None is returned when it is empty.
    tape : HedgeTape
        Bars, or ticks, which are entered on a grid of whole minutes.
    config : StrategyConfig
        Of the strategy that traded: its way out, seed, draws, match and latency.
    """
    if trades.is_empty():
        return None
    rng = np.random.default_rng(config.seed)
    rule = exit_rule(trades, tape, config)
    entry = trades["entry_ns"].to_numpy()
    grid = _grid(tape)
    match_ns = round(config.null.match_minutes * MINUTE_NS)
    first, count, own = _candidates(
        grid, tape.sessions, entry, trades["exit_ns"].to_numpy(), rule.closed_from_ns(), match_ns
    )
    of, place = _every_candidate(first, count, own)
    at_ns = grid[place]
    if tape.bars is None:
        at_ns = at_ns + order_arrival_ns(0, config.costs.latency_ms)
    earned = _net_bps_both_ways(rule, trades, of, at_ns)
    null = config.null
    draws = _draws(tape, config)
    total = count.sum(axis=1)
    row = (rng.random((draws, entry.size)) * total).astype(np.int64)
    row += np.searchsorted(of, np.arange(entry.size))
    net = earned[_dealt(rng, trades, draws), row]
    description = (
        f"{draws:,} draws: each trade entered at a random minute of its own session within"
        f" {null.match_minutes:g} minutes of its own time, outside its holding time,"
        f" directions dealt out again, with {rule.words}"
    )
    return _null("matched random entries", description, net, _again(rule, trades))


def direction_null(
    trades: pl.DataFrame, tape: HedgeTape, config: StrategyConfig
) -> NullDraws | None:
    """Return what the same entries would have earned with their directions dealt out again.

    Minutes, the way out and each trade's cost in basis points stay; only
    which trades buy and which sell is drawn. Whatever prices do after alerts, trends and wild
    moves too, happens in every draw: the strategy differs from them by the choice of direction
    alone. If all trades have one direction, every draw is the strategy itself.

    Parameters
    ----------
    trades : polars.DataFrame
        The trades table; None is returned when it is empty.
    tape : HedgeTape
    config : StrategyConfig
        Of the strategy that traded: its way out, seed, draws and latency.

    Notes
    -----
    A permutation test, exact where directions are exchangeable given the prices: E. J. G. Pitman,
    *Supplement to the JRSS* 4 (1937) 119–130. They are not where the trades of a session all go one
    way and their prices too: with 20 sessions of 3 such trades and a correlation of 0.2 within
    sessions, 3 % of p-values are below 0.01. That is what `session_direction_null` is for.
    """
    if trades.is_empty():
        return None
    rng = np.random.default_rng([config.seed, _DIRECTIONS])
    rule = exit_rule(trades, tape, config)
    draws = _draws(tape, config)
    own = np.arange(trades.height)
    earned = _net_bps_both_ways(rule, trades, own, trades["entry_ns"].to_numpy())
    net = earned[_dealt(rng, trades, draws), own]
    description = (
        f"{draws:,} draws: the strategy's own entries, directions dealt out again among them, with"
        f" {rule.words}"
    )
    return _null("directions dealt out again", description, net, _again(rule, trades))


def session_direction_null(
    trades: pl.DataFrame, tape: HedgeTape, config: StrategyConfig
) -> NullDraws | None:
    """Return what the same entries would have earned with whole sessions traded the other way.

    As `direction_null`, but a draw turns all trades of a session round or none of them, each
    session with probability one half. Trades of a session may then go one way together and meet
    prices that do too: the session counts once.

    Parameters
    ----------
    trades : polars.DataFrame
        The trades table; None is returned when it is empty.
    tape : HedgeTape
    config : StrategyConfig
        Of the strategy that traded: its way out, seed, draws and latency.

    Notes
    -----
    A sign-flipping test by clusters: I. A. Canay, J. P. Romano and A. M. Shaikh, *Econometrica* 85
    (2017) 1013–1030. Of S sessions there are 2^S draws, the strategy itself among them, so that
    fewer than 7 sessions cannot give a p-value below 0.01.
    """
    if trades.is_empty():
        return None
    rng = np.random.default_rng([config.seed, _SESSIONS])
    rule = exit_rule(trades, tape, config)
    draws = _draws(tape, config)
    own = np.arange(trades.height)
    earned = _net_bps_both_ways(rule, trades, own, trades["entry_ns"].to_numpy())
    session = trades["session"].rank("dense").to_numpy().astype(np.int64) - 1
    bought = (trades["direction"].to_numpy() > 0).astype(np.int8)
    net = earned[turned(rng, bought, session, draws), own]
    sessions = int(session.max()) + 1
    description = (
        f"{draws:,} draws: the strategy's own entries, all directions of a session turned round or"
        f" none, with {rule.words}"
    )
    again = _again(rule, trades)
    null = _null("directions of whole sessions turned", description, net, again)
    return replace(null, distinct=2**sessions if sessions < _FEW_SESSIONS else None)


def turned(
    rng: np.random.Generator, bought: NDArray[np.int8], session: NDArray[np.int64], draws: int
) -> NDArray[np.int8]:
    """Return directions with whole sessions turned round, each with probability one half.

    Parameters
    ----------
    rng : numpy.random.Generator
    bought : ndarray of shape (trades,), int8
        1 buys, 0 sells.
    session : ndarray of shape (trades,), int64
        From 0 on.
    draws : int

    Returns
    -------
    ndarray of shape (draws, trades), int8
    """
    flips = rng.integers(0, 2, size=(draws, int(session.max()) + 1), dtype=np.int8)
    return flips[:, session] ^ bought


def _again(rule: ExitRule, trades: pl.DataFrame) -> NDArray[np.float64]:
    """Return what the trades themselves earn when they are followed as every draw is.

    Coherence holds it against what they did earn: a draw that leaves or pays otherwise than the
    strategy is no null of it. Exits that no draw makes are taken as they were.
    """
    own, side = np.arange(trades.height), (trades["direction"].to_numpy() > 0).astype(np.int8)
    earned = _net_bps_both_ways(rule, trades, own, trades["entry_ns"].to_numpy())
    unfollowed = trades["exit_reason"].is_in(UNFOLLOWED).to_numpy()
    return np.where(unfollowed, trades["net_bps"].to_numpy(), earned[side, own])


def _null(
    name: str, description: str, net_bps: NDArray[np.float64], observed: NDArray[np.float64]
) -> NullDraws:
    return NullDraws(
        name=name,
        description=description,
        mean_net_bps=net_bps.mean(axis=1),
        win_rate=(net_bps > 0).mean(axis=1),
        observed_mean_net_bps=float(observed.mean()),
        observed_win_rate=float((observed > 0).mean()),
    )


def _cost_bps(trades: pl.DataFrame) -> NDArray[np.float64]:
    costs = trades["fees_usd"] + trades["spread_usd"] + trades["slippage_usd"]
    notional = trades["units"] * trades["entry_price"]
    return (costs / notional).to_numpy() * BPS


def _grid(tape: HedgeTape) -> NDArray[np.int64]:
    """Return the instants at which a random order may be filled."""
    if tape.bars is not None:
        return tape.bars.start_ns
    if tape.ticks is None:
        message = "a hedge tape has bars or ticks"
        raise ValueError(message)
    first, last = int(tape.ticks.at_ns[0]), int(tape.ticks.at_ns[-1])
    return np.arange(first // MINUTE_NS + 1, last // MINUTE_NS, dtype=np.int64) * MINUTE_NS


def _candidates(
    grid: NDArray[np.int64],
    sessions: Sessions,
    entry: NDArray[np.int64],
    leave: NDArray[np.int64],
    closed_from: NDArray[np.int64],
    match_ns: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return two ranges of grid places per trade (before and after it) and its own place.

    Returns
    -------
    first, count : ndarray of shape (trades, 2), int64
    own : ndarray of shape (trades,), int64
    """
    index = np.searchsorted(sessions.open_ns, entry, side="right") - 1
    low = np.maximum(entry - match_ns, sessions.open_ns[index])
    high = np.minimum(entry + match_ns, closed_from - 1)
    begin = np.searchsorted(grid, low, side="left")
    own = np.searchsorted(grid, entry, side="left")
    after = np.searchsorted(grid, leave, side="left")
    end = np.searchsorted(grid, high, side="right")
    first = np.stack((begin, after), axis=1)
    count = np.maximum(0, np.stack((own - begin, end - after), axis=1))
    return first, count, np.minimum(own, grid.size - 1)


def _every_candidate(
    first: NDArray[np.int64], count: NDArray[np.int64], own: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return trade and grid place of every candidate, trade after trade; its own if it has none."""
    total = count.sum(axis=1)
    of = np.repeat(np.arange(own.size), np.maximum(total, 1))
    nth = np.arange(of.size) - np.searchsorted(of, np.arange(own.size))[of]
    before: NDArray[np.int64] = first[of, 0] + nth
    after: NDArray[np.int64] = first[of, 1] + nth - count[of, 0]
    chosen: NDArray[np.int64] = np.where(nth < count[of, 0], before, after)
    return of, np.where(total[of] > 0, chosen, own[of])


def _draws(tape: HedgeTape, config: StrategyConfig) -> int:
    return config.null.draws_on_bars if tape.bars is not None else config.null.draws_on_ticks


def _dealt(rng: np.random.Generator, trades: pl.DataFrame, draws: int) -> NDArray[np.int8]:
    """Return the trades' directions dealt out again in every draw: 1 buys, 0 sells."""
    bought = (trades["direction"].to_numpy() > 0).astype(np.int8)
    return rng.permuted(np.tile(bought, (draws, 1)), axis=1)


def _net_bps_both_ways(
    rule: ExitRule,
    trades: pl.DataFrame,
    of: NDArray[np.int64],
    fill_ns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return what trades would have earned, filled at instants, if they sold and if they bought.

    However many draws there are, no more exits than these have to be found. A stop of all trading
    ends no position here.

    Parameters
    ----------
    rule : ExitRule
        Of the same trades.
    trades : polars.DataFrame
    of, fill_ns : ndarray of shape (entries,), int64
        Which trade is entered, and from when on it is filled.

    Returns
    -------
    ndarray of shape (2, entries)
        Net basis points of the entry's price.
    """
    costs = _cost_bps(trades)[of]
    earned = np.empty((2, of.size))
    for row, side in enumerate((-1.0, 1.0)):
        entered, left = rule.prices(of, fill_ns, side)
        earned[row] = side * (left / entered - 1.0) * BPS - costs
    return earned
