"""Draws of expiration pressure leave as its trades do, towards the same expiry; evidence.md 2."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from builders.expiry_worlds import (
    EXPIRY,
    FLAT,
    MICRO,
    alerts_of,
    bar_tape,
    conditions,
    config,
    random_world,
    tick_tape,
)
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from hedgeflow.replay import HedgeTape, replay_conditions
from hedgeflow.strategies.settings import Null, StrategyConfig
from hedgeflow.studies.exit_rules import exit_rule
from hedgeflow.studies.matched_entries import (
    direction_null,
    matched_null,
    session_direction_null,
)

NULL = Null(draws_on_bars=200, draws_on_ticks=200)
BUFFERS = {"LOW": 10.0, "HIGH": 8.0, "CRISIS": 3.0}


def settings(**sections):
    return config(null=NULL, **sections)


def traded(frame, tape, rules):
    return replay_conditions(frame, alerts_of(frame), tape, rules).trades


def random_ticks(seed: int) -> HedgeTape:
    """Return quotes at uneven instants that wander around 5,000, with a quarter point's steps."""
    rng = np.random.default_rng(seed)
    seconds = np.cumsum(rng.integers(1, 20, 2_000))
    at_ns = EXPIRY - 130 * 60 * SECOND_NS + seconds * SECOND_NS
    middle = 5_000.0 + 0.25 * np.cumsum(rng.integers(-3, 4, at_ns.size))
    quotes = pl.DataFrame({"ts": at_ns, "bid": middle - 0.125, "ask": middle + 0.125})
    return HedgeTape.from_ticks(None, quotes, MICRO)


@pytest.mark.parametrize("ticks", [False, True])
@pytest.mark.parametrize("direction", ["steer-away", "pin"])
def test_trades_that_are_followed_as_draws_are_earn_what_they_did(ticks, direction):
    """Additions, stops, targets and time limits all among them."""
    rules = settings(direction=direction, plan={"base_contracts": 4.0})
    flags, reasons = set(), set()
    for seed in range(8):
        frame, table = random_world(seed)
        tape = random_ticks(seed) if ticks else HedgeTape.from_bars(table, MICRO, MINUTE_NS)
        trades = traded(frame, tape, rules)
        for null in (matched_null, direction_null, session_direction_null):
            found = null(trades, tape, rules)
            if trades.is_empty():
                assert found is None
                continue
            assert found.observed_mean_net_bps == pytest.approx(
                trades["net_bps"].mean(), rel=1e-9, abs=1e-9
            )
            assert found.observed_win_rate == (trades["net_bps"] > 0).mean()
        flags |= {flag.split(":")[0] for each in trades["flags"] for flag in each.split(",")}
        reasons |= set(trades["exit_reason"])
    assert {"", "EVOLVE_TO_CRISIS_MODE", "ADDED"} <= flags
    assert {"EXIT_TARGET_HIT", "EXIT_STOP_HIT", "EXIT_TIME_LIMIT"} <= reasons


def test_an_exit_by_a_kill_is_taken_as_it_was():
    rules = settings()
    tape = bar_tape()
    trades = traded(conditions({"left": 60}), tape, rules).with_columns(
        exit_reason=pl.lit("EXIT_KILLED"), net_bps=pl.lit(77.0)
    )
    assert direction_null(trades, tape, rules).observed_mean_net_bps == 77.0


def test_a_turned_direction_has_its_target_on_the_other_side_at_the_same_distance():
    """Pinned from 5,005 the target is 5,000; turned, and up, it is 5,010."""
    rules = settings(direction="pin")
    tape = bar_tape({50: (FLAT, 5_011.0, 4_999.0, FLAT)})
    trades = traded(conditions({"left": 60}), tape, rules)
    assert (trades["direction"][0], trades["exit_price"][0]) == (-1, 5_000.0)
    own = trades["entry_ns"].to_numpy()
    entered, left = exit_rule(trades, tape, rules).prices(np.array([0]), own, 1.0)
    assert (entered[0], left[0]) == (FLAT, 5_010.0)


