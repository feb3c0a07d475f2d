"""Databento's days are priced, bought once and imported whole; or nothing is bought."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import signal
import subprocess
import time
import traceback
from datetime import UTC, date, datetime

import databento_dbn as dbn
import pytest
from typer.testing import CliRunner

from builders.dbn_files import CALL, CME, NASDAQ, NUMBERS_OF_OPTIONS, OPRA, statistic
from builders.fetched import HASTY, tree
from builders.program import PROGRAM
from builders.stopping import Stop, StoppingCatalog
from hedgeflow.cli.app import app
from hedgeflow.market import Catalog, CatalogError, DataError, TapeKey, TapeKind
from hedgeflow.market.errors import HedgeflowError
from hedgeflow.market.time import DAY_NS, SECOND_NS
from hedgeflow.market.transactions import locked
from hedgeflow.sources import DatabentoOrder, fetch_databento
from hedgeflow.sources.databento import read_dbn
from hedgeflow.sources.download import DownloadError
from hedgeflow.sources.fetching import DOWNLOADS
from hedgeflow.sources.keys import ApiKey
from sources.databento_server import (
    COST,
    COUNT,
    DOWNLOAD,
    KEY,
    RECORDS,
    SESSIONS,
    USD_A_RECORD,
    DatabentoServer,
    file_of,
    packed,
    refused,
    start_ns,
    stock_and_options,
)
from sources.file_server import PASSING, serving

FRIDAY, MONDAY, TUESDAY = SESSIONS
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
PRINTS = TapeKey(TapeKind.OPTION_TRADES, "opra", "AAPL", "AAPL", 1)
STOCK = DatabentoOrder(NASDAQ, ("ohlcv-1s",), ("AAPL",), "raw_symbol", FRIDAY, TUESDAY)
OPTIONS = DatabentoOrder(OPRA, ("tcbbo",), ("AAPL.OPT",), "parent", FRIDAY, TUESDAY)
DAY_USD = RECORDS * USD_A_RECORD


@pytest.fixture
def server():
    return stock_and_options()


@pytest.fixture
def catalog(tmp_path):
    """Return a catalog that knows the stock's price on the days of sessions."""
    made = Catalog.create_or_open(tmp_path / "catalog")
    fetch(stock_and_options(), made, STOCK)
    return made


def fetch(server, catalog, order=OPTIONS, **options):
    """Download from a server that is up as long as the download takes, or from a given URL."""
    asked = {
        "key": ApiKey(KEY), "clock": lambda: NOW, "rng": random.Random(1), "max_cost_usd": 100.0,
        "rate_per_second": 1e4, "patience": HASTY,
    } | options  # fmt: skip
    if "url" in asked:
        return fetch_databento(catalog, order, **asked)
    with serving(server) as url:
        return fetch_databento(catalog, order, url=url, **asked)


def changed(order, **changes):
    fields = {name: getattr(order, name) for name in order.__dataclass_fields__}
    return DatabentoOrder(**fields | changes)


# --- what becomes of days -----------------------------------------------------------------------


def test_days_become_tapes_that_cover_each_day_whole(server, catalog):
    fetched = fetch(server, catalog)
    assert [day.day for day in fetched.days] == [str(date(2025, 2, 14 + n)) for n in range(5)]
    rows = catalog.read(PRINTS)
    assert rows.height == 3 * RECORDS
    assert rows["contract"].to_list()[:1] == [CALL]
    assert rows["price"].to_list()[:2] == [1.0, 1.01]
    assert catalog.coverage(PRINTS).intervals == [
        (start_ns(FRIDAY), start_ns(FRIDAY) + DAY_NS),
        (start_ns(MONDAY), start_ns(TUESDAY) + DAY_NS),
    ]
    assert not list((catalog.path / DOWNLOADS).rglob("*.dbn.zst*"))


def test_days_without_a_session_are_passed_over_and_told(server, catalog):
    days = fetch(server, catalog).days
    assert [(day.day, day.empty) for day in days if day.empty] == [
        ("2025-02-15", ("tcbbo",)),
        ("2025-02-16", ("tcbbo",)),
    ]
    assert len(server.of(DOWNLOAD)) == 3


