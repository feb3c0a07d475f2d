"""The arrays and records in which a volume-shock fold keeps where it stands."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hedgeflow.signals.rules import SIGNING_RULES


class Entries(NamedTuple):
    """Entries of the order tape in the window buffer, one array per column.

    Attributes
    ----------
    ts, lots : ndarray of shape (capacity,), int64
    contract, cell : ndarray of shape (capacity,), int32
    price, spot : ndarray of shape (capacity,), float64
    volatility : ndarray of shape (capacity,), float64
        The print's own, else the contract's last; NaN: to be solved from the price.
    sign : ndarray of shape (capacity,), int8
    rule : ndarray of shape (capacity,), uint8
        `SigningRule` of the print, or of the order's first lead print.
    institutional : ndarray of shape (capacity,), bool
    demand, expected, variance : ndarray of shape (capacity,), float64
        Underlying units (squared for the variance), only where `settled`: few entries' demand
        is ever asked for, and delta is dear.
    settled : ndarray of shape (capacity,), bool
    previous : ndarray of shape (capacity,), int64
        The contract's last entry before, as an absolute entry number.
    window_lots : ndarray of shape (n_windows, capacity), int64
        What the contract traded in each window that ends with the entry.
    """

    ts: NDArray[np.int64]
    lots: NDArray[np.int64]
    contract: NDArray[np.int32]
    cell: NDArray[np.int32]
    price: NDArray[np.float64]
    spot: NDArray[np.float64]
    volatility: NDArray[np.float64]
    sign: NDArray[np.int8]
    rule: NDArray[np.uint8]
    institutional: NDArray[np.bool_]
    demand: NDArray[np.float64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    settled: NDArray[np.bool_]
    previous: NDArray[np.int64]
    window_lots: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many entries there is room for."""
        return self.ts.size


EVENT: Final = np.dtype(
    [
        ("open", "u1"),
        ("decided", "u1"),
        ("no_scale", "u1"),
        ("id", "i8"),
        ("first_ns", "i8"),
        ("last_ns", "i8"),
        ("members", "i8"),
        ("anomalies", "i8"),
        ("largest_pressure", "f8"),
        ("session_ns", "i8"),
        ("scaled", "f8"),
        ("response_minutes", "f8"),
        ("institutional_lots", "i8"),
        ("rule_lots", "i8", (SIGNING_RULES,)),
    ]
)
"""The open event; `scaled` and `response_minutes` as last evaluated, in session `session_ns`."""

CURSOR: Final = np.dtype(
    [
        ("head", "i8"),
        ("end", "i8"),
        ("base", "i8"),
        ("without_baseline", "i8"),
        ("anomalies", "i8"),
        ("decisions", "i8"),
        ("members", "i8"),
        ("closes", "i8"),
    ]
)
"""Where the fold stands: absolute entry numbers, and how many outputs were written."""
