"""Any Parquet or CSV table as a tape, by a map of its columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.layout import file_sha256
from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import COLUMNS, TapeKey, TapeKind
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.market.validation import (
    ROW,
    Fault,
    Reason,
    check_sorted,
    merge_rejects,
    no_rejects,
    split,
    validate,
)
from hedgeflow.sources.anonymous import count_anonymous
from hedgeflow.sources.catalog_prices import with_price_of_bars
from hedgeflow.sources.deribit.rows import LOT_TOLERANCE
from hedgeflow.sources.division import quotient
from hedgeflow.sources.files import read_table
from hedgeflow.sources.report import ImportReport, check_usable, import_into
from hedgeflow.sources.sampling import sampled_coverage
from hedgeflow.sources.tables.contracts import names_contracts, read_contracts
from hedgeflow.sources.tables.fields import (
    OPTION_KINDS,
    check_fields,
    read_fields,
    selected,
    used_columns,
)

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress
    from hedgeflow.sources.tables.columns import RowMap, TableMap

RESOLUTIONS_NS: Final = (MINUTE_NS, SECOND_NS, SECOND_NS // 1000, SECOND_NS // 1_000_000, 1)
"""What stamps may resolve: the coarsest of which all are whole multiples."""

INTERVAL_KINDS: Final = frozenset({TapeKind.BARS, TapeKind.OPTION_DAYS})
"""Kinds whose rows each tell of an interval, whose length is the tape's resolution."""

SAMPLED_KINDS: Final = frozenset(
    {
        TapeKind.OPEN_INTEREST,
        TapeKind.OPTION_SNAPSHOTS,
        TapeKind.FUNDING,
        TapeKind.LONG_SHORT_RATIO,
        TapeKind.OPTION_DAYS,
    }
)
"""Kinds that are published at intervals of their own: a gap is two of them."""

DEFINITIONS_NOTE: Final = "These are the contracts whose open interest the table states."


def import_table(
    path: Path | str,
    catalog: Catalog,
    table: TableMap,
    *,
    prices: Catalog | None = None,
    accept_rejects: bool = False,
    progress: Progress | None = None,
) -> tuple[ImportReport, ...]:
    """Import a table as the tape that a map makes of it.

    A row is known at its stamp plus the resolution (a bar at its end), unless the map names a
    column `known_at`.

    Parameters
    ----------
    path : path
        Parquet, CSV or gzipped CSV, sorted by time.
    catalog : Catalog
    table : TableMap
    prices : Catalog, optional
        Where underlying prices that the table lacks come from: the closes of its bars. Without it,
        `catalog`.
    accept_rejects : bool
        Use the tape although more than 0.01 % of it is rejected.
    progress : callable, optional
        Called with the rows done and the rows to do.

    Returns
    -------
    tuple of ImportReport
        One; with the open interest of options a second one of their definitions.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, is not sorted by time, has no row that can be used
        or was imported into the tape with another map; or the map does not make the kind of tape.
    """
    path = Path(path)
    for each in table.rows:
        check_fields(table.kind, each)
    raw = read_table(path)
    if progress is not None:
        progress(0, raw.height)
    reading = _Reading(table, path.name, prices or catalog)
    worked = reading.rows_of(raw)
    made = reading.imports(worked, file_sha256(path), accept_rejects=accept_rejects)
    check_usable(made[0][0])
    return tuple(import_into(catalog, new, notes, progress) for new, notes in made)


