"""Which side takes: memory of signs and of signed volume, and what prices do with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.studies.stylised_facts.estimators import (
    autocorrelation,
    autocorrelation_sums,
    correlation,
    correlation_sums,
    ratio,
    summed,
)
from hedgeflow.studies.stylised_facts.records import (
    CORRELATION,
    SMALL_SHARE,
    Definition,
    Fact,
    Group,
)
from hedgeflow.studies.stylised_facts.session_sums import SessionSums, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hedgeflow.market.coverage import Coverage
    from hedgeflow.studies.stylised_facts.estimators import Floats
    from hedgeflow.studies.stylised_facts.tapes import Day, MarketTapes

_LAGS: Final = (1, 5, 10, 50)
_SCALES: Final = ((MINUTE_NS, "1m", "1 min"), (5 * MINUTE_NS, "5m", "5 min"))
_HEDGE_SCALES: Final = ((10 * SECOND_NS, "10s", "10 s"), *_SCALES)
_LEAST_BINS: Final = 30
_MEMORY: Final = "Lillo and Farmer 2004; Bouchaud et al. 2004"


def _sign(key: str, words: str, lag: int, text: str) -> Definition:
    return Definition(
        f"{key}_sign_acf_{lag}", Group.FLOW, f"memory of signs, {words}, lag {lag}", "number",
        f"Autocorrelation of the taker's side (+1, −1) over {text} whose side is known, {lag}"
        " apart within a session.",
        CORRELATION, _MEMORY,
    )  # fmt: skip


def _share(key: str, name: str, text: str) -> Definition:
    return Definition(key, Group.FLOW, name, "share", text, SMALL_SHARE)


_OPTION_SIGNS: Final = tuple(
    _sign("option", "option prints", lag, "option prints that are no leg of a complex order,")
    for lag in _LAGS
)
_HEDGE_SIGNS: Final = tuple(_sign("hedge", "hedge trades", lag, "hedge trades") for lag in _LAGS)
_DELTA_FLOW: Final = tuple(
    Definition(
        f"delta_flow_acf_{key}", Group.FLOW, f"memory of option delta flow, {words}", "number",
        f"Autocorrelation, one step apart, of the option delta that takers buy in {words}: side"
        " times units times Black delta, prints whose side is known.",
        CORRELATION, _MEMORY,
    )
    for _, key, words in _SCALES
)  # fmt: skip
_HEDGE_FLOW: Final = tuple(
    Definition(
        f"hedge_flow_acf_{key}", Group.FLOW, f"memory of hedge's signed volume, {words}", "number",
        f"Autocorrelation, one step apart, of buys minus sells in {words}, hedge instrument.",
        CORRELATION, _MEMORY,
    )
    for _, key, words in _HEDGE_SCALES
)  # fmt: skip
_IMPACT: Final = tuple(
    Definition(
        f"flow_return_{key}", Group.FLOW, f"signed volume and return, {words}", "number",
        f"Correlation of buys minus sells with the log return of the last trade's price in {words},"
        " hedge instrument.",
        CORRELATION, "Bouchaud et al. 2004",
    )
    for _, key, words in _HEDGE_SCALES
)  # fmt: skip
_BUYS: Final = _share(
    "option_buy_share", "buys among option prints", "Takers' buys over prints of known side."
)
_HEDGE_BUYS: Final = _share(
    "hedge_buy_share", "buys among hedge trades", "Takers' buys over trades of known side."
)
_UNSIGNED: Final = _share(
    "unsigned_share", "option prints of unknown side", "Prints whose taker's side is not known."
)
_COMPLEX: Final = _share(
    "complex_share", "option prints of complex orders", "Prints that are a leg of a complex order."
)
_BLOCK: Final = _share(
    "block_share", "option prints of block trades", "Prints that belong to a block trade."
)

DEFINITIONS: Final = (
    *_OPTION_SIGNS, *_DELTA_FLOW, _BUYS, _UNSIGNED, _COMPLEX, _BLOCK,
    *_HEDGE_SIGNS, *_HEDGE_FLOW, _HEDGE_BUYS, *_IMPACT,
)  # fmt: skip


class Flow:
    """Collects signs and signed volumes of options and of the hedge instrument."""

    def __init__(self, tapes: MarketTapes) -> None:
        self._tapes = tapes
        self._sums = SessionSums()

    def see(self, day: Day) -> None:
        """Add the signed flow of a session."""
        if day.prints.height:
            self._see_options(day)
        if day.trades.height:
            self._see_hedge(day)

    def facts(self, bars_only: str) -> Iterator[Fact]:
        """Yield the facts."""
        yield from self._option_facts(bars_only)
        yield from self._hedge_facts()

    def _see_options(self, day: Day) -> None:
        prints = day.prints
        side = prints["aggressor"].to_numpy()
        counted = np.array([prints.height, (side != 0).sum(), (side > 0).sum()])
        self._sums.add("sides", counted)
        marks = np.array([prints["leg"].sum(), prints["block_id"].count(), prints.height])
        self._sums.add("marks", marks)
        simple = side[(side != 0) & ~prints["leg"].to_numpy()].astype(np.float64)
        for lag, definition in zip(_LAGS, _OPTION_SIGNS, strict=True):
            self._sums.add(definition.key, autocorrelation_sums([simple], lag))
        units = (prints["contracts"] * prints["multiplier"] * prints["delta"]).to_numpy()
        flow = np.where(np.isfinite(units), units, 0.0) * side
        coverage = day.option_coverage
        for (scale, _, _), definition in zip(_SCALES, _DELTA_FLOW, strict=True):
            series = _binned(day, prints["ts"].to_numpy(), flow, scale, coverage)
            self._sums.add(definition.key, autocorrelation_sums(series, 1))

    def _see_hedge(self, day: Day) -> None:
        trades = day.trades
        side = trades["aggressor"].to_numpy()
        self._sums.add("hedge sides", np.array([(side > 0).sum(), (side != 0).sum()]))
        known = side[side != 0].astype(np.float64)
        for lag, definition in zip(_LAGS, _HEDGE_SIGNS, strict=True):
            self._sums.add(definition.key, autocorrelation_sums([known], lag))
        stamps, volume = trades["ts"].to_numpy(), trades["size"].to_numpy() * side
        for (scale, _, _), memory, impact in zip(_HEDGE_SCALES, _HEDGE_FLOW, _IMPACT, strict=True):
            series = _binned(day, stamps, volume, scale, day.trade_coverage)
            self._sums.add(memory.key, autocorrelation_sums(series, 1))
            self._sums.add(impact.key, _impact_sums(day, trades, volume, scale))

    def _option_facts(self, bars_only: str) -> Iterator[Fact]:
        tapes = self._tapes
        reason = "" if tapes.options else f"no option trades of {tapes.underlying}"
        sides = "sides"
        if not reason and self._sums.sessions(sides) and not self._sums.total(sides)[1]:
            reason = "the tape knows no prints' sides"
        for definition in _OPTION_SIGNS:
            yield self._sums.fact(
                definition, definition.key, autocorrelation, reason=reason or bars_only,
                observations=3,
            )  # fmt: skip
        for (scale, _, _), definition in zip(_SCALES, _DELTA_FLOW, strict=True):
            coarse = _too_coarse(scale, tapes.options.resolution_ns if tapes.options else 0)
            yield self._sums.fact(
                definition, definition.key, autocorrelation, reason=reason or coarse,
                observations=3, least=_LEAST_BINS,
            )  # fmt: skip
        yield self._sums.fact(_BUYS, sides, _buys, reason=reason, observations=1)
        reason = "" if tapes.options else reason
        yield self._sums.fact(_UNSIGNED, sides, _unsigned, reason=reason, observations=0)
        marked = self._sums.total("marks") if self._sums.sessions("marks") else np.ones(3)
        for place, (definition, what) in enumerate(((_COMPLEX, "a leg"), (_BLOCK, "a block"))):
            unmarked = reason or (
                ""
                if marked[place]
                else f"no print is marked as {what}, so there are none or the tape does not tell"
            )
            yield self._sums.fact(
                definition, "marks", partial(_marked, place=place), reason=unmarked
            )

    def _hedge_facts(self) -> Iterator[Fact]:
        tapes = self._tapes
        reason = "" if tapes.trades else "no trades of the hedge instrument"
        if (
            not reason
            and self._sums.sessions("hedge sides")
            and not self._sums.total("hedge sides")[1]
        ):
            reason = "the tape knows no trades' sides"
        for definition in _HEDGE_SIGNS:
            yield self._sums.fact(
                definition, definition.key, autocorrelation, reason=reason, observations=3
            )
        for definition in _HEDGE_FLOW:
            yield self._sums.fact(
                definition, definition.key, autocorrelation, reason=reason,
                observations=3, least=_LEAST_BINS,
            )  # fmt: skip
        yield self._sums.fact(_HEDGE_BUYS, "hedge sides", ratio, reason=reason, observations=1)
        for definition in _IMPACT:
            yield self._sums.fact(
                definition, definition.key, correlation, reason=reason,
                observations=0, least=_LEAST_BINS,
            )  # fmt: skip


def _buys(sums: Floats) -> Floats:
    return sums[..., 2] / sums[..., 1]


def _unsigned(sums: Floats) -> Floats:
    return 1.0 - sums[..., 1] / sums[..., 0]


def _marked(sums: Floats, place: int) -> Floats:
    return sums[..., place] / sums[..., 2]


def _too_coarse(scale_ns: int, resolution_ns: int) -> str:
    return "" if resolution_ns <= scale_ns else "stamps are coarser than that"


def _binned(
    day: Day, stamps: NDArray[np.int64], amounts: Floats, scale_ns: int, coverage: Coverage
) -> list[Floats]:
    """Return the sums of each recorded interval, silent ones 0, cut where one was not recorded."""
    starts, places = day.recorded(scale_ns, coverage)
    length = int((day.close_ns - day.open_ns) // scale_ns)
    sums = summed((stamps - day.open_ns) // scale_ns, amounts, length)
    return pieces(sums[places], starts, scale_ns)


def _impact_sums(day: Day, trades: pl.DataFrame, volume: Floats, scale_ns: int) -> Floats:
    """Return the sums of the correlation over neighbouring intervals that both had a trade."""
    place = ((trades["ts"] - day.open_ns) // scale_ns).alias("place")
    table = (
        pl.DataFrame({"place": place, "volume": volume, "price": trades["price"]})
        .group_by("place", maintain_order=True)
        .agg(pl.col("volume").sum(), pl.col("price").last())
    )
    places, prices = table["place"].to_numpy(), table["price"].to_numpy()
    neighbours = np.diff(places) == 1
    returns = np.diff(np.log(prices))[neighbours]
    return correlation_sums(table["volume"].to_numpy()[1:][neighbours], returns)
