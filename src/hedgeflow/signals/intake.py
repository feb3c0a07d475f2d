"""The way into a scan: prints are signed and become entries of the window buffer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.signals.demand import sign_print, tick_sign, volatility_at_hand
from hedgeflow.signals.fold_arrays import Entries
from hedgeflow.signals.prints import CONDITIONS, PrintSlice
from hedgeflow.signals.rules import PrintRules, SigningRule

_ASSUMED = int(SigningRule.ASSUMED)


class IntakeRules(NamedTuple):
    """Which prints enter, and how they are signed.

    Attributes
    ----------
    assume_bought : bool
    without_legs : bool
        Legs of complex orders stay out.
    stays_out : ndarray of shape (conditions + 1,), bool
        By condition code; the last is for prints without a condition.
    institutional_lots : float
        A print of at least so many lots is institutional.
    """

    assume_bought: bool
    without_legs: bool
    stays_out: NDArray[np.bool_]
    institutional_lots: float


def intake_rules(rules: PrintRules, lot: float) -> IntakeRules:
    """Return the rules by which a scan takes prints in."""
    return IntakeRules(
        rules.assume_bought,
        rules.complex == "exclude",
        np.array([name in rules.exclude_conditions for name in (*CONDITIONS, None)]),
        rules.institutional_contracts / lot,
    )


@nb.njit(cache=True, error_model="numpy")
def take_in(
    prints: PrintSlice,
    session: int,
    rules: IntakeRules,
    memory: Any,
    entries: Entries,
    first: int,
    legs: NDArray[np.int64],
) -> tuple[int, int]:
    """Sign every print and write those that enter into the buffer from place `first` on.

    Parameters
    ----------
    prints : PrintSlice
    session : int
        The tick test starts anew with each.
    rules : IntakeRules
    memory : structured ndarray of shape (contracts,)
        `PRINT_STATE` of every contract, carried on; prints that stay out are remembered too.
    entries : Entries
        The window buffer, with room for all prints; demand stays unsettled.
    first : int
    legs : ndarray of shape (2, n), int64
        Filled with the places of legs of complex orders: in the slice, and in the buffer.

    Returns
    -------
    tuple of int
        The place behind the last entry, and the number of legs among them.
    """
    # Bound once: taking a column out of the tuple counts a reference, every time.
    ts, contract, price, lots, aggressor, iv, spot, bid, ask, combo, block, condition = prints
    to_ts, to_lots, to_contract, to_price = (
        entries.ts,
        entries.lots,
        entries.contract,
        entries.price,
    )
    to_spot, to_volatility, to_sign = entries.spot, entries.volatility, entries.sign
    to_rule, institutional, settled = entries.rule, entries.institutional, entries.settled
    stays_out = rules.stays_out
    place, leg_count = first, 0
    for i in range(ts.size):
        known = memory[contract[i]]
        is_leg = combo[i] >= 0 or block[i] >= 0
        ticked = tick_sign(known, price[i], session)
        if rules.assume_bought:
            sign, rule = 1, _ASSUMED
        else:
            sign, rule = sign_print(aggressor[i], price[i], bid[i], ask[i], ticked, is_leg)
        volatility = volatility_at_hand(known, iv[i])
        if stays_out[condition[i]] or (is_leg and rules.without_legs):
            continue
        if is_leg:
            legs[0, leg_count] = i
            legs[1, leg_count] = place
            leg_count += 1
        to_ts[place] = ts[i]
        to_lots[place] = lots[i]
        to_contract[place] = contract[i]
        to_price[place] = price[i]
        to_spot[place] = spot[i]
        to_volatility[place] = volatility
        to_sign[place] = sign
        to_rule[place] = rule
        institutional[place] = lots[i] >= rules.institutional_lots
        settled[place] = False
        place += 1
    return place, leg_count


@nb.njit(cache=True)
def close_gaps(entries: Entries, gaps: NDArray[np.int64], end: int) -> int:
    """Move entries up to `end` over the gaps, given ascending; return where they end then.

    Cells and windows are filled afterwards.
    """
    ts, lots, contract, price = entries.ts, entries.lots, entries.contract, entries.price
    spot, volatility, sign, rule = entries.spot, entries.volatility, entries.sign, entries.rule
    institutional, settled = entries.institutional, entries.settled
    demand, expected, variance = entries.demand, entries.expected, entries.variance
    if gaps.size == 0:
        return end
    to = gaps[0]
    for gap in range(gaps.size):
        stop = gaps[gap + 1] if gap + 1 < gaps.size else end
        for place in range(gaps[gap] + 1, stop):
            ts[to] = ts[place]
            lots[to] = lots[place]
            contract[to] = contract[place]
            price[to] = price[place]
            spot[to] = spot[place]
            volatility[to] = volatility[place]
            sign[to] = sign[place]
            rule[to] = rule[place]
            institutional[to] = institutional[place]
            settled[to] = settled[place]
            if settled[place]:
                demand[to] = demand[place]
                expected[to] = expected[place]
                variance[to] = variance[place]
            to += 1
    return to
