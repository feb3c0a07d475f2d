"""The account of an import under way: what became of each file, and what later files need of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hedgeflow.sources.lean.recording import hash_of, made_of
from hedgeflow.sources.lean.report import FileReport, NotUsed, Outcome, Portion
from hedgeflow.sources.lean.universes import DayFacts
from hedgeflow.sources.report import ImportReport, import_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import polars as pl

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.errors import DataError
    from hedgeflow.market.tapes import TapeKind
    from hedgeflow.market.validation import Fault
    from hedgeflow.market.writing import Progress
    from hedgeflow.sources.lean.layout import LeanFile
    from hedgeflow.sources.lean.recording import Loaded


@dataclass(slots=True)
class Account:
    """What an import has found and done so far.

    Attributes
    ----------
    root : pathlib.Path
        The Lean folder.
    catalog : Catalog
    accept_rejects : bool
    total : int
        Files in the folder.
    progress : callable, optional
        Called with the files done and `total`.
    facts : DayFacts
    underlyings : dict of str to str
        What each usable file is about, by path.
    reports : dict of str to FileReport
        By path.
    imports : list of ImportReport
    """

    root: Path
    catalog: Catalog
    accept_rejects: bool
    total: int
    progress: Progress | None = None
    facts: DayFacts = field(default_factory=DayFacts)
    underlyings: dict[str, str] = field(default_factory=dict[str, str])
    reports: dict[str, FileReport] = field(default_factory=dict[str, FileReport])
    imports: list[ImportReport] = field(default_factory=list[ImportReport])

    def imported(self, path: str, portions: Iterable[Portion], empty: int) -> None:
        """Enter a file that went into tapes."""
        self._enter(FileReport(path, Outcome.IMPORTED, "", tuple(portions), empty))

    def not_used(self, path: str, why: NotUsed) -> None:
        """Enter a file of which no tape is made."""
        self._enter(FileReport(path, Outcome.NOT_USED, str(why)))

    def refused(self, path: str, why: DataError, portions: Iterable[Portion] = ()) -> None:
        """Enter a file that is not what it must be, and what was imported of it all the same."""
        self._enter(FileReport(path, Outcome.REFUSED, str(why), tuple(portions)))

    def is_open(self, file: LeanFile) -> bool:
        """Say whether nothing has become of a file yet."""
        return file.path not in self.reports

    def is_refused(self, file: LeanFile) -> bool:
        """Say whether a file was refused."""
        report = self.reports.get(file.path)
        return report is not None and report.outcome is Outcome.REFUSED

    def commit(
        self,
        kind: TapeKind,
        instrument: str,
        loaded: Sequence[Loaded],
        coverage: Coverage,
        *,
        beside: Sequence[LeanFile] = (),
        faults: Sequence[Fault] = (),
        contracts: pl.DataFrame | None = None,
    ) -> dict[str, Portion]:
        """Import rows of some files into one tape and return what each of them gave.

        Parameters
        ----------
        kind : TapeKind
        instrument : str
        loaded : sequence of Loaded
        coverage : Coverage
        beside : sequence of LeanFile
            Other files whose content is in the rows.
        faults : sequence of Fault
            Beyond those of the tape's own columns.
        contracts : polars.DataFrame, optional

        Raises
        ------
        DataError
            The tape cannot take them.
        """
        files = [each.file for each in loaded]
        more = f" and {len(files) - 1} more of its day" if len(files) > 1 else ""
        made, rejected = made_of(
            kind,
            self.underlyings[files[0].path],
            instrument,
            loaded,
            faults=list(faults),
            coverage=coverage,
            source=files[0].path + more,
            sha256=hash_of([*files, *beside], self.root),
            contracts=contracts,
            accept_rejects=self.accept_rejects,
        )
        report = import_into(self.catalog, made, [], None)
        self.imports.append(report)
        if len(loaded) == 1:
            counts = (report.read, report.kept, report.repeats, report.rejected)
            return {files[0].path: Portion(report.import_id, report.key, *counts)}
        portions: dict[str, Portion] = {}
        for each in loaded:  # prints and quotes: admission takes all of them or none
            read, reasons = each.rows.height, rejected[each.file.path]
            counts = (read, read - sum(reasons.values()), 0, reasons)
            portions[each.file.path] = Portion(report.import_id, report.key, *counts)
        return portions

    def _enter(self, report: FileReport) -> None:
        self.reports[report.path] = report
        if self.progress is not None:
            self.progress(len(self.reports), self.total)
