"""How an option ends: the instant, the price that decides, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class SettlementKind(StrEnum):
    """What happens at an expiry (expiration-pressure.md 1)."""

    PIN_CASH = "pin-cash"
    """European, paid in cash against a fixing: nothing is delivered, nobody is assigned."""

    FUTURES_EXERCISE = "futures-exercise"
    """What is in the money becomes a position in the future, by itself, against a fixing."""

    AMERICAN_ASSIGNMENT = "american-assignment"
    """Holders exercise into shares, writers are assigned: the only literal assignment."""


class Moment(StrEnum):
    """When on its date an option expires."""

    OPEN = "open"
    CLOSE = "close"
    EIGHT_UTC = "08:00 UTC"


@dataclass(frozen=True, slots=True)
class Terms:
    """How an option ends.

    Attributes
    ----------
    settlement : SettlementKind
    moment : Moment
    fixing : str
        The price that decides, in words.
    fixing_minutes : float
        Length of the average that ends at the expiry; 0 for a single price.
    extra_minutes : int
        For which expiring options trade on after the instant that decides.
    last_trade_before : bool
        The last trade is in the session before.
    """

    settlement: SettlementKind
    moment: Moment
    fixing: str
    fixing_minutes: float = 0.0
    extra_minutes: int = 0
    last_trade_before: bool = False


STOCK_TERMS: Final = Terms(
    SettlementKind.AMERICAN_ASSIGNMENT,
    Moment.CLOSE,
    "the stock's closing price: by it what is 0.01 in the money is exercised, unless its holder"
    " says otherwise by 17:30 New York",
)
FUND_TERMS: Final = Terms(
    SettlementKind.AMERICAN_ASSIGNMENT,
    Moment.CLOSE,
    "the fund's close, 16:00 on full days, although its options trade for 15 minutes more: by that"
    " price it is told what is exercised, unless its holder says otherwise by 17:30 New York",
    extra_minutes=15,
)
OPENING_TERMS: Final = Terms(
    SettlementKind.PIN_CASH,
    Moment.OPEN,
    "special opening quotation: the index of its members' opening prices; last trade the session"
    " before",
    extra_minutes=15,
    last_trade_before=True,
)
VIX_TERMS: Final = Terms(
    SettlementKind.PIN_CASH,
    Moment.OPEN,
    "special opening quotation of VIX from the opening auction of SPX options; last trade the"
    " session before",
    extra_minutes=15,
    last_trade_before=True,
)
CLOSING_TERMS: Final = Terms(
    SettlementKind.PIN_CASH, Moment.CLOSE, "closing level of the index; last trade at the close"
)
FUTURE_CLOSING_TERMS: Final = Terms(
    SettlementKind.FUTURES_EXERCISE,
    Moment.CLOSE,
    "European: average price of the future over the last 30 seconds before the close, 15:59:30 to"
    " 16:00:00 on full days; no contrary instructions",
    fixing_minutes=0.5,
)
FUTURE_OPENING_TERMS: Final = Terms(
    SettlementKind.FUTURES_EXERCISE,
    Moment.OPEN,
    "American, into the future that ends at the same instant on the special opening quotation",
)
FUTURE_SERIAL_TERMS: Final = Terms(
    SettlementKind.FUTURES_EXERCISE,
    Moment.CLOSE,
    "American, into the next quarterly future; exercised by its price at the close",
)
DERIBIT_TERMS: Final = Terms(
    SettlementKind.PIN_CASH,
    Moment.EIGHT_UTC,
    "average of Deribit's index over the 30 minutes before, 07:30 to 08:00 UTC",
    fixing_minutes=30.0,
)
NSE_TERMS: Final = Terms(
    SettlementKind.PIN_CASH,
    Moment.CLOSE,
    "closing index: its members' average prices over the last 30 minutes, 15:00 to 15:30 India",
    fixing_minutes=30.0,
)
