"""Lean folders that are damaged: each bad file is refused by name, the others are imported."""

from __future__ import annotations

import zipfile

import pytest

from builders.lean_folders import (
    EVERY,
    MARGINS,
    OPEN_INTEREST,
    QUOTES,
    STOCK_TRADES,
    TRADES,
    UNIVERSE,
    bar,
    lean_folder,
    member,
    quote,
    write_archive,
)
from hedgeflow.market import DataError
from hedgeflow.sources import import_lean
from hedgeflow.sources.lean import Outcome

CALL_TRADES = member("trade", "call", 6450000, "20140606")
CALL_QUOTES = member("quote", "call", 6450000, "20140606")
GOOD = bar(0, 30000, 10)


@pytest.fixture
def folder(tmp_path):
    return lean_folder(tmp_path / "Lean")


@pytest.fixture
def refused(folder, catalog):
    """Return a function that imports the folder and returns reasons of refusal by path."""

    def run():
        report = import_lean(folder, catalog)
        return {each.path: each.reason for each in report.files if each.outcome is Outcome.REFUSED}

    return run


def only(reasons, path):
    assert set(reasons) == {path}
    return reasons[path]


@pytest.mark.parametrize("path", [TRADES, OPEN_INTEREST])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty (0 bytes). Download it again"),
        (b"no archive at all", "this is no zip archive, or it is damaged"),
    ],
)
def test_what_is_no_archive_is_refused_and_the_rest_is_imported(
    folder, refused, catalog, path, content, words
):
    (folder / path).write_bytes(content)
    assert words in only(refused(), path)
    assert len({made.key.kind for made in catalog.imports()}) == 5


def test_an_archive_that_is_cut_off_is_refused(folder, refused):
    whole = (folder / TRADES).read_bytes()
    (folder / TRADES).write_bytes(whole[: len(whole) // 2])
    assert "no zip archive, or it is damaged" in only(refused(), TRADES)


def test_an_archive_whose_content_was_changed_is_refused(folder, refused):
    content = bytearray((folder / TRADES).read_bytes())
    at = content.index(b"30000")
    content[at] ^= 1
    (folder / TRADES).write_bytes(content)
    assert "Bad CRC-32" in only(refused(), TRADES)


def test_an_archive_without_a_file_is_refused(folder, refused):
    with zipfile.ZipFile(folder / TRADES, "w"):
        pass
    assert "the archive holds no file" in only(refused(), TRADES)


@pytest.mark.parametrize(
    "name",
    [
        "readme.txt",
        CALL_TRADES.replace("20140606_aapl", "20140605_aapl"),  # another day
        CALL_TRADES.replace("aapl", "spy"),  # another stock
        CALL_TRADES.replace("trade", "quote"),
        CALL_TRADES.replace("minute", "second"),
        CALL_TRADES.replace("call", "option"),
        CALL_TRADES.replace("6450000", "645.0"),
        CALL_TRADES.removesuffix(".csv"),
        CALL_TRADES.replace(".csv", "_2.csv"),
    ],
)
def test_a_member_with_another_name_is_refused_by_name(folder, refused, name):
    write_archive(folder / TRADES, {name: [GOOD]})
    reason = only(refused(), TRADES)
    assert f"the archive holds '{name}', expected 20140606_aapl_minute_trade_" in reason


def test_a_member_of_a_stock_has_no_more_to_its_name(folder, refused):
    write_archive(folder / STOCK_TRADES, {"20140606_aapl_minute_trade_2.csv": [GOOD]})
    assert "expected 20140606_aapl_minute_trade.csv" in refused()[STOCK_TRADES]


def test_a_date_that_is_none_is_refused(folder, refused):
    write_archive(folder / TRADES, {CALL_TRADES.replace("20140606.csv", "20149906.csv"): [GOOD]})
    assert "'20149906' is no date" in only(refused(), TRADES)


def test_an_american_option_said_to_be_european_is_refused(folder, refused):
    write_archive(folder / TRADES, {CALL_TRADES.replace("american", "european"): [GOOD]})
    reason = only(refused(), TRADES)
    assert "says that AAPL  140606C00645000 is european, but its root is american" in reason


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([GOOD, "34260000,1,1,x,1,1"], "line 2: 'x' is no number"),
        ([GOOD, "34260000,1,1,1,1"], "line 2: the line has 5 columns, expected 6"),
        ([GOOD, "34260000,1,1,1,1,1,1"], "line 2: the line has 7 columns, expected 6"),
        ([GOOD, "34260000,1,1,1,1", "34320000,1,1,1,1,1,1"], "line 2: the line has 5 columns"),
        ([GOOD, "", bar(1, 30000, 1)], "line 2: the line has 1 columns, expected 6"),
        (["time,open,high,low,close,volume", GOOD], "line 1: 'time' is no whole number"),
        ([",1,1,1,1,1"], "line 1: '' is no whole number of milliseconds"),
        (["34200000.5,1,1,1,1,1"], "line 1: '34200000.5' is no whole number"),
        (["-60000,1,1,1,1,1"], "line 1: the time -60000 is outside the day"),
        (["86400000,1,1,1,1,1"], "line 1: the time 86400000 is outside the day"),
        ([bar(1, 1, 1), bar(0, 1, 1)], "line 2: the time 34200000 does not follow the time"),
        ([bar(1, 1, 1), bar(1, 1, 1)], "line 2: the time 34260000 does not follow the time"),
        (["34200001,1,1,1,1,1"], "line 1: the time 34200001 is not the start of a minute"),
    ],
)
def test_a_line_that_cannot_be_is_refused_by_its_place(folder, refused, lines, words):
    other = CALL_TRADES.replace("call", "put")
    write_archive(folder / TRADES, {CALL_TRADES: lines, other: [GOOD]})
    reason = only(refused(), TRADES)
    assert f"{CALL_TRADES}, {words}" in reason


