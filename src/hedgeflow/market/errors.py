"""Everything that hedgeflow refuses: a few error classes, each with what, where and what to do."""

from __future__ import annotations


class HedgeflowError(Exception):
    """Base of every refusal that a user can mend.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value.
    where : str, optional
        The file, column, key or instrument it was found in.
    hint : str, optional
        What to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(self._message())

    def _message(self) -> str:
        message = f"{self.where}: {self.what}" if self.where else self.what
        return f"{message}. {self.hint}" if self.hint else message


class DataError(HedgeflowError):
    """A file or table is not what it must be (missing column, NaN, unsorted, truncated)."""

    exit_code = 3


class CatalogError(HedgeflowError):
    """A folder is no catalog, or the catalog lacks what was asked for."""

    exit_code = 4


class ConfigError(HedgeflowError):
    """A configuration value is unknown, out of range or contradicts another."""

    exit_code = 5


class EvidenceError(HedgeflowError):
    """An evidence package is missing, malformed or contradicts itself."""

    exit_code = 6
