"""The whole way on an exchange's hours: half day, holiday, nights, a future by whole contracts."""

from datetime import date

import pytest

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.sessions import sessions_between
from hedgeflow.simulate import scenario, write_to_catalog
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies.demo import validate_simulated


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    market = scenario(
        "us-index",
        {
            "option_flow.trades_per_day": 4_000.0,
            "future.trades_per_day": 4_000.0,
            "future.quote_interval_seconds": 4.0,
        },
        first_day=date(2024, 11, 18),
        days=13,
    )
    root = tmp_path_factory.mktemp("us") / "catalog"
    write_to_catalog(market, Catalog.create_or_open(root))
    return validate_simulated(root, load_config())


def test_the_claim_is_judged_on_an_exchanges_hours(judged):
    assert judged.backtest.alerts.height > 10
    assert judged.backtest.trades.height > 8


def test_every_entry_and_exit_is_within_a_session_the_half_day_too(judged):
    trades = judged.backtest.trades
    sessions = sessions_between("XNYS", int(trades["entry_ns"].min()), int(trades["exit_ns"].max()))
    entry, left = trades["entry_ns"].to_numpy(), trades["exit_ns"].to_numpy()
    index = sessions.index_of(entry)
    assert (index >= 0).all()
    assert (left <= sessions.close_ns[index]).all()
    assert (trades["units"] % 50.0 == 0.0).all()
