"""What the catalog writes down about each import: its source, its rows, its parts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.tapes import TapeKey, TapeKind

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

MANIFEST_VERSION: Final = 1
SIMULATED_MARK: Final = "SIMULATED:"
"""What the source of simulated rows begins with."""
ACCEPTED_REJECT_SHARE: Final = 1e-4
"""An import with a larger share of rejects is used only where they are accepted (platform.md 1)."""


@dataclass(frozen=True, slots=True)
class Import:
    """Rows that have passed the door, on their way into the catalog.

    Attributes
    ----------
    key : TapeKey
    rows : polars.DataFrame
        The tape's columns and `row`, sorted by `ts`.
    rejects : polars.DataFrame
    read : int
        Rows of the source.
    null_ids, identical_without_id : int
        Rows read without a trade id; those of them that repeat another one. They are counted,
        never dropped (precise.md 35).
    source : str
        File name without its folder, or what made the rows.
    source_sha256 : str
    coverage : Coverage
        When the source was recorded.
    contracts : polars.DataFrame, optional
        Terms of the option contracts; needed where `NAMES_CONTRACTS`, else written where given.
    accept_rejects : bool
        The tape may be used although more than 0.01 % of it was rejected.
    arguments : str
        What was said of the source that changes its rows, in words; empty if it speaks for itself.
    """

    key: TapeKey
    rows: pl.DataFrame
    rejects: pl.DataFrame
    read: int
    null_ids: int
    identical_without_id: int
    source: str
    source_sha256: str
    coverage: Coverage
    contracts: pl.DataFrame | None = None
    accept_rejects: bool = False
    arguments: str = ""

    @property
    def id(self) -> str:
        """The import's name: the same source read alike into the same tape has the same."""
        return import_id(self.source_sha256, self.key, self.arguments)

    @property
    def simulated(self) -> bool:
        """The rows come from no recorded market."""
        return self.source.startswith(SIMULATED_MARK)


def import_id(source_sha256: str, key: TapeKey, arguments: str = "") -> str:
    """Return the name of an import of a source into a tape."""
    parts = [source_sha256, *(str(part) for part in asdict(key).values())]
    text = "|".join([*parts, arguments] if arguments else parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of an import.

    Attributes
    ----------
    path : str
        Below the catalog, with forward slashes.
    sha256 : str
    rows : int
    date : str
        UTC date of its stamps; empty for contracts and rejects.
    """

    path: str
    sha256: str
    rows: int
    date: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The record of one import; rows read = kept + rejected + repeats.

    Attributes
    ----------
    id : str
    ordinal : int
        Place among the catalog's imports.
    key : TapeKey
    source, source_sha256 : str
    read, kept, repeats, null_ids, identical_without_id : int
    rejected : dict of str to int
        Rows by reason.
    coverage : Coverage
    first_ns, last_ns : int or None
        First and last stamp kept.
    sequence_start : int
        Added to a row's position in the source, it gives the row's `sequence`.
    parts, contracts, rejects : tuple of Part
    accept_rejects : bool
    arguments : str
        As in `Import`.
    """

    id: str
    ordinal: int
    key: TapeKey
    source: str
    source_sha256: str
    read: int
    kept: int
    repeats: int
    null_ids: int
    identical_without_id: int
    coverage: Coverage
    first_ns: int | None
    last_ns: int | None
    sequence_start: int
    accept_rejects: bool
    arguments: str = ""
    rejected: dict[str, int] = field(default_factory=dict[str, int])
    parts: tuple[Part, ...] = ()
    contracts: tuple[Part, ...] = ()
    rejects: tuple[Part, ...] = ()

    @property
    def files(self) -> tuple[Part, ...]:
        """Every Parquet file of the import."""
        return self.parts + self.contracts + self.rejects

    @property
    def simulated(self) -> bool:
        """The rows come from no recorded market."""
        return self.source.startswith(SIMULATED_MARK)

    @property
    def rejected_share(self) -> float:
        """Rejected rows over rows read."""
        return sum(self.rejected.values()) / self.read if self.read else 0.0

    @property
    def needs_acceptance(self) -> bool:
        """More was rejected than may be without a word, and nobody has accepted it."""
        return self.rejected_share > ACCEPTED_REJECT_SHARE and not self.accept_rejects

    def to_json(self) -> str:
        """Return the manifest as JSON; the same import gives the same text."""
        content = asdict(self) | {
            "version": MANIFEST_VERSION,
            "coverage": self.coverage.intervals,
        }
        return json.dumps(content, indent=2, sort_keys=True) + "\n"


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file.

    Raises
    ------
    CatalogError
        It cannot be read, or another version wrote it.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = content.pop("version")
        if version != MANIFEST_VERSION:
            raise CatalogError(
                f"the manifest has version {version}, expected {MANIFEST_VERSION}",
                where=path.name,
                hint="Import the source again into a new catalog",
            )
        key = TapeKey(**_key_fields(content.pop("key")))
        coverage = Coverage.of([(start, end) for start, end in content.pop("coverage")])
        files = {
            name: tuple(Part(**part) for part in content.pop(name))
            for name in ("parts", "contracts", "rejects")
        }
        return Manifest(key=key, coverage=coverage, **files, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as cause:
        raise CatalogError(
            f"the manifest cannot be read ({type(cause).__name__}: {cause})",
            where=path.name,
            hint="Remove it and import the source again",
        ) from cause


def _key_fields(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"kind": TapeKind(fields["kind"])}


@dataclass(frozen=True, slots=True)
class TapeSummary:
    """What a catalog holds of one tape.

    Attributes
    ----------
    key : TapeKey
    rows : int
    first_ns, last_ns : int or None
        First and last stamp.
    coverage : Coverage
    imports : int
    read, rejected, repeats : int
        Rows over all imports.
    needs_acceptance : bool
        An import rejected more than 0.01 % of its rows and that was not accepted.
    simulated : bool
        Rows of it come from no recorded market.
    """

    key: TapeKey
    rows: int
    first_ns: int | None
    last_ns: int | None
    coverage: Coverage
    imports: int
    read: int
    rejected: int
    repeats: int
    needs_acceptance: bool
    simulated: bool


def summarize(key: TapeKey, made: list[Manifest]) -> TapeSummary:
    """Return what the imports of one tape hold together."""
    return TapeSummary(
        key=key,
        rows=sum(each.kept for each in made),
        first_ns=min((each.first_ns for each in made if each.first_ns is not None), default=None),
        last_ns=max((each.last_ns for each in made if each.last_ns is not None), default=None),
        coverage=union(made),
        imports=len(made),
        read=sum(each.read for each in made),
        rejected=sum(sum(each.rejected.values()) for each in made),
        repeats=sum(each.repeats for each in made),
        needs_acceptance=any(each.needs_acceptance for each in made),
        simulated=any(each.simulated for each in made),
    )


def union(made: list[Manifest]) -> Coverage:
    """Return what some imports cover together."""
    return Coverage.of([pair for each in made for pair in each.coverage.intervals])
