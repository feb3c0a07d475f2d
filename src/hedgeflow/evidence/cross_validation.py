"""What may be fitted on and what it is judged by: folds whose times never overlap.

An observation begins when it is decided on and ends when its outcome is known, both included. One
whose time overlaps a test's knows part of the answer and is purged from training; one that begins
soon after a test still feels it, and is kept out by the embargo (M. López de Prado, *Advances in
Financial Machine Learning*, Wiley 2018, chapters 7 and 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.evidence.estimates import BoolArray, FloatArray, IntArray
from hedgeflow.market.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Observations to fit on, and others to judge by.

    Attributes
    ----------
    train, test : ndarray of int
        Indices of observations, ascending.
    """

    train: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class CombinatorialFolds:
    """Folds in which every choice of some groups is the test once.

    Attributes
    ----------
    groups : tuple of ndarray
        Observations of each group, in the order of time.
    tested : tuple of tuple of int
        Groups that each fold tests.
    folds : tuple of Fold
    paths : tuple of tuple of int
        Each path names, for each group, the fold whose result it takes there: a whole record that
        is out of sample throughout.
    """

    groups: tuple[IntArray, ...]
    tested: tuple[tuple[int, ...], ...]
    folds: tuple[Fold, ...]
    paths: tuple[tuple[int, ...], ...]


def walk_forward_sessions(
    sessions: int, *, train: int, test: int, anchored: bool = False
) -> tuple[Fold, ...]:
    """Return folds of whole sessions, each trained on what came just before it.

    Parameters
    ----------
    sessions : int
        How many there are, in the order of time.
    train, test : int
        Sessions of a fold. The last fold tests what is left, so that every session after the first
        training is tested once.
    anchored : bool
        Train on everything before the test, not on the last `train` sessions only.

    Raises
    ------
    DataError
        `train` or `test` is below 1, or there are too few sessions for one fold.
    """
    for name, value in (("train", train), ("test", test)):
        _at_least(name, value, 1)
    if sessions < train + test:
        raise DataError(
            f"a fold needs {train} + {test} sessions, there are {sessions}",
            hint="Train or test on fewer sessions, or bring more data",
        )
    return tuple(
        Fold(
            np.arange(0 if anchored else first - train, first, dtype=np.int64),
            np.arange(first, min(first + test, sessions), dtype=np.int64),
        )
        for first in range(train, sessions, test)
    )


def walk_forward(
    starts: IntArray,
    ends: IntArray,
    *,
    train: int,
    test: int,
    anchored: bool = True,
    embargo: int = 0,
) -> tuple[Fold, ...]:
    """Return folds of observations, each trained on some that were over before it began.

    Look-ahead: every outcome trained on was known more than `embargo` before the test's first
    start.

    Parameters
    ----------
    starts, ends : ndarray of int, shape (n,)
        When each observation begins and when its outcome is known, UTC nanoseconds or any unit.
    train, test : int
        Observations before the first test, and in each test; the last test takes what is left.
    anchored : bool
        Train on all that came before, not on the last `train` that are not purged.
    embargo : int
        Time that must lie between the end of training and the test.

    Raises
    ------
    DataError
        As `purged_folds`; or `train` or `test` is below 1, or there are too few observations.
    """
    order = _ordered(starts, ends, embargo)
    for name, value in (("train", train), ("test", test)):
        _at_least(name, value, 1)
    if order.size <= train:
        raise DataError(
            f"a fold needs more than {train} observations, there are {order.size}",
            hint="Train on fewer observations, or bring more data",
        )
    folds: list[Fold] = []
    for first in range(train, order.size, test):
        tested, before = order[first : first + test], order[:first]
        known = before[ends[before] < starts[tested].min() - embargo]
        folds.append(Fold(np.sort(known if anchored else known[-train:]), np.sort(tested)))
    return tuple(folds)


def purged_folds(
    starts: IntArray, ends: IntArray, *, folds: int, embargo: int = 0
) -> tuple[Fold, ...]:
    """Return K folds in the order of time, purged and with an embargo after each test.

    Parameters
    ----------
    starts, ends : ndarray of int, shape (n,)
        When each observation begins and when its outcome is known, UTC nanoseconds or any unit.
    folds : int
        At least 2.
    embargo : int
        Time after the last outcome of a test in which nothing that is trained on may begin.

    Raises
    ------
    DataError
        Starts and ends are not of one length, an observation ends before it begins, the embargo is
        negative, or there are fewer observations than folds.

    References
    ----------
    López de Prado (2018), sections 7.4.1 and 7.4.2, snippets 7.1 to 7.3.
    """
    groups = _groups(starts, ends, folds, embargo)
    every = np.arange(starts.size, dtype=np.int64)
    return tuple(
        Fold(every[~_too_near(starts, ends, [group], embargo)], np.sort(group)) for group in groups
    )


