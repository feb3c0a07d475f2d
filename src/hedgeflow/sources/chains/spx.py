"""SPX options on their day of expiry, by strike every quarter of an hour, and the index's bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import Right, osi_symbol, parse_osi_option
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.sources.bars_file import bars_of_file
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

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.contracts import OptionContract
    from hedgeflow.market.writing import Progress
    from hedgeflow.sources.report import ImportReport

VENUE: Final = "cboe"
INDEX: Final = "SPX"
ROOT: Final = "SPXW"
ZONE: Final = "America/New_York"

DELAY_NS: Final = 15 * MINUTE_NS
"""The feed behind the profiles is delayed: the index in a profile is that of 15 minutes before."""
KNOWN_NS: Final = DELAY_NS + MINUTE_NS
"""A profile's own stamp is floored to the minute in which it was asked for."""

PROFILE: Final = ("ts_et", "date", "strike", "spot", "coi", "poi", "cvol", "pvol")
BARS: Final = ("ts_et", "open", "high", "low", "close")


def import_spx_chains(
    paths: Sequence[Path | str],
    catalog: Catalog,
    *,
    accept_rejects: bool = False,
    progress: Progress | None = None,
) -> tuple[ImportReport, ...]:
    """Import profiles of SPXW options on their day of expiry, and bars of the index.

    A profile (columns `PROFILE`) has a call's and a put's open interest and volume of the session
    in one row a strike; a file with columns `BARS` is the index. Times without a zone are New
    York's.

    Look-ahead: a profile shows the market of `DELAY_NS` before its stamp, which becomes `ts`; it
    is known a minute after its stamp.

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
        One a file.

    Raises
    ------
    DataError
        A file cannot be read, is of neither layout, is not sorted or has no usable row; nothing
        of any file was written.
    """

    def prepared(file: ChainFile) -> list[Prepared]:
        if {*BARS} <= {*file.raw.columns}:
            new, notes = bars_of_file(
                file.path,
                instrument=INDEX,
                venue=VENUE,
                columns={"time": "ts_et"},
                timezone=ZONE,
                accept_rejects=accept_rejects,
            )
            return [Prepared(new, [*notes, "Nobody can trade these prices."])]
        return [_profiles(file, accept_rejects=accept_rejects)]

    return import_files(paths, catalog, prepared, progress)


def _profiles(file: ChainFile, *, accept_rejects: bool) -> Prepared:
    need_columns(file, PROFILE, "SPX profiles or bars")
    strikes = stamped(file, "ts_et", ZONE).select(
        "row",
        pl.col("ts") - pl.duration(nanoseconds=DELAY_NS),
        dates(file, "date").alias("_expiry"),
        number(file, "strike").alias("_strike"),
        number(file, "spot").alias("underlying_price"),
        *(number(file, name).alias(name) for name in ("coi", "poi", "cvol", "pvol")),
    )
    rows = calls_and_puts(
        strikes,
        {
            right: {"open_interest": pl.col(f"{side}oi"), "volume": pl.col(f"{side}vol")}
            for right, side in ((Right.CALL, "c"), (Right.PUT, "p"))
        },
    )
    new = prepare(
        chain_of(INDEX, rows, _contract),
        file,
        venue=VENUE,
        resolution_ns=KNOWN_NS,
        accept_rejects=accept_rejects,
    )
    return Prepared(
        new,
        [
            "Each row of the file gives a call and a put of root SPXW that expire on its date.",
            (
                "The profiles come from a feed that is 15 minutes late: ts is 15 minutes before the"
                " file's stamp, a row is known a minute after that stamp."
            ),
            "Volatilities and prices are not in the file; its gammas are not used.",
        ],
    )


def _contract(day: date, strike: float, right: Right) -> OptionContract:
    return parse_osi_option(osi_symbol(ROOT, day, right, strike), VENUE)
