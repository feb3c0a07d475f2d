"""Nothing that comes of a simulated market can be taken for evidence: all of it says SIMULATED."""

from __future__ import annotations

import json
import re
import shutil

import polars as pl
import pytest
from typer.main import get_command

from builders.pdf_pages import words_of_pages
from hedgeflow.cli import main
from hedgeflow.cli.app import app

WORD = "SIMULATED"
CHROMIUM = shutil.which("chromium")

READ_NO_MARKET = {
    "check-config", "warm", "claim", "expiries", "register", "vault declare", "vault list",
    "data describe", "data import bars", "data import chain", "data import databento",
    "data import deribit", "data import lean", "data import table", "data import tardis",
    "data fetch ccxt", "data fetch databento", "data fetch deribit", "data fetch tardis",
}  # fmt: skip
"""Commands that read or make no simulated market."""

SHOWN_ELSEWHERE = {
    "calibrate-judge",
    "demo",
    "ladder",
    "simulate",
    "sweep",
    "walk-forward",
    "watch",
}
"""Commands that make one, and whose own tests say what they print."""


@pytest.fixture(scope="module")
def root(simulated_market, tmp_path_factory):
    from builders.simulated import copy_of

    return copy_of(simulated_market, tmp_path_factory.mktemp("marks") / "catalog")


@pytest.fixture(scope="module")
def run():
    """Return a function that runs a command and returns its output."""
    import contextlib
    import io

    def run_command(*arguments: object) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert not ended.value.code
        return printed.getvalue()

    return run_command


@pytest.fixture(scope="module")
def package(root, run):
    out = root.parent / "package"
    market = ("--catalog", root, "--underlying", "SIM")
    assert run("validate", "volume-shock", *market, "--out", out).startswith(f"{WORD}: ")
    return out


@pytest.fixture(scope="module")
def commands(root, run, package):
    """Return every command that shows a market, by name, with arguments."""
    assert package.is_dir()  # its run has made the alerts to be explained
    market = ("--catalog", root, "--underlying", "SIM")
    alerts = json.loads(run("scan", *market, "--json"))["alerts"]
    return {
        "scan": ("scan", *market),
        "backtest": ("backtest", "volume-shock", *market),
        "validate": ("validate", "volume-shock", *market, "--out", package, "--json"),
        "explain": ("explain", alerts[0]["alert_id"], "--catalog", root),
        "doctor": ("doctor", "--catalog", root),
        "stylised-facts": ("stylised-facts", *market),
        "score": ("score", "--catalog", root),
        "trials": ("trials", *market),
        "evidence compare": ("evidence", "compare", package, package),
        "claims": ("claims", package),
        "data list": ("data", "list", "--catalog", root),
        "data check": ("data", "check", "--catalog", root),
    }


def test_every_command_that_shows_a_market_says_so_first(commands, run):
    for name, words in commands.items():
        if name not in {"validate", "doctor"}:  # the package's own run; a table of findings
            assert run(*words).startswith(f"{WORD}: "), name
    assert re.search(rf"{WORD}: \d+ tapes", run(*commands["doctor"]))


def test_every_command_either_shows_a_market_here_or_reads_none(commands):
    assert set(names_of(get_command(app))) <= {*commands, *SHOWN_ELSEWHERE, *READ_NO_MARKET}


def names_of(group, prefix=""):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from names_of(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("name", ["scan", "backtest", "validate", "explain", "score"])
def test_the_json_of_a_command_says_so(commands, run, name):
    assert json.loads(run(*dict.fromkeys((*commands[name], "--json"))))["simulated"] is True


@pytest.mark.parametrize("name", ["data list", "stylised-facts"])
def test_a_json_list_says_so_of_each(commands, run, name):
    listed = json.loads(run(*commands[name], "--json"))
    assert listed
    assert all(each["simulated"] is True for each in listed)


def test_every_file_of_a_package_says_so(package):
    files = sorted(package.iterdir())
    assert {path.suffix for path in files} == {".json", ".parquet", ".html"}
    for path in files:
        if path.suffix == ".json":
            assert json.loads(path.read_text(encoding="utf-8"))["simulated"] is True, path.name
        elif path.suffix == ".parquet":
            assert pl.read_parquet_metadata(path)["simulated"] == "true", path.name
        else:
            assert WORD in path.read_text(encoding="utf-8"), path.name


def test_every_table_of_a_simulated_catalog_says_so_its_truth_too(root):
    parts = list(root.rglob("*.parquet"))
    assert {path.relative_to(root).parts[0] for path in parts} >= {"option_trades", "truth"}
    assert all(pl.read_parquet_metadata(path).get("simulated") == "true" for path in parts)


def test_every_section_and_picture_of_the_report_says_so(package):
    page = (package / "report.html").read_text(encoding="utf-8")
    titles = re.findall(r"<h2.*?</h2>", page)
    assert len(titles) == page.count("<section")
    assert all(WORD in title for title in titles)
    assert WORD in re.search(r"<title>(.*?)</title>", page)[1]
    pictures = re.findall(r'<script type="application/json" id="fig-[\w-]+">(.*?)</script>', page)
    assert len(pictures) >= 7
    for picture in pictures:
        notes = json.loads(picture)["layout"]["annotations"]
        assert WORD in [note["text"] for note in notes]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_every_printed_page_of_the_report_says_so(package, tmp_path):
    from playwright.sync_api import sync_playwright

    printed = tmp_path / "report.pdf"
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto((package / "report.html").as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        page.pdf(path=str(printed), format="A4")
        browser.close()
    pages = words_of_pages(printed)
    assert len(pages) > 8
    assert all(WORD in words for words in pages)
