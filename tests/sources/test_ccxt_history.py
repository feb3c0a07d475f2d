"""Fetching through ccxt from a server that answers as the exchanges do, over real HTTP."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from builders.program import PROGRAM
from hedgeflow.cli import main
from hedgeflow.market import Catalog, DataError, TapeKey, TapeKind
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, instant_ns
from hedgeflow.sources import fetch_ccxt, import_bars
from hedgeflow.sources.ccxt_history import KINDS
from hedgeflow.sources.ccxt_history.patience import ATTEMPTS
from hedgeflow.sources.download import DownloadError
from sources.ccxt_server import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    RETRY_AFTER_SECONDS,
    LocalExchange,
    interest,
    jitter,
    price,
    rate,
    ratio,
    serving,
    volume,
)

NOW = datetime(2025, 5, 9, 12, 3, 20, tzinfo=UTC)
FIRST, LAST = date(2025, 5, 5), date(2025, 5, 7)
USDT = "BTC/USDT:USDT"
START_MS = instant_ns(datetime(2025, 5, 5, tzinfo=UTC)) // 1_000_000
KILLED = -9


@pytest.fixture
def exchange():
    """Return an exchange on a local port."""
    with serving(LocalExchange(now_ms=int(NOW.timestamp() * 1000))) as answering:
        yield answering


@pytest.fixture
def fetch(exchange, catalog):
    """Return a function that fetches into the catalog."""

    def run(name="binance", symbol=USDT, **options):
        given = {
            "first": FIRST, "last": LAST, "now": lambda: NOW, "url": exchange.url,
            "timeframe": "1h", "sleep": lambda _: None,
        }  # fmt: skip
        return fetch_ccxt(options.pop("into", catalog), name, symbol, **given | options)

    return run


def content(folder):
    """Return every file of a catalog with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def milliseconds(tape, column="ts"):
    return (tape[column].to_physical() // 1_000_000).to_list()


# --- what becomes of the answers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "symbol", "kinds"),
    [
        ("binance", USDT, KINDS),
        ("binance", "BTC/USD:BTC", KINDS),
        ("bybit", USDT, KINDS),
        ("okx", USDT, KINDS),
        ("gate", USDT, KINDS[:3]),
        ("backpack", "BTC/USDC:USDC", KINDS[:2]),
    ],
)
def test_an_exchanges_history_becomes_tapes(fetch, catalog, name, symbol, kinds):
    fetched = fetch(name, symbol, kinds=kinds[::-1])
    assert [each.key.kind for each in fetched] == list(kinds)
    for each in fetched:
        assert (each.key.venue, each.key.instrument, each.symbol) == (name, "BTC-PERP", symbol)
        assert (each.days, each.skipped, each.empty, each.gaps) == (3, 0, (), [])
        tape = catalog.read(each.key)
        assert tape.height == each.read == each.kept
        stamps = milliseconds(tape)
        known = milliseconds(tape, "known_at")
        if each.key.kind is TapeKind.FUNDING:
            every = HOUR_MS if name == "backpack" else 8 * HOUR_MS
            late = jitter if name == "binance" else lambda _: 0
            settled = range(START_MS, START_MS + 3 * DAY_MS, every)
            assert stamps == [ms + late(ms) for ms in settled]
            assert tape["rate"].to_list() == pytest.approx([rate(ms) for ms in settled])
            assert tape["hours"].unique().to_list() == [every / HOUR_MS]
            assert known == [ms + 1 for ms in stamps]
            continue
        assert stamps == list(range(START_MS, START_MS + 3 * DAY_MS, HOUR_MS))
        assert known == [ms + HOUR_MS for ms in stamps]
        if each.key.kind is TapeKind.BARS:
            assert tape["open"].to_list() == [price(ms) for ms in stamps]
            assert tape["close"].to_list() == [price(ms + HOUR_MS) for ms in stamps]
            assert tape["volume"].to_list() == pytest.approx([volume(ms) for ms in stamps])
        elif each.key.kind is TapeKind.OPEN_INTEREST:
            figures = [interest(ms) for ms in stamps]
            assert tape["open_interest"].to_list() == pytest.approx(figures)
            assert tape["contract"].unique().to_list() == ["BTC-PERP"]
        else:
            # Bybit gives shares of four digits.
            figures = [ratio(ms) for ms in stamps]
            assert tape["ratio"].to_list() == pytest.approx(figures, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "largest_page", "pages"), [("binance", 300, 6), ("bybit", 400, 5), ("okx", 300, 5)]
)
def test_pages_smaller_than_asked_for_add_up_to_a_day_of_minutes(
    fetch, exchange, catalog, name, largest_page, pages
):
    # Binance gives the first rows of a range, Bybit and OKX the last ones.
    exchange.largest_page = largest_page
    [fetched] = fetch(name, last=FIRST, timeframe=None)
    tape = catalog.read(fetched.key)
    assert milliseconds(tape) == list(range(START_MS, START_MS + DAY_MS, MINUTE_MS))
    assert tape["open"].to_list() == [price(ms) for ms in milliseconds(tape)]
    assert sum(exchange.data_requests().values()) == pages
    assert fetched.key.resolution_ns == MINUTE_NS


