"""The full chain of the volume-shock scan on one session, slice by slice, in its own process.

Run as ``scan_chain.py JSON``: sizes, runs and whether trades carry their volatility. Earlier
sessions make the baselines; the last one is timed, then folded again in slices of another size.
Only one slice is in memory at a time.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
from option_day import OptionDays, TradeSizes
from timing import peak_memory_mb

from hedgeflow.signals import SessionReference, ShockScan
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.rules import scan_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hedgeflow.signals import ScanOutput
    from hedgeflow.signals.prints import PrintSlice

SCALE_VOLUME = 2_000_000.0


class FixedReference:
    """A hedge instrument of constant volume and volatility."""

    def session(self, open_ns: int, closed_events: NDArray) -> SessionReference:
        """Return the same for every session."""
        del open_ns, closed_events
        return SessionReference(SCALE_VOLUME, None)

    def realised_volatility(self, now: int) -> float:
        """Return the same at all times."""
        del now
        return 0.15


def new_scan(days: OptionDays) -> ShockScan:
    """Return a scan under the default rules that has read nothing yet."""
    scan = ShockScan(
        rules=scan_rules(VolumeShockConfig.normalized(), lot=1.0),
        terms=days.terms,
        sessions=days.sessions,
        covered=np.ones((days.sessions.open_ns.size, days.sessions.slots), np.bool_),
        reference=FixedReference(),
        resolution_ns=1,
    )
    scan.book.indices(days.terms["contract"].to_list())
    return scan


def fold_session(
    scan: ShockScan, slices: Iterator[PrintSlice]
) -> tuple[dict[str, float], list[ScanOutput]]:
    """Fold one session; only the scan's own work is timed, not the making of trades."""
    outputs: list[ScanOutput] = []
    cpu_seconds = wall_seconds = 0.0
    peaks: list[float] = []
    for prints in slices:
        cpu, wall = time.process_time(), time.perf_counter()
        outputs.append(scan.advance_prints(prints))
        cpu_seconds += time.process_time() - cpu
        wall_seconds += time.perf_counter() - wall
        peaks.append(peak_memory_mb())
    figures = {
        "cpu_seconds": cpu_seconds,
        "wall_seconds": wall_seconds,
        "peak_memory_mb": peaks[-1],
        "peak_after_first_slice_mb": peaks[0],
    }
    return figures, outputs


def halved(slices: Iterator[PrintSlice]) -> Iterator[PrintSlice]:
    """Cut every slice in two, between two stamps."""
    for prints in slices:
        middle = int(np.searchsorted(prints.ts, prints.ts[prints.ts.size // 2]))
        yield from (prints.part(0, middle), prints.part(middle, prints.ts.size))


def is_same(one: list[ScanOutput], other: list[ScanOutput]) -> bool:
    """Return whether two foldings found the same, whatever slices they were found in."""
    return all(np.array_equal(_rows(one, name), _rows(other, name)) for name in _COMPARED)


_COMPARED = ("anomalies", "decisions", "members", "closes")


def _rows(outputs: list[ScanOutput], name: str) -> NDArray:
    rows = np.concatenate([getattr(output, name) for output in outputs])
    if name == "decisions":  # where a slice's members are counted from depends on the slices
        rows["member_from"] = rows["member_to"] = 0
    return rows


def main(sizes: TradeSizes, runs: int, with_iv: bool) -> None:
    """Build the history, time the last session, and check it against other slices."""
    days = OptionDays(sizes, with_iv=with_iv)
    before = new_scan(days)
    for session in range(sizes.history):
        for place in range(sizes.slices):
            before.advance_prints(days.slice(session, place))
    timed: list[dict[str, float]] = []
    for _ in range(runs):
        slices = (days.slice(days.measured, place) for place in range(sizes.slices))
        figures, found = fold_session(copy.deepcopy(before), slices)
        timed.append(figures)
    slices = (days.slice(days.measured, place) for place in range(sizes.slices))
    _, again = fold_session(before, halved(slices))
    assert is_same(found, again), "slices of another size found something else"
    best = timed[0] | {
        clock: min(figures[clock] for figures in timed) for clock in ("cpu_seconds", "wall_seconds")
    }
    best["anomalies"] = sum(output.anomalies.size for output in found)
    best["alerts"] = sum(output.decisions.size for output in found)
    print(json.dumps(best))


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    main(TradeSizes(**arguments["sizes"]), arguments["runs"], arguments["with_iv"])
