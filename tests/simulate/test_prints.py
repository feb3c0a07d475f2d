from datetime import date

import numpy as np
import polars as pl
import pytest

from hedgeflow.simulate import changed, scenario, simulate, simulate_days


def signs_by_quote(trades):
    middle = 0.5 * (trades["bid"].fill_null(0.0) + trades["ask"])
    return (trades["price"] - middle).sign().to_numpy()


def signs_by_tick(trades):
    step = pl.col("price").diff().sign()
    moved = pl.when(step != 0).then(step).forward_fill().over("contract")
    return trades.select(moved.fill_null(0.0)).to_series().to_numpy()


@pytest.fixture(scope="module")
def plain(small):
    """Quotes as fresh as they can be, and nobody trades within them."""
    return simulate(
        changed(
            small,
            {
                "option_quotes.update_seconds": 0.001,
                "option_flow.inside_share": 0.0,
                "option_flow.complex_share": 0.0,
            },
        )
    )


def test_buyers_pay_the_ask_and_sellers_get_the_bid_where_quotes_do_not_lag(plain):
    second_began = plain.option_trades["ts"].dt.millisecond() == 0
    trades = plain.option_trades.with_columns(side=plain.prints_truth["side"]).filter(~second_began)
    touched = pl.when(pl.col("side") > 0).then("ask").otherwise(pl.col("bid").fill_null(1.0))
    assert trades.height > 5_000
    assert trades.select((pl.col("price") == touched).all()).item()


def test_the_stated_share_of_prints_is_between_the_middle_and_the_quote(small):
    market = simulate(
        changed(
            small,
            {
                "option_quotes.update_seconds": 0.001,
                "option_flow.inside_share": 0.4,
                "option_flow.complex_share": 0.0,
            },
        )
    )
    second_began = market.option_trades["ts"].dt.millisecond() == 0
    trades = market.option_trades.with_columns(side=market.prints_truth["side"])
    wide = trades.filter(~second_began & (pl.col("ask") - pl.col("bid") >= 20.0))
    side = wide["side"].to_numpy()
    ahead = side * (wide["price"] - 0.5 * (wide["bid"] + wide["ask"])).to_numpy()
    half = 0.5 * (wide["ask"] - wide["bid"]).to_numpy()
    assert (ahead >= 0.0).all()
    assert (ahead <= half).all()
    assert (ahead < half).mean() == pytest.approx(0.4, abs=0.03)


def test_a_quote_is_never_crossed_and_at_least_a_tick_wide(effect):
    trades = effect.option_trades
    assert trades.select((pl.col("ask") - pl.col("bid").fill_null(0.0) >= 1.0).all()).item()
    assert trades.select((pl.col("bid").is_null() | (pl.col("bid") >= 1.0)).all()).item()
    assert 0 < trades["bid"].null_count() < 0.05 * trades.height


def test_the_quote_rule_is_right_for_most_prints_and_the_tick_rule_for_fewer(calm):
    trades, side = calm.option_trades, calm.prints_truth["side"].to_numpy()
    by_quote = (signs_by_quote(trades) == side).mean()
    by_tick = (signs_by_tick(trades) == side).mean()
    assert 0.80 < by_quote < 0.92
    assert 0.59 < by_tick < 0.75


def test_lagging_quotes_mislead_the_quote_rule_and_fresh_ones_do_not(plain, small):
    lagging = simulate(
        changed(
            small,
            {
                "option_quotes.update_seconds": 60.0,
                "option_flow.inside_share": 0.0,
                "option_flow.complex_share": 0.0,
                "index.volatility": 0.5,
            },
        )
    )
    right = [
        (signs_by_quote(market.option_trades) == market.prints_truth["side"].to_numpy()).mean()
        for market in (plain, lagging)
    ]
    assert right[0] > 0.995
    assert right[1] < 0.90


def test_a_leg_of_a_complex_order_prints_anywhere_within_its_quote(small):
    market = simulate(
        changed(small, {"option_flow.complex_share": 0.3, "option_quotes.update_seconds": 0.001})
    )
    told = signs_by_quote(market.option_trades)
    is_leg = market.option_trades["combo_id"].is_not_null().to_numpy() & (told != 0.0)
    right = told[is_leg] == market.prints_truth["side"].to_numpy()[is_leg]
    assert is_leg.sum() > 2_000
    assert right.mean() == pytest.approx(0.5, abs=0.04)


def test_the_tape_hides_sides_but_the_truth_has_them_all(effect):
    known = effect.option_trades["aggressor"].to_numpy()
    side = effect.prints_truth["side"].to_numpy()
    assert np.isin(side, (-1, 1)).all()
    assert (known[known != 0] == side[known != 0]).all()
    assert effect.prints_truth["trade_id"].equals(effect.option_trades["trade_id"])


