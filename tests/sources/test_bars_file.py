"""Bar files: columns, times, intervals, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from builders.market_files import BARS_KEY, START, file_bars, with_value, written
from hedgeflow.market import DataError
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns
from hedgeflow.sources import import_bars, parse_column_map


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


# --- the same file, read otherwise --------------------------------------------------------------


def floating():
    return file_bars().with_columns(pl.col("date").dt.replace_time_zone(None))


def test_the_same_file_in_another_zone_is_refused_not_taken_for_the_same(imported):
    imported(floating())
    again, _ = imported(floating(), timezone="UTC")
    assert again.already_imported
    with pytest.raises(DataError, match="before with no arguments, now it is to be with time zone"):
        imported(floating(), timezone="America/New_York")


def test_the_same_file_with_another_column_map_is_refused(imported):
    frame = file_bars().with_columns(settle=pl.col("close"))
    imported(frame)
    assert imported(frame, columns={"close": "close"})[0].already_imported
    with pytest.raises(DataError, match="now it is to be with close=settle"):
        imported(frame, columns={"close": "settle"})


def test_a_zone_that_no_time_needs_changes_nothing(imported):
    imported(file_bars())
    assert imported(file_bars(), timezone="Asia/Tokyo")[0].already_imported


@pytest.mark.parametrize("option", ["instrument", "venue"])
def test_an_empty_name_is_refused(imported, option):
    with pytest.raises(DataError, match=f"--{option}: the name is empty"):
        imported(file_bars(), **{option: " "})


def test_a_file_without_one_usable_bar_is_refused_with_its_reasons(imported, catalog):
    frame = file_bars(4).with_columns(close=pl.lit(None, pl.Float64))
    with pytest.raises(
        DataError, match=r"none of its 4 rows can be used: MISSING_VALUE 3, NON_POSITIVE_PRICE 1"
    ):
        imported(with_value(frame, 0, "high", -1.0))
    assert catalog.keys() == []


# --- indices ------------------------------------------------------------------------------------

DAILY_VIX = """DATE,OPEN,HIGH,LOW,CLOSE
04/03/2025,25.120000,30.300000,25.120000,30.020000
04/04/2025,35.520000,45.610000,32.920000,45.310000
04/07/2025,60.130000,60.130000,38.580000,46.980000
04/14/2025,35.250000,35.250000,29.750000,30.890000
"""
"""The form in which the exchange publishes it: no volume, the month first."""


@pytest.fixture
def vix(catalog, tmp_path):
    """Return a function that imports a text as bars of the index."""

    def run(text, instrument="VIX"):
        path = tmp_path / "VIX_History.csv"
        path.write_text(text, encoding="utf-8")
        report = import_bars(path, catalog, instrument=instrument, venue="cboe")
        return report, catalog.read(report.key)

    return run


def test_an_index_needs_no_volume_and_a_day_is_known_at_its_end(vix):
    report, tape = vix(DAILY_VIX)
    assert (report.key.underlying, report.key.resolution_ns) == ("VIX", DAY_NS)
    assert tape["volume"].to_list() == [0.0] * 4
    assert tape["known_at"][1] == datetime(2025, 4, 5, tzinfo=UTC)
    assert tape["close"][1] == 45.31
    assert any("month/day/year" in note for note in report.notes)
    assert any("no volume" in note for note in report.notes)


def test_what_is_traded_needs_a_volume(vix):
    with pytest.raises(DataError, match="column 'volume' is missing"):
        vix(DAILY_VIX, "UVIX")


def test_an_index_in_fractions_is_refused(vix):
    text = "ts,open,high,low,close\n2025-04-03,0.25,0.3,0.25,0.3\n2025-04-04,0.4,0.5,0.3,0.45\n"
    with pytest.raises(DataError, match=r"VIX are at most 0.45: fractions, not percent"):
        vix(text)


@pytest.mark.parametrize(
    ("days", "first"),
    [(("04/03", "04/14"), 3), (("03/04", "14/04"), 3), (("04/03", "04/05"), None)],
)
def test_day_and_month_are_told_by_a_number_above_12_or_refused(vix, days, first):
    rows = "".join(f"{day}/2025,20,21,19,20\n" for day in days)
    if first is None:
        with pytest.raises(DataError, match="day or month comes first in '04/03/2025' cannot"):
            vix(f"ts,open,high,low,close\n{rows}")
    else:
        _, tape = vix(f"ts,open,high,low,close\n{rows}")
        assert tape["ts"].dt.date().to_list() == [date(2025, 4, first), date(2025, 4, 14)]


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
