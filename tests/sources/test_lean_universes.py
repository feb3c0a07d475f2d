"""Universes are believed only where the folder's own day files do not contradict them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from builders.lean_folders import (
    HEADER,
    STOCK_TRADES,
    TRADES,
    UNIVERSE,
    bar,
    bars,
    lean_folder,
    member,
    write_archive,
    write_text,
)
from hedgeflow.market import TapeKey, TapeKind
from hedgeflow.market.time import DAY_NS
from hedgeflow.sources import import_lean
from hedgeflow.sources.lean import Outcome

DAYS = TapeKey(TapeKind.OPTION_DAYS, "usa", "AAPL", "AAPL", DAY_NS)
SAME_DAY = UNIVERSE.replace("20140605", "20140606")


@pytest.fixture
def folder(tmp_path):
    return lean_folder(tmp_path / "Lean")


@pytest.fixture
def imported(folder, catalog):
    """Return a function that writes a universe and returns the report of its file."""

    def run(*lines, path=UNIVERSE):
        write_text(folder / path, lines)
        report = import_lean(folder, catalog)
        return next(each for each in report.files if each.path == path)

    return run


def test_a_universe_on_another_scale_is_refused_as_split_adjusted(imported):
    file = imported(
        HEADER, ",,,92.1,92.5,91.9,92.2,1000,,,", "20140606,92.14,C,1,1,1,1,5,9,0.2,0.5"
    )
    assert file.outcome is Outcome.NOT_USED
    assert "another scale (split-adjusted?): AAPL at 92.2, but 646.9" in file.reason


def test_a_universe_with_the_underlying_of_a_later_day_is_known_too_early(imported):
    row = ",,,645,647,644.9,646.9,1000,,,"
    file = imported(HEADER, row, "20140606,645,C,9,9,9,9,400,1000,0.25,0.4")
    assert file.outcome is Outcome.NOT_USED
    assert "its date is contradicted: its AAPL row is that of 2014-06-06" in file.reason


def test_a_universe_of_its_own_day_may_have_that_days_underlying(imported):
    row = ",,,645,647,644.9,646.9,1000,,,"
    contracts = (
        "20140606,645,C,3.0,3.2,3.0,3.2,35,1000,0.25,0.4",
        "20140606,645,P,2.9,2.9,2.9,2.9,7,,0.25,-0.5",
        "20140621,650,C,5,5,5,5,1,,0.25,0.5",
    )
    assert imported(HEADER, row, *contracts, path=SAME_DAY).kept == 3


def test_a_universe_with_the_prices_of_a_later_days_trades_is_known_too_early(imported):
    contracts = (
        "20140606,645,C,3.0,3.2,3.0,3.2,400,1000,0.25,0.4",
        "20140606,645,P,2.9,2.9,2.9,2.9,7,,0.25,-0.5",
    )
    file = imported(HEADER, *contracts)
    assert file.outcome is Outcome.NOT_USED
    assert "the volume of 2014-06-06, a later session, of 2 of 2 contracts" in file.reason


def test_a_universe_that_does_not_know_its_own_days_trades_is_not_believed(imported):
    contracts = (
        "20140606,645,C,8.0,8.2,8.0,8.2,400,1000,0.25,0.4",
        "20140606,645,P,2.9,2.9,2.9,2.9,0,,0.25,-0.5",
    )
    file = imported(HEADER, *contracts, path=SAME_DAY)
    assert file.outcome is Outcome.NOT_USED
    assert "of 2 contracts that traded on 2014-06-06, it has the first price" in file.reason


def test_without_day_files_near_it_the_date_in_the_name_is_believed(imported, catalog):
    path = UNIVERSE.replace("20140605", "20140425")
    file = imported(HEADER, ",,,92,93,91,92.2,9,,,", "20140606,645,C,3,3,3,3,4,9,0,0", path=path)
    assert file.outcome is Outcome.IMPORTED
    opens = datetime(2014, 4, 25, 13, 30, tzinfo=UTC)
    [row] = [row for row in catalog.read(DAYS).to_dicts() if row["ts"] == opens]
    assert row["known_at"] == datetime(2014, 4, 28, 10, 30, tzinfo=UTC)  # a Friday's on Monday


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([HEADER, "20140606,645,C,0,0,0,0,0,,0,0"], "no contract in it has a volume"),
        (["#symbol_id,symbol_value,open,high", "AAPL X,AAPL,1,1"], "its columns are symbol_id"),
    ],
)
def test_a_universe_without_anything_to_use_says_so(imported, lines, words):
    file = imported(*lines)
    assert (file.outcome, file.kept) == (Outcome.NOT_USED, 0)
    assert words in file.reason


def test_a_universe_of_a_day_without_a_session_is_not_used(imported):
    path = UNIVERSE.replace("20140605", "20140607")
    file = imported(HEADER, "20140613,645,C,3,3,3,3,4,9,0,0", path=path)
    assert file.reason == "2014-06-07 is no session of XNYS"


def test_a_universe_without_volatilities_is_read(imported, catalog):
    header = HEADER.removesuffix(",implied_volatility,delta")
    assert imported(header, "20140606,645,C,9,9,9,9,4,").kept == 1
    assert catalog.read(DAYS).select("lots", "iv", "delta").rows() == [(4, None, None)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "the file is empty"),
        ([HEADER, "20140606,645,C,x,9,9,9,4,,0,0"], "line 2, column open: 'x' is no number"),
        ([HEADER, "20140606,645,Q,9,9,9,9,4,,0,0"], "'Q' is no right, expected C or P"),
        ([HEADER, "20149906,645,C,9,9,9,9,4,,0,0"], "'20149906' is no date"),
        ([HEADER, "20140606,645,C,9,9,9,9,4,,0,0,1,2"], "the CSV file cannot be read"),
        ([HEADER, "20140606,645.00005,C,9,9,9,9,4,,0,0"], "finer than a symbol can say"),
    ],
)
def test_a_damaged_universe_is_refused_by_place(imported, lines, words):
    file = imported(*lines)
    assert file.outcome is Outcome.REFUSED
    assert words in file.reason


def test_a_fraction_of_a_contract_is_rejected(imported):
    file = imported(HEADER, "20140606,645,C,9,9,9,9,4.5,,0,0", "20140606,650,C,9,9,9,9,4,,0,0")
    assert (file.rejected, file.kept) == ({"FRACTIONAL_LOT": 1}, 1)


def test_the_nearest_earlier_day_is_what_the_scale_is_compared_with(folder, imported):
    for day, price in (("20140604", 640), ("20140606", 92)):
        path = STOCK_TRADES.replace("20140606", day)
        line = f"34200000,{bars(price * 10_000)},5"
        write_archive(folder / path, {f"{day}_aapl_minute_trade.csv": [line]})
    (folder / TRADES).unlink()
    row = ",,,641,642,640,641,1000,,,"
    assert imported(HEADER, row, "20140606,645,C,9,9,9,9,4,,0,0").outcome is Outcome.IMPORTED


def test_the_same_bytes_on_two_days_are_two_sessions(folder, imported, catalog):
    lines = [HEADER, "20140606,645,C,9,9,9,9,4,,0,0"]
    write_text(folder / UNIVERSE.replace("20140605", "20140604"), lines)
    imported(*lines)
    assert catalog.read(DAYS)["ts"].n_unique() == 2


def test_two_roots_of_one_index_fill_one_tape(tmp_path, catalog):
    for root, strike in (("spx", 3700), ("spxw", 3710)):
        write_text(
            tmp_path / f"Lean/indexoption/usa/universes/{root}/20210104.csv",
            [HEADER, f"20210115,{strike},C,9,9,9,9,4,,0.2,0.5"],
        )
    report = import_lean(tmp_path / "Lean", catalog)
    assert [each.kept for each in report.files] == [1, 1]
    tape = catalog.read(TapeKey(TapeKind.OPTION_DAYS, "usa", "SPX", "SPX", DAY_NS))
    assert tape["contract"].to_list() == ["SPX   210115C03700000", "SPXW  210115C03710000"]


def test_a_member_that_trades_nowhere_else_is_no_evidence(folder, imported):
    """Contracts that only one of the two files knows say nothing about the date."""
    name = member("trade", "call", 7000000, "20140606")
    write_archive(folder / TRADES, {name: [bar(0, 100, 1)]})
    assert imported(HEADER, "20140606,645,C,3,3,3,3,4,,0,0").outcome is Outcome.IMPORTED
