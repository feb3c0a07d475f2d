"""When option prints come: how they cluster, and at which time of day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.studies.markets import describe_resolution
from hedgeflow.studies.stylised_facts.day_shape import (
    DayShape,
    contrast_definition,
    hour_definition,
    u_definition,
)
from hedgeflow.studies.stylised_facts.estimators import (
    bucket_sums,
    dispersion,
    dispersion_sums,
    gap_variation,
    ratio,
)
from hedgeflow.studies.stylised_facts.records import SHARE, Alike, Definition, Fact, Group
from hedgeflow.studies.stylised_facts.session_sums import SessionSums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hedgeflow.studies.stylised_facts.records import Curve
    from hedgeflow.studies.stylised_facts.tapes import Day, MarketTapes

_FACTOR_2: Final = Alike("factor", 2.0)
_RESOLUTIONS_PER_INTERVAL: Final = 2
_RESOLUTIONS_PER_GAP: Final = 10.0


def _fano(key: str, words: str) -> Definition:
    return Definition(
        key, Group.CLUSTERING, f"Fano factor, {words}", "number",
        f"Variance over mean of the prints in {words}, around the mean of their half hour of the"
        " day over all sessions; Poisson: 1. Busy and quiet days count as clustering.",
        _FACTOR_2, "Fano 1947; Cont 2001",
    )  # fmt: skip


_FANO: Final = (
    (SECOND_NS, _fano("fano_1s", "1 s")),
    (10 * SECOND_NS, _fano("fano_10s", "10 s")),
    (MINUTE_NS, _fano("fano_1m", "1 min")),
    (5 * MINUTE_NS, _fano("fano_5m", "5 min")),
)
_OWN: Final = tuple(
    (
        scale,
        Definition(
            f"fano_own_{key}", Group.CLUSTERING, f"Fano factor, {words}, within half hours",
            "number",
            f"Variance over mean of the prints in {words} around the mean of the very half hour"
            " that they lie in: busy days and hours do not count as clustering.",
            _FACTOR_2, "Fano 1947; Cont 2001",
        ),
    )
    for scale, key, words in ((MINUTE_NS, "1m", "1 min"), (5 * MINUTE_NS, "5m", "5 min"))
)  # fmt: skip
_GAPS: Final = Definition(
    "gap_variation", Group.CLUSTERING, "variation of gaps", "number",
    "Standard deviation over mean of the gaps between neighbouring prints, each over the mean gap"
    " of its half hour of the day; Poisson: 1.",
    Alike("factor", 1.5), "Cont 2001",
)  # fmt: skip
_SAME: Final = Definition(
    "same_contract_minute", Group.CLUSTERING, "not alone in contract and minute", "share",
    "Share of prints whose contract prints again within the same clock minute.",
    SHARE,
)  # fmt: skip
_U = u_definition("u_prints", "option prints")
_U_VOLUME = u_definition("u_volume", "option volume")
_CONTRAST = contrast_definition("day_contrast_prints", "option prints")
_BUSIEST = hour_definition("busiest", "busiest half hour", "most option prints come")
_QUIETEST = hour_definition("quietest", "quietest half hour", "fewest option prints come")

CLUSTERING: Final = (*(each for _, each in (*_FANO, *_OWN)), _GAPS, _SAME)
TIME_OF_DAY: Final = (_U, _U_VOLUME, _CONTRAST, _BUSIEST, _QUIETEST)


class Arrivals:
    """Collects counts, gaps and times of day of option prints."""

    def __init__(self, tapes: MarketTapes) -> None:
        self._reason = "" if tapes.options else f"no option trades of {tapes.underlying}"
        self._resolution = tapes.options.resolution_ns if tapes.options else 0
        self._sums = SessionSums()
        self._buckets = tapes.buckets
        self._prints = DayShape(tapes)
        self._volume = DayShape(tapes)
        self._most_in_minute = 0

    @property
    def bars_only(self) -> str:
        """Why the rows are no prints: there is one a contract and minute at most."""
        coarse = self._resolution >= MINUTE_NS
        if self._reason or not coarse or self._most_in_minute != 1:
            return ""
        return "the tape has one row a contract and minute: bars, not prints"

    def see(self, day: Day) -> None:
        """Count the prints of a session."""
        prints = day.prints
        if prints.is_empty():
            return
        stamps = prints["ts"].to_numpy()
        for scale, definition in _FANO:
            if scale >= _RESOLUTIONS_PER_INTERVAL * self._resolution:
                bucket, counts = day.counts(stamps, scale, day.option_coverage)
                self._sums.add(definition.key, bucket_sums(bucket, counts, self._buckets))
        for scale, definition in _OWN:
            bucket, counts = day.counts(stamps, scale, day.option_coverage)
            own = dispersion_sums(bucket_sums(bucket, counts, self._buckets))
            self._sums.add(definition.key, own)
        self._sums.add(_GAPS.key, bucket_sums(*_gaps(day, stamps), self._buckets))
        alone, most = _alone(prints)
        self._most_in_minute = max(self._most_in_minute, most)
        self._sums.add(_SAME.key, np.array([prints.height - alone, prints.height]))
        bucket = day.buckets(stamps)
        self._prints.add(day, bucket, np.ones(stamps.size), day.option_coverage)
        volume = prints["contracts"].to_numpy()
        self._volume.add(day, bucket, volume, day.option_coverage)

    def clustering(self) -> Iterator[Fact]:
        """Yield the facts of clustering."""
        reason = self._reason or self.bars_only
        coarse = f"stamps of {describe_resolution(self._resolution)} are too coarse"
        for statistic, definitions in ((dispersion, _FANO), (ratio, _OWN)):
            for scale, definition in definitions:
                fine = scale >= _RESOLUTIONS_PER_INTERVAL * self._resolution
                why = reason or ("" if fine else coarse)
                yield self._sums.fact(definition, definition.key, statistic, reason=why)
        yield self._gap_fact(reason, coarse)
        yield self._sums.fact(_SAME, _SAME.key, ratio, reason=reason, observations=1)

    def _gap_fact(self, reason: str, coarse: str) -> Fact:
        if not reason and self._sums.sessions(_GAPS.key):
            count, total, _ = self._sums.total(_GAPS.key).sum(axis=0)
            if total < _RESOLUTIONS_PER_GAP * self._resolution * count:
                reason = coarse
        return self._sums.fact(_GAPS, _GAPS.key, gap_variation, reason=reason)

    def time_of_day(self) -> Iterator[Fact]:
        """Yield the facts of the time of day."""
        rows = self._reason or self.bars_only
        yield self._prints.u_fact(_U, rows)
        yield self._volume.u_fact(_U_VOLUME, self._reason)
        yield self._prints.contrast_fact(_CONTRAST, rows)
        yield self._prints.hour_fact(_BUSIEST, rows, busiest=True)
        yield self._prints.hour_fact(_QUIETEST, rows, busiest=False)

    def curves(self) -> Iterator[Curve]:
        """Yield the prints and the volume by half hour."""
        if not self._reason:
            if not self.bars_only:
                yield self._prints.curve("option prints")
            yield self._volume.curve("option volume")


def _gaps(day: Day, stamps: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return bucket and length, in ns, of the gaps that were recorded whole."""
    coverage = day.option_coverage
    interval = np.searchsorted(coverage.start_ns, stamps, side="right")
    unbroken = np.diff(interval) == 0
    return day.buckets(stamps[:-1][unbroken]), np.diff(stamps)[unbroken].astype(np.float64)


def _alone(prints: pl.DataFrame) -> tuple[int, int]:
    """Return the prints without another in contract and minute, and the most of one minute."""
    together = prints.group_by("contract", pl.col("ts") // MINUTE_NS).len()["len"]
    return int((together == 1).sum()), int(together.to_numpy().max())
