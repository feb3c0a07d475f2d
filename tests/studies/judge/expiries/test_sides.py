"""Dealers' side as it was told against the truth, on tables made by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import polars as pl

from hedgeflow.studies.judge.expiries.sides import alerted_sides, traded_sides

EXPIRY = datetime(2024, 3, 15, 20, tzinfo=UTC)
EXPIRY_NS = int(EXPIRY.timestamp()) * 10**9
HOUR_NS = 3_600 * 10**9
TIME = pl.Datetime("ns", "UTC")


def strikes(**gamma: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ts": [EXPIRY] * len(gamma),
            "strike": [float(name[1:]) for name in gamma],
            "dealer_gamma": list(gamma.values()),
        },
        schema_overrides={"ts": TIME},
    )


def conditions(*rows: tuple[float, float, float]) -> pl.DataFrame:
    """Return conditions of (hours before expiry, strike, units that dealers seem long)."""
    return pl.DataFrame(
        {
            "at_ns": [EXPIRY_NS - round(hours * HOUR_NS) for hours, *_ in rows],
            "expiry_ns": [EXPIRY_NS] * len(rows),
            "strike": [strike for _, strike, _ in rows],
            "is_new": [True] * len(rows),
            "dealer_units": [units for *_, units in rows],
        }
    )


def contracts(*named: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "contract": named,
            "strike": [float(name[1:]) for name in named],
            "right": [name[0] for name in named],
            "expiry": [EXPIRY] * len(named),
        },
        schema_overrides={"expiry": TIME},
    )


def interest(*rows: tuple[float, str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "known_at": [EXPIRY - timedelta(hours=hours) for hours, *_ in rows],
            "contract": [name for _, name, _ in rows],
            "open_interest": [contracts for *_, contracts in rows],
        },
        schema_overrides={"known_at": TIME},
    )


def test_a_strike_counts_once_as_of_its_first_alert():
    found = alerted_sides(
        conditions((1.0, 100.0, -5.0), (2.0, 100.0, 3.0), (0.5, 110.0, -2.0)),
        strikes(k100=7.0, k110=7.0),
        contracts("C100", "P100", "C110", "P110"),
        interest((9.0, "C100", 4.0), (9.0, "P100", 5.0), (9.0, "C110", 6.0), (9.0, "P110", 5.0)),
    )
    assert found.sort("strike").select("strike", "told", "convention", "true").rows() == [
        (100.0, 1.0, -1.0, 1.0),
        (110.0, -1.0, 1.0, 1.0),
    ]


def test_a_convention_knows_what_was_published_by_then_and_nothing_later():
    found = alerted_sides(
        conditions((2.0, 100.0, 3.0)),
        strikes(k100=1.0),
        contracts("C100", "P100"),
        interest((9.0, "C100", 1.0), (9.0, "P100", 5.0), (3.0, "C100", 9.0), (1.0, "C100", 0.0)),
    )
    assert found["convention"].to_list() == [1.0]


def test_where_dealers_hold_nothing_there_is_no_side_to_tell():
    found = alerted_sides(
        conditions((2.0, 100.0, 3.0)), strikes(k100=0.0), contracts("C100"),
        interest((9.0, "C100", 1.0)),
    )  # fmt: skip
    assert found.is_empty()


def plan(alert: str, strike: float, model: str, direction: int) -> tuple[str, str]:
    document = {"expiry_ns": EXPIRY_NS, "strike": strike, "model": model, "direction": direction}
    return alert, json.dumps(document)


def test_a_trade_is_on_the_side_that_it_took_and_hedges_moved_with_it_or_against_it():
    """Dealers are long 100 and short 110, and their hedges have moved the price by -4 bp."""
    decisions = pl.DataFrame(
        [
            plan("a", 100.0, "pin", -1),
            plan("b", 100.0, "steer-away", 1),
            plan("c", 110.0, "steer-away", -1),
            plan("skipped", 110.0, "pin", 1),
            ("none", None),
        ],
        schema={"alert_id": pl.String, "plan_json": pl.String},
        orient="row",
    )
    expiries = pl.DataFrame({"ts": [EXPIRY], "moved_bps": [-4.0]}, schema_overrides={"ts": TIME})
    found = traded_sides(
        pl.DataFrame({"alert_id": ["a", "b", "c"]}),
        decisions,
        strikes(k100=2.0, k110=-2.0),
        expiries,
    )
    assert sorted(found.rows()) == [(-1.0, -1.0, 4.0), (-1.0, 1.0, -4.0), (1.0, 1.0, 4.0)]
