"""The catalog: a folder of tapes in Parquet, with what each covers and where it came from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market import layout
from hedgeflow.market.errors import CatalogError, DataError
from hedgeflow.market.manifests import (
    Manifest,
    Part,
    TapeSummary,
    read_manifest,
    summarize,
    union,
)
from hedgeflow.market.reading import between, collect, read_contracts, scan_parts, touches
from hedgeflow.market.soundness import Finding, findings
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.transactions import locked, recover_if_free, replace_text, staging
from hedgeflow.market.writing import import_of_frame, stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.manifests import Import
    from hedgeflow.market.writing import Progress


class Catalog:
    """A folder of tapes; made by `open` or `create_or_open`.

    Attributes
    ----------
    path : pathlib.Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._intact: set[str] = set()
        self._manifests: dict[str, tuple[tuple[int, int], Manifest]] = {}

    @classmethod
    def open(cls, path: Path | str) -> Catalog:
        """Return the catalog in a folder, finishing a commit that was cut off.

        Raises
        ------
        CatalogError
            The folder is missing, is no catalog, or was written by another version.
        """
        root = Path(path)
        marker = root / layout.MARKER
        if not marker.is_file():
            if root.is_dir():
                state = "the folder is no catalog"
            elif root.exists():
                state = "this is a file, so it is no catalog"
            else:
                state = "the folder does not exist, so it is no catalog"
            raise CatalogError(
                state,
                where=str(root),
                hint="Make one with `hedgeflow data import` or `hedgeflow demo`",
            )
        _check_marker(marker)
        recover_if_free(root)
        return cls(root)

    @classmethod
    def create_or_open(cls, path: Path | str) -> Catalog:
        """Return the catalog in a folder, making one where there is no folder or an empty one.

        Raises
        ------
        CatalogError
            The folder holds other things.
        """
        root = Path(path)
        if not (root / layout.MARKER).is_file():
            if root.exists() and not root.is_dir():
                raise CatalogError("this is a file, not a folder", where=str(root))
            leftovers = {f".{layout.MARKER}.tmp"}
            if root.is_dir() and {each.name for each in root.iterdir()} - leftovers:
                raise CatalogError(
                    "the folder is not empty and is no catalog",
                    where=str(root),
                    hint="Name a new or an empty folder",
                )
            root.mkdir(parents=True, exist_ok=True)
            content = {"format": "hedgeflow-catalog", "version": layout.FORMAT_VERSION}
            replace_text(root / layout.MARKER, json.dumps(content) + "\n")
        return cls.open(root)

    def imports(self) -> list[Manifest]:
        """Return the record of every import, in the order they were made."""
        paths = (self.path / layout.IMPORTS).glob("[!.]*.json")
        self._manifests = {path.name: self._read_once(path) for path in paths}
        made = [manifest for _, manifest in self._manifests.values()]
        return sorted(made, key=lambda each: (each.ordinal, each.id))

    def keys(self) -> list[TapeKey]:
        """Return the tapes in the catalog."""
        return sorted({each.key for each in self.imports()}, key=_order)

    def summaries(self) -> list[TapeSummary]:
        """Return what the catalog holds of each tape."""
        return [self.summary(key) for key in self.keys()]

    def summary(self, key: TapeKey) -> TapeSummary:
        """Return what the catalog holds of one tape."""
        return summarize(key, self._imports_of(key))

    def coverage(self, key: TapeKey) -> Coverage:
        """Return the intervals in which a tape was recorded."""
        return union(self._imports_of(key))

    def find(
        self,
        kind: TapeKind,
        underlying: str,
        venue: str | None = None,
        instrument: str | None = None,
    ) -> list[TapeKey]:
        """Return the tapes of a kind and underlying.

        Raises
        ------
        CatalogError
            There is none; the message names those there are.
        """
        every = self.keys()
        found = [
            key
            for key in every
            if key.kind is kind
            and key.underlying == underlying
            and venue in {None, key.venue}
            and instrument in {None, key.instrument}
        ]
        if found:
            return found
        asked = ", ".join(part for part in (underlying, instrument, venue) if part)
        there = sorted(
            {
                f"{key.underlying} ({key.instrument}, {key.venue})"
                for key in every
                if key.kind is kind
            }
        )
        raise CatalogError(
            f"no {kind} of {asked} in the catalog",
            where=str(self.path),
            hint=f"There are: {'; '.join(there)}" if there else f"It holds no {kind} at all",
        )

    def scan(self, key: TapeKey, *, accept_rejects: bool = False) -> pl.LazyFrame:
        """Return a tape as a lazy frame: its columns and `sequence`, in the order of time.

        Raises
        ------
        CatalogError
            The tape is not in the catalog.
        DataError
            More than 0.01 % of an import was rejected and that was not accepted.
        """
        self._check_usable(key, accept_rejects=accept_rejects)
        return scan_parts(self.path, key.kind, self._parts(key))

    def read(
        self,
        key: TapeKey,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        accept_rejects: bool = False,
    ) -> pl.DataFrame:
        """Return the rows of a tape with ``start_ns <= ts < end_ns``.

        Returns
        -------
        polars.DataFrame
            The tape's columns in schema order, and `sequence`; sorted by time, equal times in
            the order of the source.

        Raises
        ------
        CatalogError, DataError
            As `scan`; a part is missing or damaged.
        """
        self._check_usable(key, accept_rejects=accept_rejects)
        parts = [part for part in self._parts(key) if touches(part.date, start_ns, end_ns)]
        self._check_intact(parts)
        rows = scan_parts(self.path, key.kind, parts)
        return collect(between(rows, start_ns, end_ns), self.path)

    def slices(
        self,
        key: TapeKey,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        accept_rejects: bool = False,
    ) -> Iterator[pl.DataFrame]:
        """Yield a tape day by day, so that memory is bounded by a UTC day."""
        self._check_usable(key, accept_rejects=accept_rejects)
        parts = [part for part in self._parts(key) if touches(part.date, start_ns, end_ns)]
        self._check_intact(parts)
        for date in sorted({part.date for part in parts}):
            rows = scan_parts(self.path, key.kind, [part for part in parts if part.date == date])
            yield collect(between(rows, start_ns, end_ns), self.path)

    def contracts(self, venue: str, underlying: str) -> pl.DataFrame:
        """Return the terms of an underlying's contracts, by expiry, strike and right."""
        return read_contracts(self.path, self.imports(), venue, underlying)

    def fingerprint(self, keys: Sequence[TapeKey]) -> str:
        """Return the SHA-256 of the parts of some tapes and of the intervals they cover."""
        digest = hashlib.sha256()
        for key in sorted(set(keys), key=_order):
            made = self._imports_of(key)
            parts = sorted(part.sha256 for each in made for part in each.parts + each.contracts)
            digest.update(
                json.dumps([layout.tape_folder(key), parts, union(made).intervals]).encode()
            )
        return digest.hexdigest()

    @property
    def simulated(self) -> bool:
        """Whether rows of it come from no recorded market."""
        return any(each.simulated for each in self.imports())

    def check(self) -> list[Finding]:
        """Return what is wrong with the files, and the gaps in each tape."""
        return findings(self.path, self.imports())

    def imported(self, import_id: str) -> Manifest | None:
        """Return the record of an import, or None when it was not made or its files are damaged."""
        made = self._record(import_id)
        return made if made is not None and self.is_intact(made) else None

    def is_intact(self, made: Manifest) -> bool:
        """Say whether all files of an import are there as they were written."""
        return all(self._is_intact(part) for part in made.files)

    def accept(self, import_id: str) -> Manifest:
        """Record that an import may be used although more than 0.01 % of it was rejected."""
        with locked(self.path):
            made = self._record(import_id)
            if made is None:
                raise CatalogError(f"no import '{import_id}'", where=str(self.path))
            accepted = replace(made, accept_rejects=True)
            replace_text(self.path / layout.IMPORTS / f"{made.id}.json", accepted.to_json())
        return accepted

    def commit(self, new: Import, progress: Progress | None = None) -> Manifest:
        """Write an import, whole or not at all, and return its record.

        The same source into the same tape is written once; damaged files are written again.

        Parameters
        ----------
        new : Import
        progress : callable, optional
            Called with the rows written and the rows to write.

        Raises
        ------
        DataError
            Rows without an id overlap another import, or contracts contradict those stored.
        CatalogError
            Another writer is at work, or the files cannot be written.
        """
        try:
            with locked(self.path), staging(self.path, new) as folder:
                _check_marker(self.path / layout.MARKER)  # a rival may have discarded it, empty
                before = self.imported(new.id)
                if before is not None:
                    return before
                manifest = stage(new, self.imports(), folder, progress)
                folder.commit(manifest)
                return manifest
        except (OSError, pl.exceptions.PolarsError) as cause:
            raise CatalogError(
                f"the import could not be written ({cause})",
                where=str(self.path),
                hint="The catalog is as it was before; check disk and permissions, then try again",
            ) from cause

    def store(
        self,
        key: TapeKey,
        frame: pl.DataFrame,
        *,
        source: str,
        coverage: Coverage | None = None,
        contracts: pl.DataFrame | None = None,
    ) -> str:
        """Write a table that a program made, whole or not at all.

        Long tapes are stored with several calls, each declaring the interval it covers.

        Parameters
        ----------
        key : TapeKey
        frame : polars.DataFrame
            The tape's columns, sorted by time.
        source : str
            What made it; shown in lists.
        coverage : Coverage, optional
            Without it, as precise.md 3 says for files.
        contracts : polars.DataFrame, optional
            Terms of option contracts that are not stored yet, or are the same.

        Returns
        -------
        str
            The import's id; the same table stored again is not written twice.

        Raises
        ------
        DataError
            As `validate`; a row has a fault, or lies outside the coverage.
        """
        new = import_of_frame(key, frame, source, coverage, contracts)
        return self.commit(new).id

    def _record(self, import_id: str) -> Manifest | None:
        path = self.path / layout.IMPORTS / f"{import_id}.json"
        if not path.is_file():
            return None
        self._manifests[path.name] = self._read_once(path)
        return self._manifests[path.name][1]

    def _read_once(self, path: Path) -> tuple[tuple[int, int], Manifest]:
        """Return a record with its file's time and size; it is read again when these change."""
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._manifests.get(path.name)
        return known if known is not None and known[0] == stamp else (stamp, read_manifest(path))

    def _imports_of(self, key: TapeKey) -> list[Manifest]:
        made = [each for each in self.imports() if each.key == key]
        if not made:
            raise CatalogError(
                f"no tape {layout.tape_folder(key)} in the catalog",
                where=str(self.path),
                hint="List what there is with `hedgeflow data list`",
            )
        return made

    def _check_usable(self, key: TapeKey, *, accept_rejects: bool) -> None:
        for each in self._imports_of(key):
            if each.needs_acceptance and not accept_rejects:
                reasons = ", ".join(f"{name} {count}" for name, count in each.rejected.items())
                raise DataError(
                    f"{sum(each.rejected.values())} of {each.read} rows ({each.rejected_share:.3%})"
                    f" were rejected, more than 0.01 %: {reasons}",
                    where=each.source,
                    hint=f"See {each.rejects[0].path} in the catalog; to use the tape all the same,"
                    " import it again with --accept-rejects",
                )

    def _parts(self, key: TapeKey) -> list[Part]:
        return [part for each in self._imports_of(key) for part in each.parts]

    def _check_intact(self, parts: list[Part]) -> None:
        """Refuse parts that are not as they were imported; each is hashed once."""
        for part in parts:
            if part.path in self._intact:
                continue
            if (self.path / part.path).exists() and not self._is_intact(part):
                raise CatalogError(
                    "a part of a tape is missing or damaged (it is not as it was imported)",
                    where=str(self.path / part.path),
                    hint="See `hedgeflow data check`; importing the source again repairs it",
                )
            self._intact.add(part.path)

    def _is_intact(self, part: Part) -> bool:
        path = self.path / part.path
        return path.is_file() and layout.file_sha256(path) == part.sha256


def _check_marker(marker: Path) -> None:
    try:
        version = json.loads(marker.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise CatalogError(
            f"its marker file cannot be read, so it is no catalog ({cause})", where=str(marker)
        ) from cause
    if version != layout.FORMAT_VERSION:
        raise CatalogError(
            f"the catalog has format version {version}, expected {layout.FORMAT_VERSION}",
            where=str(marker.parent),
            hint="Import the sources again into a new catalog",
        )


def _order(key: TapeKey) -> tuple[str, str, str, str, int]:
    return (str(key.kind), key.venue, key.underlying, key.instrument, key.resolution_ns)
