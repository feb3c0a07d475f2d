"""The arrays that a volume-shock fold carries from slice to slice, growing as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hedgeflow.signals import shock
from hedgeflow.signals.demand import print_state
from hedgeflow.signals.rules import ANOMALY, CLOSE, DECISION, MEMBER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.orders import OrderTape

_SMALLEST_OUTPUT = 4_096


class FoldState:
    """Windows, arming, the open event and the outputs of one scan.

    Parameters
    ----------
    windows_ns : ndarray of shape (n_windows,), int64
        Ascending window lengths.
    """

    def __init__(self, windows_ns: NDArray[np.int64]) -> None:
        self.windows_ns = windows_ns
        self.cursor = np.zeros(1, shock.CURSOR)
        self.event = np.zeros(1, shock.EVENT)
        self.event["id"] = -1
        self.tails = np.zeros(windows_ns.size, np.int64)
        self.entries = np.zeros(1024, shock.ENTRY)
        self.sums = np.zeros((0, windows_ns.size), np.int64)
        self.armed = np.zeros((0, windows_ns.size), np.uint8)
        self.last_entry = np.zeros(0, np.int64)
        self.member_of = np.zeros(0, np.int32)
        self.touched = np.zeros(0, np.int64)
        self.members = np.zeros(0, MEMBER)
        self.memory = print_state(0)
        self.outputs = _outputs(_SMALLEST_OUTPUT)

    def reserve(self, contracts: int) -> None:
        """Make room for so many contracts."""
        size = self.last_entry.size
        if contracts <= size:
            return
        extra = max(contracts, 2 * size) - size
        width = self.windows_ns.size
        self.sums = np.concatenate((self.sums, np.zeros((extra, width), np.int64)))
        self.armed = np.concatenate((self.armed, np.ones((extra, width), np.uint8)))
        self.last_entry = np.concatenate((self.last_entry, np.full(extra, -1, np.int64)))
        self.member_of = np.concatenate((self.member_of, np.full(extra, -1, np.int32)))
        self.touched = np.zeros(size + extra, np.int64)
        self.members = np.concatenate((self.members, np.zeros(extra, MEMBER)))
        self.memory = np.concatenate((self.memory, print_state(extra)))

    def append(self, tape: OrderTape, cells: NDArray[np.int32]) -> None:
        """Put a slice behind what the longest window still needs."""
        cursor = self.cursor[0]
        base, end = int(cursor["base"]), int(cursor["end"])
        needed = end - base + tape.ts.size
        if needed > self.entries.size:
            oldest = int(self.tails[-1])
            alive = end - oldest
            target = self.entries
            if 2 * (alive + tape.ts.size) > self.entries.size:
                target = np.zeros(2 * (alive + tape.ts.size), shock.ENTRY)
            target[:alive] = self.entries[oldest - base : end - base].copy()
            self.entries = target
            base = oldest
            cursor["base"] = base
        place = slice(end - base, end - base + tape.ts.size)
        self.entries["ts"][place] = tape.ts
        self.entries["contract"][place] = tape.contract
        self.entries["lots"][place] = tape.lots
        self.entries["demand"][place] = tape.demand
        self.entries["expected"][place] = tape.expected
        self.entries["variance"][place] = tape.variance
        self.entries["spot"][place] = tape.spot
        self.entries["cell"][place] = cells
        self.entries["rule"][place] = tape.rule
        self.entries["institutional"][place] = tape.institutional
        cursor["end"] = end + tape.ts.size

    def grow_outputs(self) -> None:
        """Double the room for outputs, keeping what is written."""
        for name, old in self.outputs.items():
            new = np.zeros(2 * old.size, old.dtype)
            new[: old.size] = old
            self.outputs[name] = new

    def take_outputs(self) -> dict[str, NDArray[Any]]:
        """Return what was written since the last call and start afresh."""
        cursor = self.cursor[0]
        taken = {name: rows[: int(cursor[name])].copy() for name, rows in self.outputs.items()}
        for name in self.outputs:
            cursor[name] = 0
        return taken


def _outputs(size: int) -> dict[str, NDArray[Any]]:
    return {
        "anomalies": np.zeros(size, ANOMALY),
        "decisions": np.zeros(size, DECISION),
        "members": np.zeros(size, MEMBER),
        "closes": np.zeros(size, CLOSE),
    }
