"""A ladder on one page that loads nothing: pictures around the price, and every rung in a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.ladder_pictures import dealer_picture, interest_picture
from hedgeflow.evidence.report.ladder_words import MOST_DIGITS, bought_or_sold, digits_of, local
from hedgeflow.evidence.report.page import rendered
from hedgeflow.evidence.report.sections import objects, text, texts
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import counted, decimal, percent, significant, to_the_second

BEGINNING: Final = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta name="generator" content="hedgeflow ladder">'
)
"""What such a page begins with."""

MODELS: Final = ("source", "lognormal", "empirical")

NO_ALERT: Final = {
    "NO_HISTORY": "nothing can be an alert: too few earlier expiries at this minute left",
    "NO_SIGMA": "nothing can be an alert: no volatility is known",
    "NO_SCALE": "nothing can be an alert: the usual volume of the hedge is not known",
    "NO_MODEL": "nothing can be an alert: the empirical model has too few earlier expiries",
    "TOO_EARLY": "nothing can be an alert more than 180 minutes before expiry",
}


@dataclass(frozen=True, slots=True)
class _Card:
    name: str
    text: str
    context: str
    is_figure: bool = True


def render_ladder(ladder: JsonObject, made: str) -> str:
    """Return the page of a ladder.

    Parameters
    ----------
    ladder : mapping
        As `hedgeflow ladder --json` prints it; the rungs that it has are drawn.
    made : str
        When the page was made, ISO 8601.
    """
    simulated = bool(ladder.get("simulated"))
    rungs = objects(ladder, "rungs")
    title = f"{text(ladder, 'underlying')} ladder"
    dealers = dealer_picture(ladder, simulated=simulated)
    return rendered(
        "ladder.html.j2",
        {
            "simulated": simulated,
            "title": title,
            "made": f"Made {to_the_second(made)}",
            "headline": headline(ladder),
            "about": _about(ladder),
            "pressure": _pressure_words(ladder),
            "cards": _cards(ladder),
            "pictures": [interest_picture(ladder, simulated=simulated), dealers],
            "missing": ""
            if section(ladder, "profile")
            else "No volatility is known at this instant: dealers’ gamma, its flip and walls, and"
            " the lognormal chances cannot be drawn.",
            "table": _table(ladder),
            "table_words": (
                f"{counted(len(rungs), 'strike')} around the price of"
                f" {counted(int(number(ladder, 'strikes_listed') or 0), 'listed strike')}, the"
                " highest first. Open interest is in contracts of 100 units of the underlying."
                " Settled is the last official count; estimated adds the volume since whose side"
                " is known, and lies within the band that all volume since allows. Count since: how"
                " long the oldest of the strike’s official counts has stood unchanged."
            ),
            "notes": _notes(ladder),
            "plotlyjs": Markup(get_plotlyjs()),  # noqa: S704 - the library's own source
        },
    )


def headline(ladder: JsonObject) -> str:
    """Return in one line what a ladder is of, and when."""
    expiry, at = (_moment(ladder, key) for key in ("expiry_local", "at_local"))
    day = "" if at.date() == expiry.date() else f"{at:%Y-%m-%d} "
    return (
        f"{text(ladder, 'underlying')} options that expire {expiry:%Y-%m-%d},"
        f" {time_left(ladder)} before, at {day}{at:%H:%M:%S}"
    )


def time_left(ladder: JsonObject) -> str:
    """Return the time left as hours, minutes and seconds, the second under way counted whole."""
    seconds = -int(-(number(ladder, "seconds_left") or 0.0) // 1)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _moment(ladder: JsonObject, key: str) -> datetime:
    return datetime.fromisoformat(text(ladder, key))


def _clock(ladder: JsonObject, at: str) -> str:
    """Return an instant by the exchange's clock, with its date where that is another."""
    day, clock = local(at, ladder, "%Y-%m-%d %H:%M:%S").split()
    return clock if day == str(_moment(ladder, "at_local").date()) else f"{day} {clock}"


def _about(ladder: JsonObject) -> str:
    expiry = _moment(ladder, "expiry_local")
    features = text(ladder, "features", "words")
    return (
        f"Expires {expiry:%H:%M}, {features};"
        f" {text(ladder, 'settlement').replace('-', ' ')}."
        f" Phase of the session: {text(ladder, 'phase').replace('_', ' ').lower()}. Everything on"
        f" this page was known at {_moment(ladder, 'at_local'):%Y-%m-%d %H:%M:%S}; times are"
        f" {text(ladder, 'zone')} time."
    )


def _pressure_words(ladder: JsonObject) -> str:
    """Return how pressure is computed, by which preset, and what the models of the chance are."""
    return (
        f"Pressure, by preset {text(ladder, 'preset')}: {text(ladder, 'pressure_is')}. Models of"
        " the chance of settling at a strike: source is the steps of the document that the"
        " strategy comes from, by distance in points and minutes left; lognormal is a law without"
        " drift with the volatility in force; empirical is how often earlier expiries came to"
        " settle at a strike so far away."
    )


def _cards(ladder: JsonObject) -> list[_Card]:
    return [
        _Card(
            "Price",
            decimal(number(ladder, "price") or 0.0),
            f"of {_clock(ladder, text(ladder, 'price_at'))}; {_sigma_words(ladder)}",
        ),
        _alert_card(ladder),
        *_profile_cards(ladder),
    ]


def _sigma_words(ladder: JsonObject) -> str:
    sigma, move = number(ladder, "sigma"), number(ladder, "expected_move")
    if sigma is None or move is None:
        return "no volatility is known"
    return (
        f"volatility {percent(sigma)} ({text(ladder, 'sigma_source')}), so one standard deviation"
        f" of the time left is {decimal(move)}"
    )


