"""The main job with no data: simulate markets, judge the claim on each, compare the verdicts."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hedgeflow import simulate
from hedgeflow.evidence import read_package
from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError, EvidenceError
from hedgeflow.market.layout import MARKER
from hedgeflow.market.transactions import locked, replace_text
from hedgeflow.simulate import TRUTH_FOLDER, TruthTable, load_scenario, read_truth, write_to_catalog
from hedgeflow.simulate.venue import UNDERLYING
from hedgeflow.studies.backtesting import JOURNAL_FILE
from hedgeflow.studies.scenario_settings import config_of
from hedgeflow.studies.side_by_side import run_side_by_side
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.validation import Validation, check_out, validate, write_validation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hedgeflow.evidence.report.comparison import Judged
    from hedgeflow.simulate import Scenario
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.side_by_side import Stages

BOTH: Final = ("effect", "null")
"""The demo's two markets: one with the effect, one without."""

MARKETS_FOLDER: Final = "markets"
INDEX_FILE: Final = "index.html"


@dataclass(frozen=True, slots=True)
class DemoMarket:
    """A scenario on its way to a verdict.

    Attributes
    ----------
    scenario : Scenario
    out : pathlib.Path
        The demo's folder.
    timestamp : str
        When the demo was run, ISO 8601.
    """

    scenario: Scenario
    out: Path
    timestamp: str

    @property
    def name(self) -> str:
        """What the scenario is called."""
        return self.scenario.preset

    @property
    def package(self) -> Path:
        """The folder of its evidence package."""
        return self.out / f"report-{self.name}"


def demo_scenarios(
    named: str, *, days: int | None = None, seed: int | None = None
) -> tuple[Scenario, ...]:
    """Return the scenarios of a demo.

    Parameters
    ----------
    named : str
        ``both``, a preset's name, or the path of a TOML file.
    days, seed : int, optional
        In place of the scenarios' own.

    Raises
    ------
    ConfigError
        As `load_scenario`.
    """
    numbers = {"days": days, "seed": seed}
    changes = [f"{key}={value}" for key, value in numbers.items() if value is not None]
    return tuple(load_scenario(each, changes) for each in (BOTH if named == "both" else (named,)))


def run_demo(
    markets: Sequence[DemoMarket], progress: Callable[[str, str, int, int], object]
) -> tuple[Judged, ...]:
    """Judge the claim on each market, side by side, and write the page that compares them.

    Each package, each catalog and the page are written whole or not at all; while a demo runs
    there is no page, so that none can disagree with its packages.

    Parameters
    ----------
    markets : sequence of DemoMarket
        With different names and one folder.
    progress : callable
        Called with a market's name, what is being done, how much of it is done and how much
        there is.

    Returns
    -------
    tuple of Judged
        What the packages say, in the order given.

    Raises
    ------
    ConfigError
        A scenario's `settings` are none of the strategy's.
    EvidenceError
        Something in the folder would have to be replaced that no demo made.
    HedgeflowError, OSError
        As `run_side_by_side`.
    """
    from hedgeflow.evidence.report.comparison import render_comparison

    out = markets[0].out
    index = out / INDEX_FILE
    for market in markets:
        config_of(market.scenario)
        check_out(market.package)
    _check_index(index)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out, "demo is running in this folder"):
        index.unlink(missing_ok=True)
        run_side_by_side(judge_market, {market.name: market for market in markets}, progress)
        judged = tuple(judged_market(market) for market in markets)
        replace_text(index, render_comparison(judged, markets[0].timestamp))
    return judged


def _check_index(path: Path) -> None:
    """Refuse to replace a page that no demo wrote."""
    from hedgeflow.evidence.report.comparison import is_comparison

    if path.exists() and not (path.is_file() and is_comparison(path.read_text(errors="replace"))):
        raise EvidenceError(
            "is there already and is no page of a demo",
            where=str(path),
            hint="Name another folder with --out",
        )


