"""How a ladder's figures are written, on its page and on a terminal."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hedgeflow.evidence.checks import JsonObject
from hedgeflow.evidence.report.sections import text

MOST_DIGITS: Final = 6
"""Decimals that are ever shown; what they do not show is nothing."""


def digits_of(*values: float | None) -> int:
    """Return the decimals at which the largest of some figures shows three significant digits.

    A ladder's gamma is thousands of shares or thousandths of a coin. Figures above 1,000 are shown
    whole; None is passed over, and so is what rounds to nothing.
    """
    largest = max((abs(round(each, MOST_DIGITS)) for each in values if each), default=0.0)
    return min(MOST_DIGITS, max(0, 2 - math.floor(math.log10(largest)))) if largest else 0


def bought_or_sold(units: float | None) -> str:
    """Return "buy 1,234", "sell 0.52", or "nothing"."""
    if not units or not round(units, MOST_DIGITS):
        return "nothing"
    return f"{'buy' if units > 0 else 'sell'} {abs(units):,.{digits_of(units)}f}"


def local(at: str, ladder: JsonObject, form: str) -> str:
    """Return an ISO instant by the clock of a ladder's exchange, in a form of `strftime`."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(text(ladder, "zone"))).strftime(form)
