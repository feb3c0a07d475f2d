"""`hedgeflow data fetch tardis`: days of Tardis.dev's CSV files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hedgeflow.cli.clock import moment
from hedgeflow.cli.data.fetching import (
    FirstOption,
    LastOption,
    day_fields,
    fetching,
    key_of,
    print_days,
)
from hedgeflow.cli.data.options import AcceptOption, CatalogOption, JsonOption, destination
from hedgeflow.cli.data.tardis import ContractSizeOption, ContractValueOption, stated_size
from hedgeflow.cli.output import print_json

KEY_NAME = "TARDIS_API_KEY"


class FileType(StrEnum):
    """The data types that become tapes."""

    TRADES = "trades"
    QUOTES = "quotes"
    OPTIONS_CHAIN = "options_chain"
    DERIVATIVE_TICKER = "derivative_ticker"


def fetch_tardis_days(
    catalog: CatalogOption,
    exchange: Annotated[str, typer.Option(help="Tardis's name of it, as in deribit.")],
    data_type: Annotated[list[FileType], typer.Option("--type", help="May be repeated.")],
    symbol: Annotated[
        str, typer.Option(help="An instrument, or a group, as in BTC-PERPETUAL or OPTIONS.")
    ],
    first: FirstOption,
    last: LastOption,
    underlying: Annotated[
        list[str] | None,
        typer.Option(help="What to import of a group, as in BTC; may be repeated."),
    ] = None,
    instrument: Annotated[
        str | None, typer.Option(help="The hedge instrument that the symbol is.")
    ] = None,
    contract_size: ContractSizeOption = None,
    contract_value: ContractValueOption = None,
    url: Annotated[
        str, typer.Option(help="Another server with the same interface.")
    ] = "https://datasets.tardis.dev",
    accept_rejects: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Download whole days of Tardis.dev's files; a stopped download goes on."""
    import random

    from hedgeflow.sources import TardisChoice, TardisOrder, fetch_tardis
    from hedgeflow.sources.tardis.files import DataType

    order = TardisOrder(
        exchange=exchange,
        data_types=tuple(DataType(each.value) for each in data_type),
        symbol=symbol,
        first=first.date(),
        last=last.date(),
        underlyings=tuple(each.upper() for each in underlying or ()),
        chosen=TardisChoice(instrument=instrument, size=stated_size(contract_size, contract_value)),
        accept_rejects=accept_rejects,
    )
    with destination(catalog) as target, fetching(quiet=as_json) as progress:
        days = fetch_tardis(
            target,
            order,
            key=key_of(KEY_NAME),
            clock=moment,
            rng=random.Random(),  # noqa: S311 - for pauses, not for secrets
            url=url,
            progress=progress,
        )
    if as_json:
        print_json([day_fields(each) for each in days])
    else:
        print_days(days)
