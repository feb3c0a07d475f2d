"""Days of expiry, control days, strikes around closes, and the strike with most open interest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from builders.expiry_friday import CLOSE, CONTRACTS, OPEN, friday_market, interest
from builders.recorded_markets import spx
from hedgeflow.evidence.expiry_tables import check_expiries
from hedgeflow.market.contracts import parse_osi_option
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.studies.expiration.markets import load_expiry_market
from hedgeflow.studies.expiration.scanning import scan_expiries
from hedgeflow.studies.expiration.tables import closes, probabilities

SOURCE = ExpirationPressureConfig.source()


@pytest.fixture(scope="module")
def scan(friday):
    return scan_expiries(friday, SOURCE)


def row_of(market, scan, price: float | None = None, known_ns: int = CLOSE) -> dict:
    """Return Friday's row; with a price, as if it were the last known, and since when."""
    if price is not None:
        before = scan.more["prices"].filter(pl.col("known_ns") < known_ns)
        last = before[:1].with_columns(
            known_ns=pl.lit(known_ns), observed_ns=pl.lit(known_ns), value=pl.lit(price)
        )
        later = last.with_columns(known_ns=pl.lit(CLOSE + MINUTE_NS), value=pl.lit(1.0))
        scan = replace(scan, more={**scan.more, "prices": pl.concat([before, last, later])})
    rows, _, _ = closes(market, SOURCE, scan)
    return rows.filter(pl.col("is_expiry") & (pl.col("instant_ns") == CLOSE)).row(0, named=True)


@pytest.mark.parametrize(
    ("price", "below", "above"),
    [
        (646.1, 645.0, 647.5),
        (645.0, 645.0, 647.5),  # at a strike, it is the one below
        (634.9, None, None),  # under the lowest
        (660.0, None, None),  # nothing above
        (652.0, None, None),  # 5 wide where strikes are 2.5 apart: another may be missing
    ],
)
def test_a_close_lies_between_listed_strikes_or_beside_none(friday, scan, price, below, above):
    row = row_of(friday, scan, price)
    assert (row["strike_below"], row["strike_above"]) == (below, above)


def listed(market, at_ns: int, *strikes: float):
    """Return the market with all contracts listed long before, those at some strikes at a time."""
    late = pl.col("strike").is_in(strikes)
    instant = pl.when(late).then(at_ns).otherwise(OPEN - 30 * DAY_NS)
    column = instant.cast(market.contracts["listed"].dtype)
    return replace(market, contracts=market.contracts.with_columns(listed=column))


def of_snapshots(market):
    """Return the market with its option tape called one of snapshots; closes read no row of it."""
    key = replace(market.options, kind=TapeKind.OPTION_SNAPSHOTS)
    return replace(market, option_tape=replace(market.option_tape, key=key))


def test_a_strike_that_is_listed_after_a_day_does_not_enclose_its_close(friday, scan):
    market = of_snapshots(listed(friday, CLOSE, 645.0, 647.5))
    thursday = closes(market, SOURCE, scan)[0].row(0, named=True)
    assert 642.5 < thursday["close"] < 650.0
    assert (thursday["strike_below"], thursday["strike_above"]) == (642.5, 650.0)
    of_friday = row_of(market, scan, 646.1)
    assert (of_friday["strike_below"], of_friday["strike_above"]) == (645.0, 647.5)


def test_the_heaviest_strike_was_listed_at_its_mark(friday, scan):
    own = row_of(friday, scan)["heaviest_strike"]
    before = row_of(listed(friday, CLOSE - 180 * MINUTE_NS, own), scan)["heaviest_strike"]
    after = row_of(listed(friday, CLOSE - 179 * MINUTE_NS, own), scan)["heaviest_strike"]
    assert before == own != after


