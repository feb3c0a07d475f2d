"""What scan and explain print of a market without sides and option quotes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from builders.stock_market import (
    CALL,
    option_print,
    stock_catalog,
    store_bars,
    store_days,
    store_hedge_quotes,
    store_options,
)
from hedgeflow.cli.app import app
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError

if TYPE_CHECKING:
    from pathlib import Path


def printed(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def catalog(tmp_path) -> Path:
    made = stock_catalog(tmp_path)
    store_days(made, {day: {CALL: 1_560} for day in (-4, -3, -2, -1)})
    store_hedge_quotes(made, {58: (644.0, 645.0)})
    return made.path


def test_a_scan_says_how_each_alert_was_signed_and_measured(catalog):
    command = ("scan", "--catalog", catalog, "--underlying", "AAPL", "--preset", "source")
    document = json.loads(printed(*command, "--date", "2014-06-06", "--json"))
    (alert,) = document["alerts"]
    assert alert["signing"] == [{"rule": "TICK", "share": 1.0, "probability": 0.75}]
    assert alert["baseline_origin"] == "DAYS"
    assert any("does not know the time of day" in note for note in document["notes"])
    assert not any("quote rule" in note for note in document["notes"])


def test_a_scan_says_that_quotes_a_minute_older_than_the_price_sign_less_well(tmp_path):
    made = Catalog.create_or_open(tmp_path / "catalog")
    store_options(made, [option_print(1, lots=200, price=12.2, bid=11.9, ask=12.3)])
    store_bars(made)
    command = ("scan", "--catalog", made.path, "--underlying", "AAPL", "--preset", "source")
    document = json.loads(printed(*command, "--json"))
    assert document["alerts"][0]["signing"][0]["rule"] == "QUOTE"
    assert any("resolve 1 min: the quote rule" in note for note in document["notes"])


def test_an_explanation_shows_the_hedges_quotes_and_the_days_of_the_baseline(catalog):
    command = ("scan", "--catalog", catalog, "--underlying", "AAPL", "--preset", "source")
    (alert,) = json.loads(printed(*command, "--json"))["alerts"]
    text = " ".join(printed("explain", alert["alert_id"], "--catalog", catalog).split())
    assert "signed by: TICK 100.0% (right with probability 0.75)" in text
    assert "DAYS" in text
    assert "2014-06-02 1,560 / 78, 2014-06-03 1,560 / 78" in text
    assert "hedge_bid" in text
    assert "644.00" in text
    assert "The tape has no option quotes at these prints." in text
    behind = json.loads(printed("explain", alert["alert_id"], "--catalog", catalog, "--json"))
    assert behind["members"][0]["baseline_days"][0]["contracts"] == 1_560.0
    assert {row["hedge_ask"] for row in behind["prints"]} == {645.0}
    assert behind["prints"][0]["hedge_known_at"] == "2014-06-06T14:29:00.000Z"
    assert behind["signing"] == alert["signing"]
    assert len(behind["notes"]) == 2


def test_columns_that_no_print_has_are_left_out_of_the_table(catalog):
    command = ("scan", "--catalog", catalog, "--underlying", "AAPL", "--preset", "source")
    (alert,) = json.loads(printed(*command, "--json"))["alerts"]
    text = printed("explain", alert["alert_id"], "--catalog", catalog)
    header = next(line for line in text.splitlines() if "underlying_price" in line)
    assert " bid " not in header
    assert " iv " not in header


def test_index_options_can_be_scanned_and_explained_but_not_traded(tmp_path):
    made = Catalog.create_or_open(tmp_path / "catalog")
    call = "SPXW  140620C01950000"
    rows = [
        option_print(minute, call, lots=60, price=9.0 + minute, underlying_price=1_940.0)
        for minute in range(4)
    ]
    store_options(made, rows, underlying="SPX")
    store_bars(made, "SPX", price=1_940.0, volume=0.0)
    about = ("--catalog", made.path, "--underlying", "SPX", "--preset", "source")
    document = json.loads(printed("scan", *about, "--json"))
    (alert,) = document["alerts"]
    assert "cannot be traded" in document["notes"][0]
    printed("explain", alert["alert_id"], "--catalog", made.path)
    for command in (
        ("backtest", "volume-shock"),
        ("validate", "volume-shock", "--out", tmp_path / "out"),
    ):
        with pytest.raises(CatalogError, match="SPX is an index and cannot be traded"):
            printed(*command, *about)
    assert not (tmp_path / "out").exists()
