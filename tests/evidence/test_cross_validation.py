"""Folds whose times never overlap, against a slow reference and López de Prado's counts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.evidence.cross_validation import (
    combinatorial_folds,
    held_out,
    out_of_sample_r_squared,
    purged_folds,
    walk_forward,
    walk_forward_sessions,
)
from hedgeflow.market.errors import DataError


@st.composite
def observations(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.integers(6, 40))
    starts = draw(st.lists(st.integers(0, 300), min_size=count, max_size=count))
    lengths = draw(st.lists(st.integers(0, 30), min_size=count, max_size=count))
    begun = np.array(starts, np.int64)
    return begun, begun + np.array(lengths, np.int64)


def touches(first: tuple[int, int], second: tuple[int, int], embargo: int) -> bool:
    """Return whether some instant of `first` is in `second` or in the embargo after it."""
    instants = set(range(first[0], first[1] + 1))
    if instants & set(range(second[0], second[1] + 1)):
        return True
    return first[0] in range(second[1] + 1, second[1] + embargo + 1)


@given(observations(), st.integers(2, 6), st.integers(0, 20))
def test_no_training_label_overlaps_a_test_or_begins_in_its_embargo(
    labels: tuple[np.ndarray, np.ndarray], folds: int, embargo: int
) -> None:
    starts, ends = labels
    for fold in purged_folds(starts, ends, folds=folds, embargo=embargo):
        for one in fold.train:
            for other in fold.test:
                assert not touches((starts[one], ends[one]), (starts[other], ends[other]), embargo)


@given(observations(), st.integers(2, 6), st.integers(0, 20))
def test_purging_drops_exactly_what_a_slow_reference_drops(
    labels: tuple[np.ndarray, np.ndarray], folds: int, embargo: int
) -> None:
    starts, ends = labels
    for fold in purged_folds(starts, ends, folds=folds, embargo=embargo):
        tested = set(fold.test.tolist())
        span = (min(int(starts[i]) for i in tested), max(int(ends[i]) for i in tested))
        kept = [
            i
            for i in range(starts.size)
            if i not in tested and not touches((int(starts[i]), int(ends[i])), span, embargo)
        ]
        assert fold.train.tolist() == kept


@given(observations(), st.integers(2, 6))
def test_every_observation_is_tested_once(
    labels: tuple[np.ndarray, np.ndarray], folds: int
) -> None:
    tested = np.concatenate([fold.test for fold in purged_folds(*labels, folds=folds)])
    assert sorted(tested.tolist()) == list(range(labels[0].size))


@given(observations(), st.integers(1, 5), st.integers(1, 5), st.integers(0, 20), st.booleans())
def test_walking_forward_trains_only_on_outcomes_known_before_the_test(
    labels: tuple[np.ndarray, np.ndarray], train: int, test: int, embargo: int, anchored: bool
) -> None:
    starts, ends = labels
    folds = walk_forward(starts, ends, train=train, test=test, embargo=embargo, anchored=anchored)
    for fold in folds:
        begins = min(int(starts[i]) for i in fold.test)
        assert all(int(ends[i]) + embargo < begins for i in fold.train)
        assert anchored or fold.train.size <= train
    tested = np.concatenate([fold.test for fold in folds]).tolist()
    first = np.argsort(starts, kind="stable")[:train].tolist()
    assert sorted(tested + first) == list(range(starts.size))


@given(st.integers(1, 60), st.integers(1, 10), st.integers(1, 10), st.booleans())
def test_sessions_after_the_first_training_are_each_tested_once(
    extra: int, train: int, test: int, anchored: bool
) -> None:
    sessions = train + test + extra
    folds = walk_forward_sessions(sessions, train=train, test=test, anchored=anchored)
    assert np.concatenate([fold.test for fold in folds]).tolist() == list(range(train, sessions))
    for fold in folds:
        assert fold.train[-1] == fold.test[0] - 1
        assert fold.train.size == (fold.test[0] if anchored else train)


def test_six_groups_two_tested_make_fifteen_folds_and_five_paths() -> None:
    """López de Prado (2018), section 12.4: N = 6, k = 2 gives 15 splits and 5 paths."""
    starts = np.arange(0, 600, 10)
    found = combinatorial_folds(starts, starts + 5, groups=6, tested=2)
    assert (len(found.folds), len(found.paths)) == (15, 5)


@given(observations(), st.integers(2, 6), st.integers(1, 5), st.integers(0, 20))
def test_each_path_is_one_whole_record_out_of_sample(
    labels: tuple[np.ndarray, np.ndarray], groups: int, tested: int, embargo: int
) -> None:
    tested = min(tested, groups - 1)
    starts, ends = labels
    found = combinatorial_folds(starts, ends, groups=groups, tested=tested, embargo=embargo)
    assert len(found.folds) == math.comb(groups, tested)
    assert len(found.paths) == math.comb(groups - 1, tested - 1)
    used = [(group, fold) for path in found.paths for group, fold in enumerate(path)]
    assert len(set(used)) == len(used)  # no result of a group stands in two paths
    for group, fold in used:
        assert group in found.tested[fold]
        assert set(found.groups[group].tolist()) <= set(found.folds[fold].test.tolist())
    for fold in found.folds:
        for one in fold.train:
            for other in fold.test:
                assert not touches((starts[one], ends[one]), (starts[other], ends[other]), embargo)


def test_a_label_that_spans_a_whole_test_is_purged() -> None:
    starts, ends = np.array([0, 10, 20, 30]), np.array([100, 11, 21, 31])
    assert 0 not in purged_folds(starts, ends, folds=4)[2].train


def test_a_prediction_held_out_never_sees_its_own_fold() -> None:
    starts = np.arange(10)
    observed = np.arange(10.0)
    folds = purged_folds(starts, starts, folds=5)
    predicted = held_out(folds, 10, lambda train, test: np.full(test.size, observed[train].mean()))
    for fold in folds:
        others = [observed[i] for i in range(10) if i not in fold.test]
        assert predicted[fold.test] == pytest.approx(np.mean(others))


def test_what_no_fold_tests_is_not_predicted() -> None:
    starts = np.arange(10)
    folds = walk_forward(starts, starts, train=4, test=3)
    predicted = held_out(folds, 10, lambda _train, test: np.ones(test.size))
    assert np.isnan(predicted[:4]).all()
    assert (predicted[4:] == 1.0).all()


def test_r_squared_out_of_sample_is_of_errors_against_the_benchmark() -> None:
    observed = np.array([1.0, 2.0, 4.0, 9.0])
    predicted = np.array([1.5, 2.0, 3.0, np.nan])
    benchmark = np.array([2.0, 2.0, 2.0, 2.0])
    assert out_of_sample_r_squared(observed, predicted, benchmark) == pytest.approx(
        1.0 - (0.25 + 0.0 + 1.0) / (1.0 + 0.0 + 4.0)
    )


def test_a_perfect_benchmark_leaves_no_r_squared() -> None:
    observed = np.array([1.0, 2.0])
    assert out_of_sample_r_squared(observed, observed + 1.0, observed) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: walk_forward_sessions(24, train=20, test=5), "a fold needs 20 \\+ 5 sessions"),
        (lambda: walk_forward_sessions(24, train=0, test=5), "train must be at least 1, was 0"),
        (lambda: purged_folds(np.arange(3), np.arange(3), folds=4), "4 folds need as many"),
        (lambda: purged_folds(np.arange(3), np.arange(3), folds=1), "folds must be at least 2"),
        (lambda: purged_folds(np.arange(3), np.arange(2), folds=2), "3 starts and 2 ends"),
        (lambda: purged_folds(np.arange(3), np.arange(3) - 1, folds=2), "ends before it begins"),
        (
            lambda: purged_folds(np.arange(3), np.arange(3), folds=2, embargo=-1),
            "embargo must be at least 0",
        ),
        (lambda: walk_forward(np.arange(3), np.arange(3), train=3, test=1), "more than 3"),
        (
            lambda: combinatorial_folds(np.arange(6), np.arange(6), groups=3, tested=3),
            "of 3 groups 1 to 2",
        ),
    ],
)
def test_folds_that_cannot_be_made_are_refused_in_words(
    call: Callable[[], object], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        call()
