"""Complex orders become one order at their lead leg; precise.md 9."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.signals.orders import Legs, net_orders, order_groups
from signals.tapes import at, config, found, scan_of, trade, usual


def groups_of(legs: list[tuple[int, int, int]]) -> list[int]:
    ts, combo, block = (np.array(column, np.int64) for column in zip(*legs, strict=True))
    return order_groups(ts, combo, block).tolist()


def test_legs_that_share_a_combo_id_and_a_stamp_are_one_order():
    assert groups_of([(1, 7, -1), (1, 8, -1), (1, 7, -1)]) == [0, 1, 0]


def test_legs_that_share_a_block_id_and_a_stamp_are_one_order():
    assert groups_of([(1, -1, 7), (1, -1, 8), (1, -1, 7)]) == [0, 1, 0]


def test_either_id_joins_through_a_third_leg():
    assert groups_of([(1, 7, -1), (1, 7, 3), (1, -1, 3)]) == [0, 0, 0]


def test_legs_of_different_stamps_never_join():
    assert groups_of([(1, 7, 3), (2, 7, 3)]) == [0, 1]


def test_a_combo_and_a_block_of_the_same_number_are_not_the_same_id():
    assert groups_of([(1, 7, -1), (1, -1, 7)]) == [0, 1]


IDS = st.integers(-1, 3)


@given(st.lists(st.tuples(st.integers(0, 1), IDS, IDS), min_size=1, max_size=14))
def test_orders_are_the_connected_components_of_shared_ids(legs):
    labels = list(range(len(legs)))
    for _ in legs:
        for a, (ts_a, *ids_a) in enumerate(legs):
            for b, (ts_b, *ids_b) in enumerate(legs):
                shares = any(x == y >= 0 for x, y in zip(ids_a, ids_b, strict=True))
                if ts_a == ts_b and shares:
                    labels[a] = labels[b] = min(labels[a], labels[b])
    assert groups_of(legs) == labels


def netted(
    legs: list[tuple[int, int, float]], demand: list[float] | None = None
) -> tuple[Legs, list[bool]]:
    """Net legs of one order given as (contract, lots, abs(delta)); ranks are contract numbers."""
    count = len(legs)
    contract = np.array([leg[0] for leg in legs], np.int32)
    lots = np.array([leg[1] for leg in legs], np.int64)
    unsigned = np.array([leg[1] * leg[2] for leg in legs])
    values = np.arange(1.0, count + 1) if demand is None else np.array(demand)
    order, keep = net_orders(
        Legs(contract, lots, values, values / 2, values**2),
        unsigned,
        np.zeros(count, np.int64),
        np.arange(10, dtype=np.int32),
    )
    return order, keep.tolist()


def test_the_order_stands_at_the_leg_with_the_largest_sum_of_lots_times_delta():
    order, keep = netted([(0, 100, 0.1), (1, 30, 0.5), (2, 10, 0.9)])
    assert keep == [False, True, False]
    assert order.lots[1] == 30


def test_a_contracts_legs_count_together_for_the_lead():
    order, keep = netted([(0, 10, 0.5), (1, 15, 0.5), (0, 10, 0.5)])
    assert keep == [True, False, False]
    assert order.lots[0] == 20


def test_a_tie_goes_to_more_lots():
    assert netted([(0, 10, 0.5), (1, 20, 0.25)])[1] == [False, True]


def test_a_second_tie_goes_to_the_contract_id():
    assert netted([(1, 10, 0.5), (0, 10, 0.5)])[1] == [False, True]


def test_an_order_without_any_delta_still_has_a_lead():
    assert netted([(1, 10, 0.0), (0, 20, 0.0)])[1] == [False, True]


def test_the_orders_demand_is_the_sum_of_its_legs():
    order, keep = netted([(0, 10, 0.9), (1, 20, 0.1), (2, 1, 0.1)], [5.0, -3.0, 0.5])
    assert order.demand[keep].tolist() == [2.5]
    assert order.expected[keep].tolist() == [1.25]
    assert order.variance[keep].tolist() == [25.0 + 9.0 + 0.25]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 50), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
        min_size=1,
        max_size=10,
    )
)
def test_the_lead_leg_is_that_of_a_plain_sort(legs):
    weight: dict[int, float] = defaultdict(float)
    lots: dict[int, int] = defaultdict(int)
    for contract, count, delta in legs:
        weight[contract] += count * delta
        lots[contract] += count
    lead = min(lots, key=lambda contract: (-weight[contract], -lots[contract], contract))
    order, keep = netted(legs)
    assert sum(keep) == 1
    place = keep.index(True)
    assert order.contract[place] == lead
    assert order.lots[place] == lots[lead]


SPREAD = [
    trade(at(10, minute=7), "CALL", 300, combo_id="spread"),
    trade(at(10, minute=7), "CALL2", 200, combo_id="spread", aggressor=-1),
]


def test_net_counts_an_order_towards_volume_once_with_the_demand_of_all_legs():
    output = found(scan_of(config(tape={"complex": "net"})), *SPREAD)
    assert output.anomalies["lots"].tolist() == [3_000]
    assert output.anomalies["demand"].tolist() == [300.0 - 200.0]


def test_include_counts_every_leg():
    output = found(scan_of(config(tape={"complex": "include"})), *SPREAD)
    assert output.anomalies["lots"].tolist() == [3_000, 2_000]
    assert output.anomalies["demand"].tolist() == [300.0, -200.0]


@pytest.mark.parametrize("identifier", ["combo_id", "block_id"])
def test_exclude_counts_no_leg(identifier):
    shock = trade(at(10, minute=7), "CALL", 300, **{identifier: "x"})
    assert found(scan_of(config(tape={"complex": "exclude"})), shock).anomalies.size == 0
    assert found(scan_of(config(tape={"complex": "include"})), shock).anomalies.size == 1


def test_legs_of_an_order_one_stamp_apart_stay_two_orders():
    apart = [SPREAD[0], SPREAD[1] | {"ts": at(10, minute=8)}]
    output = found(scan_of(config(tape={"complex": "net"})), *apart)
    assert output.anomalies["demand"].tolist() == [300.0, -200.0]


def test_the_other_legs_leave_history_and_baselines():
    """CALL2 trades for ten days, but only as the lesser leg: it has no history of its own."""
    past = [
        row | {"combo_id": f"order-{place}"}
        for place, row in enumerate(usual(50))
        for row in (row, row | {"contract": "CALL2", "lots": 100})
    ]
    shock = trade(at(10, minute=7), "CALL2", 150)
    net = found(scan_of(config(tape={"complex": "net"})), *past, shock)
    include = found(scan_of(config(tape={"complex": "include"})), *past, shock)
    assert net.anomalies["origin"].tolist() == []  # bucket baseline 50: 150 is 3 times
    assert include.anomalies["baseline_lots"].tolist() == [100.0]
    assert include.anomalies["ratio"].tolist() == [(1_500) / 100]


def test_conditions_that_are_left_out_leave_the_tape():
    shock = trade(at(10, minute=7), "CALL", 300, condition="cross")
    for conditions, anomalies in (((), 1), (("open",), 1), (("cross",), 0), (("roll", "cross"), 0)):
        output = found(scan_of(config(tape={"exclude_conditions": conditions})), shock)
        assert output.anomalies.size == anomalies


def test_an_order_whose_only_leg_left_in_stands_by_itself():
    rows = [SPREAD[0], SPREAD[1] | {"condition": "cross"}]
    output = found(scan_of(config(tape={"exclude_conditions": ("cross",)})), *rows)
    assert output.anomalies["demand"].tolist() == [300.0]
