"""`hedgeflow data fetch ccxt`: bars, funding, open interest and ratios of swaps into a catalog."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hedgeflow.cli.clock import moment
from hedgeflow.cli.data.fetching import FirstOption, LastOption
from hedgeflow.cli.data.options import (
    AcceptOption,
    CatalogOption,
    JsonOption,
    destination,
    tape_fields,
)
from hedgeflow.cli.output import print_json, progress_bar

if TYPE_CHECKING:
    from hedgeflow.sources import FetchedTape

SHOWN_GAPS = 10
STOPPED_WORDS = "hedgeflow: days that were stored stay; the same command goes on from there"


class Kind(StrEnum):
    """What can be fetched."""

    BARS = "bars"
    FUNDING = "funding"
    OPEN_INTEREST = "open-interest"
    LONG_SHORT_RATIO = "long-short-ratio"


def fetch_ccxt_history(
    exchange: Annotated[
        str, typer.Argument(metavar="EXCHANGE", help="ccxt's name of it, as in binance.")
    ],
    catalog: CatalogOption,
    symbol: Annotated[
        str, typer.Option(help="A perpetual swap as ccxt writes it, as in BTC/USDT:USDT.")
    ],
    first: FirstOption,
    last: LastOption,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="What to fetch; may be repeated. Without it, bars.")
    ] = None,
    timeframe: Annotated[
        str | None,
        typer.Option(help="Without it, 1m for bars, 5m for open interest and ratios."),
    ] = None,
    instrument: Annotated[
        str | None, typer.Option(help="Its name in the catalog; without it, as in BTC-PERP.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Another scheme and host for the exchange's addresses.")
    ] = None,
    accept_rejects: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Download whole days of a perpetual swap's history; a stopped download goes on."""
    from hedgeflow.market.tapes import TapeKind
    from hedgeflow.sources import fetch_ccxt

    kinds = [TapeKind(each.value.replace("-", "_")) for each in kind or [Kind.BARS]]
    try:
        with (
            destination(catalog) as target,
            progress_bar(f"Fetching {symbol} from {exchange}, days", quiet=as_json) as progress,
        ):
            fetched = fetch_ccxt(
                target,
                exchange,
                symbol,
                first=first.date(),
                last=last.date(),
                now=moment,
                kinds=kinds,
                timeframe=timeframe,
                instrument=instrument,
                url=url,
                accept_rejects=accept_rejects,
                progress=progress,
            )
    except KeyboardInterrupt:
        typer.echo(STOPPED_WORDS, err=True)
        raise
    if as_json:
        print_json([_fields(each) for each in fetched])
        return
    for each in fetched:
        _print(each, catalog)


def _fields(fetched: FetchedTape) -> dict[str, object]:
    from hedgeflow.market.time import iso

    return {
        "tape": tape_fields(fetched.key),
        "symbol": fetched.symbol,
        "first": fetched.first,
        "last": fetched.last,
        "days": fetched.days,
        "there_already": fetched.skipped,
        "empty": fetched.empty,
        "read": fetched.read,
        "kept": fetched.kept,
        "rejected": fetched.rejected,
        "repeats": fetched.repeats,
        "coverage": [(iso(start), iso(end)) for start, end in fetched.coverage.intervals],
        "gaps": [(iso(start), iso(end)) for start, end in fetched.gaps],
        "needs_acceptance": fetched.needs_acceptance,
        "notes": fetched.notes,
    }


def _print(fetched: FetchedTape, catalog: Path) -> None:
    from hedgeflow.market.time import iso

    key = fetched.key
    typer.echo(
        f"{key.kind} of {fetched.symbol} on {key.venue} -> {key.instrument}: {fetched.days} days"
        f" ({fetched.skipped} there already), {fetched.read:,} rows read = {fetched.kept:,} kept"
        f" + {fetched.rows_rejected:,} rejected + {fetched.repeats:,} repeats"
    )
    for reason, count in sorted(fetched.rejected.items()):
        typer.echo(f"  rejected {reason}: {count:,}; see {catalog / 'rejects'}")
    if fetched.needs_acceptance:
        typer.echo(
            "  More than 0.01 % of a day was rejected: the tape will not be used until it is"
            " fetched with --accept-rejects."
        )
    gaps = fetched.gaps
    for start, end in gaps[:SHOWN_GAPS]:
        typer.echo(f"  the exchange gave nothing from {iso(start)} to {iso(end)}")
    if len(gaps) > SHOWN_GAPS:
        typer.echo(f"  and {len(gaps) - SHOWN_GAPS:,} gaps more; --json names all")
    for note in fetched.notes:
        typer.echo(f"  {note}")
