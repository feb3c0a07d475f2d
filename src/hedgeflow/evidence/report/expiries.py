"""The report's section on expiries: closes beside strikes, drift beside gamma, probabilities."""

from __future__ import annotations

import plotly.graph_objects as go

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.canvas import Absent, Bounded, Drawn, Picture, level, spec_of
from hedgeflow.evidence.report.prediction import curves_chart
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import (
    counted,
    decimal,
    estimate,
    figure,
    p_is,
    percent,
    prose,
)

STRIKES = {
    "nearest": "the nearest strike",
    "heaviest": "the strike with the most open interest",
}
LAWS = {
    "control days": "on days without an expiry",
    "uniform": "if closes were spread evenly between strikes",
    "mirror images": "of the mirror images of the last move",
    "mirror images beside control days": "of the mirror images of the last move",
}
MODELS = {
    "source": "the source’s rule",
    "lognormal": "the lognormal model",
    "empirical": "the empirical model",
}
SHOWN = 0.05
"""A p-value after Holm that is larger is said to show nothing."""


def pinning_of(package: JsonObject) -> JsonObject:
    """Return what a package says of pinning, empty where it says nothing."""
    return section(package, "hypothesis_validation", "pinning")


def probabilities_of(package: JsonObject) -> list[JsonObject]:
    """Return the scored models of a package, none where it has none."""
    return objects(package, "hypothesis_validation", "strike_probabilities", "models")


def pinning_words(package: JsonObject) -> list[str]:
    """Return what was found of pinning, in sentences, and what else could have made it."""
    record = pinning_of(package)
    found = [_test_words(section(record, name)) for name in STRIKES]
    found.append(_drift_words(section(record, "drift")))
    tests = int(number(record, "tests") or 0)
    if tests:
        found.append(
            f"Holm’s correction runs over {counted(tests, 'p-value')} of at most five: the distance"
            " from and the share of closes within an eighth of the spacing of either strike, and"
            " the last move beside gamma. Claims name three of these, the two distances and the"
            " last move; that the two shares were tried too makes those claims harder to pass."
        )
    return found


def _test_words(test: JsonObject) -> str:
    strike, p_value = STRIKES[text(test, "strike")], number(test, "p_value", "value")
    if p_value is None:
        return f"Closes beside {strike}: untestable, {_reason(test, 'p_value')}."
    distance, expected = (number(test, key, "value") or 0.0 for key in ("distance", "expected"))
    days, others = (int(number(test, key) or 0) for key in ("expiry_days", "control_days"))
    difference = estimate(section(test, "difference"), "")
    between = f" ({difference.interval})" if difference.interval else ""
    law, elsewhere = LAWS[text(test, "law")], number(test, "control_difference", "value")
    if elsewhere is not None:
        law += (
            f", and on {counted(others, 'day')} without an expiry {decimal(elsewhere)} from their"
            " own mirror images"
        )
    elif others:
        law += f" ({decimal(others, 0)} of them)"
    away = {"nearer": "nearer, as a pin", "farther": "farther, as if driven away"}
    holm = number(test, "p_value_holm")
    after = 1.0 if holm is None else holm
    said = away.get(text(test, "direction"), "the same")
    caution = prose(text(test, "caution"))
    return (
        f"Closes beside {strike}: on {counted(days, 'expiry day')} {decimal(distance)} of the"
        f" spacing away, {decimal(expected)} {law}: {said}, difference"
        f" {difference.value}{between}. Two-sided {p_is(p_value)}, after Holm {p_is(after)}:"
        f" {'more than chance' if after < SHOWN else 'no more than chance would do'}."
        + (f" {caution[:1].upper()}{caution[1:]}." if caution else "")
    )


def _drift_words(drift: JsonObject) -> str:
    p_value = number(drift, "p_value", "value")
    if p_value is None:
        return (
            f"The last move beside dealers’ gamma: untestable, {_reason(drift, 'p_value')}."
            f"{_rises(drift)}"
        )
    bps = estimate(section(drift, "slope_bps"), "slope_bps")
    between = f" ({bps.interval})" if bps.interval else ""
    holm = number(drift, "p_value_holm")
    after = 1.0 if holm is None else holm
    days = int(number(drift, "compared_days") or 0)
    silent = int(number(drift, "days") or 0) - days
    besides = f" ({decimal(silent, 0)} more tell nothing of gamma)" if silent else ""
    bases = ", ".join(
        f"{name} on {counted(int(count), 'day')}"
        for name, count in section(drift, "bases").items()
        if isinstance(count, int)
    )
    return (
        f"The last {_minutes(drift)} on {counted(days, 'expiry day')}{besides}:"
        f" {bps.value}{between} with dealers’ gamma, half of what the move towards the strike was"
        " more where they were long than where they were short, among days with the strike on the"
        " same side"
        f" of the price. One-sided {p_is(p_value)}, after Holm {p_is(after)}:"
        f" {'more than chance' if after < SHOWN else 'no more than chance would do'}."
        f"{_rises(drift)} What is known of dealers’ gamma: {prose(bases)}."
    )


