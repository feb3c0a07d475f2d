"""Groups of arms are drawn by what they are, whatever the strategy, or say why they are not."""

from __future__ import annotations

import pytest

from hedgeflow.evidence.arms import ArmGroup
from hedgeflow.evidence.report.arms import PANELS, arm_sections
from hedgeflow.evidence.report.canvas import Absent, Picture


def estimate(value, half=1.0):
    return {"value": value, "lower": value - half, "upper": value + 2.0 * half, "reason": ""}


def arm(group, name, bps, *, parameter=None, reference=False, usd=0.0, trades=40, note=""):
    return {
        "group": group,
        "id": name,
        "words": f"with {name}",
        "parameter": parameter,
        "reference": reference,
        "note": note,
        "trades": trades,
        "wins": 20,
        "win_rate": estimate(0.5, 0.1),
        "expectancy_bps": estimate(bps),
        "difference_usd": estimate(usd, 5.0),
        "net_usd": 7.0 * bps,
    }


def package(arms, findings=(), trades=40):
    return {
        "performance_metrics": {
            "trades": trades,
            "overall": {
                "expectancy_bps": estimate(3.0),
                "barrier_implied_win_rate": {"value": 0.3},
            },
        },
        "experimental_validity": {"arms": list(arms), "arm_findings": list(findings)},
    }


def drawn(group, arms, **more):
    return arm_sections(package(arms, **more), simulated=False)[group]


def values(picture, axis="y", trace=0):
    return picture.spec["data"][trace][axis]


def test_a_curve_runs_in_the_order_of_its_parameter_with_bounds_and_the_run_hollow():
    arms = [
        arm("latency", "ten minutes", -1.0, parameter=600.0),
        arm("latency", "none", 3.0, parameter=0.0, reference=True),
        arm("latency", "one minute", 2.0, parameter=60.0),
    ]
    picture = drawn("latency", arms).drawn
    above, below = picture.spec["data"]
    assert above["x"] == [0.0, 1.0, 10.0]
    assert above["y"] == [3.0, 2.0, -1.0]
    assert above["error_y"]["arrayminus"] == [1.0, 1.0, 1.0]
    assert above["error_y"]["array"] == [2.0, 2.0, 2.0]
    assert above["marker"]["color"][0] == "var(--paper)"
    assert above["marker"]["color"][1] == above["marker"]["color"][2] == "var(--series-0)"
    assert below["y"] == [50.0, 50.0, 50.0]
    words = [note["text"] for note in picture.spec["layout"]["annotations"]]
    assert "barriers alone" in words


def test_where_nothing_is_left_is_marked_in_the_curve_and_said_under_it():
    arms = [arm("cost", "0x", 3.0, parameter=0.0), arm("cost", "2x", -1.0, parameter=2.0)]
    finding = {
        "group": "cost",
        "id": "break-even",
        "words": "cost multiple at which the expectancy is nil",
        "unit": "times the costs",
        "figure": {"value": 1.5, "lower": 1.1, "upper": 2.5},
    }
    found = drawn("cost", arms, findings=[finding])
    words = [note["text"] for note in found.drawn.spec["layout"]["annotations"]]
    assert "nothing left at 1.50" in words
    assert found.findings == (
        (
            "Cost multiple at which the expectancy is nil",
            "1.50 times the costs (1.10 to 2.50)",
        ),
    )


def test_placebos_stand_beside_the_run_itself():
    arms = [arm("placebo", "shifted", 0.5), arm("placebo", "flipped", -3.0)]
    picture = drawn("placebo", arms).drawn
    assert values(picture) == ["the run itself", "with shifted", "with flipped"]
    assert values(picture, "x") == [3.0, 0.5, -3.0]
    assert picture.spec["data"][0]["marker"]["color"][0] == "var(--paper)"


def test_a_placebo_group_that_brings_the_run_does_not_show_it_twice():
    arms = [arm("placebo", "shifted", 0.5), arm("placebo", "the run", 3.0, reference=True)]
    assert values(drawn("placebo", arms).drawn) == ["with the run", "with shifted"]


def test_controls_are_drawn_as_what_they_cost_and_saved():
    arms = [
        arm("risk-control", "no stop", 1.0, usd=-40.0),
        arm("risk-control", "no limit", 4.0, usd=12.0),
        arm("risk-control", "the run", 3.0, reference=True),
    ]
    picture = drawn("risk-control", arms).drawn
    assert values(picture, "x") == [-40.0, 12.0]
    assert picture.spec["data"][0]["error_x"]["arrayminus"] == [5.0, 5.0]
    assert picture.spec["layout"]["xaxis"]["title"]["text"] == "USD a session"


def test_a_group_that_nobody_has_heard_of_is_drawn_and_listed_all_the_same():
    found = drawn("other-venues", [arm("other-venues", "bybit", 1.0)])
    assert isinstance(found.drawn, Picture)
    assert found.drawn.title == "Other venues"
    assert values(found.drawn) == ["the run itself", "with bybit"]
    assert [row[0].text for row in found.table.rows] == ["With bybit"]


@pytest.mark.parametrize("group", [str(group) for group in ArmGroup])
def test_every_group_has_its_words_and_says_why_where_it_has_no_arms(group):
    panel = PANELS[group]
    assert all((panel.shows, panel.if_nothing, panel.not_shown))
    missing = drawn(group, [])
    assert missing.drawn == Absent(panel.title, "this run did not make them")
    assert drawn(group, [], trades=0).drawn.reason == "there are no trades to run again"


def test_arms_that_did_not_trade_say_why_in_place_of_a_picture():
    note = "No impact model fits a perpetual."
    arms = [arm("capacity", "4", 0.0, parameter=4.0, trades=0, note=note)]
    assert drawn("capacity", arms).drawn.reason == "No impact model fits a perpetual"


def test_every_picture_of_a_simulated_market_says_so():
    arms = [arm(str(group), "one", 1.0, parameter=1.0, usd=2.0) for group in ArmGroup]
    for found in arm_sections(package(arms), simulated=True).values():
        words = [note["text"] for note in found.drawn.spec["layout"]["annotations"]]
        assert "SIMULATED" in words
