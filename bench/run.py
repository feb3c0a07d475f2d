"""Every comparison in one run: agreement is checked first, then ratios are printed.

``python bench/run.py`` takes a few minutes and 2 GB; ``--quick`` takes seconds and measures
nothing worth reporting, but checks that all results agree. Figures of one thread are processor
time, so that a busy machine disturbs them little; those of several are wall time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import exits
import implied_volatilities
import nulls
import numpy as np
import settlement_fold
import volatility_minutes
from exits import ExitSizes
from nulls import NullSizes
from option_day import OptionDays, TradeSizes
from settlement_fold import FoldSizes
from simulation import DaySizes
from table import Row, Section
from timing import machine

HERE = Path(__file__).resolve().parent
ENGINES = (
    ("hedgeflow", 1, "hedgeflow, 1 thread"),
    ("polars", 1, "Polars, 1 thread"),
    ("polars", 0, "Polars, all threads"),
    ("duckdb", 1, "DuckDB, 1 thread"),
    ("duckdb", 0, "DuckDB, all threads"),
)
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
YARDSTICKS = ("Polars, 1 thread", "DuckDB, 1 thread")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a run is."""

    trades: TradeSizes
    exits: ExitSizes
    nulls: NullSizes
    day: DaySizes
    fold: FoldSizes
    calibration_days: int
    options: int
    wide_options: int
    sample: int
    runs: int


FULL = Scale(
    TradeSizes(trades=10_000_000, contracts=20_000, slices=10, history=3),
    ExitSizes(ticks=1_000_000, variants=1_000, entries=200, bars=525_600, draws=10_000, trades=500),
    NullSizes(draws=10_000, trades=500, days=60, ticks=2_000_000),
    DaySizes(
        option_trades=1_000_000,
        hedge_trades=550_000,
        hedge_quotes=500_000,
        option_quote_times=48,
        contracts=5_000,
    ),
    fold=FoldSizes(strikes=10_000, snapshots=10_000),
    calibration_days=24,
    options=1_000_000,
    wide_options=10_500_000,
    sample=20_000,
    runs=3,
)
QUICK = Scale(
    TradeSizes(trades=100_000, contracts=2_000, slices=4, history=3),
    ExitSizes(ticks=20_000, variants=20, entries=20, bars=5_000, draws=20, trades=50),
    NullSizes(draws=100, trades=20, days=2, ticks=20_000),
    DaySizes(
        option_trades=10_000,
        hedge_trades=5_000,
        hedge_quotes=5_000,
        option_quote_times=4,
        contracts=200,
    ),
    fold=FoldSizes(strikes=200, snapshots=300),
    calibration_days=1,
    options=10_000,
    wide_options=30_000,
    sample=500,
    runs=1,
)


def main() -> None:
    """Run everything, print it and write it to a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only check that results agree")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for results")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    sections: list[Section] = []
    for measure in (
        window_sums,
        whole_chain,
        volatilities,
        wide_volatilities,
        exit_walks,
        null_draws,
        expiration,
        minutes,
        simulation,
    ):
        sections.append(measure(scale))
        if measure is whole_chain:
            sections[-1].rows.extend(beside_sums(*sections))
        print(sections[-1].text(), flush=True)
    load = os.getloadavg()[0]
    where = f"{machine()}, {os.cpu_count()} processors, load {load:.1f} at the end"
    print(where)
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = "\n".join(section.text() for section in sections)
    (arguments.out / "bench.md").write_text(f"{where}\n\n{text}", encoding="utf-8")
    written = {"machine": where, "sections": [asdict(section) for section in sections]}
    (arguments.out / "bench.json").write_text(json.dumps(written, indent=1), encoding="utf-8")


def window_sums(scale: Scale) -> Section:
    """Compare the bare scan: 5-minute volume per contract at every trade."""
    days = OptionDays(scale.trades)
    slices = [days.slice(days.measured, place) for place in range(scale.trades.slices)]
    trades = {
        name: np.concatenate([getattr(prints, name) for prints in slices])
        for name in ("ts", "contract", "lots")
    }
    count = trades["ts"].size
    del slices
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "trades.npz", **trades)
        del trades
        ours, ours_sums = 0.0, np.empty(0)
        for engine, threads, name in ENGINES:
            if importlib.util.find_spec(engine) is None:
                rows.append(Row.missing(name))
                continue
            figures = _child("scan_sums.py", engine, str(threads), folder, str(scale.runs))
            seconds = figures["cpu_seconds" if threads == 1 else "wall_seconds"]
            sums = np.load(Path(folder) / f"{engine}-{threads}.npy")
            if not rows:
                ours, ours_sums = seconds, sums
            assert np.array_equal(sums, ours_sums), f"{name} finds other sums"
            note = f"sums agree; peak memory {figures['peak_memory_mb']:,.0f} MB"
            rows.append(Row(name, count / seconds / 1e6, "M trades/s", seconds / ours, note))
    title = f"5-minute volume at each of {count:,} trades, {scale.trades.contracts:,} contracts"
    return Section(title, rows)


def whole_chain(scale: Scale) -> Section:
    """Measure signing, delta, netting, three windows, baselines and alerts together."""
    rows: list[Row] = []
    for with_iv, name in ((True, "volatility printed"), (False, "volatility solved")):
        arguments = {"sizes": asdict(scale.trades), "runs": scale.runs, "with_iv": with_iv}
        figures = _child("scan_chain.py", json.dumps(arguments))
        grown = figures["peak_memory_mb"] - figures["peak_after_first_slice_mb"]
        note = (
            f"{figures['anomalies']:,} anomalies, {figures['alerts']:,} alerts, the same in other"
            f" slices; peak memory {figures['peak_memory_mb']:,.0f} MB, of which {grown:,.0f} MB"
            " came after the first slice"
        )
        rate = scale.trades.trades / figures["cpu_seconds"] / 1e6
        rows.append(Row(f"hedgeflow, 1 thread, {name}", rate, "M trades/s", 1.0, note))
    slice_trades = scale.trades.trades // scale.trades.slices
    return Section(f"Full chain on the same trades, in slices of {slice_trades:,}", rows)


def beside_sums(sums: Section, chain: Section) -> list[Row]:
    """Return the peers' bare sums again, as a yardstick for the whole chain."""
    ours = chain.rows[0].figure
    return [
        replace(row, ratio=ours / row.figure, note="only one window's sums, from the table above")
        for row in sums.rows
        if row.name in YARDSTICKS and not math.isnan(row.figure)
    ]


