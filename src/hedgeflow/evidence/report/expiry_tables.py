"""The report's tables of expiries: closes beside strikes, drift by distance, Brier scores."""

from __future__ import annotations

from dataclasses import replace

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.expiry_words import (
    LAWS,
    MODELS,
    STRIKES,
    WITHOUT,
    named,
    pinning_of,
    probabilities_of,
    reason_of,
)
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import SPACE, counted, decimal, estimate, figure, prose


def strike_table(package: JsonObject, others: str = WITHOUT) -> Table | None:
    """Return the tests of closes beside strikes; None where nothing is said of expiries.

    Parameters
    ----------
    package : mapping
    others : str
        What `other_days` says of the control.
    """
    record = pinning_of(package)
    rows = tuple(
        _strike_row(section(record, name), words, others)
        for name, words in STRIKES.items()
        if record
    )
    pull = number(record, "nearest", "published", "pull_bps")
    columns = (
        ("Distance from", False),
        ("Expiry days", True),
        ("Spacings away", True),
        ("Beside", True),
        ("Difference", True),
        ("p", True),
        ("Within 1/8", True),
        ("p of that", True),
        ("Power" if pull is None else f"Power for {decimal(pull, 1)}{SPACE}bps", True),
    )
    return Table("Closes beside strikes", columns, rows) if rows else None


def _strike_row(test: JsonObject, words: str, others: str) -> tuple[Cell, ...]:
    cells = _strike_cells(test, words)
    return tuple(replace(cell, detail=named(cell.detail, others)) for cell in cells)


def _strike_cells(test: JsonObject, words: str) -> tuple[Cell, ...]:
    out = int(number(test, "left_out") or 0)
    said = text(test, "p_value", "reason")
    return (
        Cell(words, detail="" if number(test, "p_value", "value") is None else _law(test)),
        Cell(
            decimal(number(test, "expiry_days") or 0.0, 0),
            detail=f"{decimal(out, 0)} left out" if out else "",
        ),
        _cell(test, "distance", ""),
        _cell(test, "expected", ""),
        _once(_cell(test, "difference", ""), said),
        _p_cell(test, "p_value"),
        _cell(test, "share", "share"),
        _once(_p_cell(test, "share_p_value"), said),
        _once(_published(section(test, "published")), said),
    )


def _once(cell: Cell, said: str) -> Cell:
    """Return a cell without a reason that stands beside the p-value already."""
    return replace(cell, detail="") if said and cell.detail == prose(said) else cell


def _law(test: JsonObject) -> str:
    return f"compared with closes {LAWS[text(test, 'law')]}"


def _cell(record: JsonObject, key: str, statistic: str) -> Cell:
    shown = estimate(section(record, key), statistic)
    return Cell(shown.value or "—", detail=shown.interval or shown.reason)


def _p_cell(record: JsonObject, key: str) -> Cell:
    value, holm = number(record, key, "value"), number(record, f"{key}_holm")
    if value is None:
        return Cell("untestable", detail=reason_of(record, key))
    return Cell(
        figure("p_value", value),
        detail="" if holm is None else f"{figure('p_value', holm)} after Holm",
    )


def _published(record: JsonObject) -> Cell:
    power, needed = number(record, "power"), number(record, "days_needed")
    if power is None:
        return Cell("—", detail=prose(text(record, "reason")))
    days = "no number of days" if needed is None else counted(int(needed), "day")
    return Cell(figure("probability", power), detail=f"{days} for 80{SPACE}%")


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
    lower, upper = (number(item, key) for key in ("lower", "upper"))
    start = decimal(lower or 0.0, 1)
    return f"{start} and more: not tested" if upper is None else f"{start} to {decimal(upper, 1)}"


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
