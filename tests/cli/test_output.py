"""Tables: rows stay whole however narrow the terminal, and only closing prose is folded."""

from __future__ import annotations

import os
import subprocess
import sys

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


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_two_bars_name_what_each_is_doing_and_are_gone_at_the_end():
    import pty

    script = (
        "from hedgeflow.cli.output import progress_bars\n"
        "with progress_bars(['one', 'two']) as progress:\n"
        "    progress('one', 'simulating', 3, 4)\n"
        "    progress('two', 'writing', 0, 1)\n"
        "print('done')"
    )
    master, terminal = pty.openpty()
    with os.fdopen(master, "rb", buffering=0) as screen:
        ended = subprocess.run(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE, stderr=terminal, check=True, env=os.environ | {"TERM": "xterm"},
        )  # fmt: skip
        os.close(terminal)
        shown = screen.read(65536).decode()
    assert ended.stdout == b"done\n"
    assert "one: simulating" in shown
    assert "3/4" in shown
    assert "two: writing" in shown
    assert "\x1b[2K" in shown  # the lines are cleared
