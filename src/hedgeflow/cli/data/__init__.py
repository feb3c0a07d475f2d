"""`hedgeflow data`: bring tapes into a catalog from files and venues, list and check them."""

from __future__ import annotations

import typer

from hedgeflow.cli.data import (
    ccxt_history,
    chains,
    databento,
    databento_history,
    deribit_history,
    files,
    lean,
    looking,
    tables,
    tardis,
    tardis_history,
)

app = typer.Typer(no_args_is_help=True, help="Bring tapes into a catalog, list and check them.")
import_app = typer.Typer(no_args_is_help=True, help="Import files into a catalog.")
fetch_app = typer.Typer(no_args_is_help=True, help="Download history into a catalog.")
app.add_typer(import_app, name="import")
app.add_typer(fetch_app, name="fetch")
app.command("list")(looking.list_tapes)
app.command("check")(looking.check)

import_app.command("deribit")(files.import_deribit)
import_app.command("bars")(files.import_bars_file)
import_app.command("table")(tables.import_any_table)
import_app.command("chain")(chains.import_chain_files)
import_app.command("tardis")(tardis.import_tardis_files)
import_app.command("lean")(lean.import_lean_folder)

fetch_app.command("ccxt")(ccxt_history.fetch_ccxt_history)
fetch_app.command("databento")(databento_history.fetch_databento_days)
fetch_app.command("deribit")(deribit_history.fetch_deribit)
fetch_app.command("tardis")(tardis_history.fetch_tardis_days)
import_app.command("databento")(databento.import_databento_files)
app.command("describe")(databento.describe)