def test_requests_are_those_of_databentos_own_client(server, catalog):
    fetch(server, catalog, changed(OPTIONS, last=FRIDAY))
    bounds = {"start": str(start_ns(FRIDAY)), "end": str(start_ns(FRIDAY) + DAY_NS)}
    asked = {"dataset": OPRA, "symbols": "AAPL.OPT", "schema": "tcbbo", "stype_in": "parent"}
    [count], [download] = server.of(COUNT), server.of(DOWNLOAD)
    assert count.form == asked | bounds
    assert server.of(COST)[0].form == asked | bounds | {"stype_out": "instrument_id"}
    assert download.form == asked | bounds | {
        "stype_out": "instrument_id", "encoding": "dbn", "compression": "zstd",
    }  # fmt: skip
    assert {each.method for each in server.asked} == {"POST"}


def test_days_that_are_there_are_not_asked_for_again(server, catalog):
    fetch(server, catalog, changed(OPTIONS, last=FRIDAY))
    before = tree(catalog.path)
    again = stock_and_options()
    fetched = fetch(again, catalog, changed(OPTIONS, last=FRIDAY), max_cost_usd=0.0)
    assert again.asked == []
    assert (fetched.quote.cost_usd, fetched.spent_usd) == (0.0, 0.0)
    [report] = fetched.days[0].reports
    assert (report.already_imported, report.kept) == (True, RECORDS)
    assert tree(catalog.path) == before


def test_a_tape_that_was_damaged_since_is_fetched_again(server, catalog):
    fetch(server, catalog, changed(OPTIONS, last=FRIDAY))
    whole = tree(catalog.path)
    part = next((catalog.path / "option_trades").rglob("*.parquet"))
    part.write_bytes(b"spoiled")
    fetch(server, catalog, changed(OPTIONS, last=FRIDAY))
    assert tree(catalog.path) == whole


def test_several_schemas_of_a_day_are_imported_together(server, tmp_path):
    records = [statistic(CALL, start_ns(FRIDAY) + 41_400 * SECOND_NS, 77)]
    body = file_of(OPRA, "statistics", FRIDAY, NUMBERS_OF_OPTIONS, records)
    server.days[OPRA, "statistics", FRIDAY] = (body, 1)
    catalog = Catalog.create_or_open(tmp_path / "new")
    fetch(server, catalog, changed(STOCK, last=FRIDAY))
    order = changed(OPTIONS, schemas=("statistics", "tcbbo"), last=FRIDAY)
    [day] = fetch(server, catalog, order).days
    assert {report.key.kind for report in day.reports} == {
        TapeKind.OPEN_INTEREST,
        TapeKind.OPTION_TRADES,
    }
    interest = catalog.read(TapeKey(TapeKind.OPEN_INTEREST, "opra", "AAPL", "AAPL", 1))
    assert 77 in interest["open_interest"].to_list()


def test_recorded_trades_of_databentos_are_fetched(market_data, tmp_path):
    sample = read_dbn(market_data / "databento" / CME / "test_data.tbbo.dbn.zst")
    top, day = sample.header, date(2020, 12, 28)
    whole_day = dbn.Metadata(
        dataset=CME, start=start_ns(day), end=start_ns(day) + DAY_NS, schema=dbn.Schema.TBBO,
        stype_in=dbn.SType.RAW_SYMBOL, stype_out=dbn.SType.INSTRUMENT_ID,
        symbols=list(top.symbols), mappings=[Mapping(*each) for each in top.mappings.items()],
    )  # fmt: skip
    body = packed(whole_day, sample.records.tobytes())
    server = DatabentoServer(days={(CME, "tbbo", day): (body, sample.records.size)})
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    order = DatabentoOrder(CME, ("tbbo",), top.symbols, "raw_symbol", day, day)
    [fetched] = fetch(server, catalog, order).days
    trades = next(each for each in fetched.reports if each.key.kind is TapeKind.HEDGE_TRADES)
    assert catalog.read(trades.key)["price"].to_list() == [3702.75, 3702.75, 3702.5, 3702.75]


