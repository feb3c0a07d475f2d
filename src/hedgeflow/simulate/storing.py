"""A simulated market written to a catalog, its truth beside the tapes and never among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from pydantic import ValidationError

from hedgeflow.market.errors import CatalogError
from hedgeflow.market.manifests import SIMULATED_MARK
from hedgeflow.market.reading import between
from hedgeflow.market.tapes import NAMES_CONTRACTS, TapeKey, TapeKind
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.simulate.markets import SimulatedMarket, joined, simulate_days
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.scenario import Scenario
from hedgeflow.simulate.truth import TruthTable
from hedgeflow.simulate.venue import UNDERLYING, hedge_symbol, venue_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hedgeflow.market.catalog import Catalog

TRUTH_FOLDER: Final = "truth"
SCENARIO_FILE: Final = "scenario.json"
ROWS_PER_IMPORT: Final = 1_500_000

_INSTRUMENTS: Final = {
    TapeKind.OPTION_TRADES: UNDERLYING,
    TapeKind.OPTION_QUOTES: UNDERLYING,
    TapeKind.OPEN_INTEREST: UNDERLYING,
}
"""What a kind of tape is of, where that is not the hedge instrument."""


def tape_keys(scenario: Scenario) -> dict[TapeKind, TapeKey]:
    """Return the tapes of a scenario's market, by kind."""
    kinds = [
        TapeKind.OPTION_TRADES,
        TapeKind.HEDGE_TRADES,
        TapeKind.HEDGE_QUOTES,
        TapeKind.BARS,
        TapeKind.OPEN_INTEREST,
    ]
    if scenario.option_quotes.tape:
        kinds.append(TapeKind.OPTION_QUOTES)
    venue, hedge = venue_of(scenario).name, hedge_symbol(scenario)
    return {
        kind: TapeKey(
            kind,
            venue,
            UNDERLYING,
            _INSTRUMENTS.get(kind, hedge),
            MINUTE_NS if kind is TapeKind.BARS else RESOLUTION_NS,
        )
        for kind in kinds
    }


def write_to_catalog(
    scenario: Scenario,
    catalog: Catalog,
    progress: Callable[[int, int], object] | None = None,
    *,
    rows_per_import: int = ROWS_PER_IMPORT,
) -> Path:
    """Simulate a scenario into a catalog and return the folder with its truth.

    Tapes are stored in imports of whole days, which bounds memory. The truth lies in ``truth/``
    below the catalog, which is no kind of tape, so nothing that reads tapes can meet it: a folder
    per `TruthTable` with one Parquet file a stored batch, and the whole scenario as
    ``scenario.json``, written last.

    Parameters
    ----------
    scenario : Scenario
    catalog : Catalog
        An empty one.
    progress : callable, optional
        Called with the days stored and the days to store.
    rows_per_import : int
        Days wait for an import until their tapes have so many rows.

    Raises
    ------
    CatalogError
        The catalog holds tapes, or as `Catalog.store`.
    """
    if catalog.keys():
        raise CatalogError(
            "it holds tapes, and a simulated market stands alone",
            where=str(catalog.path),
            hint="Simulate into a new folder",
        )
    waiting: list[SimulatedMarket] = []
    source = source_name(scenario)
    folder = catalog.path / TRUTH_FOLDER
    for done, day in enumerate(simulate_days(scenario), 1):
        waiting.append(day)
        rows = sum(each.rows for each in waiting)
        if rows >= rows_per_import or done == scenario.days:
            batch = joined(waiting)
            _store(batch, catalog, source)
            _store_truth(batch, folder, f"{done - len(waiting):05d}.parquet")
            waiting.clear()
            if progress is not None:
                progress(done, scenario.days)
    (folder / SCENARIO_FILE).write_text(scenario.model_dump_json(), encoding="utf-8")
    return folder


def read_scenario(catalog_path: Path) -> Scenario:
    """Return the scenario that a simulated catalog was made from.

    Raises
    ------
    CatalogError
        The catalog is not simulated, its simulation was cut off, or the file cannot be read.
    """
    path = catalog_path / TRUTH_FOLDER / SCENARIO_FILE
    if not path.is_file():
        cut_off = path.parent.is_dir()
        raise CatalogError(
            "its simulation was cut off" if cut_off else "it holds no simulated market",
            where=str(catalog_path),
            hint="Make one with `hedgeflow simulate` into a new folder",
        )
    try:
        return Scenario.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as cause:
        raise CatalogError(
            "the scenario of this simulated market cannot be read, or another version made it",
            where=str(path),
            hint="Simulate it again into a new folder",
        ) from cause


def read_truth(
    catalog_path: Path, table: TruthTable, start_ns: int | None = None, end_ns: int | None = None
) -> pl.DataFrame:
    """Return a table of truth of a simulated catalog, with the columns of `TRUTH_SCHEMAS`.

    Look-ahead: all of it; only scores and the judge's accuracy figures may read it.

    Parameters
    ----------
    catalog_path : Path
    table : TruthTable
    start_ns, end_ns : int, optional
        Only rows with ``start_ns <= ts < end_ns``, of a table with times.

    Raises
    ------
    CatalogError
        The catalog is not simulated, its simulation was cut off, or a file cannot be read.
    """
    read_scenario(catalog_path)
    folder = catalog_path / TRUTH_FOLDER / table
    try:
        rows = pl.concat([pl.scan_parquet(path) for path in sorted(folder.glob("*.parquet"))])
        return between(rows, start_ns, end_ns).collect()
    except (OSError, ValueError, pl.exceptions.PolarsError) as cause:
        raise CatalogError(
            f"the truth of this simulated market is missing or damaged ({cause})",
            where=str(folder),
            hint="Simulate it again into a new folder",
        ) from cause


def source_name(scenario: Scenario) -> str:
    """Return what lists and reports show: the mark, the seed, the days, the effects that are on."""
    named = scenario.preset or "defaults"
    return f"{SIMULATED_MARK} {named}, seed {scenario.seed}, {scenario.days} days"


def _store(market: SimulatedMarket, catalog: Catalog, source: str) -> None:
    for kind, key in tape_keys(market.scenario).items():
        catalog.store(
            key,
            getattr(market, kind),
            source=source,
            coverage=market.coverage,
            contracts=market.contracts if kind in NAMES_CONTRACTS else None,
        )


def _store_truth(market: SimulatedMarket, folder: Path, name: str) -> None:
    for table, frame in market.truth_tables().items():
        path = folder / table / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path, compression="zstd", metadata={"simulated": "true"})
