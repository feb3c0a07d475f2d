"""Holm's adjustment over the tests of one family."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.evidence.differences import holm


def test_three_p_values_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


@settings(max_examples=10)  # each call of the peer collects garbage
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_agrees_with_statsmodels(p_values):
    from statsmodels.stats.multitest import multipletests

    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_no_tests_need_no_adjustment():
    assert holm([]) == []