def test_a_draw_ends_at_the_trades_own_last_instant_and_adds_in_the_trades_own_proportion():
    """Up a tenth of a point a minute, barriers out of reach: what is earned can be counted.

    Entered at 59 minutes left the trade evolves with the bar of 14, adds twice its size at 13 and
    leaves at 3; so does every draw before, and a draw at 12 evolves at once and adds at 11.
    """
    prices = {left: 5_005.0 + (60 - left) * 0.1 for left in range(400, -11, -1)}
    rules = settings(plan={"target": False, "stop_low_points": 50.0, "tightened_stop_points": 40.0})
    tape = bar_tape(prices)
    trades = traded(conditions({"left": 60}), tape, rules)
    assert trades["flags"].to_list() == ["EVOLVE_TO_CRISIS_MODE,ADDED:2"]
    rule = exit_rule(trades, tape, rules)
    lefts = np.array([90, 59, 30, 14, 12])
    entered, left = rule.prices(np.zeros(5, np.int64), EXPIRY - lefts * MINUTE_NS, 1.0)
    added = np.array([13, 13, 13, 13, 11])
    assert left == pytest.approx(np.full(5, prices[3]))
    first, more = ([prices[each] for each in column] for column in (lefts, added))
    assert entered == pytest.approx((np.array(first) + 2 * np.array(more)) / 3)


def test_a_trade_that_was_added_nothing_has_draws_that_add_nothing():
    prices = {left: 5_005.0 + (60 - left) * 0.1 for left in range(400, -11, -1)}
    rules = settings(
        plan={"target": False, "stop_low_points": 50.0, "tightened_stop_points": 40.0},
        risk={"contracts": 1.0},
    )
    tape = bar_tape(prices)
    trades = traded(conditions({"left": 60}), tape, rules)
    assert trades["flags"].to_list() == ["EVOLVE_TO_CRISIS_MODE"]
    rule = exit_rule(trades, tape, rules)
    entered, left = rule.prices(np.zeros(1, np.int64), np.array([EXPIRY - 30 * MINUTE_NS]), 1.0)
    assert (entered[0], left[0]) == (prices[30], prices[3])


@pytest.mark.parametrize("ticks", [False, True])
def test_no_draw_is_entered_once_nothing_could_be(ticks):
    """From the instant of its time limit on a LOW trade is not entered, nor on the way to it."""
    rules = settings()
    tape = tick_tape() if ticks else bar_tape()
    trades = traded(conditions({"left": 46}), tape, rules)
    [closed] = exit_rule(trades, tape, rules).closed_from_ns().tolist()
    limit = int(trades["entry_ns"][0]) + round(trades["limit_minutes"][0] * MINUTE_NS)
    assert closed == limit - (SECOND_NS if ticks else 0)
    crisis = traded(conditions({"left": 8, "target_distance": 9.0}), tape, rules)
    [closed] = exit_rule(crisis, tape, rules).closed_from_ns().tolist()
    # entered a bar or ten seconds after the decision, it may be held as much longer; but the last
    # two minutes, and what ends a position before them, are closed to all
    limit = int(crisis["entry_ns"][0]) + round(crisis["limit_minutes"][0] * MINUTE_NS)
    two = EXPIRY - 2 * MINUTE_NS + 1 - (SECOND_NS if ticks else MINUTE_NS)
    assert closed == min(limit, two) - (SECOND_NS if ticks else 0)


def test_no_draw_is_entered_while_the_settlement_price_is_averaged():
    """Deribit's options on BTC end at 08:00 UTC on the average of the 30 minutes before."""
    expiry = 20_188 * DAY_NS + 8 * HOUR_NS
    rules = settings()
    row = {
        "detected_ns": expiry - 60 * MINUTE_NS,
        "entry_ns": expiry - 59 * MINUTE_NS,
        "limit_minutes": 50.0,
        "urgency": "LOW",
    }
    trades = pl.DataFrame([row | {"underlying": name} for name in ("BTC", "SPX")])
    closed = exit_rule(trades, bar_tape(), rules).closed_from_ns().tolist()
    assert closed == [expiry - 30 * MINUTE_NS, expiry - 9 * MINUTE_NS]
    allowed = exit_rule(trades, bar_tape(), settings(plan={"trade_in_fixing": True}))
    assert allowed.closed_from_ns().tolist() == [expiry - 9 * MINUTE_NS] * 2


