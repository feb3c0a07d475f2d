"""The option chain of one underlying as arrays: contracts, and the strikes of each expiry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hedgeflow.market.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Chain:
    """Contracts of one underlying; a strike is a pair (expiry, strike) (precise.md 10).

    Attributes
    ----------
    symbols : tuple of str
        Of each contract; a contract's index in every array is its place here.
    right : ndarray of shape (contracts,), int8
        +1 call, -1 put.
    multiplier : ndarray of shape (contracts,), float64
        Underlying units per contract.
    strike_of : ndarray of shape (contracts,), int32
        Place of the contract's strike in `strike`.
    expiry_ns : ndarray of shape (expiries,), int64
        Expiration instants, UTC nanoseconds, ascending.
    first_strike : ndarray of shape (expiries + 1,), int64
        Strikes of expiry e are places first_strike[e] to first_strike[e + 1] - 1.
    strike : ndarray of shape (strikes,), float64
        Ascending within each expiry.
    listed_ns : ndarray of shape (strikes,), int64
        When the first contract of the strike was listed; the smallest integer where not known.
    first_contract, contracts : ndarray of shape (strikes + 1,) and (contracts,), int64
        Contracts of strike k are contracts[first_contract[k]:first_contract[k + 1]].
    """

    symbols: tuple[str, ...]
    right: NDArray[np.int8]
    multiplier: NDArray[np.float64]
    strike_of: NDArray[np.int32]
    expiry_ns: NDArray[np.int64]
    first_strike: NDArray[np.int64]
    strike: NDArray[np.float64]
    listed_ns: NDArray[np.int64]
    first_contract: NDArray[np.int64]
    contracts: NDArray[np.int64]

    def indices(self, symbols: pl.Series) -> NDArray[np.int32]:
        """Return the index of each symbol of a column.

        Raises
        ------
        DataError
            A symbol is not in the chain.
        """
        places = {symbol: place for place, symbol in enumerate(self.symbols)}
        named = symbols.unique(maintain_order=True).to_list()
        missing = [symbol for symbol in named if symbol not in places]
        if missing:
            raise DataError(
                f"{len(missing)} contracts are not in the chain, the first '{missing[0]}'",
                hint="Import the tape again together with its contracts",
            )
        known = {symbol: places[symbol] for symbol in named}
        return symbols.replace_strict(known, return_dtype=pl.Int32).to_numpy()


def chain_of(terms: pl.DataFrame) -> Chain:
    """Return the chain of a contracts table.

    Parameters
    ----------
    terms : polars.DataFrame
        Rows of the catalog's contracts table, all of one underlying.

    Raises
    ------
    DataError
        There is no contract, or there are several underlyings or one symbol twice.
    """
    underlyings = sorted(terms["underlying"].unique().to_list())
    if len(underlyings) != 1:
        raise DataError(
            f"a chain has one underlying, was given {underlyings}",
            where="contracts",
            hint="Choose the rows of one underlying that has options",
        )
    listed = terms["listed"].dt.timestamp("ns").fill_null(_UNKNOWN).to_numpy()
    return build_chain(
        terms["contract"].to_list(),
        terms["expiry"].dt.timestamp("ns").to_numpy(),
        terms["strike"].to_numpy(),
        np.where(terms["right"].to_numpy() == "C", 1, -1),
        terms["multiplier"].to_numpy(),
        listed,
    )


def build_chain(
    symbols: Sequence[str],
    expiry_ns: ArrayLike,
    strike: ArrayLike,
    right: ArrayLike,
    multiplier: ArrayLike,
    listed_ns: ArrayLike | None = None,
) -> Chain:
    """Return the chain of contracts given as columns; `right` is +1 for calls, -1 for puts.

    Raises
    ------
    DataError
        There is no contract, or one symbol twice.
    """
    if not symbols or len(set(symbols)) != len(symbols):
        raise DataError(
            f"a chain needs contracts, each once; was given {len(symbols)} rows of"
            f" {len(set(symbols))} contracts",
            where="contracts",
        )
    pairs = np.empty(len(symbols), [("expiry", "i8"), ("strike", "f8")])
    pairs["expiry"], pairs["strike"] = expiry_ns, strike
    strikes, strike_of = np.unique(pairs, return_inverse=True)
    expiries, starts = np.unique(strikes["expiry"], return_index=True)
    listed = np.full(strikes.size, _NEVER)
    given = np.full(len(symbols), _UNKNOWN) if listed_ns is None else np.asarray(listed_ns)
    np.minimum.at(listed, strike_of, given)
    return Chain(
        symbols=tuple(symbols),
        right=np.asarray(right, np.int8),
        multiplier=np.asarray(multiplier, np.float64),
        strike_of=strike_of.astype(np.int32),
        expiry_ns=expiries.astype(np.int64),
        first_strike=np.append(starts, strikes.size).astype(np.int64),
        strike=strikes["strike"].copy(),
        listed_ns=listed,
        first_contract=np.append(0, np.cumsum(np.bincount(strike_of))).astype(np.int64),
        contracts=np.argsort(strike_of, kind="stable").astype(np.int64),
    )


_UNKNOWN = np.iinfo(np.int64).min
_NEVER = np.iinfo(np.int64).max
