"""How wide quotes are: of options at the print and on their own tape, and of the hedge."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.studies.stylised_facts.estimators import quantile, ratio
from hedgeflow.studies.stylised_facts.option_rows import implied_volatilities
from hedgeflow.studies.stylised_facts.records import SHARE, Alike, Definition, Fact, Group
from hedgeflow.studies.stylised_facts.session_sums import (
    LEAST_OBSERVATIONS,
    Histogram,
    SessionSums,
    measured,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hedgeflow.studies.stylised_facts.estimators import Floats
    from hedgeflow.studies.stylised_facts.tapes import Day, MarketTapes

_FACTOR_2: Final = Alike("factor", 2.0)
_LONGEST_QUOTE_NS: Final = 5 * MINUTE_NS
"""A quote that nothing follows is weighed as if it had stood no longer."""

_DELTAS: Final = (
    ("all", "all", 0.0, 1.01),
    ("wing", "|Δ| < 0.1", 0.0, 0.1),
    ("otm", "|Δ| 0.1–0.4", 0.1, 0.4),
    ("atm", "|Δ| 0.4–0.6", 0.4, 0.6),
    ("itm", "|Δ| > 0.6", 0.6, 1.01),
)


@dataclass(frozen=True, slots=True)
class _Wording:
    key: str
    words: str
    text: str


_AT_PRINT: Final = _Wording("print", "at the print", "of the quote that option prints carry")
_ON_TAPE: Final = _Wording("quote", "quote tape", "of the rows of the option quote tape")


def _relative(where: _Wording) -> tuple[Definition, ...]:
    return tuple(
        Definition(
            f"{where.key}_spread_{key}", Group.SPREADS,
            f"option spread over middle, {where.words}, {words}", "share",
            f"Median of ask minus bid over their middle, {where.text}, where somebody bids; {words}"
            " by delta.",
            _FACTOR_2,
        )
        for key, words, _, _ in _DELTAS
    )  # fmt: skip


def _volatility(where: _Wording) -> tuple[Definition, ...]:
    return tuple(
        Definition(
            f"{where.key}_spread_iv_{key}", Group.SPREADS,
            f"option spread in volatility, {where.words}, {words}", "points",
            f"Median of the ask's implied volatility minus the bid's, percentage points,"
            f" {where.text}, where both exist; {words} by delta.",
            _FACTOR_2,
        )
        for key, words, _, _ in _DELTAS
    )  # fmt: skip


def _no_bid(where: _Wording) -> Definition:
    return Definition(
        f"{where.key}_no_bid", Group.SPREADS, f"no bid, {where.words}", "share",
        f"Share {where.text} with an ask and without a bid.",
        SHARE,
    )  # fmt: skip


_HEDGE_MEDIAN: Final = Definition(
    "hedge_spread_median", Group.SPREADS, "hedge's spread, median", "bps",
    "Median over time of the hedge instrument's best ask minus best bid, over their middle.",
    _FACTOR_2,
)  # fmt: skip
_HEDGE_MEAN: Final = Definition(
    "hedge_spread_mean", Group.SPREADS, "hedge's spread, mean", "bps",
    "Its mean over time.",
    _FACTOR_2,
)  # fmt: skip

DEFINITIONS: Final = (
    *_relative(_AT_PRINT), *_volatility(_AT_PRINT), _no_bid(_AT_PRINT),
    *_relative(_ON_TAPE), *_volatility(_ON_TAPE), _no_bid(_ON_TAPE),
    _HEDGE_MEDIAN, _HEDGE_MEAN,
)  # fmt: skip


@dataclass(slots=True)
class _OptionSpreads:
    """Collects the spreads of one kind of option quotes."""

    where: _Wording
    relative: list[Histogram] = field(
        default_factory=lambda: [Histogram(by_percent=True) for _ in _DELTAS]
    )
    volatility: list[Histogram] = field(
        default_factory=lambda: [Histogram(by_percent=True) for _ in _DELTAS]
    )
    sums: SessionSums = field(default_factory=SessionSums)

    def see(self, rows: pl.DataFrame) -> None:
        offered = rows.filter(pl.col("ask") > 0.0)
        if offered.is_empty():
            return
        is_bid = pl.col("bid").fill_null(0.0) > 0.0
        quoted = offered.filter(is_bid, pl.col("ask") >= pl.col("bid"))
        unbid = offered.filter(~is_bid).height
        self.sums.add("no_bid", np.array([unbid, offered.height]))
        bid, ask = quoted["bid"].to_numpy(), quoted["ask"].to_numpy()
        size = np.abs(quoted["delta"].fill_null(np.nan).to_numpy())
        spread = (ask - bid) / (0.5 * (ask + bid))
        points = 100.0 * (implied_volatilities(quoted, ask) - implied_volatilities(quoted, bid))
        for place, (_, _, low, high) in enumerate(_DELTAS):
            # What cannot be solved has a spread all the same, but no place among the deltas.
            here = (
                np.full(size.shape, fill_value=True)
                if place == 0
                else (size >= low) & (size < high)
            )
            self.relative[place].add(spread[here])
            self.volatility[place].add(points[here & np.isfinite(points)])

    def facts(self, missing: str) -> Iterator[Fact]:
        for definitions, histograms in (
            (_relative(self.where), self.relative),
            (_volatility(self.where), self.volatility),
        ):
            for definition, histogram in zip(definitions, histograms, strict=True):
                yield _median(definition, histogram, missing)
        yield self.sums.fact(_no_bid(self.where), "no_bid", ratio, reason=missing, observations=1)


class Spreads:
    """Collects the spreads of options and of the hedge instrument."""

    def __init__(self, tapes: MarketTapes) -> None:
        self._tapes = tapes
        self._prints = _OptionSpreads(_AT_PRINT)
        self._quotes = _OptionSpreads(_ON_TAPE)
        self._hedge = Histogram(by_percent=True)
        self._sums = SessionSums()

    def see(self, day: Day) -> None:
        """Measure the quotes of a session."""
        self._prints.see(day.prints)
        self._quotes.see(day.quotes)
        if day.hedge_quotes.height > 1:
            spread, weight = _hedge_spreads(day)
            self._hedge.add(spread, weight)
            self._sums.add("hedge", np.array([(spread * weight).sum(), weight.sum(), spread.size]))

    def facts(self) -> Iterator[Fact]:
        """Yield the facts."""
        tapes = self._tapes
        no_prints = "" if tapes.options else f"no option trades of {tapes.underlying}"
        if not no_prints and not self._prints.sums.sessions("no_bid"):
            no_prints = "prints carry no quotes"
        yield from self._prints.facts(no_prints)
        no_tape = "" if tapes.option_quotes else "no tape of option quotes"
        yield from self._quotes.facts(no_tape)
        reason = "" if tapes.hedge_quotes else "no quotes of the hedge instrument"
        if not reason and (
            not self._sums.sessions("hedge") or self._sums.total("hedge")[2] < LEAST_OBSERVATIONS
        ):
            reason = "too few quotes"
        if reason:
            yield Fact.missing(_HEDGE_MEDIAN, reason)
        else:
            values, counts = self._hedge.table()
            yield measured(_HEDGE_MEDIAN, counts, partial(quantile, values=values, level=0.5))
        yield self._sums.fact(_HEDGE_MEAN, "hedge", ratio, reason=reason)


def _median(definition: Definition, histogram: Histogram, missing: str) -> Fact:
    seen = histogram.observations
    if not missing and seen < LEAST_OBSERVATIONS:
        missing = f"too few quotes ({seen:,})"
    if missing:
        return Fact.missing(definition, missing)
    values, counts = histogram.table()
    return measured(definition, counts, partial(quantile, values=values, level=0.5))


def _hedge_spreads(day: Day) -> tuple[Floats, Floats]:
    """Return the spread of each quote in bps, and the seconds for which it stood."""
    quotes = day.hedge_quotes.filter(pl.col("ask") >= pl.col("bid"))
    bid, ask = quotes["bid"].to_numpy(), quotes["ask"].to_numpy()
    stamps = quotes["ts"].to_numpy()
    until = np.append(stamps[1:], day.close_ns)
    stood = np.minimum(until - stamps, _LONGEST_QUOTE_NS) / 1e9
    return 1e4 * (ask - bid) / (0.5 * (ask + bid)), stood
