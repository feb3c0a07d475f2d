"""Sixty days of a million option trades each stream into a catalog; memory must not grow with them.

``python bench/soak_simulation.py`` prints the resident memory after each stored batch of days and
its peak, and ends with 1 if the peak of the second half is more than a tenth above that of the
first. It takes some minutes and 15 GB of disk; ``--days`` and ``--trades`` make it smaller.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from simulation import SEED, DaySizes
from timing import peak_memory_mb

from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import scenario, write_to_catalog

GROWTH = 1.10
"""Peak of the second half over that of the first that counts as growth."""


def main() -> None:
    """Store the days, print memory by day, and say whether it grew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=60, help="days to store")
    parser.add_argument("--trades", type=int, default=1_000_000, help="option trades a day")
    parser.add_argument("--folder", type=Path, help="where to make the catalog, removed after")
    arguments = parser.parse_args()
    day = DaySizes(
        option_trades=arguments.trades,
        hedge_trades=arguments.trades // 2,
        hedge_quotes=max(1, arguments.trades // 2),
        option_quote_times=48,
        contracts=5_000,
    )
    peaks: list[tuple[int, float]] = []
    began = time.perf_counter()

    def stored(done: int, total: int) -> None:
        seconds = time.perf_counter() - began
        peaks.append((done, peak_memory_mb()))
        print(
            f"day {done} of {total}: {resident_mb():,.0f} MB resident,"
            f" peak {peaks[-1][1]:,.0f} MB, {seconds:,.0f} s",
            flush=True,
        )

    with tempfile.TemporaryDirectory(prefix="hedgeflow-soak-", dir=arguments.folder) as folder:
        catalog = Catalog.create_or_open(Path(folder) / "catalog")
        chosen = scenario("effect", day.changes(), days=arguments.days, seed=SEED)
        write_to_catalog(chosen, catalog, stored)
        rows = sum(each.rows for each in catalog.summaries())
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    half = max(peak for done, peak in peaks if done <= max(arguments.days // 2, peaks[0][0]))
    grown = peaks[-1][1] / half
    print(f"{rows:,} rows, {size / 1e9:.2f} GB; peak of all days over half of them: {grown:.3f}")
    sys.exit(int(grown > GROWTH))


def resident_mb() -> float:
    """Return the resident memory of this process now; the peak where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_memory_mb()
    line = next(each for each in status.read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / (1 << 10)


if __name__ == "__main__":
    main()
