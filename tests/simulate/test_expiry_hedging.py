"""Dealers' hedges in an expiry's last hours: what they trade, and what that does to closes."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import stats

from hedgeflow import pricing
from hedgeflow.market.time import MINUTE_NS, SECOND_NS, YEAR_NS
from hedgeflow.simulate import changed, scenario, simulate_days
from hedgeflow.simulate.expiry_hedging import expiry_hedge
from hedgeflow.simulate.hours import sessions_of
from hedgeflow.simulate.impact import ImpactState, Moves
from hedgeflow.simulate.listing import Book
from hedgeflow.simulate.markets import joined
from hedgeflow.simulate.open_interest import Positions
from hedgeflow.simulate.paths import first_state, index_path
from hedgeflow.simulate.prints import Orders
from hedgeflow.simulate.smiles import implied_volatility

STEP = 100.0
SETTINGS = {
    "chain.daily_expiries": 1,
    "chain.weekly_expiries": 0,
    "chain.daily_strike_step": STEP,
    "expiry.build_sessions": 1,
    "expiry.look_seconds": 60.0,
    "index.volatility": 0.4,
    "index.overnight_share": 0.95,
    "option_flow.trades_per_day": 20.0,
    "option_flow.tail_lots": 400.0,
    "future.trades_per_day": 100.0,
    "future.imbalance_units": 200_000.0,
    "future.quote_interval_seconds": 3_600.0,
}
"""An expiry on every session, few and large prints, sessions as calm as the preset's, and between
them nights that take the index so far that a close tells nothing of the next one's strike."""

DAYS = 90
WORLDS = {
    "long": {"expiry.dealers": "long"},
    "short": {"expiry.dealers": "short"},
    "none": {"expiry.dealers": "none"},
    "unhedged": {"dealers.hedging": "none"},
    "coin": {"dealers.hedging": "coin"},
}


@cache
def world(name):
    """Return a world's whole market."""
    days = list(
        simulate_days(scenario("expiry-friday", SETTINGS | WORLDS[name], days=DAYS, seed=3))
    )
    return joined(days)


def expiries(name):
    return world(name).expiries_truth


def distance(price):
    """Distance to the nearest strike as a share of half the spacing: uniform without an effect."""
    return np.abs((price.to_numpy() + STEP / 2) % STEP - STEP / 2) / (STEP / 2)


def last_hours(name, until="index_at_end"):
    """Return the log moves of the last hours, basis points."""
    rows = expiries(name)
    return 1e4 * np.log(rows[until].to_numpy() / rows["index_at_start"].to_numpy())


def test_long_dealers_pin_closes_to_strikes():
    close = distance(expiries("long")["index_at_end"])
    assert close.mean() < 0.43
    assert stats.kstest(close, "uniform", alternative="greater").pvalue < 1e-3


def test_short_dealers_repel_closes_from_strikes():
    close = distance(expiries("short")["index_at_end"])
    assert close.mean() > 0.58
    assert stats.kstest(close, "uniform", alternative="less").pvalue < 1e-3


@pytest.mark.parametrize("name", ["none", "unhedged"])
def test_where_hedges_move_nothing_closes_do_not_know_the_strikes(name):
    rows = expiries(name)
    assert rows["moved_bps"].abs().max() == 0.0
    assert rows["index_at_end"].equals(rows["index_unmoved"])
    assert rows["hedge_gross"].min() > 0.0
    assert stats.kstest(distance(rows["index_at_end"]), "uniform").pvalue > 0.01


def test_without_their_hedges_the_same_closes_would_not_know_the_strikes():
    for name in ("long", "short"):
        assert stats.kstest(distance(expiries(name)["index_unmoved"]), "uniform").pvalue > 0.01


