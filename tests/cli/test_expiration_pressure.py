"""Commands on the strategy that trades towards expiries, as a user runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from builders.expiry_friday import friday_catalog
from hedgeflow.cli.app import app
from hedgeflow.market.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

STRATEGY = "expiration-pressure"
SMALL = (
    "expiry-friday", "--days", 5, "--set", "option_flow.trades_per_day=50",
    "--set", "future.trades_per_day=100", "--set", "future.quote_interval_seconds=600",
)  # fmt: skip


def printed(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Path:
    made = friday_catalog(tmp_path_factory.mktemp("friday"))
    printed("backtest", STRATEGY, *of(made.path))
    return made.path


def of(catalog: Path) -> tuple[object, ...]:
    return ("--catalog", catalog, "--underlying", "AAPL", "--preset", "source")


@pytest.fixture(scope="module")
def alerts(catalog):
    return json.loads(printed("scan", "--strategy", STRATEGY, *of(catalog), "--json"))


def test_a_scan_shows_the_strategys_own_columns(catalog, alerts):
    text = printed("scan", "--strategy", STRATEGY, *of(catalog))
    assert "1 expiry was looked at" in text
    assert "anomalies" not in text
    head = next(line for line in text.splitlines() if line.startswith("detected"))
    assert " ".join(head.split()) == (
        "detected alert_id strike direction price open interest pressure minutes left urgency class"
        " confidence"
    )
    assert alerts["counts"]["expiries"] == 1
    assert "anomalies" not in alerts["counts"]
    assert {each["type"] for each in alerts["alerts"]} == {"EXPIRATION_PRESSURE"}


def test_an_alert_is_explained_by_its_strike(catalog, alerts):
    alert = alerts["alerts"][0]
    told = json.loads(printed("explain", alert["alert_id"], "--catalog", catalog, "--json"))
    assert told["condition"]["pressure"] == alert["pressure"]
    assert {each["right"] for each in told["contracts"]} == {"call", "put"}
    official = sum(each["official"] for each in told["contracts"])
    assert official == told["condition"]["settled_oi"] == alert["settled_oi"]
    estimated = sum(each["estimated"] for each in told["contracts"])
    assert estimated == told["condition"]["estimated_oi"]
    row = told["condition"]
    assert row["pressure"] == pytest.approx(
        row["oi"] * told["probabilities"]["source"] / max(1.0, row["minutes_left"] ** 2)
    )
    text = printed("explain", alert["alert_id"], "--catalog", catalog)
    for words in ("published", "(makes pressure)", "above the threshold 10", "side: ", "dealers"):
        assert words in text
    decided = alerts["alerts"][0]["alert_id"]
    assert decided == told["alert"]["decisions"][0]["alert_id"]
    assert told["alert"]["decisions"][0]["sentence"] in text


def test_a_strike_is_explained_on_the_side_that_dealers_are(catalog, alerts):
    sides = set()
    for alert in alerts["alerts"]:
        words = ("explain", alert["alert_id"], "--catalog", catalog)
        units = json.loads(printed(*words, "--json"))["condition"]["dealer_units"]
        side = "long" if units > 0.0 else "short"
        if side not in sides:
            assert f"dealers are {side} {abs(units):,.10g} units of options" in printed(*words)
        sides.add(side)
        if len(sides) == 2:
            break
    assert "short" in sides


def test_a_scan_is_not_watched_where_a_run_decided(catalog, alerts, tmp_path):
    assert alerts["alerts"], "the scan came after the backtest"
    words = ("--strategy", STRATEGY, "--out", tmp_path, "--once")
    watched = json.loads(printed("watch", "--catalog", catalog, *words, "--json"))
    assert watched["rows"]["decisions"] > 0
    alone = friday_catalog(tmp_path / "alone").path
    printed("scan", "--strategy", STRATEGY, *of(alone))
    text = printed("watch", "--catalog", alone, *words)
    assert "nothing is decided about them, as in a scan, which never trades" in text


def test_a_run_is_watched_though_its_alerts_know_no_demand(catalog, tmp_path):
    words = ("--catalog", catalog, "--strategy", STRATEGY, "--out", tmp_path, "--once")
    assert "The run is complete." in printed("watch", *words)


def test_trials_name_the_strategys_settings(catalog):
    text = printed("trials", "--catalog", catalog, "--underlying", "AAPL")
    assert "1 configuration tried" in text
    assert "source" in text


def test_a_market_of_expiries_names_its_strategy_and_has_no_score(tmp_path):
    place = tmp_path / "fridays"
    text = printed("simulate", *SMALL, "--out", place)
    assert "expiries that dealers hedge: 1" in text
    assert f"hedgeflow validate {STRATEGY} --catalog" in text
    assert "hedgeflow score" not in text
    done = CliRunner().invoke(app, ["score", "--catalog", str(place)])
    assert isinstance(done.exception, ConfigError)
    assert f"made to judge {STRATEGY}" in str(done.exception)
    advice = f"hedgeflow validate {STRATEGY} --catalog {place} --underlying SIM"
    assert str(done.exception).endswith(advice)
    market = ("--catalog", place, "--underlying", "SIM", "--preset", "source")
    for words in (("ladder", *market), ("scan", "--strategy", STRATEGY, *market)):
        assert printed(*words).startswith("SIMULATED: ")
