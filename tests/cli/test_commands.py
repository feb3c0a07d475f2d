"""What the program prints and with which code it ends, run as users run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from builders.program import PROGRAM


@pytest.mark.parametrize(
    "command",
    [
        "demo", "scan", "backtest", "validate", "explain", "check-config", "doctor", "warm",
        "data", "data import", "data import deribit", "data import bars", "data fetch", "data list",
        "data check",
    ],
)  # fmt: skip
def test_every_command_explains_itself(run, command):
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage:")


def test_the_help_names_every_exit_code_and_loads_nothing_heavy(run):
    script = (
        "import sys\nfrom hedgeflow.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numba', 'polars', 'scipy', 'plotly', 'pandas', 'sqlalchemy', 'pyarrow'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip().endswith("LOADED []")
    for code in ("0 done", "1 refused", "2 wrong", "3 bad data", "4 bad catalog", "130 stopped"):
        assert code in done.stdout


def test_a_wrong_argument_is_code_2(run):
    assert run("scan", "--nonsense").returncode == 2


def test_the_version_is_printed(run):
    assert run("--version").stdout.startswith("hedgeflow 0.")


def test_a_folder_that_is_no_catalog_is_refused(refused, tmp_path):
    code, said = refused("scan", "--catalog", tmp_path, "--underlying", "BTC")
    assert code == 4
    assert "no catalog" in said
    assert "hedgeflow data import" in said


def test_an_unknown_underlying_is_refused_with_those_there_are(refused, simulated_market):
    code, said = refused("scan", "--catalog", simulated_market, "--underlying", "XRP")
    assert code == 4
    assert "XRP" in said
    assert "SIM" in said


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("anomaly.ratoi=5", "Did you mean 'anomaly.ratio'"),
        ("anomaly.ratio=-1", "greater than 0, was -1"),
        ("nonsense.key=1", "'nonsense' is not a setting"),
        ("anomaly.windows_seconds=[60, 5]", "must ascend"),
        ("preset=other", "no preset 'other'"),
        ("anomaly.ratio", "is no setting"),
    ],
)
def test_an_unknown_or_impossible_setting_is_refused_by_name(refused, setting, words):
    code, said = refused("check-config", "volume-shock", "--set", setting)
    assert code == 5
    assert words in said


def test_a_configuration_file_that_is_no_toml_is_refused(refused, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("[anomaly\nratio = 5")
    code, said = refused("check-config", "volume-shock", "--config", broken)
    assert code == 5
    assert "broken.toml" in said


def test_a_configuration_file_goes_over_the_preset_and_settings_over_the_file(run, tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('preset = "source"\n[anomaly]\nratio = 5.0\nvolume_contracts = 50\n')
    done = run(
        "check-config", "volume-shock", "--config", file, "--set", "anomaly.ratio=6", "--json"
    )
    config = json.loads(done.stdout)["config"]
    assert config["preset"] == "source"
    assert config["anomaly"]["ratio"] == 6.0
    assert config["anomaly"]["volume_contracts"] == 50.0
    assert config["alert"]["pressure_threshold"] == 20.0


def test_check_config_says_why_the_source_preset_can_never_trade_a_sweep(run):
    done = run(
        "check-config",
        "volume-shock",
        "--preset",
        "source",
        "--price",
        95000,
        "--hedge",
        "BTC-PERP",
    )
    assert done.returncode == 0
    assert "no sweep" in done.stdout.replace("\n", " ")
    assert "cannot pay" in " ".join(done.stdout.split())


def test_an_unknown_strategy_is_refused(refused):
    assert refused("check-config", "egg-rush")[0] == 5


def test_a_window_finer_than_the_stamps_is_refused_by_name(run, refused, tmp_path):
    catalog = minute_catalog(tmp_path, run)
    code, said = refused(
        "scan", "--catalog", catalog, "--underlying", "BTC", "--set", "anomaly.windows_seconds=[5]"
    )
    assert code == 5
    assert "anomaly.windows_seconds" in said
    assert "5 s" in said
    assert "at least 120 s" in said


def minute_catalog(folder: Path, run) -> Path:
    """Return a catalog of two Deribit prints with minute stamps, and an hour of minute bars."""
    catalog = folder / "catalog"
    minutes = pl.datetime_range(
        pl.datetime(2025, 5, 8, time_zone="UTC"),
        pl.datetime(2025, 5, 8, 1, time_zone="UTC"),
        "1m",
        eager=True,
    )
    trades = pl.DataFrame(
        {
            "ts": minutes[:2],
            "trade_id": [1, 2],
            "instrument": ["BTC-9MAY25-100000-C"] * 2,
            "direction": ["buy", "sell"],
            "price_btc": [0.01, 0.01],
            "iv_pct": [50.0, 50.0],
            "amount": [1.0, 1.0],
            "underlying_price": [99_000.0, 99_000.0],
            "block_trade_id": pl.Series([None, None], dtype=pl.String),
            "combo_id": pl.Series([None, None], dtype=pl.String),
        }
    )
    trades.write_parquet(folder / "trades.parquet")
    bars = pl.DataFrame({"date": minutes}).with_columns(
        open=pl.lit(99_000.0), high=pl.lit(99_001.0), low=pl.lit(98_999.0), close=pl.lit(99_000.0),
        volume=pl.lit(1.0),
    )  # fmt: skip
    bars.write_parquet(folder / "bars.parquet")
    for command in (
        ("deribit", folder / "trades.parquet"),
        ("bars", folder / "bars.parquet", "--instrument", "BTC-PERP", "--venue", "binance"),
    ):
        done = run("data", "import", *command, "--catalog", catalog)
        assert done.returncode == 0, done.stderr
    return catalog


def test_a_scan_finds_alerts_journals_them_and_each_can_be_explained(run, simulated_copy):
    done = run("scan", "--catalog", simulated_copy, "--underlying", "SIM", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["simulated"] is True
    alerts = document["alerts"]
    assert alerts
    pressures = [alert["pressure"] for alert in alerts]
    assert pressures == sorted(pressures, reverse=True)
    rules = {rule["rule"]: rule["probability"] for rule in alerts[0]["signing"]}
    assert rules["AGGRESSOR"] == 1.0
    explained = run("explain", alerts[0]["alert_id"], "--catalog", simulated_copy, "--json")
    assert explained.returncode == 0, explained.stderr
    behind = json.loads(explained.stdout)
    assert {"bid", "ask", "delta", "sign", "rule", "probability"} <= set(behind["prints"][0])
    members = {member["contract"]: member for member in behind["members"]}
    by_contract = {
        name: sum(row["contracts"] for row in behind["prints"] if row["contract"] == name)
        for name in members
    }
    assert set(by_contract) == {row["contract"] for row in behind["prints"]}
    shown = run("explain", alerts[0]["alert_id"], "--catalog", simulated_copy)
    assert alerts[0]["contract"] in shown.stdout


def test_an_alert_that_does_not_exist_is_refused(run, refused, simulated_copy):
    run("scan", "--catalog", simulated_copy, "--underlying", "SIM", "--json")
    assert refused("explain", "nonesuch", "--catalog", simulated_copy)[0] == 7


def test_explaining_before_anything_ran_is_refused_and_makes_no_journal(refused, simulated_copy):
    assert refused("explain", "nonesuch", "--catalog", simulated_copy)[0] == 7
    assert not (simulated_copy / "journal.sqlite").exists()


def test_a_date_shows_the_alerts_of_that_day_only(run, simulated_copy):
    done = run(
        "scan", "--catalog", simulated_copy, "--underlying", "SIM", "--date", "2025-01-12", "--json"
    )
    alerts = json.loads(done.stdout)["alerts"]
    assert alerts
    assert {alert["triggered"][:10] for alert in alerts} == {"2025-01-12"}


def test_a_date_without_alerts_says_how_many_there_are_on_others(run, simulated_copy):
    arguments = ("scan", "--catalog", simulated_copy, "--underlying", "SIM", "--date", "2030-01-01")
    assert re.search(r" [1-9][\d,]* alerts, 0 of them on 2030-01-01", run(*arguments).stdout)


def test_a_date_that_is_none_is_refused(refused, simulated_market):
    arguments = ("scan", "--catalog", simulated_market, "--underlying", "SIM", "--date", "tomorrow")
    assert refused(*arguments)[0] == 5


def test_a_backtest_reports_every_decision(run, simulated_copy):
    done = run(
        "backtest", "volume-shock", "--catalog", simulated_copy, "--underlying", "SIM", "--json"
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert sum(document["decisions"].values()) == document["alerts"]
    assert document["decisions"]["PLANNED"] == document["trades"]
    assert sum(document["exits"].values()) == document["trades"]


def test_a_package_never_replaces_a_folder_of_other_things(refused, simulated_copy, tmp_path):
    out = tmp_path / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    code, said = refused(
        "validate", "volume-shock", "--catalog", simulated_copy, "--underlying", "SIM", "--out", out
    )
    assert code == 6
    assert "no evidence package" in said
    assert (out / "thesis.txt").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog", "precious"]


def test_doctor_looks_at_machine_catalog_and_journal(run, simulated_copy):
    done = run("doctor", "--catalog", simulated_copy, "--json")
    assert done.returncode == 0
    found = {each["what"]: each["state"] for each in json.loads(done.stdout)}
    assert found["catalog"] == "ok"
    assert {"python", "clock", "disk", "kernels", "journal"} <= set(found)


def test_doctor_fails_on_a_damaged_catalog(run, simulated_copy):
    part = next((simulated_copy / "bars").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    done = run("doctor", "--catalog", simulated_copy, "--json")
    assert done.returncode == 1
    states = {(each["what"], each["state"]) for each in json.loads(done.stdout)}
    assert ("catalog", "bad") in states


def test_data_check_finds_a_damaged_file(run, simulated_copy):
    assert run("data", "check", "--catalog", simulated_copy).returncode == 0
    part = next((simulated_copy / "bars").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    done = run("data", "check", "--catalog", simulated_copy)
    assert done.returncode == 4
    assert part.name in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="Windows has no broken pipes")
def test_a_reader_that_has_seen_enough_is_no_failure():
    arguments = [*PROGRAM, "check-config", "volume-shock"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=180)
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    "command",
    [
        ["import", "deribit", "missing.parquet"],
        ["import", "lean", "missing"],
        ["import", "databento", "missing.dbn"],
        ["import", "tardis", "missing.csv.gz"],
        ["fetch", "deribit", "--currency", "BTC", "--from", "2025-01-02", "--to", "2025-01-01"],
        ["fetch", "ccxt", "nowhere", "--symbol", "B/U:U", "--from", "2025-01-01",
         "--to", "2025-01-01"],
        ["fetch", "tardis", "--exchange", "deribit", "--type", "trades", "--symbol",
         "BTC-PERPETUAL", "--from", "2025-01-02", "--to", "2025-01-01"],
    ],
)  # fmt: skip
def test_what_is_refused_leaves_no_new_catalog_behind(refused, tmp_path, command):
    refused("data", *command, "--catalog", tmp_path / "deep" / "catalog")
    assert not list(tmp_path.iterdir())
    refused("data", *command, "--catalog", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a POSIX signal here")
@pytest.mark.parametrize("delay", [0.7, 1.2])
def test_ctrl_c_ends_with_130_and_leaves_nothing_half_written(run, tmp_path, delay):
    rows = 60_000
    start = pl.datetime(2025, 1, 1, time_zone="UTC")
    frame = pl.DataFrame({"row": range(rows)}).select(
        date=start + pl.duration(minutes=pl.col("row")),
        open=pl.lit(1.0), high=pl.lit(1.0), low=pl.lit(1.0), close=pl.lit(1.0), volume=pl.lit(1.0),
    )  # fmt: skip
    frame.write_parquet(tmp_path / "bars.parquet")
    catalog = tmp_path / "catalog"
    arguments = [
        *PROGRAM, "data", "import", "bars", str(tmp_path / "bars.parquet"), "--instrument",
        "BTC-PERP", "--venue", "binance", "--catalog", str(catalog),
    ]  # fmt: skip
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=180)
    assert process.returncode in {0, 130, -signal.SIGINT}
    if process.returncode == 130:
        assert "stopped" in errors
        assert "Traceback" not in errors
    again = run("data", "import", "bars", *arguments[len(PROGRAM) + 3 :])
    assert again.returncode == 0, again.stderr
    listed = json.loads(run("data", "list", "--catalog", catalog, "--json").stdout)
    assert [tape["rows"] for tape in listed] == [rows]
    assert not list(catalog.glob(".staging*"))
