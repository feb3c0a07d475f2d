"""What became of predictions: on simulated markets with a hedge and without, and on a real tape."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from builders.recorded_markets import deribit
from hedgeflow.evidence import assess
from hedgeflow.evidence.tables import PREDICTION_COLUMNS, PRICE_COLUMNS
from hedgeflow.evidence.verdict import Status
from hedgeflow.journal import Journal
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.hedge_response import SignedFlow
from hedgeflow.simulate import scenario
from hedgeflow.strategies.volume_shock.claims import DECLARATION
from hedgeflow.strategies.volume_shock.config import Plan, VolumeShockConfig
from hedgeflow.studies.backtesting import backtest
from hedgeflow.studies.markets import load_market
from hedgeflow.studies.predictions import predicted_and_observed
from hedgeflow.studies.simulated_markets import market_in_memory
from hedgeflow.studies.validation import verdict

CONFIG = VolumeShockConfig()
DAYS = 14


def judged(preset: str, seed: int):
    market, truth = market_in_memory(scenario(preset, days=DAYS, seed=seed), CONFIG)
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal.open(Path(folder) / "j.sqlite") as journal,
    ):
        return market, truth, verdict(market, CONFIG, journal, truth)


@pytest.fixture(scope="module")
def effect():
    return judged("effect", 7)


@pytest.fixture(scope="module")
def null():
    return judged("null", 3)


def test_where_dealers_hedge_prices_move_as_predicted_and_stop_when_the_hedge_is_done(effect):
    _, _, validation = effect
    prices = validation.evidence.prices
    assert prices.move_sessions == DAYS - 5
    assert prices.excess_move_bps.lower > 0.0
    assert prices.p_value_move.value < 0.01
    assert prices.excess_acceleration_bps.upper < 0.0
    assert prices.acceleration_p_value.value < 0.01
    assert prices.prior_move_bps.lower < 0.0 < prices.prior_move_bps.upper
    assert prices.placebo_move_bps.lower < 0.0 < prices.placebo_move_bps.upper


def test_where_nobody_hedges_neither_is_found(null):
    _, _, validation = null
    prices, flow = validation.evidence.prices, validation.evidence.flow
    assert prices.p_value_move.value > 0.05
    assert prices.acceleration_p_value.value > 0.05
    assert flow.controls.p_value.value > 0.05
    assert flow.controls.prior_flow_share.lower < 0.0 < flow.controls.prior_flow_share.upper


def test_the_hedges_own_part_survives_the_controls(effect):
    _, _, validation = effect
    controls = validation.evidence.flow.controls
    assert controls.slope_clustered.lower > 0.5
    assert controls.prior_flow_share.lower < 0.0 < controls.prior_flow_share.upper


def test_completion_is_when_nine_tenths_of_the_true_hedge_were_done(effect):
    """The truth is read here only; large hedges, which ordinary flow does not hide."""
    _, truth, validation = effect
    rows = validation.tables.prices.join(
        validation.backtest.alerts.select("alert_id", "event_id"), on="alert_id"
    ).join(validation.backtest.scan.events.select("event_id", "first_ns"), on="event_id")
    shocks = truth.select(
        start=pl.col("hedge_start").dt.timestamp("ns"),
        true="completion_minutes",
        volume=pl.col("hedge_volume").abs(),
    ).sort("start")
    large = shocks.filter(pl.col("volume") > shocks["volume"].quantile(0.7))
    pairs = rows.drop_nulls("completion_minutes").join_where(
        large, (pl.col("start") - pl.col("first_ns")).abs() < 3 * MINUTE_NS
    )
    assert pairs.height >= 8
    delay = (pairs["start"] - pairs["first_ns"]) / MINUTE_NS
    error = pairs["completion_minutes"] - (pairs["true"].clip(0.0, 15.0) + delay)
    assert abs(error.median()) < 1.0


def test_one_row_says_of_each_prediction_what_became_of_it(effect):
    _, _, validation = effect
    tables, run = validation.tables, validation.backtest.run.run_id
    rows = tables.predictions
    assert rows.columns == list(PREDICTION_COLUMNS)
    assert rows["alert_id"].is_unique().all()
    assert set(rows["run_id"]) == {run}
    assert rows.height == validation.backtest.alerts["event_id"].n_unique()
    told = rows.drop_nulls("score")
    assert told.height == tables.flow.height < rows.height
    assert told["score"].mean() == pytest.approx(validation.evidence.accuracy.score.value)
    by_hand = told["direction_right"] * (1 - told["magnitude_error"]) * (1 - told["timing_error"])
    assert told["score"].to_list() == pytest.approx(by_hand.to_list())
    assert set(rows["predicted_direction"] - rows["predicted"].sign()) == {0}
    unseen = told.filter(pl.col("observed_direction") == 0)
    assert unseen.height > 0
    assert not unseen["direction_right"].any()
    assert rows["true_class"].null_count() == 0


def test_events_without_earlier_sessions_enough_are_left_out_and_counted(effect):
    _, _, validation = effect
    rows, prices = validation.tables.prices, validation.evidence.prices
    unknown = rows.filter(pl.col("move_bps").is_null())
    assert unknown.height == prices.left_out > 0
    assert unknown["placebos"].max() < CONFIG.observation.fewest_placebos
    assert rows.columns == list(PRICE_COLUMNS)


def test_with_bars_alone_prices_are_tested_around_the_predicted_completion(effect):
    market, _, validation = effect
    bars_only = replace(market, flow=None, trades=None)
    seen = predicted_and_observed(bars_only, CONFIG, validation.backtest)
    assert seen.flow is None
    assert seen.predictions["score"].null_count() == seen.predictions.height
    assert "predicted" in seen.acceleration_basis
    assert "log2(10)" in seen.acceleration_basis
    ratio = seen.prices["completion_minutes"] / seen.prices["move_minutes"]
    assert ratio.to_numpy() == pytest.approx(np.log2(10.0))
    tables = replace(
        validation.tables,
        flow=None,
        flow_untestable_reason="bars only",
        prices=seen.prices,
        predictions=seen.predictions,
    )
    again = assess(tables, DECLARATION, validation.evidence.manifest)
    claims = {claim.id: claim.status for claim in again.claims}
    assert claims["delta-flow"] is Status.UNTESTABLE
    assert claims["price-response"] in {Status.PASSED, Status.INCONCLUSIVE}
    assert claims["acceleration"] is not Status.UNTESTABLE


def test_nothing_after_a_figures_own_window_changes_it(effect):
    """Bars and trades of the last three sessions are poisoned; figures of before stay the same."""
    market, _, validation = effect
    last = int(market.sessions.open_ns[DAYS - 3])
    poisoned = replace(
        market,
        bars=market.bars.with_columns(
            pl.when(pl.col("ts").dt.timestamp("ns") >= last)
            .then(pl.lit(1.0))
            .otherwise(name)
            .alias(name)
            for name in ("close", "volume")
        ),
        flow=SignedFlow(
            market.flow.first_ns,
            np.where(seconds_of(market.flow) > last, 1e9, market.flow.cumulative),
            np.where(seconds_of(market.flow) > last, 1.0, market.flow.price),
            market.flow.coverage,
            market.flow.sessions,
        ),
    )
    alerts = validation.backtest.alerts
    before = alerts.filter(pl.col("detected_ns") < last - 60 * MINUTE_NS)["alert_id"].implode()
    frames = [
        predicted_and_observed(each, CONFIG, validation.backtest) for each in (market, poisoned)
    ]
    for name in ("flow", "predictions", "prices"):
        whole, cut = (
            getattr(each, name).filter(pl.col("alert_id").is_in(before)) for each in frames
        )
        assert whole.height > 20
        assert whole.equals(cut)
    assert not frames[0].prices.equals(frames[1].prices)


def seconds_of(flow: SignedFlow) -> np.ndarray:
    return flow.first_ns + np.arange(flow.cumulative.size) * 1_000_000_000


def test_the_recorded_bitcoin_tape_has_no_signed_flow_and_its_prices_are_tested(
    market_data, tmp_path
):
    market = load_market(deribit(market_data, tmp_path), "BTC", CONFIG)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        evidence = verdict(market, CONFIG, journal).evidence
    assert evidence.flow.r.value is None
    assert evidence.prices.events > 50
    assert evidence.prices.left_out > 0
    claims = {claim.id: claim for claim in evidence.claims}
    assert claims["delta-flow"].status is Status.UNTESTABLE
    assert claims["price-response"].status is Status.FAILED
    assert claims["acceleration"].status is Status.UNTESTABLE
    assert "draws cannot give" in claims["acceleration"].reason


def test_waiting_for_hedges_that_nothing_shows_is_refused_before_anything_is_written(
    effect, tmp_path
):
    market, _, _ = effect
    waiting = VolumeShockConfig(plan=Plan(exit_when_hedged=True))
    with (
        Journal.open(tmp_path / "journal.sqlite") as journal,
        pytest.raises(ConfigError, match="no signed trades"),
    ):
        backtest(replace(market, flow=None, trades=None), waiting, journal)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        assert journal.table("runs").is_empty()


def test_positions_end_when_the_hedge_is_seen_to_be_done_and_the_package_still_agrees(
    effect, tmp_path
):
    market, truth, _ = effect
    waiting = VolumeShockConfig(plan=Plan(exit_when_hedged=True))
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        validation = verdict(market, waiting, journal, truth)
    ended = validation.backtest.trades.filter(exit_reason="EXIT_HEDGE_COMPLETE")
    assert ended.height > 0
    assert all("of the predicted hedge were done" in each for each in ended["sentence"])
    assert validation.evidence.coherence.coherent
