"""What becomes of a file's records: grouped by instrument, what no tape takes left out by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.errors import DataError
from hedgeflow.market.validation import ROW, Fault, Reason
from hedgeflow.sources.databento import tapes
from hedgeflow.sources.databento.definitions import (
    DELETED,
    OPRA,
    OPTION_CLASSES,
    definitions_table,
    other_classes,
    terms_of,
)
from hedgeflow.sources.databento.instruments import (
    KIND,
    SYMBOL,
    UNDERLYING,
    Directory,
    Kind,
    Listed,
    with_instruments,
)
from hedgeflow.sources.databento.records import AT, TICK_RESOLUTION_NS, interval_ns, table_of
from hedgeflow.sources.databento.schemas import (
    BARS,
    CONSOLIDATED,
    DEFINITION,
    QUOTES,
    SAMPLES,
    TRADES,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hedgeflow.market.manifests import Import
    from hedgeflow.sources.databento.beside import Beside
    from hedgeflow.sources.databento.tapes import Source

LAST_OF_EVENT: Final = 0x80
"""Flag of the record with which a change of the book is complete."""
TRADE: Final = ord("T")
OPRA_CONSOLIDATED: Final = 30
"""Publisher of the national best quote, beside those of the exchanges."""
OPEN_INTEREST: Final = 9
"""Type of statistic."""
NEW: Final = 1
"""A statistic that is published, not withdrawn."""
BOOK_FIELDS: Final = ("bid_px_00", "ask_px_00", "bid_sz_00", "ask_sz_00")
SHOWN_NAMES: Final = 5

Made = list[tuple["Import", list[str]]]
"""Imports, each with what was assumed in making it."""


def tapes_of(
    source: Source, directory: Directory, beside: Beside
) -> Iterable[tuple[Import, list[str]]]:
    """Return what becomes of a file, at least one import, each with what was assumed in making it.

    Options' trades come last and look their prices up when they are asked for: trades of what they
    are on, in the same file, may have been stored by then.

    Raises
    ------
    DataError
        No record of it can be kept, or something is missing that the message names.
    """
    schema = source.file.header.schema
    if schema == DEFINITION:
        return _from_definitions(source)
    if schema in BARS:
        return _from_bars(source, directory)
    if schema in QUOTES:
        return _from_quotes(source, directory)
    if schema in TRADES:
        return _from_trades(source, directory, beside)
    return _from_statistics(source, directory)


def _from_definitions(source: Source) -> Made:
    header = source.file.header
    table = definitions_table(source.file)
    others = other_classes(table)
    options = table.filter(pl.col("instrument_class").is_in(OPTION_CLASSES))
    current = options.filter(pl.col("security_update_action") != DELETED)
    _note_count(source, options, current, "definitions that were withdrawn")
    terms = terms_of(current, header.dataset)
    contracts = {name: each.contract for name, each in terms.items() if each.contract is not None}
    rows = [
        (name, each.reason, each.column, contracts[name].underlying if name in contracts else None)
        for name, each in terms.items()
    ]
    schema = {SYMBOL: pl.String, "_reason": pl.String, "_column": pl.String, UNDERLYING: pl.String}
    named = current.rename({"underlying": "underlying_stated"})
    records = named.with_columns(pl.col("raw_symbol").alias(SYMBOL)).join(
        pl.DataFrame(rows, schema=schema, orient="row"), on=SYMBOL, maintain_order="left"
    )
    is_kept = pl.col(UNDERLYING).is_not_null() | pl.col("_reason").is_not_null()
    foreign = records.filter(~is_kept)[SYMBOL].n_unique()
    if foreign:
        others["option on what cannot be hedged in"] = foreign
    if others:
        counted = ", ".join(f"{count:,} x {name}" for name, count in sorted(others.items()))
        source.notes.append(f"Defined besides, and not kept: {counted}.")

    def made(part: pl.DataFrame, underlying: str) -> tuple[Import, list[str]]:
        faults = _faults_of_terms(part)
        return tapes.option_definitions(source, part, faults, underlying, contracts), []

    found = _by_underlying(records.filter(is_kept), made, source)
    if not found:
        raise DataError(
            _because("the file defines no option that can be kept", source.notes),
            where=header.where,
            hint="With --definitions it tells what the instruments of other files are",
        )
    return found


def _faults_of_terms(part: pl.DataFrame) -> list[Fault]:
    """Return a fault for each reason and field for which definitions are refused."""
    pairs = part.select("_reason", "_column").drop_nulls().unique().sort(pl.all())
    return [
        Fault(Reason(reason), column, (pl.col("_reason") == reason) & (pl.col("_column") == column))
        for reason, column in pairs.iter_rows()
    ]


def _from_bars(source: Source, directory: Directory) -> Made:
    header = source.file.header
    fields = ("publisher_id", "open", "high", "low", "close", "volume")
    records, listed = with_instruments(table_of(source.file, fields), header, directory)
    length = interval_ns(header.schema)
    made: Made = []
    for symbol, part in _by_hedge(records):
        if _publishers(part) > 1:
            raise DataError(
                f"the bars of {symbol} come from {_publishers(part)} publishers, so several are of"
                " one time",
                where=header.where,
                hint="Ask for a dataset of one publisher, such as EQUS.MINI",
            )
        made.append((tapes.bars(source, _numbered(part), listed.hedges[symbol], length), []))
    _note_left_out(source, records, options="bars of options")
    return _something(made, source, records)


def _from_quotes(source: Source, directory: Directory) -> Made:
    header = source.file.header
    is_sampled = header.schema in SAMPLES
    fields = ("publisher_id", "flags", *BOOK_FIELDS)
    table = table_of(source.file, fields)
    if not is_sampled:
        complete = table.filter((pl.col("flags") & LAST_OF_EVENT) > 0)
        _note_count(source, table, complete, "states of the book in the middle of a change")
        table = complete
    if header.dataset == OPRA and header.schema not in CONSOLIDATED:
        national = table.filter(pl.col("publisher_id") == OPRA_CONSOLIDATED)
        _note_count(source, table, national, "quotes and trades of single exchanges")
        table = national
    records, listed = with_instruments(table, header, directory)
    resolution = interval_ns(header.schema) if is_sampled else TICK_RESOLUTION_NS
    made = _hedge_quotes(source, records, listed, resolution)

    def of_options(part: pl.DataFrame, underlying: str) -> tuple[Import, list[str]]:
        return tapes.option_quotes(source, part, underlying, listed.contracts, resolution), []

    made += _by_underlying(_options(records), of_options, source)
    _note_left_out(source, records)
    return _something(made, source, records)


def _from_trades(
    source: Source, directory: Directory, beside: Beside
) -> Iterator[tuple[Import, list[str]]]:
    header = source.file.header
    has_quotes = header.schema != "trades"
    fields = (
        "publisher_id",
        "action",
        "side",
        "price",
        "size",
        *(BOOK_FIELDS if has_quotes else ()),
    )
    table = table_of(source.file, fields)
    trades = table.filter(pl.col("action") == TRADE)
    _note_count(source, table, trades, "records that are no trades")
    records, listed = with_instruments(trades, header, directory)
    _check_one_price(beside, records, header.where)
    _note_left_out(source, records)
    hedges: Made = [
        (tapes.hedge_trades(source, _numbered(part), listed.hedges[symbol]), [])
        for symbol, part in _by_hedge(records)
    ]
    if has_quotes:
        hedges += _hedge_quotes(source, records, listed, TICK_RESOLUTION_NS)
    yield from hedges

    def of_options(part: pl.DataFrame, underlying: str) -> tuple[Import, list[str]]:
        return tapes.option_trades(
            source, part, underlying, listed.contracts, listed.futures, beside
        )

    options = _by_underlying(_options(records), of_options, source)
    _something([*hedges, *options], source, records)
    yield from options


def _check_one_price(beside: Beside, records: pl.DataFrame, where: str) -> None:
    """Refuse a named price for options on several underlyings: it can be that of one only."""
    names = _options(records)[UNDERLYING].drop_nulls().unique().sort().to_list()
    if beside.underlying_from and len(names) > 1:
        raise DataError(
            f"the file holds options on {', '.join(names)}, and {beside.underlying_from} can give"
            " the price of one only",
            where=where,
            hint="Leave --underlying-from out, or ask for a file of each",
        )


def _from_statistics(source: Source, directory: Directory) -> Made:
    import databento_dbn as dbn

    header = source.file.header
    table = table_of(source.file, ("stat_type", "update_action", "quantity", "stat_flags"))
    wanted = (pl.col("stat_type") == OPEN_INTEREST) & (pl.col("update_action") == NEW)
    others = table.filter(~wanted)["stat_type"].value_counts(sort=True).iter_rows()
    names = {int(each): each.name.lower().replace("_", " ") for each in dbn.StatType.variants()}
    counted = ", ".join(f"{count:,} x {names.get(code, code)}" for code, count in others)
    if counted:
        source.notes.append(f"Statistics that are not kept: {counted}.")
    published = table.filter(wanted)
    if published.is_empty():
        raise DataError(
            f"the file holds no open interest, only {counted}",
            where=header.where,
            hint="Of schema statistics, open interest is what is kept",
        )
    records, listed = with_instruments(published, header, directory)
    day = pl.col(AT).dt.date()
    news = records.filter(pl.struct(day, SYMBOL, "instrument_id", "quantity").is_first_distinct())
    _note_count(source, records, news, "repetitions of a value on its day")
    made: Made = [
        (tapes.open_interest(source, _numbered(part), listed.hedges[symbol].underlying, symbol), [])
        for symbol, part in _by_hedge(news)
    ]

    def of_options(part: pl.DataFrame, underlying: str) -> tuple[Import, list[str]]:
        return tapes.open_interest(source, part, underlying, underlying), []

    made += _by_underlying(_options(news), of_options, source)
    _note_left_out(source, news)
    return _something(made, source, news)


def _hedge_quotes(
    source: Source, records: pl.DataFrame, listed: Listed, resolution_ns: int
) -> Made:
    """Return the best prices of what one can hedge in: changes of two-sided quotes."""
    header = source.file.header
    made: Made = []
    for symbol, part in _by_hedge(records):
        if header.schema not in CONSOLIDATED and _publishers(part) > 1:
            what = f"quotes of {symbol} from {_publishers(part)} publishers"
            if header.schema in TRADES:
                source.notes.append(f"Not kept: {what}, none of them the best of all.")
                continue
            raise DataError(
                f"there are {what}, none of them the best of all",
                where=header.where,
                hint="Ask for schema cbbo-1s or cmbp-1, or for a dataset of one exchange",
            )
        changed = pl.any_horizontal(
            pl.col(name).ne_missing(pl.col(name).shift()) for name in ("bid_px_00", "ask_px_00")
        )
        two_sided = part.drop_nulls(["bid_px_00", "ask_px_00"])
        changes = two_sided.filter(changed)
        left_out = (
            f"{part.height - two_sided.height:,} states of {symbol} with one side only and"
            f" {two_sided.height - changes.height:,} without a new best price were left out."
        )
        notes = [left_out]
        if header.schema in TRADES:
            notes.append("The quotes are those before each trade: what it moved shows at the next.")
        hedge = listed.hedges[symbol]
        made.append((tapes.hedge_quotes(source, _numbered(changes), hedge, resolution_ns), notes))
    return made


def _options(records: pl.DataFrame) -> pl.DataFrame:
    """Return the records of options, and those whose instrument is not known."""
    return records.filter(pl.col(KIND).is_null() | (pl.col(KIND) == Kind.OPTION))


def _by_hedge(records: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Return the records of each future or stock."""
    parts = records.filter(pl.col(KIND) == Kind.HEDGE).partition_by(SYMBOL, maintain_order=True)
    return [(str(part[SYMBOL][0]), part) for part in parts]


