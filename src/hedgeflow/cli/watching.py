"""The command that looks at a run as its journal grows, and writes a review of every week."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.clock import now, now_ns
from hedgeflow.cli.options import (
    JournalOption,
    JsonOption,
    StrategyOption,
)
from hedgeflow.cli.output import print_json

if TYPE_CHECKING:
    from hedgeflow.studies.watching import Look
    from hedgeflow.studies.weekly_reviews import Written

REVIEWS_FOLDER = Path("reviews")


def watch(
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="CAT", help="The catalog whose journal is watched."),
    ] = None,
    journal: JournalOption = None,
    strategy: StrategyOption = "volume-shock",
    underlying: Annotated[
        str | None, typer.Option(help="What the options are on; any, if it is not named.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="The run; else the latest of the strategy.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where weekly reviews go.")
    ] = REVIEWS_FOLDER,
    once: Annotated[bool, typer.Option("--once", help="Look once and stop.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, help="Seconds between looks.")
    ] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Say how sure a run makes one by now, and write the review of each week that is over."""
    from hedgeflow.studies.asking import asked_journal, check_strategy
    from hedgeflow.studies.watching import choose_run, look
    from hedgeflow.studies.weekly_reviews import write_reviews

    if catalog is None and journal is None:
        from click import UsageError

        raise UsageError("Missing option '--catalog' or '--journal'.")
    check_strategy(strategy)
    seen: dict[str, int] | None = None
    with asked_journal(catalog or Path(), journal, create=False) as record:
        watched = choose_run(record, strategy, underlying=underlying, run_id=run)
        while True:
            at_ns = now_ns()
            found = look(record, watched.run_id, at_ns)
            written = write_reviews(found, out, at_ns, now())
            if found.rows != seen or written:
                _tell(found, written, seen, as_json=as_json)
            seen = found.rows
            if once or found.run.complete:
                return
            time.sleep(every)


def _tell(
    found: Look, written: tuple[Written, ...], seen: dict[str, int] | None, *, as_json: bool
) -> None:
    if as_json:
        print_json(_document(found, written), compact=True)
        return
    new = found.rows["trades"] - (seen or found.rows)["trades"]
    more = f" (+{new})" if new else ""
    ended = " The run is complete." if found.run.complete else ""
    typer.echo(f"{now()} {found.sentence}{more}{ended}")
    for each in written:
        week = each.review.week
        corrected = f", version {week.version}" if week.version > 1 else ""
        typer.echo(f"review of {week.name}{corrected}: {each.page}")


def _document(found: Look, written: tuple[Written, ...]) -> dict[str, Any]:
    from hedgeflow.evidence.plain import plain

    watched = found.monitoring
    return {
        "at": now(),
        "run_id": found.run.run_id,
        "simulated": found.run.simulated,
        "complete": found.run.complete,
        "rows": found.rows,
        "win_rate": plain(watched.win_rate),
        "net_bps": plain(watched.net_bps),
        "claimed_win_rate": watched.claimed_win_rate,
        "decision": watched.decision,
        "decided_after": watched.decided_after,
        "reviews": [str(each.page) for each in written],
    }
