"""What the report judges: gates, claims, classes beside their bands, statistics, coherence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.expiry_words import STRIKES
from hedgeflow.evidence.report.sections import objects, text, texts
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import (
    Shown,
    counted,
    decimal,
    estimate,
    figure,
    label,
    prose,
    threshold,
)
from hedgeflow.evidence.verdict import Status

CLASS_MEASURES = (
    ("win_rate", "Win rate"),
    ("barrier_implied_win_rate", "Win rate that the barriers alone imply"),
    ("average_win_points", "Average win"),
    ("average_loss_points", "Average loss"),
    ("payoff_ratio", "Average win / average loss"),
    ("expectancy_points", "Net result a trade, points"),
    ("expectancy_bps", "Net result a trade, bps"),
    ("hold_minutes", "Time held"),
    ("trades_per_session", "Trades a session"),
    ("sharpe_per_trade", "Sharpe ratio per trade"),
    ("profit_factor", "Sum of wins / sum of losses"),
)
STATISTICS = (
    ("p_value", "p_value", "p, mean net result, against the null draws"),
    ("p_value_win_rate", "p_value", "p, win rate, against the null draws"),
    ("binomial_p_value_barrier", "p_value", "p, win rate, against the barrier-implied rate"),
    ("binomial_p_value_half", "p_value", "p, win rate, against a coin"),
    ("effect_size_h", "effect", "Effect size h (win rate against barriers)"),
    ("effect_size_d", "effect", "Effect size d (net result against zero)"),
    ("effect_size_d_null", "effect", "Effect size d (net result against the null draws)"),
    ("power_observed", "probability", "Power, if the observed win rate is true"),
    ("power_claimed", "probability", "Power, if the claimed win rate is true"),
    ("trades_needed_observed", "trades_needed", "Trades needed, if the observed rate is true"),
    ("trades_needed_claimed", "trades_needed", "Trades needed, if the claimed rate is true"),
    ("effective_sample_size", "trades_effective", "Effective number of trades"),
    ("intraday_correlation", "correlation", "Correlation of trades of one day"),
    ("design_effect", "effect", "Design effect of trading in clusters"),
)

LESS_IS_BETTER = {"drawdown", "average_loss_points"}
MORE_IS_BETTER = {"win_rate", "sharpe_annualised", "average_win_points"}
"""Figures of which one side of a claimed band is better than it; of the others neither is."""
SHARES = {"sign_agreement", "hedges_observed", "prior_flow_share"}
OF_STRIKES = "pinning"
"""The hypothesis that two tests make, of the nearest strike and of the heaviest."""
DEFLATED = (
    ("probabilistic", "probability", "Probability that the true Sharpe ratio exceeds zero"),
    ("probabilistic_claimed", "probability", "Probability that it exceeds the claimed one"),
    ("expected_maximum", "sharpe", "Sharpe ratio of the best of as many trials by luck"),
    ("deflated", "probability", "Probability that the true ratio exceeds that luck"),
    ("sessions_needed", "sessions", "Sessions needed to show a ratio above zero"),
)


def judgement_table(judgements: Sequence[JsonObject], name: str) -> Table | None:
    """Return gates or claims with what was found, what was asked, the state and why."""
    rows = tuple(_judgement(item) for item in judgements)
    columns = (
        ("Statement", False),
        ("State", False),
        ("Found", True),
        ("Asked", True),
        ("Why", False),
    )
    return Table(name, columns, rows) if rows else None


def _judgement(item: JsonObject) -> tuple[Cell, ...]:
    statistic = text(item, "statistic")
    shown = estimate(item, statistic)
    statement = prose(text(item, "statement"))
    sample = int(number(item, "sample_size") or 0)
    return (
        Cell(statement[:1].upper() + statement[1:], detail=text(item, "source")),
        Cell(
            text(item, "status"),
            state=text(item, "status"),
            detail=_beside_the_band(item, statistic),
        ),
        Cell(shown.value or "no figure", detail=shown.interval),
        _asked(item, statistic),
        Cell(
            _why(item) or shown.reason,
            detail="; ".join(part for part in (shown.method, f"n = {decimal(sample, 0)}") if part),
        ),
    )


def _beside_the_band(item: JsonObject, statistic: str) -> str:
    """Return on which side of a claimed band a figure fails that lies outside of it."""
    low, high, value = (number(item, key) for key in ("threshold", "upper_threshold", "value"))
    if text(item, "status") != Status.FAILED or text(item, "comparison") != "within":
        return ""
    if low is None or high is None or value is None or low <= value <= high:
        return ""
    side = "under" if value < low else "over"
    better = value < low if statistic in LESS_IS_BETTER else value > high
    if statistic in LESS_IS_BETTER or statistic in MORE_IS_BETTER:
        return f"{side} the band: {'better' if better else 'worse'} than claimed"
    return f"{side} the band"


def _why(item: JsonObject) -> str:
    """Return the sentence without the statement and the state, which have columns of their own."""
    statement, sentence = text(item, "statement"), text(item, "sentence")
    head = f"{statement[:1].upper()}{statement[1:]}: {text(item, 'status')}, "
    rest = sentence.removeprefix(head)
    return prose(rest if rest.startswith("p =") else rest[:1].upper() + rest[1:])


def _asked(item: JsonObject, statistic: str) -> Cell:
    limit = number(item, "threshold")
    if limit is None:
        return Cell("—")
    asked = threshold(statistic, text(item, "comparison"), limit, number(item, "upper_threshold"))
    least = int(number(item, "minimum_sample") or 0)
    return Cell(asked, detail=f"on {decimal(least, 0)} or more" if least else "")


def class_tables(package: JsonObject) -> list[tuple[str, Table]]:
    """Return, class by class, what was found beside the band that is claimed."""
    classes = cast("Mapping[str, JsonObject]", section(package, "performance_by_flow_type"))
    claims = {
        (text(claim, "flow_class"), text(claim, "statistic")): claim
        for claim in objects(package, "hypothesis_validation", "claims")
    }
    columns = (
        ("Measure", False),
        ("Found", True),
        ("Claimed", True),
        ("State", False),
    )
    tables: list[tuple[str, Table]] = []
    for name, record in classes.items():
        trades, wins = (int(number(record, key) or 0) for key in ("trades", "wins"))
        heading = f"{label(name)}: {counted(trades, 'trade')}, {decimal(wins, 0)} won"
        rows = tuple(
            _class_row(record, key, words, claims.get((name, key)))
            for key, words in CLASS_MEASURES
            if trades or (name, key) in claims
        )
        if not any((name, key) in claims for key, _ in CLASS_MEASURES):
            rows = tuple(row[:2] for row in rows)
        tables.append((heading, Table(heading, columns[: len(rows[0])] if rows else (), rows)))
    return tables


def _class_row(
    record: JsonObject, key: str, words: str, claim: JsonObject | None
) -> tuple[Cell, ...]:
    shown = estimate(section(record, key), key)
    found = _found(shown)
    if claim is None:
        return Cell(words), found, Cell("—"), Cell("—")
    status = text(claim, "status")
    asked = Cell(_asked(claim, key).text)
    state = Cell(status, state=status, detail=_beside_the_band(claim, key))
    return Cell(words), found, asked, state


def _found(shown: Shown) -> Cell:
    if shown.value:
        return Cell(shown.value, detail=shown.interval or shown.reason)
    return Cell("no figure", detail=shown.reason)


def difference_table(package: JsonObject) -> Table | None:
    """Return whether the two classes differ; None when they were not compared."""
    names = {
        "captured_move_points": "Move captured, points",
        "observed_move_bps": "Move to completion, bps",
        "response_minutes": "Response",
    }
    rows: list[tuple[Cell, ...]] = []
    items = objects(package, "hypothesis_validation", "flow_type_differentiation")
    for item in items:
        quantity = text(item, "quantity")
        sweep, emergency = (
            estimate(section(item, key), quantity) for key in ("sweep", "emergency")
        )
        adjusted = number(item, "p_value_holm")
        rows.append(
            (
                Cell(names.get(quantity, label(quantity)), detail=text(item, "test")),
                Cell(sweep.value or "no figure", detail=sweep.interval),
                Cell(emergency.value or "no figure", detail=emergency.interval),
                Cell(
                    prose(text(item, "reason")) or "not computable"
                    if adjusted is None
                    else figure("p_value", adjusted)
                ),
            )
        )
    held = texts(items[0], "classes") if items else []
    first, second = (label(name) for name in held) if held else ("Sweeps", "Emergencies")
    columns = (
        ("Quantity", False),
        (first, True),
        (second, True),
        ("p, Holm over the quantities", True),
    )
    return Table("Do the classes differ?", columns, tuple(rows)) if rows else None


def hypothesis_table(package: JsonObject) -> Table | None:
    """Return the hypotheses that were tested together, before and after Holm's correction."""
    rows = tuple(
        (
            Cell(prose(text(item, "statement"))[:1].upper() + prose(text(item, "statement"))[1:]),
            _own_cell(item, package),
            _p_cell(item, "p_value_holm"),
            Cell(decimal(number(item, "sample_size") or 0.0, 0)),
        )
        for item in objects(package, "hypothesis_validation", "hypotheses")
    )
    columns = (
        ("Hypothesis", False),
        ("p, its own", True),
        (f"p, Holm over these {tested}" if (tested := _tested(package)) else "p, after Holm", True),
        ("n", True),
    )
    return Table("Hypotheses tested together", columns, rows) if rows else None


