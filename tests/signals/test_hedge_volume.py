"""V5 and realised volatility from the hedge instrument's bars; precise.md 21 and 23."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from hedgeflow.market import TapeKind, tape_schema
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SLOT_NS, instant_ns
from hedgeflow.signals import BarReference
from hedgeflow.signals.hedge_volume import slot_volumes
from reference import slow_tape
from signals.tapes import DAY_ZERO, at

RNG = np.random.default_rng(5)


def bars(starts: np.ndarray, volume: np.ndarray, bar_ns: int, close=None) -> pl.DataFrame:
    price = np.full(starts.size, 100.0) if close is None else close
    return pl.DataFrame(
        {
            "ts": starts, "known_at": starts + bar_ns, "open": price, "high": price,
            "low": price, "close": price, "volume": volume,
        },
        schema=tape_schema(TapeKind.BARS),
    )  # fmt: skip


def reference_of(
    frame: pl.DataFrame, bar_ns: int = MINUTE_NS, *, days: int = 15, sessions=None, **changes
) -> BarReference:
    starts = frame["ts"].dt.timestamp("ns").to_numpy()
    given = {"volume_sessions": 10, "volume_scale": 1.0, "realised_hours": 24.0} | changes
    return BarReference(
        frame,
        bar_ns,
        Coverage.from_stamps(starts, bar_ns, bar_ns),
        sessions or sessions_between("24/7", DAY_ZERO, DAY_ZERO + days * DAY_NS - 1),
        **given,
    )


def days_of_bars(days: int, bar_ns: int = MINUTE_NS) -> pl.DataFrame:
    starts = DAY_ZERO + np.arange(days * DAY_NS // bar_ns) * bar_ns
    return bars(starts, np.exp(RNG.normal(0.0, 1.0, starts.size)), bar_ns)


@pytest.mark.parametrize("bar_ns", [MINUTE_NS, SLOT_NS])
def test_V5_is_the_median_over_all_slots_of_the_10_previous_sessions(bar_ns):
    frame = days_of_bars(13, bar_ns)
    rows = list(frame.select(pl.col("ts").dt.timestamp("ns"), "volume").iter_rows())
    for day in (1, 5, 12):
        slow = slow_tape.median_slot_volume(rows, bar_ns, DAY_ZERO // DAY_NS + day)
        assert reference_of(frame, bar_ns).scale_volume(at(day, 0)) == pytest.approx(slow)


def test_minute_bars_are_summed_to_slots():
    starts = DAY_ZERO + np.arange(1440) * MINUTE_NS
    assert reference_of(bars(starts, np.full(1440, 3.0), MINUTE_NS)).scale_volume(at(1, 0)) == 15.0


def test_slots_without_volume_count_as_zero():
    starts = DAY_ZERO + np.arange(288) * SLOT_NS
    volume = np.where(np.arange(288) % 3 == 0, 9.0, 0.0)
    assert reference_of(bars(starts, volume, SLOT_NS), SLOT_NS).scale_volume(at(1, 0)) == 0.0


def test_one_complete_session_is_enough_and_none_is_no_scale():
    frame = days_of_bars(3)
    assert reference_of(frame).scale_volume(at(0, 0)) is None
    assert reference_of(frame).scale_volume(at(1, 0)) is not None


def test_an_incomplete_day_is_left_out():
    frame = days_of_bars(3)
    holed = frame.filter(pl.col("ts").dt.timestamp("ns") != at(1, 7, 3))
    assert reference_of(holed).scale_volume(at(2, 0)) == reference_of(frame).scale_volume(at(1, 0))
    assert reference_of(holed[:-1]).scale_volume(at(3, 0)) == reference_of(
        frame.filter(pl.col("ts").dt.timestamp("ns") < at(1, 0))
    ).scale_volume(at(1, 0))


def test_V5_never_sees_the_session_at_hand():
    frame = days_of_bars(3)
    spoiled = frame.with_columns(
        volume=pl.when(pl.col("ts").dt.timestamp("ns") >= at(1, 0)).then(1e9).otherwise("volume")
    )
    for moment in (at(1, 0), at(1, 23, 59)):
        assert reference_of(frame).scale_volume(moment) == reference_of(spoiled).scale_volume(
            moment
        )


def test_V5_waits_for_a_session_whose_bars_were_known_late():
    volume = np.repeat([1.0, 9.0, 9.0], 1440)
    frame = bars(DAY_ZERO + np.arange(3 * 1440) * MINUTE_NS, volume, MINUTE_NS)
    of_day_one = pl.int_range(pl.len()).is_between(1440, 2879)
    late = frame.with_columns(
        pl.when(of_day_one)
        .then(pl.col("known_at") + pl.duration(hours=2))
        .otherwise("known_at")
        .alias("known_at")
    )
    assert reference_of(frame).scale_volume(at(2, 0)) == 5 * (1.0 + 9.0) / 2
    assert reference_of(late).scale_volume(at(2, 0)) == 5 * 1.0
    assert reference_of(late).scale_volume(at(2, 2)) == 5 * (1.0 + 9.0) / 2


def test_the_hedge_volume_scale_multiplies_V5():
    frame = days_of_bars(2)
    one = reference_of(frame).scale_volume(at(2, 0))
    assert one is not None
    assert reference_of(frame, volume_scale=2.5).scale_volume(at(2, 0)) == pytest.approx(2.5 * one)


def test_a_session_carries_V5_and_no_response():
    frame = days_of_bars(2)
    session = reference_of(frame).session(at(2, 0), np.zeros(0))
    assert session.scale_volume == reference_of(frame).scale_volume(at(2, 0))
    assert session.response is None


def test_bars_longer_than_a_slot_know_no_V5():
    frame = days_of_bars(3, HOUR_NS)
    assert reference_of(frame, HOUR_NS).scale_volume(at(2, 0)) is None


def test_an_early_close_makes_no_session_incomplete():
    """XNYS closed at 18:00 UTC on 2024-07-03: that session has 42 slots, all of them counted."""
    first = instant_ns(datetime(2024, 7, 2, tzinfo=UTC))
    sessions = sessions_between("XNYS", first, first + 4 * DAY_NS)
    starts = np.concatenate(
        [
            np.arange(opens, closes, MINUTE_NS)
            for opens, closes in zip(sessions.open_ns, sessions.close_ns, strict=True)
        ]
    )
    short = (starts >= sessions.open_ns[1]) & (starts < sessions.close_ns[1])
    frame = bars(starts, np.where(short, 10.0, 1.0), MINUTE_NS)
    one = reference_of(frame, sessions=sessions, volume_sessions=1)
    assert one.scale_volume(int(sessions.open_ns[2])) == 50.0


def test_volume_outside_every_session_is_left_out():
    sessions = sessions_between("XNYS", at(0), at(0, 18))
    opens, closes = int(sessions.open_ns[0]), int(sessions.close_ns[0])
    table = slot_volumes(
        np.array([opens - 1, opens, closes - 1, closes]), np.array([5.0, 1.0, 2.0, 7.0]), sessions
    )
    assert table.sum() == 3.0
    assert table[0, 0] == 1.0
    assert table[0, -1] == 2.0


def moving_bars(hours: int = 60) -> pl.DataFrame:
    starts = DAY_ZERO + np.arange(hours * 60) * MINUTE_NS
    close = 100.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.001, starts.size)))
    return bars(starts, np.ones(starts.size), MINUTE_NS, close)


def test_realised_volatility_is_of_the_last_24_hours_known():
    frame = moving_bars()
    now = at(2, 3)
    close = frame["close"].to_numpy()[27 * 60 - 1 : 51 * 60]
    returns = np.diff(np.log(close))
    expected = np.sqrt((returns**2).mean() * 525_600)
    assert reference_of(frame).realised_volatility(now) == pytest.approx(expected, rel=1e-12)


def test_realised_volatility_sees_no_bar_that_has_not_ended():
    frame = moving_bars()
    now = at(2, 3)
    spoiled = frame.with_columns(
        close=pl.when(pl.col("known_at").dt.timestamp("ns") > now).then(9e9).otherwise("close")
    )
    before = reference_of(frame).realised_volatility(now)
    assert reference_of(spoiled).realised_volatility(now) == before
    assert reference_of(frame).realised_volatility(DAY_ZERO) is None


def test_neither_a_night_nor_a_gap_makes_a_return():
    """Two sessions of an exchange, far apart in price, and ten bars missing in the second."""
    sessions = sessions_between("XNYS", at(0), at(1, 23))
    starts = np.concatenate(
        [
            np.arange(opens, closes, MINUTE_NS)
            for opens, closes in zip(sessions.open_ns, sessions.close_ns, strict=True)
        ]
    )
    opened = int(sessions.open_ns[1])
    close = np.where(starts < opened, 100.0, 200.0)
    close = np.where(starts >= opened + 20 * MINUTE_NS, 300.0, close)
    missing = (starts >= opened + 10 * MINUTE_NS) & (starts < opened + 20 * MINUTE_NS)
    frame = bars(starts[~missing], np.ones((~missing).sum()), MINUTE_NS, close[~missing])
    reference = reference_of(frame, sessions=sessions)
    assert reference.realised_volatility(int(sessions.close_ns[1])) == 0.0
