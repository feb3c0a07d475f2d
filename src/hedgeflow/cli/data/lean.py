"""`hedgeflow data import lean`: a whole Lean data folder, with an account of every file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.data.options import (
    DRY_RUN_WORDS,
    AcceptOption,
    CatalogOption,
    DryRunOption,
    JsonOption,
    destination,
    tape_fields,
)
from hedgeflow.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from hedgeflow.sources.lean import FileReport, LeanReport

COLUMNS = ("file", "tape", "read", "kept", "rejected", "repeats", "empty")


def import_lean_folder(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Lean's data folder, with equity, option, …")
    ],
    catalog: CatalogOption,
    accept_rejects: AcceptOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import a QuantConnect Lean data folder: every minute file that a tape can be made of.

    Each file is accounted for by name. A file that is not what it must be is refused, the others
    are imported, and the exit code is 3.
    """
    from hedgeflow.market.errors import DataError
    from hedgeflow.sources.lean import Outcome, import_lean

    with (
        destination(catalog, dry_run=dry_run) as target,
        progress_bar(f"Importing {folder.name}", quiet=as_json) as progress,
    ):
        report = import_lean(folder, target, accept_rejects=accept_rejects, progress=progress)
    if as_json:
        _print_json(report, dry_run=dry_run)
    else:
        _print_text(report, dry_run=dry_run)
    refused = [each for each in report.files if each.outcome is Outcome.REFUSED]
    if refused:
        raise DataError(
            f"{len(refused)} of {len(report.files)} files were refused, the others were not"
            f" affected; the first: {refused[0].reason}",
            where=str(folder),
        )


def _print_text(report: LeanReport, *, dry_run: bool) -> None:
    from hedgeflow.sources.lean import Outcome

    imported = [each for each in report.files if each.outcome is Outcome.IMPORTED]
    print_table(COLUMNS, [_row(each) for each in imported], numeric=COLUMNS[2:])
    for outcome in (Outcome.NOT_USED, Outcome.REFUSED):
        having = [each for each in report.files if each.outcome is outcome]
        if having:
            typer.echo(f"{outcome.capitalize()}:")
        for each in having:
            typer.echo(f"  {each.path}: {each.reason}")
    typer.echo(
        f"{len(report.files):,} files = "
        + " + ".join(f"{report.count(outcome):,} {outcome}" for outcome in Outcome)
    )
    typer.echo(
        f"{report.read:,} rows read = {report.kept:,} kept + {sum(report.rejected.values()):,}"
        f" rejected + {report.repeats:,} repeats + {report.empty:,} empty"
    )
    for reason, count in sorted(report.rejected.items()):
        typer.echo(f"  rejected {reason}: {count:,}")
    marked = sorted({str(each.source) for each in report.imports if each.needs_acceptance})
    if marked:
        typer.echo("More than 0.01 % rejected: not used until imported with --accept-rejects:")
    for source in marked:
        typer.echo(f"  {source}")
    before = sum(each.already_imported for each in report.imports)
    if before:
        typer.echo(f"{before:,} of {len(report.imports):,} imports were made before: not written.")
    for note in (*report.notes, *((DRY_RUN_WORDS,) if dry_run else ())):
        typer.echo(f"  {note}")


def _row(file: FileReport) -> list[object]:
    rejected = sum(file.rejected.values())
    tapes = ", ".join(file.kinds)
    return [file.path, tapes, file.read, file.kept, rejected, file.repeats, file.empty]


def _print_json(report: LeanReport, *, dry_run: bool) -> None:
    from hedgeflow.market.time import iso
    from hedgeflow.sources.lean import Outcome

    print_json(
        {
            "folder": report.folder,
            "dry_run": dry_run,
            "files": [_file_fields(each) for each in report.files],
            "imports": [
                {
                    "import_id": each.import_id,
                    "tape": tape_fields(each.key),
                    "source": each.source,
                    "read": each.read,
                    "kept": each.kept,
                    "repeats": each.repeats,
                    "rejected": each.rejected,
                    "coverage": [(iso(start), iso(end)) for start, end in each.coverage.intervals],
                    "needs_acceptance": each.needs_acceptance,
                    "already_imported": each.already_imported,
                }
                for each in report.imports
            ],
            "totals": {
                "files": len(report.files),
                **{outcome.replace(" ", "_"): report.count(outcome) for outcome in Outcome},
                "read": report.read,
                "kept": report.kept,
                "rejected": report.rejected,
                "repeats": report.repeats,
                "empty": report.empty,
            },
            "notes": report.notes,
        }
    )


def _file_fields(file: FileReport) -> dict[str, object]:
    return {
        "file": file.path,
        "outcome": str(file.outcome),
        "reason": file.reason,
        "read": file.read,
        "kept": file.kept,
        "rejected": file.rejected,
        "repeats": file.repeats,
        "empty": file.empty,
        "tapes": [
            {
                "import_id": each.import_id,
                **tape_fields(each.key),
                "read": each.read,
                "kept": each.kept,
                "rejected": dict(each.rejected),
                "repeats": each.repeats,
            }
            for each in file.portions
        ],
    }
