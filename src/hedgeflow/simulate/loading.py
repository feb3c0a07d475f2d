"""A scenario from a preset or a TOML file, with single settings over it."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.settings import Document, merged, read_toml, validated, with_settings
from hedgeflow.simulate.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRESET_FOLDER = Path(__file__).parent / "presets"


def presets() -> tuple[str, ...]:
    """Return the names of the presets."""
    return tuple(sorted(path.stem for path in PRESET_FOLDER.glob("*.toml")))


def preset_text(name: str) -> str:
    """Return a preset as the TOML file that it is.

    Raises
    ------
    ConfigError
        There is no such preset.
    """
    if name not in presets():
        raise ConfigError(
            f"there is no preset '{name}'",
            where="scenario",
            hint=f"Use one of {', '.join(presets())}, or the path of a TOML file",
        )
    return (PRESET_FOLDER / f"{name}.toml").read_text(encoding="utf-8")


def preset_words(name: str) -> str:
    """Return what a preset says of itself: the first sentence of its file's opening comment.

    Raises
    ------
    ConfigError
        There is no such preset.
    """
    lines = takewhile(lambda line: line.startswith("#"), preset_text(name).splitlines())
    opening = " ".join(line.removeprefix("#").strip() for line in lines)
    return opening.partition(". ")[0].removesuffix(".") + "."


def load_scenario(named: str | Path, settings: Sequence[str] = ()) -> Scenario:
    """Return a scenario.

    Parameters
    ----------
    named : str or Path
        A preset's name, or a TOML file with the sections and keys of `Scenario`. Its key `preset`
        names the preset that it changes; without one it changes the defaults.
    settings : sequence of str
        ``section.key=value`` over it.

    Raises
    ------
    ConfigError
        There is no such preset or file, the file is no TOML, a key is unknown or a value cannot be.
    """
    path = Path(named)
    if str(named) not in presets() and (path.suffix == ".toml" or path.exists()):
        return _scenario(with_settings(read_toml(path), settings), path.name, "")
    preset_text(str(named))
    return _scenario(with_settings({"preset": str(named)}, settings), "", str(named))


def scenario(name: str, changes: Mapping[str, Any] | None = None, /, **more: Any) -> Scenario:
    """Return a preset with changes.

    Parameters
    ----------
    name : str
    changes : mapping, optional
        Values by dotted key, such as ``{"shocks.enabled": False}``.
    **more
        Values of keys outside sections, such as ``days=3``.

    Raises
    ------
    ConfigError
        As `load_scenario`.
    """
    preset_text(name)
    document = _nested({**(changes or {}), **more})
    return _scenario({"preset": name, **document}, "", name)


def changed(base: Scenario, changes: Mapping[str, Any] | None = None, /, **more: Any) -> Scenario:
    """Return a scenario with changes, as `scenario` takes them."""
    document = _nested({**(changes or {}), **more})
    return validated(Scenario, merged(base.model_dump(), document))


def _scenario(document: Document, where: str, name: str) -> Scenario:
    whole = _whole(document, where, ())
    return validated(Scenario, {**whole, "preset": name or where.removesuffix(".toml")}, where)


def _whole(document: Document, where: str, seen: tuple[str, ...]) -> Document:
    """Return a document over the preset that it names, and that one over its own."""
    base = document.get("preset")
    if base is None:
        return document
    if not isinstance(base, str):
        raise ConfigError("'preset' must be a text", where=where)
    if base in seen:
        raise ConfigError(f"the preset '{base}' is built on itself", where=where)
    below = _whole(_document(base), where, (*seen, base))
    return merged(below, {key: value for key, value in document.items() if key != "preset"})


def _document(name: str) -> Document:
    preset_text(name)
    return read_toml(PRESET_FOLDER / f"{name}.toml")


def _nested(changes: Mapping[str, Any]) -> Document:
    document: Document = {}
    for key, value in changes.items():
        inner: Any = value
        for part in reversed(key.split(".")):
            inner = {part: inner}
        document = merged(document, inner)
    return document
