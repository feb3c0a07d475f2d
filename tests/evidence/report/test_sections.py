"""Headline figures say what they were compared with, bands on which side of them a figure lies."""

from __future__ import annotations

import pytest

from hedgeflow.evidence.report.judgements import judgement_table
from hedgeflow.evidence.report.sections import headlines
from hedgeflow.evidence.report.words import to_the_second


def p_headline(direction_null):
    """Return the headline of a package's p-value and its yardstick."""
    measures = {
        "p_value": {"value": 0.2, "n": 2_000},
        "nulls": [
            {"name": "random entries", "draws": 2_000, "p_value": 0.004},
            {"name": "directions dealt out again", **direction_null},
        ],
    }
    found = headlines({"statistical_measures": measures})
    [line] = [each for each in found if each.name.startswith("p against")]
    return line.name, line.context


def test_the_headline_p_value_names_both_nulls_and_each_one_s_own():
    name, yardstick = p_headline({"draws": 2_000, "p_value": 0.2})
    assert name == "p against random entries and directions"
    assert yardstick.startswith(
        "random entries: p = 0.004; directions dealt out again: p = 0.2; 2,000 draws;"
    )


def test_a_null_that_was_not_drawn_has_no_p_value_beside_the_headline():
    _, yardstick = p_headline({"draws": 0, "p_value": None})
    assert "directions" not in yardstick


def claim(value: float, statistic: str) -> dict[str, object]:
    return {
        "statement": "a band",
        "statistic": statistic,
        "status": "FAILED",
        "comparison": "within",
        "threshold": 0.08,
        "upper_threshold": 0.15,
        "value": value,
        "sample_size": 73,
    }


@pytest.mark.parametrize(
    ("value", "statistic", "words"),
    [
        (0.016, "drawdown", "under the band: better than claimed"),
        (0.3, "drawdown", "over the band: worse than claimed"),
        (0.3, "win_rate", "over the band: better than claimed"),
        (0.016, "hold_minutes", "under the band"),
    ],
)
def test_a_figure_outside_of_a_claimed_band_says_on_which_side(value, statistic, words):
    table = judgement_table([claim(value, statistic)], "claims")
    assert table.rows[0][1].detail == words


def test_whether_something_can_be_traded_is_told_in_a_word():
    gate = claim(1.0, "tradable_prices") | {
        "comparison": ">=",
        "threshold": 1.0,
        "status": "PASSED",
    }
    row = judgement_table([gate], "gates").rows[0]
    assert (row[2].text, row[3].text) == ("yes", "yes")


def test_instants_are_told_to_the_second():
    assert to_the_second("2026-11-21T23:17:45.890166Z") == "2026-11-21 23:17:45 UTC"
    assert to_the_second("2024-03-13T20:00:00Z") == "2024-03-13 20:00:00 UTC"
