"""The main job's steps as functions: what the commands of the same names run and count."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hedgeflow.evidence import package_document
from hedgeflow.evidence.opening import open_package
from hedgeflow.notebook.results import Backtest, Package, Scan, Validation, now
from hedgeflow.studies import backtesting, validation
from hedgeflow.studies.asking import (
    Asked,
    asked_calendar,
    asked_journal,
    asked_market,
    check_strategy,
)
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.vaults import vault_notes, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hedgeflow.journal import Journal

    Progress = Callable[[int, int], None]
    """Called with prints scanned and prints in all."""

STRATEGY = "volume-shock"


def scan(
    catalog: str | Path,
    underlying: str,
    *,
    strategy: str = STRATEGY,
    preset: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    journal: str | Path | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Find what a strategy trades on and journal the alerts.

    Parameters
    ----------
    catalog : str or Path
    underlying : str
        What the options are on, as in BTC.
    strategy : str
        ``volume-shock`` or ``expiration-pressure``.
    preset : str, optional
        ``normalized`` or ``source``.
    config : str or Path, optional
        TOML over the preset.
    settings : mapping, optional
        Single settings over both, by dotted keys or by sections.
    journal : str or Path, optional
        A file or an address; else the catalog's own.
    progress : callable, optional
        Called with prints scanned and prints in all.

    Raises
    ------
    HedgeflowError
        As the command: its message says what is wrong, where, and what to do.
    """
    check_strategy(strategy)
    asked = _asked(strategy, catalog, underlying, preset, config, settings, must_trade=False)
    with _journal(catalog, journal) as record:
        market = visible(asked.market, asked.config, record)
        run, found = backtesting.scan_to_journal(market, asked.config, record, progress)
        of_vault = vault_notes(record, market)
    order = ["pressure", "triggered_ns", "contract"]
    return Scan(
        run_id=run.run_id,
        simulated=asked.market.simulated,
        config=asked.config,
        alerts=found.alerts.sort(order, descending=[True, False, False]),
        events=found.events,
        anomalies=found.anomalies,
        counts=study_of(asked.config).scan_counts(found),
        notes=(*_own_settings(asked), *of_vault, *market.notes, *found.notes),
        found=study_of(asked.config).scan_words(found),
    )


def backtest(
    catalog: str | Path,
    underlying: str,
    *,
    strategy: str = STRATEGY,
    preset: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    journal: str | Path | None = None,
    calendar: Sequence[str | Path] = (),
    calendar_kind: str | None = None,
    calendar_timezone: str | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Trade the alerts in replay and journal every decision; no verdict, see `validate`.

    Parameters
    ----------
    catalog, underlying, strategy, preset, config, settings, journal, progress
        As `scan`.
    calendar : sequence of str or Path
        CSV or iCalendar files of earnings and economic releases.
    calendar_kind, calendar_timezone : str, optional
        What events are that do not say it, and the zone of dates and of times that carry none.

    Raises
    ------
    HedgeflowError
        As the command.
    """
    check_strategy(strategy)
    asked = _asked(strategy, catalog, underlying, preset, config, settings)
    paths = [Path(each) for each in calendar]
    events = asked_calendar(paths, asked.market, kind=calendar_kind, timezone=calendar_timezone)
    with _journal(catalog, journal) as record:
        market = visible(asked.market, asked.config, record)
        made = backtesting.backtest(
            market, asked.config, record, calendar=events, progress=progress
        )
        of_vault = vault_notes(record, market)
    return _backtest(made, asked, of_vault)


def validate(
    catalog: str | Path,
    underlying: str,
    *,
    strategy: str = STRATEGY,
    preset: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    journal: str | Path | None = None,
    calendar: Sequence[str | Path] = (),
    calendar_kind: str | None = None,
    calendar_timezone: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Say whether the claim holds: backtest, test, and write the package if a folder is named.

    Parameters
    ----------
    catalog, underlying, strategy, preset, config, settings, journal, progress
        As `scan`.
    calendar, calendar_kind, calendar_timezone
        As `backtest`.
    out : str or Path, optional
        Folder of the package; `Validation.save` writes it too.

    Raises
    ------
    HedgeflowError
        As the command.
    """
    check_strategy(strategy)
    if out is not None:
        validation.check_out(Path(out))
    asked = _asked(strategy, catalog, underlying, preset, config, settings)
    paths = [Path(each) for each in calendar]
    events = asked_calendar(paths, asked.market, kind=calendar_kind, timezone=calendar_timezone)
    with _journal(catalog, journal) as record:
        made = validation.validate(
            asked.market, asked.config, record, calendar=events, progress=progress
        )
    document = package_document(made.evidence, timestamp=now(), files={})
    return Validation(
        document=document,
        evidence=made.evidence,
        backtest=_backtest(made.backtest, asked),
        report=None if out is None else validation.write_validation(made, Path(out), now()),
        _made=made,
    )


def load_package(folder: str | Path) -> Package:
    """Return the package in a folder, checked against its schema and the hashes of its files.

    Raises
    ------
    EvidenceError
        There is no package, another schema version wrote it, or a file was changed since.
    """
    found = open_package(Path(folder))
    return Package(found.folder, found.document)


def _asked(
    strategy: str,
    catalog: str | Path,
    underlying: str,
    preset: str | None,
    config: str | Path | None,
    settings: Mapping[str, Any] | None,
    *,
    must_trade: bool = True,
) -> Asked:
    return asked_market(
        Path(catalog),
        underlying,
        strategy=strategy,
        preset=preset,
        config=None if config is None else Path(config),
        settings=list(_assignments(settings or {})),
        must_trade=must_trade,
    )


def _journal(catalog: str | Path, journal: str | Path | None) -> Journal:
    """Return the journal that is named, here or in the environment, else the catalog's own."""
    named = journal or os.environ.get("HEDGEFLOW_JOURNAL")
    return asked_journal(Path(catalog), named, clock=time.time_ns)


def _assignments(settings: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield ``section.key=value`` for each setting: JSON's scalars and lists are TOML's too."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _assignments(cast("Mapping[str, Any]", value), f"{before}{key}.")
        else:
            yield f"{before}{key}={json.dumps(value, default=str)}"


def _own_settings(asked: Asked) -> tuple[str, ...]:
    if not asked.of_the_scenario:
        return ()
    told = json.dumps(asked.of_the_scenario)
    return (f"The simulated market's own settings lie under yours: {told}.",)


def _backtest(made: backtesting.Backtest, asked: Asked, of_vault: tuple[str, ...] = ()) -> Backtest:
    return Backtest(
        run_id=made.run.run_id,
        simulated=asked.market.simulated,
        config=asked.config,
        alerts=made.alerts,
        decisions=made.decisions,
        trades=made.trades,
        ledger_entries=made.ledger_entries,
        configurations=made.configurations,
        notes=(*_own_settings(asked), *of_vault, *made.notes),
    )
