"""A simulated market written to a catalog, its truth beside the tapes and never among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.simulate.listing import PERPETUAL, UNDERLYING, VENUE
from hedgeflow.simulate.markets import SimulatedMarket, joined, simulate_days
from hedgeflow.simulate.prints import RESOLUTION_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.simulate.scenario import Scenario

SIMULATED: Final = "SIMULATED:"
"""Every source that the simulator names begins with this."""

TRUTH_FOLDER: Final = "truth"
DAYS_PER_IMPORT: Final = 10

TAPE_KEYS: Final = {
    TapeKind.OPTION_TRADES: TapeKey(
        TapeKind.OPTION_TRADES, VENUE, UNDERLYING, UNDERLYING, RESOLUTION_NS
    ),
    TapeKind.HEDGE_TRADES: TapeKey(
        TapeKind.HEDGE_TRADES, VENUE, UNDERLYING, PERPETUAL, RESOLUTION_NS
    ),
    TapeKind.HEDGE_QUOTES: TapeKey(
        TapeKind.HEDGE_QUOTES, VENUE, UNDERLYING, PERPETUAL, RESOLUTION_NS
    ),
    TapeKind.BARS: TapeKey(TapeKind.BARS, VENUE, UNDERLYING, PERPETUAL, MINUTE_NS),
}
"""The tapes of a simulated market, by kind."""


def write_to_catalog(
    scenario: Scenario, catalog: Catalog, progress: Callable[[int, int], object] | None = None
) -> Path:
    """Simulate a scenario into a catalog and return the file with its truth.

    Tapes are stored in imports of `DAYS_PER_IMPORT` days, which bounds memory. The truth lies in
    ``truth/`` below the catalog, which is no kind of tape, so nothing that reads tapes can meet it;
    its Parquet metadata hold the whole scenario as JSON under ``scenario``.

    Parameters
    ----------
    scenario : Scenario
    catalog : Catalog
        One market each: a second scenario of the same days would be refused or mixed in.
    progress : callable, optional
        Called with the days stored and the days to store.

    Raises
    ------
    DataError, CatalogError
        As `Catalog.store`.
    """
    truth: list[pl.DataFrame] = []
    waiting: list[SimulatedMarket] = []
    source = source_name(scenario)
    for done, day in enumerate(simulate_days(scenario), 1):
        waiting.append(day)
        truth.append(day.truth)
        if len(waiting) == DAYS_PER_IMPORT or done == scenario.days:
            _store(joined(waiting), catalog, source)
            waiting.clear()
            if progress is not None:
                progress(done, scenario.days)
    path = catalog.path / TRUTH_FOLDER / f"{VENUE}-{UNDERLYING}.parquet"
    path.parent.mkdir(exist_ok=True)
    pl.concat(truth).write_parquet(path, metadata={"scenario": scenario.model_dump_json()})
    return path


def source_name(scenario: Scenario) -> str:
    """Return what lists and reports show: the mark, the seed, the days, the effects that are on."""
    named = scenario.preset or "defaults"
    return f"{SIMULATED} {named}, seed {scenario.seed}, {scenario.days} days"


def _store(market: SimulatedMarket, catalog: Catalog, source: str) -> None:
    catalog.store(
        TAPE_KEYS[TapeKind.OPTION_TRADES],
        market.option_trades,
        source=source,
        coverage=market.coverage,
        contracts=market.contracts,
    )
    for kind, frame in (
        (TapeKind.HEDGE_TRADES, market.hedge_trades),
        (TapeKind.HEDGE_QUOTES, market.hedge_quotes),
        (TapeKind.BARS, market.bars),
    ):
        catalog.store(TAPE_KEYS[kind], frame, source=source, coverage=market.coverage)
