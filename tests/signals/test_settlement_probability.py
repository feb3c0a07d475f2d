"""How likely the underlying settles at a strike: the source's steps and the lognormal law."""

from __future__ import annotations

from itertools import pairwise, takewhile
from math import exp, isnan, log, nan, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from hedgeflow.market.errors import DataError
from hedgeflow.pricing import black_value, norm_cdf
from hedgeflow.signals.settlement_probability import (
    NOWHERE,
    _tail,
    band_probabilities,
    band_probability,
    distance_in_sigmas,
    half_way_marks,
    in_the_money_probability,
    remaining_deviation,
    source_probability,
    years_left,
)

DAYS_OF_TRADING = 252.0 * 390.0
SECOND = 1.0 / 60.0

SIGMAS = st.floats(0.02, 2.0)
MINUTES = st.floats(SECOND, 390.0)

# (price, low, high, sigma, minutes, minutes per year, probability), mpmath with 60 digits.
BANDS = [
    (7700.0, 7697.5, 7702.5, 0.12, 15.0, DAYS_OF_TRADING, 0.1733541844871489104),
    (7700.0, 7717.5, 7722.5, 0.12, 15.0, DAYS_OF_TRADING, 0.038274916303520528395),
    (645.57, 642.5, 647.5, 0.24, 30.0, DAYS_OF_TRADING, 0.63414274446443786193),
    (645.57, 662.5, 667.5, 0.24, 30.0, DAYS_OF_TRADING, 3.2928891347783404726e-10),
    (62000.0, 59500.0, 60500.0, 0.55, 720.0, 525_600.0, 0.094321807371854868766),
    (100.0, 99.5, 100.5, 0.2, 0.0, DAYS_OF_TRADING, 1.0),
    (100.0, 100.01, 100.02, 0.2, SECOND, DAYS_OF_TRADING, 0.10475739766888269516),
    (5.0, -2.5, 12.5, 0.9, 390.0, DAYS_OF_TRADING, 1.0),
    (100.0, 150.0, 160.0, 0.2, 390.0, DAYS_OF_TRADING, 1.254051980397289682e-227),
]

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "settlement-pressure.md"


def rows_of_the_page(header):
    """The numbers of the table with this first heading and this many columns."""
    lines = iter(PAGE.read_text().splitlines())
    next(line for line in lines if line.startswith(header))
    next(lines)
    return [
        [float(cell) for cell in line.strip("|").split("|")]
        for line in takewhile(lambda line: line.startswith("|"), lines)
    ]


def changes_no_faster_than_its_logarithm(probability, first_minutes, second_minutes):
    """Whether |p(s) - p(t)| <= 0.3 |ln(s/t)|: more than enough for a law without a jump.

    With z = ln(mark/price)/d + d/2 and d the deviation, dz/dln(t) = (d - z)/2; the density times
    |z| is at most 0.242, so that a band of two marks changes by at most 0.242 + 0.4 d a unit of
    ln(t); d is below 0.13 here.
    """
    moved = abs(probability(first_minutes) - probability(second_minutes))
    return moved <= 0.3 * abs(log(first_minutes / second_minutes)) + 1e-12


@pytest.mark.parametrize(
    ("distance", "minutes", "probability"),
    [
        (0.0, 5.0, 1.0),
        (0.0, 100.0, 1.0),
        (1.0, 14.999, 0.9),
        (5.0, 14.999, 0.8),
        (5.0, 15.0, 0.75),
        (5.0, 44.999, 0.75),
        (5.0, 45.0, 1.0 - 5.0 / 30.0),
        (20.0, 60.0, 1.0 - 20.0 / 30.0),
        (1_000.0, 1.0, 0.8),
        (1_000.0, 20.0, 0.5),
        (1_000.0, 100.0, 0.2),
    ],
)
def test_the_sources_probability_has_its_three_steps_and_their_floors(
    distance, minutes, probability
):
    assert source_probability(distance, minutes) == pytest.approx(probability, abs=1e-15)


def test_the_sources_probability_falls_and_then_rises_as_time_runs():
    shown = [round(source_probability(5.0, minutes), 2) for minutes in (60.0, 30.0, 10.0)]
    assert shown == [0.83, 0.75, 0.80]


