"""What of an import is new: tapes that hold one value an instant, and quotes that carry no id."""

from __future__ import annotations

import polars as pl
import pytest

from builders.market_files import at_ns
from hedgeflow.market import Coverage, DataError, Import, TapeKey, TapeKind, validate
from hedgeflow.market.tapes import TIME, tape_schema
from hedgeflow.market.writing import content_sha256

DAY = Coverage.of([(at_ns(days=0), at_ns(days=1))])
MINUTE_NS = 60_000_000_000


def key(kind):
    return TapeKey(kind, "deribit", "BTC", "BTC", MINUTE_NS)


def rows(kind, minutes, **columns):
    stamps = pl.Series([at_ns(minutes=minute) for minute in minutes]).cast(TIME)
    known = stamps.dt.offset_by("1m")
    return pl.DataFrame({"ts": stamps, "known_at": known, **columns}).cast(
        {name: dtype for name, dtype in tape_schema(kind).items() if name in columns}
    )


def incoming(kind, frame, source):
    checked = validate(frame, kind, where=source)
    return Import(
        key=key(kind),
        rows=checked.rows,
        rejects=checked.rejects,
        read=frame.height,
        null_ids=0,
        identical_without_id=0,
        source=source,
        source_sha256=content_sha256(checked.rows, DAY) + source,
        coverage=DAY,
        accept_rejects=True,
    )


VALUES = [
    (TapeKind.OPEN_INTEREST, {"contract": ["A", "B"], "open_interest": [5.0, 7.0]}),
    (TapeKind.FUNDING, {"rate": [1e-4, -2e-4], "hours": [8.0, None]}),
    (TapeKind.LONG_SHORT_RATIO, {"ratio": [1.5, 0.8]}),
]


@pytest.mark.parametrize(("kind", "columns"), VALUES)
def test_a_value_that_is_there_already_is_a_repeat(catalog, kind, columns):
    frame = rows(kind, [1, 2], **columns)
    catalog.commit(incoming(kind, frame, "first"))
    again = catalog.commit(incoming(kind, frame, "second"))
    assert (again.kept, again.repeats, again.rejected) == (0, 2, {})


@pytest.mark.parametrize(("kind", "columns"), VALUES)
def test_another_value_for_the_same_instant_contradicts_the_stored_one(catalog, kind, columns):
    catalog.commit(incoming(kind, rows(kind, [1, 2], **columns), "first"))
    value = next(name for name in columns if name != "contract")
    other = columns | {value: [columns[value][0], 99.0]}
    second = catalog.commit(incoming(kind, rows(kind, [1, 2], **other), "second"))
    assert (second.kept, second.repeats) == (0, 1)
    assert second.rejected == {"CONFLICTING_VALUE": 1}
    assert catalog.read(key(kind))[value].to_list() == columns[value]


def test_open_interest_of_two_contracts_at_one_instant_is_two_values(catalog):
    kind = TapeKind.OPEN_INTEREST
    frame = rows(kind, [1, 1], contract=["A", "B"], open_interest=[5.0, 7.0])
    made = catalog.commit(incoming(kind, frame, "first"))
    assert (made.kept, made.repeats) == (2, 0)


def test_a_missing_value_equals_a_missing_value(catalog):
    kind = TapeKind.FUNDING
    frame = rows(kind, [1], rate=[1e-4], hours=[None])
    catalog.commit(incoming(kind, frame, "first"))
    assert catalog.commit(incoming(kind, frame, "second")).repeats == 1


def test_negative_open_interest_is_rejected():
    kind = TapeKind.OPEN_INTEREST
    checked = validate(rows(kind, [1], contract=["A"], open_interest=[-1.0]), kind, where="test")
    assert checked.rejects["reason"].to_list() == ["NEGATIVE_VOLUME"]


def quotes(bids, asks):
    count = len(bids)
    return rows(
        TapeKind.OPTION_QUOTES,
        range(count),
        contract=["A"] * count,
        bid=bids,
        ask=asks,
        bid_size=[1.0] * count,
        ask_size=[1.0] * count,
    )


def test_an_option_quote_may_lack_a_side_but_not_cross_or_fall_below_zero():
    frame = quotes([None, 1.0, 2.0, -1.0, 0.0], [2.0, None, 1.0, 2.0, 0.1])
    checked = validate(frame, TapeKind.OPTION_QUOTES, where="test")
    assert checked.rows.height == 3
    assert checked.rejects["reason"].to_list() == ["CROSSED_QUOTE", "NEGATIVE_PRICE"]


def contracts_of(names):
    from datetime import date

    from hedgeflow.market.contracts import Right, osi_symbol, parse_osi_option
    from hedgeflow.sources.contract_terms import contracts_table

    symbols = [osi_symbol(name, date(2025, 6, 20), Right.CALL, 100.0) for name in names]
    return symbols, contracts_table(parse_osi_option(symbol, "opra") for symbol in symbols)


def test_option_quotes_inside_another_import_are_refused(catalog):
    symbols, terms = contracts_of(["AAPL"])
    frame = quotes([1.0], [2.0]).with_columns(contract=pl.lit(symbols[0]))
    catalog.store(key(TapeKind.OPTION_QUOTES), frame, source="a", coverage=DAY, contracts=terms)
    with pytest.raises(DataError, match="quotes carry no id"):
        catalog.store(key(TapeKind.OPTION_QUOTES), frame, source="b", contracts=terms)


def test_definitions_bring_the_terms_of_contracts_without_a_trade(catalog):
    symbols, terms = contracts_of(["AAPL", "MSFT"])
    terms = terms.with_columns(venue=pl.lit("deribit"), underlying=pl.lit("BTC"))
    frame = rows(TapeKind.OPTION_DEFINITIONS, [1, 1], contract=symbols)
    catalog.store(
        key(TapeKind.OPTION_DEFINITIONS), frame, source="a", coverage=DAY, contracts=terms
    )
    assert set(catalog.contracts("deribit", "BTC")["contract"]) == set(symbols)


def test_quotes_of_an_unknown_contract_are_refused(catalog):
    with pytest.raises(DataError, match="terms of contract 'A' are not known"):
        catalog.store(key(TapeKind.OPTION_QUOTES), quotes([1.0], [2.0]), source="a", coverage=DAY)
