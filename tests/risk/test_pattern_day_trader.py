"""The pattern-day-trader rule by product and date (platform.md 10)."""

from __future__ import annotations

from datetime import date

import pytest

from hedgeflow.market.contracts import HedgeKind
from hedgeflow.risk import pdt


@pytest.mark.parametrize(
    ("on", "changed_over", "applies"),
    [
        (date(2025, 4, 11), False, True),
        (date(2025, 4, 11), True, True),
        (date(2026, 6, 3), True, True),
        (date(2026, 6, 4), False, True),
        (date(2026, 6, 4), True, False),
        (date(2027, 10, 19), False, True),
        (date(2027, 10, 20), False, False),
    ],
)
def test_stocks_need_25000_until_intraday_margin_replaces_the_rule(on, changed_over, applies):
    rule = pdt(HedgeKind.STOCK, on, broker_uses_intraday_margin=changed_over)
    assert rule.applies is applies
    assert rule.minimum_equity_usd == (25_000.0 if applies else 0.0)
    assert on.isoformat() in rule.sentence


@pytest.mark.parametrize("product", [HedgeKind.FUTURE, HedgeKind.PERPETUAL])
def test_it_never_applies_to_futures_or_coins_and_says_so(product):
    rule = pdt(product, date(2025, 4, 11))
    assert not rule.applies
    assert f"never applies to a {product.value}" in rule.sentence
