"""One position on one tape: its entry fill, its exit, its costs and its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hedgeflow.fills import CostModel, first_index_at_or_after, order_arrival_ns
from hedgeflow.ledger import RoundTrip, linear_pnl_usd
from hedgeflow.market.time import MINUTE_NS, SECOND_NS, iso
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import Reason, SizedPlan
from hedgeflow.signals.hedge_progress import HedgeDone
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.exits import (
    Exit,
    exit_on_bars_many,
    exit_on_ticks,
    flag_names,
)
from hedgeflow.strategies.volume_shock.plan import watched_levels


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an order filled.

    Attributes
    ----------
    index : int
        Of the bar or tick.
    at_ns : int
    price : float
    """

    index: int
    at_ns: int
    price: float


@dataclass(frozen=True, slots=True)
class NoEntry:
    """An order that never filled, and when that was known."""

    reason: Reason
    sentence: str
    known_ns: int


@dataclass(frozen=True, slots=True)
class Closed:
    """How a position ended, and how much of the hedge was done where that ended it."""

    at_ns: int
    price: float
    reason: Exit
    flags: str
    hedge_done: float | None = None


def fill_entry(
    tape: HedgeTape, plan: SizedPlan, detected_ns: int, config: VolumeShockConfig
) -> Entry | NoEntry:
    """Return the fill at the first bar's open or tick at or after detection + latency.

    Not older than 5 minutes after detection, and not within the flat time before the close
    (precise.md 24).

    Look-ahead: the fill lies in the decision's future; a refusal is known only when its time has
    passed, and says when.
    """
    arrival = order_arrival_ns(detected_ns, config.costs.latency_ms)
    oldest = round(config.plan.oldest_alert_minutes * MINUTE_NS)
    symbol = tape.instrument.symbol
    stamps = tape.ticks.at_ns if tape.ticks is not None else None
    if stamps is None and tape.bars is not None:
        stamps = tape.bars.start_ns
    index = first_index_at_or_after(stamps, arrival) if stamps is not None else 0
    if stamps is None or index == stamps.size:
        return NoEntry(
            Reason.NO_HEDGE_DATA,
            f"The tape of {symbol} ends before an order of this alert could have filled.",
            detected_ns + oldest,
        )
    at_ns = int(stamps[index])
    if at_ns - detected_ns > oldest:
        return NoEntry(
            Reason.ALERT_TOO_OLD,
            f"No price of {symbol} came within {config.plan.oldest_alert_minutes:g} minutes of "
            f"detection at {iso(detected_ns)}.",
            detected_ns + oldest,
        )
    flat_ns = _flat_ns(tape, at_ns, config)
    if flat_ns is not None and at_ns >= flat_ns:
        return NoEntry(
            Reason.NEAR_CLOSE,
            f"By the time the order could fill, {symbol} had to be flat before the close.",
            at_ns,
        )
    long = plan.entry.direction > 0
    if tape.ticks is not None:
        price = tape.ticks.ask[index] if long else tape.ticks.bid[index]
        return Entry(index, at_ns, float(price))
    return Entry(index, at_ns, float(tape.bars.open[index]) if tape.bars is not None else 0.0)


def _flat_ns(tape: HedgeTape, at_ns: int, config: VolumeShockConfig) -> int | None:
    close = tape.close_ns(at_ns)
    if close is None:
        return None
    return close - round(config.risk.flat_before_close_minutes * MINUTE_NS)


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
    flat_ns = _flat_ns(tape, entry.at_ns, config)
    if flat_ns is not None and flat_ns - entry.at_ns < limit:
        limit, timed = flat_ns - entry.at_ns, Exit.EXIT_FLAT_BEFORE_CLOSE
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
    done = hedged.share if hedged is not None and reason is Exit.EXIT_HEDGE_COMPLETE else None
    return Closed(at_ns, price, reason, flag_names(flags), done)


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


