"""What the report says of expiries in words: closes beside strikes, drift, the published pull."""

from __future__ import annotations

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.sections import objects, text
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
        return f"Closes beside {strike}: untestable, {reason_of(test, 'p_value')}."
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
            f"The last move beside dealers’ gamma: untestable, {reason_of(drift, 'p_value')}."
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
        f"The last {mark_words(drift)} on {counted(days, 'expiry day')}{besides}:"
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


def mark_words(record: JsonObject) -> str:
    """Return a mark in words, and how old its prices are where snapshots end before it."""
    mark = number(record, "mark_minutes") or 0.0
    before = number(record, "minutes_before") or mark
    if before < mark + 1.0:
        return f"{decimal(mark, 0)} min"
    return f"{decimal(before, 0)} min (no price nearer to {decimal(mark, 0)})"


def reason_of(record: JsonObject, key: str) -> str:
    """Return why an estimate of a record is not known."""
    return prose(text(record, key, "reason")) or "the package does not say why"


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
