"""The headline figures say what they were compared with."""

from __future__ import annotations

from hedgeflow.evidence.report.sections import headlines


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
