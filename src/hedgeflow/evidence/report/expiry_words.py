"""What the report says of expiries in words: closes beside strikes, drift, the published pull."""

from __future__ import annotations

import polars as pl

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.power import ALPHA
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
WITHOUT = "without an expiry"
DAILY_ONLY = "on which only daily options expire"
"""What days are that are no days of expiry."""
LAWS = {
    "control days": f"on days {WITHOUT}",
    "uniform": "if closes were spread evenly between strikes",
    "mirror images": "of the mirror images of the last move",
    "mirror images beside control days": "of the mirror images of the last move",
}
MODELS = {
    "source": "the source’s rule",
    "lognormal": "the lognormal model",
    "empirical": "the empirical model",
}
SHOWN = 0.01
"""A p-value after Holm that is as large is said to show nothing: the level of the claims."""


LEVEL, ONE_SIDED = f"{200.0 * ALPHA:g} %, two-sided", f"{100.0 * ALPHA:g} %, one-sided"
"""At which power is stated."""


def pinning_of(package: JsonObject) -> JsonObject:
    """Return what a package says of pinning, empty where it says nothing."""
    return section(package, "hypothesis_validation", "pinning")


def probabilities_of(package: JsonObject) -> list[JsonObject]:
    """Return the scored models of a package, none where it has none."""
    return objects(package, "hypothesis_validation", "strike_probabilities", "models")


def other_days(expiries: pl.DataFrame | None) -> str:
    """Return what the days are that expiry days are held against, after the word "days".

    Parameters
    ----------
    expiries : polars.DataFrame or None
        Days of expiry and the others, each with the kind of what expires on it.
    """
    if expiries is None or "cycle" not in expiries.columns:
        return WITHOUT
    others = expiries.filter(~pl.col("is_expiry"))
    return DAILY_ONLY if (others["cycle"] == "daily").any() else WITHOUT


def pinning_words(package: JsonObject, others: str = WITHOUT) -> list[str]:
    """Return what was found of pinning, in sentences, and what else could have made it.

    Parameters
    ----------
    package : mapping
    others : str
        What `other_days` says of the control.
    """
    record = pinning_of(package)
    tests = int(number(record, "tests") or 0)
    found = [_test_words(section(record, name), tests) for name in STRIKES]
    found.append(_drift_words(section(record, "drift"), tests))
    if tests:
        found.append(
            f"Holm’s correction runs here over the {counted(tests, 'p-value')} of this section, of"
            " at most five: the distance from and the share of closes within an eighth of the"
            " spacing of either strike, and the last move beside gamma. Claims name three of these,"
            " the two distances and the last move, and ask for less than"
            f" {figure('p_value', SHOWN)} after this correction; that the two shares were tried too"
            " makes those claims harder to pass. “Tested together”, under the claims, corrects the"
            " strategy’s hypotheses among one another instead, so the same test has another value"
            " there."
        )
    return [named(words, others) for words in found]


def named(words: str, others: str) -> str:
    """Return words about days without an expiry with what such days are in this market."""
    return words.replace(WITHOUT, others)


def _test_words(test: JsonObject, tests: int) -> str:
    strike, p_value = STRIKES[text(test, "strike")], number(test, "p_value", "value")
    if p_value is None:
        return f"Closes beside {strike}: untestable, {reason_of(test, 'p_value')}."
    distance, expected = (number(test, key, "value") or 0.0 for key in ("distance", "expected"))
    days, others = (int(number(test, key) or 0) for key in ("expiry_days", "control_days"))
    difference = estimate(section(test, "difference"), "")
    between = f" ({difference.interval})" if difference.interval else ""
    elsewhere = number(test, "control_difference", "value")
    found = f"{decimal(distance)} {'spacing' if distance == 1.0 else 'spacings'} away"
    if text(test, "law") == "control days":
        beside = f"{decimal(expected)} on {counted(others, 'day')} {WITHOUT}"
    elif text(test, "law") == "uniform":
        beside = f"{decimal(expected)} {LAWS['uniform']}"
    else:
        beside = f"{decimal(expected)} had the last move gone the other way"
        if elsewhere is not None:
            beside += (
                f", {_by(distance - expected)}; on {counted(others, 'day')} {WITHOUT} they lay"
                f" {_by(elsewhere)} than had it gone the other way"
            )
    after = _after(test)
    away = {"nearer": ", nearer, as a pin", "farther": ", farther, as if driven away"}
    said = away.get(text(test, "direction"), "") if after < SHOWN else ""
    caution = prose(text(test, "caution"))
    return (
        f"Closes beside {strike}: on {counted(days, 'expiry day')} {found}, {beside}. Difference"
        f" {difference.value}{between}{said}. Two-sided {p_is(p_value)}, after Holm over"
        f" {counted(tests, 'test')} {p_is(after)}: {_chance(after)}."
        + (f" {caution[:1].upper()}{caution[1:]}." if caution else "")
    )


