"""An expiration pressure's run on days on which nothing should be found."""

from __future__ import annotations

import pytest

from hedgeflow.journal import Journal
from hedgeflow.strategies.expiration_pressure import load_config
from hedgeflow.studies.arms.rerun import Rerun
from hedgeflow.studies.backtesting import backtest
from hedgeflow.studies.expiration.placebos import placebo_arms
from hedgeflow.studies.expiration.study import ExpirationStudy

EAGER = load_config(
    "source",
    None,
    ("plan.oldest_quote_seconds=400", "pressure.threshold=2", "plan.min_reward_risk=0"),
)


@pytest.fixture(scope="module")
def moved(fridays, tmp_path_factory):
    """Return the run's conditions, and those of every run on other days."""
    asked = []

    class Watched(ExpirationStudy):
        def replay(self, market, config, scan, alerts, tape, calendar):
            asked.append(scan.more["conditions"])
            return super().replay(market, config, scan, alerts, tape, calendar)

    with Journal.open(tmp_path_factory.mktemp("placebos") / "journal.sqlite") as journal:
        result = backtest(fridays, EAGER, journal)
    placebo_arms(Rerun(fridays, EAGER, result, None, Watched(), ()), EAGER)
    own = result.scan.more["conditions"]
    return own, [each for each in asked if each.height and not each.equals(own)]


def test_on_another_day_the_price_was_known_as_long_before_as_it_was(moved):
    """Else a basis would be of the price of one day and what is traded on another."""
    own, others = moved
    known = set((own["at_ns"] - own["price_ns"]).to_list())
    assert len(others) >= 5
    for frame in others:
        assert set((frame["at_ns"] - frame["price_ns"]).to_list()) <= known
        assert set(frame["expiry_ns"].to_list()).isdisjoint(own["expiry_ns"].to_list())
