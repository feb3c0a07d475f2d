"""The command that shows an expiry strike by strike: at an instant, or as its tape goes by."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from hedgeflow.cli.clock import now, now_ns
from hedgeflow.cli.options import (
    CatalogOption,
    ConfigOption,
    JournalOption,
    JsonOption,
    PresetOption,
    SetOption,
    UnderlyingOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import polars as pl
    from rich.console import RenderableType

    from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
    from hedgeflow.studies.expiration.ladder import Ladder, LadderFold

STRATEGY: Final = "expiration-pressure"
REPLAY_MINUTES: Final = 120
"""Before expiry a replay begins, unless it is told when: the first timed notice."""

COLUMNS: Final = (
    "strike", "settled", "counted", "calls", "puts", "estimated", "band", "pressure",
    "dealer gamma", "told by", "source", "lognormal", "empirical", "call ITM", "away", "points",
    "sigmas", "alert",
)  # fmt: skip
NEEDED_MOST: Final = (
    "strike", "alert", "pressure", "estimated", "settled", "dealer gamma", "sigmas", "lognormal",
    "band", "told by", "source", "call ITM", "calls", "puts", "counted", "away", "empirical",
    "points",
)  # fmt: skip
"""The columns that a narrow terminal keeps, first to last."""
WORDS: Final = frozenset({"told by", "alert"})


def ladder(
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="As 2014-06-06T15:30 in the exchange's time, or with an offset or Z;"
            " else the last that is known before the last expiry.",
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
    shown = fold.at(fold.last_ns if start_ns is None else start_ns)
    if html is not None:
        _write(shown, html, strikes)
    if as_json:
        from hedgeflow.studies.expiration.ladder_document import ladder_document

        print_json(ladder_document(shown, strikes))
        return
    print_simulated(simulated=simulated)
    _print(shown, strikes)
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

    from hedgeflow.cli.running import named_market, open_journal
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
    """Return an instant; a time without an offset is the exchange's own."""
    from zoneinfo import ZoneInfo

    from hedgeflow.market.time import instant_ns

    return instant_ns(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)))


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
            for notice in _notices(shown)[told:]:
                typer.echo(notice)
            told = shown.notices.height
            typer.echo(_line(shown))
            sys.stdout.flush()
        typer.echo("Expired.")
        return
    from rich.live import Live

    with Live(auto_refresh=False) as live:
        for shown in stepped:
            live.update(screen(shown, strikes, live.console.width), refresh=True)
    typer.echo("Expired.")


def _stepped(fold: LadderFold, begin_ns: int, speed: float) -> Iterator[Ladder]:
    """Yield the ladder of each second of the clock, up to the expiry of the first."""
    began = now_ns()
    shown = fold.at(begin_ns)
    expiry_ns = shown.expiry_ns
    while True:
        yield shown
        time.sleep(1.0)
        at_ns = begin_ns + round((now_ns() - began) * speed)
        if at_ns >= expiry_ns:
            return
        shown = fold.at(max(at_ns, shown.at_ns))


# --- words --------------------------------------------------------------------------------------


def _print(shown: Ladder, strikes: int) -> None:
    for line in _head(shown):
        typer.echo(line)
    rows = [tuple(row.values()) for row in _rows(shown, strikes)]
    print_table(COLUMNS, rows, numeric=[name for name in COLUMNS if name not in WORDS])
    for line in (*_notices(shown), *(f"note: {note}" for note in shown.notes)):
        typer.echo(line)


