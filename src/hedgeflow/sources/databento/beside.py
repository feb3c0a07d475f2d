"""What stands beside an option's print but in no record of it: underlying price and quote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS, SECOND_NS
from hedgeflow.market.validation import ROW
from hedgeflow.sources.catalog_prices import LEAST_MAX_AGE_NS, until_stale
from hedgeflow.sources.prevailing import with_quotes, with_underlying_price

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.tapes import TapeKey

FUTURE: Final = "future"
"""Column with the future that an option is on; null for options on stocks and indices."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Where prices of the underlying and quotes of the options are looked up.

    Attributes
    ----------
    catalogs : tuple of Catalog
        The first that has a tape gives it.
    underlying_from : str or None
        Instrument, or venue:instrument, whose prices are taken, even if it is on something else.
    where : str
        File name, for messages.
    """

    catalogs: tuple[Catalog, ...]
    underlying_from: str | None
    where: str

    def with_prices(self, prints: pl.DataFrame, underlying: str) -> tuple[pl.DataFrame, list[str]]:
        """Return prints with `underlying_price`, and notes on where the prices came from.

        Look-ahead: prices known when the print was; null where the last one has become too old, as
        `until_stale` has it, and before the first.

        Parameters
        ----------
        prints : polars.DataFrame
            With `row`, `known_at` and `future`.
        underlying : str

        Raises
        ------
        DataError
            No catalog has trades or bars of the underlying, or several and none was named.
        """
        notes: list[str] = []
        parts: list[pl.DataFrame] = []
        for (future,), part in prints.group_by(FUTURE, maintain_order=True):
            named = None if future is None else str(future)
            catalog, key = self._price_tape(part, underlying, named)
            parts.append(_priced(part, catalog, key))
            seconds = key.resolution_ns / SECOND_NS
            is_bars = key.kind is TapeKind.BARS
            kind = f"closes of the {seconds:g} s bars" if is_bars else "trades"
            notes.append(f"Underlying prices are {kind} of {key.instrument} on {key.venue}.")
            if key.underlying != underlying:
                notes.append(f"That is not {underlying} itself, but was asked for.")
        if not parts:
            return prints.with_columns(pl.lit(None, dtype=pl.Float64).alias("underlying_price")), []
        return pl.concat(parts).sort(ROW), notes

    def with_quotes(
        self, prints: pl.DataFrame, venue: str, underlying: str
    ) -> tuple[pl.DataFrame, list[str]]:
        """Return prints with `bid` and `ask` from quotes that a catalog holds, and a note.

        Look-ahead: quotes known before the print; none where no quotes were recorded.
        """
        found = self._quote_tape(prints, venue, underlying)
        if found is None or prints.is_empty():
            note = (
                "No quotes stand beside these trades: import quotes first (schema cbbo-1s), or the"
                " schema tcbbo or tbbo instead, or the tick rule signs what has no aggressor."
            )
            empty = pl.lit(None, dtype=pl.Float64)
            return prints.with_columns(empty.alias("bid"), empty.alias("ask")), [note]
        catalog, key = found
        first, last = _span(prints, "ts")
        quotes = catalog.read(key, first - DAY_NS, last + 1)
        quoted = with_quotes(prints, quotes)
        covered = catalog.coverage(key).includes(prints["ts"].to_physical().to_numpy())
        known = pl.Series(covered)
        quoted = quoted.with_columns(
            pl.when(known).then(name).alias(name) for name in ("bid", "ask")
        )
        unquoted = quoted["bid"].is_null() | quoted["ask"].is_null()
        sampled = f", sampled every {key.resolution_ns / SECOND_NS:g} s"
        note = (
            "Quotes are the last that the catalog knew before each trade"
            f"{sampled if key.resolution_ns >= SECOND_NS else ''}; {int(unquoted.sum()):,} trades"
            " had none, or one side only."
        )
        return quoted, [note]

    def _tapes(self) -> list[tuple[Catalog, TapeKey]]:
        found: list[tuple[Catalog, TapeKey]] = []
        for catalog in self.catalogs:
            keys = catalog.keys()
            found += [(catalog, key) for key in keys]
        return found

    def _price_tape(
        self, prints: pl.DataFrame, underlying: str, future: str | None
    ) -> tuple[Catalog, TapeKey]:
        """Return the trades, else the finest bars, of the instrument that gives the price."""
        venue, _, named = (self.underlying_from or "").rpartition(":")
        wanted = named or future
        found = [
            (catalog, key)
            for catalog, key in self._tapes()
            if key.kind in {TapeKind.HEDGE_TRADES, TapeKind.BARS}
            and (named or key.underlying == underlying)
            and wanted in {None, key.instrument}
            and venue in {"", key.venue}
        ]
        there = sorted({f"{key.venue}:{key.instrument}" for _, key in found})
        if len(there) > 1:
            raise DataError(
                f"prices of {underlying} could come from {', '.join(there)}",
                where=self.where,
                hint=f"Choose one, as in --underlying-from {there[0]}",
            )
        if not found:
            what = self.underlying_from or future or underlying
            raise DataError(
                f"an option trade needs the price of its underlying, and the catalog holds neither"
                f" trades nor bars of {what}",
                where=self.where,
                hint=f"Import those of {what} first: schema trades or ohlcv-1s, or `hedgeflow data"
                " import bars`",
            )
        return _finest(found, prints)

    def _quote_tape(
        self, prints: pl.DataFrame, venue: str, underlying: str
    ) -> tuple[Catalog, TapeKey] | None:
        found = [
            (catalog, key)
            for catalog, key in self._tapes()
            if (key.kind, key.venue, key.underlying) == (TapeKind.OPTION_QUOTES, venue, underlying)
        ]
        return _finest(found, prints) if found else None


def _finest(found: list[tuple[Catalog, TapeKey]], prints: pl.DataFrame) -> tuple[Catalog, TapeKey]:
    """Return the tape of the finest resolution among those recorded while any of the prints was."""
    stamps = prints["ts"].to_physical().to_numpy()
    then = [
        (catalog, key) for catalog, key in found if catalog.coverage(key).includes(stamps).any()
    ]
    return min(
        then or found, key=lambda pair: (pair[1].kind is TapeKind.BARS, pair[1].resolution_ns)
    )


def _span(prints: pl.DataFrame, column: str) -> tuple[int, int]:
    stamps = prints[column].to_physical().to_numpy()
    return int(stamps.min()), int(stamps.max())


def _priced(prints: pl.DataFrame, catalog: Catalog, key: TapeKey) -> pl.DataFrame:
    max_age_ns = max(2 * key.resolution_ns, LEAST_MAX_AGE_NS)
    first, last = _span(prints, "known_at")
    rows = catalog.read(key, first - max_age_ns - key.resolution_ns, last + 1)
    price = "close" if key.kind is TapeKind.BARS else "price"
    prices = rows.select("known_at", price=price).sort("known_at", maintain_order=True)
    priced = with_underlying_price(prints, until_stale(prices, max_age_ns))
    return priced.with_columns(pl.col("underlying_price").fill_nan(None))