def judge_market(market: DemoMarket, progress: Stages) -> None:
    """Simulate a market unless it is there, judge the claim on it and write the package."""

    def stage(what: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            progress(what, done, total)

        return tell

    scenario = market.scenario
    simulating = stage("simulating sessions")
    simulating(0, scenario.days)
    root = simulated_catalog(market.out / MARKETS_FOLDER, scenario, simulating)
    validation = validate_simulated(root, config_of(scenario), stage("scanning option prints"))
    progress("writing the report", 0, 1)
    write_validation(validation, market.package, market.timestamp)
    progress("writing the report", 1, 1)


def judged_market(market: DemoMarket) -> Judged:
    """Return what a market's package says, beside what is true in the market."""
    from hedgeflow.evidence.report.comparison import Judged

    truth, has_effect = truth_of(market.scenario)
    return Judged(
        name=market.name,
        truth=truth,
        has_effect=has_effect,
        settings=market.scenario.settings,
        package=read_package(market.package),
        report=f"{market.package.name}/report.html",
    )


def truth_of(scenario: Scenario) -> tuple[str, bool]:
    """Return in words what is true in a scenario's market, and whether there is an effect in it.

    There is one where dealers hedge shocks on the side that the shocks tell, and prices respond.
    """
    dealers, impact = scenario.dealers, scenario.impact
    if not scenario.shocks.enabled:
        return "There are no large option orders, only ordinary flow.", False
    arrive = "Large option orders arrive"
    if dealers.hedging == "none" or dealers.share == 0.0:
        return f"{arrive}, but nobody hedges them and no price responds.", False
    moves = impact.enabled and impact.peak_bps > 0.0
    response = (
        f"a typical hedge moves the price by up to {impact.peak_bps:g} bps"
        if moves
        else "no price responds"
    )
    if dealers.hedging == "coin":
        by_coin = "and trades as large as their hedges follow, but a coin decides each one's side"
        return f"{arrive} {by_coin}; {response}.", False
    hedged = f"dealers hedge {100.0 * dealers.share:g} % of each, half of it within a median of"
    return f"{arrive}, {hedged} {dealers.half_time_minutes:g} minutes; {response}.", moves


def simulated_catalog(
    folder: Path,
    scenario: Scenario,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Return a folder with a simulated market's catalog, made unless this simulator made it before.

    Raises
    ------
    CatalogError
        Something else stands in its place.
    """
    root = folder / f"{scenario.preset}-{scenario.days}d-{scenario.seed}"
    stamp, made_by = root / TRUTH_FOLDER / "simulator.txt", _made_by(scenario)
    if stamp.is_file() and stamp.read_text() == made_by:
        return root
    if root.exists() and not (root / MARKER).is_file():
        raise CatalogError(
            "is no simulated market, so it is not replaced by one",
            where=str(root),
            hint="Name another folder with --out",
        )
    fresh = root.with_name(f".{root.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        write_to_catalog(scenario, Catalog.create_or_open(fresh), progress)
        (fresh / TRUTH_FOLDER / stamp.name).write_text(made_by)
        shutil.rmtree(root, ignore_errors=True)
        fresh.rename(root)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return root


def _made_by(scenario: Scenario) -> str:
    """Return a digest of the simulator's source and of the scenario: others make other markets."""
    asked_for = hashlib.sha256(scenario.model_dump_json().encode()).hexdigest()
    return f"{_simulator_version()} {asked_for}"


@cache
def _simulator_version() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(simulate.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def validate_simulated(
    root: Path,
    config: StrategyConfig,
    progress: Callable[[int, int], None] | None = None,
) -> Validation:
    """Judge the claim on a simulated market, with its truth for the accuracy figures only."""
    catalog = Catalog.open(root)
    truth = read_truth(root, TruthTable.SHOCKS)
    market = study_of(config).load_market(catalog, UNDERLYING, config)
    with Journal.open(root / JOURNAL_FILE) as journal:
        return validate(market, config, journal, truth=truth, progress=progress)
