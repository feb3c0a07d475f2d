"""Trailing windows: what a contract has traded in the time that ends with each entry of a tape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@nb.njit(cache=True, nogil=True)
def trailing_lots(
    ts: NDArray[np.int64],
    contract: NDArray[np.int32],
    lots: NDArray[np.int64],
    window_ns: int,
    tail: int,
    first: int,
    end: int,
    held: NDArray[np.int64],
    out: NDArray[np.int64],
) -> int:
    """Fill out[first:end] with the contract's lots in (ts - window, ts], up to each entry.

    Of entries with one stamp and contract, the last therefore holds the sum of the whole batch.

    Parameters
    ----------
    ts, contract, lots : ndarray of shape (n,)
        The tape, ascending.
    window_ns : int
    tail : int
        First entry that is still counted in `held`.
    first, end : int
        The entries to count now; those before `first` are counted already.
    held : ndarray of shape (contracts,)
        Lots in the window by contract; carried from call to call, as `tail` is.
    out : ndarray of shape (n,)

    Returns
    -------
    int
        The new tail.
    """
    oldest = np.uint64(tail)  # unsigned, so that no index is checked for a negative sign
    for entry in range(np.uint64(first), np.uint64(end)):
        horizon = ts[entry] - window_ns
        while ts[oldest] <= horizon:
            held[np.uint64(contract[oldest])] -= lots[oldest]
            oldest += np.uint64(1)
        c = np.uint64(contract[entry])
        held[c] += lots[entry]
        out[entry] = held[c]
    return int(oldest)
