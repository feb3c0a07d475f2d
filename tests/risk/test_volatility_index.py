"""The last known value of a volatility index, and where it comes from."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hedgeflow.market import CatalogError, DataError, TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS
from hedgeflow.risk import VolatilityIndex, load_volatility_index
from hedgeflow.strategies.volume_shock.config import Risk

VIX = VolatilityIndex("VIX", np.array([100, 200]), np.array([35.0, 41.0]))
DAY = 20_000 * DAY_NS


@pytest.mark.parametrize(
    ("at", "value"), [(99, None), (100, 35.0), (199, 35.0), (200, 41.0), (999, 41.0)]
)
def test_a_value_is_used_from_when_it_is_known(at, value):
    assert VIX.at(at) == value


@pytest.mark.parametrize(("at", "value"), [(250, 41.0), (251, None), (150, 35.0), (151, None)])
def test_a_value_is_not_known_for_ever(at, value):
    assert VolatilityIndex("VIX", VIX.known_ns, VIX.value, oldest_ns=50).at(at) == value


def test_other_values_have_another_hash():
    later = VolatilityIndex("VIX", VIX.known_ns + 1, VIX.value)
    higher = VolatilityIndex("VIX", VIX.known_ns, VIX.value + 1)
    assert len({VIX.sha256, later.sha256, higher.sha256}) == 3


def store(catalog, closes, *, name="VIX", venue="cboe", length_ns=DAY_NS):
    start = [DAY + i * length_ns for i in range(len(closes))]
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    rows = {"ts": start, "known_at": [at + length_ns for at in start], **prices}
    frame = pl.DataFrame(rows | {"volume": [0.0] * len(closes)}, schema=tape_schema(TapeKind.BARS))
    catalog.store(TapeKey(TapeKind.BARS, venue, name, name, length_ns), frame, source="made here")


def test_a_close_is_known_when_its_bar_ends(catalog):
    store(catalog, [30.0, 45.0])
    index = load_volatility_index(catalog, Risk(volatility_index="VIX"))
    assert [index.at(DAY + hours * HOUR_NS) for hours in (23, 24, 47, 48)] == [
        None,
        30.0,
        30.0,
        45.0,
    ]
    assert index.at(DAY + 9 * DAY_NS) == 45.0
    assert index.at(DAY + 9 * DAY_NS + 1) is None


def test_without_a_name_there_is_no_index(catalog):
    store(catalog, [30.0, 45.0])
    assert load_volatility_index(catalog, Risk()) is None


def test_an_index_that_is_not_there_is_refused_with_what_is(catalog):
    store(catalog, [30.0, 45.0])
    words = r"index 'DVOL'.*bars of VIX \(cboe\).*--instrument DVOL"
    with pytest.raises(CatalogError, match=words):
        load_volatility_index(catalog, Risk(volatility_index="DVOL"))


def test_the_finest_bars_are_used_and_two_venues_are_refused(catalog):
    store(catalog, [30.0, 45.0])
    store(catalog, [31.0, 32.0], length_ns=MINUTE_NS)
    rules = Risk(volatility_index="VIX")
    assert load_volatility_index(catalog, rules).value.tolist() == [31.0, 32.0]
    store(catalog, [33.0, 34.0], venue="usa", length_ns=MINUTE_NS)
    with pytest.raises(CatalogError, match="imported from cboe and usa"):
        load_volatility_index(catalog, rules)


@pytest.mark.parametrize("closes", [[0.2, 0.45], [79_000.0, 80_000.0]])
def test_fractions_and_prices_are_no_index(catalog, closes):
    store(catalog, closes, name="ODD")
    with pytest.raises(DataError, match="no volatility in percent per year"):
        load_volatility_index(catalog, Risk(volatility_index="ODD"))
