"""One market out of a catalog: the option tape, and the instrument its dealers hedge in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.market.contracts import HedgeInstrument, hedge_instrument
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.sessions import calendar_of_venue, sessions_between
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.hedge_response import SignedFlow
from hedgeflow.signals.hedge_volume import BarReference
from hedgeflow.signals.trade_reference import TradeReference
from hedgeflow.strategies.volume_shock.rules import observation_rules
from hedgeflow.studies.hedge_choice import choose_hedge

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
        Those of the option venue, spanning all tapes.
    hedge : HedgeInstrument
        Or the index that prices the options, where nothing is to be traded.
    bars_key : TapeKey
    bars : polars.DataFrame
    days : polars.DataFrame or None
        Volumes of the option contracts by session, where the catalog has them.
    trades, quotes : polars.DataFrame or None
        The hedge instrument's trades and best quotes, where the catalog has them.
    quotes_key : TapeKey or None
    volume : BarReference
        V5 and daily volume of the hedge instrument.
    flow : SignedFlow or None
        Signed trades of the hedge instrument, summed by the second.
    option_hash : str
        Of the option tape and its days: the data set on which configurations are tried.
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
    days: pl.DataFrame | None
    trades: pl.DataFrame | None
    quotes: pl.DataFrame | None
    quotes_key: TapeKey | None
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

    @property
    def tick_quotes(self) -> pl.DataFrame | None:
        """The quotes to trade on: finer than the bars, which alone know what was between."""
        if self.quotes_key is None or self.quotes_key.resolution_ns >= self.bars_key.resolution_ns:
            return None
        return self.quotes

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


def load_market(
    catalog: Catalog, underlying: str, config: VolumeShockConfig, *, must_trade: bool = True
) -> Market:
    """Return the market of an underlying as the configuration names it.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    config : VolumeShockConfig
    must_trade : bool
        False where alerts are only found or explained, which an index in place of a hedge
        instrument may do for.

    Raises
    ------
    CatalogError
        The catalog has no option tape or no hedge bars of the underlying, or several option
        tapes; or as `choose_hedge`.
    """
    options = _option_tape(catalog, underlying)
    days_key = _days_tape(catalog, options)
    choice = choose_hedge(catalog, options, config, must_trade=must_trade)
    bars_key = choice.bars
    bars = catalog.read(bars_key)
    spanned = [catalog.summary(key) for key in (options, bars_key, days_key) if key is not None]
    sessions = sessions_between(
        config.calendar or calendar_of_venue(options.venue),
        min(_known(each.first_ns) for each in spanned),
        max(_known(each.last_ns) for each in spanned),
    )
    hedge = hedge_instrument(bars_key.instrument, bars_key.venue)
    trades_key = _ticks(catalog, TapeKind.HEDGE_TRADES, bars_key)
    quotes_key = _ticks(catalog, TapeKind.HEDGE_QUOTES, bars_key)
    option_keys = [key for key in (options, days_key) if key is not None]
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
        days=catalog.read(days_key) if days_key else None,
        trades=trades,
        quotes=catalog.read(quotes_key) if quotes_key else None,
        quotes_key=quotes_key,
        volume=volume,
        flow=None
        if trades is None or trades.is_empty() or trades_key is None
        else SignedFlow.from_trades(trades, catalog.coverage(trades_key), sessions),
        option_hash=catalog.fingerprint(option_keys),
        hedge_hash=catalog.fingerprint(hedge_keys),
        simulated=_is_simulated(catalog, [*option_keys, *hedge_keys]),
        notes=choice.notes,
    )


def _known(stamp: int | None) -> int:
    """Return a tape's first or last stamp; a tape without rows is refused."""
    if stamp is None:
        raise CatalogError("the tape has no rows", hint="Import a file that has some")
    return stamp


def _option_tape(catalog: Catalog, underlying: str) -> TapeKey:
    found = catalog.find(TapeKind.OPTION_TRADES, underlying)
    venues = sorted({key.venue for key in found})
    if len(venues) > 1:
        raise CatalogError(
            f"{underlying} options were imported from {', '.join(venues)}",
            where=str(catalog.path),
            hint="Keep one option venue of an underlying in a catalog",
        )
    return _of_one_resolution(catalog, found, f"{underlying} option trades of {venues[0]}")


def _days_tape(catalog: Catalog, options: TapeKey) -> TapeKey | None:
    keys = catalog.keys()
    found = [
        key
        for key in keys
        if (key.kind, key.venue, key.underlying)
        == (TapeKind.OPTION_DAYS, options.venue, options.underlying)
        and catalog.summary(key).rows
    ]
    if not found:
        return None
    return _of_one_resolution(
        catalog, found, f"{options.underlying} option days of {options.venue}"
    )


def _of_one_resolution(catalog: Catalog, found: list[TapeKey], what: str) -> TapeKey:
    if len(found) > 1:
        resolutions = " and of ".join(describe_resolution(key.resolution_ns) for key in found)
        raise CatalogError(
            f"the {what} are there twice, with stamps of {resolutions}: they would count twice",
            where=str(catalog.path),
            hint="Keep one resolution of a tape in a catalog; import the other into its own",
        )
    return found[0]


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
