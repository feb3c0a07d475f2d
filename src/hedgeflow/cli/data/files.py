"""Import commands for files: Deribit option trades and OHLCV bars."""

from __future__ import annotations

from typing import Annotated

import typer

from hedgeflow.cli.data.options import (
    AcceptOption,
    CatalogOption,
    DryRunOption,
    FileArgument,
    JsonOption,
    destination,
    print_report,
)
from hedgeflow.cli.output import progress_bar


def import_deribit(
    file: FileArgument,
    catalog: CatalogOption,
    resolution: Annotated[
        float | None,
        typer.Option(
            min=0.000001,
            max=86_400,
            help="Seconds that the stamps resolve; without it, read off the stamps.",
        ),
    ] = None,
    accept_rejects: AcceptOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import a Parquet or CSV file of Deribit option trades."""
    from hedgeflow.sources import import_deribit_trades

    with (
        destination(catalog, dry_run=dry_run) as target,
        progress_bar(f"Importing {file.name}", quiet=as_json) as progress,
    ):
        report = import_deribit_trades(
            file,
            target,
            accept_rejects=accept_rejects,
            resolution_ns=None if resolution is None else round(resolution * 1e9),
            progress=progress,
        )
    print_report(report, catalog, as_json=as_json, dry_run=dry_run)


def import_bars_file(
    file: FileArgument,
    catalog: CatalogOption,
    instrument: Annotated[str, typer.Option(help="Its symbol, as in BTC-PERP, ESH25 or AAPL.")],
    venue: Annotated[
        str | None, typer.Option(help="Without it, the file name's first word if it is a venue.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Column map, as in time=date,open=o,volume=vol.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Time zone of stamps that carry none; without it, UTC.")
    ] = None,
    accept_rejects: AcceptOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import OHLCV bars from Parquet or CSV."""
    from hedgeflow.sources import import_bars, parse_column_map

    with (
        destination(catalog, dry_run=dry_run) as target,
        progress_bar(f"Importing {file.name}", quiet=as_json) as progress,
    ):
        report = import_bars(
            file,
            target,
            instrument=instrument,
            venue=venue,
            columns=parse_column_map(columns) if columns else None,
            timezone=timezone,
            accept_rejects=accept_rejects,
            progress=progress,
        )
    print_report(report, catalog, as_json=as_json, dry_run=dry_run)
