"""Weekly reviews of a run: which weeks are over, what is known of each, and where it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hedgeflow.evidence import assess
from hedgeflow.evidence.plain import dumps
from hedgeflow.evidence.report.review import render_review, review_markdown
from hedgeflow.evidence.weekly_review import Review, Week, review
from hedgeflow.market.errors import EvidenceError
from hedgeflow.market.time import instant_ns, moment_of
from hedgeflow.market.transactions import replace_text
from hedgeflow.studies.watching import (
    KNOWN_AT,
    calendar_of,
    evidence_tables,
    known_within,
    manifest_of,
    session_dates,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hedgeflow.studies.watching import Look

DAYS: Final = 7
SUFFIXES: Final = (".html", ".md", ".json")
"""The JSON last: a review that has one is whole."""


@dataclass(frozen=True, slots=True)
class Span:
    """A week, Monday to Sunday, UTC.

    Attributes
    ----------
    monday : datetime.date
    """

    monday: date

    @property
    def name(self) -> str:
        """ISO week, such as 2026-W03."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02d}"

    @property
    def from_ns(self) -> int:
        """UTC ns of its first instant."""
        return instant_ns(
            datetime(self.monday.year, self.monday.month, self.monday.day, tzinfo=UTC)
        )

    @property
    def until_ns(self) -> int:
        """UTC ns of the first instant that is not in it."""
        return self.next.from_ns

    @property
    def next(self) -> Span:
        """The week after."""
        return Span(self.monday + timedelta(days=DAYS))


@dataclass(frozen=True, slots=True)
class Written:
    """A review that was written.

    Attributes
    ----------
    review : Review
    page : pathlib.Path
        Its HTML page.
    """

    review: Review
    page: Path


def complete_weeks(look: Look, now_ns: int) -> tuple[Span, ...]:
    """Return the weeks of a run of which everything is known, as far as one can tell.

    Those of a complete run are. Of a run under way, a week is over when the clock has passed its
    end, or the run itself has, and no alert of it is undecided.

    Parameters
    ----------
    look : Look
    now_ns : int
        UTC ns by the caller's clock.
    """
    stamps = [
        int(stamp)
        for name, column in KNOWN_AT.items()
        for stamp in (look.tables[name][column].min(), look.tables[name][column].max())
        if isinstance(stamp, int)
    ]
    if not stamps:
        return ()
    span, last_ns, found = _span_of(min(stamps)), max(stamps), list[Span]()
    reached = last_ns if look.run.complete else max(last_ns, now_ns)
    undecided = _first_undecided(look)
    while span.from_ns <= last_ns or span.until_ns <= reached:
        over = look.run.complete or span.until_ns <= reached
        if not over or (undecided is not None and undecided < span.until_ns):
            break
        found.append(span)
        span = span.next
    return tuple(found)


def _span_of(at_ns: int) -> Span:
    day = moment_of(at_ns).date()
    return Span(day - timedelta(days=day.weekday()))


def _first_undecided(look: Look) -> int | None:
    """Return when the first alert was detected that nothing was decided about, None without one.

    Of a complete run there is none: what it did not decide, it never will.
    """
    if look.run.complete:
        return None
    open_alerts = look.tables["alerts"].join(look.tables["decisions"], on="alert_id", how="anti")
    first = open_alerts["detected_ns"].min()
    return first if isinstance(first, int) else None


def review_of(look: Look, span: Span) -> Review:
    """Return the review of a week, from what was known at its end.

    Look-ahead: rows that became known after the week are not read.
    """
    run = look.run
    week, so_far = (
        known_within(look.tables, from_ns, span.until_ns) for from_ns in (span.from_ns, None)
    )
    first, last = _active(look, span)
    days = session_dates(run, first, last)
    begun, _ = _active(look, None)
    all_days = session_dates(run, begun, last)
    manifest = manifest_of(run)
    _, assumed = calendar_of(run)
    described = Week(
        name=span.name,
        first_day=span.monday.isoformat(),
        last_day=(span.monday + timedelta(days=DAYS - 1)).isoformat(),
        sessions=len(days),
        run_id=run.run_id,
        strategy=run.strategy,
        preset=run.preset,
        underlying=run.underlying,
        code_version=run.code_version,
        simulated=run.simulated,
        rows={name: so_far[name].height for name in KNOWN_AT},
        notes=tuple(_notes(look, span, assumed)),
    )
    return review(
        described,
        assess(evidence_tables(run, week, days), run.declaration, manifest),
        assess(evidence_tables(run, so_far, all_days), run.declaration, manifest),
        week["trades"],
    )


