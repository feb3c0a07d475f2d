"""The command that tells which options expire on a date, when, how, and in how long."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from hedgeflow.cli.clock import now_ns
from hedgeflow.cli.naming import named_day
from hedgeflow.cli.options import JsonOption
from hedgeflow.cli.output import print_json, print_table, terminal_width

if TYPE_CHECKING:
    from datetime import date, datetime

    from rich.console import RenderableType

    from hedgeflow.market.expiries import Expiry

COLUMNS: Final = ("roots", "settlement", "cycle", "New York", "UTC", "venue", "left", "phase",
                  "fixing")  # fmt: skip
NEW_YORK: Final = "America/New_York"
SHOWN_NOTICES: Final = 5
EXPIRED: Final = "expired"
NARROW: Final = 140
"""On a terminal of fewer characters a row becomes a paragraph."""


class Look(NamedTuple):
    """What expires on a date, as seen at an instant."""

    at_ns: int
    day: date
    expiries: tuple[Expiry, ...]
    asked: tuple[str, ...]
    """Roots asked for; empty where all are told."""

    coming: tuple[Expiry, ...]
    """The first expiry after the date of each root asked for that has none on it."""

    ended: tuple[str, ...]
    """Roots asked for that have none any more."""


def expiries(
    date: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The day; without it today in New York."),
    ] = None,
    root: Annotated[
        list[str] | None,
        typer.Option(metavar="ROOT", help="Only this root, as SPXW; may be repeated."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Count down every second until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell which options expire on a day: the instant, how they are settled, the time left."""
    hint = "Use YYYY-MM-DD, from 2014-01-01 on"
    day = None if date is None else named_day(date, "--date", hint=hint)
    roots = None if root is None else list(dict.fromkeys(name.upper() for name in root))
    look = _look(now_ns(), day, roots)
    if live:
        _follow(look, day, roots, as_json=as_json)
    elif as_json:
        print_json(_document(look))
    else:
        _print(look)


def _look(at_ns: int, asked: date | None, roots: list[str] | None) -> Look:
    from hedgeflow.market.expiries import expiries_on, next_expiry, root_named

    day = asked or _today(at_ns)
    for name in roots or ():
        root_named(name)
    found = expiries_on(day, roots)
    without = [name for name in roots or () if name not in {each.root for each in found}]
    coming = {name: next_expiry(name, _midnight_ns(day)) for name in without}
    return Look(
        at_ns,
        day,
        found,
        tuple(roots or ()),
        tuple(each for each in coming.values() if each is not None),
        tuple(name for name, each in coming.items() if each is None),
    )


def _follow(look: Look, day: date | None, roots: list[str] | None, *, as_json: bool) -> None:
    """Tell the time left until Ctrl-C, or until nothing is left of a day that was named."""
    if as_json or not sys.stdout.isatty():
        _follow_in_lines(look, day, roots, as_json=as_json)
        return
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    told: list[str] = []

    def shown(look: Look) -> RenderableType:
        lines = [*_notes(look), *told[-SHOWN_NOTICES:], _next_notice(look)]
        width = terminal_width() or NARROW
        table = _table(look) if width >= NARROW else Text("\n".join(_paragraphs(look, width)))
        return Group(Text(_headline(look)), table, Text("\n".join(lines)))

    with Live(shown(look), auto_refresh=False) as screen:
        while not (day is not None and _is_over(look)):
            before_ns, look = look.at_ns, _next_second(day, roots)
            told += _notices(look, before_ns)
            screen.update(shown(look), refresh=True)


def _follow_in_lines(
    look: Look, day: date | None, roots: list[str] | None, *, as_json: bool
) -> None:
    """Print what a pipe or a file can keep: a document a second, or each notice as it is due."""
    if as_json:
        print_json(_document(look), compact=True)
    else:
        _print(look)
        typer.echo(_next_notice(look))
    while not (day is not None and _is_over(look)):
        sys.stdout.flush()
        before_ns, look = look.at_ns, _next_second(day, roots)
        if as_json:
            print_json(_document(look), compact=True)
            continue
        for notice in _notices(look, before_ns):
            typer.echo(notice)


def _next_second(day: date | None, roots: list[str] | None) -> Look:
    from hedgeflow.market.time import SECOND_NS

    time.sleep((SECOND_NS - now_ns() % SECOND_NS) / SECOND_NS)
    return _look(now_ns(), day, roots)


# --- words --------------------------------------------------------------------------------------


def _print(look: Look) -> None:
    typer.echo(_headline(look))
    width = terminal_width()
    if width is not None and width < NARROW:
        for line in _paragraphs(look, width):
            typer.echo(line)
    elif look.expiries:
        print_table(COLUMNS, _rows(look), numeric=("left",))
    for note in _notes(look):
        typer.echo(note)