def test_a_day_before_any_strike_of_the_next_expiry_was_listed_is_no_control(friday, scan):
    every = friday.contracts["strike"].unique().to_list()
    thursday = CLOSE - DAY_NS
    assert closes(listed(friday, thursday, *every), SOURCE, scan)[0].height == 2
    rows, _, _ = closes(listed(friday, thursday + 1, *every), SOURCE, scan)
    assert rows["is_expiry"].to_list() == [True]


def test_where_snapshots_show_whole_chains_no_strike_is_missing_in_a_wide_gap(friday, scan):
    """At 652 strikes are 5 apart, elsewhere 2.5: BTC's 82,000 and 84,000 on 2026-01-30."""
    whole = of_snapshots(listed(friday, OPEN))
    assert row_of(of_snapshots(friday), scan, 652.0)["strike_below"] is None
    row = row_of(whole, scan, 652.0)
    assert (row["strike_below"], row["strike_above"]) == (650.0, 655.0)


def test_a_date_with_an_expiry_at_the_open_and_one_at_the_close_is_one_row(friday, scan):
    own = pl.col("expiry").dt.timestamp("ns") == CLOSE
    at_open = friday.contracts.filter(own).with_columns(
        contract="AM " + pl.col("contract"),
        expiry=pl.lit(OPEN).cast(friday.contracts["expiry"].dtype),
    )
    market = replace(friday, contracts=pl.concat([friday.contracts, at_open]))
    rows, prices, _ = closes(market, SOURCE, scan)
    check_expiries(rows)
    assert rows.filter("is_expiry")["instant_ns"].to_list() == [CLOSE]
    assert not prices.select("date", "mark_minutes").is_duplicated().any()


def test_a_stale_price_is_no_close(friday, scan):
    fresh = row_of(friday, scan, 646.1, CLOSE - 5 * MINUTE_NS)
    stale = row_of(friday, scan, 646.1, CLOSE - 6 * MINUTE_NS)
    assert (fresh["close"], fresh["stale_minutes"]) == (646.1, 5.0)
    assert (stale["close"], stale["stale_minutes"]) == (None, 6.0)
    assert stale["strike_below"] is None


def test_the_heaviest_strike_is_that_of_calls_and_puts_together(friday, scan):
    sums: dict[float, float] = {}
    for name, count in interest().items():
        strike = parse_osi_option(name, "usa").strike
        sums[strike] = sums.get(strike, 0.0) + count
    row = row_of(friday, scan)
    assert row["heaviest_strike"] == max(sums, key=lambda strike: sums[strike])
    assert row["heaviest_open_interest"] == max(sums.values())


def test_the_heaviest_strike_knows_no_count_after_its_mark(tmp_path, friday, scan):
    """The second count, of other numbers, comes 20 minutes before the close."""
    other = friday_market(tmp_path, SOURCE, poisoned_from=OPEN + 360 * MINUTE_NS)
    counts = other.open_interest.filter(pl.col("known_at").dt.timestamp("ns") > OPEN)
    assert set(counts["contract"]) == set(CONTRACTS)
    mine, theirs = row_of(friday, scan), row_of(other, scan_expiries(other, SOURCE))
    for name in ("heaviest_strike", "heaviest_open_interest", "dealer_gamma", "gamma_basis"):
        assert mine[name] == theirs[name], name
    assert mine["close"] != theirs["close"]


def test_thursday_is_a_control_day_beside_fridays_strikes(friday, scan):
    rows, prices, _ = closes(friday, SOURCE, scan)
    (thursday,) = rows.filter(~pl.col("is_expiry")).iter_rows(named=True)
    assert thursday["instant_ns"] == CLOSE - DAY_NS
    assert thursday["cycle"] is None
    assert thursday["strike_below"] is not None
    assert set(prices["mark_minutes"]) == {180, 60, 30, 15}


def test_every_friday_of_the_simulated_market_is_an_expiry_and_no_other_day(fridays):
    rows, _, notes = closes(fridays, SOURCE, scan_expiries(fridays, SOURCE))
    weekday = rows["date"].str.to_date().dt.weekday()
    assert rows["is_expiry"].to_list() == (weekday == 5).to_list()
    assert rows["is_expiry"].sum() == 10
    assert notes == []


