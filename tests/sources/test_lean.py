"""Lean folders: what each file becomes, what is known when, and the account of every file."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from builders.lean_folders import (
    CALL,
    EVERY,
    MARGINS,
    OPEN_INTEREST,
    PUT,
    QUOTES,
    SATURDAY,
    STOCK_QUOTES,
    STOCK_TRADES,
    TRADES,
    UNIVERSE,
    bar,
    bars,
    lean_folder,
    member,
    quote,
    write_archive,
)
from hedgeflow.market import Catalog, TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns, moment_of
from hedgeflow.sources import import_lean
from hedgeflow.sources.lean import Outcome

OPEN = datetime(2014, 6, 6, 13, 30, tzinfo=UTC)
CLOSE = datetime(2014, 6, 6, 20, tzinfo=UTC)
MONDAY_IN_LONDON = datetime(2013, 10, 7, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return lean_folder(tmp_path / "Lean")


@pytest.fixture
def catalog(tmp_path):
    return Catalog.create_or_open(tmp_path / "elsewhere" / "catalog")


@pytest.fixture
def empty(tmp_path):
    """Return a folder of its own."""
    path = tmp_path / "Lean"
    path.mkdir()
    return path


@pytest.fixture
def imported(folder, catalog):
    """Return a function that imports the folder and returns its files' reports by path."""

    def run(**options):
        report = import_lean(folder, catalog, **options)
        return {each.path: each for each in report.files}

    return run


def key(kind, instrument="AAPL", *, underlying="AAPL", venue="usa", resolution_ns=MINUTE_NS):
    return TapeKey(kind, venue, underlying, instrument, resolution_ns)


def at(minute):
    return OPEN + timedelta(minutes=minute)


def test_every_file_is_accounted_for_by_name(folder, catalog):
    report = import_lean(folder, catalog)
    assert [each.path for each in report.files] == sorted(EVERY)
    assert {each.path for each in report.files if each.outcome is Outcome.NOT_USED} == {MARGINS}
    assert report.count(Outcome.IMPORTED) == len(EVERY) - 1
    tapes = {each.path: each.kinds for each in report.files}
    assert tapes == {
        STOCK_TRADES: ("bars",),
        STOCK_QUOTES: ("hedge_quotes",),
        TRADES: ("option_trades",),
        QUOTES: ("option_quotes",),
        OPEN_INTEREST: ("open_interest",),
        UNIVERSE: ("option_days",),
        MARGINS: (),
    }


def test_rows_read_are_kept_rejected_repeated_or_empty(folder, catalog):
    report = import_lean(folder, catalog)
    assert report.read == report.kept + sum(report.rejected.values()) + report.empty
    assert (report.read, report.kept, report.empty) == (42, 38, 4)
    assert sum(each.kept for each in catalog.imports()) == report.kept


def test_a_minute_bar_of_an_option_is_one_print_at_its_close(imported, catalog):
    imported()
    tape = catalog.read(key(TapeKind.OPTION_TRADES))
    assert tape.drop("sequence").schema == tape_schema(TapeKind.OPTION_TRADES)
    assert tape.select("ts", "contract", "price", "lots").rows() == [
        (at(0), CALL, 3.0, 10),
        (at(2), CALL, 3.1, 20),
        (at(2), PUT, 2.9, 7),
        (at(3), SATURDAY, 5.0, 1),
        (at(10), CALL, 3.2, 5),
    ]
    assert (tape["known_at"] - tape["ts"]).unique().to_list() == [timedelta(minutes=1)]
    assert tape["aggressor"].unique().to_list() == [0]
    assert tape["iv"].null_count() == tape["trade_id"].null_count() == 5


def test_the_underlying_price_is_the_close_of_the_prints_own_minute(imported, catalog):
    imported()
    tape = catalog.read(key(TapeKind.OPTION_TRADES))
    assert tape["underlying_price"].to_list() == [645.0, 645.2, 645.2, 645.3, 646.0]


def test_quotes_are_those_of_minutes_that_ended_before_the_print_began(imported, catalog):
    imported()
    tape = catalog.read(key(TapeKind.OPTION_TRADES)).filter(pl.col("contract") == CALL)
    assert tape.select("bid", "ask").rows() == [(None, None), (None, 3.15), (3.18, 3.22)]


