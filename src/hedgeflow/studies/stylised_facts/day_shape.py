"""The shape of a session: rates by half hour, and what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.studies.stylised_facts.estimators import summed
from hedgeflow.studies.stylised_facts.records import Alike, Curve, Definition, Fact, Group
from hedgeflow.studies.stylised_facts.session_sums import SessionSums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.market.coverage import Coverage
    from hedgeflow.studies.stylised_facts.estimators import Floats
    from hedgeflow.studies.stylised_facts.tapes import Day, MarketTapes

_FACTOR: Final = Alike("factor", 1.5)
_BUCKETS_OF_SIX_HOURS: Final = 12
_LEAST_BUCKETS: Final = 6
_RATES: Final = "rates"


def u_definition(key: str, what: str, group: Group = Group.TIME_OF_DAY) -> Definition:
    """Return the definition of how much busier a session's ends are than its middle."""
    return Definition(
        key, group, f"ends over middle, {what}", "factor",
        f"Mean rate of the first and the last half hour of the session over that of its middle"
        f" third, {what}; half days are left out.",
        _FACTOR, "Andersen and Bollerslev 1997",
    )  # fmt: skip


def contrast_definition(key: str, what: str, group: Group = Group.TIME_OF_DAY) -> Definition:
    """Return the definition of how much a day's rate varies where no market closes."""
    return Definition(
        key, group, f"busiest over quietest six hours, {what}", "factor",
        f"Rate of the six neighbouring hours of the UTC day with the highest over that of those"
        f" with the lowest, {what}.",
        _FACTOR, "Andersen and Bollerslev 1997",
    )  # fmt: skip


def hour_definition(key: str, name: str, what: str) -> Definition:
    """Return the definition of a time of day."""
    return Definition(
        key, Group.TIME_OF_DAY, name, "hours",
        f"Hours from the session's start (midnight UTC where no market closes) to the start of"
        f" the half hour in which {what}.",
        Alike("cycle", 2.0),
    )  # fmt: skip


class DayShape:
    """Collects how much happened in each half hour, and for how long it was recorded."""

    def __init__(self, tapes: MarketTapes) -> None:
        self._closes = tapes.closes
        self._buckets = tapes.buckets
        self._sums = SessionSums()

    def add(self, day: Day, bucket: NDArray[np.int64], amount: Floats, coverage: Coverage) -> None:
        """Add a session's events; half days do not count where the market closes."""
        if self._closes and not day.is_whole:
            return
        starts, _ = day.recorded(MINUTE_NS, coverage)
        self._sums.add(
            _RATES,
            np.stack(
                [
                    summed(bucket, amount, self._buckets),
                    summed(day.buckets(starts), np.ones(starts.size), self._buckets),
                ]
            ),
        )

    def u_fact(self, definition: Definition, reason: str) -> Fact:
        """Return the ends over the middle."""
        if not reason and not self._closes:
            reason = "the market never closes"
        if not reason and self._buckets < _LEAST_BUCKETS:
            reason = "sessions are too short"
        third = self._buckets // 3

        def ends_over_middle(sums: Floats) -> Floats:
            rate = _rates(sums)
            middle = rate[..., third : self._buckets - third].mean(axis=-1)
            return 0.5 * (rate[..., 0] + rate[..., -1]) / middle

        return self._sums.fact(definition, _RATES, ends_over_middle, reason=reason)

    def contrast_fact(self, definition: Definition, reason: str) -> Fact:
        """Return the busiest over the quietest six hours."""
        if not reason and self._closes:
            reason = "the market closes: see its ends over its middle"

        def contrast(sums: Floats) -> Floats:
            around = np.concatenate([sums, sums[..., : _BUCKETS_OF_SIX_HOURS - 1]], axis=-1)
            cumulated = np.concatenate(
                [np.zeros((*sums.shape[:-1], 1)), around.cumsum(axis=-1)], axis=-1
            )
            window = (
                cumulated[..., _BUCKETS_OF_SIX_HOURS:] - cumulated[..., :-_BUCKETS_OF_SIX_HOURS]
            )
            rate = _rates(window)
            return rate.max(axis=-1) / rate.min(axis=-1)

        return self._sums.fact(definition, _RATES, contrast, reason=reason)

    def hour_fact(self, definition: Definition, reason: str, *, busiest: bool) -> Fact:
        """Return the start of the busiest, or the quietest, half hour."""
        if not reason and not self._sums.sessions(_RATES):
            reason = "nothing was recorded"
        if not reason:
            rate = self._rate()
            if np.isfinite(rate).all():
                place = int(rate.argmax() if busiest else rate.argmin())
                return Fact(definition, place / 2.0)
            reason = "not every half hour was recorded"
        return Fact.missing(definition, reason)

    def curve(self, name: str) -> Curve:
        """Return the rate of each half hour over the mean rate."""
        if not self._sums.sessions(_RATES):
            return Curve(name, ())
        rate = self._rate()
        return Curve(name, tuple((rate / np.nanmean(rate)).tolist()))

    def _rate(self) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return _rates(self._sums.total(_RATES))


def _rates(sums: Floats) -> Floats:
    return sums[..., 0, :] / np.where(sums[..., 1, :] > 0.0, sums[..., 1, :], np.nan)
