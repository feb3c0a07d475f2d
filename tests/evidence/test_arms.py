"""What arms earned, how that differs from the run, and what groups of arms say as wholes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence.samples import sessions, tables
from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.evidence.arm_findings import arm_findings
from hedgeflow.evidence.arms import SessionFigures, arm_results
from hedgeflow.evidence.resampling import by_session, resample_sessions
from hedgeflow.evidence.trades import session_index

DAYS = 20
RUN = tables([number % 5 > 1 for number in range(100)], days=DAYS)
TRADES = RUN.trades
RESAMPLING = resample_sessions(
    by_session(TRADES["net_usd"].to_numpy(), session_index(TRADES["session"], RUN.sessions), DAYS),
    seed=1,
    resamples=300,
)


def arm(trades=TRADES, *, group=ArmGroup.COST, parameter=None, more_bps=0.0, **changes) -> Arm:
    """Return the run's trades as an arm, each with so many basis points more."""
    held = (pl.col("exit_ns") - pl.col("entry_ns")) / 60e9
    rows = trades.select(
        "alert_id",
        "session",
        "exit_ns",
        "net_usd",
        "age_seconds",
        net_bps=pl.col("net_bps") + more_bps,
        hold_minutes=held,
    )
    return Arm(group, changes.pop("name", "arm"), "as an arm", parameter, rows, **changes)


def result(one: Arm):
    [found] = arm_results([one], RUN, RESAMPLING)
    return found


def finding(arms, name):
    [found] = [each for each in arm_findings(arms, RUN, RESAMPLING) if each.id == name]
    return found.figure


def test_the_run_itself_as_an_arm_differs_in_nothing():
    same = result(arm(reference=True))
    for difference in (same.difference_usd, same.difference_bps, same.difference_drawdown_usd):
        assert (difference.value, difference.lower, difference.upper) == (0.0, 0.0, 0.0)
    assert (same.trades, same.wins) == (100, 60)
    assert same.net_usd == pytest.approx(TRADES["net_usd"].sum())


def test_a_basis_point_more_on_every_trade_is_that_on_every_resample_too():
    better = result(arm(more_bps=1.0)).difference_bps
    assert [better.value, better.lower, better.upper] == pytest.approx([1.0, 1.0, 1.0])


def test_payoff_is_the_average_win_over_the_average_loss():
    net = TRADES["net_usd"].to_numpy()
    expected = net[net > 0].mean() / -net[net < 0].mean()
    assert result(arm()).payoff.value == pytest.approx(expected)
    assert result(arm(TRADES.filter(pl.col("net_usd") > 0))).payoff.reason


def test_an_arm_that_does_not_trade_says_so_and_still_differs_in_profit():
    idle = result(arm(TRADES.clear()))
    assert (idle.trades, idle.net_usd) == (0, 0.0)
    assert idle.expectancy_bps.reason == idle.difference_bps.reason == "no trades"
    assert idle.difference_usd.value == pytest.approx(-TRADES["net_usd"].sum() / DAYS)


def test_an_arm_about_some_sessions_is_a_part_of_the_run_and_no_difference():
    some = sessions(DAYS)[:2]
    part = result(arm(TRADES.filter(pl.col("session").is_in(some)), sessions=some))
    assert part.trades == 10
    assert part.difference_usd.value is None
    assert part.sharpe_annualised.reason == "some sessions only"


def test_drawdown_over_drawn_sessions_is_that_of_their_trades_one_after_the_other():
    figures = SessionFigures.of(TRADES, RUN.sessions)
    rows = RESAMPLING.draws[:50]
    ordered = TRADES.sort("exit_ns")
    for draw, found in zip(rows, figures.drawdown_usd(rows), strict=True):
        net = [
            value
            for index in draw
            for value in ordered.filter(pl.col("session") == RUN.sessions[index])["net_usd"]
        ]
        path = np.concatenate(([0.0], np.cumsum(net)))
        assert found == pytest.approx((np.maximum.accumulate(path) - path).max())


def priced(own: float, free: float, *, charged: float = 1.0) -> list[Arm]:
    base = float(TRADES["net_bps"].mean())
    return [
        arm(parameter=0.0, more_bps=free - base, name="free"),
        arm(parameter=charged, more_bps=own - base, reference=True, name="own"),
    ]


