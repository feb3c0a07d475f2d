"""Trailing 5-minute volume per contract at every trade: one engine, in a process of its own.

Run as ``scan_sums.py ENGINE THREADS FOLDER RUNS``: reads ``trades.npz`` in FOLDER, writes the sums
to ``ENGINE-THREADS.npy`` beside it and prints the timing as JSON. Threads must be known before
Polars is imported; 0 is all of them.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from timing import best_of, peak_memory_mb

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WINDOW_NS = 300_000_000_000


def hedgeflow_sums(trades: dict[str, NDArray]) -> Callable[[], NDArray[np.int64]]:
    """Return the fold's own window kernel, its sums settled where trades share a stamp."""
    import numba as nb

    from hedgeflow.signals.windows import trailing_lots

    ts, contract, lots = trades["ts"], trades["contract"], trades["lots"]
    contracts = int(contract.max()) + 1

    @nb.njit
    def settle(ts: NDArray, contract: NDArray, sums: NDArray) -> None:
        for i in range(ts.size - 2, -1, -1):
            other = i + 1
            while other < ts.size and ts[other] == ts[i]:
                if contract[other] == contract[i]:
                    sums[i] = sums[other]
                    break
                other += 1

    def run() -> NDArray[np.int64]:
        sums = np.empty(ts.size, np.int64)
        held = np.zeros(contracts, np.int64)
        trailing_lots(ts, contract, lots, WINDOW_NS, 0, 0, ts.size, held, sums)
        settle(ts, contract, sums)
        return sums

    run()
    return run


def polars_sums(trades: dict[str, NDArray]) -> Callable[[], NDArray[np.int64]]:
    """Return Polars' rolling sum by time over each contract, on a frame sorted by time."""
    import polars as pl

    frame = pl.DataFrame(trades).with_columns(pl.col("ts").cast(pl.Datetime("ns")).set_sorted())
    rolling = pl.col("lots").rolling_sum_by("ts", "5m").over("contract")
    return lambda: frame.select(rolling).to_series().to_numpy()


def duckdb_sums(trades: dict[str, NDArray], threads: int) -> Callable[[], NDArray[np.int64]]:
    """Return DuckDB's window sum over a native table; its frame is closed, so 1 ns shorter."""
    import duckdb
    import polars as pl

    connection = duckdb.connect(config={"threads": threads} if threads else {})
    connection.register("frame", pl.DataFrame({"row": np.arange(len(trades["ts"])), **trades}))
    connection.execute("create table trades as select * from frame")
    connection.unregister("frame")
    query = """select row, cast(sum(lots) over (
        partition by contract order by ts
        range between $frame_ns preceding and current row) as bigint) as lots from trades"""

    def run() -> NDArray[np.int64]:
        found = connection.execute(query, {"frame_ns": WINDOW_NS - 1}).fetchnumpy()
        sums = np.empty(len(found["row"]), np.int64)
        sums[found["row"]] = found["lots"]
        return sums

    return run


def main(engine: str, threads: int, folder: Path, runs: int) -> None:
    """Time one engine and write what it found."""
    if threads:
        os.environ["POLARS_MAX_THREADS"] = str(threads)
    trades = dict(np.load(folder / "trades.npz"))
    if engine == "hedgeflow":
        run = hedgeflow_sums(trades)
    elif engine == "polars":
        run = polars_sums(trades)
    else:
        run = duckdb_sums(trades, threads)
    timing, sums = best_of(runs, run)
    np.save(folder / f"{engine}-{threads}.npy", sums)
    print(json.dumps({**asdict(timing), "peak_memory_mb": peak_memory_mb()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
