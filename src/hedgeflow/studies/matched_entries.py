"""The nulls of an event strategy: other minutes, and its own minutes with other directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.evidence import NullDraws
from hedgeflow.fills import order_arrival_ns
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.strategies.volume_shock.exits import exit_on_bars_many
from hedgeflow.strategies.volume_shock.tick_exits import exit_on_ticks_many

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.replay import HedgeTape
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

BPS: Final = 10_000.0
_DIRECTIONS: Final = 1
"""Keeps the generator of directions apart from that of entries."""


def matched_null(
    trades: pl.DataFrame, tape: HedgeTape, config: VolumeShockConfig
) -> NullDraws | None:
    """Return what the same exits would have earned from random entries.

    Each draw moves every trade to a random minute of its own session, near its own time, outside
    its own holding time and before the strategy must be flat; the directions are dealt out again
    among the trades; target, stop, time limit and gap rule stay, and so does each trade's cost in
    basis points. A trade that has no such minute keeps its own entry, which makes the null harder
    to beat.

    Parameters
    ----------
    trades : polars.DataFrame
        The trades table; None is returned when it is empty.
    tape : HedgeTape
        Bars, or ticks, which are entered on a grid of whole minutes.
    config : VolumeShockConfig
        Seed, draws, the match, latency, the gap rule and the flat time before the close.
    """
    if trades.is_empty():
        return None
    rng = np.random.default_rng(config.seed)
    entry = trades["entry_ns"].to_numpy()
    grid = _grid(tape)
    first, count, own = _candidates(grid, tape, entry, trades["exit_ns"].to_numpy(), config)
    null = config.null
    draws = null.draws_on_bars if tape.bars is not None else null.draws_on_ticks
    picks = _pick(rng, draws, first, count, own)
    direction = np.tile(trades["direction"].to_numpy().astype(np.float64), (draws, 1))
    direction = rng.permuted(direction, axis=1)
    entered, left = _round_trips(tape, trades, grid[picks], direction, config)
    cost_bps = _cost_bps(trades)
    net = direction * (left / entered - 1.0) * BPS - cost_bps
    description = (
        f"{draws:,} draws: each trade entered at a random minute of its own session within"
        f" {null.match_minutes:g} minutes of its own time, outside its holding time,"
        " directions dealt out again, with the same target, stop, time limit and costs"
    )
    return _null("matched random entries", description, net, trades)


def direction_null(
    trades: pl.DataFrame, tape: HedgeTape, config: VolumeShockConfig
) -> NullDraws | None:
    """Return what the same entries would have earned with their directions dealt out again.

    Minutes, target, stop, time limit, gap rule and each trade's cost in basis points stay; only
    which trades buy and which sell is drawn. Whatever prices do after alerts, trends and wild
    moves too, happens in every draw: the strategy differs from them by the choice of direction
    alone. If all trades have one direction, every draw is the strategy itself.

    Parameters
    ----------
    trades : polars.DataFrame
        The trades table; None is returned when it is empty.
    tape : HedgeTape
    config : VolumeShockConfig
        Seed, draws, latency, the gap rule and the flat time before the close.

    Notes
    -----
    A permutation test, exact where directions are exchangeable given the prices: E. J. G. Pitman,
    *Supplement to the JRSS* 4 (1937) 119–130.
    """
    if trades.is_empty():
        return None
    rng = np.random.default_rng([config.seed, _DIRECTIONS])
    null = config.null
    draws = null.draws_on_bars if tape.bars is not None else null.draws_on_ticks
    bought, sold = (_own_net_bps(tape, trades, side, config) for side in (1.0, -1.0))
    direction = np.tile(trades["direction"].to_numpy(), (draws, 1))
    net = np.where(rng.permuted(direction, axis=1) > 0, bought, sold)
    description = (
        f"{draws:,} draws: the strategy's own entries, directions dealt out again among them, with"
        " the same target, stop, time limit and costs"
    )
    return _null("directions dealt out again", description, net, trades)


def _null(
    name: str, description: str, net_bps: NDArray[np.float64], trades: pl.DataFrame
) -> NullDraws:
    observed = trades["net_bps"].to_numpy()
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
    tape: HedgeTape,
    entry: NDArray[np.int64],
    leave: NDArray[np.int64],
    config: VolumeShockConfig,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return two ranges of grid places per trade (before and after it) and its own place.

    Returns
    -------
    first, count : ndarray of shape (trades, 2), int64
    own : ndarray of shape (trades,), int64
    """
    sessions = tape.sessions
    index = np.searchsorted(sessions.open_ns, entry, side="right") - 1
    match_ns = round(config.null.match_minutes * MINUTE_NS)
    low = np.maximum(entry - match_ns, sessions.open_ns[index])
    high = np.minimum(entry + match_ns, _flat_from(tape, entry, config) - 1)
    begin = np.searchsorted(grid, low, side="left")
    own = np.searchsorted(grid, entry, side="left")
    after = np.searchsorted(grid, leave, side="left")
    end = np.searchsorted(grid, high, side="right")
    first = np.stack((begin, after), axis=1)
    count = np.maximum(0, np.stack((own - begin, end - after), axis=1))
    return first, count, np.minimum(own, grid.size - 1)