def test_a_crossed_quote_prevails_as_no_quote(folder, imported, catalog):
    call = member("quote", "call", 6450000, "20140606")
    write_archive(folder / QUOTES, {call: [quote(0, 29000, 31000), quote(5, 33000, 32000)]})
    files = imported(accept_rejects=True)
    assert files[QUOTES].rejected == {"CROSSED_QUOTE": 1}
    tape = catalog.read(key(TapeKind.OPTION_TRADES)).filter(pl.col("contract") == CALL)
    assert tape.select("bid", "ask").rows() == [(None, None), (2.9, 3.1), (None, None)]


def test_without_quotes_prints_have_none(folder, imported, catalog):
    (folder / QUOTES).unlink()
    imported()
    tape = catalog.read(key(TapeKind.OPTION_TRADES))
    assert tape["bid"].null_count() == tape["ask"].null_count() == tape.height == 5


def test_contracts_are_named_as_opra_does_and_a_saturday_means_friday(imported, catalog):
    imported()
    terms = {row["contract"]: row for row in catalog.contracts("usa", "AAPL").to_dicts()}
    assert set(terms) == {CALL, PUT, SATURDAY}
    assert (terms[CALL]["strike"], terms[CALL]["right"], terms[CALL]["style"]) == (
        645.0,
        "C",
        "american",
    )
    assert terms[SATURDAY]["expiry"] == datetime(2014, 6, 20, 20, tzinfo=UTC)


def test_option_quotes_keep_a_missing_side_as_null_and_count_rows_without_any(imported, catalog):
    files = imported()
    assert (files[QUOTES].read, files[QUOTES].kept, files[QUOTES].empty) == (5, 4, 1)
    tape = catalog.read(key(TapeKind.OPTION_QUOTES)).filter(pl.col("contract") == CALL)
    assert tape.select("ts", "bid", "ask", "bid_size", "ask_size").rows() == [
        (at(0), 2.9, 3.1, 11.0, 12.0),
        (at(1), None, 3.15, None, 12.0),
        (at(9), 3.18, 3.22, 11.0, 12.0),
    ]


def test_hedge_quotes_need_both_sides(imported, catalog):
    files = imported()
    assert (files[STOCK_QUOTES].kept, files[STOCK_QUOTES].empty) == (5, 1)
    tape = catalog.read(key(TapeKind.HEDGE_QUOTES))
    assert tape.select("bid", "ask").unique().rows() == [(644.99, 645.01)]


def test_bars_of_a_stock_are_divided_by_10_000_and_count_shares(imported, catalog):
    imported()
    tape = catalog.read(key(TapeKind.BARS))
    assert tape.row(1)[:7] == (at(1), at(2), 645.1, 645.2, 645.0, 645.1, 1001.0)


def test_open_interest_is_known_a_minute_after_its_stamp(imported, catalog):
    imported()
    tape = catalog.read(key(TapeKind.OPEN_INTEREST))
    stamp = datetime(2014, 6, 6, 10, 30, tzinfo=UTC)
    assert tape.select("ts", "known_at", "contract", "open_interest").rows() == [
        (stamp, stamp + timedelta(minutes=1), CALL, 1000.0),
        (stamp, stamp + timedelta(minutes=1), PUT, 0.0),
    ]


def test_open_interest_alone_brings_the_terms_of_its_contracts(folder, imported, catalog):
    for content in ("trade", "quote"):
        for path in folder.rglob(f"*_{content}_american.zip"):
            path.unlink()
    for path in folder.rglob("universes/**/*.csv"):
        path.unlink()
    imported()
    assert catalog.read(key(TapeKind.OPEN_INTEREST))["contract"].to_list() == [CALL, PUT]
    assert set(catalog.contracts("usa", "AAPL")["contract"]) == {CALL, PUT}


def test_a_universe_becomes_option_days_known_when_its_open_interest_is_public(imported, catalog):
    files = imported()
    assert (files[UNIVERSE].read, files[UNIVERSE].kept, files[UNIVERSE].empty) == (4, 2, 2)
    tape = catalog.read(key(TapeKind.OPTION_DAYS, resolution_ns=DAY_NS))
    assert tape["ts"].unique().to_list() == [OPEN - timedelta(days=1)]
    assert tape["known_at"].unique().to_list() == [datetime(2014, 6, 6, 10, 30, tzinfo=UTC)]
    values = tape.select("contract", "lots", "open_interest", "close", "iv", "delta").rows()
    assert values == [
        (CALL, 400, 1000.0, 2.9, 0.25, 0.4),
        (PUT, 0, None, 3.1, None, None),
    ]
    assert catalog.coverage(key(TapeKind.OPTION_DAYS, resolution_ns=DAY_NS)).intervals == [
        (instant_ns(OPEN - timedelta(days=1)), instant_ns(CLOSE - timedelta(days=1)))
    ]


