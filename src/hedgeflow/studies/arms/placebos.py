"""The run where nothing should be found: other minutes, other days, the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.market.sessions import session_date
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.strategies.volume_shock.plan import BUY, SELL, limit_minutes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.arms.rerun import Rerun

SHIFTS_MINUTES: Final = (-90, -60, -30, 30, 60, 90)
OTHER_SESSIONS: Final = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)


def placebo_arms(rerun: Rerun, config: VolumeShockConfig) -> list[Arm]:
    """Return the run itself, its alerts at other times, and with directions flipped.

    Each placebo goes through the same plan, limits, costs and exits, with the alert's own
    distances. An alert is left out of a placebo that would leave its session or what the tape
    covers, or see its own event: from the first print of the event's first window to the end of
    the hedge, or of the longest holding time if that is later.
    """
    alerts = rerun.result.alerts
    flipped = alerts.with_columns(
        direction=pl.when(pl.col("direction") == BUY).then(pl.lit(SELL)).otherwise(pl.lit(BUY))
    )
    spans = _Spans(rerun, config)
    arms = [
        rerun.arm(ArmGroup.PLACEBO, "run", "as it was run", None, rerun.own, reference=True),
        rerun.arm(
            ArmGroup.PLACEBO,
            "flipped",
            "every direction flipped",
            None,
            rerun.trades(alerts=flipped),
        ),
    ]
    moved = [
        (f"{shift:+d}min", f"{abs(shift)} min {_side(shift)}", spans.shifted(shift * MINUTE_NS))
        for shift in SHIFTS_MINUTES
    ]
    moved += [
        (
            f"{step:+d}sessions",
            f"at the same minute {abs(step)} session{'s' if abs(step) > 1 else ''} {_side(step)}",
            spans.on_session(step),
        )
        for step in OTHER_SESSIONS
    ]
    for name, words, instants in moved:
        kept = alerts.filter(pl.Series(instants >= 0))
        move = (instants - spans.detected)[instants >= 0]
        elsewhere = kept.with_columns(
            pl.col("detected_ns") + pl.Series(move), pl.col("triggered_ns") + pl.Series(move)
        )
        left_out = alerts.height - kept.height
        note = f"{left_out:,} of {alerts.height:,} alerts had no such time." if left_out else ""
        trades = rerun.trades(alerts=elsewhere)
        arms.append(rerun.arm(ArmGroup.PLACEBO, name, words, None, trades, note=note))
    return arms


def _side(step: int) -> str:
    return "earlier" if step < 0 else "later"


class _Spans:
    """Where each alert and its event lie, and where they may be put instead."""

    def __init__(self, rerun: Rerun, config: VolumeShockConfig) -> None:
        alerts = rerun.result.alerts
        sessions = rerun.result.tape.sessions
        self.detected = alerts["detected_ns"].to_numpy().astype(np.int64)
        events = rerun.result.scan.events.select("event_id", "first_ns", "last_ns")
        spans = (
            alerts.select("event_id", "triggered_ns", "detected_ns")
            .join(events, on="event_id", how="left", maintain_order="left")
            .select(
                first_ns=pl.coalesce("first_ns", "triggered_ns"),
                last_ns=pl.max_horizontal("last_ns", "detected_ns"),
            )
        )
        window_ns = round(max(config.anomaly.windows_seconds) * SECOND_NS)
        hedge_ns = round(config.observation.window_minutes * MINUTE_NS)
        held = [
            limit_minutes(row["flow_class"], row["urgency"], row["response_minutes"], config.plan)
            for row in alerts.select("flow_class", "urgency", "response_minutes").to_dicts()
        ]
        self._held_ns = np.rint(np.array(held) * MINUTE_NS).astype(np.int64)
        self._begin = spans["first_ns"].to_numpy() - window_ns
        last = spans["last_ns"].to_numpy()
        self._end = np.maximum(last + hedge_ns, self.detected + self._held_ns)
        self._sessions = sessions
        self._coverage = rerun.market.bar_coverage
        dates = [
            session_date(sessions, int(sessions.open_ns[index]))
            for index in range(sessions.open_ns.size)
        ]
        self._is_judged = np.isin(np.array(dates), np.array(rerun.sessions))
        self._session = sessions.index_of(self.detected)

    def shifted(self, by_ns: int) -> NDArray[np.int64]:
        """Return the alerts' instants moved within their sessions; -1 where that cannot be."""
        instants = self.detected + by_ns
        return self._allowed(instants, self._session)

    def on_session(self, step: int) -> NDArray[np.int64]:
        """Return the same minutes of other sessions; -1 where there is none."""
        wanted = np.where(self._session >= 0, self._session + step, -1)
        exists = (wanted >= 0) & (wanted < self._sessions.open_ns.size)
        there, here = np.where(exists, wanted, 0), np.maximum(self._session, 0)
        opens = self._sessions.open_ns
        instants = opens[there] + self.detected - opens[here]
        return self._allowed(np.where(exists, instants, -1), wanted)

    def _allowed(
        self, instants: NDArray[np.int64], session: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        leave = instants + self._held_ns
        inside = (session >= 0) & (session == self._sessions.index_of(instants))
        inside &= session == self._sessions.index_of(leave)
        inside &= self._is_judged[np.maximum(session, 0) % self._is_judged.size]
        inside &= (leave < self._begin) | (instants > self._end)
        covered = [
            bool(ok) and self._coverage.contains(int(start), int(end))
            for ok, start, end in zip(inside, instants, leave, strict=True)
        ]
        return np.where(np.array(covered, dtype=bool), instants, -1)
