"""How a ladder's figures are written, on its page and on a terminal."""

from __future__ import annotations

import math
from typing import Final

MOST_DIGITS: Final = 8
"""Decimals that are ever shown."""


def digits_of(*values: float | None) -> int:
    """Return the decimals at which the largest of some figures shows three significant digits.

    A ladder's gamma is thousands of shares or thousandths of a coin. Figures above 1,000 are shown
    whole; None is passed over.
    """
    largest = max((abs(each) for each in values if each), default=0.0)
    return min(MOST_DIGITS, max(0, 2 - math.floor(math.log10(largest)))) if largest else 0
