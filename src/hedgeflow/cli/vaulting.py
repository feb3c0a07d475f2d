"""The commands that keep a hold-out: vault declare, vault list, and what opens one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from hedgeflow.cli.clock import now_ns
from hedgeflow.cli.options import (
    CatalogOption,
    JournalOption,
    JsonOption,
    UnderlyingOption,
)
from hedgeflow.cli.output import print_json, print_table

if TYPE_CHECKING:
    from hedgeflow.journal import HoldOut, Journal
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market

app = typer.Typer(
    name="vault",
    help="Keep a hold-out period that no run sees before it is opened, once.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Opening(NamedTuple):
    """The options of validate that open a vault."""

    reopen: bool
    vault: str | None
    reason: str

    @classmethod
    def asked(
        cls, *, open_vault: bool, reopen: bool, vault: str | None, reason: str
    ) -> Opening | None:
        """Return what is asked of a vault, None where none is to be opened."""
        if open_vault:
            return cls(reopen, vault, reason)
        given = (("--reopen", reopen), ("--vault", vault), ("--reason", reason))
        for option, value in given:
            if value:
                from click import UsageError

                raise UsageError(f"{option} says how to open a vault: add --open-vault.")
        return None


@app.callback()
def vault() -> None:
    """Keep a hold-out period that no run sees before it is opened, once."""


@app.command("declare")
def declare(
    catalog: CatalogOption,
    underlying: UnderlyingOption,
    begin: Annotated[
        str,
        typer.Option("--from", metavar="DATE", help="UTC date or instant at which it begins."),
    ],
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="DATE", help="UTC date or instant at which it ends; else never."
        ),
    ] = None,
    venue: Annotated[
        str | None,
        typer.Option(help="The options' venue, where the catalog has none of them yet."),
    ] = None,
    note: Annotated[str, typer.Option(help="Why, for those who read it later.")] = "",
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Declare a hold-out: until it is opened no run sees it, nor what comes after it."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.studies.asking import asked_journal
    from hedgeflow.studies.vaults import declare as declare_vault
    from hedgeflow.studies.vaults import tape_of

    from_ns = instant(begin, "--from")
    until_ns = None if until is None else instant(until, "--until")
    key, data_set = tape_of(Catalog.open(catalog), underlying, venue)
    with asked_journal(catalog, journal) as record:
        made, is_new = declare_vault(
            record,
            key,
            from_ns=from_ns,
            until_ns=until_ns,
            declared_ns=now_ns(),
            note=note,
            data_set=data_set,
        )
    if as_json:
        print_json({**_document(made), "is_new": is_new})
        return
    words = "declared" if is_new else "was declared before, and stands as it was"
    typer.echo(f"vault {made.vault_id} on {made.data_key}: {made.period_words}, {words}")
    typer.echo(_seen_words(made))
    if not made.sealed:
        typer.echo(f"it is {made.state_words}")


@app.command("list")
def list_vaults(
    catalog: CatalogOption, journal: JournalOption = None, as_json: JsonOption = False
) -> None:
    """List the vaults of a journal: when they were declared, and every time they were opened."""
    import json

    from hedgeflow.market.time import iso
    from hedgeflow.studies.asking import asked_journal
    from hedgeflow.studies.strategies import strategy_of
    from hedgeflow.studies.trial_ledger import differences

    with asked_journal(catalog, journal, create=False) as record:
        vaults = record.vaults()
    if as_json:
        print_json([_document(each) for each in vaults])
        return
    if not vaults:
        typer.echo("no vault is declared")
        return
    print_table(
        ("vault", "tape", "from", "to", "declared", "seen before", "state"),
        [
            (
                each.vault_id,
                each.data_key,
                iso(each.from_ns),
                None if each.end_ns is None else iso(each.end_ns),
                iso(each.declared_ns),
                each.seen_before,
                each.state_words,
            )
            for each in vaults
        ],
        numeric=("seen before",),
    )
    for each in vaults:
        if each.note:
            typer.echo(f"{each.vault_id}: {each.note}")
        for opening in each.openings:
            settings: dict[str, Any] = json.loads(opening.config_json)
            other = ", ".join(differences(strategy_of(settings), settings)) or "its own settings"
            why = f": {opening.reason}" if opening.reason else ""
            typer.echo(
                f"{each.vault_id} opening {opening.ordinal} on {iso(opening.opened_ns)} with"
                f" {settings['preset']}, {other}{why}"
            )


def market_of_vault(
    catalog: Path, underlying: str, config: StrategyConfig, record: Journal, opening: Opening
) -> Market:
    """Record the opening and return the market that is traded in the vault alone."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.studies.backtesting import code_version
    from hedgeflow.studies.vaults import open_vault

    return open_vault(
        Catalog.open(catalog),
        underlying,
        config,
        record,
        code_version=code_version(),
        opened_ns=now_ns(),
        vault_id=opening.vault,
        reopen=opening.reopen,
        reason=opening.reason,
    )


def instant(text: str, option: str) -> int:
    """Return a UTC date's midnight, or an instant that says its offset, as UTC ns."""
    from datetime import UTC, datetime

    from hedgeflow.market.errors import ConfigError
    from hedgeflow.market.time import instant_ns

    hint = "Write a UTC date, as in 2025-11-01, or an instant, as in 2025-11-01T14:30:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        raise ConfigError(f"'{text}' is no date", where=option, hint=hint) from cause
    is_date = len(text) == len("2025-11-01")
    if moment.tzinfo is None and not is_date:
        raise ConfigError(f"'{text}' has no time zone", where=option, hint=hint)
    return instant_ns(moment.replace(tzinfo=UTC) if is_date else moment)


def _seen_words(vault: HoldOut) -> str:
    if not vault.seen_before:
        return "no configuration in the journal had seen any of it"
    from hedgeflow.evidence.wording import counted

    return (
        f"{counted(vault.seen_before, 'configuration')} in the journal had seen some of it before:"
        " every package will say so"
    )


def _document(vault: HoldOut) -> dict[str, Any]:
    from hedgeflow.market.time import iso

    return {
        "id": vault.vault_id,
        "tape": vault.data_key,
        "from": iso(vault.from_ns),
        "until": None if vault.end_ns is None else iso(vault.end_ns),
        "declared": iso(vault.declared_ns),
        "seen_before": vault.seen_before,
        "note": vault.note,
        "sealed": vault.sealed,
        "openings": [
            {
                "ordinal": opening.ordinal,
                "opened": iso(opening.opened_ns),
                "config_hash": opening.config_hash,
                "code_version": opening.code_version,
                "data_until": iso(opening.data_until_ns),
                "reopened": opening.reopened,
                "reason": opening.reason,
            }
            for opening in vault.openings
        ],
    }