def _flat_from(
    tape: HedgeTape, at_ns: NDArray[np.int64], config: VolumeShockConfig
) -> NDArray[np.int64]:
    """Return from when the strategy is flat in the session of each instant."""
    sessions = tape.sessions
    index = np.searchsorted(sessions.open_ns, at_ns, side="right") - 1
    if sessions.calendar == ALWAYS_OPEN:
        return sessions.close_ns[index]
    return sessions.close_ns[index] - round(config.risk.flat_before_close_minutes * MINUTE_NS)


def _pick(
    rng: np.random.Generator,
    draws: int,
    first: NDArray[np.int64],
    count: NDArray[np.int64],
    own: NDArray[np.int64],
) -> NDArray[np.int64]:
    total = count.sum(axis=1)
    place = (rng.random((draws, own.size)) * total).astype(np.int64)
    before: NDArray[np.int64] = first[:, 0] + place
    after: NDArray[np.int64] = first[:, 1] + place - count[:, 0]
    chosen: NDArray[np.int64] = np.where(place < count[:, 0], before, after)
    return np.where(total > 0, chosen, own)


def _round_trips(
    tape: HedgeTape,
    trades: pl.DataFrame,
    at_ns: NDArray[np.int64],
    direction: NDArray[np.float64],
    config: VolumeShockConfig,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return entry and exit prices of every draw of every trade, entered at or after instants."""
    if tape.bars is None:
        at_ns = at_ns + order_arrival_ns(0, config.costs.latency_ms)
    return _followed(tape, trades, at_ns, direction, config)


def _own_net_bps(
    tape: HedgeTape, trades: pl.DataFrame, side: float, config: VolumeShockConfig
) -> NDArray[np.float64]:
    """Return the net result of each trade at its own entry, if all had gone one way.

    A stop of all trading ends no position here.
    """
    at_ns = trades["entry_ns"].to_numpy()[np.newaxis]
    entered, left = _followed(tape, trades, at_ns, np.full(at_ns.shape, side), config)
    return side * (left[0] / entered[0] - 1.0) * BPS - _cost_bps(trades)


def _followed(
    tape: HedgeTape,
    trades: pl.DataFrame,
    fill_ns: NDArray[np.int64],
    direction: NDArray[np.float64],
    config: VolumeShockConfig,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return entry and exit prices of every draw of every trade, filled from instants on."""
    draws = fill_ns.shape[0]
    target = np.tile(trades["target_distance"].to_numpy(), draws)
    stop = np.tile(trades["stop_distance"].to_numpy(), draws)
    limit = np.tile(np.rint(trades["limit_minutes"].to_numpy() * MINUTE_NS).astype(np.int64), draws)
    if tape.sessions.calendar != ALWAYS_OPEN:
        filled = fill_ns.ravel()
        limit = np.minimum(limit, np.maximum(0, _flat_from(tape, filled, config) - filled))
    side = direction.ravel()
    if tape.bars is not None:
        place = np.searchsorted(tape.bars.start_ns, fill_ns.ravel())
        exits = exit_on_bars_many(
            tape.bars, place, side, target, stop, limit, gap_bars=config.plan.gap_bars
        )
        return tape.bars.open[place].reshape(fill_ns.shape), exits.price.reshape(fill_ns.shape)
    if tape.ticks is None:
        message = "a hedge tape has bars or ticks"
        raise ValueError(message)
    latency_ns = order_arrival_ns(0, config.costs.latency_ms)
    ticks = tape.ticks
    place = np.minimum(np.searchsorted(ticks.at_ns, fill_ns.ravel()), ticks.at_ns.size - 1)
    entered = np.where(side > 0, ticks.ask[place], ticks.bid[place])
    exits = exit_on_ticks_many(
        ticks.at_ns, ticks.bid, ticks.ask, place, entered, side, target, stop, limit, latency_ns
    )
    return entered.reshape(fill_ns.shape), exits.price.reshape(fill_ns.shape)
