"""A hold-out from its declaration to its second opening, by the commands, on a simulated market."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hedgeflow.cli import main
from hedgeflow.evidence import read_package

FEWER_DRAWS = ("--set", "null.draws_on_ticks=100")


@pytest.fixture
def run(capsys, simulated_market, tmp_path):
    def run_command(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        place = ("--catalog", simulated_market, "--journal", tmp_path / "journal.sqlite")
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in (*words, *place)])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return run_command


def stated(folder: Path) -> dict[str, object]:
    return json.loads((folder / "evidence.json").read_text(encoding="utf-8"))


def test_a_vault_is_opened_once_and_every_later_package_says_how_often(run, tmp_path):
    market = ("--underlying", "SIM")
    trade = ("volume-shock", *market, *FEWER_DRAWS)
    opening = ("validate", *trade, "--open-vault", "--out")
    assert run("vault", "declare", *market, "--from", "2025-01-16")[0] == 0
    assert run("register", "Dealers hedge shocks.", *market, *FEWER_DRAWS)[0] == 0

    code, said = run("backtest", *trade)
    assert code == 0
    assert "is sealed: nothing stamped at its start or later was seen" in said

    code, said = run(*opening, tmp_path / "first")
    assert code == 0, said
    first = stated(tmp_path / "first")["reproducibility"]
    assert (first["vault"]["openings"], first["vault"]["opened_here"]) == (1, True)
    assert first["registration"]["before_run"]
    assert first["inputs"]["traded_from"] == "2025-01-16T00:00:00Z"
    assert "opened once." in said

    code, said = run(*opening, tmp_path / "again")
    assert code == 1
    assert "it was opened once: on 20" in said
    assert "--reopen opens it again" in said
    assert not (tmp_path / "again").exists()
    code, said = run(*opening, tmp_path / "other", "--set", "anomaly.ratio=9")
    assert code == 1  # another configuration is no fresh look either

    code, said = run(*opening, tmp_path / "second", "--reopen", "--reason", "shown twice")
    assert code == 0, said
    second = stated(tmp_path / "second")["reproducibility"]["vault"]
    assert (second["openings"], second["opened_here"]) == (2, True)
    assert "opened twice: it is no fresh sample" in said
    page = (tmp_path / "second" / "report.html").read_text(encoding="utf-8")
    assert "opened twice: it is no fresh sample" in page
    assert read_package(tmp_path / "second")
    assert "shown twice" in run("vault", "list")[1]

    code, said = run("scan", *market)
    assert code == 0
    assert "is spent: it was opened twice, and any run since may have seen it" in said
