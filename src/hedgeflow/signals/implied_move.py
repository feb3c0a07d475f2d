"""The expected move: at-the-money implied volatility at a moment, and the source's point in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from hedgeflow.market.time import DAY_NS, MINUTE_NS, YEAR_NS
from hedgeflow.pricing import implied_vol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.prints import ContractBook, PrintSlice

_SMALLEST_BUFFER = 1_024


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
    """The last hour of volatilities near the money, printed or solved, chained by expiry."""

    def __init__(self, rules: MoveRules, book: ContractBook) -> None:
        self._rules = rules
        self._book = book
        self._codes: dict[int, int] = {}
        self._expiries = np.zeros(0, np.int64)
        self._code_of = np.zeros(0, np.int64)
        self._expiry = np.zeros(0, np.int32)
        self._newest = np.zeros(0, np.int64)
        self._base = self._end = 0
        self._ts = np.zeros(_SMALLEST_BUFFER, np.int64)
        self._iv = np.zeros(_SMALLEST_BUFFER)
        self._contract = np.zeros(_SMALLEST_BUFFER, np.int32)
        self._price = np.zeros(_SMALLEST_BUFFER)
        self._spot = np.zeros(_SMALLEST_BUFFER)
        self._previous = np.zeros(_SMALLEST_BUFFER, np.int64)

    def add(self, prints: PrintSlice) -> None:
        """Take in a slice of the raw tape and forget what is too old."""
        if prints.ts.size == 0:
            return
        self._learn_contracts()
        self._make_room(prints.ts.size, int(prints.ts[0]) - self._rules.lookback_ns)
        self._end = _keep_near_the_money(
            prints.ts,
            prints.contract,
            prints.iv,
            prints.price,
            prints.spot,
            self._book.strike,
            self._rules.moneyness,
            self._expiry,
            self._newest,
            self._base,
            self._end,
            self._ts,
            self._iv,
            self._contract,
            self._price,
            self._spot,
            self._previous,
        )

    def at_the_money(self, now: int) -> float | None:
        """Return the volatility of the nearest expiry that has enough prints, else None.

        Look-ahead: reads prints in (now - lookback, now], the batch at `now` included
        (precise.md 23).
        """
        found = float(self.at_the_money_each(np.array([now], np.int64))[0])
        return None if math.isnan(found) else found

    def at_the_money_each(self, instants: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return `at_the_money` of each of some ascending instants, NaN where it is None.

        Look-ahead: as there, each by its own instant; prints that came later may be in already.
        """
        rules = self._rules
        return _nearest_medians(
            instants,
            self._ts,
            self._iv,
            self._contract,
            self._price,
            self._spot,
            self._book.right,
            self._book.strike,
            self._expiries,
            self._book.inverse,
            self._previous,
            self._newest[self._code_of] - self._base,
            self._base,
            rules.lookback_ns,
            rules.days_min,
            rules.days_max,
            rules.prints,
        )

    def _learn_contracts(self) -> None:
        """Number the expiries of contracts first met since the last slice."""
        known = self._expiry.size
        if known == len(self._book):
            return
        expiries = self._book.expiry_ns[known : len(self._book)].tolist()
        codes = [self._codes.setdefault(expiry, len(self._codes)) for expiry in expiries]
        self._expiry = np.concatenate((self._expiry, np.array(codes, np.int32)))
        new = np.full(len(self._codes) - self._newest.size, -1, np.int64)
        self._newest = np.concatenate((self._newest, new))
        ascending = sorted(self._codes.items())
        self._expiries, self._code_of = np.array(ascending, np.int64).T.copy()

    def _make_room(self, count: int, horizon: int) -> None:
        """Make sure that `count` prints fit, dropping those at or before the horizon."""
        used = self._end - self._base
        if used + count <= self._ts.size:
            return
        old = int(np.searchsorted(self._ts[:used], horizon, side="right"))
        kept = used - old
        size = max(self._ts.size, 2 * (kept + count))
        for name in ("_ts", "_iv", "_contract", "_price", "_spot", "_previous"):
            column = getattr(self, name)
            moved = np.zeros(size, column.dtype)
            moved[:kept] = column[old:used]
            setattr(self, name, moved)
        self._base += old


