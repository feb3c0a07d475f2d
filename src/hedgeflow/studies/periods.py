"""A part of a market: what came before is known, what comes after does not exist."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market.errors import CatalogError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import iso
from hedgeflow.studies.markets import OptionTape, Tape, market_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


def within(
    market: Market,
    config: StrategyConfig,
    *,
    from_ns: int | None = None,
    until_ns: int | None = None,
) -> Market:
    """Return a market that ends before `until_ns` and is traded from `from_ns` on.

    A vault, a fold of a walk-forward and a sealed hold-out are such parts. Tapes are cut at
    `until_ns`: whatever was not known by then is absent from baselines, calibrations and fills.
    What came before `from_ns` still makes baselines, as it would have on that day.

    Look-ahead: nothing stamped at `until_ns` or later, or known after it, is in any tape: a bar
    that ends at that instant is the last.

    Parameters
    ----------
    market : Market
        Whole, or a part of which a smaller one is taken.
    config : StrategyConfig
    from_ns, until_ns : int, optional
        UTC nanoseconds.

    Raises
    ------
    CatalogError
        Nothing is left, of the part or of what is to be traded in it.
    """
    begin = _later(market.from_ns, from_ns)
    end = _earlier(market.until_ns, until_ns)
    tape = market.option_tape
    _check_left(tape, begin, end)
    if end is None or end == market.until_ns:
        return replace(market, from_ns=begin)
    options = OptionTape(
        key=tape.key,
        rows=tape.rows,
        first_ns=tape.first_ns,
        last_ns=min(tape.last_ns, end - 1),
        coverage=tape.coverage.until(end),
        slices=lambda: _before(tape, end),
        recorded_last_ns=tape.last_ns if tape.recorded_last_ns is None else tape.recorded_last_ns,
    )

    def known(rows: pl.DataFrame) -> pl.DataFrame:
        # What begins earlier and is known at the end itself is a bar or a day that ends there.
        stamp, known_at = pl.col("ts").dt.timestamp("ns"), pl.col("known_at").dt.timestamp("ns")
        return rows.filter((stamp < end) & (known_at <= end))

    bars = Tape(market.bars_key, known(market.bars), market.bar_coverage.until(end))
    if bars.rows.is_empty():
        raise CatalogError(
            f"no bar of {market.hedge.symbol} was known before {iso(end)}",
            where=f"{tape.key.underlying} hedge bars",
            hint="Choose a later end",
        )
    recorded = None if market.flow is None else market.flow.coverage
    ticks = bars.coverage if recorded is None else recorded.until(end)
    days = None if market.days is None else known(market.days)
    part = market_of(
        market.underlying,
        options,
        market.contracts,
        bars,
        config,
        days=None
        if days is None or days.is_empty()
        else Tape(replace(tape.key, kind=TapeKind.OPTION_DAYS), days, options.coverage),
        trades=None
        if market.trades is None
        else Tape(market.bars_key, known(market.trades), ticks),
        quotes=None
        if market.quotes is None or market.quotes_key is None
        else Tape(market.quotes_key, known(market.quotes), ticks),
        volatility_index=market.volatility_index,
        option_hash=market.option_hash,
        hedge_hash=market.hedge_hash,
        simulated=market.simulated,
        notes=market.notes,
        open_interest=None if market.open_interest is None else known(market.open_interest),
        underlying_bars=None if market.underlying_bars is None else known(market.underlying_bars),
        hedge=market.hedge,
    )
    return replace(part, from_ns=begin, until_ns=end)


def _check_left(tape: OptionTape, begin: int | None, end: int | None) -> None:
    where = f"{tape.key.underlying} option trades"
    if end is not None and tape.first_ns >= end:
        raise CatalogError(
            f"nothing was recorded before {iso(end)}", where=where, hint="Choose a later end"
        )
    if begin is not None and tape.last_ns < begin:
        raise CatalogError(
            f"nothing was recorded from {iso(begin)} on",
            where=where,
            hint="Choose an earlier start",
        )
    if begin is not None and end is not None and begin >= end:
        raise CatalogError(
            f"a period from {iso(begin)} to {iso(end)} has no length",
            where=where,
            hint="Choose an earlier start or a later end",
        )


def _before(tape: OptionTape, end: int) -> Iterable[pl.DataFrame]:
    for frame in tape.slices():
        earlier = frame.filter(pl.col("ts").dt.timestamp("ns") < end)
        kept = earlier.filter(pl.col("known_at").dt.timestamp("ns") <= end)
        if kept.height:
            yield kept
        if earlier.height < frame.height:
            return


def _earlier(first: int | None, second: int | None) -> int | None:
    given = [each for each in (first, second) if each is not None]
    return min(given, default=None)


def _later(first: int | None, second: int | None) -> int | None:
    given = [each for each in (first, second) if each is not None]
    return max(given, default=None)
