"""The null of matched random entries, on a tape whose candidates can be counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from hedgeflow.evidence.nulls import matched_p_value
from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.market.time import MINUTE_NS, instant_ns
from hedgeflow.replay import HedgeTape
from hedgeflow.strategies.settings import Costs, Null
from hedgeflow.strategies.volume_shock.config import Plan, VolumeShockConfig
from hedgeflow.strategies.volume_shock.exits import exit_on_ticks
from hedgeflow.studies.exit_rules import exit_rule
from hedgeflow.studies.matched_entries import (
    _candidates,
    direction_null,
    matched_null,
    session_direction_null,
    turned,
)

NOON = instant_ns(datetime(2025, 5, 8, 12, tzinfo=UTC))
PERPETUAL = HedgeInstrument("BTC-PERP", "binance", "BTC", HedgeKind.PERPETUAL)
STOCK = HedgeInstrument("AAPL", "usa", "AAPL", HedgeKind.STOCK, standard_contract_units=100.0)


def tape_of(prices, start: int = NOON - 180 * MINUTE_NS, **changes) -> HedgeTape:
    """Return minute bars that open, close, high and low at one price each."""
    starts = start + np.arange(len(prices)) * MINUTE_NS
    frame = pl.DataFrame(
        {
            "ts": starts,
            "open": prices,
            "high": prices,
            "low": prices,
            "close": prices,
            "volume": np.ones(len(prices)),
        }
    )
    instrument = changes.pop("instrument", PERPETUAL)
    return HedgeTape.from_bars(frame, instrument, MINUTE_NS, **changes)


def trades_of(*entries: tuple[int, int, int], net_bps: float = 0.0) -> pl.DataFrame:
    """Return trades from (entry, exit, direction) with barriers no price reaches, costs nothing."""
    return pl.DataFrame(
        {
            "entry_ns": [entry for entry, _, _ in entries],
            "exit_ns": [leave for _, leave, _ in entries],
            "direction": [direction for _, _, direction in entries],
            "target_distance": [1e6] * len(entries),
            "stop_distance": [1e6] * len(entries),
            "limit_minutes": [8.0] * len(entries),
            "units": [1.0] * len(entries),
            "entry_price": [100.0] * len(entries),
            "fees_usd": [0.0] * len(entries),
            "spread_usd": [0.0] * len(entries),
            "slippage_usd": [0.0] * len(entries),
            "net_bps": [net_bps] * len(entries),
            "exit_reason": ["EXIT_TIME_LIMIT"] * len(entries),
        }
    )


def candidates(tape, entry, leave, grid=None):
    """Return what `_candidates` does for trades of an hour's match that end by target and stop."""
    trades = pl.DataFrame({"entry_ns": entry, "exit_ns": leave})
    closed = exit_rule(trades, tape, VolumeShockConfig()).closed_from_ns()
    grid = tape.bars.start_ns if grid is None else grid
    return _candidates(grid, tape.sessions, entry, leave, closed, 60 * MINUTE_NS)


def few_draws(**changes) -> VolumeShockConfig:
    return VolumeShockConfig(null=Null(draws_on_bars=400, **changes))


def test_candidates_lie_within_an_hour_on_either_side_and_never_in_the_holding_time():
    tape = tape_of(np.full(360, 100.0))
    entry, leave = np.array([NOON]), np.array([NOON + 8 * MINUTE_NS])
    first, count, own = candidates(tape, entry, leave)
    starts = tape.bars.start_ns
    before = starts[first[0, 0] : first[0, 0] + count[0, 0]]
    after = starts[first[0, 1] : first[0, 1] + count[0, 1]]
    assert starts[own[0]] == NOON
    assert before.tolist() == [NOON - k * MINUTE_NS for k in range(60, 0, -1)]
    assert after.tolist() == [NOON + k * MINUTE_NS for k in range(8, 61)]


