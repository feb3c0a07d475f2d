"""From a tape to a verdict: the package says what the record holds, and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from hedgeflow.evidence import assess, package_document
from hedgeflow.evidence.expiry_tables import (
    EXPIRY_COLUMNS,
    EXPIRY_PRICE_COLUMNS,
    STRIKE_PROBABILITY_COLUMNS,
)
from hedgeflow.evidence.report.evidence_page import render_report
from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.sources import import_bars, import_deribit_trades
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.strategies.volume_shock.claims import DECLARATION
from hedgeflow.studies import load_market, validate, write_validation
from hedgeflow.studies.demo import validate_simulated

NOW = "2025-06-01T00:00:00Z"
LATER = "2025-06-02T00:00:00Z"


@pytest.fixture(scope="module")
def simulated_validation(simulated_market, tmp_path_factory):
    from builders.simulated import copy_of

    root = copy_of(simulated_market, tmp_path_factory.mktemp("validation") / "catalog")
    return validate_simulated(root, VolumeShockConfig())


def document_of(validation):
    return package_document(validation.evidence, timestamp=NOW, files={})


def test_a_simulated_verdict_says_so_everywhere(simulated_validation, tmp_path):
    report = write_validation(simulated_validation, tmp_path / "out", NOW)
    for name in ("evidence", "detection_accuracy", "delta_hedging_correlation"):
        document = json.loads((report.parent / f"{name}.json").read_text())
        assert document["simulated"] is True
    assert report.read_text().count("SIMULATED") > 3
    assert simulated_validation.evidence.label.startswith("SIMULATED")


def test_equity_is_the_sum_of_the_ledger_and_the_trades(simulated_validation):
    tables = simulated_validation.tables
    trades, entries = tables.trades, tables.ledger_entries
    assert trades.height > 20
    assert entries["amount_usd"].sum() == pytest.approx(100_000 + trades["net_usd"].sum(), abs=1e-6)
    costs = trades["fees_usd"] + trades["spread_usd"] + trades["slippage_usd"]
    assert (trades["gross_usd"] - costs).to_list() == pytest.approx(trades["net_usd"].to_list())


def test_no_plan_has_its_target_on_the_wrong_side(simulated_validation):
    trades = simulated_validation.tables.trades
    gain = trades["direction"] * (trades["target"] - trades["entry_price"])
    loss = trades["direction"] * (trades["entry_price"] - trades["stop"])
    assert (gain > 0).all()
    assert (loss > 0).all()


def test_nothing_is_entered_before_its_alert_was_known(simulated_validation):
    tables = simulated_validation.tables
    alerts = tables.alerts
    assert (alerts["detected_ns"] >= alerts["triggered_ns"] + 1_000_000).all()
    both = tables.trades.join(alerts, on="alert_id", suffix="_alert")
    assert (both["entry_ns"] >= both["detected_ns_alert"] + 1_000_000_000).all()
    assert (tables.trades["age_seconds"] <= 300).all()


def test_two_positions_are_never_open_at_once(simulated_validation):
    trades = simulated_validation.tables.trades.sort("entry_ns")
    assert (trades["detected_ns"][1:] >= trades["exit_ns"][:-1]).all()


def test_every_alert_has_one_decision_with_a_sentence(simulated_validation):
    tables = simulated_validation.tables
    assert sorted(tables.decisions["alert_id"]) == sorted(tables.alerts["alert_id"])
    for frame in (tables.alerts, tables.decisions, tables.trades, tables.ledger_entries):
        assert frame["sentence"].str.strip_chars().str.len_chars().min() > 10


def test_delete_the_trades_and_every_figure_changes_or_vanishes(simulated_validation):
    """The report and the package hold nothing that does not come from the record."""
    tables, manifest = simulated_validation.tables, simulated_validation.evidence.manifest
    bare = replace(
        tables,
        trades=tables.trades.clear(),
        decisions=tables.decisions.clear(),
        alerts=tables.alerts.clear(),
        ledger_entries=tables.ledger_entries.clear(),
        event_study=None if tables.event_study is None else tables.event_study.clear(),
        nulls={},
        flow=None,
        predictions=None,
        prices=None,
        arms=None,
        truth=None,
    )
    before, after = assess(tables, DECLARATION, manifest), assess(bare, DECLARATION, manifest)
    full = package_document(before, timestamp=NOW, files={})
    empty = package_document(after, timestamp=NOW, files={})
    constants = {
        "level", "threshold", "upper_threshold", "minimum_sample", "sessions_per_year", "sessions",
        "resamples", "block_length", "seed", "power_alpha", "claimed_win_rate",
        "confidence_level", "limit_seconds",
        "alpha", "configurations", "sharpes_known", "trials",
    }  # fmt: skip
    measured = {
        path: value
        for section in ("hypothesis_validation", "performance_metrics", "statistical_measures",
                        "performance_by_flow_type")
        for path, value in leaves(full[section], section)
        if path.rsplit(".", 1)[-1] not in constants
        and value not in (0, 0.0)
        and not (path.endswith((".n", ".observations")) and value == len(tables.sessions))
    }  # fmt: skip
    assert len(measured) > 200
    left = dict(
        pair
        for section in empty
        if isinstance(empty[section], dict)
        for pair in leaves(empty[section], section)
    )
    unchanged = [path for path, value in measured.items() if left.get(path) == value]
    assert unchanged == [], unchanged
    page = render_report(empty, bare, bare.event_study)
    for value in (before.performance.overall.win_rate.value, before.performance.profit.net_usd):
        assert f"{100 * float(value):.1f} %" not in page
    assert after.decision.verdict.value == "INSUFFICIENT_DATA"


def leaves(node, path):
    """Yield every number of a document with its path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(node, (list, tuple)):
        for place, value in enumerate(node):
            yield from leaves(value, f"{path}.{place}")
    elif isinstance(node, (int, float)) and not isinstance(node, bool):
        yield path, node


