"""Every limit of volume-shock.md 7."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from builders import plans
from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.time import HOUR_NS, MINUTE_NS
from hedgeflow.risk import (
    AccountState,
    Calendar,
    CalendarKind,
    MarketState,
    Reason,
    ScheduledEvent,
    decide,
)
from hedgeflow.strategies.volume_shock.config import Risk, VolumeShockConfig
from hedgeflow.strategies.volume_shock.plan import AMBIGUOUS

NOW = 1_744_300_800_000_000_000  # 2025-04-10T16:00:00Z
BTC = hedge_instrument("BTC-PERP", "binance")
AAPL = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)
PLAN = replace(plans.PLAN, size_contracts=1.2345)
ACCOUNT = AccountState(
    equity_usd=100_000.0,
    day_start_equity_usd=100_000.0,
    realised_today_usd=0.0,
    open_risk_usd=0.0,
    open_margin_usd=0.0,
    positions=0,
    positions_here=0,
)
MARKET = MarketState(
    instrument=BTC,
    minutes_to_close=float("inf"),
    previous_volume_contracts=50_000.0,
    volatility_index=30.0,
    quote_age_seconds=1.0,
    cost_per_contract_usd=88.0,
)


def decided(account=None, market=None, calendar=None, plan=PLAN, **risk):
    return decide(
        plan,
        replace(ACCOUNT, **(account or {})),
        replace(MARKET, **(market or {})),
        calendar,
        VolumeShockConfig(risk=Risk(**risk)),
        NOW,
    )


def test_a_plan_that_passes_every_limit_is_floored_to_the_lot():
    decision = decided()
    assert (decision.kind, decision.reason) == ("plan", Reason.PLANNED)
    assert decision.plan.size_contracts == 1.234
    assert decision.plan.bound_by == "plan"
    assert decision.plan.units == 1.234
    assert decision.plan.risk_usd == pytest.approx(1.234 * (160.0 + 88.0))
    assert decision.plan.margin_usd == pytest.approx(1.234 * 8_000.0)


def test_a_plan_is_written_as_json_with_its_levels():
    written = json.loads(decided().plan.to_json())
    assert (written["target"], written["stop"]) == (80_400.0, 79_840.0)
    assert (written["size_contracts"], written["planned_contracts"]) == (1.234, 1.2345)
    assert written["impact_distance"] is None


@pytest.mark.parametrize(
    ("account", "market", "reason", "words"),
    [
        ({"killed": "by hand"}, {}, Reason.KILLED, "stopped: by hand."),
        ({"equity_usd": 24_999.0}, {}, Reason.ACCOUNT_TOO_SMALL, "25,000"),
        ({"positions_here": 1, "positions": 1}, {}, Reason.POSITION_OPEN, "still open"),
        ({"positions": 3}, {}, Reason.POSITIONS_FULL, "at most 3"),
        ({}, {"minutes_to_close": 0.0}, Reason.MARKET_CLOSED, "closed"),
        ({}, {"minutes_to_close": 30.0}, Reason.NEAR_CLOSE, "flat 30 minutes"),
        ({}, {"quote_age_seconds": 5.1}, Reason.QUOTE_TOO_OLD, "older than 5 s"),
        ({}, {"previous_volume_contracts": 999.0}, Reason.THIN_MARKET, "below 1,000"),
        ({"realised_today_usd": -5_000.0}, {}, Reason.DAILY_RISK, "day's 5,000 USD"),
        ({"open_risk_usd": 5_000.0}, {}, Reason.DAILY_RISK, "leave nothing"),
        ({"realised_today_usd": -3_000.0, "open_risk_usd": 2_000.0}, {}, Reason.DAILY_RISK, ""),
        ({"realised_today_usd": -4_999.9}, {}, Reason.DAILY_RISK, "cap per_day"),
        ({"open_margin_usd": 49_999.0}, {}, Reason.MARGIN, "cap buying_power"),
    ],
)
def test_a_breached_limit_skips_with_its_reason(account, market, reason, words):
    decision = decided(account, market)
    assert (decision.kind, decision.reason) == ("skip", reason)
    assert words in decision.sentence
    assert decision.sentence.endswith(".")


@pytest.mark.parametrize(
    ("account", "market"),
    [
        ({"equity_usd": 25_000.0}, {}),
        ({"positions": 2}, {}),
        ({}, {"minutes_to_close": 30.1}),
        ({}, {"quote_age_seconds": 5.0}),
        ({}, {"quote_age_seconds": None}),
        ({}, {"previous_volume_contracts": 1_000.0}),
        ({}, {"previous_volume_contracts": None}),
    ],
)
def test_a_limit_just_met_or_not_testable_lets_a_plan_pass(account, market):
    assert decided(account, market).kind == "plan"


def test_a_gain_today_adds_nothing_to_the_days_risk():
    decision = decided({"realised_today_usd": 9_000.0, "open_risk_usd": 5_000.0})
    assert decision.reason is Reason.DAILY_RISK


@pytest.mark.parametrize(("index", "size"), [(39.9, 1.234), (40.0, 0.617), (None, 1.234)])
def test_a_volatility_index_of_40_halves_sizes(index, size):
    assert decided(market={"volatility_index": index}).plan.size_contracts == size


def test_a_size_below_one_lot_is_a_skip_that_names_the_cap():
    tiny = replace(PLAN, flow_class=AMBIGUOUS, stop_distance=1e6)
    decision = decided(plan=tiny)
    assert decision.reason is Reason.SIZE_ZERO
    assert "cap ambiguous_per_trade" in decision.sentence
    assert "the plan itself" in decided(plan=replace(PLAN, size_contracts=0.0004)).sentence


def test_a_stock_account_below_25000_falls_under_the_pattern_day_trader_rule():
    market = {"instrument": AAPL, "minutes_to_close": 200.0}
    low = {"equity_usd": 20_000.0, "day_start_equity_usd": 20_000.0}
    decision = decided(low, market, policy_minimum_account_usd=10_000.0)
    assert decision.reason is Reason.PATTERN_DAY_TRADER
    assert decided(low, policy_minimum_account_usd=10_000.0).kind == "plan"


def near(kind, hours, underlying=""):
    event = ScheduledEvent(NOW + round(hours * HOUR_NS), kind, "the event", underlying)
    return Calendar([event])


@pytest.mark.parametrize("hours", [-24.0, 0.0, 24.0])
def test_no_entry_within_24_hours_of_earnings(hours):
    decision = decided(calendar=near(CalendarKind.EARNINGS, hours, "BTC"))
    assert decision.reason is Reason.EARNINGS
    assert "24 hours" in decision.sentence


@pytest.mark.parametrize("minutes", [-30, 0, 30])
def test_no_entry_within_30_minutes_of_a_release(minutes):
    decision = decided(calendar=near(CalendarKind.RELEASE, minutes / 60))
    assert decision.reason is Reason.RELEASE
    assert "30 minutes" in decision.sentence


@pytest.mark.parametrize(
    "calendar",
    [
        near(CalendarKind.EARNINGS, 24.01, "BTC"),
        near(CalendarKind.EARNINGS, 1.0, "ETH"),
        near(CalendarKind.RELEASE, -0.51),
        near(CalendarKind.RELEASE, 0.0, "ETH"),
        Calendar([]),
    ],
)
def test_events_farther_off_or_of_another_underlying_do_not_matter(calendar):
    assert decided(calendar=calendar).kind == "plan"


def test_release_minutes_are_minutes():
    calendar = Calendar([ScheduledEvent(NOW + 31 * MINUTE_NS, CalendarKind.RELEASE, "CPI", "")])
    assert decided(calendar=calendar).kind == "plan"


def test_hours_and_minutes_of_nothing_switch_earnings_and_releases_off():
    for kind in CalendarKind:
        calendar = near(kind, 0.0, "BTC")
        assert decided(calendar=calendar).kind == "skip"
        off = decided(calendar=calendar, earnings_hours=0.0, release_minutes=0.0)
        assert off.kind == "plan"
