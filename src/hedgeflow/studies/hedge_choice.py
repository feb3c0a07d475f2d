"""Which instrument of a catalog the dealers in an underlying's options hedge in."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.reading import collect
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import SLOT_NS

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.strategies.settings import StrategyConfig

SAME_UNIT_RATIOS: Final = (0.8, 1.25)
"""Prices of one underlying and of a future on it, apart by carry; an ETF's are a tenth."""


@dataclass(frozen=True, slots=True)
class HedgeChoice:
    """The bars to hedge on.

    Attributes
    ----------
    bars : TapeKey
    is_index : bool
        An index, which prices options and cannot be traded.
    notes : tuple of str
        What a reader of the results should know about the choice.
    """

    bars: TapeKey
    is_index: bool
    notes: tuple[str, ...]


def choose_hedge(
    catalog: Catalog, options: TapeKey, config: StrategyConfig, *, must_trade: bool
) -> HedgeChoice:
    """Return the hedge instrument that the configuration names, else the most traded one.

    An instrument that is named may be on another underlying (SPX options are hedged in ES), if
    its price shows that it counts in the same units.

    Parameters
    ----------
    catalog : Catalog
    options : TapeKey
        The option tape.
    config : StrategyConfig
    must_trade : bool
        False where alerts are only found: with absolute demand, which needs no hedge volume, an
        index will then do.

    Raises
    ------
    CatalogError
        There are no bars, or none of at most 5 minutes; the instrument is an index; its units
        differ from those of the options' underlying.
    """
    candidates = _finest_bars(catalog, options.underlying, config)
    tradable = [key for key in candidates if not is_index(key)]
    if not tradable:
        index = candidates[0].instrument
        if must_trade or config.scale.demand != "absolute":
            raise _not_tradable(index, catalog)
        note = (
            f"{index} is an index and cannot be traded: alerts are found, but there is no hedge"
            " instrument to trade them in."
        )
        return HedgeChoice(candidates[0], is_index=True, notes=(note,))
    chosen, notes = most_traded(catalog, tradable)
    if chosen.underlying != options.underlying:
        notes = [*notes, same_unit(catalog, options, chosen)]
    return HedgeChoice(chosen, is_index=False, notes=tuple(notes))


def is_index(bars: TapeKey) -> bool:
    """Say whether bars are of an index, which cannot be traded."""
    return hedge_instrument(bars.instrument, bars.venue).kind is HedgeKind.INDEX


def _not_tradable(index: str, catalog: Catalog) -> CatalogError:
    return CatalogError(
        f"{index} is an index and cannot be traded",
        where=str(catalog.path),
        hint="Import the future or ETF that its dealers hedge in and name it with"
        " --set hedge_instrument=…; `scan --preset source` finds alerts without one",
    )


def _finest_bars(catalog: Catalog, underlying: str, config: StrategyConfig) -> list[TapeKey]:
    """Return the finest bars of each instrument that may be the hedge, of at most 5 minutes."""
    found = named_bars(catalog, underlying, config)
    usable = [key for key in found if key.resolution_ns <= SLOT_NS]
    if not usable:
        raise CatalogError(
            f"the bars of {config.hedge_instrument or underlying} are longer than 5 minutes, so V5"
            " cannot be known",
            where=str(catalog.path),
            hint="Import bars of at most 5 minutes",
        )
    return usable


def named_bars(catalog: Catalog, underlying: str, config: StrategyConfig) -> list[TapeKey]:
    """Return the finest bars of each instrument that a configuration leaves to be the hedge.

    Raises
    ------
    CatalogError
        There are none.
    """
    venue, instrument = config.hedge_venue, config.hedge_instrument
    keys = catalog.keys()
    named = [
        key
        for key in keys
        if (key.kind, key.instrument) == (TapeKind.BARS, instrument) and venue in {None, key.venue}
    ]
    try:
        found = named or catalog.find(TapeKind.BARS, underlying, venue=venue, instrument=instrument)
    except CatalogError as refusal:
        raise CatalogError(
            refusal.what,
            where=refusal.where,
            hint=f"{refusal.hint}. Import bars of what dealers hedge in: hedgeflow data import bars"
            f" FILE --instrument {instrument or 'SYMBOL'} --catalog {shlex.quote(refusal.where)}",
        ) from refusal
    finest: dict[tuple[str, str], TapeKey] = {}
    for key in sorted(found, key=lambda key: key.resolution_ns):
        finest.setdefault((key.venue, key.instrument), key)
    return list(finest.values())


def most_traded(catalog: Catalog, candidates: list[TapeKey]) -> tuple[TapeKey, list[str]]:
    """Return the bars with the greatest volume, and a note on the choice where there was one."""
    if len(candidates) == 1:
        return candidates[0], []
    volumes = {key: _median_slot_volume(catalog, key) for key in candidates}
    chosen = max(candidates, key=lambda key: (volumes[key], key.venue, key.instrument))
    listed = ", ".join(f"{key.venue} {key.instrument} {volumes[key]:,.1f}" for key in candidates)
    note = (
        f"Hedge instrument: {chosen.instrument} on {chosen.venue}, the most traded of the"
        f" catalog's over all of their bars, later ones included (median 5-minute volume:"
        f" {listed}); set hedge_instrument or hedge_venue to choose one beforehand."
    )
    return chosen, [note]


def _median_slot_volume(catalog: Catalog, key: TapeKey) -> float:
    """Return the median over all recorded slots, silent ones included, underlying units."""
    bars = catalog.read(key)
    slots = bars["ts"].dt.timestamp("ns").to_numpy() // SLOT_NS
    sums = np.bincount(slots - slots[0], weights=bars["volume"].to_numpy())
    recorded = np.bincount(slots - slots[0]) > 0
    return float(np.median(sums[recorded]))


def same_unit(catalog: Catalog, options: TapeKey, bars: TapeKey) -> str:
    """Return a note that a hedge on another underlying counts in the same units, or refuse it.

    Demand is counted in units of the options' underlying; an instrument of a tenth of its price
    would be bought and sold in tenths of what is due.
    """
    of_options = _daily_median(catalog.scan(options), "underlying_price")
    of_bars = _daily_median(catalog.scan(bars), "close")
    both = collect(of_options.join(of_bars, on="date"), catalog.path)
    names = f"{bars.instrument} on {bars.venue} and {options.underlying} options"
    if both.is_empty():
        raise CatalogError(
            f"the tapes of {names} have no day in common",
            where=str(catalog.path),
            hint=f"Import bars of {bars.instrument} for the days of the options",
        )
    ratio = float((both["close"] / both["underlying_price"]).to_numpy().mean())
    low, high = SAME_UNIT_RATIOS
    if not low <= ratio <= high:
        raise CatalogError(
            f"{names} count in different units: the one's price is {ratio:.3g} times that of what"
            " the others are on",
            where=str(catalog.path),
            hint="Hedge in an instrument of the same units, as ES is for SPX; none are converted",
        )
    return (
        f"Hedge instrument: {bars.instrument} on {bars.venue}, whose price is {ratio:.4g} times"
        f" that of {options.underlying}, so that a unit of one is taken for a unit of the other."
    )


def _daily_median(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    return rows.group_by(pl.col("ts").dt.date().alias("date")).agg(pl.col(column).median())