@given(st.floats(0.001, 1_000.0).filter(lambda distance: abs(distance - 4.0) > 1e-3))
def test_the_sources_probability_jumps_at_fifteen_minutes_and_the_lognormal_does_not(distance):
    # The source's steps happen to meet at 0 and at 4 points, and nowhere else.
    before, after = 15.0, np.nextafter(15.0, 0.0)

    def source(minutes):
        return source_probability(distance, minutes)

    def lognormal(minutes):
        low, high = 7_700.0 + distance - 2.5, 7_700.0 + distance + 2.5
        return band_probability(7_700.0, low, high, 0.12, minutes, DAYS_OF_TRADING)

    assert not changes_no_faster_than_its_logarithm(source, before, after)
    assert changes_no_faster_than_its_logarithm(lognormal, before, after)


@given(st.floats(-0.1, 0.1), st.floats(1e-4, 0.02), SIGMAS, MINUTES, MINUTES)
def test_the_lognormal_probability_is_continuous_in_time(away, half, sigma, first, second):
    strike = 100.0 * exp(away)
    low, high = strike * (1.0 - half), strike * (1.0 + half)

    def lognormal(minutes):
        return band_probability(100.0, low, high, sigma, minutes, DAYS_OF_TRADING)

    assert changes_no_faster_than_its_logarithm(lognormal, first, second)


@given(st.floats(0.0, 0.1), st.floats(0.0, 0.1), st.booleans(), st.booleans(), SIGMAS, MINUTES)
def test_the_lognormal_probability_falls_with_the_distance_on_both_sides_of_the_strike(
    one, other, one_above, other_above, sigma, minutes
):
    low, high = 99.5, 100.5
    deviation = remaining_deviation(sigma, minutes, DAYS_OF_TRADING)
    peak = sqrt(low * high) * exp(0.5 * deviation**2)
    # The peak is a hair off the strike, which the documentation states.
    assert abs(log(peak / 100.0)) <= 0.5 * (0.5 / 100.0) ** 2 * 1.01 + 0.5 * deviation**2

    def at(distance, above):
        price = peak * exp(distance if above else -distance)
        return band_probability(price, low, high, sigma, minutes, DAYS_OF_TRADING)

    nearer, farther = (at(one, one_above), at(other, other_above))
    if one > other:
        nearer, farther = farther, nearer
    assert farther <= nearer + 1e-12


@pytest.mark.parametrize(("price", "low", "high", "sigma", "minutes", "year", "expected"), BANDS)
def test_the_lognormal_probability_agrees_with_sixty_digits(
    price, low, high, sigma, minutes, year, expected
):
    found = band_probability(price, low, high, sigma, minutes, year)
    assert found == pytest.approx(expected, abs=1e-12)
    # In the tails the relative error is that of the price ratio, magnified by z squared.
    if expected < 1e-3:
        assert found == pytest.approx(expected, rel=1e-10)


@given(st.floats(-0.05, 0.05), st.floats(1e-4, 0.02), SIGMAS, st.floats(1.0, 390.0))
def test_the_lognormal_probability_is_that_of_scipy(away, half, sigma, minutes):
    strike = 100.0 * exp(away)
    low, high = strike * (1.0 - half), strike * (1.0 + half)
    deviation = sigma * sqrt(minutes / DAYS_OF_TRADING)
    law = stats.lognorm(deviation, scale=100.0 * exp(-0.5 * deviation**2))
    expected = law.cdf(high) - law.cdf(low)
    found = band_probability(100.0, low, high, sigma, minutes, DAYS_OF_TRADING)
    assert found == pytest.approx(expected, abs=2e-12)


def test_the_lognormal_probability_is_the_frequency_of_simulated_finishes():
    rng = np.random.default_rng(20140606)
    price, sigma, minutes, steps, paths = 645.57, 0.24, 30.0, 10, 200_000
    # Ten steps with a gross return of mean 1: a martingale built without our deviation.
    step = sigma * sqrt(minutes / steps / DAYS_OF_TRADING)
    moves = rng.standard_normal((steps, paths)) * step
    finish = price * np.exp(moves - 0.5 * step**2).prod(axis=0)
    for low, high in [(642.5, 647.5), (647.5, 652.5), (637.5, 642.5)]:
        expected = band_probability(price, low, high, sigma, minutes, DAYS_OF_TRADING)
        seen = float(((finish >= low) & (finish < high)).mean())
        # Four standard errors of a frequency: one run in 16,000 would fail by chance.
        assert abs(seen - expected) < 4.0 * sqrt(expected * (1.0 - expected) / paths)