def _tested(package: JsonObject) -> int:
    items = objects(package, "hypothesis_validation", "hypotheses")
    return sum(number(item, "p_value") is not None for item in items)


def hypothesis_words(package: JsonObject) -> str:
    """Return how these p-values differ from those of pinning; empty where nothing is said of it."""
    tests = int(number(section(package, "hypothesis_validation", "pinning"), "tests") or 0)
    if not tests:
        return ""
    return (
        f"The {counted(tests, 'p-value')} under “Does the price pin?” are another family, corrected"
        " among themselves, and the claims above are judged by those: a value of the same test is"
        " another there."
    )


def _own_cell(item: JsonObject, package: JsonObject) -> Cell:
    """Return a hypothesis's own p-value, and of which tests it is the smallest after Holm."""
    cell = _p_cell(item, "p_value")
    pinning = section(package, "hypothesis_validation", "pinning")
    values = [number(pinning, strike, "p_value", "value") for strike in STRIKES]
    known = [value for value in values if value is not None]
    if text(item, "id") != OF_STRIKES or len(known) < 2 or number(item, "p_value") is None:
        return cell
    both = " and ".join(figure("p_value", value) for value in known)
    return Cell(cell.text, detail=f"the smaller after Holm of {both}, those of the two strikes")


def power_table(package: JsonObject) -> Table | None:
    """Return what each claim's observations could have shown."""
    named = {
        text(item, "id"): text(item, "statement")
        for path in (("experimental_validity", "gates"), ("hypothesis_validation", "claims"))
        for item in objects(package, *path)
    }
    rows = tuple(
        _power_row(item, named)
        for item in objects(package, "statistical_measures", "power_by_claim")
        if number(item, "effect_size") is not None
    )
    columns = (
        ("Claim", False),
        ("n", True),
        ("Effect size from the bound", True),
        ("Power", True),
        ("n needed", True),
        ("Could be shown", True),
    )
    return Table("What so many observations can show", columns, rows) if rows else None


