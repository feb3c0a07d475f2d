"""Do trades of expiration Fridays earn more than those of other expiry days."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from hedgeflow.evidence.day_labels import DAYS_NEEDED, label_p_values
from hedgeflow.evidence.estimates import Measure, missing
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.wording import counted

FRIDAY = 5


def fridays_measure(tables: EvidenceTables, *, seed: int) -> Measure:
    """Return the p-value of Fridays earning no more, one-sided; a session counts once.

    The mean net result of each session that traded, in basis points; which of them are Fridays is
    dealt out again.

    Parameters
    ----------
    tables : EvidenceTables
        Trades, and `expiries` that say on which days options expire.
    seed : int
        Of the labels.
    """
    expiries = tables.expiries
    days: list[str] = []
    if expiries is not None:
        days = expiries.filter("is_expiry")["date"].unique().to_list()
    sessions = (
        tables.trades.filter(pl.col("session").is_in(days))
        .group_by("session")
        .agg(pl.col("net_bps").mean())
        .sort("session")
    )
    friday = np.array(
        [dt.date.fromisoformat(day).isoweekday() == FRIDAY for day in sessions["session"]],
        dtype=np.bool_,
    )
    fridays, others = int(friday.sum()), int((~friday).sum())
    traded = sessions.height
    if min(fridays, others) < DAYS_NEEDED:
        reason = (
            f"trades on {counted(fridays, 'expiration Friday')} and on"
            f" {counted(others, 'other expiry day')}; the test needs {DAYS_NEEDED} of each"
        )
        return Measure(missing(reason, n=traded), traded, exact=True)
    values = sessions["net_bps"].to_numpy().astype(np.float64)
    (p_value,), smallest = label_p_values(values[:, None], friday, seed=seed, sides="greater")
    return Measure(p_value, traded, exact=True, smallest=smallest)
