"""Profit, linear and inverse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.ledger import inverse_pnl, linear_pnl_usd

prices = st.floats(1.0, 1e6)


@pytest.mark.parametrize(("direction", "profit"), [(1, 1_000.0), (-1, -1_000.0)])
def test_linear_profit_is_direction_times_units_times_move(direction, profit):
    assert linear_pnl_usd(direction, 2.0, 80_000.0, 80_500.0) == profit


def test_inverse_profit_is_paid_in_coin():
    pnl = inverse_pnl(1, 100_000.0, 50_000.0, 100_000.0)
    assert pnl.coin == pytest.approx(1.0)
    assert pnl.usd == pytest.approx(100_000.0)


def test_an_inverse_short_loses_more_coin_than_the_long_of_the_mirror_move_wins():
    assert inverse_pnl(-1, 100_000.0, 50_000.0, 25_000.0).coin == pytest.approx(2.0)
    assert inverse_pnl(1, 100_000.0, 50_000.0, 25_000.0).coin == pytest.approx(-2.0)


@given(st.sampled_from([1, -1]), st.floats(1.0, 1e7), prices, prices)
def test_inverse_profit_in_usd_is_the_linear_profit_of_the_coins_held(
    direction, notional, entry, exit_
):
    linear = linear_pnl_usd(direction, notional / entry, entry, exit_)
    tolerance = 1e-12 * notional * (1 + exit_ / entry)
    assert abs(inverse_pnl(direction, notional, entry, exit_).usd - linear) <= tolerance