def _power_row(item: JsonObject, named: Mapping[str, str]) -> tuple[Cell, ...]:
    words = prose(named.get(text(item, "id"), text(item, "id")))
    size, power, needed, detectable = (
        number(item, key) for key in ("effect_size", "power", "needed", "detectable")
    )
    return (
        Cell(words[:1].upper() + words[1:]),
        Cell(decimal(number(item, "observations") or 0.0, 0)),
        Cell("—" if size is None else decimal(size), detail=text(item, "effect")),
        Cell("—" if power is None else figure("probability", power)),
        Cell("no number would do" if needed is None else decimal(needed, 0)),
        Cell("—" if detectable is None else figure(text(item, "statistic"), detectable)),
    )


def _p_cell(item: JsonObject, key: str) -> Cell:
    value = number(item, key)
    if value is None:
        return Cell("not tested", detail=prose(text(item, "reason")) if key == "p_value" else "")
    return Cell(figure("p_value", value))


def other_claims(package: JsonObject) -> list[JsonObject]:
    """Return the claims that no class table shows."""
    shown = {key for key, _ in CLASS_MEASURES}
    classes = section(package, "performance_by_flow_type")
    return [
        claim
        for claim in objects(package, "hypothesis_validation", "claims")
        if not (text(claim, "flow_class") in classes and text(claim, "statistic") in shown)
    ]


