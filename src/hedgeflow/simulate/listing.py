"""Which options are listed when: daily and weekly expiries, strikes around the index price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.contracts import Right, Settlement, Style
from hedgeflow.market.tapes import CONTRACT_COLUMNS, schema
from hedgeflow.market.time import DAY_NS, HOUR_NS, moment_of
from hedgeflow.simulate.conforming import conformed
from hedgeflow.simulate.hours import EXPIRY_HOUR_UTC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.scenario import Scenario

VENUE: Final = "sim"
UNDERLYING: Final = "SIM"
PERPETUAL: Final = "SIM-PERP"
LOT: Final = 0.1
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
    """Every contract ever listed, in the order of listing, and the expiries that are live.

    Attributes
    ----------
    strike, right, expiry_ns, listed_ns : ndarray of shape (n_contracts,)
        Terms by row; right is +1 for a call and -1 for a put.
    live : tuple of Expiry
        Those listed and not expired, soonest first.
    """

    strike: NDArray[np.float64]
    right: NDArray[np.int64]
    expiry_ns: NDArray[np.int64]
    listed_ns: NDArray[np.int64]
    live: tuple[Expiry, ...] = ()

    @classmethod
    def empty(cls) -> Book:
        """Return a book without contracts."""
        integers = np.empty(0, dtype=np.int64)
        return cls(np.empty(0), integers, integers, integers)

    def listed(self, scenario: Scenario, instant: int, price: float) -> Book:
        """Return the book after a listing: expired contracts leave, new strikes come.

        Parameters
        ----------
        scenario : Scenario
        instant : int
            The listing, UTC nanoseconds; what expires at it is no longer live.
        price : float
            Index price that the new strikes surround.
        """
        before = {expiry.expiry_ns: expiry for expiry in self.live if expiry.expiry_ns > instant}
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
        return Book(
            np.concatenate((self.strike, np.repeat(np.array(strikes, dtype=np.float64), 2))),
            np.concatenate((self.right, np.tile(np.array([1, -1], dtype=np.int64), count))),
            np.concatenate((self.expiry_ns, np.repeat(np.array(expiries, dtype=np.int64), 2))),
            np.concatenate((self.listed_ns, np.full(2 * count, instant, dtype=np.int64))),
            tuple(live),
        )

    def symbols(self) -> pl.Series:
        """Return the symbol of each row, such as ``SIM-6JAN25-50000-C``."""
        return pl.Series(
            "contract",
            [
                _symbol(expiry, strike, right)
                for expiry, strike, right in zip(
                    self.expiry_ns.tolist(), self.strike.tolist(), self.right.tolist(), strict=True
                )
            ],
            dtype=pl.String,
        )

    def frame(self, from_ns: int) -> pl.DataFrame:
        """Return the terms of the contracts that expire after an instant, as a contracts table."""
        table = pl.DataFrame(
            {
                "contract": self.symbols(),
                "right": np.where(self.right > 0, Right.CALL.value, Right.PUT.value),
                "strike": self.strike,
                "expiry": self.expiry_ns,
                "listed": self.listed_ns,
            }
        ).with_columns(
            venue=pl.lit(VENUE),
            underlying=pl.lit(UNDERLYING),
            multiplier=pl.lit(1.0),
            lot=pl.lit(LOT),
            style=pl.lit(Style.EUROPEAN.value),
            settlement=pl.lit(Settlement.CASH.value),
            inverse=pl.lit(value=False),
        )
        kept = table.filter(pl.col("expiry") > from_ns)
        return conformed(kept, schema(CONTRACT_COLUMNS))


def expiries_ahead(scenario: Scenario, instant: int) -> list[tuple[int, float]]:
    """Return the expiries listed at an instant, soonest first, each with its strike step."""
    next_day = (instant - EXPIRY_HOUR_UTC * HOUR_NS) // DAY_NS + 1
    steps: dict[int, float] = {}
    fridays = [
        day
        for day in range(next_day, next_day + 7 * scenario.chain.weekly_expiries)
        if _is_friday(day)
    ]
    for day in fridays:
        steps[day] = scenario.chain.weekly_strike_step
    for day in range(next_day, next_day + scenario.chain.daily_expiries):
        steps[day] = scenario.chain.daily_strike_step
    return [(day * DAY_NS + EXPIRY_HOUR_UTC * HOUR_NS, steps[day]) for day in sorted(steps)]


def _is_friday(day: int) -> bool:
    return (day + _EPOCH_WEEKDAY) % 7 == _FRIDAY


def _strikes_around(price: float, step: float, each_side: int) -> NDArray[np.float64]:
    centre = round(price / step)
    lowest = max(1, centre - each_side)
    return np.arange(lowest, centre + each_side + 1, dtype=np.float64) * step


def _symbol(expiry_ns: int, strike: float, right: int) -> str:
    moment = moment_of(expiry_ns)
    month = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
    letter = Right.CALL if right > 0 else Right.PUT
    return (
        f"{UNDERLYING}-{moment.day}{month[moment.month - 1]}{moment.year % 100:02d}"
        f"-{strike:g}-{letter.value}"
    )
