"""What the price did after an event: moves and accelerations against the same minutes before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.hedge_response import first_passage, hedge_done, same_minutes_before

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.hedge_response import SignedFlow

BPS: Final = 10_000.0
NINE_TENTHS_IN_HALVES: Final = float(np.log2(10.0))
"""Under exponential completion, 90 % of a hedge takes so many times what half of it takes."""

KnownPrices = Callable[["NDArray[np.int64]"], "NDArray[np.float64]"]
"""Prices known at instants (UTC nanoseconds), NaN where none is; any shape."""


@dataclass(frozen=True, slots=True)
class AgainstPlacebos:
    """One figure for each event, and what its placebo windows gave.

    Attributes
    ----------
    own, mean, deviation : ndarray of shape (events,), float64
        NaN where the event's own is unknown, or known placebos are too few.
    rank : ndarray of shape (events,), float64
        Share of the placebos below the event's own, ties as halves.
    placebos : ndarray of shape (events,), int64
        How many placebo windows were known.
    """

    own: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    rank: NDArray[np.float64]
    placebos: NDArray[np.int64]


def known_closes(bars: pl.DataFrame, resolution_ns: int) -> KnownPrices:
    """Return the closes of a bars table by when they were known.

    A price is that of the last bar known at an instant; none is known where that bar ended longer
    ago than one bar, or a minute if that is longer.

    Look-ahead: a bar is known at its `known_at`, never before.
    """
    known = bars["known_at"].dt.timestamp("ns").to_numpy()
    close = bars["close"].to_numpy()
    oldest = max(resolution_ns, MINUTE_NS)

    def prices(at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        place = np.searchsorted(known, at_ns, side="right") - 1
        safe = np.maximum(place, 0)
        return np.where((place < 0) | (at_ns - known[safe] > oldest), np.nan, close[safe])

    return prices


def next_closes(bars: pl.DataFrame, resolution_ns: int) -> KnownPrices:
    """Return the closes of a bars table by the instants that they came after.

    A price is that of the first bar to end at or after an instant; none is there where that bar
    ended later than one bar, or a minute if that is longer. What moved before an instant is in the
    price at it: with `known_closes` it would seem to have moved after it, by up to a bar.

    Look-ahead: for studies of what followed; the price comes up to a bar after its instant.
    """
    known = bars["known_at"].dt.timestamp("ns").to_numpy()
    close = bars["close"].to_numpy()
    latest = max(resolution_ns, MINUTE_NS)

    def prices(at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        place = np.searchsorted(known, at_ns, side="left")
        safe = np.minimum(place, known.size - 1)
        return np.where((place == known.size) | (known[safe] - at_ns > latest), np.nan, close[safe])

    return prices


def windows_of(
    sessions: Sessions | None,
    from_ns: NDArray[np.int64],
    count: int,
    coverage: Coverage | None = None,
) -> NDArray[np.int64]:
    """Return when each event's window and its placebos begin, as `same_minutes_before` has them.

    Look-ahead: placebo windows lie in earlier sessions.

    Returns
    -------
    ndarray of shape (events, 1 + count), int64
        The event's own first, then those of earlier sessions, latest first; 0 where there is none.
    """
    windows = np.zeros((from_ns.size, 1 + count), dtype=np.int64)
    windows[:, 0] = from_ns
    for row, start in enumerate(from_ns.tolist()):
        earlier = same_minutes_before(sessions, start, count, coverage)
        windows[row, 1 : 1 + len(earlier)] = earlier
    return windows


def moves(
    prices: KnownPrices, from_ns: NDArray[np.int64], until_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return price moves between instants, basis points; NaN where a price is not known."""
    return (prices(until_ns) / prices(from_ns) - 1.0) * BPS


def accelerations(
    prices: KnownPrices, around_ns: NDArray[np.int64], half_width_ns: int
) -> NDArray[np.float64]:
    """Return second differences of the price around instants (volume-shock.md 8), basis points.

    (P(t + h) − 2 P(t) + P(t − h)) / P(t): how much more the price moved in the h after than in
    the h before. A price that is pushed until t and left alone from then on has a second
    difference against the push.
    """
    before, at, after = (prices(around_ns + shift) for shift in (-half_width_ns, 0, half_width_ns))
    return (after - 2.0 * at + before) / at * BPS


def completions(
    flow: SignedFlow, windows: NDArray[np.int64], window_minutes: float, share: float
) -> NDArray[np.float64]:
    """Return when `share` of the abnormal flow of each window was done, minutes from its start.

    Event and placebo windows are treated alike: each one's flow is set against the mean of its
    row, in the direction that it has itself, so that an event can differ from its placebos only
    by what happened in it. (Against the mean of the others, the path would be the same times
    n / (n − 1), and so would be done at the same time: for the event this is the completion that
    `observe` returns.) NaN where flow is not recorded or nothing is abnormal.

    Parameters
    ----------
    flow : SignedFlow
    windows : ndarray of shape (events, 1 + placebos), int64
        As `windows_of` returns them.
    window_minutes, share : float
    """
    seconds = int(window_minutes * 60)
    found = np.full(windows.shape, np.nan)
    for row, starts in enumerate(windows.tolist()):
        paths = {
            place: path
            for place, start in enumerate(starts)
            if start and (path := flow.path(start, seconds)) is not None
        }
        if 0 not in paths or len(paths) == 1:
            continue
        usual = np.mean(list(paths.values()), axis=0)
        for place, path in paths.items():
            abnormal = path - usual
            direction = float(np.sign(abnormal[-1]))
            if direction:
                done = hedge_done(abnormal * direction)
                found[row, place] = first_passage(done, share * done[-1])
    return found


def flow_totals(
    flow: SignedFlow, windows: NDArray[np.int64], window_minutes: float
) -> NDArray[np.float64]:
    """Return the signed flow of each window, underlying units; NaN where it is not recorded."""
    seconds = int(window_minutes * 60)
    found = np.full(windows.shape, np.nan)
    for row, starts in enumerate(windows.tolist()):
        for place, start in enumerate(starts):
            path = flow.path(start, seconds) if start else None
            if path is not None:
                found[row, place] = path[-1]
    return found


def against_placebos(values: NDArray[np.float64], fewest: int) -> AgainstPlacebos:
    """Set the first column against the others.

    Parameters
    ----------
    values : ndarray of shape (events, 1 + placebos)
        NaN where not known.
    fewest : int
        With fewer known placebos nothing can be told of an event.
    """
    own, placebos = values[:, 0].copy(), values[:, 1:]
    known = np.isfinite(placebos)
    count = known.sum(axis=1)
    told = np.isfinite(own) & (count >= fewest)
    safe = np.maximum(count, 1)
    mean = np.where(known, placebos, 0.0).sum(axis=1) / safe
    squares = np.where(known, (placebos - mean[:, None]) ** 2, 0.0).sum(axis=1)
    deviation = np.sqrt(squares / np.maximum(count - 1, 1))
    below = (known & (placebos < own[:, None])).sum(axis=1)
    ties = (known & (placebos == own[:, None])).sum(axis=1)
    rank = (below + 0.5 * ties) / safe

    def where_told(figures: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(told, figures, np.nan)

    return AgainstPlacebos(
        where_told(own), where_told(mean), where_told(deviation), where_told(rank), count
    )
