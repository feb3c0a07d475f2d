"""One position on one tape: its entry fill, its costs and its row, whichever strategy holds it."""

from __future__ import annotations

from dataclasses import dataclass

from hedgeflow.fills import CostModel, first_index_at_or_after, order_arrival_ns
from hedgeflow.ledger import RoundTrip, linear_pnl_usd
from hedgeflow.market.time import MINUTE_NS, SECOND_NS, iso
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import Reason, SizedPlan
from hedgeflow.strategies.settings import StrategyConfig


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
    """How a position ended.

    Attributes
    ----------
    at_ns : int
    price : float
    reason : str
        As the `trades` table names it, ``EXIT_TARGET_HIT`` and its like.
    why : str
        The same as a clause.
    flags : str
        What was unusual, comma-separated.
    """

    at_ns: int
    price: float
    reason: str
    why: str
    flags: str


def fill_entry(
    tape: HedgeTape, direction: int, decided_ns: int, config: StrategyConfig
) -> Entry | NoEntry:
    """Return the fill at the first bar's open or tick at or after the decision + latency.

    Not older than 5 minutes after the decision, and not within the flat time before the close
    (precise.md 24).

    Look-ahead: the fill lies in the decision's future; a refusal is known only when its time has
    passed, and says when.
    """
    arrival = order_arrival_ns(decided_ns, config.costs.latency_ms)
    oldest = round(config.plan.oldest_alert_minutes * MINUTE_NS)
    symbol = tape.instrument.symbol
    entry = first_fill(tape, direction, arrival)
    if entry is None:
        return NoEntry(
            Reason.NO_HEDGE_DATA,
            f"The tape of {symbol} ends before an order of this alert could have filled.",
            decided_ns + oldest,
        )
    if entry.at_ns - decided_ns > oldest:
        return NoEntry(
            Reason.ALERT_TOO_OLD,
            f"No price of {symbol} came within {config.plan.oldest_alert_minutes:g} minutes of "
            f"detection at {iso(decided_ns)}.",
            decided_ns + oldest,
        )
    flat_from = flat_ns(tape, entry.at_ns, config)
    if flat_from is not None and entry.at_ns >= flat_from:
        return NoEntry(
            Reason.NEAR_CLOSE,
            f"By the time the order could fill, {symbol} had to be flat before the close.",
            entry.at_ns,
        )
    return entry


def first_fill(tape: HedgeTape, direction: int, arrival_ns: int) -> Entry | None:
    """Return what an order gets that is at the venue at an instant; None after the tape's end."""
    index = first_index_at_or_after(tape.stamps, arrival_ns)
    return None if index == tape.stamps.size else entry_at(tape, index, direction)


def entry_at(tape: HedgeTape, index: int, direction: int) -> Entry:
    """Return what an order gets at a bar's open or a tick: the ask to buy, the bid to sell."""
    if tape.ticks is not None:
        price = (tape.ticks.ask if direction > 0 else tape.ticks.bid)[index]
    else:
        assert tape.bars is not None  # noqa: S101 - a tape has bars or ticks
        price = tape.bars.open[index]
    return Entry(index, int(tape.stamps[index]), float(price))


def flat_ns(tape: HedgeTape, at_ns: int, config: StrategyConfig) -> int | None:
    """Return from when positions are flat in the session of an instant; None if it never closes."""
    close = tape.close_ns(at_ns)
    if close is None:
        return None
    return close - round(config.risk.flat_before_close_minutes * MINUTE_NS)


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
    detected_ns: int,
    tape: HedgeTape,
    plan: SizedPlan,
    trips: tuple[RoundTrip, ...],
    closed: Closed,
    net_usd: float,
    *,
    added: SizedPlan | None = None,
) -> dict[str, object]:
    """Return the row of the `trades` table.

    Parameters
    ----------
    detected_ns : int
        When what was decided on was known.
    tape : HedgeTape
    plan : SizedPlan
    trips : tuple of RoundTrip
        The position and what was added to it: together they are one trade.
    closed : Closed
    net_usd : float
    added : SizedPlan, optional
        What was added.
    """
    order, first = plan.entry, trips[0]
    units, entry_price = _whole(trips)
    gross = sum(
        linear_pnl_usd(trip.direction, trip.units, trip.entry_price, trip.exit_price)
        for trip in trips
    )
    sides = [side for trip in trips for side in (trip.entry_costs, trip.exit_costs)]
    parts = (plan,) if added is None else (plan, added)
    size = sum(part.size_contracts for part in parts)
    return {
        "trade_id": first.trade_id,
        "alert_id": order.alert_id,
        "event_id": order.event_id,
        "session": tape.session_date(first.entry_ns),
        "underlying": order.underlying,
        "instrument": tape.instrument.symbol,
        "venue": tape.instrument.venue,
        "flow_class": order.flow_class,
        "urgency": order.urgency,
        "direction": order.direction,
        "size_contracts": size,
        "units": units,
        "detected_ns": detected_ns,
        "entry_ns": first.entry_ns,
        "entry_price": entry_price,
        "exit_ns": first.exit_ns,
        "exit_price": first.exit_price,
        "target": first.entry_price + order.direction * order.target_distance,
        "stop": first.entry_price - order.direction * order.stop_distance,
        "target_distance": order.target_distance,
        "stop_distance": order.stop_distance,
        "limit_minutes": order.limit_minutes,
        "point": order.point,
        "exit_reason": closed.reason,
        "flags": closed.flags,
        "age_seconds": (first.entry_ns - detected_ns) / SECOND_NS,
        "gross_usd": gross,
        "fees_usd": sum(side.fee_usd for side in sides),
        "spread_usd": sum(side.spread_usd for side in sides),
        "slippage_usd": sum(side.slippage_usd for side in sides),
        "net_usd": net_usd,
        "gross_points": gross / units / order.point,
        "net_points": net_usd / units / order.point,
        "net_bps": net_usd / (units * entry_price) * 1e4,
        "risk_usd": sum(part.risk_usd for part in parts),
        "sentence": _sentence(tape, plan, trips, closed, net_usd),
    }


def _whole(trips: tuple[RoundTrip, ...]) -> tuple[float, float]:
    """Return the units of a trade and what they cost on average."""
    if len(trips) == 1:
        return trips[0].units, trips[0].entry_price
    units = sum(trip.units for trip in trips)
    return units, sum(trip.units * trip.entry_price for trip in trips) / units


def _sentence(
    tape: HedgeTape,
    plan: SizedPlan,
    trips: tuple[RoundTrip, ...],
    closed: Closed,
    net_usd: float,
) -> str:
    trade = trips[0]
    verb = "Bought" if trade.direction > 0 else "Sold"
    minutes = (trade.exit_ns - trade.entry_ns) / MINUTE_NS
    more = "".join(
        f", {trip.units / tape.instrument.units_per_contract:g} more at {trip.entry_price:g} after "
        f"{(trip.entry_ns - trade.entry_ns) / MINUTE_NS:.1f} minutes,"
        for trip in trips[1:]
    )
    return (
        f"{verb} {plan.size_contracts:g} {tape.instrument.symbol} at {trade.entry_price:g}{more} "
        f"and left at {trade.exit_price:g} after {minutes:.1f} minutes "
        f"because {closed.why}: "
        f"{net_usd:+,.2f} USD net."
    )