class Mapping:
    """A mapping as the encoder takes it."""

    def __init__(self, name, intervals):
        self.raw_symbol = name
        self.intervals = [Interval(each) for each in intervals]


class Interval:
    """Days on which a symbol is an instrument."""

    def __init__(self, told):
        self.start_date, self.end_date = told["start_date"], told["end_date"]
        self.symbol = told["symbol"]


# --- money --------------------------------------------------------------------------------------


def test_nothing_is_bought_above_the_bound(server, catalog):
    quotes = []
    told = (
        r"--max-cost: Databento asks 0\.3000 USD for what is missing, up to 5 files, and"
        r" 0\.29 may be spent\. Nothing was bought; say --max-cost 0\.30"
    )
    with pytest.raises(DataError, match=told):
        fetch(server, catalog, max_cost_usd=0.29, quoted=quotes.append)
    assert [round(each.cost_usd, 9) for each in quotes] == [0.3]
    assert server.of(DOWNLOAD) == []


def test_what_the_catalog_holds_already_is_not_bought_under_another_name(server, catalog):
    fetch(server, catalog, changed(OPTIONS, last=FRIDAY))
    again = stock_and_options()
    told = (
        r"option_trades of AAPL on 2025-02-14 are in the catalog already, from OPRA\.PILLAR_tcbbo"
    )
    with pytest.raises(DataError, match=told):
        fetch(again, catalog, changed(OPTIONS, symbols=("AAPL.OPT", "MSFT.OPT")))
    with pytest.raises(DataError, match=told):
        fetch(again, catalog, changed(OPTIONS, schemas=("trades",)))
    assert again.asked == []


@pytest.mark.parametrize(
    ("symbol", "stype_in", "asks"),
    [
        (CALL, "raw_symbol", False),
        ("AAPL.OPT", "parent", False),
        ("AAPL.FUT", "parent", True),
        ("MSFT.OPT", "parent", True),
    ],
)
def test_only_what_would_go_into_the_same_tape_is_held_already(
    server, catalog, symbol, stype_in, asks
):
    fetch(server, catalog, changed(OPTIONS, last=FRIDAY))
    again = stock_and_options()
    order = changed(OPTIONS, schemas=("trades",), symbols=(symbol,), stype_in=stype_in)
    with pytest.raises(HedgeflowError, match="None of the symbols" if asks else "in the catalog"):
        fetch(again, catalog, order)
    assert bool(again.asked) == asks


def test_files_and_bytes_are_told_as_they_come(server, catalog):
    told = []
    fetch(server, catalog, progress=told.append)
    assert (told[-1].days_done, told[-1].days) == (5, 5)
    body, _ = server.days[OPRA, "tcbbo", FRIDAY]
    received = [now for now in told if now.bytes]
    assert received[0].name == "OPRA.PILLAR_tcbbo_2025-02-14_AAPL.OPT.dbn.zst"
    assert (received[0].bytes, received[0].total_bytes) == (len(body), len(body))


def test_without_a_bound_only_what_is_free_is_fetched(server, catalog):
    with pytest.raises(DataError, match=r"0\.00 may be spent"):
        fetch(server, catalog, max_cost_usd=0.0)
    assert server.of(DOWNLOAD) == []


def test_the_bound_may_be_the_quote_to_the_cent(server, catalog):
    fetched = fetch(server, catalog, max_cost_usd=0.30)
    assert fetched.spent_usd == pytest.approx(3 * DAY_USD)


def test_a_download_that_broke_off_counts_against_the_bound(server, catalog):
    server.faults[DOWNLOAD, 0] = "truncated"
    told = r"2025-02-18.*may cost 0\.1000 USD, and 0\.3000 of 0\.35 USD are spent.*--max-cost"
    with pytest.raises(DownloadError, match=told):
        fetch(server, catalog, max_cost_usd=0.35)
    assert len(server.of(DOWNLOAD)) == 3
    assert catalog.read(PRINTS).height == 2 * RECORDS
    rest = stock_and_options()
    fetched = fetch(rest, catalog, max_cost_usd=0.10)
    assert fetched.quote.cost_usd == pytest.approx(DAY_USD)
    assert len(rest.of(DOWNLOAD)) == 1


