"""The evidence report: one HTML file, read offline, verdict first, each figure with its doubt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import polars as pl
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from hedgeflow.evidence.arms import ArmGroup
from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.answers import answers
from hedgeflow.evidence.report.arms import ArmSection, arm_sections
from hedgeflow.evidence.report.canvas import sentence
from hedgeflow.evidence.report.chance import monitoring_picture, null_picture, trials_picture
from hedgeflow.evidence.report.event_study import event_study_pictures
from hedgeflow.evidence.report.expiry_pictures import (
    distance_picture,
    drift_picture,
    probability_picture,
)
from hedgeflow.evidence.report.expiry_tables import brier_table, drift_table, strike_table
from hedgeflow.evidence.report.expiry_words import (
    cycle_words,
    far_words,
    other_days,
    pinning_of,
    pinning_words,
    power_words,
    pull_words,
)
from hedgeflow.evidence.report.figures import equity_picture, results_picture, trades_picture
from hedgeflow.evidence.report.judgements import (
    class_tables,
    coherence_table,
    difference_table,
    hedging_table,
    hypothesis_table,
    hypothesis_words,
    judgement_table,
    other_claims,
    power_table,
    statistics_table,
)
from hedgeflow.evidence.report.page import rendered
from hedgeflow.evidence.report.prediction import (
    pressure_picture,
    price_response_picture,
    reliability_picture,
)
from hedgeflow.evidence.report.sections import (
    cost_table,
    cost_words,
    coverage_table,
    facts,
    gate_counts,
    headlines,
    latency_table,
    objects,
    text,
    texts,
    underlyings,
)
from hedgeflow.evidence.report.tables import (
    SHOWN_ROWS,
    Table,
    alert_table,
    exit_table,
    skip_table,
    trade_table,
)
from hedgeflow.evidence.report.words import (
    counted,
    decimal,
    estimate,
    money,
    percent,
    prose,
    to_the_second,
)
from hedgeflow.evidence.resolution import could_tell_words
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.market.errors import EvidenceError

SECTIONS = (
    ("verdict", "Verdict"),
    ("gates", "Gates"),
    ("pinning", "Does the price pin?"),
    ("probabilities", "Strikes’ probabilities"),
    ("directions", "Directions"),
    ("event-study", "Around alerts"),
    ("results", "Account and luck"),
    ("prediction", "Prediction and delay"),
    ("placebos", "Placebos"),
    ("costs", "Costs and size"),
    ("controls", "Risk controls"),
    ("classes", "By class"),
    ("claims", "Claims"),
    ("statistics", "Trials and statistics"),
    ("skips", "Skips and exits"),
    ("records", "Trades and alerts"),
    ("limits", "Limits"),
)
ARMS: dict[str, tuple[str, ...]] = {
    "prediction": (ArmGroup.LATENCY,),
    "placebos": (ArmGroup.PLACEBO,),
    "costs": (ArmGroup.COST, ArmGroup.CAPACITY),
    "controls": (ArmGroup.RISK_CONTROL, ArmGroup.STRESS),
    "directions": (ArmGroup.DIRECTION,),
}
"""Groups of arms by the section that shows them."""
STANDING_LIMITS = (
    (
        "One history is one draw: the intervals say how far chance alone moves these figures if"
        " other days are like these, and nothing about days that are not."
    ),
    "Fills are modelled, not traded; the costs charged are stated under costs.",
)


def render_report(
    package: JsonObject,
    tables: EvidenceTables,
    event_study: pl.DataFrame | None,
    *,
    command: str | None = None,
) -> str:
    """Return the report as one HTML document that loads nothing from outside itself.

    Parameters
    ----------
    package : mapping
        evidence.json, as `package_document` returns it.
    tables : EvidenceTables
        The tables that the package was made of.
    event_study : polars.DataFrame, optional
        Price and signed flow around alerts, by class and minute.
    command : str, optional
        The command that made the package, shown for repetition.

    Raises
    ------
    EvidenceError
        When package and tables are not of one run, or a column is missing.
    """
    stated = int(number(package, "performance_metrics", "trades") or 0)
    if stated != tables.trades.height:
        raise EvidenceError(
            f"the package states {stated} trades, its tables hold {tables.trades.height}",
            where="report",
            hint="Render a package with the tables that it was assessed from.",
        )
    shown = shown_sections(package, event_study)
    context = {
        **_head(package),
        "sections": [(anchor, name) for anchor, name in SECTIONS if anchor in shown],
        "shown": shown,
        **_expiries(package, tables),
        **_verdict(package, tables),
        **_pictures(package, tables, event_study),
        **_other_ways(package),
        **_tables(package, tables),
        **_making(package, command),
    }
    return rendered("report.html.j2", context)


def shown_sections(package: JsonObject, event_study: pl.DataFrame | None) -> set[str]:
    """Return the anchors of the sections that a package has anything for.

    Parameters
    ----------
    package : mapping
        evidence.json.
    event_study : polars.DataFrame or None
        What happened around alerts, where that was studied.
    """
    tests = section(package, "hypothesis_validation")
    arms = {text(arm, "group") for arm in objects(package, "experimental_validity", "arms")}
    present = {
        "pinning": "pinning" in tests,
        "probabilities": "strike_probabilities" in tests,
        "directions": ArmGroup.DIRECTION.value in arms,
        "event-study": event_study is not None or "delta_flow_correlation" in tests,
    }
    return {anchor for anchor, _ in SECTIONS if present.get(anchor, True)}


def _expiries(package: JsonObject, tables: EvidenceTables) -> dict[str, object]:
    simulated = bool(package.get("simulated"))
    others = other_days(tables.expiries)
    return {
        "pinning_words": pinning_words(package, others) if pinning_of(package) else [],
        "distances": distance_picture(package, others, simulated=simulated),
        "strike_tests": strike_table(package, others),
        "power_words": power_words(package),
        "cycles": cycle_words(package),
        "pull": pull_words(package),
        "drift": drift_picture(package, simulated=simulated),
        "drift_table": drift_table(package),
        "strike_probabilities": probability_picture(package, simulated=simulated),
        "brier": brier_table(package),
        "far": far_words(package),
    }


def _head(package: JsonObject) -> dict[str, object]:
    return {
        "simulated": bool(package.get("simulated")),
        "strategy": text(package, "strategy"),
        "preset": text(package, "preset"),
        "label": text(package, "experimental_validity", "label"),
        "made": f"Made {to_the_second(text(package, 'timestamp'))}",
        "level": percent(number(package, "statistical_measures", "confidence_level") or 0.95, 0),
        "plotlyjs": Markup(get_plotlyjs()),  # noqa: S704 - the library's own source
    }


def _verdict(package: JsonObject, tables: EvidenceTables) -> dict[str, object]:
    validity = section(package, "experimental_validity")
    word, could_tell = (text(validity, key) for key in ("verdict", "could_tell"))
    gates = objects(validity, "gates")
    said = {text(gate, "sentence") for gate in gates}
    return {
        "verdict": {
            "word": word,
            "source": text(validity, "source_verdict"),
            "could_tell": could_tell,
            "could_tell_words": f"{could_tell_words(word, could_tell)} {gate_counts(gates)}",
            "gates": gate_counts(gates),
            "null_hypothesis": text(package, "hypothesis_validation", "null_hypothesis"),
            "resolution": texts(validity, "resolution"),
            "reasons": [
                prose(reason)
                for reason in map(str, objects(validity, "reasons"))
                if reason not in said
            ],
        },
        "answers": answers(package),
        "headlines": headlines(package),
        "facts": facts(package, underlyings(tables.trades, tables.alerts)),
        "coverage": coverage_table(package),
        "gates": judgement_table(gates, "Gates of the verdict"),
    }


def _pictures(
    package: JsonObject, tables: EvidenceTables, event_study: pl.DataFrame | None
) -> dict[str, object]:
    simulated = bool(package.get("simulated"))
    classes = _classes(package, tables)
    flow = section(package, "hypothesis_validation", "delta_flow_correlation", "r_squared")
    flow_reason = prose(text(flow, "reason")) or "no signed tape of the hedge instrument"
    traded = not tables.trades.is_empty()
    return {
        "study": event_study_pictures(
            event_study, classes, flow_reason=flow_reason, simulated=simulated
        ),
        "flow_reason": flow_reason,
        "prices": price_response_picture(package, simulated=simulated),
        "equity": equity_picture(tables.ledger_entries, traded=traded, simulated=simulated),
        "drawdowns": _drawdowns(package),
        "by_trade": trades_picture(tables.trades, classes, simulated=simulated),
        "distribution": results_picture(tables.trades, simulated=simulated),
        "monitoring": monitoring_picture(package, simulated=simulated),
        "luck": null_picture(package, simulated=simulated),
        "null_descriptions": _null_descriptions(package),
        "pressure": pressure_picture(tables.trades, tables.alerts, classes, simulated=simulated),
        "reliability": reliability_picture(package, simulated=simulated),
        "trials": trials_picture(package, simulated=simulated),
    }


def _other_ways(package: JsonObject) -> dict[str, object]:
    """Return the groups of arms by the section that shows them; unknown groups go with the last."""
    sections = arm_sections(package, simulated=bool(package.get("simulated")))
    shown = {anchor: tuple(sections[group] for group in groups) for anchor, groups in ARMS.items()}
    known = {str(group) for groups in ARMS.values() for group in groups}
    others = tuple(found for group, found in sections.items() if group not in known)
    last: list[ArmSection] = [*shown["controls"], *others]
    return {"arms": {**shown, "controls": tuple(last)}}


def _null_descriptions(package: JsonObject) -> list[str]:
    return [
        sentence(f"{text(null, 'name')}: {text(null, 'description')}")
        for null in objects(package, "statistical_measures", "nulls")
        if text(null, "description")
    ]


def _classes(package: JsonObject, tables: EvidenceTables) -> list[str]:
    traded = tables.trades["flow_class"].drop_nulls().to_list()
    alerted = tables.alerts["flow_class"].drop_nulls().to_list()
    declared = section(package, "performance_by_flow_type")
    return list(dict.fromkeys([*declared, *sorted({*traded, *alerted})]))


def _drawdowns(package: JsonObject) -> str:
    record = section(package, "performance_metrics", "drawdown")
    observed = estimate(section(record, "observed"), "drawdown")
    quantiles = {
        number(item, "quantile"): number(item, "drawdown") for item in objects(record, "bootstrap")
    }
    middle, bad = quantiles.get(0.5), quantiles.get(0.95)
    if not observed.value or middle is None or bad is None:
        return ""
    return (
        f"The largest drawdown was {observed.value}. Had the same days come in another draw, half"
        f" of the histories would have fallen by more than {percent(middle, 2)}, one in twenty by"
        f" more than {percent(bad, 2)}."
    )


def _tables(package: JsonObject, tables: EvidenceTables) -> dict[str, object]:
    metrics = section(package, "performance_metrics")
    return {
        "hedging": hedging_table(package),
        "latency": latency_table(package),
        "latency_words": _latency_words(section(metrics, "execution_latency")),
        "classes": class_tables(package),
        "differences": difference_table(package),
        "primary": bool(
            section(package, "hypothesis_validation").get("primary_hypothesis_supported")
        ),
        "claims": judgement_table(other_claims(package), "Claims of the strategy"),
        "hypotheses": hypothesis_table(package),
        "hypothesis_words": hypothesis_words(package),
        "statistics": statistics_table(package),
        "powers": power_table(package),
        "sample_words": _sample_words(package),
        "coherent": bool(section(package, "experimental_validity", "coherence").get("coherent")),
        "coherence": coherence_table(package),
        "alert_words": _alert_words(section(metrics, "alerts")),
        "skips": skip_table(tables.decisions),
        "exits": exit_table(tables.trades),
        "costs": cost_table(package),
        "costs_note": prose(text(metrics, "profit", "costs_note")),
        "cost_words": cost_words(package),
        "records": [
            _record(trade_table(tables.trades), tables.trades.height, "trade"),
            _record(alert_table(tables.alerts, tables.decisions), tables.alerts.height, "alert"),
        ],
    }


def _record(table: Table | None, count: int, noun: str) -> dict[str, object]:
    if table is None:
        return {"table": None, "words": f"There are no {noun}s."}
    if count > SHOWN_ROWS:
        words = f"The latest {SHOWN_ROWS} of {counted(count, noun)}"
    else:
        words = f"All of them: {counted(count, noun)}"
    return {"table": table, "words": f"{words} (every column is in {noun}s.parquet)"}


def _latency_words(speed: JsonObject) -> str:
    spread = section(speed, "detection_to_entry_seconds")
    middle, tail, most = (number(spread, key) for key in ("p50", "p99", "max"))
    if middle is None or tail is None or most is None:
        return ""
    share = estimate(section(speed, "share_under_limit"), "share")
    trend = estimate(section(speed, "trend_p_value"), "p_value")
    limit = (number(speed, "limit_seconds") or 0.0) / 60.0
    return (
        f"From detection to entry: median {decimal(middle, 1)} s, 99th percentile"
        f" {decimal(tail, 1)} s, longest {decimal(most, 1)} s; {share.text} within"
        f" {limit:g} minutes. That wins fall with latency: "
        + (f"p\u00a0=\u00a0{trend.value}." if trend.value else f"untold, for {trend.reason}.")
    )


def _sample_words(package: JsonObject) -> str:
    measures = section(package, "statistical_measures")
    made = section(measures, "bootstrap")
    trades = int(number(measures, "sample_size") or 0)
    if not trades:
        return "There are no trades, so no test could be made."
    effective = number(measures, "effective_sample_size", "value")
    clusters = (
        "" if effective is None else f", worth about {decimal(effective, 0)} independent ones"
    )
    block = number(made, "block_length")
    return (
        f"{counted(trades, 'trade')}{clusters}. Trades of one day move together, so intervals"
        f" come from resampling days: {text(made, 'method')},"
        f" {decimal(number(made, 'resamples') or 0.0, 0)} resamples"
        + ("" if block is None else f", mean block of {decimal(block, 1)} sessions")
        + ". Tests are one-sided unless named otherwise."
    )


def _alert_words(record: JsonObject) -> str:
    alerts, events, planned, skipped = (
        int(number(record, key) or 0) for key in ("alerts", "events", "planned", "skipped")
    )
    capped = estimate(section(record, "at_confidence_cap"), "share")
    words = (
        f"{counted(alerts, 'alert')} in {counted(events, 'event')}: {decimal(planned, 0)} planned,"
        f" {decimal(skipped, 0)} skipped."
    )
    return (
        f"{words} {capped.value} of alerts carry the capped confidence." if capped.value else words
    )


def _making(package: JsonObject, command: str | None) -> dict[str, object]:
    made = section(package, "reproducibility")
    config = cast("dict[str, Any]", made.get("config") or {})
    lines = [
        ("Data hash", text(made, "data_hash")),
        ("Configuration hash", text(made, "config_hash")),
        ("Code version", text(made, "code_version")),
        ("Seed", text(made, "seed")),
        ("Configurations tried on these data", text(made, "trials")),
        ("Schema of the package", text(package, "schema_version")),
    ]
    if command:
        lines.append(("Command", command))
    return {
        "notes": [*texts(made, "notes"), *_limits(package), *STANDING_LIMITS],
        "made_from": [(name, words or "not stated") for name, words in lines],
        "config": json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False),
        "files": sorted(cast("dict[str, str]", made.get("files") or {}).items()),
    }


def _limits(package: JsonObject) -> Sequence[str]:
    limits: list[str] = []
    trials = int(number(package, "reproducibility", "trials") or 0)
    if trials > 1:
        limits.append(
            f"{counted(trials, 'configuration')} were tried on these data; the best of many looks"
            " better than it is."
        )
    if package.get("simulated"):
        limits.append("SIMULATED: the market was simulated, so nothing here is evidence about one.")
    if not section(package, "experimental_validity", "leakage"):
        limits.append("Whether the future leaks into the past was not tested in this run.")
    untestable = texts(package, "experimental_validity", "untestable")
    if untestable:
        limits.append(f"Gates that these data cannot test: {', '.join(untestable)}.")
    capital = number(package, "performance_metrics", "drawdown", "capital_usd")
    if capital is not None:
        limits.append(f"Drawdown is measured against a deposit of {money(capital)}.")
    return limits
