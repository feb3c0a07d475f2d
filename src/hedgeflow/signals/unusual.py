"""What volume is unusual: baselines, floors, and the many entries that are neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba as nb
import numpy as np

from hedgeflow.market.time import SLOT_NS, SLOTS_PER_BUCKET

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONTRACT: Final = 1
_BUCKET: Final = 2
_FLOOR: Final = 3
_DAYS: Final = 4


@nb.njit(cache=True)
def time_bucket(now: int, open_ns: int) -> int:
    """Return the 30-minute bucket of an instant in the session that opened at `open_ns`."""
    return (now - open_ns) // SLOT_NS // SLOTS_PER_BUCKET


@nb.njit(cache=True)
def baseline(
    c: int,
    cell: int,
    bucket: int,
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    rules: Any,
) -> tuple[float, float, int]:
    """Return (baseline, floor under it, origin) in lots per 5 minutes; NaN for NO_BASELINE."""
    of_bucket = bucket_mean[bucket, cell]
    floor = rules.baseline_floor_lots
    if rules.floor_is_bucket and not np.isnan(of_bucket):
        floor = max(floor, of_bucket)
    own = contract_mean[bucket, c]
    if not np.isnan(own):
        return own, floor, _CONTRACT
    if not np.isnan(of_bucket):
        return of_bucket, floor, _BUCKET
    if rules.skip_without_history:
        return np.nan, floor, 0
    return 0.0, floor, _FLOOR


@nb.njit(cache=True)
def exact_origin(origin: int, is_daily: bool) -> int:
    """Return the origin of a baseline, telling a contract's days from its intraday history."""
    return _DAYS if origin == _CONTRACT and is_daily else origin


@nb.njit(cache=True)
def window_baseline(own: float, floor: float, window_ns: int, rules: Any) -> float:
    """Return the baseline of one window: scaled from 5 minutes, floored at one contract.

    Multiplied before it is divided, so that a ratio of exactly 4 in a short window stays exact.
    """
    return max(rules.baseline_floor_lots, max(own, floor) * window_ns / SLOT_NS)


@nb.njit(cache=True)
def volume_floor(cell: int, bucket: int, quantiles: NDArray[np.float64], rules: Any) -> float:
    """Return the lots that the longest window must exceed."""
    if rules.floor_is_quantile and not np.isnan(quantiles[bucket, cell]):
        return quantiles[bucket, cell]
    return rules.fixed_floor_lots


@nb.njit(cache=True, error_model="numpy")
def skip_quiet(
    ts: NDArray[np.int64],
    contract: NDArray[np.int32],
    cell: NDArray[np.int32],
    window_lots: NDArray[np.int64],
    previous: NDArray[np.int64],
    start: int,
    end: int,
    until_ns: int,
    base: int,
    last_entry: NDArray[np.int64],
    member_of: NDArray[np.int32],
    armed: NDArray[np.uint8],
    windows_ns: NDArray[np.int64],
    contract_mean: NDArray[np.float64],
    bucket_mean: NDArray[np.float64],
    quantiles: NDArray[np.float64],
    rules: Any,
    open_ns: int,
) -> int:
    """Link the batches from `start` on that change nothing, and return where the next one starts.

    Nearly all do not, so that this decides how fast a tape is read. Of one contract's entries in
    a batch the last counts, whose window holds the whole batch. Takes arrays one by one: in a
    tuple, every entry would pay for counting references to them.
    """
    bucket, bucket_end = 0, ts[start]
    batch = start
    longest = windows_ns.size - 1
    for i in range(start, end):
        now = ts[i]
        if now != ts[batch]:
            batch = i
        if now >= bucket_end:
            bucket = time_bucket(now, open_ns)
            bucket_end = open_ns + (bucket + 1) * SLOTS_PER_BUCKET * SLOT_NS
        c: int = contract[i]
        floor = volume_floor(cell[i], bucket, quantiles, rules)
        is_quiet = now < until_ns and member_of[c] < 0
        for w in range(windows_ns.size):
            is_quiet &= armed[c, w] != 0
        if is_quiet and window_lots[longest, i] > floor:
            own, least, _ = baseline(c, cell[i], bucket, contract_mean, bucket_mean, rules)
            is_quiet = not np.isnan(own)
            for w in range(windows_ns.size):
                lots, normal = window_lots[w, i], window_baseline(own, least, windows_ns[w], rules)
                is_quiet &= lots <= floor or lots / normal <= rules.ratio
        if not is_quiet:
            for linked in range(i - 1, batch - 1, -1):
                last_entry[contract[linked]] = previous[linked]
            return batch
        previous[i] = last_entry[c]
        last_entry[c] = base + i
    return end
