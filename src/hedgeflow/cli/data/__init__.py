"""`hedgeflow data`: import files into a catalog, list what it holds, check that it is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from hedgeflow.sources import ImportReport

app = typer.Typer(no_args_is_help=True, help="Import tapes into a catalog, list and check them.")
import_app = typer.Typer(no_args_is_help=True, help="Import a file into a catalog.")
app.add_typer(import_app, name="import")

CatalogOption = Annotated[
    Path, typer.Option("--catalog", metavar="CAT", help="The catalog's folder.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
AcceptOption = Annotated[
    bool,
    typer.Option(
        "--accept-rejects", help="Use the tape although more than 0.01 % of its rows was refused."
    ),
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to import.")]


@import_app.command("deribit")
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
    as_json: JsonOption = False,
) -> None:
    """Import a Parquet or CSV file of Deribit option trades."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.sources import import_deribit_trades

    with progress_bar(f"Importing {file.name}", quiet=as_json) as progress:
        report = import_deribit_trades(
            file,
            Catalog.create_or_open(catalog),
            accept_rejects=accept_rejects,
            resolution_ns=None if resolution is None else round(resolution * 1e9),
            progress=progress,
        )
    _print_report(report, catalog, as_json=as_json)


@import_app.command("bars")
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
    as_json: JsonOption = False,
) -> None:
    """Import OHLCV bars from Parquet or CSV."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.sources import import_bars, parse_column_map

    with progress_bar(f"Importing {file.name}", quiet=as_json) as progress:
        report = import_bars(
            file,
            Catalog.create_or_open(catalog),
            instrument=instrument,
            venue=venue,
            columns=parse_column_map(columns) if columns else None,
            timezone=timezone,
            accept_rejects=accept_rejects,
            progress=progress,
        )
    _print_report(report, catalog, as_json=as_json)


def _print_report(report: ImportReport, catalog: Path, *, as_json: bool) -> None:
    from hedgeflow.market.time import iso

    intervals = [(iso(start), iso(end)) for start, end in report.coverage.intervals]
    key = report.key
    if as_json:
        print_json(
            {
                "import_id": report.import_id,
                "tape": _tape(key),
                "source": report.source,
                "read": report.read,
                "kept": report.kept,
                "rejected": report.rejected,
                "repeats": report.repeats,
                "without_id": report.null_ids,
                "identical_without_id": report.identical_without_id,
                "coverage": intervals,
                "needs_acceptance": report.needs_acceptance,
                "already_imported": report.already_imported,
                "notes": report.notes,
            }
        )
        return
    typer.echo(
        f"{report.source} -> {key.kind} of {key.instrument} on {key.venue}: {report.read:,} rows"
        f" read = {report.kept:,} kept + {report.rows_rejected:,} rejected"
        f" + {report.repeats:,} repeats of a trade id"
    )
    for reason, count in sorted(report.rejected.items()):
        typer.echo(f"  rejected {reason}: {count:,}")
    if report.rejected:
        typer.echo(f"  refused rows: {catalog / 'rejects' / report.import_id}.parquet")
    if report.null_ids:
        typer.echo(
            f"  without a trade id: {report.null_ids:,} kept, {report.identical_without_id:,} of"
            " them identical to an earlier row (separate fills)"
        )
    typer.echo(f"  recorded in {len(intervals)} interval{'' if len(intervals) == 1 else 's'}:")
    for start, end in intervals:
        typer.echo(f"    {start} to {end}")
    for note in report.notes:
        typer.echo(f"  {note}")


def _tape(key: Any) -> dict[str, object]:
    return {
        "kind": str(key.kind),
        "venue": key.venue,
        "underlying": key.underlying,
        "instrument": key.instrument,
        "resolution_seconds": key.resolution_ns / 1e9,
    }


@app.command("list")
def list_tapes(catalog: CatalogOption, as_json: JsonOption = False) -> None:
    """List the tapes of a catalog and what each covers."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.time import iso

    summaries = Catalog.open(catalog).summaries()
    rows: list[dict[str, object]] = [
        {
            **_tape(each.key),
            "rows": each.rows,
            "rejected": each.rejected,
            "repeats": each.repeats,
            "first": iso(each.first_ns) if each.first_ns is not None else None,
            "last": iso(each.last_ns) if each.last_ns is not None else None,
            "intervals": each.coverage.start_ns.size,
        }
        for each in summaries
    ]
    if as_json:
        print_json(rows)
        return
    columns = list(rows[0]) if rows else ["kind"]
    print_table(
        columns,
        [list(row.values()) for row in rows],
        numeric=("resolution_seconds", "rows", "rejected", "repeats", "intervals"),
    )


@app.command("check")
def check(catalog: CatalogOption, as_json: JsonOption = False) -> None:
    """Check every file of a catalog against its record; exit 4 if one is damaged."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.soundness import Severity

    findings = Catalog.open(catalog).check()
    if as_json:
        print_json(
            [
                {
                    "severity": str(each.severity),
                    "what": each.what,
                    "where": each.where,
                    "text": each.text,
                    "hint": each.hint,
                }
                for each in findings
            ]
        )
    else:
        for each in findings:
            typer.echo(f"{each.severity}: {each.where}: {each.text} {each.hint}".rstrip())
        typer.echo(f"{len(findings)} findings" if findings else "Every file is as recorded.")
    if any(each.severity is Severity.ERROR for each in findings):
        raise typer.Exit(4)
