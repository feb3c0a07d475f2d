"""The arrays that a volume-shock fold carries from slice to slice, growing as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hedgeflow.signals.demand import print_state
from hedgeflow.signals.fold_arrays import CURSOR, EVENT, Entries
from hedgeflow.signals.rules import ANOMALY, CLOSE, DECISION, MEMBER
from hedgeflow.signals.windows import trailing_lots

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMALLEST_BUFFER = 1_024
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
        self.cursor = np.zeros(1, CURSOR)
        self.event = np.zeros(1, EVENT)
        self.event["id"] = -1
        self.tails = np.zeros(windows_ns.size, np.int64)
        self.entries = empty_entries(_SMALLEST_BUFFER, windows_ns.size)
        self.held = np.zeros((windows_ns.size, 0), np.int64)
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
        self.held = np.concatenate((self.held, np.zeros((width, extra), np.int64)), axis=1)
        self.armed = np.concatenate((self.armed, np.ones((extra, width), np.uint8)))
        self.last_entry = np.concatenate((self.last_entry, np.full(extra, -1, np.int64)))
        self.member_of = np.concatenate((self.member_of, np.full(extra, -1, np.int32)))
        self.touched = np.zeros(size + extra, np.int64)
        self.members = np.concatenate((self.members, np.zeros(extra, MEMBER)))
        self.memory = np.concatenate((self.memory, print_state(extra)))

    def close_slice(self, first: int, end: int) -> None:
        """Make buffer places [first, end) the fold's next entries, and sum their windows."""
        cursor, entries = self.cursor[0], self.entries
        base = int(cursor["base"])
        for w, window_ns in enumerate(self.windows_ns):
            tail = trailing_lots(
                entries.ts,
                entries.contract,
                entries.lots,
                window_ns,
                self.tails[w] - base,
                first,
                end,
                self.held[w],
                entries.window_lots[w],
            )
            self.tails[w] = tail + base
        cursor["end"] = end + base

    def make_room(self, count: int) -> int:
        """Return where `count` entries may be put, moving or growing the buffer if it is full."""
        cursor = self.cursor[0]
        base, end = int(cursor["base"]), int(cursor["end"])
        capacity = self.entries.size
        if end - base + count > capacity:
            oldest = int(self.tails[-1])
            kept = slice(oldest - base, end - base)
            target = self.entries
            needed = 2 * (end - oldest + count)
            if needed > capacity:
                target = empty_entries(needed, self.windows_ns.size)
            for new, old in zip(target, self.entries, strict=True):
                new[..., : end - oldest] = old[..., kept].copy()
            self.entries = target
            cursor["base"] = base = oldest
        return end - base

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


def empty_entries(capacity: int, windows: int) -> Entries:
    """Return room for entries whose windows are not summed yet."""
    return Entries(
        ts=np.zeros(capacity, np.int64),
        lots=np.zeros(capacity, np.int64),
        contract=np.zeros(capacity, np.int32),
        cell=np.zeros(capacity, np.int32),
        price=np.zeros(capacity),
        spot=np.zeros(capacity),
        volatility=np.zeros(capacity),
        sign=np.zeros(capacity, np.int8),
        rule=np.zeros(capacity, np.uint8),
        institutional=np.zeros(capacity, np.bool_),
        demand=np.zeros(capacity),
        expected=np.zeros(capacity),
        variance=np.zeros(capacity),
        settled=np.zeros(capacity, np.bool_),
        previous=np.zeros(capacity, np.int64),
        window_lots=np.zeros((windows, capacity), np.int64),
    )


def _outputs(size: int) -> dict[str, NDArray[Any]]:
    return {
        "anomalies": np.zeros(size, ANOMALY),
        "decisions": np.zeros(size, DECISION),
        "members": np.zeros(size, MEMBER),
        "closes": np.zeros(size, CLOSE),
    }
