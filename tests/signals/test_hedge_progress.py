"""The share of a hedge already done: what could be seen at each second, and nothing later."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS
from hedgeflow.signals.hedge_progress import HedgeProgress
from hedgeflow.signals.hedge_response import SignedFlow
from signals.tapes import at
from signals.test_hedge_response import EVENT, RULES, hedge, noise, trades_of

UNTIL = EVENT + 12 * MINUTE_NS


def progress(rows: list, **changes) -> HedgeProgress:
    return HedgeProgress(SignedFlow.from_trades(trades_of(rows), **changes), RULES, {1: EVENT})


def done(watched: HedgeProgress, predicted: float = 2_000.0, after: int = EVENT, **changes):
    asked = {"after_ns": after, "until_ns": UNTIL, "share": 0.9} | changes
    return watched.done(1, predicted, **asked)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("half", [0.5, 1.0, 2.0])
def test_nine_tenths_are_done_after_log2_of_ten_half_times(half, side):
    found = done(progress(noise(scale=0.01) + hedge(side * 2_000.0, half)), side * 2_000.0)
    minutes = (found.at_ns - EVENT) / MINUTE_NS
    assert minutes == pytest.approx(half * np.log2(10.0), abs=0.05)
    assert found.share == pytest.approx(0.9, abs=0.01)


def test_a_hedge_against_the_prediction_is_never_done():
    assert done(progress(noise(scale=0.01) + hedge(-2_000.0, 0.5))) is None


def test_flow_that_is_usual_at_these_minutes_is_no_hedge():
    usual = [row for day in range(13) for row in hedge(2_000.0, 1.0, at(day, 12))]
    assert done(progress(noise(scale=0.01) + usual)) is None


def test_the_share_is_what_a_loop_finds_from_the_trades_themselves():
    rows = noise(seed=4, scale=30.0) + hedge(1_500.0, 1.5)
    known, shares = progress(rows).shares(EVENT, 1_500.0, UNTIL)
    for k in (0, 1, 59, 300, 720):
        now = EVENT + k * SECOND_NS
        sums = [
            sum(
                size
                for stamp, size, _ in rows
                if EVENT - day * DAY_NS <= stamp < now - day * DAY_NS
            )
            for day in range(11)
        ]
        assert known[k] == now
        assert shares[k] == pytest.approx((sums[0] - np.mean(sums[1:])) / 1_500.0)


def test_nothing_later_changes_what_was_seen():
    """The future is poisoned at every minute: later trades, and the recording's own end."""
    rows = noise() + hedge(2_000.0, 1.0)
    whole = done(progress(rows))
    for minute in range(1, 12):
        cut = EVENT + minute * MINUTE_NS
        kept = [row for row in rows if row[0] < cut]
        poison = [(cut + second * SECOND_NS, -1e6, 1.0) for second in range(900)]
        covered = Coverage.of([(at(0), cut)])
        for seen in (
            done(progress(kept + poison)),
            done(progress([*kept, (cut - 1, 0.0, 1.0)], coverage=covered)),
        ):
            if whole.at_ns <= cut:
                assert seen == whole
            else:
                assert seen is None


def test_trades_that_are_known_later_are_seen_later():
    rows = noise(scale=0.01) + hedge(2_000.0, 1.0)
    soon, late = progress(rows), progress(rows)
    late = HedgeProgress(late.flow, RULES, {1: EVENT}, known_after_ns=MINUTE_NS)
    assert done(late).at_ns == done(soon).at_ns + MINUTE_NS


def test_a_hedge_that_was_done_before_is_seen_at_once():
    rows = noise(scale=0.01) + hedge(2_000.0, 0.5)
    after = EVENT + 5 * MINUTE_NS
    assert done(progress(rows), after=after).at_ns == after


def test_it_is_not_done_after_the_position_could_be_open():
    rows = noise(scale=0.01) + hedge(2_000.0, 2.0)
    assert done(progress(rows), until_ns=EVENT + 6 * MINUTE_NS) is None
    assert done(progress(rows), until_ns=EVENT + 7 * MINUTE_NS) is not None


def test_with_too_few_earlier_sessions_nothing_is_seen():
    rows = noise(days=range(9, 13), scale=0.01) + hedge(2_000.0, 1.0)
    assert done(progress(rows)) is None


def test_an_event_that_is_not_known_or_long_past_has_no_progress():
    watched = progress(noise(scale=0.01) + hedge(2_000.0, 1.0))
    asked = {"after_ns": EVENT, "until_ns": UNTIL, "share": 0.9}
    assert watched.done(2, 2_000.0, **asked) is None
    assert watched.done(1, 0.0, **asked) is None
    assert watched.done(1, 2_000.0, **asked | {"until_ns": EVENT + DAY_NS}) is None
