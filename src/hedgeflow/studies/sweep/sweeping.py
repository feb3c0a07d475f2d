"""A sweep: every configuration tried and counted, the best of them judged for what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from hedgeflow.evidence import Verdict
from hedgeflow.evidence.deflated_sharpe import deflated_sharpe
from hedgeflow.evidence.documents import SCHEMA_VERSION
from hedgeflow.evidence.overfitting import overfitting
from hedgeflow.evidence.plain import plain
from hedgeflow.evidence.snooping import snooping
from hedgeflow.journal import Journal
from hedgeflow.market.time import iso
from hedgeflow.studies.backtesting import code_version
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.sweep.documents import Best, Searched, SweepDocument, Tape
from hedgeflow.studies.sweep.judging import Judged, judge_all
from hedgeflow.studies.sweep.results import FEWEST_TRADES, Objective, Record, could_be_validated
from hedgeflow.studies.sweep.trying import try_all
from hedgeflow.studies.sweep.words import sweep_words
from hedgeflow.studies.trial_ledger import configurations, differences, trials_of_tape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.sweep.candidates import Search
    from hedgeflow.studies.sweep.trying import Ground, Tried

    Stages = Callable[[str, int, int], object]
    """Called with what is being done, how much of it is done, and how much there is."""

TRYING: Final = "Trying configurations"
JUDGING: Final = "Judging those that might pass"


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A finished sweep.

    Attributes
    ----------
    document : SweepDocument
    configurations : polars.DataFrame
        One row a configuration, with the verdict where it was judged in full.
    record : Record
    """

    document: SweepDocument
    configurations: pl.DataFrame
    record: Record


@dataclass(frozen=True, slots=True)
class Effort:
    """Processor time that configurations took, and would have taken had each been scanned anew.

    Attributes
    ----------
    tried, known : int
        Configurations, and those of them that the journal held already.
    scans : int
        Scans made.
    scan_seconds, replay_seconds : float
    """

    tried: int
    known: int
    scans: int
    scan_seconds: float
    replay_seconds: float

    @classmethod
    def of(cls, tried: Sequence[Tried]) -> Effort:
        """Return the effort of configurations."""
        return cls(
            len(tried),
            sum(each.known for each in tried),
            sum(each.scan_seconds > 0.0 for each in tried),
            sum(each.scan_seconds for each in tried),
            sum(each.replay_seconds for each in tried),
        )

    @property
    def speed_up(self) -> float | None:
        """How many times as long it would have taken with a scan for each; None without a scan."""
        if not self.scans:
            return None
        each = self.scan_seconds / self.scans
        alone = each * (self.tried - self.known) + self.replay_seconds
        return alone / (self.scan_seconds + self.replay_seconds)


def sweep(
    ground: Ground,
    base: StrategyConfig,
    search: Search,
    *,
    jobs: int,
    timestamp: str,
    objective: Objective = "sharpe",
    progress: Stages | None = None,
) -> Sweep:
    """Try every configuration of a search and return what the best of them is worth.

    Parameters
    ----------
    ground : Ground
    base : StrategyConfig
        Over which the settings were varied.
    search : Search
    jobs : int
        Processes; 1 is this one.
    timestamp : str
        When the sweep is made, ISO 8601.
    objective : str
        By what the best is chosen, one of `OBJECTIVES`.
    progress : callable, optional
    """
    market = ground.market(base)
    tried = try_all(ground, search.candidates, jobs=jobs, progress=stage(progress, TRYING))
    record = Record.of(tried, float(market.sessions.per_year))
    place = record.best(objective)
    gates = study_of(base).declaration.gates
    hopeful = [could_be_validated(each.trades, gates) for each in tried]
    chosen = [
        each.candidate for index, each in enumerate(tried) if hopeful[index] or index == place
    ]
    judged = judge_all(ground, chosen, jobs=jobs, progress=stage(progress, JUDGING))
    searched = searched_of(ground, base, market, search, tried, objective)
    best = None if place is None else _best(record, place, judged, searched)
    names = tuple(each.candidate.name for each in tried)
    snooped = snooping(record.daily, names, seed=base.seed)
    overfitted = overfitting(record.daily)
    validated = sum(each.verdict is Verdict.VALIDATED for each in judged)
    document = SweepDocument(
        **head_of(market, base),
        tape=tape_of(market, record.sessions, record.sessions_per_year),
        search=searched,
        best=best,
        judged=judged,
        validated=validated,
        ruled_out_by_counts=hopeful.count(False),
        snooping=snooped,
        overfitting=overfitted,
        conclusion=sweep_words(searched, best, snooped, overfitted, len(judged), validated),
        timestamp=timestamp,
    )
    return Sweep(document, _with_verdicts(record.figures(), judged), record)


