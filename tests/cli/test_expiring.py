"""hedgeflow expiries as users run it: a day's table, its document, and the count-down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from builders.program import PROGRAM
from hedgeflow.market.expiries import ROOTS


def test_a_day_is_told_with_instants_settlements_and_what_is_special(run):
    done = run("expiries", "--date", "2024-06-21", "--root", "spx", "--root", "ES", "--root", "BTC")
    assert done.returncode == 0
    head, claim, columns, *rows = done.stdout.splitlines()
    assert head == (
        "2024-06-21, Friday: US session 09:30 to 16:00 New York; Friday, quarterly, triple witching"
    )
    assert "Listed on the S&P 500: SPX and SPXW." in claim
    assert columns.split()[:2] == ["roots", "settlement"]
    told = [row.split() for row in rows]
    assert [row[0] for row in told] == ["BTC", "ES", "SPX", "ES"]
    assert told[0][1:6] == ["pin-cash", "weekly", "04:00", "08:00", "08:00"]
    assert "09:30     13:30  09:30 EDT  expired" in rows[1]
    assert "16:00     20:00  16:00 EDT  expired" in rows[3]


def test_a_root_without_an_expiry_tells_its_next_one_and_an_ended_one_says_so(run):
    asked = ("--root", "SPX", "--root", "SPXPM", "--root", "NIFTY")
    done = run("expiries", "--date", "2090-04-02", *asked)
    assert "2090-04-02, Sunday: no US session" in done.stdout
    assert "The source says nothing of such a day (its pattern is of 2016" in done.stdout
    assert "SPX: none on 2090-04-02; next 2090-04-21, 09:30 New York, pin-cash, in " in done.stdout
    assert "SPXPM: no longer listed after 2090-04-02" in done.stdout
    assert "NSE's holidays of that year are not in the calendar yet" in done.stdout


def test_the_next_expiry_is_the_first_after_the_day_that_was_asked_for(run):
    asked = ("--date", "2024-07-04", "--root", "SPXW")
    assert "SPXW: none on 2024-07-04; next 2024-07-05, 16:00 New York, pin-cash, expired" in (
        run("expiries", *asked).stdout
    )
    document = json.loads(run("expiries", *asked, "--json").stdout)
    assert [each["date"] for each in document["next"]] == ["2024-07-05"]
    listed = ("--date", "2014-06-06", "--root", "SPXPM", "--json")
    document = json.loads(run("expiries", *listed).stdout)
    assert [each["date"] for each in document["next"]] == ["2014-06-20"]
    assert document["no_longer_listed"] == []


@pytest.mark.parametrize("width", [60, 100, 139])
def test_on_a_narrow_terminal_each_row_is_a_paragraph_of_whole_words(run, monkeypatch, width):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    _, _, *lines = run("expiries", "--date", "2024-06-21").stdout.splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "BTC ETH: pin-cash, weekly 04:00 New York, 08:00 UTC, 08:00 UTC: expired average" in text
    assert "  16:00 New York, 20:00 UTC, 16:00 EDT: expired" in lines


def test_coins_need_neither_a_compiler_nor_the_calendar_of_new_york():
    script = (
        "import sys\n"
        "from hedgeflow.cli import main\n"
        "try:\n"
        "    main(['expiries', '--root', 'BTC', '--json'])\n"
        "finally:\n"
        "    print({'numba', 'exchange_calendars', 'pandas'} & {*sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "set()\n")
    assert json.loads(done.stdout)["pattern_of_the_source"] is None


def test_the_document_has_every_root_with_its_features(run):
    done = run("expiries", "--date", "2026-11-27", "--json")
    told = json.loads(done.stdout)
    assert {each["root"] for each in told["expiries"]} <= set(ROOTS)
    (fund,) = [each for each in told["expiries"] if each["root"] == "SPY"]
    assert fund["settlement"] == "american-assignment"
    assert fund["expires"] == "2026-11-27T18:00:00Z"
    assert fund["expires_new_york"] == "2026-11-27T13:00:00-05:00"
    assert fund["last_trade"] == "2026-11-27T18:15:00Z"
    assert fund["exercise_until"] == "2026-11-27T22:30:00Z"
    assert fund["features"]["early_close"] is True
    (coin,) = [each for each in told["expiries"] if each["root"] == "ETH"]
    assert (coin["cycle"], coin["fixing_from"]) == ("monthly", "2026-11-27T07:30:00Z")
    assert told["pattern_of_the_source"]["listed"] == ["SPXW"]


def test_a_wrong_root_or_date_is_refused_with_what_there_is(refused):
    code, told = refused("expiries", "--root", "FOO")
    assert code == 5
    assert "no root 'FOO' is known. Known are SPX, SPXW" in told
    code, told = refused("expiries", "--date", "friday")
    assert code == 5
    assert "--date: 'friday' is no date. Use YYYY-MM-DD, from 2014-01-01 on" in told
    assert refused("expiries", "--date", "2013-06-21")[0] == 5


def test_a_day_that_is_over_has_nothing_to_count_down(run):
    done = run("expiries", "--date", "2024-06-21", "--root", "SPXW", "--live")
    assert done.returncode == 0
    assert done.stdout.endswith("No further notice on this day.\n")


def test_the_count_down_goes_second_by_second_until_ctrl_c():
    command = [*PROGRAM, "expiries", "--date", "2095-06-21", "--root", "BTC", "--live", "--json"]
    process = subprocess.Popen(
        [str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        first, second, third = (json.loads(process.stdout.readline()) for _ in range(3))
        left = [each["expiries"][0]["seconds_left"] for each in (first, second, third)]
        assert left[0] > left[1] > left[2] > 0
        assert 0.5 < left[1] - left[2] < 5
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopped" in told
