"""A configuration from a preset, a TOML file and single settings, with errors that name the key."""

from __future__ import annotations

import difflib
import json
import tomllib
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError

from hedgeflow.market.errors import ConfigError
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Document = dict[str, Any]

PRESETS = ("normalized", "source")
WRONG_TYPE = {
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "model_type": "is a section with settings of its own",
}
"""What a value of the wrong type must be, by pydantic's name of the fault."""


def load_config(
    preset: str | None = None, path: Path | None = None, settings: Sequence[str] = ()
) -> VolumeShockConfig:
    """Return the configuration: preset first, then the file over it, then single settings.

    Parameters
    ----------
    preset : str, optional
        ``normalized`` or ``source``; without one, the file's own, else ``normalized``.
    path : Path, optional
        TOML with the sections and keys of `VolumeShockConfig`.
    settings : sequence of str
        ``section.key=value``, the value in TOML's notation or a bare word.

    Raises
    ------
    ConfigError
        The file is missing or no TOML, a key is unknown, or a value out of range.
    """
    document = _read(path) if path is not None else {}
    for setting in settings:
        _set(document, setting)
    where = path.name if path is not None else ""
    name = preset or document.get("preset", "normalized")
    if name not in PRESETS:
        raise ConfigError(
            f"there is no preset '{name}'", where=where, hint=f"Use one of {', '.join(PRESETS)}"
        )
    base = VolumeShockConfig.source() if name == "source" else VolumeShockConfig.normalized()
    merged = _merged(base.model_dump(), {**document, "preset": name})
    try:
        return VolumeShockConfig.model_validate(merged)
    except ValidationError as cause:
        raise _config_error(cause, where) from cause


def _read(path: Path) -> Document:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as cause:
        raise ConfigError(
            f"the configuration cannot be read: {cause.strerror}", where=str(path)
        ) from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise ConfigError(f"is no TOML: {cause}", where=str(path)) from cause


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


def _merged(base: Document, over: Document) -> Document:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(cast("Document", below), cast("Document", value))
        else:
            merged[key] = value
    return merged


def _config_error(cause: ValidationError, where: str) -> ConfigError:
    """Return the first fault in words: which key, what it was, what it must be."""
    fault = cause.errors(include_url=False)[0]
    parts = [str(part) for part in fault["loc"]]
    key = ".".join(parts)
    if fault["type"] == "extra_forbidden":
        known = _keys(parts[:-1])
        near = difflib.get_close_matches(parts[-1], known, n=1)
        meant = ".".join([*parts[:-1], near[0]]) if near else ""
        hint = f"Did you mean '{meant}'?" if near else f"Known are {', '.join(sorted(known))}"
        return ConfigError(f"'{key}' is not a setting", where=where, hint=hint)
    others = len(cause.errors()) - 1
    hint = f"And {others} more" if others else ""
    shown = json.dumps(fault["input"], default=str)
    wrong_type = WRONG_TYPE.get(fault["type"])
    if wrong_type is not None:
        return ConfigError(f"'{key}' {wrong_type}, was {shown}", where=where, hint=hint)
    text = fault["msg"].removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    was = "" if isinstance(fault["input"], dict) else f", was {shown}"  # a section says it itself
    return ConfigError(f"'{key}': {text}{was}", where=where, hint=hint)


def _keys(sections: list[str]) -> list[str]:
    model: type[BaseModel] = VolumeShockConfig
    for section in sections:
        field = model.model_fields.get(section)
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return list(model.model_fields)
