"""What is kept of one trial: verdict, gates, every p-value, every interval, sums for the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.evidence.differences import differences, holm
from hedgeflow.evidence.latency import latency
from hedgeflow.evidence.trades import trade_arrays
from hedgeflow.strategies.volume_shock.claims import EMERGENCY, GATES, SWEEP
from hedgeflow.studies.judge.worlds import COIN, FAIR, NULL
from hedgeflow.studies.scenario_settings import config_of
from hedgeflow.studies.simulated_markets import judged_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.evidence import Estimate, Evidence, EvidenceTables
    from hedgeflow.simulate import Scenario
    from hedgeflow.studies.validation import Validation

Value = float | int | str | bool | None
Row = dict[str, Value]

_RELABELLED: Final = "classes dealt out at random, half and half, among each trial's own results"
_MOVING: Final = (
    "where a coin decides, prices do move more after alerts than at other minutes, so that alerts"
    " are better entries than random ones and the test is right to say so"
)
_LABELS: Final = 1
"""Keeps the generator that relabels apart from those of the market."""
_LONGEST_AGE_SECONDS: Final = 360.0


@dataclass(frozen=True, slots=True)
class TriedTest:
    """A test whose level is measured.

    Attributes
    ----------
    name, title : str
    worlds : tuple of str
        Where its own null hypothesis is true.
    note : str
        Why there, and how.
    """

    name: str
    title: str
    worlds: tuple[str, ...]
    note: str = ""


TESTS: Final = (
    TriedTest("mean", "mean net result, the largest p-value of all nulls (gate)", (NULL, COIN)),
    TriedTest("mean-entries", "mean net result against random entries alone", (NULL,), _MOVING),
    TriedTest(
        "mean-directions", "mean net result against directions dealt out again", (NULL, COIN)
    ),
    TriedTest("mean-sessions", "mean net result against whole sessions turned", (NULL, COIN)),
    TriedTest("win-rate", "win rate, the largest p-value of all nulls", (NULL, COIN)),
    TriedTest("win-rate-entries", "win rate against random entries alone", (NULL,), _MOVING),
    TriedTest("win-rate-directions", "win rate against directions dealt out again", (NULL, COIN)),
    TriedTest("win-rate-sessions", "win rate against whole sessions turned", (NULL, COIN)),
    TriedTest(
        "binomial-half",
        "wins against 50 %, binomial",
        (FAIR,),
        "elsewhere target and stop differ and costs are paid, so 50 % is not the rate of chance",
    ),
    TriedTest(
        "binomial-barrier",
        "wins against the barriers' rate, binomial",
        (FAIR,),
        "elsewhere time limits end trades before a barrier does, which moves the rate of chance",
    ),
    TriedTest(
        "sharpe",
        "Sharpe ratio above the luck of all trials, deflated (gate)",
        (FAIR,),
        "elsewhere costs make the true ratio negative, and no test of it could reject too often",
    ),
    TriedTest("flow-slope", "observed on predicted hedge, HC3", (NULL, COIN)),
    TriedTest(
        "flow-correlation", "observed with predicted hedge, signs flipped by session", (NULL, COIN)
    ),
    TriedTest("price-move", "move in the predicted direction, against placebos", (NULL, COIN)),
    TriedTest("acceleration", "acceleration at completion, against placebos", (NULL, COIN)),
    TriedTest("classes-win-rate", "win rates of the classes, Fisher", (NULL, COIN), _RELABELLED),
    TriedTest("classes-move", "moves of the classes, permutation", (NULL, COIN), _RELABELLED),
    TriedTest("classes-response", "responses of the classes, permutation", (COIN,), _RELABELLED),
    TriedTest("classes-holm", "any of these three, Holm", (NULL, COIN), _RELABELLED),
    TriedTest(
        "latency-trend",
        "wins fall with latency, Cochran–Armitage",
        (NULL, COIN),
        "ages of alerts drawn at random over 6 minutes: their own all lie in one latency bucket",
    ),
)
"""Every test that a package reports."""

INTERVALS: Final[dict[str, Callable[[Evidence], Estimate]]] = {
    "win_rate": lambda each: each.performance.overall.win_rate,
    "win_rate_day_clustered": lambda each: each.performance.overall.win_rate_day_clustered,
    "sharpe_annualised": lambda each: each.performance.sharpe_annualised,
    "expectancy_bps": lambda each: each.performance.overall.expectancy_bps,
    "expectancy_points": lambda each: each.performance.overall.expectancy_points,
    "r_squared": lambda each: each.flow.r_squared,
    "slope": lambda each: each.flow.slope,
    "flow_class_accuracy": lambda each: each.accuracy.flow_class,
}
"""The intervals on which gates and claims rest, and one or two beside them."""

SUMS: Final = (
    *("wins", "net_bps", "net_points", "sessions", "daily", "daily_squares"),
    *("classes", "classes_right", "events", "x", "y", "xx", "xy", "yy"),
)
"""What, added up over trials, gives the truth that intervals should cover: wins, results, sessions,
their profit and its square, flow classes told and told right; events, and of their predicted (x)
and observed hedges (y) the sums, squares and products."""

VERDICT: Final[dict[str, type[pl.DataType]]] = {
    "verdict": pl.String,
    "source_verdict": pl.String,
    "coherent": pl.Boolean,
}
"""Columns of what was decided, of any strategy."""

FIGURES: Final[dict[str, type[pl.DataType]]] = {
    **VERDICT,
    "trades": pl.Int64,
    "sessions_per_year": pl.Float64,
    "barrier_rate": pl.Float64,
    **{f"gate:{gate.id}": pl.String for gate in GATES},
    **{f"p:{test.name}": pl.Float64 for test in TESTS},
    **{f"{end}:{name}": pl.Float64 for name in INTERVALS for end in ("value", "lower", "upper")},
    **{f"sum:{name}": pl.Float64 for name in SUMS},
}
"""Columns of a trial's figures."""


