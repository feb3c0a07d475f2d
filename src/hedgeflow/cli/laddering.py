"""The command that shows an expiry strike by strike: at an instant, or as its tape goes by."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from hedgeflow.cli.clock import now, now_ns
from hedgeflow.cli.ladder_words import in_one_line, notices, print_ladder, screen
from hedgeflow.cli.naming import named_market, open_journal
from hedgeflow.cli.options import (
    CatalogOption,
    ConfigOption,
    JournalOption,
    JsonOption,
    PresetOption,
    SetOption,
    UnderlyingOption,
)
from hedgeflow.cli.output import print_json, print_simulated, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
    from hedgeflow.studies.expiration.ladder import Ladder, LadderFold

STRATEGY: Final = "expiration-pressure"
LAST_LOOK_NS: Final = 1_000
"""Before expiry a replay looks once more, for the notices that are due until then. Not later: the
scan lets go of an expiry a nanosecond before it."""
REPLAY_MINUTES: Final = 120
"""Before expiry a replay begins, unless it is told when: the first timed notice."""


def ladder(
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="As 2014-06-06T15:30 in the exchange's time, or with an offset or Z;"
            " else the last that is known up to 30 minutes before the last expiry.",
        ),
    ] = None,
    strikes: Annotated[int, typer.Option(min=1, help="Strikes on each side of the price.")] = 10,
    replay: Annotated[
        float | None,
        typer.Option(
            metavar="SPEED",
            help="Go on from --at until expiry or Ctrl-C, so many times as fast as time passes;"
            f" without --at from {REPLAY_MINUTES} minutes before the last expiry.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures.")
    ] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an expiry strike by strike: open interest, pressure, dealers' gamma, chances."""
    asked = None if at is None else _moment(at)
    _check(replay, html)
    fold, simulated = _fold(catalog, underlying, preset, config, settings, journal, quiet=as_json)
    start_ns = None if asked is None else _instant(asked, fold.zone)
    if replay is not None:
        _replay(fold, start_ns, replay, strikes, simulated=simulated, as_json=as_json)
        return
    shown = fold.at(fold.default_ns if start_ns is None else start_ns)
    if html is not None:
        _write(shown, html, strikes)
    if as_json:
        from hedgeflow.studies.expiration.ladder_document import ladder_document

        print_json(ladder_document(shown, strikes))
        return
    print_simulated(simulated=simulated)
    print_ladder(shown, strikes)
    if html is not None:
        typer.echo(f"Page: {html}")


# --- what is asked for --------------------------------------------------------------------------


def _fold(
    catalog: Path,
    underlying: str,
    preset: str | None,
    config: Path | None,
    settings: list[str] | None,
    journal: str | None,
    *,
    quiet: bool,
) -> tuple[LadderFold, bool]:
    """Return the ladders of what is named, as far as sealed vaults let it be seen."""
    from dataclasses import replace

    from hedgeflow.studies.backtesting import JOURNAL_FILE
    from hedgeflow.studies.expiration.ladder import LadderFold
    from hedgeflow.studies.vaults import vault_notes, visible

    market, chosen = named_market(
        STRATEGY, catalog, underlying, preset, config, settings, must_trade=False
    )
    if journal is not None or (catalog / JOURNAL_FILE).exists():  # else nothing is sealed
        with open_journal(catalog, journal) as record:
            market = visible(market, chosen, record)
            market = replace(market, notes=(*vault_notes(record, market), *market.notes))
    with progress_bar("Reading the tapes", quiet=quiet):
        # The strategy's own study made the configuration.
        return LadderFold(market, cast("ExpirationPressureConfig", chosen)), market.simulated


def _moment(text: str) -> datetime:
    from datetime import datetime

    from hedgeflow.market.errors import ConfigError

    try:
        return datetime.fromisoformat(text)
    except ValueError as cause:
        raise ConfigError(
            f"'{text}' is no instant",
            where="--at",
            hint="Use a date and a time, as 2014-06-06T15:30, 2014-06-06T19:30Z or"
            " 2014-06-06T15:30-04:00",
        ) from cause


