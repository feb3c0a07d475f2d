"""What a study of expiries reads: open interest, the chain's tape, and a price to trade at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.contracts import HedgeInstrument, HedgeKind, hedge_instrument
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.reading import collect
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.risk import load_volatility_index
from hedgeflow.studies.expiration.listings import listing_note, with_listings
from hedgeflow.studies.hedge_choice import is_index, most_traded, named_bars, same_unit
from hedgeflow.studies.markets import (
    days_tape,
    is_simulated,
    market_of,
    option_tape_key,
    option_tape_of,
    read_tape,
    tick_tape,
)

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.markets import Market

STANDING_IN: Final = " (index)"
"""Ends the symbol of an instrument whose prices are an index's."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """The future that an index stands in for: contract terms, and whose fees are charged."""

    future: str
    venue: str
    multiplier: float
    tick: float


STAND_INS: Final = {
    "SPX": StandIn("ES", "cme", 50.0, 0.25),
    "NDX": StandIn("NQ", "cme", 20.0, 0.25),
    "NIFTY": StandIn("the NIFTY future", "nse", 1.0, 0.05),
    "BANKNIFTY": StandIn("the BANKNIFTY future", "nse", 1.0, 0.05),
}
"""By index (CME and NSE contract specifications); NSE sizes are counted in units of the index."""

UNKNOWN_TICK: Final = 0.25
"""Of a future whose contract is not known: the widest of those that are, so that half of it is no
small spread; without a table of its venue it pays the fees of an E-mini."""


def load_expiry_market(
    catalog: Catalog,
    underlying: str,
    config: ExpirationPressureConfig,
    *,
    must_trade: bool = True,
) -> Market:
    """Return the chain of an underlying in a catalog, and what is traded against it.

    The chain's tape is that of option trades, with official open interest beside it, else that of
    snapshots; where these show whole chains, a contract counts as listed from the first that shows
    it. Where only an index's level is known, the index stands in for its future; whoever
    judges such a run has to say that nobody can trade it.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    config : ExpirationPressureConfig
    must_trade : bool
        Taken for the sake of the seam: an index does here in any case.

    Raises
    ------
    CatalogError
        There is no option tape, no open interest, or no price.
    """
    del must_trade
    options = option_tape_key(catalog, underlying)
    contracts = catalog.contracts(options.venue, underlying)
    if options.kind is TapeKind.OPTION_SNAPSHOTS:
        seen = collect(catalog.scan(options).select("contract", "known_at"), catalog.path)
        contracts = with_listings(contracts, seen)
    interest, beside = _open_interest(catalog, options)
    bars, notes = _bars(catalog, options, config)
    hedge = hedge_instrument(bars.instrument, bars.venue)
    if hedge.kind is HedgeKind.INDEX:
        hedge, note = _standing_in(hedge)
        notes = [*notes, note]
    unlisted = listing_note(contracts)
    if unlisted is not None:
        notes = [*notes, unlisted]
    days = days_tape(catalog, options)
    trades = tick_tape(catalog, TapeKind.HEDGE_TRADES, bars)
    quotes = tick_tape(catalog, TapeKind.HEDGE_QUOTES, bars)
    option_keys = [key for key in (options, days) if key is not None]
    own = _own_bars(catalog, options, hedge)
    hedge_keys = [key for key in (bars, trades, quotes, beside, own) if key is not None]
    return market_of(
        underlying,
        option_tape_of(catalog, options),
        contracts,
        read_tape(catalog, bars),
        config,
        days=None if days is None else read_tape(catalog, days),
        trades=None if trades is None else read_tape(catalog, trades),
        quotes=None if quotes is None else read_tape(catalog, quotes),
        volatility_index=load_volatility_index(catalog, config.risk),
        option_hash=catalog.fingerprint(option_keys),
        hedge_hash=catalog.fingerprint(hedge_keys),
        simulated=is_simulated(catalog, [*option_keys, *hedge_keys]),
        notes=tuple(notes),
        open_interest=interest,
        underlying_bars=None if own is None else catalog.read(own),
        hedge=hedge,
        signed_flow=False,
    )


