"""Synthetic sessions of option trades on one underlying, made slice by slice from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hedgeflow.market.sessions import Sessions, sessions_between
from hedgeflow.market.time import DAY_NS, YEAR_NS, instant_ns
from hedgeflow.pricing import value
from hedgeflow.signals.prints import PrintSlice

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_DAY = datetime(2025, 3, 3, tzinfo=UTC)
SPOT = 5_600.0
EXPIRIES = 20
EXPIRY_DAYS = 3
STRIKE_STEP = 5.0
MEAN_LOTS = 4.0
SAME_STAMP_SHARE = 0.05
LEG_SHARE = 0.02
FLAGGED_SHARE = 0.7
BURSTS_PER_SLICE = 3
BURST_PRINTS = 400
BURST_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class TradeSizes:
    """How much is traded.

    Attributes
    ----------
    trades : int
        In one session.
    contracts : int
        Listed; a multiple of 40 (20 expiries, calls and puts).
    slices : int
        Pieces of equal size in which a session is made.
    history : int
        Sessions before the measured one, from which its baselines come.
    """

    trades: int
    contracts: int
    slices: int
    history: int


class OptionDays:
    """Sessions of trades with a Zipf-like skew over contracts and U-shaped arrival.

    A twentieth of the trades share the stamp of the one before, some of them as two legs of one
    order; seven in ten carry the aggressor's side, the others only a quote; the last session, the
    measured one, has bursts in single contracts. Stamps are nanoseconds.

    Parameters
    ----------
    sizes : TradeSizes
    seed : int
    with_iv : bool
        Whether trades carry their volatility, as Deribit's do; otherwise it must be solved.
    """

    def __init__(self, sizes: TradeSizes, seed: int = 20_250_411, *, with_iv: bool = True) -> None:
        self.sizes = sizes
        self.seed = seed
        self.with_iv = with_iv
        first = instant_ns(FIRST_DAY)
        every = sessions_between("XNYS", first, first + 2 * (sizes.history + 4) * DAY_NS)
        kept = slice(0, sizes.history + 1)
        self.sessions = Sessions(
            every.calendar, every.open_ns[kept], every.close_ns[kept], every.minutes_per_year
        )
        self.terms = _terms(sizes.contracts)
        self._right = np.where(self.terms["right"].to_numpy() == "C", 1, -1).astype(np.int8)
        self._strike = self.terms["strike"].to_numpy()
        self._expiry_ns = self.terms["expiry"].dt.timestamp("ns").to_numpy()
        self._cumulative = _zipf(self._strike, self._expiry_ns, int(every.open_ns[0]))

    @property
    def measured(self) -> int:
        """Index of the session that is timed."""
        return self.sizes.history

    def slice(self, session: int, place: int) -> PrintSlice:
        """Return one slice of a session; the same arguments give the same trades."""
        random = np.random.default_rng([self.seed, session, place])
        count = self.sizes.trades // self.sizes.slices
        ts = self._stamps(random, session, place, count)
        contract = np.searchsorted(self._cumulative, random.random(count)).astype(np.int32)
        lots = random.geometric(1.0 / MEAN_LOTS, count)
        combo = np.full(count, -1, np.int64)
        if session == self.measured:
            self._add_bursts(random, ts, contract, lots)
        same = 1 + 2 * np.flatnonzero(random.random((count - 1) // 2) < 2 * SAME_STAMP_SHARE)
        ts[same] = ts[same - 1]
        legs = same[random.random(same.size) < LEG_SHARE / (2 * SAME_STAMP_SHARE)]
        combo[legs] = legs
        combo[legs - 1] = legs
        return self._priced(random, ts, contract, lots, combo)

    def _stamps(
        self, random: np.random.Generator, session: int, place: int, count: int
    ) -> NDArray[np.int64]:
        """Return ascending stamps, three times as dense at open and close as at noon."""
        opened, closed = self.sessions.open_ns[session], self.sessions.close_ns[session]
        share = np.sort((place + random.random(count)) / self.sizes.slices)
        time = np.linspace(0.0, 1.0, 2_001)
        density = 1.0 + 2.0 * (2.0 * time - 1.0) ** 2
        arrived = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))))
        return opened + (np.interp(share, arrived / arrived[-1], time) * (closed - opened)).astype(
            np.int64
        )

    def _add_bursts(
        self,
        random: np.random.Generator,
        ts: NDArray[np.int64],
        contract: NDArray[np.int32],
        lots: NDArray[np.int64],
    ) -> None:
        """Turn some trades within a few seconds into large ones of one contract."""
        for _ in range(BURSTS_PER_SLICE):
            start = int(random.integers(ts.size // 4, 3 * ts.size // 4))
            stop = int(np.searchsorted(ts, ts[start] + int(BURST_SECONDS * 1e9)))
            chosen = random.choice(np.arange(start, stop), min(BURST_PRINTS, stop - start), False)
            contract[chosen] = random.integers(0, self.sizes.contracts)
            lots[chosen] *= 20

    def _priced(
        self,
        random: np.random.Generator,
        ts: NDArray[np.int64],
        contract: NDArray[np.int32],
        lots: NDArray[np.int64],
        combo: NDArray[np.int64],
    ) -> PrintSlice:
        count = ts.size
        spot = SPOT * (1.0 + 0.004 * np.sin((ts - ts[0]) / 3.0e12))
        strike, right = self._strike[contract], self._right[contract]
        years = (self._expiry_ns[contract] - ts) / YEAR_NS
        iv = 0.15 + 0.3 * np.log(strike / spot) ** 2 + 0.01 * random.random(count)
        price = np.maximum(value(right, spot, strike, years, iv), 0.01)
        side = np.where(random.random(count) < 0.5, 1, -1).astype(np.int8)
        flagged = random.random(count) < FLAGGED_SHARE
        half_spread = 0.01 + 0.01 * price
        middle = np.where(flagged, np.nan, price - side * 0.5 * half_spread)
        nothing = np.full(count, -1, np.int64)
        return PrintSlice(
            ts=ts,
            contract=contract,
            price=price,
            lots=lots,
            aggressor=np.where(flagged, side, 0).astype(np.int8),
            iv=iv if self.with_iv else np.full(count, np.nan),
            spot=spot,
            bid=middle - half_spread,
            ask=middle + half_spread,
            combo=combo,
            block=nothing,
            condition=nothing.astype(np.int8),
        )


def _terms(contracts: int) -> pl.DataFrame:
    """Return the contracts table: 20 expiries, strikes around the spot, calls and puts."""
    strikes = contracts // (2 * EXPIRIES)
    rows: list[dict[str, Any]] = []
    for expiry in range(EXPIRIES):
        at = FIRST_DAY + timedelta(days=10 + EXPIRY_DAYS * expiry, hours=21)
        for place in range(strikes):
            strike = SPOT + STRIKE_STEP * (place - strikes // 2)
            rows.extend(
                {
                    "contract": f"X-{at:%y%m%d}-{strike:.0f}-{right}",
                    "right": right,
                    "strike": strike,
                    "expiry": at,
                    "multiplier": 100.0,
                    "lot": 1.0,
                    "inverse": False,
                    "listed": None,
                }
                for right in ("C", "P")
            )
    return pl.DataFrame(
        rows,
        schema_overrides={
            "expiry": pl.Datetime("ns", "UTC"),
            "listed": pl.Datetime("ns", "UTC"),
        },
    )


def _zipf(
    strike: NDArray[np.float64], expiry_ns: NDArray[np.int64], now: int
) -> NDArray[np.float64]:
    """Return cumulative shares, 1/rank; near the money and near expiry ranks first."""
    score = np.abs(strike / SPOT - 1.0) * 100.0 + (expiry_ns - now) / (7 * DAY_NS)
    rank = np.empty(strike.size, np.int64)
    rank[np.argsort(score, kind="stable")] = np.arange(1, strike.size + 1)
    cumulative = np.cumsum(1.0 / rank)
    return cumulative / cumulative[-1]