def test_the_place_of_a_fault_is_counted_within_its_own_member(folder, refused):
    later = CALL_TRADES.replace("call", "put")
    write_archive(folder / TRADES, {CALL_TRADES: [GOOD, bar(1, 1, 1)], later: [GOOD, GOOD]})
    assert f"{later}, line 2: the time 34200000 does not follow" in only(refused(), TRADES)


def test_trades_wait_for_quotes_that_are_damaged_and_go_in_when_they_are_mended(
    folder, refused, catalog
):
    good = (folder / QUOTES).read_bytes()
    (folder / QUOTES).write_bytes(b"")
    reasons = refused()
    assert set(reasons) == {QUOTES, TRADES}
    assert f"it waits for {QUOTES}, which was refused" in reasons[TRADES]
    (folder / QUOTES).write_bytes(good)
    assert refused() == {}
    assert "option_trades" in {str(made.key.kind) for made in catalog.imports()}


def test_trades_wait_for_prices_that_are_damaged(folder, refused):
    (folder / STOCK_TRADES).write_bytes(b"PK")
    reasons = refused()
    assert set(reasons) == {STOCK_TRADES, TRADES}
    assert f"it waits for {STOCK_TRADES}" in reasons[TRADES]


def test_roots_of_one_day_wait_for_each_other(tmp_path, catalog):
    root = tmp_path / "Lean"
    line = "30600000,3700,3700,3700,3700,1"
    index = root / "index/usa/minute/spx/20210104_trade.zip"
    write_archive(index, {"20210104_spx_minute_trade.csv": [line]})
    paths = [
        f"indexoption/usa/minute/{each}/20210104_trade_european.zip" for each in ("spx", "spxw")
    ]
    name = "20210104_spx_minute_trade_european_call_37000000_20210115.csv"
    write_archive(root / paths[0], {name: [bar(0, 900000, 1)]})
    (root / paths[1]).parent.mkdir(parents=True)
    (root / paths[1]).write_bytes(b"")
    reasons = {each.path: each.reason for each in import_lean(root, catalog).files}
    assert f"it waits for {paths[1]}" in reasons[paths[0]]


def test_a_day_that_is_there_twice_is_refused_instead_of_counted_twice(folder, refused, catalog):
    double = f"{TRADES}.zip"
    (folder / double).write_bytes((folder / TRADES).read_bytes())
    assert "20140606_trade_american.zip beside it is the same day" in only(refused(), double)


def test_a_quote_of_another_width_is_refused(folder, refused):
    write_archive(folder / QUOTES, {CALL_QUOTES: [f"{quote(0, 1, 2)},5"]})
    assert "the line has 12 columns, expected 11" in refused()[QUOTES]


def test_a_month_that_is_none_is_no_layout(folder, catalog):
    path = "futureoption/cme/minute/es/202013/20200106_trade_american.zip"
    (folder / path).parent.mkdir(parents=True)
    (folder / path).touch()
    [found] = [each for each in import_lean(folder, catalog).files if each.path == path]
    assert (found.outcome, found.reason.split(":")[0]) == (Outcome.NOT_USED, "unknown layout")


def test_a_folder_that_is_none_is_refused(folder, catalog):
    with pytest.raises(DataError, match=r"there is no such folder\. Name the data folder"):
        import_lean(folder / "nowhere", catalog)
    with pytest.raises(DataError, match="this is a file, not a folder"):
        import_lean(folder / TRADES, catalog)


@pytest.mark.parametrize(
    "part", ["option", "option/usa", "option/usa/minute/aapl", "future/cme/margins"]
)
def test_a_part_of_a_folder_is_refused_and_the_whole_one_named(folder, catalog, part):
    with pytest.raises(DataError, match="this is a part of a Lean data folder") as caught:
        import_lean(folder / part, catalog)
    assert caught.value.hint == f"Name the whole folder, {folder}"
    assert catalog.imports() == []


def test_the_folder_above_is_refused_and_the_right_one_named(folder, catalog):
    with pytest.raises(DataError, match="no Lean data folder, but one lies in it") as caught:
        import_lean(folder.parent, catalog)
    assert caught.value.hint == f"Name {folder}"


def test_another_kind_of_folder_is_refused_with_what_it_holds_and_what_is_expected(
    tmp_path, catalog
):
    other = tmp_path / "photos"
    other.mkdir()
    with pytest.raises(DataError, match="it holds nothing"):
        import_lean(other, catalog)
    for number in range(7):
        (other / f"{number}.jpg").touch()
    with pytest.raises(DataError, match=r"it holds 0\.jpg, 1\.jpg, .* …\. Expected are folders"):
        import_lean(other, catalog)


def test_a_folder_of_which_nothing_can_be_used_is_refused(tmp_path, catalog):
    path = tmp_path / "Lean/equity/usa/daily/aapl.zip"
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(DataError, match="none of its 1 files can be used, as equity/usa/daily"):
        import_lean(tmp_path / "Lean", catalog)


def test_whatever_is_damaged_every_file_is_accounted_for(folder, catalog):
    for path in EVERY:
        (folder / path).write_bytes(b"")
    report = import_lean(folder, catalog)
    assert {each.path for each in report.files} == set(EVERY)
    damaged = {each.path for each in report.files if each.outcome is Outcome.REFUSED}
    assert damaged == set(EVERY) - {MARGINS}
    assert "is empty" in next(each.reason for each in report.files if each.path == UNIVERSE)
    assert catalog.imports() == []
