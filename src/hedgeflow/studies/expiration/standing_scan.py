"""A scan for expiration pressure that also shows what its ladder stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hedgeflow.market.expiries.clock import minutes_left
from hedgeflow.signals.settlement import SettlementScan
from hedgeflow.signals.settlement_fold import point_size, threshold
from hedgeflow.signals.settlement_rules import STANDARD_MULTIPLIER, NoAlert

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Standing(NamedTuple):
    """What a ladder stands on at one instant.

    Attributes
    ----------
    price, price_ns : float, int
        The underlying's, and the instant that it is of; NaN before there is one.
    sigma, point : float
        Annual volatility, and a source point in price units; NaN where not known.
    threshold : float
        The pressure above which a strike is an alert, infinite where nothing can be.
    no_alert : str
        Why nothing can be an alert; else empty.
    evaluated_ns : int or None
        When conditions of the live expiry were last looked at.
    settled_calls, settled_puts, estimated_calls, estimated_puts : ndarray of shape (n,)
        Open interest of each rung of the ladder, contracts of 100 underlying units.
    """

    price: float
    price_ns: int
    sigma: float
    point: float
    threshold: float
    no_alert: str
    evaluated_ns: int | None
    settled_calls: NDArray[np.float64]
    settled_puts: NDArray[np.float64]
    estimated_calls: NDArray[np.float64]
    estimated_puts: NDArray[np.float64]


class StandingScan(SettlementScan):
    """The same fold; it adds a view of it and changes nothing."""

    def standing(self, at_ns: int) -> Standing:
        """Return what the ladder at an instant, not before the last event, stands on."""
        market, rules = self._market[0], self._record[0]
        minutes = minutes_left(self._live.expiry_ns, at_ns)
        in_force, why = threshold(minutes, market, self._live, rules)
        evaluated = self.counts["last_ns"][self.chain.expiry_ns == self._live.expiry_ns]
        known = self._known
        settled = known.settled
        return Standing(
            float(market["price"]),
            int(market["price_ns"]),
            float(market["sigma"]),
            float(point_size(market, rules)),
            float(in_force),
            NoAlert(why).name if why else "",
            int(evaluated[0]) if evaluated.size and evaluated[0] else None,
            self._sums(settled, 1),
            self._sums(settled, -1),
            self._sums(np.maximum(0.0, settled + known.signed), 1),
            self._sums(np.maximum(0.0, settled + known.signed), -1),
        )

    def _sums(self, contracts: NDArray[np.float64], right: int) -> NDArray[np.float64]:
        """Return the sums of calls (+1) or puts (-1) over each listed strike of the expiry."""
        chain = self.chain
        units = np.where(chain.right == right, contracts * chain.multiplier, 0.0)
        sums = np.bincount(chain.strike_of, units, chain.strike.size)
        return sums[self._live.places] / STANDARD_MULTIPLIER
