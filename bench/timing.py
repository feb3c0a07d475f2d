"""How long work takes: the best of several runs, processor time and wall time."""

from __future__ import annotations

import gc
import platform
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Timing:
    """The fastest run.

    Attributes
    ----------
    cpu_seconds : float
        Of all threads of the process together.
    wall_seconds : float
    """

    cpu_seconds: float
    wall_seconds: float


def best_of(runs: int, work: Callable[[], Any]) -> tuple[Timing, Any]:
    """Return the fastest of several runs, by each clock, and the last run's result."""
    cpu_seconds = wall_seconds = float("inf")
    result = None
    for _ in range(runs):
        result = None
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        result = work()
        cpu_seconds = min(cpu_seconds, time.process_time() - cpu)
        wall_seconds = min(wall_seconds, time.perf_counter() - wall)
    return Timing(cpu_seconds, wall_seconds), result


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():  # elsewhere a child may be told its parent's figure
        kilobytes = next(
            line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line
        )
        return int(kilobytes) / (1 << 10)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def machine() -> str:
    """Return a line about the interpreter and the processor architecture."""
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
