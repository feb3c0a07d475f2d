"""A market with known truth: option shocks, dealers who hedge them, prices that respond."""

from hedgeflow.simulate.loading import (
    changed,
    load_scenario,
    preset_text,
    preset_words,
    presets,
    scenario,
)
from hedgeflow.simulate.markets import SimulatedMarket, simulate, simulate_days
from hedgeflow.simulate.scenario import Scenario
from hedgeflow.simulate.shocks import ShockClass
from hedgeflow.simulate.storing import (
    SCENARIO_FILE,
    TRUTH_FOLDER,
    read_scenario,
    read_truth,
    tape_keys,
    write_to_catalog,
)
from hedgeflow.simulate.truth import TRUTH_SCHEMA, TRUTH_SCHEMAS, TruthTable

__all__ = [
    "SCENARIO_FILE",
    "TRUTH_FOLDER",
    "TRUTH_SCHEMA",
    "TRUTH_SCHEMAS",
    "Scenario",
    "ShockClass",
    "SimulatedMarket",
    "TruthTable",
    "changed",
    "load_scenario",
    "preset_text",
    "preset_words",
    "presets",
    "read_scenario",
    "read_truth",
    "scenario",
    "simulate",
    "simulate_days",
    "tape_keys",
    "write_to_catalog",
]
