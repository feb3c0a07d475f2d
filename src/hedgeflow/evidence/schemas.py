"""JSON schemas made of types: closed, each field described, counts and probabilities bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import cleandoc
from typing import Any, cast, get_args, get_type_hints

from pydantic import TypeAdapter

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PROBABILITY = re.compile(
    r"(^|_)p_value(_|$)|^win_rate(_exact|_day_clustered)?$|^barrier_implied_win_rate$"
    r"|^power_(observed|claimed|alpha)$|^(probabilistic(_claimed)?|deflated)$"
    r"|^(confidence_level|level|quantile|share_under_limit|at_confidence_cap|sign_agreement)$"
)
"""Fields whose value lies between 0 and 1, whether plain numbers or estimates."""
_NONE = re.compile(r"\bNone\b")
_UNIT = {"minimum": 0, "maximum": 1}
_ATTRIBUTES = re.compile(r"^Attributes\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^(\w[\w, ]*?)(?: : [^\n]*)?\n((?:[ \t]+[^\n]*\n?|\n)*)", re.MULTILINE)


def closed_schema(document: type) -> dict[str, Any]:
    """Return the schema of a dataclass: every field is required and no other is known.

    Fields that are a `PART` may be absent. What an object is and what its fields mean is taken from
    the docstrings of the types: the first line, and the section ``Attributes``.

    Parameters
    ----------
    document : type
    """
    body = TypeAdapter(document).json_schema(mode="serialization")
    types = {each.__name__: each for each in _dataclasses(document)}
    for name, part in {document.__name__: body, **body.get("$defs", {})}.items():
        if name in types:
            _describe(part, types[name])
        elif isinstance(part.get("description"), str):
            part["description"] = part["description"].split("\n")[0]
    _bound_counts(body)
    return {"$schema": DIALECT, **body}


def described(docstring: str) -> dict[str, str]:
    """Return what a numpydoc section ``Attributes`` says of each field.

    Parameters
    ----------
    docstring : str
        Without indentation, as `inspect.cleandoc` leaves it.
    """
    section = _ATTRIBUTES.search(docstring)
    found: dict[str, str] = {}
    for names, text in _FIELD.findall(section[1] if section else ""):
        words = _NONE.sub("null", " ".join(text.split())).replace("``", "`")
        found |= {name.strip(): words for name in names.split(",") if words}
    return found


def _describe(part: dict[str, Any], kind: type) -> None:
    """Close an object, and say what it and its fields are; a base class's words are inherited."""
    words: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        words |= described(cleandoc(base.__doc__ or ""))
    known = cast("dict[str, dict[str, Any]]", part["properties"])
    part["description"] = cleandoc(kind.__doc__ or "").split("\n")[0]
    part["additionalProperties"] = False
    parts = {each.name for each in fields(kind) if each.metadata.get("part")}
    part["required"] = [name for name in known if name not in parts]
    for name, one in known.items():
        one.pop("default", None)
        one.pop("title", None)
        if name in words:
            one["description"] = words[name]
        if PROBABILITY.search(name):
            one.update(_bounds(one))


def _bounds(one: dict[str, Any]) -> dict[str, Any]:
    """Return the limits of a probability: of the number, or of an estimate's value."""
    if str(one.get("$ref", "")).endswith("/Estimate"):
        return {"properties": {"value": _UNIT}}
    kinds = {one.get("type"), *(each.get("type") for each in one.get("anyOf", []))}
    return dict(_UNIT) if "number" in kinds else {}


def _bound_counts(part: object) -> None:
    """Let no whole number be negative: each of them is a count."""
    if isinstance(part, list):
        for item in cast("list[object]", part):
            _bound_counts(item)
    if isinstance(part, dict):
        body = cast("dict[str, object]", part)
        if body.get("type") == "integer":
            body.setdefault("minimum", 0)
        for value in body.values():
            _bound_counts(value)


def _dataclasses(kind: object) -> Iterator[type]:
    """Yield every dataclass that a type is made of."""
    if isinstance(kind, type) and is_dataclass(kind):
        yield kind
        for hint in get_type_hints(kind).values():
            yield from _dataclasses(hint)
    for part in get_args(kind):
        yield from _dataclasses(part)
