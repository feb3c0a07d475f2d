"""One market: the option tape, and the instrument its dealers hedge in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.market.contracts import HedgeInstrument, hedge_instrument
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.sessions import calendar_of_venue, sessions_between
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.risk import load_volatility_index
from hedgeflow.signals.hedge_response import SignedFlow
from hedgeflow.signals.hedge_volume import BarReference
from hedgeflow.signals.trade_reference import TradeReference
from hedgeflow.strategies.volume_shock.rules import observation_rules
from hedgeflow.studies.hedge_choice import choose_hedge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import polars as pl

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.sessions import Sessions
    from hedgeflow.risk import VolatilityIndex
    from hedgeflow.signals.hedge_reference import HedgeReference
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig


@dataclass(frozen=True, slots=True)
class OptionTape:
    """An option tape that is read day by day, wherever it lies.

    Attributes
    ----------
    key : TapeKey
    rows : int
        Prints; of a part at most so many.
    first_ns, last_ns : int
        Stamps of its first and last print; of a part the last is not after that.
    coverage : Coverage
    slices : callable
        Gives the prints in the order of time, in frames of about a day.
    recorded_last_ns : int or None
        Stamp of the last print of the whole tape, where this is a part; None: it is whole.
    """

    key: TapeKey
    rows: int
    first_ns: int
    last_ns: int
    coverage: Coverage
    slices: Callable[[], Iterable[pl.DataFrame]]
    recorded_last_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Tape:
    """A tape that is held whole.

    Attributes
    ----------
    key : TapeKey
    rows : polars.DataFrame
    coverage : Coverage
    """

    key: TapeKey
    rows: pl.DataFrame
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Market:
    """What a study of one underlying reads.

    Attributes
    ----------
    underlying : str
    option_tape : OptionTape
    contracts : polars.DataFrame
    bar_coverage : Coverage
    sessions : Sessions
        Those of the option venue, spanning all tapes.
    hedge : HedgeInstrument
        Or the index that prices the options, where nothing is to be traded.
    bars_key : TapeKey
    bars : polars.DataFrame
    days : polars.DataFrame or None
        Volumes of the option contracts by session, where they are known.
    trades, quotes : polars.DataFrame or None
        The hedge instrument's trades and best quotes, where they are known.
    quotes_key : TapeKey or None
    volume : BarReference
        V5 and daily volume of the hedge instrument.
    flow : SignedFlow or None
        Signed trades of the hedge instrument, summed by the second.
    volatility_index : VolatilityIndex or None
        The one that the configuration names.
    option_hash : str
        Of the option tape and its days: the data set on which configurations are tried.
    hedge_hash : str
        Of the hedge instrument's tapes, and of open interest where that is read.
    simulated : bool
    notes : tuple of str
        What a reader of the results should know about the choice of tapes.
    from_ns : int or None
        What came before is known, but neither traded nor counted; None: nothing is left out.
    until_ns : int or None
        What came from then on is not in any of the tapes; None: they are whole.
    open_interest : polars.DataFrame or None
        Official open interest of the option contracts, where a strategy reads it.
    underlying_bars : polars.DataFrame or None
        Bars of the options' own underlying, where the hedge instrument is on another one.
    """

    underlying: str
    option_tape: OptionTape
    contracts: pl.DataFrame
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
    volatility_index: VolatilityIndex | None
    option_hash: str
    hedge_hash: str
    simulated: bool
    notes: tuple[str, ...]
    from_ns: int | None = None
    until_ns: int | None = None
    open_interest: pl.DataFrame | None = None
    underlying_bars: pl.DataFrame | None = None

    @property
    def options(self) -> TapeKey:
        """The option tape's key."""
        return self.option_tape.key

    @property
    def option_coverage(self) -> Coverage:
        """What the option tape covers."""
        return self.option_tape.coverage

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

    def tested_sessions(self, *, needs_scale: bool) -> tuple[int, ...]:
        """Return the sessions in which a strategy could have traded.

        Both tapes have covered slots there, and, where it is needed, V5 was known.
        """
        both = self.option_coverage.slots(self.sessions) & self.bar_coverage.slots(self.sessions)
        covered = [
            index
            for index in np.flatnonzero(both.any(axis=1)).tolist()
            if self.from_ns is None or int(self.sessions.close_ns[index]) > self.from_ns
        ]
        if not needs_scale:
            return tuple(covered)
        opens = self.sessions.open_ns
        return tuple(
            index for index in covered if self.volume.scale_volume(int(opens[index])) is not None
        )


