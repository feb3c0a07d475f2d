"""Tables: rows stay whole however narrow the terminal, and only closing prose is folded."""

from __future__ import annotations

import pytest

from hedgeflow.cli.output import print_table

INSTANT = "2014-06-06T14:49:00Z"
PROSE = "no venue that needs a key is configured: data come from files"


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")


def printed(capsys, *arguments, **options):
    print_table(*arguments, **options)
    return capsys.readouterr().out.splitlines()


def test_a_row_of_numbers_is_one_line_on_a_narrow_terminal(narrow, capsys):
    columns = ("detected", "contract", "demand")
    row = (INSTANT, "AAPL  141018C00505000", 143_469.256)
    [_, line] = printed(capsys, columns, [row], numeric=("demand",))
    assert line == f"{INSTANT}  AAPL  141018C00505000  143,469.26"


def test_prose_in_the_last_column_is_folded_at_words_to_the_terminal(narrow, capsys):
    [_, *lines] = printed(capsys, ("state", "finding"), [("ok", PROSE)])
    assert len(lines) > 1
    assert max(map(len, lines)) <= 40
    assert " ".join(" ".join(lines).split()) == f"ok {PROSE}"


def test_nothing_is_folded_where_the_output_is_no_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    [_, line] = printed(capsys, ("state", "finding"), [("ok", PROSE * 5)])
    assert line == f"ok     {PROSE * 5}"