def test_answers_without_records_cost_nothing(server, catalog):
    server.faults |= {(DOWNLOAD, 0): "429", (DOWNLOAD, 1): "500"}
    fetched = fetch(server, catalog, max_cost_usd=0.30)
    assert fetched.spent_usd == pytest.approx(3 * DAY_USD)


def test_what_was_bought_is_kept_until_it_can_be_imported(server, tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    order = changed(OPTIONS, last=FRIDAY)
    told = (
        r"needs the price of its underlying.*1 file\(s\) are kept in .*; the same command goes on"
    )
    with serving(server) as url:
        with pytest.raises(DataError, match=told):
            fetch(server, catalog, order, url=url)
        fetch(server, catalog, changed(STOCK, last=FRIDAY), url=url)
        fetched = fetch(server, catalog, order, url=url, max_cost_usd=0.0)
    assert fetched.spent_usd == 0.0
    assert catalog.read(PRINTS).height == RECORDS


def test_a_kept_file_that_was_damaged_is_bought_again(server, tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    order = changed(OPTIONS, last=FRIDAY)
    with serving(server) as url:
        with pytest.raises(DataError, match="needs the price"):
            fetch(server, catalog, order, url=url)
        [kept] = (catalog.path / DOWNLOADS).rglob("*.dbn.zst")
        kept.write_bytes(kept.read_bytes()[:-9])
        fetch(server, catalog, changed(STOCK, last=FRIDAY), url=url)
        fetched = fetch(server, catalog, order, url=url)
    assert fetched.spent_usd == pytest.approx(DAY_USD)
    assert catalog.read(PRINTS).height == RECORDS


def test_what_was_bought_elsewhere_is_not_taken_for_this_servers(server, tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    order = changed(OPTIONS, last=FRIDAY)
    with pytest.raises(DataError, match="needs the price"):
        fetch(server, catalog, order)
    with pytest.raises(DataError, match="Nothing was bought"):
        fetch(stock_and_options(), catalog, order, max_cost_usd=0.0)


# --- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("method", [COST, COUNT, DOWNLOAD])
def test_a_fault_that_passes_leaves_no_trace(catalog, tmp_path, in_one_go, method, fault):
    server = stock_and_options()
    server.faults[method, 0] = fault
    fetch(server, catalog, changed(OPTIONS, last=FRIDAY))
    assert server.counts[method] >= 2
    assert tree(catalog.path) == in_one_go


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory):
    """Return the files of a first day that nothing disturbed."""
    made = Catalog.create_or_open(tmp_path_factory.mktemp("reference") / "catalog")
    fetch(stock_and_options(), made, STOCK)
    fetch(stock_and_options(), made, changed(OPTIONS, last=FRIDAY))
    return tree(made.path)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("truncated", "the answer was cut off"),
        ("garbage", "damaged|cannot be read|no DBN file"),
        ("silence", "no word from the server in 0.3 s"),
        ("html", "this is no DBN file"),
        ("500", "the server answered 500"),
    ],
)
def test_a_fault_that_stays_is_told_and_nothing_half_is_left(server, catalog, fault, words):
    before = tree(catalog.path)
    server.after[DOWNLOAD] = fault
    told = rf"get_range.*4 attempts failed, the last one because .*({words})"
    with pytest.raises(DownloadError, match=re.compile(told, re.DOTALL)):
        fetch(server, catalog)
    assert tree(catalog.path) == before | {
        path: content for path, content in tree(catalog.path).items() if path.endswith(".lock")
    }


def test_fewer_records_than_databento_counts_are_not_imported_nor_bought_twice(server, catalog):
    server.miscounted = 1
    with pytest.raises(DownloadError, match="holds 10 records; Databento counts 11"):
        fetch(server, catalog)
    assert len(server.of(DOWNLOAD)) == 1
    assert {each.key.kind for each in catalog.imports()} == {TapeKind.BARS}