def head_of(market: Market, base: StrategyConfig) -> dict[str, Any]:
    """Return what every document begins with."""
    return {
        "schema_version": SCHEMA_VERSION,
        "strategy": base.STRATEGY,
        "preset": base.preset,
        "simulated": market.simulated,
    }


def tape_of(market: Market, sessions: Sequence[str], sessions_per_year: float) -> Tape:
    """Return what was looked at."""
    return Tape(
        underlying=market.underlying,
        hedge_instrument=market.hedge.symbol,
        hedge_venue=market.hedge.venue,
        data_hash=f"{market.option_hash}+{market.hedge_hash}",
        code_version=code_version(),
        period_from=None if market.from_ns is None else iso(market.from_ns),
        period_until=None if market.until_ns is None else iso(market.until_ns),
        first_session=sessions[0] if sessions else None,
        last_session=sessions[-1] if sessions else None,
        sessions=len(sessions),
        sessions_per_year=sessions_per_year,
    )


def searched_of(
    ground: Ground,
    base: StrategyConfig,
    market: Market,
    search: Search,
    tried: Sequence[Tried],
    objective: Objective,
) -> Searched:
    """Return what was varied, with the ledger's count as it now stands."""
    with Journal.open(ground.journal) as journal:
        ledger = configurations(trials_of_tape(journal, market))
    return Searched(
        kind=search.kind,
        varied=dict(search.varied),
        changed=tuple(
            words
            for words in differences(base.STRATEGY, base.model_dump(mode="json"))
            if words.partition(" ")[0] not in search.varied
        ),
        seed=search.seed,
        configurations=len(search.candidates),
        scans=len({each.scan for each in tried}),
        ledger_configurations=ledger,
        objective=objective,
        fewest_trades=FEWEST_TRADES,
    )


def settings_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return varied settings as JSON holds them."""
    return {key: plain(value) for key, value in settings.items()}


def _best(
    record: Record,
    place: int,
    judged: Sequence[Judged],
    searched: Searched,
) -> Best:
    tried = record.tried[place]
    gates = study_of(tried.candidate.config).declaration.gates
    claimed = next((gate.threshold for gate in gates if gate.statistic == "sharpe_annualised"), 0.0)
    return Best(
        settings=settings_of(tried.candidate.settings),
        options=tried.candidate.options,
        config_hash=tried.config_hash,
        run_id=tried.run_id,
        judged=next(each for each in judged if each.number == tried.candidate.number),
        deflated_sharpe=deflated_sharpe(
            record.daily[:, place],
            configurations=searched.ledger_configurations,
            sharpes=record.sharpes,
            sessions_per_year=record.sessions_per_year,
            claimed=claimed,
        ),
    )


def _with_verdicts(figures: pl.DataFrame, judged: Sequence[Judged]) -> pl.DataFrame:
    found = pl.DataFrame(
        {
            "number": [each.number for each in judged],
            "verdict": [each.verdict.value for each in judged],
            "p_value": [each.p_value.value for each in judged],
        },
        schema={"number": pl.Int64, "verdict": pl.String, "p_value": pl.Float64},
    )
    return figures.join(found, on="number", how="left", maintain_order="left")


def stage(progress: Stages | None, what: str) -> Callable[[int, int], None] | None:
    """Return the progress of one stage."""
    if progress is None:
        return None

    def tell(done: int, total: int) -> None:
        progress(what, done, total)

    return tell
