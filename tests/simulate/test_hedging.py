import numpy as np
import polars as pl
import pytest

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate import changed, scenario, simulate
from hedgeflow.simulate.hedging import hedge_of

START = 1_700_000_000_000_000_000


def stamps(frame, column="ts"):
    return frame[column].dt.epoch("ns").to_numpy()


def signed_volume(market, start, end):
    """Signed perpetual volume from start (included) to end (excluded), per window."""
    cumulative = np.concatenate(
        ([0.0], np.cumsum(market.hedge_trades["size"] * market.hedge_trades["aggressor"]))
    )
    at = stamps(market.hedge_trades)
    return cumulative[np.searchsorted(at, end)] - cumulative[np.searchsorted(at, start)]


def done(market):
    """Shocks whose hedges end before the simulation does."""
    return market.truth.filter(pl.col("hedge_start") < market.bars["ts"][-17])


def test_a_hedge_that_begins_before_midnight_goes_on_after_it():
    late = changed(
        scenario("effect", days=4),
        {
            "shocks.sweeps_per_day": (120, 120),
            "shocks.gap_minutes": 5.0,
            "option_flow.trades_per_day": 100.0,
            "future.trades_per_day": 20_000.0,
            "future.quote_interval_seconds": 600.0,
        },
    )
    market = simulate(late)
    hedged = (
        market.hedge_trades.join(market.hedge_truth, on="trade_id")
        .filter(pl.col("origin") == "shock")
        .group_by("shock_id")
        .agg(
            (pl.col("size") * pl.col("aggressor")).sum().alias("traded"),
            pl.col("ts").dt.date().n_unique().alias("days"),
        )
    )
    both = done(market).join(hedged, on="shock_id")
    assert both.filter(pl.col("days") == 2).height >= 1
    np.testing.assert_allclose(both["traded"], both["hedge_volume"], atol=1e-6)


def test_a_hedge_that_begins_before_the_close_goes_on_at_the_next_open():
    late = changed(
        scenario("us-index", days=4),
        {
            "shocks.sweeps_per_day": (60, 60),
            "shocks.gap_minutes": 3.0,
            "future.trades_per_day": 2e4,
        },
    )
    market = simulate(late)
    hedged = market.hedge_trades.join(market.hedge_truth, on="trade_id").filter(
        pl.col("origin") == "shock"
    )
    by_shock = hedged.group_by("shock_id").agg(
        (pl.col("size") * pl.col("aggressor")).sum().alias("traded"),
        pl.col("ts").dt.date().n_unique().alias("days"),
        pl.col("ts").max().alias("last"),
    )
    both = done(market).join(by_shock, on="shock_id")
    crossing = both.filter(pl.col("days") == 2)
    assert crossing.height >= 3
    np.testing.assert_allclose(both["traded"], both["hedge_volume"], atol=1e-6)
    after_open = crossing["last"].dt.hour() + crossing["last"].dt.minute() / 60.0
    assert after_open.max() < 14.5 + 16 / 60
    assert crossing["completion_minutes"].max() < 20.0


def test_dealers_trade_the_demand_after_a_shock_and_nothing_abnormal_without_hedging(effect, null):
    demand = effect.truth["delta"].to_numpy()
    start = stamps(effect.truth)
    for market, expected in ((effect, 1.0), (null, 0.0)):
        flow = signed_volume(market, start, start + 15 * MINUTE_NS) * np.sign(demand)
        slope = flow.sum() / np.abs(demand).sum()
        error = flow.std() * np.sqrt(demand.size) / np.abs(demand).sum()
        assert abs(slope - expected) < 4 * error + 0.03
        assert error < 0.1


def test_half_of_a_hedge_is_done_after_its_half_time(effect):
    start = stamps(effect.truth, "hedge_start")
    half = (effect.truth["half_time_minutes"].to_numpy() * MINUTE_NS).astype(np.int64)
    volume = effect.truth["hedge_volume"].to_numpy()
    flow = signed_volume(effect, start, start + half) * np.sign(volume)
    assert 0.45 < flow.sum() / np.abs(volume).sum() < 0.60


def test_greater_exposure_is_hedged_faster(effect):
    size = np.log(effect.truth["delta"].abs().to_numpy())
    half_time = np.log(effect.truth["half_time_minutes"].to_numpy())
    slope = np.polyfit(size, half_time, 1)[0]
    assert -1.3 < slope < -0.8


def test_the_price_follows_the_hedge_only_with_the_effect(effect, null):
    demand = effect.truth["delta"].to_numpy()
    start = stamps(effect.truth)
    means = []
    for market in (effect, null):
        opened = stamps(market.bars)
        price = market.bars["open"].to_numpy()
        entry = np.searchsorted(opened, start + MINUTE_NS)
        keep = entry + 8 < price.size
        entry = entry[keep]
        move = np.log(price[entry + 8] / price[entry]) * 1e4 * np.sign(demand[keep])
        means.append(move.mean())
        error = move.std() / np.sqrt(move.size)
    assert means[0] > 10.0
    assert abs(means[1]) < 4 * error


def test_peak_impact_is_the_square_root_of_the_hedge(effect):
    volume = effect.truth["hedge_volume"].to_numpy()
    strength = effect.scenario.impact.peak_bps
    expected = np.sign(volume) * strength * np.sqrt(np.abs(volume) / 30.0)
    np.testing.assert_allclose(effect.truth["impact_bps"].to_numpy(), expected, rtol=1e-12)


def test_bought_puts_make_dealers_sell_and_sold_puts_make_them_buy(effect):
    puts = effect.truth.filter(pl.col("contract").str.ends_with("P"))
    calls = effect.truth.filter(pl.col("contract").str.ends_with("C"))
    assert puts.height > 20
    assert calls.height > 20
    assert (puts["hedge_volume"].sign() == -puts["side"]).all()
    assert (calls["hedge_volume"].sign() == calls["side"]).all()