def _instant(moment: datetime, zone: str) -> int:
    """Return an instant; a time without an offset is the exchange's own, which must have it.

    Of the two that a clock shows when it is set back the first is meant, and that is said.
    """
    from datetime import UTC
    from zoneinfo import ZoneInfo

    from hedgeflow.market.errors import ConfigError
    from hedgeflow.market.time import instant_ns, iso

    if moment.tzinfo:
        return instant_ns(moment)
    first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    shown = first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None)
    if shown != moment.replace(fold=0):
        raise ConfigError(
            f"clocks of {zone} never show {moment.isoformat()}: they are set forward over it",
            where="--at",
            hint=f"Use {shown.isoformat()}, or a time with an offset",
        )
    if first.utcoffset() != second.utcoffset():
        typer.echo(
            f"note: clocks of {zone} show {moment.isoformat()} twice; the first is taken,"
            f" {iso(instant_ns(first))}",
            err=True,
        )
    return instant_ns(first)


def _check(replay: float | None, html: Path | None) -> None:
    from hedgeflow.market.errors import ConfigError

    if replay is not None and not 0.0 < replay < float("inf"):
        raise ConfigError(
            f"a tape cannot go by {replay:g} times as fast", where="--replay", hint="Use 1 or 60"
        )
    if replay is not None and html is not None:
        raise ConfigError(
            "a page shows one instant", where="--html", hint="Leave --replay out, or --html"
        )
    if html is not None:
        from hedgeflow.evidence.report.ladder_page import BEGINNING
        from hedgeflow.studies.pages import check_page

        check_page(html, BEGINNING)


def _write(shown: Ladder, path: Path, strikes: int) -> None:
    from hedgeflow.evidence.report.ladder_page import BEGINNING, render_ladder
    from hedgeflow.studies.expiration.ladder_document import ladder_document
    from hedgeflow.studies.pages import write_page

    write_page(path, render_ladder(ladder_document(shown, strikes), now()), BEGINNING)


# --- one after another --------------------------------------------------------------------------


def _replay(
    fold: LadderFold,
    start_ns: int | None,
    speed: float,
    strikes: int,
    *,
    simulated: bool,
    as_json: bool,
) -> None:
    """Show a ladder every second until expiry or Ctrl-C."""
    from hedgeflow.market.time import MINUTE_NS

    begin_ns = start_ns
    if begin_ns is None:
        begin_ns = fold.last_expiry_ns - REPLAY_MINUTES * MINUTE_NS
    stepped = _stepped(fold, begin_ns, speed)
    if as_json:
        from hedgeflow.studies.expiration.ladder_document import ladder_document

        for shown in stepped:
            print_json(ladder_document(shown, strikes), compact=True)
            sys.stdout.flush()
        return
    print_simulated(simulated=simulated)
    if not sys.stdout.isatty():
        told = 0
        for shown in stepped:
            for notice in notices(shown)[told:]:
                typer.echo(notice)
            told = shown.notices.height
            if not _is_last_look(shown):
                typer.echo(in_one_line(shown))
            sys.stdout.flush()
        typer.echo("Expired.")
        return
    from rich.live import Live

    seen, last = 0, list[str]()
    with Live(auto_refresh=False) as live:
        for shown in stepped:
            if _is_last_look(shown):
                last = notices(shown)[seen:]
                break
            seen = shown.notices.height
            live.update(screen(shown, strikes, live.console.width), refresh=True)
    for line in (*last, "Expired."):
        typer.echo(line)


def _stepped(fold: LadderFold, begin_ns: int, speed: float) -> Iterator[Ladder]:
    """Yield the ladder of each second of the clock, and the last before the expiry of the first."""
    began = now_ns()
    shown = fold.at(begin_ns)
    expiry_ns = shown.expiry_ns
    while True:
        yield shown
        time.sleep(1.0)
        at_ns = begin_ns + round((now_ns() - began) * speed)
        if at_ns >= expiry_ns:
            yield fold.at(expiry_ns - LAST_LOOK_NS)
            return
        shown = fold.at(max(at_ns, shown.at_ns))


def _is_last_look(shown: Ladder) -> bool:
    return shown.expiry_ns - shown.at_ns == LAST_LOOK_NS
