"""A part of a market: what came before is known, what comes after does not exist."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market.errors import CatalogError
from hedgeflow.market.time import iso
from hedgeflow.studies.markets import OptionTape, Tape, market_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market


def within(
    market: Market,
    config: VolumeShockConfig,
    *,
    from_ns: int | None = None,
    until_ns: int | None = None,
) -> Market:
    """Return a market that ends before `until_ns` and is traded from `from_ns` on.

    A vault, a fold of a walk-forward and a sealed hold-out are such parts. Tapes are cut at
    `until_ns`: whatever was not known by then is absent from baselines, calibrations and fills.
    What came before `from_ns` still makes baselines, as it would have on that day.

    Look-ahead: nothing stamped or known at `until_ns` or later is in any tape.

    Parameters
    ----------
    market : Market
        Whole, or a part of which a smaller one is taken.
    config : VolumeShockConfig
    from_ns, until_ns : int, optional
        UTC nanoseconds.

    Raises
    ------
    CatalogError
        Nothing is left.
    """
    if until_ns is None:
        return replace(market, from_ns=_later(market.from_ns, from_ns))
    tape = market.option_tape
    if tape.first_ns >= until_ns:
        raise CatalogError(
            f"nothing was recorded before {iso(until_ns)}",
            where=f"{tape.key.underlying} option trades",
            hint="Choose a later end",
        )
    options = OptionTape(
        key=tape.key,
        rows=tape.rows,
        first_ns=tape.first_ns,
        last_ns=min(tape.last_ns, until_ns - 1),
        coverage=tape.coverage.until(until_ns),
        slices=lambda: _before(tape, until_ns),
    )

    def known(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(pl.col("known_at").dt.timestamp("ns") <= until_ns)

    bars = Tape(market.bars_key, known(market.bars), market.bar_coverage.until(until_ns))
    coverage = bars.coverage if market.flow is None else market.flow.coverage
    ticks = bars.coverage if coverage is None else coverage.until(until_ns)
    days = market.days
    part = market_of(
        market.underlying,
        options,
        market.contracts,
        bars,
        config,
        days=None if days is None else Tape(tape.key, known(days), options.coverage),
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
    )
    return replace(part, from_ns=_later(market.from_ns, from_ns), until_ns=until_ns)


def _before(tape: OptionTape, until_ns: int) -> Iterable[pl.DataFrame]:
    for frame in tape.slices():
        kept = frame.filter(pl.col("ts").dt.timestamp("ns") < until_ns)
        if kept.height:
            yield kept
        if kept.height < frame.height:
            return


def _later(first: int | None, second: int | None) -> int | None:
    given = [each for each in (first, second) if each is not None]
    return max(given, default=None)
