"""The first screen: the verdict, why, how sure it is, and what would change it, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hedgeflow.evidence.arms import ArmGroup
from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.arms import is_end
from hedgeflow.evidence.report.canvas import sentence
from hedgeflow.evidence.report.chance import decided, deflated_words
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.words import (
    Shown,
    counted,
    decimal,
    estimate,
    money,
    p_is,
    percent,
    prose,
)
from hedgeflow.evidence.verdict import SAMPLE_STATISTIC, CouldTell, Status, Verdict
from hedgeflow.evidence.wording import fills_at_quotes

DECIDING = 3
"""Gates that the first screen names; all of them follow on the second."""
_NEVER_TESTED = {Status.UNTESTABLE.value, Status.REFUSED.value}
_WHERE_THE_EDGE_ENDS = (
    (ArmGroup.COST, "Costs"),
    (ArmGroup.LATENCY, "Delay"),
    (ArmGroup.CAPACITY, "Size"),
)
"""Groups of arms that say how far the run may be stretched, and what is stretched."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """A gate that decided: its state, what was asked, what was found."""

    state: str
    asked: str
    found: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What a reader with five minutes wants to know.

    Attributes
    ----------
    verdict : str
        What the word means here.
    about : str
        What was tried, on what.
    why : tuple of Deciding
        The gates that decided, those first that failed.
    sure : tuple of str
        Sample, intervals, trials, registration, vault.
    change : tuple of str
        What more or other data, costs, delay or size would make of it.
    """

    verdict: str
    about: str
    why: tuple[Deciding, ...]
    sure: tuple[str, ...]
    change: tuple[str, ...]


def answers(package: JsonObject) -> Answers:
    """Return the first screen of a package, made of nothing but its document.

    Parameters
    ----------
    package : mapping
        evidence.json.
    """
    gates = objects(package, "experimental_validity", "gates")
    return Answers(
        _verdict(package, gates),
        _about(package),
        tuple(_deciding(gates, package)),
        tuple(_sure(package)),
        tuple(_change(package, gates)),
    )


def _verdict(package: JsonObject, gates: Sequence[JsonObject]) -> str:
    validity = section(package, "experimental_validity")
    word, told = text(validity, "verdict"), text(validity, "could_tell")
    where = "in this simulated market" if package.get("simulated") else "on these data"
    count = len(gates)
    if word == Verdict.VALIDATED:
        return f"The claim holds {where}: every gate passed by the worse end of its interval."
    if word == Verdict.INSUFFICIENT_DATA:
        return _too_few(gates, where, told)
    if "leakage" in texts_of(validity, "failed"):
        return "The run depends on what came after it, so the claim is not held to be shown."
    if "coherence" in texts_of(validity, "failed"):
        return "The figures contradict each other, so the claim is not held to be shown."
    if told == CouldTell.CONCLUSIVE:
        failed = sum(text(gate, "status") == Status.FAILED for gate in gates)
        return f"The claim does not hold {where}: {failed} of {counted(count, 'gate')} failed."
    if told == CouldTell.UNTESTABLE:
        return "Nothing of the claim could be tested: these data cannot say."
    still = sum(text(gate, "status") != Status.PASSED for gate in gates)
    return (
        f"The claim was not shown {where}: no gate failed outright, but {still} of"
        f" {counted(count, 'gate')} did not pass. Other data could still decide it."
    )


def _too_few(gates: Sequence[JsonObject], where: str, told: str) -> str:
    if told != CouldTell.CONCLUSIVE:
        return f"There are too few trades {where} to say anything about the claim."
    failed = [
        prose(text(gate, "statement"))
        for gate in gates
        if text(gate, "status") == Status.FAILED and text(gate, "statistic") != SAMPLE_STATISTIC
    ]
    return (
        f"There are too few trades {where} for a verdict; even so {counted(len(failed), 'gate')}"
        f" failed outright: {'; '.join(failed)}."
    )


def texts_of(record: JsonObject, key: str) -> list[str]:
    """Return a list of codes as they are."""
    return [str(item) for item in objects(record, key)]


def _about(package: JsonObject) -> str:
    metrics, made = section(package, "performance_metrics"), section(package, "reproducibility")
    first, last = text(metrics, "first_session"), text(metrics, "last_session")
    days = counted(int(number(metrics, "sessions") or 0), "session")
    trades = int(number(metrics, "trades") or 0)
    alerts = int(number(metrics, "alerts", "alerts") or 0)
    net = number(metrics, "profit", "net_usd")
    span = f"{days}, {first} to {last}" if first else "no sessions"
    earned = f", {money(net)} net of costs" if trades and net is not None else ""
    return (
        f"{text(package, 'strategy')} ({text(package, 'preset')}), traded in"
        f" {text(made, 'hedge_instrument')} on {span}: {counted(alerts, 'alert')},"
        f" {counted(trades, 'trade')}{earned}."
    )