def test_another_day_than_asked_for_is_not_imported(server, catalog):
    server.days[OPRA, "tcbbo", FRIDAY] = server.days[OPRA, "tcbbo", MONDAY]
    told = "the answer is tcbbo of OPRA.PILLAR from 2025-02-17.*asked was .* on 2025-02-14"
    with pytest.raises(DownloadError, match=told):
        fetch(server, catalog)
    assert len(server.of(DOWNLOAD)) == 1


def test_symbols_that_exist_on_no_day_are_refused_in_databentos_words(server, catalog):
    told = r"None of the symbols could be resolved \(422 symbology_invalid_request\)"
    with pytest.raises(DownloadError, match=told):
        fetch(server, catalog, changed(OPTIONS, first=date(2025, 2, 15), last=date(2025, 2, 16)))


@pytest.mark.parametrize(
    ("status", "case", "hint"),
    [
        (402, "account_insufficient_funds", "payment and credits"),
        (403, "license_not_found_unauthorized", "licences and plan"),
        (422, "data_end_after_available_end", "Ask for other days"),
        (404, "dataset_not_found", "See --dataset"),
    ],
)
def test_a_refusal_is_told_in_databentos_words_and_not_repeated(
    server, catalog, status, case, hint
):
    class Refusing(DatabentoServer):
        async def answer(self, asked):
            return refused(status, case, "The reason is this.")

    refusing = Refusing()
    told = rf"metadata\.get_cost: Databento refuses: The reason is this \({status} {case}\).*{hint}"
    with pytest.raises(DownloadError, match=told):
        fetch(refusing, catalog)
    assert len(refusing.asked) == 1


def test_the_key_is_in_no_message_even_if_the_server_tells_it(server, catalog):
    secret = "db-wrong-and-secret"
    with pytest.raises(HedgeflowError, match=r"401 auth_auth.*DATABENTO_API_KEY") as caught:
        fetch(server, catalog, key=ApiKey(secret))
    shown = "".join(traceback.format_exception(caught.value))
    encoded = base64.b64encode(f"{secret}:".encode()).decode()
    assert secret not in shown
    assert encoded not in shown
    assert "failed for (key)" in shown
    assert secret not in repr(ApiKey(secret))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"last": date(2025, 3, 1)}, "2025-03-01 is not over: it is 2025-03-01 12:00 UTC"),
        ({"first": date(2025, 2, 19)}, r"end \(2025-02-18\) before they begin \(2025-02-19\)"),
        ({"dataset": "NOPE.SUCH"}, "dataset NOPE.SUCH is not known"),
        ({"schemas": ("mbo",)}, "order books are not kept yet"),
        ({"schemas": ("ohlcv-1m",)}, "bars of options are not kept"),
        ({"schemas": ("tcbbo", "trades")}, "bought twice: tcbbo, trades"),
        ({"schemas": ("statistics", "statistics")}, "bought twice"),
        ({"symbols": ("AAPL.OPT", "")}, "a symbol is empty"),
        ({"symbols": tuple(map(str, range(2001)))}, "2,001 symbols are more"),
        ({"stype_in": "continuous"}, "'continuous' is no kind of symbols.*raw_symbol, parent"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(server, catalog, changes, told):
    with pytest.raises(DataError, match=told):
        fetch(server, catalog, changed(OPTIONS, **changes))
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://hist.example.com", "the key would go to hist.example.com unencrypted"),
        ("ftp://127.0.0.1", "is no address of a server"),
        ("https://me:word@hist.example.com", "holds a name or a password"),
    ],
)
def test_a_key_goes_to_no_server_that_others_may_overhear(catalog, url, told):
    with pytest.raises(DataError, match=told):
        fetch(None, catalog, url=url)


