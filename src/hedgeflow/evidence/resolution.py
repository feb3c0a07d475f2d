"""The verdict in plain English: what was found, what failed, whether the data could tell."""

from __future__ import annotations

from hedgeflow.evidence.beforehand import registration_words, vault_words
from hedgeflow.evidence.checks import section
from hedgeflow.evidence.estimates import Estimate
from hedgeflow.evidence.manifest import Manifest
from hedgeflow.evidence.multiplicity import TestedHypothesis
from hedgeflow.evidence.performance import Profit, Results
from hedgeflow.evidence.significance import Significance
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.verdict import CouldTell, Decision, Judgement, Status, Verdict
from hedgeflow.evidence.wording import bounded, counted, fills_at_quotes, p_value, percent

SIMULATED = "SIMULATED"


def could_tell_words(verdict: str, could_tell: str) -> str:
    """Return in a sentence whether the data could have told, in words that fit the verdict.

    Parameters
    ----------
    verdict, could_tell : str
        With too few trades the second is about the gates beside their number.
    """
    few = verdict == Verdict.INSUFFICIENT_DATA
    match could_tell:
        case CouldTell.CONCLUSIVE:
            if few:
                return (
                    "Too few trades for a verdict, yet the data could tell something: a gate beside"
                    " their number failed outright."
                )
            return "The data could tell."
        case CouldTell.UNTESTABLE:
            beside = " beside the number of trades" if few else ""
            return f"The data could not tell: none of the gates{beside} could be tested on it."
        case _:
            beside = "beside the number of trades " if few else ""
            return (
                f"The data could not tell: {beside}no gate failed outright, but not every one was"
                " shown to hold."
            )


def label(decision: Decision, *, simulated: bool) -> str:
    """Return the verdict as one line, with SIMULATED before it where it applies."""
    word = decision.verdict.value
    if decision.verdict is not Verdict.VALIDATED:
        word = f"{word} ({decision.could_tell.value})"
    return f"{SIMULATED}: {word}" if simulated else word


def resolution(
    manifest: Manifest,
    tables: EvidenceTables,
    decision: Decision,
    gates: tuple[Judgement, ...],
    overall: Results,
    profit: Profit,
    sharpe: Estimate,
    significance: Significance,
    hypotheses: tuple[TestedHypothesis, ...],
) -> tuple[str, ...]:
    """Return the resolution: what was found, then what it means.

    Parameters
    ----------
    manifest, tables : Manifest, EvidenceTables
        What was run, on what.
    decision, gates : Decision, tuple of Judgement
        The verdict and the gates behind it.
    overall, profit, sharpe, significance, hypotheses
        The figures quoted.
    """
    return (
        _found(manifest, tables, overall, profit, sharpe, _chance(significance, hypotheses)),
        _meaning(manifest, decision, gates),
    )


def _found(
    manifest: Manifest,
    tables: EvidenceTables,
    overall: Results,
    profit: Profit,
    sharpe: Estimate,
    chance: str,
) -> str:
    span = "no sessions at all"
    if tables.sessions:
        days = counted(len(tables.sessions), "session")
        span = f"{days} from {tables.sessions[0]} to {tables.sessions[-1]}"
    start = (
        f"{SIMULATED} data, no evidence about any market. " if manifest.simulated else ""
    ) + f"{manifest.strategy} ({manifest.preset}) on {span}: "
    if overall.trades == 0:
        alerts = counted(tables.alerts.height, "alert")
        return f"{start}{alerts} and no trades, so no figure can be computed."
    rate, barrier = overall.win_rate, overall.barrier_implied_win_rate
    implied = "unknown" if barrier.value is None else percent(barrier.value)
    needed = overall.wins_needed
    threshold = f"{100.0 * needed.threshold:g} %"
    wanted = (
        f"no count of wins has a lower bound of {threshold}"
        if needed.wins is None
        else f"a lower bound of {threshold} takes {needed.wins} wins"
    )
    return (
        f"{start}{counted(overall.trades, 'trade')}, {overall.wins:,} of them won after costs, "
        f"a win rate of "
        f"{bounded(rate, rate=True)}. The barriers alone imply {implied}; {wanted}. "
        f"Expectancy {bounded(overall.expectancy_bps)} bps or "
        f"{bounded(overall.expectancy_points)} points a trade net of costs, "
        f"{profit.net_usd or 0.0:,.2f} USD in all after "
        f"{(profit.gross_usd or 0.0) - (profit.net_usd or 0.0):,.2f} of costs"
        f"{_at_the_quotes(manifest, profit)}; {chance}; "
        f"annualised Sharpe ratio {bounded(sharpe)}."
    )


