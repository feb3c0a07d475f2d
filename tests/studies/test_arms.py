"""The same alerts run other ways, on a small simulated market with ticks and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hedgeflow.evidence import ArmGroup
from hedgeflow.journal import Journal
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.replay import replay_alerts
from hedgeflow.simulate import scenario
from hedgeflow.strategies.claims import RiskControl
from hedgeflow.strategies.settings import Costs
from hedgeflow.strategies.volume_shock.claims import DECLARATION
from hedgeflow.studies.arms import Rerun, arms_of
from hedgeflow.studies.arms.capacity import capacity_arms, impact_bps
from hedgeflow.studies.arms.controls import NEVER_BOUND, control_arms
from hedgeflow.studies.arms.costs import cost_arms, spread_times
from hedgeflow.studies.arms.days import session_bars
from hedgeflow.studies.arms.latency import DELAYS_SECONDS, latency_arms
from hedgeflow.studies.arms.placebos import OTHER_SESSIONS, SHIFTS_MINUTES, placebo_arms
from hedgeflow.studies.arms.stress import stress_arms
from hedgeflow.studies.backtesting import backtest
from hedgeflow.studies.scenario_settings import config_of
from hedgeflow.studies.shock_study import ShockStudy
from hedgeflow.studies.shock_tables import evidence_tables
from hedgeflow.studies.simulated_markets import market_in_memory

STUDY = ShockStudy()
COSTS = ("fees_usd", "spread_usd", "slippage_usd")


def rerun_of(market, config, folder, **changes) -> Rerun:
    with Journal.open(folder / "journal.sqlite") as journal:
        result = backtest(market, config, journal)
    tables, _ = evidence_tables(market, config, result)
    return replace(Rerun(market, config, result, None, STUDY, tables.sessions), **changes)


@pytest.fixture(scope="module")
def simulated():
    small = scenario("effect", days=7, seed=7)
    config = config_of(small)
    slipping = {"costs": config.costs.model_dump() | {"slippage_bps": 1.0}}
    return market_in_memory(small, config)[0], config.model_copy(
        update={"costs": Costs(**slipping["costs"])}
    )


@pytest.fixture(scope="module")
def on_ticks(simulated, tmp_path_factory) -> Rerun:
    return rerun_of(*simulated, tmp_path_factory.mktemp("ticks"))


@pytest.fixture(scope="module")
def on_bars(simulated, tmp_path_factory) -> Rerun:
    market, config = simulated
    bars = replace(market, quotes=None, quotes_key=None)
    return rerun_of(bars, config, tmp_path_factory.mktemp("bars"))


@pytest.fixture(params=["on_ticks", "on_bars"])
def rerun(request) -> Rerun:
    return request.getfixturevalue(request.param)


def by_id(arms):
    return {arm.id: arm for arm in arms}


def test_a_replay_without_a_change_is_the_record_itself(rerun):
    assert rerun.own.height > 10
    assert rerun.trades().equals(rerun.own)


def test_every_group_has_its_arms_and_where_it_has_the_run_that_is_the_record(rerun):
    arms = arms_of(rerun)
    assert {arm.group for arm in arms} == set(ArmGroup) - {ArmGroup.DIRECTION}
    for arm in arms:
        if arm.reference:
            for name in ("alert_id", "net_usd", "net_bps", "exit_ns"):
                assert arm.trades[name].equals(rerun.own[name])
    groups = [arm.group for arm in arms if arm.reference]
    assert groups == [ArmGroup.COST, ArmGroup.LATENCY, ArmGroup.PLACEBO]


def test_a_run_without_trades_has_no_arms(on_bars):
    result = replace(on_bars.result, trades=on_bars.result.trades.clear())
    assert arms_of(replace(on_bars, result=result)) == []


def test_arms_are_neither_journalled_nor_counted(simulated, tmp_path):
    market, config = simulated
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        result = backtest(market, config, journal)
        tables, _ = evidence_tables(market, config, result)
        runs = journal.runs()
        arms_of(Rerun(market, config, result, None, STUDY, tables.sessions))
        assert journal.runs().equals(runs)
        assert backtest(market, config, journal).configurations == 1


# --- costs --------------------------------------------------------------------------------------


def test_the_multiple_scales_fees_spread_and_slippage_each(on_bars):
    own = on_bars.own
    assert all((own[name] > 0).all() for name in COSTS)
    for multiple in (0.0, 2.0):
        config = on_bars.changed({"costs": {"cost_multiple": multiple}})
        both = on_bars.trades(config=config).join(own, on="alert_id", suffix="_own")
        same = both.filter(pl.col("units") == pl.col("units_own"))
        assert same.height > 10
        for name in COSTS:
            expected = multiple * same[f"{name}_own"].to_numpy()
            np.testing.assert_allclose(same[name].to_numpy(), expected, rtol=1e-12)


def test_without_costs_a_fill_at_quotes_is_at_their_middle(on_ticks):
    tape = spread_times(on_ticks.result.tape, 0.0)
    trades = on_ticks.trades(tape=tape, config=on_ticks.changed({"costs": {"cost_multiple": 0.0}}))
    quotes = on_ticks.result.tape.ticks
    place = np.searchsorted(quotes.at_ns, trades["entry_ns"].to_numpy())
    middle = (quotes.bid[place] + quotes.ask[place]) / 2.0
    np.testing.assert_allclose(trades["entry_price"].to_numpy(), middle, rtol=1e-12)
    free = by_id(cost_arms(on_ticks))["0x"].trades
    np.testing.assert_array_equal(free["net_usd"], trades["gross_usd"])


def test_quotes_of_twice_the_spread_are_twice_as_far_from_their_middle(on_ticks):
    own, wide = on_ticks.result.tape.ticks, spread_times(on_ticks.result.tape, 2.0).ticks
    np.testing.assert_allclose(wide.ask - wide.bid, 2.0 * (own.ask - own.bid), rtol=1e-6)
    np.testing.assert_allclose(wide.ask + wide.bid, own.ask + own.bid, rtol=1e-12)


def test_costs_of_a_run_that_was_charged_other_costs_are_those_of_the_tables(simulated, tmp_path):
    market, config = simulated
    costs = config.costs.model_copy(update={"cost_multiple": 1.5})
    bars = replace(market, quotes=None, quotes_key=None)
    arms = cost_arms(rerun_of(bars, config.model_copy(update={"costs": costs}), tmp_path))
    assert [arm.parameter for arm in arms] == [0.0, 1.0, 1.5, 2.0]
    assert [arm.parameter for arm in arms if arm.reference] == [1.5]


# --- delays -------------------------------------------------------------------------------------


def test_a_delay_moves_entries_and_leaves_exits_as_fast_as_they_were(on_ticks):
    arms = by_id(latency_arms(on_ticks))
    assert [arm.parameter for arm in arms.values()] == [float(each) for each in DELAYS_SECONDS]
    ages = [arm.trades["age_seconds"].median() for arm in arms.values()]
    assert np.diff(ages) == pytest.approx(np.diff(DELAYS_SECONDS), abs=3.0)
    late = arms["600s"]
    assert late.trades.height > 0
    assert late.trades["age_seconds"].min() >= 600.0
    assert "age limit was lifted" in late.note
    held = late.trades["hold_minutes"].max()
    assert held <= on_ticks.own["limit_minutes"].max() + 0.5


def test_delays_that_bars_cannot_tell_apart_are_named(on_bars):
    arms = by_id(latency_arms(on_bars))
    assert "cannot tell them apart" in arms["1s"].note
    assert arms["1s"].trades["net_usd"].equals(arms["0s"].trades["net_usd"])
    assert "cannot tell" not in arms["120s"].note


# --- placebos -----------------------------------------------------------------------------------


def entries(rerun, arm) -> pl.DataFrame:
    """Return an arm's trades beside their alerts and what was seen of their events."""
    events = rerun.result.scan.events.select("event_id", "first_ns", "last_ns")
    alerts = rerun.result.alerts.select("alert_id", "event_id", "detected_ns")
    held = (pl.col("hold_minutes") * MINUTE_NS).round().cast(pl.Int64)
    return (
        arm.trades.join(alerts, on="alert_id")
        .join(events, on="event_id")
        .with_columns(enter_ns=pl.col("exit_ns") - held)
    )


