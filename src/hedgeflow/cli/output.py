"""What commands print: short tables for people, JSON for programs, progress on standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence


def print_json(document: Any) -> None:
    """Print a document as JSON on standard output."""
    typer.echo(json.dumps(document, indent=2, sort_keys=True, default=str))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], numeric: Sequence[str] = ()
) -> None:
    """Print a plain table; `numeric` names the columns that are set flush right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numeric else "left",
            overflow="fold",
            no_wrap=column.endswith("_id"),
        )
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table, markup=False)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def progress_bar(
    title: str, *, quiet: bool = False
) -> Generator[Callable[[int, int], None] | None]:
    """Yield a callable(done, total) that draws a bar on standard error, or None when quiet."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield update
