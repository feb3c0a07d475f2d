"""How a volume shock's position ends on a tape: its exits, a kill, a hedge that is done."""

from __future__ import annotations

from typing import Final

from hedgeflow.fills import order_arrival_ns
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.replay.position import Closed, Entry, flat_ns
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import SizedPlan
from hedgeflow.signals.hedge_progress import HedgeDone
from hedgeflow.strategies.exits import Exit, flag_names
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.exits import exit_on_bars_many, exit_on_ticks
from hedgeflow.strategies.volume_shock.plan import watched_levels

_WORDS: Final = {
    Exit.EXIT_TIME_LIMIT: "its time limit had passed",
    Exit.EXIT_TARGET_HIT: "the target was hit",
    Exit.EXIT_STOP_HIT: "the stop was hit",
    Exit.EXIT_GAP: "the data had a gap",
    Exit.EXIT_END_OF_DATA: "the data ended",
    Exit.EXIT_FLAT_BEFORE_CLOSE: "positions are flat before the close",
    Exit.EXIT_KILLED: "trading was stopped",
    Exit.EXIT_HEDGE_COMPLETE: "the hedge was done",
}


def walk(
    tape: HedgeTape,
    plan: SizedPlan,
    entry: Entry,
    config: VolumeShockConfig,
    *,
    killed_ns: int | None = None,
    hedged: HedgeDone | None = None,
) -> Closed:
    """Return the position's end: by the bar rules on bars, by the source's order on ticks.

    The flat time before the close, a hedge that is done and a kill are time limits too, under
    their own names.

    Look-ahead: that the hedge is done was seen at its own instant, from trades known by then; the
    order that follows it, or a kill at `killed_ns`, arrives a latency later.
    """
    order = plan.entry
    target, stop, limit = watched_levels(
        order.target_distance,
        order.stop_distance,
        round(order.limit_minutes * MINUTE_NS),
        config.plan,
    )
    timed = Exit.EXIT_TIME_LIMIT
    flat_from = flat_ns(tape, entry.at_ns, config)
    if flat_from is not None and flat_from - entry.at_ns < limit:
        limit, timed = flat_from - entry.at_ns, Exit.EXIT_FLAT_BEFORE_CLOSE
    # Neither was known beforehand: on bars the order's way is part of the limit, while an exit on
    # ticks takes that way after its reason by itself.
    way_ms = 0.0 if tape.bars is None else config.costs.latency_ms
    for why, seen_ns in (
        (Exit.EXIT_HEDGE_COMPLETE, None if hedged is None else hedged.at_ns),
        (Exit.EXIT_KILLED, killed_ns),
    ):
        left = limit if seen_ns is None else order_arrival_ns(seen_ns, way_ms) - entry.at_ns
        if left < limit:
            limit, timed = max(0, left), why
    if tape.bars is not None:
        ends = exit_on_bars_many(
            tape.bars,
            [entry.index],
            order.direction,
            target,
            stop,
            limit,
            gap_bars=config.plan.gap_bars,
        )
        price, at_ns = float(ends.price[0]), int(ends.ns[0])
        code, flags = int(ends.reason[0]), int(ends.flags[0])
    else:
        price, at_ns, code, flags = _walk_ticks(
            tape, order.direction, entry, (target, stop, limit), config
        )
    reason = timed if code == Exit.EXIT_TIME_LIMIT else Exit(code)
    why = _WORDS[reason]
    if hedged is not None and reason is Exit.EXIT_HEDGE_COMPLETE:
        why = f"{100.0 * hedged.share:.0f} % of the predicted hedge were done"
    return Closed(at_ns, price, reason.name, why, flag_names(flags))


def _walk_ticks(
    tape: HedgeTape,
    direction: int,
    entry: Entry,
    levels: tuple[float, float, int],
    config: VolumeShockConfig,
) -> tuple[float, int, int, int]:
    ticks = tape.ticks
    assert ticks is not None  # noqa: S101 - a tape has bars or ticks
    return exit_on_ticks(
        ticks.at_ns,
        ticks.bid if direction > 0 else ticks.ask,
        entry.index,
        entry.price,
        direction,
        *levels,
        order_arrival_ns(0, config.costs.latency_ms),
    )