class _Reading:
    """One table on its way to a tape, with what was assumed on the way."""

    def __init__(self, table: TableMap, where: str, prices: Catalog) -> None:
        self.table = table
        self.where = where
        self.prices = prices
        self.notes: list[str] = []
        self.faults: list[Fault] = []
        self.terms: pl.DataFrame | None = None
        self.of_options = table.kind in OPTION_KINDS or any(map(names_contracts, table.rows))
        self.underlying, self.instrument = self._names()

    def rows_of(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the tape, still with the file's columns beside the fields."""
        columns = used_columns(self.table.rows, where=self.where, there=raw.columns)
        parts = [self._part(raw.select(columns), each) for each in self.table.rows]
        taken = sum(part.height for part in parts)
        if len(parts) > 1 or taken < raw.height:
            self.notes.append(
                f"{taken:,} rows come from the file's {raw.height:,}; in the rejects they are"
                " counted from 0 as they were taken."
            )
        if len(parts) == 1 and taken == raw.height:
            return parts[0]
        rows = pl.concat(parts, how="diagonal").sort("_ts", maintain_order=True, nulls_last=True)
        return rows.drop(ROW).with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))

    def imports(
        self, worked: pl.DataFrame, sha256: str, *, accept_rejects: bool
    ) -> list[tuple[Import, list[str]]]:
        """Return the tape with its notes, and with options' open interest their definitions."""
        kind = self.table.kind
        stamps = worked["_ts"].drop_nulls().to_physical()
        resolution_ns = self.table.resolution_ns or self._resolution_ns(stamps)
        if kind is TapeKind.BARS:
            _check_spacing(stamps, resolution_ns, self.where)
        self.notes.append(_known_note(kind, resolution_ns, given="_known_at" in worked.columns))
        good, refused = split(worked, self._all_faults(worked))
        tape, unpriced = self._as_tape(good, resolution_ns)
        checked = validate(tape, kind, where=self.where)
        anonymous = count_anonymous(checked.rows)
        new = Import(
            key=TapeKey(kind, self.table.venue, self.underlying, self.instrument, resolution_ns),
            rows=checked.rows,
            rejects=merge_rejects([refused, unpriced, checked.rejects]),
            read=worked.height,
            null_ids=anonymous.rows,
            identical_without_id=anonymous.identical,
            source=self.where,
            source_sha256=sha256,
            coverage=_coverage(kind, stamps, resolution_ns),
            contracts=None if self.terms is None else _named_by(checked.rows, self.terms),
            accept_rejects=accept_rejects,
            arguments=self.table.words,
        )
        if kind is TapeKind.OPEN_INTEREST and self.terms is not None:
            return [(new, self.notes), (_definitions(new), [DEFINITIONS_NOTE])]
        return [(new, self.notes)]

    def _part(self, raw: pl.DataFrame, given: RowMap) -> pl.DataFrame:
        rows = selected(raw, given, where=self.where)
        worked, notes = read_fields(rows, given, timezone=self.table.timezone, where=self.where)
        check_sorted(worked, "_ts", where=self.where)
        if self.of_options:
            found = read_contracts(
                worked,
                given,
                venue=self.table.venue,
                underlying=self.underlying,
                timezone=self.table.timezone,
                where=self.where,
            )
            worked, self.faults = found.rows, found.faults
            notes += found.notes
            self.terms = found.terms if self.terms is None else pl.concat([self.terms, found.terms])
        for note in notes:
            if note not in self.notes:
                self.notes.append(note)
        return worked

    def _names(self) -> tuple[str, str]:
        underlying, instrument = self.table.underlying, self.table.instrument
        if self.of_options:
            if underlying is None:
                raise DataError(
                    "what the options are on is not known",
                    where=self.where,
                    hint="Name it with --underlying",
                )
            if any("value" in each.fields for each in self.table.rows):
                raise DataError(
                    "the open interest of options is in contracts, not in their value",
                    where=self.where,
                    hint="Name a column of contracts with open_interest=COLUMN",
                )
            if instrument not in {None, underlying}:
                raise DataError(
                    f"options on {underlying} have no instrument '{instrument}'",
                    where=self.where,
                    hint="Leave --instrument out",
                )
            return underlying, underlying
        if instrument is None:
            raise DataError(
                "the instrument is not named",
                where=self.where,
                hint="Name it with --instrument, as in BTC-PERP, ESH25 or AAPL",
            )
        if underlying is None:
            underlying = hedge_instrument(instrument, self.table.venue).underlying
        return underlying, instrument

    def _resolution_ns(self, stamps: pl.Series) -> int:
        if self.table.kind in INTERVAL_KINDS:
            raise DataError(
                "the length of the interval that a row tells of is not known",
                where=self.where,
                hint="Give it with --resolution, in seconds: 60 for bars of a minute",
            )
        return next(each for each in RESOLUTIONS_NS if (stamps % each == 0).all())

    def _all_faults(self, worked: pl.DataFrame) -> list[Fault]:
        faults = [Fault(Reason.MISSING_VALUE, "_ts", pl.col("_ts").is_null()), *self.faults]
        faults += [
            Fault(Reason.UNKNOWN_DIRECTION, name, pl.col("_taker").is_null())
            for name in ("_aggressor", "_buyer_is_maker")
            if name in worked.columns
        ]
        if "_quantity" in worked.columns:
            lots = pl.col("_quantity") / pl.col("_lot_size")
            faults += [
                Fault(Reason.NAN_VALUE, "_quantity", ~pl.col("_quantity").is_finite()),
                Fault(
                    Reason.FRACTIONAL_LOT, "_quantity", (lots - lots.round()).abs() > LOT_TOLERANCE
                ),
            ]
        return faults

    def _as_tape(self, good: pl.DataFrame, resolution_ns: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the tape's columns, and the rows whose underlying's price is not known."""
        known_at = pl.col("_ts") + pl.duration(nanoseconds=resolution_ns)
        if "_known_at" in good.columns:
            known_at = pl.col("_known_at")
        timed = good.with_columns(pl.col("_ts").alias("ts"), known_at.alias("known_at"))
        refused = no_rejects()
        if self._needs_price(good.columns):
            timed, note = with_price_of_bars(
                timed, self.prices, self.underlying, self.table.venue, where=self.where
            )
            self.notes.append(note)
            timed = timed.rename({"underlying_price": "_underlying_price"})
            missing = pl.col("_underlying_price").is_null()
            timed, refused = split(
                timed, [Fault(Reason.NO_UNDERLYING_PRICE, "_underlying_price", missing)]
            )
        columns = [
            _column(column.name, timed.columns).cast(column.dtype).alias(column.name)
            for column in COLUMNS[self.table.kind]
            if column.name not in {"ts", "known_at", "contract"}
        ]
        if "contract" in {column.name for column in COLUMNS[self.table.kind]}:
            name = pl.col("_symbol") if self.of_options else pl.lit(self.instrument)
            columns.append(name.alias("contract"))
        return timed.select(ROW, "ts", "known_at", *columns), refused

    def _needs_price(self, there: list[str]) -> bool:
        if self.table.kind in {TapeKind.OPTION_TRADES, TapeKind.OPTION_SNAPSHOTS}:
            return "_underlying_price" not in there
        is_value = self.table.kind is TapeKind.OPEN_INTEREST and "_value" in there
        return is_value and "_price" not in there


def _column(name: str, there: list[str]) -> pl.Expr:
    """Return what makes a column of a tape from the fields of a table."""
    if name == "aggressor":
        return pl.col("_taker")
    if name == "lots":
        return (pl.col("_quantity") / pl.col("_lot_size")).round().cast(pl.Int64, strict=False)
    if name == "iv" and "_iv_pct" in there:
        return quotient(pl.col("_iv_pct"), 100.0)
    if name == "iv":
        name = "iv_fraction"
    if name in {"size", "open_interest"} and "_value" in there:
        price = "_underlying_price" if "_price" not in there else "_price"
        return quotient(pl.col("_value"), pl.col(price))
    if f"_{name}" in there:
        return pl.col(f"_{name}")
    return pl.lit(None)


def _check_spacing(stamps: pl.Series, length_ns: int, where: str) -> None:
    """Raise unless bars start mostly a bar length apart, else whole multiples of it."""
    steps = stamps.unique().sort().diff().drop_nulls()
    if steps.is_empty():
        return
    usual = int(steps.mode().sort()[0])
    if usual != length_ns or (steps % length_ns != 0).any():
        raise DataError(
            f"the bars are mostly {usual / SECOND_NS:g} s apart, which does not agree with a bar"
            f" length of {length_ns / SECOND_NS:g} s",
            where=where,
            hint="Give their length with --resolution, and choose one instrument with --where",
        )


def _known_note(kind: TapeKind, resolution_ns: int, *, given: bool) -> str:
    length = f"{resolution_ns / SECOND_NS:g} s"
    if given:
        return f"Each row is known when its known_at says; stamps resolve {length}."
    if kind in INTERVAL_KINDS:
        return f"Each row tells of {length} and is known at their end."
    return f"Stamps are taken as floored to {length}: each row is known {length} after its stamp."


def _coverage(kind: TapeKind, stamps: pl.Series, resolution_ns: int) -> Coverage:
    if kind is TapeKind.BARS:
        return Coverage.from_stamps(stamps.to_numpy(), resolution_ns, split_ns=resolution_ns)
    if kind not in SAMPLED_KINDS:
        return Coverage.from_stamps(stamps.to_numpy(), resolution_ns)
    return sampled_coverage(stamps, resolution_ns)


def _named_by(rows: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Return the terms of the contracts that rows name."""
    named = rows["contract"].unique()
    return terms.filter(pl.col("contract").is_in(named.implode())).unique(maintain_order=True)


def _definitions(open_interest: Import) -> Import:
    """Return the definitions of the contracts whose open interest is known, from its first row."""
    first = open_interest.rows.unique("contract", keep="first", maintain_order=True)
    key = open_interest.key
    return Import(
        key=TapeKey(
            TapeKind.OPTION_DEFINITIONS,
            key.venue,
            key.underlying,
            key.instrument,
            key.resolution_ns,
        ),
        rows=first.select(*(column.name for column in COLUMNS[TapeKind.OPTION_DEFINITIONS]), ROW),
        rejects=no_rejects(),
        read=first.height,
        null_ids=0,
        identical_without_id=0,
        source=open_interest.source,
        source_sha256=open_interest.source_sha256,
        coverage=open_interest.coverage,
        contracts=open_interest.contracts,
        arguments=open_interest.arguments,
    )