def coherence_table(package: JsonObject) -> Table | None:
    """Return every check of the package against itself."""
    checks = objects(package, "experimental_validity", "coherence", "checks")
    rows = tuple(
        (
            Cell(label(text(item, "id").replace("-", "_"))),
            Cell(text(item, "status").replace("_", " "), state=text(item, "status")),
            Cell(prose(text(item, "sentence"))),
        )
        for item in checks
    )
    columns = (("Check", False), ("State", False), ("What was compared", False))
    return Table("The package against itself", columns, rows) if rows else None


def statistics_table(package: JsonObject) -> Table:
    """Return tests, effect sizes, power and effective sample."""
    measures, metrics = (
        section(package, "statistical_measures"),
        section(package, "performance_metrics"),
    )
    pairs = [(section(measures, key), unit, words) for key, unit, words in STATISTICS]
    deflated = section(measures, "deflated_sharpe")
    pairs += [(section(deflated, key), unit, words) for key, unit, words in DEFLATED]
    overall = section(metrics, "overall")
    pairs += [
        (section(overall, "win_rate_exact"), "win_rate", "Win rate, exact binomial interval"),
        (section(overall, "win_rate_day_clustered"), "win_rate", "Win rate, days resampled"),
        (section(overall, "sharpe_per_trade"), "sharpe", "Sharpe ratio per trade"),
        (section(metrics, "sharpe_implied"), "sharpe", "Sharpe ratio that the win rate implies"),
        (
            section(metrics, "win_rate_implied"),
            "win_rate",
            "Win rate that the Sharpe ratio implies",
        ),
    ]
    rows = tuple(
        (Cell(words), _found(shown), Cell(shown.method or "—"))
        for words, shown in ((words, estimate(record, unit)) for record, unit, words in pairs)
    )
    columns = (("Measure", False), ("Found", True), ("How", False))
    return Table("Tests, effect sizes, power and sample", columns, rows)


def hedging_table(package: JsonObject) -> Table | None:
    """Return whether dealers traded as predicted; None where the tape shows nothing of it."""
    tests = section(package, "hypothesis_validation")
    flow = section(tests, "delta_flow_correlation")
    controls = section(flow, "controls")
    response = section(tests, "response_time_correlation")
    pairs = (
        (flow, "r_squared", "R² of predicted hedge and observed signed flow"),
        (flow, "r_squared_out_of_sample", "The same, each day from a line fitted to the others"),
        (flow, "r", "Correlation"),
        (flow, "slope", "Observed units per predicted unit"),
        (flow, "p_value", "p of that slope"),
        (flow, "correlation_p_value", "p of the correlation, signs flipped by session"),
        (flow, "hedges_observed", "Events whose flow could be told from ordinary flow"),
        (flow, "sign_agreement", "Events whose flow had the predicted sign"),
        (controls, "partial_r_squared", "R² that is left with the return and more held fixed"),
        (controls, "slope_clustered", "Observed units per predicted unit, those held fixed"),
        (controls, "prior_flow_share", "Flow before the event, as a share of the later hedge"),
        (response, "spearman", "Rank correlation, exposure and observed response"),
        (response, "pearson_of_logs", "Correlation of their logarithms"),
    )
    shown = [
        (words, estimate(section(record, key), "share" if key in SHARES else key))
        for record, key, words in pairs
    ]
    if not any(item.value for _, item in shown):
        return None
    rows = tuple((Cell(words), _found(item), Cell(item.method or "—")) for words, item in shown)
    columns = (("Measure", False), ("Found", True), ("How", False))
    return Table("Did dealers hedge as predicted?", columns, rows)
