"""What a person names, made into what a study reads: market, configuration, journal, calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import YEAR_NS
from hedgeflow.risk import Calendar, CalendarKind, read_calendar
from hedgeflow.simulate import TRUTH_FOLDER, read_scenario
from hedgeflow.studies.backtesting import JOURNAL_FILE
from hedgeflow.studies.strategies import study_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


@dataclass(frozen=True, slots=True)
class Asked:
    """A market and how it is to be traded.

    Attributes
    ----------
    market : Market
    config : StrategyConfig
    of_the_scenario : mapping
        What a simulated market asked to be judged with; it lies under everything else.
    """

    market: Market
    config: StrategyConfig
    of_the_scenario: Mapping[str, Any]


def check_strategy(strategy: str) -> None:
    """Refuse a strategy that does not exist, naming those that do."""
    study_named(strategy)


def asked_market(
    catalog: Path,
    underlying: str,
    *,
    strategy: str,
    preset: str | None = None,
    config: Path | None = None,
    settings: Sequence[str] = (),
    must_trade: bool = True,
) -> Asked:
    """Return the market of an underlying in a catalog, and the configuration asked for.

    Parameters
    ----------
    catalog : pathlib.Path
    underlying : str
    strategy : str
        As on the command line.
    preset, config, settings
        As `load_config`.
    must_trade : bool
        As `load_market`.

    Raises
    ------
    CatalogError, ConfigError
        As `load_market` and `load_config`.
    """
    opened = Catalog.open(catalog)
    chosen, under = asked_settings(
        catalog, strategy=strategy, preset=preset, config=config, settings=settings
    )
    market = study_named(strategy).load_market(opened, underlying, chosen, must_trade=must_trade)
    return Asked(market, chosen, under)


def asked_settings(
    catalog: Path,
    *,
    strategy: str,
    preset: str | None = None,
    config: Path | None = None,
    settings: Sequence[str] = (),
) -> tuple[StrategyConfig, Mapping[str, Any]]:
    """Return the configuration asked for, and what a simulated market asks for itself under it.

    Nothing of the market is read.

    Raises
    ------
    ConfigError
        As `load_config`.
    """
    study = study_named(strategy)
    under: Mapping[str, Any] = {}
    if (catalog / TRUTH_FOLDER).is_dir():
        scenario = read_scenario(catalog)
        under = scenario.settings if scenario.strategy == strategy else {}
    return study.load_config(preset, config, settings, market_settings=under), under


def asked_journal(
    catalog: Path,
    url: str | Path | None = None,
    *,
    create: bool = True,
    clock: Callable[[], int] | None = None,
) -> Journal:
    """Return the journal at an address, else the one in the catalog; else as `Journal.open`."""
    return Journal.open(url or catalog / JOURNAL_FILE, create=create, clock=clock)


def asked_calendar(
    paths: Sequence[Path], market: Market, *, kind: str | None = None, timezone: str | None = None
) -> Calendar | None:
    """Return what all calendars list together; what recurs for ever, a year beyond the data.

    Parameters
    ----------
    paths : sequence of pathlib.Path
    market : Market
    kind, timezone : str, optional
        What events are that do not say it, and the zone of dates and of times that carry none.

    Raises
    ------
    ConfigError
        There is a kind or a zone but no calendar, or the kind is none.
    DataError
        A file is no calendar.
    """
    until_ns = int(market.sessions.close_ns[-1]) + YEAR_NS
    return calendar_until(paths, until_ns, kind=kind, timezone=timezone)


def calendar_until(
    paths: Sequence[Path], until_ns: int, *, kind: str | None = None, timezone: str | None = None
) -> Calendar | None:
    """Return what all calendars list together; what recurs for ever, until an instant, UTC ns.

    Parameters and errors are those of `asked_calendar`.
    """
    if not paths:
        for option, value in (("--calendar-kind", kind), ("--calendar-timezone", timezone)):
            if value is not None:
                raise ConfigError("there is no calendar", where=option, hint="Add --calendar FILE")
        return None
    if kind is not None and kind not in list(CalendarKind):
        raise ConfigError(
            f"'{kind}' is no kind of event",
            where="--calendar-kind",
            hint=f"Use {' or '.join(CalendarKind)}",
        )
    given = None if kind is None else CalendarKind(kind)
    calendars = [
        read_calendar(path, kind=given, timezone=timezone, until_ns=until_ns) for path in paths
    ]
    return Calendar(event for each in calendars for event in each.events)
