"""A volatility index such as VIX or DVOL: the last value known at an instant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hedgeflow.market.contracts import LOWEST_VOLATILITY_PERCENT
from hedgeflow.market.errors import CatalogError, DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.strategies.settings import TradeRisk

HIGHEST_VOLATILITY_PERCENT: Final = 500.0
"""No such index has always been above: it is a price."""


@dataclass(frozen=True, slots=True)
class VolatilityIndex:
    """A published index of implied volatility.

    Attributes
    ----------
    name : str
    known_ns : ndarray of shape (n,), int64
        When each value became known, ascending UTC nanoseconds.
    value : ndarray of shape (n,), float64
        Percent per year.
    oldest_ns : int or None
        A value is known for this long; None: until the next.
    """

    name: str
    known_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    oldest_ns: int | None = None

    def at(self, at_ns: int) -> float | None:
        """Return the last value known at or before an instant.

        None before the first, and when the last is too old.

        Notes
        -----
        Look-ahead: none; a bar's close is known at the bar's end.
        """
        index = int(np.searchsorted(self.known_ns, at_ns, side="right")) - 1
        if index < 0:
            return None
        if self.oldest_ns is not None and at_ns - int(self.known_ns[index]) > self.oldest_ns:
            return None
        return float(self.value[index])

    @property
    def sha256(self) -> str:
        """Hash of its values and of when they were known."""
        return hashlib.sha256(self.known_ns.tobytes() + self.value.tobytes()).hexdigest()


def load_volatility_index(catalog: Catalog, rules: TradeRisk) -> VolatilityIndex | None:
    """Return the index that the configuration names, from its bars; None if it names none.

    Parameters
    ----------
    catalog : Catalog
    rules : TradeRisk
        Its `volatility_index` names the bars, its `volatility_index_days` limits their age.

    Raises
    ------
    CatalogError
        The catalog has no such bars, or of several venues.
    DataError
        The values are no percentages; or as `Catalog.read`.
    """
    if rules.volatility_index is None:
        return None
    key = _bars(catalog, rules.volatility_index)
    bars = catalog.read(key)
    value = bars["close"].to_numpy()
    lowest, highest = value.min(initial=np.inf), value.max(initial=0.0)
    if highest < LOWEST_VOLATILITY_PERCENT or lowest > HIGHEST_VOLATILITY_PERCENT:
        raise DataError(
            f"the closes of {key.instrument}, from {lowest:g} to {highest:g}, are no volatility in "
            "percent per year",
            where="risk.volatility_index",
            hint="18.5 is meant, not 0.185; import the right values into a new catalog",
        )
    return VolatilityIndex(
        name=key.instrument,
        known_ns=bars["known_at"].to_physical().to_numpy(),
        value=value,
        oldest_ns=round(rules.volatility_index_days * DAY_NS),
    )


def _bars(catalog: Catalog, name: str) -> TapeKey:
    """Return the finest bars of an index."""
    tapes = catalog.keys()
    every = [key for key in tapes if key.kind is TapeKind.BARS]
    found = [key for key in every if key.instrument == name]
    if not found:
        there = sorted({f"{key.instrument} ({key.venue})" for key in every})
        raise CatalogError(
            f"no bars of the volatility index '{name}' in the catalog",
            where=str(catalog.path),
            hint=f"There are bars of {', '.join(there) or 'nothing'}; import the index with "
            f"`hedgeflow data import bars FILE --instrument {name}`",
        )
    finest_ns = min(key.resolution_ns for key in found)
    finest = [key for key in found if key.resolution_ns == finest_ns]
    if len(finest) > 1:
        raise CatalogError(
            f"bars of the volatility index '{name}' were imported from "
            f"{' and '.join(sorted(key.venue for key in finest))}",
            where=str(catalog.path),
            hint="Keep one venue of an index in a catalog",
        )
    return finest[0]