def test_the_price_is_a_martingale_under_the_lognormal_law():
    strikes = np.arange(60.0, 160.0, 0.05)
    chances = np.empty(strikes.size)
    band_probabilities(100.0, half_way_marks(strikes), 0.5, 3_000.0, DAYS_OF_TRADING, chances)
    assert chances.sum() == pytest.approx(1.0, abs=1e-6)
    assert float(strikes @ chances) == pytest.approx(100.0, abs=1e-4)


@given(
    st.lists(st.floats(10.0, 300.0), min_size=2, max_size=40, unique=True),
    st.floats(1.0, 1_000.0),
    st.floats(0.02, 20.0),
    st.floats(0.0, 525_600.0),
)
@example([100.0, 200.0], 150.0, 0.02, SECOND)  # no mark within reach
@example([100.0, 101.0], 1.0, 0.02, SECOND)  # all of them far above
@example([100.0, 101.0], 1_000.0, 0.02, SECOND)  # all of them far below
def test_all_strikes_at_once_are_the_strikes_one_by_one(strikes, price, sigma, minutes):
    strikes = np.array(sorted(strikes))
    assume(bool((np.diff(strikes) > 0.0).all()))
    marks = half_way_marks(strikes)
    together = np.full(strikes.size, nan)
    band_probabilities(price, marks, sigma, minutes, DAYS_OF_TRADING, together)
    singly = [
        band_probability(price, low, high, sigma, minutes, DAYS_OF_TRADING)
        for low, high in pairwise(marks)
    ]
    assert together == pytest.approx(np.array(singly), abs=2e-15)
    assert together.sum() <= 1.0 + 1e-12


def test_the_quick_normal_tail_is_the_exact_one():
    away = np.linspace(-NOWHERE, NOWHERE, 4_001)
    quick = np.array([_tail(z) for z in away])
    exact = np.array([norm_cdf(-abs(z)) for z in away])
    assert quick == pytest.approx(exact, abs=1e-15, rel=0.0)
    assert quick == pytest.approx(exact, abs=0.0, rel=2e-10)


@pytest.mark.parametrize("minutes", [SECOND, 0.001, 0.0, -30.0])
def test_less_than_a_second_counts_as_a_second(minutes):
    second = band_probability(100.0, 99.99, 100.02, 0.2, SECOND, DAYS_OF_TRADING)
    assert 0.0 < second < 1.0
    assert band_probability(100.0, 99.99, 100.02, 0.2, minutes, DAYS_OF_TRADING) == second
    assert distance_in_sigmas(100.0, 101.0, 0.2, minutes, DAYS_OF_TRADING) == pytest.approx(
        log(1.01) / (0.2 * sqrt(1.0 / 60.0 / DAYS_OF_TRADING))
    )


@pytest.mark.parametrize("sigma", [nan, 0.0, -0.2])
def test_an_unknown_volatility_gives_no_probability(sigma):
    together = np.zeros(2)
    marks = np.array([95.0, 100.0, 105.0])
    band_probabilities(100.0, marks, sigma, 10.0, DAYS_OF_TRADING, together)
    assert np.isnan(together).all()
    assert isnan(band_probability(100.0, 95.0, 105.0, sigma, 10.0, DAYS_OF_TRADING))
    assert isnan(in_the_money_probability(1, 100.0, 95.0, sigma, 10.0, DAYS_OF_TRADING))
    assert isnan(distance_in_sigmas(100.0, 95.0, sigma, 10.0, DAYS_OF_TRADING))


def test_marks_are_half_way_and_the_outermost_strikes_have_as_much_room_outside():
    assert half_way_marks(np.array([90.0, 100.0, 105.0])).tolist() == [85.0, 95.0, 102.5, 107.5]


def test_a_strike_without_neighbours_has_no_band():
    marks = half_way_marks(np.array([100.0]))
    chance = np.zeros(1)
    band_probabilities(100.0, marks, 0.2, 10.0, DAYS_OF_TRADING, chance)
    assert np.isnan(marks).all()
    assert isnan(chance[0])


@pytest.mark.parametrize("strikes", [[], [100.0, 100.0], [100.0, 95.0], [100.0, nan]])
def test_marks_need_strikes_that_ascend(strikes):
    with pytest.raises(DataError, match="ascend"):
        half_way_marks(np.array(strikes))


