"""The expected move: at-the-money implied volatility at a moment, and the source's point in it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.market.time import DAY_NS, MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.prints import ContractBook, PrintSlice


@dataclass(frozen=True, slots=True)
class MoveRules:
    """Which prints make the at-the-money volatility, and how long a point's move takes.

    Attributes
    ----------
    lookback_ns : int
    moneyness : float
        Largest abs(K/S - 1) of a print.
    days_min, days_max : float
        Time to expiry at the moment, days.
    prints : int
        Fewest prints of one expiry.
    points, minutes : float
        So many source points are the expected move over so many minutes.
    """

    lookback_ns: int
    moneyness: float
    days_min: float
    days_max: float
    prints: int
    points: float
    minutes: float


class VolatilityWindow:
    """The last hour of printed implied volatilities of one tape, as they came."""

    def __init__(self, rules: MoveRules, book: ContractBook) -> None:
        self._rules = rules
        self._book = book
        self._slices: deque[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]] = (
            deque()
        )

    def add(self, prints: PrintSlice) -> None:
        """Take in a slice of the raw tape and forget what is too old."""
        distance = np.abs(self._book.strike[prints.contract] - prints.spot)
        usable = (prints.iv > 0) & (distance <= self._rules.moneyness * prints.spot)
        if prints.ts.size:
            horizon = int(prints.ts[0]) - self._rules.lookback_ns
            while self._slices and int(self._slices[0][0][-1]) <= horizon:
                self._slices.popleft()
        if usable.any():
            self._slices.append((prints.ts[usable], prints.contract[usable], prints.iv[usable]))

    def at_the_money(self, now: int) -> float | None:
        """Return the volatility of the nearest expiry that has enough prints, else None.

        Look-ahead: reads prints in (now - lookback, now], the batch at `now` included
        (precise.md 23).
        """
        rules = self._rules
        parts = [
            (contract[inside], iv[inside])
            for ts, contract, iv in self._slices
            if (inside := (ts > now - rules.lookback_ns) & (ts <= now)).any()
        ]
        if not parts:
            return None
        contract = np.concatenate([part[0] for part in parts])
        iv = np.concatenate([part[1] for part in parts])
        expiry = self._book.expiry_ns[contract]
        left = (expiry - now) / DAY_NS
        eligible = (left >= rules.days_min) & (left <= rules.days_max)
        for candidate in np.unique(expiry[eligible]):
            chosen = iv[eligible & (expiry == candidate)]
            if chosen.size >= rules.prints:
                return float(np.median(chosen))
        return None


def realised_volatility(
    closes: NDArray[np.float64], interval_ns: int, minutes_per_year: float
) -> float | None:
    """Return the annualised root mean square of log returns of consecutive bars.

    Parameters
    ----------
    closes : ndarray of shape (n,)
        Closes of bars that were known at the decision, oldest first.
    interval_ns : int
        Bar length.
    minutes_per_year : float
        525,600 where markets never close, 252 x 390 otherwise.
    """
    if closes.size < 2:
        return None
    returns = np.diff(np.log(closes))
    bars_per_year = minutes_per_year * MINUTE_NS / interval_ns
    return float(np.sqrt(np.mean(returns**2) * bars_per_year))


def source_point(
    spot: float, volatility: float, rules: MoveRules, minutes_per_year: float
) -> float:
    """Return one source point in price units: p = S sigma sqrt(8 / minutes per year) / 8.

    Eight points are the expected eight-minute move (precise.md 23).
    """
    return spot * volatility * math.sqrt(rules.minutes / minutes_per_year) / rules.points
