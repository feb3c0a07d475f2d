"""The page's words and figures, counted again from a table of results made by hand."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from hedgeflow.studies.judge import MARK, bench_of, latest_run
from hedgeflow.studies.judge.expiries import calibration_of, page_of, power_words, sides_words

BENCH = bench_of("expiration-pressure")
SEEDS = 30


def results(**worlds: dict[str, object]) -> pl.DataFrame:
    """Return results of worlds, thirty trials each, in which what is not given is dull."""
    frames = []
    for place, (world, given) in enumerate(worlds.items()):
        columns: dict[str, object] = {
            name: None if kind is not pl.Int64 else 0 for name, kind in BENCH.schema.items()
        }
        columns |= {
            "key": [f"{place}-{seed}" for seed in range(SEEDS)],
            "code_version": "1.0+abc", "made": "2026-01-02", "scenario": "expiry-friday",
            "world": world.replace("_", "-"), "peak_bps": 2.5, "days": 300,
            "seed": list(range(1, SEEDS + 1)), "seconds": 6.0, "verdict": "REJECTED",
            "source_verdict": "REJECTED", "trades:dealer-gamma": 60, "count:expiries": 62,
        }  # fmt: skip
        columns |= given
        frame = pl.DataFrame({"seed": columns["seed"]}).with_columns(
            *(
                (pl.Series(name, value) if isinstance(value, list) else pl.lit(value)).alias(name)
                for name, value in columns.items()
            )
        )
        frames.append(frame.select(pl.col(name).cast(kind) for name, kind in BENCH.schema.items()))
    return pl.concat(frames)


def lines_of(page: str, heading: str, world: str) -> list[list[str]]:
    """Return the cells of a world's rows below a heading."""
    below = page.split(f"## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    rows = [line for line in below.splitlines() if line.startswith(f"| `{world}`")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def wilson(hits: int, trials: int) -> tuple[float, float]:
    z, rate = 1.959963984540054, hits / trials
    middle = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(rate * (1 - rate) / trials + z * z / 4 / trials**2)
    return middle - half, middle + half


def test_what_is_validated_on_nothing_is_said_in_bold_and_none_is_bounded():
    nothing = page_of(calibration_of(results(null={}, coin={})))
    bound = 100.0 * (1.0 - 0.025 ** (1.0 / (2 * SEEDS)))
    assert f"0 of 60 trials of both came out so: 0.00 % (0.00 to {bound:.2f} %)." in nothing
    verdicts = ["VALIDATED", *["REJECTED"] * (SEEDS - 1)]
    wrong = page_of(calibration_of(results(null={}, coin={"verdict": verdicts})))
    assert "**1 of 60 trials of both came out so" in wrong
    assert lines_of(wrong, "Nothing is VALIDATED on nothing", "coin")[0][4] == "1"


def test_the_right_side_is_counted_over_strikes_with_wilsons_interval():
    given = {
        "count:strikes": 10, "count:strikes:told": 9, "count:strikes:convention": 5,
        "count:strikes:short-all": 2, "count:sides": 4, "count:sides:told": 3,
        "count:moved": [4, *[0] * (SEEDS - 1)], "count:moved:with": [1, *[0] * (SEEDS - 1)],
    }  # fmt: skip
    page = page_of(calibration_of(results(pin=given)))
    low, high = wilson(9 * SEEDS, 10 * SEEDS)
    [cells] = lines_of(page, "Does dealer-gamma pick the right side", "pin")
    assert cells[1] == "300"
    assert cells[2] == f"90.0 % ({100 * low:.1f} to {100 * high:.1f} %)"
    assert [cell.split(" (")[0] for cell in cells[3:]] == [
        "50.0 %", "20.0 %", "120", "75.0 %", "25.0 %",
    ]  # fmt: skip
    assert "which a coin would do as well" in page


@pytest.mark.parametrize(("right", "words"), [(2, "worse than a coin"), (9, "better than a coin")])
def test_a_convention_is_held_against_a_coin(right, words):
    given = {"count:strikes": 10, "count:strikes:told": 9, "count:strikes:convention": right}
    assert words in sides_words(calibration_of(results(pin=given)).outcomes)


def test_directions_are_compared_trial_by_trial_and_equal_ones_are_left_out():
    """Two trades a trial: dealer-gamma 6 bp, pin the same in ten trials, else 2 bp more or less."""
    pin = [6.0] * 10 + [4.0] * 15 + [8.0] * 5
    given = {
        **{f"trades:{model}": 2 for model in ("dealer-gamma", "pin", "steer-away")},
        **{f"wins:{model}": 1 for model in ("dealer-gamma", "pin", "steer-away")},
        "sum:dealer-gamma": 6.0, "sum:pin": pin, "sum:steer-away": -6.0,
    }  # fmt: skip
    [cells] = lines_of(page_of(calibration_of(results(mixed=given))), "What it earns", "mixed")
    assert cells[1:] == [
        "-3.0 (50.0 %)", f"{sum(pin) / 60:,.1f} (50.0 %)", "3.0 (50.0 %)",
        f"{SEEDS} of {SEEDS}", "15 of 20",
    ]  # fmt: skip


def test_power_is_told_by_size_with_what_stands_in_the_way_of_validated():
    strong = {
        "p:mean": [0.001] * 12 + [0.5] * 18, "p:mean-directions": [0.001] * 21 + [0.5] * 9,
        "lower:net_bps": [0.1] * 20 + [-0.1] * 10,
        "gate:sample": "PASSED", "gate:win-rate": ["PASSED", *["FAILED"] * (SEEDS - 1)],
        "gate:significance": ["PASSED"] * 12 + ["FAILED"] * 18, "gate:sharpe": "PASSED",
        "gate:deflated-sharpe": "PASSED", "gate:tradable-prices": "PASSED",
    }  # fmt: skip
    small = {name: "PASSED" for name in BENCH.schema if name.startswith("gate:")}
    found = calibration_of(results(pin=strong, pin_published=small | {"p:mean": 0.5}))
    words = power_words(found.with_edge)
    assert "there to be seen 12 of 30 trials have p below 0.01" in words
    assert "published 0 of 30 trials have p below 0.01" in words
    assert "0 of 60 come out VALIDATED; the gate that passes least often is `win-rate`, in 31" in (
        words
    )
    cells = lines_of(page_of(found), "Power", "pin")[0]
    assert [cells[3].split(" (")[0], cells[7].split(" (")[0]] == ["40 %", "67 %"]
    assert cells[4:7] == ["0 of 0", f"21 of {SEEDS}", "0 of 0"]
    assert "21 of 30 against directions dealt out again alone" in words


def test_tests_of_pinning_are_counted_below_one_percent_and_levels_judged_where_nothing_is():
    often = np.linspace(0.0001, 0.02, SEEDS).tolist()
    found = calibration_of(results(null={"p:drift": often}, pin={"p:nearest": often}))
    page = page_of(found)
    below = sum(value < 0.01 for value in often)
    assert lines_of(page, "The pinning test", "pin")[0][2] == f"{below} of {SEEDS}"
    assert {(each.what, each.world) for each in found.oversized} == {("drift", "null")}
    assert "Too often: last move with dealers' gamma in `null`" in page


def test_a_page_without_trades_or_alerts_has_dashes_and_says_that_all_is_simulated():
    empty = {"trades:dealer-gamma": 0, "verdict": "INSUFFICIENT_DATA"}
    page = page_of(calibration_of(latest_run(results(null=empty), "here", BENCH.worlds)))
    assert page.startswith(MARK)
    assert "**SIMULATED.**" in page
    assert "No strike had an alert in any trial." in page
    assert lines_of(page, "Does dealer-gamma pick the right side", "null")[0][2] == "–"
