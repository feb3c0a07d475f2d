"""Who bought, print by print: the customers' side of option volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hedgeflow.signals.demand import print_state, sign_print, tick_sign
from hedgeflow.signals.rules import SigningRule

if TYPE_CHECKING:
    from hedgeflow.signals.prints import PrintSlice

_ASSUMED = int(SigningRule.ASSUMED)


class VolumeSigner:
    """Signs the prints of one tape, slice by slice: aggressor, quote rule, tick test.

    Parameters
    ----------
    contracts : int
        How many there can be.
    assume_bought : bool
        Every customer is taken to have bought, as the source does in silence.
    """

    def __init__(self, contracts: int, *, assume_bought: bool) -> None:
        self._memory = print_state(contracts)
        self._assume_bought = assume_bought

    def signs(
        self, prints: PrintSlice, session: NDArray[np.int64]
    ) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
        """Return the sign of each print, +1 where the customer bought, and the rule that gave it.

        Parameters
        ----------
        prints : PrintSlice
            The next of the tape; the tick test remembers each contract's last price.
        session : ndarray of shape (n,), int64
            Of each print; the tick test starts anew with each.
        """
        sign = np.zeros(prints.ts.size, np.int8)
        rule = np.zeros(prints.ts.size, np.uint8)
        is_leg = (prints.combo >= 0) | (prints.block >= 0)
        _sign(prints, is_leg, session, self._memory, self._assume_bought, sign, rule)
        return sign, rule


@nb.njit(cache=True)
def _sign(
    prints: PrintSlice,
    is_leg: NDArray[np.bool_],
    session: NDArray[np.int64],
    memory: Any,
    assume_bought: bool,
    sign: NDArray[np.int8],
    rule: NDArray[np.uint8],
) -> None:
    contract, price, aggressor = prints.contract, prints.price, prints.aggressor
    bid, ask = prints.bid, prints.ask
    for i in range(price.size):
        ticked = tick_sign(memory[contract[i]], price[i], session[i])
        if assume_bought:
            sign[i], rule[i] = 1, _ASSUMED
        else:
            sign[i], rule[i] = sign_print(aggressor[i], price[i], bid[i], ask[i], ticked, is_leg[i])
