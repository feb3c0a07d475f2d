import numpy as np
import pytest
from scipy import stats

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import SECOND_NS
from hedgeflow.simulate import changed, scenario
from hedgeflow.simulate.hours import activity, sessions_of
from hedgeflow.simulate.order_flow import (
    FlowState,
    mean_size,
    ordinary_trades,
    pieces,
    trade_sizes,
)
from hedgeflow.simulate.venue import venue_of

FLAT = {"day_shape": "flat", "future.activity_sigma": 0.0}


def flow(drawn, sessions=1, seed=0):
    """Ordinary trades of some sessions: stamps, sizes, sides; and the slow activity by second."""
    state, parts = FlowState(), []
    rng = np.random.default_rng(seed)
    for session in sessions_of(changed(drawn, days=sessions)):
        parts.append(ordinary_trades(drawn, session, rng, state))
        state = parts[-1].after
    columns = [
        np.concatenate([getattr(part.trades, name) for part in parts])
        for name in ("stamp", "size", "sign")
    ]
    return (*columns, np.concatenate([part.pace for part in parts]))


def autocorrelation(sign, lags):
    centred = sign - sign.mean()
    return np.array([(centred[lag:] * centred[:-lag]).mean() for lag in lags]) / centred.var()


@pytest.mark.parametrize(
    ("run_trades", "imbalance"), [(1.0, 10.0), (3.0, 10.0), (3.0, 60.0), (20.0, 30.0)]
)
def test_the_imbalance_has_the_standard_deviation_that_is_asked_for_however_long_the_runs(
    run_trades, imbalance
):
    drawn = changed(
        scenario("calm"),
        {"future.run_trades": run_trades, "future.imbalance_units": imbalance},
    )
    _, size, sign, _ = flow(drawn, sessions=25)
    assert np.cumsum(size * sign).std() == pytest.approx(imbalance, rel=0.1)


def test_an_imbalance_smaller_than_a_trade_comes_as_near_as_trades_allow():
    drawn = changed(
        scenario("calm"), {"future.imbalance_units": 1.0, "future.trades_per_day": 3_000.0}
    )
    _, size, sign, _ = flow(drawn, sessions=10)
    assert np.cumsum(size * sign).std() < 1.5 * mean_size(drawn)


def test_signs_without_runs_are_uncorrelated_and_with_runs_correlated_over_many_trades():
    lags = np.array([1, 5, 20, 50])
    wide = {"future.imbalance_units": 1_000.0}
    for run_trades in (1.0, 3.0):
        drawn = changed(scenario("calm"), {**wide, "future.run_trades": run_trades})
        _, _, sign, _ = flow(drawn, sessions=8)
        found = autocorrelation(sign.astype(np.float64), lags)
        if run_trades == 1.0:
            assert np.abs(found).max() < 6 / np.sqrt(sign.size)
        else:
            assert (np.diff(found) < 0.0).all()
            assert found[0] > 0.4
            assert found[-1] > 0.05


def test_runs_have_the_mean_and_the_tail_exponent_of_the_scenario():
    drawn = changed(
        scenario("calm"),
        {
            "future.imbalance_units": 100_000.0,
            "future.run_trades": 4.0,
            "future.run_exponent": 1.5,
        },
    )
    _, _, sign, _ = flow(drawn, sessions=8)
    turns = np.flatnonzero(np.diff(sign)) + 1
    stretches = np.diff(np.concatenate(([0], turns, [sign.size])))
    # Two runs in a row are on one side half of the time: a stretch is a geometric number of runs.
    assert stretches.mean() == pytest.approx(2 * 4.0, rel=0.1)
    tail = np.sort(stretches[stretches > 100])
    hill = 1.0 / np.log(tail / 100.0).mean()
    assert hill == pytest.approx(1.5, abs=4 * 1.5 / np.sqrt(tail.size) + 0.15)


