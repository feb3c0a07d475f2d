"""The options and arguments that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CatalogOption = Annotated[
    Path, typer.Option("--catalog", metavar="CAT", help="The catalog's folder.")
]
UnderlyingOption = Annotated[str, typer.Option(help="What the options are on, as in BTC.")]
PresetOption = Annotated[
    str | None,
    typer.Option(help="normalized (the default) or source (the source documents' own rules)."),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML over the preset.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, as in anomaly.ratio=5."),
]
JournalOption = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="URL",
        envvar="HEDGEFLOW_JOURNAL",
        help="A file, or postgresql://user@host/database; else journal.sqlite in the catalog.",
    ),
]
CalendarOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--calendar",
        metavar="FILE",
        help="CSV or iCalendar file of earnings and economic releases; may be repeated.",
    ),
]
CalendarKindOption = Annotated[
    str | None,
    typer.Option(
        "--calendar-kind",
        metavar="KIND",
        help="What events are that do not say it: earnings or release.",
    ),
]
CalendarTimezoneOption = Annotated[
    str | None,
    typer.Option(
        "--calendar-timezone",
        metavar="ZONE",
        help="Time zone of the calendars' dates, and of times that carry none.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
STRATEGIES_HELP = "volume-shock or expiration-pressure"
StrategyArgument = Annotated[str, typer.Argument(metavar="STRATEGY", help=STRATEGIES_HELP)]
StrategyOption = Annotated[
    str, typer.Option("--strategy", metavar="STRATEGY", help=STRATEGIES_HELP)
]
