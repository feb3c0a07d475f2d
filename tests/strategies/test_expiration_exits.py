"""Positions are managed towards expiry: the order of looks, and the walks against slow ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.strategies.exits import (
    FLAG_END_OF_DATA,
    FLAG_GAP,
    FLAG_STOP_BEFORE_TARGET,
    Bars,
    Exit,
)
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig, Plan
from hedgeflow.strategies.expiration_pressure.exits import (
    CRISIS,
    EVOLVE,
    HIGH,
    LOW,
    NEVER_NS,
    Management,
    Positions,
    evolved,
    manage,
)
from hedgeflow.strategies.expiration_pressure.walks import exit_on_bars, exit_on_path
from hedgeflow.strategies.path_index import PathIndex

EXPIRY = 10_000 * MINUTE_NS
RULES = Management.of(ExpirationPressureConfig())
SOURCE = Management.of(ExpirationPressureConfig.source())
LATENCY = SECOND_NS
QUIET = (100.0, 101.0, 99.0, 100.0)


def before(minutes):
    """Return the instant so many minutes before expiry."""
    return EXPIRY - round(minutes * MINUTE_NS)


def look(minutes_left, price, urgency=LOW, *, deadline=10.0, rules=RULES, direction=1):
    """Return what is done with a position with target 120 and stop 85, or 80 and 115 if short."""
    target, stop = (120.0, 85.0) if direction > 0 else (80.0, 115.0)
    return manage(
        before(minutes_left), price, direction, target, stop, before(deadline), EXPIRY, urgency,
        rules,
    )  # fmt: skip


# --- the order of looks at one price -------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes_left", "price", "urgency", "expected"),
    [
        (60.0, 100.0, LOW, Exit.CONTINUE_HOLDING),
        (60.0, 85.0, LOW, Exit.EXIT_STOP_HIT),
        (60.0, 120.0, LOW, Exit.EXIT_TARGET_HIT),
        (2.0, 120.0, CRISIS, Exit.EXIT_IMMEDIATE_TIME_DANGER),
        (2.0, 80.0, LOW, Exit.EXIT_IMMEDIATE_TIME_DANGER),
        (2.0001, 100.0, CRISIS, Exit.EXIT_TIME_LIMIT),
        (14.0, 85.0, LOW, Exit.EXIT_STOP_HIT),
        (14.0, 120.0, LOW, Exit.EXIT_TARGET_HIT),
        (14.0, 100.0, LOW, EVOLVE),
        (14.0, 100.0, HIGH, EVOLVE),
        (14.0, 100.0, CRISIS, Exit.CONTINUE_HOLDING),
        (15.0, 100.0, HIGH, Exit.CONTINUE_HOLDING),
        (45.0, 100.0, LOW, Exit.CONTINUE_HOLDING),
        (44.9, 100.0, LOW, EVOLVE),
        (9.0, 100.0, LOW, EVOLVE),
        (9.0, 100.0, CRISIS, Exit.EXIT_TIME_LIMIT),
    ],
)
def test_two_minutes_left_then_stop_then_target_then_evolution_then_the_time_limit(
    minutes_left, price, urgency, expected
):
    assert look(minutes_left, price, urgency) == expected


def test_a_stop_tick_never_adds():
    assert look(14.0, 85.0) == Exit.EXIT_STOP_HIT
    assert look(14.0, 115.0, direction=-1) == Exit.EXIT_STOP_HIT


def test_the_sources_precedence_evolves_before_it_looks_at_stop_and_target():
    assert look(14.0, 85.0, rules=SOURCE) == EVOLVE
    assert look(14.0, 120.0, rules=SOURCE) == EVOLVE
    assert look(14.0, 85.0, CRISIS, rules=SOURCE) == Exit.EXIT_STOP_HIT
    assert look(2.0, 85.0, rules=SOURCE) == Exit.EXIT_IMMEDIATE_TIME_DANGER


def test_evolution_that_is_switched_off_leaves_the_urgency_as_it_was():
    rules = Management.of(ExpirationPressureConfig(plan=Plan(evolution=False)))
    assert look(14.0, 100.0, rules=rules) == Exit.CONTINUE_HOLDING


@pytest.mark.parametrize(
    ("direction", "price", "stop", "tightened"),
    [(1, 100.0, 85.0, 94.0), (1, 100.0, 96.0, 96.0), (-1, 100.0, 115.0, 106.0),
     (-1, 100.0, 104.0, 104.0)],
)  # fmt: skip
def test_the_stop_is_tightened_to_6_from_the_price_at_the_crossing_and_never_loosened(
    direction, price, stop, tightened
):
    urgency, after, _ = evolved(
        before(14.0), price, direction, stop, before(10.0), EXPIRY, 6.0, RULES
    )
    assert (urgency, after) == (CRISIS, tightened)


@pytest.mark.parametrize(("minutes_left", "buffer"), [(14.0, 3.0), (44.0, 8.0)])
def test_the_time_limit_becomes_what_is_left_less_the_buffer_of_the_new_urgency(
    minutes_left, buffer
):
    _, _, deadline = evolved(before(minutes_left), 100.0, 1, 85.0, before(10.0), EXPIRY, 6.0, RULES)
    assert deadline == before(buffer)


def test_low_becomes_high_without_a_tighter_stop():
    urgency, stop, _ = evolved(before(44.0), 100.0, 1, 85.0, before(10.0), EXPIRY, 6.0, RULES)
    assert (urgency, stop) == (HIGH, 85.0)


# --- on bars --------------------------------------------------------------------------------------


def bars_from(minutes_left, rows, starts=None):
    """Return minute bars of (open, high, low, close), the first so many minutes before expiry."""
    table = np.array(rows, dtype=np.float64)
    steps = np.arange(len(rows)) if starts is None else np.array(starts)
    start = before(minutes_left) + steps.astype(np.int64) * MINUTE_NS
    return Bars(start, *(np.ascontiguousarray(table[:, i]) for i in range(4)), MINUTE_NS)


def held(entry=0, **changes):
    """Return a long of urgency LOW: target 120, stop 15 away, 6 after the evolution."""
    fields = {
        "direction": 1, "target": 120.0, "stop_distance": 15.0, "tightened_distance": 6.0,
        "limit_ns": 50 * MINUTE_NS, "expiry_ns": EXPIRY, "urgency": LOW, "flat_ns": NEVER_NS,
    }  # fmt: skip
    return Positions([entry], **{**fields, **changes})


@dataclass(frozen=True)
class End:
    """How one position ended, minutes before expiry."""

    price: float
    minutes_left: float
    reason: Exit
    flags: int
    evolved_left: float | None
    evolved_price: float | None
    stop: float


def told(ends):
    """Return the one end in words."""
    crossed = int(ends.evolved[0]) >= 0
    return End(
        float(ends.price[0]),
        (EXPIRY - int(ends.ns[0])) / MINUTE_NS,
        Exit(ends.reason[0]),
        int(ends.flags[0]),
        (EXPIRY - int(ends.evolved_ns[0])) / MINUTE_NS if crossed else None,
        float(ends.evolved_price[0]) if crossed else None,
        float(ends.stop[0]),
    )


def on_bars(bars, rules=RULES, **changes):
    return told(exit_on_bars(bars, held(**changes), rules))


def test_a_low_position_evolves_at_the_first_open_with_less_than_15_minutes_left():
    found = on_bars(bars_from(60.0, [QUIET] * 60))
    assert (found.evolved_left, found.evolved_price, found.stop) == (14.0, 100.0, 94.0)
    assert (found.minutes_left, found.reason) == (3.0, Exit.EXIT_TIME_LIMIT)


def test_a_crisis_position_never_evolves():
    found = on_bars(bars_from(14.0, [QUIET] * 14), urgency=CRISIS, limit_ns=11 * MINUTE_NS)
    assert (found.evolved_left, found.minutes_left) == (None, 3.0)


def test_a_stop_through_the_open_of_the_crossing_exits_without_evolving():
    rows = [QUIET] * 46 + [(84.0, 84.5, 83.0, 84.0)] * 3
    found = on_bars(bars_from(60.0, rows))
    assert (found.reason, found.price, found.evolved_left) == (Exit.EXIT_STOP_HIT, 84.0, None)


def test_under_the_sources_precedence_the_same_open_evolves_and_the_next_one_leaves():
    rows = [QUIET] * 46 + [(84.0, 84.5, 83.0, 84.0), (83.0, 83.5, 82.0, 83.0)]
    found = on_bars(bars_from(60.0, rows), SOURCE)
    assert (found.reason, found.price, found.evolved_left) == (Exit.EXIT_STOP_HIT, 83.0, 14.0)
    assert found.stop == 85.0


def test_on_ticks_the_source_evolves_at_a_tick_beyond_the_stop_and_leaves_at_the_next():
    at_ns = np.array([before(20.0), before(14.0), before(13.0), before(12.0)], dtype=np.int64)
    path = PathIndex.of(at_ns, prices := np.array([100.0, 84.0, 83.0, 82.0]), prices)
    found = told(exit_on_path(path, held(), 100.0, SOURCE, 0))
    assert (found.price, found.minutes_left, found.evolved_left) == (83.0, 13.0, 14.0)
    found = told(exit_on_path(path, held(), 100.0, RULES, 0))
    assert (found.price, found.minutes_left, found.evolved_left) == (84.0, 14.0, None)


def test_the_tightened_stop_watches_the_bar_of_the_crossing():
    rows = [QUIET] * 46 + [(100.0, 101.0, 93.0, 95.0)] * 3
    found = on_bars(bars_from(60.0, rows))
    assert (found.reason, found.price, found.minutes_left) == (Exit.EXIT_STOP_HIT, 94.0, 13.0)


def test_nothing_is_held_with_less_than_2_minutes_left_however_late_the_fill():
    bars = bars_from(5.0, [QUIET] * 10)
    for entry in range(6):
        found = on_bars(bars, entry=entry, urgency=CRISIS, limit_ns=11 * MINUTE_NS)
        assert found.reason is Exit.EXIT_IMMEDIATE_TIME_DANGER
        assert found.minutes_left == min(2.0, 5.0 - entry)


def test_a_bar_that_would_end_with_less_than_2_minutes_left_is_left_at_its_open():
    start = np.array([before(13.0), before(8.0), before(3.0)], dtype=np.int64)
    flat = np.full(3, 100.0)
    bars = Bars(start, flat, flat + 1, flat - 1, flat, 5 * MINUTE_NS)
    found = on_bars(bars, urgency=CRISIS, limit_ns=20 * MINUTE_NS)
    assert (found.reason, found.minutes_left) == (Exit.EXIT_IMMEDIATE_TIME_DANGER, 3.0)


def test_a_fill_beyond_the_fixed_target_leaves_at_once():
    found = on_bars(bars_from(60.0, [(121.0, 122.0, 120.5, 121.0)] * 3))
    assert (found.reason, found.price, found.minutes_left) == (Exit.EXIT_TARGET_HIT, 121.0, 60.0)


def test_a_bar_that_touches_both_takes_the_stop_at_the_stop():
    found = on_bars(bars_from(60.0, [(100.0, 121.0, 84.0, 100.0)] * 2))
    assert (found.price, found.minutes_left) == (85.0, 59.0)
    assert (found.reason, found.flags) == (Exit.EXIT_STOP_HIT, FLAG_STOP_BEFORE_TARGET)


def test_a_short_is_the_mirror_of_a_long():
    rows = [QUIET] * 3 + [(100.0, 101.0, 79.0, 80.0)]
    found = on_bars(bars_from(60.0, rows), direction=-1, target=80.0)
    assert (found.reason, found.price, found.minutes_left) == (Exit.EXIT_TARGET_HIT, 80.0, 56.0)


def test_a_gap_a_flat_instant_and_the_end_of_data_end_a_position():
    gap = on_bars(bars_from(60.0, [QUIET] * 3, starts=[0, 1, 6]))
    assert (gap.reason, gap.flags, gap.minutes_left) == (Exit.EXIT_GAP, FLAG_GAP, 54.0)
    flat = on_bars(bars_from(60.0, [QUIET] * 9), flat_ns=before(55.5))
    assert (flat.reason, flat.minutes_left) == (Exit.EXIT_FLAT_BEFORE_CLOSE, 55.0)
    ended = on_bars(bars_from(60.0, [QUIET] * 3))
    assert (ended.reason, ended.flags) == (Exit.EXIT_END_OF_DATA, FLAG_END_OF_DATA)


def test_rules_that_are_switched_off_do_nothing_but_the_danger_stays():
    config = ExpirationPressureConfig(plan=Plan(time_limit=False, evolution=False))
    rows = [QUIET] * 60
    found = on_bars(bars_from(60.0, rows), Management.of(config), limit_ns=10**18)
    assert (found.reason, found.minutes_left) == (Exit.EXIT_IMMEDIATE_TIME_DANGER, 2.0)


def test_an_entry_outside_the_bars_or_a_target_that_is_no_number_is_refused():
    bars = bars_from(60.0, [QUIET] * 3)
    with pytest.raises(DataError, match="outside the 3 bars"):
        on_bars(bars, entry=3)
    with pytest.raises(DataError, match="must be finite"):
        on_bars(bars, target=np.nan)


# --- both walks against slow, obvious ones -------------------------------------------------------


class Slow:
    """One position, told price by price in the order of expiration-pressure.md 4."""

    def __init__(self, held, entry_price, entry_ns, source):
        self.held, self.source = held, source
        self.side = held.direction
        self.stop = entry_price - self.side * held.stop_distance
        self.deadline = entry_ns + held.limit_ns
        self.urgency, self.evolutions = held.urgency, []

    def rise(self, now, price):
        """Raise the urgency; return whether it rose into CRISIS."""
        left = (EXPIRY - now) / MINUTE_NS
        reached = CRISIS if left < 15 else HIGH if left < 45 else LOW
        if reached <= self.urgency:
            return False
        self.urgency = reached
        self.deadline = EXPIRY - (3 if reached == CRISIS else 8) * MINUTE_NS
        if reached == CRISIS:
            self.evolutions.append((now, price))
            tighter = price - self.side * self.held.tightened_distance
            self.stop = max(self.stop, tighter) if self.side > 0 else min(self.stop, tighter)
        return reached == CRISIS

    def is_stopped(self, price):
        return price <= self.stop if self.side > 0 else price >= self.stop

    def is_reached(self, price):
        return price >= self.held.target if self.side > 0 else price <= self.held.target

    def look(self, now, price):
        if (EXPIRY - now) / MINUTE_NS <= 2:
            return "EXIT_IMMEDIATE_TIME_DANGER"
        if self.source and self.rise(now, price):
            return None
        if self.is_stopped(price):
            return "EXIT_STOP_HIT"
        if self.is_reached(price):
            return "EXIT_TARGET_HIT"
        self.rise(now, price)
        return "EXIT_TIME_LIMIT" if now >= self.deadline else None


def slow_bars(bars, held, source):
    [entry] = held.entry
    position = Slow(held, bars.open[entry], int(bars.start_ns[entry]), source)
    previous = int(bars.start_ns[entry])
    for i in range(entry, bars.start_ns.size):
        begin, opened = int(bars.start_ns[i]), bars.open[i]
        end = begin + bars.interval_ns
        if begin - previous > 3 * bars.interval_ns:
            return opened, begin, "EXIT_GAP", position
        if begin >= held.flat_ns:
            return opened, begin, "EXIT_FLAT_BEFORE_CLOSE", position
        if end > EXPIRY - 2 * MINUTE_NS:
            return opened, begin, "EXIT_IMMEDIATE_TIME_DANGER", position
        why = position.look(begin, opened)
        if why:
            return opened, begin, why, position
        previous = begin
        if position.is_stopped(opened) or position.is_reached(opened):
            continue
        worst, best = bars.low[i], bars.high[i]
        if position.side < 0:
            worst, best = best, worst
        if position.is_stopped(worst):
            return position.stop, end, "EXIT_STOP_HIT", position
        if position.is_reached(best):
            return held.target, end, "EXIT_TARGET_HIT", position
    return bars.close[-1], int(bars.start_ns[-1]) + bars.interval_ns, "EXIT_END_OF_DATA", position


def slow_ticks(at_ns, price, held, entry_price, source):
    """Return instant of the order's arrival, reason and position, one tick after the other."""
    [entry] = held.entry
    begin = int(at_ns[entry])
    position = Slow(held, entry_price, begin, source)
    danger = EXPIRY - 2 * MINUTE_NS
    for i in range(entry, at_ns.size):
        now = int(at_ns[i])
        rise = {LOW: 45, HIGH: 15}.get(position.urgency)
        fixed = [(danger, "EXIT_IMMEDIATE_TIME_DANGER"), (held.flat_ns, "EXIT_FLAT_BEFORE_CLOSE")]
        passed = [each for each in fixed if each[0] <= now]
        if position.deadline < now and (rise is None or position.deadline <= before(rise)):
            passed.append((position.deadline, "EXIT_TIME_LIMIT"))
        if passed:
            due, why = min(passed, key=lambda each: each[0])
            early = LATENCY if why == "EXIT_IMMEDIATE_TIME_DANGER" else 0
            return max(due - early, begin) + LATENCY, why, position
        why = position.look(now, price[i])
        if why:
            return now + LATENCY, why, position
    return None, "EXIT_END_OF_DATA", position


