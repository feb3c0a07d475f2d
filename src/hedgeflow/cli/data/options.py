"""What the commands of `hedgeflow data` share: options, where an import goes, how it is shown."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.sources import ImportReport

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
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to import.")]

INTERVALS_SHOWN = 5
"""Of a tape with more than twice as many, the first and the last; JSON lists every one."""

DRY_RUN_WORDS = "Dry run: nothing was written."


@contextmanager
def destination(catalog: Path, *, dry_run: bool = False) -> Generator[Catalog]:
    """Give the catalog that an import or a download writes to, made if it is not there.

    A dry run gets one that is thrown away. What was refused or stopped before anything was
    written leaves no empty catalog behind, nor the folders made for it.
    """
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.layout import MARKER
    from hedgeflow.market.transactions import discard_empty

    if dry_run:
        with tempfile.TemporaryDirectory(prefix="hedgeflow-") as folder:
            yield Catalog.create_or_open(Path(folder))
        return
    is_new = not (catalog / MARKER).exists()
    folders = [each for each in (catalog, *catalog.parents) if not each.exists()]
    target = Catalog.create_or_open(catalog)
    try:
        yield target
    except BaseException:
        if is_new:
            discard_empty(catalog, folders)
        raise


def print_report(
    report: ImportReport, catalog: Path, *, as_json: bool, dry_run: bool = False
) -> None:
    """Show what an import read, kept and refused."""
    from hedgeflow.market.time import iso

    if as_json:
        print_json(report_fields(report, dry_run=dry_run))
        return
    intervals = [(iso(start), iso(end)) for start, end in report.coverage.intervals]
    key = report.key
    typer.echo(
        f"{report.source} -> {key.kind} of {key.instrument} on {key.venue}: {report.read:,} rows"
        f" read = {report.kept:,} kept + {report.rows_rejected:,} rejected"
        f" + {report.repeats:,} repeats"
    )
    for reason, count in sorted(report.rejected.items()):
        typer.echo(f"  rejected {reason}: {count:,}")
    if report.rejected and not dry_run:
        typer.echo(f"  refused rows: {catalog / 'rejects' / report.import_id}.parquet")
    if report.null_ids:
        typer.echo(
            f"  without a trade id: {report.null_ids:,} kept, {report.identical_without_id:,} of"
            " them identical to an earlier row (separate fills)"
        )
    typer.echo(f"  recorded in {len(intervals)} interval{'' if len(intervals) == 1 else 's'}:")
    told = [f"{start} to {end}" for start, end in intervals]
    if len(told) > 2 * INTERVALS_SHOWN:
        between = f"… {len(told) - 2 * INTERVALS_SHOWN:,} more …"
        told = [*told[:INTERVALS_SHOWN], between, *told[-INTERVALS_SHOWN:]]
    for line in told:
        typer.echo(f"    {line}")
    for note in (*report.notes, *((DRY_RUN_WORDS,) if dry_run else ())):
        typer.echo(f"  {note}")


def print_reports(
    reports: Iterable[ImportReport], catalog: Path, *, as_json: bool, dry_run: bool = False
) -> None:
    """Show what several imports read, kept and refused; as JSON, one list."""
    if as_json:
        print_json([report_fields(each, dry_run=dry_run) for each in reports])
        return
    for each in reports:
        print_report(each, catalog, as_json=False, dry_run=dry_run)


def report_fields(report: ImportReport, *, dry_run: bool) -> dict[str, object]:
    """Return what an import did, for JSON."""
    from hedgeflow.market.time import iso

    return {
        "import_id": report.import_id,
        "tape": tape_fields(report.key),
        "source": report.source,
        "read": report.read,
        "kept": report.kept,
        "rejected": report.rejected,
        "repeats": report.repeats,
        "without_id": report.null_ids,
        "identical_without_id": report.identical_without_id,
        "coverage": [(iso(start), iso(end)) for start, end in report.coverage.intervals],
        "needs_acceptance": report.needs_acceptance,
        "already_imported": report.already_imported,
        "dry_run": dry_run,
        "notes": report.notes,
    }


def tape_fields(key: TapeKey) -> dict[str, object]:
    """Return what names a tape, for tables and JSON."""
    return {
        "kind": str(key.kind),
        "venue": key.venue,
        "underlying": key.underlying,
        "instrument": key.instrument,
        "resolution_seconds": key.resolution_ns / 1e9,
    }