@nb.njit(cache=True)
def _keep_near_the_money(
    ts: NDArray[np.int64],
    contract: NDArray[np.int32],
    iv: NDArray[np.float64],
    price: NDArray[np.float64],
    spot: NDArray[np.float64],
    strike: NDArray[np.float64],
    moneyness: float,
    expiry: NDArray[np.int32],
    newest: NDArray[np.int64],
    base: int,
    end: int,
    kept_ts: NDArray[np.int64],
    kept_iv: NDArray[np.float64],
    kept_contract: NDArray[np.int32],
    kept_price: NDArray[np.float64],
    kept_spot: NDArray[np.float64],
    previous: NDArray[np.int64],
) -> int:
    """Append usable prints, each linked to the one before of its expiry; return the new end."""
    for i in range(ts.size):
        c = contract[i]
        usable = iv[i] > 0.0 or math.isnan(iv[i])
        if usable and abs(strike[c] - spot[i]) <= moneyness * spot[i]:
            kept_ts[end - base] = ts[i]
            kept_iv[end - base] = iv[i]
            kept_contract[end - base] = c
            kept_price[end - base] = price[i]
            kept_spot[end - base] = spot[i]
            previous[end - base] = newest[expiry[c]]
            newest[expiry[c]] = end
            end += 1
    return end


@nb.njit(cache=True)
def _nearest_medians(
    instants: NDArray[np.int64],
    ts: NDArray[np.int64],
    iv: NDArray[np.float64],
    contract: NDArray[np.int32],
    price: NDArray[np.float64],
    spot: NDArray[np.float64],
    right: NDArray[np.int8],
    strike: NDArray[np.float64],
    expiries: NDArray[np.int64],
    inverse: bool,
    previous: NDArray[np.int64],
    newest: NDArray[np.int64],
    base: int,
    lookback_ns: int,
    days_min: float,
    days_max: float,
    prints: int,
) -> NDArray[np.float64]:
    """Return each instant's median of the first expiry that has enough prints, NaN without one.

    The last instant comes first: what is too new for it is so for all before, and `newest` is
    moved behind it once.
    """
    medians = np.full(instants.size, np.nan)
    chosen = np.empty(ts.size)
    for i in range(instants.size - 1, -1, -1):
        now = instants[i]
        for e in range(expiries.size):
            if not days_min <= (expiries[e] - now) / DAY_NS <= days_max:
                continue
            while newest[e] >= 0 and ts[newest[e]] > now:
                newest[e] = previous[newest[e]] - base
            count = _volatilities(
                ts,
                iv,
                contract,
                price,
                spot,
                right,
                strike,
                expiries[e],
                inverse,
                previous,
                newest[e],
                base,
                now - lookback_ns,
                chosen,
            )
            if count >= prints:
                medians[i] = np.median(chosen[:count])
                break
    return medians


@nb.njit(cache=True)
def _volatilities(
    ts: NDArray[np.int64],
    iv: NDArray[np.float64],
    contract: NDArray[np.int32],
    price: NDArray[np.float64],
    spot: NDArray[np.float64],
    right: NDArray[np.int8],
    strike: NDArray[np.float64],
    expiry_ns: int,
    inverse: bool,
    previous: NDArray[np.int64],
    newest: int,
    base: int,
    since: int,
    chosen: NDArray[np.float64],
) -> int:
    """Write the volatilities of one expiry after `since`, up to its print `newest`; count them.

    A print that gave none has the one of its price, solved when it is first asked for and kept;
    0 stands for a price without a volatility.
    """
    count, place = 0, newest
    while place >= 0 and ts[place] > since:
        if math.isnan(iv[place]):
            c: int = contract[place]
            worth = price[place] * spot[place] if inverse else price[place]
            years = (expiry_ns - ts[place]) / YEAR_NS
            solved = implied_vol(right[c], worth, spot[place], strike[c], years)
            iv[place] = max(0.0, solved)
        if iv[place] > 0.0:
            chosen[count] = iv[place]
            count += 1
        place = previous[place] - base
    return count


def realised_volatility(
    returns: NDArray[np.float64], interval_ns: int, minutes_per_year: float
) -> float | None:
    """Return the annualised root mean square of bars' log returns, or None without one.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Log returns of adjacent bars of one session that were known at the decision.
    interval_ns : int
        Bar length.
    minutes_per_year : float
        525,600 where markets never close, 252 x 390 otherwise.
    """
    if returns.size == 0:
        return None
    bars_per_year = minutes_per_year * MINUTE_NS / interval_ns
    return float(np.sqrt(np.mean(returns**2) * bars_per_year))


def source_point(
    spot: float, volatility: float, rules: MoveRules, minutes_per_year: float
) -> float:
    """Return one source point in price units: p = S sigma sqrt(8 / minutes per year) / 8.

    Eight points are the expected eight-minute move (precise.md 23).
    """
    return spot * volatility * math.sqrt(rules.minutes / minutes_per_year) / rules.points