STEPS = st.lists(st.integers(-3, 3), min_size=20, max_size=90)
WISHES = st.fixed_dictionaries(
    {
        "direction": st.sampled_from([1, -1]),
        "reward": st.integers(-2, 40),
        "stop_distance": st.integers(3, 30).map(float),
        "tightened_distance": st.integers(1, 12).map(float),
        "limit_ns": st.integers(5, 60).map(lambda minutes: minutes * MINUTE_NS),
        "urgency": st.sampled_from([LOW, HIGH, CRISIS]),
        "flat_ns": st.sampled_from(
            [NEVER_NS] * 20 + [before(minutes) for minutes in (-1, 2, 13, 14.5, 30)]
        ),
    }
)


def wished(wish, entry, entry_price):
    fields = {name: value for name, value in wish.items() if name != "reward"}
    target = entry_price + wish["direction"] * float(wish["reward"])
    return Positions([entry], target=target, expiry_ns=EXPIRY, **fields)


@settings(max_examples=250)
@given(
    steps=STEPS, spread=st.lists(st.integers(0, 4), min_size=20, max_size=90), wish=WISHES,
    first_left=st.integers(0, 60), gap_at=st.integers(0, 600), source=st.booleans(),
)  # fmt: skip
def test_the_walk_on_bars_is_the_slow_one(steps, spread, wish, first_left, gap_at, source):
    count = min(len(steps), len(spread))
    closes = 100.0 + np.cumsum(steps[:count])
    opens = np.concatenate(([100.0], closes[:-1] + 1.0))
    reach = np.array(spread[:count])
    high, low = np.maximum(opens, closes) + reach, np.minimum(opens, closes) - reach
    starts = np.arange(count) + np.where(np.arange(count) >= gap_at, 4, 0)
    rows = np.column_stack((opens, high, low, closes))
    bars = bars_from(first_left, rows, starts)
    position = wished(wish, 0, opens[0])
    found = exit_on_bars(bars, position, SOURCE if source else RULES)
    price, ns, why, slow = slow_bars(bars, position, source)
    assert (found.price[0], found.ns[0], Exit(found.reason[0]).name) == (price, ns, why)
    check_evolution(found, slow)