def combinatorial_folds(
    starts: IntArray, ends: IntArray, *, groups: int, tested: int, embargo: int = 0
) -> CombinatorialFolds:
    """Return combinatorial purged folds and the paths that they make.

    Every choice of `tested` of the groups is the test of one fold, C(groups, tested) in all; each
    group is tested C(groups - 1, tested - 1) times, which is the number of paths.

    Parameters
    ----------
    starts, ends : ndarray of int, shape (n,)
    groups : int
        At least 2.
    tested : int
        At least 1 and fewer than `groups`.
    embargo : int
        As `purged_folds`; after each tested group.

    Raises
    ------
    DataError
        As `purged_folds`, or `tested` is out of range.

    References
    ----------
    López de Prado (2018), section 12.4.
    """
    parts = _groups(starts, ends, groups, embargo)
    if not 1 <= tested < groups:
        raise DataError(f"of {groups} groups 1 to {groups - 1} can be tested, not {tested}")
    chosen = tuple(combinations(range(groups), tested))
    every = np.arange(starts.size, dtype=np.int64)
    folds = tuple(
        Fold(
            every[~_too_near(starts, ends, [parts[group] for group in choice], embargo)],
            np.sort(np.concatenate([parts[group] for group in choice])),
        )
        for choice in chosen
    )
    testing = [
        [fold for fold, choice in enumerate(chosen) if group in choice] for group in range(groups)
    ]
    paths = tuple(zip(*testing, strict=True))
    return CombinatorialFolds(parts, chosen, folds, paths)


def held_out(
    folds: Sequence[Fold], size: int, predict: Callable[[IntArray, IntArray], FloatArray]
) -> FloatArray:
    """Return a prediction of each observation by a fit that has not seen it.

    Parameters
    ----------
    folds : sequence of Fold
        Each observation is tested once at most.
    size : int
        Observations in all.
    predict : callable
        Given indices to fit on and indices to predict, returns the predictions; NaN where it can
        make none.

    Returns
    -------
    ndarray, shape (size,)
        NaN where no fold tests an observation.
    """
    predicted = np.full(size, np.nan)
    for fold in folds:
        predicted[fold.test] = predict(fold.train, fold.test)
    return predicted


def out_of_sample_r_squared(
    observed: FloatArray, predicted: FloatArray, benchmark: FloatArray
) -> float | None:
    """Return 1 - (squared errors of the predictions) / (squared errors of a benchmark).

    Below zero, the benchmark was the better guess. None where nothing was predicted, or the
    benchmark makes no error.

    Parameters
    ----------
    observed, predicted, benchmark : ndarray, shape (n,)
        NaN in a prediction leaves the observation out of both sums. The benchmark is usually the
        mean of what was trained on, held out like the predictions.

    References
    ----------
    J. Y. Campbell and S. B. Thompson, *Review of Financial Studies* 21 (2008) 1509–1531,
    equation 1.
    """
    known: BoolArray = np.isfinite(predicted) & np.isfinite(benchmark)
    baseline = float(((observed[known] - benchmark[known]) ** 2).sum())
    if baseline <= 0.0:
        return None
    return 1.0 - float(((observed[known] - predicted[known]) ** 2).sum()) / baseline


def _groups(starts: IntArray, ends: IntArray, count: int, embargo: int) -> tuple[IntArray, ...]:
    order = _ordered(starts, ends, embargo)
    _at_least("folds", count, 2)
    if order.size < count:
        raise DataError(
            f"{count} folds need as many observations, there are {order.size}",
            hint="Use fewer folds, or bring more data",
        )
    return tuple(np.array_split(order, count))


def _too_near(
    starts: IntArray, ends: IntArray, tests: Sequence[IntArray], embargo: int
) -> BoolArray:
    """Return which observations overlap a test, or begin in the embargo after it."""
    near = np.zeros(starts.size, np.bool_)
    for test in tests:
        near |= (ends >= starts[test].min()) & (starts <= ends[test].max() + embargo)
    return near


def _ordered(starts: IntArray, ends: IntArray, embargo: int) -> IntArray:
    if starts.shape != ends.shape or starts.ndim != 1:
        raise DataError(f"there are {starts.size} starts and {ends.size} ends")
    if bool((ends < starts).any()):
        first = int(np.flatnonzero(ends < starts)[0])
        raise DataError(f"observation {first} ends before it begins")
    _at_least("the embargo", embargo, 0)
    return np.argsort(starts, kind="stable").astype(np.int64)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise DataError(f"{name} must be at least {least}, was {value}")
