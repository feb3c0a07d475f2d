"""Definitions of instruments: the terms of options, and what else a number may stand for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from hedgeflow.market.contracts import (
    HedgeInstrument,
    HedgeKind,
    OptionContract,
    Right,
    Settlement,
    Style,
    hedge_instrument,
    parse_osi_option,
)
from hedgeflow.market.errors import DataError
from hedgeflow.market.time import instant_ns
from hedgeflow.market.validation import Reason
from hedgeflow.sources.databento.records import AT, POSITION, table_of

if TYPE_CHECKING:
    from hedgeflow.sources.databento.decoding import DbnFile

OPRA: Final = "OPRA.PILLAR"
CME: Final = "GLBX.MDP3"
VENUES: Final = {OPRA: "opra", CME: "cme"}
STOCK_VENUES: Final = frozenset(
    {
        *("arcx", "bats", "baty", "dbeq", "edga", "edgx", "eprl", "equs", "iexg", "memx"),
        *("xase", "xbos", "xchi", "xcis", "xnas", "xnys", "xpsx"),
    }
)
"""What the datasets of US stocks begin with, in small letters."""

DELETED: Final = ord("D")
OPTION_CLASSES: Final = (ord("C"), ord("P"))
CLASS_NAMES: Final = {
    "B": "bond",
    "C": "call",
    "F": "future",
    "K": "stock",
    "M": "mixed spread",
    "P": "put",
    "S": "future spread",
    "T": "option spread",
    "X": "currency",
    "Y": "commodity",
}
CME_OPTION: Final = re.compile(r"\S+ (?P<right>[CP])(?P<strike>[0-9]+(\.[0-9]+)?)")
"""A CME option's symbol, as in ESZ4 C4100; the strike may be written without its point."""
RELATIVE_TOLERANCE: Final = 1e-9