@settings(max_examples=250)
@given(
    steps=STEPS, wish=WISHES, first_left=st.integers(0, 90), pace=st.integers(5, 200),
    source=st.booleans(),
)  # fmt: skip
def test_the_walk_on_ticks_is_the_slow_one(steps, wish, first_left, pace, source):
    price = 100.0 + np.cumsum(steps)
    at_ns = before(first_left) + np.arange(price.size, dtype=np.int64) * pace * SECOND_NS
    quarter = 0.25 * wish["direction"]
    entered = price[0] + quarter
    position = wished(wish, 0, entered)
    path = PathIndex.of(at_ns, price, price + 0.5)
    exits = price if wish["direction"] > 0 else price + 0.5
    found = exit_on_path(path, position, entered, SOURCE if source else RULES, LATENCY)
    arrival, why, slow = slow_ticks(at_ns, exits, position, entered, source)
    assert Exit(found.reason[0]).name == why
    after = [] if arrival is None else np.flatnonzero(at_ns >= arrival)
    fill = after[0] if len(after) else at_ns.size - 1
    assert (found.price[0], found.ns[0]) == (exits[fill], at_ns[fill])
    assert (found.flags[0] == FLAG_END_OF_DATA) == (len(after) == 0)
    check_evolution(found, slow)


