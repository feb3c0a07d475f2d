"""Lean's own sample data, imported whole and compared with a slow reader of the same archives."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from hedgeflow.cli import main
from hedgeflow.market import Catalog, TapeKey, TapeKind
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns
from hedgeflow.sources import import_lean
from hedgeflow.sources.lean import Outcome

AAPL_TRADES = "option/usa/minute/aapl/20140606_trade_american.zip"
AAPL_INTEREST = "option/usa/minute/aapl/20140606_openinterest_american.zip"
SPXW_QUOTES = "indexoption/usa/minute/spxw/20210104_quote_european.zip"
ES_TRADES = "futureoption/cme/minute/es/202003/20200106_trade_american.zip"
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def folder(market_data):
    path = market_data / "lean"
    if not path.is_dir():
        pytest.skip(f"needs Lean's sample data: no folder {path}")
    return path


@pytest.fixture(scope="module")
def imported(folder, tmp_path_factory):
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("lean") / "catalog")
    return catalog, import_lean(folder, catalog)


@pytest.fixture(scope="module")
def catalog(imported):
    return imported[0]


@pytest.fixture(scope="module")
def report(imported):
    return imported[1]


@pytest.fixture(scope="module")
def files(report):
    return {each.path: each for each in report.files}


def lines_of(path):
    """Yield member and fields of every line of an archive."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                for fields in csv.reader(io.TextIOWrapper(member, "ascii")):
                    yield name, fields


def moment(day, milliseconds, zone):
    """Return a line's time, worked out from the clock on the wall."""
    local = datetime.strptime(day, "%Y%m%d").replace(tzinfo=zone)
    return (local + timedelta(milliseconds=int(milliseconds))).astimezone(UTC)


def tape(catalog, kind, instrument, *, underlying=None, venue="usa", resolution_ns=MINUTE_NS):
    found = TapeKey(kind, venue, underlying or instrument, instrument, resolution_ns)
    return catalog.read(found, accept_rejects=True)


def test_every_file_is_imported_or_not_used_for_a_reason_and_none_refused(folder, report, files):
    there = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert [each.path for each in report.files] == [path.as_posix() for path in there]
    assert {outcome: report.count(outcome) for outcome in Outcome} == {
        Outcome.IMPORTED: 68,
        Outcome.NOT_USED: 31,
        Outcome.REFUSED: 0,
    }
    reasons = Counter(
        each.reason.split(":")[0].split(" of ")[0] for each in report.files if each.reason
    )
    assert reasons == {
        "its date is contradicted": 15,
        "no contract in it has a volume, an open interest or a price": 7,
        "no underlying prices": 4,
        "margin requirements": 2,
        "its volume cannot be": 2,
        "its prices are on another scale (split-adjusted?)": 1,
    }
    assert "AAPL at 92.72, but 645.7" in files["option/usa/universes/aapl/20140606.csv"].reason


def test_rows_add_up_to_the_lines_of_the_archives(folder, report, files):
    lines = sum(
        1
        for path, each in files.items()
        if each.outcome is Outcome.IMPORTED and ".zip" in path
        for _ in lines_of(folder / path)
    )
    zipped = [each for each in report.files if each.path.split(".", 1)[1].startswith("zip")]
    assert sum(each.read for each in zipped) == lines
    assert report.read == (
        report.kept + report.repeats + report.empty + sum(report.rejected.values())
    )
    assert report.rejected == {"CROSSED_QUOTE": 61}


def test_the_expiring_series_of_aapl_is_as_in_its_archives(folder, catalog, files):
    expiring = datetime(2014, 6, 6, 20, tzinfo=UTC)
    terms = catalog.contracts("usa", "AAPL").filter(pl.col("expiry") == expiring)["contract"]
    trades = tape(catalog, TapeKind.OPTION_TRADES, "AAPL")
    assert files[AAPL_TRADES].kept == trades.height == 22_067
    assert trades.filter(pl.col("contract").is_in(terms.implode()))["lots"].sum() == 200_794
    interest = tape(catalog, TapeKind.OPEN_INTEREST, "AAPL")
    assert interest.height == 2_322
    expected = sum(
        int(fields[1]) for name, fields in lines_of(folder / AAPL_INTEREST) if "20140606." in name
    )
    found = interest.filter(pl.col("contract").is_in(terms.implode()))["open_interest"].sum()
    assert found == expected == 267_806