def _alert_card(ladder: JsonObject) -> _Card:
    found = [each for each in objects(ladder, "rungs") if text(each, "urgency")]
    threshold = number(ladder, "threshold")
    reason = text(ladder, "no_alert")
    if reason:
        return _Card("Alerts", reason, NO_ALERT.get(reason, ""), is_figure=False)
    looked = text(ladder, "evaluated")
    above = "" if threshold is None else f"pressure above {decimal(threshold)}"
    where = ", ".join(significant(number(each, "strike") or 0.0, 7) for each in found)
    urgency = text(found[0], "urgency") if found else ""
    return _Card(
        "Strikes with an alert",
        f"{len(found)} {urgency}".strip(),
        f"{where + '; ' if where else ''}{above}"
        + (f", looked at {_clock(ladder, looked)}" if looked else ""),
    )


def _profile_cards(ladder: JsonObject) -> list[_Card]:
    profile = section(ladder, "profile")
    if not profile:
        return []
    total = number(profile, "net_gamma") or 0.0
    walls = [
        "none" if wall is None else significant(wall, 7)
        for wall in (number(profile, "call_wall"), number(profile, "put_wall"))
    ]
    flip = number(profile, "flip")
    move = percent(number(profile, "move") or 0.0, 0)
    side = "flat"
    if net := round(total, MOST_DIGITS):
        side = "long: they damp moves" if net > 0 else "short: they feed moves"
    return [
        _Card(
            "Dealers’ net gamma",
            _signed(total, digits_of(total)),
            f"units of the underlying per 1 of price; they are {side}",
        ),
        _Card(
            "Flip level",
            "none" if flip is None else decimal(flip),
            "where net gamma changes sign, nearest to the price",
        ),
        _Card(
            "Call wall and put wall",
            f"{walls[0]} / {walls[1]}",
            "strikes of the most positive and the most negative gamma now",
        ),
        _Card(
            f"Dealers’ hedging of a move of {move}",
            bought_or_sold(number(profile, "flow_up")),
            f"as the price rises, {bought_or_sold(number(profile, 'flow_down'))} as it falls;"
            " units of the underlying",
        ),
    ]


def _signed(value: float, digits: int) -> str:
    return f"{'+' if round(value, digits) > 0 else ''}{decimal(value, digits)}"


def _notes(ladder: JsonObject) -> list[str]:
    told = [
        f"Notice at {_clock(ladder, text(each, 'at'))}: "
        + (
            f"{decimal(number(each, 'minutes_left') or 0.0, 0)} minutes left."
            if text(each, "kind") == "TIMED"
            else f"{text(each, 'kind')} at {significant(number(each, 'strike') or 0.0, 7)}."
        )
        for each in objects(ladder, "notices")
    ]
    return [*texts(ladder, "notes"), *told]


# --- the table ----------------------------------------------------------------------------------


def _table(ladder: JsonObject) -> Table:
    rungs = objects(ladder, "rungs")
    with_chance = any(number(each, "in_the_money_call") is not None for each in rungs)
    columns = (
        ("Strike", True),
        ("Settled", True),
        ("calls / puts", True),
        ("count since", False),
        ("Estimated", True),
        ("calls / puts", True),
        ("band", True),
        ("Pressure", True),
        ("Dealers’ gamma", True),
        ("told by", False),
        ("source", True),
        ("lognormal", True),
        ("empirical", True),
        *([("call in the money", True)] if with_chance else []),
        ("away", True),
        ("points", True),
        ("sigmas", True),
        ("alert", False),
    )
    gamma = digits_of(*(number(each, "dealer_gamma") for each in rungs))
    counts = digits_of(*(number(each, "oi_high") for each in rungs))
    rows = tuple(
        _row(ladder, each, counts, gamma, with_chance=with_chance) for each in reversed(rungs)
    )
    return Table("Rungs of the ladder", columns, rows, wide=True)


def _row(
    ladder: JsonObject, rung: JsonObject, counts: int, digits: int, *, with_chance: bool
) -> tuple[Cell, ...]:
    alert = " ".join(
        part.replace("_", " ") for key in ("urgency", "direction") if (part := text(rung, key))
    )
    gamma, published = number(rung, "dealer_gamma"), text(rung, "settled")

    def counted(*keys: str, between: str = " / ") -> Cell:
        return Cell(between.join(_figure(rung, key, counts) for key in keys))

    return (
        Cell(significant(number(rung, "strike") or 0.0, 7)),
        counted("settled_oi"),
        counted("settled_calls", "settled_puts"),
        Cell(_clock(ladder, published) if published else "—"),
        counted("estimated_oi"),
        counted("estimated_calls", "estimated_puts"),
        counted("oi_low", "oi_high", between=" to "),
        Cell(_figure(rung, "pressure", 2)),
        Cell("—" if gamma is None else _signed(gamma, digits)),
        Cell(text(rung, "gamma_basis").replace("_", " ").lower()),
        *(Cell(_chance(rung, model)) for model in MODELS),
        *([Cell(_chance(rung, "in_the_money_call"))] if with_chance else []),
        Cell(_figure(rung, "distance", 2)),
        Cell(_figure(rung, "distance_points", 1)),
        Cell(_figure(rung, "distance_sigmas", 2)),
        Cell(alert or "—"),
    )


def _figure(rung: JsonObject, key: str, digits: int) -> str:
    value = number(rung, key)
    return "—" if value is None else decimal(value, digits)


def _chance(rung: JsonObject, key: str) -> str:
    value = number(rung, key)
    return "—" if value is None else percent(value)
