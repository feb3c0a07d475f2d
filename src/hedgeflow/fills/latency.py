"""Latency: when an order that leaves now can fill."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

NS_PER_MS: Final = 1_000_000


def order_arrival_ns(decided_ns: int, latency_ms: float) -> int:
    """Return when an order decided at an instant is at the venue, UTC nanoseconds."""
    return decided_ns + round(latency_ms * NS_PER_MS)


def first_index_at_or_after(instants: NDArray[np.int64], at_ns: int) -> int:
    """Return the first index whose instant is at or after `at_ns`; the length if there is none.

    A bar's start or a tick's stamp: nothing before the order's arrival can fill it.
    """
    return int(np.searchsorted(instants, at_ns, side="left"))