def _rises(drift: JsonObject) -> str:
    """Return on how many days gamma predicted a rise, and what that mixes into the plain means."""
    up_share = number(drift, "up_share")
    if up_share is None:
        return ""
    caution = prose(text(drift, "caution"))
    if caution:
        return f" {caution[:1].upper()}{caution[1:]}."
    return f" Dealers’ gamma predicted a rise on {percent(up_share)} of the days."


def _minutes(record: JsonObject) -> str:
    """Return a mark in words, and how old its prices are where snapshots end before it."""
    mark = number(record, "mark_minutes") or 0.0
    before = number(record, "minutes_before") or mark
    if before < mark + 1.0:
        return f"{decimal(mark, 0)} min"
    return f"{decimal(before, 0)} min (no price nearer to {decimal(mark, 0)})"


def _reason(record: JsonObject, key: str) -> str:
    return prose(text(record, key, "reason")) or "the package does not say why"


def distance_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return how closes lie between strikes, on expiry days beside the others."""
    title = "How far closes are from their nearest strike"
    bins = objects(pinning_of(package), "distances")
    totals = {key: sum(int(number(item, key) or 0) for item in bins) for key in _DAYS}
    if not totals["expiry_days"]:
        why = _reason(section(pinning_of(package), "nearest"), "p_value")
        return Absent(title, why)
    chart = go.Figure()
    for place, (key, name) in enumerate(_DAYS.items()):
        if not totals[key]:
            continue
        counts = [int(number(item, key) or 0) for item in bins]
        chart.add_trace(
            go.Bar(
                x=[50.0 * sum(number(item, end) or 0.0 for end in _ENDS) for item in bins],
                y=[100.0 * count / totals[key] for count in counts],
                name=f"{name} ({decimal(totals[key], 0)})",
                marker={
                    "color": f"var(--series-{place}-band)",
                    "line": {"color": f"var(--series-{place})", "width": 1.5},
                    "pattern": {"shape": ("", "/")[place]},
                },
                customdata=counts,
                hovertemplate="%{customdata} closes, %{y:.1f} %<extra>%{fullData.name}</extra>",
            )
        )
    level(chart, 100.0 / len(bins), "spread evenly")
    chart.update_layout(barmode="group")
    chart.update_xaxes(
        title="distance from the nearest strike, % of the spacing",
        range=[0, 50],
        tickvals=[0, 12.5, 25, 37.5, 50],
    )
    chart.update_yaxes(title="share of closes, %")
    beside = (
        "bars of both kinds of days alike, around the dotted line"
        if totals["control_days"]
        else "bars around the dotted line"
    )
    return Picture(
        "fig-distances",
        title,
        "Closes by their distance from the nearest listed strike: 0 at a strike, 50 % half-way"
        " between two. Pinning piles expiry days up at the left, repelling at the right.",
        f"{beside}; prices that like round numbers rise at the left on every day.",
        "how far each close would have been without an expiry; no day tells that.",
        340,
        spec_of(chart, simulated),
    )


_DAYS = {"expiry_days": "expiry days", "control_days": "days without an expiry"}
_ENDS = ("lower", "upper")


def drift_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return the last moves towards the strike, where dealers are long gamma and where short."""
    title = "The last move beside dealers’ gamma"
    drift = section(pinning_of(package), "drift")
    marks = [each for each in objects(drift, "marks") if number(each, "days")]
    if not marks:
        return Absent(title, _reason(drift, "p_value"))
    chart = go.Figure()
    for place, (key, name) in enumerate(
        (("long_bps", "dealers long gamma"), ("short_bps", "dealers short gamma"))
    ):
        names = [_minutes(each) for each in marks]
        points = Bounded.of(names, [section(each, key) for each in marks])
        colour = f"var(--series-{place})"
        if points.at:
            chart.add_trace(
                go.Scatter(
                    x=points.at,
                    y=points.value,
                    error_y=points.bars(colour),
                    mode="markers",
                    name=name,
                    marker={"color": colour, "symbol": ("circle", "diamond")[place], "size": 10},
                    hovertemplate="%{x}: %{y:.2f} bps<extra>%{fullData.name}</extra>",
                )
            )
    chart.add_hline(y=0, line={"color": "var(--ink-soft)", "width": 1.3, "dash": "dot"})
    chart.update_layout(scattermode="group")
    chart.update_xaxes(title="from so long before the expiry to the close", type="category")
    chart.update_yaxes(title="bps towards the strike", zeroline=False)
    return Picture(
        "fig-drift",
        title,
        "Mean move towards the strike with the most open interest (above 0) or away from it, with"
        " 95 % intervals; only days whose strike was within reach. Dealers who are long gamma"
        " should draw the price to the strike, dealers who are short drive it away.",
        "both lie on 0, whatever dealers hold.",
        "who held what: dealers’ gamma is an estimate, and by a convention no more than a guess.",
        340,
        spec_of(chart, simulated),
    )


