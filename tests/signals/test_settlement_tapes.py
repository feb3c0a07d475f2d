"""Tapes become events of an expiration-pressure scan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import CONTRACT_COLUMNS, TapeKind, schema, tape_schema
from hedgeflow.market.time import instant_ns
from hedgeflow.signals import (
    EventKind,
    build_chain,
    chain_of,
    open_interest_events,
    price_events,
    signed_print_events,
    snapshot_events,
)
from hedgeflow.signals.settlement_events import EVENT

OPEN = datetime(2026, 8, 18, 13, 30, tzinfo=UTC)
CHAIN = build_chain(["A", "B"], [instant_ns(OPEN)] * 2, [100.0, 105.0], [1, 1], [100.0] * 2)


def told(events) -> list[tuple[float, str, int, float]]:
    assert events.dtype == EVENT
    first = instant_ns(OPEN)
    return [
        ((int(row["known_ns"]) - first) / 60e9, EventKind(row["kind"]).name, int(row["contract"]),
         float(row["value"]))
        for row in events
    ]  # fmt: skip


def frame(kind: TapeKind, rows: list[dict]) -> pl.DataFrame:
    columns = tape_schema(kind)
    return pl.DataFrame([dict.fromkeys(columns) | row for row in rows], schema=columns)


def snapshot(minute: float, contract: str, oi: float | None, volume: float | None) -> dict:
    at = OPEN + timedelta(minutes=minute)
    return {
        "ts": at, "known_at": at, "contract": contract, "open_interest": oi, "volume": volume,
        "underlying_price": 100.0 + minute,
    }  # fmt: skip


def snapshots(*rows: tuple[float, str, float | None, float | None]) -> list:
    return told(
        snapshot_events(frame(TapeKind.OPTION_SNAPSHOTS, [snapshot(*row) for row in rows]), CHAIN)
    )


def test_a_bars_close_is_a_price_at_its_end():
    row = {"ts": OPEN, "known_at": OPEN + timedelta(minutes=1), "open": 1.0, "close": 2.0}
    assert told(price_events(frame(TapeKind.BARS, [row]))) == [(1.0, "PRICE", -1, 2.0)]


def test_an_open_interest_tape_is_official_figures_of_the_chains_contracts():
    rows = [
        {"ts": OPEN, "known_at": OPEN, "contract": name, "open_interest": 7.0}
        for name in ("B", "AAPL")
    ]
    events = open_interest_events(frame(TapeKind.OPEN_INTEREST, rows), CHAIN)
    assert told(events) == [(0.0, "SETTLED", 1, 7.0)]


def test_a_print_is_volume_and_where_its_sign_is_known_signed_contracts():
    rows = [
        {"ts": OPEN, "known_at": OPEN, "contract": "A", "lots": 30, "price": 1.0},
        {"ts": OPEN, "known_at": OPEN, "contract": "B", "lots": 5, "price": 1.0},
    ]
    events = signed_print_events(frame(TapeKind.OPTION_TRADES, rows), CHAIN, [-1, 0], lot=0.1)
    assert told(events) == [
        (0.0, "VOLUME", 0, 3.0), (0.0, "VOLUME", 1, 0.5), (0.0, "SIGNED", 0, -3.0),
    ]  # fmt: skip


def test_a_print_of_a_contract_outside_the_chain_is_refused_by_name():
    rows = [{"ts": OPEN, "known_at": OPEN, "contract": "Z", "lots": 1, "price": 1.0}]
    with pytest.raises(DataError, match="1 contracts are not in the chain, the first 'Z'"):
        signed_print_events(frame(TapeKind.OPTION_TRADES, rows), CHAIN, [1], lot=1.0)


def test_each_print_needs_a_sign():
    with pytest.raises(DataError, match="2 signs were given for 0 prints"):
        signed_print_events(frame(TapeKind.OPTION_TRADES, []), CHAIN, [1, 1], lot=1.0)


def test_a_snapshot_has_one_price_however_many_contracts():
    assert snapshots((0, "A", None, None), (0, "B", None, None), (15, "A", None, None)) == [
        (0.0, "PRICE", -1, 100.0), (15.0, "PRICE", -1, 115.0),
    ]  # fmt: skip


def test_a_late_snapshots_price_is_of_its_own_stamp():
    row = snapshot(0, "A", None, None) | {"known_at": OPEN + timedelta(minutes=16)}
    (event,) = snapshot_events(frame(TapeKind.OPTION_SNAPSHOTS, [row]), CHAIN)
    assert (event["known_ns"] - event["observed_ns"]) / 60e9 == 16.0


def test_volume_so_far_becomes_volume_since_the_snapshot_before():
    found = snapshots((0, "A", None, 40.0), (15, "A", None, 40.0), (30, "A", None, 55.0))
    assert [each for each in found if each[1] == "VOLUME"] == [
        (0.0, "VOLUME", 0, 40.0), (30.0, "VOLUME", 0, 15.0),
    ]  # fmt: skip


def test_a_snapshot_without_volume_takes_none_away():
    found = snapshots((0, "A", None, 40.0), (15, "A", None, None), (30, "A", None, 55.0))
    assert [each[3] for each in found if each[1] == "VOLUME"] == [40.0, 15.0]


def test_open_interest_shown_again_unchanged_says_nothing_new():
    found = snapshots(
        (0, "A", 7.0, 1.0), (15, "A", 7.0, 2.0), (30, "A", None, 3.0), (45, "A", 8.0, 4.0)
    )
    assert [each[:1] + each[3:] for each in found if each[1] == "SETTLED"] == [
        (0.0, 7.0),
        (45.0, 8.0),
    ]


def test_the_next_session_has_its_own_figure_and_volume_even_if_it_looks_the_same():
    day = 24 * 60.0
    found = snapshots((0, "A", 7.0, 10.0), (day, "A", 7.0, 12.0), (day + 15, "A", 7.0, 13.0))
    assert [each for each in found if each[1] != "PRICE"] == [
        (0.0, "SETTLED", 0, 7.0), (0.0, "VOLUME", 0, 10.0),
        (day, "SETTLED", 0, 7.0), (day, "VOLUME", 0, 12.0), (day + 15, "VOLUME", 0, 1.0),
    ]  # fmt: skip


def test_midnight_is_no_new_session_where_snapshots_run_through_it():
    midnight = 10.5 * 60.0
    found = snapshots((midnight - 15, "A", 7.0, 10.0), (midnight + 15, "A", 7.0, 12.0))
    assert [each[1:] for each in found if each[1] != "PRICE"] == [
        ("SETTLED", 0, 7.0), ("VOLUME", 0, 10.0), ("VOLUME", 0, 2.0),
    ]  # fmt: skip


def test_falling_volume_is_a_new_session():
    found = snapshots((0, "A", 7.0, 10.0), (15, "A", 7.0, 4.0))
    assert [each[1:] for each in found if each[1] != "PRICE"] == [
        ("SETTLED", 0, 7.0), ("VOLUME", 0, 10.0), ("SETTLED", 0, 7.0), ("VOLUME", 0, 4.0),
    ]  # fmt: skip


# --- chains ---------------------------------------------------------------------------------------


def terms(**changes) -> pl.DataFrame:
    rows = [
        {"contract": name, "venue": "cboe", "underlying": "SPX", "right": right, "strike": strike,
         "expiry": expiry, "multiplier": 100.0, "lot": 1.0, "style": "european",
         "settlement": "cash", "inverse": False, "listed": None} | changes
        for name, right, strike, expiry in (
            ("W", "P", 105.0, OPEN + timedelta(days=1)), ("X", "C", 105.0, OPEN),
            ("Y", "C", 100.0, OPEN), ("Z", "P", 105.0, OPEN),
        )
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema(CONTRACT_COLUMNS))


def test_a_chain_has_each_expirys_strikes_ascending_and_calls_and_puts_together():
    chain = chain_of(terms())
    assert chain.expiry_ns.tolist() == [instant_ns(OPEN), instant_ns(OPEN + timedelta(days=1))]
    assert chain.strike.tolist() == [100.0, 105.0, 105.0]
    assert chain.first_strike.tolist() == [0, 2, 3]
    assert chain.strike_of.tolist() == [2, 1, 0, 1]
    assert chain.right.tolist() == [-1, 1, 1, -1]
    places = [
        chain.contracts[chain.first_contract[k] : chain.first_contract[k + 1]] for k in range(3)
    ]
    assert [place.tolist() for place in places] == [[2], [1, 3], [0]]


def test_a_chain_of_two_underlyings_is_refused():
    both = pl.concat([terms(), terms(underlying="NDX")])
    with pytest.raises(DataError, match=r"one underlying, was given \['NDX', 'SPX'\]"):
        chain_of(both)


def test_a_chain_of_nothing_is_refused():
    with pytest.raises(DataError, match="one underlying"):
        chain_of(terms().clear())
    with pytest.raises(DataError, match="needs contracts"):
        build_chain([], [], [], [], [])


def test_a_contract_named_twice_is_refused():
    with pytest.raises(DataError, match="8 rows of 4 contracts"):
        chain_of(pl.concat([terms(), terms()]))