def test_funding_from_the_newest_backwards_reaches_old_days(fetch, exchange, catalog):
    exchange.largest_page = 50
    [fetched] = fetch("backpack", "BTC/USDC:USDC", kinds=[TapeKind.FUNDING], timeframe=None)
    assert catalog.read(fetched.key).height == 72
    assert sum(exchange.data_requests().values()) == 4  # 156 hours back


@pytest.mark.parametrize("name", ["binance", "bybit"])
def test_bars_outside_the_days_asked_for_are_dropped_the_open_one_too(
    fetch, exchange, catalog, name
):
    exchange.ignores_end = True
    yesterday = NOW.date() - timedelta(days=1)
    [fetched] = fetch(name, first=yesterday, last=yesterday)
    midnight = START_MS + 4 * DAY_MS
    assert milliseconds(catalog.read(fetched.key)) == list(
        range(midnight - DAY_MS, midnight, HOUR_MS)
    )


def test_bars_without_a_trade_are_filled_and_covered(fetch, exchange, catalog):
    exchange.quiet = {START_MS, START_MS + 2 * HOUR_MS}
    [fetched] = fetch("backpack", "BTC/USDC:USDC", last=FIRST)
    tape = catalog.read(fetched.key)
    assert (tape.height, fetched.gaps) == (23, [])
    assert "1 bars before the first trade" in fetched.notes[2]
    before, quiet = tape.row(0, named=True), tape.row(1, named=True)
    assert (quiet["open"], quiet["low"], quiet["volume"]) == (before["close"],) * 2 + (0.0,)


# --- gaps ---------------------------------------------------------------------------------------


def hole(first_hour, last_hour):
    return (START_MS + first_hour * HOUR_MS, START_MS + last_hour * HOUR_MS)


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
def test_a_hole_splits_the_coverage_and_is_filled_when_the_exchange_has_it(
    fetch, exchange, catalog, name
):
    exchange.holes = [hole(30, 37)]
    [fetched] = fetch(name)
    begin = START_MS * 1_000_000
    assert fetched.gaps == [(begin + 30 * HOUR_NS, begin + 37 * HOUR_NS)]
    assert catalog.coverage(fetched.key).intervals == [
        (begin, begin + 30 * HOUR_NS),
        (begin + 37 * HOUR_NS, begin + 3 * DAY_NS),
    ]
    assert catalog.read(fetched.key).height == 65
    before = content(catalog.path)
    [again] = fetch(name)
    assert (again.skipped, again.kept, again.gaps) == (2, 17, fetched.gaps)
    assert content(catalog.path) == before
    exchange.holes = []
    [filled] = fetch(name)
    assert (filled.skipped, filled.read, filled.kept, filled.repeats) == (2, 24, 7, 17)
    assert filled.gaps == []
    assert milliseconds(catalog.read(fetched.key)) == list(
        range(START_MS, START_MS + 3 * DAY_MS, HOUR_MS)
    )


def test_a_missing_settlement_splits_the_coverage_of_funding(fetch, exchange, catalog):
    exchange.holes = [hole(30, 37)]
    [fetched] = fetch(kinds=[TapeKind.FUNDING], timeframe=None)
    tape = catalog.read(fetched.key)
    assert tape["hours"].to_list() == [8.0] * 4 + [None, None, 8.0, 8.0]
    [(start, end)] = fetched.gaps
    stamps = tape["ts"].to_physical().to_list()
    assert (start, end) == (stamps[3] + 1_000_000, stamps[4])