def probability_picture(package: JsonObject, *, simulated: bool) -> Drawn:
    """Return how often the price finished at strikes that each model gave each probability."""
    title = "The probability of finishing at a strike, and how often it did"
    models = probabilities_of(package)
    held = [
        (section(each, "curve"), MODELS[text(each, "model")])
        for each in models
        if objects(each, "curve", "bins")
    ]
    if not held:
        reasons = [text(each, "curve", "reason") for each in models]
        return Absent(title, next((prose(each) for each in reasons if each), "no model was scored"))
    chart = curves_chart(held)
    chart.update_xaxes(title="probability stated, %", range=[-2, 102])
    chart.update_yaxes(title="finished at the strike, %", range=[-2, 102])
    return Picture(
        "fig-strike-probabilities",
        title,
        "Strikes grouped by the probability that each model stated, and the share at which the"
        " price finished, with 95 % intervals by resampled days. Points on the dotted line are"
        " as likely as stated; points below it were overstated.",
        "a level line: whatever is stated, the same share comes true.",
        "how many strikes stand behind a point; hover over it. Strikes far away are most of them.",
        380,
        spec_of(chart, simulated),
    )


def strike_table(package: JsonObject) -> Table | None:
    """Return the tests of closes beside strikes; None where nothing is said of expiries."""
    record = pinning_of(package)
    rows = tuple(
        _strike_row(section(record, name), words) for name, words in STRIKES.items() if record
    )
    columns = (
        ("Distance from", False),
        ("Expiry days", True),
        ("Spacings away", True),
        ("Without expiry", True),
        ("Difference", True),
        ("p", True),
        ("Within 1/8", True),
        ("p of that", True),
        ("Published pull", True),
    )
    return Table("Closes beside strikes", columns, rows) if rows else None


def _strike_row(test: JsonObject, words: str) -> tuple[Cell, ...]:
    out = int(number(test, "left_out") or 0)
    return (
        Cell(words, detail="" if number(test, "p_value", "value") is None else _law(test)),
        Cell(
            decimal(number(test, "expiry_days") or 0.0, 0),
            detail=f"{decimal(out, 0)} left out" if out else "",
        ),
        _cell(test, "distance", ""),
        _cell(test, "expected", ""),
        _cell(test, "difference", ""),
        _p_cell(test, "p_value"),
        _cell(test, "share", "share"),
        _p_cell(test, "share_p_value"),
        _published(section(test, "published")),
    )


def _law(test: JsonObject) -> str:
    return f"compared with closes {LAWS[text(test, 'law')]}"


def _cell(record: JsonObject, key: str, statistic: str) -> Cell:
    shown = estimate(section(record, key), statistic)
    return Cell(shown.value or "—", detail=shown.interval or shown.reason)


def _p_cell(record: JsonObject, key: str) -> Cell:
    value, holm = number(record, key, "value"), number(record, f"{key}_holm")
    if value is None:
        return Cell("untestable", detail=_reason(record, key))
    return Cell(
        figure("p_value", value),
        detail="" if holm is None else f"{figure('p_value', holm)} after Holm",
    )


def _published(record: JsonObject) -> Cell:
    power, needed = number(record, "power"), number(record, "days_needed")
    if power is None:
        return Cell("—", detail=prose(text(record, "reason")))
    days = "no number of days" if needed is None else counted(int(needed), "day")
    return Cell(f"power {figure('probability', power)}", detail=f"{days} for 80 %")


