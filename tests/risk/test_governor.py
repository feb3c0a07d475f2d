"""The governor: positions, the day, the kill switch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.errors import HedgeflowError
from hedgeflow.risk import Governor, MarketState, Reason
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.plan import EMERGENCY, ShockPlan

PLAN = ShockPlan(
    alert_id="a1",
    event_id=1,
    underlying="BTC",
    instrument="BTC-PERP",
    flow_class=EMERGENCY,
    urgency="HIGH",
    direction=1,
    size_contracts=1.0,
    reference_price=80_000.0,
    target_distance=400.0,
    stop_distance=160.0,
    limit_minutes=8.0,
    point=20.0,
    expected_hedge_contracts=12.0,
    source_target_points=20.0,
    impact_distance=None,
)


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
