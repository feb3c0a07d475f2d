"""The expiry clock of `hedgeflow.market.expiries.clock`, compiled for kernels."""

from __future__ import annotations

from typing import Final

import numba as nb

from hedgeflow.market.expiries import clock

minutes_left: Final = nb.njit(cache=True)(clock.minutes_left)
"""Minutes from an instant to an expiry, with their fraction; 0 at it and after."""
