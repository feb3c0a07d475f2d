"""What a scan of a market's expiries gives: alerts, their parts of a tape, and no look-ahead."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest

from hedgeflow.market.time import HOUR_NS
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.present import signal_class, urgency_at
from hedgeflow.studies.expiration.scanning import scan_expiries
from hedgeflow.studies.expiration.study import ExpirationStudy
from hedgeflow.studies.leakage import leakage
from hedgeflow.studies.periods import within
from hedgeflow.studies.poison import check_leakage, poisoned, put_out

SOURCE = ExpirationPressureConfig.source()


@pytest.fixture(scope="module")
def simulated(fridays):
    return scan_expiries(fridays, SOURCE)


def test_the_recorded_friday_gives_51_alerts_of_which_each_has_a_name(scanned):
    scan = scanned("AAPL")
    assert scan.alerts.height == 51
    assert scan.alerts["alert_id"].n_unique() == 51
    assert scan.alerts["underlying"].unique().to_list() == ["AAPL"]
    assert scan.counts["conditions"] == scan.more["conditions"].height
    assert scan.more["conditions"]["is_new"].sum() == 51


def test_no_alert_stands_at_an_expiry_or_after_it(simulated, scanned):
    for scan in (simulated, scanned("AAPL"), scanned("SPX"), scanned("NIFTY")):
        assert (scan.alerts["response_minutes"] > 0.0).all()
        assert (scan.more["conditions"]["at_ns"] < scan.more["conditions"]["expiry_ns"]).all()


def test_an_alert_says_what_it_rests_on(simulated):
    assert simulated.alerts.height > 5
    for row in simulated.alerts.iter_rows(named=True):
        told = json.loads(row["members_json"])
        assert told["oi_low"] <= told["settled_oi"] <= told["oi_high"]
        assert told["oi_low"] <= told["estimated_oi"] <= told["oi_high"]
        assert row["pressure"] > told["threshold"]
        assert row["contract"] in row["sentence"]
        expected = (
            row["volume_contracts"] * told["probability"] / max(1.0, row["response_minutes"] ** 2)
        )
        assert row["pressure"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("underlying", "settlement"), [("AAPL", "american-assignment"), ("SPX", "pin-cash")]
)
def test_an_alert_names_its_strike_its_target_distance_and_how_it_settles(
    scanned, underlying, settlement
):
    """expiration-pressure.md 2: target distance = max(15, 1.5 x distance)."""
    alerts = scanned(underlying).alerts
    assert alerts.height > 5
    for document in ExpirationStudy().alert_documents(alerts, SOURCE):
        assert document["contract"].endswith(f" {document['strike']:g}")
        assert document["distance"] == abs(document["spot"] - document["strike"])
        assert document["target_distance"] == max(15.0, 1.5 * document["distance"])
        assert document["settlement"] == settlement


@pytest.mark.parametrize("underlying", ["SIM", "AAPL", "SPX", "NIFTY"])
def test_the_plan_gives_every_condition_the_class_that_the_scan_gave_it(
    simulated, scanned, underlying
):
    """The rule is written twice: compiled for the fold, and for a price that has moved since."""
    scan = simulated if underlying == "SIM" else scanned(underlying)
    rows = scan.more["conditions"].to_dicts()
    assert rows
    for row in rows:
        urgency = urgency_at(row["minutes_left"], SOURCE.clock)
        named = signal_class(
            urgency, row["minutes_left"], row["oi"], row["distance"], row["point"], row["price"],
            SOURCE.classes,
        )  # fmt: skip
        assert (urgency, named) == (row["urgency"], row["signal_class"])


def test_conditions_know_how_long_the_average_is_that_settles_them(scanned):
    for underlying, minutes in (("AAPL", 0.0), ("SPX", 0.0), ("NIFTY", 30.0)):
        found = scanned(underlying).more["conditions"]["fixing_minutes"]
        assert found.unique().to_list() == [minutes]


def test_a_scan_of_coins_says_that_no_strike_has_the_open_interest_of_an_alert(recorded):
    """1,000 contracts of 100 are 100,000 BTC."""
    scan = scan_expiries(recorded("BTC"), SOURCE)
    assert scan.alerts.is_empty()
    assert scan.counts["below_open_interest"] == scan.counts["evaluations"] > 0
    [note] = [note for note in scan.notes if "no strike had more open interest" in note]
    assert "than 1,000 contracts of 100 BTC; the most at any look was" in note
    assert "of them no strike had enough open interest" in ExpirationStudy().scan_words(scan)


def test_a_part_gives_the_alerts_of_the_whole_that_lie_in_it(fridays, simulated):
    expiries = simulated.more["expiry_counts"]["expiry_ns"].sort().to_list()
    begin, end = expiries[3] + HOUR_NS, expiries[6] + HOUR_NS
    part = scan_expiries(within(fridays, SOURCE, from_ns=begin, until_ns=end), SOURCE)
    inside = simulated.alerts.filter(pl.col("detected_ns").is_between(begin, end))
    assert inside.height
    assert part.alerts.equals(inside)
    kept = part.more["expiry_counts"]["expiry_ns"]
    assert kept.to_list() == [each for each in expiries if begin <= each <= end]


def test_without_ten_earlier_expiries_the_normalised_threshold_gives_no_alert(fridays):
    scan = scan_expiries(fridays, ExpirationPressureConfig.normalized())
    assert scan.alerts.is_empty()
    assert scan.counts["no_history"] > 0
    assert any("NO_HISTORY" in note for note in scan.notes)


@pytest.mark.parametrize("underlying", ["SIM", "AAPL", "SPX", "NIFTY"])
def test_another_future_changes_nothing_that_was_known(request, fridays, simulated, underlying):
    if underlying == "SIM":
        market, scan = fridays, simulated
    else:
        market = request.getfixturevalue("recorded")(underlying)
        scan = request.getfixturevalue("scanned")(underlying)
    detected = scan.alerts["detected_ns"].sort()
    cut = int(detected[detected.len() // 2])
    other = scan_expiries(poisoned(market, SOURCE, cut, seed=1), SOURCE)
    for name, stamp in (("conditions", "at_ns"), ("notices", "at_ns"), ("prices", "known_ns"),
                        ("sigmas", "known_ns"), ("samples", "expiry_ns")):  # fmt: skip
        mine, theirs = (each.more[name].filter(pl.col(stamp) <= cut) for each in (scan, other))
        assert mine.equals(theirs), name
    assert not scan.more["prices"].equals(other.more["prices"])


def test_the_leakage_test_passes_on_a_simulated_market(fridays, simulated):
    found = check_leakage(fridays, SOURCE, simulated.alerts)
    assert found is not None
    assert found.passed, found.cuts
    rows = {each.table: each.rows for each in found.cuts[-1].compared}
    assert rows["alerts"]
    assert rows["decisions"]


def test_a_scan_that_knows_closes_five_minutes_early_is_caught(fridays, simulated):
    def early(market):
        known = pl.col("known_at") - pl.duration(minutes=5)
        return replace(market, bars=market.bars.with_columns(known))

    detected = simulated.alerts["detected_ns"].sort()
    found = leakage(
        lambda seen: put_out(early(seen), SOURCE, None),
        fridays,
        [int(detected[detected.len() // 2])],
        lambda seen, at: poisoned(seen, SOURCE, at, seed=1),
    )
    assert not found.passed
    assert found.cuts[0].difference.startswith("alerts: ")
