"""The picture of price around alerts: bands clustered by day, and the placebo's path beside it."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api
from scipy.stats import binom

from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies.backtesting import backtest
from hedgeflow.studies.event_study import EVENT_STUDY_SCHEMA, clustered_band, event_study
from hedgeflow.studies.markets import load_market

CONFIG = VolumeShockConfig()


@pytest.fixture(scope="module")
def studied(simulated_market, tmp_path_factory):
    market = load_market(Catalog.open(simulated_market), "SIM", CONFIG)
    path = tmp_path_factory.mktemp("event-study") / "journal.sqlite"
    with Journal.open(path) as journal:
        alerts = backtest(market, CONFIG, journal).alerts
    return market, alerts, event_study(market, CONFIG, alerts)


def test_the_band_is_that_of_a_regression_on_a_constant_clustered_by_day():
    rng = np.random.default_rng(1)
    days = rng.integers(0, 9, 50)
    values = rng.normal(size=50) + rng.normal(size=9)[days]
    mean, low, high = clustered_band(values[:, None], days.astype(str))
    model = statsmodels.api.OLS(values, np.ones(50))
    # statsmodels divides by n - 1 as well, which a mean of n events has no call for
    fit = model.fit(
        cov_type="cluster", cov_kwds={"groups": days, "df_correction": True}, use_t=True
    )
    assert mean[0] == pytest.approx(fit.params[0])
    assert (low[0], high[0]) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)


def test_the_band_covers_as_often_as_it_says_where_days_move_together():
    """Of 600 samples, about 95 % hold the truth; bands over independent events, far fewer."""
    rng = np.random.default_rng(2)
    days = np.repeat(np.arange(12), 8)
    held = plain = 0
    for _ in range(600):
        values = rng.normal(size=12)[days] + 0.5 * rng.normal(size=96)
        _, low, high = clustered_band(values[:, None], days.astype(str))
        held += bool(low[0] <= 0.0 <= high[0])
        plain += bool(abs(values.mean()) <= 1.96 * values.std(ddof=1) / np.sqrt(96))
    assert held >= binom.ppf(0.001, 600, 0.95)
    assert plain < 0.7 * 600


def test_events_of_one_day_have_a_mean_and_no_band():
    mean, low, high = clustered_band(np.array([[1.0], [3.0]]), np.array(["a", "a"]))
    assert mean.tolist() == [2.0]
    assert np.isnan([low, high]).all()


def test_the_placebo_path_is_the_mean_of_the_same_minutes_of_earlier_days(studied):
    market, alerts, study = studied
    first = alerts.sort("detected_ns", "alert_id").unique("event_id", keep="first")
    known = market.bars["known_at"].dt.timestamp("ns").to_numpy()
    close = market.bars["close"].to_numpy()

    def price(at: int) -> float | None:
        place = int(np.searchsorted(known, at, side="right")) - 1
        return float(close[place]) if place >= 0 and at - known[place] <= MINUTE_NS else None

    def path(at: int) -> list[float] | None:
        found = [price(at + minute * MINUTE_NS) for minute in range(-15, 31)]
        if None in found:
            return None
        return [(each / found[15] - 1.0) * 1e4 for each in found]

    minute_20 = []
    for row in first.iter_rows(named=True):
        side = 1.0 if row["direction"] == "BUY_FUTURES" else -1.0
        days = [path(row["detected_ns"] - day * DAY_NS) for day in range(1, 11)]
        moved = [side * each[35] for each in days if each is not None]
        if moved and path(row["detected_ns"]) is not None:
            minute_20.append(np.mean(moved))
    (found,) = study.filter(flow_class="ALL", minute=20)["placebo_bps"].to_list()
    assert found == pytest.approx(np.mean(minute_20), rel=1e-9)


def test_where_dealers_hedge_prices_leave_the_placebos_band_after_the_alert(studied):
    _, _, study = studied
    whole = study.filter(flow_class="ALL")
    assert dict(study.schema) == EVENT_STUDY_SCHEMA
    after = whole.filter(minute=15).row(0, named=True)
    assert after["price_low"] > after["placebo_high"]
    assert after["placebo_low"] < 0.0 < after["placebo_high"]
    start = whole.filter(minute=0).row(0, named=True)
    assert start["price_bps"] == start["placebo_bps"] == 0.0
