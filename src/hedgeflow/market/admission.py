"""What of an import is new: repeats of stored rows are dropped, what cannot be told is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import CONTRACT_COLUMNS, TapeKind
from hedgeflow.market.time import iso
from hedgeflow.market.validation import Fault, Reason, split

if TYPE_CHECKING:
    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.manifests import Import

BAR_VALUES: Final = ("open", "high", "low", "close", "volume")
TRADE_IDENTITY: Final = {
    TapeKind.OPTION_TRADES: ("ts", "contract", "price", "lots", "aggressor"),
    TapeKind.HEDGE_TRADES: ("ts", "price", "size", "aggressor"),
}
"""Columns in which a stored trade without an id may turn out to be a new one with an id."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What of an import goes into the catalog.

    Attributes
    ----------
    rows : polars.DataFrame
    rejects : polars.DataFrame
        Bars that contradict an earlier bar of the same time.
    repeats : int
        Rows dropped because they are already there.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame
    repeats: int


def admit(new: Import, stored: pl.LazyFrame, covered: Coverage) -> Admitted:
    """Return the rows of an import that the tape does not hold yet.

    Parameters
    ----------
    new : Import
    stored : polars.LazyFrame
        The tape's rows from other imports, of the days that the import touches.
    covered : Coverage
        What those other imports cover.

    Raises
    ------
    DataError
        Rows without an id lie in an interval that another import covers: whether they are the
        same trades cannot be told.
    """
    if new.key.kind is TapeKind.BARS:
        return _admit_bars(new.rows, stored)
    if new.key.kind is TapeKind.HEDGE_QUOTES:
        _refuse_inside(new, new.rows, covered, "quotes carry no id")
        return Admitted(new.rows, new.rejects.clear(), 0)
    return _admit_trades(new, stored, covered)


def _admit_bars(rows: pl.DataFrame, stored: pl.LazyFrame) -> Admitted:
    """Keep the first bar of each time; equal later ones are repeats, others contradict it."""
    earlier = stored.select("ts", *BAR_VALUES).collect()
    known = pl.concat([earlier, rows.select("ts", *BAR_VALUES)]).unique(
        "ts", keep="first", maintain_order=True
    )
    first = rows["ts"].is_first_distinct() & ~rows["ts"].is_in(earlier["ts"].implode())
    compared = rows.with_columns(first.alias("_first")).join(
        known, on="ts", how="left", suffix="_known", maintain_order="left"
    )
    same = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_known") for name in BAR_VALUES)
    conflict = ~pl.col("_first") & ~same
    bars, rejects = split(
        compared.with_columns(conflict.alias("_conflict")).select(
            *rows.columns, "_first", "_conflict"
        ),
        [Fault(Reason.CONFLICTING_BAR, "close", pl.col("_conflict"))],
    )
    kept = bars.filter("_first").select(rows.columns)
    return Admitted(kept, rejects, bars.height - kept.height)


def _admit_trades(new: Import, stored: pl.LazyFrame, covered: Coverage) -> Admitted:
    rows = new.rows
    has_id = pl.col("trade_id").is_not_null()
    _refuse_inside(new, rows.filter(~has_id), covered, "trades without an id")
    fresh = rows.filter(~has_id | pl.col("trade_id").is_first_distinct())
    ids = stored.select("trade_id").drop_nulls().collect().get_column("trade_id")
    if ids.len():
        known = pl.col("trade_id").is_in(ids.implode()).fill_null(value=False)
        fresh = fresh.filter(~known)
    _refuse_twins(new, fresh, stored, covered)
    return Admitted(fresh, new.rejects.clear(), rows.height - fresh.height)


def _refuse_inside(new: Import, rows: pl.DataFrame, covered: Coverage, what: str) -> None:
    stamps = rows["ts"].to_physical().to_numpy()
    inside = covered.includes(stamps)
    if not inside.any():
        return
    first = int(stamps[inside][0])
    start, end = next(pair for pair in covered.intervals if pair[0] <= first < pair[1])
    raise DataError(
        f"{int(inside.sum()):,} rows lie in {iso(start)} to {iso(end)}, which another import of "
        f"this tape covers, and cannot be told from those stored: {what}",
        where=new.source,
        hint="Cut that interval out of the file, or import it into another catalog",
    )


def _refuse_twins(new: Import, rows: pl.DataFrame, stored: pl.LazyFrame, covered: Coverage) -> None:
    """Refuse new trades with an id that equal a stored one without: they may be the same."""
    rows = rows.filter(pl.col("trade_id").is_not_null())
    rows = rows.filter(covered.includes(rows["ts"].to_physical().to_numpy()))
    if rows.is_empty():
        return
    identity = TRADE_IDENTITY[new.key.kind]
    anonymous = stored.filter(pl.col("trade_id").is_null()).select(identity).unique()
    twins = rows.lazy().join(anonymous, on=identity, how="semi").collect()
    if twins.height:
        _refuse_inside(new, twins, covered, "the stored ones carry no id")


def new_contracts(given: pl.DataFrame, stored: pl.DataFrame, *, where: str) -> pl.DataFrame:
    """Return the contracts that are not stored yet.

    Raises
    ------
    DataError
        A contract is given twice or is stored with other terms.
    """
    given = given.unique(maintain_order=True)
    terms = [column.name for column in CONTRACT_COLUMNS if column.name != "listed"]
    known = pl.concat([stored, given]).select(terms).unique()
    twice = known.filter(pl.col("contract").is_duplicated())
    if twice.height:
        raise DataError(
            f"contract '{twice['contract'].min()}' has other terms than before",
            where=where,
            hint="Compare strike, expiry, multiplier and lot; import into another catalog",
        )
    return given.join(stored, on="contract", how="anti").unique("contract", maintain_order=True)
