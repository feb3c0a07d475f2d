"""A market with known truth: option shocks, dealers who hedge them, prices that respond."""

from hedgeflow.simulate.loading import changed, load_scenario, preset_text, presets, scenario
from hedgeflow.simulate.markets import TRUTH_SCHEMA, SimulatedMarket, simulate, simulate_days
from hedgeflow.simulate.scenario import Scenario
from hedgeflow.simulate.shocks import ShockClass
from hedgeflow.simulate.storing import TAPE_KEYS, TRUTH_FOLDER, write_to_catalog

__all__ = [
    "TAPE_KEYS",
    "TRUTH_FOLDER",
    "TRUTH_SCHEMA",
    "Scenario",
    "ShockClass",
    "SimulatedMarket",
    "changed",
    "load_scenario",
    "preset_text",
    "presets",
    "scenario",
    "simulate",
    "simulate_days",
    "write_to_catalog",
]
