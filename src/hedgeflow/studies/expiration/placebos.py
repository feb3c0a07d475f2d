"""An expiration pressure's run where nothing should be found: other days, the other way round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.evidence import Arm, ArmGroup
from hedgeflow.studies.expiration.days import expiry_sessions

if TYPE_CHECKING:
    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.arms.rerun import Rerun

OTHER_SESSIONS: Final = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
SIDED: Final = ("dealer_gamma", "dealer_units")
"""Columns of a condition whose sign is the side that dealers are on."""


def placebo_arms(rerun: Rerun, config: ExpirationPressureConfig) -> list[Arm]:
    """Return the run itself, with every side flipped, and at the same minutes of other days.

    On another day a strike lies as far from the price as it did, and expires as late in the
    session, but no option does: a day on which options of the underlying expire, whether or not the
    tape has them, is no placebo. Open interest, gamma and size are the alert's own.
    """
    conditions = rerun.result.scan.more["conditions"]
    arms = [
        rerun.arm(ArmGroup.PLACEBO, "run", "as it was run", None, rerun.own, reference=True),
        rerun.arm(
            ArmGroup.PLACEBO,
            "flipped",
            "every side flipped",
            None,
            _flipped(rerun, config, conditions),
        ),
    ]
    shifts = _Shifts(rerun)
    for step in OTHER_SESSIONS:
        moved, left_out = shifts.by(conditions, step)
        side = "earlier" if step < 0 else "later"
        sessions = f"{abs(step)} session{'s' if abs(step) > 1 else ''} {side}"
        alerts, note = _alerts_of(rerun, moved), ""
        if left_out:
            note = f"{left_out:,} of {rerun.result.alerts.height:,} alerts had no such day."
        arms.append(
            rerun.arm(
                ArmGroup.PLACEBO,
                f"{step:+d}sessions",
                f"at the same minute {sessions}, a day without an expiry",
                None,
                _replayed(rerun, moved, alerts),
                note=note,
            )
        )
    return arms


def _flipped(
    rerun: Rerun, config: ExpirationPressureConfig, conditions: pl.DataFrame
) -> pl.DataFrame:
    """Return the trades of the other side, whichever the run took."""
    model = config.direction.model
    other = {"pin": "steer-away", "steer-away": "pin"}.get(model, model)
    turned = conditions
    if model == "dealer-gamma":
        turned = conditions.with_columns(-pl.col(name) for name in SIDED)
    return rerun.trades(
        alerts=rerun.result.alerts,
        config=rerun.changed({"direction": {"model": other}}),
        scan=replace(rerun.result.scan, more={**rerun.result.scan.more, "conditions": turned}),
    )


def _replayed(rerun: Rerun, conditions: pl.DataFrame, alerts: pl.DataFrame) -> pl.DataFrame:
    scan = rerun.result.scan
    moved = replace(scan, more={**scan.more, "conditions": conditions})
    return rerun.trades(alerts=alerts, scan=moved)


def _alerts_of(rerun: Rerun, conditions: pl.DataFrame) -> pl.DataFrame:
    """Return the alerts that conditions belong to, detected when these begin."""
    first = conditions.group_by("alert_number").agg(begins=pl.col("at_ns").min())
    return (
        rerun.result.alerts.join(
            first, left_on="event_id", right_on="alert_number", maintain_order="left"
        )
        .with_columns(detected_ns="begins", triggered_ns="begins")
        .drop("begins")
    )


class _Shifts:
    """Where conditions may be put instead of where they were."""

    def __init__(self, rerun: Rerun) -> None:
        sessions = rerun.result.tape.sessions
        self._sessions = sessions
        self._coverage = rerun.market.bar_coverage
        self._expires = expiry_sessions(rerun.market, sessions)
        self._alerts = rerun.result.alerts.height

    def by(self, conditions: pl.DataFrame, step: int) -> tuple[pl.DataFrame, int]:
        """Return conditions so many sessions away, and how many alerts have no such day."""
        at = conditions["at_ns"].to_numpy()
        expiry = conditions["expiry_ns"].to_numpy()
        own = self._sessions.index_of(expiry - 1)  # the close included
        there = np.where(own >= 0, own + step, -1)
        exists = (there >= 0) & (there < self._sessions.open_ns.size)
        place = np.where(exists, there, 0)
        exists &= ~self._expires[place]
        closes = self._sessions.close_ns
        # From the close backwards, so that an early close is as near as it was.
        move = closes[place] - closes[np.maximum(own, 0)]
        exists &= np.array(
            [
                bool(ok) and self._coverage.contains(int(start), int(end))
                for ok, start, end in zip(exists, at + move, expiry + move, strict=True)
            ],
            dtype=bool,
        )
        moved = conditions.with_columns(
            at_ns=pl.Series(at + move),
            price_ns=pl.col("price_ns") + pl.Series(move),
            expiry_ns=pl.Series(expiry + move),
        ).filter(pl.Series(exists, dtype=pl.Boolean))
        return moved, self._alerts - moved["alert_number"].n_unique()
