"""One coherence check, and reading a package's figures without trusting its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

CheckStatus = Literal["HOLDS", "FAILED", "NOT_CHECKABLE"]
JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must agree.

    Attributes
    ----------
    id : str
        Short stable name.
    status : str
        HOLDS, FAILED or NOT_CHECKABLE.
    sentence : str
        What was compared and what came of it.
    stated, recomputed : float or None
        Both sides, where each is one number.
    """

    id: str
    status: CheckStatus
    sentence: str
    stated: float | None = None
    recomputed: float | None = None


def compared(name: str, what: str, stated: float, recomputed: float, tolerance: float) -> Check:
    """Return a check that two numbers agree within a tolerance."""
    agree = abs(stated - recomputed) <= tolerance
    words = "agrees with" if agree else "contradicts"
    sentence = f"{what}: stated {stated:.6g} {words} {recomputed:.6g}."
    return Check(name, "HOLDS" if agree else "FAILED", sentence, stated, recomputed)


def not_checkable(name: str, why: str) -> Check:
    """Return a check that the package does not say enough for."""
    return Check(name, "NOT_CHECKABLE", why[0].upper() + why[1:] + ".")


def section(package: JsonObject, *path: str) -> JsonObject:
    """Return the object at `path`, empty where there is none."""
    value: object = package
    for part in path:
        value = _object(value).get(part)
    return _object(value)


def number(package: JsonObject, *path: str) -> float | None:
    """Return the number at `path`, None where there is none."""
    value = section(package, *path[:-1]).get(path[-1])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def _object(value: object) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, Mapping) else {}
