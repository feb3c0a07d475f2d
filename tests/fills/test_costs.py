"""Costs a side: precise.md 27."""

from __future__ import annotations

import pytest

from hedgeflow.fills import CostModel
from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.errors import ConfigError
from hedgeflow.strategies.settings import Costs

BTC = hedge_instrument("BTC-PERP", "binance")
ES = hedge_instrument("ESH25", "cme")
AAPL = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)


def test_a_btc_round_trip_costs_about_100_usd_in_fees():
    side = CostModel.of(Costs(), BTC).side(100_000.0, 1.0)
    assert 2 * side.fee_usd == pytest.approx(100.0)


def test_a_perpetual_pays_half_a_basis_point_of_spread():
    assert CostModel.of(Costs(), BTC).side(80_000.0, 2.0).spread_usd == pytest.approx(2 * 4.0)


def test_a_stock_pays_a_cent_a_share():
    assert CostModel.of(Costs(), AAPL).side(200.0, 1.5).spread_usd == pytest.approx(1.50)


def test_a_future_pays_half_a_tick_and_its_fee_per_contract():
    side = CostModel.of(Costs(), ES).side(6_000.0, 2.0)
    assert side.spread_usd == pytest.approx(2 * 50 * 0.125)
    assert side.fee_usd == pytest.approx(2 * 2.25)


def test_an_index_has_no_costs_because_nobody_can_trade_it():
    with pytest.raises(ConfigError, match="index is not traded"):
        CostModel.of(Costs(), hedge_instrument("SPX", "usa"))


def test_a_fill_at_quotes_pays_no_spread_again():
    side = CostModel.of(Costs(), BTC).side(80_000.0, 1.0, at_quotes=True)
    assert (side.spread_usd, side.fee_usd) == (0.0, pytest.approx(40.0))


def test_slippage_comes_on_top():
    model = CostModel.of(Costs(slippage_bps=2.0), BTC)
    assert model.side(80_000.0, 1.0).slippage_usd == pytest.approx(16.0)


@pytest.mark.parametrize("multiple", [0.0, 1.0, 2.0])
def test_every_cost_scales_with_the_cost_multiple(multiple):
    usual = CostModel.of(Costs(slippage_bps=1.0), BTC).side(80_000.0, 1.0)
    side = CostModel.of(Costs(slippage_bps=1.0, cost_multiple=multiple), BTC).side(80_000.0, 1.0)
    assert side == pytest.approx([multiple * part for part in usual])


def test_a_round_trip_is_two_sides():
    model = CostModel.of(Costs(slippage_bps=1.0), BTC)
    assert model.round_trip_usd(80_000.0) == pytest.approx(2 * model.side(80_000.0, 1.0).total_usd)


def test_an_unknown_fee_table_is_refused():
    with pytest.raises(ConfigError, match="'mtgox'"):
        CostModel.of(Costs(fee_profile="mtgox"), BTC)


def test_the_sentence_names_fee_table_and_date():
    sentence = CostModel.of(Costs(), ES).sentence
    assert "2.25 USD a contract" in sentence
    assert "2024" in sentence
    assert "5 bp of notional" in CostModel.of(Costs(), BTC).sentence
