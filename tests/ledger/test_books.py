"""Books that add up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.ledger import (
    Books,
    EntryKind,
    LedgerError,
    RoundTrip,
    SideCosts,
    attribution,
    equity_curve,
    equity_usd,
    ledger_frame,
)

NO_COSTS = SideCosts(0.0, 0.0, 0.0)


def a_trade(trade_id="t1", **changes):
    values = {
        "trade_id": trade_id,
        "instrument": "BTC-PERP",
        "direction": 1,
        "units": 2.0,
        "entry_ns": 100,
        "entry_price": 80_000.0,
        "exit_ns": 200,
        "exit_price": 80_100.0,
        "entry_costs": SideCosts(80.0, 8.0, 1.0),
        "exit_costs": SideCosts(80.1, 8.01, 0.0),
    }
    return RoundTrip(**(values | changes))


def test_a_trades_net_is_its_profit_less_fees_spread_and_slippage():
    books = Books(100_000.0, 0)
    assert books.post(a_trade()) == pytest.approx(200.0 - 160.1 - 16.01 - 1.0)
    parts = attribution(books.entries)
    assert parts[EntryKind.DEPOSIT] == 100_000.0
    assert parts[EntryKind.TRADE_PNL] == pytest.approx(200.0)
    assert parts[EntryKind.FEE] == pytest.approx(-160.1)
    assert parts[EntryKind.SPREAD] == pytest.approx(-16.01)
    assert parts[EntryKind.SLIPPAGE] == pytest.approx(-1.0)
    books.check()


def test_costs_are_booked_when_they_are_paid_and_zero_ones_are_not_booked():
    books = Books(1_000.0, 0)
    books.post(a_trade())
    booked = [(entry.at_ns, entry.kind) for entry in books.entries[1:]]
    assert booked == [
        (100, EntryKind.FEE),
        (100, EntryKind.SPREAD),
        (100, EntryKind.SLIPPAGE),
        (200, EntryKind.TRADE_PNL),
        (200, EntryKind.FEE),
        (200, EntryKind.SPREAD),
    ]


def test_every_entry_has_an_id_of_its_own_and_a_sentence():
    books = Books(1_000.0, 0)
    for name in ("t1", "t2"):
        books.post(a_trade(name))
    assert len({entry.entry_id for entry in books.entries}) == len(books.entries)
    assert all(entry.sentence.endswith(".") for entry in books.entries)


def test_the_equity_curve_adds_up_every_instant():
    books = Books(1_000.0, 0)
    books.post(a_trade(entry_costs=SideCosts(10.0, 5.0, 0.0), exit_costs=NO_COSTS))
    curve = equity_curve(ledger_frame(books.entries))
    assert curve["at_ns"].to_list() == [0, 100, 200]
    assert curve["equity_usd"].to_list() == pytest.approx([1_000.0, 985.0, 1_185.0])


def test_equity_counts_only_what_has_happened():
    books = Books(1_000.0, 0)
    books.post(a_trade(entry_costs=SideCosts(10.0, 5.0, 0.0), exit_costs=NO_COSTS))
    assert equity_usd(books.entries, at_ns=199) == 985.0
    assert equity_usd(books.entries) == 1_185.0


def test_costs_that_are_no_number_break_the_books_aloud():
    books = Books(1_000.0, 0)
    with pytest.raises(LedgerError, match="entries explain"):
        books.post(a_trade(exit_costs=SideCosts(math.nan, 0.0, 0.0)))


def test_an_entry_added_behind_the_books_back_is_found():
    books = Books(1_000.0, 0)
    books.post(a_trade())
    books._entries.pop()
    with pytest.raises(LedgerError, match="equity"):
        books.check()


money = st.floats(0.0, 1e4)
sides = st.builds(SideCosts, money, money, money)
trades = st.lists(
    st.builds(
        dict,
        direction=st.sampled_from([1, -1]),
        units=st.floats(1e-3, 1e4),
        entry_price=st.floats(1e-2, 1e6),
        exit_price=st.floats(1e-2, 1e6),
        entry_ns=st.integers(0, 1_000),
        exit_ns=st.integers(1_000, 2_000),
        entry_costs=sides,
        exit_costs=sides,
    ),
    max_size=20,
)


@given(trades)
def test_equity_is_the_deposit_plus_every_net_profit(values):
    books = Books(1e6, 0)
    nets = [books.post(a_trade(f"t{i}", **value)) for i, value in enumerate(values)]
    books.check()
    scale = 1.0 + sum(v["units"] * (v["entry_price"] + v["exit_price"]) for v in values)
    assert abs(equity_usd(books.entries) - (1e6 + math.fsum(nets))) <= 1e-9 * scale
    last = equity_curve(ledger_frame(books.entries))["equity_usd"][-1]
    assert abs(last - equity_usd(books.entries)) <= 1e-9 * scale


def test_two_parts_of_one_trade_have_entries_of_their_own_under_its_name():
    books = Books(100_000.0, 0)
    net = books.post(a_trade()) + books.post(a_trade(part="addition", entry_price=80_050.0))
    entries = books.entries[1:]
    assert {entry.trade_id for entry in entries} == {"t1"}
    assert len({entry.entry_id for entry in entries}) == len(entries)
    assert entries[-1].entry_id == "t1:addition:exit:SPREAD"
    assert equity_usd(books.entries) == pytest.approx(100_000.0 + net)
    books.check()
