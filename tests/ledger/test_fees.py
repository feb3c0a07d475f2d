"""Dated fee tables."""

from __future__ import annotations

import pytest

from hedgeflow.ledger import FEE_PROFILES, fee_profile
from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.errors import ConfigError


@pytest.mark.parametrize("venue", ["binance", "bybit", "deribit", "backpack", "sim"])
def test_perpetual_takers_pay_5_bp(venue):
    profile = fee_profile("auto", hedge_instrument("BTC-PERP", venue))
    assert profile.name == venue
    assert profile.fee_usd(100_000.0, 1.0) == pytest.approx(50.0)


def test_us_stocks_pay_nothing():
    profile = fee_profile("auto", hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK))
    assert (profile.name, profile.fee_usd(100_000.0, 500.0)) == ("us-stocks", 0.0)


@pytest.mark.parametrize(
    ("symbol", "name", "fee"), [("ESH25", "cme", 2.25), ("MESH25", "cme-micro", 0.62)]
)
def test_futures_pay_per_contract(symbol, name, fee):
    profile = fee_profile("auto", hedge_instrument(symbol, "cme"))
    assert (profile.name, profile.fee_usd(300_000.0, 1.0)) == (name, fee)


def test_an_unknown_venue_gets_a_conservative_table_that_says_so():
    profile = fee_profile("auto", hedge_instrument("BTC-PERP", "nowhere"))
    assert profile.taker_fee_rate == 0.001
    assert "not known" in profile.note


@pytest.mark.parametrize("name", ["auto", "none"])
def test_an_index_has_no_fee_because_nobody_can_trade_it(name):
    with pytest.raises(ConfigError, match="SPX is an index"):
        fee_profile(name, hedge_instrument("SPX", "usa"))


def test_an_unknown_table_is_refused_by_name_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'mtgox'.*binance"):
        fee_profile("mtgox", hedge_instrument("BTC-PERP", "binance"))


@pytest.mark.parametrize("profile", FEE_PROFILES.values(), ids=lambda profile: profile.name)
def test_every_table_is_dated_names_its_source_and_gives_no_rebate(profile):
    assert profile.as_of[:2] == "20"
    assert profile.published
    assert profile.taker_fee_rate >= 0
    assert profile.fee_per_contract_usd >= 0
