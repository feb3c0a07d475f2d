"""The option contracts of a table: named by their symbols, or spelled out in columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from hedgeflow.market.contracts import (
    OptionContract,
    Right,
    Settlement,
    Style,
    parse_deribit_option,
    parse_osi_option,
)
from hedgeflow.market.errors import DataError
from hedgeflow.market.validation import ROW, Fault, Reason
from hedgeflow.sources.contract_terms import contracts_table
from hedgeflow.sources.stamps import read_stamps
from hedgeflow.sources.tables.fields import CONTRACT_FIELDS, TERMS

if TYPE_CHECKING:
    from hedgeflow.sources.tables.columns import Constant, RowMap

RIGHTS: Final = {
    name: right
    for right, names in ((Right.CALL, ("c", "call", "ce")), (Right.PUT, ("p", "put", "pe")))
    for name in names
}
NEEDED_TERMS: Final = ("strike", "expiry", "right", "multiplier")
DATE_LENGTH: Final = len("YYYY-MM-DD")


@dataclass(frozen=True, slots=True)
class Contracts:
    """The contracts that a table names.

    Attributes
    ----------
    rows : polars.DataFrame
        The table with `_symbol`, `_expires` and `_lot_size`; null where the row names none.
    terms : polars.DataFrame
        Their terms, as a catalog keeps them.
    faults : list of Fault
        A row names no contract, or lies after its contract's expiry.
    notes : list of str
    """

    rows: pl.DataFrame
    terms: pl.DataFrame
    faults: list[Fault]
    notes: list[str]


def names_contracts(given: RowMap) -> bool:
    """Say whether a map names option contracts."""
    return bool(given.fields & set(CONTRACT_FIELDS))


def read_contracts(
    rows: pl.DataFrame,
    given: RowMap,
    *,
    venue: str,
    underlying: str,
    timezone: str | None,
    where: str,
) -> Contracts:
    """Return the contracts that the rows of a table name.

    A `contract` alone is a Deribit or an OSI symbol, which says everything. With strike, expiry,
    right and multiplier the contract is spelled out, and `contract` is only its name.

    Parameters
    ----------
    rows : polars.DataFrame
        As `read_fields` makes it.
    given : RowMap
    venue, underlying : str
    timezone : str, optional
        Of expiries that state none.
    where : str
        File name, for messages.

    Raises
    ------
    DataError
        The terms are incomplete, an expiry states no time of day, or no row names a contract on
        the underlying.
    """
    spelled = {*TERMS} & given.fields
    if spelled:
        found = _spelled_out(rows, given, venue, underlying, timezone, where)
    elif "contract" in given.fields:
        found = _from_symbols(rows, venue, underlying, where)
    else:
        raise DataError(
            "the contracts are not named",
            where=where,
            hint=f"Name a column of Deribit or OSI symbols with contract=COLUMN, or give"
            f" {', '.join(NEEDED_TERMS)}",
        )
    if found.terms.is_empty():
        expected = (
            "positive strikes and multipliers, expiries, and rights such as C, put or PE"
            if spelled
            else "symbols such as BTC-18APR25-76000-P or AAPL  140606C00645000"
        )
        raise DataError(
            "no row names an option contract", where=where, hint=f"Expected are {expected}"
        )
    return found


def _from_symbols(rows: pl.DataFrame, venue: str, underlying: str, where: str) -> Contracts:
    named: dict[str, OptionContract] = {}
    for symbol in rows["_contract"].drop_nulls().unique().sort():
        try:
            parsed = (
                parse_deribit_option(symbol) if "-" in symbol else parse_osi_option(symbol, venue)
            )
        except DataError:
            continue
        named[symbol] = replace(parsed, venue=venue)
    others = sorted({each.underlying for each in named.values()} - {underlying})
    if others:
        raise DataError(
            f"the file holds options on {', '.join(others)}, not only on {underlying}",
            where=where,
            hint="Choose rows with --where, or name the other underlying",
        )
    table = pl.DataFrame(
        {"_contract": list(named), "_symbol": [each.symbol for each in named.values()]},
        schema={"_contract": pl.String, "_symbol": pl.String},
    )
    terms = contracts_table({each.symbol: each for each in named.values()}.values())
    joined = rows.join(table, on="_contract", how="left", maintain_order="left")
    return _with_faults(joined, terms, "_contract", [])


def _spelled_out(
    rows: pl.DataFrame,
    given: RowMap,
    venue: str,
    underlying: str,
    timezone: str | None,
    where: str,
) -> Contracts:
    missing = [name for name in NEEDED_TERMS if name not in given.fields]
    if missing:
        raise DataError(
            f"the contracts' {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            where=where,
            hint="Name columns, or write constants as in multiplier:=100",
        )
    expires, notes = _expiries(rows, given, timezone, where)
    name = pl.col("_contract") if "contract" in given.fields else pl.lit(None, dtype=pl.String)
    lot = pl.col("_lot") if "lot" in given.fields else pl.lit(1.0)
    worked = rows.with_columns(
        expires.alias("_expires"),
        pl.col("_right")
        .str.to_lowercase()
        .replace_strict({text: right.value for text, right in RIGHTS.items()}, default=None)
        .alias("_right_code"),
        name.alias("_name"),
        lot.alias("_lot"),
    )
    keys = ["_name", "_strike", "_expires", "_right_code", "_multiplier", "_lot"]
    sound = (
        (pl.col("_strike") > 0)
        & pl.col("_strike").is_finite()
        & pl.col("_expires").is_not_null()
        & pl.col("_right_code").is_not_null()
        & (pl.col("_multiplier") > 0)
        & (pl.col("_lot") > 0)
    )
    unique = worked.filter(sound).select(keys).unique(maintain_order=True)
    spoken, said = _spoken_terms(given, where)
    contracts = [
        OptionContract(
            symbol=row["_name"] or _name(underlying, row),
            venue=venue,
            underlying=underlying,
            right=Right(row["_right_code"]),
            strike=row["_strike"],
            expiry_ns=expiry_ns,
            multiplier=row["_multiplier"],
            lot=row["_lot"],
            style=spoken.style,
            settlement=spoken.settlement,
            inverse=spoken.inverse,
        )
        for row, expiry_ns in zip(
            unique.iter_rows(named=True), unique["_expires"].dt.epoch("ns"), strict=True
        )
    ]
    table = unique.with_columns(
        pl.Series("_symbol", [each.symbol for each in contracts], dtype=pl.String)
    )
    joined = worked.join(table, on=keys, how="left", maintain_order="left", nulls_equal=True)
    return _with_faults(
        joined.drop("_expires"), contracts_table(contracts), "_strike", [*notes, *said]
    )


def _with_faults(
    rows: pl.DataFrame, terms: pl.DataFrame, shown: str, notes: list[str]
) -> Contracts:
    known = terms.select(
        pl.col("contract").alias("_symbol"),
        pl.col("expiry").alias("_expires"),
        pl.col("lot").alias("_lot_size"),
    ).unique("_symbol", keep="first")
    joined = rows.join(known, on="_symbol", how="left", maintain_order="left")
    faults = [
        Fault(Reason.UNKNOWN_CONTRACT, shown, pl.col("_symbol").is_null()),
        Fault(Reason.AFTER_EXPIRY, "_ts", pl.col("_ts") >= pl.col("_expires")),
    ]
    return Contracts(joined, terms, faults, notes)


def _expiries(
    rows: pl.DataFrame, given: RowMap, timezone: str | None, where: str
) -> tuple[pl.Series, list[str]]:
    """Return the expiration instants, UTC: a date and `expiry_time`, or a whole time."""
    column = rows["_expiry"]
    only_dates = column.dtype == pl.Date or (
        column.dtype == pl.String
        and bool((column.str.strip_chars().str.len_chars() <= DATE_LENGTH).all())
    )
    if "expiry_time" not in given.fields:
        if only_dates:
            raise DataError(
                "the expiry is a date without a time of day",
                where=where,
                hint="Say when it expires with expiry_time:=HH:MM, in the zone of --timezone",
            )
        found = read_stamps(
            rows.rename({"_expiry": "expiry"}), "expiry", timezone=timezone, where=where
        )
        return found.series, list(found.notes)
    if not only_dates:
        raise DataError(
            "the expiry has a time of day already", where=where, hint="Leave expiry_time out"
        )
    at = _time_of_day(given.constants.get("expiry_time"), where)
    days = (
        column
        if column.dtype == pl.Date
        else column.str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
    )
    moments = rows.select(ROW, days.dt.combine(at).alias("expiry"))
    found = read_stamps(moments, "expiry", timezone=timezone, where=where)
    return found.series, [f"Options expire at {at:%H:%M} of their date, {timezone or 'UTC'}."]


def _time_of_day(value: Constant | None, where: str) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError as cause:
        raise DataError(
            f"'{value}' is no time of day", where=where, hint="Write expiry_time:=HH:MM"
        ) from cause


@dataclass(frozen=True, slots=True)
class _Spoken:
    style: Style
    settlement: Settlement
    inverse: bool


def _spoken_terms(given: RowMap, where: str) -> tuple[_Spoken, list[str]]:
    assumed = {"style": "european", "settlement": "cash", "inverse": "false"}
    said = {name: str(given.constants.get(name, "")).lower() for name in assumed}
    terms = {name: text or assumed[name] for name, text in said.items()}
    try:
        spoken = _Spoken(
            Style(terms["style"]),
            Settlement(terms["settlement"]),
            {"true": True, "false": False}[terms["inverse"]],
        )
    except (ValueError, KeyError) as cause:
        raise DataError(
            f"{cause} is no style, settlement or truth value",
            where=where,
            hint="Write european or american, cash or physical, true or false",
        ) from cause
    guessed = [f"{name} {terms[name]}" for name, text in said.items() if not text]
    note = f"The contracts' {', '.join(guessed)} is assumed; constants say otherwise."
    return spoken, [note] if guessed else []


def _name(underlying: str, row: dict[str, Any]) -> str:
    """Return a symbol for a contract that has none: underlying, expiry in UTC, strike, right."""
    return f"{underlying}-{row['_expires']:%Y%m%dT%H%M}-{row['_strike']:.12g}-{row['_right_code']}"