def slow_net(row, table, place: int, side: int, rules) -> float:
    """Return what one trade earns from another bar on, bar by bar and from the rules alone."""
    plan = rules.plan
    at, opened, high, low, close = (
        table[name].to_numpy() for name in ("ts", "open", "high", "low", "close")
    )
    state = row["urgency"]
    expiry = EXPIRY
    entered = opened[place]
    target = entered + side * row["target_distance"]
    stop = entered - side * row["stop_distance"]
    deadline = row["entry_ns"] + round(row["limit_minutes"] * MINUTE_NS)
    crossed = None
    previous = at[place]
    for i in range(place, at.size):
        left = (expiry - at[i]) / MINUTE_NS
        gone = at[i] - previous > 3 * MINUTE_NS or left - 1 < plan.danger_minutes
        end = at[i]
        if gone:
            price = opened[i]
            break
        rises = left < 15 and state != "CRISIS"
        if side * (opened[i] - stop) <= 0 or side * (opened[i] - target) >= 0:
            price = opened[i]
            break
        if rises:
            state, crossed = "CRISIS", i
            deadline = expiry - round(BUFFERS["CRISIS"] * MINUTE_NS)
            tight = opened[i] - side * plan.tightened_stop_points
            stop = max(stop, tight) if side > 0 else min(stop, tight)
        elif left < 45 and state == "LOW":
            state, deadline = "HIGH", expiry - round(BUFFERS["HIGH"] * MINUTE_NS)
        if at[i] >= deadline:
            price = opened[i]
            break
        previous, end = at[i], at[i] + MINUTE_NS
        if low[i] <= stop if side > 0 else high[i] >= stop:
            price = stop
            break
        if high[i] >= target if side > 0 else low[i] <= target:
            price = target
            break
    else:
        price = close[-1]
    added = sum(float(f.split(":")[1]) for f in row["flags"].split(",") if f.startswith("ADDED"))
    cost = added / row["size_contracts"]
    if crossed is not None and added:
        later = np.flatnonzero(at >= at[crossed] + SECOND_NS)
        if later.size and at[later[0]] < end and expiry - at[later[0]] >= 3 * MINUTE_NS:
            entered += cost * (opened[later[0]] - entered)
    costs = row["fees_usd"] + row["spread_usd"] + row["slippage_usd"]
    paid = costs / (row["units"] * row["entry_price"])
    return (side * (price / entered - 1.0) - paid) * 1e4


@pytest.mark.parametrize("seed", range(4))
def test_every_draw_is_what_its_trades_earn_bar_by_bar(seed):
    """Entries around the trade's own, both ways, against a walk written from the rules."""
    rules = settings(plan={"base_contracts": 4.0})
    frame, table = random_world(seed)
    tape = HedgeTape.from_bars(table, MICRO, MINUTE_NS)
    trades = traded(frame, tape, rules)
    rule = exit_rule(trades, tape, rules)
    closed = rule.closed_from_ns()
    starts = tape.bars.start_ns
    checked = 0
    for number, row in enumerate(trades.iter_rows(named=True)):
        open_to = (starts >= row["entry_ns"] - 60 * MINUTE_NS) & (starts < closed[number])
        places = np.flatnonzero(open_to)
        of = np.full(places.size, number)
        for side in (-1, 1):
            entered, left = rule.prices(of, starts[places], float(side))
            paid = row["fees_usd"] + row["spread_usd"] + row["slippage_usd"]
            net = side * (left / entered - 1.0) - paid / (row["units"] * row["entry_price"])
            slow = [slow_net(row, table, int(place), side, rules) for place in places]
            assert (net * 1e4).tolist() == pytest.approx(slow, abs=1e-6)
            checked += places.size
    assert checked > 50


def test_a_strategy_without_a_known_way_out_has_no_null():
    class Other(StrategyConfig):
        STRATEGY = "other"

        @classmethod
        def source(cls):
            return cls()

    with pytest.raises(ConfigError, match="how 'other' leaves its positions"):
        exit_rule(pl.DataFrame(), bar_tape(), Other())