def test_two_downloads_into_one_catalog_are_refused(server, catalog):
    with (
        locked(catalog.path / DOWNLOADS),
        pytest.raises(CatalogError, match="another download into this catalog"),
    ):
        fetch(server, catalog)


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_bought(server, catalog):
    with serving(server) as url:
        folder = f"databento-{url.removeprefix('http://').replace(':', '-')}"
        (catalog.path / DOWNLOADS / folder).write_text("no folder")
        with pytest.raises(CatalogError, match=r"what was downloaded cannot be kept \(.*disk"):
            fetch(server, catalog, url=url)
    assert server.of(DOWNLOAD) == []


# --- downloads that are stopped -----------------------------------------------------------------


def test_a_download_stopped_after_a_tape_was_written_leaves_the_same_catalog(catalog, in_one_go):
    stopping = StoppingCatalog(catalog.path)
    stopping.left = 1
    order = changed(OPTIONS, last=FRIDAY)
    with serving(stock_and_options()) as url:
        with pytest.raises(Stop):
            fetch(None, stopping, order, url=url)
        fetched = fetch(None, catalog, order, url=url, max_cost_usd=0.0)
    assert fetched.spent_usd == 0.0
    assert tree(catalog.path) == in_one_go


def arguments(catalog, url, *more):
    return ["data", "fetch", "databento", "--catalog", str(catalog.path), "--dataset", OPRA,
            "--schema", "tcbbo", "--symbols", "AAPL.OPT", "--stype-in", "parent",
            "--from", "2025-02-14", "--to", "2025-02-18", "--url", url, *more]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_download_that_is_killed_halfway_goes_on_and_leaves_the_same_catalog(
    server, catalog, tmp_path, number
):
    whole = Catalog.create_or_open(tmp_path / "whole")
    fetch(stock_and_options(), whole, STOCK)
    fetch(stock_and_options(), whole)
    server.faults[DOWNLOAD, 1] = "silence"
    with serving(server) as url:
        child = subprocess.Popen(
            [*PROGRAM, *arguments(catalog, url, "--max-cost", "1")],
            env=os.environ | {"DATABENTO_API_KEY": KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert server.halfway.wait(30)
        while not list(catalog.path.rglob("*.part")):
            time.sleep(0.01)
        child.send_signal(number)
        _, said = child.communicate(timeout=180)
        if number == signal.SIGINT:
            assert child.returncode == 130
            assert "the same command goes on" in said
            assert list(catalog.path.rglob("*.part")) == []
        else:
            assert child.returncode == -signal.SIGKILL
            assert list(catalog.path.rglob("*.part"))
        assert catalog.read(PRINTS).height == RECORDS
        assert KEY not in said
        result = CliRunner(env={"DATABENTO_API_KEY": KEY}).invoke(
            app, arguments(catalog, url, "--max-cost", "0.2", "--json")
        )
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout)["spent_usd"] == pytest.approx(2 * DAY_USD)
    assert tree(catalog.path) == tree(whole.path)


# --- the command --------------------------------------------------------------------------------


def run(server, catalog, *more, **environment):
    with serving(server) as url:
        return CliRunner(env={"DATABENTO_API_KEY": KEY} | environment).invoke(
            app, arguments(catalog, url, *more), prog_name="hedgeflow"
        )


def test_the_command_shows_the_cost_before_it_buys_and_what_it_wrote(server, catalog):
    result = run(server, catalog, "--max-cost", "5")
    assert result.exit_code == 0, result.exception
    assert "Databento asks 0.3000 USD" in result.stderr
    assert "5.00 USD may be spent" in result.stderr
    assert "2025-02-15: tcbbo: nothing on that day" in result.stdout
    assert result.stdout.count("option_trades  AAPL") == 3
    assert "Spent at most 0.3000 USD" in result.stdout
    assert KEY not in result.output


def test_the_command_tells_the_cost_and_stops_without_a_bound(server, catalog):
    result = run(server, catalog)
    assert isinstance(result.exception, DataError)
    assert "say --max-cost 0.30" in str(result.exception)


def test_the_command_without_a_key_says_where_keys_belong(server, catalog):
    result = run(server, catalog, DATABENTO_API_KEY="")
    assert isinstance(result.exception, HedgeflowError)
    assert "there is no key for Databento" in str(result.exception)
    assert server.asked == []
