"""Calendars on the command line: several, of either form, and what is refused."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hedgeflow.cli.app import app
from hedgeflow.market.errors import ConfigError, DataError

CSV = "at,kind,name,underlying\n2025-01-16T21:00:00Z,earnings,Annual results,SIM\n"
ICS = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART:20240102T133000
RRULE:FREQ=WEEKLY
SUMMARY:Claims
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def backtest(simulated_copy, tmp_path):
    """Return a function that runs a backtest with some calendars written to files."""

    def run(*words, **files):
        calendars = []
        for name, text in files.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(text, encoding="utf-8")
            calendars += ["--calendar", str(path)]
        command = ["backtest", "volume-shock", "--catalog", str(simulated_copy), "--underlying",
                   "SIM", "--json", *calendars, *words]  # fmt: skip
        done = CliRunner().invoke(app, command)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return json.loads(done.stdout)

    return run


SAYS = ("--calendar-kind", "release", "--calendar-timezone", "America/New_York")


def test_calendars_of_both_forms_count_together_and_recurrences_reach_over_the_data(backtest):
    notes = backtest(*SAYS, earnings_csv=CSV, claims_ics=ICS)["notes"]
    [releases] = [note for note in notes if "releases that concern SIM" in note]
    assert releases.endswith("no entry is within 30 minutes of a release.")
    assert any("earnings that concern SIM" in note for note in notes)
    alone = backtest(earnings_csv=CSV)["notes"]
    assert any("silent on releases" in note for note in alone)


def test_another_calendar_is_another_trial(backtest):
    assert backtest()["configurations_tried"] == 1
    assert backtest(earnings_csv=CSV)["configurations_tried"] == 2
    assert backtest(earnings_csv=CSV)["configurations_tried"] == 2
    assert backtest(*SAYS, earnings_csv=CSV, claims_ics=ICS)["configurations_tried"] == 3


@pytest.mark.parametrize("words", [SAYS[:2], SAYS[2:]])
def test_what_calendars_leave_unsaid_is_not_said_without_one(backtest, words):
    with pytest.raises(ConfigError, match=f"{words[0]}: there is no calendar"):
        backtest(*words)


def test_a_kind_that_is_none_is_refused(backtest):
    with pytest.raises(ConfigError, match=r"'party' is no kind of event\. Use earnings or release"):
        backtest("--calendar-kind", "party", earnings_csv=CSV)


@pytest.mark.parametrize(("words", "hint"), [(SAYS[2:], "kind"), (SAYS[:2], "timezone")])
def test_a_calendar_that_cannot_be_understood_is_refused_before_anything_is_journalled(
    backtest, simulated_copy, words, hint
):
    with pytest.raises(DataError, match=f"event 'Claims'.*--calendar-{hint}"):
        backtest(*words, claims_ics=ICS)
    assert not (simulated_copy / "journal.sqlite").exists()