def hedges(changes, demand=30.0, count=300):
    drawn = changed(scenario("effect"), changes)
    rng, sides = np.random.default_rng(1), np.random.default_rng(2)
    return [hedge_of(drawn, (7, START), demand, rng, sides) for _ in range(count)]


def median(values):
    return float(np.median(list(values)))


def test_a_share_of_the_demand_is_hedged_to_the_venues_step():
    [hedge] = hedges({"dealers.share": 0.4}, demand=-33.3333, count=1)
    assert hedge.volume == pytest.approx(-13.333, abs=1e-9)
    assert hedge.wanted == hedge.volume
    assert hedge.trades.size.sum() == pytest.approx(13.333, abs=1e-9)
    assert (hedge.trades.sign == -1).all()
    assert (hedge.trades.origin == 7).all()


def test_a_share_of_nothing_leaves_no_trades_no_impact_and_no_response():
    [hedge] = hedges({"dealers.share": 0.0}, count=1)
    assert hedge.trades.size.size == 0
    assert hedge.volume == hedge.impact_bps == 0.0
    assert hedge.response_minutes is None
    assert hedge.completion_minutes is None


@pytest.mark.parametrize("lag", [0.0, 20.0, 120.0])
def test_the_first_trade_comes_after_the_lag(lag):
    found = hedges({"dealers.lag_seconds": lag})
    starts = [hedge.start_ns - START for hedge in found]
    assert median(starts) == pytest.approx(lag * SECOND_NS, rel=0.1)
    assert all(hedge.trades.stamp[0] >= hedge.start_ns >= START for hedge in found)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.1])
@pytest.mark.parametrize("minutes", [2.0, 3.0])
def test_half_time_falls_with_the_power_of_demand_from_that_of_the_reference(exponent, minutes):
    changes = {
        "dealers.half_time_minutes": minutes,
        "dealers.half_time_exponent": exponent,
        "dealers.reference_units": 40.0,
    }
    for demand in (20.0, 40.0, 100.0):
        found = median(hedge.half_time_minutes for hedge in hedges(changes, demand))
        assert found == pytest.approx(minutes * (40.0 / demand) ** exponent, rel=0.08)


def test_no_hedge_takes_longer_than_sixteen_minutes_from_its_start():
    found = hedges({"dealers.half_time_minutes": 60.0})
    assert all(hedge.half_time_minutes == 8.0 for hedge in found)
    last = max(hedge.trades.stamp[-1] - hedge.start_ns for hedge in found)
    assert 15 * MINUTE_NS < last <= 16 * MINUTE_NS


def test_response_and_completion_are_when_half_and_nine_tenths_were_really_traded():
    for hedge in hedges({}, count=20):
        minutes = (hedge.trades.stamp - START) / MINUTE_NS
        total = hedge.trades.size.sum()
        for until, share in ((hedge.response_minutes, 0.5), (hedge.completion_minutes, 0.9)):
            done = minutes <= until + 1e-9
            assert hedge.trades.size[done].sum() >= share * total - 1e-9
            assert hedge.trades.size[done][:-1].sum() < share * total


def test_sweeps_respond_within_the_window_but_slowly_and_emergencies_at_once(effect):
    medians = dict(
        effect.truth.group_by("shock_class").agg(pl.col("response_minutes").median()).rows()
    )
    assert 6.0 < medians["INSTITUTIONAL_SWEEP"] < 9.5
    assert medians["GAMMA_EMERGENCY"] < 3.0
    assert effect.truth["completion_minutes"].quantile(0.9) < 16.5


def test_peak_impact_goes_with_the_square_root_and_the_switch():
    changes = {"impact.peak_bps": 12.0, "dealers.reference_units": 25.0}
    [hedge] = hedges(changes, demand=-100.0, count=1)
    assert hedge.impact_bps == pytest.approx(-24.0, rel=1e-4)
    [hedge] = hedges({**changes, "impact.enabled": False}, demand=-100.0, count=1)
    assert hedge.impact_bps == 0.0
    assert hedge.volume == pytest.approx(-100.0)


def test_a_coin_turns_whole_hedges_with_their_impact_and_leaves_times_and_sizes():
    straight = hedges({})
    turned = hedges({"dealers.hedging": "coin"})
    signs = np.array([np.sign(hedge.volume) for hedge in turned])
    assert abs(signs.sum()) < 4 * np.sqrt(signs.size)
    for one, other, sign in zip(straight, turned, signs, strict=True):
        assert (other.trades.stamp == one.trades.stamp).all()
        assert (other.trades.size == one.trades.size).all()
        assert (other.trades.sign == sign).all()
        assert other.volume == sign * one.volume
        assert other.impact_bps == sign * one.impact_bps
        assert other.wanted == one.wanted
        assert other.response_minutes == one.response_minutes


def test_without_hedging_every_trade_has_a_side_of_its_own_and_nothing_moves():
    straight = hedges({})
    random = hedges({"dealers.hedging": "none"})
    signs = np.concatenate([hedge.trades.sign for hedge in random])
    assert abs(signs.sum()) < 4 * np.sqrt(signs.size)
    assert abs((signs[1:] * signs[:-1]).sum()) < 4 * np.sqrt(signs.size)
    for one, other in zip(straight, random, strict=True):
        assert (other.trades.stamp == one.trades.stamp).all()
        assert (other.trades.size == one.trades.size).all()
        assert other.volume == other.impact_bps == 0.0
        assert other.wanted == one.wanted
        assert other.response_minutes is None