def test_poisoning_the_future_changes_no_earlier_alert_decision_or_trade(
    simulated_market, tmp_path
):
    """The last three days are scrambled: whatever was decided before them stays as it was."""
    from builders.simulated import copy_of

    clean = copy_of(simulated_market, tmp_path / "clean")
    poisoned = tmp_path / "poisoned"
    cut = "2025-01-15"
    source, target = Catalog.open(clean), Catalog.create_or_open(poisoned)
    keys = source.keys()
    for key in keys:
        frame = source.read(key).drop("sequence")
        late = pl.col("ts") >= pl.lit(cut).str.to_datetime(time_zone="UTC")
        changes = {
            name: pl.when(late).then(pl.col(name) * 1.07).otherwise(pl.col(name))
            for name in ("price", "open", "high", "low", "close", "underlying_price", "bid", "ask")
            if name in frame.columns
        }
        for name in ("lots", "size", "volume"):
            if name in frame.columns:
                changes[name] = pl.when(late).then(pl.col(name) * 3).otherwise(pl.col(name))
        if "aggressor" in frame.columns:
            changes["aggressor"] = (
                pl.when(late).then(-pl.col("aggressor")).otherwise(pl.col("aggressor"))
            )
        terms = source.contracts(key.venue, key.underlying) if key.kind == "option_trades" else None
        target.store(
            key,
            frame.with_columns(**changes),
            source="SIMULATED: poisoned",
            coverage=source.coverage(key),
            contracts=terms,
        )
    tables = []
    for catalog in (source, target):
        market = load_market(catalog, "SIM", VolumeShockConfig())
        with Journal.open(catalog.path / "journal.sqlite") as journal:
            tables.append(validate(market, VolumeShockConfig(), journal).tables)
    limit = int(pl.Series([cut]).str.to_datetime(time_zone="UTC").dt.timestamp("ns")[0])
    before, after = tables
    known = before.alerts.filter(pl.col("detected_ns") < limit)
    assert known.height > 20
    unclosed = "flow_class_at_close"
    assert known.drop(unclosed).equals(
        after.alerts.filter(pl.col("detected_ns") < limit).drop(unclosed)
    )
    assert before.decisions.filter(pl.col("decided_ns") < limit).equals(
        after.decisions.filter(pl.col("decided_ns") < limit)
    )
    assert before.trades.filter(pl.col("exit_ns") < limit).equals(
        after.trades.filter(pl.col("exit_ns") < limit)
    )
    assert not before.alerts.equals(after.alerts)


