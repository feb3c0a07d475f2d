"""What dealers did after a shock: abnormal signed flow in the hedge instrument's own trades."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.sessions import Sessions


@dataclass(frozen=True, slots=True)
class ObservationRules:
    """What counts as a hedge (volume-shock.md 8).

    Attributes
    ----------
    window_minutes : float
        Flow is observed for so long after an event.
    half_done, mostly_done : float
        Shares of the hedge at which response and completion are timed.
    placebo_sessions : int
        So many earlier sessions give the same minutes as placebos.
    fewest_placebos : int
        With fewer, nothing can be told.
    placebo_band : float
        Abnormal flow beyond so many standard deviations of a normal law would be a hedge if the
        placebos' law were known; `prediction_band` widens it for the few that there are.
    acceleration_minutes : float
        Half-width of the second difference of the price around completion.
    """

    window_minutes: float
    half_done: float
    mostly_done: float
    placebo_sessions: int
    fewest_placebos: int
    placebo_band: float
    acceleration_minutes: float


OBSERVATION_SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "event_id": pl.Int64,
    "from_ns": pl.Int64,
    "known_ns": pl.Int64,
    "abnormal_flow": pl.Float64,
    "placebo_mean": pl.Float64,
    "placebo_deviation": pl.Float64,
    "placebos": pl.Int64,
    "observed": pl.Boolean,
    "direction": pl.Int64,
    "response_minutes": pl.Float64,
    "completion_minutes": pl.Float64,
    "move_to_completion": pl.Float64,
}
"""One row an event; flow in underlying units, the move in price units in the flow's direction.