def _deciding(gates: Sequence[JsonObject], package: JsonObject) -> Iterator[Deciding]:
    """Yield the gates that decided: too few trades and what fails, else the worst states first."""
    short = [gate for gate in gates if text(gate, "statistic") == SAMPLE_STATISTIC]
    if text(package, "experimental_validity", "verdict") == Verdict.INSUFFICIENT_DATA:
        failed = [gate for gate in gates if text(gate, "status") == Status.FAILED]
        chosen = [*short, *(gate for gate in failed if gate not in short)]
    else:
        order = [state.value for state in (Status.FAILED, Status.INCONCLUSIVE)]
        order += [*sorted(_NEVER_TESTED, reverse=True), Status.PASSED.value]
        rest = [gate for gate in gates if gate not in short]
        chosen = sorted(rest, key=lambda gate: order.index(text(gate, "status")))
    for gate in chosen[:DECIDING]:
        yield Deciding(
            text(gate, "status"), sentence(text(gate, "statement")), _found(gate, package)
        )
    coherence = section(package, "experimental_validity", "coherence")
    if coherence and not coherence.get("coherent"):
        said = [
            check for check in objects(coherence, "checks") if text(check, "status") == "FAILED"
        ]
        words = " ".join(prose(text(check, "sentence")) for check in said)
        yield Deciding(Status.FAILED.value, "The package agrees with itself.", words)


def _found(gate: JsonObject, package: JsonObject) -> str:
    shown = estimate(gate, text(gate, "statistic"))
    if text(gate, "status") in _NEVER_TESTED or not shown.value:
        return sentence(shown.reason)
    found = f"Found {shown.value}" + (f" ({shown.interval})" if shown.interval else "")
    if text(gate, "status") == Status.INCONCLUSIVE and shown.reason:
        found += f"; {shown.reason}"
    overall = section(package, "performance_metrics", "overall")
    barrier = estimate(section(overall, "barrier_implied_win_rate"), "win_rate")
    if text(gate, "statistic") == "win_rate" and barrier.value:
        found += f". Target and stop alone imply {barrier.value}"
    return f"{found}."


def _sure(package: JsonObject) -> Iterator[str]:
    measures, made = section(package, "statistical_measures"), section(package, "reproducibility")
    metrics = section(package, "performance_metrics")
    trades = int(number(metrics, "trades") or 0)
    if trades:
        effective = number(measures, "effective_sample_size", "value")
        worth = (
            "" if effective is None else f", worth about {decimal(effective, 0)} independent ones"
        )
        sessions = counted(int(number(metrics, "sessions_with_trades") or 0), "session")
        net = estimate(section(metrics, "overall", "expectancy_bps"), "expectancy_bps")
        yield f"Sample: {counted(trades, 'trade')} on {sessions}{worth}."
        yield _earned(package, net)
        p_value = number(measures, "p_value", "value")
        if p_value is not None:
            yield f"Chance alone does as well with {p_is(p_value)} ({_nulls(measures)})."
        yield f"Watched day by day: {_lower(decided(section(measures, 'monitoring')))}"
    tried = int(number(made, "trials") or 0)
    yield (
        f"{counted(tried, 'configuration')} tried on these data."
        f" {deflated_words(section(measures, 'deflated_sharpe'))}".strip()
    )
    yield registered(section(made, "registration"))
    yield vault(section(made, "vault"))
    leakage = section(package, "experimental_validity", "leakage")
    if leakage:
        yield sentence(text(leakage, "words"))


def _earned(package: JsonObject, net: Shown) -> str:
    spread = number(package, "performance_metrics", "profit", "spread_usd") or 0.0
    quoted = fills_at_quotes(section(package, "reproducibility", "config"), spread)
    after = "after costs, of which the quotes hold the spread" if quoted else "after costs"
    if not net.interval:
        return f"A trade earned {net.text} {after}; no interval: {net.reason or 'none was formed'}."
    level = number(package, "statistical_measures", "confidence_level") or 0.95
    return (
        f"A trade earned {net.text} ({net.interval}) {after}, {percent(level, 0)} interval, days"
        " resampled."
    )


def _nulls(measures: JsonObject) -> str:
    names = [text(null, "name") for null in objects(measures, "nulls") if number(null, "draws")]
    if not names:
        return "no null was drawn"
    *others, last = names
    return f"against {', '.join(others)} and {last}" if others else f"against {last}"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def registered(record: JsonObject) -> str:
    """Return whether the hypothesis was written down before it was run."""
    if not record:
        return "Not registered: nothing proves that the hypothesis came before the run."
    at = text(record, "registered")[:10]
    if record.get("before_run"):
        return f"Registered on {at}, before it was first run on these data."
    return f"Registered on {at}, but only after it had been run on these data."


