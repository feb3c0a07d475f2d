"""Import command for Tardis.dev's CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.data.options import (
    AcceptOption,
    CatalogOption,
    DryRunOption,
    JsonOption,
    destination,
    print_reports,
)
from hedgeflow.cli.data.tables import stored
from hedgeflow.cli.output import progress_bar

if TYPE_CHECKING:
    from hedgeflow.sources.tardis.symbols import Size

ContractSizeOption = Annotated[
    float | None,
    typer.Option(min=1e-12, help="Coins that an amount of 1 is, where it is not known."),
]
ContractValueOption = Annotated[
    float | None,
    typer.Option(min=1e-12, help="The same of an inverse contract, in quote currency."),
]


def import_tardis_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The files to import.")],
    catalog: CatalogOption,
    underlying: Annotated[
        str | None, typer.Option(help="Import only what is on it, as in BTC.")
    ] = None,
    instrument: Annotated[
        str | None, typer.Option(help="The hedge instrument that the files' one symbol is.")
    ] = None,
    contract_size: ContractSizeOption = None,
    contract_value: ContractValueOption = None,
    data_type: Annotated[
        str | None,
        typer.Option(
            "--type", help="trades, where the names do not tell trades from liquidations."
        ),
    ] = None,
    accept_rejects: AcceptOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import CSV files of Tardis.dev's: trades, quotes, options_chain, derivative_ticker."""
    from hedgeflow.sources import TardisChoice, import_tardis
    from hedgeflow.sources.tardis.files import DataType

    if data_type not in {None, DataType.TRADES}:
        raise typer.BadParameter("only trades need to be named", param_hint="--type")
    chosen = TardisChoice(
        underlying=underlying,
        instrument=instrument,
        size=stated_size(contract_size, contract_value),
        data_type=None if data_type is None else DataType.TRADES,
    )
    with (
        destination(catalog, dry_run=dry_run) as target,
        progress_bar("Importing", quiet=as_json) as progress,
    ):
        reports = import_tardis(
            files,
            target,
            chosen,
            prices=stored(catalog),
            accept_rejects=accept_rejects,
            progress=progress,
        )
    print_reports(reports, catalog, as_json=as_json, dry_run=dry_run)


def stated_size(coins: float | None, value: float | None) -> Size | None:
    """Return the contract size that two options say, or None."""
    from hedgeflow.sources.tardis.symbols import Size, Unit

    if coins is not None and value is not None:
        raise typer.BadParameter("say one of both", param_hint="--contract-size, --contract-value")
    if value is not None:
        return Size(Unit.QUOTE, value)
    return None if coins is None else Size(Unit.COINS, coins)
