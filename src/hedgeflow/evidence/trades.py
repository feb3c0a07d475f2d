"""The trades of a run as arrays, in the order of their exits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import FloatArray, IntArray
from hedgeflow.evidence.tables import EvidenceTables

NS_PER_MINUTE = 60_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """The trades as arrays, ordered by exit.

    Attributes
    ----------
    session : ndarray of int64
        Index of each trade's session among the sessions given.
    flow_class, exit_reason : tuple of str
        Labels.
    net_usd, net_bps, net_points, gross_points : ndarray of float64
        Results.
    stop, target : ndarray of float64
        Barrier distances in price units.
    hold_minutes, age_seconds : ndarray of float64
        Entry to exit, and detection to entry.
    """

    session: IntArray
    flow_class: tuple[str, ...]
    exit_reason: tuple[str, ...]
    net_usd: FloatArray
    net_bps: FloatArray
    net_points: FloatArray
    gross_points: FloatArray
    stop: FloatArray
    target: FloatArray
    hold_minutes: FloatArray
    age_seconds: FloatArray

    @property
    def count(self) -> int:
        """Number of trades."""
        return int(self.net_usd.size)

    @property
    def wins(self) -> int:
        """Trades with a positive result after all costs."""
        return int((self.net_usd > 0).sum())

    def of_class(self, flow_class: str) -> Trades:
        """Return the trades of one class."""
        rows = np.flatnonzero(np.array([label == flow_class for label in self.flow_class]))
        picked = rows.astype(np.int64)
        return Trades(
            self.session[picked],
            tuple(self.flow_class[row] for row in picked),
            tuple(self.exit_reason[row] for row in picked),
            self.net_usd[picked],
            self.net_bps[picked],
            self.net_points[picked],
            self.gross_points[picked],
            self.stop[picked],
            self.target[picked],
            self.hold_minutes[picked],
            self.age_seconds[picked],
        )


def trade_arrays(tables: EvidenceTables) -> Trades:
    """Return the trades of `tables` as arrays, ordered by exit time and then trade id."""
    frame = tables.trades.sort("exit_ns", "trade_id")

    def column(name: str) -> FloatArray:
        return frame[name].cast(pl.Float64).to_numpy().astype(np.float64)

    held = (frame["exit_ns"].cast(pl.Int64) - frame["entry_ns"].cast(pl.Int64)).to_numpy()
    return Trades(
        session_index(frame["session"], tables.sessions),
        tuple(frame["flow_class"].cast(pl.String).to_list()),
        tuple(frame["exit_reason"].cast(pl.String).to_list()),
        column("net_usd"),
        column("net_bps"),
        column("net_points"),
        column("gross_points"),
        column("stop_distance"),
        column("target_distance"),
        held.astype(np.float64) / NS_PER_MINUTE,
        column("age_seconds"),
    )


def session_index(labels: pl.Series, sessions: tuple[str, ...]) -> IntArray:
    """Return the position of each label among `sessions`."""
    position = {session: row for row, session in enumerate(sessions)}
    return np.array([position[label] for label in labels.to_list()], dtype=np.int64)
