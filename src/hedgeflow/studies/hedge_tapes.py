"""What is traded on: the hedge instrument's ticks where there are any, else its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.replay import HedgeTape

if TYPE_CHECKING:
    from hedgeflow.studies.markets import Market


def hedge_tape(market: Market) -> HedgeTape:
    """Return the hedge instrument's ticks where quotes finer than its bars are known, else bars."""
    calendar, quotes = market.sessions.calendar, market.tick_quotes
    if quotes is not None:
        return HedgeTape.from_ticks(market.trades, quotes, market.hedge, calendar=calendar)
    return HedgeTape.from_bars(
        market.bars,
        market.hedge,
        market.bars_key.resolution_ns,
        calendar=calendar,
        coverage=market.bar_coverage,
    )