def round_trip(
    tape: HedgeTape, plan: SizedPlan, entry: Entry, closed: Closed, costs: CostModel
) -> RoundTrip:
    """Return the trade as the books take it."""
    quoted = tape.quoted
    return RoundTrip(
        trade_id=f"{plan.entry.alert_id}:trade",
        instrument=tape.instrument.symbol,
        direction=plan.entry.direction,
        units=plan.units,
        entry_ns=entry.at_ns,
        entry_price=entry.price,
        exit_ns=closed.at_ns,
        exit_price=closed.price,
        entry_costs=costs.side(entry.price, plan.size_contracts, at_quotes=quoted),
        exit_costs=costs.side(closed.price, plan.size_contracts, at_quotes=quoted),
    )


def trade_row(
    alert: Mapping[str, Any],
    tape: HedgeTape,
    plan: SizedPlan,
    trade: RoundTrip,
    closed: Closed,
    net_usd: float,
) -> dict[str, object]:
    """Return the row of the `trades` table."""
    order = plan.entry
    gross = linear_pnl_usd(trade.direction, trade.units, trade.entry_price, trade.exit_price)
    sides = (trade.entry_costs, trade.exit_costs)
    detected = int(alert["detected_ns"])
    return {
        "trade_id": trade.trade_id,
        "alert_id": order.alert_id,
        "event_id": order.event_id,
        "session": tape.session_date(trade.entry_ns),
        "underlying": order.underlying,
        "instrument": tape.instrument.symbol,
        "venue": tape.instrument.venue,
        "flow_class": order.flow_class,
        "urgency": order.urgency,
        "direction": order.direction,
        "size_contracts": plan.size_contracts,
        "units": plan.units,
        "detected_ns": detected,
        "entry_ns": trade.entry_ns,
        "entry_price": trade.entry_price,
        "exit_ns": trade.exit_ns,
        "exit_price": trade.exit_price,
        "target": trade.entry_price + order.direction * order.target_distance,
        "stop": trade.entry_price - order.direction * order.stop_distance,
        "target_distance": order.target_distance,
        "stop_distance": order.stop_distance,
        "limit_minutes": order.limit_minutes,
        "point": order.point,
        "exit_reason": closed.reason.name,
        "flags": closed.flags,
        "age_seconds": (trade.entry_ns - detected) / SECOND_NS,
        "gross_usd": gross,
        "fees_usd": sum(side.fee_usd for side in sides),
        "spread_usd": sum(side.spread_usd for side in sides),
        "slippage_usd": sum(side.slippage_usd for side in sides),
        "net_usd": net_usd,
        "gross_points": gross / trade.units / order.point,
        "net_points": net_usd / trade.units / order.point,
        "net_bps": net_usd / (trade.units * trade.entry_price) * 1e4,
        "risk_usd": plan.risk_usd,
        "sentence": _sentence(tape, plan, trade, closed, net_usd),
    }


_WORDS = {
    Exit.EXIT_TIME_LIMIT: "its time limit had passed",
    Exit.EXIT_TARGET_HIT: "the target was hit",
    Exit.EXIT_STOP_HIT: "the stop was hit",
    Exit.EXIT_GAP: "the data had a gap",
    Exit.EXIT_END_OF_DATA: "the data ended",
    Exit.EXIT_FLAT_BEFORE_CLOSE: "positions are flat before the close",
    Exit.EXIT_KILLED: "trading was stopped",
    Exit.EXIT_HEDGE_COMPLETE: "the hedge was done",
}


def _why(closed: Closed) -> str:
    if closed.hedge_done is None:
        return _WORDS[closed.reason]
    return f"{100.0 * closed.hedge_done:.0f} % of the predicted hedge were done"


def _sentence(
    tape: HedgeTape, plan: SizedPlan, trade: RoundTrip, closed: Closed, net_usd: float
) -> str:
    verb = "Bought" if trade.direction > 0 else "Sold"
    minutes = (trade.exit_ns - trade.entry_ns) / MINUTE_NS
    return (
        f"{verb} {plan.size_contracts:g} {tape.instrument.symbol} at {trade.entry_price:g} and "
        f"left at {trade.exit_price:g} after {minutes:.1f} minutes "
        f"because {_why(closed)}: "
        f"{net_usd:+,.2f} USD net."
    )