def test_the_nulls_have_the_open_interest_and_the_flow_of_one_another():
    """The same first days, until the index of one has moved."""
    first = world("none").option_trades.filter(pl.col("ts").dt.date() <= pl.date(2023, 1, 5))
    other = world("unhedged").option_trades.filter(pl.col("ts").dt.date() <= pl.date(2023, 1, 5))
    assert first.height > 20
    assert first.equals(other)
    assert world("none").option_trades.equals(world("unhedged").option_trades)
    assert world("none").open_interest.equals(world("unhedged").open_interest)
    columns = ["ts", "size"]
    assert world("none").hedge_trades[columns].equals(world("unhedged").hedge_trades[columns])


def test_hedges_follow_who_holds_the_options_and_the_coin_turns_half_of_them_round():
    """What the last hours traded, against what the index would have done without it."""
    slopes = {}
    for name in ("long", "short"):
        slopes[name] = np.corrcoef(
            expiries(name)["hedge_net"].to_numpy(), last_hours(name, "index_unmoved")
        )[0, 1]
    assert slopes["long"] < -0.3
    assert slopes["short"] > 0.3
    turned = expiries("coin")["reversed"]
    assert 0.35 * DAYS < turned.sum() < 0.65 * DAYS
    assert not expiries("long")["reversed"].any()


def test_trades_of_the_tape_are_those_of_the_truth_and_move_the_index_by_it():
    market = world("short")
    trades = market.hedge_trades.with_columns(origin=market.hedge_truth["origin"])
    mine = trades.filter(pl.col("origin") == "expiry").with_columns(day=pl.col("ts").dt.date())
    by_day = mine.group_by("day", maintain_order=True).agg(
        gross=pl.col("size").sum(), net=(pl.col("size") * pl.col("aggressor")).sum()
    )
    rows = expiries("short")
    assert by_day["gross"].to_list() == pytest.approx(rows["hedge_gross"].to_list())
    assert by_day["net"].to_list() == pytest.approx(rows["hedge_net"].to_list())
    per_unit = market.scenario.expiry.impact_bps / market.scenario.dealers.reference_units
    # what trades in the last second moves the next session's first
    np.testing.assert_allclose(rows["moved_bps"], rows["hedge_net"] * per_unit, atol=4.0)
    end = 1e4 * np.log(rows["index_at_end"] / rows["index_unmoved"])
    np.testing.assert_allclose(rows["moved_bps"], end, atol=1e-6)
    assert (mine["ts"] >= mine["day"].cast(pl.Datetime("ns", "UTC"))).all()


PLAIN = {
    "smile.skew": 0.0,
    "smile.curvature": 0.0,
    "smile.short_end_premium": 0.0,
    "index.volatility_of_volatility": 0.0,
    "option_flow.unsigned_share": 0.0,
    "future.quote_interval_seconds": 1.0,
    "future.half_spread_bps": 0.0,
}
"""Implied volatility is the index's own, so that deltas need no simulator; a quote a second."""


@pytest.mark.parametrize("over_implied", [1.0, 3.0])
def test_each_morning_dealers_hold_customers_delta_and_have_traded_back_what_expired(over_implied):
    """From tapes alone: what was bought since the start, options and future, prints and quotes."""
    changes = {
        "expiry.dealers": "long",
        "expiry.hedging_volatility": over_implied,
        "chain.daily_expiries": 2,
        "expiry.build_sessions": 2,
        "index.volatility": 0.10,
        "index.overnight_share": 0.2,
    }
    market = joined(
        list(simulate_days(scenario("expiry-friday", SETTINGS | PLAIN | changes, days=12)))
    )
    trades = market.hedge_trades.filter(market.hedge_truth["origin"] != "ordinary")
    signed = (trades["size"] * trades["aggressor"]).to_numpy()
    bought = np.concatenate(([0.0], np.cumsum(signed)))
    at = trades["ts"].dt.epoch("ns").to_numpy()
    quotes = market.hedge_quotes.with_columns(at=pl.col("ts").dt.epoch("ns"))
    prints = market.option_trades.join(market.contracts, on="contract")
    hedged = []
    for start, end in market.coverage.intervals[1:]:
        price = quotes.filter(pl.col("at") >= start).select((pl.col("bid") + pl.col("ask")) / 2)
        held = (
            prints.filter(
                pl.col("ts").dt.epoch("ns") < start, pl.col("expiry").dt.epoch("ns") == end
            )
            .group_by("right", "strike")
            .agg(lots=(pl.col("lots") * pl.col("aggressor")).sum())
        )
        share_of_year = 0.8 * (end - start) / (390 * MINUTE_NS) / 252
        deviation = over_implied * market.scenario.index.volatility * share_of_year**0.5
        right = np.where(held["right"] == "C", 1, -1)
        delta = pricing.delta(right, price.item(0, 0), held["strike"], 1.0, deviation)
        wanted = float((delta * held["lots"] * 100.0).sum())
        after_the_first_look = bought[np.searchsorted(at, start + 5 * MINUTE_NS)]
        hedged.append((wanted, after_the_first_look))
    wanted, found = np.array(hedged).T
    assert np.abs(wanted).min() > 2 * market.scenario.dealers.band_units
    # the band, and what a tick of the quote makes of so many options
    assert np.abs(wanted - found).max() <= market.scenario.dealers.band_units + 500.0