def load_market(
    catalog: Catalog, underlying: str, config: StrategyConfig, *, must_trade: bool = True
) -> Market:
    """Return the market of an underlying in a catalog, as the configuration names it.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    config : StrategyConfig
    must_trade : bool
        False where alerts are only found or explained, which an index in place of a hedge
        instrument may do for.

    Raises
    ------
    CatalogError
        The catalog has no option tape or no hedge bars of the underlying, or several option
        tapes; or as `choose_hedge`.
    CatalogError, DataError
        As `load_volatility_index`.
    """
    options = option_tape_key(catalog, underlying)
    days_key = days_tape(catalog, options)
    choice = choose_hedge(catalog, options, config, must_trade=must_trade)
    trades_key = tick_tape(catalog, TapeKind.HEDGE_TRADES, choice.bars)
    quotes_key = tick_tape(catalog, TapeKind.HEDGE_QUOTES, choice.bars)
    option_keys = [key for key in (options, days_key) if key is not None]
    hedge_keys = [key for key in (choice.bars, trades_key, quotes_key) if key is not None]
    return market_of(
        underlying,
        option_tape_of(catalog, options),
        catalog.contracts(options.venue, underlying),
        read_tape(catalog, choice.bars),
        config,
        days=None if days_key is None else read_tape(catalog, days_key),
        trades=None if trades_key is None else read_tape(catalog, trades_key),
        quotes=None if quotes_key is None else read_tape(catalog, quotes_key),
        volatility_index=load_volatility_index(catalog, config.risk),
        option_hash=catalog.fingerprint(option_keys),
        hedge_hash=catalog.fingerprint(hedge_keys),
        simulated=is_simulated(catalog, [*option_keys, *hedge_keys]),
        notes=choice.notes,
    )


def market_of(
    underlying: str,
    options: OptionTape,
    contracts: pl.DataFrame,
    bars: Tape,
    config: StrategyConfig,
    *,
    days: Tape | None = None,
    trades: Tape | None = None,
    quotes: Tape | None = None,
    volatility_index: VolatilityIndex | None = None,
    option_hash: str,
    hedge_hash: str,
    simulated: bool,
    notes: tuple[str, ...] = (),
    open_interest: pl.DataFrame | None = None,
    underlying_bars: pl.DataFrame | None = None,
    hedge: HedgeInstrument | None = None,
    signed_flow: bool = True,
) -> Market:
    """Return the market that tapes make, from a catalog or from memory.

    Parameters
    ----------
    underlying : str
    options : OptionTape
    contracts : polars.DataFrame
        Terms of the option contracts.
    bars : Tape
        Of the hedge instrument.
    config : StrategyConfig
    days : Tape, optional
        Volumes of the option contracts by session.
    trades, quotes : Tape, optional
        Of the hedge instrument.
    volatility_index : VolatilityIndex, optional
    option_hash, hedge_hash : str
        Of what was read.
    simulated : bool
    notes : tuple of str
    open_interest : polars.DataFrame, optional
        Official open interest of the option contracts.
    underlying_bars : polars.DataFrame, optional
        Bars of the options' own underlying, where the hedge instrument is on another one.
    hedge : HedgeInstrument, optional
        What is traded at the bars' prices, where these are not its own.
    signed_flow : bool
        Whether the strategy reads the hedge instrument's signed flow: a sum a second is large.

    Raises
    ------
    CatalogError
        Bars or days have no rows.
    """
    whole = [tape for tape in (bars, days) if tape is not None]
    if any(tape.rows.is_empty() for tape in whole):
        raise _empty()
    sessions = sessions_between(
        config.calendar or calendar_of_venue(options.key.venue),
        min(options.first_ns, *(int(tape.rows["ts"].to_physical()[0]) for tape in whole)),
        max(options.last_ns, *(int(tape.rows["ts"].to_physical()[-1]) for tape in whole)),
    )
    volume = BarReference(
        bars.rows,
        bars.key.resolution_ns,
        bars.coverage,
        sessions,
        volume_sessions=config.scale.volume_sessions,
        volume_scale=config.scale.hedge_volume_scale,
        realised_hours=config.scale.realised_hours,
    )
    return Market(
        underlying=underlying,
        option_tape=options,
        contracts=contracts,
        bar_coverage=bars.coverage,
        sessions=sessions,
        hedge=hedge or hedge_instrument(bars.key.instrument, bars.key.venue),
        bars_key=bars.key,
        bars=bars.rows,
        days=None if days is None else days.rows,
        trades=None if trades is None else trades.rows,
        quotes=None if quotes is None else quotes.rows,
        quotes_key=None if quotes is None else quotes.key,
        volume=volume,
        flow=None
        if trades is None or trades.rows.is_empty() or not signed_flow
        else SignedFlow.from_trades(trades.rows, trades.coverage, sessions),
        volatility_index=volatility_index,
        option_hash=option_hash,
        hedge_hash=hedge_hash,
        simulated=simulated,
        notes=notes,
        open_interest=open_interest,
        underlying_bars=underlying_bars,
    )