def test_every_print_of_aapl_equals_its_line(folder, catalog):
    expected = Counter(
        (
            moment("20140606", fields[0], NEW_YORK),
            name.split("_")[5][0].upper(),
            int(name.split("_")[6]) / 10_000,
            int(fields[4]) / 10_000,
            int(fields[5]),
        )
        for name, fields in lines_of(folder / AAPL_TRADES)
    )
    terms = catalog.contracts("usa", "AAPL").select("contract", "right", "strike")
    joined = tape(catalog, TapeKind.OPTION_TRADES, "AAPL").join(terms, on="contract")
    found = Counter(joined.select("ts", "right", "strike", "price", "lots").iter_rows())
    assert found == expected


def test_the_underlying_price_of_a_print_is_the_stocks_close_of_its_minute(folder, catalog):
    lines = lines_of(folder / "equity/usa/minute/aapl/20140606_trade.zip")
    closes = {
        moment("20140606", fields[0], NEW_YORK): int(fields[4]) / 10_000 for _, fields in lines
    }
    trades = tape(catalog, TapeKind.OPTION_TRADES, "AAPL").filter(
        pl.col("ts") < datetime(2014, 6, 6, 20, tzinfo=UTC)
    )
    assert [closes[ts] for ts in trades["ts"]] == trades["underlying_price"].to_list()


def test_bid_and_ask_of_a_print_are_the_last_quotes_before_its_minute(folder, catalog):
    known = {}
    for name, fields in lines_of(folder / SPXW_QUOTES):
        sides = [int(each) / 10_000 if each else None for each in (fields[4], fields[9])]
        known.setdefault(name.split("european_")[1], []).append((int(fields[0]), *sides))
    path = folder / "indexoption/usa/minute/spxw/20210104_trade_european.zip.zip"
    expected = Counter()
    for name, fields in lines_of(path):
        before = [
            quote
            for quote in known[name.split("european_")[1]]
            if quote[0] + 60_000 <= int(fields[0])
        ]
        sides = before[-1][1:] if before else (None, None)
        at = moment("20210104", fields[0], NEW_YORK)
        expected[(at, int(fields[4]) / 10_000, int(fields[5]), *sides)] += 1
    trades = tape(catalog, TapeKind.OPTION_TRADES, "SPX").filter(
        pl.col("ts").dt.date() == datetime(2021, 1, 4, tzinfo=UTC).date()
    )
    found = Counter(trades.select("ts", "price", "lots", "bid", "ask").iter_rows())
    assert found == expected
    assert trades["bid"].null_count() < 50


def test_spx_opens_at_half_past_eight_in_chicago(catalog):
    spx = tape(catalog, TapeKind.BARS, "SPX")
    assert spx["ts"].min() == datetime(2021, 1, 4, 14, 30, tzinfo=UTC)
    assert spx.row(0, named=True)["open"] == 3764.61
    summer = spx.filter(pl.col("ts") > datetime(2023, 6, 1, tzinfo=UTC))
    assert summer["ts"].min() == datetime(2023, 6, 26, 13, 30, tzinfo=UTC)


def test_es_is_written_in_utc(catalog):
    december = tape(catalog, TapeKind.BARS, "ESZ13", underlying="ES", venue="cme")
    assert december["ts"].min() == datetime(2013, 10, 6, 22, tzinfo=UTC)  # 17:00 in Chicago
    march = tape(catalog, TapeKind.BARS, "ESH20", underlying="ES", venue="cme")
    assert march["ts"].min() == datetime(2020, 1, 5, 23, tzinfo=UTC)  # 17:00 in Chicago
    assert march.row(0, named=True)["volume"] == 5815 * 50.0


