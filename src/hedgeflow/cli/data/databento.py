"""Databento's DBN files: what they hold, and their import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hedgeflow.cli.data.options import (
    AcceptOption,
    CatalogOption,
    DryRunOption,
    JsonOption,
    destination,
    print_reports,
)
from hedgeflow.cli.output import print_json, print_table, progress_bar

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Files .dbn or .dbn.zst.")
]

DefinitionsOption = Annotated[
    Path | None,
    typer.Option(help="Definitions that tell what instruments are; not imported itself."),
]
UnderlyingFromOption = Annotated[
    str | None,
    typer.Option(
        metavar="[VENUE:]SYMBOL",
        help="Whose trades or bars in the catalog give options' trades the underlying price.",
    ),
]


def import_databento_files(
    files: FilesArgument,
    catalog: CatalogOption,
    definitions: DefinitionsOption = None,
    underlying_from: UnderlyingFromOption = None,
    accept_rejects: AcceptOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import Databento DBN files: definitions, trades, quotes, bars, open interest."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.sources import import_databento

    title = f"Importing {files[0].name}" if len(files) == 1 else f"Importing {len(files)} files"
    with (
        destination(catalog, dry_run=dry_run) as target,
        progress_bar(title, quiet=as_json) as progress,
    ):
        reports = import_databento(
            files,
            target,
            definitions=definitions,
            underlying_from=underlying_from,
            prices=Catalog.open(catalog) if dry_run and catalog.exists() else None,
            accept_rejects=accept_rejects,
            progress=progress,
        )
    print_reports(reports, catalog, as_json=as_json, dry_run=dry_run)


def describe(files: FilesArgument, as_json: JsonOption = False) -> None:
    """Decode DBN files of any schema and say what they hold."""
    from dataclasses import asdict

    from hedgeflow.market.time import iso
    from hedgeflow.sources import summarize_dbn

    rows: list[dict[str, object]] = []
    for file in files:
        found = summarize_dbn(file)
        stamps = {"first": found.first_ns, "last": found.last_ns}
        row: dict[str, object] = asdict(found)
        row |= {name: None if at is None else iso(at) for name, at in stamps.items()}
        rows.append(row if as_json else row | {"symbols": _shortened(found.symbols)})
    if as_json:
        print_json(rows)
        return
    columns = ("file", "dataset", "schema", "records", "symbols", "first", "last", "becomes")
    print_table(columns, [[row[name] for name in columns] for row in rows], numeric=("records",))


def _shortened(symbols: tuple[str, ...]) -> str:
    return symbols[0] + (", …" if len(symbols) > 1 else "") if symbols else "not mapped"
