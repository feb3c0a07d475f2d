"""What check-config says of an expiration-pressure configuration, against a map made otherwise."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.pressure import pressure
from hedgeflow.signals.settlement_probability import source_probability
from hedgeflow.signals.settlement_rules import Urgency
from hedgeflow.strategies.expiration_pressure import load_config
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.feasibility import MOST_COINS, explain_config
from hedgeflow.strategies.expiration_pressure.plan_feasibility import refused_distances

ES = hedge_instrument("ESH25", "cme")
AAPL = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)
BTC = hedge_instrument("BTC-PERP", "binance")
SOURCE = ExpirationPressureConfig.source()
NORMALIZED = ExpirationPressureConfig()


def findings(config, key, **known):
    return [found for found in explain_config(config, **known) if found.key == key]


def only(config, key, **known):
    [found] = findings(config, key, **known)
    return found


def with_settings(preset, *settings):
    return load_config(preset, settings=settings)


# --- which urgencies can trade --------------------------------------------------------------------


def source_size(open_interest, minutes, distance=0.0):
    """Return what the source's own code makes of a strike: contracts, 0 without an alert."""
    probability = max(
        *((0.8, 1 - distance / 10) if minutes < 15 else
          (0.5, 1 - distance / 20) if minutes < 45 else (0.2, 1 - distance / 30))
    )  # fmt: skip
    found = open_interest * probability / minutes**2
    if not (found > 10 and open_interest > 1_000):
        return 0.0
    multiplier = 3.0 if minutes < 15 else 2.0 if minutes < 45 else 1.0
    return 1.5 * multiplier * min(0.95, found / 1_000)


def least_open_interest(minutes, lot):
    """Return by bisection the open interest from which a strike trades a lot."""
    low, high = 0.0, 1e9
    if source_size(high, minutes) < lot:
        return math.inf
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if source_size(middle, minutes) >= lot else (middle, high)
    return high


def the_map(lot):
    """Return the least open interest to trade a lot in each urgency, over all its minutes."""
    minutes = np.arange(3.0, 180.0, 0.5)
    urgencies = {"LOW": minutes >= 45, "HIGH": (minutes >= 15) & (minutes < 45),
                 "CRISIS": minutes < 15}  # fmt: skip
    return {
        name: min(least_open_interest(each, lot) for each in minutes[which])
        for name, which in urgencies.items()
    }


@pytest.mark.parametrize(
    ("hedge", "lot", "never"), [(None, 1.0, {"LOW"}), (ES, 1.0, {"LOW"}), (AAPL, 0.01, set())]
)
def test_the_infeasibility_map_is_that_of_the_sources_own_arithmetic(hedge, lot, never):
    needed = the_map(lot)
    assert {name for name, least in needed.items() if least > 267_806} == never
    for urgency in Urgency:
        found = only(SOURCE, f"plan.{urgency.name.lower()}_multiplier", hedge=hedge)
        assert (found.level == "conflict") == (urgency.name in never)
        if lot == 1.0:
            assert f"one lot needs {needed[urgency.name]:,.0f}" in found.sentence
        else:
            assert found.level == "info"
            assert "whatever alerts is at least a lot" in found.sentence


def test_low_needs_20250_contracts_at_45_minutes_and_still_rounds_to_zero():
    sentence = only(SOURCE, "plan.low_multiplier").sentence
    figures = (
        "over 20,250 contracts", "40,500 if it is 0.5", "36,000 with 60 min",
        "144,000 with 120 min", "confidence is then 0.01", "size 0.015 contracts",
        "rounds down to zero", "one lot needs 1,350,000", "LOW can never trade",
    )  # fmt: skip
    assert [figure for figure in figures if figure not in sentence] == []
    assert source_size(20_250, 45) == 0.0
    assert source_size(20_251, 45) == pytest.approx(0.015, rel=1e-3)
    assert source_size(40_501, 45, distance=15) == pytest.approx(0.015, rel=1e-3)
    assert source_size(36_001, 60) > 0.0 == source_size(36_000, 60)
    assert source_size(144_001, 120) > 0.0 == source_size(144_000, 120)


def test_apples_friday_had_267806_contracts_open_and_200794_were_its_volume():
    sentence = only(SOURCE, "plan.low_multiplier").sentence
    assert "more than the 267,806 of all strikes together in AAPL's expiry" in sentence
    assert "200,794" not in sentence


def test_in_coins_the_floor_of_open_interest_is_more_than_any_strike_ever_had():
    """Contracts are of 100: 1,000 are 100,000 BTC, and 12,521 were the most at a strike."""
    for config in (SOURCE, NORMALIZED):
        found = only(config, "pressure.oi_above", hedge=BTC)
        assert found.level == "conflict"
        assert "1,000 contracts of 100 BTC at one strike, which is 100,000 BTC" in found.sentence
        assert "was 12,521: nothing could alert there" in found.sentence
    lowered = only(with_settings("source", "pressure.oi_above=10"), "pressure.oi_above", hedge=BTC)
    assert (lowered.level, "which is 1,000 BTC" in lowered.sentence) == ("info", True)
    assert findings(SOURCE, "pressure.oi_above", hedge=ES) == []
    low = only(SOURCE, "plan.low_multiplier", hedge=BTC).sentence
    assert "over 20,250 contracts of 100 BTC (2,025,000 BTC) at the strike" in low