def test_no_placebo_is_in_the_market_while_its_own_event_is_hedged(rerun):
    arms = by_id(placebo_arms(rerun, rerun.config))
    window_ns = round(max(rerun.config.anomaly.windows_seconds) * SECOND_NS)
    moved = [arm for name, arm in arms.items() if name not in {"run", "flipped"}]
    assert len(moved) == len(SHIFTS_MINUTES) + len(OTHER_SESSIONS)
    seen = 0
    for arm in moved:
        rows = entries(rerun, arm)
        after = pl.col("enter_ns") > pl.col("last_ns") + 15 * MINUTE_NS
        latency_ns = 2 * MINUTE_NS  # to the next bar, and an exit order's way
        before = pl.col("exit_ns") <= pl.col("first_ns") - window_ns + latency_ns
        assert rows.filter(~(after | before)).is_empty()
        seen += rows.height
    assert seen > 100


def test_shifted_placebos_stay_in_their_session_and_enter_when_they_should(rerun):
    sessions = rerun.result.tape.sessions
    for shift in SHIFTS_MINUTES:
        arm = by_id(placebo_arms(rerun, rerun.config))[f"{shift:+d}min"]
        rows = entries(rerun, arm)
        mine = sessions.index_of(rows["enter_ns"].to_numpy())
        assert (mine == sessions.index_of(rows["detected_ns"].to_numpy())).all()
        late = (rows["enter_ns"] - rows["detected_ns"]).to_numpy() / MINUTE_NS
        assert ((late >= shift) & (late < shift + 3)).all()


