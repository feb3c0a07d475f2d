"""NSE's chains: units of the index, India's clock, expiries that the files do not always name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from math import erf, log, sqrt

import polars as pl
import pytest

from hedgeflow.market import Catalog, DataError, TapeKind
from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.sources import import_nse_chains

MINUTES_OF_A_YEAR = 365 * 24 * 60
CHAIN_FILE = "nifty_banknifty_chain.parquet"
AT_THE_MONEY_FILE = "nifty_atm_options_15min.parquet"
VALUES = ("open_interest", "volume", "iv", "price", "underlying_price")


def chain(**changed):
    """Return two snapshots of one strike, as a file has them."""
    rows = {
        "Symbol": ["NIFTY", "NIFTY"],
        "Expiry": ["2026-02-03"] * 2,
        "Strike": [25_800.0] * 2,
        "CE_LTP": [61.0, 0.0],
        "CE_OI": [3_178_110.0, 3_190_005.0],
        "CE_Volume": [15_031_250.0, 15_102_100.0],
        "PE_LTP": [74.4, 75.0],
        "PE_OI": [1_650_350.0, 1_647_100.0],
        "PE_Volume": [9_114_300.0, 9_190_050.0],
        "Spot": [25_798.75, 25_791.2],
        "timestamp": ["2026-02-03 12:23:12", "2026-02-03 12:28:21"],
    }
    return pl.DataFrame(rows | changed)


def at_the_money(**changed):
    """Return the last two bars before the monthly expiry of January 2023, and one after."""
    rows = {"datetime": [f"2023-01-25 15:{minute}:00" for minute in ("00", "15", "30")]}
    rows |= {"strike": [17_900.0, 17_850.0, 17_850.0], "spot": [17_896.5, 17_860.0, 17_861.0]}
    rows |= {"CALL_close": [20.0, 10.0, 9.0], "PUT_close": [25.0, None, 1.0]}
    rows |= {"CALL_oi": [1e6, 2e6, 2e6], "PUT_oi": [3e6, None, 4e6]}
    rows |= {"CALL_volume": [1e5] * 3, "PUT_volume": [1e5] * 3}
    rows |= {"CALL_iv": [14.0, 0.0, 9.0], "PUT_iv": [520.4, None, 9.0]}
    return pl.DataFrame(rows | changed)


@pytest.fixture
def imported(catalog, tmp_path):
    def do(frame, name="chain.parquet"):
        path = tmp_path / name
        frame.write_parquet(path)
        reports = import_nse_chains([path], catalog, accept_rejects=True)
        return {(report.key.kind, report.key.underlying): report for report in reports}

    return do


@pytest.mark.parametrize("name", ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY"])
def test_nses_indices_are_known_as_indices(name):
    assert hedge_instrument(name, "nse").kind is HedgeKind.INDEX


def test_call_and_put_stand_in_rows_of_their_own_a_minute_after_the_stamp(imported, catalog):
    report = imported(chain())[TapeKind.OPTION_SNAPSHOTS, "NIFTY"]
    tape = catalog.read(report.key)
    assert report.read == report.kept == 4
    assert tape.head(2).select("contract", *VALUES).rows() == [
        ("NIFTY-20260203-25800-CE", 3_178_110.0, 15_031_250.0, None, 61.0, 25_798.75),
        ("NIFTY-20260203-25800-PE", 1_650_350.0, 9_114_300.0, None, 74.4, 25_798.75),
    ]
    assert tape["ts"][0] == datetime(2026, 2, 3, 6, 53, 12, tzinfo=UTC)
    assert tape["known_at"][0] == datetime(2026, 2, 3, 6, 54, 12, tzinfo=UTC)
    assert tape["price"][2] is None  # nothing traded


def test_a_contract_is_one_unit_of_the_index_and_ends_at_half_past_three(imported, catalog):
    imported(chain())
    terms = catalog.contracts("nse", "NIFTY").unique(
        ["expiry", "multiplier", "lot", "style", "settlement", "inverse"]
    )
    assert terms.select("expiry", "multiplier", "lot", "style", "settlement").rows() == [
        (datetime(2026, 2, 3, 10, tzinfo=UTC), 1.0, 1.0, "european", "cash")
    ]


def test_an_index_without_a_level_is_rejected_and_the_others_are_kept(imported, catalog):
    both = pl.concat(
        [chain()[:1], chain(Symbol=["MIDCPNIFTY"] * 2, Spot=[0.0, 0.0])[:1], chain()[1:]]
    )
    reports = imported(both)
    refused = reports[TapeKind.OPTION_SNAPSHOTS, "MIDCPNIFTY"]
    assert (refused.kept, refused.rejected) == (0, {"NON_POSITIVE_PRICE": 2})
    assert reports[TapeKind.OPTION_SNAPSHOTS, "NIFTY"].kept == 4
    assert (TapeKind.BARS, "MIDCPNIFTY") not in reports


def test_bars_are_made_of_levels_in_the_session_only(imported, catalog):
    night = chain(timestamp=["2026-02-03 01:25:55", "2026-02-03 12:28:21"])
    bars = catalog.read(imported(night)[TapeKind.BARS, "NIFTY"].key)
    assert bars["close"].to_list() == [25_791.2]
    assert bars["known_at"][0] == datetime(2026, 2, 3, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("frame", "name", "message"),
    [
        (chain(Symbol=["SENSEX"] * 2), "a.parquet", "holds SENSEX, which is no index"),
        (chain(Expiry=["soon"] * 2), "a.parquet", "column 'Expiry', row 0: 'soon' is no date"),
        (chain().drop("CE_OI"), "a.parquet", "'CE_OI' is missing: this is no file of an NSE chain"),
        (chain(Spot=[0.0, 0.0]), "a.parquet", "none of its 4 rows can be used: NON_POSITIVE"),
        (at_the_money(), "a.parquet", "the file's name says no index"),
        (at_the_money(), "nifty_banknifty.parquet", "name says BANKNIFTY and NIFTY"),
        (at_the_money().drop("PUT_iv"), "nifty.parquet", "'PUT_iv' is missing"),
    ],
)
def test_a_file_that_is_not_what_it_must_be_is_refused(imported, catalog, frame, name, message):
    with pytest.raises(DataError, match=message):
        imported(frame, name)
    assert catalog.imports() == []


def test_a_bar_at_the_money_is_known_at_its_end_and_none_is_kept_after_expiry(imported, catalog):
    report = imported(at_the_money(), "nifty.parquet")[TapeKind.OPTION_SNAPSHOTS, "NIFTY"]
    tape = catalog.read(report.key)
    assert (report.read, report.kept, report.rejected) == (6, 4, {"AFTER_EXPIRY": 2})
    assert tape["known_at"].to_list()[-1] == datetime(2023, 1, 25, 10, tzinfo=UTC)
    assert tape.select("contract", *VALUES).rows() == [
        ("NIFTY-20230125-17900-CE", 1e6, None, 0.14, 20.0, 17_896.5),
        ("NIFTY-20230125-17900-PE", 3e6, None, None, 25.0, 17_896.5),
        ("NIFTY-20230125-17850-CE", 2e6, None, None, 10.0, 17_860.0),
        ("NIFTY-20230125-17850-PE", None, None, None, None, 17_860.0),
    ]


def test_bars_of_the_index_are_known_with_the_strikes_that_they_price(imported, catalog):
    reports = imported(at_the_money(), "nifty.parquet")
    bars = catalog.read(reports[TapeKind.BARS, "NIFTY"].key)
    tape = catalog.read(reports[TapeKind.OPTION_SNAPSHOTS, "NIFTY"].key)
    assert bars["close"].to_list() == [17_896.5, 17_860.0, 17_861.0]
    assert bars["open"].to_list() == [17_896.5, 17_896.5, 17_860.0]
    known = bars.join(tape, on="known_at")
    assert known.select((pl.col("close") == pl.col("underlying_price")).all()).item()


# --- the recorded files ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(market_data, tmp_path_factory):
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("nse") / "catalog")
    files = [market_data / "nse" / name for name in (AT_THE_MONEY_FILE, CHAIN_FILE)]
    reports = import_nse_chains(files, catalog, accept_rejects=True)
    return catalog, {(each.source, each.key.kind, each.key.underlying): each for each in reports}


def test_every_row_of_the_recorded_files_is_accounted_for(recorded):
    _, reports = recorded
    told = {
        (source, str(kind), index): (each.read, each.kept, dict(each.rejected))
        for (source, kind, index), each in reports.items()
    }
    assert told == {
        (AT_THE_MONEY_FILE, "option_snapshots", "NIFTY"): (17_252, 17_226, {"AFTER_EXPIRY": 26}),
        (AT_THE_MONEY_FILE, "bars", "NIFTY"): (8_626, 8_626, {}),
        (CHAIN_FILE, "option_snapshots", "NIFTY"): (9_090, 9_090, {}),
        (CHAIN_FILE, "bars", "NIFTY"): (41, 41, {}),
        (CHAIN_FILE, "option_snapshots", "BANKNIFTY"): (11_610, 11_610, {}),
        (CHAIN_FILE, "bars", "BANKNIFTY"): (41, 41, {}),
        (CHAIN_FILE, "option_snapshots", "MIDCPNIFTY"): (
            10_710,
            0,
            {"NON_POSITIVE_PRICE": 10_710},
        ),
    }


@pytest.mark.parametrize("index", ["NIFTY", "BANKNIFTY"])
@pytest.mark.parametrize(("right", "side"), [("C", "CE"), ("P", "PE")])
def test_the_recorded_chains_stand_in_the_catalog_as_in_the_file(
    recorded, market_data, index, right, side
):
    catalog, reports = recorded
    report = reports[CHAIN_FILE, TapeKind.OPTION_SNAPSHOTS, index]
    tape = catalog.read(report.key).join(catalog.contracts("nse", index), on="contract")
    raw = pl.read_parquet(market_data / "nse" / CHAIN_FILE).filter(pl.col("Symbol") == index)
    stamps = pl.col("timestamp").str.to_datetime().dt.replace_time_zone("Asia/Kolkata")
    files = raw.select(
        stamps.dt.convert_time_zone("UTC").dt.cast_time_unit("ns").alias("ts"),
        pl.col("Strike").alias("strike"),
        *(pl.col(f"{side}_{name}").alias(name) for name in ("LTP", "OI", "Volume")),
        "Spot",
    )
    both = tape.filter(pl.col("right") == right).join(files, on=["ts", "strike"])
    assert both.height == raw.height
    assert both.select(
        (pl.col("open_interest") == pl.col("OI")).all()
        & (pl.col("volume") == pl.col("Volume")).all()
        & (pl.col("price").fill_null(0.0) == pl.col("LTP")).all()
        & (pl.col("underlying_price") == pl.col("Spot")).all()
    ).item()


def test_the_expiries_are_the_days_on_which_the_recorded_series_ends(recorded, market_data):
    """Each month of the file ends with its expiry: another month's options begin the next."""
    raw = pl.read_parquet(market_data / "nse" / AT_THE_MONEY_FILE)
    days = raw.select(pl.col("datetime").dt.date().alias("day"))
    ends = days.group_by(pl.col("day").dt.truncate("1mo")).agg(pl.col("day").max().alias("end"))
    catalog, reports = recorded
    report = reports[AT_THE_MONEY_FILE, TapeKind.OPTION_SNAPSHOTS, "NIFTY"]
    named = catalog.read(report.key)["contract"].unique()
    terms = catalog.contracts("nse", "NIFTY").filter(pl.col("contract").is_in(named.implode()))
    found = terms["expiry"].dt.convert_time_zone("Asia/Kolkata").unique().sort()
    assert found.dt.date().to_list() == ends["end"].sort().to_list()
    assert set(found.dt.time()) == {time(15, 30)}
    assert {date(2023, 1, 25), date(2023, 3, 29), date(2023, 6, 28)} <= set(found.dt.date())