def _by(difference: float) -> str:
    return f"{decimal(abs(difference))} {'nearer' if difference < 0.0 else 'farther'}"


def _after(record: JsonObject) -> float:
    holm = number(record, "p_value_holm")
    return 1.0 if holm is None else holm


def _chance(after: float) -> str:
    more = "more" if after < SHOWN else "no more"
    return f"at the claims’ level of {figure('p_value', SHOWN)}, {more} than chance would do"


def _drift_words(drift: JsonObject, tests: int) -> str:
    p_value = number(drift, "p_value", "value")
    if p_value is None:
        return (
            f"The last move beside dealers’ gamma: untestable, {reason_of(drift, 'p_value')}."
            f"{_rises(drift)}"
        )
    bps = estimate(section(drift, "slope_bps"), "slope_bps")
    between = f" ({bps.interval})" if bps.interval else ""
    after = _after(drift)
    days = int(number(drift, "compared_days") or 0)
    silent = int(number(drift, "days") or 0) - days
    besides = f" ({decimal(silent, 0)} more tell nothing of gamma)" if silent else ""
    bases = ", ".join(
        f"{name} on {counted(int(count), 'day')}"
        for name, count in section(drift, "bases").items()
        if isinstance(count, int)
    )
    return (
        f"The last {mark_words(drift)} on {counted(days, 'expiry day')}{besides}: the price went"
        f" {bps.value}{between} the way of dealers’ gamma. That is half the difference between the"
        " moves towards the strike where dealers were long gamma and where they were short, among"
        " days with the strike on the same side of the price. One-sided"
        f" {p_is(p_value)}, after Holm over {counted(tests, 'test')} {p_is(after)}:"
        f" {_chance(after)}."
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
    said = "whether the drift test could show it on these days is not known"
    if power is not None:
        days = "no number of days" if needed is None else counted(int(needed), "expiry day")
        said = (
            f"the drift test would show it on so many days with a chance of"
            f" {figure('probability', power)}, at {ONE_SIDED}; {days} would show it four times in"
            " five"
        )
    return (
        f"The published pull on single stocks is {decimal(pull, 1)} bps on average (Ni, Pearson and"
        f" Poteshman 2005), at most to the strike: {said}. On index futures it is single-digit at"
        " most, towards the strike at some expiries and away from it at others (Golez and Jackwerth"
        " 2012)."
    )


def power_words(package: JsonObject) -> str:
    """Return of what effect, and at what level, the table of strikes states power; or nothing."""
    pulls = [_pull(package, name) for name in STRIKES]
    pull = next((each for each in pulls if each is not None), None)
    if pull is None:
        return ""
    return (
        f"Power: the chance that so many days would show at {LEVEL}, before Holm, a pull of"
        f" {decimal(pull, 1)} bps of the price towards the strike, which is what single stocks"
        " showed. An index or a coin is no single stock, and what is published of index futures is"
        " smaller. Where strikes lie so near to one another that such a pull spans much of the"
        " spacing, a few days would show it; that says nothing of a smaller one."
    )


def _pull(package: JsonObject, name: str) -> float | None:
    published = section(pinning_of(package), name, "published")
    return None if number(published, "power") is None else number(published, "pull_bps")


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
    upper, share = (number(far, "came", key) for key in ("upper", "value"))
    if upper is not None and stated > upper:
        had = "more of a chance than they had" if share else "a chance, and it was never seen"
        words += f" Its floor gives strikes so far away {had}."
    return words