def test_options_on_es_are_as_in_their_archives(folder, catalog):
    expected = Counter(
        (
            moment("20200106", fields[0], UTC),
            f"ESH20 {name.split('_')[5][0].upper()}{int(name.split('_')[6]) // 10_000}",
            float(fields[4]),
            int(fields[5]),
        )
        for name, fields in lines_of(folder / ES_TRADES)
    )
    trades = tape(catalog, TapeKind.OPTION_TRADES, "ES", venue="cme").filter(
        pl.col("contract").str.starts_with("ESH20")
        & (pl.col("ts") >= datetime(2020, 1, 6, tzinfo=UTC))
    )
    found = Counter(trades.select("ts", "contract", "price", "lots").iter_rows())
    assert found == expected


def test_the_universes_of_aapl_give_four_sessions_before_the_expiry(catalog):
    days = tape(catalog, TapeKind.OPTION_DAYS, "AAPL", resolution_ns=DAY_NS)
    opens = [datetime(2014, 6, day, 13, 30, tzinfo=UTC) for day in (2, 3, 4, 5)]
    assert days["ts"].unique().sort().to_list() == opens
    assert days["known_at"].max() == datetime(2014, 6, 6, 10, 30, tzinfo=UTC)
    row = days.filter(
        (pl.col("ts") == opens[3]) & (pl.col("contract") == "AAPL  140606C00645000")
    ).to_dicts()[0]
    assert (row["lots"], row["open_interest"], row["close"]) == (25_579, 8_181.0, 4.15)
    assert row["iv"] is row["delta"] is None  # written as 0


def test_the_open_interest_of_a_universe_is_what_the_next_morning_publishes(catalog):
    """Of the contracts that both state, 1,922 of 1,962 agree: the rest were corrected."""
    published = tape(catalog, TapeKind.OPEN_INTEREST, "AAPL").select("contract", "open_interest")
    days = tape(catalog, TapeKind.OPTION_DAYS, "AAPL", resolution_ns=DAY_NS)
    last = days.filter(pl.col("ts") == days["ts"].max()).drop_nulls("open_interest")
    both = last.join(published, on="contract", suffix="_published")
    same = both.filter(pl.col("open_interest") == pl.col("open_interest_published"))
    assert (both.height, same.height) == (1_962, 1_922)


def test_days_cover_their_sessions_without_gaps(catalog):
    covered = catalog.coverage(TapeKey(TapeKind.OPTION_TRADES, "cme", "ES", "ES", MINUTE_NS))
    first, last = datetime(2020, 1, 5, 23, tzinfo=UTC), datetime(2020, 1, 7, tzinfo=UTC)
    assert covered.intervals == [(instant_ns(first), instant_ns(last))]
    aapl = catalog.coverage(TapeKey(TapeKind.OPTION_TRADES, "usa", "AAPL", "AAPL", MINUTE_NS))
    assert aapl.contains(
        instant_ns(datetime(2014, 6, 6, 13, 30, tzinfo=UTC)),
        instant_ns(datetime(2014, 6, 6, 20, tzinfo=UTC)),
    )


def test_a_scan_finds_alerts_signed_by_the_tick_rule_and_explains_them(catalog, capsys, report):
    arguments = ["--catalog", str(catalog.path)]
    wanted = ["--underlying", "AAPL", "--date", "2014-06-06", "--preset", "source", "--json"]
    found = command(capsys, "scan", *arguments, *wanted)
    assert len(found["alerts"]) > 100
    rules = {
        (each["rule"], each["probability"])
        for alert in found["alerts"]
        for each in alert["signing"]
    }
    assert ("TICK", 0.75) in rules
    assert {rule for rule, _ in rules} <= {"TICK", "NONE"}
    explained = command(capsys, "explain", found["alerts"][0]["alert_id"], *arguments, "--json")
    assert explained["prints"][0]["rule"] == "TICK"
    assert explained["members"][0]["baseline"] == "DAYS"
    assert report.folder == "lean"


def command(capsys, *words):
    """Run a command as the program would and return the document that it prints."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code in {None, 0}
    return json.loads(capsys.readouterr().out)
