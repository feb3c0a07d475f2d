"""What a sweep and a walk-forward say, as types; their published schemas follow from these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field

from hedgeflow.evidence.deflated_sharpe import DeflatedSharpe
from hedgeflow.evidence.documents import Head, Instant, Word
from hedgeflow.evidence.estimates import Estimate
from hedgeflow.evidence.overfitting import Overfitting
from hedgeflow.evidence.snooping import Snooping
from hedgeflow.studies.sweep.judging import Judged

Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Tape:
    """What was looked at."""

    underlying: Word
    hedge_instrument: Word
    hedge_venue: str
    data_hash: Word
    code_version: Word
    period_from: Instant | None
    period_until: Instant | None
    first_session: str | None
    last_session: str | None
    sessions: Count
    sessions_per_year: float


@dataclass(frozen=True, slots=True)
class Searched:
    """What was varied, what else differs from the preset, and how many were tried.

    The ledger also counts what was tried before.
    """

    kind: Word
    varied: dict[str, str]
    changed: tuple[str, ...]
    seed: int | None
    configurations: Annotated[int, Field(ge=1)]
    scans: Annotated[int, Field(ge=1)]
    ledger_configurations: Annotated[int, Field(ge=1)]
    objective: Word
    fewest_trades: int


@dataclass(frozen=True, slots=True)
class Best:
    """The configuration that looks best, and what the judge says of it."""

    settings: dict[str, Any]
    options: str
    config_hash: Word
    run_id: Word
    judged: Judged
    deflated_sharpe: DeflatedSharpe


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDocument(Head):
    """sweep.json: how many configurations were tried, and what is left of the best."""

    tape: Tape
    search: Searched
    best: Best | None
    judged: tuple[Judged, ...]
    validated: Count
    ruled_out_by_counts: Count
    snooping: Snooping
    overfitting: Overfitting
    conclusion: Annotated[tuple[Word, ...], Field(min_length=1)]
    timestamp: Instant


@dataclass(frozen=True, slots=True)
class Figures:
    """What was traded in some sessions: net of costs, without intervals."""

    sessions: Count
    trades: Count
    net_usd: float
    win_rate: float | None
    expectancy_bps: float | None
    sharpe_annualised: float | None


@dataclass(frozen=True, slots=True)
class FoldResult:
    """One fold: what was chosen on the training sessions, and what it then did."""

    number: int
    train_first: Word
    train_last: Word
    test_first: Word
    test_last: Word
    eligible: Count
    chosen: int | None
    settings: dict[str, Any]
    run_id: str | None
    purged: Count
    in_sample: Figures | None
    out_of_sample: Figures


@dataclass(frozen=True, slots=True)
class Stitched:
    """The out-of-sample trades of all folds as one record, with intervals."""

    sessions: Count
    trades: Count
    net_usd: float
    win_rate: Estimate
    expectancy_bps: Estimate
    sharpe_annualised: Estimate
    in_sample_usd_a_session: Estimate
    out_of_sample_usd_a_session: Estimate
    efficiency: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkForwardDocument(Head):
    """walk_forward.json: each fold in sample and out of sample, and the stitched record."""

    tape: Tape
    search: Searched
    train_sessions: Annotated[int, Field(ge=1)]
    test_sessions: Annotated[int, Field(ge=1)]
    anchored: bool
    embargo_minutes: float
    folds: Annotated[tuple[FoldResult, ...], Field(min_length=1)]
    stitched: Stitched
    conclusion: Annotated[tuple[Word, ...], Field(min_length=1)]
    timestamp: Instant


DOCUMENTS: Final[dict[str, type[Head]]] = {
    "sweep": SweepDocument,
    "walk_forward": WalkForwardDocument,
}
"""The JSON files of both commands, by name."""
