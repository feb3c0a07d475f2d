"""Which options are listed when: daily and weekly expiries, strikes around the index price."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import polars as pl

from hedgeflow.market.contracts import Right, Settlement, Style
from hedgeflow.market.tapes import CONTRACT_COLUMNS, schema
from hedgeflow.market.time import DAY_NS, moment_of
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.hours import option_days, start_of
from hedgeflow.simulate.venue import UNDERLYING, venue_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.scenario import Scenario

_Number = TypeVar("_Number", np.int64, np.float64)

_STRIKE_DECIMALS: Final = 6
_DAYS_PER_WEEK: Final = 7
_FRIDAY: Final = 4
_EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """One expiry's listed strikes.

    Attributes
    ----------
    expiry_ns : int
        The expiration instant.
    strikes : ndarray of shape (n,), float64
        Ascending, quote currency.
    first_contract : ndarray of shape (n,), int64
        Row of each strike's call in the book; its put is the next row.
    """

    expiry_ns: int
    strikes: NDArray[np.float64]
    first_contract: NDArray[np.int64]

    def nearest(self, targets: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the index of the listed strike nearest to each target."""
        between = 0.5 * (self.strikes[1:] + self.strikes[:-1])
        return np.searchsorted(between, targets)


@dataclass(frozen=True, slots=True)
class Book:
    """The listed contracts in the order of listing, and the expiries that are live.

    Attributes
    ----------
    number : ndarray of shape (n_contracts,), int64
        Contracts counted from the first one listed: it stays when rows shift. Ascending.
    strike, right, expiry_ns, listed_ns : ndarray of shape (n_contracts,)
        Terms by row; right is +1 for a call and -1 for a put.
    symbol : Series of String
        Such as ``SIM-6JAN25-50000-C``.
    live : tuple of Expiry
        Those listed and not expired, soonest first.
    """

    number: NDArray[np.int64]
    strike: NDArray[np.float64]
    right: NDArray[np.int64]
    expiry_ns: NDArray[np.int64]
    listed_ns: NDArray[np.int64]
    symbol: pl.Series
    live: tuple[Expiry, ...] = ()

    @classmethod
    def empty(cls) -> Book:
        """Return a book without contracts."""
        integers = np.empty(0, dtype=np.int64)
        symbol = pl.Series("contract", [], dtype=pl.String)
        return cls(integers, np.empty(0), integers, integers, integers, symbol)

    def listed(self, scenario: Scenario, instant: int, price: float) -> Book:
        """Return the book after a listing: new strikes come, in rows behind those there are.

        Parameters
        ----------
        scenario : Scenario
        instant : int
            The listing, UTC nanoseconds; what expires at it is no longer live.
        price : float
            Index price that the new strikes surround.
        """
        before = {expiry.expiry_ns: expiry for expiry in self.live}
        rows = self.strike.size
        strikes: list[float] = []
        expiries: list[int] = []
        live: list[Expiry] = []
        for expiry_ns, step in expiries_ahead(scenario, instant):
            old = before.get(expiry_ns, Expiry(expiry_ns, np.empty(0), np.empty(0, dtype=np.int64)))
            new = np.setdiff1d(
                _strikes_around(price, step, scenario.chain.strikes_each_side), old.strikes
            )
            first = rows + 2 * (len(strikes) + np.arange(new.size, dtype=np.int64))
            strikes.extend(new.tolist())
            expiries.extend([expiry_ns] * new.size)
            merged = np.concatenate((old.strikes, new))
            order = np.argsort(merged)
            both = np.concatenate((old.first_contract, first))
            live.append(Expiry(expiry_ns, merged[order], both[order]))
        count = len(strikes)
        start = int(self.number[-1]) + 1 if rows else 0
        symbols = [
            _symbol(expiry, strike, right)
            for expiry, strike in zip(expiries, strikes, strict=True)
            for right in Right
        ]
        return Book(
            np.concatenate((self.number, start + np.arange(2 * count, dtype=np.int64))),
            np.concatenate((self.strike, np.repeat(np.array(strikes, dtype=np.float64), 2))),
            np.concatenate((self.right, np.tile(np.array([1, -1], dtype=np.int64), count))),
            np.concatenate((self.expiry_ns, np.repeat(np.array(expiries, dtype=np.int64), 2))),
            np.concatenate((self.listed_ns, np.full(2 * count, instant, dtype=np.int64))),
            pl.concat([self.symbol, pl.Series("contract", symbols, dtype=pl.String)]),
            tuple(live),
        )

    def without_expired(self, instant: int) -> Book:
        """Return the book with the rows of the contracts that expire after an instant only."""
        kept = self.expiry_ns > instant
        row = np.cumsum(kept) - 1
        return Book(
            self.number[kept],
            self.strike[kept],
            self.right[kept],
            self.expiry_ns[kept],
            self.listed_ns[kept],
            self.symbol.filter(pl.Series(kept)),
            tuple(
                replace(expiry, first_contract=row[expiry.first_contract])
                for expiry in self.live
                if expiry.expiry_ns > instant
            ),
        )

    def carried(self, before: Book, values: NDArray[_Number]) -> NDArray[_Number]:
        """Return values by row of an earlier book as values by row of this one, 0 where new."""
        out = np.zeros(self.number.size, dtype=values.dtype)
        _, here, there = np.intersect1d(
            self.number, before.number, assume_unique=True, return_indices=True
        )
        out[here] = values[there]
        return out

    def frame(self, scenario: Scenario) -> pl.DataFrame:
        """Return the terms of every row as a contracts table."""
        table = pl.DataFrame(
            {
                "contract": self.symbol,
                "right": np.where(self.right > 0, Right.CALL.value, Right.PUT.value),
                "strike": self.strike,
                "expiry": self.expiry_ns,
                "listed": self.listed_ns,
            }
        ).with_columns(
            venue=pl.lit(venue_of(scenario).name),
            underlying=pl.lit(UNDERLYING),
            multiplier=pl.lit(scenario.chain.multiplier),
            lot=pl.lit(scenario.chain.lot),
            style=pl.lit(Style.EUROPEAN.value),
            settlement=pl.lit(Settlement.CASH.value),
            inverse=pl.lit(value=False),
        )
        return conformed(table, schema(CONTRACT_COLUMNS))