def test_a_day_of_which_there_is_nothing_is_named_and_not_stored(fetch, exchange, catalog):
    exchange.holes = [hole(-100, 24)]
    [fetched] = fetch()
    assert fetched.empty == (FIRST,)
    assert catalog.read(fetched.key).height == 48
    assert [each.source for each in catalog.imports()] == [
        f"ccxt binance {USDT} 2025-05-06",
        f"ccxt binance {USDT} 2025-05-07",
    ]


def test_a_history_that_does_not_reach_back_is_refused(fetch, exchange, catalog):
    exchange.holes = [hole(-1000, 72)]
    with pytest.raises(DataError, match=r"binance: the exchange gave no bars of BTC/USDT:USDT"):
        fetch()
    assert catalog.imports() == []


def test_an_exchanges_refusal_is_shown_in_its_words(fetch, exchange):
    exchange.history_ms = DAY_MS
    with pytest.raises(DataError, match=r"refuses to give open interest.*'startTime' is invalid"):
        fetch(kinds=[TapeKind.OPEN_INTEREST])
    assert sum(exchange.data_requests().values()) == 1


# --- trouble on the way -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
def test_errors_and_garbage_in_the_middle_leave_no_trace(fetch, exchange, catalog, tmp_path, name):
    calm = Catalog.create_or_open(tmp_path / "calm")
    kinds = [TapeKind.BARS, TapeKind.FUNDING]
    fetch(name, into=calm, kinds=kinds)
    exchange.log.clear()
    # Each fault is met once, at the first attempt for the first or the second question.
    faults = ["429", "500", "garbage", "cut"]
    exchange.faults = dict(enumerate([*faults, "", "garbage"], 1))
    del exchange.faults[5]
    pauses = []
    fetched = fetch(name, kinds=kinds, sleep=pauses.append)
    assert content(catalog.path) == content(calm.path)
    assert pauses[:4] == [RETRY_AFTER_SECONDS, 2.0, 4.0, 8.0]
    assert fetched[0].notes[-1].startswith("4 requests were made again")


def test_a_date_to_come_back_at_is_waited_for(fetch, exchange):
    exchange.faults = {1: "429-date"}
    pauses = []
    fetch(sleep=pauses.append)
    [pause] = pauses
    assert RETRY_AFTER_SECONDS - 1 <= pause <= RETRY_AFTER_SECONDS + 1  # dates have whole seconds


def test_an_answer_of_another_shape_is_asked_for_again(fetch, exchange):
    exchange.faults = {1: "shape"}
    [fetched] = fetch()
    assert (fetched.kept, sum(exchange.data_requests().values())) == (72, 2)


def test_rows_that_cannot_be_dated_are_doubted_once_and_never_stored(fetch, exchange, catalog):
    exchange.faults = dict.fromkeys(range(1, 100), "shape")
    with pytest.raises(DataError, match="gave no bars"):
        fetch()
    assert sum(exchange.data_requests().values()) == 2
    assert catalog.imports() == []


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("500", DownloadError, r"no answer about bars in 6 attempts \(ExchangeNotAvailable.* 500"),
        ("garbage", DataError, r"not of the form .* in 6 attempts .*it is no JSON"),
        ("cut", DownloadError, r"no answer about bars in 6 attempts \(NetworkError"),
    ],
)
def test_an_exchange_that_never_answers_is_given_up(fetch, exchange, catalog, fault, error, words):
    exchange.faults = dict.fromkeys(range(1, 100), fault)
    pauses = []
    with pytest.raises(error, match=words):
        fetch(sleep=pauses.append)
    assert sum(exchange.data_requests().values()) == ATTEMPTS
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert catalog.imports() == []


def test_an_exchange_that_does_not_serve_this_place_is_asked_once(fetch, exchange):
    exchange.faults = {1: "451"}
    with pytest.raises(DownloadError, match=r"restricted location.*use another exchange, or --url"):
        fetch()
    assert sum(exchange.data_requests().values()) == 1


