"""What is laid down before it is looked at, as records: data sets, registrations, vaults."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from hedgeflow.market.time import iso

ID_HEX_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class DataSet:
    """What the hash of a data set stands for.

    Attributes
    ----------
    data_hash : str
        As in the trial ledger: another as soon as a day is imported.
    data_key : str
        Of the option tape, the same however long it grows.
    first_ns, last_ns : int
        UTC ns, stamps of its first and last print.
    """

    data_hash: str
    data_key: str
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class RegisteredHypothesis:
    """A hypothesis with the settings and thresholds that it will be judged by.

    Attributes
    ----------
    strategy : str
    underlying : str or None
        None: whatever it is run on.
    statement : str
    config_hash, config_json : str
        Of the settings alone, so that it can be registered before there are data.
    thresholds_json : str
        Claims and gates as the strategy declared them at the time.
    recorded_ns : int
        UTC ns by the caller's clock; the first record's instant stays.
    """

    strategy: str
    underlying: str | None
    statement: str
    config_hash: str
    config_json: str
    thresholds_json: str
    recorded_ns: int

    @property
    def registration_id(self) -> str:
        """The registration's name, from all of it but the time."""
        return _id_of(
            self.strategy,
            self.underlying,
            self.statement,
            self.config_json,
            self.thresholds_json,
        )


@dataclass(frozen=True, slots=True)
class VaultOpening:
    """One time that a vault was opened.

    Attributes
    ----------
    ordinal : int
        1 for the first.
    config_hash, config_json : str
        The settings that it was opened with.
    code_version : str
    opened_ns : int
        UTC ns by the caller's clock.
    data_until_ns : int
        UTC ns, where the data ended that were read.
    reopened : bool
    reason : str
    """

    ordinal: int
    config_hash: str
    config_json: str
    code_version: str
    opened_ns: int
    data_until_ns: int
    reopened: bool
    reason: str


@dataclass(frozen=True, slots=True)
class HoldOut:
    """A vault: a period of an option tape that is kept from every run until it is opened.

    Attributes
    ----------
    data_key : str
        Of the option tape, however long it grows.
    from_ns : int
        UTC ns.
    until_ns : int or None
        UTC ns, not part of it; None: no end.
    declared_ns : int
        UTC ns by the caller's clock.
    seen_before : int
        Configurations that had seen some of it by then.
    note : str
    openings : tuple of VaultOpening
        So far.
    """

    data_key: str
    from_ns: int
    until_ns: int | None
    declared_ns: int
    seen_before: int = 0
    note: str = ""
    openings: tuple[VaultOpening, ...] = ()

    @property
    def vault_id(self) -> str:
        """The vault's name, from data key and period."""
        return _id_of(self.data_key, self.from_ns, self.until_ns)

    @property
    def sealed(self) -> bool:
        """Whether it was never opened."""
        return not self.openings

    @property
    def end_ns(self) -> int | None:
        """Where it ends; one without an end ends, once opened, where the data then did."""
        if self.until_ns is not None or self.sealed:
            return self.until_ns
        return max(opening.data_until_ns for opening in self.openings)

    @property
    def period_words(self) -> str:
        """Its period in words, as in ``from 2025-01-01T00:00:00Z on``."""
        end = "on" if self.end_ns is None else f"to {iso(self.end_ns)}"
        return f"from {iso(self.from_ns)} {end}"

    @property
    def times_words(self) -> str:
        """How often it was opened, in words."""
        count = len(self.openings)
        return {1: "once", 2: "twice"}.get(count, f"{count} times")

    @property
    def state_words(self) -> str:
        """What became of it, as in ``spent: opened twice``."""
        return "sealed" if self.sealed else f"spent: opened {self.times_words}"

    def overlaps(self, from_ns: int, until_ns: int | None) -> bool:
        """Say whether a period has an instant in common with it."""
        begins_before = until_ns is None or self.from_ns < until_ns
        return begins_before and (self.end_ns is None or from_ns < self.end_ns)


def _id_of(*parts: object) -> str:
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_HEX_DIGITS]
