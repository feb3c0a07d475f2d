"""The expected move and the source's point in it; precise.md 23."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.market.time import DAY_NS, MINUTE_NS, moment_of
from hedgeflow.pricing import value
from hedgeflow.signals.implied_move import VolatilityWindow, realised_volatility, source_point
from hedgeflow.signals.prints import ContractBook, slice_of
from hedgeflow.strategies.volume_shock.rules import scan_rules
from signals.tapes import at, config, contracts_table, option, tape, trade

RULES = scan_rules(config("normalized"), 0.1).move
NOW = at(10, 12)
TERMS = contracts_table(
    option("TODAY", strike=100.0, expiry=NOW + DAY_NS - 1_000),
    option("DAY", strike=100.0, expiry=NOW + DAY_NS),
    option("WEEK", strike=100.0, expiry=NOW + 7 * DAY_NS),
    option("WEEK-PUT", "P", strike=103.0, expiry=NOW + 7 * DAY_NS),
    option("WING", strike=103.1, expiry=NOW + 7 * DAY_NS),
    option("MONTH", strike=100.0, expiry=NOW + 30 * DAY_NS),
    option("LATER", strike=100.0, expiry=NOW + 30 * DAY_NS + 1_000),
)

INVERSE = bool(TERMS["inverse"][0])


def at_the_money(*prints: tuple[str, float, float]) -> float | None:
    """Return the volatility at NOW from prints (contract, minutes before, volatility)."""
    book = ContractBook(TERMS)
    window = VolatilityWindow(RULES, book)
    rows = [
        trade(NOW - round(before * MINUTE_NS), name, iv=iv, underlying_price=100.0)
        for name, before, iv in prints
    ]
    window.add(slice_of(tape(*rows), book))
    return window.at_the_money(NOW)


def five(name: str, iv: float, before: float = 10.0, count: int = 5) -> list:
    return [(name, before, iv)] * count


def test_the_volatility_is_the_median_of_the_prints():
    prints = [("WEEK", place, iv) for place, iv in enumerate([0.9, 0.5, 0.4, 0.6, 0.7])]
    assert at_the_money(*prints) == 0.6


def test_5_prints_of_one_expiry_are_needed():
    assert at_the_money(*five("WEEK", 0.5, count=4)) is None
    assert at_the_money(*five("WEEK", 0.5, count=4), ("WEEK-PUT", 1, 0.5)) == 0.5
    assert at_the_money(*five("WEEK", 0.5, count=4), ("MONTH", 1, 0.5)) is None


def test_the_nearest_expiry_that_has_them_is_taken():
    week, month = five("WEEK", 0.5), five("MONTH", 0.7)
    assert at_the_money(*month, *week) == 0.5
    assert at_the_money(*month, *week[:4]) == 0.7


@pytest.mark.parametrize(
    ("name", "expected"),
    [("TODAY", None), ("DAY", 0.5), ("MONTH", 0.5), ("LATER", None)],
)
def test_expiries_are_between_1_and_30_days_away(name, expected):
    assert at_the_money(*five(name, 0.5)) == expected


@pytest.mark.parametrize(("name", "expected"), [("WEEK-PUT", 0.5), ("WING", None)])
def test_strikes_are_within_3_percent_of_the_underlying_at_the_print(name, expected):
    assert at_the_money(*five(name, 0.5)) == expected


@pytest.mark.parametrize(("before", "expected"), [(0.0, 0.5), (59.999, 0.5), (60.0, None)])
def test_prints_are_of_the_last_60_minutes_the_batch_included(before, expected):
    assert at_the_money(*five("WEEK", 0.5, before)) == expected


def test_prints_after_the_moment_are_not_seen():
    assert at_the_money(*five("WEEK", 0.5, -1.0), *five("WEEK", 0.4, 1.0)) == 0.4


def test_many_instants_at_once_have_what_each_has_alone_and_what_a_plain_reading_gives():
    random = np.random.default_rng(20_140_606)
    stamps = NOW + np.sort(random.integers(-240, 240, 400)) * MINUTE_NS
    names = random.choice(["DAY", "WEEK", "WEEK-PUT", "MONTH"], 400, p=[0.3, 0.1, 0.1, 0.5])
    ivs = random.uniform(-0.1, 0.9, 400)
    prints = [
        trade(int(ts), str(name), iv=float(iv), underlying_price=100.0)
        for ts, name, iv in zip(stamps, names, ivs, strict=True)
    ]
    asked = NOW + np.arange(-250, 340, 2) * MINUTE_NS
    book, alone = ContractBook(TERMS), ContractBook(TERMS)
    many, single = VolatilityWindow(RULES, book), VolatilityWindow(RULES, alone)
    many.add(slice_of(tape(*prints), book))
    single.add(slice_of(tape(*prints), alone))
    found = many.at_the_money_each(asked)
    one_by_one = [single.at_the_money(int(now)) for now in asked]
    expiry = {row["contract"]: row["expiry"] for row in TERMS.iter_rows(named=True)}
    expected = [_plainly(int(now), stamps, names, ivs, expiry) for now in asked]
    assert [None if np.isnan(each) else each for each in found] == one_by_one == expected
    assert len({each for each in expected if each is not None}) > 50
    assert None in expected


def _plainly(now, stamps, names, ivs, expiry):
    """Return the median by a loop over all prints, expiry by expiry."""
    for at_expiry in sorted(set(expiry.values())):
        days = (at_expiry - moment_of(now)).total_seconds() / 86_400
        inside = [
            iv
            for ts, name, iv in zip(stamps, names, ivs, strict=True)
            if expiry[str(name)] == at_expiry and now - 60 * MINUTE_NS < ts <= now and iv > 0.0
        ]
        if 1.0 <= days <= 30.0 and len(inside) >= 5:
            return float(np.median(inside))
    return None


@pytest.mark.parametrize("iv", [0.0, -0.2])
def test_prints_that_give_no_positive_volatility_do_not_count(iv):
    assert at_the_money(*five("WEEK", 0.5, count=4), ("WEEK", 1, iv)) is None


def test_slices_that_are_too_old_are_forgotten():
    book = ContractBook(TERMS)
    window = VolatilityWindow(RULES, book)
    for minute in range(600):
        prints = [trade(NOW + minute * MINUTE_NS, "WEEK", iv=0.5) for _ in range(10)]
        window.add(slice_of(tape(*prints), book))
    assert window._ts.size <= 2 * 62 * 10


def test_a_source_point_is_an_eighth_of_the_8_minute_move():
    """At 60 % and 80,000 USD a year of 525,600 minutes: 8 points are 187.3 USD."""
    point = source_point(80_000.0, 0.60, RULES, 525_600.0)
    assert point == pytest.approx(80_000 * 0.60 * (8 / 525_600) ** 0.5 / 8, rel=1e-14)
    assert 8 * point == pytest.approx(187.27, abs=0.01)


def test_realised_volatility_is_the_annual_root_mean_square_of_log_returns():
    returns = np.array([0.01, -0.02, 0.005])
    expected = np.sqrt((0.01**2 + 0.02**2 + 0.005**2) / 3 * 252 * 390 / 5)
    assert realised_volatility(returns, 5 * MINUTE_NS, 252.0 * 390.0) == pytest.approx(expected)


def test_no_return_shows_no_volatility():
    assert realised_volatility(np.empty(0), MINUTE_NS, 525_600.0) is None


@pytest.mark.parametrize(("name", "right"), [("WEEK", 1), ("WEEK-PUT", -1)])
def test_a_print_without_a_volatility_has_the_one_of_its_price(name, right):
    strike = {"WEEK": 100.0, "WEEK-PUT": 103.0}[name]
    stamp = NOW - 5 * MINUTE_NS
    years = (NOW + 7 * DAY_NS - stamp) / (365 * DAY_NS)
    price = float(value(right, 100.0, strike, years, 0.62)) / (100.0 if INVERSE else 1.0)
    book = ContractBook(TERMS)
    window = VolatilityWindow(RULES, book)
    row = trade(stamp, name, iv=None, price=price, underlying_price=100.0)
    window.add(slice_of(tape(*[row] * 5), book))
    assert window.at_the_money(NOW) == pytest.approx(0.62, rel=1e-9)


def test_a_price_below_intrinsic_has_no_volatility():
    book = ContractBook(TERMS)
    window = VolatilityWindow(RULES, book)
    price = 2.0 / (100.0 if INVERSE else 1.0)  # the put is worth 3 at once
    row = trade(NOW - MINUTE_NS, "WEEK-PUT", iv=None, price=price, underlying_price=100.0)
    window.add(slice_of(tape(*[row] * 5), book))
    assert window.at_the_money(NOW) is None
