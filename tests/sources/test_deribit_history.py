"""Deribit's history becomes three tapes that hold every trade of whole days, or a refusal."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builders.fetched import FIRST, LAST, fetch, tree
from hedgeflow.cli.app import app
from hedgeflow.market import Catalog, CatalogError, DataError, TapeKey, TapeKind
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns
from hedgeflow.market.transactions import locked
from hedgeflow.sources import HistoryProgress
from hedgeflow.sources.deribit.history import DOWNLOADS
from sources.deribit_history_server import (
    DAY_MS,
    HistoryServer,
    Market,
    day_ms,
    serving,
    simulated_market,
)

MS = 1_000_000
OPTIONS = TapeKey(TapeKind.OPTION_TRADES, "deribit", "BTC", "BTC", MS)
TRADES = TapeKey(TapeKind.HEDGE_TRADES, "deribit", "BTC", "BTC-PERP", MS)
BARS = TapeKey(TapeKind.BARS, "deribit", "BTC", "BTC-PERP", MINUTE_NS)
DAY_START = day_ms(FIRST)
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "fetch-deribit-history.md"


@pytest.fixture(scope="module")
def market() -> Market:
    return simulated_market(FIRST, 2, perpetual_a_day=1_500, options_a_day=700)


@pytest.fixture
def server(market):
    return HistoryServer(Market(market.currency, market.first, market.days,
                                list(market.options), list(market.perpetual)))  # fmt: skip


@pytest.fixture(scope="module")
def fetched(market, tmp_path_factory):
    """Return server, catalog and what the download said; tests only read them."""
    server = HistoryServer(market)
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("fetched") / "catalog")
    return server, catalog, fetch(server, catalog)


def every_day(market, kind):
    return [trade for day in range(market.days) for trade in market.of_day(day, kind)]


# --- what becomes of trades ---------------------------------------------------------------------


def test_every_option_trade_is_in_the_tape_as_the_venue_told_it(fetched, market):
    _, catalog, _ = fetched
    told = every_day(market, "options")
    rows = catalog.read(OPTIONS).to_dicts()
    assert len(rows) == len(told) > 1_500
    for row, trade in zip(rows, told, strict=True):
        assert instant_ns(row["ts"]) == trade["timestamp"] * MS
        assert row["known_at"] - row["ts"] == timedelta(milliseconds=1)
        assert row["contract"] == trade["instrument_name"]
        assert row["price"] == trade["price"]
        assert row["lots"] == round(trade["amount"] * 10)
        assert row["aggressor"] == (1 if trade["direction"] == "buy" else -1)
        assert row["iv"] == pytest.approx(trade["iv"] / 100, rel=1e-15)
        assert row["underlying_price"] == trade["index_price"]
        assert row["combo_id"] == trade.get("combo_id")
        assert row["block_id"] == trade.get("block_trade_id")
        assert row["trade_id"] == trade["trade_id"]


def test_combinations_blocks_and_bursts_are_among_them(market):
    told = every_day(market, "options")
    assert sum("combo_id" in trade for trade in told) > 50
    assert sum("block_trade_id" in trade for trade in told) > 20
    minutes = defaultdict(int)
    for trade in every_day(market, "perpetual"):
        minutes[trade["timestamp"] // 60_000] += 1
    assert max(minutes.values()) > 1_000


def test_every_trade_of_the_perpetual_is_in_the_tape_in_coins(fetched, market):
    _, catalog, _ = fetched
    told = every_day(market, "perpetual")
    rows = catalog.read(TRADES).to_dicts()
    assert len(rows) == len(told) > 5_000
    for row, trade in zip(rows, told, strict=True):
        assert instant_ns(row["ts"]) == trade["timestamp"] * MS
        assert row["known_at"] - row["ts"] == timedelta(milliseconds=1)
        assert row["price"] == trade["price"]
        assert row["size"] * trade["price"] == pytest.approx(trade["amount"], rel=1e-12)
        assert row["aggressor"] == (1 if trade["direction"] == "buy" else -1)
        assert row["trade_id"] == trade["trade_id"]


def test_bars_are_what_the_trades_of_each_minute_make(fetched, market):
    _, catalog, _ = fetched
    bars = {instant_ns(row["ts"]): row for row in catalog.read(BARS).to_dicts()}
    for day in range(market.days):
        minutes = defaultdict(list)
        for trade in market.of_day(day, "perpetual"):
            minutes[trade["timestamp"] // 60_000 * 60_000 * MS].append(trade)
        close, start = None, (DAY_START + day * DAY_MS) * MS
        for at in range(start, start + DAY_NS, MINUTE_NS):
            prices = [trade["price"] for trade in minutes[at]]
            if not prices and close is None:
                assert at not in bars
                continue
            bar = bars.pop(at)
            assert instant_ns(bar["known_at"]) == at + MINUTE_NS
            assert bar["open"] == (prices[0] if prices else close)
            assert bar["high"] == (max(prices) if prices else close)
            assert bar["low"] == (min(prices) if prices else close)
            close = prices[-1] if prices else close
            assert bar["close"] == close
            coins = sum(trade["amount"] / trade["price"] for trade in minutes[at])
            assert bar["volume"] == pytest.approx(coins, rel=1e-12)
    assert bars == {}


def test_every_day_is_covered_whole(fetched, market):
    _, catalog, _ = fetched
    whole = [(DAY_START * MS, DAY_START * MS + market.days * DAY_NS)]
    for key in (OPTIONS, TRADES, BARS):
        assert catalog.coverage(key).intervals == whole


def test_the_catalog_holds_nothing_else_and_is_sound(fetched):
    _, catalog, _ = fetched
    assert catalog.check() == []
    assert sorted(catalog.keys(), key=str) == sorted((OPTIONS, TRADES, BARS), key=str)
    assert {name for name in tree(catalog.path) if name.startswith(".")} == {
        ".lock",
        f"{DOWNLOADS}/.lock",
    }


def test_the_report_counts_every_row(fetched, market):
    _, _, days = fetched
    assert [day.day for day in days] == ["2025-01-06", "2025-01-07"]
    for number, day in enumerate(days):
        options, trades, bars = day.reports
        assert options.read == options.kept == len(market.of_day(number, "options"))
        assert trades.read == trades.kept == len(market.of_day(number, "perpetual"))
        assert 1_380 < bars.kept <= 1_440
        assert (day.missing, day.linear) == (0, 0)
        assert not any(report.already_imported for report in day.reports)


def test_a_day_takes_several_pages_that_begin_before_the_last_one_ended(fetched):
    server, _, _ = fetched
    starts = defaultdict(list)
    for method, asked in server.requests:
        assert asked["include_old"] == "true"
        if asked["sorting"] == "asc" and asked["count"] == "1000":
            starts[method, asked["end_timestamp"]].append(int(asked["start_timestamp"]))
    assert max(len(pages) for pages in starts.values()) > 3
    for pages in starts.values():
        assert pages == sorted(set(pages))


def test_a_day_that_is_there_is_not_asked_for_again(market, tmp_path):
    server = HistoryServer(market)
    fetch(server, tmp_path / "catalog", last=FIRST)
    before, asked = tree(tmp_path / "catalog"), len(server.requests)
    again = fetch(server, tmp_path / "catalog", last=FIRST)
    assert len(server.requests) == asked
    assert tree(tmp_path / "catalog") == before
    assert all(report.already_imported for report in again[0].reports)
    longer = fetch(server, tmp_path / "catalog")
    assert [report.already_imported for day in longer for report in day.reports] == (
        [True] * 3 + [False] * 3
    )


@pytest.mark.parametrize(("only", "keys"), [("options", {OPTIONS}), ("perpetual", {TRADES, BARS})])
def test_one_half_may_be_fetched_alone_and_the_other_later(market, tmp_path, only, keys):
    server = HistoryServer(market)
    fetch(server, tmp_path / "catalog", last=FIRST, only=only)
    catalog = Catalog.open(tmp_path / "catalog")
    assert set(catalog.keys()) == keys
    fetch(server, catalog, last=FIRST)
    assert set(catalog.keys()) == {OPTIONS, TRADES, BARS}
    assert catalog.check() == []


def test_days_of_two_servers_are_not_mixed_in_one_catalog(server, tmp_path):
    fetch(server, tmp_path / "catalog", last=FIRST, only="perpetual")
    stored, asked = tree(tmp_path / "catalog"), len(server.requests)
    with pytest.raises(
        DataError, match=r"another server \(Deribit history 2025-01-06 from history\.test"
    ):
        fetch(server, tmp_path / "catalog", last=FIRST, url="http://other.test")
    assert len(server.requests) == asked
    assert tree(tmp_path / "catalog") == stored


def test_a_damaged_day_is_fetched_anew(market, tmp_path):
    server = HistoryServer(market)
    fetch(server, tmp_path / "catalog", last=FIRST)
    whole = tree(tmp_path / "catalog")
    [part] = (tmp_path / "catalog" / "hedge_trades").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:1000])
    fetch(server, tmp_path / "catalog", last=FIRST)
    assert tree(tmp_path / "catalog") == whole


def test_ether_is_fetched_as_bitcoin_is(tmp_path):
    market = simulated_market(FIRST, 1, perpetual_a_day=300, options_a_day=100, currency="ETH")
    fetch(HistoryServer(market), tmp_path / "catalog", last=FIRST, currency="ETH")
    catalog = Catalog.open(tmp_path / "catalog")
    assert {(each.key.underlying, each.key.instrument) for each in catalog.imports()} == {
        ("ETH", "ETH"),
        ("ETH", "ETH-PERP"),
    }
    [first, *_] = catalog.read(catalog.find(TapeKind.HEDGE_TRADES, "ETH")[0])["trade_id"]
    assert first.startswith("ETH-")


def test_linear_options_are_left_out_and_counted(server, tmp_path):
    trade = next(each for each in server.market.options if each["timestamp"] > DAY_START)
    linear = {
        **trade,
        "instrument_name": "BTC_USDC-10JAN25-95000-C",
        "trade_id": str(int(trade["trade_id"]) * 10),
    }
    server = HistoryServer(
        Market("BTC", FIRST, 2, [*server.market.options, linear], server.market.perpetual)
    )
    [day] = fetch(server, tmp_path / "catalog", last=FIRST, only="options")
    assert day.linear == 1
    assert linear["trade_id"] not in Catalog.open(tmp_path / "catalog").read(OPTIONS)["trade_id"]


def test_a_trade_without_an_index_price_is_rejected_and_counted(server, tmp_path):
    spoiled = [
        {name: value for name, value in trade.items() if name != "index_price" or at % 400}
        for at, trade in enumerate(server.market.options)
    ]
    server = HistoryServer(Market("BTC", FIRST, 2, spoiled, server.market.perpetual))
    [day] = fetch(server, tmp_path / "catalog", last=FIRST, only="options")
    [report] = day.reports
    assert set(report.rejected) == {"MISSING_VALUE"}
    assert report.needs_acceptance
    with pytest.raises(DataError, match="MISSING_VALUE"):
        Catalog.open(tmp_path / "catalog").read(OPTIONS)
    fetch(server, tmp_path / "catalog", last=FIRST, only="options", accept_rejects=True)
    assert Catalog.open(tmp_path / "catalog").read(OPTIONS).height == report.kept


# --- whole, or not at all -----------------------------------------------------------------------


def without(market, kind, start_ms, end_ms):
    """Return a market in which a kind of trades has a pause, its numbers consecutive still."""
    kept, numbers = [], defaultdict(int)
    for trade in sorted(getattr(market, kind), key=lambda each: int(each["trade_id"])):
        if not start_ms <= trade["timestamp"] < end_ms:
            numbers[trade["instrument_name"]] += 1
            kept.append(trade | {"trade_seq": numbers[trade["instrument_name"]]})
    parts = {"options": market.options, "perpetual": market.perpetual, kind: kept}
    return Market(market.currency, market.first, market.days, **parts)


@pytest.mark.parametrize("kind", ["options", "perpetual"])
def test_a_day_without_a_trade_is_covered_with_no_rows(market, tmp_path, kind):
    silent = without(market, kind, DAY_START, DAY_START + DAY_MS)
    days = fetch(HistoryServer(silent), tmp_path / "catalog", only=kind)
    catalog = Catalog.open(tmp_path / "catalog")
    for report in days[0].reports:
        assert (report.read, report.kept) == (0, 0)
        assert report.coverage.intervals == [(DAY_START * MS, DAY_START * MS + DAY_NS)]
        assert catalog.coverage(report.key).intervals[0][0] == DAY_START * MS
        assert instant_ns(catalog.read(report.key)["ts"][0]) >= DAY_START * MS + DAY_NS
    again = fetch(HistoryServer(silent), tmp_path / "catalog", only=kind)
    assert all(report.already_imported for report in again[0].reports)


def test_there_are_no_bars_before_the_days_first_trade(market, tmp_path):
    silent = without(market, "perpetual", DAY_START, DAY_START + 1_800_000)
    fetch(HistoryServer(silent), tmp_path / "catalog", last=FIRST, only="perpetual")
    bars = Catalog.open(tmp_path / "catalog").read(BARS)
    first = silent.of_day(0, "perpetual")[0]["timestamp"]
    assert first >= DAY_START + 1_800_000
    assert instant_ns(bars["ts"][0]) == first // 60_000 * 60_000 * MS


def test_silent_hours_are_no_gap(market, tmp_path):
    pause = DAY_START + 5 * 3_600_000, DAY_START + 9 * 3_600_000
    silent = without(market, "perpetual", *pause)
    fetch(HistoryServer(silent), tmp_path / "catalog", last=FIRST, only="perpetual")
    catalog = Catalog.open(tmp_path / "catalog")
    assert len(catalog.coverage(TRADES).intervals) == 1
    bars = catalog.read(BARS, pause[0] * MS, pause[1] * MS)
    assert bars.height == 4 * 60
    assert bars["volume"].sum() == 0
    assert bars["close"].n_unique() == 1


@pytest.mark.parametrize("place", [7 * 3_600_000, DAY_MS - 1])
@pytest.mark.parametrize("kind", ["options", "perpetual"])
def test_more_trades_than_a_page_in_one_millisecond_are_all_there(market, tmp_path, kind, place):
    at = DAY_START + place
    like = next(each for each in getattr(market, kind) if each["timestamp"] > at)
    rest = without(market, kind, at, at + 60_000)
    rows = getattr(rest, kind)
    begin = max(int(each["trade_id"]) for each in rows if each["timestamp"] < at)
    later = [each for each in rows if each["timestamp"] >= at]
    burst = [
        like | {"timestamp": at, "trade_id": str(begin + 1 + number)} for number in range(3_500)
    ]
    later = [each | {"trade_id": str(int(each["trade_id"]) + 5_000)} for each in later]
    earlier = [each for each in rows if each["timestamp"] < at]
    numbers, counted = defaultdict(int), []
    for trade in [*earlier, *burst, *sorted(later, key=lambda each: int(each["trade_id"]))]:
        numbers[trade["instrument_name"]] += 1
        counted.append(trade | {"trade_seq": numbers[trade["instrument_name"]]})
    parts = {"options": rest.options, "perpetual": rest.perpetual, kind: counted}
    crowded = Market("BTC", FIRST, 2, **parts)
    server = HistoryServer(crowded)
    [day] = fetch(server, tmp_path / "catalog", last=FIRST, only=kind)
    assert day.reports[0].kept == len(crowded.of_day(0, kind)) > 3_500
    assert len(server.requests) < 30


def test_a_full_page_is_followed_although_the_server_denies_that_there_is_more(server, tmp_path):
    server.says_more = False
    [day] = fetch(server, tmp_path / "catalog", last=FIRST, only="perpetual")
    assert day.reports[0].kept == len(server.market.of_day(0, "perpetual"))
    assert not any("start_seq" in asked for _, asked in server.requests)


def test_stamps_that_run_behind_the_order_of_ids_cost_no_trade(market, tmp_path):
    late = [
        trade | {"timestamp": trade["timestamp"] - (400 if number % 2 else 0)}
        for number, trade in enumerate(market.perpetual)
    ]
    crowded = Market("BTC", FIRST, 2, market.options, late)
    server = HistoryServer(crowded)
    fetch(server, tmp_path / "catalog", only="perpetual")
    assert not any("start_seq" in asked for _, asked in server.requests)
    told = [trade["trade_id"] for trade in every_day(crowded, "perpetual")]
    assert Catalog.open(tmp_path / "catalog").read(TRADES)["trade_id"].to_list() == told


@pytest.mark.parametrize(("kind", "place"), [("options", 5), ("perpetual", 5), ("perpetual", -1)])
def test_a_trade_that_paging_misses_is_asked_for_by_its_number(server, tmp_path, kind, place):
    inside = server.market.of_day(0, kind)
    traded = defaultdict(list)
    for trade in inside:
        traded[trade["instrument_name"]].append(trade)
    lost = max(traded.values(), key=len)[place]
    server.by_time_only.add(lost["trade_id"])
    [day] = fetch(server, tmp_path / "catalog", last=FIRST, only=kind)
    assert day.reports[0].kept == len(inside)
    [asked] = [asked for _, asked in server.requests if "start_seq" in asked]
    assert int(asked["start_seq"]) <= lost["trade_seq"] <= int(asked["end_seq"])
    assert asked["instrument_name"] == lost["instrument_name"]


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_trade_of_the_perpetual_that_the_venue_withholds_refuses_the_day(server, tmp_path, place):
    lost = server.market.of_day(0, "perpetual")[place]
    server.withheld.add(lost["trade_id"])
    number = lost["trade_seq"]
    with pytest.raises(
        DataError,
        match=rf"perpetual of 2025-01-06.*1 trade.*BTC-PERPETUAL number {number}\..*--accept-gaps",
    ):
        fetch(server, tmp_path / "catalog", last=FIRST)
    assert Catalog.open(tmp_path / "catalog").keys() == []
    server.withheld.clear()
    [day] = fetch(server, tmp_path / "catalog", last=FIRST)
    assert day.reports[1].kept == len(server.market.of_day(0, "perpetual"))


def test_numbers_that_jump_refuse_the_day_without_asking_for_a_million_trades(server, tmp_path):
    market = server.market
    jumped = [
        trade | {"trade_seq": trade["trade_seq"] + 1_000_000}
        if trade["timestamp"] > DAY_START + DAY_MS // 2
        else trade
        for trade in market.perpetual
    ]
    server = HistoryServer(Market("BTC", FIRST, 2, market.options, jumped))
    with pytest.raises(DataError, match=r"does not give out 1,000,000 trade"):
        fetch(server, tmp_path / "catalog", last=FIRST, only="perpetual")
    assert len(server.requests) < 10


def test_a_gap_may_be_accepted_and_the_tapes_source_says_so(server, tmp_path):
    for trade in server.market.of_day(0, "perpetual")[100:103]:
        server.withheld.add(trade["trade_id"])
    [day] = fetch(server, tmp_path / "catalog", last=FIRST, only="perpetual", accept_gaps=True)
    assert day.missing == 3
    assert {report.source for report in day.reports} == {
        "Deribit history 2025-01-06 from history.test, 3 trades missing"
    }


def test_a_server_that_forgets_is_found_out(server, tmp_path):
    server.keeps_from_ms = DAY_START + DAY_MS
    with pytest.raises(DataError, match=r"no trade of options before the day.*www\.deribit\.com"):
        fetch(server, tmp_path / "catalog", last=FIRST)
    assert Catalog.open(tmp_path / "catalog").keys() == []


def test_a_day_is_not_believed_before_a_trade_follows_it(market, tmp_path):
    recent = without(market, "perpetual", DAY_START + 2 * DAY_MS, DAY_START + 9 * DAY_MS)
    with pytest.raises(DataError, match=r"perpetual of 2025-01-07: .* after the day"):
        fetch(HistoryServer(recent), tmp_path / "catalog")
    stored = Catalog.open(tmp_path / "catalog").imports()
    assert {each.source[:26] for each in stored} == {"Deribit history 2025-01-06"}


def test_a_trade_that_comes_twice_and_differently_refuses_the_day(server, tmp_path):
    trade = server.market.of_day(0, "perpetual")[50]
    twin = trade | {"price": trade["price"] + 0.5}
    server = HistoryServer(
        Market("BTC", FIRST, 2, server.market.options, [*server.market.perpetual, twin])
    )
    with pytest.raises(DataError, match=rf"trade {trade['trade_id']} came twice and differently"):
        fetch(server, tmp_path / "catalog", last=FIRST, only="perpetual")


# --- what is asked for --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"currency": "SOL"}, r"'SOL' has no inverse options.*BTC and ETH"),
        ({"url": "history.deribit.com"}, r"'history\.deribit\.com' is no address"),
        ({"first": LAST, "last": FIRST}, r"end \(2025-01-06\) before they begin \(2025-01-07\)"),
        ({"last": date(2025, 1, 20)}, r"2025-01-20 is not over: it is 2025-01-20 12:00 UTC"),
        ({"first": date(2025, 2, 1), "last": date(2025, 2, 2)}, "2025-02-01 is not over"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_asked(server, tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        fetch(server, tmp_path / "catalog", **options)
    assert server.requests == []


def test_yesterday_is_over_at_midnight_utc(server, tmp_path):
    midnight = datetime(2025, 1, 8, tzinfo=UTC)
    [day] = fetch(server, tmp_path / "a", first=LAST, last=LAST, clock=lambda: midnight)
    assert day.day == "2025-01-07"
    with pytest.raises(DataError, match="2025-01-07 is not over"):
        fetch(server, tmp_path / "b", clock=lambda: midnight - timedelta(microseconds=1))


def test_two_downloads_into_one_catalog_are_refused_before_anything_is_asked(server, tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    (catalog.path / DOWNLOADS).mkdir()
    with (
        locked(catalog.path / DOWNLOADS),
        pytest.raises(
            CatalogError,
            match=r"another download into this catalog is at work \(process \d+\).*Wait",
        ),
    ):
        fetch(server, catalog)
    assert server.requests == []
    assert catalog.keys() == []


def test_progress_tells_days_and_trades(market, tmp_path):
    told: list[HistoryProgress] = []
    fetch(HistoryServer(market), tmp_path / "catalog", progress=told.append)
    assert (told[0].day, told[0].days_done, told[0].days) == ("2025-01-06", 0, 2)
    assert (told[-1].days_done, told[-1].days) == (2, 2)
    for number, day in enumerate(("2025-01-06", "2025-01-07")):
        trades = [each.trades for each in told if each.day == day]
        assert trades == sorted(trades)
        assert trades[-1] >= len(market.of_day(number, "perpetual"))


# --- the command --------------------------------------------------------------------------------


def run_cli(server, words):
    """Return exit code and output of a command while the server is up, from another thread."""

    async def run():
        async with serving(server) as url:
            arguments = [*words, "--url", url, "--rate", "1000"]
            return await asyncio.to_thread(CliRunner().invoke, app, arguments)

    return asyncio.run(run())


def test_the_command_prints_every_tape_as_json(market, tmp_path):
    result = run_cli(
        HistoryServer(market),
        ["data", "fetch", "deribit", "--catalog", str(tmp_path / "catalog"), "--currency", "btc",
         "--from", "2025-01-06", "--to", "2025-01-06", "--json"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    [day] = json.loads(result.output)
    assert (day["day"], day["missing"], day["linear_left_out"]) == ("2025-01-06", 0, 0)
    assert [each["tape"]["kind"] for each in day["tapes"]] == [
        "option_trades",
        "hedge_trades",
        "bars",
    ]


def test_the_commands_of_the_how_to_do_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ hedgeflow (data fetch .*)$", HOW_TO.read_text(), re.MULTILINE)
    assert commands
    market = simulated_market(FIRST, 3, perpetual_a_day=200, options_a_day=100)
    for command in commands:
        result = run_cli(HistoryServer(market), shlex.split(command))
        assert result.exit_code == 0, result.output
        assert result.output.count("written") == 9
