"""The judge on trial: the whole pipeline on markets whose right verdict is known."""

from hedgeflow.studies.judge.bench import Bench, bench_of
from hedgeflow.studies.judge.calibration import Calibration, calibration_of, latest_run
from hedgeflow.studies.judge.cells import MARK
from hedgeflow.studies.judge.page import coverage_verdict, levels_verdict, page_of
from hedgeflow.studies.judge.running import read_results, run_trial, run_trials
from hedgeflow.studies.judge.worlds import Trial, World, trials_of, worlds_of

__all__ = [
    "MARK",
    "Bench",
    "Calibration",
    "Trial",
    "World",
    "bench_of",
    "calibration_of",
    "coverage_verdict",
    "latest_run",
    "levels_verdict",
    "page_of",
    "read_results",
    "run_trial",
    "run_trials",
    "trials_of",
    "worlds_of",
]
