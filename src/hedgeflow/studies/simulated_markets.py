"""A simulated market judged in memory: from a scenario to a verdict without a catalog."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.journal import Journal
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.tapes import TapeKind
from hedgeflow.simulate import TruthTable, simulate_days, tape_keys
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.studies.backtesting import JOURNAL_FILE
from hedgeflow.studies.markets import Market, OptionTape, Tape, market_of
from hedgeflow.studies.validation import Validation, verdict

if TYPE_CHECKING:
    from hedgeflow.simulate import Scenario, SimulatedMarket
    from hedgeflow.strategies.settings import StrategyConfig


def market_in_memory(scenario: Scenario, config: StrategyConfig) -> tuple[Market, pl.DataFrame]:
    """Simulate a scenario and return its market and the truth of its shocks."""
    market, truth = market_with_truth(scenario, config)
    return market, truth[TruthTable.SHOCKS]


def market_with_truth(
    scenario: Scenario, config: StrategyConfig
) -> tuple[Market, dict[TruthTable, pl.DataFrame]]:
    """Simulate a scenario and return its market and what really happened in it, by table.

    The market is what `load_market` makes of the catalog that `write_to_catalog` fills, but for
    the hashes of its tapes, which follow from the scenario here.
    """
    keys = tape_keys(scenario)
    days = list(simulate_days(scenario))
    intervals = [interval for day in days for interval in day.coverage.intervals]
    coverage = Coverage.of(intervals)
    stamps = [day.option_trades["ts"].to_physical() for day in days if day.option_trades.height]
    slices = [day.option_trades for day in days]
    name = hashlib.sha256(scenario.model_dump_json().encode()).hexdigest()
    options = OptionTape(
        key=keys[TapeKind.OPTION_TRADES],
        rows=sum(each.height for each in slices),
        first_ns=int(stamps[0][0]),
        last_ns=int(stamps[-1][-1]),
        coverage=coverage,
        slices=lambda: slices,
    )

    def whole(kind: TapeKind, frames: list[pl.DataFrame]) -> Tape:
        return Tape(keys[kind], pl.concat(frames), coverage)

    market = market_of(
        options.key.underlying,
        options,
        _contracts(days),
        whole(TapeKind.BARS, [day.bars for day in days]),
        config,
        trades=whole(TapeKind.HEDGE_TRADES, [day.hedge_trades for day in days]),
        quotes=whole(TapeKind.HEDGE_QUOTES, [day.hedge_quotes for day in days]),
        option_hash=name,
        hedge_hash=name,
        simulated=True,
        open_interest=pl.concat([day.open_interest for day in days]),
        signed_flow=isinstance(config, VolumeShockConfig),
    )
    tables = [day.truth_tables() for day in days]
    return market, {name: pl.concat([each[name] for each in tables]) for name in TruthTable}


def judged_in_memory(scenario: Scenario, config: StrategyConfig) -> Validation:
    """Simulate a scenario and judge the claim on it.

    The journal is a real one, in a folder that is removed at the end.
    """
    market, truth = market_in_memory(scenario, config)
    with (
        tempfile.TemporaryDirectory(prefix="hedgeflow-") as folder,
        Journal.open(Path(folder) / JOURNAL_FILE) as journal,
    ):
        return verdict(market, config, journal, truth)


def _contracts(days: list[SimulatedMarket]) -> pl.DataFrame:
    every = pl.concat([day.contracts for day in days])
    return every.unique("contract", keep="first").sort("expiry", "strike", "right", "contract")
