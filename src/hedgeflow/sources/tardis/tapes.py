"""One kind of tape out of what a day's Tardis files say of one stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import HedgeKind
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import COLUMNS, TapeKey, TapeKind
from hedgeflow.market.time import HOUR_NS, MINUTE_NS
from hedgeflow.market.validation import ROW, Fault, Reason, merge_rejects, split, validate
from hedgeflow.sources.anonymous import count_anonymous
from hedgeflow.sources.division import quotient
from hedgeflow.sources.tardis.streams import RESOLUTION_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.sources.tardis.days import RecordedDay
    from hedgeflow.sources.tardis.streams import Stream

SETTLED_WITHIN_NS: Final = MINUTE_NS
"""A funding rate is the one that was paid if it was stated this shortly before the payment."""

TOLD_NOTHING: Final = (
    "Tardis's trades state no implied volatility, and not which are legs of a combination or parts"
    " of a block: each counts as an order of its own."
)

QUOTE_KINDS: Final = frozenset({TapeKind.OPTION_QUOTES, TapeKind.HEDGE_QUOTES})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an import comes from: file names, their hash, and what was said of them."""

    source: str
    sha256: str
    arguments: str
    accept_rejects: bool


def imports_of(
    stream: Stream,
    day: RecordedDay,
    origin: Origin,
    priced: Callable[[pl.DataFrame, Stream], tuple[pl.DataFrame, str]],
) -> list[tuple[Import, list[str]]]:
    """Return the tapes that a stream makes, each with what was assumed.

    Parameters
    ----------
    stream : Stream
    day : RecordedDay
    origin : Origin
    priced : callable
        Gives option trades their `underlying_price`, with a sentence on where it is from.
    """
    made: list[tuple[Import, list[str]]] = []
    remarks: list[str] = []
    for kind in sorted(stream.rows):
        rows = pl.concat(stream.rows[kind])
        notes = day.notes()
        if kind is TapeKind.FUNDING:
            rows, said = _payments(rows)
            remarks += said
        elif kind is TapeKind.OPEN_INTEREST:
            rows = _open_interest(rows, stream)
        elif kind in QUOTE_KINDS:
            rows, said = day.within(rows, pl.lit(value=True))
            notes += said
        else:
            rows, said = day.within(rows, pl.col("_trade_id").is_null())
            notes += said
        rejects = stream.rejects.get(kind, [])
        if rows.is_empty() and not rejects:
            continue
        named = rows.rename(lambda name: name.removeprefix("_")).sort("ts", maintain_order=True)
        if kind is TapeKind.OPTION_TRADES:
            named, said_of_prices = priced(named, stream)
            notes += [said_of_prices, TOLD_NOTHING]
            missing = pl.col("underlying_price").is_null()
            named, refused = split(
                named, [Fault(Reason.NO_UNDERLYING_PRICE, "underlying_price", missing)]
            )
            rejects = [*rejects, refused]
        made.append((_import(kind, named, rejects, stream, day, origin), [*notes, *remarks]))
    return made


def _import(
    kind: TapeKind,
    rows: pl.DataFrame,
    rejects: list[pl.DataFrame],
    stream: Stream,
    day: RecordedDay,
    origin: Origin,
) -> Import:
    columns = [
        (pl.col(column.name) if column.name in rows.columns else pl.lit(None))
        .cast(column.dtype)
        .alias(column.name)
        for column in COLUMNS[kind]
    ]
    checked = validate(rows.select(ROW, *columns), kind, where=origin.source)
    anonymous = count_anonymous(checked.rows)
    refused = merge_rejects([*rejects, checked.rejects])
    coverage = day.coverage
    if kind is TapeKind.FUNDING:
        stamps = checked.rows["ts"].to_physical().to_list()
        coverage = coverage.union(Coverage.of([(each, each + RESOLUTION_NS) for each in stamps]))
    terms = None
    if stream.of_options:
        named = checked.rows["contract"].unique()
        terms = stream.contracts.filter(pl.col("contract").is_in(named.implode()))
    return Import(
        key=TapeKey(kind, stream.venue, stream.underlying, stream.instrument, RESOLUTION_NS),
        # numbered anew: a stream's rows lie scattered over files, a tape's sequence is its own
        rows=checked.rows.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW)),
        rejects=refused,
        read=checked.rows.height + refused.height,
        null_ids=anonymous.rows,
        identical_without_id=anonymous.identical,
        source=origin.source,
        source_sha256=origin.sha256,
        coverage=coverage,
        contracts=terms,
        accept_rejects=origin.accept_rejects,
        arguments=origin.arguments,
    )


def _open_interest(rows: pl.DataFrame, stream: Stream) -> pl.DataFrame:
    """Return open interest in the tape's units; of several values in one instant, the last."""
    if stream.of_options:
        found = rows
    elif next(iter(stream.listed.values())).kind is HedgeKind.PERPETUAL:
        found = stream.in_coins(rows)
    else:
        return rows.clear()
    return found.unique(["_ts", "_contract"], keep="last", maintain_order=True)


def _payments(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return funding as it was paid: each payment with the rate stated last before it.

    Look-ahead: a payment is known at its own instant at the earliest.
    """
    if rows.is_empty():
        return rows, ["No row states when funding is paid next: there is no funding tape."]
    last = rows.sort("_paid_at", maintain_order=True).unique(
        "_paid_at", keep="last", maintain_order=True
    )
    between = pl.col("_paid_at").diff().backward_fill(1)
    # twice the usual distance may be a longer interval, or a payment that the files missed
    usual = pl.when(between == between.min()).then(between)
    timed = last.with_columns(
        quotient(usual.dt.total_nanoseconds(), HOUR_NS).alias("_hours"),
        (pl.col("_paid_at") - pl.col("_ts")).alias("_before"),
    )
    paid = timed.filter(pl.col("_before").dt.total_nanoseconds() <= SETTLED_WITHIN_NS)
    notes: list[str] = []
    if paid.height < timed.height:
        notes.append(
            f"{timed.height - paid.height:,} payments of funding were left out: the minute before"
            " them is not in the files."
        )
    return (
        paid.with_columns(
            pl.max_horizontal("_known_at", "_paid_at").alias("_known_at"),
            pl.col("_paid_at").alias("_ts"),
        ),
        notes,
    )
