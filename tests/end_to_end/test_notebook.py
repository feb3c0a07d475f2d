"""The notebook's functions are the commands, and their results show themselves in a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import polars as pl
import pytest

import hedgeflow
from hedgeflow.evidence import read_package
from hedgeflow.journal import Journal
from hedgeflow.market.errors import CatalogError, ConfigError, EvidenceError
from hedgeflow.studies.trial_ledger import data_key
from hedgeflow.studies.vaults import declare

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]
FAST = {"null": {"draws_on_bars": 200, "draws_on_ticks": 200}}


@pytest.fixture(scope="module")
def place(simulated_market, tmp_path_factory):
    from builders.simulated import copy_of

    return copy_of(simulated_market, tmp_path_factory.mktemp("notebook") / "catalog")


@pytest.fixture(scope="module")
def cells(place):
    """Return what the cells of a notebook returned, one after the other."""
    told = []
    found = hedgeflow.scan(place, "SIM", settings=FAST, progress=lambda *done: told.append(done))
    assert told[-1][0] == told[-1][1] == found.counts["prints"]
    result = hedgeflow.validate(place, "SIM", settings=FAST)
    report = result.save(place.parent / "package")
    package = hedgeflow.load_package(report.parent)
    return {"scan": found, "backtest": result.backtest, "validation": result, "package": package}


def test_importing_it_is_quick_and_loads_nothing(tmp_path):
    script = (
        "import sys, time\nbegun = time.process_time()\nimport hedgeflow\n"
        "print(time.process_time() - begun)\n"
        "print(sorted({'polars', 'numpy', 'pydantic', 'sqlalchemy'} & set(sys.modules)))\n"
        "print(set(dir(hedgeflow)) >= {'scan', 'backtest', 'validate', 'load_package'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    seconds, loaded, offered = done.stdout.splitlines()
    assert float(seconds) < 0.05
    assert (loaded, offered) == ("[]", "True")


def test_what_it_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = hedgeflow.nonsense


def test_a_notebook_s_trial_is_that_of_the_command(cells, place):
    """The same journal, the same run, and no trial more when the command runs it too."""
    from typer.testing import CliRunner

    from hedgeflow.cli.app import app

    with Journal.open(place / "journal.sqlite") as journal:
        before = journal.trials().height
    drawn = [f"--set=null.{name}=200" for name in ("draws_on_bars", "draws_on_ticks")]
    done = CliRunner().invoke(
        app, ["backtest", "volume-shock", "--catalog", str(place), "--underlying", "SIM", "--json",
              *drawn],
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["run_id"] == cells["backtest"].run_id == cells["scan"].run_id
    assert told["trades"] == cells["backtest"].trades.height
    assert told["net_usd"] == pytest.approx(cells["backtest"].net_usd)
    with Journal.open(place / "journal.sqlite") as journal:
        assert journal.trials().height == before == 1


def test_tables_are_polars_frames(cells):
    assert isinstance(cells["scan"].alerts, pl.DataFrame)
    assert cells["scan"].alerts["pressure"].is_sorted(descending=True)
    validation, package = cells["validation"], cells["package"]
    assert validation.trades.equals(package.trades)
    assert validation.gates["status"].to_list() == package.gates["status"].to_list()
    assert validation.claims.height > 20
    assert package.document["experimental_validity"]["verdict"] == validation.verdict
    assert read_package(package.folder)["strategy"] == "volume-shock"
    with pytest.raises(EvidenceError, match=r"no table 'nonsense'.*trades"):
        package.table("nonsense")


@pytest.mark.parametrize("name", ["scan", "backtest", "validation", "package"])
def test_a_result_says_what_it_is_and_that_it_is_simulated(cells, name):
    assert repr(cells[name]).startswith("SIMULATED: ")
    html = cells[name]._repr_html_()
    assert "SIMULATED: these data can never be read as evidence about a market" in html
    assert len(html) < 100_000
    assert "http" not in html


def test_the_report_is_shown_whole(cells):
    page = cells["validation"].show()
    assert "srcdoc=" in page._repr_html_()
    assert cells["package"].show().html.count("SIMULATED") > 3


def test_refusals_are_those_of_the_command(place, tmp_path):
    with pytest.raises(CatalogError):
        hedgeflow.validate(place, "GOLD")
    with pytest.raises(ConfigError, match=r"anomaly\.ratoi"):
        hedgeflow.scan(place, "SIM", settings={"anomaly.ratoi": 5})
    with pytest.raises(ConfigError, match="there is no strategy 'other'"):
        hedgeflow.backtest(place, "SIM", strategy="other")
    with pytest.raises(EvidenceError, match="no evidence package"):
        hedgeflow.load_package(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(EvidenceError, match=r"mine\.txt"):
        hedgeflow.validate(place, "SIM", out=tmp_path)


def test_a_sealed_vault_is_sealed_for_a_notebook_too(place, tmp_path):
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.strategies.volume_shock import VolumeShockConfig
    from hedgeflow.studies import load_market

    whole = load_market(Catalog.open(place), "SIM", VolumeShockConfig())
    sealed = whole.option_tape.first_ns + 6 * 86_400 * 10**9
    journal = tmp_path / "journal.sqlite"
    with Journal.open(journal) as record:
        declare(record, data_key(whole.options), from_ns=sealed, until_ns=None, declared_ns=1)
    found = hedgeflow.scan(place, "SIM", settings=FAST, journal=journal)
    assert found.alerts["detected_ns"].max() < sealed


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_results_show_themselves_in_a_browser_light_and_dark(cells, tmp_path):
    from playwright.sync_api import sync_playwright

    shown = [result._repr_html_() for result in cells.values()]
    shown.append(cells["validation"].show()._repr_html_())
    page_file = tmp_path / "notebook.html"
    page_file.write_text(
        "<!DOCTYPE html><meta charset='utf-8'><meta name='color-scheme' content='light dark'>"
        "<link rel='icon' href='data:,'>" + "".join(shown),
        encoding="utf-8",
    )
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme, ink in (("light", "rgb(0, 0, 0)"), ("dark", "rgb(255, 255, 255)")):
            page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme=scheme)
            seen, said = [], []
            page.on("request", lambda request, seen=seen: seen.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.goto(page_file.as_uri())
            frame = page.frame_locator("iframe")
            frame.locator("html[data-drawn]").wait_for(state="attached")
            assert page.locator(".hedgeflow-result").count() == 4
            assert page.locator(".hedgeflow-result .sim").first.is_visible()
            colour = "getComputedStyle(document.querySelector('.hedgeflow-result td')).color"
            assert page.evaluate(colour) == ink
            assert page.evaluate("document.documentElement.scrollWidth") <= 1000
            assert [url for url in seen if not url.startswith(("file:", "about:", "data:"))] == []
            assert said == []
            page.close()
        browser.close()
