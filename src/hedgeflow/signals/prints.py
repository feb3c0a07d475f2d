"""Option prints as arrays: the contracts a scan has met, and one slice of their tape."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hedgeflow.market.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONDITIONS = ("open", "cross", "roll")


class PrintSlice(NamedTuple):
    """A run of consecutive option prints, sorted by time, ending between two stamps.

    Attributes
    ----------
    ts : ndarray of shape (n,), int64
        Venue stamps, UTC nanoseconds.
    contract : ndarray of shape (n,), int32
        Index into the scan's `ContractBook`.
    price, spot, bid, ask, iv : ndarray of shape (n,), float64
        As on the tape; NaN where the tape has none.
    lots : ndarray of shape (n,), int64
    aggressor : ndarray of shape (n,), int8
    combo, block : ndarray of shape (n,), int64
        Codes of the complex orders a print belongs to, -1 for none.
    condition : ndarray of shape (n,), int8
        Index into `CONDITIONS`, -1 for none.
    """

    ts: NDArray[np.int64]
    contract: NDArray[np.int32]
    price: NDArray[np.float64]
    lots: NDArray[np.int64]
    aggressor: NDArray[np.int8]
    iv: NDArray[np.float64]
    spot: NDArray[np.float64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    combo: NDArray[np.int64]
    block: NDArray[np.int64]
    condition: NDArray[np.int8]

    def part(self, start: int, stop: int) -> PrintSlice:
        """Return prints [start, stop) without copying."""
        return self._make(column[start:stop] for column in self)


class ContractBook:
    """The contracts that a scan has met, in order of appearance, with their terms as arrays.

    Parameters
    ----------
    terms : polars.DataFrame
        Contracts table of the catalog; a print of a contract outside it is refused.

    Raises
    ------
    DataError
        The contracts disagree in lot or inverse flag: one scan is one underlying on one venue.
    """

    def __init__(self, terms: pl.DataFrame) -> None:
        self._rows = {row["contract"]: row for row in terms.iter_rows(named=True)}
        self._index: dict[str, int] = {}
        self.symbols: list[str] = []
        capacity = max(16, len(self._rows))
        self.right = np.zeros(capacity, np.int8)
        self.strike = np.ones(capacity)
        self.expiry_ns = np.zeros(capacity, np.int64)
        self.multiplier = np.ones(capacity)
        self.listed_ns = np.full(capacity, np.iinfo(np.int64).max)
        self.strike_id = np.zeros(capacity, np.int32)
        self._strike_ids: dict[tuple[int, float], int] = {}
        self._rank = np.empty(0, np.int32)
        lots = {float(row["lot"]) for row in self._rows.values()}
        inverse = {bool(row["inverse"]) for row in self._rows.values()}
        if len(lots) > 1 or len(inverse) > 1:
            raise DataError(
                f"contracts of one scan must share lot and inverse flag, had lots {sorted(lots)}",
                hint="Scan one underlying on one venue at a time",
            )
        self.lot = lots.pop() if lots else 1.0
        self.inverse = inverse.pop() if inverse else False

    def __len__(self) -> int:
        return len(self.symbols)

    def indices(self, symbols: Sequence[str]) -> NDArray[np.int32]:
        """Return the index of each symbol, taking new ones in."""
        found = np.empty(len(symbols), np.int32)
        for place, symbol in enumerate(symbols):
            index = self._index.get(symbol)
            found[place] = self._add(symbol) if index is None else index
        return found

    def _add(self, symbol: str) -> int:
        row = self._rows.get(symbol)
        if row is None:
            raise DataError(
                f"the tape has a print of '{symbol}', which the contracts table does not list",
                hint="Import the tape again together with its contracts",
            )
        index = len(self.symbols)
        self._index[symbol] = index
        self.symbols.append(symbol)
        expiry = int(np.datetime64(row["expiry"].replace(tzinfo=None), "ns").astype(np.int64))
        self.right[index] = 1 if row["right"] == "C" else -1
        self.strike[index] = row["strike"]
        self.expiry_ns[index] = expiry
        self.multiplier[index] = row["multiplier"]
        if row["listed"] is not None:
            listed = np.datetime64(row["listed"].replace(tzinfo=None), "ns")
            self.listed_ns[index] = int(listed.astype(np.int64))
        pair = (expiry, float(row["strike"]))
        self.strike_id[index] = self._strike_ids.setdefault(pair, len(self._strike_ids))
        return index

    def alphabetical_rank(self) -> NDArray[np.int32]:
        """Return each contract's place in the order of symbols, for ties."""
        if self._rank.size < len(self.symbols):
            order = sorted(range(len(self.symbols)), key=self.symbols.__getitem__)
            self._rank = np.empty(len(order), np.int32)
            self._rank[np.array(order, dtype=np.int64)] = np.arange(len(order), dtype=np.int32)
        return self._rank


def slice_of(frame: pl.DataFrame, book: ContractBook) -> PrintSlice:
    """Return a frame of the option-trades schema as arrays.

    Raises
    ------
    DataError
        Times are not sorted, or a contract has no terms.
    """
    ts = frame["ts"].dt.timestamp("ns").to_numpy()
    if ts.size and bool((np.diff(ts) < 0).any()):
        first = int(np.flatnonzero(np.diff(ts) < 0)[0]) + 1
        raise DataError(f"option trades must be sorted by time, row {first} goes back")
    appearance = frame["contract"].unique(maintain_order=True).to_list()
    codes = book.indices(appearance)
    places = dict(zip(appearance, codes.tolist(), strict=True))
    contract = frame["contract"].replace_strict(places, return_dtype=pl.Int32).to_numpy()
    return PrintSlice(
        ts=ts,
        contract=contract,
        price=_floats(frame["price"]),
        lots=frame["lots"].to_numpy(),
        aggressor=frame["aggressor"].to_numpy(),
        iv=_floats(frame["iv"]),
        spot=_floats(frame["underlying_price"]),
        bid=_floats(frame["bid"]),
        ask=_floats(frame["ask"]),
        combo=_codes(frame["combo_id"]),
        block=_codes(frame["block_id"]),
        condition=_conditions(frame["condition"]),
    )


def _floats(column: pl.Series) -> NDArray[np.float64]:
    return column.fill_null(float("nan")).to_numpy()


def _codes(column: pl.Series) -> NDArray[np.int64]:
    """Number the ids of one slice; a complex order never spans two stamps, so not two slices."""
    if column.null_count() == len(column):
        return np.full(len(column), -1, np.int64)
    ranks = column.rank("dense").cast(pl.Int64)
    return ranks.fill_null(0).to_numpy() - 1


def _conditions(column: pl.Series) -> NDArray[np.int8]:
    if column.null_count() == len(column):
        return np.full(len(column), -1, np.int8)
    known = {name: code for code, name in enumerate(CONDITIONS)}
    return column.replace_strict(known, default=-1, return_dtype=pl.Int8).fill_null(-1).to_numpy()
