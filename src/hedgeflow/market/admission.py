"""What of an import is new: repeats of stored rows are dropped, what cannot be told is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import CONTRACT_COLUMNS, TapeKind
from hedgeflow.market.time import iso
from hedgeflow.market.validation import ROW, Fault, Reason, split

if TYPE_CHECKING:
    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.manifests import Import

VALUE_IDENTITY: Final = {
    TapeKind.BARS: ("ts",),
    TapeKind.OPTION_DAYS: ("ts", "contract"),
    TapeKind.OPTION_SNAPSHOTS: ("ts", "contract"),
    TapeKind.OPTION_DEFINITIONS: ("ts", "contract"),
    TapeKind.OPEN_INTEREST: ("ts", "contract"),
    TapeKind.FUNDING: ("ts",),
    TapeKind.LONG_SHORT_RATIO: ("ts",),
}
"""Columns of which a tape has one row each; another value for the same contradicts it."""
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
        Rows that contradict an earlier one of the same identity, as bars of the same time.
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
    kind = new.key.kind
    if kind in VALUE_IDENTITY:
        conflict = Reason.CONFLICTING_BAR if kind is TapeKind.BARS else Reason.CONFLICTING_VALUE
        return _admit_values(new.rows, stored, VALUE_IDENTITY[kind], conflict)
    if kind in {TapeKind.HEDGE_QUOTES, TapeKind.OPTION_QUOTES}:
        _refuse_inside(new, new.rows, covered, "quotes carry no id")
        return Admitted(new.rows, new.rejects.clear(), 0)
    return _admit_trades(new, stored, covered)


def _admit_values(
    rows: pl.DataFrame, stored: pl.LazyFrame, identity: tuple[str, ...], conflict: Reason
) -> Admitted:
    """Keep the first row of each identity; equal later ones are repeats, others contradict it."""
    values = [name for name in rows.columns if name not in {*identity, "known_at", ROW}]
    earlier = stored.select(*identity, *values).collect()
    known = pl.concat([earlier, rows.select(*identity, *values)]).unique(
        identity, keep="first", maintain_order=True
    )
    is_stored = pl.struct(identity).is_in(earlier.select(pl.struct(identity)).to_series().implode())
    first = pl.struct(identity).is_first_distinct() & ~is_stored
    compared = rows.with_columns(first.alias("_first")).join(
        known, on=identity, how="left", suffix="_known", maintain_order="left"
    )
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_known")) for name in values]
    contradicts = ~pl.col("_first") & pl.any_horizontal(pl.lit(value=False), *differs)
    kept, rejects = split(
        compared.with_columns(contradicts.alias("_conflict")).select(
            *rows.columns, "_first", "_conflict"
        ),
        [Fault(conflict, (values or list(identity))[0], pl.col("_conflict"))],
    )
    fresh = kept.filter("_first").select(rows.columns)
    return Admitted(fresh, rejects, kept.height - fresh.height)


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
