"""What the words of a command name: a strategy, a market with its settings, a journal, a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from hedgeflow.cli.clock import now_ns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from hedgeflow.journal import Journal
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


def check_strategy(strategy: str) -> None:
    """Refuse a strategy that does not exist, naming those that do."""
    from hedgeflow.studies.asking import check_strategy as check

    check(strategy)


def named_market(
    strategy: str,
    catalog: Path,
    underlying: str,
    preset: str | None,
    config: Path | None,
    settings: list[str] | None,
    *,
    must_trade: bool = True,
) -> tuple[Market, StrategyConfig]:
    """Return a market and its configuration; what a simulated one asks for itself is said."""
    from hedgeflow.studies.asking import asked_market

    asked = asked_market(
        catalog,
        underlying,
        strategy=strategy,
        preset=preset,
        config=config,
        settings=settings or (),
        must_trade=must_trade,
    )
    _say_scenario(asked.of_the_scenario)
    return asked.market, asked.config


def named_settings(
    strategy: str,
    catalog: Path,
    preset: str | None,
    config: Path | None,
    settings: list[str] | None,
) -> StrategyConfig:
    """Return a configuration without reading a market; what a simulated one asks is said."""
    from hedgeflow.studies.asking import asked_settings

    chosen, of_the_scenario = asked_settings(
        catalog, strategy=strategy, preset=preset, config=config, settings=settings or ()
    )
    _say_scenario(of_the_scenario)
    return chosen


def _say_scenario(asked: Mapping[str, Any]) -> None:
    import json

    if asked:
        words = "the simulated market's own settings lie under yours"
        typer.echo(f"note: {words}: {json.dumps(asked)}", err=True)


def check_calendars(paths: list[Path], kind: str | None, timezone: str | None) -> None:
    """Refuse calendars that cannot be read, before anything is done that cannot be undone."""
    from hedgeflow.market.time import YEAR_NS
    from hedgeflow.studies.asking import calendar_until

    calendar_until(paths, now_ns() + YEAR_NS, kind=kind, timezone=timezone)


def open_journal(catalog: Path, url: str | None, *, create: bool = True) -> Journal:
    """Return the journal that is named, else the catalog's own, with the clock of the machine."""
    from hedgeflow.studies.asking import asked_journal

    return asked_journal(catalog, url, create=create, clock=now_ns)


def named_day(text: str, where: str, *, hint: str = "Use YYYY-MM-DD") -> date:
    """Return a day; what is none is refused, naming the option it was given to."""
    from datetime import date

    from hedgeflow.market.errors import ConfigError

    try:
        day = date.fromisoformat(text)
    except ValueError as cause:
        raise ConfigError(f"'{text}' is no date", where=where, hint=hint) from cause
    if day.isoformat() != text:  # 20260105 and 2026-W02-1 are dates too, which nobody means here
        raise ConfigError(f"'{text}' is no date", where=where, hint=hint)
    return day
