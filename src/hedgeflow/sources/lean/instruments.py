"""Day files of stocks, indices and futures: bars, quotes and open interest of each instrument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import FUTURE_SPECIFICATIONS
from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.sources.lean.archives import MEMBER, read_archive
from hedgeflow.sources.lean.layout import Asset, Content, LeanFile
from hedgeflow.sources.lean.members import instrument_of
from hedgeflow.sources.lean.recording import Loaded, price, stamps
from hedgeflow.sources.lean.report import NotUsed

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

BAR_COLUMNS: Final = ("open", "high", "low", "close", "volume")
QUOTE_COLUMNS: Final = (
    "bid_open",
    "bid_high",
    "bid_low",
    "bid",
    "bid_size",
    "ask_open",
    "ask_high",
    "ask_low",
    "ask",
    "ask_size",
)
OPEN_INTEREST_COLUMNS: Final = ("open_interest",)

KIND_OF: Final = {
    Content.TRADES: TapeKind.BARS,
    Content.QUOTES: TapeKind.HEDGE_QUOTES,
    Content.OPEN_INTEREST: TapeKind.OPEN_INTEREST,
}


@dataclass(frozen=True, slots=True)
class DayPrices:
    """What an instrument did on one day, pre- and post-market included.

    Attributes
    ----------
    day : datetime.date
    open, high, low, close : float
    """

    day: date
    open: float
    high: float
    low: float
    close: float


def load_instruments(file: LeanFile, root: Path) -> dict[str, Loaded]:
    """Return the rows of each instrument in a day file of stocks, indices or futures.

    Bars' volume is in underlying units: shares, or contracts x multiplier; an index is not traded,
    so its volume, in which Lean counts updates, is 0. Quotes are those at each minute's end; a
    minute in which one side was empty has no quote and counts as empty.

    Raises
    ------
    DataError
        The archive cannot be read, or names an instrument twice.
    NotUsed
        No tape holds such a file: an index has no quotes, a stock no open interest.
    """
    if file.content is Content.OPEN_INTEREST and file.asset is not Asset.FUTURE:
        raise NotUsed(f"{file.asset} has no open interest")
    if file.content is Content.QUOTES and file.asset is Asset.INDEX:
        raise NotUsed("an index is not traded: its quotes belong to no tape")
    archive = read_archive(
        root / file.path,
        _columns(file.content),
        whole_minutes=file.content is not Content.OPEN_INTEREST,
    )
    found: dict[str, Loaded] = {}
    for index, name in enumerate(archive.names):
        instrument = instrument_of(file, name)
        if instrument in found:
            raise DataError(f"'{name}' is about {instrument}, as another file is", where=file.path)
        rows = archive.rows.filter(pl.col(MEMBER) == index)
        found[instrument] = _as_tape(file, instrument, rows)
    return found


def prices_of(bars: pl.DataFrame) -> pl.DataFrame:
    """Return `known_at` and `price` of bars: each close, known at its minute's end."""
    known = bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
    return known.select("known_at", pl.col("close").alias("price"))


def day_prices(file: LeanFile, bars: pl.DataFrame) -> DayPrices | None:
    """Return what an instrument did on a file's day; None without a bar that can be."""
    bars = bars.filter(pl.min_horizontal(BAR_COLUMNS[:4]) > 0)
    if bars.is_empty():
        return None
    first, last = bars.row(0, named=True), bars.row(-1, named=True)
    high, low = bars.select(pl.col("high").max(), pl.col("low").min()).row(0)
    return DayPrices(file.day, first["open"], high, low, last["close"])


def _columns(content: Content) -> tuple[str, ...]:
    if content is Content.TRADES:
        return BAR_COLUMNS
    return QUOTE_COLUMNS if content is Content.QUOTES else OPEN_INTEREST_COLUMNS


def _as_tape(file: LeanFile, instrument: str, rows: pl.DataFrame) -> Loaded:
    if file.content is Content.OPEN_INTEREST:
        contract = pl.lit(instrument).alias("contract")
        return Loaded(file, rows.select(*stamps(file), contract, "open_interest"))
    if file.content is Content.QUOTES:
        quoted = rows.filter(pl.col("bid").is_not_null() & pl.col("ask").is_not_null())
        prices = [price(file, name) for name in ("bid", "ask")]
        return Loaded(file, quoted.select(*stamps(file), *prices), rows.height - quoted.height)
    prices = [price(file, name) for name in BAR_COLUMNS[:4]]
    volume = pl.col("volume") * _units(file)
    return Loaded(file, rows.select(*stamps(file), *prices, volume))


def _units(file: LeanFile) -> float:
    """Return underlying units for one unit of the written volume."""
    if file.asset is Asset.FUTURE:
        return FUTURE_SPECIFICATIONS[file.ticker][0]
    return 0.0 if file.asset is Asset.INDEX else 1.0
