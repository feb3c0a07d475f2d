"""The commands about what was promised and what was tried: register and trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.clock import now_ns
from hedgeflow.cli.naming import check_strategy, named_settings
from hedgeflow.cli.options import (
    CatalogOption,
    ConfigOption,
    JournalOption,
    JsonOption,
    PresetOption,
    SetOption,
    StrategyOption,
    UnderlyingOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table

if TYPE_CHECKING:
    from hedgeflow.journal import Journal, RegisteredHypothesis

SHOWN_HASH = 12


def register(
    catalog: CatalogOption,
    statement: Annotated[
        str | None, typer.Argument(metavar="STATEMENT", help="What you expect, in words.")
    ] = None,
    strategy: StrategyOption = "volume-shock",
    underlying: Annotated[
        str | None, typer.Option(help="What the options are on; else whatever it is run on.")
    ] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what was registered.")] = False,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write down a hypothesis, hashed and dated, before it is run; the package says whether."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.studies.asking import asked_journal

    if (statement is None) != listed:
        from click import UsageError

        raise UsageError("Give either a STATEMENT or --list.")
    Catalog.open(catalog)
    if statement is None:
        with asked_journal(catalog, journal, create=False) as record:
            _print_registered(record, as_json=as_json)
        return
    from hedgeflow.market.time import iso
    from hedgeflow.strategies.declared import declaration_of
    from hedgeflow.studies.registrations import hypothesis

    check_strategy(strategy)
    chosen = named_settings(strategy, catalog, preset, config, settings)
    given = hypothesis(
        statement,
        chosen,
        declaration_of(strategy),
        underlying=underlying,
        recorded_ns=now_ns(),
    )
    with asked_journal(catalog, journal) as record:
        made, is_new = record.register(given)
    if as_json:
        print_json({**_document(made), "is_new": is_new})
        return
    words = "registered" if is_new else "was registered before"
    typer.echo(
        f"{made.registration_id} {words} on {iso(made.recorded_ns)}: {made.strategy} on"
        f" {made.underlying or 'any underlying'}, {_settings_words(made)}"
    )
    typer.echo(made.statement)


def _print_registered(record: Journal, *, as_json: bool) -> None:
    from hedgeflow.market.time import iso

    found = record.registrations()
    if as_json:
        print_json([_document(each) for each in found])
        return
    if not found:
        typer.echo("nothing was registered")
        return
    print_table(
        ("id", "registered", "strategy", "underlying", "settings", "statement"),
        [
            (
                each.registration_id,
                iso(each.recorded_ns),
                each.strategy,
                each.underlying,
                _settings_words(each),
                each.statement,
            )
            for each in found
        ],
    )


def _settings_words(given: RegisteredHypothesis) -> str:
    import json

    from hedgeflow.studies.trial_ledger import differences

    settings: dict[str, Any] = json.loads(given.config_json)
    return ", ".join([str(settings["preset"]), *differences(given.strategy, settings)])


def _document(given: RegisteredHypothesis) -> dict[str, Any]:
    import json

    from hedgeflow.market.time import iso

    return {
        "id": given.registration_id,
        "strategy": given.strategy,
        "underlying": given.underlying,
        "statement": given.statement,
        "registered": iso(given.recorded_ns),
        "config_hash": given.config_hash,
        "config": json.loads(given.config_json),
        "thresholds": json.loads(given.thresholds_json),
    }


def trials(
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every configuration that was tried on a tape, and what each earned."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.time import iso
    from hedgeflow.studies.asking import asked_journal
    from hedgeflow.studies.trial_listing import listed_trials

    opened = Catalog.open(catalog)
    with asked_journal(catalog, journal, create=False) as record:
        found = listed_trials(opened, underlying, record)
    if as_json:
        print_json(
            {
                "simulated": found.simulated,
                "configurations": found.configurations,
                "trials": [each.document() for each in found.trials],
            }
        )
        return
    print_simulated(simulated=found.simulated)
    typer.echo(found.sentence)
    if not found.trials:
        return
    print_table(
        ("configuration", "tried", "data until", "traded", "hedge", "trades", "net USD", "Sharpe",
         "settings"),
        [
            (
                each.config_hash[:SHOWN_HASH],
                None if each.recorded_ns is None else iso(each.recorded_ns),
                None if each.data_until_ns is None else iso(each.data_until_ns),
                each.period_words,
                each.hedge,
                each.trades,
                each.net_usd,
                each.sharpe,
                ", ".join([each.preset, *each.differences]),
            )
            for each in found.trials
        ],
        numeric=("trades", "net USD", "Sharpe"),
    )  # fmt: skip