def test_the_printed_volatilities_agree_with_that_expiry_from_each_bars_end(recorded, market_data):
    """A straddle's price and volatility say how long it had to live: to the end of its bar."""
    catalog, reports = recorded
    report = reports[AT_THE_MONEY_FILE, TapeKind.OPTION_SNAPSHOTS, "NIFTY"]
    tape = catalog.read(report.key).join(catalog.contracts("nse", "NIFTY"), on="contract")
    last_hours = tape.filter(
        (pl.col("expiry") - pl.col("known_at")).is_between(timedelta(hours=1), timedelta(hours=6))
    ).drop_nulls(["iv", "price"])
    pairs = last_hours.filter(pl.len().over("known_at") == 2).sort("known_at", "right")
    errors = []
    for _, pair in pairs.group_by("known_at"):
        call, put = pair.sort("right").iter_rows(named=True)
        left = (call["expiry"] - call["known_at"]).total_seconds() / 60
        errors.append(abs(minutes_implied(call, put) / left - 1))
    assert len(errors) > 300
    assert sorted(errors)[len(errors) // 2] < 0.01  # a bar's length off would be 8 % and more
    assert sorted(errors)[int(len(errors) * 0.95)] < 0.05


def minutes_implied(call, put):
    """Return the minutes to expiry at which Black's straddle costs what these two cost."""
    low, high = 1.0, 10_000.0
    for _ in range(50):
        middle = (low + high) / 2
        worth = sum(black(each, middle / MINUTES_OF_A_YEAR) for each in (call, put))
        low, high = (middle, high) if worth < call["price"] + put["price"] else (low, middle)
    return middle


def black(option, years):
    """Return Black's price without a rate, by the normal distribution's textbook formula."""
    spot, strike = option["underlying_price"], option["strike"]
    spread = option["iv"] * sqrt(years)
    upper = log(spot / strike) / spread + spread / 2
    normal = [0.5 * (1 + erf(each / sqrt(2))) for each in (upper, upper - spread)]
    call = spot * normal[0] - strike * normal[1]
    return call if option["right"] == "C" else call - spot + strike
