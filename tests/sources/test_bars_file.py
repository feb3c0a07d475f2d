"""Bar files: columns, times, intervals, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from builders.market_files import BARS_KEY, START, file_bars, with_value, written
from hedgeflow.market import Catalog, DataError
from hedgeflow.market.time import MINUTE_NS, instant_ns
from hedgeflow.sources import import_bars, parse_column_map


@pytest.fixture
def catalog(tmp_path):
    return Catalog.create_or_open(tmp_path / "catalog")


@pytest.fixture
def imported(catalog, tmp_path):
    """Return a function that imports a table and returns report and tape."""

    def run(frame, name="binance_BTCUSDT_1m.parquet", **options):
        path = written(frame, tmp_path, name)
        report = import_bars(path, catalog, **{"instrument": "BTC-PERP"} | options)
        return report, catalog.read(report.key, accept_rejects=True)

    return run


def test_a_file_becomes_a_tape(imported):
    report, tape = imported(file_bars())
    assert report.key == BARS_KEY
    assert (report.read, report.kept, report.rejected) == (30, 30, {})
    assert tape["open"].to_list() == file_bars()["open"].to_list()
    assert (tape["known_at"] - tape["ts"]).unique().to_list() == [timedelta(minutes=1)]
    begin = instant_ns(START)
    assert report.coverage.intervals == [(begin, begin + 30 * MINUTE_NS)]


@pytest.mark.parametrize(
    ("name", "venue", "told"),
    [
        ("okx_bars.parquet", "okx", "taken from the file name"),
        ("Bybit_bars.parquet", "bybit", "taken from the file name"),
        ("bars.parquet", "unknown", "give one with --venue"),
    ],
)
def test_the_venue_comes_from_the_name(imported, name, venue, told):
    report, _ = imported(file_bars(), name)
    assert report.key.venue == venue
    assert told in report.notes[0]


def test_a_given_venue_wins(imported):
    report, _ = imported(file_bars(), venue="kraken")
    assert report.key.venue == "kraken"
    assert "was given" in report.notes[0]


@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_the_interval_is_told_from_the_times(imported, minutes):
    report, _ = imported(file_bars(minutes=minutes))
    assert report.key.resolution_ns == minutes * MINUTE_NS


def test_missing_bars_split_the_coverage(imported):
    report, tape = imported(file_bars(10)[[0, 1, 2, 5, 6, 7, 8, 9]])
    begin = instant_ns(START)
    assert report.coverage.intervals == [
        (begin, begin + 3 * MINUTE_NS),
        (begin + 5 * MINUTE_NS, begin + 10 * MINUTE_NS),
    ]
    assert tape.height == 8


def test_an_irregular_time_is_refused_by_row(imported):
    frame = file_bars(10)
    odd = with_value(frame, 6, "date", frame["date"][6] + timedelta(seconds=30))
    with pytest.raises(DataError, match=r"60 s apart, but row 6 \(2025-04-11T13:24:30Z\)"):
        imported(odd)


def test_one_bar_has_no_length(imported):
    with pytest.raises(DataError, match="Two bars are needed"):
        imported(file_bars(1))


@pytest.mark.parametrize(
    "names",
    [
        {"date": "Timestamp", "open": "O", "high": "H", "low": "L", "close": "C", "volume": "V"},
        {"date": "open_time", "open": "Open", "high": "High", "low": "Low", "close": "Close"},
    ],
)
def test_usual_column_names_are_recognised(imported, names):
    assert imported(file_bars().rename(names))[0].kept == 30


def test_other_columns_are_mapped(imported):
    frame = file_bars().rename({"date": "when", "volume": "traded"})
    report, tape = imported(frame, columns=parse_column_map("time=when, volume=traded"))
    assert report.kept == 30
    assert tape["volume"].to_list() == file_bars()["volume"].to_list()


def test_a_mapped_column_that_is_not_there_is_named(imported):
    with pytest.raises(DataError, match=r"column 'when' is missing.*--columns time=NAME"):
        imported(file_bars(), columns={"time": "when"})


@pytest.mark.parametrize("text", ["open", "open=", "vwap=v", ""])
def test_a_wrong_column_map_is_refused(text):
    with pytest.raises(DataError, match="no part of a column map"):
        parse_column_map(text)


@pytest.mark.parametrize(("unit", "word"), [("ms", "milliseconds"), ("us", "microseconds")])
def test_numbers_are_read_as_time_since_1970(imported, unit, word):
    report, tape = imported(file_bars().with_columns(pl.col("date").dt.epoch(unit)))
    assert tape["ts"][0] == START
    assert any(word in note for note in report.notes)


def test_seconds_and_nanoseconds_since_1970_are_read(imported):
    for number, scale in enumerate((1_000_000_000, 1)):
        stamps = pl.col("date").dt.epoch("ns") // scale
        _, tape = imported(file_bars().with_columns(stamps), f"okx_{number}.parquet")
        assert tape["ts"][0] == START


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S%.3f+0000"]
)
def test_iso_texts_with_offset_are_read(imported, form):
    frame = file_bars().with_columns(pl.col("date").dt.strftime(form))
    report, tape = imported(frame, "binance_x.csv")
    assert tape["ts"][0] == START
    assert not any("zone" in note for note in report.notes)


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])
def test_times_without_zone_are_utc_and_it_is_said(imported, form):
    frame = file_bars().with_columns(pl.col("date").dt.strftime(form))
    report, tape = imported(frame, "binance_x.csv")
    assert tape["ts"][0] == START
    assert any("UTC is assumed" in note for note in report.notes)


def test_a_time_zone_may_be_given(imported):
    local = file_bars().with_columns(
        pl.col("date").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
    )
    _, tape = imported(local, timezone="America/New_York")
    assert tape["ts"][0] == START


def test_an_unknown_time_zone_is_refused(imported):
    local = file_bars().with_columns(pl.col("date").dt.replace_time_zone(None))
    with pytest.raises(DataError, match=r"'Mars/Olympus'.*IANA"):
        imported(local, timezone="Mars/Olympus")


def test_a_text_that_is_no_time_is_named(imported):
    frame = file_bars().with_columns(pl.col("date").dt.strftime("%Y-%m-%dT%H:%M:%S"))
    with pytest.raises(DataError, match="column 'date', row 4: 'soon' is no ISO 8601 time"):
        imported(with_value(frame, 4, "date", "soon"))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("open", float("nan"), "NAN_PRICE"),
        ("close", None, "MISSING_VALUE"),
        ("low", 0.0, "NON_POSITIVE_PRICE"),
        ("high", 90.0, "INCONSISTENT_BAR"),
        ("low", 104.5, "INCONSISTENT_BAR"),
        ("volume", -1.0, "NEGATIVE_VOLUME"),
        ("date", None, "MISSING_VALUE"),
    ],
)
def test_an_impossible_bar_is_rejected_with_its_reason(imported, column, value, reason):
    report, tape = imported(with_value(file_bars(), 4, column, value))
    assert report.rejected == {reason: 1}
    assert report.needs_acceptance
    assert 4 not in tape["sequence"].to_list()


def test_bars_of_one_time_are_repeats_or_conflicts(imported):
    frame = file_bars(5)[[0, 1, 1, 2, 2, 3, 4]]
    report, tape = imported(with_value(frame, 4, "close", 102.5))
    assert (report.kept, report.repeats) == (5, 1)
    assert report.rejected == {"CONFLICTING_BAR": 1}
    assert tape["close"][2] == 103.0


def test_text_in_a_price_column_is_named(imported):
    frame = file_bars().with_columns(pl.col("high").cast(pl.String))
    with pytest.raises(DataError, match="column 'high', row 3: 'much' is no number"):
        imported(with_value(frame, 3, "high", "much"), "binance_x.csv")


def test_one_instrument_of_several_is_read(imported):
    both = pl.concat([file_bars().with_columns(symbol=pl.lit(name)) for name in ("ETH", "BTC")])
    report, tape = imported(both)
    assert tape.height == 30
    assert any("1 other" in note for note in report.notes)
    with pytest.raises(DataError, match="holds BTC, ETH, not SOL"):
        imported(both, instrument="SOL-PERP")


@pytest.mark.parametrize(
    ("name", "instrument", "rows", "minutes"),
    [
        ("binance_BTCUSDT_1m", "BTC-PERP", 19_887, 1),
        ("bybit_BTCUSDT_5m", "BTC-PERP", 17_948, 5),
        ("binance_SOLUSDT_5m", "SOL-PERP", 86_400, 5),
        ("binance_AVAXUSDT_1h", "AVAX-PERP", 6_624, 60),
        ("okx_1h", "DOGE-PERP", 29_184, 60),
    ],
)
def test_recorded_bars_are_whole(market_data, catalog, name, instrument, rows, minutes):
    path = market_data / "perp-bars" / f"{name}.parquet"
    report = import_bars(path, catalog, instrument=instrument)
    assert (report.read, report.kept, report.rejected) == (rows, rows, {})
    assert report.key.venue == name.split("_")[0]
    assert report.key.resolution_ns == minutes * MINUTE_NS
    assert len(report.coverage.intervals) == 1
