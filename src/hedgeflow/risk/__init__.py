"""What a plan must pass before it is an order: limits, sizing, calendars, governor, kill switch."""

from hedgeflow.risk.calendar_files import read_calendar
from hedgeflow.risk.calendars import (
    Calendar,
    CalendarKind,
    ScheduledEvent,
    calendar_sentence,
)
from hedgeflow.risk.decision import Decision, SizedPlan
from hedgeflow.risk.governor import Governor, Kill
from hedgeflow.risk.limits import AccountState, MarketState, OpenPosition, decide
from hedgeflow.risk.pattern_day_trader import PatternDayTraderRule, pdt
from hedgeflow.risk.reasons import Reason
from hedgeflow.risk.sizing import Cap, Sizing, size_plan
from hedgeflow.risk.volatility_index import VolatilityIndex, load_volatility_index

__all__ = [
    "AccountState",
    "Calendar",
    "CalendarKind",
    "Cap",
    "Decision",
    "Governor",
    "Kill",
    "MarketState",
    "OpenPosition",
    "PatternDayTraderRule",
    "Reason",
    "ScheduledEvent",
    "SizedPlan",
    "Sizing",
    "VolatilityIndex",
    "calendar_sentence",
    "decide",
    "load_volatility_index",
    "pdt",
    "read_calendar",
    "size_plan",
]
