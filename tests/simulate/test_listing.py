from datetime import date

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.time import moment_of
from hedgeflow.simulate import scenario, simulate_days
from hedgeflow.simulate.hours import sessions_of
from hedgeflow.simulate.listing import Book, expiries_ahead


def listed_dates(market, instant):
    return [moment_of(expiry).date() for expiry, _ in expiries_ahead(market, instant)]


def test_days_and_fridays_ahead_are_listed_where_the_market_never_rests():
    market = scenario("calm", {"chain.daily_expiries": 2, "chain.weekly_expiries": 2})
    session = sessions_of(market)[0]
    assert listed_dates(market, session.listing_ns) == [
        date(2025, 1, 7),
        date(2025, 1, 8),
        date(2025, 1, 10),
        date(2025, 1, 17),
    ]


def test_an_exchange_lists_sessions_and_the_last_one_of_weeks_whose_friday_is_closed():
    market = scenario(
        "us-index",
        {"chain.daily_expiries": 2, "chain.weekly_expiries": 2},
        first_day=date(2025, 4, 14),
    )
    assert listed_dates(market, sessions_of(market)[0].listing_ns) == [
        date(2025, 4, 14),
        date(2025, 4, 15),
        date(2025, 4, 17),
        date(2025, 4, 25),
    ]


def test_further_expiries_are_listed_from_the_start_until_they_expire():
    extra = date(2025, 3, 28)
    market = scenario("calm", {"chain.expiries": [extra]}, days=100)
    sessions = sessions_of(market)
    listed = [extra in listed_dates(market, each.listing_ns) for each in sessions]
    assert listed == [
        moment_of(each.listing_ns).date() < extra or extra in fridays(market, each)
        for each in sessions
    ]
    assert listed[0]
    assert extra not in listed_dates(market, sessions[81].listing_ns)


def fridays(market, session):
    plain = scenario("calm", days=market.days)
    return listed_dates(plain, session.listing_ns)


def test_each_expiry_has_strikes_around_the_index_at_its_own_step():
    market = scenario("calm", {"chain.strikes_each_side": 2, "chain.weekly_expiries": 1})
    instant = sessions_of(market)[0].listing_ns
    book = Book.empty().listed(market, instant, 50_200.0)
    assert [expiry.strikes.tolist() for expiry in book.live] == [
        [49_000.0, 49_500.0, 50_000.0, 50_500.0, 51_000.0],
        [49_000.0, 49_500.0, 50_000.0, 50_500.0, 51_000.0],
        [49_000.0, 49_500.0, 50_000.0, 50_500.0, 51_000.0],
        [48_000.0, 49_000.0, 50_000.0, 51_000.0, 52_000.0],
    ]
    calls = book.live[3].first_contract
    assert book.symbol[int(calls[0])] == "SIM-10JAN25-48000-C"
    assert book.symbol[int(calls[0]) + 1] == "SIM-10JAN25-48000-P"


def test_strikes_are_positive_and_as_many_where_the_index_is_below_a_step():
    market = scenario("calm", {"chain.strikes_each_side": 2, "chain.weekly_expiries": 0})
    book = Book.empty().listed(market, sessions_of(market)[0].listing_ns, 300.0)
    assert book.live[0].strikes.tolist() == [500.0, 1_000.0, 1_500.0, 2_000.0, 2_500.0]


def test_a_later_listing_adds_strikes_and_keeps_those_there_are():
    market = scenario("calm", {"chain.strikes_each_side": 2})
    sessions = sessions_of(market)
    first = Book.empty().listed(market, sessions[0].listing_ns, 50_000.0)
    second = first.listed(market, sessions[1].listing_ns, 51_000.0)
    assert second.number.tolist() == list(range(second.number.size))
    assert second.symbol.head(first.number.size).equals(first.symbol)
    assert second.symbol.is_unique().all()
    tomorrow = second.live[0].strikes
    assert tomorrow.tolist() == [
        49_000.0,
        49_500.0,
        50_000.0,
        50_500.0,
        51_000.0,
        51_500.0,
        52_000.0,
    ]
    rows = second.live[0].first_contract
    assert second.strike[rows].tolist() == tomorrow.tolist()
    assert second.right[rows].tolist() == [1] * rows.size


def test_expired_contracts_leave_the_book_and_what_is_carried_stays_with_its_contract():
    market = scenario("calm", {"chain.strikes_each_side": 2})
    sessions = sessions_of(market)
    before = Book.empty().listed(market, sessions[0].listing_ns, 50_000.0)
    grown = before.listed(market, sessions[1].listing_ns, 50_700.0)
    after = grown.without_expired(sessions[1].listing_ns)
    assert (after.expiry_ns > sessions[1].listing_ns).all()
    assert after.number.size < grown.number.size
    for expiry in after.live:
        assert (after.expiry_ns[expiry.first_contract] == expiry.expiry_ns).all()
        assert after.strike[expiry.first_contract].tolist() == expiry.strikes.tolist()
    carried = dict(zip(after.symbol, after.carried(before, before.number + 100), strict=True))
    held = dict(zip(before.symbol, (before.number + 100).tolist(), strict=True))
    assert carried == {symbol: held.get(symbol, 0) for symbol in after.symbol}


@pytest.mark.parametrize("step", [0.1, 0.25, 12.5])
def test_strikes_of_any_step_name_each_contract_once(step):
    market = scenario(
        "calm",
        {
            "index.start_price": 200 * step,
            "chain.daily_strike_step": step,
            "chain.weekly_strike_step": 3 * step,
            "chain.strikes_each_side": 40,
        },
    )
    sessions = sessions_of(market)
    book = Book.empty()
    for session in sessions[:5]:
        book = book.listed(market, session.listing_ns, 200 * step)
    assert book.symbol.is_unique().all()
    for expiry in book.live:
        assert np.diff(expiry.strikes).min() > 0.9 * step


def test_a_day_costs_what_is_listed_and_not_what_ever_was():
    market = scenario(
        "calm",
        {
            "option_flow.trades_per_day": 100.0,
            "future.trades_per_day": 100.0,
            "future.quote_interval_seconds": 3600.0,
        },
        days=20,
    )
    sizes = [day.contracts.height for day in simulate_days(market)]
    assert max(sizes[12:]) < 2 * max(sizes[3:8])


def test_terms_are_those_of_the_scenario():
    market = scenario("us-index", days=1)
    [day] = simulate_days(market)
    terms = day.contracts.select("venue", "underlying", "multiplier", "lot", "settlement").unique()
    assert terms.rows() == [("sim-us", "SIM", 100.0, 1.0, "cash")]
    assert day.option_trades["contract"].is_in(day.contracts["contract"].implode()).all()
    ticks = day.option_trades.select((pl.col("price") * 20).round(6) % 1.0 == 0.0).to_series()
    assert ticks.all()
