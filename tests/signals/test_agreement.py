"""The fold and a slow reference written from the specification alone find the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from hedgeflow.market.contracts import parse_deribit_option
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from hedgeflow.signals import ScanOutput, ShockScan
from reference import slow_shock, slow_tape
from signals.agreement import assert_same_anomalies, assert_same_events
from signals.tapes import (
    OPTION_TAPE,
    FixedReference,
    config,
    contracts_table,
    joined,
    option,
    random_tape,
    scan_of,
)

if TYPE_CHECKING:
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

COMPLEX = ("net", "include", "exclude")


def events_of(preset: str, complex_orders: str, threshold: float) -> VolumeShockConfig:
    """Return a preset with the event as its unit and the tiers as its response."""
    return config(
        preset,
        tape={"complex": complex_orders},
        alert={"unit": "event", "pressure_threshold": threshold},
        response={"model": "tiers"},
    )


# --- random tapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 12, 14])
@pytest.mark.parametrize("complex_orders", COMPLEX)
@pytest.mark.parametrize(("preset", "threshold"), [("source", 0.3), ("normalized", 10.0)])
def test_random_tapes_give_the_same_anomalies_and_events(preset, threshold, complex_orders, seed):
    source = random_tape(seed, prints_a_day=50)
    scan = source.scan(events_of(preset, complex_orders, threshold))
    output = joined([scan.advance(source.frame), scan.finish()])
    rules = slow_shock.preset(
        preset, complex_orders=complex_orders, unit="event", pressure_threshold=threshold
    )
    slow = slow_shock.detect(source.prints, rules, source.volumes, source.intervals)
    assert len(slow.anomalies) > 2
    assert_same_anomalies(output, scan.book.symbols, scan.windows_ns, slow)
    assert_same_events(output, slow)


@pytest.mark.parametrize("preset", ["source", "normalized"])
def test_random_tapes_give_the_same_anomalies_in_every_window(preset):
    windows = (5.0, 60.0, 300.0)
    source = random_tape(21, prints_a_day=60, step_ns=2 * SECOND_NS)
    scan = source.scan(
        config(preset, anomaly={"windows_seconds": windows}), resolution_ns=SECOND_NS
    )
    output = joined([scan.advance(source.frame), scan.finish()])
    rules = slow_shock.preset(
        preset, windows_ns=tuple(round(w) * SECOND_NS for w in windows), resolution_ns=SECOND_NS
    )
    slow = slow_shock.detect(source.prints, rules, source.volumes, source.intervals)
    assert {row.window_ns for row in slow.anomalies} == set(rules.windows_ns)
    assert_same_anomalies(output, scan.book.symbols, scan.windows_ns, slow)


@pytest.mark.parametrize("preset", ["source", "normalized"])
def test_random_tapes_give_the_same_alerts_of_single_contracts(preset):
    source = random_tape(5)
    changes = {"unit": "contract", "pressure_threshold": 0.3}
    scan = source.scan(config(preset, alert=changes, response={"model": "tiers"}))
    output = scan.advance(source.frame)
    rules = slow_shock.preset(preset, **changes)
    slow = slow_shock.detect(source.prints, rules, source.volumes, source.intervals)
    ours = {
        (int(row["ts"]), scan.book.symbols[row["contract"]]): float(row["pressure"])
        for row in output.decisions
    }
    theirs = {
        (anomaly.ts_ns, anomaly.contract): state.pressure
        for anomaly, state in slow.contract_alerts
        if state.direction is not None
    }
    assert len(theirs) > 3
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert len(ours) == output.decisions.size


# --- recorded days --------------------------------------------------------------------------------

FIRST_DAY, LAST_DAY = date(2025, 5, 4), date(2025, 5, 8)
V5 = 360.0


@pytest.fixture(scope="module")
def recorded(market_data: Path) -> pl.DataFrame:
    """Return recorded Deribit trades: 2025-05-08 and the four days before, in tape order."""
    path = market_data / "deribit-trades" / "btc_option_trades.parquet"
    if not path.is_file():
        pytest.skip(f"needs recorded Deribit trades: no file {path}")
    frame = pl.read_parquet(path).filter(
        pl.col("block_trade_id").is_null() | (pl.col("block_trade_id") != "BUY")
    )
    return frame.filter(pl.col("ts").dt.date().is_between(FIRST_DAY, LAST_DAY))


@pytest.fixture(scope="module")
def option_tape(recorded: pl.DataFrame) -> pl.DataFrame:
    """Return the recorded trades in the scan's schema."""
    lots = (pl.col("amount") * 10).round().cast(pl.Int64)
    time = pl.col("ts").cast(pl.Datetime("ns", "UTC"))
    none = pl.lit(None)
    return recorded.select(
        ts=time,
        known_at=time + pl.duration(minutes=1),
        contract="instrument",
        price="price_btc",
        lots=lots,
        aggressor=pl.when(pl.col("direction") == "buy").then(1).otherwise(-1),
        iv=pl.col("iv_pct") / 100,
        underlying_price="underlying_price",
        bid=none,
        ask=none,
        combo_id="combo_id",
        block_id="block_trade_id",
        condition=none,
        trade_id=none,
    ).cast(dict(OPTION_TAPE))