def one_strike(changes=None, seed=7):
    """A day's path, and customers who hold calls at the strike next to where it starts."""
    drawn = scenario("expiry-friday", SETTINGS | (changes or {}), seed=seed)
    session = sessions_of(drawn)[0]
    path, _ = index_path(drawn, session, first_state(drawn))
    book = Book(
        number=np.arange(2),
        strike=np.array([5_000.0, 5_000.0]),
        right=np.array([1, -1]),
        expiry_ns=np.array([session.end_ns, session.end_ns]),
        listed_ns=np.array([session.start_ns, session.start_ns]),
        symbol=pl.Series(["C", "P"]),
    )
    held = np.array([9_000, 3_000])
    return drawn, path, Positions(book, held, np.abs(held))


def no_orders():
    none = np.empty(0, dtype=np.int64)
    return Orders.simple(none, none, none, none)


def printed_at(path, minutes_left, lots):
    stamp = np.array([path.session.end_ns - int(minutes_left * MINUTE_NS)])
    return Orders.simple(stamp, np.array([0]), np.array([lots]), np.array([1]))


def test_each_look_sees_the_index_that_the_trades_before_it_have_moved():
    """The target from the path as it is in the end, by Black's formula, look by look."""
    drawn, path, before = one_strike()
    hedge = expiry_hedge(drawn, path, before, no_orders())
    moves = Moves(drawn, path.session, ImpactState.at_rest())
    moves.add_flow(hedge.trades, hedge.log_move_per_unit)
    moved = moves.moved(path)
    assert np.abs(np.log(moved.price / path.price)).max() > 5e-4
    book = before.book
    reckoned = []
    for look in hedge.looks[:-1]:
        stamps = np.full(2, look)
        vol = implied_volatility(drawn, moved, book.strike, book.expiry_ns, stamps)
        price = moved.price[moved.second(stamps)[0]]
        years = (book.expiry_ns - look) / YEAR_NS
        vol = vol * drawn.expiry.hedging_volatility
        delta = pricing.delta(book.right, price, book.strike, years, vol)
        reckoned.append(float((delta * before.net).sum()) * drawn.chain.multiplier)
    np.testing.assert_allclose(np.array(reckoned) - reckoned[0], hedge.target[:-1], rtol=1e-9)


@pytest.mark.parametrize(("side", "least", "most"), [(-1, 0.0, 0.6), (1, 1.5, 9.0)])
def test_at_a_strike_long_dealers_calm_the_last_hours_and_short_ones_stir_them(side, least, most):
    """The spread of closes from a start at the strike, over what it would be without hedges."""
    spreads = []
    for seed in range(40):
        drawn, path, before = one_strike({"expiry.hedging_volatility": 1.0}, seed)
        start = path.second(np.array([path.session.end_ns - 120 * MINUTE_NS]))[0]
        path = replace(path, price=path.price * (5_000.0 / path.price[start]))
        hedge = expiry_hedge(drawn, path, replace(before, net=side * before.net), no_orders())
        alone = np.log(path.price[-1] / 5_000.0)
        moved = (hedge.trades.size * hedge.trades.sign).sum() * hedge.log_move_per_unit
        spreads.append((alone, alone + moved))
    alone, together = np.std(spreads, axis=0)
    assert least < together / alone < most