def test_other_sessions_have_the_same_minute(rerun):
    arm = by_id(placebo_arms(rerun, rerun.config))["-1sessions"]
    rows = entries(rerun, arm)
    days = (rows["enter_ns"] - rows["detected_ns"]).to_numpy() / (24 * 60 * MINUTE_NS)
    assert days == pytest.approx(np.full(rows.height, -1.0), abs=0.01)
    assert "alerts had no such time" in arm.note  # the first session has none before it


def test_flipped_directions_enter_at_the_same_time_on_the_other_side(on_ticks):
    alerts = on_ticks.result.alerts.head(1)
    other = {"BUY_FUTURES": "SELL_FUTURES", "SELL_FUTURES": "BUY_FUTURES"}
    flipped = alerts.with_columns(pl.col("direction").replace_strict(other))
    one, turned = (
        replay_alerts(each, on_ticks.result.tape, on_ticks.config).trades
        for each in (alerts, flipped)
    )
    assert turned["entry_ns"].equals(one["entry_ns"])
    assert turned["direction"][0] == -one["direction"][0]
    arm = by_id(placebo_arms(on_ticks, on_ticks.config))["flipped"]
    [net] = arm.trades.filter(pl.col("alert_id") == alerts["alert_id"][0])["net_usd"]
    assert net == pytest.approx(turned["net_usd"][0])


# --- risk controls ------------------------------------------------------------------------------


def test_the_controls_of_the_specification_are_declared_and_their_settings_change_something(
    on_bars,
):
    names = {control.id for control in DECLARATION.controls}
    assert {"stop", "time-limit", "target", "sizing", "daily-limit", "one-position"} <= names
    assert {"volatility-filter", "volume-filter", "earnings-filter", "release-filter"} <= names
    for control in DECLARATION.controls:
        assert on_bars.changed(control.off) != on_bars.config


