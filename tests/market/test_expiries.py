"""Expiration instants against exchange rules and dated cases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.expiries import (
    INDEX_OF_ROOT,
    ROOTS,
    Cycle,
    SettlementKind,
    expiries_on,
    expiry_of,
    expiry_of_future_option,
    expiry_of_stock_option,
    features_at,
    features_of,
    fixing_minutes,
    is_third_friday,
    is_triple_witching,
    next_expiry,
    session_of,
    settlement_kind,
    standard_expiration,
    trading_day,
    weekly_pattern,
)
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, iso, moment_of

NEW_YORK = ZoneInfo("America/New_York")


def in_new_york(instant):
    return moment_of(instant).astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("root", "stated", "expected"),
    [
        ("AAPL", date(2014, 6, 6), "2014-06-06 16:00"),
        ("AAPL", date(2014, 6, 21), "2014-06-20 16:00"),  # a Saturday: precise.md 29
        ("SPY", date(2023, 9, 1), "2023-09-01 16:00"),
        ("SPY", date(2024, 11, 29), "2024-11-29 13:00"),  # the day after Thanksgiving
        ("AAPL", date(2019, 4, 19), "2019-04-18 16:00"),  # Good Friday
        ("SPX", date(2021, 1, 15), "2021-01-15 09:30"),  # settled in the morning
        ("SPXW", date(2021, 1, 15), "2021-01-15 16:00"),
        ("SPXW", date(2021, 1, 4), "2021-01-04 16:00"),
    ],
)
def test_stock_and_index_options_end_with_their_session_or_at_its_open(root, stated, expected):
    assert in_new_york(expiry_of_stock_option(root, stated)) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (date(2020, 3, 20), "2020-03-20 09:30"),  # quarterly: 8:30 in Chicago
        (date(2020, 6, 19), "2020-06-19 09:30"),
        (date(2020, 1, 31), "2020-01-31 16:00"),  # end of month: 15:00 in Chicago
        (date(2020, 3, 13), "2020-03-13 16:00"),  # a weekly Friday of March is no quarterly
        (date(2020, 11, 27), "2020-11-27 13:00"),
        (date(2026, 6, 18), "2026-06-18 09:30"),  # quarterly, because Friday is a holiday
        (date(2013, 12, 20), "2013-12-20 09:30"),  # before listings are kept
        (date(2008, 3, 21), "2008-03-20 09:30"),  # Good Friday, as CME then announced it
    ],
)
def test_quarterly_future_options_end_in_the_morning_others_at_the_close(stated, expected):
    assert in_new_york(expiry_of_future_option(stated)) == expected


def test_the_instant_follows_daylight_saving():
    winter = expiry_of_stock_option("AAPL", date(2015, 1, 17))
    summer = expiry_of_stock_option("AAPL", date(2014, 6, 6))
    assert moment_of(winter) == datetime(2015, 1, 16, 21, tzinfo=UTC)
    assert moment_of(summer) == datetime(2014, 6, 6, 20, tzinfo=UTC)


def test_a_holiday_at_new_year_means_the_session_of_the_old_year():
    assert in_new_york(expiry_of_stock_option("AAPL", date(2016, 1, 1))) == "2015-12-31 16:00"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2020, 3, 20), True),
        (date(2020, 3, 13), False),
        (date(2020, 3, 27), False),
        (date(2020, 3, 19), False),
        (date(2024, 11, 15), True),
        (date(2025, 8, 15), True),
    ],
)
def test_the_third_friday_is_between_the_15th_and_the_21st(day, expected):
    assert is_third_friday(day) is expected


# --- one expiry ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "day", "settlement", "expires", "last_trade", "fixing_seconds"),
    [
        # AM-settled: the last trade is on Thursday, at the end of the options' session
        ("SPX", "2021-01-15", "pin-cash", "2021-01-15T14:30:00Z", "2021-01-14T21:15:00Z", 0),
        ("SPXW", "2021-01-15", "pin-cash", "2021-01-15T21:00:00Z", "2021-01-15T21:00:00Z", 0),
        ("AAPL", "2014-06-06", "american-assignment", "2014-06-06T20:00:00Z",
         "2014-06-06T20:00:00Z", 0),
        # options on funds trade until 16:15, and are exercised by the 16:00 close
        ("SPY", "2023-09-01", "american-assignment", "2023-09-01T20:00:00Z",
         "2023-09-01T20:15:00Z", 0),
        ("QQQ", "2024-11-29", "american-assignment", "2024-11-29T18:00:00Z",
         "2024-11-29T18:15:00Z", 0),
        ("ES", "2020-01-31", "futures-exercise", "2020-01-31T21:00:00Z",
         "2020-01-31T21:00:00Z", 30),
        ("ES", "2020-03-20", "futures-exercise", "2020-03-20T13:30:00Z",
         "2020-03-20T13:30:00Z", 0),
        ("BTC", "2026-03-27", "pin-cash", "2026-03-27T08:00:00Z", "2026-03-27T08:00:00Z", 1800),
        ("NIFTY", "2026-02-03", "pin-cash", "2026-02-03T10:00:00Z", "2026-02-03T10:00:00Z", 1800),
        # a third Friday that is Good Friday, Juneteenth on a Friday, and a Saturday as stated
        ("SPX", "2014-04-19", "pin-cash", "2014-04-17T13:30:00Z", "2014-04-16T20:15:00Z", 0),
        ("SPX", "2027-06-18", "pin-cash", "2027-06-17T13:30:00Z", "2027-06-16T20:15:00Z", 0),
        ("AAPL", "2027-06-18", "american-assignment", "2027-06-17T20:00:00Z",
         "2027-06-17T20:00:00Z", 0),
    ],
)  # fmt: skip
def test_an_expiry_tells_its_instant_its_last_trade_and_its_fixing(
    root, day, settlement, expires, last_trade, fixing_seconds
):
    found = expiry_of(root, date.fromisoformat(day))
    assert found.settlement == SettlementKind(settlement)
    assert (iso(found.expires_ns), iso(found.last_trade_ns)) == (expires, last_trade)
    assert found.expires_ns - found.fixing_from_ns == fixing_seconds * SECOND_NS


@pytest.mark.parametrize(
    ("day", "new_york_hours_before_utc"), [("2026-03-06", 5), ("2026-03-13", 4),
                                           ("2026-10-30", 4), ("2026-11-06", 5)],
)  # fmt: skip
def test_daylight_saving_moves_new_york_and_leaves_deribit(day, new_york_hours_before_utc):
    stock, coin = (expiry_of(root, date.fromisoformat(day)) for root in ("SPXW", "BTC"))
    assert iso(stock.expires_ns) == f"{day}T{16 + new_york_hours_before_utc}:00:00Z"
    assert iso(coin.expires_ns) == f"{day}T08:00:00Z"


def test_the_session_is_the_day_of_the_exchange_or_the_24_hours_that_the_expiry_ends():
    stock = expiry_of("AAPL", date(2024, 11, 29))
    assert stock.session_close_ns - stock.session_open_ns == 210 * MINUTE_NS
    assert stock.session_close_ns == stock.expires_ns
    coin = expiry_of("ETH", date(2026, 1, 2))
    assert (coin.session_open_ns, coin.session_close_ns) == (
        coin.expires_ns - DAY_NS, coin.expires_ns,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("root", "venue"),
    [("AAPL", "opra"), ("SPX", "usa"), ("ES", "cme"), ("BTC", "deribit"), ("NIFTY", "nse")],
)
def test_a_catalogs_contract_finds_the_session_of_its_expiry(root, venue):
    found = expiry_of(root, date(2024, 11, 29))
    assert session_of(found.expires_ns, venue) == (found.session_open_ns, found.session_close_ns)


def test_only_holders_of_stock_options_may_instruct_until_17_30():
    stock = expiry_of("AAPL", date(2014, 6, 6))
    assert stock.exercise_until_ns == stock.expires_ns + 90 * MINUTE_NS
    early = expiry_of("AAPL", date(2024, 11, 29))
    assert early.exercise_until_ns == early.expires_ns + 4 * HOUR_NS + 30 * MINUTE_NS
    for root in ("SPX", "SPXW", "ES", "BTC", "NIFTY"):
        assert expiry_of(root, date(2024, 11, 29)).exercise_until_ns is None


def test_a_third_friday_of_a_quarter_has_a_morning_and_an_evening_expiry_of_es():
    morning, evening = expiries_on(date(2024, 6, 21), ["ES"])
    assert in_new_york(morning.expires_ns) == "2024-06-21 09:30"
    assert in_new_york(evening.expires_ns) == "2024-06-21 16:00"
    assert expiry_of("ES", date(2024, 6, 21)) == morning
    assert expiry_of("EYC", date(2024, 6, 21), "cme").expires_ns == evening.expires_ns
    assert [each.cycle for each in (morning, evening)] == [Cycle.QUARTERLY, Cycle.QUARTERLY]
    assert len(expiries_on(date(2021, 6, 18), ["ES"])) == 1, "PM quarterlies came later"


def test_serial_third_fridays_of_es_were_american_and_became_european():
    before, after = (expiries_on(day, ["ES"])[0] for day in (date(2014, 4, 17), date(2020, 1, 17)))
    assert in_new_york(before.expires_ns) == "2014-04-17 16:00"
    assert before.fixing.startswith("American")
    assert before.fixing_from_ns == before.expires_ns
    assert after.fixing.startswith("European")
    assert after.expires_ns - after.fixing_from_ns == 30 * SECOND_NS


@pytest.mark.parametrize(
    ("code", "future"), [("E1A", "ES"), ("E5D", "ES"), ("EW", "ES"), ("EW3", "ES"),
                         ("QN1", "NQ"), ("Q2B", "NQ"), ("QNE", "NQ"), ("EX2", "MES")],
)  # fmt: skip
def test_codes_of_cme_mean_options_that_end_at_the_close(code, future):
    found = expiry_of(code, date(2024, 6, 21), "cme")
    assert (found.root, found.settlement) == (future, SettlementKind.FUTURES_EXERCISE)
    assert in_new_york(found.expires_ns) == "2024-06-21 16:00"


def test_a_ticker_that_is_also_something_else_is_told_apart_by_its_venue():
    fund = expiry_of("BTC", date(2026, 3, 27), "opra")
    assert fund.settlement is SettlementKind.AMERICAN_ASSIGNMENT
    assert expiry_of("BTC", date(2026, 3, 27)).settlement is SettlementKind.PIN_CASH
    assert expiry_of("EW", date(2026, 3, 27)).underlying == "EW"
    assert expiry_of_stock_option("BTC", date(2026, 3, 27)) == fund.expires_ns


def test_any_stock_has_terms_and_an_adjusted_root_keeps_its_stock():
    found = expiry_of("KO1", date(2024, 6, 21))
    assert (found.root, found.underlying) == ("KO1", "KO")
    assert found.settlement is SettlementKind.AMERICAN_ASSIGNMENT
    assert found.cycle is Cycle.QUARTERLY
    assert expiry_of("KO", date(2024, 6, 14)).cycle is None, "no weekly options are known of it"


def test_what_is_no_root_is_refused_by_name():
    with pytest.raises(DataError, match=r"'spx w' is no root of options\. Known are SPX, SPXW"):
        expiry_of("spx w", date(2024, 6, 21))
    with pytest.raises(DataError, match="'ZZ9' is no code of CME's options"):
        expiry_of("ZZ9", date(2024, 6, 21), "cme")
    with pytest.raises(
        ConfigError, match=r"no root 'FOO' is known\. Known are .*EQUITY stands for"
    ):
        expiries_on(date(2024, 6, 21), ["FOO"])
    with pytest.raises(ConfigError, match="the year 2101 is after 2100"):
        expiry_of("SPX", date(2101, 1, 21))


def test_listings_are_kept_from_2014_on():
    with pytest.raises(
        ConfigError, match=r"what expired on 2013-12-31 is not known\. Listings are"
    ):
        expiries_on(date(2013, 12, 31))
    assert expiries_on(date(2014, 1, 17), ["SPX"])


def test_contracts_of_a_catalog_tell_their_settlement():
    assert settlement_kind("deribit", "cash") is SettlementKind.PIN_CASH
    assert settlement_kind("opra", "cash") is SettlementKind.PIN_CASH
    assert settlement_kind("cme", "physical") is SettlementKind.FUTURES_EXERCISE
    assert settlement_kind("usa", "physical") is SettlementKind.AMERICAN_ASSIGNMENT


# --- what is listed -----------------------------------------------------------------------------


def test_a_root_expires_once_at_an_instant_whatever_cycles_meet_there():
    # Friday 2024-05-31 ends the week and the month
    (found,) = expiries_on(date(2024, 5, 31), ["SPXW"])
    assert found.cycle is Cycle.END_OF_MONTH
    (found,) = expiries_on(date(2026, 3, 27), ["BTC"])
    assert found.cycle is Cycle.QUARTERLY


def test_spxw_expires_on_every_session_since_thursdays_were_listed():
    day = date(2022, 5, 19)
    while day < date(2024, 1, 1):
        is_session = trading_day("XNYS", day) is not None
        assert bool(expiries_on(day, ["SPXW"])) == is_session, day
        day = date.fromordinal(day.toordinal() + 1)


@pytest.mark.parametrize(
    ("root", "holiday", "expires"),
    [
        ("SPXW", date(2018, 7, 4), date(2018, 7, 3)),  # a Wednesday moves back
        ("SPXW", date(2018, 9, 3), date(2018, 9, 4)),  # a Monday moves on
        ("SPXW", date(2019, 4, 19), date(2019, 4, 18)),  # Good Friday
        ("ES", date(2018, 9, 3), date(2018, 9, 4)),
        ("NIFTY", date(2024, 8, 15), date(2024, 8, 14)),
    ],
)
def test_a_holiday_moves_an_expiry_to_the_session_before_and_mondays_to_the_next(
    root, holiday, expires
):
    assert not expiries_on(holiday, [root])
    assert expiries_on(expires, [root])


def test_next_expiry_is_the_first_after_an_instant_and_none_once_a_root_has_ended():
    last = expiry_of("SPX", date(2019, 3, 15))
    following = next_expiry("SPX", last.expires_ns)
    assert following is not None
    assert following.date == date(2019, 4, 18)
    assert next_expiry("SPX", last.expires_ns - 1) == expiries_on(date(2019, 3, 15), ["SPX"])[0]
    assert next_expiry("SPXPM", expiry_of("SPXPM", date(2017, 4, 21)).expires_ns) is None


def test_expiries_of_nse_are_provisional_where_its_holidays_are_not_published():
    (known,) = expiries_on(date(2026, 12, 29), ["NIFTY"])
    (unknown,) = expiries_on(date(2027, 12, 28), ["NIFTY"])
    assert (known.provisional, unknown.provisional) == (False, True)
    assert iso(unknown.expires_ns) == "2027-12-28T10:00:00Z"


def test_every_root_has_an_expiry_in_a_year_of_its_life():
    year_ns = 366 * DAY_NS
    for name in ROOTS.keys() - {"SPXPM", "SPXQ"}:
        start = expiry_of("AAPL", date(2026, 2, 2)).expires_ns
        found = next_expiry(name, start)
        assert found is not None, name
        assert start < found.expires_ns < start + year_ns
    assert set(INDEX_OF_ROOT) == {
        "SPX", "SPXW", "SPXPM", "SPXQ", "XSP", "NDX", "NDXP", "RUT", "RUTW", "DJX", "VIX", "VIXW",
    }  # fmt: skip


# --- features -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("venue", "underlying", "day", "words"),
    [
        ("opra", "SPX", date(2024, 6, 21), "Friday, quarterly, triple witching"),
        ("opra", "AAPL", date(2024, 7, 19), "Friday, monthly"),
        ("opra", "AAPL", date(2019, 4, 18), "Thursday, monthly"),
        ("cme", "ES", date(2026, 6, 18), "Thursday, quarterly, triple witching"),
        ("opra", "SPX", date(2024, 11, 29), "Friday, weekly, early close"),
        ("opra", "VIX", date(2019, 3, 19), "Tuesday, monthly"),
        ("deribit", "BTC", date(2026, 3, 27), "Friday, quarterly"),
        ("deribit", "BTC", date(2026, 3, 20), "Friday, weekly"),
        ("deribit", "BTC", date(2026, 3, 21), "Saturday, daily"),
        ("nse", "NIFTY", date(2026, 3, 30), "Monday, quarterly"),
        ("nse", "NIFTY", date(2026, 2, 3), "Tuesday, weekly"),
        ("nse", "BANKNIFTY", date(2024, 10, 30), "Wednesday, monthly"),
    ],
)
def test_features_say_what_is_special_about_an_expiration_day(venue, underlying, day, words):
    assert features_of(day, venue, underlying).words == words


def test_the_features_of_an_instant_are_those_of_the_venues_own_day():
    evening = expiry_of("AAPL", date(2024, 6, 21)).expires_ns + 5 * HOUR_NS  # Saturday in UTC
    assert features_at(evening, "opra", "AAPL").weekday == "Friday"
    assert features_at(evening, "deribit", "BTC").weekday == "Saturday"


def test_an_average_begins_30_minutes_before_the_end_on_deribit_and_nse_and_nowhere_for_stocks():
    coin = expiry_of("BTC", date(2026, 1, 30)).expires_ns
    assert (fixing_minutes("BTC", coin, "deribit"), fixing_minutes("BTC", coin)) == (30.0, 30.0)
    assert fixing_minutes("BTC", coin + HOUR_NS, "deribit") == 0.0
    assert fixing_minutes("NIFTY", expiry_of("NIFTY", date(2023, 5, 25)).expires_ns) == 30.0
    assert fixing_minutes("ES", expiry_of("EW", date(2024, 5, 31), "cme").expires_ns, "cme") == 0.5
    assert fixing_minutes("AAPL", expiry_of("AAPL", date(2014, 6, 6)).expires_ns, "opra") == 0.0
    fund = expiry_of("BTC", date(2026, 1, 30), "opra").expires_ns
    assert fixing_minutes("BTC", fund) == 0.0


def test_triple_witching_is_a_quarters_standard_expiration_and_nothing_else():
    assert is_triple_witching(date(2024, 9, 20))
    assert not is_triple_witching(date(2024, 8, 16))
    assert not is_triple_witching(date(2026, 6, 19)), "Juneteenth: it was on Thursday"
    assert standard_expiration(2026, 6) == date(2026, 6, 18)


@pytest.mark.parametrize(
    ("day", "listed", "in_force", "contradicted"),
    [
        (date(2016, 5, 10), (), True, False),  # a Tuesday as the source describes it
        (date(2016, 5, 11), ("SPXW",), True, False),  # Wednesday's weekly options
        (date(2018, 7, 9), ("SPXW",), True, True),  # Mondays were listed all along
        (date(2024, 5, 14), ("SPXW",), False, True),
        (date(2024, 6, 20), ("SPXW",), False, True),
        (date(2024, 6, 21), ("SPX", "SPXW"), False, False),
        (date(2024, 6, 22), (), False, False),
    ],
)
def test_the_sources_weekly_pattern_stands_beside_what_was_listed(
    day, listed, in_force, contradicted
):
    found = weekly_pattern(day)
    assert (found.listed, found.in_force, found.contradicted) == (listed, in_force, contradicted)
