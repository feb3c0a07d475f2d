"""The clock of the machine, read by commands alone: everything else is given the time."""

from __future__ import annotations

import time
from datetime import datetime


def now_ns() -> int:
    """Return the time, UTC nanoseconds."""
    return time.time_ns()


def now() -> str:
    """Return the time as reports state it."""
    from hedgeflow.market.time import iso

    return iso(now_ns())


def moment() -> datetime:
    """Return the time as downloads are given it, UTC."""
    from hedgeflow.market.time import moment_of

    return moment_of(now_ns())