def _by_underlying(
    records: pl.DataFrame,
    make: Callable[[pl.DataFrame, str], tuple[Import, list[str]]],
    source: Source,
) -> Made:
    """Return one import an underlying; what belongs to none is refused with the largest."""
    known = records.filter(pl.col(UNDERLYING).is_not_null())
    sizes = known[UNDERLYING].value_counts(sort=True)
    if sizes.is_empty():
        return []
    largest = str(sizes[UNDERLYING][0])
    named = records.with_columns(pl.col(UNDERLYING).fill_null(largest))
    if sizes.height > 1 and records.height > known.height:
        source.notes.append(
            f"{records.height - known.height:,} records of unknown instruments are refused with"
            f" {largest}, which has the most."
        )
    parts = named.partition_by(UNDERLYING, maintain_order=True)
    return [make(_numbered(part), str(part[UNDERLYING][0])) for part in parts]


def _numbered(part: pl.DataFrame) -> pl.DataFrame:
    """Return records with `row`, their place in the tape's own, counted from 0."""
    return part.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))


def _publishers(part: pl.DataFrame) -> int:
    return part["publisher_id"].n_unique()


def _note_count(source: Source, before: pl.DataFrame, after: pl.DataFrame, what: str) -> None:
    if before.height > after.height:
        source.notes.append(f"{before.height - after.height:,} {what} were left out.")