@pytest.fixture(scope="module")
def slow_prints(recorded: pl.DataFrame) -> list[slow_tape.Print]:
    """Return the recorded trades for the slow reference."""
    columns = recorded.select(
        pl.col("ts").cast(pl.Datetime("ns", "UTC")).dt.timestamp("ns"),
        "instrument",
        pl.col("option_type").str.slice(0, 1).str.to_uppercase(),
        "strike",
        pl.col("expiry").cast(pl.Datetime("ns")).dt.timestamp("ns") + 8 * HOUR_NS,
        "price_usd",
        (pl.col("amount") * 10).round().cast(pl.Int64),
        pl.when(pl.col("direction") == "buy").then(1).otherwise(-1),
        pl.col("iv_pct") / 100,
        "underlying_price",
        "combo_id",
        "block_trade_id",
        "price_btc",
    )
    return [slow_tape.Print(*row) for row in columns.iter_rows()]


@pytest.fixture(scope="module")
def terms(recorded: pl.DataFrame) -> pl.DataFrame:
    """Return the contracts table of the recorded trades."""
    parsed = [parse_deribit_option(name) for name in sorted(recorded["instrument"].unique())]
    return contracts_table(
        *[
            option(each.symbol, str(each.right), each.strike, expiry=each.expiry_ns, inverse=True)
            for each in parsed
        ]
    )


def stamps(frame: pl.DataFrame) -> np.ndarray:
    return frame["ts"].dt.timestamp("ns").to_numpy()


def recorded_scan(
    settings: VolumeShockConfig, option_tape: pl.DataFrame, terms: pl.DataFrame
) -> tuple[ShockScan, ScanOutput]:
    at = stamps(option_tape)
    sessions = sessions_between("24/7", int(at[0]), int(at[-1]))
    covered = Coverage.from_stamps(at, MINUTE_NS).slots(sessions)
    scan = scan_of(
        settings, terms, sessions=sessions, covered=covered, reference=FixedReference(V5)
    )
    return scan, joined([scan.advance(option_tape), scan.finish()])


@pytest.mark.parametrize(
    ("preset", "threshold", "complex_orders"),
    [("source", 2.0, "include"), ("normalized", 10.0, "net")],
)
def test_recorded_days_give_the_same_anomalies_and_events(
    preset, threshold, complex_orders, option_tape, slow_prints, terms
):
    settings = events_of(preset, complex_orders, threshold)
    scan, output = recorded_scan(settings, option_tape, terms)
    rules = slow_shock.preset(
        preset, complex_orders=complex_orders, unit="event", pressure_threshold=threshold
    )
    volumes = {int(day): V5 for day in np.unique(stamps(option_tape) // DAY_NS)}
    slow = slow_shock.detect(slow_prints, rules, volumes)
    assert len(slow.anomalies) > 100
    assert_same_anomalies(output, scan.book.symbols, scan.windows_ns, slow)
    assert_same_events(output, slow)


def test_the_premium_moves_recorded_demand_by_about_6_percent_at_the_median(option_tape, terms):
    """precise.md 6, measured over all prints with an appreciable delta."""
    plain, _ = recorded_scan(config("normalized"), option_tape[:1], terms)
    adjusted, _ = recorded_scan(
        config("normalized", tape={"premium_adjusted": True}), option_tape[:1], terms
    )
    rows = option_tape[1:]
    before = np.abs(plain.signed_prints(rows)["demand"])
    after = np.abs(adjusted.signed_prints(rows)["demand"])
    assert 0.03 < np.median(np.abs(after - before)[before > 0] / before[before > 0]) < 0.09
