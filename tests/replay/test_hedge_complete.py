"""Positions that end because the hedge is done; volume-shock.md 8."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS
from hedgeflow.replay import HedgeTape, replay_alerts
from hedgeflow.signals.hedge_progress import HedgeProgress
from hedgeflow.signals.hedge_response import SignedFlow
from hedgeflow.strategies.settings import Costs
from hedgeflow.strategies.volume_shock.config import Plan, VolumeShockConfig
from hedgeflow.strategies.volume_shock.rules import observation_rules

CONFIG = VolumeShockConfig(plan=Plan(exit_when_hedged=True))
USUAL_DAYS = 6


def hedges(day: int, size: float = 12.0, minutes: float = 4.0) -> HedgeProgress:
    """Return a hedge of 12 coins, a part each second, from minute 9 on; nothing on days before."""
    began = day + 9 * MINUTE_NS
    first = day - USUAL_DAYS * DAY_NS
    seconds = round((began - first) / SECOND_NS) + 1_800
    flow = np.zeros(seconds)
    start = (began - first) // SECOND_NS
    flow[start : start + round(minutes * 60)] = size / (minutes * 60)
    total = np.concatenate(([0.0], np.cumsum(flow)))
    signed = SignedFlow(first, total, np.full(total.size, 80_000.0))
    return HedgeProgress(signed, observation_rules(CONFIG), {1: began})


def ticks(day: int) -> HedgeTape:
    """Return quotes every 10 s of an hour that stands still."""
    stamps = day + np.arange(0, 3_600, 10) * SECOND_NS
    quotes = pl.DataFrame({"ts": stamps, "bid": 80_000.0, "ask": 80_000.0})
    return HedgeTape.from_ticks(None, quotes, hedge_instrument("BTC-PERP", "binance"))


def test_on_bars_the_position_ends_at_the_first_open_after_the_hedge_is_done(
    make_alerts, make_tape, day
):
    result = replay_alerts(make_alerts({"minute": 10}), make_tape(), CONFIG, hedges=hedges(day))
    [trade] = result.trades.to_dicts()
    assert trade["exit_reason"] == "EXIT_HEDGE_COMPLETE"
    # 90 % of four minutes from 9:00 is 12:36; the order is there a second later
    assert trade["exit_ns"] == day + 13 * MINUTE_NS
    assert "because 90 % of the predicted hedge were done" in trade["sentence"]
    assert any("90 % of the predicted hedge are seen" in note for note in result.notes)


def test_on_ticks_it_ends_at_the_first_quote_that_the_order_can_get(make_alerts, day):
    # known at 12:36; an order that takes 1 s or 3 s meets the quote of 12:40, one of 5 s that of
    # 12:50: its way counts once
    for latency_ms, second in ((1_000.0, 40), (3_000.0, 40), (5_000.0, 50)):
        config = CONFIG.model_copy(update={"costs": Costs(latency_ms=latency_ms)})
        result = replay_alerts(make_alerts({"minute": 10}), ticks(day), config, hedges=hedges(day))
        [trade] = result.trades.to_dicts()
        assert trade["exit_reason"] == "EXIT_HEDGE_COMPLETE"
        assert trade["exit_ns"] == day + 12 * MINUTE_NS + second * SECOND_NS


def test_a_target_that_comes_first_ends_it(make_alerts, make_tape, day):
    prices = {11: (80_000.0, 80_500.0, 79_990.0, 80_400.0)}
    alerts = make_alerts({"minute": 10})
    result = replay_alerts(alerts, make_tape(prices), CONFIG, hedges=hedges(day))
    assert result.trades["exit_reason"].to_list() == ["EXIT_TARGET_HIT"]


def test_a_hedge_that_is_never_done_leaves_the_time_limit(make_alerts, make_tape, day):
    alerts = make_alerts({"minute": 10})
    for watched in (hedges(day, size=10.0), hedges(day, size=-12.0)):
        result = replay_alerts(alerts, make_tape(), CONFIG, hedges=watched)
        assert result.trades["exit_reason"].to_list() == ["EXIT_TIME_LIMIT"]


def test_off_by_default_it_reads_no_flow(make_alerts, make_tape, day):
    alerts = make_alerts({"minute": 10})
    without = replay_alerts(alerts, make_tape(), VolumeShockConfig())
    beside = replay_alerts(alerts, make_tape(), VolumeShockConfig(), hedges=hedges(day))
    assert without.trades.equals(beside.trades)


def test_without_signed_trades_it_is_refused_by_name(make_alerts, make_tape):
    with pytest.raises(ConfigError, match=r"plan\.exit_when_hedged") as raised:
        replay_alerts(make_alerts({"minute": 10}), make_tape(), CONFIG)
    assert "import trades" in str(raised.value.hint)


def test_flow_after_the_exit_does_not_change_it(make_alerts, make_tape, day):
    watched = hedges(day)
    [whole] = replay_alerts(
        make_alerts({"minute": 10}), make_tape(), CONFIG, hedges=watched
    ).trades.to_dicts()
    cut = (whole["exit_ns"] - watched.flow.first_ns) // SECOND_NS
    poisoned = watched.flow.cumulative.copy()
    poisoned[cut:] = -1e9
    flow = SignedFlow(watched.flow.first_ns, poisoned, watched.flow.price)
    again = HedgeProgress(flow, watched.rules, watched.began_ns)
    [trade] = replay_alerts(
        make_alerts({"minute": 10}), make_tape(), CONFIG, hedges=again
    ).trades.to_dicts()
    assert trade == whole
