"""What commands print: short tables for people, JSON for programs, progress on standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from rich.progress import Progress

WIDEST: Final = 10_000
"""Characters of a table's line that are never reached."""


def print_simulated(*, simulated: bool) -> None:
    """Say before anything else that what follows is no evidence, where it is none."""
    if simulated:
        typer.echo("SIMULATED: these data can never be read as evidence about a market.")


def print_json(document: Any, *, compact: bool = False) -> None:
    """Print a document as JSON on standard output; compact, on one line, for those that follow."""
    typer.echo(json.dumps(document, indent=None if compact else 2, sort_keys=True, default=str))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], numeric: Sequence[str] = ()
) -> None:
    """Print a plain table; `numeric` names the columns that are set flush right.

    Only text in the last column is folded, at words, to a terminal's width: rows are one line else,
    however wide, for a number or name that is broken over lines can be neither read nor searched.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    cells = [[_cell(value) for value in row] for row in rows]
    for place, column in enumerate(columns):
        folds = place == len(columns) - 1 and column not in numeric
        table.add_column(
            column,
            justify="right" if column in numeric else "left",
            no_wrap=not folds,
            min_width=None if folds else max(cell_len(row[place]) for row in [columns, *cells]),
        )
    for row in cells:
        table.add_row(*row)
    console = Console(width=WIDEST)
    terminal = terminal_width() or WIDEST
    needed = Measurement.get(console, console.options, table)
    console.width = min(needed.maximum, max(terminal, needed.minimum))
    with console.capture() as captured:
        console.print(table, markup=False)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_prose(lines: Iterable[str]) -> None:
    """Print lines, folded at words to a terminal's width; into a file or pipe as they are."""
    from textwrap import wrap

    width = terminal_width()
    for line in lines:
        folded = [line] if width is None else wrap(line, width, subsequent_indent="  ")
        typer.echo("\n".join(folded))


def terminal_width() -> int | None:
    """Return the characters of a line of the terminal that is printed to; None: a file or pipe."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else None


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
    with _progress() as progress:
        task = progress.add_task(title, total=None)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield update


@contextmanager
def progress_bars(
    names: Sequence[str], *, quiet: bool = False
) -> Generator[Callable[[str, str, int, int], None]]:
    """Yield a callable(name, stage, done, total) that draws a bar for each name, or nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _name, _stage, _done, _total: None
        return
    with _progress() as progress:
        tasks = {name: progress.add_task(name, total=None) for name in names}
        stages = dict.fromkeys(names, "")

        def update(name: str, stage: str, done: int, total: int) -> None:
            if stage != stages[name]:  # another stage: its time is its own
                progress.reset(tasks[name], description=f"{name}: {stage}")
                stages[name] = stage
            progress.update(tasks[name], completed=done, total=total)

        yield update


def _progress() -> Progress:
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
    return Progress(*columns, console=Console(stderr=True), transient=True)