def test_a_day_file_covers_its_whole_session_so_that_missing_minutes_are_silence(imported, catalog):
    imported()
    session = [(instant_ns(OPEN), instant_ns(CLOSE))]
    for kind in (TapeKind.OPTION_TRADES, TapeKind.OPTION_QUOTES, TapeKind.BARS):
        assert catalog.coverage(key(kind)).intervals == session


def test_coverage_reaches_beyond_the_session_only_as_far_as_the_rows(folder, imported, catalog):
    lines = [f"14400000,{bars(6450000)},1", f"71940000,{bars(6450000)},1"]
    write_archive(folder / STOCK_TRADES, {"20140606_aapl_minute_trade.csv": lines})
    imported()
    [(start, end)] = catalog.coverage(key(TapeKind.BARS)).intervals
    assert moment_of(start) == datetime(2014, 6, 6, 8, tzinfo=UTC)
    assert moment_of(end) == datetime(2014, 6, 7, tzinfo=UTC)


def test_prints_before_the_first_underlying_price_are_rejected(folder, imported):
    lines = [bar(3, 6450000, 100)]
    write_archive(folder / STOCK_TRADES, {"20140606_aapl_minute_trade.csv": lines})
    files = imported()
    assert files[TRADES].rejected == {"NO_UNDERLYING_PRICE": 3}
    assert files[TRADES].kept == 2


def test_without_any_underlying_price_trades_are_not_used_and_the_day_is_named(folder, imported):
    (folder / STOCK_TRADES).unlink()
    files = imported()
    assert files[TRADES].outcome is Outcome.NOT_USED
    assert files[TRADES].reason == "no underlying prices of AAPL on 2014-06-06"
    assert files[QUOTES].outcome is Outcome.IMPORTED


def test_the_closing_minute_still_trades_what_expires_then_and_the_next_does_not(folder, imported):
    name = member("trade", "call", 6450000, "20140606")
    write_archive(folder / TRADES, {name: [bar(390, 3000, 1), bar(391, 3000, 1)]})
    files = imported()
    assert files[TRADES].rejected == {"AFTER_EXPIRY": 1}
    assert files[TRADES].kept == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (bar(0, 0, 1), "NON_POSITIVE_PRICE"),
        (bar(0, -30000, 1), "NON_POSITIVE_PRICE"),
        (bar(0, 30000, 0), "NON_POSITIVE_QUANTITY"),
        (bar(0, 30000, 0.5), "FRACTIONAL_LOT"),
        (f"34200000,{bars(30000)},", "MISSING_VALUE"),
    ],
)
def test_prints_that_cannot_be_are_rejected_with_their_reason(folder, imported, line, reason):
    write_archive(folder / TRADES, {member("trade", "call", 6450000, "20140606"): [line]})
    assert imported()[TRADES].rejected == {reason: 1}


def test_the_same_folder_again_writes_nothing_and_reports_the_same(folder, catalog):
    first = import_lean(folder, catalog)
    made = catalog.imports()
    again = import_lean(folder, catalog)
    assert again.files == first.files
    assert all(each.already_imported for each in again.imports)
    assert catalog.imports() == made


def test_the_same_folder_elsewhere_is_the_same_source(folder, catalog, tmp_path):
    import_lean(folder, catalog)
    moved = shutil.move(folder, tmp_path / "moved")
    assert all(each.already_imported for each in import_lean(moved, catalog).imports)


def test_a_new_day_is_added_to_what_is_there(folder, imported, catalog):
    imported()
    for path in (STOCK_TRADES, TRADES):
        with_day = path.replace("20140606", "20140605")
        name = member("trade", "call", 6450000, "20140606", day="20140605")
        stock = "20140605_aapl_minute_trade.csv"
        content = {stock: [bar(0, 6400000, 10)]} if path == STOCK_TRADES else {name: [bar(0, 9, 1)]}
        write_archive(folder / with_day, content)
    imported()
    assert catalog.summary(key(TapeKind.OPTION_TRADES)).rows == 6
    assert len(catalog.coverage(key(TapeKind.OPTION_TRADES)).intervals) == 2


