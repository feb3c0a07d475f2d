"""Day files of options: one print for each minute bar of trades, quotes, and open interest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.tapes import TIME
from hedgeflow.market.validation import Fault, Reason
from hedgeflow.sources.contract_terms import contracts_table
from hedgeflow.sources.lean.archives import MEMBER, read_archive
from hedgeflow.sources.lean.instruments import BAR_COLUMNS, OPEN_INTEREST_COLUMNS, QUOTE_COLUMNS
from hedgeflow.sources.lean.layout import Content, LeanFile
from hedgeflow.sources.lean.members import contract_of
from hedgeflow.sources.lean.recording import Loaded, price, stamps
from hedgeflow.sources.lean.report import NotUsed
from hedgeflow.sources.prevailing import with_quotes, with_underlying_price

if TYPE_CHECKING:
    from pathlib import Path

SETTLED_OPEN_INTEREST: Final = 10_000
IMPOSSIBLE_TURNOVER: Final = 50
"""A contract of at least so many open contracts, not on its last day, has never traded so many
times over in one session; files in which it does count volume twice and thrice over."""


@dataclass(frozen=True, slots=True)
class OptionRows:
    """One day file of options.

    Attributes
    ----------
    loaded : Loaded
    contracts : polars.DataFrame
        Terms of every contract that has a CSV file in it, with rows or without.
    """

    loaded: Loaded
    contracts: pl.DataFrame


def load_options(file: LeanFile, root: Path) -> OptionRows:
    """Return the rows of a day file of options.

    Trades have workings (`_open`, `_high`, `_volume`, `_expiry`) and lack what `with_prevailing`
    adds. Quotes are those at each minute's end, a side null where it was empty; a minute with
    neither side counts as empty.

    Raises
    ------
    DataError
        The archive cannot be read, or the name of a CSV file in it.
    """
    columns = {Content.TRADES: BAR_COLUMNS, Content.QUOTES: QUOTE_COLUMNS}
    archive = read_archive(
        root / file.path,
        columns.get(file.content, OPEN_INTEREST_COLUMNS),
        whole_minutes=file.content is not Content.OPEN_INTEREST,
    )
    terms = [contract_of(file, name) for name in archive.names]
    named = pl.DataFrame(
        {
            MEMBER: pl.Series(range(len(terms)), dtype=pl.Int32),
            "contract": pl.Series([each.symbol for each in terms], dtype=pl.String),
            "_expiry": pl.Series([each.expiry_ns for each in terms], dtype=pl.Int64).cast(TIME),
        }
    )
    rows = archive.rows.join(named, on=MEMBER, how="left", maintain_order="left")
    return OptionRows(_as_tape(file, rows), contracts_table(terms))


def option_faults() -> list[Fault]:
    """Return what makes a print or a quote of an option impossible, beyond its own columns.

    The minute that begins at the expiry itself still brings reports of the last trades.
    """
    return [Fault(Reason.AFTER_EXPIRY, "ts", pl.col("ts") > pl.col("_expiry"))]


def trade_faults() -> list[Fault]:
    """Return what makes a print impossible."""
    volume = pl.col("_volume")
    return [
        *option_faults(),
        Fault(Reason.NON_POSITIVE_QUANTITY, "_volume", volume <= 0),
        Fault(Reason.FRACTIONAL_LOT, "_volume", volume != volume.round()),
        Fault(Reason.NO_UNDERLYING_PRICE, "underlying_price", pl.col("underlying_price").is_null()),
    ]


def with_prevailing(trades: Loaded, prices: pl.DataFrame, quotes: Loaded | None) -> Loaded:
    """Return trades with what was known at each print: the underlying's price, bid and ask.

    Bid and ask are null where there are no quotes of that day, before the contract's first, and
    while the last one was crossed.

    Look-ahead: the underlying's bars up to the print's own minute; quotes of minutes that had ended
    before it began.

    Parameters
    ----------
    trades : Loaded
    prices : polars.DataFrame
        `known_at` and `price` of the underlying on that day.
    quotes : Loaded, optional
        Of the same root on that day.
    """
    prints = with_underlying_price(trades.rows, prices)
    if quotes is None or quotes.rows.is_empty():
        sides = [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("bid", "ask")]
        return Loaded(trades.file, prints.with_columns(sides), trades.empty)
    crossed = (pl.col("bid") > pl.col("ask")).fill_null(value=False)
    sides = [pl.when(~crossed).then(pl.col(name)).alias(name) for name in ("bid", "ask")]
    return Loaded(trades.file, with_quotes(prints, quotes.rows.with_columns(sides)), trades.empty)


def traded_by_contract(trades: Loaded) -> pl.DataFrame:
    """Return `contract`, its first `open`, its `high` and its `volume` of the day."""
    return trades.rows.group_by("contract", maintain_order=True).agg(
        pl.col("_open").first().alias("open"),
        pl.col("_high").max().alias("high"),
        pl.col("_volume").sum().alias("volume"),
        pl.col("_expiry").first().alias("expiry"),
    )


def check_turnover(trades: Loaded, open_interest: Loaded | None) -> None:
    """Refuse trades whose volume cannot be.

    Raises
    ------
    NotUsed
        A contract with settled open interest traded more than 50 times over before its last day.
    """
    if open_interest is None:
        return
    settled = open_interest.rows.group_by("contract").agg(pl.col("open_interest").first())
    day = trades.file.day
    impossible = (
        traded_by_contract(trades)
        .filter(pl.col("expiry").dt.date() > day)
        .join(settled.filter(pl.col("open_interest") >= SETTLED_OPEN_INTEREST), on="contract")
        .filter(pl.col("volume") > IMPOSSIBLE_TURNOVER * pl.col("open_interest"))
        .sort("volume", descending=True)
    )
    if impossible.height:
        worst = impossible.row(0, named=True)
        raise NotUsed(
            f"its volume cannot be: {worst['volume']:,.0f} contracts of {worst['contract']} in one"
            f" day, with {worst['open_interest']:,.0f} open (is it counted several times over?)"
        )


def _as_tape(file: LeanFile, rows: pl.DataFrame) -> Loaded:
    if file.content is Content.OPEN_INTEREST:
        return Loaded(file, rows.select(*stamps(file), "contract", "open_interest"))
    if file.content is Content.QUOTES:
        sides = [_side(file, name) for name in ("bid", "ask")]
        sizes = [
            pl.when(_side(file, name).is_not_null()).then(f"{name}_size").alias(f"{name}_size")
            for name in ("bid", "ask")
        ]
        quotes = rows.select(*stamps(file), "contract", *sides, *sizes, "_expiry")
        some = quotes.filter(pl.col("bid").is_not_null() | pl.col("ask").is_not_null())
        return Loaded(file, some, quotes.height - some.height)
    whole = pl.col("volume").round().cast(pl.Int64, strict=False)
    text = pl.lit(None, dtype=pl.String)
    trades = rows.select(
        *stamps(file),
        "contract",
        price(file, "close").alias("price"),
        whole.alias("lots"),
        pl.lit(0, dtype=pl.Int8).alias("aggressor"),
        pl.lit(None, dtype=pl.Float64).alias("iv"),
        *(text.alias(name) for name in ("combo_id", "block_id", "condition", "trade_id")),
        price(file, "open").alias("_open"),
        price(file, "high").alias("_high"),
        pl.col("volume").alias("_volume"),
        "_expiry",
    )
    return Loaded(file, trades)


def _side(file: LeanFile, name: str) -> pl.Expr:
    """Return one side of a quote; an empty price, or one of 0, means that nobody is there."""
    return pl.when(pl.col(name) != 0).then(price(file, name)).alias(name)
