import numpy as np
import polars as pl
import pytest
from scipy import stats

from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS
from hedgeflow.simulate import ShockClass, changed, scenario, simulate
from hedgeflow.simulate.hours import sessions_of
from hedgeflow.simulate.shocks import shock_times

SWEEP, EMERGENCY = ShockClass.SWEEP.value, ShockClass.EMERGENCY.value


def stamps(frame, column="ts"):
    return frame[column].dt.epoch("ns").to_numpy()


@pytest.fixture(scope="module")
def sparse():
    """Many days of shocks in next to nothing else."""
    return changed(
        scenario("effect", days=40, seed=3),
        {
            "option_flow.trades_per_day": 50.0,
            "option_flow.unsigned_share": 0.0,
            "future.trades_per_day": 3_000.0,
            "future.quote_interval_seconds": 3_600.0,
            "dealers.ordinary": False,
        },
    )


@pytest.fixture(scope="module")
def truth(sparse):
    return simulate(sparse).truth


def times(changes, number=0):
    drawn = changed(scenario("effect"), changes)
    session = sessions_of(drawn)[number]
    return [shock_times(drawn, session, np.random.default_rng(seed)) for seed in range(40)]


def test_shocks_come_as_often_and_as_large_as_the_scenario_says(effect):
    truth = effect.truth.with_columns(day=pl.col("ts").dt.date())
    counts = truth.group_by("day", "shock_class").len()
    sweeps = counts.filter(pl.col("shock_class") == "INSTITUTIONAL_SWEEP")["len"]
    emergencies = counts.filter(pl.col("shock_class") == "GAMMA_EMERGENCY")["len"]
    assert (sweeps.min(), sweeps.max()) == (3, 5)
    assert (emergencies.min(), emergencies.max()) == (1, 3)
    relative = effect.truth["delta"].abs() * 100_000 / effect.scenario.future.volume_units
    assert (relative > 1_000).mean() > 0.9  # ten by the pressure of a ten-minute tier
    assert effect.truth.height >= 50 / 0.6


def test_a_sweep_takes_three_strikes_and_none_the_greater_part_an_emergency_one(effect):
    trades = effect.option_trades
    for shock in effect.truth.iter_rows(named=True):
        if shock["shock_class"] == "INSTITUTIONAL_SWEEP":
            assert shock["strikes"] >= 3
        first, last = (
            trades["ts"]
            .search_sorted(pl.Series([shock["ts"], shock["last_print"]], dtype=trades.schema["ts"]))
            .to_list()
        )
        inside = trades[first : last + 1].filter(pl.col("contract") == shock["contract"])
        share = inside["lots"].sum() * 0.1 / shock["option_units"]
        if shock["shock_class"] == "INSTITUTIONAL_SWEEP":
            assert share < 0.6
        else:
            assert share > 0.8


def test_nothing_on_the_tape_marks_a_shock(effect):
    """Sizes beyond the body of ordinary ones come from one tail."""
    market = simulate(
        changed(
            effect.scenario,
            {"option_flow.largest_lots": 200.0, "option_flow.tail_share": 0.05},
            days=4,
        )
    )
    trades = market.option_trades
    of_shock = market.prints_truth["shock_id"].is_not_null()
    inside, others = trades.filter(of_shock), trades.filter(~of_shock)
    large = [frame.filter(pl.col("lots") >= 30)["lots"].to_numpy() for frame in (inside, others)]
    assert min(sizes.size for sizes in large) > 20
    assert stats.ks_2samp(*large).pvalue > 1e-3
    assert inside["lots"].max() <= market.scenario.option_flow.largest_lots
    assert inside["condition"].null_count() == inside.height
    assert inside["block_id"].null_count() == inside.height
    number = pl.col("trade_id").str.split("-").list.last().cast(pl.Int64)
    in_day = pl.int_range(pl.len()).over(pl.col("ts").dt.date())
    assert trades.select((number == in_day).all())[0, 0]


def test_without_shocks_there_are_none():
    assert not any(times({"shocks.enabled": False}))


def test_the_first_sessions_have_none():
    assert not any(times({"shocks.first_day": 3}, number=2))
    assert all(times({"shocks.first_day": 3}, number=3))


def test_each_session_has_as_many_of_each_class_as_the_ranges_say_all_equally_likely():
    drawn = times({"shocks.sweeps_per_day": (0, 2), "shocks.emergencies_per_day": (4, 4)})
    sweeps = [sum(each is ShockClass.SWEEP for _, each in session) for session in drawn]
    assert all(len(session) == 4 + count for session, count in zip(drawn, sweeps, strict=True))
    assert np.bincount(sweeps, minlength=3).min() >= 5
    assert max(sweeps) == 2


