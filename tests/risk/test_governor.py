"""The governor: positions, the day, the kill switch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders.plans import PLAN
from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.errors import HedgeflowError
from hedgeflow.risk import Governor, MarketState, Reason
from hedgeflow.strategies.volume_shock.config import Risk, VolumeShockConfig


def market(symbol="BTC-PERP"):
    instrument = hedge_instrument(symbol, "binance")
    return MarketState(instrument, float("inf"), 5e4, 30.0, None, 88.0)


def decide(governor, alert_id, symbol="BTC-PERP"):
    return governor.decide(replace(PLAN, alert_id=alert_id), market(symbol), None, 0).reason


@pytest.fixture
def governor():
    governor = Governor(VolumeShockConfig(), 100_000.0)
    governor.enter_session("2025-04-10")
    return governor


def test_an_instrument_carries_one_position_from_plan_to_exit(governor):
    assert decide(governor, "a1") is Reason.PLANNED
    assert decide(governor, "a2") is Reason.POSITION_OPEN
    governor.close("a1", 1, 10.0)
    assert decide(governor, "a3") is Reason.PLANNED


def test_a_fourth_position_is_one_too_many(governor):
    reasons = [decide(governor, s, f"{s}-PERP") for s in ("BTC", "ETH", "SOL", "XRP")]
    assert reasons == [Reason.PLANNED] * 3 + [Reason.POSITIONS_FULL]


def test_open_positions_hold_risk_and_margin(governor):
    decide(governor, "a1")
    account = governor.account("BTC-PERP")
    assert account.open_risk_usd == pytest.approx(160.0 + 88.0)
    assert account.open_margin_usd == pytest.approx(8_000.0)
    assert (account.positions, account.positions_here) == (1, 1)
    assert governor.account("ETH-PERP").positions_here == 0


def test_equity_follows_closed_trades(governor):
    decide(governor, "a1")
    governor.close("a1", 1, -400.0)
    assert governor.equity_usd == 99_600.0
    assert governor.account("BTC-PERP").realised_today_usd == -400.0


def test_a_loss_of_5_percent_in_a_day_stops_trading_until_the_next_session(governor):
    decide(governor, "a1")
    governor.close("a1", 9, -5_000.0)
    assert governor.killed.at_ns == 9
    assert decide(governor, "a2") is Reason.KILLED
    governor.enter_session("2025-04-10")
    assert decide(governor, "a3") is Reason.KILLED
    governor.enter_session("2025-04-11")
    assert decide(governor, "a4") is Reason.PLANNED
    assert governor.account("BTC-PERP").day_start_equity_usd == 95_000.0


def test_a_loss_below_5_percent_does_not_stop_trading(governor):
    decide(governor, "a1")
    governor.close("a1", 9, -4_999.0)
    assert governor.killed is None


def test_a_persons_kill_lasts_until_it_is_released_and_names_what_to_flatten(governor):
    decide(governor, "a1")
    governor.kill(5, "stopped from the command line")
    assert [position.position_id for position in governor.open_positions] == ["a1"]
    governor.enter_session("2025-04-11")
    assert decide(governor, "a2", "ETH-PERP") is Reason.KILLED
    governor.release()
    assert decide(governor, "a3", "ETH-PERP") is Reason.PLANNED


def test_an_earlier_session_changes_nothing(governor):
    decide(governor, "a1")
    governor.close("a1", 1, -400.0)
    governor.enter_session("2025-04-09")
    assert governor.account("BTC-PERP").realised_today_usd == -400.0


def test_closing_what_is_not_open_is_refused(governor):
    with pytest.raises(HedgeflowError, match="'a9'"):
        governor.close("a9", 1, 0.0)


def add(governor, **changes):
    return governor.add(replace(PLAN, **changes), market(), None, 1)


def test_what_is_added_belongs_to_the_open_position_with_its_risk_and_margin(governor):
    decide(governor, "a1")
    added = add(governor, size_contracts=2.0, stop_distance=60.0)
    assert added.reason is Reason.PLANNED
    [position] = governor.open_positions
    assert position.contracts == 3.0
    assert position.risk_usd == pytest.approx(1 * (160.0 + 88.0) + 2 * (60.0 + 88.0))
    assert position.margin_usd == pytest.approx(3 * 8_000.0)
    governor.close("a1", 2, -100.0)
    assert governor.open_positions == ()


@pytest.mark.parametrize(
    ("risk", "contracts", "bound_by"),
    [
        ({}, 4.0, "plan"),
        ({"contracts": 2.5}, 1.5, "contracts"),
        # the trade may risk 600 USD, of which 248 are at risk already
        ({"emergency_per_trade": 0.006}, 352.0 / 148.0, "emergency_per_trade"),
        ({"per_trade": 0.006}, 352.0 / 148.0, "per_trade"),
        ({"per_day": 0.005}, 252.0 / 148.0, "per_day"),
        ({"buying_power_usd": 20_000.0}, 1.5, "buying_power"),
        ({"margin_utilisation": 0.25}, 17.0 / 8.0, "margin_utilisation"),
    ],
)
def test_an_addition_is_as_large_as_every_cap_allows_the_whole_trade(risk, contracts, bound_by):
    governor = Governor(VolumeShockConfig(risk=Risk(**risk)), 100_000.0)
    governor.enter_session("2025-04-10")
    assert decide(governor, "a1") is Reason.PLANNED
    plan = add(governor, size_contracts=4.0, stop_distance=60.0).plan
    assert plan.bound_by == bound_by
    assert plan.size_contracts == pytest.approx(contracts, abs=1e-3)
    assert plan.size_contracts <= contracts + 1e-9


def test_nothing_is_added_once_trading_is_stopped(governor):
    decide(governor, "a1")
    governor.kill(1, "a person said so")
    assert add(governor).reason is Reason.KILLED


def test_a_volatility_index_that_scaled_a_position_does_not_scale_its_addition_again(governor):
    wild = replace(market(), volatility_index=50.0)
    first = governor.decide(replace(PLAN, alert_id="a1"), wild, None, 0).plan
    added = governor.add(replace(PLAN, size_contracts=1.0, stop_distance=60.0), wild, None, 1).plan
    assert (first.size_contracts, added.size_contracts) == (0.5, 1.0)


def test_nothing_can_be_added_to_what_is_not_open(governor):
    with pytest.raises(HedgeflowError, match="no position 'a1' is open"):
        add(governor)