def volatilities(scale: Scale) -> Section:
    """Compare implied volatility where every library should find it."""
    rows = implied_volatilities.usual(scale.options, scale.sample, scale.runs)
    title = "Implied volatility, 1 thread: a day to two years, 5 to 200 %, up to 3 deviations"
    return Section(title, rows)


def wide_volatilities(scale: Scale) -> Section:
    """Compare implied volatility over the whole range that a trader may meet."""
    rows = implied_volatilities.wide(scale.wide_options, scale.sample, runs=1)
    title = "Wide implied volatility, 1 thread: a minute to ten years, 2 to 400 %, 8 deviations"
    return Section(title, rows)


def exit_walks(scale: Scale) -> Section:
    """Measure exits on ticks and on bars."""
    return Section("Exits, 1 thread", exits.run(scale.exits, scale.runs))


def null_draws(scale: Scale) -> Section:
    """Measure the nulls that a verdict's p-value comes from."""
    return Section("Null draws, 1 thread", nulls.run(scale.nulls, scale.runs))


def expiration(scale: Scale) -> Section:
    """Measure the fold of expiration pressure in an expiry's last three hours."""
    sizes = scale.fold
    title = f"{sizes.strikes:,} strikes at {sizes.snapshots:,} snapshots before expiry, 1 thread"
    return Section(title, settlement_fold.run(sizes, scale.runs))


def minutes(scale: Scale) -> Section:
    """Measure the volatility at the money, asked at each minute of a day."""
    sizes = replace(scale.trades, trades=scale.trades.trades // 10)
    title = f"Volatility at the money each minute of a day of {sizes.trades:,} trades, 1 thread"
    return Section(title, volatility_minutes.run(sizes, scale.runs))


def simulation(scale: Scale) -> Section:
    """Measure the simulator: a large day in memory and in a catalog, and days of `calibration`.

    No peer makes tapes of options and of the future that hedges them; the yardstick is the least
    that any simulator must do, tables of as many random numbers in the order of time.
    """
    asked: dict[str, Any] = {
        "day": asdict(scale.day), "days": scale.calibration_days, "runs": scale.runs,
    }  # fmt: skip

    def work(name: str, **more: Any) -> dict[str, Any]:
        return _child("simulation.py", json.dumps(asked | {"work": name} | more), **ONE_THREAD)

    made = work("made")
    bound, stored, many = work("bound", rows=made["rows"]), work("stored"), work("calibration")
    rows = made["rows"]
    assert {kind: rows[kind] for kind in stored["rows"]} == stored["rows"], "other rows are stored"
    count = sum(rows.values())
    seconds = made["cpu_seconds"]
    each = many["cpu_seconds"] / scale.calibration_days
    prints = many["rows"]["option_trades"] / scale.calibration_days
    return Section(
        f"Simulating a day, 1 thread: {rows['option_trades']:,} option trades in about"
        f" {scale.day.contracts:,} contracts, {rows['hedge_trades']:,} futures trades,"
        f" {rows['hedge_quotes']:,} futures quotes, {rows['option_quotes']:,} option quotes",
        [
            _simulated("hedgeflow, in memory", made, count, 1.0),
            _simulated("hedgeflow, stored in a catalog", stored, count, 1.0),
            _simulated(
                "random numbers in the same columns", bound, count, bound["cpu_seconds"] / seconds
            ),
            Row(
                "hedgeflow, a day of preset calibration", each, "s", 1.0,
                f"{prints:,.0f} option trades a day, mean of {scale.calibration_days} days;"
                f" peak memory {many['peak_memory_mb']:,.0f} MB",
            ),
        ],
    )  # fmt: skip


def _simulated(name: str, figures: dict[str, Any], count: int, ratio: float) -> Row:
    note = f"{figures['cpu_seconds']:.2f} s; peak memory {figures['peak_memory_mb']:,.0f} MB"
    return Row(name, count / figures["cpu_seconds"] / 1e6, "M rows/s", ratio, note)


def _child(script: str, *arguments: str, **variables: str) -> dict[str, Any]:
    """Run a script in a process of its own and return the JSON on its last line."""
    command = [sys.executable, str(HERE / script), *arguments]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
