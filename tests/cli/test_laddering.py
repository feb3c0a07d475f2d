"""hedgeflow ladder as users run it: text, document, page, replay, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from io import StringIO

import pytest
from rich.console import Console

from builders.expiry_friday import CLOSE, friday_catalog
from builders.program import PROGRAM
from hedgeflow.cli.ladder_words import screen
from hedgeflow.journal import HoldOut, Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.time import HOUR_NS
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.studies.expiration.ladder import ladder_at
from hedgeflow.studies.expiration.markets import load_expiry_market
from hedgeflow.studies.markets import option_tape_key
from hedgeflow.studies.trial_ledger import data_key


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return friday_catalog(tmp_path_factory.mktemp("friday")).path


@pytest.fixture
def asked(catalog):
    return ("ladder", "--catalog", catalog, "--underlying", "AAPL", "--preset", "source")


def test_rungs_stand_around_the_price_from_the_highest_down(run, asked):
    done = run(*asked, "--at", "2014-06-06T15:30", "--strikes", 2)
    assert done.returncode == 0
    head, at, alerts, dealers, columns, *rows = done.stdout.splitlines()
    assert head == (
        "AAPL 2014-06-06 16:00:00 EDT: american-assignment, Friday, weekly; HIGH_PRESSURE"
    )
    assert at.startswith(
        "As of 2014-06-06 15:30:00 EDT, with 00:30:00 left: price 652.23 of 15:30:00; "
    )
    assert "(implied), one sigma of what is left" in at
    assert alerts == (
        "Pressure (preset source): estimated open interest × the chance by model source ÷ the"
        " square of minutes left, 1 at least: contracts of 100 units per square minute. An alert"
        " is above 10.00, looked at 15:30:00"
    )
    assert dealers.startswith("Dealers: net gamma ")
    assert columns.split()[:4] == ["strike", "settled", "since", "calls"]
    assert [row.split()[0] for row in rows[:5]] == ["660", "655", ">", "650", "647.5"]
    assert rows[0].split()[2] == "06:30:00"
    assert "15:15:00: 45 minutes left" in rows


@pytest.mark.parametrize("at", ["2014-06-06T15:30", "2014-06-06T19:30Z", "2014-06-06T21:30+02:00"])
def test_an_instant_is_the_exchange_s_time_or_carries_its_own_offset(run, asked, at):
    document = json.loads(run(*asked, "--at", at, "--json").stdout)
    assert document["at"] == "2014-06-06T19:30:00Z"
    assert document["seconds_left"] == 1_800.0
    assert len(document["rungs"]) == 9


def test_without_an_instant_it_is_half_an_hour_before_the_expiry(run, asked):
    assert json.loads(run(*asked, "--json").stdout)["at_local"] == "2014-06-06T15:30:00-04:00"


def test_the_document_says_how_pressure_is_computed(run, asked):
    document = json.loads(run(*asked, "--json").stdout)
    assert (document["preset"], document["model"]) == ("source", "source")
    rung = document["rungs"][0]
    by_hand = rung["estimated_oi"] * rung["source"] / document["minutes_left"] ** 2
    assert document["pressure_is"].startswith("estimated open interest × the chance by model sou")
    assert rung["pressure"] == pytest.approx(by_hand, rel=1e-12)
    usual = json.loads(run(*asked[:-2], "--json").stdout)["pressure_is"]
    assert "× 100,000 × 100 ÷ the hedge’s usual volume in 5 minutes" in usual


@pytest.mark.parametrize("width", [60, 100, 250])
def test_a_terminal_gets_whole_columns_and_is_told_which_are_left_out(
    run, asked, monkeypatch, width
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run(*asked).stdout.splitlines()
    start = next(at for at, line in enumerate(lines) if line.split()[:1] == ["strike"])
    table = lines[start : start + 11]
    assert max(map(len, lines)) <= width
    assert [row.split()[0] for row in table[1:4]] == ["660", "655", ">"]
    text = " ".join(" ".join(lines).split())
    left_out = re.search(r"Too wide for this terminal: .*band.*; a file or pipe has all", text)
    assert bool(left_out) == (width < 250)
    assert "÷ the square of minutes left, 1 at least: contracts of 100 units" in text


def test_a_time_that_clocks_never_show_is_refused_and_one_shown_twice_is_the_first(
    run, refused, asked
):
    code, told = refused(*asked, "--at", "2014-03-09T02:30")
    assert code == 5
    assert "--at: clocks of America/New_York never show 2014-03-09T02:30:00" in told
    assert "Use 2014-03-09T03:30:00" in told
    done = run(*asked, "--at", "2014-11-02T01:30")
    note, refusal = done.stderr.splitlines()
    assert "show 2014-11-02T01:30:00 twice; the first is taken, 2014-11-02T05:30:00Z" in note
    assert "no expiry is within the 24 hours" in refusal


def test_a_preset_says_why_nothing_can_be_an_alert(run, asked):
    done = run(*asked[:-2], "--at", "2014-06-06T15:30")
    assert "the chance by model lognormal × 100,000" in done.stdout
    assert ". Nothing can be an alert: NO_HISTORY" in done.stdout


def test_a_page_is_written_whole_and_replaces_only_a_ladder(run, asked, tmp_path, refused):
    page = tmp_path / "deep" / "ladder.html"
    for _ in range(2):
        done = run(*asked, "--at", "2014-06-06T15:30", "--html", page)
        assert done.stdout.splitlines()[-1] == f"Page: {page}"
    text = page.read_text(encoding="utf-8")
    assert "AAPL options that expire 2014-06-06, 00:30:00 before, at 15:30:00" in text
    assert text.rstrip().endswith("</html>")
    mine = tmp_path / "mine.html"
    mine.write_text("mine", encoding="utf-8")
    code, told = refused(*asked, "--html", mine)
    assert (code, mine.read_text(encoding="utf-8")) == (3, "mine")
    assert "there is another file, which is left alone" in told


def test_nothing_is_written_into_a_catalog_that_is_only_looked_at(run, asked, catalog):
    before = sorted(catalog.rglob("*"))
    run(*asked, "--at", "2014-06-06T15:30")
    assert sorted(catalog.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--at", "noon"), 5, "--at: 'noon' is no instant. Use a date and a time"),
        (("--at", "2014-06-06T16:00"), 5, "no expiry is within the 24 hours after it"),
        (("--at", "2014-06-05T15:00"), 5, "the next is 2014-06-06T20:00:00Z, 25 h later"),
        (("--at", "2014-06-05T15:58:59"), 5, "the next is 2014-06-06T20:00:00Z, 24 h 2 min later"),
        (("--at", "2014-06-06T06:00"), 5, "no open interest of the expiry"),
        (("--replay", "0"), 5, "a tape cannot go by 0 times as fast"),
        (("--replay", "1", "--html", "x.html"), 5, "a page shows one instant"),
        (("--underlying", "MSFT"), 4, "no option_trades of MSFT"),
    ],
)
def test_a_bad_request_is_refused_in_one_line(refused, asked, words, code, told):
    found, said = refused(*asked, *words)
    assert found == code
    assert told in said


def test_an_empty_folder_is_no_catalog(refused, tmp_path):
    code, told = refused("ladder", "--catalog", tmp_path, "--underlying", "AAPL")
    assert code == 4
    assert "the folder is no catalog" in told


def test_a_sealed_vault_is_not_shown(run, refused, asked, tmp_path):
    start, key = CLOSE - HOUR_NS, data_key(option_tape_key(Catalog.open(asked[2]), "AAPL"))
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        journal.declare_vault(HoldOut(key, start, None, start, 0, ""))
    ours = (*asked, "--journal", tmp_path / "journal.sqlite")
    code, told = refused(*ours, "--at", "2014-06-06T15:30")
    assert code != 0
    assert "a sealed vault begins 2014-06-06T19:00:00Z" in told
    done = run(*ours, "--json")
    assert json.loads(done.stdout)["at"] <= "2014-06-06T19:00:00Z"


def test_a_replay_into_a_pipe_goes_on_until_ctrl_c(asked):
    command = [*PROGRAM, *asked, "--replay", "60", "--json", "--strikes", "1"]
    process = subprocess.Popen(
        [str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        assert first["seconds_left"] == 7_200.0
        assert 30.0 < first["seconds_left"] - second["seconds_left"] < 600.0
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopped" in told


def test_a_replay_ends_with_the_expiry(run, asked):
    done = run(*asked, "--at", "2014-06-06T15:14", "--replay", "1800")
    *lines, last = done.stdout.splitlines()
    assert done.returncode == 0
    assert last == "Expired."
    assert lines[0] == "14:00:00: 120 minutes left"
    assert lines[1].startswith("00:46:00 left, price 652.78, most pressure ")
    assert "15:15:00: 45 minutes left" in lines[2:]
    assert "15:58:00: 2 minutes left" in lines[2:], "due between the last look and the expiry"
    pressures = re.findall(r"most pressure (\S+)", done.stdout)
    assert all(re.fullmatch(r"[\d,]+\.\d\d", each) for each in pressures)
    assert "00:00:01 left" not in done.stdout


def test_a_narrow_terminal_shows_whole_columns_of_those_needed_most(catalog):
    market = load_expiry_market(Catalog.open(catalog), "AAPL", ExpirationPressureConfig.source())
    shown = ladder_at(market, ExpirationPressureConfig.source(), CLOSE - HOUR_NS)
    for width in (60, 80, 120, 250):
        console = Console(width=width, file=StringIO())
        console.print(screen(shown, 3, width))
        printed = console.file.getvalue()
        assert "…" not in printed
        assert re.search(r"strike .*pressure .*alert", printed)
        assert ("points" in printed) == (width == 250)
