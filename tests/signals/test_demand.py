"""Who bought, the delta of a print, and what both say about hedge demand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.market.time import DAY_NS, MINUTE_NS, YEAR_NS
from hedgeflow.signals import SigningRule
from hedgeflow.signals.demand import (
    DemandTerms,
    print_state,
    put_demands,
    sign_print,
    tick_sign,
)
from hedgeflow.signals.fold_state import empty_entries
from hedgeflow.signals.intake import intake_rules, take_in
from hedgeflow.signals.prints import PrintSlice
from hedgeflow.signals.rules import PrintRules
from hedgeflow.strategies.volume_shock.config import Signing
from hedgeflow.strategies.volume_shock.rules import _probabilities
from reference import slow_tape
from signals.tapes import DAY_ZERO, at

PROBABILITIES = np.array(_probabilities(Signing()))
NAN = float("nan")
SPOT, STRIKE = 100.0, 100.0
EXPIRY = DAY_ZERO + 30 * DAY_NS


def demand_of(
    rows: list[dict],
    *,
    right: int = 1,
    strike: float = STRIKE,
    multiplier: float = 1.0,
    lot: float = 1.0,
    assume_bought: bool = False,
    inverse: bool = False,
    premium_adjusted: bool = False,
    session: int = 0,
    memory: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Return what the kernel says of prints of one contract."""
    defaults = {
        "ts": at(), "price": 5.0, "lots": 1, "aggressor": 0, "iv": 0.5, "spot": SPOT,
        "bid": NAN, "ask": NAN, "is_leg": False,
    }  # fmt: skip
    full = [defaults | row for row in rows]
    types = {"ts": np.int64, "lots": np.int64, "aggressor": np.int8, "is_leg": np.bool_}
    column = {
        name: np.array([row[name] for row in full], types.get(name, np.float64))
        for name in defaults
    }
    nothing = np.full(len(rows), -1, np.int64)
    prints = PrintSlice(
        column["ts"], np.zeros(len(rows), np.int32), column["price"], column["lots"],
        column["aggressor"], column["iv"], column["spot"], column["bid"], column["ask"],
        np.where(column["is_leg"], 0, nothing), nothing, nothing.astype(np.int8),
    )  # fmt: skip
    rules = PrintRules(assume_bought, tuple(PROBABILITIES), "include", (), premium_adjusted, 100.0)
    terms = DemandTerms(
        np.array([right], np.int8), np.array([strike]), np.array([EXPIRY]),
        np.array([multiplier]), PROBABILITIES, lot, inverse, premium_adjusted,
    )  # fmt: skip
    entries, places = empty_entries(len(rows), 0), np.arange(len(rows))
    known = print_state(1) if memory is None else memory
    legs = np.empty((2, len(rows)), np.int64)
    take_in(prints, session, intake_rules(rules, lot), known, entries, 0, legs)
    weight = np.empty(len(rows))
    put_demands(entries, places, terms, weight)
    columns = {name: getattr(entries, name) for name in ("demand", "expected", "variance", "rule")}
    return columns | {"unsigned": weight}


@pytest.mark.parametrize(
    ("right", "side", "dealers"),
    [(1, 1, "BUY"), (1, -1, "SELL"), (-1, 1, "SELL"), (-1, -1, "BUY")],
    ids=["call bought", "call sold", "put bought", "put sold"],
)
def test_dealers_hedge_in_the_direction_of_the_customers_signed_delta(right, side, dealers):
    """Flaw A1: the source writes put exposure as minus volume times delta.

    That is right only for an unsigned put delta; with the signed delta of -0.5 it turns bought
    puts into a BUY. Deltas are signed here, from the option's own right, and never negated again.
    """
    demand = demand_of([{"aggressor": side}], right=right)["demand"][0]
    assert demand != 0
    assert ("BUY" if demand > 0 else "SELL") == dealers


def test_a_put_has_the_calls_delta_less_one():
    call = demand_of([{"aggressor": 1}], right=1)["demand"][0]
    put = demand_of([{"aggressor": 1}], right=-1)["demand"][0]
    assert 0.5 < call < 0.6
    assert put == pytest.approx(call - 1.0, abs=1e-15)