def expiries_ahead(scenario: Scenario, instant: int) -> list[tuple[int, float]]:
    """Return the expiries listed at an instant, soonest first, each with its strike step.

    A weekly one is that of a Friday, or of the last day before it on which there is a session.
    """
    chain = scenario.chain
    days = option_days(scenario)
    first = int(np.searchsorted(days.end_ns, instant, side="right"))
    steps: dict[int, float] = {}
    next_friday = int(days.day[first]) + (_FRIDAY - _EPOCH_WEEKDAY - int(days.day[first])) % 7
    for week in range(chain.weekly_expiries):
        friday = next_friday + _DAYS_PER_WEEK * week
        steps[int(np.searchsorted(days.day, friday, side="right")) - 1] = chain.weekly_strike_step
    for date in chain.expiries:
        index = int(np.searchsorted(days.day, start_of(date) // DAY_NS))
        if index >= first:
            steps[index] = chain.weekly_strike_step
    for index in range(first, first + chain.daily_expiries):
        steps[index] = chain.daily_strike_step
    return [(int(days.end_ns[index]), steps[index]) for index in sorted(steps)]


def _strikes_around(price: float, step: float, each_side: int) -> NDArray[np.float64]:
    centre = round(price / step)
    lowest = max(1, centre - each_side)
    strikes: NDArray[np.float64] = lowest + np.arange(2 * each_side + 1, dtype=np.float64)
    return np.round(strikes * step, _STRIKE_DECIMALS)


def _symbol(expiry_ns: int, strike: float, right: Right) -> str:
    moment = moment_of(expiry_ns)
    month = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
    return (
        f"{UNDERLYING}-{moment.day}{month[moment.month - 1]}{moment.year % 100:02d}"
        f"-{strike:.12g}-{right.value}"
    )
