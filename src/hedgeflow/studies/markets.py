"""One market out of a catalog: the option tape, and the instrument its dealers hedge in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.market.contracts import HedgeInstrument, hedge_instrument
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.sessions import calendar_of_venue, sessions_between
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import MINUTE_NS, SLOT_NS
from hedgeflow.signals.hedge_response import SignedFlow
from hedgeflow.signals.hedge_volume import BarReference
from hedgeflow.signals.trade_reference import TradeReference
from hedgeflow.strategies.volume_shock.rules import observation_rules

if TYPE_CHECKING:
    import polars as pl

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.hedge_reference import HedgeReference
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

SIMULATED_MARK = "SIMULATED:"
"""What the name of a simulated tape's source begins with."""


@dataclass(frozen=True, slots=True)
class Market:
    """What a study of one underlying reads.

    Attributes
    ----------
    catalog : Catalog
    underlying : str
    options : TapeKey
    contracts : polars.DataFrame
    option_coverage, bar_coverage : Coverage
    sessions : Sessions
        Those of the option venue, spanning both tapes.
    hedge : HedgeInstrument
    bars_key : TapeKey
    bars : polars.DataFrame
    trades, quotes : polars.DataFrame or None
        The hedge instrument's ticks, where the catalog has them.
    volume : BarReference
        V5 and daily volume of the hedge instrument.
    flow : SignedFlow or None
        Signed trades of the hedge instrument, summed by the second.
    option_hash : str
        Of the option tape: the data set on which configurations are tried.
    hedge_hash : str
        Of the hedge instrument's tapes.
    simulated : bool
    notes : tuple of str
        What a reader of the results should know about the choice of tapes.
    """

    catalog: Catalog
    underlying: str
    options: TapeKey
    contracts: pl.DataFrame
    option_coverage: Coverage
    bar_coverage: Coverage
    sessions: Sessions
    hedge: HedgeInstrument
    bars_key: TapeKey
    bars: pl.DataFrame
    trades: pl.DataFrame | None
    quotes: pl.DataFrame | None
    volume: BarReference
    flow: SignedFlow | None
    option_hash: str
    hedge_hash: str
    simulated: bool
    notes: tuple[str, ...]

    def reference(self, config: VolumeShockConfig) -> HedgeReference:
        """Return what a scan may ask of the hedge instrument; each scan takes its own.

        A calibrated reference remembers the events of its scan.
        """
        if self.flow is None or config.response.model == "tiers":
            return self.volume
        needed = config.response.calibration_observations
        return TradeReference(
            self.volume, self.flow, observation_rules(config), observations_needed=needed
        )

    def tested_sessions(self, config: VolumeShockConfig) -> tuple[int, ...]:
        """Return the sessions in which the strategy could have traded.

        Both tapes have covered slots there, and, under relative demand, V5 was known.
        """
        both = self.option_coverage.slots(self.sessions) & self.bar_coverage.slots(self.sessions)
        covered = np.flatnonzero(both.any(axis=1)).tolist()
        if config.scale.demand == "absolute":
            return tuple(covered)
        opens = self.sessions.open_ns
        return tuple(
            index for index in covered if self.volume.scale_volume(int(opens[index])) is not None
        )


def load_market(catalog: Catalog, underlying: str, config: VolumeShockConfig) -> Market:
    """Return the market of an underlying as the configuration names it.

    Raises
    ------
    CatalogError
        The catalog has no option tape or no hedge bars of the underlying, or several option
        venues and none was chosen.
    """
    options = _option_tape(catalog, underlying)
    bars_key, notes = _hedge_bars(catalog, underlying, config)
    bars = catalog.read(bars_key)
    summary, bar_summary = catalog.summary(options), catalog.summary(bars_key)
    calendar = config.calendar or calendar_of_venue(options.venue)
    sessions = sessions_between(
        calendar,
        min(_known(summary.first_ns), _known(bar_summary.first_ns)),
        max(_known(summary.last_ns), _known(bar_summary.last_ns)),
    )
    hedge = hedge_instrument(bars_key.instrument, bars_key.venue)
    trades_key = _ticks(catalog, TapeKind.HEDGE_TRADES, bars_key)
    quotes_key = _ticks(catalog, TapeKind.HEDGE_QUOTES, bars_key)
    hedge_keys = [key for key in (bars_key, trades_key, quotes_key) if key is not None]
    trades = catalog.read(trades_key) if trades_key else None
    bar_coverage = catalog.coverage(bars_key)
    volume = BarReference(
        bars,
        bars_key.resolution_ns,
        bar_coverage,
        sessions,
        volume_sessions=config.scale.volume_sessions,
        volume_scale=config.scale.hedge_volume_scale,
        realised_hours=config.scale.realised_hours,
    )
    return Market(
        catalog=catalog,
        underlying=underlying,
        options=options,
        contracts=catalog.contracts(options.venue, underlying),
        option_coverage=catalog.coverage(options),
        bar_coverage=bar_coverage,
        sessions=sessions,
        hedge=hedge,
        bars_key=bars_key,
        bars=bars,
        trades=trades,
        quotes=catalog.read(quotes_key) if quotes_key else None,
        volume=volume,
        flow=None
        if trades is None or trades.is_empty() or trades_key is None
        else SignedFlow.from_trades(trades, catalog.coverage(trades_key), sessions),
        option_hash=catalog.fingerprint([options]),
        hedge_hash=catalog.fingerprint(hedge_keys),
        simulated=_is_simulated(catalog, [options, *hedge_keys]),
        notes=tuple(notes),
    )