def _at_the_quotes(manifest: Manifest, profit: Profit) -> str:
    if not fills_at_quotes(manifest.config, profit.spread_usd or 0.0):
        return ""
    return " (fills are at the quotes, so their spread is in the result before costs)"


def _chance(significance: Significance, hypotheses: tuple[TestedHypothesis, ...]) -> str:
    found = significance.p_value
    if found.value is None:
        return f"no null could be drawn ({found.reason})"
    parts = [
        f"{p_value(null.p_value)} against {null.draws:,} draws of {null.name}"
        for null in significance.nulls
        if null.p_value is not None
    ]
    words = f"p = {parts[0]}"
    if len(parts) > 1:
        words = (
            f"p = {p_value(found.value)}, the largest of {', '.join(parts[:-1])} and {parts[-1]}"
        )
    tested = [each for each in hypotheses if each.p_value_holm is not None]
    if len(tested) > 1 and tested[0] is hypotheses[0]:
        corrected = p_value(tested[0].p_value_holm or 0.0)
        words += f", {corrected} after Holm over the {len(tested)} hypotheses that could be tested"
    return words


def _meaning(manifest: Manifest, decision: Decision, gates: tuple[Judgement, ...]) -> str:
    names = {gate.id: gate.statement for gate in gates} | {
        "coherence": "agreement with itself",
        "leakage": "a past that does not depend on the future",
    }
    parts = [f"Verdict: {label(decision, simulated=manifest.simulated)}."]
    for word, ids in (
        ("Failed", decision.failed),
        ("Inconclusive", decision.inconclusive),
    ):
        if ids:
            parts.append(f"{word}: {'; '.join(names[name] for name in ids)}.")
    parts += _untestable(gates)
    parts.append(could_tell_words(decision.verdict, decision.could_tell))
    parts.append(f"By the source's point rules the word would be {decision.source_verdict.value}.")
    scale = (
        _without_scale(manifest)
        if manifest.scale_volume is None
        else f"V5 = {manifest.scale_volume:,.6g} underlying units in 5 minutes"
    )
    signed = f"sides told by {manifest.signing_mode}; " if manifest.signing_mode else ""
    parts.append(
        f"Hedge instrument {manifest.hedge_instrument} on {manifest.hedge_venue}, {scale}; {signed}"
        f"{counted(manifest.trials, 'configuration')} tried on this data set."
    )
    parts.append(registration_words(manifest.registration))
    if manifest.vault is not None:
        parts.extend(vault_words(manifest.vault))
    return " ".join(parts)


def _untestable(gates: tuple[Judgement, ...]) -> list[str]:
    """Return the gates that these data cannot test, each beside its reason."""
    by_reason: dict[str, list[str]] = {}
    for gate in gates:
        if gate.status in {Status.UNTESTABLE, Status.REFUSED}:
            by_reason.setdefault(gate.reason, []).append(gate.statement)
    return [
        f"Untestable ({reason}): {'; '.join(statements)}."
        for reason, statements in by_reason.items()
    ]


def _without_scale(manifest: Manifest) -> str:
    if section(manifest.config, "scale").get("demand") == "relative":
        return "V5 unknown, for no complete earlier session of it was recorded"
    return "thresholds in absolute units"
