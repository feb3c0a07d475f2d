"""Universes: one CSV file a session with every contract's volume, open interest and volatility.

Lean reads the file of a date as that session's, public on the next day. Files of Lean's own sample
data break that: some hold the next session's figures under the date before, and would be known a
day early; others repeat an old underlying, or are split-adjusted. So each is compared with the day
files in the folder before it is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import isclose
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from hedgeflow.market.contracts import Right
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.sessions import session_date
from hedgeflow.market.tapes import TIME
from hedgeflow.market.time import instant_ns
from hedgeflow.market.validation import Fault, Reason
from hedgeflow.sources.contract_terms import contracts_table
from hedgeflow.sources.lean.layout import Asset, LeanFile
from hedgeflow.sources.lean.members import (
    expiry_date,
    future_symbol,
    option_contract,
    underlying_of,
)
from hedgeflow.sources.lean.recording import Loaded, sessions_around
from hedgeflow.sources.lean.report import NotUsed

if TYPE_CHECKING:
    from pathlib import Path

    from hedgeflow.sources.lean.instruments import DayPrices

NEEDED: Final = (
    "expiry",
    "strike",
    "right",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "open_interest",
)
VOLATILITY: Final = ("implied_volatility", "delta")

NEAR_DAYS: Final = 10
"""Day files so near to a universe's date, calendar days, are compared with it."""
OTHER_SCALE: Final = 1.5
"""Prices that differ by this factor within so few days are on another scale."""
SAME_PRICE: Final = 1e-9
AGREEING_SHARE: Final = 0.5
"""Of the contracts that traded on a universe's date, so many must have traded by it too."""


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What the day files of a folder say, to compare universes with.

    Attributes
    ----------
    underlyings : dict
        By asset class, market and instrument, what it did on each day.
    traded : dict
        By asset class, market, root and month of the future, the contracts that traded each day.
    """

    underlyings: dict[tuple[Asset, str, str], list[DayPrices]] = field(default_factory=dict)
    traded: dict[tuple[Asset, str, str, str], dict[date, pl.DataFrame]] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True)
class Universe:
    """The usable rows of a universe.

    Attributes
    ----------
    loaded : Loaded
        Columns of an option days tape, and the working `_volume`.
    contracts : polars.DataFrame
    coverage : Coverage
        The session.
    """

    loaded: Loaded
    contracts: pl.DataFrame
    coverage: Coverage


def load_universe(file: LeanFile, root: Path, underlying: Asset, facts: DayFacts) -> Universe:
    """Return a universe as option days.

    The volume, close, implied volatility and delta are those of the session's end, the open
    interest is what was published in the morning after; a row is known when the last of them is.

    Parameters
    ----------
    file : LeanFile
    root : path
    underlying : Asset
        Asset class of what the options are on.
    facts : DayFacts
        From every day file of the folder.

    Raises
    ------
    DataError
        The file cannot be read, or a contract in it.
    NotUsed
        Its columns are others, its date is no session, no row carries anything, or the day files
        contradict its prices or its date.
    """
    written = _read(file, root)
    options = written.filter(pl.col("expiry").is_not_null())
    if options["strike"].null_count():
        raise DataError("a contract has no strike", where=file.path)
    on = written.filter(pl.col("expiry").is_null())
    opens, closes, known = _session(file)
    name = future_symbol(file.ticker, file.month) if file.month else underlying_of(file)
    days = facts.underlyings.get((underlying, file.market, name), [])
    if on.height:
        _check_underlying(file.day, on.row(0, named=True), days, name)
    some = options.filter(
        (pl.col("volume") > 0) | (pl.col("close") > 0) | pl.col("open_interest").is_not_null()
    )
    if some.is_empty():
        raise NotUsed("no contract in it has a volume, an open interest or a price")
    terms = [
        option_contract(file, expiry_date(expiry, where=file.path), _right(right, file), strike)
        for expiry, right, strike in some.select("expiry", "right", "strike").iter_rows()
    ]
    symbols = pl.Series("contract", [each.symbol for each in terms], dtype=pl.String)
    some = some.with_columns(symbols)
    key = (file.asset, file.market, file.ticker, file.month)
    _check_trades(file.day, some, facts.traded.get(key, {}))
    rows = _as_days(some, opens, known)
    return Universe(
        Loaded(file, rows, written.height - rows.height),
        contracts_table(terms),
        Coverage.of([(opens, closes)]),
    )


def universe_faults() -> list[Fault]:
    """Return what makes a row of a universe impossible, beyond its own columns."""
    volume = pl.col("_volume")
    return [Fault(Reason.FRACTIONAL_LOT, "_volume", volume != volume.round())]


def _read(file: LeanFile, root: Path) -> pl.DataFrame:
    """Return the written rows; the underlying's row, where there is one, has no expiry."""
    try:
        text = (root / file.path).read_bytes()
    except OSError as cause:
        raise DataError(f"the file cannot be read ({cause.strerror})", where=file.path) from cause
    if not text.strip():
        raise DataError(f"the file is empty ({len(text)} bytes)", where=file.path)
    header = (
        text.split(b"\n", maxsplit=1)[0].decode(errors="replace").strip().lstrip("#").split(",")
    )
    if tuple(header[: len(NEEDED)]) != NEEDED:
        raise NotUsed(
            f"its columns are {', '.join(header[:4])}…, those known are {', '.join(NEEDED)} and"
            " perhaps implied_volatility, delta"
        )
    try:
        frame = pl.read_csv(text, infer_schema=False, quote_char=None)
    except pl.exceptions.PolarsError as cause:
        raise DataError(
            f"the CSV file cannot be read ({str(cause).splitlines()[0]})", where=file.path
        ) from cause
    frame = frame.rename(dict(zip(frame.columns, header, strict=True)))
    missing = [pl.lit(None, dtype=pl.String).alias(each) for each in VOLATILITY]
    frame = frame.with_columns(each for each in missing if each.meta.output_name() not in header)
    names = [name for name in (*NEEDED, *VOLATILITY) if name not in {"expiry", "right"}]
    numbers = [
        frame[name].replace("", None).cast(pl.Float64, strict=False).alias(name) for name in names
    ]
    for column in numbers:
        wrong = column.is_null() & frame[column.name].replace("", None).is_not_null()
        if wrong.any():
            at = int(wrong.arg_max() or 0)
            raise DataError(
                f"'{frame[column.name][at]}' is no number",
                where=f"{file.path}, line {at + 2}, column {column.name}",
                hint="Download the file again, or mend the line",
            )
    return frame.select(frame["expiry"].replace("", None), "right", *numbers)


