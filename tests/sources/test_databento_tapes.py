"""DBN files in a catalog: which record becomes which row of which tape, and when it is known."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import databento_dbn as dbn
import polars as pl
import pytest

from builders.dbn_files import (
    CALL,
    CME,
    EXPIRED,
    MONTHLY,
    NASDAQ,
    NUMBERS,
    OPENING,
    OPRA,
    PUT,
    SPREAD,
    WEEKLY,
    bar,
    cbbo,
    es_option,
    header,
    mbp1,
    option_definitions,
    option_prints,
    statistic,
    stock_bars,
    tcbbo,
    trade,
    us_definition,
    written,
)
from hedgeflow.market import Catalog, DataError, TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS, instant_ns
from hedgeflow.sources import import_databento

ES_OPTION = "ESH5 C6100"


@pytest.fixture
def priced(catalog, tmp_path):
    """Return a catalog that knows the price of AAPL every second from 9:29 to 9:40."""
    import_databento([stock_bars(tmp_path)], catalog)
    return catalog


def key(kind, underlying, instrument=None, *, venue="opra", resolution=1):
    return TapeKey(kind, venue, underlying, instrument or underlying, resolution)


OPTION_TRADES = key(TapeKind.OPTION_TRADES, "AAPL")


def rejects_of(catalog, report):
    [made] = [each for each in catalog.imports() if each.id == report.import_id]
    return pl.concat(pl.read_parquet(catalog.path / part.path) for part in made.rejects)


def numbers(*symbols):
    return {symbol: NUMBERS[symbol] for symbol in symbols}


def at(column) -> list[int]:
    return column.to_physical().to_list()


# --- options' trades ------------------------------------------------------------------------------


def test_trades_with_quotes_become_a_tape(priced, tmp_path):
    [report] = import_databento([option_prints(tmp_path)], priced)
    tape = priced.read(OPTION_TRADES)
    assert report.key == OPTION_TRADES
    assert (report.read, report.kept, report.rejected) == (30, 30, {})
    assert tape.drop("sequence").schema == tape_schema(TapeKind.OPTION_TRADES)
    assert tape["contract"].to_list()[:3] == [CALL, PUT, CALL]
    assert tape["price"].to_list()[:3] == [1.0, 1.11, 1.02]
    assert tape["bid"].to_list()[:3] == [1.0, 1.01, 1.02]
    assert tape["ask"].to_list()[:3] == [1.1, 1.11, 1.12]
    assert tape["lots"].to_list() == [1] * 30
    assert tape["iv"].null_count() == tape["trade_id"].null_count() == 30


def test_a_trade_is_stamped_when_it_was_received_and_known_a_nanosecond_later(priced, tmp_path):
    import_databento([option_prints(tmp_path)], priced)
    tape = priced.read(OPTION_TRADES)
    received = [OPENING + (10 * n + 5) * SECOND_NS for n in range(30)]
    assert at(tape["ts"]) == received  # the exchange's stamp is 200 µs earlier
    assert at(tape["known_at"]) == [stamp + 1 for stamp in received]


def test_the_underlying_price_is_the_last_bar_that_had_ended(priced, tmp_path):
    [report] = import_databento([option_prints(tmp_path)], priced)
    tape = priced.read(OPTION_TRADES)
    # The bar that begins at OPENING + 4 s ends at + 5 s, the stamp of the first print.
    assert tape["underlying_price"][0] == pytest.approx(245 + 64 / 1000)
    assert any("closes of the 1 s bars of AAPL on xnas" in note for note in report.notes)


@pytest.mark.parametrize(("side", "aggressor"), [("B", 1), ("A", -1), ("N", 0)])
def test_the_side_is_the_one_that_began_the_trade(priced, tmp_path, side, aggressor):
    records = [trade(CALL, OPENING + SECOND_NS, 1.0, side=side)]
    path = written(tmp_path, "sides", header("trades", OPRA, numbers(CALL)), records)
    import_databento([path], priced)
    assert priced.read(OPTION_TRADES)["aggressor"].to_list() == [aggressor]


def test_buyers_pay_the_ask_and_sellers_get_the_bid_in_the_recorded_trades(market_data, catalog):
    path = market_data / "databento" / CME / "test_data.tbbo.dbn.zst"
    trades, quotes = import_databento([path], catalog)
    tape = catalog.read(trades.key)
    [quote] = catalog.read(quotes.key).iter_rows(named=True)  # the same before all four
    assert tape["aggressor"].to_list() == [1, 1, -1, 1]
    ask, bid = quote["ask"], quote["bid"]
    assert tape["price"].to_list() == [ask, ask, bid, ask] == [3702.75, 3702.75, 3702.5, 3702.75]


def test_trades_without_a_symbol_that_can_be_read_are_rejected(priced, tmp_path):
    strange = [trade(CALL, OPENING + n * SECOND_NS, 1.0) for n in range(1, 4)]
    strange[1] = dbn.TradeMsg(
        publisher_id=23, instrument_id=404, ts_event=OPENING, price=10**9, size=1,
        action=dbn.Action.TRADE, side=dbn.Side.NONE, depth=0, ts_recv=OPENING + 2 * SECOND_NS,
    )  # fmt: skip
    path = written(tmp_path, "strange", header("trades", OPRA, numbers(CALL)), strange)
    [report] = import_databento([path], priced, accept_rejects=True)
    assert (report.read, report.kept, report.rejected) == (3, 2, {"UNKNOWN_CONTRACT": 1})
    [row] = rejects_of(priced, report).iter_rows(named=True)
    assert (row["row"], row["column"]) == (1, "symbol")
    assert json.loads(row["record"])["instrument_id"] == 404
    assert priced.read(OPTION_TRADES)["sequence"].to_list() == [0, 2]


def test_a_mapping_ends_with_its_last_day(priced, tmp_path):
    yesterday = date(2025, 2, 19)
    top = header("trades", OPRA, numbers(CALL, PUT), days=(yesterday, yesterday))
    path = written(tmp_path, "stale", top, [trade(CALL, OPENING + SECOND_NS, 1.0)])
    with pytest.raises(DataError, match=r"what instrument 11 is, is not known \(1 records"):
        import_databento([path], priced)


def test_mappings_from_numbers_to_symbols_are_read_too(priced, tmp_path):
    top = header("trades", OPRA, numbers(CALL), by_number=True)
    path = written(tmp_path, "numbers", top, [trade(CALL, OPENING + SECOND_NS, 1.0)])
    import_databento([path], priced)
    assert priced.read(OPTION_TRADES)["contract"].to_list() == [CALL]


def test_definitions_name_instruments_that_a_header_does_not_map(priced, tmp_path):
    path = written(
        tmp_path, "unmapped", header("trades", OPRA), [trade(CALL, OPENING + SECOND_NS, 1.0)]
    )
    import_databento([path], priced, definitions=option_definitions(tmp_path))
    assert priced.read(OPTION_TRADES)["contract"].to_list() == [CALL]


def test_a_definition_names_no_earlier_record(priced, tmp_path):
    late = written(
        tmp_path,
        "late.definition",
        header("definition", OPRA),
        [us_definition(CALL, OPENING + 2 * SECOND_NS)],
    )
    records = [trade(CALL, OPENING + n * SECOND_NS, 1.0) for n in (1, 3)]
    path = written(tmp_path, "unmapped", header("trades", OPRA), records)
    [report] = import_databento([path], priced, definitions=late, accept_rejects=True)
    assert report.rejected == {"UNKNOWN_CONTRACT": 1}
    assert at(priced.read(OPTION_TRADES)["ts"]) == [OPENING + 3 * SECOND_NS]


def test_a_definition_of_another_day_names_nothing(priced, tmp_path):
    yesterday = OPENING - DAY_NS
    old = written(
        tmp_path, "old.definition", header("definition", OPRA), [us_definition(CALL, yesterday)]
    )
    path = written(tmp_path, "unmapped", header("trades", OPRA), [trade(CALL, OPENING + 1, 1.0)])
    with pytest.raises(DataError, match="what instrument 11 is, is not known"):
        import_databento([path], priced, definitions=old)


def test_a_trade_after_its_options_expiry_is_rejected(priced, tmp_path):
    records = [trade(EXPIRED, OPENING + SECOND_NS, 1.0), trade(CALL, OPENING + 2 * SECOND_NS, 1.0)]
    path = written(tmp_path, "expired", header("trades", OPRA, numbers(EXPIRED, CALL)), records)
    [report] = import_databento([path], priced)
    assert (report.kept, report.rejected) == (1, {"AFTER_EXPIRY": 1})


def test_undefined_prices_are_rejected(priced, tmp_path):
    nothing = dbn.TradeMsg(
        publisher_id=23, instrument_id=11, ts_event=OPENING, price=dbn.UNDEF_PRICE, size=1,
        action=dbn.Action.TRADE, side=dbn.Side.NONE, depth=0, ts_recv=OPENING + SECOND_NS,
    )  # fmt: skip
    records = [nothing, trade(CALL, OPENING + 2 * SECOND_NS, 1.0)]
    path = written(tmp_path, "undefined", header("trades", OPRA, numbers(CALL)), records)
    [report] = import_databento([path], priced)
    assert (report.kept, report.rejected) == (1, {"MISSING_VALUE": 1})


def test_a_print_before_the_first_price_is_rejected(catalog, tmp_path):
    import_databento([stock_bars(tmp_path)], catalog)
    first = OPENING - MINUTE_NS
    records = [trade(CALL, first + SECOND_NS // 2, 1.0), trade(CALL, first + SECOND_NS, 1.0)]
    top = header("trades", OPRA, numbers(CALL), start=first)
    [report] = import_databento([written(tmp_path, "early", top, records)], catalog)
    assert (report.kept, report.rejected) == (1, {"NO_UNDERLYING_PRICE": 1})


def test_a_price_that_has_become_too_old_is_none(priced, tmp_path):
    end_of_bars = OPENING + 10 * MINUTE_NS
    records = [trade(CALL, end_of_bars + n * MINUTE_NS, 1.0) for n in (4, 6)]
    top = header("trades", OPRA, numbers(CALL), end=end_of_bars + 10 * MINUTE_NS)
    [report] = import_databento([written(tmp_path, "afterwards", top, records)], priced)
    assert (report.kept, report.rejected) == (1, {"NO_UNDERLYING_PRICE": 1})


def test_options_on_several_underlyings_become_a_tape_each(priced, tmp_path):
    names = (CALL, WEEKLY, MONTHLY)
    seconds = [bar("SPX", OPENING + n * SECOND_NS, 6100) for n in range(60)]
    index = written(tmp_path, "index", header("ohlcv-1s", NASDAQ, numbers("SPX")), seconds)
    records = [trade(name, OPENING + n * SECOND_NS, 1.0) for n, name in enumerate(names, 5)]
    top = header("trades", OPRA, numbers(*names))
    reports = import_databento([index, written(tmp_path, "both", top, records)], priced)
    assert [(each.key.underlying, each.kept) for each in reports[1:]] == [("AAPL", 1), ("SPX", 2)]
    assert priced.contracts("opra", "SPX")["contract"].sort().to_list() == [MONTHLY, WEEKLY]


# --- quotes beside trades -------------------------------------------------------------------------


def quotes_file(tmp_path):
    records = [
        cbbo(CALL, OPENING, None, None),
        cbbo(CALL, OPENING + SECOND_NS, 1.0, 1.2),
        cbbo(CALL, OPENING + 2 * SECOND_NS, 1.3, 1.5),
    ]
    top = header("cbbo-1s", OPRA, numbers(CALL), end=OPENING + 5 * MINUTE_NS)
    return written(tmp_path, "quotes", top, records)


def test_trades_without_quotes_take_the_last_known_before_them(priced, tmp_path):
    moments = [OPENING + SECOND_NS // 2, OPENING + SECOND_NS * 3 // 2, OPENING + 2 * SECOND_NS]
    records = [trade(CALL, moment, 1.2) for moment in moments]
    path = written(tmp_path, "prints", header("trades", OPRA, numbers(CALL)), records)
    _, report = import_databento([path, quotes_file(tmp_path)], priced)
    tape = priced.read(OPTION_TRADES)
    assert tape["bid"].to_list() == [None, 1.0, 1.3]
    assert tape["ask"].to_list() == [None, 1.2, 1.5]
    assert any("1 trades had none, or one side only" in note for note in report.notes)


def test_quotes_of_another_time_are_no_quotes(priced, tmp_path):
    records = [trade(CALL, OPENING + 4 * MINUTE_NS, 1.2), trade(CALL, OPENING + 6 * MINUTE_NS, 1.2)]
    path = written(tmp_path, "prints", header("trades", OPRA, numbers(CALL)), records)
    import_databento([quotes_file(tmp_path), path], priced)
    assert priced.read(OPTION_TRADES)["bid"].to_list() == [1.3, None]


def test_trades_without_any_quotes_are_kept_and_that_is_said(priced, tmp_path):
    [report] = import_databento([option_prints(tmp_path, "trades")], priced)
    tape = priced.read(OPTION_TRADES)
    assert tape["bid"].null_count() == tape["ask"].null_count() == tape.height == 30
    assert any("No quotes stand beside" in note for note in report.notes)


# --- quotes ---------------------------------------------------------------------------------------


def test_sampled_quotes_are_known_at_the_end_of_their_second(catalog, tmp_path):
    [report] = import_databento([quotes_file(tmp_path)], catalog)
    assert report.key == key(TapeKind.OPTION_QUOTES, "AAPL", resolution=SECOND_NS)
    tape = catalog.read(report.key)
    assert tape["bid"].to_list() == [None, 1.0, 1.3]
    assert tape["ask_size"].to_list() == [7.0] * 3
    assert at(tape["ts"]) == at(tape["known_at"]) == [OPENING + n * SECOND_NS for n in range(3)]


def test_only_the_national_quote_of_opra_is_kept(catalog, tmp_path):
    records = [
        mbp1(CALL, OPENING + 1, 1.0, 1.2, publisher=34),
        mbp1(CALL, OPENING + 2, 1.1, 1.2, publisher=30),
        mbp1(CALL, OPENING + 3, 1.1, 1.2, publisher=23, trade_price=1.2),
    ]
    path = written(tmp_path, "book", header("mbp-1", OPRA, numbers(CALL)), records)
    [report] = import_databento([path], catalog)
    assert catalog.read(report.key)["bid"].to_list() == [1.1]
    assert "2 quotes and trades of single exchanges were left out." in report.notes


def test_states_in_the_middle_of_a_change_are_left_out(catalog, tmp_path):
    records = [
        mbp1("ESH5", OPENING + 1, 6000.0, 6000.25, publisher=1),
        mbp1("ESH5", OPENING + 2, 6000.25, 6000.0, publisher=1, flags=0),
        mbp1("ESH5", OPENING + 3, 6000.25, 6000.5, publisher=1),
    ]
    path = written(tmp_path, "book", header("mbp-1", CME, numbers("ESH5")), records)
    [report] = import_databento([path], catalog)
    assert report.key == key(TapeKind.HEDGE_QUOTES, "ES", "ESH5", venue="cme")
    assert report.rejected == {}
    assert catalog.read(report.key)["bid"].to_list() == [6000.0, 6000.25]


def test_a_hedges_quotes_are_changes_of_the_best_prices(catalog, tmp_path):
    prices = [(6000.0, 6000.25), (6000.0, 6000.25), (None, 6000.25), (6000.0, 6000.5)]
    records = [mbp1("ESH5", OPENING + n, *pair, publisher=1) for n, pair in enumerate(prices)]
    path = written(tmp_path, "book", header("mbp-1", CME, numbers("ESH5")), records)
    [report] = import_databento([path], catalog)
    tape = catalog.read(report.key)
    assert list(zip(tape["bid"], tape["ask"], strict=True)) == [(6000.0, 6000.25), (6000.0, 6000.5)]
    assert any("1 states of ESH5 with one side only and 1 without" in note for note in report.notes)


def test_quotes_of_several_exchanges_are_refused(catalog, tmp_path):
    records = [mbp1("AAPL", OPENING + n, 245.0, 245.1, publisher=n) for n in (2, 3)]
    path = written(tmp_path, "quotes", header("mbp-1", "DBEQ.BASIC", numbers("AAPL")), records)
    with pytest.raises(DataError, match="quotes of AAPL from 2 publishers, none of them the best"):
        import_databento([path], catalog)


# --- what one hedges in ---------------------------------------------------------------------------


def test_trades_of_a_future_are_in_underlying_units(market_data, catalog):
    path = market_data / "databento" / CME / "test_data.trades.dbn.zst"
    [report] = import_databento([path], catalog)
    assert report.key == key(TapeKind.HEDGE_TRADES, "ES", "ESH1", venue="cme")
    tape = catalog.read(report.key)
    assert tape.drop("sequence").schema == tape_schema(TapeKind.HEDGE_TRADES)
    assert tape["price"][0] == 3702.75
    assert tape["size"][0] == 50.0  # one contract of 50 index points


def test_bars_of_a_future_are_known_at_their_end_with_volume_in_underlying_units(
    market_data, catalog
):
    path = market_data / "databento" / CME / "test_data.ohlcv-1m.dbn.zst"
    [report] = import_databento([path], catalog)
    assert report.key == key(TapeKind.BARS, "ES", "ESH1", venue="cme", resolution=MINUTE_NS)
    tape = catalog.read(report.key)
    assert tape["open"][0] == 3702.75
    assert tape["close"][0] == 3704.75
    assert tape["volume"].to_list()[:2] == [306 * 50.0, 214 * 50.0]
    assert (tape["known_at"] - tape["ts"]).unique().to_list() == [timedelta(minutes=1)]


def test_a_silent_second_is_covered_but_has_no_bar(catalog, tmp_path):
    records = [bar("AAPL", OPENING + n * SECOND_NS, 245) for n in (0, 1, 5)]
    top = header("ohlcv-1s", NASDAQ, numbers("AAPL"), end=OPENING + MINUTE_NS)
    [report] = import_databento([written(tmp_path, "bars", top, records)], catalog)
    assert report.kept == 3
    assert report.coverage.intervals == [(OPENING, OPENING + MINUTE_NS)]


def test_a_file_that_reached_its_limit_is_covered_to_its_last_record(catalog, tmp_path):
    records = [bar("AAPL", OPENING + n * SECOND_NS, 245) for n in range(3)]
    top = header("ohlcv-1s", NASDAQ, numbers("AAPL"), limit=3)
    [report] = import_databento([written(tmp_path, "bars", top, records)], catalog)
    assert report.coverage.intervals == [(OPENING, OPENING + 3 * SECOND_NS)]
    assert any("as many records as were asked for at most (3)" in note for note in report.notes)


def test_bars_of_several_publishers_are_refused(catalog, tmp_path):
    records = [bar("AAPL", OPENING, 245), bar("AAPL", OPENING, 245)]
    records[1] = dbn.OHLCVMsg(
        rtype=32, publisher_id=3, instrument_id=32, ts_event=OPENING, open=1, high=1, low=1,
        close=1, volume=1,
    )  # fmt: skip
    path = written(tmp_path, "bars", header("ohlcv-1s", "DBEQ.BASIC", numbers("AAPL")), records)
    with pytest.raises(DataError, match="bars of AAPL come from 2 publishers"):
        import_databento([path], catalog)


def test_instruments_of_one_file_become_a_tape_each(catalog, tmp_path):
    records = [
        trade(name, OPENING + n, 6000.0, side="B")
        for n, name in enumerate(("ESH5", "ESM5", "ESH5"))
    ]
    path = written(tmp_path, "futures", header("trades", CME, numbers("ESH5", "ESM5")), records)
    reports = import_databento([path], catalog)
    assert [(each.key.instrument, each.kept) for each in reports] == [("ESH5", 2), ("ESM5", 1)]


def test_spreads_and_unknown_futures_are_left_out_and_named(catalog, tmp_path):
    names = ("ESH5", SPREAD, "CLH5")
    records = [trade(name, OPENING + n, 6.0) for n, name in enumerate(names)]
    top = header("trades", CME, numbers(*names))
    [report] = import_databento([written(tmp_path, "mixed", top, records)], catalog)
    assert (report.read, report.kept) == (1, 1)
    assert (
        "2 records of 2 instruments that are not kept were left out: CLH5, ESH5-ESM5."
        in report.notes
    )


def test_unknown_instruments_among_futures_are_counted(catalog, tmp_path):
    records = [trade("ESH5", OPENING + 1, 6000.0), trade("ESM5", OPENING + 2, 6050.0)]
    path = written(tmp_path, "partly", header("trades", CME, numbers("ESH5")), records)
    [report] = import_databento([path], catalog)
    assert report.kept == 1
    assert (
        "1 records whose instrument is not known belong to no tape and were left out."
        in report.notes
    )


# --- options on futures ---------------------------------------------------------------------------


def es_files(tmp_path):
    definition = es_option(
        ES_OPTION,
        strike_price=6_100 * 10**9,
        underlying="ESH5",
        expiration=instant_ns(datetime(2025, 3, 21, 13, 30, tzinfo=UTC)),
    )
    symbols = numbers(ES_OPTION)
    return (
        written(tmp_path, "es.definition", header("definition", CME, symbols), [definition]),
        written(
            tmp_path,
            "es.trades",
            header("trades", CME, symbols),
            [trade(ES_OPTION, OPENING + 2 * SECOND_NS, 12.5, 4, "A")],
        ),
    )


def futures_bars(tmp_path):
    records = [
        each
        for n in range(5)
        for each in (
            bar("ESH5", OPENING + n * SECOND_NS, 6000 + n),
            bar("ESM5", OPENING + n * SECOND_NS, 6050 + n),
        )
    ]
    top = header("ohlcv-1s", CME, numbers("ESH5", "ESM5"))
    return written(tmp_path, "futures", top, records)


def test_an_option_on_a_future_takes_the_price_of_its_own_future(catalog, tmp_path):
    definitions, trades = es_files(tmp_path)
    paths = [trades, futures_bars(tmp_path)]
    *_, report = import_databento(paths, catalog, definitions=definitions)
    assert report.key == key(TapeKind.OPTION_TRADES, "ES", venue="cme")
    [row] = catalog.read(report.key).iter_rows(named=True)
    assert (row["price"], row["lots"], row["aggressor"]) == (12.5, 4, -1)
    assert row["underlying_price"] == 6001.0


def test_an_option_finds_the_price_of_its_future_in_the_same_file(catalog, tmp_path):
    definitions, _ = es_files(tmp_path)
    records = [
        trade("ESH5", OPENING + SECOND_NS, 6000.0, 2, "B"),
        trade(ES_OPTION, OPENING + 2 * SECOND_NS, 12.5),
    ]
    path = written(tmp_path, "both", header("trades", CME, numbers("ESH5", ES_OPTION)), records)
    future, option = import_databento([path], catalog, definitions=definitions)
    assert (future.key.kind, option.key.kind) == (TapeKind.HEDGE_TRADES, TapeKind.OPTION_TRADES)
    assert catalog.read(option.key)["underlying_price"].to_list() == [6000.0]


def test_another_instruments_price_may_be_asked_for(catalog, tmp_path):
    definitions, trades = es_files(tmp_path)
    *_, report = import_databento(
        [trades, futures_bars(tmp_path)],
        catalog,
        definitions=definitions,
        underlying_from="cme:ESM5",
    )
    assert catalog.read(report.key)["underlying_price"].to_list() == [6051.0]


def test_a_price_of_something_else_is_taken_only_where_it_is_named(catalog, tmp_path):
    path = written(
        tmp_path,
        "index",
        header("trades", OPRA, numbers(WEEKLY)),
        [trade(WEEKLY, OPENING + 3 * SECOND_NS, 9.0)],
    )
    import_databento([futures_bars(tmp_path)], catalog)
    with pytest.raises(DataError, match="neither trades nor bars of SPX"):
        import_databento([path], catalog)
    [report] = import_databento([path], catalog, underlying_from="ESH5")
    assert catalog.read(report.key)["underlying_price"].to_list() == [6002.0]
    assert "That is not SPX itself, but was asked for." in report.notes


def test_options_on_futures_need_their_definitions(catalog, tmp_path):
    _, trades = es_files(tmp_path)
    with pytest.raises(DataError, match=r"terms of 1 options, such as ESH5 C6100.*--definitions"):
        import_databento([trades], catalog)


def test_an_option_on_a_future_has_the_terms_of_its_definition(catalog, tmp_path):
    top = header("definition", CME, {"ESZ4 C4100": 900})
    path = written(tmp_path, "definition", top, [es_option()])
    [report] = import_databento([path], catalog)
    assert report.key == key(TapeKind.OPTION_DEFINITIONS, "ES", venue="cme")
    [terms] = catalog.contracts("cme", "ES").iter_rows(named=True)
    assert terms["contract"] == "ESZ4 C4100"
    assert (terms["right"], terms["strike"], terms["multiplier"]) == ("C", 4100.0, 50.0)
    assert terms["expiry"] == datetime(2023, 10, 27, 23, 40, tzinfo=UTC)
    assert terms["listed"] == datetime(2023, 10, 15, 6, 6, 40, tzinfo=UTC)
    assert (terms["style"], terms["settlement"], terms["lot"]) == ("american", "physical", 1.0)


def test_a_strike_may_be_written_without_its_point(catalog, tmp_path):
    top = header("definition", CME, {"ESZ4 C4100": 900})
    path = written(tmp_path, "point", top, [es_option(strike_price=41_000_000_000)])
    import_databento([path], catalog)
    assert catalog.contracts("cme", "ES")["strike"].to_list() == [41.0]


@pytest.mark.parametrize(
    ("changes", "reason", "column"),
    [
        ({"strike_price": 4_200_000_000_000}, "SYMBOL_MISMATCH", "strike_price"),
        ({"instrument_class": dbn.InstrumentClass.PUT}, "SYMBOL_MISMATCH", "instrument_class"),
        ({"strike_price": dbn.UNDEF_PRICE}, "MISSING_VALUE", "strike_price"),
        ({"expiration": dbn.UNDEF_TIMESTAMP}, "MISSING_VALUE", "expiration"),
        ({"unit_of_measure_qty": dbn.UNDEF_PRICE}, "MISSING_VALUE", "unit_of_measure_qty"),
    ],
)
def test_a_definition_that_contradicts_its_symbol_is_rejected(
    catalog, tmp_path, changes, reason, column
):
    records = [es_option("ESZ4 P4000", instrument_class=dbn.InstrumentClass.PUT,
                         strike_price=4_000_000_000_000), es_option(**changes)]  # fmt: skip
    path = written(tmp_path, "wrong", header("definition", CME), records)
    [report] = import_databento([path], catalog)
    assert (report.read, report.kept, report.rejected) == (2, 1, {reason: 1})
    assert rejects_of(catalog, report)["column"].to_list() == [column]


# --- definitions of US options --------------------------------------------------------------------


def test_definitions_become_contracts(catalog, tmp_path):
    [report] = import_databento([option_definitions(tmp_path)], catalog)
    assert report.key == key(TapeKind.OPTION_DEFINITIONS, "AAPL")
    assert at(catalog.read(report.key)["known_at"]) == [OPENING + 1] * 2
    terms = catalog.contracts("opra", "AAPL")
    assert terms["contract"].to_list() == [PUT, CALL]
    assert terms["strike"].to_list() == [240.0, 245.0]
    assert terms["multiplier"].unique().to_list() == [100.0]
    assert terms["expiry"].unique().to_list() == [datetime(2025, 2, 21, 21, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"strike_price": 246 * 10**9}, "strike_price"),
        ({"instrument_class": dbn.InstrumentClass.PUT}, "instrument_class"),
        ({"expiration": instant_ns(datetime(2025, 2, 22, tzinfo=UTC))}, "expiration"),
    ],
)
def test_a_definition_that_contradicts_an_osi_symbol_is_rejected(
    catalog, tmp_path, changes, column
):
    records = [us_definition(PUT), us_definition(CALL, **changes)]
    path = written(tmp_path, "wrong", header("definition", OPRA), records)
    [report] = import_databento([path], catalog)
    assert report.rejected == {"SYMBOL_MISMATCH": 1}
    assert rejects_of(catalog, report)["column"].to_list() == [column]
    assert catalog.contracts("opra", "AAPL")["contract"].to_list() == [PUT]


def test_withdrawn_definitions_and_other_instruments_are_counted(catalog, tmp_path):
    withdrawn = us_definition(PUT, security_update_action=dbn.SecurityUpdateAction.DELETE)
    stock = us_definition(CALL, instrument_class=dbn.InstrumentClass.STOCK)
    path = written(
        tmp_path, "mixed", header("definition", OPRA), [us_definition(CALL), withdrawn, stock]
    )
    [report] = import_databento([path], catalog)
    assert (report.read, report.kept) == (1, 1)
    assert "1 definitions that were withdrawn were left out." in report.notes
    assert "Defined besides, and not kept: 1 x stock." in report.notes


# --- open interest --------------------------------------------------------------------------------


def test_open_interest_is_kept_once_and_other_statistics_are_named(catalog, tmp_path):
    records = [
        statistic(CALL, OPENING + 1, 500),
        statistic(CALL, OPENING + 2, 500),
        statistic(PUT, OPENING + 3, 700),
        statistic(PUT, OPENING + 4, 9, dbn.StatType.CLEARED_VOLUME),
        statistic(PUT, OPENING + 5, 1, action=dbn.StatUpdateAction.DELETE),
    ]
    top = header("statistics", OPRA, numbers(CALL, PUT))
    [report] = import_databento([written(tmp_path, "statistics", top, records)], catalog)
    tape = catalog.read(key(TapeKind.OPEN_INTEREST, "AAPL"))
    assert tape.select("contract", "open_interest").rows() == [(CALL, 500.0), (PUT, 700.0)]
    assert at(tape["known_at"]) == [OPENING + 2, OPENING + 4]
    assert any("1 x cleared volume" in note for note in report.notes)
    assert "1 repetitions of a value on its day were left out." in report.notes


def test_an_undefined_open_interest_is_rejected(catalog, tmp_path):
    records = [
        statistic(CALL, OPENING + 1, dbn.UNDEF_STAT_QUANTITY),
        statistic(CALL, OPENING + 2, 5),
    ]
    path = written(tmp_path, "statistics", header("statistics", OPRA, numbers(CALL)), records)
    [report] = import_databento([path], catalog)
    assert (report.kept, report.rejected) == (1, {"MISSING_VALUE": 1})


def test_the_recorded_open_interest_is_published_before_the_opening(market_data, catalog):
    path = market_data / "databento" / OPRA / "test_data.statistics.dbn.zst"
    [report] = import_databento([path], catalog)
    [row] = catalog.read(report.key).iter_rows(named=True)
    assert (row["contract"], row["open_interest"]) == ("AAPL  250221C00250000", 57_924.0)
    assert row["known_at"] < datetime(2025, 2, 20, 14, 30, tzinfo=UTC)


# --- several files --------------------------------------------------------------------------------


def test_files_given_together_find_what_they_need(catalog, tmp_path):
    paths = [option_prints(tmp_path), option_definitions(tmp_path), stock_bars(tmp_path)]
    reports = import_databento(paths, catalog)
    kinds = [TapeKind.OPTION_DEFINITIONS, TapeKind.BARS, TapeKind.OPTION_TRADES]
    assert [each.key.kind for each in reports] == kinds
    assert catalog.check() == []


def test_a_file_is_imported_once(priced, tmp_path):
    path = option_prints(tmp_path)
    [first] = import_databento([path], priced)
    [again] = import_databento([path], priced)
    assert (first.already_imported, again.already_imported) == (False, True)
    assert priced.read(OPTION_TRADES).height == 30


def test_prices_may_come_from_another_catalog(priced, tmp_path):
    other = Catalog.create_or_open(tmp_path / "other")
    [report] = import_databento([option_prints(tmp_path)], other, prices=priced)
    assert (report.kept, report.rejected) == (30, {})


def test_trades_give_the_price_before_bars_do(priced, tmp_path):
    ticks = [trade("AAPL", OPENING + n * SECOND_NS, 300.0, 10, "B", 2) for n in range(300)]
    path = written(tmp_path, "ticks", header("trades", NASDAQ, numbers("AAPL")), ticks)
    *_, report = import_databento([path, option_prints(tmp_path)], priced)
    assert set(priced.read(OPTION_TRADES)["underlying_price"]) == {300.0}
    assert any("trades of AAPL on xnas" in note for note in report.notes)


def test_trades_of_another_time_leave_the_price_to_the_bars(priced, tmp_path):
    early = OPENING - DAY_NS
    path = written(
        tmp_path,
        "yesterday",
        header(
            "trades",
            NASDAQ,
            numbers("AAPL"),
            start=early,
            end=early + MINUTE_NS,
            days=(date(2025, 2, 19), date(2025, 2, 20)),
        ),
        [trade("AAPL", early + SECOND_NS, 300.0)],
    )
    *_, report = import_databento([path, option_prints(tmp_path)], priced)
    assert (report.kept, report.rejected) == (30, {})
    assert any("1 s bars of AAPL" in note for note in report.notes)


def test_the_same_print_twice_is_two_fills(priced, tmp_path):
    records = [tcbbo(CALL, OPENING + SECOND_NS, 1.0, 0.9, 1.1)] * 2
    path = written(tmp_path, "twice", header("tcbbo", OPRA, numbers(CALL)), records)
    [report] = import_databento([path], priced)
    assert (report.kept, report.null_ids, report.identical_without_id) == (2, 2, 1)
