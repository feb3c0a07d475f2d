"""`hedgeflow stylised-facts` as users run it: text, JSON, the page, and what it refuses."""

from __future__ import annotations

import json
import re

import pytest

from hedgeflow.studies.stylised_facts import DEFINITIONS


@pytest.fixture
def run(run, simulated_market):
    """Return a function that runs the command on the simulated market."""

    def run_command(*options, underlying="SIM"):
        words = ("stylised-facts", "--catalog", simulated_market, "--underlying", underlying)
        return run(*words, *options)

    return run_command


def test_a_market_beside_itself_matches_in_everything_that_is_measured(run, simulated_market):
    code, out, err = run("--beside", simulated_market, "--beside-underlying", "SIM", "--json")
    assert (code, err) == (0, "")
    first, other = json.loads(out)
    first_facts = {"facts": {name: dict(fact) for name, fact in first["facts"].items()}}
    assert set(first["facts"]) == {each.key for each in DEFINITIONS}
    said = {name: fact.pop("alike") for name, fact in other["facts"].items()}
    for measure in ("value", "standard_error"):  # parallel sums differ in their last digits
        mine, theirs = (
            {name: float(fact.pop(measure) or 0.0) for name, fact in each["facts"].items()}
            for each in (first_facts, other)
        )
        assert theirs == pytest.approx(mine, rel=1e-9, abs=1e-12)
    assert {**first, "facts": first_facts["facts"]} == other
    assert first["simulated"] is True
    compared = {each.key for each in DEFINITIONS if each.alike.kind == "factor"}
    measured = {name for name in compared if (first["facts"][name]["value"] or 0.0) > 0.0}
    assert {said[name] for name in measured} == {"yes"}
    assert len(measured) > 10
    assert all(fact["value"] is not None or fact["note"] for fact in first["facts"].values())


def test_the_text_has_one_line_a_fact_and_reasons_in_the_last_column(run):
    _, out, _ = run()
    assert out.startswith("SIMULATED: ")
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert {each.name for each in DEFINITIONS} <= set(lines)
    assert re.search(
        r"not measurable\s+the market never closes$", lines["ends over middle, option prints"]
    )
    assert re.search(r"\d\.\d+ ± \d+\.\d+$", lines["Fano factor, 1 min"])


def test_a_page_is_written_and_named(run, tmp_path):
    page = tmp_path / "facts.md"
    code, out, _ = run("--out", page)
    assert code == 0
    assert f"page: {page}" in out
    text = page.read_text(encoding="utf-8")
    assert "SIMULATED" in text
    assert "## References" in text


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_read(run, tmp_path):
    other = tmp_path / "notes.md"
    other.write_text("mine")
    code, out, err = run("--out", other)
    assert (code, out) == (3, "")
    assert "there is another file, which is left alone" in err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--beside", "x"), 2, "1 --beside and 0 --beside-underlying: give as many"),
        (("--beside-calendar", "XNYS"), 2, "0 --beside and 1 --beside-calendar"),
        (("--calendar", "MARS"), 5, "no calendar 'MARS'"),
        (("--beside", "nowhere", "--beside-underlying", "SIM"), 4, "does not exist"),
    ],
)
def test_what_cannot_be_is_refused_by_name(run, options, code, said):
    ended, out, err = run(*options)
    assert (ended, out) == (code, "")
    assert said in err.replace("\n", " ")


def test_an_underlying_that_is_not_there_is_refused(run):
    code, _, err = run(underlying="BTC")
    assert code == 4
    assert "no tape of BTC that facts can be measured on. The catalog holds SIM" in err