def test_candidates_stay_in_the_session_of_their_trade():
    midnight = instant_ns(datetime(2025, 5, 8, tzinfo=UTC))
    tape = tape_of(np.full(360, 100.0), start=midnight - 180 * MINUTE_NS)
    entry, leave = np.array([midnight + 5 * MINUTE_NS]), np.array([midnight + 9 * MINUTE_NS])
    first, count, _ = candidates(tape, entry, leave)
    assert tape.bars.start_ns[first[0, 0]] == midnight
    assert count[0, 0] == 5


def test_no_candidate_lies_where_the_strategy_must_be_flat():
    """XNYS closes at 20:00 UTC; from 19:30 on there are no entries, so none at random either."""
    close = instant_ns(datetime(2025, 5, 8, 20, tzinfo=UTC))
    tape = tape_of(np.full(390, 100.0), close - 390 * MINUTE_NS, instrument=STOCK)
    entry, leave = np.array([close - 60 * MINUTE_NS]), np.array([close - 55 * MINUTE_NS])
    first, count, _ = candidates(tape, entry, leave)
    last = tape.bars.start_ns[first[0, 1] + count[0, 1] - 1]
    assert last == close - 31 * MINUTE_NS


def test_random_entries_on_a_straight_line_earn_what_the_line_earns():
    """Up a thousandth a minute for 8 minutes and no costs: every long earns the same."""
    prices = 100.0 * 1.001 ** np.arange(360)
    null = matched_null(trades_of((NOON, NOON + 8 * MINUTE_NS, 1)), tape_of(prices), few_draws())
    assert null is not None
    assert null.mean_net_bps == pytest.approx(np.full(400, (1.001**8 - 1) * 1e4))
    assert (null.win_rate == 1.0).all()


def test_the_trades_themselves_are_followed_as_the_draws_are():
    """What was recorded of the trade is not asked: coherence compares the two."""
    prices = 100.0 * 1.001 ** np.arange(360)
    trades = trades_of((NOON, NOON + 8 * MINUTE_NS, -1), net_bps=77.0)
    for null in (
        matched_null(trades, tape_of(prices), few_draws()),
        direction_null(trades, tape_of(prices), few_draws()),
    ):
        assert null is not None
        assert null.observed_mean_net_bps == pytest.approx(-(1.001**8 - 1) * 1e4)
        assert null.observed_win_rate == 0.0


def test_an_exit_that_no_draw_makes_is_taken_as_it_was():
    trades = trades_of((NOON, NOON + 3 * MINUTE_NS, 1), net_bps=77.0).with_columns(
        exit_reason=pl.lit("EXIT_HEDGE_COMPLETE")
    )
    null = direction_null(trades, tape_of(np.full(360, 100.0)), few_draws())
    assert null is not None
    assert null.observed_mean_net_bps == 77.0


def test_the_mix_of_directions_is_kept_and_dealt_out_again():
    prices = 100.0 * 1.001 ** np.arange(360)
    trades = trades_of(
        (NOON, NOON + 8 * MINUTE_NS, 1), (NOON + 30 * MINUTE_NS, NOON + 38 * MINUTE_NS, -1)
    )
    null = matched_null(trades, tape_of(prices), few_draws())
    assert null is not None
    assert (null.win_rate == 0.5).all()


def test_each_draw_pays_the_trades_own_costs():
    trades = trades_of((NOON, NOON + 8 * MINUTE_NS, 1)).with_columns(
        fees_usd=pl.lit(0.1), spread_usd=pl.lit(0.01)
    )
    null = matched_null(trades, tape_of(np.full(360, 100.0)), few_draws())
    assert null is not None
    assert null.mean_net_bps == pytest.approx(np.full(400, -11.0))


def test_the_gap_rule_of_the_plan_ends_random_positions_too():
    """Bars every two minutes: with a gap of one bar length each position ends at the next open."""
    prices = 100.0 * 1.001 ** np.arange(0, 360)
    full = tape_of(prices)
    starts = full.bars.start_ns[::2]
    frame = pl.DataFrame(
        {
            "ts": starts,
            **dict.fromkeys(("open", "high", "low", "close"), prices[::2]),
            "volume": np.ones(starts.size),
        }
    )
    tape = HedgeTape.from_bars(frame, PERPETUAL, MINUTE_NS)
    config = VolumeShockConfig(plan=Plan(gap_bars=1.0), null=Null(draws_on_bars=200))
    null = matched_null(trades_of((NOON, NOON + 2 * MINUTE_NS, 1)), tape, config)
    assert null is not None
    assert null.mean_net_bps == pytest.approx(np.full(200, (1.001**2 - 1) * 1e4))


