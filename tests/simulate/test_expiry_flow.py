"""What customers trade before an expiry: where, on which side, and what tapes tell of it."""

from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.simulate import scenario, simulate
from hedgeflow.simulate.expiry_flow import strike_traits

FEW = {"future.trades_per_day": 100.0, "future.quote_interval_seconds": 3_600.0,
       "future.imbalance_units": 200_000.0, "option_flow.trades_per_day": 100.0}  # fmt: skip


@cache
def market(**changes):
    changes = {key.replace("__", "."): value for key, value in changes.items()}
    return simulate(scenario("expiry-friday", FEW | changes, days=19))


def flow(found):
    """Return lots by expiry, strike and right, bought less sold and in all, as the tape knows."""
    signed = (pl.col("lots") * pl.col("aggressor")).sum()
    return (
        found.option_trades.join(found.contracts, on="contract")
        .group_by("expiry", "strike", "right")
        .agg(net=signed, volume=pl.col("lots").sum())
    )


def heavy(found):
    """Return the strikes of the truth with much open interest, with what the tape told of each."""
    both = flow(found).group_by("expiry", "strike").agg(pl.col("net", "volume").sum())
    strikes = found.expiry_strikes_truth.filter(pl.col("open_interest") > 1_000)
    return strikes.join(both, left_on=["ts", "strike"], right_on=["expiry", "strike"])


def test_customers_signed_volume_tells_who_holds_the_options():
    rows = heavy(market())
    assert rows.height > 12
    assert rows["dealers"].n_unique() == 2
    assert (rows["net"].sign() == -rows["dealers"]).all()
    assert (rows["dealer_gamma"].sign() == rows["dealers"]).all()
    lean = (rows["net"].abs() / rows["volume"]).mean()
    assert lean == pytest.approx(market().scenario.expiry.lean, abs=0.15)


@pytest.mark.parametrize(("dealers", "side"), [("long", 1), ("short", -1)])
def test_dealers_are_long_or_short_of_every_strike_where_the_scenario_says_so(dealers, side):
    rows = heavy(market(expiry__dealers=dealers))
    assert (rows["dealers"] == side).all()
    assert (rows["dealer_gamma"].sign() == side).all()
    assert ((rows["customer_calls"] + rows["customer_puts"]).sign() == -side).all()


@pytest.mark.parametrize(
    ("convention", "right"), [("calls-long", 1.0), ("calls-short", 0.0), ("none", None)]
)
def test_calls_less_puts_tell_the_side_only_where_the_convention_holds(convention, right):
    found = market(expiry__convention=convention)
    volume = flow(found).pivot("right", index=["expiry", "strike"], values="volume")
    rows = heavy(found).join(volume, left_on=["ts", "strike"], right_on=["expiry", "strike"])
    agrees = ((rows["C"] - rows["P"]).sign() == rows["dealers"]).mean()
    if right is None:
        assert 0.2 < agrees < 0.8
    else:
        assert agrees == right


@pytest.mark.parametrize(("convention", "calls"), [("calls-long", -1), ("calls-short", 1)])
def test_under_a_convention_customers_sell_one_right_and_buy_the_other(convention, calls):
    totals = dict(
        flow(market(expiry__convention=convention))
        .group_by("right")
        .agg(pl.col("net").sum())
        .rows()
    )
    assert np.sign(totals["C"]) == calls
    assert np.sign(totals["P"]) == -calls


def test_official_open_interest_is_what_was_opened_before_and_the_truth_at_expiry():
    """The tape of each morning against the truth of the evening before, contract by contract."""
    found = market()
    morning = found.open_interest.with_columns(day=pl.col("ts").dt.date())
    evening = found.positions_truth.with_columns(day=pl.col("ts").dt.date())
    days = evening["day"].unique().sort().to_list()
    for before, after in pairwise(days):
        told = morning.filter(pl.col("day") == after).select("contract", "open_interest")
        left = evening.filter(pl.col("day") == before).select("contract", true="open_interest")
        joined = told.join(left, on="contract", how="left")
        assert joined["open_interest"].equals(joined["true"], check_names=False)
    settled = evening.join(found.contracts, on="contract").filter(pl.col("settled") > 0.0)
    by_strike = settled.group_by("ts", "strike").agg(open_interest=pl.col("settled").sum())
    truth = found.expiry_strikes_truth.filter(pl.col("open_interest") > 0.0)
    compared = truth.join(by_strike, on=["ts", "strike"])
    assert compared.height == truth.height > 12
    assert compared["open_interest"].equals(compared["open_interest_right"], check_names=False)


def test_customers_net_in_the_truth_is_the_sum_of_true_sides_and_never_above_open_interest():
    found = market()
    prints = found.option_trades.join(
        found.prints_truth.select("trade_id", "side"), on="trade_id"
    ).join(found.contracts, on="contract")
    net = prints.group_by("expiry", "strike").agg(net=(pl.col("lots") * pl.col("side")).sum())
    rows = found.expiry_strikes_truth.join(
        net, left_on=["ts", "strike"], right_on=["expiry", "strike"]
    )
    held = rows["customer_calls"] + rows["customer_puts"]
    assert held.to_list() == pytest.approx(rows["net"].to_list())
    assert (held.abs() <= rows["open_interest"]).all()


def test_round_strikes_near_the_index_are_heavier_by_the_weight_and_farther_ones_decay():
    found = market(expiry__round_every=2, expiry__round_weight=10.0, expiry__decay_strikes=2.0)
    rows = found.expiry_strikes_truth.join(
        found.expiries_truth.select("ts", "index_at_start"), on="ts"
    ).with_columns(
        away=(pl.col("strike") - pl.col("index_at_start")).abs(), round=pl.col("strike") % 200 == 0
    )
    near = rows.filter(pl.col("away") < 150)
    by_kind = dict(near.group_by("round").agg(pl.col("open_interest").mean()).rows())
    assert 5.0 < by_kind[True] / by_kind[False] < 20.0
    far = rows.filter(pl.col("away") > 300, pl.col("round"))["open_interest"].mean()
    assert far < 0.6 * by_kind[True]


def test_on_the_day_of_expiry_customers_are_done_before_the_last_hours():
    found = market(option_flow__trades_per_day=1e-9)
    prints = found.option_trades.join(found.contracts, on="contract")
    left = prints["expiry"].dt.epoch("ns") - prints["ts"].dt.epoch("ns")
    assert prints.height > 200
    assert left.min() > 120 * MINUTE_NS
    days = prints.group_by("expiry").agg(pl.col("ts").dt.date().n_unique())
    assert days["ts"].max() == found.scenario.expiry.build_sessions


def test_the_traits_of_a_strike_do_not_depend_on_the_other_strikes_of_its_expiry():
    drawn = scenario("expiry-friday")
    every = strike_traits(drawn, np.arange(4_000.0, 6_000.0, 25.0), 1_700_000_000_000_000_000)
    one = strike_traits(drawn, np.array([5_000.0]), 1_700_000_000_000_000_000)
    assert one.dealers[0] == every.dealers[40]
    assert one.weight[0] == every.weight[40]
    assert 0.3 < (every.dealers == 1).mean() < 0.7
    other = strike_traits(drawn, np.arange(4_000.0, 6_000.0, 25.0), 1_700_600_000_000_000_000)
    assert 0.2 < (other.dealers == every.dealers).mean() < 0.8