def test_a_run_goes_on_in_the_next_session():
    drawn = changed(
        scenario("calm"),
        {
            "future.run_trades": 1_000.0,
            "future.imbalance_units": 1e6,
            "future.trades_per_day": 50.0,
        },
    )
    session = sessions_of(drawn)[0]
    state = FlowState(direction=-1, left=500)
    part = ordinary_trades(drawn, session, np.random.default_rng(0), state)
    assert (part.trades.sign == -1).all()
    assert part.after.left == 500 - part.trades.sign.size


@pytest.mark.parametrize("shape", ["flat", "u", "humps"])
@pytest.mark.parametrize("sigma", [0.0, 0.6])
def test_the_median_five_minute_volume_is_the_scenarios_on_every_kind_of_day(shape, sigma):
    drawn = changed(scenario("calm"), {"day_shape": shape, "future.activity_sigma": sigma})
    stamp, size, _, _ = flow(drawn, sessions=12)
    slots = np.bincount((stamp - stamp[0]) // (300 * SECOND_NS), weights=size)[:-1]
    assert np.median(slots) == pytest.approx(drawn.future.volume_units, rel=0.06)


def test_as_many_trades_come_as_the_scenario_says_when_the_day_is_busy():
    drawn = changed(scenario("calm"), {"day_shape": "u"})
    stamp, *_ = flow(drawn, sessions=6)
    assert stamp.size == pytest.approx(6 * drawn.future.trades_per_day, rel=0.05)
    session = sessions_of(drawn)[0]
    day = stamp[stamp < session.end_ns]
    hourly = np.bincount((day - session.start_ns) // (3600 * SECOND_NS), minlength=24)
    expected = activity(drawn, session).reshape(24, -1).mean(axis=1)
    assert np.corrcoef(hourly, expected)[0, 1] > 0.9


def test_activity_varies_slowly_as_much_as_the_scenario_says():
    for sigma in (0.0, 0.5):
        drawn = changed(scenario("calm"), {"future.activity_sigma": sigma})
        *_, pace = flow(drawn, sessions=10)
        assert np.log(pace).std() == pytest.approx(sigma, abs=0.05)
        assert pace.mean() == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("sigma", [0.0, 0.6, 1.2])
def test_sizes_are_lognormal_with_the_spread_of_the_scenario(sigma):
    drawn = changed(scenario("calm"), {"future.size_sigma": sigma})
    size = trade_sizes(drawn, np.random.default_rng(2), 100_000)
    assert size.mean() == pytest.approx(mean_size(drawn), rel=0.03)
    assert np.log(size).std() == pytest.approx(sigma, abs=0.02)


def test_sizes_are_whole_steps_whose_mean_holds_even_where_they_are_few():
    drawn = changed(
        scenario("us-index"), {"future.trades_per_day": 390_000.0, "future.size_sigma": 1.0}
    )
    step = venue_of(drawn).hedge_step
    size = trade_sizes(drawn, np.random.default_rng(3), 200_000)
    assert (size % step == 0.0).all()
    assert size.min() == step
    assert 1.0 < mean_size(drawn) / step < 3.0
    assert size.mean() == pytest.approx(mean_size(drawn), rel=0.02)


def test_more_trades_than_the_volume_has_steps_for_are_refused_by_name():
    drawn = changed(scenario("us-index"), {"future.volume_units": 1_000.0})
    with pytest.raises(ConfigError, match=r"future\.volume_units: .* at least 50.*Raise it"):
        mean_size(drawn)


def test_pieces_add_up_to_each_order_and_are_as_large_as_ordinary_trades():
    drawn = scenario("calm")
    totals = np.array([0.0, 25.0, 0.0004, 300.1234, 0.0, 3_000.0])
    size, order = pieces(drawn, totals, np.random.default_rng(4))
    np.testing.assert_allclose(
        np.bincount(order, weights=size, minlength=totals.size), np.round(totals, 3), atol=1e-9
    )
    assert (size > 0.0).all()
    assert (np.diff(order) >= 0).all()
    ordinary = trade_sizes(drawn, np.random.default_rng(5), 5_000)
    assert stats.ks_2samp(size[order == 5][:-1], ordinary).pvalue > 1e-3
    assert pieces(drawn, np.zeros(3), np.random.default_rng(6))[0].size == 0
