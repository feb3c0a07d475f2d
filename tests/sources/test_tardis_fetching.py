"""Tardis's days are downloaded whole, unpacked to their end and imported; or nothing is.

The rows are those that the importer's tests use, on later days where several days are needed.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
import traceback
from datetime import UTC, date, datetime

import pytest
from typer.testing import CliRunner

from builders.fetched import HASTY, tree
from builders.program import PROGRAM
from hedgeflow.cli.app import app
from hedgeflow.market import Catalog, DataError, TapeKey, TapeKind
from hedgeflow.market.errors import HedgeflowError
from hedgeflow.sources import TardisOrder, fetch_tardis, import_tardis
from hedgeflow.sources.download import DownloadError
from hedgeflow.sources.fetching import DOWNLOADS
from hedgeflow.sources.keys import ApiKey
from hedgeflow.sources.tardis.files import DataType
from sources.file_server import PASSING, serving
from sources.tardis_server import KEY, TardisServer, packed
from sources.test_tardis import DERIBIT_TICKER, LEGS, LEGS_CHAIN, XBTUSD

FIRST, LAST = date(2020, 3, 1), date(2020, 3, 3)
MAY = date(2026, 5, 18)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PERPETUAL = XBTUSD.replace("bitmex,XBTUSD", "deribit,BTC-PERPETUAL")
TRADES = TapeKey(TapeKind.HEDGE_TRADES, "deribit", "BTC", "BTC-PERP", 1_000)
OPTION_TRADES = TapeKey(TapeKind.OPTION_TRADES, "deribit", "BTC", "BTC", 1_000)
DAY_MICROSECONDS = 86_400_000_000
PLACE = "deribit/trades/2020/03/{:02d}/BTC-PERPETUAL"
ORDER = TardisOrder("deribit", (DataType.TRADES,), "BTC-PERPETUAL", FIRST, LAST)
OPTIONS = TardisOrder(
    "deribit", (DataType.TRADES, DataType.OPTIONS_CHAIN), "OPTIONS", MAY, MAY, ("BTC",)
)


def on_day(number: int) -> str:
    """Return the trades of 1 March as those of another day, with other ids and other sizes."""
    later = PERPETUAL
    for stamp in set(re.findall(r"\d{16}", PERPETUAL)):
        later = later.replace(stamp, str(int(stamp) + (number - 1) * DAY_MICROSECONDS))
    return later.replace("2152", str(2152 + number)).replace("ccc3", f"cc{number:02d}")


@pytest.fixture
def server():
    days = {PLACE.format(number): packed(on_day(number)) for number in (1, 2, 3)}
    may = {
        "deribit/trades/2026/05/18/OPTIONS": packed(LEGS),
        "deribit/options_chain/2026/05/18/OPTIONS": packed(LEGS_CHAIN),
    }
    return TardisServer(files=days | may)


@pytest.fixture
def in_one_go(server, tmp_path):
    """Return the files of a download that nothing disturbed."""
    made = Catalog.create_or_open(tmp_path / "reference")
    fetch(TardisServer(files=server.files), made)
    return tree(made.path)


def fetch(server, catalog, order=ORDER, **options):
    asked = {
        "key": ApiKey(KEY), "clock": lambda: NOW, "rng": random.Random(1),
        "rate_per_second": 1e4, "patience": HASTY,
    } | options  # fmt: skip
    if "url" in asked:
        return fetch_tardis(catalog, order, **asked)
    with serving(server) as url:
        return fetch_tardis(catalog, order, url=url, **asked)


def changed(order, **changes):
    fields = {name: getattr(order, name) for name in order.__dataclass_fields__}
    return TardisOrder(**fields | changes)


# --- what becomes of days -----------------------------------------------------------------------


def test_days_become_a_tape(server, catalog):
    days = fetch(server, catalog)
    assert [day.day for day in days] == ["2020-03-01", "2020-03-02", "2020-03-03"]
    rows = catalog.read(TRADES)
    assert rows["price"].to_list() == [8531.5, 8531.0] * 3
    assert rows["size"].to_list()[::2] == [(2152 + n) / 8531.5 for n in (1, 2, 3)]
    assert [day.bytes for day in days] == [len(server.files[PLACE.format(n)]) for n in (1, 2, 3)]
    assert not list((catalog.path / DOWNLOADS).rglob("*.gz*"))


def test_a_fetched_day_is_the_same_tape_as_the_file_imported_by_hand(server, catalog, tmp_path):
    fetch(server, catalog, changed(ORDER, last=FIRST))
    path = tmp_path / "deribit_trades_2020-03-01_BTC-PERPETUAL.csv.gz"
    path.write_bytes(server.files[PLACE.format(1)])
    by_hand = Catalog.create_or_open(tmp_path / "by hand")
    import_tardis([path], by_hand)
    assert tree(catalog.path / "hedge_trades") == tree(by_hand.path / "hedge_trades")
    again = TardisServer()
    [day] = fetch(again, by_hand, changed(ORDER, last=FIRST))
    assert again.asked == []
    assert [each.already_imported for each in day.reports] == [True]


def test_option_trades_take_their_price_from_the_chain_that_is_fetched_with_them(server, catalog):
    fetch(server, catalog, OPTIONS)
    rows = catalog.read(OPTION_TRADES)
    assert rows["underlying_price"].to_list() == [76100.5, 76100.5]


def test_a_chain_that_is_there_is_fetched_again_for_the_trades_that_need_it(server, catalog):
    fetch(server, catalog, changed(OPTIONS, data_types=(DataType.OPTIONS_CHAIN,)))
    [day] = fetch(server, catalog, OPTIONS)
    written = {each.key.kind: not each.already_imported for each in day.reports}
    assert written[TapeKind.OPTION_TRADES]
    assert not written[TapeKind.OPEN_INTEREST]
    assert catalog.read(OPTION_TRADES)["underlying_price"].to_list() == [76100.5, 76100.5]


def test_option_trades_without_a_price_are_kept_until_they_have_one(server, catalog):
    trades = changed(OPTIONS, data_types=(DataType.TRADES,))
    with serving(server) as url:
        with pytest.raises(DataError, match=r"options_chain.*1 file\(s\) are kept in"):
            fetch(server, catalog, trades, url=url)
        fetch(server, catalog, OPTIONS, url=url)
    assert server.counts["/v1/deribit/trades/2026/05/18/OPTIONS.csv.gz"] == 1
    assert catalog.read(OPTION_TRADES).height == 2


def test_a_day_without_data_is_passed_over_and_told(server, catalog):
    server.files[PLACE.format(2)] = packed("")
    server.files[PLACE.format(3)] = packed(PERPETUAL.splitlines()[0] + "\n")
    days = fetch(server, catalog)
    assert [day.empty for day in days] == [(), ("trades",), ("trades",)]
    assert catalog.read(TRADES).height == 2
    assert len(catalog.coverage(TRADES).intervals) == 1


def test_days_that_are_there_are_not_asked_for_again(server, catalog, in_one_go):
    fetch(server, catalog)
    again = TardisServer()
    fetch(again, catalog)
    assert again.asked == []
    assert tree(catalog.path) == in_one_go


def test_a_group_is_imported_by_underlying_from_one_download(server, catalog):
    ether = DERIBIT_TICKER + DERIBIT_TICKER.split("\n", 1)[1].replace("BTC-", "ETH-")
    server.files["deribit/derivative_ticker/2026/08/10/PERPETUALS"] = packed(ether)
    day = date(2026, 8, 10)
    order = TardisOrder(
        "deribit", (DataType.DERIVATIVE_TICKER,), "PERPETUALS", day, day, ("BTC", "ETH")
    )
    [fetched] = fetch(server, catalog, order)
    assert {each.key.underlying for each in fetched.reports} == {"BTC", "ETH"}
    assert len(server.asked) == 1
    again = TardisServer()
    fetch(again, catalog, order)
    assert again.asked == []


# --- keys ---------------------------------------------------------------------------------------


def test_the_first_day_of_a_month_needs_no_key(server, catalog):
    fetch(server, catalog, changed(ORDER, last=FIRST), key=None)
    assert "Authorization" not in server.asked[0].headers
    assert catalog.read(TRADES).height == 2


def test_other_days_without_a_key_are_refused_with_the_reason(server, catalog):
    told = (
        r"2020/03/02/BTC-PERPETUAL\.csv\.gz: Tardis refuses: 401 .*first day of each month;"
        r" 2020-03-02 is not the first of a month\. Set TARDIS_API_KEY"
    )
    with pytest.raises(DownloadError, match=told):
        fetch(server, catalog, key=None)
    assert catalog.read(TRADES).height == 2
    assert len(server.asked) == 2


def test_a_wrong_key_is_in_no_message_even_if_the_server_tells_it(server, catalog):
    wrong = "TD.wrong-and-secret"
    with pytest.raises(DownloadError, match=r"not valid.*see TARDIS_API_KEY") as caught:
        fetch(server, catalog, key=ApiKey(wrong))
    shown = "".join(traceback.format_exception(caught.value))
    assert wrong not in shown
    assert "API key (key) is not valid" in shown


def test_a_key_is_not_sent_on_to_another_server(server, catalog):
    with serving(server) as other:
        sending_on = TardisServer(elsewhere=other)
        with pytest.raises(DownloadError, match="401"):
            fetch(sending_on, catalog, changed(ORDER, first=LAST))
    assert sending_on.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert "Authorization" not in server.asked[0].headers


def test_a_key_goes_to_no_server_that_others_may_overhear(catalog):
    with pytest.raises(DataError, match=r"the key would go to tardis\.example unencrypted"):
        fetch(None, catalog, url="http://tardis.example")


# --- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_leaves_no_trace(server, catalog, in_one_go, fault):
    path = f"/v1/{PLACE.format(2)}.csv.gz"
    server.faults[path, 0] = fault
    fetch(server, catalog)
    assert server.counts[path] >= 2
    assert tree(catalog.path) == in_one_go


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("truncated", "the answer was cut off"),
        ("garbage", "the gzip file is cut off or damaged"),
        ("silence", "no word from the server in 0.3 s"),
        ("html", "damaged .Not a gzipped file"),
    ],
)
def test_a_fault_that_stays_is_told_and_leaves_whole_days(server, catalog, fault, words):
    server.after[f"/v1/{PLACE.format(2)}.csv.gz"] = fault
    with pytest.raises(DownloadError, match=rf"4 attempts failed, the last one because .*{words}"):
        fetch(server, catalog)
    assert catalog.read(TRADES).height == 2
    assert not list((catalog.path / DOWNLOADS).rglob("*.gz*"))


def test_a_file_whose_end_is_missing_is_not_imported_though_it_came_whole(server, catalog):
    server.files[PLACE.format(1)] = server.files[PLACE.format(1)][:-8]
    with pytest.raises(DownloadError, match="cut off or damaged"):
        fetch(server, catalog)
    assert catalog.imports() == []


def test_a_file_whose_checksum_is_wrong_is_not_imported(server, catalog):
    body = bytearray(server.files[PLACE.format(1)])
    body[-8] ^= 1
    server.files[PLACE.format(1)] = bytes(body)
    with pytest.raises(DownloadError, match="CRC check failed"):
        fetch(server, catalog)
    assert catalog.imports() == []


def test_what_tardis_does_not_have_is_refused_with_where_to_look(server, catalog):
    told = r"Tardis refuses: 400 .*Unknown symbol.*api\.tardis\.dev/v1/exchanges/"
    with pytest.raises(DownloadError, match=told):
        fetch(server, catalog, changed(ORDER, symbol="BTC-NOTHING"))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"last": date(2026, 11, 1)}, "2026-11-01 is not over"),
        ({"exchange": "../deribit"}, "is no exchange"),
        ({"symbol": ""}, "'' is no symbol"),
        ({"symbol": "options"}, "OPTIONS holds all coins.*--underlying BTC"),
        ({"data_types": (DataType.TRADES, DataType.TRADES)}, "named twice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(server, catalog, changes, told):
    with pytest.raises(DataError, match=told):
        fetch(server, catalog, changed(ORDER, **changes))
    assert server.asked == []


# --- downloads that are stopped, and the command ------------------------------------------------


def arguments(catalog, url, *more):
    return ["data", "fetch", "tardis", "--catalog", str(catalog.path), "--exchange", "deribit",
            "--type", "trades", "--symbol", "BTC-PERPETUAL", "--from", "2020-03-01",
            "--to", "2020-03-03", "--url", url, *more]  # fmt: skip


def test_a_download_that_is_killed_halfway_goes_on_and_leaves_the_same_catalog(
    server, catalog, in_one_go
):
    server.faults[f"/v1/{PLACE.format(2)}.csv.gz", 0] = "silence"
    with serving(server) as url:
        child = subprocess.Popen(
            [*PROGRAM, *arguments(catalog, url)], env=os.environ | {"TARDIS_API_KEY": KEY}
        )
        assert server.halfway.wait(30)
        while not list(catalog.path.rglob("*.part")):
            time.sleep(0.01)
        child.kill()
        assert child.wait(20) == -signal.SIGKILL
        assert catalog.read(TRADES).height == 2
        result = CliRunner(env={"TARDIS_API_KEY": KEY}).invoke(app, arguments(catalog, url))
    assert result.exit_code == 0, result.exception
    assert server.counts[f"/v1/{PLACE.format(1)}.csv.gz"] == 1
    assert tree(catalog.path) == in_one_go


def test_the_command_shows_what_became_of_each_day(server, catalog):
    server.files[PLACE.format(3)] = packed("")
    with serving(server) as url:
        result = CliRunner(env={"TARDIS_API_KEY": KEY}).invoke(app, arguments(catalog, url))
    assert result.exit_code == 0, result.exception
    assert result.stdout.count("hedge_trades") >= 2
    assert "2020-03-03: trades: nothing on that day" in result.stdout
    assert KEY not in result.output


def test_a_key_that_cannot_be_one_is_refused_unseen(server, catalog):
    with serving(server) as url:
        result = CliRunner(env={"TARDIS_API_KEY": "TD.two\nlines"}).invoke(
            app, arguments(catalog, url)
        )
    assert isinstance(result.exception, HedgeflowError)
    assert "TARDIS_API_KEY: this is no key" in str(result.exception)
    assert "two" not in str(result.exception)
    assert server.asked == []