def test_the_truth_names_the_prints_of_each_shock(effect):
    truth = effect.prints_truth.drop_nulls("shock_id").with_columns(
        lots=effect.option_trades.filter(effect.prints_truth["shock_id"].is_not_null())["lots"]
    )
    of_shock = truth.group_by("shock_id").agg(
        pl.col("ts").min(),
        pl.col("ts").max().alias("last_print"),
        pl.col("side").unique().first(),
        pl.col("side").n_unique().alias("sides"),
        (pl.col("lots").sum() * 0.1).round(9).alias("option_units"),
    )
    both = effect.truth.join(of_shock, on="shock_id", suffix="_seen")
    assert both.height == effect.truth.height > 50
    for column in ("ts", "last_print", "side"):
        assert both[column].equals(both[f"{column}_seen"].alias(column))
    assert (both["option_units"] - both["option_units_seen"]).abs().max() < 1e-6
    assert both["sides"].eq(1).all()


def test_prints_crowd_at_open_and_close_of_a_u_shaped_day_and_nowhere_on_a_flat_one(small):
    shares = {}
    for shape in ("u", "flat"):
        market = simulate(
            changed(
                small,
                {
                    "day_shape": shape,
                    "option_flow.trades_per_day": 2e4,
                    "shocks.enabled": False,
                },
            )
        )
        hour = market.option_trades["ts"].dt.hour().to_numpy()
        shares[shape] = np.bincount(hour, minlength=24) / hour.size * 24
    assert shares["u"][[0, 23]].min() > 1.6
    assert shares["u"][10:14].max() < 0.6
    assert np.abs(shares["flat"][1:] - 1.0).max() < 0.15


def test_arrivals_cluster_in_a_contract_as_bursts_say(small):
    counts = {}
    for trades in (1.0, 4.0):
        market = simulate(
            changed(
                small,
                {
                    "option_flow.burst_trades": trades,
                    "option_flow.trades_per_day": 2e4,
                    "option_flow.complex_share": 0.0,
                    "shocks.enabled": False,
                },
            )
        )
        gap = market.option_trades.select(
            (pl.col("ts").diff().over("contract").dt.total_seconds() < 60).mean()
        ).item()
        counts[trades] = gap
        assert market.option_trades.height == pytest.approx(60_000, rel=0.03)
    assert counts[4.0] > counts[1.0] + 0.3


def test_sizes_have_the_body_of_the_scenario(calm):
    lots = calm.option_trades["lots"].to_numpy()
    flow = calm.scenario.option_flow
    assert lots.min() == 1
    assert lots.max() <= flow.largest_lots
    assert np.median(lots) == flow.lots_median
    assert (lots >= 40).mean() == pytest.approx(
        flow.tail_share * (flow.tail_lots / 40) ** flow.tail_exponent, rel=0.5
    )


def test_the_tail_of_sizes_has_the_exponent_of_the_scenario(small):
    market = simulate(changed(small, {"option_flow.tail_share": 1.0, "shocks.enabled": False}))
    lots = market.option_trades["lots"].to_numpy()
    beyond = np.array([(lots >= size).mean() for size in (10, 20)])
    assert beyond == pytest.approx([2.0**-2.5, 4.0**-2.5], rel=0.15)
    assert (lots == market.scenario.option_flow.largest_lots).any()


def test_a_half_day_has_as_many_fewer_prints_as_it_is_shorter():
    market = scenario("us-index", first_day=date(2024, 11, 27), days=2)
    whole, half = [day.option_trades.height for day in simulate_days(market)]
    assert whole == pytest.approx(20_000, rel=0.05)
    assert half / whole == pytest.approx(210 / 390, rel=0.06)


def test_the_prints_of_a_burst_are_as_far_apart_as_stated(small):
    gaps = {}
    for seconds in (5.0, 50.0):
        market = simulate(
            changed(
                small,
                {
                    "option_flow.burst_seconds": seconds,
                    "option_flow.burst_trades": 2.0,
                    "option_flow.trades_per_day": 1_000.0,
                    "option_flow.complex_share": 0.0,
                    "shocks.enabled": False,
                },
            )
        )
        gap = market.option_trades.select(
            pl.col("ts").diff().over("contract").dt.total_milliseconds() / 1e3
        ).to_series()
        gaps[seconds] = gap.filter(gap < 300.0).median()
    assert gaps[50.0] / gaps[5.0] == pytest.approx(10.0, rel=0.35)


def test_the_stated_share_of_orders_is_complex(small):
    market = simulate(
        changed(
            small,
            {
                "option_flow.complex_share": 0.2,
                "option_flow.trades_per_day": 20_000.0,
                "shocks.enabled": False,
            },
        )
    )
    is_leg = market.option_trades["combo_id"].is_not_null()
    assert is_leg.mean() == pytest.approx(2 * 0.2 / 1.2, rel=0.03)
    assert market.option_trades.height == pytest.approx(60_000, rel=0.02)
