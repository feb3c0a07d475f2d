"""How large option prints are."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from hedgeflow.studies.stylised_facts.estimators import hill, hill_threshold, quantile, top_share
from hedgeflow.studies.stylised_facts.records import (
    FACTOR,
    SCALE,
    SHARE,
    Alike,
    Definition,
    Fact,
    Group,
)
from hedgeflow.studies.stylised_facts.session_sums import LEAST_OBSERVATIONS, Histogram, measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hedgeflow.studies.stylised_facts.estimators import Floats
    from hedgeflow.studies.stylised_facts.tapes import Day, MarketTapes

_LEAST_IN_TAIL: Final = 50


def _scale(key: str, name: str, text: str) -> Definition:
    return Definition(key, Group.SIZES, name, "contracts", text, SCALE)


_QUANTILES: Final = (
    (0.50, _scale("size_median", "median size", "Contracts in a print.")),
    (0.90, _scale("size_p90", "90 % size", "90 % of prints are not larger, contracts.")),
    (0.99, _scale("size_p99", "99 % size", "99 % of prints are not larger, contracts.")),
    (1.00, _scale("size_largest", "largest size", "Contracts in the largest print.")),
)
_SPREAD: Final = Definition(
    "size_p99_over_median", Group.SIZES, "99 % size over median", "number",
    "How far the sizes spread, free of the unit.", FACTOR,
)  # fmt: skip
_TOP: Final = Definition(
    "size_top_share", Group.SIZES, "volume in the largest 1 %", "share",
    "Share of all contracts that the largest 1 % of prints hold.",
    SHARE, "Gopikrishnan et al. 2000",
)  # fmt: skip


def _tail(key: str, words: str, text: str) -> Definition:
    return Definition(
        key, Group.SIZES, f"tail exponent, {words}", "number", text,
        Alike("difference", 0.5), "Hill 1975; Gopikrishnan et al. 2000",
    )  # fmt: skip


_TAILS: Final = (
    (
        0.05,
        _tail(
            "size_tail_5",
            "largest 5 %",
            "Hill's estimate over the threshold beyond which at most the largest 5 % lie, half a"
            " lot above the size below them. Stock trades: about 1.5.",
        ),
    ),
    (
        0.01,
        _tail(
            "size_tail_1",
            "largest 1 %",
            "The same for the largest 1 %. Much above that of 5 %, the tail has an end in sight.",
        ),
    ),
)

DEFINITIONS: Final = (
    *(each for _, each in _QUANTILES), _SPREAD, _TOP, *(each for _, each in _TAILS),
)  # fmt: skip


class Sizes:
    """Collects how often each size was printed."""

    def __init__(self, tapes: MarketTapes) -> None:
        self._reason = "" if tapes.options else f"no option trades of {tapes.underlying}"
        self._histogram = Histogram()
        self._lot = float(tapes.contracts["lot"].min() or 1.0) if tapes.options else 1.0  # pyright: ignore[reportArgumentType] - a minimum of floats

    def see(self, day: Day) -> None:
        """Count the sizes of a session."""
        if day.prints.height:
            self._histogram.add(day.prints["contracts"].to_numpy())

    def facts(self, bars_only: str) -> Iterator[Fact]:
        """Yield the facts; `bars_only` says why rows are no prints, where they are none."""
        reason = self._reason or bars_only
        seen = self._histogram.observations
        if not reason and seen < LEAST_OBSERVATIONS:
            reason = f"too few prints ({seen:,})"
        if reason:
            yield from (Fact.missing(each, reason) for each in DEFINITIONS)
            return
        values, counts = self._histogram.table()
        for level, definition in _QUANTILES:
            found = measured(definition, counts, partial(quantile, values=values, level=level))
            # Draws with replacement cannot tell the spread of a maximum.
            yield replace(found, error=None) if level == 1.0 else found

        def spread(sums: Floats) -> Floats:
            return quantile(sums, values, 0.99) / quantile(sums, values, 0.5)

        yield measured(_SPREAD, counts, spread)
        yield measured(_TOP, counts, partial(top_share, values=values, top=0.01))
        for top, definition in _TAILS:
            yield self._tail(definition, values, counts, top)

    def _tail(self, definition: Definition, values: Floats, counts: Floats, top: float) -> Fact:
        total = counts.sum(axis=0)
        threshold = hill_threshold(total, values, top, self._lot)
        beyond = int(total[values > threshold].sum())
        if beyond < _LEAST_IN_TAIL:
            return Fact.missing(definition, f"too few prints in the tail ({beyond:,})")
        note = f"{beyond:,} prints over {threshold:g} contracts"
        found = measured(
            definition, counts, partial(hill, values=values, threshold=threshold), note
        )
        if found.value is None or found.error is not None:
            return found
        alone = found.value / np.sqrt(beyond)
        return Fact(definition, found.value, float(alone), f"{note}; error as if independent")