def test_a_trade_without_any_candidate_keeps_its_own_entry():
    prices = np.concatenate((np.full(8, 100.0), [101.0]))
    tape = tape_of(prices, start=NOON)
    null = matched_null(trades_of((NOON, NOON + 9 * MINUTE_NS, 1)), tape, few_draws())
    assert null is not None
    assert null.mean_net_bps == pytest.approx(np.full(400, 100.0))


def test_no_trades_have_no_null():
    assert matched_null(trades_of(), tape_of(np.full(20, 100.0)), few_draws()) is None


def test_the_same_seed_draws_the_same_null_and_another_seed_another():
    rng = np.random.default_rng(3)
    tape = tape_of(100.0 * np.exp(np.cumsum(rng.normal(0, 1e-3, 360))))
    trades = trades_of((NOON, NOON + 8 * MINUTE_NS, 1))
    one, same = (matched_null(trades, tape, few_draws()) for _ in range(2))
    other = matched_null(trades, tape, few_draws().model_copy(update={"seed": 1}))
    assert one is not None
    assert same is not None
    assert other is not None
    assert (one.mean_net_bps == same.mean_net_bps).all()
    assert (one.mean_net_bps != other.mean_net_bps).any()


def test_on_quotes_a_random_entry_pays_the_spread_and_waits_for_its_latency():
    """The ask is 100.1, the bid 99.9: a long that goes nowhere loses the whole spread."""
    at_ns = NOON - 90 * MINUTE_NS + np.arange(180 * 60) * 1_000_000_000
    quotes = pl.DataFrame(
        {"ts": at_ns, "bid": np.full(at_ns.size, 99.9), "ask": np.full(at_ns.size, 100.1)}
    )
    tape = HedgeTape.from_ticks(None, quotes, PERPETUAL)
    config = VolumeShockConfig(costs=Costs(latency_ms=1_000), null=Null(draws_on_ticks=100))
    null = matched_null(trades_of((NOON, NOON + 8 * MINUTE_NS, 1)), tape, config)
    assert null is not None
    assert null.mean_net_bps == pytest.approx(np.full(100, (99.9 / 100.1 - 1) * 1e4))


def trend_after_alerts(way, steps: int = 8):
    """Return a tape that moves steadily after each of some alerts, by their signs, and trades."""
    flat = 20
    prices = [100.0]
    entries = []
    for sign in way:
        entries.append(NOON + (len(prices) - 1) * MINUTE_NS)
        prices += [prices[-1] * (1.0 + 0.001 * sign) ** k for k in range(1, steps + 1)]
        prices += [prices[-1]] * flat
    tape = tape_of(np.array(prices), start=NOON)
    return tape, entries


def traded(tape, entries, directions) -> pl.DataFrame:
    """Return trades that leave after 8 minutes, with what they earned."""
    frame = trades_of(
        *((at, at + 8 * MINUTE_NS, way) for at, way in zip(entries, directions, strict=True))
    )
    place = np.searchsorted(tape.bars.start_ns, frame["entry_ns"].to_numpy())
    entered, left = tape.bars.open[place], tape.bars.open[place + 8]
    net = np.array(directions) * (left / entered - 1.0) * 1e4
    return frame.with_columns(net_bps=pl.Series(net), entry_price=pl.Series(entered))


def p_value(null) -> float:
    return matched_p_value(null.observed_mean_net_bps, null.mean_net_bps)[0]