def test_the_most_coins_at_a_strike_are_those_of_the_recorded_chains(market_data):
    strikes = (
        pl.scan_parquet(sorted((market_data / "deribit-chain").glob("chain_*.parquet")))
        .group_by("currency", "ts", "expiry", "strike")
        .agg(pl.col("open_interest").sum())
        .group_by("currency")
        .agg(pl.col("open_interest").max().round())
        .collect()
    )
    assert {name: most for name, most in strikes.rows() if name in MOST_COINS} == MOST_COINS


def test_what_is_opened_or_added_while_settlement_prices_are_averaged_is_said():
    found = only(NORMALIZED, "plan.trade_in_fixing")
    assert found.level == "info"
    assert "on deribit (30 min) and nse (30 min): CRISIS can never trade there" in found.sentence
    assert "nor does the evolution add anything" in found.sentence
    assert only(SOURCE, "plan.trade_in_fixing").level == "warning"
    coin = only(NORMALIZED, "plan.trade_in_fixing", hedge=BTC).sentence
    assert "on deribit (30 min): CRISIS" in coin
    for hedge in (AAPL, ES):
        assert findings(SOURCE, "plan.trade_in_fixing", hedge=hedge) == []


def test_the_map_and_the_scans_functions_agree_on_pressure():
    assert pressure(20_250 * source_probability(0.0, 45.0), 45.0) == 10.0
    assert pressure(40_500 * source_probability(15.0, 45.0), 45.0) == 10.0


def test_high_and_crisis_say_what_a_lot_needs_at_their_ends():
    high, crisis = (only(SOURCE, f"plan.{each}_multiplier").sentence for each in ("high", "crisis"))
    assert "one lot needs 75,000, and 675,000 when it begins with 45 min" in high
    assert "one lot needs 2,000, and 50,000 when it begins with 15 min" in crisis
    assert "over 1,000 contracts" in crisis
    assert "confidence is then 0.111 and the size 0.5 contracts" in crisis
    assert source_size(1_001, 3) == pytest.approx(0.5, rel=0.01)


def test_an_urgency_whose_size_never_reaches_a_lot_is_a_conflict_and_one_of_zero_is_observed():
    small = with_settings("normalized", "plan.low_multiplier=0.5")
    found = only(small, "plan.low_multiplier", hedge=ES)
    assert (found.level, "at most 0.712 contracts" in found.sentence) == ("conflict", True)
    none = with_settings("normalized", "plan.low_multiplier=0.0")
    assert only(none, "plan.low_multiplier").level == "info"


def test_under_normalized_every_urgency_can_trade_a_future():
    for urgency in Urgency:
        assert findings(NORMALIZED, f"plan.{urgency.name.lower()}_multiplier", hedge=ES) == []


def test_a_rank_above_the_095_quantile_is_always_at_the_cap():
    assert "always at its cap of 0.95" in only(NORMALIZED, "pressure.confidence").sentence
    lower = with_settings("normalized", "pressure.threshold_quantile=0.8")
    assert findings(lower, "pressure.confidence") == []


def test_ten_earlier_expiries_are_needed():
    assert "10 earlier expiries" in only(NORMALIZED, "pressure.quantile_expiries").sentence
    assert findings(SOURCE, "pressure.quantile_expiries") == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("filter.oi", "500 never binds: an alert needs more than 1,000"),
        ("filter.pressure", "10 never binds: an alert needs more than 10"),
        ("classes.pin_oi_above", "above 2,000 never binds: a LOW alert needs over 20,250"),
        ("pressure.probability", "0.83, 0.75, 0.80"),
    ],
)
def test_lines_that_never_bind_are_warned_of(key, words):
    found = only(SOURCE, key)
    assert (found.level, words in found.sentence) == ("warning", True)


def test_lowered_thresholds_make_the_filter_bind():
    config = with_settings("source", "pressure.oi_above=400", "pressure.threshold=5")
    assert findings(config, "filter.oi") == findings(config, "filter.pressure") == []


# --- reward, costs and time -----------------------------------------------------------------------


def test_a_target_can_be_5_points_against_stops_of_15_10_and_6():
    found = only(SOURCE, "plan.min_reward_risk")
    assert "the target is 5 points away against stops of 15/10/6" in found.sentence
    assert "wins 75/67/55 %" in found.sentence
    distances = np.linspace(0.01, 60, 6_000)
    rewards = np.maximum(15, 1.5 * distances) - distances
    assert rewards.min() == pytest.approx(5.0, abs=0.01)


