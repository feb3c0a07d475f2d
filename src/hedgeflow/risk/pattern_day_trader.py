"""The pattern-day-trader rule, dated and by product (platform.md 10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from hedgeflow.market.contracts import HedgeKind

MINIMUM_EQUITY_USD: Final = 25_000.0
REPLACED_FROM: Final = date(2026, 6, 4)
REPLACED_EVERYWHERE: Final = date(2027, 10, 20)


@dataclass(frozen=True, slots=True)
class PatternDayTraderRule:
    """Whether the rule binds a product on a date.

    Attributes
    ----------
    applies : bool
    minimum_equity_usd : float
        0 where it does not apply.
    sentence : str
    """

    applies: bool
    minimum_equity_usd: float
    sentence: str


def pdt(
    product: HedgeKind, on: date, *, broker_uses_intraday_margin: bool = False
) -> PatternDayTraderRule:
    """Return the pattern-day-trader rule for a product on a date.

    FINRA rule 4210 binds US margin securities accounts only: 25,000 USD of equity. It is replaced
    by intraday margin from 2026-06-04, brokers changing over until 2027-10-20; in between it is
    taken to bind unless the broker is said to have changed.

    Parameters
    ----------
    product : HedgeKind
    on : date
    broker_uses_intraday_margin : bool
        Heeded only during the change-over.
    """
    if product is not HedgeKind.STOCK:
        return PatternDayTraderRule(
            False,
            0.0,
            f"The pattern-day-trader rule never applies to a {product.value}: it binds US margin "
            "securities accounts only.",
        )
    if on >= REPLACED_EVERYWHERE or (on >= REPLACED_FROM and broker_uses_intraday_margin):
        return PatternDayTraderRule(
            False,
            0.0,
            f"On {on.isoformat()} intraday margin has replaced the pattern-day-trader rule.",
        )
    phase = " until the broker changes over to intraday margin" if on >= REPLACED_FROM else ""
    return PatternDayTraderRule(
        True,
        MINIMUM_EQUITY_USD,
        f"On {on.isoformat()} day trading stocks in a US margin account needs "
        f"{MINIMUM_EQUITY_USD:,.0f} USD of equity{phase}.",
    )