def _active(look: Look, span: Span | None) -> tuple[int, int]:
    """Return from when to when a run was under way, in a week or altogether."""
    stamps = [
        int(stamp)
        for name, column in KNOWN_AT.items()
        for stamp in (look.tables[name][column].min(), look.tables[name][column].max())
        if isinstance(stamp, int)
    ]
    first, last = min(stamps), max(stamps) + 1
    if span is None:
        return first, last
    until = min(last, span.until_ns) if look.run.complete else span.until_ns
    return max(first, span.from_ns), until


def _notes(look: Look, span: Span, assumed: str | None) -> Iterator[str]:
    if assumed is not None:
        yield assumed
    first, last = _active(look, None)
    if span.from_ns < first:
        yield f"The run's first alert came on {moment_of(first).date().isoformat()}."
    if look.run.complete and last < span.until_ns:
        yield f"The run's last event was on {moment_of(last).date().isoformat()}: it is complete."


def write_reviews(look: Look, folder: Path, now_ns: int, timestamp: str) -> tuple[Written, ...]:
    """Write the review of every complete week that is not written yet, and return those.

    A week that was written stays as it is, unless the journal has more rows of it by now: then a
    corrected version takes its place, says so, and the earlier one is kept under its number.

    Parameters
    ----------
    look : Look
    folder : pathlib.Path
        Reviews go into its subfolder of the run's name.
    now_ns : int
        UTC ns by the caller's clock.
    timestamp : str
        The same as ISO 8601.

    Raises
    ------
    EvidenceError
        A review in the folder is none, or knows more of the run than the journal does.
    """
    place = folder / look.run.run_id
    written: list[Written] = []
    for span in complete_weeks(look, now_ns):
        known = known_within(look.tables, None, span.until_ns)
        rows = {name: known[name].height for name in KNOWN_AT}
        earlier = _earlier(place / f"{span.name}.json")
        if earlier is not None and earlier[1] == rows:
            continue
        made = review_of(look, span)
        if earlier is not None:
            made = _corrected(made, earlier, place / f"{span.name}.json")
        _write(made, place, timestamp, None if earlier is None else earlier[0])
        written.append(Written(made, place / f"{span.name}.html"))
    return tuple(written)


def _earlier(path: Path) -> tuple[int, dict[str, int]] | None:
    """Return version and rows of a review that stands at a path, None where there is none."""
    if not path.is_file():
        return None
    try:
        week = json.loads(path.read_text(encoding="utf-8"))["week"]
        return int(week["version"]), {name: int(week["rows"][name]) for name in KNOWN_AT}
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(
            "is no weekly review",
            where=str(path),
            hint="Name another folder with --out, or move the file away",
        ) from error


def _corrected(made: Review, earlier: tuple[int, dict[str, int]], path: Path) -> Review:
    version, rows = earlier
    now = made.week.rows
    fewer = [name for name in rows if now[name] < rows[name]]
    if fewer:
        raise EvidenceError(
            f"the review has {rows[fewer[0]]} {fewer[0]} of the run and the journal"
            f" {now[fewer[0]]}: it is of another journal",
            where=str(path),
            hint="Name another folder with --out",
        )
    more = ", ".join(f"{now[name] - rows[name]} {name}" for name in rows if now[name] > rows[name])
    told = (
        f"Corrects version {version}: rows arrived after it was written ({more}, up to the end of"
        " the week)."
    )
    return replace(made, week=replace(made.week, version=version + 1, corrects=told))


def _write(made: Review, place: Path, timestamp: str, kept_as: int | None) -> None:
    place.mkdir(parents=True, exist_ok=True)
    name = made.week.name
    if kept_as is not None:
        for suffix in SUFFIXES:
            old = place / f"{name}{suffix}"
            if old.is_file():
                replace_text(place / f"{name}-v{kept_as}{suffix}", old.read_text(encoding="utf-8"))
    texts = {
        ".html": render_review(made, timestamp),
        ".md": review_markdown(made, timestamp),
        ".json": dumps(made),
    }
    for suffix in SUFFIXES:
        replace_text(place / f"{name}{suffix}", texts[suffix])
