"""The fields that each kind of tape is made from, and how a table's columns become them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.validation import ROW
from hedgeflow.sources.division import divided
from hedgeflow.sources.files import identifiers, numbers
from hedgeflow.sources.stamps import read_stamps
from hedgeflow.sources.tables.columns import Source, check_column

if TYPE_CHECKING:
    from hedgeflow.sources.tables.columns import RowMap

Group = tuple[str, ...]
"""Names of one field in its different units; only one of them may be given."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a kind of tape is made from: fields that are needed, and fields that may be missing."""

    needed: tuple[Group, ...]
    optional: tuple[Group, ...] = ()


_AGGRESSOR: Final[Group] = ("aggressor", "buyer_is_maker")
_IV: Final[Group] = ("iv_pct", "iv_fraction")
_TS: Final[Group] = ("ts",)

FIELDS: Final[dict[TapeKind, Fields]] = {
    TapeKind.OPTION_TRADES: Fields(
        (_TS, ("price",), ("quantity",)),
        (
            _AGGRESSOR,
            _IV,
            ("underlying_price",),
            ("bid",),
            ("ask",),
            ("combo_id",),
            ("block_id",),
            ("condition",),
            ("trade_id",),
        ),
    ),
    TapeKind.OPTION_QUOTES: Fields(
        (_TS, ("bid",), ("ask",)),
        (("bid_size",), ("ask_size",)),
    ),
    TapeKind.OPTION_DAYS: Fields(
        (_TS, ("quantity",)),
        (("open_interest",), ("close",), _IV, ("delta",)),
    ),
    TapeKind.OPTION_SNAPSHOTS: Fields(
        (_TS, ("open_interest",)),
        (("volume",), _IV, ("price",), ("underlying_price",)),
    ),
    TapeKind.OPEN_INTEREST: Fields((_TS, ("open_interest", "value")), (("price",),)),
    TapeKind.HEDGE_TRADES: Fields(
        (_TS, ("price",), ("size", "value")), (_AGGRESSOR, ("trade_id",))
    ),
    TapeKind.HEDGE_QUOTES: Fields((_TS, ("bid",), ("ask",))),
    TapeKind.BARS: Fields((_TS, ("open",), ("high",), ("low",), ("close",), ("volume",))),
    TapeKind.FUNDING: Fields((_TS, ("rate",)), (("hours",),)),
    TapeKind.LONG_SHORT_RATIO: Fields((_TS, ("ratio",))),
}
"""Option definitions have no fields of their own; they come with an option's open interest."""

OPTION_KINDS: Final = frozenset(
    {
        TapeKind.OPTION_TRADES,
        TapeKind.OPTION_QUOTES,
        TapeKind.OPTION_DAYS,
        TapeKind.OPTION_SNAPSHOTS,
    }
)
TERMS: Final = ("strike", "expiry", "right", "multiplier", "lot")
SPOKEN_TERMS: Final = ("expiry_time", "style", "settlement", "inverse")
"""Terms that are the same for every contract of a file: constants only."""
CONTRACT_FIELDS: Final = ("contract", *TERMS, *SPOKEN_TERMS)

TIMES: Final = frozenset({"ts", "known_at"})
TEXTS: Final = frozenset(
    {"contract", "right", "trade_id", "combo_id", "block_id", "condition", *_AGGRESSOR}
)
UNSCALED: Final = TIMES | TEXTS | {"expiry"}

BOUGHT: Final = ("buy", "b", "1", "+1")
SOLD: Final = ("sell", "s", "-1")
NOT_KNOWN: Final = ("0", "unknown", "none", "n")
"""What a column of the taker's side may hold, whatever its case; empty is not known either."""


def check_fields(kind: TapeKind, given: RowMap) -> None:
    """Raise unless a map gives what a kind of tape is made from, and nothing else.

    Raises
    ------
    DataError
        A field is missing, unknown, or given in two units; a constant where a column is needed.
    """
    fields = FIELDS.get(kind)
    if fields is None:
        raise DataError(
            f"{kind} cannot be imported from a table",
            where="--kind",
            hint="They are written with an option's open_interest; import that",
        )
    where = f"the map of {kind}"
    groups = (*fields.needed, *fields.optional, ("known_at",))
    known = [name for group in groups for name in group]
    if kind in OPTION_KINDS or kind is TapeKind.OPEN_INTEREST:
        known += CONTRACT_FIELDS
    unknown = given.fields - set(known)
    if unknown:
        hint = f"Its fields are {', '.join(known)}"
        if "iv" in unknown:
            hint = "Say iv_pct (per cent) or iv_fraction: the unit is not guessed"
        raise DataError(f"there is no field '{min(unknown)}'", where=where, hint=hint)
    for group in groups:
        named = [name for name in group if name in given.fields]
        if len(named) > 1:
            raise DataError(f"both {' and '.join(named)} are given", where=where, hint="Give one")
        if not named and group in fields.needed:
            raise DataError(
                f"field '{' or '.join(group)}' is missing",
                where=where,
                hint=f"Name its column with --columns {group[0]}=COLUMN",
            )
    for name in SPOKEN_TERMS:
        if name in given.columns:
            raise DataError(f"'{name}' must be a constant", where=where, hint=f"Write {name}:=…")


