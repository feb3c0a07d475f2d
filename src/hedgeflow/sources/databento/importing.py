"""DBN files into a catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.sources.databento.beside import Beside
from hedgeflow.sources.databento.building import SHOWN_NAMES, tapes_of
from hedgeflow.sources.databento.decoding import DbnFile, DbnHeader, read_dbn, read_header
from hedgeflow.sources.databento.definitions import definitions_table, venue_of
from hedgeflow.sources.databento.instruments import Directory
from hedgeflow.sources.databento.records import (
    AT,
    TICK_RESOLUTION_NS,
    interval_ns,
    is_cut_short,
    recorded,
)
from hedgeflow.sources.databento.schemas import BARS, DEFINITION, reading_order, refusal
from hedgeflow.sources.databento.tapes import Source
from hedgeflow.sources.report import ImportReport, import_into

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress


def import_databento(
    paths: Iterable[Path | str],
    catalog: Catalog,
    *,
    definitions: Path | str | None = None,
    underlying_from: str | None = None,
    prices: Catalog | None = None,
    accept_rejects: bool = False,
    progress: Progress | None = None,
) -> list[ImportReport]:
    """Import DBN files: definitions, trades with or without quotes, quotes, bars, open interest.

    Files given together are read in the order definitions, bars, quotes, trades, statistics, what
    one can hedge in before options, so that each finds what it needs. Each tape is written whole or
    not at all; no file is written if the header of one of them is refused.

    Parameters
    ----------
    paths : iterable of path
        ``.dbn`` or ``.dbn.zst``.
    catalog : Catalog
    definitions : path, optional
        A definition file that tells what instruments are and is not itself imported.
    underlying_from : str, optional
        Instrument, or venue:instrument, whose trades or bars in the catalog give options' prints
        their underlying price; without it the underlying's own, of which there must be one only,
        and for options on futures the future of each.
    prices : Catalog, optional
        Another catalog to look in for underlying prices and quotes.
    accept_rejects : bool
        Use the tapes although more than 0.01 % of them is rejected.
    progress : callable, optional
        Called with the rows done and the rows to do, of each tape.

    Returns
    -------
    list of ImportReport
        One for each tape that a file became.

    Raises
    ------
    DataError
        A file cannot be read or decoded, its schema or dataset is not taken, nothing in it can be
        kept, or something is missing that the message names.
    """
    headers = [read_header(path) for path in paths]
    for header in headers:
        refused = refusal(header)
        if refused is not None:
            raise refused
    directory = _directory(headers, definitions)
    looked_in = (catalog,) if prices is None else (catalog, prices)
    reports: list[ImportReport] = []
    for header in sorted(headers, key=reading_order):
        file = read_dbn(header.path)
        beside = Beside(looked_in, underlying_from, header.where)
        source = _source(file, accept_rejects=accept_rejects)
        for new, notes in tapes_of(source, directory, beside):
            reports.append(import_into(catalog, new, [*source.notes, *notes], progress))
    return reports


def _directory(headers: list[DbnHeader], definitions: Path | str | None) -> Directory:
    """Return what all definition files at hand say."""
    paths = [each.path for each in headers if each.schema == DEFINITION]
    if definitions is not None:
        paths.append(Path(definitions))
    tables: dict[str, pl.DataFrame] = {}
    for path in paths:
        file = read_dbn(path)
        table = definitions_table(file)
        dataset = file.header.dataset
        tables[dataset] = pl.concat([tables.get(dataset, table.clear()), table])
    return Directory({name: table.sort(AT, maintain_order=True) for name, table in tables.items()})


def _source(file: DbnFile, *, accept_rejects: bool) -> Source:
    header = file.header
    length = interval_ns(header.schema) if header.schema in BARS else TICK_RESOLUTION_NS
    source = Source(
        file=file,
        venue=venue_of(header.dataset, where=header.where),
        coverage=recorded(file, length),
        accept_rejects=accept_rejects,
    )
    if is_cut_short(file):
        source.notes.append(
            f"The file holds as many records as were asked for at most ({header.limit:,}): it is"
            " taken to end with the last one."
        )
    if header.not_found:
        shown = ", ".join(header.not_found[:SHOWN_NAMES])
        source.notes.append(
            f"{len(header.not_found):,} of the symbols asked for did not exist, or not on all days:"
            f" {shown}{', …' if len(header.not_found) > SHOWN_NAMES else ''}."
        )
    return source
