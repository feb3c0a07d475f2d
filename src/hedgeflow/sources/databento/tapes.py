"""Records as tapes: prints, quotes, bars and open interest, each with what is refused of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.manifests import Import
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.validation import (
    ROW,
    Fault,
    Reason,
    merge_rejects,
    no_rejects,
    split,
    validate,
)
from hedgeflow.sources.contract_terms import contracts_table
from hedgeflow.sources.databento.beside import FUTURE
from hedgeflow.sources.databento.instruments import KIND, SYMBOL
from hedgeflow.sources.databento.records import AT, TICK_RESOLUTION_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hedgeflow.market.contracts import HedgeInstrument, OptionContract
    from hedgeflow.market.coverage import Coverage
    from hedgeflow.sources.databento.beside import Beside
    from hedgeflow.sources.databento.decoding import DbnFile

BOUGHT, SOLD, NO_SIDE = ord("B"), ord("A"), ord("N")
"""Which side began a trade: B a bid, so it bought; A an ask, so it sold; N was not said."""
NOT_A_SIDE: Final = 2

BID: Final = pl.col("bid_px_00").alias("bid")
ASK: Final = pl.col("ask_px_00").alias("ask")
KNOWN_LATER: Final = pl.duration(nanoseconds=TICK_RESOLUTION_NS)


@dataclass(frozen=True, slots=True)
class Source:
    """What the imports of one file share.

    Attributes
    ----------
    file : DbnFile
    venue : str
    coverage : Coverage
    accept_rejects : bool
    notes : list of str
        What was assumed or left out of the file; shown with each of its tapes.
    """

    file: DbnFile
    venue: str
    coverage: Coverage
    accept_rejects: bool
    notes: list[str] = field(default_factory=list[str])

    def key(self, kind: TapeKind, underlying: str, instrument: str, resolution_ns: int) -> TapeKey:
        """Return the key of a tape of this venue."""
        return TapeKey(kind, self.venue, underlying, instrument, resolution_ns)

    def checked(
        self,
        key: TapeKey,
        records: pl.DataFrame,
        refused: pl.DataFrame,
        tape: pl.DataFrame,
        contracts: Mapping[str, OptionContract] | None = None,
    ) -> Import:
        """Return a tape as an import.

        Parameters
        ----------
        key : TapeKey
        records : polars.DataFrame
            The file's records that the tape is made of.
        refused : polars.DataFrame
            Rejects among them.
        tape : polars.DataFrame
            `row` and the tape's columns, of the others.
        contracts : mapping, optional
            Terms of options, by symbol.
        """
        validated = validate(tape, key.kind, where=self.file.header.where)
        rows = validated.rows
        has_ids = "trade_id" in rows.columns
        kept = rows.drop(ROW)
        named = None
        if contracts is not None:
            traded: list[str] = rows["contract"].unique().sort().to_list()
            named = contracts_table(contracts[symbol] for symbol in traded)
        return Import(
            key=key,
            rows=rows,
            rejects=merge_rejects([refused, validated.rejects]),
            read=records.height,
            null_ids=records.height if has_ids else 0,
            identical_without_id=kept.height - kept.unique().height if has_ids else 0,
            source=self.file.header.where,
            source_sha256=self.file.sha256,
            coverage=self.coverage,
            contracts=named,
            accept_rejects=self.accept_rejects,
        )


def option_trades(
    source: Source,
    records: pl.DataFrame,
    underlying: str,
    contracts: Mapping[str, OptionContract],
    futures: Mapping[str, str],
    beside: Beside,
) -> tuple[Import, list[str]]:
    """Return prints of options on one underlying, and notes.

    Databento gives each trade a message number, which trades of one packet share, and no id: it is
    null. A trade is stamped, and known a nanosecond after, when it was received: by that time
    files are ordered, and it is when we could have known.

    Parameters
    ----------
    source : Source
    records : polars.DataFrame
        `row`, `at`, `symbol`, `kind`, `price`, `size`, `side`; with `bid_px_00` and `ask_px_00`
        where each trade carries the quote before it.
    underlying : str
    contracts : mapping
    futures : mapping
        By option, the future that gives its underlying price.
    beside : Beside
    """
    expiries = pl.DataFrame(
        {SYMBOL: list(contracts), "_expiry": [each.expiry_ns for each in contracts.values()]},
        schema={SYMBOL: pl.String, "_expiry": pl.Int64},
    )
    timed = records.join(expiries, on=SYMBOL, how="left", maintain_order="left")
    known, refused = split(
        timed,
        [
            _UNTIMED,
            _UNKNOWN,
            Fault(Reason.AFTER_EXPIRY, AT, pl.col(AT).dt.epoch("ns") >= pl.col("_expiry")),
        ],
    )
    prints = known.select(
        ROW,
        *_stamps(),
        pl.col(SYMBOL).alias("contract"),
        "price",
        pl.col("size").cast(pl.Int64).alias("lots"),
        _aggressor(),
        pl.col(SYMBOL)
        .replace_strict(dict(futures), default=None, return_dtype=pl.String)
        .alias(FUTURE),
        *([BID, ASK] if "bid_px_00" in known.columns else []),
    )
    priced, notes = beside.with_prices(prints, underlying)
    if "bid" not in priced.columns:
        priced, quote_notes = beside.with_quotes(priced, source.venue, underlying)
        notes += quote_notes
    unpriced = pl.col("underlying_price").is_null()
    priced, without = split(
        priced, [Fault(Reason.NO_UNDERLYING_PRICE, "underlying_price", unpriced)]
    )
    empty = pl.lit(None, dtype=pl.String)
    tape = priced.drop(FUTURE).with_columns(
        pl.lit(None, dtype=pl.Float64).alias("iv"),
        *(empty.alias(name) for name in ("combo_id", "block_id", "condition", "trade_id")),
    )
    key = source.key(TapeKind.OPTION_TRADES, underlying, underlying, TICK_RESOLUTION_NS)
    return source.checked(key, records, merge_rejects([refused, without]), tape, contracts), notes


def hedge_trades(source: Source, records: pl.DataFrame, hedge: HedgeInstrument) -> Import:
    """Return trades of a future or stock, sizes in underlying units."""
    tape = records.select(
        ROW,
        *_stamps(),
        "price",
        (pl.col("size") * hedge.multiplier).alias("size"),
        _aggressor(),
        pl.lit(None, dtype=pl.String).alias("trade_id"),
    )
    key = source.key(TapeKind.HEDGE_TRADES, hedge.underlying, hedge.symbol, TICK_RESOLUTION_NS)
    return source.checked(key, records, no_rejects(), tape)


def hedge_quotes(
    source: Source, records: pl.DataFrame, hedge: HedgeInstrument, resolution_ns: int
) -> Import:
    """Return best prices of a future or stock, as they were at the stamp."""
    tape = records.select(
        ROW,
        *_stamps(sampled=resolution_ns > TICK_RESOLUTION_NS),
        BID,
        ASK,
    )
    key = source.key(TapeKind.HEDGE_QUOTES, hedge.underlying, hedge.symbol, resolution_ns)
    return source.checked(key, records, no_rejects(), tape)


def option_quotes(
    source: Source,
    records: pl.DataFrame,
    underlying: str,
    contracts: Mapping[str, OptionContract],
    resolution_ns: int,
) -> Import:
    """Return best prices of options on one underlying, as they were at the stamp."""
    known, refused = split(records, [_UNTIMED, _UNKNOWN])
    tape = known.select(
        ROW,
        *_stamps(sampled=resolution_ns > TICK_RESOLUTION_NS),
        pl.col(SYMBOL).alias("contract"),
        BID,
        ASK,
        *(
            pl.col(f"{side}_sz_00").cast(pl.Float64).alias(f"{side}_size")
            for side in ("bid", "ask")
        ),
    )
    key = source.key(TapeKind.OPTION_QUOTES, underlying, underlying, resolution_ns)
    return source.checked(key, records, refused, tape, contracts)


def bars(source: Source, records: pl.DataFrame, hedge: HedgeInstrument, length_ns: int) -> Import:
    """Return bars of a future or stock, volume in underlying units, known at their ends."""
    tape = records.select(
        ROW,
        pl.col(AT).alias("ts"),
        (pl.col(AT) + pl.duration(nanoseconds=length_ns)).alias("known_at"),
        "open",
        "high",
        "low",
        "close",
        (pl.col("volume") * hedge.multiplier).alias("volume"),
    )
    key = source.key(TapeKind.BARS, hedge.underlying, hedge.symbol, length_ns)
    return source.checked(key, records, no_rejects(), tape)


def open_interest(
    source: Source, records: pl.DataFrame, underlying: str, instrument: str
) -> Import:
    """Return open contracts, known when they were published."""
    known, refused = split(records, [_UNTIMED, _UNKNOWN])
    tape = known.select(
        ROW,
        *_stamps(),
        pl.col(SYMBOL).alias("contract"),
        pl.col("quantity").cast(pl.Float64).alias("open_interest"),
    )
    key = source.key(TapeKind.OPEN_INTEREST, underlying, instrument, TICK_RESOLUTION_NS)
    return source.checked(key, records, refused, tape)


def option_definitions(
    source: Source,
    records: pl.DataFrame,
    faults: list[Fault],
    underlying: str,
    contracts: Mapping[str, OptionContract],
) -> Import:
    """Return definitions of options on one underlying, known when they were published."""
    known, refused = split(records, [_UNTIMED, *faults])
    tape = known.select(ROW, *_stamps(), pl.col(SYMBOL).alias("contract"))
    key = source.key(TapeKind.OPTION_DEFINITIONS, underlying, underlying, TICK_RESOLUTION_NS)
    return source.checked(key, records, refused, tape, contracts)


def _stamps(*, sampled: bool = False) -> list[pl.Expr]:
    """Return `ts` and `known_at`; a sample tells what was known already at its stamp."""
    known = pl.col(AT) if sampled else pl.col(AT) + KNOWN_LATER
    return [pl.col(AT).alias("ts"), known.alias("known_at")]


def _aggressor() -> pl.Expr:
    side = pl.col("side")
    return (
        pl.when(side == BOUGHT)
        .then(1)
        .when(side == SOLD)
        .then(-1)
        .when(side == NO_SIDE)
        .then(0)
        .otherwise(NOT_A_SIDE)
        .cast(pl.Int8)
        .alias("aggressor")
    )


_UNTIMED: Final = Fault(Reason.MISSING_VALUE, AT, pl.col(AT).is_null())
_UNKNOWN: Final = Fault(Reason.UNKNOWN_CONTRACT, SYMBOL, pl.col(KIND).is_null())
