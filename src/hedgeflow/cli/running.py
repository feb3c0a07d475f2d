"""The commands that run the main job: scan, backtest, validate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hedgeflow.cli.clock import now
from hedgeflow.cli.naming import (
    check_calendars,
    check_strategy,
    named_day,
    named_market,
    named_settings,
    open_journal,
)
from hedgeflow.cli.options import (
    STRATEGIES_HELP,
    CalendarKindOption,
    CalendarOption,
    CalendarTimezoneOption,
    CatalogOption,
    ConfigOption,
    JournalOption,
    JsonOption,
    PresetOption,
    SetOption,
    StrategyArgument,
    StrategyOption,
    UnderlyingOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from hedgeflow.risk import Calendar
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import AlertColumn
    from hedgeflow.studies.validation import Validation

Given = TypeVar("Given")

SHOWN_ALERTS = 20


def scan(
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    strategy: StrategyOption = "volume-shock",
    date: Annotated[str | None, typer.Option(help="Show one UTC date only, YYYY-MM-DD.")] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what a strategy trades on and journal the alerts, highest pressure first."""
    import polars as pl

    from hedgeflow.studies.backtesting import scan_to_journal
    from hedgeflow.studies.strategies import study_of
    from hedgeflow.studies.vaults import vault_notes, visible

    check_strategy(strategy)
    day = None if date is None else named_day(date, "--date")
    market, chosen = named_market(
        strategy, catalog, underlying, preset, config, settings, must_trade=False
    )
    with (
        open_journal(catalog, journal) as record,
        progress_bar("Scanning the tapes", quiet=as_json) as progress,
    ):
        market = visible(market, chosen, record)
        run, result = scan_to_journal(market, chosen, record, progress)
        of_vault = vault_notes(record, market)
    study, alerts = study_of(chosen), result.alerts
    found = f"{alerts.height:,} alerts"
    if day is not None:
        stamp = pl.from_epoch("triggered_ns", time_unit="ns").dt.date()
        alerts = alerts.filter(stamp == day)
        found += f", {alerts.height:,} of them on {day}"
    alerts = alerts.sort(["pressure", "triggered_ns", "contract"], descending=[True, False, False])
    notes = (*of_vault, *market.notes, *result.notes)
    if as_json:
        print_json(
            {
                "run_id": run.run_id,
                "simulated": market.simulated,
                "preset": chosen.preset,
                "counts": study.scan_counts(result),
                "notes": notes,
                "alerts": study.alert_documents(alerts, chosen),
            }
        )
        return
    print_simulated(simulated=market.simulated)
    typer.echo(f"run {run.run_id}: {study.scan_words(result)}, {found}")
    _print_alerts(alerts, study.alert_columns)
    for note in notes:
        typer.echo(f"note: {note}")


def backtest(
    strategy: StrategyArgument,
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    journal: JournalOption = None,
    calendar: CalendarOption = None,
    calendar_kind: CalendarKindOption = None,
    calendar_timezone: CalendarTimezoneOption = None,
    as_json: JsonOption = False,
) -> None:
    """Trade the alerts in replay and journal every decision; no verdict, see validate."""
    from hedgeflow.evidence.wording import counted
    from hedgeflow.studies.backtesting import backtest as run_backtest
    from hedgeflow.studies.vaults import vault_notes, visible

    check_strategy(strategy)
    market, chosen = named_market(strategy, catalog, underlying, preset, config, settings)
    events = _calendar(calendar or [], calendar_kind, calendar_timezone, market)
    with (
        open_journal(catalog, journal) as record,
        progress_bar("Scanning the tapes", quiet=as_json) as progress,
    ):
        market = visible(market, chosen, record)
        result = run_backtest(market, chosen, record, calendar=events, progress=progress)
        notes = (*vault_notes(record, market), *result.notes)
    reasons = result.decisions["reason_code"].value_counts(sort=True).rows()
    exits = result.trades["exit_reason"].value_counts(sort=True).rows()
    net = float(result.trades["net_usd"].sum())
    gross = float(result.trades["gross_usd"].sum())
    if as_json:
        print_json(
            {
                "run_id": result.run.run_id,
                "simulated": market.simulated,
                "preset": chosen.preset,
                "alerts": result.alerts.height,
                "decisions": dict(reasons),
                "trades": result.trades.height,
                "exits": dict(exits),
                "gross_usd": gross,
                "net_usd": net,
                "configurations_tried": result.configurations,
                "notes": notes,
            }
        )
        return
    print_simulated(simulated=market.simulated)
    typer.echo(
        f"run {result.run.run_id}: {counted(result.alerts.height, 'alert')},"
        f" {counted(result.trades.height, 'trade')}, gross {gross:,.2f} USD,"
        f" costs {gross - net:,.2f}, net {net:,.2f}"
    )
    print_table(("decision", "alerts"), reasons, numeric=("alerts",))
    print_table(("exit", "trades"), exits, numeric=("trades",))
    for note in notes:
        typer.echo(f"note: {note}")