def test_every_control_has_its_arm_and_one_that_never_bound_says_so(rerun):
    arms = by_id(control_arms(rerun))
    assert list(arms) == [control.id for control in DECLARATION.controls]
    volume = arms["volume-filter"]
    assert volume.note == NEVER_BOUND
    assert arms["earnings-filter"].note == f"{NEVER_BOUND} No calendar was given."
    assert volume.trades["net_usd"].equals(rerun.own["net_usd"])
    assert not arms["target"].trades["net_usd"].equals(rerun.own["net_usd"])


def test_switching_the_stop_off_keeps_the_size_of_the_first_trade(rerun):
    """Later sizes may follow the account, which a stop that is off has changed."""
    without = rerun.trades(config=rerun.changed({"plan": {"stop": False}}))
    assert without["size_contracts"][0] == rerun.own["size_contracts"][0]
    assert without["stop_distance"][0] == rerun.own["stop_distance"][0]
    assert "EXIT_STOP_HIT" not in without["exit_reason"].to_list()


def test_a_control_of_another_strategy_needs_no_code_here(on_bars):
    control = RiskControl("small", "sizes", {"plan": {"base_contracts": 1.0}})
    other = ShockStudy(replace(DECLARATION, controls=(control,)))
    [arm] = control_arms(replace(on_bars, study=other))
    assert arm.words == "switched off: sizes"
    assert arm.note.startswith("Trades are on average 0.50 times as large as the run's")


# --- wild days ----------------------------------------------------------------------------------


def test_the_wildest_day_is_the_one_of_the_largest_realised_variance(rerun):
    wild, rest = stress_arms(rerun)
    frame = rerun.market.bars.with_columns(day=pl.col("ts").dt.date())
    variance = frame.group_by("day").agg(value=(pl.col("close").log().diff() ** 2).mean())
    traded = variance.filter(pl.col("day").cast(pl.String).is_in(rerun.sessions))
    expected = str(traded.sort("value", descending=True)["day"][0])
    assert wild.sessions == (expected,)
    assert wild.note.startswith(f"{expected}: realised volatility of at least")
    assert set(wild.trades["session"]) <= {expected}
    assert wild.trades.height + rest.trades.height == rerun.own.height
    assert expected not in rest.sessions


def test_a_bar_after_a_gap_is_no_return(on_bars):
    bars = on_bars.market.bars
    jump = bars.with_columns(
        pl.when(pl.col("ts") >= bars["ts"][700]).then(pl.col("close") * 2).otherwise("close")
        .alias("close")
    )  # fmt: skip
    gone = jump.filter(pl.col("ts") != bars["ts"][700])
    days = [session_bars(replace(on_bars.market, bars=each)) for each in (bars, jump, gone)]
    first = [each["variance"][0] for each in days]
    assert first[1] > 100 * first[0]
    assert first[2] == pytest.approx(first[0], rel=0.05)


# --- capacity -----------------------------------------------------------------------------------


def test_each_side_pays_the_root_of_its_share_of_a_bars_volume(on_bars):
    """By hand for the first trade: 1 × σ × √(Q / V), twice, and √5 times that at 5 times."""
    trade = on_bars.own.row(0, named=True)
    frame = on_bars.market.bars.filter(pl.col("ts").dt.date().cast(pl.String) == trade["session"])
    sigma = float(np.sqrt(np.mean(np.diff(np.log(frame["close"].to_numpy())) ** 2)))
    share = trade["units"] / float(frame["volume"].mean())
    expected = 1e4 * sigma * np.sqrt(share)
    assert impact_bps(on_bars, on_bars.own)[0] == pytest.approx(expected, rel=1e-9)
    arms = by_id(capacity_arms(on_bars))
    for name, size in (("1x", 1.0), ("5x", 5.0)):
        net = trade["net_bps"] - 2.0 * expected * np.sqrt(size)
        assert arms[name].trades["net_bps"][0] == pytest.approx(net)
        usd = net / 1e4 * size * trade["units"] * trade["entry_price"]
        assert arms[name].trades["net_usd"][0] == pytest.approx(usd)