@pytest.fixture(scope="module")
def btc_catalog(market_data, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("btc") / "catalog"
    catalog = Catalog.create_or_open(root)
    trades = market_data / "deribit-trades" / "btc_option_trades.parquet"
    report = import_deribit_trades(trades, catalog)
    assert report.read == 148_158 == report.kept + report.rows_rejected + report.repeats
    for name in ("bybit_BTCUSDT_5m", "binance_BTCUSDT_1m"):
        import_bars(market_data / "perp-bars" / f"{name}.parquet", catalog, instrument="BTC-PERP")
    return root


def test_on_the_real_tape_the_claim_is_tested_and_flow_claims_are_untestable(btc_catalog, tmp_path):
    """Twice the same command: the same evidence but for the timestamp, one trial counted."""
    config = VolumeShockConfig()
    documents = []
    for run, stamp in enumerate((NOW, LATER)):
        market = load_market(Catalog.open(btc_catalog), "BTC", config)
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            result = validate(market, config, journal)
        assert result.backtest.configurations == 1
        write_validation(result, tmp_path / f"out{run}", stamp)
        documents.append((tmp_path / f"out{run}" / "evidence.json").read_text())
    assert documents[0].replace(NOW, LATER) == documents[1]
    evidence = json.loads(documents[0])
    assert evidence["simulated"] is False
    assert evidence["performance_metrics"]["trades"] >= 30
    gates = {gate["id"]: gate["status"] for gate in evidence["experimental_validity"]["gates"]}
    assert gates["delta-flow"] == "UNTESTABLE"
    assert evidence["experimental_validity"]["verdict"] in {"REJECTED", "INSUFFICIENT_DATA"}
    resolution = " ".join(evidence["experimental_validity"]["resolution"])
    trades = evidence["performance_metrics"]["trades"]
    assert f"{trades} trade" in resolution
    assert "BTC-PERP on binance" in resolution
    assert "V5" in resolution
    notes = " ".join(evidence["reproducibility"]["notes"])
    assert "5 s, 60 s were not evaluated" in notes
    report = (tmp_path / "out0" / "report.html").read_text()
    assert "UNTESTABLE" in report
    markup = re.sub(r"<script.*?</script>", "", report, flags=re.DOTALL)
    assert not re.search(r"(src|href)=\"https?://", markup)


def test_on_the_real_tape_the_source_preset_hardly_alerts(btc_catalog, tmp_path):
    """Pressure 20 needs 2,000 BTC of delta at 10 minutes: a finding, not a bug."""
    config = VolumeShockConfig.source()
    market = load_market(Catalog.open(btc_catalog), "BTC", config)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        result = validate(market, config, journal)
    assert result.tables.alerts.is_empty()
    assert result.backtest.scan.anomalies.height == 228
    assert result.evidence.decision.verdict.value == "INSUFFICIENT_DATA"


def test_trying_another_venue_counts_as_another_configuration(btc_catalog, tmp_path):
    tried = []
    for venue in ("binance", "bybit", "binance"):
        config = VolumeShockConfig(hedge_venue=venue)
        market = load_market(Catalog.open(btc_catalog), "BTC", config)
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            tried.append(validate(market, config, journal).backtest.configurations)
    assert tried == [1, 2, 2]


TYPES = {"text": pl.String, "int64": pl.Int64, "float64": pl.Float64, "boolean": pl.Boolean}
TYPES["int32"] = pl.Int32


def documented_tables():
    """Return columns and types of each Parquet file as the reference lists them."""
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "evidence-package.md"
    tables = {}
    for part in page.read_text(encoding="utf-8").split("\n### ")[1:]:
        name, _, body = part.partition("\n")
        if name.endswith(".parquet"):
            rows = re.findall(r"^\| `(\w+)` \| (\w+) \| [^|]+ \| [^|]+ \|$", body, re.MULTILINE)
            tables[name] = {column: TYPES[kind] for column, kind in rows}
    return tables


def test_every_column_of_every_table_is_in_the_reference(simulated_validation, tmp_path):
    folder = write_validation(simulated_validation, tmp_path / "out", NOW).parent
    documented = documented_tables()
    seen = set()
    for path in sorted(folder.glob("*.parquet")):
        name = "draws_*.parquet" if path.name.startswith("draws_") else path.name
        assert dict(pl.read_parquet_schema(path)) == documented[name], name
        seen.add(name)
    of_expiries = {
        "expiries.parquet": EXPIRY_COLUMNS,
        "expiry_prices.parquet": EXPIRY_PRICE_COLUMNS,
        "strike_probabilities.parquet": STRIKE_PROBABILITY_COLUMNS,
    }
    for name, columns in of_expiries.items():  # which a package of expiration pressure has besides
        assert columns == documented[name], name
    assert seen | set(of_expiries) == set(documented)