def test_a_root_that_comes_later_is_refused_because_nothing_tells_its_prints_apart(
    folder, imported
):
    imported()
    name = member("trade", "call", 6450000, "20140606")
    write_archive(folder / TRADES, {name: [bar(7, 30000, 1)]})
    files = imported()
    assert files[TRADES].outcome is Outcome.REFUSED
    assert "another import of this tape covers" in files[TRADES].reason


def test_quotes_that_come_later_are_not_passed_over_in_silence(folder, imported):
    quotes = (folder / QUOTES).read_bytes()
    (folder / QUOTES).unlink()
    imported()
    (folder / QUOTES).write_bytes(quotes)
    files = imported()
    assert files[QUOTES].outcome is Outcome.IMPORTED
    assert files[TRADES].outcome is Outcome.REFUSED


def test_progress_counts_files(folder, catalog):
    seen = []
    import_lean(folder, catalog, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, len(EVERY)) for number in range(1, len(EVERY) + 1)]


# --- futures and their options ------------------------------------------------------------------


def future(folder, content, months, *, day="20131006"):
    return write_archive(
        folder / f"future/cme/minute/es/{day}_{content}.zip",
        {f"{day}_es_minute_{content}_{month}.csv": lines for month, lines in months.items()},
    )


def test_each_month_of_a_future_is_an_instrument_in_underlying_units(empty, catalog):
    future(empty, "trade", {"201312": [f"79200000,{bars(1676.75)},10"], "201403": []})
    future(empty, "openinterest", {"201312": ["72360000,2691941"]})
    report = import_lean(empty, catalog)
    bars_key = key(TapeKind.BARS, "ESZ13", underlying="ES", venue="cme")
    [row] = catalog.read(bars_key).to_dicts()
    assert (row["close"], row["volume"]) == (1676.75, 500.0)
    assert row["ts"] == datetime(2013, 10, 6, 22, tzinfo=UTC)
    interest = catalog.read(key(TapeKind.OPEN_INTEREST, "ESZ13", underlying="ES", venue="cme"))
    assert interest["contract"].to_list() == ["ESZ13"]
    assert len(report.imports) == 2


def test_a_sunday_file_covers_only_its_own_part_of_the_session(empty, catalog):
    future(empty, "trade", {"201312": [f"79200000,{bars(1676.75)},10"]})
    import_lean(empty, catalog)
    covered = catalog.coverage(key(TapeKind.BARS, "ESZ13", underlying="ES", venue="cme"))
    assert covered.intervals == [
        (instant_ns(MONDAY_IN_LONDON - timedelta(hours=2)), instant_ns(MONDAY_IN_LONDON))
    ]


def test_options_on_futures_take_the_price_of_their_own_month(empty, catalog):
    months = {"202003": [f"0,{bars(3220)},1"], "202006": [f"0,{bars(3225)},1"]}
    future(empty, "trade", months, day="20200106")
    for month, expiry in (("202003", "20200320"), ("202006", "20200619")):
        name = member("trade", "call", 32000000, expiry, root="es", day="20200106")
        write_archive(
            empty / f"futureoption/cme/minute/es/{month}/20200106_trade_american.zip",
            {name: [f"0,{bars(50.25)},3"]},
        )
    report = import_lean(empty, catalog)
    tape_key = key(TapeKind.OPTION_TRADES, "ES", underlying="ES", venue="cme")
    tape = catalog.read(tape_key)
    assert tape.select("contract", "price", "lots", "underlying_price").rows() == [
        ("ESH20 C3200", 50.25, 3, 3220.0),
        ("ESM20 C3200", 50.25, 3, 3225.0),
    ]
    assert [each.kept for each in report.files if "futureoption" in each.path] == [1, 1]
    assert len([made for made in catalog.imports() if made.key == tape_key]) == 1
    terms = catalog.contracts("cme", "ES")
    assert terms.select("multiplier", "style", "settlement").unique().rows() == [
        (50.0, "american", "physical")
    ]
    quarterly_open = datetime(2020, 3, 20, 13, 30, tzinfo=UTC)
    assert terms["expiry"].to_list()[0] == quarterly_open


