"""The full judge on the configurations of a sweep that might pass it, and on the best."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hedgeflow.evidence import Estimate, Judgement, Verdict
from hedgeflow.journal import Journal
from hedgeflow.studies.processes import results_of
from hedgeflow.studies.sweep.trying import SharedScan, together
from hedgeflow.studies.validation import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hedgeflow.studies.sweep.candidates import Candidate
    from hedgeflow.studies.sweep.trying import Ground


@dataclass(frozen=True, slots=True)
class Judged:
    """What the full judge said of a configuration.

    Attributes
    ----------
    number : int
    verdict, source_verdict : Verdict
    label : str
        The verdict in one line.
    trades : int
    win_rate, expectancy_bps, sharpe_annualised : Estimate
    p_value : Estimate
        Against every null that the strategy declares, the largest; as if nothing else had been
        tried.
    gates : tuple of Judgement
    resolution : tuple of str
        The verdict in plain English.
    """

    number: int
    verdict: Verdict
    source_verdict: Verdict
    label: str
    trades: int
    win_rate: Estimate
    expectancy_bps: Estimate
    sharpe_annualised: Estimate
    p_value: Estimate
    gates: tuple[Judgement, ...]
    resolution: tuple[str, ...]


def judge_all(
    ground: Ground,
    candidates: Sequence[Candidate],
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Judged, ...]:
    """Return what the judge says of configurations that were tried, in their order.

    Parameters
    ----------
    ground : Ground
    candidates : sequence of Candidate
    jobs : int
        Processes; 1 is this one.
    progress : callable, optional
        Called with configurations done and configurations in all.
    """
    done: list[Judged] = []
    work = partial(_judge_together, ground)
    parts = together(candidates, jobs)
    results = (
        map(work, parts)
        if jobs == 1 or len(parts) == 1
        else results_of(work, parts, workers=jobs, what="configurations")
    )
    for some in results:
        done += some
        if progress is not None:
            progress(len(done), len(candidates))
    return tuple(sorted(done, key=lambda each: each.number))


def _judge_together(ground: Ground, candidates: tuple[Candidate, ...]) -> tuple[Judged, ...]:
    market = ground.market(candidates[0].config)
    scan = SharedScan(market, candidates[0].config).result()
    with Journal.open(ground.journal) as journal:
        judged: list[Judged] = []
        for each in candidates:
            evidence = verdict(market, each.config, journal, scan=scan).evidence
            performance, decision = evidence.performance, evidence.decision
            judged.append(
                Judged(
                    number=each.number,
                    verdict=decision.verdict,
                    source_verdict=decision.source_verdict,
                    label=evidence.label,
                    trades=performance.trades,
                    win_rate=performance.overall.win_rate,
                    expectancy_bps=performance.overall.expectancy_bps,
                    sharpe_annualised=performance.sharpe_annualised,
                    p_value=evidence.significance.p_value,
                    gates=evidence.gates,
                    resolution=evidence.resolution,
                )
            )
    return tuple(judged)
