"""`hedgeflow data import chain`: snapshots of option chains from files of a known source."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hedgeflow.cli.data.options import (
    AcceptOption,
    CatalogOption,
    DryRunOption,
    JsonOption,
    destination,
    print_reports,
)
from hedgeflow.cli.output import progress_bar


class ChainSource(StrEnum):
    """Where the files come from: what their columns are called, and when a row is known."""

    DERIBIT = "deribit"
    NSE = "nse"
    SPX = "spx"


def import_chain_files(
    source: Annotated[ChainSource, typer.Argument(help="Whose files they are.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="The files to import.")],
    catalog: CatalogOption,
    accept_rejects: AcceptOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import snapshots of option chains: Deribit's, NSE's, or SPX's on the day of expiry.

    All files are read before anything is written: one that is not what it must be, and nothing is.
    Beside NSE's and SPX's snapshots come bars of the index.
    """
    from hedgeflow.sources import import_deribit_chains, import_nse_chains, import_spx_chains

    importers = {
        ChainSource.DERIBIT: import_deribit_chains,
        ChainSource.NSE: import_nse_chains,
        ChainSource.SPX: import_spx_chains,
    }
    named = files[0].name if len(files) == 1 else f"{len(files)} files"
    with (
        destination(catalog, dry_run=dry_run) as target,
        progress_bar(f"Importing {named}", quiet=as_json) as progress,
    ):
        reports = importers[source](files, target, accept_rejects=accept_rejects, progress=progress)
    print_reports(reports, catalog, as_json=as_json, dry_run=dry_run)
