import pytest

from hedgeflow.simulate import changed, scenario, simulate


@pytest.fixture(scope="session")
def effect():
    return simulate(changed(scenario("effect", days=20), {"future.quote_interval_seconds": 60.0}))


@pytest.fixture(scope="session")
def null():
    return simulate(changed(scenario("null", days=20), {"future.quote_interval_seconds": 60.0}))


@pytest.fixture(scope="session")
def calm():
    return simulate(changed(scenario("calm"), {"future.quote_interval_seconds": 60.0}))


@pytest.fixture(scope="session")
def small():
    return changed(
        scenario("effect", days=3, seed=11),
        {
            "option_flow.trades_per_day": 2_000.0,
            "future.trades_per_day": 5_000.0,
            "future.quote_interval_seconds": 60.0,
        },
    )


@pytest.fixture(scope="session")
def small_market(small):
    return simulate(small)