@pytest.mark.parametrize(
    ("right", "price", "strike", "sigma", "minutes", "year", "expected"),
    [
        (1, 7700.0, 7720.0, 0.12, 15.0, DAYS_OF_TRADING, 0.040014861339243263233),
        (-1, 7700.0, 7720.0, 0.12, 15.0, DAYS_OF_TRADING, 0.95998513866075673677),
        (1, 62000.0, 60000.0, 0.55, 720.0, 525_600.0, 0.94526807777896521549),
    ],
)
def test_the_chance_of_finishing_in_the_money_agrees_with_sixty_digits(
    right, price, strike, sigma, minutes, year, expected
):
    found = in_the_money_probability(right, price, strike, sigma, minutes, year)
    assert found == pytest.approx(expected, abs=1e-13)


@given(st.floats(-3.0, 3.0), SIGMAS, st.floats(15.0, 390.0))
def test_the_chance_of_finishing_in_the_money_is_the_slope_of_the_options_value(
    deviations, sigma, minutes
):
    years = minutes / DAYS_OF_TRADING
    strike = 100.0 * exp(deviations * sigma * sqrt(years))
    step = 1e-3 * strike * sigma * sqrt(years)
    for right in (1, -1):
        above = black_value(right, 100.0, strike + step, years, sigma)
        below = black_value(right, 100.0, strike - step, years, sigma)
        slope = right * (below - above) / (2.0 * step)
        found = in_the_money_probability(right, 100.0, strike, sigma, minutes, DAYS_OF_TRADING)
        assert found == pytest.approx(slope, abs=1e-6)


@given(st.floats(0.9, 1.1), st.floats(1e-4, 0.05), SIGMAS, MINUTES)
def test_a_bands_chance_is_the_difference_of_two_calls_chances(ratio, width, sigma, minutes):
    low, high = 100.0 * ratio, 100.0 * ratio * (1.0 + width)
    of_low, of_high = (
        in_the_money_probability(1, 100.0, mark, sigma, minutes, DAYS_OF_TRADING)
        for mark in (low, high)
    )
    band = band_probability(100.0, low, high, sigma, minutes, DAYS_OF_TRADING)
    assert band == pytest.approx(of_low - of_high, abs=1e-14)


def test_the_pages_probabilities_can_be_recomputed():
    rows = rows_of_the_page("| minutes left | distance")
    assert len(rows) == 11
    for minutes, distance, source, lognormal, in_the_money in rows:
        low, high = 7_697.5 + distance, 7_702.5 + distance
        chance = band_probability(7_700.0, low, high, 0.12, minutes, DAYS_OF_TRADING)
        beyond = in_the_money_probability(
            1, 7_700.0, 7_700.0 + distance, 0.12, minutes, DAYS_OF_TRADING
        )
        assert source_probability(distance, minutes) == pytest.approx(source, abs=5e-4)
        assert chance == pytest.approx(lognormal, abs=5e-4)
        assert beyond == pytest.approx(in_the_money, abs=5e-4)


@pytest.mark.parametrize(
    ("minutes", "trading"),
    [
        (15.0, 15.0),
        (390.0, 390.0),
        (555.0, 390.0),  # before the open
        (1_055.0, 390.0),  # an expiry at the next open, seen at 15:55
        (1_440.0, 390.0),
        (1_450.0, 400.0),
        (0.0, 1.0 / 60.0),
    ],
)
def test_a_day_has_one_session_where_a_year_counts_trading_minutes(minutes, trading):
    assert years_left(minutes, DAYS_OF_TRADING) == pytest.approx(trading / (252 * 390))
    assert years_left(minutes, 525_600.0) == pytest.approx(max(minutes, 1 / 60) / 525_600)


def test_what_the_page_says_of_spacing_can_be_recomputed():
    rows = rows_of_the_page("| minutes left | spacing")
    assert len(rows) == 6
    for minutes, spacing, width, *chances in rows:
        deviation = remaining_deviation(0.12, minutes, DAYS_OF_TRADING)
        half = 0.5 * spacing
        assert half / 7_700.0 / deviation == pytest.approx(width, abs=5e-4)
        for sigmas, expected in enumerate(chances):
            strike = 7_700.0 * exp(sigmas * deviation)
            found = band_probability(
                7_700.0, strike - half, strike + half, 0.12, minutes, DAYS_OF_TRADING
            )
            assert found == pytest.approx(expected, abs=5.1e-4)
