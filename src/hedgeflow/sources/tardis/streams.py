"""Rows of Tardis files, batch by batch, as rows of one underlying's or one instrument's tapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from hedgeflow.market.tapes import TIME, TapeKind
from hedgeflow.market.validation import ROW, Fault, Reason, split
from hedgeflow.sources.contract_terms import contracts_table
from hedgeflow.sources.deribit.rows import LOT_TOLERANCE
from hedgeflow.sources.division import quotient
from hedgeflow.sources.tardis.files import DataType
from hedgeflow.sources.tardis.symbols import Listed, Unit

RESOLUTION_NS: Final = 1_000
"""Tardis's stamps are in microseconds."""

QUOTE_VALUES: Final = ("bid", "ask", "bid_size", "ask_size")
STAMPED: Final = (ROW, "_ts", "_known_at")


@dataclass(slots=True)
class Stream:
    """What files say of the options on one underlying, or of one instrument that hedges them.

    Attributes
    ----------
    venue, underlying, instrument : str
        As in the tapes' keys.
    listed : dict of str to Listed
        Its symbols.
    rows : dict
        Batches of rows by kind of tape: fields with ``_``, and `row`.
    rejects : dict
        Batches of rejects by kind.
    """

    venue: str
    underlying: str
    instrument: str
    listed: dict[str, Listed] = field(default_factory=dict["str", "Listed"])
    rows: dict[TapeKind, list[pl.DataFrame]] = field(
        default_factory=dict[TapeKind, "list[pl.DataFrame]"]
    )
    rejects: dict[TapeKind, list[pl.DataFrame]] = field(
        default_factory=dict[TapeKind, "list[pl.DataFrame]"]
    )
    _last: dict[TapeKind, pl.DataFrame] = field(default_factory=dict[TapeKind, "pl.DataFrame"])

    @property
    def of_options(self) -> bool:
        """Whether the symbols are options."""
        return any(each.contract is not None for each in self.listed.values())

    @property
    def contracts(self) -> pl.DataFrame:
        """Terms of the options, as a catalog keeps them."""
        return contracts_table(each.contract for each in self.listed.values() if each.contract)

    def add(self, batch: pl.DataFrame, data_type: DataType, *, with_quotes: bool = True) -> None:
        """Add the stream's rows of a batch, as `timed` returns it.

        Parameters
        ----------
        batch : polars.DataFrame
        data_type : DataType
        with_quotes : bool
            Whether an options chain gives quotes too.
        """
        if data_type is DataType.TRADES:
            self._add_trades(batch)
        elif data_type is DataType.QUOTES:
            self._add_quotes(batch)
        elif data_type is DataType.OPTIONS_CHAIN:
            self._add_chain(batch, with_quotes=with_quotes)
        else:
            self._add_ticker(batch)

    def _add_trades(self, batch: pl.DataFrame) -> None:
        side = pl.col("side").str.to_lowercase()
        is_side = side.is_in(["buy", "sell", "unknown"]).fill_null(value=False)
        taker = pl.when(side == "buy").then(1).when(side == "sell").then(-1).otherwise(0)
        common = (
            *STAMPED,
            pl.col("price").alias("_price"),
            taker.cast(pl.Int8).alias("_aggressor"),
            pl.when(pl.col("id") != "").then("id").alias("_trade_id"),
        )
        faults = [Fault(Reason.UNKNOWN_DIRECTION, "side", ~is_side)]
        if not self.of_options:
            good = self._sound(batch, TapeKind.HEDGE_TRADES, faults)
            size = self._coins(pl.col("amount"), pl.col("price")).alias("_size")
            self._keep(TapeKind.HEDGE_TRADES, good.select(*common, size))
            return
        with_terms = self._with_terms(batch)
        lots = pl.col("amount") / pl.col("_lot")
        faults += [
            AFTER_EXPIRY,
            Fault(Reason.FRACTIONAL_LOT, "amount", (lots - lots.round()).abs() > LOT_TOLERANCE),
        ]
        good = self._sound(with_terms, TapeKind.OPTION_TRADES, faults)
        self._keep(
            TapeKind.OPTION_TRADES,
            good.select(
                *common,
                pl.col("symbol").alias("_contract"),
                lots.round().cast(pl.Int64, strict=False).alias("_lots"),
                "_expiry",
            ),
        )

    def _add_quotes(self, batch: pl.DataFrame) -> None:
        if self.of_options:
            good = self._sound(self._with_terms(batch), TapeKind.OPTION_QUOTES, [AFTER_EXPIRY])
            self._keep(TapeKind.OPTION_QUOTES, _option_quotes(good))
            return
        quotes = batch.select(
            *STAMPED, pl.col("bid_price").alias("_bid"), pl.col("ask_price").alias("_ask")
        )
        self._keep(TapeKind.HEDGE_QUOTES, quotes)

    def _add_chain(self, batch: pl.DataFrame, *, with_quotes: bool) -> None:
        with_terms = self._with_terms(batch)
        good = self._sound(with_terms, TapeKind.OPEN_INTEREST, CHAIN_FAULTS)
        interest = good.filter(pl.col("open_interest").is_not_null()).select(
            *STAMPED,
            pl.col("symbol").alias("_contract"),
            pl.col("open_interest").alias("_open_interest"),
        )
        self._keep_changes(TapeKind.OPEN_INTEREST, interest, ("_open_interest",))
        if with_quotes:
            names = tuple(f"_{name}" for name in QUOTE_VALUES)
            self._keep_changes(TapeKind.OPTION_QUOTES, _option_quotes(good), names)

    def _add_ticker(self, batch: pl.DataFrame) -> None:
        interest = batch.filter(pl.col("open_interest").is_not_null()).select(
            *STAMPED,
            pl.lit(self.instrument).alias("_contract"),
            pl.col("open_interest").alias("_native"),
            pl.coalesce("mark_price", "last_price", "index_price").alias("_price"),
        )
        self._keep_changes(TapeKind.OPEN_INTEREST, interest, ("_native",))
        paid = (pl.col("funding_timestamp") * 1_000).cast(TIME)
        stated = batch.with_columns(paid.alias("_paid_at")).filter(
            pl.col("funding_rate").is_not_null() & (pl.col("_ts") < pl.col("_paid_at"))
        )
        last = stated.unique("_paid_at", keep="last", maintain_order=True)
        self._keep(
            TapeKind.FUNDING,
            last.select(*STAMPED, "_paid_at", pl.col("funding_rate").alias("_rate")),
        )

    def in_coins(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return open interest of a perpetual as `_open_interest`, in underlying units."""
        coins = self._coins(pl.col("_native"), pl.col("_price"))
        return frame.with_columns(coins.alias("_open_interest"))

    def _coins(self, amount: pl.Expr, price: pl.Expr) -> pl.Expr:
        """Return amounts of the instrument in underlying units."""
        size = next(iter(self.listed.values())).size
        worth = amount * size.number
        return quotient(worth, price) if size.unit is Unit.QUOTE else worth

    def _with_terms(self, batch: pl.DataFrame) -> pl.DataFrame:
        terms = self.contracts.select(
            pl.col("contract").alias("symbol"),
            pl.col("lot").alias("_lot"),
            pl.col("strike").alias("_strike"),
            pl.col("expiry").alias("_expiry"),
            pl.col("right").alias("_right"),
        )
        return batch.join(terms, on="symbol", how="left", maintain_order="left")

    def _sound(self, batch: pl.DataFrame, kind: TapeKind, faults: list[Fault]) -> pl.DataFrame:
        good, rejects = split(batch, faults)
        if rejects.height:
            self.rejects.setdefault(kind, []).append(rejects)
        return good

    def _keep(self, kind: TapeKind, rows: pl.DataFrame) -> None:
        self.rows.setdefault(kind, []).append(rows)

    def _keep_changes(self, kind: TapeKind, rows: pl.DataFrame, names: tuple[str, ...]) -> None:
        """Keep the rows in which a contract's values differ from its row before."""
        before = self._last.get(kind, rows.clear())
        both = pl.concat([before.with_columns(_new=False), rows.with_columns(_new=True)])
        is_first = pl.int_range(pl.len()).over("_contract") == 0
        differs = pl.any_horizontal(
            pl.col(name).ne_missing(pl.col(name).shift(1).over("_contract")) for name in names
        )
        self._keep(kind, both.filter(pl.col("_new") & (is_first | differs)).drop("_new"))
        last = both.drop("_new").unique("_contract", keep="last", maintain_order=True)
        self._last[kind] = last


AFTER_EXPIRY: Final = Fault(Reason.AFTER_EXPIRY, "timestamp", pl.col("_ts") >= pl.col("_expiry"))
CHAIN_FAULTS: Final = [
    Fault(
        Reason.SYMBOL_MISMATCH,
        "strike_price",
        (pl.col("strike_price") - pl.col("_strike")).abs() > 1e-9 * pl.col("_strike"),
    ),
    Fault(
        Reason.SYMBOL_MISMATCH,
        "expiration",
        (pl.col("expiration") * 1_000).cast(TIME) != pl.col("_expiry"),
    ),
    Fault(
        Reason.SYMBOL_MISMATCH,
        "type",
        pl.col("type").str.to_uppercase().str.slice(0, 1) != pl.col("_right"),
    ),
    AFTER_EXPIRY,
]
"""An options chain states each contract's terms, which must be those that its symbol names."""


def timed(batch: pl.DataFrame) -> pl.DataFrame:
    """Return rows with `_ts`, the exchange's stamp, and `_known_at`, when Tardis received them.

    Where Tardis's clock says that a row arrived before it was sent, it is known one resolution
    after its stamp.
    """
    stamp, arrival = pl.col("timestamp") * 1_000, pl.col("local_timestamp") * 1_000
    return batch.with_columns(
        stamp.cast(TIME).alias("_ts"),
        pl.max_horizontal(arrival, stamp + RESOLUTION_NS).cast(TIME).alias("_known_at"),
    )


def forwards(chain: pl.DataFrame, stream: Stream) -> pl.DataFrame:
    """Return what a stream's rows of an options chain say of underlying prices, second by second.

    An expiry's options all carry the price of its forward, whichever of them spoke last.

    Returns
    -------
    polars.DataFrame
        `expiry`, `known_at`, `price`.
    """
    terms = stream.contracts.select(pl.col("contract").alias("symbol"), "expiry")
    known = chain.join(terms, on="symbol").filter(pl.col("underlying_price") > 0)
    return (
        known.sort("_known_at", maintain_order=True)
        .group_by("expiry", pl.col("_known_at").dt.truncate("1s").alias("_second"))
        .agg(
            pl.col("_known_at").last().alias("known_at"),
            pl.col("underlying_price").last().alias("price"),
        )
        .drop("_second")
    )


def _option_quotes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return quotes; a price of zero is none, since nobody bids or offers at it."""
    sides = [
        pl.when(pl.col(f"{side}_price") != 0).then(f"{side}_{of}").alias(f"_{side}{suffix}")
        for of, suffix in (("price", ""), ("amount", "_size"))
        for side in ("bid", "ask")
    ]
    return frame.select(*STAMPED, pl.col("symbol").alias("_contract"), *sides)
