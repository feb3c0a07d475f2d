"""A frame of prints as arrays, and the contracts that they name."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.errors import DataError
from hedgeflow.signals.prints import ContractBook, slice_of
from signals.tapes import DEEP, at, contracts_table, option, tape, trade


def test_values_that_a_tape_lacks_are_nan_and_ids_that_it_lacks_minus_one():
    prints = slice_of(tape(trade(at(), iv=None)), ContractBook(DEEP))
    for column in (prints.iv, prints.bid, prints.ask):
        assert np.isnan(column).all()
    assert prints.combo.tolist() == prints.block.tolist() == prints.condition.tolist() == [-1]


def test_conditions_are_open_cross_and_roll_and_any_other_is_none():
    names = ["open", "cross", "roll", None, "late"]
    rows = [trade(at(minute=place), condition=name) for place, name in enumerate(names)]
    assert slice_of(tape(*rows), ContractBook(DEEP)).condition.tolist() == [0, 1, 2, -1, -1]


@given(st.lists(st.sampled_from([None, "a", "b", "zz", "-1", ""]), min_size=1, max_size=12))
def test_ids_are_equal_as_numbers_exactly_where_they_are_equal_as_names(names):
    rows = [trade(at(minute=place), combo_id=name) for place, name in enumerate(names)]
    codes = slice_of(tape(*rows), ContractBook(DEEP)).combo.tolist()
    for a, name in enumerate(names):
        assert (codes[a] == -1) == (name is None)
        for b, other in enumerate(names):
            assert (codes[a] == codes[b]) == (name == other)


def test_a_tape_out_of_order_is_refused_at_the_row_that_goes_back():
    rows = pl.concat([tape(trade(at(minute=2))), tape(trade(at(minute=1)))])
    with pytest.raises(DataError, match="sorted by time, row 1 goes back"):
        slice_of(rows, ContractBook(DEEP))


def test_a_print_of_a_contract_without_terms_is_refused_by_name():
    with pytest.raises(DataError, match="a print of 'GHOST'"):
        slice_of(tape(trade(at(), "GHOST")), ContractBook(DEEP))


@pytest.mark.parametrize("change", [{"lot": 1.0}, {"inverse": True}])
def test_contracts_of_two_lots_or_kinds_are_refused(change):
    with pytest.raises(DataError, match="must share lot and inverse flag"):
        ContractBook(contracts_table(option("A"), option("B", **change)))


def test_contracts_are_numbered_as_they_appear_and_ranked_by_name():
    book = ContractBook(DEEP)
    slice_of(tape(trade(at(minute=1), "PUT"), trade(at(minute=2), "CALL")), book)
    assert book.symbols == ["PUT", "CALL"]
    assert book.alphabetical_rank().tolist() == [1, 0]
    assert book.right[:2].tolist() == [-1, 1]


def test_a_strike_id_is_one_for_each_expiry_and_strike():
    book = ContractBook(DEEP)
    book.indices(["CALL", "PUT-AT-CALL", "LATE", "CALL2"])
    ids = book.strike_id[:4].tolist()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_the_expiry_and_listing_are_exact_to_the_nanosecond():
    instant = 1_741_000_000_123_456_000
    book = ContractBook(contracts_table(option("A", expiry=instant, listed=instant - 1_000)))
    book.indices(["A"])
    assert book.expiry_ns[0] == instant
    assert book.listed_ns[0] == instant - 1_000
