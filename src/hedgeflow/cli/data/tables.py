"""Import command for any table: Parquet or CSV, by a map of its columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.data.options import (
    AcceptOption,
    CatalogOption,
    DryRunOption,
    FileArgument,
    JsonOption,
    destination,
    print_reports,
)
from hedgeflow.cli.output import progress_bar

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog


def import_any_table(
    file: FileArgument,
    catalog: CatalogOption,
    kind: Annotated[
        str | None, typer.Option(help="What the rows are, as in option_trades or funding.")
    ] = None,
    venue: Annotated[str | None, typer.Option(help="Where they were recorded.")] = None,
    underlying: Annotated[str | None, typer.Option(help="What the options are on.")] = None,
    instrument: Annotated[
        str | None, typer.Option(help="The hedge instrument, as in BTC-PERP, ESH25 or AAPL.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Column map, as in ts=time,price=px*0.0001,right:=C (a constant)."),
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Rows that count, as in venue=binance,volume>0.")
    ] = None,
    column_map: Annotated[
        Path | None, typer.Option("--map", metavar="MAP", help="The same and more, as TOML.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Time zone of times that carry none; without it, UTC.")
    ] = None,
    resolution: Annotated[
        float | None,
        typer.Option(
            min=0.000000001,
            help="Seconds that the stamps resolve, for bars the bar length;"
            " without it, read off the stamps.",
        ),
    ] = None,
    accept_rejects: AcceptOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import any Parquet or CSV table as a tape, by a map of its columns."""
    from hedgeflow.sources import import_table, table_map

    table = table_map(
        column_map,
        kind=kind,
        venue=venue,
        underlying=underlying,
        instrument=instrument,
        columns=columns,
        where=where,
        timezone=timezone,
        resolution_seconds=resolution,
    )
    with (
        destination(catalog, dry_run=dry_run) as target,
        progress_bar(f"Importing {file.name}", quiet=as_json) as progress,
    ):
        reports = import_table(
            file,
            target,
            table,
            prices=stored(catalog),
            accept_rejects=accept_rejects,
            progress=progress,
        )
    print_reports(reports, catalog, as_json=as_json, dry_run=dry_run)


def stored(catalog: Path) -> Catalog | None:
    """Return the catalog that is there already, also on a dry run; None where there is none."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.layout import MARKER

    return Catalog.open(catalog) if (catalog / MARKER).is_file() else None