def _headline(look: Look) -> str:
    """Return the day, and where a US root is told its session and the source's words for it."""
    from hedgeflow.market.expiries import features_of, trading_day, weekly_pattern

    if not _is_of_us(look):
        return f"{look.day}, {look.day:%A}"
    pattern = weekly_pattern(look.day)
    us = trading_day("XNYS", look.day)
    session = "no US session"
    if us is not None:
        hours = f"{_clock(us.open_ns, NEW_YORK)} to {_clock(us.close_ns, NEW_YORK)} New York"
        session = f"US session {hours}; {features_of(look.day, 'opra', '').words}"
    past = "" if pattern.in_force else " (its pattern is of 2016 to April 2022)"
    said = f"The source says of it: {pattern.claim}{past}."
    if pattern.claim == "nothing":
        said = f"The source says nothing of such a day{past}."
    listed = " and ".join(pattern.listed) or "nothing"
    return f"{look.day}, {pattern.weekday}: {session}\n{said} Listed on the S&P 500: {listed}."


def _is_of_us(look: Look) -> bool:
    """Say whether a root is of the US: the calendar of New York takes a second to read."""
    from hedgeflow.market.expiries import root_named

    return not look.asked or any(root_named(name).zone == NEW_YORK for name in look.asked)


def _rows(look: Look) -> list[tuple[str, ...]]:
    """Return a row for roots that end alike."""
    alike: dict[tuple[Any, ...], list[Expiry]] = {}
    for each in look.expiries:
        key = (each.expires_ns, each.last_trade_ns, each.settlement, each.cycle, each.fixing)
        alike.setdefault(key, []).append(each)
    return [
        (
            " ".join(each.root for each in group),
            group[0].settlement.value,
            _cycle(group[0]),
            _clock(group[0].expires_ns, NEW_YORK),
            _clock(group[0].expires_ns, "UTC"),
            _clock(group[0].expires_ns, group[0].zone, named=True),
            _left(group[0].expires_ns - look.at_ns),
            _phase(group[0], look.at_ns) or "–",
            group[0].fixing,
        )
        for group in alike.values()
    ]


def _paragraphs(look: Look, width: int) -> list[str]:
    """Return the rows for a terminal that is too narrow for them, each in a few lines."""
    from textwrap import wrap

    lines: list[str] = []
    for row in _rows(look):
        told = dict(zip(COLUMNS, row, strict=True))
        left = told["left"] if told["left"] == EXPIRED else f"{told['left']} left"
        phase = "" if told["phase"] == "–" else f", {told['phase']}"
        at = f"{told['New York']} New York, {told['UTC']} UTC, {told['venue']}"
        head = f"{told['roots']}: {', '.join(filter(None, (told['settlement'], told['cycle'])))}"
        lines += wrap(head, width, subsequent_indent="  ")
        for text in (f"{at}: {left}{phase}", told["fixing"]):
            lines += wrap(text, width, initial_indent="  ", subsequent_indent="  ")
    return lines


def _table(look: Look) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS[:-1]:
        table.add_column(column, justify="right" if column == "left" else "left")
    for row in _rows(look):
        table.add_row(*row[:-1])
    return table


def _notes(look: Look) -> list[str]:
    from hedgeflow.market.expiries.clock import after_hours_note

    notes = [
        f"{each.root}: none on {look.day}; next {each.date}, {_clock(each.expires_ns, NEW_YORK)}"
        f" New York, {each.settlement.value}, {_until(each.expires_ns - look.at_ns)}"
        for each in look.coming
    ]
    notes += [f"{name}: no longer listed after {look.day}" for name in look.ended]
    still = [each for each in look.expiries if after_hours_note(each, look.at_ns)]
    if still:
        notes.append(f"note: {after_hours_note(still[0], look.at_ns)}; so may those of the other"
                     f" stocks and funds, {len(still)} roots in all.")  # fmt: skip
    if any(each.provisional for each in (*look.expiries, *look.coming)):
        notes.append("note: NSE's holidays of that year are not in the calendar yet: an expiry"
                     " may move to the day before.")  # fmt: skip
    return notes


def _notices(look: Look, before_ns: int) -> list[str]:
    from hedgeflow.market.expiries.clock import notices_between
    from hedgeflow.market.time import iso

    due: dict[tuple[int, int], list[str]] = {}
    for each in look.expiries:
        for minutes in notices_between(each.expires_ns, before_ns, look.at_ns):
            due.setdefault((each.expires_ns, minutes), []).append(each.root)
    return [
        f"{iso(look.at_ns)[:19]}Z {minutes} minutes left: {' '.join(roots)}"
        for (_, minutes), roots in due.items()
    ]


