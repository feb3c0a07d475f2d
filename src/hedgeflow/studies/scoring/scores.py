"""The score of a scan against the truth of the market that it scanned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hedgeflow.market.errors import CatalogError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.simulate import TruthTable, read_scenario, read_truth
from hedgeflow.strategies.volume_shock.rules import scan_rules
from hedgeflow.studies.markets import load_market
from hedgeflow.studies.scanning import scan_market
from hedgeflow.studies.scoring.classes import Confusion, confusions, is_clear
from hedgeflow.studies.scoring.detection import (
    Detection,
    Group,
    Missed,
    detection,
    missed_shocks,
    recall_by_group,
)
from hedgeflow.studies.scoring.estimates import (
    BandScore,
    DemandScore,
    ResponseScores,
    demand_scores,
    response_scores,
)
from hedgeflow.studies.scoring.shocks import found_by, true_shocks
from hedgeflow.studies.scoring.watching import TruthWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.scoring.signing import SigningScore


@dataclass(frozen=True, slots=True)
class Score:
    """How a scan of a simulated market compares with what really happened in it.

    Attributes
    ----------
    scenario : str
        The preset's or file's name.
    seed, sessions, prints, shocks, alerts : int
    clear_shocks : dict of str to int
        Clear cases by class.
    detection : tuple of Detection
    groups : tuple of Group
    missed : tuple of Missed
    classes : tuple of Confusion
    demand : tuple of DemandScore
    band : BandScore
    response : ResponseScores
    signing : SigningScore
    notes : tuple of str
        What the scan says of itself.
    """

    scenario: str
    seed: int
    sessions: int
    prints: int
    shocks: int
    alerts: int
    clear_shocks: dict[str, int]
    detection: tuple[Detection, ...]
    groups: tuple[Group, ...]
    missed: tuple[Missed, ...]
    classes: tuple[Confusion, ...]
    demand: tuple[DemandScore, ...]
    band: BandScore
    response: ResponseScores
    signing: SigningScore
    notes: tuple[str, ...]


def score_catalog(
    catalog: Catalog,
    config: VolumeShockConfig,
    progress: Callable[[int, int], None] | None = None,
) -> Score:
    """Scan a simulated catalog as any other, then compare what was found with its truth.

    Parameters
    ----------
    catalog : Catalog
    config : VolumeShockConfig
    progress : callable, optional
        Called with prints done and prints in all.

    Raises
    ------
    CatalogError
        The catalog is not simulated, its truth is damaged or incomplete, or as `load_market`.

    Notes
    -----
    Look-ahead: the scan reads the tapes, as every scan does; only the comparison reads the truth.
    """
    scenario = read_scenario(catalog.path)
    truth = read_truth(catalog.path, TruthTable.SHOCKS)
    market = load_market(catalog, simulated_underlying(catalog), config, must_trade=False)
    watch = TruthWatch(catalog.path, market, config)
    scan = scan_market(market, config, progress, advance=watch.advance)
    contracts = watch.shock_contracts()
    shocks = true_shocks(truth, contracts, market, config)
    found = found_by(scan, shocks, contracts, config)
    demand, band = demand_scores(found, watch.sign_errors)
    clear = shocks.filter(is_clear(config))["shock_class"].value_counts().sort("shock_class")
    covered = market.option_coverage.intervals
    return Score(
        scenario=scenario.preset,
        seed=scenario.seed,
        sessions=scenario.days,
        prints=scan.prints,
        shocks=shocks.height,
        alerts=scan.alerts.height,
        clear_shocks=dict(clear.rows()),
        detection=detection(found, sum(end - start for start, end in covered)),
        groups=recall_by_group(found),
        missed=missed_shocks(found, watch.without_baseline),
        classes=confusions(found, config),
        demand=demand,
        band=band,
        response=response_scores(found, market, config),
        signing=watch.signing.score(scan_rules(config, 1.0).prints.probabilities),
        notes=(*market.notes, *scan.notes),
    )


def simulated_underlying(catalog: Catalog) -> str:
    """Return the underlying of a simulated catalog's option tape.

    Raises
    ------
    CatalogError
        There is none, or more than one.
    """
    keys = catalog.keys()
    found = {key.underlying for key in keys if key.kind is TapeKind.OPTION_TRADES}
    if len(found) != 1:
        raise CatalogError(
            f"a simulated market has one underlying, this catalog {len(found)}",
            where=str(catalog.path),
            hint="Score a catalog as `hedgeflow simulate` made it, nothing imported into it",
        )
    return found.pop()