def test_weekly_options_on_futures_of_one_month_are_told_apart_by_their_date(empty, catalog):
    future(empty, "trade", {"202003": [f"0,{bars(3220)},1"]}, day="20200106")
    names = [
        member("trade", "call", 32000000, expiry, root="es", day="20200106")
        for expiry in ("20200313", "20200320", "20200331")
    ]
    write_archive(
        empty / "futureoption/cme/minute/es/202003/20200106_trade_american.zip",
        {name: [f"0,{bars(50.25)},3"] for name in names},
    )
    import_lean(empty, catalog)
    terms = catalog.contracts("cme", "ES")
    assert terms["contract"].to_list() == ["ES200313 C3200", "ESH20 C3200", "ES200331 C3200"]
    assert terms["expiry"].dt.hour().to_list() == [20, 13, 20]


def test_options_on_a_month_without_prices_are_not_used(empty, catalog):
    future(empty, "trade", {"202003": [f"0,{bars(3220)},1"]}, day="20200106")
    name = member("trade", "call", 32000000, "20200619", root="es", day="20200106")
    write_archive(
        empty / "futureoption/cme/minute/es/202006/20200106_trade_american.zip",
        {name: [f"0,{bars(50)},3"]},
    )
    report = import_lean(empty, catalog)
    assert [each.reason for each in report.files if each.outcome is Outcome.NOT_USED] == [
        "no underlying prices of ESM20 on 2020-01-06"
    ]


# --- indices ------------------------------------------------------------------------------------


def index_day(folder, *, roots=("spx", "spxw"), day="20210104"):
    write_archive(
        folder / f"index/usa/minute/spx/{day}_trade.zip",
        {f"{day}_spx_minute_trade.csv": [f"30600000,{bars(3764.61)},59"]},
    )
    for root in roots:
        name = f"{day}_{root}_minute_trade_european_call_37000000_20210115.csv"
        write_archive(
            folder / f"indexoption/usa/minute/{root}/{day}_trade_european.zip",
            {name: [f"34200000,{bars(900000)},2"]},
        )


def test_an_index_is_written_in_chicago_unscaled_and_trades_nothing(empty, catalog):
    index_day(empty, roots=())
    import_lean(empty, catalog)
    [row] = catalog.read(key(TapeKind.BARS, "SPX", underlying="SPX")).to_dicts()
    assert row["ts"] == datetime(2021, 1, 4, 14, 30, tzinfo=UTC)
    assert (row["close"], row["volume"]) == (3764.61, 0.0)


def test_spx_and_spxw_of_a_day_are_one_import_and_expire_apart(empty, catalog):
    index_day(empty)
    import_lean(empty, catalog)
    tape_key = key(TapeKind.OPTION_TRADES, "SPX", underlying="SPX")
    assert catalog.read(tape_key)["underlying_price"].to_list() == [3764.61, 3764.61]
    assert len([made for made in catalog.imports() if made.key == tape_key]) == 1
    terms = catalog.contracts("usa", "SPX")
    expiries = dict(terms.select("contract", "expiry").iter_rows())
    assert expiries == {
        "SPX   210115C03700000": datetime(2021, 1, 15, 14, 30, tzinfo=UTC),
        "SPXW  210115C03700000": datetime(2021, 1, 15, 21, tzinfo=UTC),
    }


def test_a_volume_that_cannot_be_is_not_used(folder, imported):
    write_archive(
        folder / OPEN_INTEREST,
        {member("openinterest", "call", 6500000, "20140621"): ["23400000,10000"]},
    )
    name = member("trade", "call", 6500000, "20140621")
    write_archive(folder / TRADES, {name: [bar(0, 50000, 300_000), bar(1, 50000, 200_001)]})
    file = imported()[TRADES]
    assert file.outcome is Outcome.NOT_USED
    assert "500,001 contracts" in file.reason
    assert "10,000 open" in file.reason


@pytest.mark.parametrize("expiry", ["20140606", "20140621"])
def test_a_volume_of_fifty_times_the_open_interest_can_be(folder, imported, expiry):
    name = member("openinterest", "call", 6500000, expiry)
    write_archive(folder / OPEN_INTEREST, {name: ["23400000,10000"]})
    volume = 500_000 if expiry == "20140621" else 900_000
    trades = {member("trade", "call", 6500000, expiry): [bar(0, 50000, volume)]}
    write_archive(folder / TRADES, trades)
    assert imported()[TRADES].outcome is Outcome.IMPORTED
