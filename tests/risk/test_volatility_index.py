"""The last known value of a volatility index."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.risk import VolatilityIndex

VIX = VolatilityIndex("VIX", np.array([100, 200]), np.array([35.0, 41.0]))


@pytest.mark.parametrize(
    ("at", "value"), [(99, None), (100, 35.0), (199, 35.0), (200, 41.0), (999, 41.0)]
)
def test_a_value_is_used_from_when_it_is_known(at, value):
    assert VIX.at(at) == value
