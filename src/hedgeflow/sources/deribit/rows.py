"""Deribit option trades as rows of a tape: the one place that says which of them are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import DERIBIT_OPTION_LOT_COINS, parse_deribit_option
from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import COLUMNS, TapeKind
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.market.validation import (
    ROW,
    Fault,
    Reason,
    check_sorted,
    merge_rejects,
    split,
    validate,
)
from hedgeflow.sources.contract_terms import contracts_table
from hedgeflow.sources.division import quotient
from hedgeflow.sources.files import first_of, numbers, optional_of
from hedgeflow.sources.stamps import read_stamps

if TYPE_CHECKING:
    from hedgeflow.market.contracts import OptionContract

VENUE: Final = "deribit"
RESOLUTIONS_NS: Final = (MINUTE_NS, SECOND_NS)
FINEST_RESOLUTION_NS: Final = SECOND_NS // 1000
"""Deribit stamps trades to the millisecond."""

LOT_TOLERANCE: Final = 1e-6
"""How far an amount may be from whole lots, lots: 0.3 / 0.1 is not 3 in binary numbers."""

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "ts": ("ts", "timestamp"),
    "trade_id": ("trade_id",),
    "instrument": ("instrument", "instrument_name"),
    "direction": ("direction",),
    "price": ("price_btc", "price_eth", "price_coin", "price"),
    "amount": ("amount",),
    "underlying_price": ("underlying_price", "index_price"),
}
OPTIONAL_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "iv_pct": ("iv_pct", "iv"),
    "block_id": ("block_trade_id",),
    "combo_id": ("combo_id",),
    "strike": ("strike",),
    "expiry": ("expiry",),
    "option_type": ("option_type",),
}

BLOCK_ID: Final = r"^([A-Z][A-Z0-9_]*-)*\d+$"
"""A number, after words with dashes as in BLOCK-192474; never a bare word or a decimal."""
COMBO_ID: Final = r"^[A-Z0-9]+(_[A-Z0-9]+)?-[A-Z0-9]+-\d{1,2}[A-Z]{3}\d{2}([_-].+)?$"
"""Coin, strategy and expiry, as in BTC-CS-14APR25-85000_86000."""


@dataclass(frozen=True, slots=True)
class OptionRows:
    """Option trades that have passed the door.

    Attributes
    ----------
    rows : polars.DataFrame
        The tape's columns and `row`.
    rejects : polars.DataFrame
    contracts : polars.DataFrame
        Terms of every contract that a symbol names, traded or refused.
    stamps : polars.Series
        Every stamp that was read, UTC nanoseconds.
    resolution_ns : int
    null_ids, identical_without_id : int
        Trades without an id, and those of them that repeat another one.
    notes : tuple of str
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame
    contracts: pl.DataFrame
    stamps: pl.Series
    resolution_ns: int
    null_ids: int
    identical_without_id: int
    notes: tuple[str, ...]

    @property
    def traded(self) -> pl.DataFrame:
        """Terms of the contracts that the rows name."""
        named = self.rows["contract"].unique()
        return self.contracts.filter(pl.col("contract").is_in(named.implode()))


def option_rows(raw: pl.DataFrame, *, resolution_ns: int | None, where: str) -> OptionRows:
    """Return a table of Deribit option trades as rows of a tape.

    Parameters
    ----------
    raw : polars.DataFrame
        One row a trade, sorted by time, with columns named as in `NAMES` and `OPTIONAL_NAMES`,
        and `row`.
    resolution_ns : int, optional
        The stamps' resolution; without it one minute or one second where all stamps are whole
        ones, else one millisecond. A trade is known at its stamp plus the resolution.
    where : str
        Name of the source, for messages.

    Raises
    ------
    DataError
        A column is missing or of another type, or the times are not sorted.
    """
    frame, notes = _worked(raw, where)
    check_sorted(frame, "_ts", where=where)
    contracts = named_contracts(frame["_instrument"])
    stamps = frame["_ts"].drop_nulls().to_physical()
    if resolution_ns is None:
        resolution_ns = _resolution_ns(stamps)
        notes.append(_resolution_note(resolution_ns))
    good, refused = split(_with_terms(frame, contracts), _faults())
    checked = validate(_as_tape(good, resolution_ns), TapeKind.OPTION_TRADES, where=where)
    anonymous = raw.filter(pl.col(ROW).is_in(_rows_without_id(checked.rows).implode())).drop(ROW)
    return OptionRows(
        rows=checked.rows,
        rejects=merge_rejects([refused, checked.rejects]),
        contracts=contracts,
        stamps=stamps,
        resolution_ns=resolution_ns,
        null_ids=frame["_trade_id"].null_count(),
        identical_without_id=anonymous.height - anonymous.unique().height,
        notes=tuple(notes),
    )


def _worked(raw: pl.DataFrame, where: str) -> tuple[pl.DataFrame, list[str]]:
    """Return the file's rows with workings beside them, each of the type it must have."""
    named = {name: first_of(raw, names, where=where) for name, names in NAMES.items()}
    optional = {name: optional_of(raw, names) for name, names in OPTIONAL_NAMES.items()}
    stamps = read_stamps(raw, named["ts"], timezone=None, where=where)
    workings = [
        stamps.series.alias("_ts"),
        _identifiers(raw[named["trade_id"]]).alias("_trade_id"),
        raw[named["instrument"]].cast(pl.String).alias("_instrument"),
        raw[named["direction"]].cast(pl.String).str.to_lowercase().alias("_direction"),
    ]
    workings += [
        numbers(raw, named[name], where=where).alias(f"_{name}")
        for name in ("price", "amount", "underlying_price")
    ]
    for name in ("iv_pct", "strike"):
        column = optional[name]
        empty = pl.Series([None] * raw.height, dtype=pl.Float64)
        values = empty if column is None else numbers(raw, column, where=where)
        workings.append(values.alias(f"_{name}"))
    for name in ("block_id", "combo_id", "option_type", "expiry"):
        column = optional[name]
        empty = pl.Series([None] * raw.height, dtype=pl.String)
        workings.append((empty if column is None else _identifiers(raw[column])).alias(f"_{name}"))
    return raw.with_columns(workings), list(stamps.notes)


