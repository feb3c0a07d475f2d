"""Which schema becomes which tape, which becomes none and why, and the order of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.sources.databento.definitions import CME, CME_OPTION, OPRA, venue_of
from hedgeflow.sources.databento.records import TICK_RESOLUTION_NS, interval_ns

if TYPE_CHECKING:
    from hedgeflow.sources.databento.decoding import DbnHeader

DEFINITION: Final = "definition"
BARS: Final = ("ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d")
SAMPLES: Final = ("bbo-1s", "bbo-1m", "cbbo-1s", "cbbo-1m")
QUOTES: Final = ("mbp-1", "cmbp-1", *SAMPLES)
TRADES: Final = ("trades", "tbbo", "tcbbo")
STATISTICS: Final = "statistics"
CONSOLIDATED: Final = ("cmbp-1", "tcbbo", "cbbo-1s", "cbbo-1m")
"""Schemas whose quotes are the best of all exchanges."""

STAGES: Final = ((DEFINITION,), BARS, QUOTES, TRADES, (STATISTICS,))
"""Files given together are read in this order."""
TAKEN: Final = tuple(schema for stage in STAGES for schema in stage)

BOOKS: Final = "order books are not kept yet"
NOT_TAKEN: Final = {
    "mbo": BOOKS,
    "mbp-10": BOOKS,
    "ohlcv-eod": "bars of sessions are not kept, only those of fixed length",
    "status": "states of trading are not kept",
    "imbalance": "imbalances of auctions are not kept",
}


def refusal(header: DbnHeader) -> DataError | None:
    """Return why no tape can become of a file, so far as its header tells."""
    return refusal_of(header.dataset, header.schema, where=header.where)


def refusal_of(dataset: str, schema: str, *, where: str) -> DataError | None:
    """Return why no tape can become of a schema of a dataset.

    Parameters
    ----------
    dataset, schema : str
    where : str
        What names them, for the message.
    """
    try:
        venue_of(dataset, where=where)
    except DataError as unknown:
        return unknown
    if schema not in TAKEN:
        why = NOT_TAKEN.get(schema, "the schema is not known")
        return DataError(
            f"{why}: schema {schema}",
            where=where,
            hint=f"Taken are the schemas {', '.join(TAKEN)}",
        )
    if schema in BARS and dataset == OPRA:
        return DataError(
            f"bars of options are not kept: schema {schema} of {OPRA}",
            where=where,
            hint="Import the options' trades: schema tcbbo, tbbo or trades",
        )
    return None


def becomes(header: DbnHeader) -> str:
    """Return the kinds of tape that become of a file, or why none."""
    refused = refusal(header)
    if refused is not None:
        return f"nothing ({refused.what.partition(':')[0]})"
    return ", ".join(kinds_of(header.dataset, header.schema))


def kinds_of(dataset: str, schema: str) -> tuple[TapeKind, ...]:
    """Return the kinds of tape that may become of a schema of a dataset."""
    if schema == DEFINITION:
        return (TapeKind.OPTION_DEFINITIONS,)
    if schema in BARS:
        return (TapeKind.BARS,)
    if schema == STATISTICS:
        return (TapeKind.OPEN_INTEREST,)
    of_options = TapeKind.OPTION_QUOTES if schema in QUOTES else TapeKind.OPTION_TRADES
    if dataset == OPRA:
        return (of_options,)
    kinds = [TapeKind.HEDGE_TRADES] if schema in TRADES else []
    kinds += [TapeKind.HEDGE_QUOTES] if schema != "trades" else []
    return tuple(kinds if dataset != CME else [*kinds, of_options])


def resolution_ns(schema: str) -> int:
    """Return the resolution of a schema's tapes, nanoseconds."""
    return interval_ns(schema) if schema in (*BARS, *SAMPLES) else TICK_RESOLUTION_NS


def reading_order(header: DbnHeader) -> tuple[int, bool]:
    """Return a key that sorts files so that each finds what it needs: hedges before options."""
    of_options = header.dataset == OPRA or any(map(CME_OPTION.fullmatch, header.mappings))
    stage = next(number for number, schemas in enumerate(STAGES) if header.schema in schemas)
    return stage, of_options
