"""How the report writes figures: true minus signs, thousands, units, words for what is absent."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from hedgeflow.evidence.checks import JsonObject, number

NS_PER_SECOND = 1_000_000_000
MINUS = "\u2212"
SPACE = "\u00a0"
"""Between a number and its unit, so that they stay on one line."""

NO_P_VALUE = f"under{SPACE}1e{MINUS}300"
"""A p-value that is too small for a computer's numbers is not 0."""
COMPARISONS = {">=": "at least", ">": "above", "<=": "at most", "<": "below"}

_RATES = frozenset({"win_rate", "drawdown", "flow_class_accuracy", "share"})
_UNITS = {"usd": "USD", "bps": "bps", "points": "points", "minutes": "min", "seconds": "s"}
_PREFIXES = ("EXIT_",)
_SIGNED_NUMBER = re.compile(r"(?<![\w.\u2212-])-(?=\d)")


@dataclass(frozen=True, slots=True)
class Shown:
    """An estimate as it is read.

    Attributes
    ----------
    value, interval : str
        The figure and its bounds; empty where there are none.
    reason : str
        Why a part is missing.
    method : str
        How it was computed.
    """

    value: str
    interval: str
    reason: str
    method: str

    @property
    def text(self) -> str:
        """The figure, or a sentence in its place."""
        return self.value or f"not computable: {self.reason or 'the package does not state it'}"


def decimal(value: float, digits: int = 2) -> str:
    """Return a number with separated thousands and a true minus sign."""
    rounded = round(value, digits)
    text = f"{abs(rounded):,.{digits}f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def percent(value: float, digits: int = 1) -> str:
    """Return a share as per cent."""
    return f"{decimal(100.0 * value, digits)}{SPACE}%"


def money(value: float) -> str:
    """Return an amount in USD, with cents under a thousand."""
    return f"{decimal(value, 0 if abs(value) >= 1_000 else 2)}{SPACE}USD"


def probability(value: float) -> str:
    """Return a p-value with two significant digits; a bound may be 0."""
    if value <= 0.0:
        return "0"
    if value >= 0.0001:
        return f"{value:.2g}"
    exponent = math.floor(math.log10(value))
    return f"under{SPACE}1e{MINUS}{-exponent - 1}"


def p_is(value: float) -> str:
    """Return "p = 0.02", or "p under 1e−5" where that is all there is to say."""
    words = probability(value)
    return f"p {words}" if words.startswith("under") else f"p = {words}"


def likely(value: float) -> str:
    """Return a probability as per cent, never as a certainty."""
    if value < 0.001:
        return f"under 0.1{SPACE}%"
    return f"over 99.9{SPACE}%" if value > 0.999 else percent(value)


_WHOLE_TIMES = 100.0
"""So many times something, and more, are told without decimals."""


def significant(value: float, digits: int = 4) -> str:
    """Return a number with so many significant digits, never in powers of ten."""
    if value == 0.0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = decimal(value, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def figure(statistic: str, value: float) -> str:
    """Return a value of `statistic` with its unit.

    Parameters
    ----------
    statistic : str
        The package's name of it, such as ``expectancy_points``; its ending tells the unit.
    value : float
        In the package's unit.
    """
    if statistic in _RATES or statistic.endswith(("_win_rate", "_rate")):
        return percent(value, 2 if statistic == "drawdown" else 1)
    if "p_value" in statistic:
        return probability(value)
    if statistic == "probability":
        return likely(value)
    if statistic in {"trades", "trades_needed", "trades_effective", "sessions"}:
        return decimal(value, 0)
    if statistic == "tradable_prices":
        return "yes" if value else "no"
    if statistic == "expectancy_usd" or statistic.endswith("_usd"):
        return money(value)
    if statistic == "times":
        return decimal(value, 0 if abs(value) >= _WHOLE_TIMES else 2)
    unit = _UNITS.get(statistic.rsplit("_", 1)[-1])
    return f"{decimal(value)}{SPACE}{unit}" if unit else decimal(value)


def threshold(statistic: str, comparison: str, lower: float, upper: float | None) -> str:
    """Return what is claimed of `statistic`, such as "at least 80 %"."""
    if statistic == "tradable_prices":
        return "yes"
    low = _bare(statistic, lower)
    if comparison == "within":
        return f"{low} and up" if upper is None else between(low, _bare(statistic, upper))
    return f"{COMPARISONS.get(comparison, comparison)} {low}"


def _bare(statistic: str, value: float) -> str:
    if statistic in _RATES:
        return f"{100.0 * value:g}{SPACE}%"
    unit = _UNITS.get(statistic.rsplit("_", 1)[-1])
    text = f"{value:g}".replace("-", MINUS)
    return f"{text}{SPACE}{unit}" if unit else text


def estimate(record: JsonObject, statistic: str) -> Shown:
    """Return an estimate of the package as it is read.

    Parameters
    ----------
    record : mapping
        With ``value``, ``lower``, ``upper``, ``method`` and ``reason``; anything may be missing.
    statistic : str
        Tells the unit.
    """
    value, lower, upper = (number(record, key) for key in ("value", "lower", "upper"))
    interval = ""
    if value is not None and lower is not None and upper is not None:
        interval = between(figure(statistic, lower), figure(statistic, upper))
    shown = "" if value is None else figure(statistic, value)
    if value == 0.0 and "p_value" in statistic:
        shown = NO_P_VALUE
    return Shown(
        shown,
        interval,
        prose(str(record.get("reason") or "")),
        prose(str(record.get("method") or "")),
    )


def between(lower: str, upper: str) -> str:
    """Return "1.2 to 3.4 points" of two written figures, their unit once."""
    number_only, _, unit = lower.partition(SPACE)
    same = bool(unit) and upper.endswith(f"{SPACE}{unit}")
    return f"{number_only if same else lower} to {upper}"


def label(code: str) -> str:
    """Return a code such as ``EXIT_TARGET_HIT`` as words."""
    for prefix in _PREFIXES:
        code = code.removeprefix(prefix)
    return code.replace("_", " ").capitalize()


def prose(text: str) -> str:
    """Return a sentence with true minus signs; dates and names keep their hyphens."""
    return _SIGNED_NUMBER.sub(MINUS, text)


def to_the_second(stamp: str) -> str:
    """Return an ISO instant of UTC as people read it, without parts of a second."""
    return stamp[:19].replace("T", " ") + (" UTC" if stamp.endswith("Z") else "")


def instant(at_ns: int) -> str:
    """Return a UTC time to the second."""
    return datetime.fromtimestamp(at_ns // NS_PER_SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def counted(count: int, noun: str) -> str:
    """Return "1 trade" or "2 trades"."""
    return f"{decimal(count, 0)} {noun}{'' if count == 1 else 's'}"
