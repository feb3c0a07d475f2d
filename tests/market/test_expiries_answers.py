"""Expiries against answer files for 2014 to 2027, announcements, and contracts that were traded."""

from __future__ import annotations

import csv
import re
import zipfile
from datetime import date, timedelta

import polars as pl
import pytest

from hedgeflow.market.contracts import INDEX_OF_ROOT, Right, osi_symbol, parse_osi_option
from hedgeflow.market.expiries import (
    Cycle,
    expiries_on,
    expiry_of,
    is_early_close,
    is_triple_witching,
    standard_expiration,
    trading_day,
)
from hedgeflow.market.time import instant_ns, iso
from market.expiry_derivation import ANSWERS, FILES, YEARS, months, text_of, trades

NSE_YEARS = range(2014, 2027)
DAY = timedelta(days=1)


def answers(name):
    lines = (ANSWERS / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def days(years):
    day = date(years[0], 1, 1)
    while day.year in years:
        yield day
        day += DAY


@pytest.mark.parametrize("name", FILES)
def test_the_answer_files_are_what_their_headers_say(name):
    assert (ANSWERS / name).read_text(encoding="utf-8") == text_of(name)


# --- answers ------------------------------------------------------------------------------------


def test_new_york_trades_on_the_days_of_its_published_holidays_and_early_closes():
    closes = {date.fromisoformat(row["date"]): row for row in answers("us_early_closes.csv")}
    for day in days(YEARS):
        assert (trading_day("XNYS", day) is not None) == trades(day), day
        assert is_early_close(day) == (day in closes), day
    for day, row in closes.items():
        assert iso(expiry_of("AAPL", day).expires_ns) == row["close"]
        assert iso(expiry_of("SPXW", day).expires_ns) == row["close"]
        assert iso(expiry_of("SPXW", day).last_trade_ns) == row["close"]
        assert iso(expiry_of("SPY", day).expires_ns) == row["close"]
        assert iso(expiry_of("SPY", day).last_trade_ns) == row["last_trade_of_funds"]
        assert iso(expiry_of("EW1", day, "cme").expires_ns) == row["close"]


def test_every_standard_expiration_is_on_its_day_settled_at_its_open_and_close():
    rows = answers("us_standard.csv")
    assert len(rows) == 12 * len(YEARS)
    for row in rows:
        day = date.fromisoformat(row["date"])
        opening, closing = listed(day, "SPX"), listed(day, "EQUITY")
        assert iso(opening.expires_ns) == row["opening_settled"]
        assert iso(opening.last_trade_ns) == row["last_trade_of_opening_settled"]
        assert iso(closing.expires_ns) == row["close"]
        assert is_triple_witching(day) == (row["triple_witching"] == "yes")
        assert opening.features.triple_witching == (row["triple_witching"] == "yes")
        for root in ("NDX", "RUT", "DJX"):
            assert listed(day, root).expires_ns == opening.expires_ns
        for root in ("SPY", "XSP", "AAPL"):
            assert listed(day, root).expires_ns == closing.expires_ns
    expected = {date.fromisoformat(row["date"]) for row in rows}
    assert {standard_expiration(year, month) for year, month in months()} == expected
    told = {day for day in days(YEARS) if expiries_on(day, ["SPX"])}
    assert told == expected


def test_quarterly_options_on_index_futures_end_at_8_30_in_chicago():
    for row in answers("es_quarterly.csv"):
        day = date.fromisoformat(row["date"])
        for root in ("ES", "NQ"):
            assert iso(listed(day, root, Cycle.QUARTERLY).expires_ns) == row["expires"]
            assert iso(expiry_of(root, day).expires_ns) == row["expires"]
        for root in ("MES", "MNQ"):
            assert bool(expiries_on(day, [root])) == (day >= date(2020, 9, 18))


def test_monthly_vix_options_end_30_days_before_the_next_standard_expiration():
    expected = {row["date"]: row for row in answers("vix_monthly.csv")}
    told = {str(day): expiries_on(day, ["VIX"]) for day in days(YEARS)}
    assert {day for day, found in told.items() if found} == set(expected)
    for day, row in expected.items():
        (found,) = told[day]
        assert (iso(found.expires_ns), iso(found.last_trade_ns)) == (
            row["expires"], row["last_trade"],
        )  # fmt: skip


def test_deribit_ends_the_month_on_its_last_friday_at_8_utc_the_whole_year():
    expected = {row["date"]: row for row in answers("deribit_monthly.csv")}
    told = {
        str(each.date): each
        for day in days(YEARS)
        for each in expiries_on(day, ["BTC"])
        if each.cycle in {Cycle.MONTHLY, Cycle.QUARTERLY}
    }
    assert set(told) == set(expected)
    for day, row in expected.items():
        found = told[day]
        assert iso(found.expires_ns) == iso(found.last_trade_ns) == row["expires"]
        assert iso(found.fixing_from_ns) == row["average_from"]
        assert found.cycle.words == row["cycle"]


def test_nse_expires_on_its_dated_weekdays_and_before_its_holidays():
    names = ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY")
    told = {
        (each.root, str(each.date)): each
        for day in days(NSE_YEARS)
        for each in expiries_on(day, names)
    }
    expected = {(row["root"], row["date"]): row for row in answers("nse.csv")}
    assert set(told) == set(expected)
    for key, row in expected.items():
        assert iso(told[key].expires_ns) == row["expires"]
        monthly = told[key].cycle in {Cycle.MONTHLY, Cycle.QUARTERLY}
        assert monthly == (row["cycle"] == "monthly"), key
        assert told[key].features.monthly == monthly
        assert not told[key].provisional


@pytest.mark.parametrize(
    ("root", "day", "expected", "source"),
    [tuple(row.values()) for row in answers("cited.csv")],
    ids=str,
)
def test_what_was_announced_was_listed(root, day, expected, source):
    found = expiries_on(date.fromisoformat(day), [root])
    assert bool(found) == (expected == "yes"), source


def listed(day, root, cycle=None):
    found = [each for each in expiries_on(day, [root]) if cycle in {None, each.cycle}]
    assert found, (root, day)
    return found[0]


# --- recorded markets ---------------------------------------------------------------------------


def test_every_expiry_of_recorded_deribit_chains_is_listed_at_its_instant(market_data):
    paths = sorted((market_data / "deribit-chain").glob("*.parquet"))
    chains = pl.scan_parquet(paths).select("currency", "expiry").unique().collect()
    assert chains.height > 250
    for currency, expiry in chains.iter_rows():
        (found,) = expiries_on(expiry.date(), [currency])
        assert found.expires_ns == instant_ns(expiry)


def test_what_is_months_away_in_a_recorded_deribit_chain_is_monthly(market_data):
    path = market_data / "deribit-chain" / "chain_202604.parquet"
    chain = pl.read_parquet(path, columns=["ts", "currency", "expiry"])
    far = chain.filter(pl.col("expiry") > pl.col("ts") + pl.duration(days=29))
    kinds = {
        (currency, expiry.date()): expiries_on(expiry.date(), [currency])[0].cycle
        for currency, expiry in far.select("currency", "expiry").unique().iter_rows()
    }
    assert len(kinds) > 8
    assert set(kinds.values()) == {Cycle.MONTHLY, Cycle.QUARTERLY}


def test_every_expiry_of_recorded_deribit_trades_is_listed(market_data):
    path = market_data / "deribit-trades" / "btc_option_trades.parquet"
    for day in pl.read_parquet(path, columns=["expiry"])["expiry"].unique():
        assert expiries_on(day, ["BTC"]), day


def test_the_expiries_of_recorded_nse_chains_are_listed(market_data):
    path = market_data / "nse" / "nifty_banknifty_chain.parquet"
    chains = pl.read_parquet(path, columns=["Symbol", "Expiry"]).unique()
    assert chains.height == 3
    for root, day in chains.iter_rows():
        assert expiries_on(date.fromisoformat(day), [root]), (root, day)


def test_every_contract_of_a_recorded_lean_folder_expires_on_a_listed_date(market_data):
    form = re.compile(r"_(\w+?)_minute_.*_(?:american|european)_.*_(\d{8})\.csv")
    seen = set()
    for path in (market_data / "lean").rglob("*option/**/*.zip*"):
        with zipfile.ZipFile(path) as archive:
            seen |= {found.groups() for name in archive.namelist() if (found := form.search(name))}
    assert len(seen) > 20
    for ticker, digits in seen:
        found = expiry_of(ticker.upper(), date.fromisoformat(digits))
        assert found.cycle is not None, (ticker, digits)
        assert found.date in {date.fromisoformat(digits), date.fromisoformat(digits) - DAY}


def test_every_day_of_the_recorded_same_day_profiles_has_an_expiry_of_spxw(market_data):
    path = market_data / "spx-0dte" / "gex_profile_15min.parquet"
    dates = pl.read_parquet(path, columns=["date"])["date"].unique().to_list()
    assert dates
    for text in dates:
        assert expiries_on(date.fromisoformat(text), ["SPXW"]), text


# --- agreement ----------------------------------------------------------------------------------


def test_contracts_and_expiries_know_the_same_index_roots():
    for root, underlying in INDEX_OF_ROOT.items():
        contract = parse_osi_option(osi_symbol(root, date(2024, 6, 21), Right.CALL, 100.0), "opra")
        expiry = expiry_of(root, date(2024, 6, 21))
        assert (contract.underlying, contract.expiry_ns) == (underlying, expiry.expires_ns)
        assert expiry.underlying == underlying
