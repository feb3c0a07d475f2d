"""What a DBN file holds, whether or not a tape can be made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hedgeflow.sources.databento.decoding import read_dbn
from hedgeflow.sources.databento.records import known_stamps, table_of
from hedgeflow.sources.databento.schemas import becomes

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DbnSummary:
    """A decoded file in a few numbers.

    Attributes
    ----------
    file : str
    dataset, schema : str
    version : int
        Of the encoding.
    records : int
    instruments : int
        Different instrument numbers.
    symbols : tuple of str
        What they are called; without those that the header does not map.
    first_ns, last_ns : int or None
        Of the times by which the file is ordered, UTC nanoseconds.
    becomes : str
        What an import makes of it, or why nothing.
    """

    file: str
    dataset: str
    schema: str
    version: int
    records: int
    instruments: int
    symbols: tuple[str, ...]
    first_ns: int | None
    last_ns: int | None
    becomes: str


def summarize_dbn(path: Path | str) -> DbnSummary:
    """Decode a DBN file of any schema and say what it holds.

    Raises
    ------
    DataError
        As `read_dbn`.
    """
    file = read_dbn(path)
    table = table_of(file, ())
    stamps = known_stamps(file)
    return DbnSummary(
        file=file.header.where,
        dataset=file.header.dataset,
        schema=file.header.schema,
        version=file.header.version,
        records=file.records.size,
        instruments=table["instrument_id"].n_unique(),
        symbols=tuple(table["symbol"].drop_nulls().unique().sort()),
        first_ns=int(stamps[0]) if stamps.size else None,
        last_ns=int(stamps[-1]) if stamps.size else None,
        becomes=becomes(file.header),
    )
