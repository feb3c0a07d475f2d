"""The page of claims holds every number that is claimed, and what the packages say today."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from builders.claims import RECORDED, recorded_package
from evidence import samples
from hedgeflow.evidence import assess, package_document
from hedgeflow.evidence.opening import Package
from hedgeflow.evidence.weekly_review import position
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.claims import Claim
from hedgeflow.strategies.volume_shock.claims import CLAIMS, DECLARATION, GATES
from hedgeflow.studies.claims_page import band_words, claims_groups, claims_tables, columns_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "claims.md"
AGAIN = "make the page again: HEDGEFLOW_DATA=FOLDER python bench/claims_page.py"
NBSP = "\u00a0"


def package(name, wins=70, losses=20, declaration=DECLARATION, **changes):
    tables = samples.tables(samples.mixed(wins, losses), flow_noise=0.5)
    evidence = assess(tables, declaration, samples.manifest(**changes))
    return Package(Path(name), package_document(evidence, timestamp="2024-03-01T00:00:00Z",
                                                files={}))  # fmt: skip


@pytest.fixture(scope="module")
def good():
    return package("good")


def cell(groups, title, statement, column=3):
    table = next(each.table for each in groups if each.title == title)
    return next(row for row in table.rows if row[0].text.startswith(statement))[column]


@pytest.mark.parametrize(
    ("title", "numbers"),
    [
        ("Sweep: the claimed bands",
         ["75 to 85 %", "8 to 15 points", "8 to 12 points", "8 to 15 min", "3 to 5"]),
        ("Emergency: the claimed bands",
         ["85 to 95 %", "15 to 30 points", "6 to 8 points", "3 to 8 min", "1 to 3"]),
        ("Together: the claimed bands", ["80 to 90 %", "2.5 to 4", "5 to 12 %"]),
        ("Success", ["at least 100", "at least 80 %", "at least 2.5", "below 0.01",
                     "at least 12 points", "at most 12 %"]),
    ],
)  # fmt: skip
def test_every_number_of_section_9_is_on_the_page(good, title, numbers):
    groups = claims_groups(DECLARATION, columns_of([good]))
    table = next(each.table for each in groups if each.title == title)
    assert [row[1].text.replace(NBSP, " ") for row in table.rows] == numbers


def test_detection_to_execution_is_claimed_to_take_under_5_minutes(good):
    groups = claims_groups(DECLARATION, columns_of([good]))
    assert cell(groups, "Besides", "Under 5 minutes", 1).text == f"below 5{NBSP}min"


def test_every_claim_and_gate_has_its_row_once(good):
    groups = claims_groups(DECLARATION, columns_of([good]))
    assert sum(len(each.table.rows) for each in groups) == len(CLAIMS) + len(GATES)


def test_what_was_found_stands_with_interval_place_and_state(good):
    groups = claims_groups(DECLARATION, columns_of([good]))
    found = cell(groups, "Together: the claimed bands", "Wins at least 80")
    assert re.fullmatch(rf"77\.8{NBSP}% \(.* to .*{NBSP}%\)", found.text)
    assert (found.detail, found.state) == ("under the band", "INCONCLUSIVE")
    refused = cell(groups, "Besides", "A correlation below")
    assert refused.state == "REFUSED"
    assert refused.detail.startswith("true by construction")


@pytest.mark.parametrize(
    ("comparison", "value", "where"),
    [(">=", 0.74, "below"), (">=", 0.75, "inside"), ("within", 0.85, "inside"),
     ("within", 0.86, "above"), ("<=", 0.1, "inside"), ("<", 0.76, "above"),
     (">=", None, "no figure")],
)  # fmt: skip
def test_a_value_lies_inside_under_or_over_its_band(comparison, value, where):
    high = None if comparison.startswith("<") else 0.85
    assert position(comparison, 0.75, high, value) == where


def test_the_page_is_made_of_whatever_a_strategy_declares():
    claim = Claim("carry-hold", "carry: held 1 to 2 h", "hold_minutes", "within", 60.0, 30,
                  "claimed", upper_threshold=120.0, group="carry-band")  # fmt: skip
    other = replace(DECLARATION, strategy="carry", claims=(claim,), classes=())
    found = package("carry", declaration=other, strategy="carry")
    text = claims_tables(other, columns_of([found], ["mine"]))
    assert "Carry: the claimed bands" in text
    assert f"| Held 1 to 2 h | 60 to 120{NBSP}min | claimed | 6.48{NBSP}min" in text


def test_a_claim_that_a_package_does_not_judge_is_said_to_be_missing(good):
    more = replace(DECLARATION, claims=(*CLAIMS, replace(CLAIMS[0], id="newer")))
    groups = claims_groups(more, columns_of([good]))
    rows = next(each.table for each in groups if each.title == "Success").rows
    assert rows[-1][3].detail == "the package does not judge it"


def test_packages_of_two_strategies_are_refused(good):
    other = Package(Path("other"), dict(good.document) | {"strategy": "carry"})
    with pytest.raises(EvidenceError, match="of carry and of volume-shock"):
        columns_of([good, other])


# --- the documentation's page ---------------------------------------------------------------------


def told():
    """Return the rows of the documentation's tables, without their verdicts."""
    marked = re.search(r"<!-- claims -->\n(.*?)\n<!-- end of claims -->",
                       PAGE.read_text(encoding="utf-8"), re.DOTALL)  # fmt: skip
    lines = [line for line in marked[1].splitlines() if line.startswith("| ")]
    rows = [tuple(each.strip() for each in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines]
    return [row for row in rows if len(row) > 2 and set(row[0]) != {"-"}]


def test_the_documentation_states_every_claim_as_it_is_declared():
    rows = [row for row in told() if row[0] != "claim"]
    declared = {(band_words(each), each.source) for each in (*CLAIMS, *GATES)}
    assert len(rows) == len(CLAIMS) + len(GATES), AGAIN
    assert {row[1:3] for row in rows} == declared, AGAIN
    heads = next(row for row in told() if row[0] == "claim")
    assert heads[3:] == (*RECORDED, "SIMULATED: effect", "SIMULATED: null")


@pytest.mark.parametrize("title", RECORDED)
def test_the_documentation_s_recorded_columns_are_what_packages_say(market_data, tmp_path, title):
    made = recorded_package(market_data, RECORDED[title], tmp_path / "market")
    tables = claims_tables(DECLARATION, columns_of([made], [title]), level=3)
    fresh = [line for line in tables.splitlines() if line.startswith("| ") and "---" not in line]
    column = told()[0].index(title)
    wanted = [row[column] for row in told()]
    found = [re.split(r"(?<!\\)\|", line)[1:-1][3].strip() for line in fresh
             if len(re.split(r"(?<!\\)\|", line)[1:-1]) > 3]  # fmt: skip
    assert found == wanted, AGAIN