def test_costs_that_take_half_of_what_is_earned_may_double():
    figure = finding(priced(5.0, 10.0), "break-even")
    assert figure.value == pytest.approx(2.0)
    assert figure.lower < 2.0 < figure.upper


def test_the_multiple_is_that_of_the_tables_whatever_the_run_was_charged():
    assert finding(priced(2.0, 10.0, charged=2.0), "break-even").value == pytest.approx(2.5)


def test_who_loses_without_costs_has_no_break_even():
    assert finding(priced(-5.0, -1.0), "break-even").reason == "loses even without costs"


def test_a_run_without_costs_has_no_break_even():
    [alone] = priced(5.0, 10.0)[:1]
    assert "no costs" in finding([alone], "break-even").reason


def test_impact_grows_with_the_root_of_size():
    """8 bp are earned and 2 of them lost at our size: at 16 times it nothing is left."""
    base = float(TRADES["net_bps"].mean())
    size = arm(group=ArmGroup.CAPACITY, parameter=1.0, more_bps=-base / 4.0)
    assert finding([size], "largest-size").value == pytest.approx(16.0)


def test_a_placebo_that_does_as_well_as_the_run_counts_against_it():
    arms = [
        arm(group=ArmGroup.PLACEBO, reference=True, name="run"),
        *(
            arm(group=ArmGroup.PLACEBO, more_bps=more, name=str(more))
            for more in (-9.0, -1.0, 0.0, 2.0)
        ),
        arm(TRADES.clear(), group=ArmGroup.PLACEBO, name="idle"),
    ]
    share = finding(arms, "share-as-good")
    assert (share.value, share.n) == (0.5, 4)
    together = finding(arms, "expectancy").value
    assert together == pytest.approx(float(TRADES["net_bps"].mean()) - 2.0)


def delays(*slopes: float) -> list[Arm]:
    """Return arms at minutes of delay; a minute costs what is given, and aged fills are late."""
    return [
        arm(
            TRADES.with_columns(pl.col("age_seconds") + 60.0 * minute),
            group=ArmGroup.LATENCY,
            parameter=60.0 * minute,
            more_bps=sum(slopes[:minute]),
            name=f"{minute}",
        )
        for minute in range(len(slopes) + 1)
    ]


def test_the_price_of_a_minute_of_delay_clusters_by_session():
    """By hand: Cameron and Miller (2015), with their correction for few clusters."""
    noise = np.random.default_rng(5).normal(0.0, 3.0, TRADES.height)
    arms = [
        Arm(
            each.group,
            each.id,
            each.words,
            each.parameter,
            each.trades.with_columns(net_bps=pl.col("net_bps") + place * pl.Series(noise)),
        )
        for place, each in enumerate(delays(-1.0, -1.0, -1.0))
    ]
    rows = pl.concat(each.trades for each in arms)
    x = np.repeat(np.arange(4.0), TRADES.height)
    y = rows["net_bps"].to_numpy()
    cluster = session_index(rows["session"], RUN.sessions)
    design = np.column_stack((np.ones_like(x), x))
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    residual = y - design @ beta
    scores = np.array([design[cluster == k].T @ residual[cluster == k] for k in range(DAYS)])
    correction = DAYS / (DAYS - 1) * (y.size - 1) / (y.size - 2)
    error = np.sqrt((correction * inverse @ scores.T @ scores @ inverse)[1, 1])
    slope = finding(arms, "slope")
    assert slope.value == pytest.approx(beta[1])
    assert slope.upper - slope.value == pytest.approx(2.0930 * error, rel=1e-4)  # t, 19 degrees
    assert finding(arms, "trend-p-value").value < 0.5


def test_delays_that_lead_to_the_same_fills_count_once():
    arms = delays(0.0, 0.0, -3.0)
    assert finding(arms, "slope").n == 2 * TRADES.height


def test_fills_of_all_delays_are_told_apart_by_their_age():
    arms = delays(-1.0, -1.0, -1.0, -1.0)
    counts = [finding(arms, f"win rate {name}").n for name in ("under 2 min", "2 to 5 min")]
    ages = np.concatenate([each.trades["age_seconds"].to_numpy() for each in arms])
    assert counts == [int((ages < 120).sum()), int(((ages >= 120) & (ages < 300)).sum())]
    assert finding(arms, "win rate 5 min and over").n == int((ages >= 300).sum())
