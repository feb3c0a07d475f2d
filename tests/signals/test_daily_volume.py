"""Daily volumes as baselines, on lists small enough to add up by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.time import DAY_NS, MINUTE_NS, instant_ns
from hedgeflow.signals import BaselineOrigin
from hedgeflow.signals.daily_volume import DailyVolumes, DayVolume
from hedgeflow.strategies.volume_shock.rules import scan_rules
from reference import slow_shock
from signals.agreement import assert_same_anomalies, assert_same_events
from signals.tapes import (
    DAY_ZERO,
    DailyReference,
    RandomTape,
    at,
    config,
    day_list,
    days_tape,
    found,
    joined,
    random_tape,
    scan_of,
    tape,
    trade,
    usual,
)

RULES = scan_rules(config(), 0.1).baselines
SLOTS = 288


def daily(*lists: list[dict[str, object]], days: int = 30) -> DailyVolumes:
    sessions = sessions_between("24/7", DAY_ZERO, DAY_ZERO + days * DAY_NS - 1)
    return DailyVolumes(days_tape(*lists), sessions, RULES)


def mean(volumes: DailyVolumes, day: int, contract: str = "CALL") -> float:
    return float(volumes.means(at(day, 0), [contract])[0])


# --- the mean -------------------------------------------------------------------------------------


def test_the_mean_is_a_days_volume_by_its_slots_over_the_sessions():
    volumes = daily(*[day_list(day, CALL=100.0 * (day + 1)) for day in range(3)])
    assert mean(volumes, 3) == pytest.approx(2000 / SLOTS)


def test_fewer_than_3_sessions_are_no_history():
    volumes = daily(*[day_list(day, CALL=100.0) for day in range(3)])
    assert np.isnan(mean(volumes, 2))
    assert not np.isnan(mean(volumes, 3))


def test_no_more_than_the_last_10_sessions_count():
    volumes = daily(*[day_list(day, CALL=1000.0 if day < 2 else 10.0) for day in range(12)])
    assert mean(volumes, 12) == pytest.approx(100 / SLOTS)


def test_zeros_count():
    volumes = daily(*[day_list(day, CALL=90.0 * (day == 1)) for day in range(3)])
    assert mean(volumes, 3) == pytest.approx(300 / SLOTS)


def test_a_published_list_without_a_contract_says_that_it_did_not_trade():
    lists = [day_list(0, CALL=90.0), day_list(1, PUT=1.0), day_list(2, PUT=1.0)]
    assert mean(daily(*lists), 3) == pytest.approx(300 / SLOTS)


def test_a_session_without_a_list_is_no_zero():
    lists = [day_list(day, CALL=90.0) for day in (0, 2, 5)]
    assert mean(daily(*lists), 7) == pytest.approx(900 / SLOTS)
    assert np.isnan(mean(daily(*lists), 5))


def test_sessions_before_a_contracts_first_appearance_do_not_count():
    lists = [day_list(day, PUT=1.0) for day in range(5)]
    lists += [day_list(day, CALL=90.0) for day in range(5, 8)]
    assert np.isnan(mean(daily(*lists), 7))
    assert mean(daily(*lists), 8) == pytest.approx(900 / SLOTS)


def test_a_contract_that_appeared_long_ago_counts_every_list_since():
    lists = [day_list(0, CALL=90.0), *[day_list(day, PUT=1.0) for day in range(1, 12)]]
    assert mean(daily(*lists), 12) == 0.0


def test_a_contract_on_no_list_has_no_mean():
    volumes = daily(*[day_list(day, CALL=100.0) for day in range(3)])
    assert np.isnan(mean(volumes, 3, "PUT"))


def test_a_list_counts_from_the_instant_at_which_it_is_known():
    late = at(5, 0)
    lists = [day_list(day, CALL=90.0) for day in range(3)]
    lists += [day_list(3, known_at=late, CALL=9000.0)]
    assert mean(daily(*lists), 4) == pytest.approx(900 / SLOTS)
    assert mean(daily(*lists), 5) == pytest.approx((3 * 900 + 90_000) / 4 / SLOTS)


def test_asking_for_an_earlier_session_again_gives_what_was_known_then():
    volumes = daily(*[day_list(day, CALL=100.0 * (day + 1)) for day in range(5)])
    first = mean(volumes, 3)
    mean(volumes, 5)
    assert mean(volumes, 3) == first


def test_the_history_names_the_sessions_that_the_mean_is_over():
    lists = [day_list(0, CALL=90.0), day_list(2, PUT=1.0), day_list(3, CALL=5.0, PUT=1.0)]
    volumes = daily(*lists)
    expected = [DayVolume(0, 900, SLOTS), DayVolume(2, 0, SLOTS), DayVolume(3, 50, SLOTS)]
    assert volumes.history(at(4, 0), "CALL") == expected
    rates = [day.lots / day.slots for day in expected]
    assert mean(volumes, 4) == pytest.approx(sum(rates) / len(rates))


def test_an_early_close_has_fewer_slots():
    """XNYS closed at 18:00 UTC on 2024-07-03: 42 slots instead of 78."""
    first = instant_ns(datetime(2024, 7, 1, tzinfo=UTC))
    sessions = sessions_between("XNYS", first, first + 5 * DAY_NS)
    rows = pl.DataFrame(
        {
            "ts": sessions.open_ns[:3],
            "known_at": sessions.close_ns[:3],
            "contract": ["CALL"] * 3,
            "lots": [780, 780, 420],
        }
    ).with_columns(pl.col("ts", "known_at").cast(pl.Datetime("ns", "UTC")))
    volumes = DailyVolumes(rows, sessions, RULES)
    assert [day.slots for day in volumes.history(int(sessions.open_ns[3]), "CALL")] == [78, 78, 42]
    assert mean_at(volumes, int(sessions.open_ns[3])) == 10.0
    assert np.isnan(mean_at(volumes, int(sessions.close_ns[2]) - 1))


def mean_at(volumes: DailyVolumes, open_ns: int) -> float:
    return float(volumes.means(open_ns, ["CALL"])[0])


def test_rows_of_no_session_are_counted_and_left_out():
    volumes = daily(*[day_list(day, CALL=100.0) for day in range(3)], days=2)
    assert volumes.outside_sessions == 1
    assert np.isnan(mean(volumes, 3))


def test_an_empty_tape_knows_nothing():
    assert np.isnan(mean(daily(), 3))


# --- in a scan ------------------------------------------------------------------------------------

LISTS = days_tape(*[day_list(day, CALL=SLOTS * 20.0) for day in range(3)])
"""Three days of 20 contracts a slot."""


def test_a_contract_without_intraday_history_is_measured_against_its_days():
    output = found(scan_of(daily=LISTS), trade(at(3, minute=7), "CALL", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.DAYS]
    assert output.anomalies["baseline_lots"].tolist() == [200.0]
    assert output.anomalies["ratio"].tolist() == [7.5]


def test_days_make_a_volume_usual():
    assert found(scan_of(), trade(at(3, minute=7), "CALL", 79)).anomalies.size == 0
    settings = config(anomaly={"volume_contracts": 50.0})
    shock = trade(at(3, minute=7), "CALL", 79)
    assert found(scan_of(settings), shock).anomalies.size == 1
    assert found(scan_of(settings, daily=LISTS), shock).anomalies.size == 0


def test_intraday_history_goes_before_days():
    output = found(scan_of(daily=LISTS), *usual(2), trade(at(10, minute=7), "CALL", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.CONTRACT]


def test_days_serve_the_times_of_day_that_were_not_recorded():
    """Noon was recorded on every day, one o'clock on none: the same contract has two origins."""
    covered = np.zeros((15, SLOTS), np.bool_)
    covered[:, 144:150] = True
    rows = [*usual(2, days=range(3)), trade(at(3, minute=7), "CALL", 150)]
    output = found(scan_of(daily=LISTS, covered=covered), *rows, trade(at(3, 13, 7), "CALL", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.CONTRACT, BaselineOrigin.DAYS]


def test_days_go_before_the_bucket():
    lists = days_tape(*[day_list(day, CALL2=SLOTS * 20.0) for day in range(3)])
    past = usual(5, days=range(3))
    output = found(scan_of(daily=lists), *past, trade(at(3, minute=7), "CALL2", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.DAYS]
    assert output.anomalies["baseline_lots"].tolist() == [200.0]


def test_under_normalized_the_bucket_is_the_floor_of_a_baseline_from_days_too():
    lists = days_tape(*[day_list(day, CALL2=SLOTS * 1.0) for day in range(3)])
    settings = config(anomaly={"baseline_floor": "bucket"})
    past = usual(20, days=range(3))
    output = found(scan_of(settings, daily=lists), *past, trade(at(3, minute=7), "CALL2", 150))
    assert output.anomalies["origin"].tolist() == [BaselineOrigin.DAYS]
    assert output.anomalies["baseline_lots"].tolist() == [200.0]


def test_under_normalized_days_are_a_history_and_the_volume_floor_stays_100_contracts():
    settings = config("normalized")
    for contracts, anomalies in ((100.0, 0), (100.1, 1)):
        scan = scan_of(settings, daily=LISTS)
        output = found(scan, trade(at(3, minute=7), "CALL", contracts))
        assert output.anomalies.size == anomalies
        assert scan.candidates_without_baseline == 0


def test_a_contract_first_met_during_the_session_takes_its_days_too():
    lists = days_tape(*[day_list(day, CALL=1.0, CALL2=SLOTS * 20.0) for day in range(3)])
    scan = scan_of(daily=lists)
    first = scan.advance(tape(trade(at(3, minute=1), "CALL", 1)))
    then = scan.advance(tape(trade(at(3, minute=7), "CALL2", 150)))
    assert joined([first, then]).anomalies["origin"].tolist() == [BaselineOrigin.DAYS]
    assert scan.baselines is not None
    assert scan.baselines.contract[0].tolist() == [10.0 / SLOTS, 200.0]


def test_every_alert_and_its_members_say_days():
    settings = config(alert={"unit": "event", "pressure_threshold": 0.1})
    output = found(scan_of(settings, daily=LISTS), trade(at(3, minute=7), "CALL", 150))
    assert output.decisions["origin"].tolist() == [BaselineOrigin.DAYS]
    assert output.members["origin"].tolist() == [BaselineOrigin.DAYS]


# --- against the slow reference -------------------------------------------------------------------


def random_days(source: RandomTape, seed: int) -> pl.DataFrame:
    """Return lists of most days, each of most contracts, some known a day or two late."""
    rng = np.random.default_rng(seed)
    lists = []
    for day in range(-4, source.days):
        if rng.random() < 0.2:
            continue
        known = at(day + 1 + int(rng.choice([0, 0, 0, 1, 2])), 0) - int(rng.integers(0, 2))
        lists.append(
            day_list(
                day,
                known_at=known,
                **{
                    symbol: round(float(np.exp(rng.normal(6.0, 2.0))))
                    for symbol in source.terms["contract"].to_list()
                    if rng.random() < 0.7
                },
            )
        )
    return days_tape(*lists)


def slow_days(days: pl.DataFrame) -> list[slow_shock.DayRow]:
    rows = days.select(pl.col("ts", "known_at").dt.epoch("ns"), "contract", "lots")
    return [
        slow_shock.DayRow(ts // DAY_NS, known, contract, lots)
        for ts, known, contract, lots in rows.iter_rows()
    ]


@pytest.mark.parametrize("seed", [2, 3, 4])
@pytest.mark.parametrize(("preset", "threshold"), [("source", 0.3), ("normalized", 10.0)])
def test_random_tapes_with_daily_volumes_give_the_same_anomalies_and_events(
    preset, threshold, seed
):
    source = random_tape(seed, prints_a_day=50)
    days = random_days(source, seed)
    settings = config(
        preset,
        alert={"unit": "event", "pressure_threshold": threshold},
        response={"model": "tiers"},
    )
    scan = spanning_scan(source, settings, days)
    output = joined([scan.advance(source.frame), scan.finish()])
    rules = slow_shock.preset(preset, unit="event", pressure_threshold=threshold)
    slow = slow_shock.detect(
        source.prints, rules, source.volumes, source.intervals, slow_days(days)
    )
    origins = {row.baseline.origin for row in slow.anomalies}
    assert "days" in origins
    assert len(origins) > 1
    assert_same_anomalies(output, scan.book.symbols, scan.windows_ns, slow)
    assert_same_events(output, slow)


def spanning_scan(source: RandomTape, settings, days: pl.DataFrame):
    """Return a scan whose sessions begin with the first list, before the tape."""
    sessions = sessions_between("24/7", DAY_ZERO - 4 * DAY_NS, DAY_ZERO + source.days * DAY_NS - 1)
    return scan_of(
        settings,
        source.terms,
        sessions=sessions,
        covered=Coverage.of(source.intervals).slots(sessions),
        reference=DailyReference(source.volumes),
        daily=days,
    )


def test_lists_that_become_known_later_change_nothing_before():
    """No look-ahead: everything known after the fourth day opened is replaced by nonsense."""
    source = random_tape(9, prints_a_day=50)
    days = random_days(source, 9)
    opens = at(4, 0)
    poisoned = days.with_columns(
        lots=pl.when(pl.col("known_at").dt.epoch("ns") > opens)
        .then(pl.col("lots") * 1000 + 7)
        .otherwise(pl.col("lots"))
    )
    extra = days_tape(
        *[day_list(day, known_at=opens + MINUTE_NS, X00=5e6, NEW=1.0) for day in range(4)]
    )
    before = source.frame.filter(pl.col("ts").dt.epoch("ns") < at(5, 0))
    settings = config(alert={"unit": "event", "pressure_threshold": 0.3})
    clean = spanning_scan(source, settings, days).advance(before)
    other = spanning_scan(source, settings, pl.concat([poisoned, extra]).sort("ts"))
    spoiled = other.advance(before)
    assert BaselineOrigin.DAYS in clean.anomalies["origin"].tolist()
    assert clean.anomalies.tobytes() == spoiled.anomalies.tobytes()
    assert clean.decisions.tobytes() == spoiled.decisions.tobytes()
