from datetime import date

import pytest

from hedgeflow.ledger.fees import fee_profile
from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.sessions import calendar_of_venue
from hedgeflow.simulate import scenario
from hedgeflow.simulate.venue import hedge_symbol, venue_of


@pytest.mark.parametrize(
    ("first_day", "days", "symbol"),
    [
        (date(2025, 1, 6), 5, "SIMH25"),
        (date(2025, 3, 20), 1, "SIMH25"),
        (date(2025, 3, 21), 1, "SIMM25"),
        (date(2025, 3, 14), 6, "SIMM25"),
        (date(2025, 12, 22), 3, "SIMH26"),
    ],
)
def test_hedges_trade_the_first_future_that_expires_after_the_scenario(first_day, days, symbol):
    assert hedge_symbol(scenario("calm", hours="XNYS", first_day=first_day, days=days)) == symbol


@pytest.mark.parametrize(
    ("hours", "kind", "multiplier", "step", "calendar"),
    [
        ("24/7", HedgeKind.PERPETUAL, 1.0, 0.001, "24/7"),
        ("XNYS", HedgeKind.FUTURE, 50.0, 50.0, "XNYS"),
    ],
)
def test_an_instrument_is_what_the_rest_of_the_program_takes_it_for(
    hours, kind, multiplier, step, calendar
):
    market = scenario("calm", hours=hours)
    venue = venue_of(market)
    instrument = hedge_instrument(hedge_symbol(market), venue.name)
    assert instrument.kind is kind
    assert instrument.multiplier == multiplier
    assert instrument.lot * instrument.units_per_contract == venue.hedge_step == step
    assert instrument.tick in {0.0, venue.hedge_tick}
    assert calendar_of_venue(venue.name) == calendar
    assert fee_profile("auto", instrument).name == venue.name
