"""How the underlying moves: volatility, tails, jumps, and the memory of absolute returns."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.studies.stylised_facts.day_shape import DayShape, contrast_definition, u_definition
from hedgeflow.studies.stylised_facts.estimators import (
    autocorrelation,
    autocorrelation_sums,
    jump_share,
    kurtosis,
    moment_sums,
    ratio,
    variation_sums,
)
from hedgeflow.studies.stylised_facts.records import (
    CORRELATION,
    FACTOR,
    SHARE,
    Alike,
    Definition,
    Fact,
    Group,
)
from hedgeflow.studies.stylised_facts.session_sums import SessionSums, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hedgeflow.studies.stylised_facts.estimators import Floats
    from hedgeflow.studies.stylised_facts.records import Curve
    from hedgeflow.studies.stylised_facts.tapes import Day, MarketTapes

_SCALES: Final = ((MINUTE_NS, "1m", "1 min"), (5 * MINUTE_NS, "5m", "5 min"))
_COARSEST_NS: Final = 5 * MINUTE_NS
_ABSOLUTE_LAGS: Final = (1, 10, 60)
_CONT: Final = "Cont 2001"

_VOLATILITY: Final = Definition(
    "volatility", Group.UNDERLYING, "realised volatility", "share",
    "Root of the summed squares of 5-min log returns within sessions, per year of trading minutes.",
    FACTOR, "Andersen and Bollerslev 1997",
)  # fmt: skip
_KURTOSES: Final = tuple(
    Definition(
        f"kurtosis_{key}", Group.UNDERLYING, f"kurtosis of returns, {words}", "number",
        f"Fourth central moment over squared variance of {words} log returns; normal: 3.",
        Alike("factor", 2.0), _CONT,
    )
    for _, key, words in _SCALES
)  # fmt: skip
_RETURN_MEMORY: Final = Definition(
    "return_acf_1", Group.UNDERLYING, "memory of returns, 1 min", "number",
    "Autocorrelation of neighbouring 1-min log returns.",
    CORRELATION, _CONT,
)  # fmt: skip
_ABSOLUTE: Final = tuple(
    Definition(
        f"absolute_acf_{lag}", Group.UNDERLYING, f"memory of absolute returns, {lag} min", "number",
        f"Autocorrelation of absolute 1-min log returns, {lag} apart: volatility clusters.",
        CORRELATION, _CONT,
    )
    for lag in _ABSOLUTE_LAGS
)  # fmt: skip
_JUMPS: Final = Definition(
    "jump_share", Group.UNDERLYING, "variance by jumps", "share",
    "One minus bipower over realised variation of 5-min returns.",
    SHARE, "Barndorff-Nielsen and Shephard 2004",
)  # fmt: skip
_OVERNIGHT: Final = Definition(
    "overnight_share", Group.UNDERLYING, "variance between sessions", "share",
    "Squared log return from a session's last price to the next one's first, over that plus the"
    " squares within sessions.",
    SHARE,
)  # fmt: skip
_U: Final = u_definition("u_variance", "squared returns", Group.UNDERLYING)
_CONTRAST: Final = contrast_definition("day_contrast_variance", "squared returns", Group.UNDERLYING)
_U_VOLUME: Final = u_definition("u_hedge_volume", "hedge volume")
_CONTRAST_VOLUME: Final = contrast_definition("day_contrast_hedge_volume", "hedge volume")

DEFINITIONS: Final = (
    _VOLATILITY, *_KURTOSES, _RETURN_MEMORY, *_ABSOLUTE, _JUMPS, _OVERNIGHT, _U, _CONTRAST,
)  # fmt: skip
TIME_OF_DAY: Final = (_U_VOLUME, _CONTRAST_VOLUME)


class Prices:
    """Collects the returns and the volume of the bars."""

    def __init__(self, tapes: MarketTapes) -> None:
        self._tapes = tapes
        self._sums = SessionSums()
        self._variance = DayShape(tapes)
        self._volume = DayShape(tapes)
        self._traded = 0.0
        self._before: tuple[int, float] | None = None
        self._reason = self._unusable()

    def _unusable(self) -> str:
        bars = self._tapes.bars
        if bars is None:
            return "no bars of the underlying"
        return "" if bars.resolution_ns <= _COARSEST_NS else "bars are longer than 5 min"

    def see(self, day: Day) -> None:
        """Add the returns and the volume of a session."""
        if self._reason or day.bars.is_empty():
            return
        bars = day.bars
        step = self._tapes.bars.resolution_ns if self._tapes.bars else 0
        stamps, closes = bars["ts"].to_numpy(), bars["close"].to_numpy()
        if step <= MINUTE_NS:
            self._see_minutes(*_prices(bars, MINUTE_NS))
        self._see_five_minutes(*_prices(bars, _COARSEST_NS))
        self._see_nights(day, bars)
        bucket = day.buckets(stamps)
        follows = np.diff(stamps) == step
        squares = np.append(0.0, np.where(follows, np.diff(np.log(closes)) ** 2, 0.0))
        self._variance.add(day, bucket, squares, day.bar_coverage)
        volume = bars["volume"].to_numpy()
        self._volume.add(day, bucket, volume, day.bar_coverage)
        self._traded += float(volume.sum())

    def _see_minutes(self, stamps: NDArray[np.int64], closes: Floats) -> None:
        returns = _returns(stamps, closes, MINUTE_NS)
        self._sums.add("kurtosis_1m", moment_sums(np.concatenate([np.empty(0), *returns])))
        self._sums.add(_RETURN_MEMORY.key, autocorrelation_sums(returns, 1))
        sizes = [np.abs(piece) for piece in returns]
        for lag, definition in zip(_ABSOLUTE_LAGS, _ABSOLUTE, strict=True):
            self._sums.add(definition.key, autocorrelation_sums(sizes, lag))

    def _see_five_minutes(self, stamps: NDArray[np.int64], closes: Floats) -> None:
        returns = _returns(stamps, closes, _COARSEST_NS)
        every = np.concatenate([np.empty(0), *returns])
        self._sums.add("kurtosis_5m", moment_sums(every))
        self._sums.add(_JUMPS.key, variation_sums(returns))
        self._sums.add(_VOLATILITY.key, np.array([(every**2).sum(), every.size]))

    def _see_nights(self, day: Day, bars: pl.DataFrame) -> None:
        if self._before is not None and self._before[0] == day.number - 1:
            night = np.log(bars["open"][0] / self._before[1])
            within = np.diff(np.log(bars["close"].to_numpy()))
            self._sums.add(_OVERNIGHT.key, np.array([night**2, night**2 + (within**2).sum()]))
        self._before = (day.number, bars["close"][-1])

    def facts(self) -> Iterator[Fact]:
        """Yield the facts."""
        sums, reason = self._sums, self._reason
        coarse = reason or ("" if sums.sessions("kurtosis_1m") else "bars are longer than 1 min")
        yield sums.fact(
            _VOLATILITY, _VOLATILITY.key,
            partial(_annualised, minutes=self._tapes.sessions.minutes_per_year),
            reason=reason, observations=1,
        )  # fmt: skip
        for definition, why in zip(_KURTOSES, (coarse, reason), strict=True):
            yield sums.fact(definition, definition.key, kurtosis, reason=why, observations=0)
        for definition in (_RETURN_MEMORY, *_ABSOLUTE):
            yield sums.fact(
                definition, definition.key, autocorrelation, reason=coarse, observations=3
            )
        yield sums.fact(_JUMPS, _JUMPS.key, jump_share, reason=reason)
        night = reason or ("" if self._tapes.closes else "the market never closes")
        if not night and not sums.sessions(_OVERNIGHT.key):
            night = "no two sessions follow each other"
        yield sums.fact(_OVERNIGHT, _OVERNIGHT.key, ratio, reason=night)
        yield self._variance.u_fact(_U, reason)
        yield self._variance.contrast_fact(_CONTRAST, reason)

    def time_of_day(self) -> Iterator[Fact]:
        """Yield the shape of the hedge's volume."""
        reason = self._volume_reason()
        yield self._volume.u_fact(_U_VOLUME, reason)
        yield self._volume.contrast_fact(_CONTRAST_VOLUME, reason)

    def curves(self) -> Iterator[Curve]:
        """Yield volume and squared returns by half hour."""
        if not self._volume_reason():
            yield self._volume.curve("hedge volume")
        if not self._reason:
            yield self._variance.curve("squared returns")

    def _volume_reason(self) -> str:
        if self._reason:
            return self._reason
        return "" if self._traded > 0.0 else "bars carry no volume"


def _prices(bars: pl.DataFrame, scale_ns: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the last close of each interval of a scale, with the interval's start."""
    last = bars.group_by(pl.col("ts") // scale_ns * scale_ns, maintain_order=True).agg(
        pl.col("close").last()
    )
    return last["ts"].to_numpy(), last["close"].to_numpy()


def _returns(stamps: NDArray[np.int64], closes: Floats, step_ns: int) -> list[Floats]:
    """Return log returns between neighbouring intervals, cut where one is missing."""
    return [np.diff(piece) for piece in pieces(np.log(closes), stamps, step_ns) if piece.size > 1]


def _annualised(sums: Floats, minutes: float) -> Floats:
    return np.sqrt(sums[..., 0] / (5.0 * sums[..., 1]) * minutes)
