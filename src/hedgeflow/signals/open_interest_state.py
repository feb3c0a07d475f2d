"""Open interest as it stands: the last official figure, and what was traded and signed since.

Open interest is published once a day; between two publications only trades tell how it may have
moved. A trade of one contract changes it by at most one, so with V contracts traded since the last
official figure it lies within V of that figure; customers' signed contracts, where a tape gives
them, are the estimate in between (expiration-pressure.md 2).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.signals.chain import Chain
from hedgeflow.signals.dealer_gamma import GammaConvention, dealer_contracts
from hedgeflow.signals.settlement_events import EventKind
from hedgeflow.signals.settlement_rules import STANDARD_MULTIPLIER

NOT_PUBLISHED: Final = -1
"""`settled_ns` where no official figure is known yet."""

_SETTLED: Final = int(EventKind.SETTLED)
_VOLUME: Final = int(EventKind.VOLUME)
_SIGNED_FLOW: Final = int(GammaConvention.SIGNED_FLOW)


class ChainArrays(NamedTuple):
    """What kernels know of a chain; see `Chain`."""

    right: NDArray[np.int8]
    multiplier: NDArray[np.float64]
    strike_of: NDArray[np.int32]
    first_contract: NDArray[np.int64]
    contracts: NDArray[np.int64]


class ContractInterest(NamedTuple):
    """What is known of each contract, in contracts.

    Attributes
    ----------
    settled : ndarray of shape (contracts,), float64
        Last official figure.
    settled_ns : ndarray of shape (contracts,), int64
        When it became known, or `NOT_PUBLISHED`.
    traded, signed : ndarray of shape (contracts,), float64
        Traded since then, and customers' signed part of it.
    inventory : ndarray of shape (contracts,), float64
        Customers' signed contracts since the tape began.
    is_signed : ndarray of shape (contracts,), bool
        Any print was signed since the tape began.
    """

    settled: NDArray[np.float64]
    settled_ns: NDArray[np.int64]
    traded: NDArray[np.float64]
    signed: NDArray[np.float64]
    inventory: NDArray[np.float64]
    is_signed: NDArray[np.bool_]


class StrikeInterest(NamedTuple):
    """Calls and puts of each strike together, in contracts of 100 underlying units.

    Attributes
    ----------
    settled, estimated, low, high : ndarray of shape (strikes,), float64
        The official figure; it and the signed volume since; the band that volume allows.
        A contract without an official figure counts from 0.
    settled_ns : ndarray of shape (strikes,), int64
        The oldest instant at which one of the official figures became known, `NOT_PUBLISHED`
        where there is none.
    used : ndarray of shape (strikes,), float64
        The one that the rules go by; 0 where no official figure is known.
    dealers : ndarray of shape (strikes,), float64
        Underlying units of options that dealers are long, negative where short.
    basis : ndarray of shape (strikes,), int8
        `GammaConvention` of `dealers`: SIGNED_FLOW where any print of the strike was signed.
    """

    settled: NDArray[np.float64]
    estimated: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    settled_ns: NDArray[np.int64]
    used: NDArray[np.float64]
    dealers: NDArray[np.float64]
    basis: NDArray[np.int8]


def chain_arrays(chain: Chain) -> ChainArrays:
    """Return what kernels know of a chain."""
    return ChainArrays(
        chain.right, chain.multiplier, chain.strike_of, chain.first_contract, chain.contracts
    )


def no_interest(
    chain: Chain, convention: GammaConvention
) -> tuple[ContractInterest, StrikeInterest]:
    """Return the state of a chain of which nothing was told yet."""
    contracts, strikes = len(chain.symbols), chain.strike.size
    return (
        ContractInterest(
            np.zeros(contracts),
            np.full(contracts, NOT_PUBLISHED),
            np.zeros(contracts),
            np.zeros(contracts),
            np.zeros(contracts),
            np.zeros(contracts, np.bool_),
        ),
        StrikeInterest(
            np.zeros(strikes),
            np.zeros(strikes),
            np.zeros(strikes),
            np.zeros(strikes),
            np.full(strikes, NOT_PUBLISHED),
            np.zeros(strikes),
            np.zeros(strikes),
            np.full(strikes, int(convention), np.int8),
        ),
    )


@nb.njit(cache=True)
def take_in(now: int, kind: int, c: int, value: float, known: ContractInterest) -> None:
    """Take one event of a contract in: SETTLED, VOLUME or SIGNED."""
    if kind == _SETTLED:
        known.settled[c] = value
        known.settled_ns[c] = now
        known.traded[c] = 0.0
        known.signed[c] = 0.0
    elif kind == _VOLUME:
        known.traded[c] += value
    else:
        known.signed[c] += value
        known.inventory[c] += value
        known.is_signed[c] = True


@nb.njit(cache=True)
def sum_strike(
    k: int,
    chain: ChainArrays,
    known: ContractInterest,
    strikes: StrikeInterest,
    use_estimated: bool,
    convention: int,
) -> None:
    """Sum a strike anew from its contracts, so that no rounding gathers."""
    settled = estimated = low = high = 0.0
    calls = puts = signed_calls = signed_puts = 0.0
    oldest, is_signed = NOT_PUBLISHED, False
    for place in range(chain.first_contract[k], chain.first_contract[k + 1]):
        c: int = chain.contracts[place]
        units = chain.multiplier[c]
        estimate = max(0.0, known.settled[c] + known.signed[c])
        settled += known.settled[c] * units
        estimated += estimate * units
        low += max(0.0, known.settled[c] - known.traded[c]) * units
        high += (known.settled[c] + known.traded[c]) * units
        is_signed = is_signed or known.is_signed[c]
        since = known.settled_ns[c]
        if since != NOT_PUBLISHED and (oldest == NOT_PUBLISHED or since < oldest):
            oldest = since
        open_units = (estimate if use_estimated else known.settled[c]) * units
        if chain.right[c] > 0:
            calls += open_units
            signed_calls += known.inventory[c] * units
        else:
            puts += open_units
            signed_puts += known.inventory[c] * units
    strikes.settled[k] = settled / STANDARD_MULTIPLIER
    strikes.estimated[k] = estimated / STANDARD_MULTIPLIER
    strikes.low[k] = low / STANDARD_MULTIPLIER
    strikes.high[k] = high / STANDARD_MULTIPLIER
    strikes.settled_ns[k] = oldest
    is_known = oldest != NOT_PUBLISHED
    strikes.used[k] = (calls + puts) / STANDARD_MULTIPLIER if is_known else 0.0
    if is_signed:
        strikes.basis[k] = _SIGNED_FLOW
        strikes.dealers[k] = dealer_contracts(_SIGNED_FLOW, signed_calls, signed_puts)
    else:
        strikes.dealers[k] = dealer_contracts(convention, calls, puts)
