"""What commands that download share: days, keys, a bar of bytes, what was done."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hedgeflow.cli.data.options import report_fields
from hedgeflow.cli.output import print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from hedgeflow.sources import ImportReport
    from hedgeflow.sources.fetching import FetchedFiles, FileProgress
    from hedgeflow.sources.keys import ApiKey

DATE: Final = ["%Y-%m-%d"]
STOPPED_WORDS: Final = (
    "hedgeflow: whole days and files that were downloaded are kept; the same command goes on"
)

FirstOption = Annotated[
    datetime, typer.Option("--from", formats=DATE, metavar="YYYY-MM-DD", help="The first UTC day.")
]
LastOption = Annotated[
    datetime,
    typer.Option(
        "--to",
        formats=DATE,
        metavar="YYYY-MM-DD",
        help="The last UTC day, included; it must be over.",
    ),
]


def key_of(name: str) -> ApiKey | None:
    """Return the key that stands in an environment variable, or in the system's keyring."""
    from hedgeflow.sources.keys import find_key, system_keyring

    return find_key(name, os.environ, system_keyring())


@contextmanager
def fetching(*, quiet: bool) -> Generator[Callable[[FileProgress], None] | None]:
    """Yield a callable that draws days and bytes on standard error; say what Ctrl-C leaves."""
    try:
        if quiet or not sys.stderr.isatty():
            yield None
            return
        with _bar() as draw:
            yield draw
    except KeyboardInterrupt:
        typer.echo(STOPPED_WORDS, err=True)
        raise


@contextmanager
def _bar() -> Generator[Callable[[FileProgress], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),  # a server's words may hold brackets
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task, shown = progress.add_task("Connecting", total=None), ""

        def draw(at: FileProgress) -> None:
            nonlocal task, shown
            if at.name != shown:  # each file has its own size and speed
                progress.remove_task(task)
                task, shown = progress.add_task("", total=None), at.name
            progress.update(
                task,
                description=f"day {min(at.days_done + 1, at.days)} of {at.days}:"
                f" {at.waiting or at.name}",
                completed=at.bytes,
                total=at.total_bytes,
            )

        yield draw


def day_fields(day: FetchedFiles) -> dict[str, object]:
    """Return what became of a day, for JSON."""
    return {
        "day": day.day,
        "bytes": day.bytes,
        "empty": day.empty,
        "tapes": [report_fields(each, dry_run=False) for each in day.reports],
    }


def print_days(days: tuple[FetchedFiles, ...]) -> None:
    """Show what became of each day of files, tape by tape."""
    remarks = [f"{day.day}: {name}: nothing on that day" for day in days for name in day.empty]
    print_tapes([(day.day, each) for day in days for each in day.reports], remarks)


def print_tapes(reports: Sequence[tuple[str, ImportReport]], remarks: Sequence[str]) -> None:
    """Show what was read, kept and refused of each day and tape, and what else there is to say."""
    print_table(
        ("day", "tape", "instrument", "read", "kept", "rejected", "repeats", "state"),
        [
            (
                day,
                str(each.key.kind),
                each.key.instrument,
                each.read,
                each.kept,
                each.rows_rejected,
                each.repeats,
                "there already" if each.already_imported else "written",
            )
            for day, each in reports
        ],
        numeric=("read", "kept", "rejected", "repeats"),
    )
    for remark in remarks:
        typer.echo(remark)
    for day, each in reports:
        for reason, count in sorted(each.rejected.items()):
            typer.echo(f"{day}: {each.key.kind}: rejected {reason}: {count:,}")
        for note in each.notes:
            typer.echo(f"{day}: {each.key.kind}: {note}")
