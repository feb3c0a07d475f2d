"""Paging: whatever part of a range an answer holds, the whole of it is found, once."""

from __future__ import annotations

from hypothesis import given, strategies

from hedgeflow.sources.ccxt_history.pages import Row, rows_between, rows_by_offset

STEP = 10
STAMPS = strategies.sets(strategies.integers(0, 60), max_size=60).map(
    lambda numbers: [number * STEP for number in sorted(numbers)]
)


def rows_of(stamps):
    return [Row(stamp, (float(stamp),)) for stamp in stamps]


@given(
    STAMPS,
    strategies.integers(1, 7),
    strategies.booleans(),
    strategies.booleans(),
    strategies.integers(1, 9),
    strategies.integers(0, 59),
    strategies.integers(1, 61),
)
def test_every_row_of_a_range_is_found_once(
    stamps, largest_page, newest, beyond, page_steps, first, length
):
    def ask(start, end):
        there = [each for each in stamps if start <= each and (beyond or each < end)]
        there = [each for each in there if each < end] if newest else there
        return rows_of(there[-largest_page:] if newest else there[:largest_page])

    start, end = first * STEP, (first + length) * STEP
    found = rows_between(ask, start, end, step_ms=STEP, page_ms=page_steps * STEP)
    assert found == rows_of(each for each in stamps if start <= each < end)


def test_a_full_range_costs_no_question_more_than_its_pages():
    asked = []

    def ask(start, end):
        asked.append((start, end))
        return rows_of(range(start, end, STEP))

    assert len(rows_between(ask, 0, 1_000, step_ms=STEP, page_ms=300)) == 100
    assert asked == [(0, 300), (300, 600), (600, 900), (900, 1_000)]


def test_an_answer_about_another_time_is_not_taken():
    newest = rows_of([5_000, 5_010])
    assert rows_between(lambda *_: newest, 0, 1_000, step_ms=STEP, page_ms=1_000) == []


@given(STAMPS, strategies.integers(1, 9), strategies.integers(0, 600), strategies.integers(1, 600))
def test_a_list_from_the_newest_is_read_down_to_the_range(stamps, page_rows, start, length):
    newest_first = rows_of(reversed(stamps))
    asked = []

    def ask(offset):
        asked.append(offset)
        return newest_first[offset : offset + page_rows]

    found = rows_by_offset(ask, start, start + length)
    assert found == rows_of(each for each in stamps if start <= each < start + length)
    older = sum(each <= start for each in stamps)
    assert (len(asked) - 2) * page_rows <= len(stamps) - older


def test_an_offset_that_is_not_obeyed_ends_the_reading():
    newest = rows_of([40, 30])
    assert rows_by_offset(lambda _: newest, 0, 100) == rows_of([30, 40])
