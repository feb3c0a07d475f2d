"""How a run was made: inputs, settings, what was promised beforehand, what the tapes cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hedgeflow.evidence.plain import digest, dumps
from hedgeflow.market.errors import EvidenceError


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one tape covers.

    Attributes
    ----------
    tape : str
        Its kind, instrument and venue.
    start, end : str
        ISO 8601, UTC; the end is not part of it.
    sessions : int
        Sessions of which it holds anything.
    note : str
        Its gaps, in words.
    """

    tape: str
    start: str
    end: str
    sessions: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """A hypothesis that was written down, and when (evidence.md 3).

    Attributes
    ----------
    id : str
        Hash of what was registered.
    statement : str
        The hypothesis in words.
    registered : str
        ISO 8601, UTC.
    before_run : bool
        Whether that was before this configuration was first run on these data.
    """

    id: str
    statement: str
    registered: str
    before_run: bool


@dataclass(frozen=True, slots=True)
class Vault:
    """A hold-out period, and what became of it (evidence.md 3).

    Attributes
    ----------
    id : str
        Hash of data set and period.
    start, end : str
        ISO 8601, UTC; the end is not part of it, and empty where there is none.
    openings : int
        How often it was opened so far, this run included; once is spent.
    opened_here : bool
        Whether this run is about the period alone; otherwise, as long as it was never opened, it
        saw nothing of it.
    declared : str
        ISO 8601, UTC.
    seen_before : int
        Configurations that had seen some of it outside of its openings: before it was declared, or
        since it was spent.
    """

    id: str
    start: str
    end: str
    openings: int
    opened_here: bool
    declared: str = ""
    seen_before: int = 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run read besides its configuration: enough to read it again or to say what differs.

    Attributes
    ----------
    underlying : str
        What the options are on.
    run_id, trial_hash : str
        Names of the run and of the configuration tried, as the journal has them.
    option_data, hedge_data : str
        Hashes of the option tape and of the hedge instrument's tapes.
    calendar, volatility_index : str or None
        SHA-256 of the events of its calendars and of its volatility index; None where it had none.
    traded_from, traded_until : str or None
        ISO 8601, UTC: the part of the data that was traded; None where nothing was left out.
    named_instrument, named_venue : str or None
        The hedge instrument as the configuration named it; None where it was chosen by volume.
    truth : bool
        Whether classes were compared with the simulator's truth.
    """

    underlying: str
    run_id: str
    trial_hash: str
    option_data: str
    hedge_data: str
    calendar: str | None
    volatility_index: str | None
    traded_from: str | None
    traded_until: str | None
    named_instrument: str | None
    named_venue: str | None
    truth: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a run was made: enough to make it again.

    Attributes
    ----------
    strategy, preset : str
        Names.
    simulated : bool
        True when the market was simulated; every page then says so.
    data_hash : str
        Hash of the data read.
    config : mapping
        The full configuration, JSON-ready.
    code_version : str
        Version of the code.
    seed : int
        Seed of every random draw.
    trials : int
        Configurations evaluated on this tape so far, however long it was then, this one included.
    trial_sharpes : tuple of float
        Net daily Sharpe ratio, not annualised, of each of them whose run the journal holds.
    registration : Registration or None
        The hypothesis as it was registered before the run, where it was.
    vault : Vault or None
        The hold-out period of this data set, where one is declared.
    inputs : Inputs or None
        What else the run read; None for tables that no run made.
    hedge_instrument, hedge_venue : str
        What was traded.
    scale_volume : float or None
        V5, the median 5-minute volume of that instrument in underlying units; None under absolute
        thresholds.
    signing_mode : str
        By which rules customers' direction was decided, and for what share of the alerts' volume.
    null_hypothesis : str
        What the evidence is set against.
    notes : tuple of str
        Calendars that were absent, windows that were not evaluated, and the like.
    coverage : tuple of Coverage
        What the tapes cover.
    """

    strategy: str
    preset: str
    simulated: bool
    data_hash: str
    config: Mapping[str, object]
    code_version: str
    seed: int
    trials: int
    hedge_instrument: str
    hedge_venue: str
    scale_volume: float | None
    signing_mode: str
    null_hypothesis: str
    notes: tuple[str, ...] = ()
    trial_sharpes: tuple[float, ...] = ()
    registration: Registration | None = None
    vault: Vault | None = None
    inputs: Inputs | None = None
    coverage: tuple[Coverage, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in ("strategy", "data_hash", "code_version", "hedge_instrument"):
            if not getattr(self, name):
                raise EvidenceError(
                    f"{name} is empty",
                    where="manifest",
                    hint="Evidence that cannot be made again is not written.",
                )
        if self.trials < 1:
            raise EvidenceError(f"trials is {self.trials}", where="manifest", hint="This run is 1.")

    @property
    def config_hash(self) -> str:
        """SHA-256 of the configuration as canonical JSON."""
        return digest(dumps(self.config).encode())