@pytest.mark.parametrize("side", [1, -1, 0])
@pytest.mark.parametrize("right", [1, -1])
def test_assume_bought_takes_every_print_as_bought(side, right):
    row = {"aggressor": side, "bid": 4.0, "ask": 10.0}
    assumed = demand_of([row], right=right, assume_bought=True)
    assert assumed["demand"][0] == demand_of([{"aggressor": 1}], right=right)["demand"][0]
    assert assumed["rule"][0] == SigningRule.ASSUMED
    assert assumed["expected"][0] == 0.0


def test_demand_is_sign_lots_delta_multiplier():
    one = demand_of([{"aggressor": -1}])["demand"][0]
    many = demand_of([{"aggressor": -1, "lots": 30}], multiplier=100.0, lot=0.1)["demand"][0]
    assert many == pytest.approx(one * 30 * 0.1 * 100.0, rel=1e-15)


@pytest.mark.parametrize(
    ("price", "bid", "ask", "expected"),
    [
        (5.1, 4.0, 6.0, (1, SigningRule.QUOTE)),
        (4.9, 4.0, 6.0, (-1, SigningRule.QUOTE)),
        (5.0, 4.0, 6.0, (-1, SigningRule.TICK)),
        (5.1, 6.0, 4.0, (-1, SigningRule.TICK)),
        (5.1, 0.0, 4.0, (-1, SigningRule.TICK)),
        (5.1, NAN, 4.0, (-1, SigningRule.TICK)),
        (5.1, 5.0, 5.0, (1, SigningRule.QUOTE)),
    ],
    ids=["above", "below", "at the middle", "crossed", "no bid", "unknown bid", "locked"],
)
def test_without_a_flag_the_quote_rule_signs_off_the_middle_and_the_tick_test_else(
    price, bid, ask, expected
):
    assert sign_print(0, price, bid, ask, -1, False) == expected


def test_an_aggressor_flag_outranks_quotes_ticks_and_legs():
    assert sign_print(-1, 5.9, 4.0, 6.0, 1, True) == (-1, SigningRule.AGGRESSOR)


def test_a_leg_without_a_flag_keeps_its_sign_under_the_complex_rule():
    assert sign_print(0, 5.9, 4.0, 6.0, -1, True) == (1, SigningRule.COMPLEX)
    assert sign_print(0, 5.0, NAN, NAN, -1, True) == (-1, SigningRule.COMPLEX)
    assert sign_print(0, 5.0, NAN, NAN, 0, True) == (0, SigningRule.NONE)


def test_the_probabilities_are_1_00_0_80_0_75_and_0_50():
    assert PROBABILITIES[SigningRule.AGGRESSOR] == 1.00
    assert PROBABILITIES[SigningRule.QUOTE] == 0.80
    assert PROBABILITIES[SigningRule.TICK] == 0.75
    assert PROBABILITIES[SigningRule.COMPLEX] == 0.50
    assert PROBABILITIES[SigningRule.NONE] == 0.50


@pytest.mark.parametrize(
    ("row", "probability"),
    [
        ({"aggressor": -1}, 1.00),
        ({"bid": 4.0, "ask": 5.5}, 0.80),
        ({"bid": 4.0, "ask": 5.5, "is_leg": True}, 0.50),
    ],
)
def test_the_expected_demand_and_its_variance_follow_from_the_signs_probability(row, probability):
    result = demand_of([row | {"lots": 7}])
    exposure = abs(result["demand"][0])
    sign = np.sign(result["demand"][0])
    assert result["expected"][0] == pytest.approx((2 * probability - 1) * sign * exposure)
    assert result["variance"][0] == pytest.approx(4 * probability * (1 - probability) * exposure**2)


def test_an_unsigned_print_has_no_demand_and_the_variance_of_one_half():
    result = demand_of([{"lots": 3}])
    assert result["demand"][0] == 0.0
    assert result["expected"][0] == 0.0
    assert result["variance"][0] == pytest.approx(result["unsigned"][0] ** 2)


def signs(prices: list[float], sessions: list[int] | None = None) -> list[int]:
    memory = print_state(1)
    return [
        tick_sign(memory[0], price, session)
        for price, session in zip(prices, sessions or [0] * len(prices), strict=True)
    ]


def test_the_tick_test_compares_with_the_previous_print_of_another_price():
    assert signs([5.0, 5.1, 5.1, 5.1, 5.0, 5.0, 5.2]) == [0, 1, 1, 1, -1, -1, 1]


def test_a_price_unchanged_since_the_first_print_has_no_sign():
    assert signs([5.0, 5.0, 5.0]) == [0, 0, 0]


