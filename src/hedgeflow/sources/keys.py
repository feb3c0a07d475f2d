"""Keys of data vendors, from the environment or the keyring, shown to their server only."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Keyring = Callable[[str, str], str | None]
    """Returns what a keyring holds for a service and a name."""

KEYRING_SERVICE: Final = "hedgeflow"
"""The keyring's service under which keys stand, each by the name of its environment variable."""


class ApiKey:
    """A key that neither messages nor tracebacks show.

    Parameters
    ----------
    text : str
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "ApiKey(…)"

    def reveal(self) -> str:
        """Return the key, for the server that it is meant for."""
        return self._text


def find_key(
    name: str, environment: Mapping[str, str], keyring: Keyring | None = None
) -> ApiKey | None:
    """Return a key from the environment, else from the keyring, else None.

    Parameters
    ----------
    name : str
        Of the environment variable, and of the entry in the keyring.
    environment : mapping
    keyring : callable, optional

    Raises
    ------
    ConfigError
        What is there cannot be a key.
    """
    text, where = environment.get(name, "").strip(), name
    if not text and keyring is not None:
        text, where = (keyring(KEYRING_SERVICE, name) or "").strip(), f"{name} in the keyring"
    if not text:
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(
            "this is no key: it holds spaces or other than printable ASCII characters",
            where=where,
            hint="Copy it again from the vendor's page",
        )
    return ApiKey(text)


def system_keyring() -> Keyring | None:
    """Return what reads the system's keyring, or None where the package `keyring` is missing."""
    try:
        package: Any = importlib.import_module("keyring")
    except ModuleNotFoundError:
        return None

    def read(service: str, name: str) -> str | None:
        try:
            return package.get_password(service, name)
        except package.errors.KeyringError:
            return None  # there is no keyring here, or it stays locked: as if it were empty

    return read
