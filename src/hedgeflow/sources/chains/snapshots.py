"""Snapshots of a chain on their way into a catalog: what every source of them has in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import Right
from hedgeflow.market.errors import DataError
from hedgeflow.market.layout import file_sha256
from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import COLUMNS, TapeKey, TapeKind
from hedgeflow.market.validation import (
    ROW,
    Fault,
    Reason,
    check_sorted,
    merge_rejects,
    split,
    validate,
)
from hedgeflow.sources.contract_terms import contracts_table
from hedgeflow.sources.files import numbers, read_table
from hedgeflow.sources.report import ImportReport, import_into
from hedgeflow.sources.sampling import sampled_coverage
from hedgeflow.sources.stamps import read_stamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.contracts import OptionContract
    from hedgeflow.market.writing import Progress

KIND: Final = TapeKind.OPTION_SNAPSHOTS
THOUSANDTH_TOLERANCE: Final = 1e-6
"""Strikes are whole thousandths, as OSI symbols write them."""


@dataclass(frozen=True, slots=True)
class ChainFile:
    """A file of snapshots as it was read.

    Attributes
    ----------
    path : Path
    sha256 : str
    raw : polars.DataFrame
        With `row`.
    """

    path: Path
    sha256: str
    raw: pl.DataFrame

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Prepared:
    """One import that is ready, with what was assumed on the way."""

    new: Import
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Chain:
    """What a file says of the options on one underlying.

    Attributes
    ----------
    underlying : str
    rows : polars.DataFrame
        The columns of the tape and `row`, sorted by `ts`; columns that begin with an underscore
        are workings.
    terms : polars.DataFrame
        Of every contract that the rows name, as a catalog keeps them.
    faults : tuple of Fault
        What makes a row impossible, beyond its own columns, its contract and its expiry.
    """

    underlying: str
    rows: pl.DataFrame
    terms: pl.DataFrame
    faults: tuple[Fault, ...] = ()


def need_columns(file: ChainFile, needed: Iterable[str], what: str) -> None:
    """Raise unless a file has the columns of a kind of file."""
    missing = [name for name in needed if name not in file.raw.columns]
    if missing:
        raise DataError(
            f"column '{missing[0]}' is missing: this is no file of {what}",
            where=file.name,
            hint=f"The file has {', '.join(name for name in file.raw.columns if name != ROW)};"
            " any other table comes in with hedgeflow data import table",
        )


def stamped(file: ChainFile, column: str, timezone: str) -> pl.DataFrame:
    """Return a file's rows with their stamps as `ts`, UTC; they must be sorted by it.

    Raises
    ------
    DataError
        The column holds no times, or they are not sorted.
    """
    stamps = read_stamps(file.raw, column, timezone=timezone, where=file.name)
    rows = file.raw.with_columns(stamps.series.alias("ts"))
    check_sorted(rows, "ts", where=file.name)
    return rows


def dates(file: ChainFile, column: str) -> pl.Series:
    """Return a column of dates written as YYYY-MM-DD.

    Raises
    ------
    DataError
        A row holds none.
    """
    given = file.raw[column]
    found = given.cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    wrong = found.is_null()
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        raise DataError(
            f"column '{column}', row {at}: '{given[at]}' is no date",
            where=file.name,
            hint="Write YYYY-MM-DD; rows count from 0",
        )
    return found


def number(file: ChainFile, column: str) -> pl.Series:
    """Return a column of a file as numbers.

    Raises
    ------
    DataError
        It holds something else.
    """
    return numbers(file.raw, column, where=file.name)


def calls_and_puts(
    strikes: pl.DataFrame, values: Mapping[Right, Mapping[str, pl.Expr]]
) -> pl.DataFrame:
    """Return two rows for each row of a file that has call and put beside each other.

    Parameters
    ----------
    strikes : polars.DataFrame
        `row`, `ts`, `underlying_price`, `_expiry`, `_strike`, and what the values are made of.
    values : mapping
        By right, what makes the tape's columns; those that it does not name are null.
    """
    names = ("open_interest", "volume", "iv", "price")
    missing = pl.lit(None, dtype=pl.Float64)
    sides = [
        strikes.select(
            ROW,
            "ts",
            "underlying_price",
            "_expiry",
            "_strike",
            pl.lit(right.value).alias("_right"),
            *(found.get(name, missing).alias(name) for name in names),
        )
        for right, found in values.items()
    ]
    return pl.concat(sides).sort("ts", ROW, maintain_order=True)


def chain_of(
    underlying: str,
    rows: pl.DataFrame,
    contract: Callable[[date, float, Right], OptionContract],
) -> Chain:
    """Return rows with the contracts that they name; a strike that cannot be names none.

    Parameters
    ----------
    underlying : str
    rows : polars.DataFrame
        As `calls_and_puts` makes them.
    contract : callable
        Makes a contract of its day of expiry, strike and right.
    """
    keys = ["_expiry", "_strike", "_right"]
    thousandths = pl.col("_strike") * 1000
    whole = (thousandths - thousandths.round()).abs() < THOUSANDTH_TOLERANCE
    sound = pl.col("_strike").is_finite() & (pl.col("_strike") > 0) & whole
    unique = rows.filter(sound).select(keys).unique(maintain_order=True)
    made = [contract(expiry, strike, Right(right)) for expiry, strike, right in unique.rows()]
    symbols = pl.Series("contract", [each.symbol for each in made], dtype=pl.String)
    named = rows.join(unique.with_columns(symbols), on=keys, how="left", maintain_order="left")
    return Chain(underlying, named, contracts_table(made))


def prepare(
    chain: Chain, file: ChainFile, *, venue: str, resolution_ns: int, accept_rejects: bool
) -> Import:
    """Return a chain's snapshots as an import; each is known a resolution after its stamp.

    Parameters
    ----------
    chain : Chain
    file : ChainFile
    venue : str
    resolution_ns : int
        How long after its stamp the whole of a snapshot is known.
    accept_rejects : bool

    Raises
    ------
    DataError
        The rows are no tape.
    """
    columns = [column.name for column in COLUMNS[KIND]]
    known_at = pl.col("ts") + pl.duration(nanoseconds=resolution_ns)
    expiries = chain.terms.select("contract", pl.col("expiry").alias("_expires"))
    worked = chain.rows.with_columns(known_at.alias("known_at")).join(
        expiries, on="contract", how="left", maintain_order="left"
    )
    faults = [
        Fault(Reason.MISSING_VALUE, "ts", pl.col("ts").is_null()),
        Fault(Reason.UNKNOWN_CONTRACT, "contract", pl.col("_expires").is_null()),
        *chain.faults,
        Fault(Reason.AFTER_EXPIRY, "ts", pl.col("ts") >= pl.col("_expires")),
    ]
    good, refused = split(worked, faults)
    checked = validate(good.select(ROW, *columns), KIND, where=file.name)
    named = checked.rows["contract"].unique()
    stamps = worked["ts"].drop_nulls().to_physical()
    return Import(
        key=TapeKey(KIND, venue, chain.underlying, chain.underlying, resolution_ns),
        rows=checked.rows,
        rejects=merge_rejects([refused, checked.rejects]),
        read=worked.height,
        null_ids=0,
        identical_without_id=0,
        source=file.name,
        source_sha256=file.sha256,
        coverage=sampled_coverage(stamps, resolution_ns),
        contracts=chain.terms.filter(pl.col("contract").is_in(named.implode())),
        accept_rejects=accept_rejects,
    )


def import_files(
    paths: Sequence[Path | str],
    catalog: Catalog,
    prepared: Callable[[ChainFile], list[Prepared]],
    progress: Progress | None,
) -> tuple[ImportReport, ...]:
    """Read every file, then write the imports that they make; one bad file and none is written.

    Raises
    ------
    DataError
        A file is missing, empty, truncated or of another format, or none of its rows can be used.
    """
    made: list[Prepared] = []
    for path in map(Path, paths):
        raw = read_table(path)
        of_file = prepared(ChainFile(path, file_sha256(path), raw))
        _check_some_usable(of_file)
        made += of_file
    rows = sum(each.new.read for each in made)
    done = 0
    reports: list[ImportReport] = []
    for each in made:
        reports.append(import_into(catalog, each.new, each.notes, None))
        done += each.new.read
        if progress is not None:
            progress(done, rows)
    return tuple(reports)


def _check_some_usable(made: list[Prepared]) -> None:
    if all(each.new.rows.is_empty() for each in made):
        rejects = pl.concat([each.new.rejects for each in made])
        reasons = sorted(rejects["reason"].value_counts().iter_rows())
        raise DataError(
            f"none of its {sum(each.new.read for each in made):,} rows can be used:"
            f" {', '.join(f'{reason} {count:,}' for reason, count in reasons)}",
            where=made[0].new.source,
            hint="Nothing was written; correct the file",
        )