def check_evolution(found, slow):
    """An evolution happens at most once, where the slow one had it, and never loosens the stop."""
    assert len(slow.evolutions) <= 1
    if slow.evolutions:
        [(ns, price)] = slow.evolutions
        assert (found.evolved_ns[0], found.evolved_price[0]) == (ns, price)
    else:
        assert found.evolved[0] == -1
    assert found.stop[0] == slow.stop


@settings(max_examples=100)
@given(steps=STEPS, wish=WISHES, first_left=st.integers(3, 90), pace=st.integers(1, 20))
def test_on_ticks_the_order_of_the_danger_is_at_the_venue_when_2_minutes_are_left(
    steps, wish, first_left, pace
):
    price = 100.0 + np.cumsum(steps * 40)
    at_ns = before(first_left) + np.arange(price.size, dtype=np.int64) * pace * SECOND_NS
    path = PathIndex.of(at_ns, price, price)
    found = exit_on_path(path, wished(wish, 0, price[0]), price[0], RULES, LATENCY)
    # A reason shortly before may fill a latency later; the next tick is a pace away at most.
    assert found.ns[0] < before(2.0) + LATENCY + pace * SECOND_NS


def test_many_positions_end_as_each_does_alone():
    rng = np.random.default_rng(5)
    price = 100.0 + np.cumsum(rng.normal(0, 2.0, 90))
    rows = np.column_stack((price, price + 2, price - 2, price + rng.normal(0, 1, 90)))
    bars = bars_from(80.0, rows)
    entry = np.arange(60).reshape(3, 20)
    urgency = rng.integers(0, 3, 20)
    many = Positions(entry, 1, price.max(), rng.uniform(3, 20, 20), 6.0, 30 * MINUTE_NS, EXPIRY,
                     urgency)  # fmt: skip
    found = exit_on_bars(bars, many, RULES)
    assert found.price.shape == (3, 20)
    for place in np.ndindex(3, 20):
        alone = Positions([entry[place]], 1, price.max(), many.stop_distance[place[1]], 6.0,
                          30 * MINUTE_NS, EXPIRY, urgency[place[1]])  # fmt: skip
        one = exit_on_bars(bars, alone, RULES)
        assert all(np.array_equal(a[place], b[0], equal_nan=True)
                   for a, b in zip(found, one, strict=True))  # fmt: skip