def validate(
    strategy: Annotated[
        str | None, typer.Argument(metavar="STRATEGY", help=STRATEGIES_HELP, show_default=False)
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option("--catalog", metavar="CAT", help="The catalog's folder.")
    ] = None,
    underlying: Annotated[
        str | None, typer.Option(help="What the options are on, as in BTC.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="OUT", help="Folder of the package.")
    ] = None,
    stated: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PACKAGE",
            help="Run again what a package states and compare every figure; needs --catalog.",
        ),
    ] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    journal: JournalOption = None,
    calendar: CalendarOption = None,
    calendar_kind: CalendarKindOption = None,
    calendar_timezone: CalendarTimezoneOption = None,
    open_vault: Annotated[
        bool,
        typer.Option("--open-vault", help="Judge on the hold-out period alone, which spends it."),
    ] = False,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Open again what is spent; the package says so.")
    ] = False,
    vault: Annotated[
        str | None,
        typer.Option("--vault", metavar="ID", help="Which vault, where several are declared."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="WHY", help="Recorded with the opening.")
    ] = "",
    leakage: Annotated[
        bool,
        typer.Option(
            "--check-leakage", help="Change the future too, and see whether the past notices."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say whether the claim holds: backtest, test, and write the evidence package and report."""
    from hedgeflow.cli.vaulting import Opening, market_of_vault

    opening = Opening.asked(open_vault=open_vault, reopen=reopen, vault=vault, reason=reason)
    if stated is not None:
        from hedgeflow.cli.comparing import Calendars, validate_again

        chosen_here = {
            "STRATEGY": strategy,
            "--underlying": underlying,
            "--preset": preset,
            "--config": config,
            "--set": settings or None,
            "--check-leakage": leakage or None,
            "--open-vault": opening,
        }
        calendars = Calendars(calendar or [], calendar_kind, calendar_timezone)
        validate_again(
            stated, catalog, out, journal, calendars, chosen_here=chosen_here, as_json=as_json
        )
        return
    from hedgeflow.studies.validation import check_out, write_validation
    from hedgeflow.studies.validation import validate as run_validation

    strategy = _needed("argument 'STRATEGY'", strategy)
    catalog = _needed("option '--catalog'", catalog)
    underlying = _needed("option '--underlying'", underlying)
    out = _needed("option '--out'", out)
    check_strategy(strategy)
    check_out(out)
    if opening is None:
        market, chosen = named_market(strategy, catalog, underlying, preset, config, settings)
    else:
        chosen = named_settings(strategy, catalog, preset, config, settings)
        check_calendars(calendar or [], calendar_kind, calendar_timezone)
        with open_journal(catalog, journal) as record:
            market = market_of_vault(catalog, underlying, chosen, record, opening)
    events = _calendar(calendar or [], calendar_kind, calendar_timezone, market)
    with (
        open_journal(catalog, journal) as record,
        progress_bar("Scanning the tapes", quiet=as_json) as progress,
    ):
        result = run_validation(
            market, chosen, record, calendar=events, progress=progress, leakage=leakage
        )
    report = write_validation(result, out, now())
    _print_validation(result, report, as_json=as_json, leakage=leakage)


def _needed(name: str, value: Given | None) -> Given:
    """Return what has to be given unless --from gives it."""
    if value is None:
        from click import UsageError

        raise UsageError(f"Missing {name}.")
    return value


def _calendar(
    paths: list[Path], kind: str | None, timezone: str | None, market: Market
) -> Calendar | None:
    from hedgeflow.studies.asking import asked_calendar

    return asked_calendar(paths, market, kind=kind, timezone=timezone)


def _print_alerts(alerts: pl.DataFrame, columns: Sequence[AlertColumn]) -> None:
    from hedgeflow.market.time import iso

    rows = [
        [iso(row["detected_ns"]), *(row[column.name] for column in columns)]
        for row in alerts.head(SHOWN_ALERTS).iter_rows(named=True)
    ]
    print_table(
        ("detected", *(column.heading for column in columns)),
        rows,
        numeric=[column.heading for column in columns if column.is_number],
    )
    if alerts.height > SHOWN_ALERTS:
        typer.echo(f"and {alerts.height - SHOWN_ALERTS:,} more; --json prints them all")


def _print_validation(result: Validation, report: Path, *, as_json: bool, leakage: bool) -> None:
    import json

    if as_json:
        document = json.loads((report.parent / "evidence.json").read_text(encoding="utf-8"))
        print_json(
            {
                "report": str(report),
                "simulated": document["simulated"],
                "trades": result.tables.trades.height,
                "configurations_tried": result.backtest.configurations,
                "experimental_validity": document["experimental_validity"],
            }
        )
        return
    print_simulated(simulated=result.evidence.manifest.simulated)
    for paragraph in result.evidence.resolution:
        typer.echo(paragraph)
    tested = result.evidence.leakage
    if tested is not None:
        typer.echo(f"Leakage test {'passed' if tested.passed else 'FAILED'}: {tested.words}")
    elif leakage:
        typer.echo("Leakage test not made: there was no alert after which to change the future.")
    typer.echo(f"Verdict: {result.evidence.label}")
    typer.echo(f"Report: {report}")
