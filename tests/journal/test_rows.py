from __future__ import annotations

import hashlib
import math
import struct

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.journal import JournalError, columns
from hedgeflow.journal.rows import content_hash, row_frame


def test_columns_are_those_of_the_table_without_the_run():
    assert columns("decisions") == (
        "alert_id",
        "decided_ns",
        "kind",
        "reason_code",
        "sentence",
        "plan_json",
    )


@pytest.mark.parametrize("name", ["runs", "trials", "seals", "orders"])
def test_only_row_tables_have_columns_to_fill(name):
    with pytest.raises(
        JournalError, match="Rows go to anomalies, alerts, decisions, trades, ledger_entries"
    ):
        columns(name)


def test_mappings_and_frames_make_the_same_rows(alert):
    rows = [alert(0), alert(1, contract=None)]
    frame = pl.DataFrame(rows).select(reversed(columns("alerts")))
    assert row_frame("alerts", "r", rows).equals(row_frame("alerts", "r", frame))


@pytest.mark.parametrize("as_frame", [False, True])
def test_a_missing_and_an_unknown_column_are_named(skip, as_frame):
    row = skip(0)
    del row["kind"]
    rows = [skip(1), row | {"sort": "skip"}]
    with pytest.raises(JournalError, match="lacks kind and has unknown sort") as caught:
        row_frame("decisions", "r", pl.DataFrame(rows[1:]) if as_frame else rows)
    assert caught.value.exit_code == 7
    assert caught.value.where == ("decisions" if as_frame else "decisions row 1")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pressure": math.nan}, "alerts.pressure: row 0 is nan. Unknown is null"),
        ({"demand": -math.inf}, "alerts.demand: row 0 is -inf"),
        ({"pressure": None}, "alerts.pressure: row 0 is null"),
        ({"pressure": "high"}, "alerts.pressure: unexpected value"),
        ({"strikes": 2.5}, "alerts.strikes: unexpected value"),
        ({"triggered_ns": 2**63}, "alerts.triggered_ns: unexpected value"),
        ({"tier": "a\0b"}, "alerts.tier: row 0 has a NUL character. PostgreSQL cannot hold it"),
        ({"sentence": " "}, "alerts.sentence: row 0 is ' '. Say why in one sentence"),
        ({"sentence": "One.\nTwo."}, "alerts.sentence: row 0 is"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(alert, changes, says):
    with pytest.raises(JournalError) as caught:
        row_frame("alerts", "r", [alert(0, **changes)])
    assert str(caught.value).startswith(says)


def test_a_small_integer_must_fit(trade):
    with pytest.raises(JournalError, match=r"trades\.direction: row 1 is 32768\. It must fit 16"):
        row_frame("trades", "r", [trade(0, direction=-32768), trade(1, direction=32768)])


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Boolean, pl.Datetime("us", "UTC"), pl.UInt64])
def test_a_frame_is_never_narrowed_to_fit(entry, dtype):
    frame = pl.DataFrame([entry(0, None, at_ns=1)]).with_columns(pl.col("at_ns").cast(dtype))
    with pytest.raises(JournalError, match=r"ledger_entries\.at_ns: is .*It must be Int64"):
        row_frame("ledger_entries", "r", frame)


def test_tape_instants_are_taken_as_nanoseconds(entry):
    frame = pl.DataFrame([entry(0, None)])
    stamped = frame.with_columns(pl.col("at_ns").cast(pl.Datetime("ns", "UTC")))
    assert row_frame("ledger_entries", "r", stamped).equals(row_frame("ledger_entries", "r", frame))


def test_two_rows_of_one_key_are_refused(alert):
    with pytest.raises(JournalError, match="two rows have one key"):
        row_frame("alerts", "r", [alert(1), alert(1, pressure=9.0)])


def test_rows_of_another_run_are_refused(skip):
    with pytest.raises(JournalError, match="rows name another run than r"):
        row_frame("decisions", "r", [skip(0) | {"run_id": "s"}])


@pytest.mark.parametrize("rows", [[], pl.DataFrame(schema=list(columns("trades")))])
def test_no_rows_are_rows_too(rows):
    assert row_frame("trades", "r", rows).height == 0


TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=4)
ROWS = st.lists(
    st.tuples(TEXT, st.floats(allow_nan=False, allow_infinity=False)),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row[0],
)


def _entries(rows):
    frame = pl.DataFrame(
        rows, schema={"entry_id": pl.String, "amount_usd": pl.Float64}, orient="row"
    )
    return frame.with_columns(trade_id=None, at_ns=1, kind=pl.lit("fee"), sentence=pl.lit("Paid."))


def _hash(rows):
    return content_hash("ledger_entries", row_frame("ledger_entries", "r", _entries(rows)))


@settings(max_examples=50, deadline=None)
@given(ROWS, st.randoms())
def test_the_hash_of_rows_does_not_depend_on_their_order(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert _hash(rows) == _hash(shuffled)


@settings(max_examples=50, deadline=None)
@given(ROWS, st.data())
def test_the_hash_of_rows_changes_with_any_amount(rows, data):
    number = data.draw(st.integers(0, len(rows) - 1))
    name, amount = rows[number]
    changed = [*rows[:number], (name, math.nextafter(amount, 1e300)), *rows[number + 1 :]]
    unequal = changed[number][1] != amount
    assert (_hash(rows) != _hash(changed)) == unequal


def test_the_hash_tells_null_from_zero_and_one_text_from_two(entry):
    variants = [
        [entry(0, None, kind="ab", sentence="c")],
        [entry(0, None, kind="a", sentence="bc")],
        [entry(0, None, kind="ab", sentence="c", trade_id="")],
        [entry(0, None, kind="ab", sentence="c"), entry(1, None)],
    ]
    frames = [row_frame("ledger_entries", "r", rows) for rows in variants]
    assert len({content_hash("ledger_entries", frame) for frame in frames}) == 4


def test_the_hash_is_of_nulls_then_values_column_by_column(entry):
    rows = [entry(1, None, amount_usd=-0.5), entry(0, 3, kind="Gebühr")]
    expected = b"ledger_entries:2"
    for column in ("run_id", *columns("ledger_entries")):
        values = ["r", "r"] if column == "run_id" else [rows[1][column], rows[0][column]]
        expected += f"|{column}|".encode() + bytes(value is None for value in values)
        if column in {"at_ns", "amount_usd"}:
            expected += struct.pack("<2q" if column == "at_ns" else "<2d", *values)
        else:
            texts = [(value or "").encode() for value in values]
            expected += struct.pack("<2q", *map(len, texts)) + b"".join(texts)
    found = content_hash("ledger_entries", row_frame("ledger_entries", "r", rows))
    assert found == hashlib.sha256(expected).hexdigest()
