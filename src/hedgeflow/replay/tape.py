"""The hedge instrument's tape as a replay needs it: bars or ticks, sessions, daily volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.market.coverage import SPLIT_AT_GAP_NS, Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.sessions import ALWAYS_OPEN, Sessions, session_date, sessions_between
from hedgeflow.market.time import SECOND_NS, iso
from hedgeflow.strategies.exits import Bars

CALENDAR_OF_KIND: Final = {
    HedgeKind.PERPETUAL: ALWAYS_OPEN,
    HedgeKind.STOCK: "XNYS",
    HedgeKind.FUTURE: "CMES",
}
"""The calendar assumed for a kind of instrument where none is given."""


class Ticks(NamedTuple):
    """Prices at which a market order would fill, ascending in time.

    Attributes
    ----------
    at_ns : ndarray of shape (n_ticks,), int64
        UTC nanoseconds.
    bid, ask : ndarray of shape (n_ticks,), float64
        The same last trade price twice where there are no quotes.
    known_ns : ndarray of shape (n_ticks,), int64
        When each was known, and all before it: decisions read no earlier than that.
    quoted : bool
        Bid and ask are quotes, so that fills already pay the half spread.
    """

    at_ns: NDArray[np.int64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    known_ns: NDArray[np.int64]
    quoted: bool


@dataclass(frozen=True, slots=True)
class HedgeTape:
    """One hedge instrument's history.

    Attributes
    ----------
    instrument : HedgeInstrument
    sessions : Sessions
        Every session that the tape overlaps.
    bars : Bars or None
    ticks : Ticks or None
        Exactly one of the two is there.
    session_volume_contracts : ndarray of shape (n_sessions,), float64
        Standard contracts traded; NaN for a session that the tape does not cover whole.
    """

    instrument: HedgeInstrument
    sessions: Sessions
    bars: Bars | None
    ticks: Ticks | None
    session_volume_contracts: NDArray[np.float64]

    @classmethod
    def from_bars(
        cls,
        frame: pl.DataFrame,
        instrument: HedgeInstrument,
        interval_ns: int,
        *,
        calendar: str | None = None,
        coverage: Coverage | None = None,
    ) -> HedgeTape:
        """Return the tape of a bars table.

        Parameters
        ----------
        frame : DataFrame
            Columns ts (start of the bar), open, high, low, close, volume (underlying units).
        instrument : HedgeInstrument
        interval_ns : int
            Bar length.
        calendar : str, optional
            ``24/7`` or an exchange_calendars name; by default the instrument kind's own.
        coverage : Coverage, optional
            What was recorded; by default it splits where bars are more than 20 minutes apart.

        Raises
        ------
        DataError
            No rows, bars that do not ascend, or prices that are not finite.
        """
        start = _instants(frame, "bars")
        if np.any(np.diff(start) <= 0):
            raise DataError("bars do not ascend without repeats", where=instrument.symbol)
        columns = [_finite(frame, name, instrument) for name in ("open", "high", "low", "close")]
        bars = Bars(start, columns[0], columns[1], columns[2], columns[3], interval_ns)
        volume = _finite(frame, "volume", instrument)
        sessions = _sessions(instrument, calendar, int(start[0]), int(start[-1]))
        coverage = coverage or Coverage.from_stamps(start, interval_ns)
        daily = _session_volume(sessions, coverage, start, volume, instrument)
        return cls(instrument, sessions, bars, None, daily)

    @classmethod
    def from_ticks(
        cls,
        trades: pl.DataFrame | None,
        quotes: pl.DataFrame | None,
        instrument: HedgeInstrument,
        *,
        calendar: str | None = None,
        coverage: Coverage | None = None,
    ) -> HedgeTape:
        """Return the tape of trades and, where there are, quotes.

        With quotes, orders fill at the ask or the bid and no spread is charged again; without, at
        the next last price. Trades give the sessions' volumes.

        Parameters
        ----------
        trades : DataFrame or None
            Columns ts, price, size (underlying units); `known_at` where ticks were known later.
        quotes : DataFrame or None
            Columns ts, bid, ask; `known_at` as for trades.
        instrument, calendar, coverage
            As for `from_bars`.

        Raises
        ------
        DataError
            Neither has rows, stamps do not ascend, or prices are not finite.
        """
        has_trades = trades is not None and trades.height > 0
        if quotes is not None and quotes.height:
            at_ns = _instants(quotes, "quotes")
            bid, ask = (_finite(quotes, name, instrument) for name in ("bid", "ask"))
            ticks = Ticks(at_ns, bid, ask, _known(quotes, at_ns), quoted=True)
        elif trades is not None and has_trades:
            price = _finite(trades, "price", instrument)
            at_ns = _instants(trades, "trades")
            ticks = Ticks(at_ns, price, price, _known(trades, at_ns), quoted=False)
        else:
            raise DataError("neither trades nor quotes", where=instrument.symbol)
        if np.any(np.diff(ticks.at_ns) < 0):
            raise DataError("ticks do not ascend", where=instrument.symbol)
        first, last = int(ticks.at_ns[0]), int(ticks.at_ns[-1])
        sessions = _sessions(instrument, calendar, first, last)
        daily = np.full(sessions.open_ns.size, np.nan)
        if trades is not None and has_trades:
            stamps = _instants(trades, "trades")
            size = _finite(trades, "size", instrument)
            coverage = coverage or Coverage.from_stamps(ticks.at_ns, 0)
            daily = _session_volume(sessions, coverage, stamps, size, instrument)
        return cls(instrument, sessions, None, ticks, daily)

    @property
    def first_ns(self) -> int:
        """When the tape begins, UTC nanoseconds."""
        return int(self.stamps[0])

    @property
    def quoted(self) -> bool:
        """Fills already pay the half spread."""
        return self.ticks is not None and self.ticks.quoted

    @property
    def stamps(self) -> NDArray[np.int64]:
        """Starts of bars or stamps of ticks, UTC nanoseconds, ascending."""
        if self.ticks is not None:
            return self.ticks.at_ns
        if self.bars is not None:
            return self.bars.start_ns
        raise DataError("a hedge tape needs bars or ticks", where=self.instrument.symbol)

    def price_known_at(self, at_ns: int) -> float | None:
        """Return the last price known at an instant: the last ended bar's close, or the last tick.

        Look-ahead: a bar is known at its end, a tick at its `known_at`, never before. With quotes
        it is the middle.
        """
        if self.bars is not None:
            index = int(
                np.searchsorted(self.bars.start_ns, at_ns - self.bars.interval_ns, side="right")
            )
            return float(self.bars.close[index - 1]) if index else None
        if self.ticks is None:
            return None
        index = int(np.searchsorted(self.ticks.known_ns, at_ns, side="right"))
        if not index:
            return None
        return (float(self.ticks.bid[index - 1]) + float(self.ticks.ask[index - 1])) / 2

    def quote_age_seconds(self, at_ns: int) -> float | None:
        """Return the age of the last quote known at an instant, seconds; None without quotes.

        Infinity before the first.

        Look-ahead: as `price_known_at`.
        """
        if self.ticks is None or not self.ticks.quoted:
            return None
        index = int(np.searchsorted(self.ticks.known_ns, at_ns, side="right"))
        return (at_ns - int(self.ticks.at_ns[index - 1])) / SECOND_NS if index else float("inf")

    def previous_volume_contracts(self, at_ns: int) -> float | None:
        """Return the volume of the last complete session that closed at or before an instant."""
        closed = int(np.searchsorted(self.sessions.close_ns, at_ns, side="right"))
        whole = np.flatnonzero(np.isfinite(self.session_volume_contracts[:closed]))
        return float(self.session_volume_contracts[whole[-1]]) if whole.size else None

    def session_date(self, at_ns: int) -> str:
        """Return the ISO date of the session of an instant, or of the one before it."""
        return session_date(self.sessions, at_ns)

    def close_ns(self, at_ns: int) -> int | None:
        """Return the close of the session of an instant; None where markets never close."""
        sessions = self.sessions
        index = int(np.searchsorted(sessions.open_ns, at_ns, side="right")) - 1
        if sessions.calendar == ALWAYS_OPEN or index < 0:
            return None
        return int(sessions.close_ns[index])


def _instants(frame: pl.DataFrame, name: str) -> NDArray[np.int64]:
    if frame.height == 0:
        raise DataError(f"no {name}")
    if "ts" not in frame.columns:
        raise DataError(f"{name} have no column ts", hint=f"They have {', '.join(frame.columns)}")
    column = frame["ts"]
    if isinstance(column.dtype, pl.Datetime):
        column = column.dt.cast_time_unit("ns")
    return np.ascontiguousarray(column.cast(pl.Int64).to_numpy(), dtype=np.int64)


def _known(frame: pl.DataFrame, at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    if "known_at" not in frame.columns:
        return at_ns
    return np.maximum.accumulate(frame["known_at"].dt.epoch("ns").to_numpy())


def _finite(frame: pl.DataFrame, name: str, instrument: HedgeInstrument) -> NDArray[np.float64]:
    if name not in frame.columns:
        raise DataError(f"no column {name}", where=instrument.symbol)
    values = np.ascontiguousarray(frame[name].cast(pl.Float64).to_numpy(), dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise DataError(
            f"{name} is not a number in {bad.size} rows, first in row {int(bad[0])}",
            where=instrument.symbol,
        )
    return values


def _sessions(
    instrument: HedgeInstrument, calendar: str | None, first_ns: int, last_ns: int
) -> Sessions:
    instrument.require_tradable()
    sessions = sessions_between(calendar or CALENDAR_OF_KIND[instrument.kind], first_ns, last_ns)
    if sessions.open_ns.size == 0:
        raise DataError(
            f"no session of {sessions.calendar} between {iso(first_ns)} and {iso(last_ns)}",
            where=instrument.symbol,
        )
    return sessions


def _session_volume(
    sessions: Sessions,
    coverage: Coverage,
    stamps: NDArray[np.int64],
    volume: NDArray[np.float64],
    instrument: HedgeInstrument,
) -> NDArray[np.float64]:
    """Return each whole session's volume; whole is covered but for 20 minutes at either end."""
    index = sessions.index_of(stamps)
    inside = index >= 0
    daily = np.bincount(
        index[inside], weights=volume[inside], minlength=sessions.open_ns.size
    ).astype(np.float64)
    for i, (begin, end) in enumerate(
        zip(sessions.open_ns.tolist(), sessions.close_ns.tolist(), strict=True)
    ):
        if not coverage.contains(begin + SPLIT_AT_GAP_NS, end - SPLIT_AT_GAP_NS):
            daily[i] = np.nan
    return daily / instrument.units_per_contract