def _identifiers(series: pl.Series) -> pl.Series:
    """Return identifiers as text; what is empty or NaN is missing, whole floats lose their .0."""
    if series.dtype.is_float():
        whole = series.fill_nan(None).cast(pl.Int64, strict=False)
        return (
            series.fill_nan(None).cast(pl.String)
            if (whole != series).any()
            else whole.cast(pl.String)
        )
    if isinstance(series.dtype, pl.Datetime):
        series = series.dt.date()
    text = series.cast(pl.String).str.strip_chars()
    return text.to_frame("id").select(
        pl.when(~pl.col("id").is_in(["", "null", "None", "nan"])).then("id")
    )["id"]


def named_contracts(symbols: pl.Series) -> pl.DataFrame:
    """Return the terms of every symbol that names an inverse option."""
    terms: list[OptionContract] = []
    for symbol in symbols.drop_nulls().unique().sort():
        try:
            terms.append(parse_deribit_option(symbol))
        except DataError:
            continue
    return contracts_table(terms)


def _resolution_ns(stamps: pl.Series) -> int:
    for resolution in RESOLUTIONS_NS:
        if (stamps % resolution == 0).all():
            return resolution
    return FINEST_RESOLUTION_NS


def _resolution_note(resolution_ns: int) -> str:
    known = f"{resolution_ns / SECOND_NS:g} s"
    return f"Stamps are taken as floored to {known}: each trade is known {known} after its stamp."


def _with_terms(frame: pl.DataFrame, contracts: pl.DataFrame) -> pl.DataFrame:
    terms = contracts.select(
        pl.col("contract").alias("_instrument"),
        pl.col("right").alias("_right"),
        pl.col("strike").alias("_terms_strike"),
        pl.col("expiry").alias("_terms_expiry"),
    )
    lots = pl.col("_amount") / DERIBIT_OPTION_LOT_COINS
    return frame.join(terms, on="_instrument", how="left", maintain_order="left").with_columns(
        lots.alias("_lots")
    )


def _faults() -> list[Fault]:
    fractional = (pl.col("_lots") - pl.col("_lots").round()).abs() > LOT_TOLERANCE
    right = pl.col("_option_type").str.to_uppercase().str.slice(0, 1)
    expiry = pl.col("_expiry").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return [
        Fault(Reason.MISSING_VALUE, "_ts", pl.col("_ts").is_null()),
        Fault(Reason.MALFORMED_ID, "_block_id", ~pl.col("_block_id").str.contains(BLOCK_ID)),
        Fault(Reason.MALFORMED_ID, "_combo_id", ~pl.col("_combo_id").str.contains(COMBO_ID)),
        Fault(Reason.UNKNOWN_CONTRACT, "_instrument", pl.col("_right").is_null()),
        Fault(
            Reason.SYMBOL_MISMATCH,
            "_strike",
            (pl.col("_strike") - pl.col("_terms_strike")).abs() > 1e-9 * pl.col("_terms_strike"),
        ),
        Fault(Reason.SYMBOL_MISMATCH, "_expiry", expiry != pl.col("_terms_expiry").dt.date()),
        Fault(Reason.SYMBOL_MISMATCH, "_option_type", right != pl.col("_right")),
        Fault(Reason.AFTER_EXPIRY, "_ts", pl.col("_ts") >= pl.col("_terms_expiry")),
        Fault(
            Reason.UNKNOWN_DIRECTION,
            "_direction",
            ~pl.col("_direction").is_in(["buy", "sell"]).fill_null(value=False),
        ),
        Fault(Reason.NAN_VALUE, "_amount", ~pl.col("_amount").is_finite().fill_null(value=False)),
        Fault(Reason.NON_POSITIVE_QUANTITY, "_amount", pl.col("_amount") <= 0),
        Fault(Reason.FRACTIONAL_LOT, "_amount", fractional),
    ]


def _as_tape(good: pl.DataFrame, resolution_ns: int) -> pl.DataFrame:
    tape = good.select(
        pl.col(ROW),
        pl.col("_ts").alias("ts"),
        (pl.col("_ts") + pl.duration(nanoseconds=resolution_ns)).alias("known_at"),
        pl.col("_instrument").alias("contract"),
        pl.col("_price").alias("price"),
        pl.col("_lots").round().cast(pl.Int64, strict=False).alias("lots"),
        pl.when(pl.col("_direction") == "buy")
        .then(1)
        .otherwise(-1)
        .cast(pl.Int8)
        .alias("aggressor"),
        quotient(pl.col("_iv_pct"), 100.0).alias("iv"),
        pl.col("_underlying_price").alias("underlying_price"),
        pl.lit(None, dtype=pl.Float64).alias("bid"),
        pl.lit(None, dtype=pl.Float64).alias("ask"),
        pl.col("_combo_id").alias("combo_id"),
        pl.col("_block_id").alias("block_id"),
        pl.lit(None, dtype=pl.String).alias("condition"),
        pl.col("_trade_id").alias("trade_id"),
    )
    return tape.select(ROW, *(column.name for column in COLUMNS[TapeKind.OPTION_TRADES]))


def _rows_without_id(rows: pl.DataFrame) -> pl.Series:
    return rows.filter(pl.col("trade_id").is_null())[ROW]
