"""Chains of India's National Stock Exchange: whole ones, and the strike at the money."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import (
    LOWEST_VOLATILITY_PERCENT,
    OptionContract,
    Right,
    Settlement,
    Style,
)
from hedgeflow.market.errors import DataError
from hedgeflow.market.expiries import NSE_INDICES, expiry_of, features_of
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.sources.chains.levels import prepare_levels
from hedgeflow.sources.chains.snapshots import (
    ChainFile,
    Prepared,
    calls_and_puts,
    chain_of,
    dates,
    import_files,
    need_columns,
    number,
    prepare,
    stamped,
)
from hedgeflow.sources.division import quotient

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress
    from hedgeflow.sources.report import ImportReport

VENUE: Final = "nse"
ZONE: Final = "Asia/Kolkata"
SESSION: Final = (time(9, 15), time(15, 30))
"""In Mumbai."""

HIGHEST_VOLATILITY_PERCENT: Final = 200.0
"""Twice the highest that India VIX has been."""

CHAIN_KNOWN_NS: Final = MINUTE_NS
"""A snapshot takes seconds; whether its stamp is their first or their last is not known."""
CHAIN_BAR_NS: Final = 5 * MINUTE_NS
AT_THE_MONEY_BAR_NS: Final = 15 * MINUTE_NS

WHOLE: Final = (
    "Symbol",
    "Expiry",
    "Strike",
    "CE_LTP",
    "CE_OI",
    "CE_Volume",
    "PE_LTP",
    "PE_OI",
    "PE_Volume",
    "Spot",
    "timestamp",
)
AT_THE_MONEY: Final = (
    "datetime",
    "strike",
    "spot",
    "CALL_close",
    "CALL_oi",
    "CALL_iv",
    "PUT_close",
    "PUT_oi",
    "PUT_iv",
)
BOTH_NOTES: Final = (
    "Open interest and volume are in units of the index: a contract is one unit, its multiplier 1.",
    "Each row of the file gives a call and a put. A price of 0 is none: nothing traded.",
)
CHAIN_NOTE: Final = "%Change and Max_Pain are not used."
AT_THE_MONEY_NOTES: Final = (
    "The strike is that at the money: another's open interest is as old as its last row.",
    "The file names no expiry: it is taken to be the next monthly one.",
    "A bar's volume is no session's: the volume is left null. Open, high, low are not used.",
)
LEVELS_NOTE: Final = (
    "The index is known at instants only: a bar opens at the level before, its extremes are those"
    " of the levels in it, its volume is 0. Nobody can trade these prices."
)


def import_nse_chains(
    paths: Sequence[Path | str],
    catalog: Catalog,
    *,
    accept_rejects: bool = False,
    progress: Progress | None = None,
) -> tuple[ImportReport, ...]:
    """Import files of NSE index options; call and put stand in one row of a file.

    A file is a whole chain (columns `WHOLE`), or the strike at the money in bars of 15 minutes
    (columns `AT_THE_MONEY`, the index named by the file's name). Times are India's. Beside the
    snapshots of each index come bars of its level.

    Look-ahead: a snapshot is known a minute after its stamp, a bar's values at the bar's end.

    Parameters
    ----------
    paths : sequence of path
        Parquet or CSV, sorted by time.
    catalog : Catalog
    accept_rejects : bool
        Use a tape although more than 0.01 % of it is rejected.
    progress : callable, optional
        Called with the rows done and the rows to do.

    Returns
    -------
    tuple of ImportReport
        Snapshots and bars of each index of each file; an index without a level has rejects only.

    Raises
    ------
    DataError
        A file cannot be read, is of neither layout, is not sorted or has no usable row; nothing
        of any file was written.
    """

    def prepared(file: ChainFile) -> list[Prepared]:
        read = _at_the_money if "CALL_oi" in file.raw.columns else _whole
        return read(file, accept_rejects=accept_rejects)

    return import_files(paths, catalog, prepared, progress)


@lru_cache(maxsize=4096)
def monthly_expiry(index: str, day: date) -> date:
    """Return the first day on or after a day on which an index's monthly options expire."""
    while not features_of(day, VENUE, index).monthly:
        day += timedelta(days=1)
    return day


def _whole(file: ChainFile, *, accept_rejects: bool) -> list[Prepared]:
    need_columns(file, WHOLE, "an NSE chain, nor of NSE options at the money")
    symbols = file.raw["Symbol"].cast(pl.String)
    unknown = sorted({str(name) for name in symbols.unique()} - NSE_INDICES)
    if unknown:
        raise DataError(
            f"column 'Symbol' holds {unknown[0]}, which is no index that is known",
            where=file.name,
            hint=f"Known are {', '.join(sorted(NSE_INDICES))}",
        )
    values = [f"{side}_{name}" for side in ("CE", "PE") for name in ("LTP", "OI", "Volume")]
    strikes = stamped(file, "timestamp", ZONE).select(
        "row",
        "ts",
        symbols.alias("_index"),
        dates(file, "Expiry").alias("_expiry"),
        number(file, "Strike").alias("_strike"),
        number(file, "Spot").alias("underlying_price"),
        *(number(file, name).alias(name) for name in values),
    )
    sides = {
        right: {
            "open_interest": pl.col(f"{side}_OI"),
            "volume": pl.col(f"{side}_Volume"),
            "price": _traded(f"{side}_LTP"),
        }
        for right, side in ((Right.CALL, "CE"), (Right.PUT, "PE"))
    }
    made: list[Prepared] = []
    parts = strikes.partition_by("_index", as_dict=True, maintain_order=True)
    for (index,), of_index in parts.items():
        chain = chain_of(index, calls_and_puts(of_index, sides), partial(_contract, index))
        new = prepare(
            chain, file, venue=VENUE, resolution_ns=CHAIN_KNOWN_NS, accept_rejects=accept_rejects
        )
        made.append(Prepared(new, [*BOTH_NOTES, CHAIN_NOTE]))
        local = pl.col("ts").dt.convert_time_zone(ZONE).dt.time()
        levels = _levels(of_index.filter(local.is_between(*SESSION)))
        if levels.height:
            bars = prepare_levels(levels, file, venue=VENUE, index=index, length_ns=CHAIN_BAR_NS)
            made.append(Prepared(bars, [LEVELS_NOTE, "Only levels of the session make bars."]))
    return made


def _at_the_money(file: ChainFile, *, accept_rejects: bool) -> list[Prepared]:
    need_columns(file, AT_THE_MONEY, "NSE options at the money")
    index = _index_in(file.name)
    raw = stamped(file, "datetime", ZONE)
    days = raw["ts"].dt.convert_time_zone(ZONE).dt.date()
    expiries = {day: monthly_expiry(index, day) for day in days.drop_nulls().unique()}
    values = [f"{side}_{name}" for side in ("CALL", "PUT") for name in ("close", "oi", "iv")]
    strikes = raw.select(
        "row",
        "ts",
        days.replace_strict(expiries, default=None, return_dtype=pl.Date).alias("_expiry"),
        number(file, "strike").alias("_strike"),
        number(file, "spot").alias("underlying_price"),
        *(number(file, name).alias(name) for name in values),
    )
    sides = {
        right: {
            "open_interest": pl.col(f"{side}_oi"),
            "iv": _plausible(f"{side}_iv"),
            "price": _traded(f"{side}_close"),
        }
        for right, side in ((Right.CALL, "CALL"), (Right.PUT, "PUT"))
    }
    rows = calls_and_puts(strikes, sides)
    new = prepare(
        chain_of(index, rows, partial(_contract, index)),
        file,
        venue=VENUE,
        resolution_ns=AT_THE_MONEY_BAR_NS,
        accept_rejects=accept_rejects,
    )
    given = strikes["CALL_iv"].count() + strikes["PUT_iv"].count()
    unknown = (
        f"{given - rows['iv'].count():,} of {given:,} volatilities lie outside"
        f" {LOWEST_VOLATILITY_PERCENT:g} to {HIGHEST_VOLATILITY_PERCENT:g} % per year and are"
        " taken as not known."
    )
    ends = pl.col("ts") + pl.duration(nanoseconds=AT_THE_MONEY_BAR_NS)
    levels = _levels(strikes.with_columns(ends))
    made = [Prepared(new, [*BOTH_NOTES, *AT_THE_MONEY_NOTES, unknown])]
    if levels.height:
        bars = prepare_levels(levels, file, venue=VENUE, index=index, length_ns=AT_THE_MONEY_BAR_NS)
        made.append(Prepared(bars, [LEVELS_NOTE]))
    return made


def _contract(index: str, expiry: date, strike: float, right: Right) -> OptionContract:
    side = "CE" if right is Right.CALL else "PE"
    return OptionContract(
        symbol=f"{index}-{expiry:%Y%m%d}-{strike:.12g}-{side}",
        venue=VENUE,
        underlying=index,
        right=right,
        strike=strike,
        expiry_ns=expiry_of(index, expiry, VENUE).expires_ns,
        multiplier=1.0,
        lot=1.0,
        style=Style.EUROPEAN,
        settlement=Settlement.CASH,
        inverse=False,
    )


def _index_in(name: str) -> str:
    """Return the index that a file's name says, as nifty_atm_options_15min.parquet does."""
    words = {word.upper() for word in re.split(r"[^A-Za-z0-9]+", name)}
    found = sorted(words & NSE_INDICES)
    if len(found) != 1:
        raise DataError(
            "what the options are on is not known: the file's name says "
            + (" and ".join(found) or "no index"),
            where=name,
            hint=f"Begin its name with one of {', '.join(sorted(NSE_INDICES))}",
        )
    return found[0]


def _levels(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the level of the index at each stamp where it is known."""
    price = pl.col("underlying_price")
    known = rows.filter(pl.col("ts").is_not_null() & price.is_finite() & (price > 0))
    return known.unique("ts", keep="first", maintain_order=True).select("ts", price.alias("level"))


def _traded(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != 0).then(pl.col(column))


def _plausible(column: str) -> pl.Expr:
    """Return percent per year as a fraction, null where it can be no volatility."""
    percent = pl.col(column)
    possible = percent.is_between(LOWEST_VOLATILITY_PERCENT, HIGHEST_VOLATILITY_PERCENT)
    return pl.when(possible).then(quotient(percent, 100.0))
