"""The command that describes tapes by their stylised facts."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.options import (
    CatalogOption,
    JsonOption,
    UnderlyingOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    from hedgeflow.studies.stylised_facts import MarketFacts


def stylised_facts(
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    calendar: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="24/7 or as in XNYS; else that of the tapes' venue."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(metavar="CAT2", help="A catalog to compare with; may be repeated."),
    ] = None,
    beside_underlying: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME2", help="Its underlying, one for each --beside."),
    ] = None,
    beside_calendar: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Its calendar: one for each --beside, or none."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Write a page of Markdown there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what is known to be typical of markets, on tapes recorded or simulated."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.studies.pages import check_page, write_page
    from hedgeflow.studies.stylised_facts import MARK, facts_page
    from hedgeflow.studies.stylised_facts import stylised_facts as measure

    others = _others(beside or [], beside_underlying or [], beside_calendar or [])
    if out is not None:
        check_page(out, MARK)
    opened = [
        (Catalog.open(folder), name, hours)
        for folder, name, hours in [(catalog, underlying, calendar), *others]
    ]
    markets: list[MarketFacts] = []
    for each, name, hours in opened:
        with progress_bar(f"Reading {name}", quiet=as_json) as progress:
            markets.append(measure(each, name, calendar=hours, progress=progress))
    if out is not None:
        write_page(out, facts_page(markets), MARK)
    if as_json:
        print_json([_document(market, markets[0]) for market in markets])
    else:
        _print_facts(markets)
        if out is not None:
            typer.echo(f"page: {out}")


def _others(
    folders: list[Path], names: list[str], calendars: list[str]
) -> list[tuple[Path, str, str | None]]:
    if len(folders) != len(names):
        raise typer.BadParameter(
            f"{len(folders)} --beside and {len(names)} --beside-underlying: give as many",
            param_hint="'--beside-underlying'",
        )
    if calendars and len(calendars) != len(folders):
        raise typer.BadParameter(
            f"{len(folders)} --beside and {len(calendars)} --beside-calendar: give as many or none",
            param_hint="'--beside-calendar'",
        )
    hours: list[str | None] = [*calendars] or [None] * len(folders)
    return list(zip(folders, names, hours, strict=True))


def _document(market: MarketFacts, first: MarketFacts) -> dict[str, Any]:
    from hedgeflow.studies.stylised_facts.comparing import alike

    document: dict[str, Any] = {
        "underlying": market.underlying,
        "simulated": market.simulated,
        "tapes": market.tapes,
        "calendar": market.calendar,
        "sessions": market.sessions,
        "first": market.first,
        "last": market.last,
        "facts": {
            fact.definition.key: {
                "name": fact.definition.name,
                "unit": fact.definition.unit,
                "value": fact.value,
                "standard_error": fact.error,
                "note": fact.note,
            }
            for fact in market.facts
        },
        "curves": {
            curve.name: [None if isnan(rate) else rate for rate in curve.rate]
            for curve in market.curves
        },
    }
    if market is not first:
        for one, other in zip(first.facts, market.facts, strict=True):
            document["facts"][other.definition.key]["alike"] = alike(one, other)
    return document


def _print_facts(markets: list[MarketFacts]) -> None:
    from hedgeflow.studies.stylised_facts import compare
    from hedgeflow.studies.stylised_facts.page import together

    print_simulated(simulated=any(market.simulated for market in markets))
    for market in markets:
        typer.echo(
            f"{market.name}: {market.sessions:,} sessions of {market.calendar},"
            f" {market.first} to {market.last}: {'; '.join(market.tapes)}"
        )
    rows = compare(markets[0], markets[1:])
    alone = len(markets) == 1
    columns = [
        "fact",
        *(market.name for market in markets),
        *([] if alone else ["matches?"]),
        "note",
    ]
    print_table(
        columns,
        [
            [
                row.definition.name,
                *(fact.text for fact in row.facts),
                *([] if alone else [together(row.alike)]),
                "; ".join(dict.fromkeys(fact.note for fact in row.facts if fact.note)),
            ]
            for row in rows
        ],
    )