def _as_days(rows: pl.DataFrame, opens: int, known: int) -> pl.DataFrame:
    """Return rows as option days; a price or volatility of 0 means that there was none."""
    volatility = pl.col("implied_volatility")
    return rows.select(
        pl.lit(opens).cast(TIME).alias("ts"),
        pl.lit(known).cast(TIME).alias("known_at"),
        "contract",
        pl.col("volume").fill_null(0.0).round().cast(pl.Int64, strict=False).alias("lots"),
        "open_interest",
        pl.when(pl.col("close") != 0).then("close").alias("close"),
        pl.when(volatility > 0).then(volatility).alias("iv"),
        pl.when(volatility > 0).then("delta").alias("delta"),
        pl.col("volume").alias("_volume"),
    )


def _session(file: LeanFile) -> tuple[int, int, int]:
    """Return the session of a universe's date, and when all of its figures were public."""
    sessions = sessions_around(file)
    noon = instant_ns(datetime.combine(file.day, time(12), ZoneInfo(file.rules.zone)))
    at = int(sessions.index_of(np.array([noon]))[0])
    if at < 0 or session_date(sessions, noon) != file.day.isoformat():
        raise NotUsed(f"{file.day} is no session of {file.rules.calendar}")
    following = date.fromisoformat(session_date(sessions, int(sessions.open_ns[at + 1])))
    public = datetime.combine(following, file.rules.published, ZoneInfo(file.rules.zone))
    opens, closes = int(sessions.open_ns[at]), int(sessions.close_ns[at])
    return opens, closes, max(closes, instant_ns(public))


def _check_underlying(
    day: date, row: dict[str, float | None], days: list[DayPrices], name: str
) -> None:
    """Compare the underlying's row with what it did on that and the neighbouring days."""
    near = [each for each in days if abs(each.day - day) <= timedelta(days=NEAR_DAYS)]
    past = [each for each in near if each.day <= day]
    close = row["close"]
    if near and close:
        known = min(past or near, key=lambda each: abs(each.day - day))
        if not 1 / OTHER_SCALE < close / known.close < OTHER_SCALE:
            raise NotUsed(
                f"its prices are on another scale (split-adjusted?): {name} at {close:g}, but"
                f" {known.close:g} in the trades of {known.day}"
            )
    for other in near:
        if other.day != day and _is_bar_of(row, other):
            raise NotUsed(
                f"its date is contradicted: its {name} row is that of {other.day}"
                f" (high {row['high']:g}, low {row['low']:g})"
            )


def _is_bar_of(row: dict[str, float | None], other: DayPrices) -> bool:
    """Say whether the row is what the underlying did on another day."""
    pairs = ((row["open"], other.open), (row["high"], other.high), (row["low"], other.low))
    return all(
        written is not None and isclose(written, traded, rel_tol=SAME_PRICE)
        for written, traded in pairs
    )


def _check_trades(day: date, rows: pl.DataFrame, traded: dict[date, pl.DataFrame]) -> None:
    """Compare contracts' first prices and volumes with the trades of that and later days."""
    first = (pl.col("open") / pl.col("open_traded") - 1.0).abs() < SAME_PRICE
    volume = pl.col("volume") == pl.col("volume_traded")
    for other in sorted(each for each in traded if day <= each <= day + timedelta(days=NEAR_DAYS)):
        both = rows.join(traded[other], on="contract", how="inner", suffix="_traded")
        agree = both.filter((pl.col("volume") > 0) & (first | volume)).height
        if not both.height:
            continue
        share = agree / both.height
        if other == day and share < AGREEING_SHARE:
            raise NotUsed(
                f"its date is contradicted: of {both.height} contracts that traded on {day}, it"
                f" has the first price or the volume of {agree}"
            )
        if other > day and share > AGREEING_SHARE:
            raise NotUsed(
                f"its date is contradicted: it has the first price or the volume of {other}, a"
                f" later session, of {agree} of {both.height} contracts"
            )


def _right(text: str | None, file: LeanFile) -> Right:
    try:
        return Right(text or "")
    except ValueError as cause:
        raise DataError(f"'{text}' is no right, expected C or P", where=file.path) from cause