FIELDS: Final = (
    "raw_symbol",
    "instrument_class",
    "strike_price",
    "expiration",
    "activation",
    "unit_of_measure_qty",
    "underlying",
    "cfi",
    "security_update_action",
)
TERMS: Final = tuple(name for name in FIELDS if name != "security_update_action")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a definition says of an option, or why that cannot be used.

    Attributes
    ----------
    contract : OptionContract or None
        None too for options on something that hedgeflow cannot hedge in.
    future : str or None
        Symbol of the future that the option is on; None for stocks and indices.
    reason : Reason or None
        Why the definition is refused.
    column : str
        The field at fault.
    """

    contract: OptionContract | None
    future: str | None = None
    reason: Reason | None = None
    column: str = "raw_symbol"


def venue_of(dataset: str, *, where: str) -> str:
    """Return the venue under which a dataset's tapes are kept.

    Raises
    ------
    DataError
        What the dataset's symbols mean is not known.
    """
    venue = VENUES.get(dataset) or dataset.partition(".")[0].lower()
    if venue in STOCK_VENUES or dataset in VENUES:
        return venue
    raise DataError(
        f"dataset {dataset} is not known",
        where=where,
        hint=f"Taken are {OPRA}, {CME} and datasets of US stocks such as XNAS.ITCH or EQUS.MINI",
    )


def definitions_table(file: DbnFile) -> pl.DataFrame:
    """Return a definition file as a table: `record`, `at`, `instrument_id` and `FIELDS`.

    Raises
    ------
    DataError
        The file has another schema.
    """
    if file.header.schema != "definition":
        raise DataError(
            f"this is a file of schema {file.header.schema}, expected definition",
            where=file.header.where,
            hint="Ask Databento for schema definition of the same symbols and days",
        )
    return table_of(file, FIELDS).drop("symbol")


def terms_of(definitions: pl.DataFrame, dataset: str) -> dict[str, Terms]:
    """Return the terms of every option that is defined, by its symbol.

    A symbol that is defined twice has the terms of its last definition; a withdrawal is none.
    """
    options = definitions.filter(
        pl.col("instrument_class").is_in(OPTION_CLASSES),
        pl.col("security_update_action") != DELETED,
    )
    latest = options.unique("raw_symbol", keep="last", maintain_order=True).select(TERMS)
    read = _us_option if dataset == OPRA else _cme_option
    return {row["raw_symbol"]: read(row) for row in latest.iter_rows(named=True)}


def other_classes(definitions: pl.DataFrame) -> dict[str, int]:
    """Return how many instruments of each class other than options are defined, by its name."""
    others = definitions.filter(~pl.col("instrument_class").is_in(OPTION_CLASSES))
    counts = others.unique("raw_symbol")["instrument_class"].value_counts().iter_rows()
    return {CLASS_NAMES.get(chr(code), f"class {chr(code)}"): count for code, count in counts}


def future_of(symbol: str) -> HedgeInstrument | None:
    """Return the CME future that a symbol names; None for spreads and roots that are not known."""
    try:
        found = hedge_instrument(symbol, VENUES[CME])
    except DataError:
        return None
    return found if found.kind is HedgeKind.FUTURE else None


def symbols_by_number(definitions: pl.DataFrame) -> pl.DataFrame:
    """Return `at`, `instrument_id`, `defined`: from when on a number stands for a symbol."""
    named = definitions.drop_nulls(AT).sort(AT, POSITION)
    return named.select(AT, "instrument_id", pl.col("raw_symbol").alias("defined"))


def _us_option(row: dict[str, Any]) -> Terms:
    """Read the symbol; what the definition says besides must agree with it."""
    symbol: str = row["raw_symbol"]
    try:
        contract = parse_osi_option(symbol, VENUES[OPRA])
    except DataError:
        return Terms(None, reason=Reason.UNKNOWN_CONTRACT)
    if chr(row["instrument_class"]) != contract.right.value:
        return Terms(None, reason=Reason.SYMBOL_MISMATCH, column="instrument_class")
    strike, expiration = row["strike_price"], row["expiration"]
    if strike is not None and not math.isclose(strike, contract.strike, rel_tol=RELATIVE_TOLERANCE):
        return Terms(None, reason=Reason.SYMBOL_MISMATCH, column="strike_price")
    if expiration is not None and f"{expiration:%y%m%d}" != symbol[-15:-9]:
        return Terms(None, reason=Reason.SYMBOL_MISMATCH, column="expiration")
    return Terms(contract)


def _cme_option(row: dict[str, Any]) -> Terms:
    """Read the definition; the symbol must agree with it, but for the place of its point."""
    symbol: str = row["raw_symbol"]
    named = CME_OPTION.fullmatch(symbol)
    if named is None:
        return Terms(None, reason=Reason.UNKNOWN_CONTRACT)
    for name in ("strike_price", "expiration", "unit_of_measure_qty"):
        if row[name] is None:
            return Terms(None, reason=Reason.MISSING_VALUE, column=name)
    right = Right(chr(row["instrument_class"]))
    if named["right"] != right.value:
        return Terms(None, reason=Reason.SYMBOL_MISMATCH, column="instrument_class")
    strike: float = row["strike_price"]
    if strike <= 0 or not _same_digits(float(named["strike"]), strike):
        return Terms(None, reason=Reason.SYMBOL_MISMATCH, column="strike_price")
    future = future_of(row["underlying"])
    if future is None:
        return Terms(None)
    style, delivery = row["cfi"][2:3], row["cfi"][4:5]
    contract = OptionContract(
        symbol=symbol,
        venue=VENUES[CME],
        underlying=future.underlying,
        right=right,
        strike=strike,
        expiry_ns=instant_ns(row["expiration"]),
        multiplier=row["unit_of_measure_qty"],
        lot=1.0,
        style=Style.EUROPEAN if style == "E" else Style.AMERICAN,
        settlement=Settlement.CASH if delivery == "C" else Settlement.PHYSICAL,
        inverse=False,
        listed_ns=None if row["activation"] is None else instant_ns(row["activation"]),
    )
    return Terms(contract, future.symbol)


def _same_digits(written: float, strike: float) -> bool:
    """Say whether two numbers are the same but for a power of ten."""
    if written <= 0:
        return False
    power = math.log10(written / strike)
    return abs(power - round(power)) < RELATIVE_TOLERANCE