def test_half_of_what_is_missing_is_done_in_a_half_life_and_no_more_than_all_is_traded():
    drawn, path, before = one_strike({"expiry.half_life_minutes": 1.0, "impact.enabled": False})
    hedge = expiry_hedge(drawn, path, before, no_orders())
    missing = hedge.target - np.concatenate(([0.0], hedge.held[:-1]))
    done = np.diff(hedge.held, prepend=0.0)
    np.testing.assert_allclose(done, 0.5 * missing, atol=25.0)
    assert hedge.trades.size.sum() == pytest.approx(np.abs(done).sum())
    assert (hedge.trades.size * hedge.trades.sign).sum() == pytest.approx(hedge.held[-1])


def test_a_look_knows_neither_later_prices_nor_later_prints():
    drawn, path, before = one_strike()
    hedge = expiry_hedge(drawn, path, before, no_orders())
    at = path.session.end_ns - 30 * MINUTE_NS
    jumped = path.price.copy()
    jumped[path.second(np.array([at]))[0] + 1 :] *= 1.01
    other = expiry_hedge(drawn, replace(path, price=jumped), before, no_orders())
    late = expiry_hedge(drawn, path, before, printed_at(path, 30.0, 5_000))
    early = hedge.looks <= at
    for changed_hedge in (other, late):
        assert changed_hedge.held[early].tolist() == hedge.held[early].tolist()
        assert changed_hedge.held[~early][0] != hedge.held[~early][0]


def test_prints_of_the_last_hours_are_hedged_with_the_rest():
    drawn, path, before = one_strike({"impact.enabled": False})
    without = expiry_hedge(drawn, path, before, no_orders())
    with_print = expiry_hedge(drawn, path, before, printed_at(path, 60.0, 1_000))
    more = with_print.target - without.target
    after = without.looks > path.session.end_ns - 60 * MINUTE_NS
    assert (more[~after] == 0.0).all()
    assert (more[after] > 0.0).all()
    assert (more[after] <= 1_000 * drawn.chain.multiplier).all()


def test_the_last_hours_begin_at_a_look_at_the_book_no_later_than_the_window_says():
    for minutes, left in ((120.0, 120.0), (118.0, 120.0), (31.0, 35.0)):
        drawn, path, before = one_strike({"expiry.window_minutes": minutes})
        hedge = expiry_hedge(drawn, path, before, no_orders())
        assert hedge.looks[0] == path.session.end_ns - left * MINUTE_NS
        assert (np.diff(hedge.looks) == 60 * SECOND_NS).all()
        assert hedge.trades.stamp[0] > hedge.looks[0]
        assert hedge.trades.stamp[-1] < path.session.end_ns


def test_an_early_close_ends_the_last_hours():
    """2023-11-24 closed at 13:00 in New York; its options, a Friday's, expire then."""
    early = changed(
        scenario("expiry-friday", days=5, first_day=date(2023, 11, 20)),
        {"future.quote_interval_seconds": 3_600.0, "future.trades_per_day": 100.0},
    )
    market = joined(list(simulate_days(early)))
    [end] = market.expiries_truth["ts"].to_list()
    assert end.isoformat() == "2023-11-24T18:00:00+00:00"
    mine = market.hedge_trades.filter(market.hedge_truth["origin"] == "expiry")["ts"]
    assert mine.min() >= end - timedelta(minutes=120)
    assert mine.max() < end


def test_a_market_without_an_expiry_in_it_has_no_last_hours():
    few = changed(scenario("expiry-friday", days=2), {"future.quote_interval_seconds": 3_600.0})
    market = joined(list(simulate_days(few)))
    assert market.expiries_truth.is_empty()
    assert market.expiry_strikes_truth.is_empty()
    assert "expiry" not in market.hedge_truth["origin"].unique()
