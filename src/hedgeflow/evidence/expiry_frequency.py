"""How often is an expiry day traded: days on which nothing expires cannot be, and do not count."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hedgeflow.evidence.estimates import EffectKind, Estimate, FloatArray, Measure, missing
from hedgeflow.evidence.resampling import METHOD, Resampling, by_session, clustered_mean
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import Trades


def frequency_measures(
    tables: EvidenceTables, trades: Trades, classes: Iterable[str], resampling: Resampling
) -> dict[tuple[str, str], Measure]:
    """Return the trades per expiry day, of all trades and of each class.

    Parameters
    ----------
    tables : EvidenceTables
        Sessions, and `expiries` that say on which of them options expire; nothing without.
    trades : Trades
    classes : iterable of str
    resampling : Resampling
        Session draws.
    """
    if tables.expiries is None:
        return {}
    days = set(tables.expiries.filter("is_expiry")["date"].to_list())
    of = np.array([session in days for session in tables.sessions], dtype=np.bool_)
    expiry = np.flatnonzero(of).astype(np.int64)
    parts = {"": trades} | {name: trades.of_class(name) for name in classes}
    return {
        ("trades_per_expiry_day", name): Measure(
            _frequency(part, expiry, resampling), part.count, kind=EffectKind.MEAN
        )
        for name, part in parts.items()
    }


def _frequency(trades: Trades, expiry: np.ndarray, resampling: Resampling) -> Estimate:
    method = f"trades an expiry day, those without trades counted, {METHOD}"
    if expiry.size == 0:
        return missing("options expire on no session", method=method)
    if trades.count == 0:
        return missing("no trades", n=int(expiry.size), method=method)
    ones: FloatArray = np.ones(trades.count)
    counts = by_session(ones, trades.session, resampling.sessions)[expiry]
    return clustered_mean(counts, expiry, resampling, what="trades an expiry day")
