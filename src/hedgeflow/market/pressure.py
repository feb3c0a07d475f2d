"""Pressure: how urgently an exposure must be traded away."""

from __future__ import annotations

import numba as nb


@nb.njit(cache=True)
def pressure(exposure: float, minutes: float) -> float:
    """Return abs(exposure) / max(1, minutes squared).

    Parameters
    ----------
    exposure : float
        Signed exposure, in underlying units or reference units.
    minutes : float
        Time left in which it must be traded, minutes.

    Returns
    -------
    float
        Non-negative; flat within the last minute. Both volume shock and expiration pressure
        use this one function (volume-shock.md 3, precise.md 31).
    """
    return abs(exposure) / max(1.0, minutes * minutes)
