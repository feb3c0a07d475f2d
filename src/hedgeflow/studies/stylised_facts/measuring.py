"""From the tapes of a catalog to its stylised facts, session by session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.market.sessions import session_date
from hedgeflow.studies.stylised_facts import arrivals, flow, positions, prices, sizes, spreads
from hedgeflow.studies.stylised_facts.arrivals import Arrivals
from hedgeflow.studies.stylised_facts.flow import Flow
from hedgeflow.studies.stylised_facts.positions import Positions
from hedgeflow.studies.stylised_facts.prices import Prices
from hedgeflow.studies.stylised_facts.records import MarketFacts
from hedgeflow.studies.stylised_facts.sizes import Sizes
from hedgeflow.studies.stylised_facts.spreads import Spreads
from hedgeflow.studies.stylised_facts.tapes import no_rows, open_tapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.market.catalog import Catalog

DEFINITIONS: Final = (
    *sizes.DEFINITIONS,
    *arrivals.CLUSTERING,
    *arrivals.TIME_OF_DAY,
    *prices.TIME_OF_DAY,
    *spreads.DEFINITIONS,
    *flow.DEFINITIONS,
    *positions.DEFINITIONS,
    *prices.DEFINITIONS,
    *positions.OPEN_INTEREST,
)
"""Every fact, in the order in which they are shown."""


def stylised_facts(
    catalog: Catalog,
    underlying: str,
    *,
    calendar: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> MarketFacts:
    """Return the stylised facts of an underlying's tapes.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    calendar : str, optional
        ``24/7`` or a name of exchange_calendars; without it that of the tapes' venue. Rows outside
        its sessions are not read.
    progress : callable, optional
        Called with the number of the session read and the sessions there are.

    Returns
    -------
    MarketFacts
        Every definition once: a value, or the reason why the tapes do not tell it.

    Raises
    ------
    CatalogError, DataError
        As `open_tapes` and `Catalog.read`; no row lies in a session.
    """
    tapes = open_tapes(catalog, underlying, calendar)
    arriving, sized, wide = Arrivals(tapes), Sizes(tapes), Spreads(tapes)
    flowing, moving, held = Flow(tapes), Prices(tapes), Positions(tapes)
    seen: list[int] = []
    for day in tapes.days():
        for collector in (arriving, sized, wide, flowing, moving, held):
            collector.see(day)
        seen.append(day.open_ns)
        if progress is not None:
            progress(day.number + 1, tapes.sessions.open_ns.size)
    if not seen:
        raise no_rows(catalog, underlying, tapes.sessions.calendar)
    why = arriving.bars_only
    facts = [
        *sized.facts(why),
        *arriving.clustering(),
        *arriving.time_of_day(),
        *moving.time_of_day(),
        *wide.facts(),
        *flowing.facts(why),
        *held.facts(why),
        *moving.facts(),
        *held.open_interest(),
    ]
    return MarketFacts(
        underlying=underlying,
        tapes=tapes.names,
        calendar=tapes.sessions.calendar,
        sessions=len(seen),
        first=session_date(tapes.sessions, seen[0]),
        last=session_date(tapes.sessions, seen[-1]),
        simulated=tapes.simulated,
        facts=tuple(facts),
        curves=(*arriving.curves(), *moving.curves()),
    )
