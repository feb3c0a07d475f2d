"""A small grid on Deribit's recorded BTC options, where the folder with recordings is there."""

from __future__ import annotations

import time

import pytest

from builders.recorded_markets import deribit
from hedgeflow.evidence import Verdict
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.studies.sweep.candidates import grid_search
from hedgeflow.studies.sweep.folds import Scheme
from hedgeflow.studies.sweep.page import sweep_html
from hedgeflow.studies.sweep.sweeping import sweep
from hedgeflow.studies.sweep.trying import CatalogGround
from hedgeflow.studies.sweep.walking import walk_forward

BASE = VolumeShockConfig()
SEARCH = grid_search(BASE, ["anomaly.ratio=3,4", "plan.stop_high_points=6,8"])
TIME = "2026-11-21T00:00:00Z"


@pytest.fixture(scope="module")
def btc(market_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("btc")
    catalog = deribit(market_data, folder)
    return CatalogGround(catalog.path, "BTC", folder / "journal.sqlite", time.time_ns)


def test_on_the_recorded_tape_no_configuration_is_validated_and_nothing_is_marked_simulated(btc):
    found = sweep(btc, BASE, SEARCH, jobs=1, timestamp=TIME)
    document = found.document
    assert not document.simulated
    assert "SIMULATED" not in sweep_html(found)
    assert found.configurations["trades"].min() >= 50
    assert (document.search.configurations, document.validated) == (4, 0)
    assert document.best is not None
    assert document.best.judged.verdict is Verdict.REJECTED
    assert "11 sessions" in document.snooping.reason


def test_walked_forward_the_recorded_tape_says_how_little_it_has(btc):
    scheme = Scheme(train=5, test=3, embargo_minutes=60.0)
    found = walk_forward(btc, BASE, SEARCH, scheme, jobs=1, timestamp=TIME)
    assert [each.test_first for each in found.document.folds] == ["2025-05-11", "2025-05-16"]
    assert found.document.stitched.sessions == 6
    assert found.document.stitched.trades == found.trades.height > 50
