"""A decision as an alert: what was seen, how it was signed, how sure; volume-shock.md 4."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from hedgeflow.market.contracts import hedge_instrument
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals import ALERT_SCHEMA, ScanOutput, ShockScan, alert_rows
from hedgeflow.signals.alerts import AlertTerms, alert_frame, confidence, with_class_at_close
from hedgeflow.signals.response import CalibratedResponse
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.rules import alert_terms
from signals.tapes import FixedReference, at, config, scan_of, tape, trade, usual

PERPETUAL = hedge_instrument("BTC-PERP", "binance")
EVENTS = config("source", alert={"unit": "event"})
RELATIVE = config("normalized", anomaly={"volume_floor": "fixed"}, response={"model": "tiers"})
SHOCK = [
    trade(at(10, minute=4), "CALL", 150),
    trade(at(10, minute=7), "CALL", 5_000, aggressor=0, bid=0.5, ask=1.2),
    trade(at(10, minute=7), "PUT", 300, combo_id="a", aggressor=-1),
]


def terms_of(settings: VolumeShockConfig, symbol: str = "BTC-PERP") -> AlertTerms:
    return alert_terms(settings, "BTC", hedge_instrument(symbol, "binance"), 525_600.0)


def alerts_of(
    *rows: dict[str, Any],
    settings: VolumeShockConfig = EVENTS,
    reference: FixedReference | None = None,
    terms: AlertTerms | None = None,
) -> list[dict[str, Any]]:
    scan = scan_of(settings, reference=reference)
    output = scan.advance(tape(*rows))
    return alert_rows(output, scan, terms or terms_of(settings))


def test_an_alert_names_its_times_contract_direction_and_demand():
    (alert,) = alerts_of(*SHOCK)
    assert alert["triggered_ns"] == at(10, minute=7)
    assert alert["underlying"] == "BTC"
    assert alert["contract"] == "CALL"
    assert alert["unit"] == "event"
    assert alert["direction"] == "BUY_FUTURES"
    assert alert["demand"] == 150 + 5_000 + 300
    assert alert["demand_scaled"] == alert["demand"]
    assert alert["pressure"] == 5_450 / 2**2
    assert alert["response_minutes"] == 2.0
    assert alert["tier"] == "GAMMA_EMERGENCY"
    assert alert["flow_class"] == "GAMMA_EMERGENCY"
    assert alert["volume_contracts"] == pytest.approx(5_450)
    assert alert["strikes"] == 2
    assert alert["concentration"] == 5_150 / 5_450
    assert alert["spot"] == 100.0
    assert alert["expected_hedge_contracts"] == 5_450
    assert alert["baseline_origin"] == "FLOOR"


def test_an_alert_is_detected_one_resolution_after_its_trigger():
    (alert,) = alerts_of(*SHOCK)
    assert alert["detected_ns"] == alert["triggered_ns"] + MINUTE_NS


@pytest.mark.parametrize(("late", "expected"), [(0, 10), (1, 10), (2, 9)])
def test_nothing_is_detected_before_every_print_up_to_the_trigger_is_known(late, expected):
    rows = [dict(row) for row in SHOCK]
    known = at(10, minute=9 if late == 2 else 10)
    rows[0 if late == 0 else 1] |= {"known_at": known}
    (alert,) = alerts_of(*rows)
    assert alert["triggered_ns"] == at(10, minute=7)
    assert alert["detected_ns"] == at(10, minute=expected)


def test_a_late_print_of_an_earlier_slice_is_waited_for_too():
    scan = scan_of(EVENTS)
    scan.advance(tape(SHOCK[0] | {"known_at": at(10, minute=20)}))
    output = scan.advance(tape(*SHOCK[1:]))
    assert output.detected_ns.tolist() == [at(10, minute=20)]


def test_a_print_after_the_trigger_is_not_waited_for():
    late = trade(at(10, minute=8), "CALL", 1) | {"known_at": at(11)}
    (alert,) = alerts_of(*SHOCK, late)
    assert alert["detected_ns"] == at(10, minute=8)


def test_bought_puts_are_sell_alerts():
    (alert,) = alerts_of(trade(at(10), "PUT", 3_000))
    assert alert["direction"] == "SELL_FUTURES"
    assert alert["demand"] == -3_000.0


@pytest.mark.parametrize(("minutes", "urgency"), [(4.999, "HIGH"), (5.001, "LOW"), (10.0, "LOW")])
def test_urgency_is_high_where_the_response_is_under_5_minutes(minutes, urgency):
    fitted = CalibratedResponse(math.log(minutes), 0.0, 0.1, 0.1, 30, 1.0)
    (alert,) = alerts_of(*SHOCK, reference=FixedReference(response=fitted))
    assert alert["response_minutes"] == pytest.approx(minutes)
    assert alert["urgency"] == urgency


def test_the_5_minute_tier_is_of_low_urgency():
    (alert,) = alerts_of(trade(at(10), "CALL", 2_001))
    assert (alert["response_minutes"], alert["urgency"]) == (5.0, "LOW")
    assert alert["tier"] == "INSTITUTIONAL_SWEEP"


@pytest.mark.parametrize(
    ("preset", "ratio", "expected"),
    [
        ("normalized", 8.0, 0.3),
        ("normalized", 2.0**9.5, 0.95),
        ("normalized", 2.0**12, 0.95),
        ("normalized", 0.5, 0.0),
        ("source", 5.0, 0.5),
        ("source", 9.5, 0.95),
        ("source", 40.0, 0.95),
    ],
)
def test_confidence_is_log2_of_the_ratio_or_the_ratio_over_10_at_most_0_95(preset, ratio, expected):
    assert confidence(ratio, terms_of(config(preset))) == pytest.approx(expected)


def test_an_alerts_confidence_is_that_of_the_largest_ratio():
    (alert,) = alerts_of(
        *usual(500, "CALL"), *usual(700, "PUT"),
        trade(at(10, minute=7), "CALL", 3_000), trade(at(10, minute=7), "PUT", 3_500),
        trade(at(10, minute=7), "PUT", 3_000, aggressor=-1),
    )  # fmt: skip
    assert alert["ratio"] == pytest.approx(6_500 / 700)
    assert alert["confidence"] == pytest.approx(0.65 / 0.7)


def test_the_band_is_1_96_deviations_of_the_signs():
    """Quotes sign 5,000 at p = 0.8: variance 4 x 0.8 x 0.2 x 5,000²; flags add none."""
    (alert,) = alerts_of(*SHOCK)
    deviation = math.sqrt(4 * 0.8 * 0.2) * 5_000
    assert alert["demand_low"] == pytest.approx(3_450 - 1.96 * deviation)
    assert alert["demand_high"] == pytest.approx(3_450 + 1.96 * deviation)
    assert alert["demand_expected"] == pytest.approx(150 + 0.6 * 5_000 + 300) == 3_450


def test_an_alert_says_how_its_trades_were_signed_and_which_were_institutional():
    rows = [*SHOCK, trade(at(10, minute=7), "CALL", 5, aggressor=0, price=0.85)]
    (alert,) = alerts_of(*rows)
    shares = json.loads(alert["signing_json"])
    total = 150 + 5_000 + 300 + 5
    assert shares == {
        "AGGRESSOR": pytest.approx(450 / total, abs=1e-6),
        "QUOTE": pytest.approx(5_000 / total, abs=1e-6),
        "TICK": pytest.approx(5 / total, abs=1e-6),
        "INSTITUTIONAL": pytest.approx((total - 5) / total, abs=1e-6),
    }


def test_an_alert_lists_its_members():
    (alert,) = alerts_of(*SHOCK)
    call, put = json.loads(alert["members_json"])
    assert call == {
        "contract": "CALL", "window_seconds": 300.0, "since_ns": at(10, minute=-1),
        "contracts": 5_150.0, "demand": 5_150.0, "ratio": 150.0, "baseline": "FLOOR",
    }  # fmt: skip
    assert (put["contract"], put["demand"]) == ("PUT", 300.0)


def test_the_contract_of_an_event_is_the_member_with_the_largest_demand():
    (alert,) = alerts_of(trade(at(10), "CALL", 3_000), trade(at(10), "PUT", 8_000))
    assert alert["contract"] == "PUT"


def test_the_hedge_to_come_runs_from_the_events_first_anomaly_to_detection():
    """First anomaly at minute 4, detected at minute 8, half of it done every 2 minutes."""
    (alert,) = alerts_of(*SHOCK)
    assert alert["hedge_to_come"] == pytest.approx(5_450 * 0.5 ** ((8 - 4) / 2))


def test_under_unit_contract_the_hedge_to_come_runs_from_the_contracts_own_anomaly():
    rows = [trade(at(10, minute=4), "CALL", 150), trade(at(10, minute=7), "PUT", 6_000)]
    (alert,) = alerts_of(*rows, settings=config("source"))
    assert alert["hedge_to_come"] == pytest.approx(-6_000 * 0.5 ** (1 / 2))


def test_a_source_point_is_1_and_a_point_in_bps_a_part_of_the_price():
    (alert,) = alerts_of(*SHOCK)
    assert alert["point"] == 1.0
    in_bps = config("source", alert={"unit": "event"}, scale={"distance": "bps"})
    (alert,) = alerts_of(*SHOCK, settings=in_bps)
    assert alert["point"] == pytest.approx(100.0 * 1.6667 / 10_000)


def test_a_normalized_point_is_an_eighth_of_the_expected_8_minute_move():
    reference = FixedReference(scale_volume=10_000.0, realised=0.6)
    (alert,) = alerts_of(
        *usual(30), trade(at(10), "CALL", 3_000), settings=RELATIVE, reference=reference
    )
    assert alert["sigma"] == 0.6
    assert alert["sigma_source"] == "realised"
    assert alert["point"] == pytest.approx(100.0 * 0.6 * math.sqrt(8 / 525_600) / 8)
    assert alert["scale_volume"] == 10_000.0
    assert alert["demand_scaled"] == pytest.approx(30_000.0)


def test_without_any_volatility_an_alert_has_no_point():
    reference = FixedReference(scale_volume=10_000.0, realised=None)
    (alert,) = alerts_of(
        *usual(30), trade(at(10), "CALL", 3_000), settings=RELATIVE, reference=reference
    )
    assert alert["point"] is None
    assert alert["sigma"] is None
    assert alert["sigma_source"] == "none"


def test_the_expected_hedge_is_demand_over_the_hedge_instruments_contract_times_the_share():
    (alert,) = alerts_of(*SHOCK, terms=terms_of(EVENTS, "ESH25"))
    assert alert["expected_hedge_contracts"] == 5_450 / 50
    half = replace(terms_of(EVENTS, "AAPL"), hedge_share=0.5)
    (alert,) = alerts_of(*SHOCK, terms=half)
    assert alert["expected_hedge_contracts"] == 5_450 / 100 * 0.5


def three_alerts() -> list[dict[str, Any]]:
    return alerts_of(
        trade(at(10, minute=5), "CALL2", 2_500),
        trade(at(10, minute=5), "CALL3", 6_000),
        trade(at(10, minute=5), "CALL", 2_500),
        trade(at(10, minute=6), "CALL4", 9_000),
        settings=config("source"),
    )


def test_alerts_of_one_moment_are_ordered_by_pressure_and_then_contract():
    assert [alert["contract"] for alert in three_alerts()] == ["CALL3", "CALL", "CALL2", "CALL4"]


def test_each_alert_has_an_id_of_its_own_and_the_same_each_time():
    ids = [alert["alert_id"] for alert in three_alerts()]
    assert len(set(ids)) == 4
    assert ids == [alert["alert_id"] for alert in three_alerts()]


def test_the_class_at_the_close_is_recorded_beside_that_of_the_decision():
    scan = scan_of(EVENTS)
    rows = [
        trade(at(10, minute=5), "CALL", 6_000),
        trade(at(10, minute=6), "CALL2", 6_000),
        trade(at(10, minute=7), "CALL3", 6_000),
    ]
    output: ScanOutput = scan.advance(tape(*rows))
    alerts = alert_rows(output, scan, terms_of(EVENTS))
    assert alerts[0]["flow_class_at_close"] is None
    (closed,) = with_class_at_close(alerts, scan.finish().closes)
    assert closed["flow_class"] == "GAMMA_EMERGENCY"
    assert closed["flow_class_at_close"] == "AMBIGUOUS_SIGNAL"
    assert alerts[0]["flow_class_at_close"] is None
    assert isinstance(scan, ShockScan)


def test_an_alert_says_itself_in_one_sentence():
    (alert,) = alerts_of(trade(at(10), "PUT", 6_000.5))
    assert alert["sentence"] == (
        "At 2025-03-13T12:01:00Z PUT had traded 6,000.5 contracts, at most 6000.5 times the"
        " usual; dealers are left to sell 6,000.5 units within about 2.0 minutes"
        " (pressure 1500.1, GAMMA_EMERGENCY)."
    )


def test_alerts_become_the_alerts_table():
    frame = alert_frame(three_alerts())
    assert dict(frame.schema) == ALERT_SCHEMA
    assert frame.height == 4
    assert alert_frame([]).height == 0