@pytest.mark.parametrize("gap", [20.0, 150.0])
def test_shocks_start_at_least_the_gap_apart_and_within_the_session(gap):
    session = sessions_of(scenario("effect"))[0]
    starts = [[start for start, _ in each] for each in times({"shocks.gap_minutes": gap})]
    gaps = np.concatenate([np.diff(each) for each in starts])
    assert gap * MINUTE_NS <= gaps.min() < (gap + 30) * MINUTE_NS
    assert all(
        session.start_ns <= start < session.end_ns - 2 * MINUTE_NS
        for each in starts
        for start in each
    )


@pytest.mark.parametrize(
    ("shock_class", "key"), [(SWEEP, "sweep_units"), (EMERGENCY, "emergency_units")]
)
def test_the_median_demand_of_a_class_and_its_spread_are_the_scenarios(
    sparse, truth, shock_class, key
):
    demand = np.log(truth.filter(pl.col("shock_class") == shock_class)["delta"].abs().to_numpy())
    error = demand.std() / np.sqrt(demand.size)
    assert abs(np.median(demand) - np.log(getattr(sparse.shocks, key))) < 5 * error
    assert demand.std() == pytest.approx(sparse.shocks.units_sigma, rel=0.25)


def test_shocks_without_spread_are_all_of_one_size(sparse):
    market = simulate(changed(sparse, {"shocks.units_sigma": 0.0}, days=5))
    sweeps = market.truth.filter(pl.col("shock_class") == SWEEP)["delta"].abs()
    assert sweeps.min() > 0.85 * sparse.shocks.sweep_units
    assert sweeps.max() < 1.15 * sparse.shocks.sweep_units


@pytest.mark.parametrize(
    ("shock_class", "key"), [(SWEEP, "sweep_seconds"), (EMERGENCY, "emergency_seconds")]
)
def test_the_prints_that_follow_the_first_spread_over_the_seconds_of_their_class(
    sparse, shock_class, key
):
    for seconds in (10.0, 200.0):
        market = simulate(changed(sparse, {f"shocks.{key}": seconds}, days=12))
        mine = market.truth.filter(pl.col("shock_class") == shock_class)
        took = (stamps(mine, "last_print") - stamps(mine)) / SECOND_NS
        assert 0.7 * seconds < np.median(took) < 1.2 * seconds


def test_most_of_a_shock_prints_in_its_first_millisecond_in_every_contract_of_it(sparse):
    market = simulate(changed(sparse, days=10))
    prints = market.option_trades.join(
        market.prints_truth.select("trade_id", "shock_id"), on="trade_id"
    ).filter(pl.col("shock_id").is_not_null())
    first = prints.filter(pl.col("ts") == pl.col("ts").min().over("shock_id"))
    whole, at_once = (
        frame.group_by("shock_id")
        .agg(pl.col("lots").sum(), pl.col("contract").n_unique())
        .sort("shock_id")
        for frame in (prints, first)
    )
    assert whole["contract"].equals(at_once["contract"])
    share = (at_once["lots"] / whole["lots"]).to_numpy()
    assert share.min() > 0.7
    assert np.median(share) < 0.97


def test_all_prints_of_a_shock_are_on_one_side_and_both_sides_and_rights_occur(truth):
    counts = truth.group_by("side", pl.col("contract").str.tail(1)).len()
    assert counts.height == 4
    assert counts["len"].min() > 0.15 * truth.height


def test_options_that_a_shock_takes_live_for_three_hours_more(sparse):
    market = simulate(changed(sparse, days=20))
    terms = market.contracts.select("contract", "expiry")
    both = market.truth.join(terms, on="contract")
    assert (stamps(both, "expiry") - stamps(both)).min() >= 3 * 3600 * SECOND_NS
    assert (stamps(both, "expiry") - stamps(both)).min() < 2 * DAY_NS


def test_a_shock_too_small_for_its_lots_prints_one_lot_in_each_contract(sparse):
    tiny = changed(sparse, {"shocks.sweep_units": 1e-6, "shocks.emergency_units": 1e-6}, days=2)
    market = simulate(tiny)
    assert market.truth.height >= 8
    assert market.truth["option_units"].min() >= tiny.chain.lot_units
    assert market.truth["option_units"].max() <= 7 * tiny.chain.lot_units


def test_the_end_of_the_session_cuts_a_slow_shock_short(sparse):
    slow = changed(
        sparse, {"shocks.sweep_seconds": 7_200.0, "shocks.sweeps_per_day": [8, 8]}, days=3
    )
    market = simulate(slow)
    ends = {session.day: session.end_ns for session in sessions_of(slow)}
    last = stamps(market.truth, "last_print")
    assert all(at < ends[start // DAY_NS] for at, start in
               zip(last.tolist(), stamps(market.truth).tolist(), strict=True))  # fmt: skip
    assert (last - stamps(market.truth)).max() > 3_600 * SECOND_NS
