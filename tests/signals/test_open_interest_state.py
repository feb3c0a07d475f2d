"""Open interest between two publications: the estimate, its band, and what sets them back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals import EventKind, PressureRules, SettlementScan
from hedgeflow.signals.settlement_events import events, merged
from signals.chains import EXPIRY, three_strikes

AT = EXPIRY - 100 * MINUTE_NS


def rung(*told, rules: PressureRules | None = None, place: int = 1):
    """Return the ladder's middle rung after what was told, each a tuple of minute, kind, value.

    A value is of the middle call, contract 2; a fourth element names another contract.
    """
    scan = SettlementScan(rules or PressureRules(), three_strikes())
    parts = [
        events([AT + minute * MINUTE_NS], EventKind[kind], [value], *(contract or [2]))
        for minute, kind, value, *contract in told
    ]
    scan.advance(merged(events([AT], EventKind.PRICE, [100.0]), *parts))
    return scan.ladder()[place]


def interest(row) -> tuple[float, float, float, float]:
    return tuple(row[name] for name in ("settled_oi", "estimated_oi", "oi_low", "oi_high"))


def test_without_trades_the_estimate_is_the_official_figure_and_the_band_has_no_width():
    assert interest(rung((0, "SETTLED", 500.0))) == (500.0, 500.0, 500.0, 500.0)


def test_customers_signed_contracts_move_the_estimate_within_the_band_of_all_volume():
    told = [(0, "SETTLED", 500.0), (1, "VOLUME", 80.0), (1, "SIGNED", -30.0), (2, "VOLUME", 20.0)]
    assert interest(rung(*told)) == (500.0, 470.0, 400.0, 600.0)


def test_neither_estimate_nor_band_falls_below_nothing():
    told = [(0, "SETTLED", 50.0), (1, "VOLUME", 80.0), (1, "SIGNED", -80.0)]
    assert interest(rung(*told)) == (50.0, 0.0, 0.0, 130.0)


def test_nothing_open_in_calls_is_not_taken_from_puts():
    told = [
        (0, "SETTLED", 50.0),
        (0, "SETTLED", 60.0, 3),
        (1, "VOLUME", 80.0),
        (1, "SIGNED", -80.0),
    ]
    assert interest(rung(*told)) == (110.0, 60.0, 60.0, 190.0)


def test_an_official_figure_ends_what_was_estimated_since_the_one_before():
    told = [(0, "SETTLED", 500.0), (1, "VOLUME", 80.0), (1, "SIGNED", 80.0), (2, "SETTLED", 530.0)]
    row = rung(*told)
    assert interest(row) == (530.0, 530.0, 530.0, 530.0)
    assert row["settled_ns"] == AT + 2 * MINUTE_NS


def test_trades_known_at_the_instant_of_an_official_figure_widen_its_band():
    assert interest(rung((0, "SETTLED", 500.0), (0, "VOLUME", 7.0))) == (500.0, 500.0, 493.0, 507.0)


def test_dealers_inventory_outlives_official_figures():
    told = [(0, "SETTLED", 500.0), (1, "SIGNED", 80.0), (2, "SETTLED", 530.0)]
    assert rung(*told)["dealer_units"] == -8_000.0


def test_the_oldest_official_figure_of_a_strike_dates_it():
    row = rung((0, "SETTLED", 500.0), (3, "SETTLED", 10.0, 3))
    assert row["settled_ns"] == AT


def test_a_strike_without_any_official_figure_has_no_open_interest_to_go_by():
    row = rung((1, "VOLUME", 5_000.0), (1, "SIGNED", 5_000.0))
    assert (row["oi"], row["estimated_oi"], row["settled_ns"]) == (0.0, 5_000.0, -1)


@pytest.mark.parametrize(("which", "used"), [("estimated", 470.0), ("settled", 500.0)])
def test_rules_go_by_the_estimate_or_by_the_official_figure(which, used):
    rules = replace(PressureRules(), open_interest=which)
    told = [(0, "SETTLED", 500.0), (1, "VOLUME", 30.0), (1, "SIGNED", -30.0)]
    assert rung(*told, rules=rules)["oi"] == used


sizes = st.tuples(
    st.integers(0, 90), st.integers(1, 900), st.sampled_from([-1, 0, 1]), st.sampled_from([2, 3])
)


@given(st.lists(sizes, max_size=12), st.integers(0, 2_000))
def test_the_estimate_always_lies_in_its_band(prints, settled):
    told = [(0, "SETTLED", float(settled), 2), (0, "SETTLED", 300.0, 3)]
    for minute, size, sign, contract in prints:
        told.append((minute, "VOLUME", float(size), contract))
        if sign:
            told.append((minute, "SIGNED", float(sign * size), contract))
    row = rung(*told)
    assert row["oi_low"] <= row["estimated_oi"] <= row["oi_high"]
    assert row["oi_low"] <= row["settled_oi"] <= row["oi_high"]
