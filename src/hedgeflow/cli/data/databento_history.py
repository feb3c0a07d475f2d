"""`hedgeflow data fetch databento`: days of Databento's history, within a price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.clock import moment
from hedgeflow.cli.data.databento import DefinitionsOption, UnderlyingFromOption
from hedgeflow.cli.data.fetching import (
    FirstOption,
    LastOption,
    day_fields,
    fetching,
    key_of,
    print_days,
)
from hedgeflow.cli.data.options import AcceptOption, CatalogOption, JsonOption, destination
from hedgeflow.cli.output import print_json

if TYPE_CHECKING:
    from hedgeflow.sources import DatabentoQuote

KEY_NAME = "DATABENTO_API_KEY"


def fetch_databento_days(
    catalog: CatalogOption,
    dataset: Annotated[str, typer.Option(help="Databento's name, as in OPRA.PILLAR.")],
    schema: Annotated[
        list[str], typer.Option(help="trades, tcbbo, cbbo-1m, definition, …; may be repeated.")
    ],
    symbols: Annotated[str, typer.Option(help="As in AAPL.OPT,MSFT.OPT; at most 2,000.")],
    first: FirstOption,
    last: LastOption,
    stype_in: Annotated[
        str, typer.Option("--stype-in", help="The kind of symbols, as in parent.")
    ] = "raw_symbol",
    max_cost: Annotated[
        float, typer.Option(metavar="USD", min=0.0, help="What the download may cost at most.")
    ] = 0.0,
    definitions: DefinitionsOption = None,
    underlying_from: UnderlyingFromOption = None,
    url: Annotated[
        str, typer.Option(help="Another server with the same interface.")
    ] = "https://hist.databento.com",
    accept_rejects: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Download whole days of Databento's history, priced first; a stopped download goes on."""
    import random

    from hedgeflow.market.errors import ConfigError
    from hedgeflow.sources import DatabentoOrder, fetch_databento

    key = key_of(KEY_NAME)
    if key is None:
        raise ConfigError(
            "there is no key for Databento",
            where=KEY_NAME,
            hint="Set this environment variable, or with the package keyring installed:"
            f" keyring set hedgeflow {KEY_NAME}",
        )
    order = DatabentoOrder(
        dataset=dataset.upper(),
        schemas=tuple(schema),
        symbols=tuple(each.strip() for each in symbols.split(",")),
        stype_in=stype_in,
        first=first.date(),
        last=last.date(),
        definitions=definitions,
        underlying_from=underlying_from,
        accept_rejects=accept_rejects,
    )
    with destination(catalog) as target, fetching(quiet=as_json) as progress:
        fetched = fetch_databento(
            target,
            order,
            key=key,
            clock=moment,
            rng=random.Random(),  # noqa: S311 - for pauses, not for secrets
            url=url,
            max_cost_usd=max_cost,
            progress=progress,
            quoted=_say_quote,
        )
    if as_json:
        print_json(
            {
                "quoted_usd": fetched.quote.cost_usd,
                "spent_usd": fetched.spent_usd,
                "days": [day_fields(each) for each in fetched.days],
            }
        )
        return
    print_days(fetched.days)
    typer.echo(f"Spent at most {fetched.spent_usd:.4f} USD, by Databento's quotes")


def _say_quote(quote: DatabentoQuote) -> None:
    typer.echo(
        f"Databento asks {quote.cost_usd:.4f} USD for up to {quote.files} files;"
        f" {quote.bound_usd:.2f} USD may be spent",
        err=True,
    )
