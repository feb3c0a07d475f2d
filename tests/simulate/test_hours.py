from datetime import date

import numpy as np
import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import DAY_NS, HOUR_NS, YEAR_NS, moment_of
from hedgeflow.simulate import scenario
from hedgeflow.simulate.hours import activity, option_days, option_years, sessions_of


@pytest.fixture(scope="module")
def thanksgiving():
    return scenario("us-index", days=4, first_day=date(2024, 11, 27))


def test_sessions_of_new_york_skip_holidays_and_weekends_and_end_early_on_half_days(thanksgiving):
    sessions = [
        (moment_of(each.start_ns).isoformat(), moment_of(each.end_ns).isoformat())
        for each in sessions_of(thanksgiving)
    ]
    assert sessions == [
        ("2024-11-27T14:30:00+00:00", "2024-11-27T21:00:00+00:00"),
        ("2024-11-29T14:30:00+00:00", "2024-11-29T18:00:00+00:00"),
        ("2024-12-02T14:30:00+00:00", "2024-12-02T21:00:00+00:00"),
        ("2024-12-03T14:30:00+00:00", "2024-12-03T21:00:00+00:00"),
    ]


def test_options_of_new_york_expire_as_its_sessions_close(thanksgiving):
    days = option_days(thanksgiving)
    assert days.end_ns[:4].tolist() == [each.end_ns for each in sessions_of(thanksgiving)]


def test_options_that_never_rest_expire_at_eight():
    days = option_days(scenario("calm"))
    assert (days.end_ns % DAY_NS == 8 * HOUR_NS).all()
    assert np.diff(days.day).tolist() == [1] * (days.day.size - 1)


def test_the_indexs_own_time_is_the_calendars_where_it_never_rests():
    market = scenario("calm")
    [start] = [each.start_ns for each in sessions_of(market)[:1]]
    years = option_years(market, np.array([start]), np.array([start + 3 * DAY_NS]))
    assert years == pytest.approx([3 * DAY_NS / YEAR_NS], rel=1e-12)


def test_the_own_time_of_an_exchange_passes_in_sessions_and_nights(thanksgiving):
    first, half, monday, _ = sessions_of(thanksgiving)
    stamps = np.array([first.start_ns, first.end_ns, half.start_ns, first.start_ns])
    expiries = np.array([first.end_ns, half.start_ns, half.end_ns, monday.end_ns])
    days = option_years(thanksgiving, stamps, expiries) * 252
    whole, night = 0.8, 0.2
    shorter = whole * 210 / 390
    assert days == pytest.approx(
        [whole, night, shorter, whole + night + shorter + night + whole], rel=1e-6
    )


@pytest.mark.parametrize("preset", ["calm", "us-index"])
@pytest.mark.parametrize("shape", ["u", "humps", "flat"])
def test_activity_has_mean_one_and_is_never_zero(preset, shape):
    market = scenario(preset, day_shape=shape)
    busy = activity(market, sessions_of(market)[0])
    assert busy.mean() == pytest.approx(1.0, abs=1e-9)
    assert busy.min() > 0.2


def test_a_u_is_deepest_at_the_middle_of_a_short_session_too(thanksgiving):
    busy = activity(thanksgiving, sessions_of(thanksgiving)[1])
    assert busy.size == 210 * 60
    assert abs(int(np.argmin(busy)) - busy.size // 2) <= 1
    assert busy[0] == pytest.approx(busy[-1])
    assert busy[0] > 5 * busy.min()


@pytest.mark.parametrize("closed", [date(2024, 12, 25), date(2025, 1, 9), date(2024, 12, 28)])
def test_an_expiry_on_a_day_without_a_session_is_refused(closed):
    with pytest.raises(ConfigError, match=f"there is no session of XNYS on {closed}"):
        scenario("us-index", {"chain.expiries": [closed]})


def test_a_first_day_without_a_session_begins_with_the_next_one():
    saturday = scenario("us-index", first_day=date(2024, 11, 30), days=1)
    [session] = sessions_of(saturday)
    assert moment_of(session.start_ns).date() == date(2024, 12, 2)
