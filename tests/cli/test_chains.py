"""`hedgeflow data import chain` as users run it."""

from __future__ import annotations

import json

import polars as pl
import pytest

from hedgeflow.market import Catalog, TapeKind


def snapshots(days):
    """Return an NSE chain of one strike, with a snapshot on each of some days."""
    return pl.DataFrame(
        {
            "Symbol": ["NIFTY"] * days,
            "Expiry": ["2026-02-24"] * days,
            "Strike": [25_800.0] * days,
            "CE_LTP": [61.0] * days,
            "CE_OI": [3_178_110.0] * days,
            "CE_Volume": [15_031_250.0] * days,
            "PE_LTP": [74.4] * days,
            "PE_OI": [1_650_350.0] * days,
            "PE_Volume": [9_114_300.0] * days,
            "Spot": [25_798.75] * days,
            "timestamp": [f"2026-02-{day:02d} 12:23:12" for day in range(1, days + 1)],
        }
    )


@pytest.fixture
def run(run, tmp_path):
    """Return a function that imports a chain and returns exit code, output and errors."""

    def run_command(frame, *options, source="nse"):
        path = tmp_path / "chain.csv"
        frame.write_csv(path)
        words = ("data", "import", "chain", source, path, "--catalog", tmp_path / "catalog")
        return run(*words, *options)

    return run_command


def test_the_text_accounts_for_snapshots_and_bars(run):
    code, out, err = run(snapshots(2))
    assert (code, err) == (0, "")
    assert "option_snapshots of NIFTY on nse: 4 rows read = 4 kept + 0 rejected" in out
    assert "bars of NIFTY on nse: 2 rows read = 2 kept" in out


def test_a_tape_without_a_row_that_can_be_used_is_not_said_to_wait_for_acceptance(run):
    without = snapshots(1).with_columns(Symbol=pl.lit("MIDCPNIFTY"), Spot=pl.lit(0.0))
    code, out, _ = run(pl.concat([snapshots(1), without]))
    assert code == 0
    assert "None of its rows can be used, whatever is accepted: NON_POSITIVE_PRICE 2." in out
    assert "--accept-rejects" not in out


def test_the_json_is_a_list_of_reports(run, tmp_path):
    code, out, _ = run(snapshots(1), "--json")
    assert code == 0
    assert [(each["tape"]["kind"], each["kept"]) for each in json.loads(out)] == [
        ("option_snapshots", 2),
        ("bars", 1),
    ]
    kinds = {key.kind for key in Catalog.open(tmp_path / "catalog").keys()}  # noqa: SIM118
    assert kinds == {TapeKind.OPTION_SNAPSHOTS, TapeKind.BARS}


def test_a_dry_run_writes_nothing(run, tmp_path):
    code, out, _ = run(snapshots(1), "--dry-run")
    assert (code, "Dry run: nothing was written." in out) == (0, True)
    assert not (tmp_path / "catalog").exists()


def test_a_file_of_another_source_is_refused_and_leaves_no_catalog(run, tmp_path):
    code, _, err = run(snapshots(1), source="deribit")
    assert code == 3
    assert "column 'ts' is missing: this is no file of Deribit chains" in err
    assert not (tmp_path / "catalog").exists()


def test_many_intervals_are_told_by_the_first_and_the_last(run):
    _, out, _ = run(snapshots(14))
    bars = out[out.index("bars of NIFTY") :]
    assert "recorded in 14 intervals" in bars
    shown = [line.split()[0][:10] for line in bars.splitlines() if " to 2026-" in line]
    days = (1, 2, 3, 4, 5, 10, 11, 12, 13, 14)
    assert shown == [f"2026-02-{day:02d}" for day in days]
    assert "… 4 more …" in bars
