"""The expiry clock: fractions of minutes, phases that tile a session, notices told once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.expiries import expiry_of
from hedgeflow.market.expiries.clock import (
    NOTICE_MINUTES,
    SCHEDULE,
    Phase,
    after_hours_note,
    check_schedule,
    minutes_left,
    next_notice,
    notices_between,
    phase_of,
    session_fraction,
)
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, SECOND_NS, instant_ns

AAPL = expiry_of("AAPL", date(2014, 6, 6))
EARLY = expiry_of("SPXW", date(2024, 11, 29))
COIN = expiry_of("BTC", date(2026, 3, 27))


def new_york(hour, minute, second=0, microsecond=0):
    """Return an instant of 2014-06-06, in New York's summer."""
    return instant_ns(datetime(2014, 6, 6, hour + 4, minute, second, microsecond, tzinfo=UTC))


@pytest.mark.parametrize(
    ("at_ns", "expected"),
    [
        (new_york(15, 30), 30.0),
        (new_york(15, 59, 30), 0.5),
        (new_york(15, 59, 59, 500_000), 0.5 / 60),
        (new_york(16, 0), 0.0),
        (new_york(16, 0, 1), 0.0),
    ],
)
def test_minutes_left_keep_their_fraction_and_end_at_the_expiry(at_ns, expected):
    assert minutes_left(AAPL.expires_ns, at_ns) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("hour", "minute", "phase"),
    [
        (9, 29, Phase.OUTSIDE),
        (9, 30, Phase.LOW_PRESSURE),
        (10, 59, Phase.LOW_PRESSURE),
        (11, 0, Phase.BUILDING),
        (13, 59, Phase.BUILDING),
        (14, 0, Phase.MODERATE),
        (15, 29, Phase.MODERATE),
        (15, 30, Phase.HIGH_PRESSURE),
        (15, 44, Phase.HIGH_PRESSURE),
        (15, 45, Phase.CRISIS_MODE),
        (15, 59, Phase.CRISIS_MODE),
        (16, 0, Phase.OUTSIDE),
    ],
)
def test_phases_of_a_full_day_in_new_york_begin_on_their_minute(hour, minute, phase):
    assert phase_at(AAPL, new_york(hour, minute)) is phase


@pytest.mark.parametrize(
    ("expiry", "minutes_before", "phase"),
    [
        (EARLY, 8, Phase.CRISIS_MODE),  # 15 of 390 minutes are 8 of 210
        (EARLY, 9, Phase.HIGH_PRESSURE),
        (EARLY, 17, Phase.MODERATE),
        (EARLY, 209, Phase.LOW_PRESSURE),
        (COIN, 55, Phase.CRISIS_MODE),  # and 55 of a day
        (COIN, 56, Phase.HIGH_PRESSURE),
        (COIN, 24 * 60, Phase.LOW_PRESSURE),
    ],
)
def test_an_early_close_and_a_market_that_never_closes_have_the_same_parts(
    expiry, minutes_before, phase
):
    assert phase_at(expiry, expiry.expires_ns - minutes_before * MINUTE_NS) is phase


def test_options_settled_at_the_open_have_no_phase_before_it():
    morning = expiry_of("SPX", date(2021, 1, 15))
    assert phase_at(morning, morning.expires_ns - SECOND_NS) is Phase.OUTSIDE


def phase_at(expiry, at_ns):
    return Phase(phase_of(session_fraction(expiry.session_open_ns, expiry.session_close_ns, at_ns)))


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_every_part_of_a_session_lies_in_exactly_one_phase(fraction):
    inside = [phase for phase, start, end in SCHEDULE if start <= fraction < end]
    assert inside == [Phase(phase_of(fraction))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [rows[0], *rows[2:]], "MODERATE runs from .* the phase before it to 0.23"),
        (lambda rows: [*rows[:3], rows[2], *rows[3:]], "MODERATE runs from .*"),
        (lambda rows: rows[:-1], "the last phase ends at 0.96"),
        (lambda rows: [(Phase.BUILDING, 0.0, 0.0), *rows], "BUILDING runs from 0.0 to 0.0"),
    ],
)
def test_a_schedule_with_a_gap_or_an_overlap_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        check_schedule(change(list(SCHEDULE)))


def test_notices_are_told_at_120_45_15_and_2_minutes():
    assert notices_between(AAPL.expires_ns, new_york(9, 30), new_york(15, 59)) == NOTICE_MINUTES
    assert notices_between(AAPL.expires_ns, new_york(13, 59, 59), new_york(14, 0)) == (120,)
    assert notices_between(AAPL.expires_ns, new_york(14, 0), new_york(15, 14, 59)) == ()
    assert notices_between(AAPL.expires_ns, new_york(15, 57), new_york(15, 58, 30)) == (2,)


def test_no_notice_is_told_at_the_expiry_or_after_it():
    assert notices_between(AAPL.expires_ns, new_york(15, 57), new_york(16, 0)) == ()
    assert notices_between(AAPL.expires_ns, new_york(16, 0), new_york(18, 0)) == ()


@given(st.lists(st.integers(0, 4 * HOUR_NS - 1), max_size=20))
def test_however_time_is_cut_each_notice_is_told_once_and_in_order(cuts):
    start = AAPL.expires_ns - 4 * HOUR_NS
    looks = [start, *sorted(start + cut for cut in cuts), AAPL.expires_ns - 1]
    told = [
        minutes
        for before, at in pairwise(looks)
        for minutes in notices_between(AAPL.expires_ns, before, at)
    ]
    assert tuple(told) == NOTICE_MINUTES


def test_the_next_notice_is_the_first_that_is_still_to_come():
    assert next_notice(AAPL.expires_ns, new_york(13, 0)) == (120, new_york(14, 0))
    assert next_notice(AAPL.expires_ns, new_york(14, 0)) == (45, new_york(15, 15))
    assert next_notice(AAPL.expires_ns, new_york(15, 58)) is None


def test_after_hours_stock_options_can_still_be_exercised_until_17_30():
    assert after_hours_note(AAPL, new_york(15, 59)) == ""
    assert "until 17:30 New York, for another 90 min" in after_hours_note(AAPL, new_york(16, 0))
    assert "for another 1 min" in after_hours_note(AAPL, new_york(17, 29))
    assert after_hours_note(AAPL, new_york(17, 30)) == ""
    assert after_hours_note(EARLY, EARLY.expires_ns) == "", "cash-settled: nothing is decided later"