def test_nobody_listening_is_said(fetch):
    with pytest.raises(DownloadError, match=r"no answer about markets in 6 attempts"):
        fetch(url="http://127.0.0.1:9")


ARGUMENTS = [
    "data", "fetch", "ccxt", "binance", "--symbol", USDT, "--from", "2025-05-05",
    "--to", "2025-05-07", "--kind", "bars", "--kind", "funding", "--kind", "open-interest",
    "--timeframe", "5m",
]  # fmt: skip


def test_a_download_killed_twice_and_resumed_makes_the_same_catalog(exchange, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"

    def run(folder):
        command = [*PROGRAM, *ARGUMENTS, "--url", exchange.url, "--catalog", str(folder), "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            running.append(process)
            output, _ = process.communicate(timeout=180)
        return process.returncode, output

    running = []
    assert run(whole)[0] == 0
    exchange.log.clear()

    def kill():
        running[-1].kill()

    exchange.at_request = {3: kill, 6: kill}
    assert [run(broken)[0] for _ in range(2)] == [KILLED, KILLED]
    stored_before = len(list((broken / "imports").iterdir()))
    code, output = run(broken)
    assert code == 0
    assert 3 <= stored_before < 9
    assert sum(each["there_already"] for each in json.loads(output)) == stored_before
    assert content(broken) == content(whole)


# --- what is there already ----------------------------------------------------------------------


def test_days_that_are_covered_are_not_asked_for_again(fetch, exchange, catalog):
    fetch(first=date(2025, 5, 6), last=date(2025, 5, 6))
    exchange.log.clear()
    [fetched] = fetch()
    asked = [(int(query["startTime"]) - START_MS) / DAY_MS for _, query in exchange.log[2:]]
    assert asked == [0.0, 2.0]
    assert (fetched.skipped, fetched.kept) == (1, 48)
    exchange.log.clear()
    [again] = fetch()
    assert (again.skipped, again.read, exchange.data_requests()) == (3, 0, {})


def test_days_of_an_imported_file_count_as_covered(fetch, exchange, catalog, tmp_path):
    path = tmp_path / "binance_bars.parquet"
    at = [datetime(2025, 5, 6, hour, tzinfo=UTC) for hour in range(24)]
    pl.DataFrame({"date": at}).with_columns(
        pl.lit(10.0).alias(name) for name in ("open", "high", "low", "close", "volume")
    ).write_parquet(path)
    import_bars(path, catalog, instrument="BTC-PERP")
    [fetched] = fetch()
    assert (fetched.skipped, fetched.kept) == (1, 48)


def test_a_damaged_day_is_fetched_again(fetch, catalog):
    fetch()
    before = content(catalog.path)
    part = catalog.imports()[1].parts[0]
    (catalog.path / part.path).write_bytes(b"PAR1")
    [fetched] = fetch()
    assert fetched.skipped == 2
    assert content(catalog.path) == before


def test_an_impossible_bar_needs_acceptance(fetch, exchange, catalog):
    exchange.impossible = {START_MS + HOUR_MS}
    [fetched] = fetch()
    assert (fetched.rejected, fetched.needs_acceptance) == ({"INCONSISTENT_BAR": 1}, True)
    with pytest.raises(DataError, match="INCONSISTENT_BAR 1"):
        catalog.read(fetched.key)
    [accepted] = fetch(accept_rejects=True)
    assert (accepted.skipped, accepted.needs_acceptance) == (3, False)
    assert catalog.read(fetched.key).height == 71


def test_two_quote_currencies_do_not_share_a_name(fetch, catalog):
    fetch(last=FIRST)
    with pytest.raises(DataError, match=r"BTC-PERP on binance is BTC/USDT:USDT.*BTC-USDC-PERP"):
        fetch(symbol="BTC/USDC:USDC", kinds=[TapeKind.FUNDING], timeframe=None)
    [other] = fetch(symbol="BTC/USDC:USDC", last=FIRST, instrument="BTC-USDC-PERP")
    assert other.key == TapeKey(TapeKind.BARS, "binance", "BTC", "BTC-USDC-PERP", HOUR_NS)
    assert len(catalog.keys()) == 2


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "binanse"}, r"ccxt has no exchange 'binanse'.*Did you mean binance"),
        ({"name": "kraken"}, r"kraken: what this exchange's figures count is not known"),
        ({"name": "hyperliquid", "kinds": [TapeKind.LONG_SHORT_RATIO]},
         r"hyperliquid: no long short ratio .*It can be had from binance, bybit, okx"),
        ({"symbol": "BTC/USDX:USDX"}, r"no perpetual swap 'BTC/USDX:USDX'.*BTC/USDT:USDT"),
        ({"symbol": "BTC/USDT"}, r"no perpetual swap 'BTC/USDT'.*There are BTC/USDT:USDT"),
        ({"symbol": "BTC-PERP"}, r"no perpetual swap 'BTC-PERP'"),
        ({"timeframe": "7m"}, r"'7m' is not offered.*1m, 3m, 5m"),
        ({"timeframe": "1w"}, r"'1w' does not divide a day.*Use one of .*12h, 1d$"),
        ({"timeframe": "5m", "kinds": [TapeKind.FUNDING]}, "funding has no timeframe"),
        ({"instrument": "ETH-PERP"}, r"'ETH-PERP' does not name a perpetual swap on BTC"),
        ({"instrument": "BTC"}, r"'BTC' does not name a perpetual swap.*BTC-USDT-PERP"),
        ({"last": date(2025, 5, 4)}, r"2025-05-04 lies before 2025-05-05"),
        ({"last": NOW.date()}, r"2025-05-09 \(UTC\) is not over.*last whole day is 2025-05-08"),
        ({"url": "localhost:80"}, r"--url: 'localhost:80' is no address"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_before_data_are_asked_for(
    fetch, exchange, catalog, options, words
):
    with pytest.raises(DataError, match=words):
        fetch(**options)
    assert sum(exchange.data_requests().values()) == 0
    assert catalog.imports() == []


@pytest.mark.parametrize(("minutes", "over"), [(9, False), (10, True)])
def test_a_day_is_over_ten_minutes_after_its_end(fetch, minutes, over):
    moment = datetime(2025, 5, 8, 0, minutes, tzinfo=UTC)
    if over:
        assert fetch(now=lambda: moment)[0].kept == 72
    else:
        with pytest.raises(DataError, match="is not over"):
            fetch(now=lambda: moment)


# --- the command --------------------------------------------------------------------------------


def test_progress_counts_the_days_of_all_tapes(fetch):
    told = []
    fetch(kinds=[TapeKind.BARS, TapeKind.FUNDING], progress=lambda *each: told.append(each))
    assert told == [(done, 6) for done in (0, 1, 2, 3, 3, 4, 5, 6)]


@pytest.fixture
def command(exchange, tmp_path, capsys):
    """Return a function that runs the command and returns its exit code and output."""

    def run(*more):
        words = [*ARGUMENTS[:9], "2025-05-06", "--url", exchange.url, "--timeframe", "1h"]
        words += ["--catalog", str(tmp_path / "catalog"), *more]
        with pytest.raises(SystemExit) as ended:
            main(words)
        return ended.value.code, capsys.readouterr()

    return run


def test_the_command_says_what_it_did(command, exchange):
    exchange.holes = [hole(30, 37)]
    code, printed = command("--kind", "open-interest", "--kind", "bars")
    assert code == 0
    assert printed.out.splitlines()[0] == (
        "bars of BTC/USDT:USDT on binance -> BTC-PERP: 2 days (0 there already), 41 rows read"
        " = 41 kept + 0 rejected + 0 repeats"
    )
    gap = "  the exchange gave nothing from 2025-05-06T06:00:00Z to 2025-05-06T13:00:00Z"
    assert printed.out.splitlines().count(gap) == 2


def test_the_command_prints_json(command):
    code, printed = command("--json")
    [tape] = json.loads(printed.out)
    assert code == 0
    assert (tape["kept"], tape["gaps"], tape["days"]) == (48, [], 2)
    assert tape["tape"]["resolution_seconds"] == 3600.0


def test_the_command_refuses_in_one_line(command):
    code, printed = command("--instrument", "ETH-PERP")
    assert code == 3
    assert printed.err.startswith("hedgeflow: --instrument: 'ETH-PERP' does not name")
    assert len(printed.err.splitlines()) == 1