def test_a_strategy_that_knows_the_moment_and_not_the_way_is_no_better_than_its_own_coin():
    """Prices move after every alert and a coin says which way: random minutes see no such moves."""
    rng = np.random.default_rng(2)
    moves, guesses = rng.choice([-1, 1], 60), rng.choice([-1, 1], 60)
    tape, entries = trend_after_alerts(moves)
    null = direction_null(traded(tape, entries, guesses), tape, few_draws())
    assert p_value(null) > 0.05
    assert null.mean_net_bps.std() > 5.0


def test_a_strategy_that_knows_the_way_beats_its_own_directions_dealt_out_again():
    moves = np.random.default_rng(2).choice([-1, 1], 60)
    tape, entries = trend_after_alerts(moves)
    null = direction_null(traded(tape, entries, moves), tape, few_draws())
    assert p_value(null) == pytest.approx(1 / 401)
    assert null.observed_win_rate == 1.0


def test_trades_of_one_direction_say_nothing_of_directions():
    tape, entries = trend_after_alerts([1] * 20)
    null = direction_null(traded(tape, entries, [1] * 20), tape, few_draws())
    assert null.mean_net_bps == pytest.approx(null.observed_mean_net_bps)
    assert p_value(null) == 1.0


def in_sessions(trades: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return trades of which so many sessions each have as many."""
    names = [f"2025-05-{1 + row * count // trades.height:02d}" for row in range(trades.height)]
    return trades.with_columns(session=pl.Series(names))


def test_all_trades_of_a_session_are_turned_together_and_sessions_apart():
    session = np.array([0, 0, 1, 2, 2, 2])
    bought = np.array([1, 0, 1, 1, 1, 0], dtype=np.int8)
    drawn = turned(np.random.default_rng(1), bought, session, 4_000)
    flipped = drawn != bought
    for number in range(3):
        own = flipped[:, session == number]
        assert (own.all(axis=1) | ~own.any(axis=1)).all()
    patterns, counts = np.unique(flipped[:, [0, 2, 3]], axis=0, return_counts=True)
    assert len(patterns) == 8
    assert counts.min() > 400


def test_one_good_day_of_many_trades_is_one_day():
    """Every trade goes with its session's drift by luck of seven sessions: dealt one by one, the
    directions look known; turned by session, one pattern of 128 is as good."""
    moves = np.repeat([1, -1, 1, 1, -1, 1, -1], 6)
    tape, entries = trend_after_alerts(moves)
    trades = in_sessions(traded(tape, entries, moves), 7)
    assert p_value(direction_null(trades, tape, few_draws())) == pytest.approx(1 / 401)
    null = session_direction_null(trades, tape, few_draws())
    assert null.distinct == 128
    assert 0.001 < p_value(null) < 0.03
    assert null.observed_win_rate == 1.0


def test_the_level_holds_where_sessions_drift_and_their_trades_go_one_way():
    """Where nobody knows the way, but all six trades of a session share it and meet its drift,
    turning sessions rejects as often as it says and dealing trades far more often."""
    rng = np.random.default_rng(3)
    session = np.repeat(np.arange(12), 6)
    rejected = {"sessions": 0, "trades": 0}
    for _ in range(300):
        way = np.repeat(rng.choice([-1, 1], 12), 6)
        gain = np.repeat(rng.normal(size=12), 6) + rng.normal(size=72)
        bought = (way > 0).astype(np.int8)
        by_session = turned(rng, bought, session, 200) * 2 - 1
        by_trade = rng.permuted(np.tile(way, (200, 1)), axis=1)
        observed = float((way * gain).mean())
        for name, drawn in (("sessions", by_session), ("trades", by_trade)):
            p, _ = matched_p_value(observed, (drawn * gain).mean(axis=1))
            rejected[name] += p <= 0.05
    assert rejected["sessions"] <= 25  # 15 expected of 300, 3 deviations of 3.8 above
    assert rejected["trades"] > 40


def test_no_trades_have_no_sessions_to_turn():
    trades = in_sessions(trades_of(), 1)
    assert session_direction_null(trades, tape_of(np.full(20, 100.0)), few_draws()) is None


def test_dealt_directions_enter_on_their_own_side_of_the_quotes_at_the_same_tick():
    at_ns = NOON + np.arange(3_600) * 1_000_000_000
    rising = 100.0 * 1.0001 ** np.arange(at_ns.size)
    quotes = pl.DataFrame({"ts": at_ns, "bid": rising - 0.1, "ask": rising + 0.1})
    tape = HedgeTape.from_ticks(None, quotes, PERPETUAL)
    trades = trades_of(
        (NOON + 60_000_000_000, NOON + 9 * MINUTE_NS, 1),
        (NOON + 1_200_000_000_000, NOON + 29 * MINUTE_NS, -1),
    )
    null = direction_null(trades, tape, VolumeShockConfig(null=Null(draws_on_ticks=100)))
    leave = 8 * 60 + 1  # the limit, and a second of latency

    def earned(second: int, side: int) -> float:
        entered = rising[second] + side * 0.1
        left = rising[second + leave] - side * 0.1
        return side * (left / entered - 1.0) * 1e4

    either = {round((earned(60, side) + earned(1_200, -side)) / 2.0, 6) for side in (1, -1)}
    assert {round(value, 6) for value in null.mean_net_bps.tolist()} == either


def test_no_trades_have_no_directions():
    assert direction_null(trades_of(), tape_of(np.full(20, 100.0)), few_draws()) is None


def test_every_draw_is_what_its_trades_earn_walked_tick_by_tick():
    """The same generator by hand, on quotes with gaps: no table of candidates, no index."""
    rng = np.random.default_rng(8)
    minute = rng.choice([0, 1, 2, 9], 6_000, p=[0.97, 0.02, 0.009, 0.001])
    at_ns = (
        NOON - 300 * MINUTE_NS + np.cumsum(minute * MINUTE_NS + rng.integers(0, 5 * 10**9, 6_000))
    )
    middle = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, at_ns.size)))
    quotes = pl.DataFrame({"ts": at_ns, "bid": middle - 0.01, "ask": middle + 0.01})
    tape = HedgeTape.from_ticks(None, quotes, PERPETUAL)
    entries = (NOON - 100 * MINUTE_NS, NOON, NOON + 60 * MINUTE_NS)
    trades = trades_of(
        *((at, at + 6 * MINUTE_NS, way) for at, way in zip(entries, (1, -1, 1), strict=True))
    ).with_columns(target_distance=pl.lit(0.15), stop_distance=pl.lit(0.15))
    config = VolumeShockConfig(null=Null(draws_on_ticks=100))
    null = matched_null(trades, tape, config)
    assert null is not None

    grid = np.arange(at_ns[0] // MINUTE_NS + 1, at_ns[-1] // MINUTE_NS) * MINUTE_NS
    leave = trades["exit_ns"].to_numpy()
    first, count, _ = candidates(tape, np.array(entries), leave, grid)
    places = [
        [*range(f[0], f[0] + c[0]), *range(f[1], f[1] + c[1])]
        for f, c in zip(first.tolist(), count.tolist(), strict=True)
    ]
    again = np.random.default_rng(config.seed)
    picks = (again.random((100, 3)) * [len(each) for each in places]).astype(int)
    ways = again.permuted(np.tile([1, -1, 1], (100, 1)), axis=1)
    reasons = set()
    for draw in range(100):
        net = []
        for trade in range(3):
            side = int(ways[draw, trade])
            arrival = grid[places[trade][picks[draw, trade]]] + 10**9
            entry = int(np.searchsorted(at_ns, arrival))
            entered = (quotes["ask"] if side > 0 else quotes["bid"])[entry]
            exits = (quotes["bid"] if side > 0 else quotes["ask"]).to_numpy()
            left, _, reason, _ = exit_on_ticks(
                at_ns, exits, entry, entered, side, 0.15, 0.15, 8 * MINUTE_NS, 10**9
            )
            net.append(side * (left / entered - 1.0) * 1e4)
            reasons.add(reason)
        assert null.mean_net_bps[draw] == pytest.approx(np.mean(net), rel=1e-12)
    assert reasons == {1, 2, 3}
