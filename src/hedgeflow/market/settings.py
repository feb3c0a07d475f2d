"""Settings in sections: read from TOML and from single texts, refused by the name of the key."""

from __future__ import annotations

import difflib
import json
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from hedgeflow.market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Document = dict[str, Any]

WRONG_TYPE = {
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "date_type": "must be a date, as in 2025-01-06",
    "model_type": "is a section with settings of its own",
}
"""What a value of the wrong type must be, by pydantic's name of the fault."""


class Section(BaseModel):
    """A group of settings: frozen; a key it does not know and a value of another type are errors.

    A whole number may stand for any number, a list for a tuple, nothing else for anything else:
    TOML writes numbers, texts and true or false differently, so a mistake can be told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _lists_are_tuples(cls, value: object) -> object:
        return tuple(cast("list[object]", value)) if isinstance(value, list) else value


Model = TypeVar("Model", bound=Section)


def read_toml(path: Path) -> Document:
    """Return a TOML file's content.

    Raises
    ------
    ConfigError
        The file cannot be read or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as cause:
        raise ConfigError(f"cannot be read: {cause.strerror}", where=str(path)) from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise ConfigError(f"is no TOML: {cause}", where=str(path)) from cause


def with_settings(document: Mapping[str, Any], settings: Sequence[str]) -> Document:
    """Return a document with ``section.key=value`` texts in it.

    Parameters
    ----------
    document : mapping
    settings : sequence of str
        The value in TOML's notation or a bare word.

    Raises
    ------
    ConfigError
        A text is no setting.
    """
    changed = merged({}, document)
    for setting in settings:
        _set(changed, setting)
    return changed


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Document:
    """Return a document in which the second's values replace the first's, section by section."""
    both: Document = {
        key: merged({}, cast("Document", value)) if isinstance(value, dict) else value
        for key, value in base.items()
    }
    for key, value in over.items():
        below = both.get(key)
        if isinstance(value, dict):
            inner = cast("Document", below) if isinstance(below, dict) else {}
            both[key] = merged(inner, cast("Document", value))
        else:
            both[key] = value
    return both


def validated(model: type[Model], document: Mapping[str, Any], where: str = "") -> Model:
    """Return the settings that a document holds.

    Parameters
    ----------
    model : type
    document : mapping
    where : str
        The file's name, for the error.

    Raises
    ------
    ConfigError
        A key is unknown or a value out of range; the message names the first.
    """
    try:
        return model.model_validate(dict(document))
    except ValidationError as cause:
        raise _config_error(model, cause, where) from cause


def _set(document: Document, setting: str) -> None:
    key, sign, text = setting.partition("=")
    if not sign or not key.strip():
        raise ConfigError(
            f"'{setting}' is no setting", where="--set", hint="Write section.key=value"
        )
    try:
        value: object = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    place = document
    *sections, name = key.strip().split(".")
    for section in sections:
        inner = place.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"'{section}' is no section", where="--set")
        place = cast("Document", inner)
    place[name] = value


def _config_error(model: type[BaseModel], cause: ValidationError, where: str) -> ConfigError:
    """Return the first fault in words: which key, what it was, what it must be."""
    fault = cause.errors(include_url=False)[0]
    parts = [str(part) for part in fault["loc"]]
    key = ".".join(parts)
    if fault["type"] == "extra_forbidden":
        known = _keys(model, parts[:-1])
        near = difflib.get_close_matches(parts[-1], known, n=1)
        meant = ".".join([*parts[:-1], near[0]]) if near else ""
        hint = f"Did you mean '{meant}'?" if near else f"Known are {', '.join(sorted(known))}"
        return ConfigError(f"'{key}' is not a setting", where=where, hint=hint)
    others = len(cause.errors()) - 1
    hint = f"And {others} more" if others else ""
    if fault["type"] == "missing":
        return ConfigError(f"'{key}' is missing", where=where, hint=hint)
    shown = json.dumps(fault["input"], default=str)
    wrong_type = WRONG_TYPE.get(fault["type"])
    if wrong_type is not None:
        return ConfigError(f"'{key}' {wrong_type}, was {shown}", where=where, hint=hint)
    text = fault["msg"].removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    was = "" if isinstance(fault["input"], dict) else f", was {shown}"  # a section says it itself
    named = f"'{key}': " if key else ""
    return ConfigError(f"{named}{text}{was}", where=where, hint=hint)


def _keys(model: type[BaseModel], sections: list[str]) -> list[str]:
    for section in sections:
        field = model.model_fields.get(section)
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return list(model.model_fields)