def screen(shown: Ladder, strikes: int, width: int) -> RenderableType:
    """Return a ladder as a terminal of so many characters shows it."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows = _rows(shown, strikes)
    columns = _fitting(rows, width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="left" if column in WORDS else "right", no_wrap=True)
    for row in rows:
        is_bold = row["alert"] != "–"
        table.add_row(*(row[name] for name in columns), style="bold" if is_bold else None)
    return Group(Text("\n".join(_head(shown))), table, Text("\n".join(_notices(shown))))


def _fitting(rows: list[dict[str, str]], width: int) -> list[str]:
    """Return the columns that are shown whole on so many characters."""
    chosen: set[str] = set()
    for name in NEEDED_MOST:
        needed = 2 + max(len(each) for each in (name, *(row[name] for row in rows)))
        if needed <= width:
            chosen.add(name)
            width -= needed
    return [name for name in COLUMNS if name in chosen]


def _line(shown: Ladder) -> str:
    """Return a ladder in one line: time left, price, the strike that presses most."""
    known = shown.rungs.drop_nulls("pressure")
    most = "no pressure is known"
    if known.height:
        top = known.row(int(known["pressure"].arg_max() or 0), named=True)
        urgency = f", {top['urgency']}" if top["urgency"] else ""
        most = f"most pressure {top['pressure']:.3g} at {top['strike']:g}{urgency}"
    return f"{_left(shown)} left, price {shown.price:,.2f}, {most}"


def _head(shown: Ladder) -> list[str]:
    expiry, at = (_clock(shown, each, full=True) for each in (shown.expiry_ns, shown.at_ns))
    price = f"Price {shown.price:,.2f} of {_clock(shown, shown.price_ns)}"
    special = f"{shown.settlement.value}, {shown.features.words}; {shown.phase.name}"
    lines = [
        f"{shown.underlying} {expiry}: {special}",
        f"{at}: {_left(shown)} left. {price}; {_volatility(shown)}",
        _alerts(shown),
    ]
    profile = shown.profile
    if profile is not None:
        from hedgeflow.evidence.report.ladder_words import bought_or_sold

        up, down = bought_or_sold(profile.flow_up), bought_or_sold(profile.flow_down)
        walls = ["none" if wall is None else f"{wall:,.10g}" for wall in
                 (profile.call_wall, profile.put_wall)]  # fmt: skip
        flip = "none" if profile.flip is None else f"{profile.flip:,.2f}"
        lines.append(
            f"Dealers: net gamma {_signed(profile.total)} units per 1 of price, flip {flip}, call"
            f" wall {walls[0]}, put wall {walls[1]}; hedging a rise of 1 %: {up}, a fall: {down}"
        )
    return lines


def _volatility(shown: Ladder) -> str:
    if shown.sigma is None or shown.expected_move is None:
        return "no volatility is known"
    return (
        f"volatility {shown.sigma:.1%} ({shown.sigma_source}), one sigma of what is left"
        f" {shown.expected_move:,.2f}"
    )


def _alerts(shown: Ladder) -> str:
    pressed = f"Pressure by the {shown.model} chance"
    if shown.no_alert:
        return f"{pressed}; nothing can be an alert: {shown.no_alert}"
    looked = (
        "" if shown.evaluated_ns is None else f", looked at {_clock(shown, shown.evaluated_ns)}"
    )
    return f"{pressed}; an alert is above {shown.threshold:,.3g}{looked}"


def _rows(shown: Ladder, strikes: int) -> list[dict[str, str]]:
    """Return the rungs by column from the highest down, and the price between them."""
    rungs = shown.around(strikes).reverse()
    gamma, counts = (_decimals(rungs[name]) for name in ("dealer_gamma", "oi_high"))
    rows = [_row(shown, rung, gamma, counts) for rung in rungs.iter_rows(named=True)]
    price = dict.fromkeys(COLUMNS, "") | {"strike": f"> {shown.price:,.2f}"}
    rows.insert(int((rungs["strike"] > shown.price).sum()), price)
    return rows


def _row(shown: Ladder, rung: dict[str, Any], gamma: str, counts: str) -> dict[str, str]:
    alert = " ".join(each for each in (rung["urgency"], rung["direction"]) if each)
    counted_ns = rung["settled_ns"]
    values = (
        _figure(rung["strike"], ",.10g"),
        _figure(rung["settled_oi"], counts),
        "–" if counted_ns is None else _clock(shown, counted_ns),
        _figure(rung["settled_calls"], counts),
        _figure(rung["settled_puts"], counts),
        _figure(rung["estimated_oi"], counts),
        f"{rung['oi_low']:{counts}} to {rung['oi_high']:{counts}}",
        _figure(rung["pressure"], ",.2f"),
        _figure(rung["dealer_gamma"], gamma),
        rung["gamma_basis"].lower().replace("_", " "),
        *(_figure(rung[name], ".1%") for name in ("source", "lognormal", "empirical")),
        _figure(rung["in_the_money_call"], ".1%"),
        _figure(rung["distance"], ",.2f"),
        _figure(rung["distance_points"], ",.1f"),
        _figure(rung["distance_sigmas"], ",.2f"),
        alert or "–",
    )
    return dict(zip(COLUMNS, values, strict=True))


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, f"z{form}")  # z: no minus before a 0


def _decimals(figures: pl.Series) -> str:
    """Return the format in which the largest figure shows three significant digits."""
    from hedgeflow.evidence.report.ladder_words import digits_of

    return f",.{digits_of(*figures.to_list())}f"


def _notices(shown: Ladder) -> list[str]:
    return [
        f"{_clock(shown, row['at_ns'])}: {row['minutes_left']:g} minutes left"
        if row["strike"] is None
        else f"{_clock(shown, row['at_ns'])}: {row['kind']} at {row['strike']:g}"
        for row in shown.notices.iter_rows(named=True)
    ]


def _signed(value: float) -> str:
    from hedgeflow.evidence.report.ladder_words import digits_of

    digits = digits_of(value)
    return f"{'+' if round(value, digits) > 0.0 else ''}{value:z,.{digits}f}"


def _left(shown: Ladder) -> str:
    minutes, seconds = divmod(-int(-shown.seconds_left // 1), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _clock(shown: Ladder, instant: int, *, full: bool = False) -> str:
    """Return an instant by the exchange's clock; its date where it is another than that of now."""
    from zoneinfo import ZoneInfo

    from hedgeflow.market.time import moment_of

    zone = ZoneInfo(shown.zone)
    moment = moment_of(instant).astimezone(zone)
    is_today = moment.date() == moment_of(shown.at_ns).astimezone(zone).date()
    return f"{moment:%H:%M:%S}" if is_today and not full else f"{moment:%Y-%m-%d %H:%M:%S %Z}"
