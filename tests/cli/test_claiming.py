"""`hedgeflow claim` as users run it: the source's claim, refusals, and packages from elsewhere."""

from __future__ import annotations

import json
from functools import partial

import pytest

CLAIM = ("--win-rate", "83.7%", "--win", "15", "--loss", "8", "--per-day", "5")
SOURCE_SAMPLE = {
    "experimental_validity": "VALIDATED",
    "hypothesis_results": {"primary": "SUPPORTED - Win rate 83.7% (CI: 78.1%-89.3%)"},
    "statistical_measures": {"p_value": 0.0008, "effect_size": 1.73, "sample_size": 154},
    "performance_by_flow_type": {
        "institutional_sweep": {"win_rate": 0.817, "avg_win_points": 11.4, "sample_size": 89},
        "gamma_emergency": {"win_rate": 0.923, "avg_win_points": 21.7, "sample_size": 65},
    },
}


@pytest.fixture
def run(run):
    """Return a function that runs `claim` and returns exit code, output and errors."""
    return partial(run, "claim")


def test_the_sources_claim_is_read(run):
    code, said, _ = run(*CLAIM, "--sharpe", "4", "--trades", "154", "--wins", "129")
    assert code == 0
    for line in (
        "it breaks even at 34.8% wins",
        "imply an annualised Sharpe ratio of 47.0.",
        "by Wilson 77.1% to 88.8%",
        "a lower bound of 80% takes 133 wins",
        "a lower bound of 80% takes 449 trades",
        "Sharpe 4 contradicts the 47.0",
        "The claim contradicts itself.",
    ):
        assert line in said


def test_json_holds_the_same(run):
    code, said, _ = run(*CLAIM, "--sharpe", "47", "--json")
    assert code == 0
    reading = json.loads(said)["reading"]
    assert round(reading["implied"]["sharpe"]) == 47
    assert reading["coherent"] is True
    assert [sample["alpha"] for sample in reading["samples"]] == [0.01, 0.05]


def test_a_rate_may_be_a_share_or_a_percentage(run):
    assert run("--win-rate", "0.55")[1] == run("--win-rate", "55.0 %")[1]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ((), 2, "Nothing is claimed"),
        (("--win-rate", "84"), 5, "--win-rate: is 84. A rate lies between 0 and 1"),
        (("--win-rate", "most"), 5, "'most' is no rate"),
        (("--win-rate", "nan"), 5, "is nan"),
        (("--win", "15"), 5, "--loss: is missing"),
        (("--stop", "8"), 5, "--target: is missing"),
        (("--win", "-1", "--loss", "1"), 5, "--win: is -1. It must be positive"),
        (("--per-day", "inf"), 5, "--per-day: is inf"),
        (("--sharpe", "nan"), 5, "--sharpe: is nan"),
        (("--wins", "5"), 5, "between 0 and --trades"),
        (("--trades", "10", "--wins", "11"), 5, "between 0 and --trades"),
        (("--trades", "0"), 5, "--trades: is 0"),
        (("--package", "x.json", "--trades", "5"), 2, "give it alone"),
    ],
)
def test_what_cannot_be_is_refused(run, options, code, says):
    found, _, said = run(*options)
    assert (found, says in said) == (code, True), said


def test_the_sources_sample_package_contradicts_itself(run, tmp_path):
    file = tmp_path / "package.json"
    file.write_text(json.dumps(SOURCE_SAMPLE), encoding="utf-8")
    code, said, _ = run("--package", file)
    assert code == 6
    assert "FAILED: win rate from its classes: stated 0.837 contradicts 0.86" in said
    assert "It contradicts itself: such a package is never VALIDATED." in said
    code, said, _ = run("--package", file, "--json")
    assert code == 6
    assert json.loads(said)["coherent"] is False


def test_a_package_that_agrees_with_itself_is_let_pass(run, tmp_path):
    good = {
        "performance_metrics": {"overall_win_rate": 0.8377},
        "statistical_measures": {"sample_size": 154},
    }
    (tmp_path / "evidence.json").write_text(json.dumps(good), encoding="utf-8")
    code, said, _ = run("--package", tmp_path)
    assert code == 0
    assert "holds: overall: 83.77 % of 154 is 129 wins" in said
    assert "It agrees with itself as far as its figures tell." in said


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "is no JSON"), ("[]", "is no JSON object"), (None, "cannot be read")],
)
def test_a_file_that_is_no_package_is_refused(run, tmp_path, content, says):
    file = tmp_path / "package.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    code, _, said = run("--package", file)
    assert code == 6
    assert says in said


def test_a_package_that_says_nothing_is_not_praised(run, tmp_path):
    file = tmp_path / "package.json"
    file.write_text("{}", encoding="utf-8")
    code, said, _ = run("--package", file)
    assert code == 0
    assert "It says too little to be checked at all." in said
