from datetime import date

import numpy as np
import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.simulate import changed, scenario
from hedgeflow.simulate.hours import activity, sessions_of
from hedgeflow.simulate.paths import _jumps, first_state, index_path

DAYS = 120


def paths_of(market):
    state = first_state(market)
    for session in sessions_of(market):
        before = state
        path, state = index_path(market, session, state)
        yield path, before, state


def realised(market):
    """Variance over sessions and nights, that expected of the level, and the squares' error."""
    squares, expected, nights = [], [], []
    for path, before, after in paths_of(market):
        log_price = np.append(np.log(path.price), after.log_price)
        squares.append((np.diff(log_price) ** 2).sum())
        expected.append((path.level**2).mean() * path.session.seconds)
        nights.append(log_price[0] - before.log_price)
    return np.array(squares), np.array(expected), np.array(nights)


@pytest.mark.parametrize("jumps", [0.0, 1.0, 20.0])
def test_annualised_variance_is_the_levels_with_jumps_and_without(jumps):
    market = scenario("calm", {"index.jumps_per_day": jumps}, days=DAYS, seed=3)
    squares, expected, nights = realised(market)
    ratio = squares.sum() * 365 * 86_400 / expected.sum()
    assert ratio == pytest.approx(1.0, abs=4 * np.sqrt(2.0 / (DAYS * 86_400)) + 0.01 * jumps**0.5)
    assert (nights == 0.0).all()


def test_a_year_of_an_exchange_has_the_levels_variance_in_sessions_and_nights():
    market = scenario(
        "us-index", {"index.volatility_of_volatility": 0.0, "index.overnight_share": 0.4}, days=500
    )
    squares, _, nights = realised(market)
    level = market.index.volatility**2
    assert squares.mean() * 252 == pytest.approx(0.6 * level, rel=0.02)
    assert (nights[1:] ** 2).mean() * 252 == pytest.approx(0.4 * level, rel=4 * np.sqrt(2 / 500))
    assert nights[0] == 0.0


def test_no_share_overnight_is_no_gap():
    market = scenario("us-index", {"index.overnight_share": 0.0}, days=5)
    assert (realised(market)[2] == 0.0).all()


def test_jumps_come_as_often_and_as_large_as_stated():
    market = scenario(
        "calm", {"index.jumps_per_day": 3.0, "index.jump_bps": 100.0}, days=DAYS, seed=5
    )
    steps = np.concatenate([np.diff(np.log(path.price)) for path, _, _ in paths_of(market)])
    jumps = steps[np.abs(steps) > 15e-4]
    bigger = 2 * 0.4404
    assert jumps.size == pytest.approx(3 * DAYS * bigger, rel=0.15)
    assert np.sqrt((jumps**2).mean()) == pytest.approx(106e-4, rel=0.1)


def test_variance_follows_the_power_of_activity_that_is_stated():
    ratios = {}
    for power in (0.0, 1.0):
        market = scenario(
            "calm",
            {"index.intraday_volatility": power, "index.jumps_per_day": 0.0},
            days=40,
            day_shape="u",
        )
        squares = np.array([np.diff(np.log(path.price)) ** 2 for path, _, _ in paths_of(market)])
        busy = activity(market, sessions_of(market)[0])[1:]
        parts = [np.array_split(each, 10) for each in (squares.mean(axis=0), busy)]
        ends, middle = [[part[i].mean() for part in parts] for i in (0, 5)]
        ratios[power] = (ends[0] / middle[0], ends[1] / middle[1])
    assert ratios[0.0][0] == pytest.approx(1.0, abs=0.05)
    assert ratios[1.0][0] == pytest.approx(ratios[1.0][1], rel=0.05)
    assert ratios[1.0][1] > 4.0


def test_switching_jumps_off_leaves_the_draws_of_the_diffusion():
    with_jumps = scenario("calm", {"index.jumps_per_day": 5.0}, days=1)
    without = changed(with_jumps, {"index.jumps_per_day": 0.0})
    steps = [np.diff(np.log(next(paths_of(market))[0].price)) for market in (with_jumps, without)]
    scale = np.median(steps[0] / steps[1])
    same = np.abs(steps[0] - scale * steps[1]) < 1e-7
    assert 0.9 < scale < 1.0
    assert 1 <= (~same).sum() <= 15


def test_the_level_goes_home_with_its_half_life_over_closed_hours_too():
    market = scenario(
        "us-index",
        {"index.volatility_of_volatility": 0.3, "index.volatility_half_life_hours": 6.0},
        days=400,
    )
    ends = []
    for path, before, after in paths_of(market):
        if path.session.number:
            ends.append((before.log_level, float(np.log(path.level[0] / market.index.volatility))))
        assert np.isfinite(after.log_level)
    before, at_open = np.array(ends).T
    assert np.std(at_open) == pytest.approx(0.3, rel=0.15)
    assert np.corrcoef(before, at_open)[0, 1] < 0.3


def test_jumps_beyond_the_indexs_whole_variance_are_refused():
    with pytest.raises(ConfigError, match=r"jump_bps: jumps of 300 basis points, 1 a day, exceed"):
        scenario("calm", {"index.jump_bps": 300.0})


def test_a_half_day_has_as_many_fewer_jumps_as_it_is_shorter():
    early = scenario("us-index", {"index.volatility": 0.4, "index.jumps_per_day": 40.0,
                                  "index.jump_bps": 10.0}, days=1)  # fmt: skip
    counts = []
    for day in (date(2024, 11, 27), date(2024, 11, 29)):
        dated = changed(early, first_day=day)
        [session] = sessions_of(dated)
        found = [np.count_nonzero(_jumps(changed(dated, seed=seed), session)) for seed in range(40)]
        counts.append(float(np.mean(found)))
    assert counts[0] == pytest.approx(40.0, rel=0.1)
    assert counts[1] == pytest.approx(40.0 * 210 / 390, rel=0.1)
