"""What a trial and a run are: the configuration tried on a data set, and one execution of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

RUN_ID_HEX_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration evaluated on one data set by one version of the code.

    Attributes
    ----------
    data_hash, config_hash, code_version : str
        The trial's key.
    strategy : str
    config_json : str
        The configuration itself, so that the record can be read without its file.
    recorded_ns : int, optional
        UTC ns by the caller's clock; the first record's instant stays.
    """

    data_hash: str
    config_hash: str
    code_version: str
    strategy: str
    config_json: str
    recorded_ns: int | None = None


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """What the ledger of trials says after a trial was recorded.

    Attributes
    ----------
    trial : Trial
        As first recorded.
    is_new : bool
        Whether this call added it.
    configurations : int
        Distinct configurations tried on the data set, whatever the code version: what the
        trial ledger counts.
    trials : int
        Records on the data set, a configuration under two code versions being two.
    """

    trial: Trial
    is_new: bool
    configurations: int
    trials: int


@dataclass(frozen=True, slots=True)
class Run:
    """One deterministic execution of a recorded trial.

    Attributes
    ----------
    data_hash, config_hash, code_version : str
        The trial that it executes.
    strategy, preset, underlying : str
    seed : int
    simulated : bool
        Whether the data came from the simulator; evidence carries the mark on every page.
    """

    data_hash: str
    config_hash: str
    code_version: str
    strategy: str
    preset: str
    underlying: str
    seed: int
    simulated: bool

    @property
    def run_id(self) -> str:
        """The run's name, the same for the same data, configuration, code and seed."""
        return run_id_of(self.data_hash, self.config_hash, self.code_version, self.seed)


def run_id_of(data_hash: str, config_hash: str, code_version: str, seed: int) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of what determines a run."""
    key = json.dumps([data_hash, config_hash, code_version, seed], separators=(",", ":"))
    return hashlib.sha256(key.encode()).hexdigest()[:RUN_ID_HEX_DIGITS]
