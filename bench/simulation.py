"""One simulated day on one thread, as JSON on the last line; a child process of run.py.

The work that its argument names is ``made`` (the
tapes and the truth in memory), ``stored`` (a catalog of them), ``calibration`` (days of the preset
that the judge is tried on, in memory) or ``bound`` (tables of the rows that are asked for and
the same columns, each of independent random numbers, in the order of time: what no simulator in
NumPy and Polars can be faster than).
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from timing import best_of, peak_memory_mb

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.tapes import TIME, TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS
from hedgeflow.simulate import scenario, simulate_days, write_to_catalog

SEED = 7
WEEKLY_EXPIRIES = 10
EXPIRIES = 19.0
"""Expiries that ten daily and ten weekly ones make, one day in common."""

TAPES = ("option_trades", "hedge_trades", "hedge_quotes", "option_quotes", "open_interest", "bars")


@dataclass(frozen=True, slots=True)
class DaySizes:
    """How much one simulated day holds.

    Attributes
    ----------
    option_trades, hedge_trades, hedge_quotes : int
    option_quote_times : int
        How often every option is quoted anew on the tape of quotes.
    contracts : int
        Listed options.
    """

    option_trades: int
    hedge_trades: int
    hedge_quotes: int
    option_quote_times: int
    contracts: int

    def changes(self) -> dict[str, Any]:
        """Return the changes of the preset `effect` that make such a day."""
        return {
            "option_flow.trades_per_day": float(self.option_trades),
            "future.trades_per_day": float(self.hedge_trades),
            "future.quote_interval_seconds": 86_400.0 / self.hedge_quotes,
            "chain.daily_expiries": WEEKLY_EXPIRIES,
            "chain.weekly_expiries": WEEKLY_EXPIRIES,
            "chain.strikes_each_side": max(1, round(self.contracts / EXPIRIES / 4)),
            "option_quotes.tape": True,
            "option_quotes.refresh_minutes": 1440.0 / self.option_quote_times,
        }


def main() -> None:
    """Do the work that the argument names, and print what it took."""
    asked = json.loads(sys.argv[1])
    assert pl.thread_pool_size() == 1, "start it with POLARS_MAX_THREADS=1"
    day, runs = DaySizes(**asked["day"]), asked["runs"]
    _warm(day)
    before = peak_memory_mb()
    works = {
        "made": lambda: _made("effect", day.changes(), 1),
        "stored": lambda: _stored(day),
        "calibration": lambda: _made("calibration", {}, asked["days"]),
        "bound": lambda: _bound(asked["rows"], day.contracts),
    }
    timing, rows = best_of(runs, works[asked["work"]])
    figures = {
        **asdict(timing),
        "rows": rows,
        "peak_memory_mb": peak_memory_mb(),
        "at_rest_mb": before,
    }
    print(json.dumps(figures))


def _warm(day: DaySizes) -> None:
    """Load every kernel and library on a day of a thousandth of the size."""
    small = {
        "option_flow.trades_per_day": day.option_trades / 1000.0,
        "future.trades_per_day": day.hedge_trades / 1000.0,
        "option_quotes.tape": True,
    }
    with tempfile.TemporaryDirectory() as folder:
        few = scenario("effect", small, days=1, seed=SEED)
        write_to_catalog(few, Catalog.create_or_open(Path(folder) / "catalog"))


def _made(preset: str, changes: dict[str, Any], days: int) -> dict[str, int]:
    """Simulate days, one in memory at a time, and return their rows by tape."""
    rows = dict.fromkeys(TAPES, 0)
    for market in simulate_days(scenario(preset, changes, days=days, seed=SEED)):
        for name in rows:
            rows[name] += getattr(market, name).height
    return rows


def _stored(day: DaySizes) -> dict[str, int]:
    """Simulate a day into a catalog and return the rows of its tapes."""
    folder = Path(tempfile.mkdtemp(prefix="hedgeflow-bench-"))
    try:
        catalog = Catalog.create_or_open(folder / "catalog")
        write_to_catalog(scenario("effect", day.changes(), days=1, seed=SEED), catalog)
        return {str(each.key.kind): each.rows for each in catalog.summaries()}
    finally:
        shutil.rmtree(folder)


def _bound(rows: dict[str, int], contracts: int) -> dict[str, int]:
    """Make tables of random numbers, each stamped and sorted by time."""
    rng = np.random.default_rng(SEED)
    symbols = pl.Series([f"SIM-6JAN25-{number}-C" for number in range(contracts)])
    for kind, count in rows.items():
        stamps = rng.integers(0, DAY_NS, count)
        columns: dict[str, Any] = {}
        for name, dtype in tape_schema(TapeKind(kind)).items():
            if dtype == TIME:
                columns[name] = stamps
            elif name == "contract":
                columns[name] = symbols.gather(rng.integers(0, contracts, count))
            elif dtype == pl.String:
                columns[name] = pl.int_range(count, eager=True).cast(pl.String)
            elif dtype == pl.Float64:
                columns[name] = rng.standard_normal(count)
            else:
                columns[name] = rng.integers(1, 100, count)
        pl.DataFrame(columns).sort("ts").cast(dict(tape_schema(TapeKind(kind))))
    return rows


if __name__ == "__main__":
    main()