def figures_of_market(scenario: Scenario) -> Row:
    """Simulate a market, judge the claim on it, and return the trial's figures."""
    return figures_of(judged_in_memory(scenario, config_of(scenario)), scenario.seed)


def figures_of(validation: Validation, seed: int) -> Row:
    """Return one trial's figures as a row of the results table.

    Parameters
    ----------
    validation : Validation
    seed : int
        Of the market; the relabelling follows from it.
    """
    evidence, tables = validation.evidence, validation.tables
    overall = evidence.performance.overall
    row = verdict_figures(evidence) | {
        "trades": overall.trades,
        "sessions_per_year": tables.sessions_per_year,
        "barrier_rate": overall.barrier_implied_win_rate.value,
    }
    row |= {f"p:{name}": value for name, value in _p_values(validation, seed).items()}
    for name, estimate_of in INTERVALS.items():
        row |= estimate_figures(name, estimate_of(evidence))
    return row | {f"sum:{name}": value for name, value in _sums(validation).items()}


def verdict_figures(evidence: Evidence) -> Row:
    """Return what was decided, of any strategy: verdicts, coherence and gates."""
    row: Row = {
        "verdict": str(evidence.decision.verdict),
        "source_verdict": str(evidence.decision.source_verdict),
        "coherent": evidence.coherence.coherent,
    }
    return row | {f"gate:{gate.id}": str(gate.status) for gate in evidence.gates}


def estimate_figures(name: str, estimate: Estimate) -> Row:
    """Return a figure and the ends of its interval."""
    return {
        f"value:{name}": estimate.value,
        f"lower:{name}": estimate.lower,
        f"upper:{name}": estimate.upper,
    }


def _p_values(validation: Validation, seed: int) -> dict[str, float | None]:
    evidence = validation.evidence
    found = evidence.significance
    anew = _relabelled(validation.tables, seed)
    trades = trade_arrays(anew)
    classes = differences(anew, trades, (SWEEP, EMERGENCY), seed=seed)
    relabelled = [each.p_value for each in classes]
    known = [value for value in relabelled if value is not None]
    entries, directions, sessions = found.nulls
    luck = evidence.deflated.deflated.value
    return {
        "mean": found.p_value.value,
        "mean-entries": entries.p_value,
        "mean-directions": directions.p_value,
        "mean-sessions": sessions.p_value,
        "win-rate": found.p_value_win_rate.value,
        "win-rate-entries": entries.p_value_win_rate,
        "win-rate-directions": directions.p_value_win_rate,
        "win-rate-sessions": sessions.p_value_win_rate,
        "binomial-half": found.binomial_p_value_half.value,
        "binomial-barrier": found.binomial_p_value_barrier.value,
        "sharpe": None if luck is None else 1.0 - luck,
        "flow-slope": evidence.flow.p_value.value,
        "flow-correlation": evidence.flow.correlation_p_value.value,
        "price-move": evidence.prices.p_value_move.value,
        "acceleration": evidence.prices.acceleration_p_value.value,
        "classes-win-rate": relabelled[0],
        "classes-move": relabelled[1],
        "classes-response": relabelled[2],
        "classes-holm": min(holm(known)) if known else None,
        "latency-trend": latency(trades, anew.latency_limit_seconds).trend_p_value.value,
    }


def _relabelled(tables: EvidenceTables, seed: int) -> EvidenceTables:
    """Return tables whose classes and ages mean nothing, which some tests' nulls ask for."""
    rng = np.random.default_rng([seed, _LABELS])

    def dealt(frame: pl.DataFrame) -> pl.DataFrame:
        halves = np.where(np.arange(frame.height) % 2, SWEEP, EMERGENCY)
        return frame.with_columns(flow_class=pl.Series(rng.permutation(halves), dtype=pl.String))

    ages = rng.uniform(0.0, _LONGEST_AGE_SECONDS, tables.trades.height)
    trades = dealt(tables.trades).with_columns(age_seconds=pl.Series(ages))
    flow = None if tables.flow is None else dealt(tables.flow)
    return replace(tables, trades=trades, flow=flow)


def _sums(validation: Validation) -> dict[str, float | None]:
    evidence, tables = validation.evidence, validation.tables
    trades = trade_arrays(tables)
    daily = np.bincount(trades.session, weights=trades.net_usd, minlength=len(tables.sessions))
    accuracy = evidence.accuracy.flow_class
    values = [
        trades.wins,
        trades.net_bps.sum(),
        trades.net_points.sum(),
        len(tables.sessions),
        daily.sum(),
        (daily**2).sum(),
        accuracy.n,
        accuracy.n * (accuracy.value or 0.0),
    ]
    if tables.flow is not None:
        x, y = (tables.flow[name].to_numpy() for name in ("predicted", "observed"))
        values += [x.size, x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum()]
    known = dict(zip(SUMS, (float(value) for value in values), strict=False))
    return {name: known.get(name) for name in SUMS}