def drift_table(package: JsonObject) -> Table | None:
    """Return the last move by how far the strike was; None where it was not tested."""
    drift = section(pinning_of(package), "drift")
    rows = [
        (
            Cell(
                "long against short, the strike on the same side",
                detail="the one that is tested; the others hold the drift of prices",
            ),
            Cell(decimal(number(drift, "compared_days") or 0.0, 0)),
            _cell(drift, "slope", ""),
        ),
        (
            Cell("all within reach"),
            Cell(decimal(number(drift, "days") or 0.0, 0)),
            _cell(drift, "signed_sigmas", ""),
        ),
    ]
    rows += [
        (
            Cell(_reach(item)),
            Cell(decimal(number(item, "days") or 0.0, 0)),
            _cell(item, "signed_sigmas", ""),
        )
        for item in objects(drift, "by_distance")
    ]
    columns = (
        ("Strike’s distance, expected moves", False),
        ("Expiry days", True),
        ("Move with dealers’ gamma, expected moves", True),
    )
    return Table("Drift by distance", columns, tuple(rows)) if len(rows) > 2 else None


def _reach(item: JsonObject) -> str:
    lower, upper = (number(item, key) for key in _ENDS)
    start = decimal(lower or 0.0, 1)
    return f"{start} and more: not tested" if upper is None else f"{start} to {decimal(upper, 1)}"


def pull_words(package: JsonObject) -> str:
    """Return what the published effect is and whether these days could show it."""
    drift = section(pinning_of(package), "drift", "published")
    pull = number(drift, "pull_bps")
    if pull is None:
        return ""
    power, needed = number(drift, "power"), number(drift, "days_needed")
    said = "whether these days could show it is not known"
    if power is not None:
        days = "no number of days" if needed is None else counted(int(needed), "expiry day")
        said = (
            f"the drift of so many days would show it with a chance of"
            f" {figure('probability', power)}; {days} would show it four times in five"
        )
    return (
        f"The published pull on single stocks is {decimal(pull, 1)} bps on average (Ni, Pearson and"
        f" Poteshman 2005), at most to the strike: {said}. On index futures it is single-digit at"
        " most, towards the strike at some expiries and away from it at others (Golez and Jackwerth"
        " 2012)."
    )


def cycle_words(package: JsonObject) -> str:
    """Return the mean distance by kind of expiry; empty where there is one kind only."""
    cycles = objects(pinning_of(package), "cycles")
    if len(cycles) < 2:
        return ""
    parts = [
        f"{text(each, 'cycle')} {estimate(section(each, 'distance'), '').value}"
        f" ({counted(int(number(each, 'distance', 'n') or 0), 'day')})"
        for each in cycles
    ]
    return f"Mean distance from the nearest strike by kind of expiry: {', '.join(parts)}."


def brier_table(package: JsonObject) -> Table | None:
    """Return the scores of the models; None where none is scored."""
    rows = tuple(
        (
            Cell(MODELS[text(item, "model")]),
            Cell(
                decimal(number(item, "statements") or 0.0, 0),
                detail=f"on {counted(int(number(item, 'days') or 0), 'expiry day')}",
            ),
            _score(section(item, "curve", "brier"), 4),
            _score(section(item, "skill_climatology"), 3),
            _score(section(item, "skill_lognormal"), 3),
        )
        for item in probabilities_of(package)
    )
    columns = (
        ("Model", False),
        ("Probabilities", True),
        ("Brier score", True),
        ("Skill over one rate for all", True),
        ("Skill over the lognormal model", True),
    )
    return Table("Brier scores, 0 is best", columns, rows) if rows else None


def _score(record: JsonObject, digits: int) -> Cell:
    value, lower, upper = (number(record, key) for key in ("value", "lower", "upper"))
    if value is None:
        return Cell("—", detail=prose(text(record, "reason")))
    if lower is None or upper is None:
        return Cell(decimal(value, digits), detail=prose(text(record, "reason")))
    return Cell(
        decimal(value, digits), detail=f"{decimal(lower, digits)} to {decimal(upper, digits)}"
    )


def far_words(package: JsonObject) -> str:
    """Return the finding about the source's floor; empty where no model is scored."""
    far = section(package, "hypothesis_validation", "strike_probabilities", "far")
    stated, largest = number(far, "stated"), number(far, "largest")
    if stated is None or largest is None:
        return ""
    came = estimate(section(far, "came"), "share")
    interval = f" ({came.interval})" if came.interval else ""
    sigmas, count = (number(far, key) or 0.0 for key in ("sigmas", "statements"))
    words = (
        f"{counted(int(count), 'statement')} about strikes {decimal(sigmas, 0)} or more expected"
        f" moves away: the source’s rule gave them {percent(stated)} on average and up to"
        f" {percent(largest)}; the price finished at {came.value}{interval} of them."
    )
    upper = number(far, "came", "upper")
    if upper is not None and stated > upper:
        words += " Its floor gives strikes a chance that ones so far away do not have."
    return words
