"""Markets without expiry positions are, print by print, what they were before there were any."""

import hashlib

import polars.selectors as cs
import pytest

from hedgeflow.simulate import scenario, simulate

SMALL = {
    "option_flow.trades_per_day": 1_500.0,
    "future.trades_per_day": 3_000.0,
    "future.quote_interval_seconds": 60.0,
    "option_quotes.tape": True,
}
TABLES = (
    "option_trades", "hedge_trades", "hedge_quotes", "bars", "option_quotes", "open_interest",
    "contracts", "truth", "prints_truth", "hedge_truth", "positions_truth",
)  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "digest"),
    [
        ("effect", "653fc824ee5622f5f0a667a6766b676fd02c50f7942f3bcc9e3106fc7cc39bd5"),
        ("null", "ebc08d07033fe8a447cd65cf50b1ff9cfd36ab408990be4289d1e4ef6782aca9"),
        ("null-coin", "24255fcc0a5b9450146a9403a46ab641837f8608e8f23816c1563d909a13dcc7"),
        ("calm", "f87bdb820353c8422b3b2432c84c9330582822360ce8e41f9afb0a01b95eecd0"),
        ("us-index", "49df2102a2ff1906440a6fb70a83bbf66ea3432e6a43209c31f7bd036c06fdf8"),
    ],
)
def test_a_preset_without_expiry_positions_gives_the_tapes_that_it_always_gave(preset, digest):
    """Three days of each, every table; floats to six decimals, as machines differ beyond."""
    market = simulate(scenario(preset, SMALL, days=3))
    assert not market.scenario.expiry.enabled
    found = hashlib.sha256()
    for table in TABLES:
        rounded = getattr(market, table).with_columns(cs.float().round(6))
        found.update(rounded.write_csv().encode())
    assert found.hexdigest() == digest
