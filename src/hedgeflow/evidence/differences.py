"""Do two classes of trades differ: win rate, size of the move, response time; Holm over all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import Estimate, FloatArray, missing
from hedgeflow.evidence.plain import PART
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import Trades

PERMUTATIONS = 4_999
OBSERVED_MOVE = "observed_move_bps"
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """One quantity compared between the two classes.

    Attributes
    ----------
    quantity, test : str
        What is compared, and how.
    sweep, emergency : Estimate
        The quantity in the first and in the second class, whatever they are called.
    p_value, p_value_holm : float or None
        Two-sided, and adjusted over the quantities that could be tested.
    sample_size : int
        Observations in both classes together.
    reason : str
        Why there is no p-value.
    classes : tuple of str
        Names of the two classes; absent from packages that compared sweeps and emergencies before
        others were compared.
    """

    quantity: str
    test: str
    sweep: Estimate
    emergency: Estimate
    p_value: float | None
    p_value_holm: float | None
    sample_size: int
    reason: str
    classes: tuple[str, ...] | None = field(default=None, metadata=PART)


def differences(
    tables: EvidenceTables, trades: Trades, classes: tuple[str, str], *, seed: int
) -> tuple[Difference, ...]:
    """Compare two classes of trades.

    Parameters
    ----------
    tables : EvidenceTables
        For the observed response times and moves.
    trades : Trades
        All trades.
    classes : tuple of str
        Names of the first and of the second.
    seed : int
        Seed of the permutations.

    Notes
    -----
    Win rate by Fisher's exact test; move and response time by permutation of the difference in
    means; adjustment by S. Holm, *Scandinavian Journal of Statistics* 6 (1979) 65–70. The move is
    that of the price to the completion of each observed hedge, in its direction and in basis
    points; where no flow is signed, what trades captured of it before costs, in points.
    """
    first, second = (trades.of_class(label) for label in classes)
    found = (
        _win_rates(first, second),
        _moves(tables, (first, second), classes, seed),
        _permuted(
            "response_minutes",
            _observed(tables, classes[0], "observed_minutes"),
            _observed(tables, classes[1], "observed_minutes"),
            seed,
            "" if tables.flow is not None else tables.flow_untestable_reason,
        ),
    )
    return _holm(tuple(replace(each, classes=classes) for each in found))


def _win_rates(first: Trades, second: Trades) -> Difference:
    from scipy.stats import fisher_exact

    rates = win_rate(first.wins, first.count), win_rate(second.wins, second.count)
    size, test = first.count + second.count, "Fisher exact"
    if not first.count or not second.count:
        return Difference(
            "win_rate", test, *rates, None, None, size, "one of the classes has no trades"
        )
    losses = first.count - first.wins, second.count - second.wins
    table = np.array([[first.wins, losses[0]], [second.wins, losses[1]]])
    p_value = float(fisher_exact(table).pvalue)
    return Difference("win_rate", test, *rates, p_value, None, size, "")


def _moves(
    tables: EvidenceTables, trades: tuple[Trades, Trades], classes: tuple[str, str], seed: int
) -> Difference:
    if tables.flow is None or OBSERVED_MOVE not in tables.flow.columns:
        first, second = (each.gross_points for each in trades)
        return _permuted("captured_move_points", first, second, seed, "")
    first, second = (_observed(tables, name, OBSERVED_MOVE) for name in classes)
    return _permuted(OBSERVED_MOVE, first, second, seed, "")


def _observed(tables: EvidenceTables, flow_class: str, column: str) -> FloatArray:
    if tables.flow is None:
        return np.zeros(0)
    rows = tables.flow.filter(pl.col("flow_class") == flow_class)[column].drop_nulls()
    return rows.cast(pl.Float64).to_numpy().astype(np.float64)


def _permuted(
    quantity: str, first: FloatArray, second: FloatArray, seed: int, reason: str
) -> Difference:
    from scipy.stats import permutation_test

    test, size = "permutation of the difference in means", int(first.size + second.size)
    means = _mean(first, reason), _mean(second, reason)
    if min(first.size, second.size) < _FEWEST:
        why = reason or "one of the classes has fewer than two observations"
        return Difference(quantity, test, *means, None, None, size, why)

    def contrast(x: FloatArray, y: FloatArray, axis: int = -1) -> FloatArray:
        return x.mean(axis=axis) - y.mean(axis=axis)

    outcome = permutation_test(
        (first, second),
        contrast,
        vectorized=True,
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(seed),
    )
    return Difference(quantity, test, *means, float(outcome.pvalue), None, size, "")


def _mean(values: FloatArray, reason: str) -> Estimate:
    size = int(values.size)
    if size == 0:
        return missing(reason or "no observations")
    if size == 1:
        return Estimate(float(values[0]), n=1, method="mean", reason="one observation")
    half = 1.959963984540054 * float(values.std(ddof=1)) / math.sqrt(size)
    value = float(values.mean())
    return Estimate(value, value - half, value + half, size, "mean ± 1.96 standard errors")


def _holm(found: tuple[Difference, ...]) -> tuple[Difference, ...]:
    adjusted = iter(holm([item.p_value for item in found if item.p_value is not None]))
    return tuple(
        item if item.p_value is None else replace(item, p_value_holm=next(adjusted))
        for item in found
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's step-down rule, in the order given.

    Parameters
    ----------
    p_values : sequence of float
        Of all tests of one family.

    Notes
    -----
    Written out, since statsmodels' ``multipletests`` collects garbage on every call.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, row in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[row]))
        adjusted[row] = highest
    return adjusted
