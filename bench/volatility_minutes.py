"""The volatility at the money, asked once a minute through a day, as a scan of expiries asks.

The peer is NumPy over the same prints sorted by expiry: it finds each hour by bisection. It knows
the whole day at the start, and solves no price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from option_day import OptionDays
from table import Row
from timing import best_of

from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.signals.implied_move import VolatilityWindow
from hedgeflow.signals.prints import ContractBook
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.rules import pressure_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from option_day import TradeSizes

    from hedgeflow.signals.implied_move import MoveRules
    from hedgeflow.signals.prints import PrintSlice


def run(sizes: TradeSizes, runs: int) -> list[Row]:
    """Return the rows of the window and of its peer; every volatility is compared first."""
    days = OptionDays(sizes)
    slices = [days.slice(days.measured, place) for place in range(sizes.slices)]
    opened, closed = days.sessions.open_ns[days.measured], days.sessions.close_ns[days.measured]
    asked = np.arange(opened + MINUTE_NS, closed + 1, MINUTE_NS)
    config = ExpirationPressureConfig.normalized()
    rules = pressure_rules(config, days.sessions.minutes_per_year).move
    _windowed(days, slices, asked[:1], rules)  # compiles
    ours, found = best_of(runs, lambda: _windowed(days, slices, asked, rules))
    theirs, expected = best_of(runs, lambda: _bisected(days, slices, asked, rules))
    assert np.array_equal(found, expected, equal_nan=True), "the peer finds other volatilities"
    answered = int(np.count_nonzero(~np.isnan(found)))
    assert answered > 0
    rate = sizes.trades / ours.cpu_seconds / 1e6
    peer = sizes.trades / theirs.cpu_seconds / 1e6
    note = f"{ours.cpu_seconds:.2f} s; {answered:,} of {asked.size:,} minutes have one"
    same = f"{theirs.cpu_seconds:.2f} s; the same volatilities"
    return [
        Row("hedgeflow, window", rate, "M trades/s", 1.0, note),
        Row("NumPy, bisection in the sorted day", peer, "M trades/s", rate / peer, same),
    ]


def _windowed(
    days: OptionDays, slices: list[PrintSlice], asked: NDArray[np.int64], rules: MoveRules
) -> NDArray[np.float64]:
    """Return each instant's volatility, slice after slice."""
    book = ContractBook(days.terms)
    book.indices(days.terms["contract"].to_list())
    window = VolatilityWindow(rules, book)
    found: list[NDArray[np.float64]] = []
    done = 0
    for place, prints in enumerate(slices):
        window.add(prints)
        is_last = place + 1 == len(slices)
        stop = asked.size if is_last else int(np.searchsorted(asked, slices[place + 1].ts[0]))
        found.append(window.at_the_money_each(asked[done:stop]))
        done = stop
    return np.concatenate(found)


def _bisected(
    days: OptionDays, slices: list[PrintSlice], asked: NDArray[np.int64], rules: MoveRules
) -> NDArray[np.float64]:
    """Return the same from one day's prints, expiry by expiry."""
    ts, contract, iv, spot = (
        np.concatenate([getattr(each, name) for each in slices])
        for name in ("ts", "contract", "iv", "spot")
    )
    strike = days.terms["strike"].to_numpy()[contract]
    expiry = days.terms["expiry"].dt.timestamp("ns").to_numpy()[contract]
    near = (np.abs(strike - spot) <= rules.moneyness * spot) & (iv > 0.0)
    found = np.full(asked.size, np.nan)
    for at in np.unique(expiry):
        own = near & (expiry == at)
        stamps, values = ts[own], iv[own]
        first = np.searchsorted(stamps, asked - rules.lookback_ns, side="right")
        stop = np.searchsorted(stamps, asked, side="right")
        away = (at - asked) / DAY_NS
        usable = (rules.days_min <= away) & (away <= rules.days_max)
        usable &= np.isnan(found) & (stop - first >= rules.prints)
        for i in np.flatnonzero(usable):
            found[i] = np.median(values[first[i] : stop[i]])
    return found