def vault(record: JsonObject) -> str:
    """Return what became of the hold-out period."""
    if not record:
        return "No vault: no period of these data was locked away beforehand."
    start, end = (text(record, key)[:10] for key in ("start", "end"))
    openings = int(number(record, "openings") or 0)
    if record.get("opened_here"):
        state = "this run is about it alone; " + (
            "spent on this run" if openings <= 1 else f"opened {openings} times, so long spent"
        )
    elif openings:
        state = f"opened {counted(openings, 'time')}, so spent; this run may have seen it"
    else:
        state = "still closed, and this run saw nothing of it"
    seen = int(number(record, "seen_before") or 0)
    also = f" {counted(seen, 'configuration')} saw some of it outside its openings." if seen else ""
    return f"Vault {f'{start} to {end}' if end else f'from {start} on'}: {state}.{also}"


def _change(package: JsonObject, gates: Sequence[JsonObject]) -> Iterator[str]:
    metrics, measures = (
        section(package, "performance_metrics"),
        section(package, "statistical_measures"),
    )
    trades = int(number(metrics, "trades") or 0)
    for gate in gates:
        asked = int(number(gate, "threshold") or 0)
        if text(gate, "statistic") == SAMPLE_STATISTIC and trades < asked:
            yield f"{counted(asked - trades, 'more trade')}: {asked} are needed for a verdict."
    yield from _wins(metrics, measures)
    yield from _edge(package)
    for gate in gates:
        if text(gate, "status") in _NEVER_TESTED:
            yield (
                f"Untested: {prose(text(gate, 'statement'))}. VALIDATED needs data that can tell;"
                f" here, {prose(text(gate, 'reason'))}."
            )


def _wins(metrics: JsonObject, measures: JsonObject) -> Iterator[str]:
    overall = section(metrics, "overall")
    won, trades = (int(number(overall, key) or 0) for key in ("wins", "trades"))
    rate, wins = (number(overall, "wins_needed", key) for key in ("threshold", "wins"))
    if not trades or rate is None:
        return
    shown = percent(rate, 0)
    if wins is None:
        yield (
            f"Wins: too few trades to show {shown}, even if all had won; {decimal(won, 0)} of"
            f" {decimal(trades, 0)} did."
        )
    elif won < wins:
        asked = f"{decimal(wins, 0)} of {decimal(trades, 0)}"
        yield f"Wins: to show {shown} takes {asked}; there were {won}."
    else:
        spare = decimal(won - wins, 0)
        yield f"Wins: {won} of {trades}; {decimal(wins, 0)} show {shown}, so {spare} could be lost."
    needed = section(measures, "trades_needed_observed")
    count = number(needed, "value")
    if count is not None:
        yield (
            f"Trades: {decimal(count, 0)} tell this win rate from the one that target and stop"
            " imply, four times in five."
        )
    elif text(needed, "reason"):
        why = prose(text(needed, "reason"))
        yield f"Trades: no number of them would help at this win rate, for {why}."


def _edge(package: JsonObject) -> Iterator[str]:
    """Yield where the edge ends: by the groups' own figures, else by the arms that were tried."""
    arms = objects(package, "experimental_validity", "arms")
    findings = objects(package, "experimental_validity", "arm_findings")
    for group, noun in _WHERE_THE_EDGE_ENDS:
        members = [
            arm
            for arm in arms
            if text(arm, "group") == group
            and number(arm, "parameter") is not None
            and number(arm, "expectancy_bps", "value") is not None
        ]
        ends = [item for item in findings if text(item, "group") == group and is_end(item)]
        if ends:
            yield f"{noun}: {_end(ends[0])}"
        elif members:
            yield f"{noun}: {_tried(sorted(members, key=_parameter))}"


def _end(item: JsonObject) -> str:
    shown = estimate(section(item, "figure"), "times")
    if not shown.value:
        return f"{shown.reason or 'not known'}."
    bounds = f" ({shown.interval})" if shown.interval else ""
    return f"the edge is gone at {shown.value} {text(item, 'unit')}{bounds}."


def _tried(members: Sequence[JsonObject]) -> str:
    """Return the first arm that no longer earns, in the order of their parameter."""
    if (number(members[0], "expectancy_bps", "value") or 0.0) <= 0.0:
        return "nothing is earned even without any, so there is nothing to lose by it."
    for arm in members:
        shown = estimate(section(arm, "expectancy_bps"), "expectancy_bps")
        if (number(arm, "expectancy_bps", "value") or 0.0) <= 0.0:
            words = prose(text(arm, "words"))
            return f"the first run that earns nothing is “{words}” ({shown.value} a trade)."
    last = members[-1]
    shown = estimate(section(last, "expectancy_bps"), "expectancy_bps")
    words = prose(text(last, "words"))
    return f"“{words}” still earns {shown.value} a trade, and nothing further was tried."


def _parameter(arm: JsonObject) -> float:
    return number(arm, "parameter") or 0.0