def _note_left_out(source: Source, records: pl.DataFrame, options: str = "") -> None:
    """Note the records of instruments of which no tape is made."""
    others = records.filter(pl.col(KIND) == Kind.OTHER)
    if others.height:
        names = others[SYMBOL].unique().sort().to_list()
        shown = ", ".join(names[:SHOWN_NAMES])
        source.notes.append(
            f"{others.height:,} records of {len(names):,} instruments that are not kept were left"
            f" out: {shown}{', …' if len(names) > SHOWN_NAMES else ''}."
        )
    count = int((records[KIND] == Kind.OPTION).sum())
    if options and count:
        source.notes.append(f"{count:,} {options} were left out.")
    unknown = records[KIND].null_count()
    if unknown and (options or not count):
        source.notes.append(
            f"{unknown:,} records whose instrument is not known belong to no tape and were left"
            " out."
        )


def _something(made: Made, source: Source, records: pl.DataFrame) -> Made:
    """Return the imports, unless there are none."""
    if made:
        return made
    header = source.file.header
    unknown = records.filter(pl.col(KIND).is_null())
    if unknown.height:
        raise DataError(
            f"what instrument {unknown['instrument_id'][0]} is, is not known"
            f" ({unknown.height:,} records have no symbol that can be read)",
            where=header.where,
            hint="Give a definition file of the same days with --definitions, or ask for the"
            " symbols' mapping (stype_in raw_symbol, stype_out instrument_id)",
        )
    raise DataError(
        _because("no tape can be made of the file", source.notes),
        where=header.where,
        hint="Kept are options, stocks, and futures on ES, MES, NQ, MNQ",
    )


def _because(what: str, notes: list[str]) -> str:
    return ". ".join([what, *(note.removesuffix(".") for note in notes)])
