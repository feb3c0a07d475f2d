"""The tests whose levels are measured can be told apart on the page."""

from __future__ import annotations

from hedgeflow.studies.judge.figures import TESTS


def test_no_two_tests_have_one_title():
    titles = [each.title for each in TESTS]
    assert len(set(titles)) == len(titles)