def require_tapes(catalog: Catalog, options: TapeKey, config: ExpirationPressureConfig) -> None:
    """Refuse a catalog that has no price to trade at or no open interest; no tape is read.

    Raises
    ------
    CatalogError
    """
    named_bars(catalog, options.underlying, config)
    _open_interest_key(catalog, options)


def is_stand_in(hedge: HedgeInstrument) -> bool:
    """Say whether an instrument's prices are an index's, at which nobody can trade."""
    return hedge.symbol.endswith(STANDING_IN)


def _standing_in(index: HedgeInstrument) -> tuple[HedgeInstrument, str]:
    terms = STAND_INS.get(index.symbol, StandIn("its future", index.venue, 1.0, UNKNOWN_TICK))
    made = replace(
        index,
        symbol=f"{index.symbol}{STANDING_IN}",
        venue=terms.venue,
        kind=HedgeKind.FUTURE,
        multiplier=terms.multiplier,
        tick=terms.tick,
        lot=1.0,
    )
    note = (
        f"{index.symbol} is an index, at whose level nobody can trade: it stands in for"
        f" {terms.future}, with that contract's size, tick and fees, without its basis and its"
        " volume; money is counted in the index's own currency. Such a run can show what the price"
        " did, and can never be VALIDATED."
    )
    return made, note


def _own_bars(catalog: Catalog, options: TapeKey, hedge: HedgeInstrument) -> TapeKey | None:
    """Return the bars that price the options where the hedge is on another underlying.

    Those of the index before others, which have a basis to it; the finest.
    """
    if hedge.underlying == options.underlying:
        return None
    wanted, tapes = (TapeKind.BARS, options.underlying), catalog.keys()
    return min(
        (key for key in tapes if (key.kind, key.underlying) == wanted),
        key=lambda key: (not is_index(key), key.resolution_ns, key.venue, key.instrument),
        default=None,
    )


def _open_interest(
    catalog: Catalog, options: TapeKey
) -> tuple[pl.DataFrame | None, TapeKey | None]:
    """Return official open interest beside the option tape; snapshots carry their own."""
    key = _open_interest_key(catalog, options)
    if key is None:
        return None, None
    rows = catalog.read(key).filter(pl.col("open_interest").is_not_null())
    return rows.select("ts", "known_at", "contract", "open_interest"), key


def _open_interest_key(catalog: Catalog, options: TapeKey) -> TapeKey | None:
    """Return the tape of official open interest beside an option tape; None of snapshots."""
    if options.kind is TapeKind.OPTION_SNAPSHOTS:
        return None
    tapes = catalog.keys()
    found = [
        key
        for key in tapes
        if (key.kind, key.venue, key.underlying)
        == (TapeKind.OPEN_INTEREST, options.venue, options.underlying)
        and key.instrument == options.underlying
        and catalog.summary(key).rows
    ]
    if found:
        return min(found, key=lambda each: each.resolution_ns)
    days = days_tape(catalog, options)
    if days is not None and catalog.read(days)["open_interest"].is_not_null().any():
        return days
    raise CatalogError(
        f"nothing says how much open interest the options of {options.underlying} have",
        where=str(catalog.path),
        hint="Import it: hedgeflow data import lean, data import chain, or data import table"
        " --kind open_interest",
    )


def _bars(
    catalog: Catalog, options: TapeKey, config: ExpirationPressureConfig
) -> tuple[TapeKey, list[str]]:
    """Return the bars to trade on: what is named, else what can be traded, else the index."""
    candidates = named_bars(catalog, options.underlying, config)
    tradable = [
        key
        for key in candidates
        if hedge_instrument(key.instrument, key.venue).kind is not HedgeKind.INDEX
    ]
    if tradable:
        chosen, notes = most_traded(catalog, tradable)
        if chosen.underlying != options.underlying:
            notes = [*notes, same_unit(catalog, options, chosen)]
        return chosen, notes
    return min(candidates, key=lambda key: key.resolution_ns), []