`observed` is null where too few placebos are covered to tell.
"""


@dataclass(frozen=True, slots=True)
class SignedFlow:
    """Signed trades of the hedge instrument, summed by the second.

    Attributes
    ----------
    first_ns : int
        Start of the first second.
    cumulative : ndarray of shape (seconds + 1,), float64
        Signed volume from `first_ns` to each second's start, underlying units.
    price : ndarray of shape (seconds + 1,), float64
        Last trade price before each second's start, NaN before the first trade.
    coverage : Coverage or None
        What the tape recorded; absence elsewhere is not zero flow. None: all of its span.
    sessions : Sessions or None
        Whose earlier ones give the placebos. None: UTC days.
    """

    first_ns: int
    cumulative: NDArray[np.float64]
    price: NDArray[np.float64]
    coverage: Coverage | None = None
    sessions: Sessions | None = None

    @classmethod
    def from_trades(
        cls,
        trades: pl.DataFrame,
        coverage: Coverage | None = None,
        sessions: Sessions | None = None,
    ) -> SignedFlow:
        """Return the flow of a frame of the hedge-trades schema, sorted by time."""
        ts = trades["ts"].dt.timestamp("ns").to_numpy()
        signed = trades["size"].to_numpy() * trades["aggressor"].to_numpy()
        first = int(ts[0]) // SECOND_NS * SECOND_NS
        second = (ts - first) // SECOND_NS
        count = int(second[-1]) + 1
        flow = np.bincount(second, weights=signed, minlength=count)
        price = np.full(count + 1, np.nan)
        price[second + 1] = trades["price"].to_numpy()
        filled = np.where(np.isnan(price), 0, np.arange(count + 1))
        price = price[np.maximum.accumulate(filled)]
        cumulative = np.concatenate(([0.0], np.cumsum(flow)))
        return cls(first, cumulative, price, coverage, sessions)

    def path(self, from_ns: int, seconds: int) -> NDArray[np.float64] | None:
        """Return signed volume since `from_ns` at 0, 1, ... `seconds`; None where not recorded."""
        end_ns = from_ns + seconds * SECOND_NS
        if self.coverage is not None and not self.coverage.contains(from_ns, end_ns):
            return None
        start = -(-(from_ns - self.first_ns) // SECOND_NS)
        if start < 0 or start + seconds >= self.cumulative.size:
            return None
        return self.cumulative[start : start + seconds + 1] - self.cumulative[start]

    def path_so_far(self, from_ns: int, seconds: int) -> NDArray[np.float64] | None:
        """Return `path`, cut where the recording ends; None where it does not reach `from_ns`.

        Look-ahead: that a recording will end is not known before it does, so what was recorded
        until then is there.
        """
        start = -(-(from_ns - self.first_ns) // SECOND_NS)
        end = min(start + seconds, self.cumulative.size - 1)
        if self.coverage is not None:
            interval = int(np.searchsorted(self.coverage.start_ns, from_ns, side="right")) - 1
            covered = int(self.coverage.end_ns[interval]) if interval >= 0 else self.first_ns
            end = min(end, (covered - self.first_ns) // SECOND_NS)
        if start < 0 or end <= start:
            return None
        return self.cumulative[start : end + 1] - self.cumulative[start]

    def price_at(self, at_ns: int) -> float:
        """Return the last price before an instant's second."""
        place = -(-(at_ns - self.first_ns) // SECOND_NS)
        return float(self.price[min(max(0, place), self.price.size - 1)])


def same_minutes_before(
    sessions: Sessions | None, from_ns: int, count: int, coverage: Coverage | None = None
) -> list[int]:
    """Return the instants as far into each of up to `count` earlier sessions, latest first.

    Sessions that the tape does not cover there are passed over, as for baselines (precise.md 11).
    Without sessions: of earlier UTC days, covered or not.
    """
    if sessions is None:
        return [from_ns - day * DAY_NS for day in range(1, count + 1)]
    opens = sessions.open_ns
    index = int(np.searchsorted(opens, from_ns, side="right")) - 1
    if index < 0:
        return []
    earlier = opens[:index][::-1] + (from_ns - opens[index])
    if coverage is not None:
        earlier = earlier[coverage.includes(earlier)]
    return earlier[:count].tolist()


def observe(
    flow: SignedFlow,
    event_ids: NDArray[np.int64],
    from_ns: NDArray[np.int64],
    rules: ObservationRules,
) -> pl.DataFrame:
    """Return what was observed after each event, as `OBSERVATION_SCHEMA`.

    The expectation and the placebos are the same minutes of earlier sessions: abnormal flow is
    the sum over the window less their mean, and a hedge counts as observed when it lies outside
    the band of their standard deviations. With too few placebos that cannot be told, which is
    not the same as no hedge. Response is the time at which half of the abnormal flow was done,
    completion 90 % (volume-shock.md 8).

    Look-ahead: an observation is known at `known_ns`, when its window is over, and reads only
    earlier sessions for its placebos.
    """
    rows = [
        row
        for event, start in zip(event_ids.tolist(), from_ns.tolist(), strict=True)
        if (row := _observation(flow, event, start, rules)) is not None
    ]
    return pl.DataFrame(rows, schema=OBSERVATION_SCHEMA, orient="row")


def _observation(
    flow: SignedFlow, event: int, start: int, rules: ObservationRules
) -> dict[str, object] | None:
    seconds = int(rules.window_minutes * 60)
    path = flow.path(start, seconds)
    if path is None:
        return None
    earlier = [
        flow.path(at, seconds)
        for at in same_minutes_before(flow.sessions, start, rules.placebo_sessions, flow.coverage)
    ]
    placebos = [other for other in earlier if other is not None]
    mean_path = np.mean(placebos, axis=0) if placebos else np.zeros(seconds + 1)
    ends = np.array([other[-1] for other in placebos])
    deviation = float(ends.std(ddof=1)) if ends.size > 1 else float("nan")
    abnormal = path - mean_path
    total = float(abnormal[-1])
    can_tell = ends.size >= rules.fewest_placebos
    band = prediction_band(rules.placebo_band, int(ends.size)) * deviation
    is_observed = bool(can_tell and abs(total) > band and total != 0.0)
    direction = int(np.sign(total))
    done = hedge_done(abnormal * direction)
    half = first_passage(done, rules.half_done * done[-1])
    most = first_passage(done, rules.mostly_done * done[-1])
    finish = start + round(most * MINUTE_NS) if is_observed else start
    move = direction * (flow.price_at(finish) - flow.price_at(start))
    return {
        "event_id": event,
        "from_ns": start,
        "known_ns": start + round(rules.window_minutes * MINUTE_NS) + SECOND_NS,
        "abnormal_flow": total,
        "placebo_mean": float(ends.mean()) if ends.size else None,
        "placebo_deviation": deviation if np.isfinite(deviation) else None,
        "placebos": int(ends.size),
        "observed": is_observed if can_tell else None,
        "direction": direction if is_observed else 0,
        "response_minutes": half if is_observed else None,
        "completion_minutes": most if is_observed else None,
        "move_to_completion": move if is_observed else None,
    }


@lru_cache(maxsize=64)
def prediction_band(deviations: float, placebos: int) -> float:
    """Return how many of the placebos' own deviations a new window may lie from their mean.

    The interval that holds one more draw as often as `deviations` of a known normal law would:
    Student's quantile of the same probability x sqrt(1 + 1 / n), for mean and deviation are both
    estimated from n placebos (e.g. Hahn and Meeker 1991, 4.7). With 1.96 it is 3.04 for 5
    placebos and 2.37 for 10; without it, one event in eight of a market in which nobody hedges
    would be taken for hedged instead of one in twenty.

    Parameters
    ----------
    deviations : float
        Half-width for a known law.
    placebos : int
        n; infinity is returned below 2.
    """
    from scipy.stats import norm, t

    if placebos < 2:
        return float("inf")
    quantile = float(t.isf(norm.sf(deviations), placebos - 1))
    return quantile * float(np.sqrt(1.0 + 1.0 / placebos))


def hedge_done(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rising path closest to a cumulative flow: the hedge done so far.

    A hedge is only ever added to, while ordinary flow swings both ways; the first time that the
    raw path happens to pass half of its end is therefore too early, the more so the smaller the
    hedge. The isotonic regression has no such bias to first order (Barlow and others 1972).
    """
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(path).x, dtype=np.float64)


def first_passage(path: NDArray[np.float64], level: float) -> float:
    """Return the minutes until a path of seconds first reaches a level."""
    return float(np.argmax(path >= level)) / 60.0