def _known(stamp: int | None) -> int:
    """Return a tape's first or last stamp; a tape without rows is refused."""
    if stamp is None:
        raise CatalogError("the tape has no rows", hint="Import a file that has some")
    return stamp


def _option_tape(catalog: Catalog, underlying: str) -> TapeKey:
    found = catalog.find(TapeKind.OPTION_TRADES, underlying)
    if len(found) > 1:
        venues = ", ".join(sorted({key.venue for key in found}))
        raise CatalogError(
            f"{underlying} options were imported from {venues}",
            where=str(catalog.path),
            hint="Keep one option venue of an underlying in a catalog",
        )
    return found[0]


def _hedge_bars(
    catalog: Catalog, underlying: str, config: VolumeShockConfig
) -> tuple[TapeKey, list[str]]:
    """Return the bars to hedge on, and a note on the choice where there was one."""
    found = catalog.find(
        TapeKind.BARS, underlying, venue=config.hedge_venue, instrument=config.hedge_instrument
    )
    usable = [key for key in found if key.resolution_ns <= SLOT_NS]
    if not usable:
        raise CatalogError(
            f"the bars of {underlying} are longer than 5 minutes, so V5 cannot be known",
            where=str(catalog.path),
            hint="Import bars of at most 5 minutes",
        )
    finest: dict[tuple[str, str], TapeKey] = {}
    for key in sorted(usable, key=lambda key: key.resolution_ns):
        finest.setdefault((key.venue, key.instrument), key)
    candidates = list(finest.values())
    if len(candidates) == 1:
        return candidates[0], []
    volumes = {key: _median_slot_volume(catalog, key) for key in candidates}
    chosen = max(candidates, key=lambda key: (volumes[key], key.venue, key.instrument))
    listed = ", ".join(f"{key.venue} {key.instrument} {volumes[key]:,.1f}" for key in candidates)
    note = (
        f"Hedge instrument: {chosen.instrument} on {chosen.venue}, the most traded of the"
        f" catalog's over all of their bars, later ones included (median 5-minute volume:"
        f" {listed}); set hedge_venue to choose one beforehand."
    )
    return chosen, [note]


def _median_slot_volume(catalog: Catalog, key: TapeKey) -> float:
    """Return the median over all recorded slots, silent ones included, underlying units."""
    bars = catalog.read(key)
    slots = bars["ts"].dt.timestamp("ns").to_numpy() // SLOT_NS
    sums = np.bincount(slots - slots[0], weights=bars["volume"].to_numpy())
    recorded = np.bincount(slots - slots[0]) > 0
    return float(np.median(sums[recorded]))


def _ticks(catalog: Catalog, kind: TapeKind, bars: TapeKey) -> TapeKey | None:
    keys = catalog.keys()
    same = [
        key
        for key in keys
        if (key.kind, key.venue, key.instrument) == (kind, bars.venue, bars.instrument)
    ]
    return min(same, key=lambda key: key.resolution_ns) if same else None


def _is_simulated(catalog: Catalog, keys: list[TapeKey]) -> bool:
    return any(
        manifest.source.startswith(SIMULATED_MARK)
        for manifest in catalog.imports()
        if manifest.key in keys
    )


def describe_resolution(resolution_ns: int) -> str:
    """Return a stamps' resolution in words."""
    if resolution_ns >= MINUTE_NS:
        return f"{resolution_ns / MINUTE_NS:g} min"
    return (
        f"{resolution_ns / 1e9:g} s"
        if resolution_ns >= 1_000_000_000
        else (f"{resolution_ns / 1e6:g} ms")
    )
