from dataclasses import replace

import pytest

from hedgeflow.simulate import scenario, simulate


@pytest.fixture(scope="session")
def effect():
    return simulate(replace(scenario("effect", days=20), quote_interval_seconds=60.0))


@pytest.fixture(scope="session")
def null():
    return simulate(replace(scenario("null", days=20), quote_interval_seconds=60.0))


@pytest.fixture(scope="session")
def calm():
    return simulate(replace(scenario("calm"), quote_interval_seconds=60.0))


@pytest.fixture(scope="session")
def small():
    return replace(
        scenario("effect", days=3, seed=11),
        option_trades_per_day=2_000.0,
        hedge_trades_per_day=5_000.0,
        quote_interval_seconds=60.0,
    )


@pytest.fixture(scope="session")
def small_market(small):
    return simulate(small)