def option_tape_of(catalog: Catalog, options: TapeKey) -> OptionTape:
    """Return an option tape of a catalog, to be read day by day."""
    summary = catalog.summary(options)
    return OptionTape(
        key=options,
        rows=summary.rows,
        first_ns=_known(summary.first_ns),
        last_ns=_known(summary.last_ns),
        coverage=summary.coverage,
        slices=lambda: catalog.slices(options),
    )


def read_tape(catalog: Catalog, key: TapeKey) -> Tape:
    """Return a tape of a catalog, whole."""
    return Tape(key, catalog.read(key), catalog.coverage(key))


def _empty() -> CatalogError:
    return CatalogError("the tape has no rows", hint="Import a file that has some")


def _known(stamp: int | None) -> int:
    """Return a tape's first or last stamp; a tape without rows is refused."""
    if stamp is None:
        raise _empty()
    return stamp


def option_tape_key(catalog: Catalog, underlying: str) -> TapeKey:
    """Return the one option tape of an underlying, from the catalog's manifests alone.

    Trades; where there are none, snapshots of the chain.

    Raises
    ------
    CatalogError
        There is none, or there are several.
    """
    keys = catalog.keys()
    kinds = {key.kind for key in keys if key.underlying == underlying and catalog.summary(key).rows}
    snapshots = TapeKind.OPTION_SNAPSHOTS in kinds and TapeKind.OPTION_TRADES not in kinds
    kind = TapeKind.OPTION_SNAPSHOTS if snapshots else TapeKind.OPTION_TRADES
    found = catalog.find(kind, underlying)
    venues = sorted({key.venue for key in found})
    if len(venues) > 1:
        raise CatalogError(
            f"{underlying} options were imported from {', '.join(venues)}",
            where=str(catalog.path),
            hint="Keep one option venue of an underlying in a catalog",
        )
    what = "option chains" if snapshots else "option trades"
    return _of_one_resolution(catalog, found, f"{underlying} {what} of {venues[0]}")


def option_data_hash(catalog: Catalog, underlying: str) -> str:
    """Return the hash of the data set on which configurations are tried, as `Market.option_hash`.

    Raises
    ------
    CatalogError
        As `option_tape_key`.
    """
    options = option_tape_key(catalog, underlying)
    days = days_tape(catalog, options)
    return catalog.fingerprint([options] if days is None else [options, days])


def days_tape(catalog: Catalog, options: TapeKey) -> TapeKey | None:
    """Return the tape of volumes by session beside an option tape; None without one."""
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


def tick_tape(catalog: Catalog, kind: TapeKind, bars: TapeKey) -> TapeKey | None:
    """Return the finest trades or quotes beside bars; None without any."""
    keys = catalog.keys()
    same = [
        key
        for key in keys
        if (key.kind, key.venue, key.instrument) == (kind, bars.venue, bars.instrument)
    ]
    return min(same, key=lambda key: key.resolution_ns) if same else None


def is_simulated(catalog: Catalog, keys: list[TapeKey]) -> bool:
    """Say whether any of these tapes came from the simulator."""
    return any(manifest.simulated for manifest in catalog.imports() if manifest.key in keys)


def describe_resolution(resolution_ns: int) -> str:
    """Return a stamps' resolution in words."""
    if resolution_ns >= MINUTE_NS:
        return f"{resolution_ns / MINUTE_NS:g} min"
    return (
        f"{resolution_ns / 1e9:g} s"
        if resolution_ns >= 1_000_000_000
        else (f"{resolution_ns / 1e6:g} ms")
    )