def _next_notice(look: Look) -> str:
    from hedgeflow.market.expiries.clock import next_notice

    ahead = [(notice[1], notice[0], each.root) for each in look.expiries
             if (notice := next_notice(each.expires_ns, look.at_ns))]  # fmt: skip
    if not ahead:
        return "No further notice on this day."
    told_ns, minutes, _ = min(ahead)
    roots = [name for at, left, name in ahead if (at, left) == (told_ns, minutes)]
    return (
        f"Next notice in {_left(told_ns - look.at_ns)}: {minutes} minutes left, {' '.join(roots)}"
    )


def _cycle(expiry: Expiry) -> str:
    features = expiry.features
    told = [] if expiry.cycle is None else [expiry.cycle.words]
    told += ["triple witching"] * features.triple_witching
    return ", ".join(told + ["early close"] * features.early_close)


def _phase(expiry: Expiry, at_ns: int) -> str | None:
    """Return the phase of the session that the expiry ends, if it is under way."""
    from hedgeflow.market.expiries.clock import Phase, phase_of, session_fraction

    part = session_fraction(expiry.session_open_ns, expiry.session_close_ns, at_ns)
    phase = Phase(phase_of(part)) if at_ns < expiry.expires_ns else Phase.OUTSIDE
    return None if phase is Phase.OUTSIDE else phase.name


def _until(span_ns: int) -> str:
    left = _left(span_ns)
    return left if left == EXPIRED else f"in {left}"


def _left(span_ns: int) -> str:
    from hedgeflow.market.time import SECOND_NS

    if span_ns <= 0:
        return EXPIRED
    minutes, seconds = divmod(-(-span_ns // SECOND_NS), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d " * (days > 0) + f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def _is_over(look: Look) -> bool:
    return all(each.expires_ns <= look.at_ns for each in (*look.expiries, *look.coming))


# --- documents and time -------------------------------------------------------------------------


def _document(look: Look) -> dict[str, Any]:
    from dataclasses import asdict

    from hedgeflow.market.expiries import weekly_pattern
    from hedgeflow.market.time import iso

    return {
        "at": iso(look.at_ns),
        "date": str(look.day),
        "pattern_of_the_source": asdict(weekly_pattern(look.day)) if _is_of_us(look) else None,
        "expiries": [_expiry_document(each, look.at_ns) for each in look.expiries],
        "next": [_expiry_document(each, look.at_ns) for each in look.coming],
        "no_longer_listed": list(look.ended),
    }


def _expiry_document(expiry: Expiry, at_ns: int) -> dict[str, Any]:
    from dataclasses import asdict

    from hedgeflow.market.time import SECOND_NS, iso

    return {
        "root": expiry.root,
        "underlying": expiry.underlying,
        "venue": expiry.venue,
        "date": str(expiry.date),
        "settlement": expiry.settlement.value,
        "fixing": expiry.fixing,
        "fixing_from": iso(expiry.fixing_from_ns),
        "cycle": None if expiry.cycle is None else expiry.cycle.words,
        "expires": iso(expiry.expires_ns),
        "expires_new_york": _local(expiry.expires_ns, NEW_YORK).isoformat(),
        "expires_local": _local(expiry.expires_ns, expiry.zone).isoformat(),
        "zone": expiry.zone,
        "last_trade": iso(expiry.last_trade_ns),
        "session": [iso(expiry.session_open_ns), iso(expiry.session_close_ns)],
        "exercise_until": None if expiry.exercise_until_ns is None
        else iso(expiry.exercise_until_ns),
        "seconds_left": max(0, expiry.expires_ns - at_ns) / SECOND_NS,
        "phase": _phase(expiry, at_ns),
        "features": asdict(expiry.features),
        "provisional": expiry.provisional,
        "listing_dated_to_the_day": expiry.exact,
    }  # fmt: skip


def _clock(instant: int, zone: str, *, named: bool = False) -> str:
    return _local(instant, zone).strftime("%H:%M %Z" if named else "%H:%M")


def _today(at_ns: int) -> date:
    return _local(at_ns, NEW_YORK).date()


def _local(instant: int, zone: str) -> datetime:
    from zoneinfo import ZoneInfo

    from hedgeflow.market.time import moment_of

    return moment_of(instant).astimezone(ZoneInfo(zone))


def _midnight_ns(day: date) -> int:
    from datetime import UTC, datetime
    from datetime import time as clock_time

    from hedgeflow.market.time import instant_ns

    return instant_ns(datetime.combine(day, clock_time(), UTC))
