"""From finished tables and declared claims to evidence: figures, judgements, the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hedgeflow.evidence.accuracy import DetectionAccuracy, detection_accuracy
from hedgeflow.evidence.arm_findings import ArmFinding, arm_findings
from hedgeflow.evidence.arms import Arm, ArmResult, arm_results
from hedgeflow.evidence.coherence import Coherence, check
from hedgeflow.evidence.confidence_sequence import Monitoring, monitoring
from hedgeflow.evidence.deflated_sharpe import DeflatedSharpe, deflated_sharpe
from hedgeflow.evidence.differences import OBSERVED_MOVE, Difference, differences
from hedgeflow.evidence.estimates import EffectKind, Estimate, Measure, missing
from hedgeflow.evidence.expiration_fridays import fridays_measure
from hedgeflow.evidence.expiry_frequency import frequency_measures
from hedgeflow.evidence.hedging import (
    FlowCorrelation,
    ResponseCorrelation,
    flow_correlation,
    hedging_measures,
    response_correlation,
)
from hedgeflow.evidence.leakage import Leakage
from hedgeflow.evidence.manifest import Manifest
from hedgeflow.evidence.metrics import PerformanceMetrics, performance_metrics
from hedgeflow.evidence.multiplicity import TestedHypothesis, tested_together
from hedgeflow.evidence.performance import (
    Results,
    results,
)
from hedgeflow.evidence.pinning import Pinning, pinning, pinning_measures
from hedgeflow.evidence.plain import plain
from hedgeflow.evidence.power import ClaimPower, powers
from hedgeflow.evidence.price_response import PriceResponse, price_measures, price_response
from hedgeflow.evidence.reliability import Reliability, reliability
from hedgeflow.evidence.resampling import RESAMPLED, by_session, resample_sessions
from hedgeflow.evidence.resolution import label, resolution
from hedgeflow.evidence.settlement_probabilities import (
    StrikeProbabilities,
    probability_measures,
    strike_probabilities,
)
from hedgeflow.evidence.significance import Significance, significance
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import Trades, trade_arrays
from hedgeflow.evidence.verdict import Decision, Judgement, Status, decide, judge
from hedgeflow.strategies.claims import Declaration, Gate

NO_CLAIM_RATE = 0.50
"""Win rate whose proof is counted for a strategy that claims none."""
NO_CLAIM_ALPHA = 0.05
"""Level of the power figures for a strategy whose gates name no p-value."""

ABOUT_HEDGES = frozenset(
    {
        "r_squared",
        "flow_slope_p_value",
        "response_rank_correlation",
        "response_rank_p_value",
        "modelled_response_correlation",
        "price_response_p_value",
        "acceleration_p_value",
        "flow_class_accuracy",
    }
)
"""Statistics of what dealers were predicted to hedge."""
FLOW_TYPES = "flow_types_"
"""What statistics about two classes begin with."""

Measures = dict[tuple[str, str], Measure]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How sessions were resampled.

    Attributes
    ----------
    method : str
        What was resampled, and how.
    resamples : int
        How often.
    block_length : int
        Mean length of a block, sessions.
    seed : int
        Of the draws.
    """

    method: str
    resamples: int
    block_length: int
    seed: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a package says, before it is written.

    Attributes
    ----------
    manifest : Manifest
        How the run was made.
    predicts_hedges : bool
        Whether the strategy says what dealers will hedge; otherwise nothing of it is published.
    performance : PerformanceMetrics
        What was earned.
    by_class : dict of str to Results
        The same by flow class.
    significance : Significance
        Tests against chance.
    bootstrap : Bootstrap
        How sessions were resampled.
    deflated : DeflatedSharpe
        What is left of the Sharpe ratio after all trials.
    monitoring : Monitoring
        Confidence sequences over the record.
    hypotheses : tuple of TestedHypothesis
        The strategy's family of hypotheses, after Holm.
    powers : tuple of ClaimPower
        How large each claimed effect was found, and whether the data could have shown it.
    arms : tuple of ArmResult
        The same record run other ways.
    arm_findings : tuple of ArmFinding
        What groups of arms say as wholes.
    leakage : Leakage or None
        Whether the run used what it could not know, where that was tested.
    flow, response, prices, accuracy, differences
        Whether dealers hedged as predicted, and whether the classes differ.
    reliability : Reliability
        Whether stated confidence means anything.
    pinning : Pinning or None
        Whether prices are drawn to strikes, where the tables say something of expiries.
    strike_probabilities : StrikeProbabilities or None
        How good probabilities of finishing at a strike are, where the tables have any.
    claims, gates : tuple of Judgement
        Each claim and gate, judged.
    coherence : Coherence
        Whether the figures agree with each other.
    decision : Decision
        The verdict.
    resolution : tuple of str
        The verdict in plain English.
    """

    manifest: Manifest
    predicts_hedges: bool
    performance: PerformanceMetrics
    by_class: dict[str, Results]
    significance: Significance
    bootstrap: Bootstrap
    deflated: DeflatedSharpe
    monitoring: Monitoring
    hypotheses: tuple[TestedHypothesis, ...]
    powers: tuple[ClaimPower, ...]
    arms: tuple[ArmResult, ...]
    arm_findings: tuple[ArmFinding, ...]
    leakage: Leakage | None
    flow: FlowCorrelation
    response: ResponseCorrelation
    prices: PriceResponse
    accuracy: DetectionAccuracy
    reliability: Reliability
    differences: tuple[Difference, ...]
    pinning: Pinning | None
    strike_probabilities: StrikeProbabilities | None
    claims: tuple[Judgement, ...]
    gates: tuple[Judgement, ...]
    coherence: Coherence
    decision: Decision
    resolution: tuple[str, ...]

    @property
    def label(self) -> str:
        """The verdict in one line, SIMULATED first where it applies."""
        return label(self.decision, simulated=self.manifest.simulated)

    @property
    def primary_supported(self) -> bool:
        """Whether every claim of the group ``primary`` passed."""
        primary = [claim for claim in self.claims if claim.group == "primary"]
        return bool(primary) and all(claim.status is Status.PASSED for claim in primary)


def assess(
    tables: EvidenceTables,
    declaration: Declaration,
    manifest: Manifest,
    arms: Sequence[Arm] = (),
    leakage: Leakage | None = None,
) -> Evidence:
    """Return the evidence that `tables` hold for or against what a strategy declares.

    Parameters
    ----------
    tables : EvidenceTables
        Finished tables of one run; zero trades are a finding like any other.
    declaration : Declaration
        What the strategy claims, what its verdict needs, and what it must beat.
    manifest : Manifest
        How the run was made.
    arms : sequence of Arm, optional
        The same record run other ways.
    leakage : Leakage, optional
        What a poisoned future changed in the past.

    Raises
    ------
    EvidenceError
        When a table lacks a column or holds a value that cannot be.
    """
    claims, gates = declaration.claims, declaration.gates
    trades = trade_arrays(tables)
    daily = by_session(trades.net_usd, trades.session, len(tables.sessions))
    resampling = resample_sessions(daily, seed=manifest.seed)
    claimed_rate = _threshold(gates, "win_rate", NO_CLAIM_RATE)
    performance = performance_metrics(tables, trades, resampling, claimed_rate, manifest)
    by_class = {
        name: results(trades.of_class(name), resampling, claimed_rate)
        for name in _classes(trades, declaration)
    }
    tests = significance(
        tables,
        trades,
        performance.overall.barrier_implied_win_rate,
        declaration.nulls,
        claimed_rate=claimed_rate,
        alpha=_threshold(gates, "p_value", NO_CLAIM_ALPHA),
    )
    flow = flow_correlation(tables, resampling)
    response = response_correlation(tables, resampling)
    accuracy = detection_accuracy(tables, resampling)
    prices = price_response(tables, resampling)
    contrast = ()
    if _compares_classes(declaration):
        first, second = declaration.classes[:2]
        contrast = differences(tables, trades, (first, second), seed=manifest.seed)
    hedges = _predicts_hedges(tables, declaration)
    if not hedges:
        contrast = tuple(each for each in contrast if each.quantity != "response_minutes")
    deflated = deflated_sharpe(
        daily,
        configurations=manifest.trials,
        sharpes=manifest.trial_sharpes,
        sessions_per_year=tables.sessions_per_year,
        claimed=_threshold(gates, "sharpe_annualised", 0.0),
    )
    measures = _measures(performance, by_class, tests, flow, response, accuracy, contrast, deflated)
    measures |= price_measures(prices) | hedging_measures(flow, response)
    pins, probabilities = (
        pinning(tables, seed=manifest.seed),
        strike_probabilities(tables, seed=manifest.seed),
    )
    measures |= pinning_measures(pins) | probability_measures(probabilities)
    measures |= frequency_measures(tables, trades, by_class, resampling)
    measures["tradable_prices", ""] = _tradable(tables)
    if tables.expiries is not None:
        measures["expiration_fridays_p_value", ""] = fridays_measure(tables, seed=manifest.seed)

    def judged(gate: Gate) -> Judgement:
        return judge(gate, measures.get((gate.statistic, gate.flow_class)), manifest.config)

    judged_gates = tuple(judged(gate) for gate in gates)
    coherence = check(_figures(performance, by_class, tests))
    decision = decide(
        judged_gates,
        coherent=coherence.coherent,
        incoherences=coherence.contradictions,
        leaks=()
        if leakage is None
        else tuple(cut.difference for cut in leakage.cuts if cut.difference),
    )
    hypotheses = tested_together(
        declaration.hypotheses,
        {
            statistic: replace(measure.estimate, n=measure.sample_size)
            for (statistic, flow_class), measure in measures.items()
            if not flow_class
        },
    )
    return Evidence(
        manifest,
        hedges,
        performance,
        by_class,
        tests,
        Bootstrap(
            RESAMPLED, int(resampling.draws.shape[0]), resampling.block_length, manifest.seed
        ),
        deflated,
        monitoring(trades, tables.sessions, claimed_rate),
        hypotheses,
        powers((*gates, *claims), measures),
        arm_results(arms, tables, resampling),
        arm_findings(arms, tables, resampling),
        leakage,
        flow,
        response,
        prices,
        accuracy,
        reliability(tables),
        contrast,
        pins,
        probabilities,
        tuple(judged(claim) for claim in claims),
        judged_gates,
        coherence,
        decision,
        resolution(
            manifest,
            tables,
            decision,
            judged_gates,
            performance.overall,
            performance.profit,
            performance.sharpe_annualised,
            tests,
            hypotheses,
        ),
    )


def _named(declaration: Declaration) -> set[str]:
    """Return the statistics that anything declared is about."""
    named = {gate.statistic for gate in (*declaration.gates, *declaration.claims)}
    return named | {name for each in declaration.hypotheses for name in each.statistics}


def _predicts_hedges(tables: EvidenceTables, declaration: Declaration) -> bool:
    """Return whether the strategy says what dealers will hedge, by its claims or its tables."""
    held = (tables.flow, tables.predictions, tables.prices, tables.truth)
    return bool(_named(declaration) & ABOUT_HEDGES) or any(each is not None for each in held)


def _compares_classes(declaration: Declaration) -> bool:
    """Return whether anything declared is about the first two classes differing."""
    about = any(name.startswith(FLOW_TYPES) for name in _named(declaration))
    return about and len(declaration.classes) >= 2


def _tradable(tables: EvidenceTables) -> Measure:
    """Return 1 where the trades are at prices of an instrument that can be traded."""
    if tables.price_stand_in:
        return Measure(missing(tables.price_stand_in), tables.trades.height, exact=True)
    found = Estimate(1.0, n=tables.trades.height, method="prices of an instrument")
    return Measure(found, tables.trades.height, exact=True)


def _threshold(gates: Sequence[Gate], statistic: str, otherwise: float) -> float:
    return next((gate.threshold for gate in gates if gate.statistic == statistic), otherwise)


def _classes(trades: Trades, declaration: Declaration) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*declaration.classes, *sorted(set(trades.flow_class))]))


def _measures(
    performance: PerformanceMetrics,
    by_class: Mapping[str, Results],
    tests: Significance,
    flow: FlowCorrelation,
    response: ResponseCorrelation,
    accuracy: DetectionAccuracy,
    contrast: tuple[Difference, ...],
    deflated: DeflatedSharpe,
) -> Measures:
    trades = performance.trades
    speed = performance.execution_latency
    slowest = speed.detection_to_entry_seconds.max
    age = (
        missing("no trades")
        if slowest is None
        else Estimate(slowest / 60.0, n=trades, method="longest over all trades")
    )
    count = Estimate(float(trades), n=trades, method="count")
    p_value = tests.p_value
    smallest = 1.0 / (1 + p_value.n) if p_value.n else None
    p_rate = tests.p_value_win_rate
    measures: Measures = {
        ("trades", ""): Measure(count, trades, exact=True),
        ("sharpe_annualised", ""): Measure(performance.sharpe_annualised, trades),
        ("deflated_sharpe", ""): Measure(deflated.deflated, trades, exact=True, probability=True),
        ("drawdown", ""): Measure(performance.drawdown.observed, trades, kind=None),
        ("p_value", ""): Measure(p_value, trades, exact=True, smallest=smallest),
        ("p_value_win_rate", ""): Measure(p_rate, trades, exact=True, smallest=smallest),
        ("detection_to_entry_minutes", ""): Measure(age, trades, exact=True),
        ("latency_trend_p_value", ""): Measure(speed.trend_p_value, trades, exact=True),
        ("r_squared", ""): Measure(flow.r_squared, flow.events, kind=EffectKind.R_SQUARED),
        ("response_rank_correlation", ""): Measure(
            response.spearman, response.events, kind=EffectKind.CORRELATION
        ),
        ("flow_class_accuracy", ""): Measure(
            accuracy.flow_class, accuracy.flow_class.n, kind=EffectKind.RATE
        ),
    }
    for name, part in (("", performance.overall), *by_class.items()):
        for statistic in (
            "win_rate",
            "expectancy_points",
            "expectancy_bps",
            "average_win_points",
            "average_loss_points",
            "hold_minutes",
            "trades_per_session",
        ):
            kind = EffectKind.RATE if statistic == "win_rate" else EffectKind.MEAN
            measures[statistic, name] = Measure(getattr(part, statistic), part.trades, kind=kind)
    names = {
        "win_rate": "win_rate",
        "captured_move_points": "move",
        OBSERVED_MOVE: "move",
        "response_minutes": "response",
    }
    for item in contrast:
        name, size = f"{FLOW_TYPES}{names[item.quantity]}", item.sample_size
        for suffix, value, method in (
            ("p_value", item.p_value_holm, f"{item.test}, Holm"),
            ("raw_p_value", item.p_value, item.test),
        ):
            estimate = Estimate(value, n=size, method=method, reason=item.reason)
            measures[f"{name}_{suffix}", ""] = Measure(estimate, size, exact=True)
    return measures


def _figures(
    performance: PerformanceMetrics, by_class: Mapping[str, Results], tests: Significance
) -> Mapping[str, object]:
    """Return what coherence needs, in the package's own shape."""
    return {
        "schema_version": "",
        "performance_metrics": plain(performance),
        "performance_by_flow_type": plain(by_class),
        "statistical_measures": {"sample_size": performance.trades}
        | {"nulls": plain(tests.nulls)}
        | {"p_value": plain(tests.p_value), "p_value_win_rate": plain(tests.p_value_win_rate)},
    }