def test_probabilities_are_of_what_happened(friday, scan):
    rows = probabilities(friday, scan)
    assert rows.height
    close = row_of(friday, scan)["close"]
    inside = rows.filter("inside")["strike"].unique().to_list()
    nearest = min((635.0, 637.5, 640.0, 642.5, 645.0, 647.5, 650.0, 655.0, 660.0),
                  key=lambda strike: abs(strike - close))  # fmt: skip
    assert inside == [nearest]
    assert rows["source"].is_between(0.2, 1.0).all()


# --- recorded -----------------------------------------------------------------------------------


def days_of(recorded, scanned, underlying):
    rows, _, notes = closes(recorded(underlying), SOURCE, scanned(underlying))
    expiries = rows.filter("is_expiry")
    return expiries, rows.filter(~pl.col("is_expiry")), notes


def test_nifty_has_18_monthly_expiries_and_no_thursday_as_control(recorded, scanned):
    expiries, controls, notes = days_of(recorded, scanned, "NIFTY")
    assert expiries.height == 18
    assert set(expiries["cycle"]) <= {"monthly", "quarterly"}
    # In those years NIFTY's weekly options, which the tape does not have, expired on Thursdays.
    assert controls.height > 200
    assert (controls["date"].str.to_date().dt.weekday() != 4).all()
    assert any("expired that the tape does not have" in note for note in notes)
    stale = controls.filter(pl.col("stale_minutes") > SOURCE.clock.oldest_price_minutes)
    assert stale["close"].null_count() == stale.height == controls["close"].null_count()


def test_every_day_of_spx_is_an_expiry_of_its_own_so_it_has_no_control(recorded, scanned):
    expiries, controls, notes = days_of(recorded, scanned, "SPX")
    assert expiries["date"].to_list() == ["2026-08-18", "2026-08-19"]
    assert controls.is_empty()
    assert any("options of SPX expired" in note for note in notes)


def test_spx_on_a_third_friday_expires_at_the_open_and_at_the_close_and_counts_once(
    market_data, tmp_path
):
    market = load_expiry_market(spx(market_data, tmp_path), "SPX", SOURCE)
    third = market.contracts.filter(pl.col("expiry").dt.date() == date(2021, 1, 15))
    assert third["expiry"].n_unique() == 2
    rows, prices, notes = closes(market, SOURCE, scan_expiries(market, SOURCE))
    check_expiries(rows)
    assert not prices.select("date", "mark_minutes").is_duplicated().any()
    assert any("expired at the open and others at the close" in note for note in notes)


def test_no_friday_of_deribit_is_lost_in_a_wide_gap_between_strikes(recorded, scanned):
    expiries, controls, _ = days_of(recorded, scanned, "BTC")
    last = expiries.filter(pl.col("date") == "2026-01-30").row(0, named=True)
    assert (last["strike_below"], last["strike_above"]) == (82_000.0, 84_000.0)
    assert expiries["strike_below"].null_count() == 0
    # The chains begin on 2025-12-30; days of prices before are no control.
    assert controls["date"].min() == "2025-12-31"


def test_deribits_fridays_are_the_expiries_and_its_other_days_the_control(recorded, scanned):
    expiries, controls, notes = days_of(recorded, scanned, "BTC")
    fridays = [date.fromisoformat(each) for each in expiries["date"]]
    assert [day.weekday() for day in fridays] == [4] * len(fridays)
    assert fridays[0] == date(2026, 1, 2)
    assert len(fridays) == 5
    assert (controls["date"].str.to_date().dt.weekday() != 5).all()
    assert all(each % DAY_NS == 8 * 60 * MINUTE_NS for each in controls["instant_ns"])
    assert any("expire every day here" in note for note in notes)
