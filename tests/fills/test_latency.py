"""When an order fills."""

from __future__ import annotations

import numpy as np
import pytest

from hedgeflow.fills import first_index_at_or_after, order_arrival_ns
from hedgeflow.strategies.settings import Costs


def test_an_order_arrives_its_latency_after_the_decision():
    assert order_arrival_ns(5_000_000_000, Costs().latency_ms) == 6_000_000_000
    assert order_arrival_ns(7, 0.0) == 7


@pytest.mark.parametrize(("at", "index"), [(0, 0), (10, 0), (11, 1), (20, 1), (21, 2), (99, 3)])
def test_nothing_before_the_arrival_can_fill(at, index):
    assert first_index_at_or_after(np.array([10, 20, 30]), at) == index