def read_fields(
    raw: pl.DataFrame, given: RowMap, *, timezone: str | None, where: str
) -> tuple[pl.DataFrame, list[str]]:
    """Return a table with the fields of a map beside its columns, named after them with ``_``.

    Times are UTC nanoseconds, numbers are in the field's unit, text is stripped with empty text
    missing; `_expiry` is as the table holds it and `_taker` is +1, -1, 0, or null where the table
    says something else.

    Parameters
    ----------
    raw : polars.DataFrame
        With `row`.
    given : RowMap
    timezone : str, optional
        Of times that state none.
    where : str
        File name, for messages.

    Raises
    ------
    DataError
        A column is missing or holds something else than its field.
    """
    constants = {name: value for name, value in given.constants.items() if name not in SPOKEN_TERMS}
    frame = raw.with_columns(
        pl.lit(value).alias(f"{name} (constant)") for name, value in constants.items()
    )
    sources = dict(given.columns) | {name: Source(f"{name} (constant)") for name in constants}
    fields: list[pl.Series] = []
    notes: list[str] = []
    for name, source in sources.items():
        check_column(frame, source.column, where=where)
        if name in UNSCALED and (source.factor, source.divisor) != (1.0, 1.0):
            raise DataError(f"field '{name}' takes no factor", where=where)
        if name in TIMES:
            stamps = read_stamps(frame, source.column, timezone=timezone, where=where)
            found, said = stamps.series, stamps.notes
            notes += [note for note in said if note not in notes]
        elif name in TEXTS:
            found = identifiers(frame[source.column])
        elif name == "expiry":
            found = frame[source.column]
        else:
            given_units = numbers(frame, source.column, where=where) * source.factor
            found = divided(given_units, source.divisor)
        fields.append(found.alias(f"_{name}"))
    return raw.with_columns(fields).with_columns(_taker(given).alias("_taker")), notes


def selected(raw: pl.DataFrame, given: RowMap, *, where: str) -> pl.DataFrame:
    """Return the rows that fulfil a map's conditions.

    Raises
    ------
    DataError
        No row does.
    """
    rows = raw
    for condition in given.where:
        rows = rows.filter(condition.expression(raw, where=where))
        if rows.is_empty():
            there = raw[condition.column].unique().drop_nulls().sort().head(8).to_list()
            raise DataError(
                f"no row is left where {condition}",
                where=where,
                hint=f"Column '{condition.column}' holds {', '.join(map(str, there))}",
            )
    return rows


def used_columns(rows: tuple[RowMap, ...], *, where: str, there: list[str]) -> list[str]:
    """Return the columns that maps read, in the order of the file."""
    named = {source.column for each in rows for source in each.columns.values()}
    named |= {condition.column for each in rows for condition in each.where}
    missing = sorted(named - set(there))
    if missing:
        check_column(pl.DataFrame(schema=dict.fromkeys(there, pl.Null)), missing[0], where=where)
    return [ROW, *(name for name in there if name in named)]


def _taker(given: RowMap) -> pl.Expr:
    if "buyer_is_maker" in given.fields:
        maker = pl.col("_buyer_is_maker").str.to_lowercase()
        return (
            pl.when(maker.is_in(["true", "t", "1"]))
            .then(-1)
            .when(maker.is_in(["false", "f", "0"]))
            .then(1)
            .otherwise(None)
            .cast(pl.Int8)
        )
    if "aggressor" in given.fields:
        side = pl.col("_aggressor").str.to_lowercase().fill_null("0")
        return (
            pl.when(side.is_in(BOUGHT))
            .then(1)
            .when(side.is_in(SOLD))
            .then(-1)
            .when(side.is_in(NOT_KNOWN))
            .then(0)
            .otherwise(None)
            .cast(pl.Int8)
        )
    return pl.lit(0, dtype=pl.Int8)
