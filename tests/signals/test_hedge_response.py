"""What dealers did after a shock, on trades in which we know it; volume-shock.md 8."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hedgeflow.market import TapeKind, tape_schema
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.signals.hedge_response import (
    OBSERVATION_SCHEMA,
    SignedFlow,
    hedge_done,
    observe,
    prediction_band,
)
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.rules import observation_rules
from signals.tapes import at

EVENT = at(12, 12)
SECONDS = 15 * 60
RULES = observation_rules(VolumeShockConfig())


def trades_of(rows: list[tuple[int, float, float]]) -> pl.DataFrame:
    """Return hedge trades from (stamp, signed size, price)."""
    ordered = sorted(rows)
    return pl.DataFrame(
        {
            "ts": [row[0] for row in ordered],
            "known_at": [row[0] for row in ordered],
            "price": [row[2] for row in ordered],
            "size": [abs(row[1]) for row in ordered],
            "aggressor": [int(np.sign(row[1])) for row in ordered],
            "trade_id": [None] * len(ordered),
        },
        schema=tape_schema(TapeKind.HEDGE_TRADES),
    )


def noise(seed: int = 1, days: range = range(13), scale: float = 1.0) -> list:
    """Return a print every ten seconds around noon, bought or sold at random."""
    rng = np.random.default_rng(seed)
    return [
        (at(day, 11, 50, second), float(rng.choice([-1, 1]) * scale), 100.0)
        for day in days
        for second in range(0, 40 * 60, 10)
    ]


def hedge(
    total: float, half_minutes: float, start: int = EVENT, price_path: float = 0.0
) -> list[tuple[int, float, float]]:
    """Return a hedge whose remainder halves every `half_minutes`, a print a second."""
    times = np.arange(1, SECONDS + 1)
    done = total * (1.0 - 0.5 ** (times / 60.0 / half_minutes))
    sizes = np.diff(np.concatenate(([0.0], done)))
    return [
        (start + int(second) * SECOND_NS - 1, float(size), 100.0 + price_path * amount / total)
        for second, size, amount in zip(times, sizes, done, strict=True)
    ]


def observed(rows: list, start: int = EVENT) -> dict:
    flow = SignedFlow.from_trades(trades_of(rows))
    (row,) = observe(flow, np.array([7]), np.array([start]), RULES).to_dicts()
    return row


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("half", [0.5, 1.0, 2.0])
def test_a_planted_hedge_is_observed_with_its_size_direction_and_times(half, side):
    row = observed(noise() + hedge(side * 2_000.0, half))
    assert row["observed"]
    assert row["direction"] == side
    assert row["abnormal_flow"] == pytest.approx(side * 2_000.0, abs=40)
    assert row["response_minutes"] == pytest.approx(half, abs=0.1)
    assert row["completion_minutes"] == pytest.approx(half * np.log2(10), abs=0.25)


def test_the_move_to_completion_is_signed_by_the_flow():
    for side in (1, -1):
        rows = hedge(side * 2_000.0, 1.0, price_path=side * 8.0)
        row = observed(noise(days=range(12)) + rows)
        assert row["move_to_completion"] == pytest.approx(0.9 * 8.0, abs=0.15)


def test_the_hedge_done_only_rises_and_is_the_flow_itself_where_that_does():
    swinging = np.cumsum(np.random.default_rng(2).normal(0.2, 3.0, 500))
    assert (np.diff(hedge_done(swinging)) >= 0).all()
    rising = np.sort(swinging)
    assert hedge_done(rising) == pytest.approx(rising)


def test_a_swing_of_ordinary_flow_past_half_is_not_half_of_the_hedge():
    """1,100 bought in the first second and sold again in the second, on the way to 2,000."""
    swing = [(EVENT + 1, 1_100.0, 100.0), (EVENT + SECOND_NS + 1, -1_100.0, 100.0)]
    row = observed(noise() + hedge(2_000.0, 2.0) + swing)
    assert row["response_minutes"] == pytest.approx(2.0, abs=0.1)


def test_noise_is_no_hedge_observed():
    """Twenty placebo events: at 1.96 deviations, few look like a hedge."""
    hits = [observed(noise(seed))["observed"] for seed in range(100, 120)]
    assert sum(hits) <= 4


def test_what_is_not_observed_has_no_direction_response_or_move():
    row = next(row for seed in range(20) if not (row := observed(noise(seed)))["observed"])
    assert row["direction"] == 0
    for name in ("response_minutes", "completion_minutes", "move_to_completion"):
        assert row[name] is None


def test_flow_that_is_usual_at_that_time_of_day_is_no_hedge():
    usual = [row for day in range(13) for row in hedge(2_000.0, 1.0, at(day, 12))]
    row = observed(noise(scale=20.0) + usual)
    assert abs(row["abnormal_flow"]) < 2_000
    assert row["placebo_mean"] == pytest.approx(2_000, abs=300)
    assert not row["observed"]


def test_the_expectation_is_the_mean_of_the_ten_days_before():
    rows = [(at(day, 12, 1), float(day + 1), 100.0) for day in range(13)]
    ends = [(at(13, 0), 1.0, 100.0), (at(-1, 0), 1.0, 100.0)]
    row = observed(rows + ends)
    placebos = np.arange(3.0, 13.0)  # days 2 to 11
    assert row["placebos"] == 10
    assert row["placebo_mean"] == placebos.mean()
    assert row["placebo_deviation"] == pytest.approx(placebos.std(ddof=1))
    assert row["abnormal_flow"] == 13.0 - placebos.mean()


@pytest.mark.parametrize(("days", "is_observed"), [(4, None), (5, True)])
def test_with_fewer_than_5_placebo_days_it_cannot_be_told(days, is_observed):
    row = observed(noise(days=range(12 - days, 13)) + hedge(5_000.0, 1.0))
    assert row["placebos"] == days
    assert row["observed"] is is_observed


def test_an_observation_reads_no_later_day_and_nothing_after_its_15_minutes():
    rows = noise() + hedge(2_000.0, 1.0)
    after = EVENT + (SECONDS + 1) * SECOND_NS
    future = [(after + second * SECOND_NS, 1e6, 500.0) for second in range(0, 3_600, 60)]
    future += [(at(13, 12, minute), -1e6, 900.0) for minute in range(15)]
    kept = [row for row in rows if row[0] < after]
    assert observed(kept + future) == observed(rows)


def test_an_observation_is_known_when_its_15_minutes_are_over():
    row = observed(noise() + hedge(2_000.0, 1.0))
    assert row["from_ns"] == EVENT
    assert row["known_ns"] >= EVENT + 15 * MINUTE_NS
    assert row["known_ns"] <= EVENT + 16 * MINUTE_NS


def test_trades_before_the_event_do_not_count():
    early = [(EVENT - SECOND_NS, 1e5, 100.0)]
    with_early = observed(noise() + early + hedge(2_000.0, 1.0))
    without = observed(noise() + hedge(2_000.0, 1.0))
    assert with_early["abnormal_flow"] == pytest.approx(without["abnormal_flow"])


def test_an_event_whose_15_minutes_leave_the_tape_is_not_in_the_table():
    flow = SignedFlow.from_trades(trades_of(noise()))
    starts = np.array([at(-3), at(0, 11, 49), at(12, 12, 16), at(14)])
    table = observe(flow, np.arange(4), starts, RULES)
    assert table["event_id"].to_list() == []
    assert dict(table.schema) == OBSERVATION_SCHEMA


def test_the_price_at_a_moment_is_the_last_before_its_second():
    rows = [(at(0), 1.0, 100.0), (at(0) + 1, 1.0, 101.0), (at(0, second=5), 1.0, 105.0)]
    flow = SignedFlow.from_trades(trades_of(rows))
    assert np.isnan(flow.price_at(at(0)))
    assert flow.price_at(at(0, second=1)) == 101.0
    assert flow.price_at(at(0, second=5)) == 101.0
    assert flow.price_at(at(0, second=6)) == 105.0
    assert flow.price_at(at(3)) == 105.0


def test_unsigned_trades_carry_no_flow():
    rows = trades_of(noise() + hedge(2_000.0, 1.0)).with_columns(aggressor=pl.lit(0, pl.Int8))
    flow = SignedFlow.from_trades(rows)
    assert flow.cumulative.tolist() == [0.0] * flow.cumulative.size
    (row,) = observe(flow, np.array([7]), np.array([EVENT]), RULES).to_dicts()
    assert not row["observed"]


def test_one_window_in_twenty_of_ordinary_flow_looks_like_a_hedge_however_few_the_placebos():
    """Against Monte Carlo: the share of new draws beyond the band is the normal law's own."""
    rng = np.random.default_rng(3)
    for placebos in (5, 10):
        draws = rng.standard_normal((200_000, placebos + 1))
        earlier, new = draws[:, :-1], draws[:, -1]
        away = np.abs(new - earlier.mean(axis=1))
        band = prediction_band(1.96, placebos)
        share = (away > band * earlier.std(axis=1, ddof=1)).mean()
        assert share == pytest.approx(0.05, abs=0.002)
    assert prediction_band(1.96, 5) == pytest.approx(3.04, abs=0.005)
    assert prediction_band(1.96, 10) == pytest.approx(2.37, abs=0.005)