def test_the_first_print_of_a_session_has_no_sign_and_the_one_before_is_forgotten():
    assert signs([5.0, 5.1, 9.0, 9.0, 8.0], [0, 0, 1, 1, 1]) == [0, 1, 0, 0, -1]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_tick_signs_are_those_of_a_search_backwards(prices):
    expected = []
    for place, price in enumerate(prices):
        others = [other for other in prices[:place] if other != price]
        moved = others and any(other != prices[0] for other in prices[: place + 1])
        expected.append(int(np.sign(price - others[-1])) if moved else 0)
    assert signs([float(price) for price in prices]) == expected


def slow_delta(right: int, iv: float, *, spot: float = SPOT) -> float:
    years = (EXPIRY - at()) / YEAR_NS
    return slow_tape.black_delta("C" if right > 0 else "P", spot, STRIKE, iv, years)


@pytest.mark.parametrize("right", [1, -1])
def test_the_prints_own_volatility_comes_first(right):
    result = demand_of([{"iv": 0.8, "aggressor": 1}, {"iv": 0.3, "aggressor": 1}], right=right)
    assert result["demand"] == pytest.approx([slow_delta(right, 0.8), slow_delta(right, 0.3)])


def test_without_its_own_a_print_takes_the_contracts_last_volatility():
    rows = [{"iv": 0.8, "aggressor": 1}, {"iv": NAN, "aggressor": 1, "price": 1e-3}]
    assert demand_of(rows)["demand"][1] == pytest.approx(slow_delta(1, 0.8))


def test_without_either_the_volatility_is_solved_from_the_price_and_not_remembered():
    years = (EXPIRY - at()) / YEAR_NS
    prices = [slow_tape.black_price("C", 105.0, STRIKE, iv, years) for iv in (0.4, 0.9)]
    rows = [{"iv": NAN, "aggressor": 1, "spot": 105.0, "price": price} for price in prices]
    expected = [slow_delta(1, iv, spot=105.0) for iv in (0.4, 0.9)]
    assert demand_of(rows)["demand"] == pytest.approx(expected, rel=1e-9)


def test_an_inverse_options_price_is_solved_in_coin():
    years = (EXPIRY - at()) / YEAR_NS
    price = slow_tape.black_price("C", 105.0, STRIKE, 0.4, years) / 105.0
    row = {"iv": NAN, "aggressor": 1, "spot": 105.0, "price": price}
    expected = slow_delta(1, 0.4, spot=105.0)
    assert demand_of([row], inverse=True)["demand"][0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("iv", [0.0, -0.1])
@pytest.mark.parametrize(
    ("spot", "call"), [(101.0, 1.0), (100.0, 0.5), (99.0, 0.0)], ids=["in", "at", "out"]
)
def test_a_given_volatility_of_zero_or_less_leaves_1_one_half_or_0_by_moneyness(iv, spot, call):
    row = {"iv": iv, "spot": spot, "aggressor": 1}
    assert demand_of([row], right=1)["demand"][0] == call
    assert demand_of([row], right=-1)["demand"][0] == call - 1.0


def test_a_price_at_intrinsic_value_leaves_the_delta_of_moneyness():
    row = {"iv": NAN, "spot": 120.0, "price": 20.0, "aggressor": 1}
    assert demand_of([row])["demand"][0] == 1.0


def test_an_expired_option_has_the_delta_of_moneyness():
    row = {"iv": 0.5, "spot": 120.0, "aggressor": 1, "ts": EXPIRY + MINUTE_NS}
    assert demand_of([row])["demand"][0] == 1.0


@pytest.mark.parametrize(("right", "moneyness"), [(1, 1.0), (-1, 0.0)])
def test_premium_adjusted_subtracts_the_premium_in_coin(right, moneyness):
    row = {"iv": 0.0, "spot": 120.0, "price": 0.06, "aggressor": 1}
    plain = demand_of([row], right=right, inverse=True)["demand"][0]
    adjusted = demand_of([row], right=right, inverse=True, premium_adjusted=True)["demand"][0]
    assert plain == moneyness
    assert adjusted == pytest.approx(moneyness - 0.06)


def test_premium_adjustment_leaves_options_paid_in_currency_alone():
    row = {"iv": 0.0, "spot": 120.0, "price": 25.0, "aggressor": 1}
    assert demand_of([row], premium_adjusted=True)["demand"][0] == 1.0