@given(distance=st.floats(0.01, 50.0), urgency=st.sampled_from(list(Urgency)))
def test_steering_away_is_refused_exactly_between_the_two_distances_named(distance, urgency):
    stop = {Urgency.LOW: 15.0, Urgency.HIGH: 10.0, Urgency.CRISIS: 6.0}[urgency]
    reward = max(15.0, 1.5 * distance) - distance
    near, far = refused_distances(urgency, NORMALIZED)
    if min(abs(distance - near), abs(distance - far)) > 1e-9:
        assert (reward < stop) == (near < distance < far)


def test_pin_risk_management_never_steers_away_with_a_reward_of_its_risk():
    low, high, crisis = (found.sentence for found in findings(NORMALIZED, "plan.min_reward_risk"))
    assert "PIN_RISK_MANAGEMENT, nearer than 20, never steers away" in low
    assert "at most 5 or at least 20 points off" in high
    assert "at most 9 or at least 12 points off" in crisis


def test_fifteen_points_do_not_pay_for_a_round_trip_in_btc_but_do_in_es():
    found = only(SOURCE, "plan.target_floor_points", price=100_000.0, hedge=BTC)
    assert (found.level, "come to 110.00 a unit" in found.sentence) == ("conflict", True)
    assert findings(SOURCE, "plan.target_floor_points", price=6_000.0, hedge=ES) == []
    sigma = only(NORMALIZED, "plan.target_floor_points", price=100_000.0, hedge=BTC)
    assert "15 points from strike to target at a yearly volatility of 15.0%" in sigma.sentence


def test_flat_30_minutes_before_the_close_forbids_the_crisis():
    config = with_settings("normalized", "risk.flat_before_close_minutes=30")
    found = only(config, "risk.flat_before_close_minutes")
    assert (found.level, "forbids all of CRISIS" in found.sentence) == ("conflict", True)
    assert only(NORMALIZED, "risk.flat_before_close_minutes").level == "info"
    both = with_settings("normalized", "risk.flat_before_close_minutes=45")
    assert "CRISIS and HIGH" in only(both, "risk.flat_before_close_minutes").sentence


def test_the_exit_at_2_minutes_never_comes_first_with_buffers_of_10_8_and_3():
    assert "buffers of 10/8/3 min" in only(NORMALIZED, "plan.danger_minutes").sentence
    near = with_settings("normalized", "plan.buffer_crisis_minutes=1")
    assert findings(near, "plan.danger_minutes") == []
    off = with_settings("normalized", "plan.danger_minutes=0")
    assert only(off, "plan.danger_minutes").level == "warning"


def test_a_crisis_with_3_minutes_left_is_refused_and_buffers_beyond_an_urgency_end_it():
    found = only(NORMALIZED, "plan.buffer_crisis_minutes")
    assert "CRISIS with 3 min left or less is refused" in found.sentence
    config = with_settings("normalized", "plan.buffer_crisis_minutes=15")
    assert only(config, "plan.buffer_crisis_minutes").level == "conflict"


def test_the_sources_precedence_and_what_is_added_are_said():
    assert (
        "added to, once, and stopped at the next price" in only(SOURCE, "plan.precedence").sentence
    )
    assert "3 times as big" in only(SOURCE, "plan.add_multiple").sentence
    off = with_settings("source", "plan.evolution=false")
    assert findings(off, "plan.precedence") == findings(off, "plan.add_multiple") == []


def test_a_buffer_of_15_minutes_ends_positions_before_they_evolve():
    config = with_settings("normalized", "plan.buffer_high_minutes=15")
    found = only(config, "plan.buffer_high_minutes")
    assert (found.level, "before they could evolve" in found.sentence) == ("warning", True)


def test_one_lot_beyond_what_a_trade_may_risk_is_a_conflict():
    config = with_settings("source", "risk.per_trade=0.005")
    found = findings(config, "risk.per_trade", price=6_000.0, hedge=ES)
    assert "One lot of ESH25 loses 750 USD at the stop of LOW" in found[0].sentence
    assert len(found) == 1


@pytest.mark.parametrize(
    ("setting", "key", "level"),
    [
        ("plan.stop=false", "plan.stop", "warning"),
        ("plan.sizing=fixed", "plan.sizing", "info"),
        ("costs.latency_ms=301000", "costs.latency_ms", "conflict"),
        ("costs.cost_multiple=0", "costs.cost_multiple", "warning"),
        ("risk.per_trade=0.06", "risk.per_trade", "conflict"),
        ("classes.pin_minutes=200", "classes.pin_minutes", "warning"),
    ],
)
def test_switches_and_limits_are_told_as_for_the_volume_shock(setting, key, level):
    assert only(with_settings("normalized", setting), key).level == level


def test_an_index_cannot_be_traded():
    spx = hedge_instrument("SPX", "usa")
    assert only(NORMALIZED, "hedge_instrument", price=3_700.0, hedge=spx).level == "conflict"
