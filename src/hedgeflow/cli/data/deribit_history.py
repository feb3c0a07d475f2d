"""`hedgeflow data fetch deribit`: Deribit's public history into a catalog."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.clock import moment
from hedgeflow.cli.data.fetching import FirstOption, LastOption, print_tapes
from hedgeflow.cli.data.options import (
    AcceptOption,
    CatalogOption,
    JsonOption,
    destination,
    report_fields,
)
from hedgeflow.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.sources import FetchedDay, HistoryProgress

KEPT_WORDS = "hedgeflow: what was downloaded is kept; the same command goes on from there"


class Only(StrEnum):
    """One half of what is downloaded."""

    OPTIONS = "options"
    PERPETUAL = "perpetual"


def fetch_deribit(
    catalog: CatalogOption,
    currency: Annotated[str, typer.Option(help="BTC or ETH.")],
    first: FirstOption,
    last: LastOption,
    url: Annotated[
        str, typer.Option(help="Another server with the same interface.")
    ] = "https://history.deribit.com",
    only: Annotated[
        Only | None, typer.Option(help="Option trades alone, or the perpetual's alone.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Requests a second.")] = 20.0,
    accept_gaps: Annotated[
        bool,
        typer.Option(
            "--accept-gaps", help="Write a day although the venue does not give out all of it."
        ),
    ] = False,
    accept_rejects: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Download whole days of Deribit's option and perpetual trades; a stopped one goes on."""
    import asyncio
    import random

    import aiohttp

    from hedgeflow import __version__
    from hedgeflow.sources import fetch_deribit_history

    async def fetch(
        target: Catalog, progress: Callable[[HistoryProgress], None] | None
    ) -> list[FetchedDay]:
        headers = {"User-Agent": f"hedgeflow/{__version__}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            return await fetch_deribit_history(
                target,
                session,
                currency=currency.upper(),
                first=first.date(),
                last=last.date(),
                clock=moment,
                rng=random.Random(),  # noqa: S311 - for pauses, not for secrets
                only=None if only is None else only.value,
                url=url,
                rate_per_second=rate,
                accept_rejects=accept_rejects,
                accept_gaps=accept_gaps,
                progress=progress,
            )

    try:
        with destination(catalog) as target, _days_bar(quiet=as_json) as progress:
            days = asyncio.run(fetch(target, progress))
    except KeyboardInterrupt:
        typer.echo(KEPT_WORDS, err=True)
        raise
    if as_json:
        print_json([_fields(day) for day in days])
    else:
        _print(days)


def _fields(day: FetchedDay) -> dict[str, object]:
    return {
        "day": day.day,
        "missing": day.missing,
        "linear_left_out": day.linear,
        "tapes": [report_fields(report, dry_run=False) for report in day.reports],
    }


def _print(days: list[FetchedDay]) -> None:
    remarks: list[str] = []
    for day in days:
        if day.linear:
            remarks.append(f"{day.day}: {day.linear:,} trades of linear options were left out")
        if day.missing:
            remarks.append(f"{day.day}: {day.missing:,} trades are missing: the venue has them not")
    print_tapes([(day.day, each) for day in days for each in day.reports], remarks)


@contextmanager
def _days_bar(*, quiet: bool) -> Generator[Callable[[HistoryProgress], None] | None]:
    """Yield a callable that draws days and trades on standard error, or None when quiet."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),  # a server's words may hold brackets
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Fetching", total=None)

        def draw(now: HistoryProgress) -> None:
            said = now.waiting or f"{now.trades:,} trades"
            bar.update(
                task, description=f"{now.day} {said}", completed=now.days_done, total=now.days
            )

        yield draw
