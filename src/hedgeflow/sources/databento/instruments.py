"""Which instrument each record is of: an option, something to hedge in, or nothing we keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import (
    HedgeInstrument,
    HedgeKind,
    OptionContract,
    hedge_instrument,
    parse_osi_option,
)
from hedgeflow.market.errors import DataError
from hedgeflow.sources.databento.definitions import (
    CME,
    CME_OPTION,
    OPRA,
    VENUES,
    Terms,
    future_of,
    symbols_by_number,
    terms_of,
    venue_of,
)
from hedgeflow.sources.databento.records import AT, POSITION

if TYPE_CHECKING:
    from hedgeflow.sources.databento.decoding import DbnHeader

KIND: Final = "kind"
UNDERLYING: Final = "underlying"
SYMBOL: Final = "symbol"


class Kind(StrEnum):
    """What a symbol names."""

    OPTION = "option"
    HEDGE = "hedge"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Listed:
    """The instruments of one file; a symbol that stands in none of them is not known.

    Attributes
    ----------
    contracts : dict of str to OptionContract
        Options by symbol.
    futures : dict of str to str
        By symbol of an option, the future that it is on; none for stocks and indices.
    hedges : dict of str to HedgeInstrument
        Futures and stocks by symbol.
    others : set of str
        Spreads, and whatever else hedgeflow has no use for.
    """

    contracts: dict[str, OptionContract] = field(default_factory=dict[str, OptionContract])
    futures: dict[str, str] = field(default_factory=dict[str, str])
    hedges: dict[str, HedgeInstrument] = field(default_factory=dict[str, HedgeInstrument])
    others: set[str] = field(default_factory=set[str])

    def kinds(self) -> pl.DataFrame:
        """Return `symbol`, `kind`, `underlying` of every instrument."""
        rows: list[tuple[str, str, str | None]] = [
            *((name, Kind.OPTION, each.underlying) for name, each in self.contracts.items()),
            *((name, Kind.HEDGE, each.underlying) for name, each in self.hedges.items()),
            *((name, Kind.OTHER, None) for name in sorted(self.others)),
        ]
        schema = {SYMBOL: pl.String, KIND: pl.String, UNDERLYING: pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


@dataclass(frozen=True, slots=True)
class Directory:
    """What the definitions at hand say, by dataset; made of definition files.

    Attributes
    ----------
    tables : dict of str to DataFrame
        As `definitions_table` returns them.
    """

    tables: dict[str, pl.DataFrame]

    def terms(self, dataset: str) -> dict[str, Terms]:
        """Return the terms of a dataset's options."""
        table = self.tables.get(dataset)
        return {} if table is None else terms_of(table, dataset)

    def named(self, frame: pl.DataFrame, dataset: str) -> pl.DataFrame:
        """Return records whose `symbol` is null with the symbol that their number was defined as.

        Numbers are given out anew, so a definition holds for its UTC day only.

        Look-ahead: definitions received up to the record.
        """
        table = self.tables.get(dataset)
        if table is None or not frame[SYMBOL].has_nulls():
            return frame
        day = pl.col(AT).dt.date().alias("_day")
        found = (
            frame.sort(AT, maintain_order=True)
            .with_columns(day)
            .join_asof(
                symbols_by_number(table).with_columns(day),
                on=AT,
                by=["instrument_id", "_day"],
                strategy="backward",
                check_sortedness=False,
            )
        )
        symbol = pl.coalesce(SYMBOL, "defined").alias(SYMBOL)
        return found.with_columns(symbol).drop("defined", "_day").sort(POSITION)


def with_instruments(
    frame: pl.DataFrame, header: DbnHeader, directory: Directory
) -> tuple[pl.DataFrame, Listed]:
    """Return records with `kind` and `underlying`, null where their instrument is not known.

    Raises
    ------
    DataError
        There are options whose terms only a definition can tell, and none was given.
    """
    frame = directory.named(frame, header.dataset)
    symbols: list[str] = frame[SYMBOL].drop_nulls().unique().sort().to_list()
    listed = _listed(symbols, header, directory)
    return frame.join(listed.kinds(), on=SYMBOL, how="left", maintain_order="left"), listed


def _listed(symbols: list[str], header: DbnHeader, directory: Directory) -> Listed:
    venue = venue_of(header.dataset, where=header.where)
    if header.dataset == OPRA:
        found = [(symbol, _us_option(symbol)) for symbol in symbols]
        return Listed(contracts={name: each for name, each in found if each is not None})
    if header.dataset == CME:
        return _listed_at_cme(symbols, header, directory)
    stocks = {name: hedge_instrument(name, venue, HedgeKind.STOCK) for name in symbols}
    return Listed(hedges=stocks)


def _listed_at_cme(symbols: list[str], header: DbnHeader, directory: Directory) -> Listed:
    options = [symbol for symbol in symbols if CME_OPTION.fullmatch(symbol)]
    terms = directory.terms(CME) if options else {}
    if options and not terms:
        raise DataError(
            f"the terms of {len(options)} options, such as {options[0]}, are not known",
            where=header.where,
            hint="Give a definition file of the same symbols and days with --definitions",
        )
    listed = Listed()
    for symbol in options:
        known = terms.get(symbol)
        if known is not None and known.contract is not None and known.future is not None:
            listed.contracts[symbol] = known.contract
            listed.futures[symbol] = known.future
        elif known is not None and known.reason is None:
            listed.others.add(symbol)
    for symbol in set(symbols) - set(options):
        future = future_of(symbol)
        if future is None:
            listed.others.add(symbol)
        else:
            listed.hedges[symbol] = future
    return listed


def _us_option(symbol: str) -> OptionContract | None:
    try:
        return parse_osi_option(symbol, VENUES[OPRA])
    except DataError:
        return None
