"""What an import did, in numbers and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hedgeflow.market.errors import DataError

if TYPE_CHECKING:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.coverage import Coverage
    from hedgeflow.market.manifests import Import, Manifest
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.market.writing import Progress


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import read, kept and refused; rows read = kept + rejected + repeats.

    Attributes
    ----------
    import_id : str
        Names the rejects file and the manifest in the catalog.
    key : TapeKey
    source : str
        File name without its folder.
    read, kept, repeats : int
        Repeats are rows that the tape holds already.
    rejected : dict of str to int
        Rows by reason.
    null_ids, identical_without_id : int
        Rows read without a trade id, and those of them that equal an earlier one; both are kept.
    coverage : Coverage
        When the source was recorded.
    first_ns, last_ns : int or None
        First and last stamp kept.
    needs_acceptance : bool
        More than 0.01 % was rejected: the tape is used only after an import that accepts it.
    already_imported : bool
        The same file was imported before and nothing was written.
    notes : tuple of str
        What was assumed, one sentence each.
    """

    import_id: str
    key: TapeKey
    source: str
    read: int
    kept: int
    repeats: int
    rejected: dict[str, int]
    null_ids: int
    identical_without_id: int
    coverage: Coverage
    first_ns: int | None
    last_ns: int | None
    needs_acceptance: bool
    already_imported: bool
    notes: tuple[str, ...] = ()

    @property
    def rows_rejected(self) -> int:
        """Rejected rows over all reasons."""
        return sum(self.rejected.values())


def import_into(
    catalog: Catalog, new: Import, notes: list[str], progress: Progress | None
) -> ImportReport:
    """Commit an import and return what it did."""
    before = catalog.imported(new.id)
    if before is not None:
        notes = [*notes, "This file was imported before: nothing was written."]
        if new.accept_rejects and before.needs_acceptance:
            before = catalog.accept(new.id)
            notes.append("Its rejects are accepted from now on.")
        return report_of(before, notes, already_imported=True)
    made = catalog.commit(new, progress)
    if made.needs_acceptance:
        notes = [*notes, _marked(made)]
    return report_of(made, notes, already_imported=False)


def check_usable(new: Import) -> None:
    """Refuse a file that has rows, none of which can be used.

    Raises
    ------
    DataError
        Naming the reasons.
    """
    if new.rows.is_empty() and new.read:
        reasons = sorted(new.rejects["reason"].value_counts().iter_rows())
        raise DataError(
            f"none of its {new.read:,} rows can be used:"
            f" {', '.join(f'{reason} {count:,}' for reason, count in reasons)}",
            where=new.source,
            hint="Nothing was written; name other columns, or correct the file",
        )


def _marked(made: Manifest) -> str:
    if not made.kept:
        reasons = ", ".join(f"{each} {count:,}" for each, count in sorted(made.rejected.items()))
        return f"None of its rows can be used, whatever is accepted: {reasons}."
    return (
        f"{made.rejected_share:.3%} of the rows were rejected, more than 0.01 %: the tape will not "
        "be used until it is imported with --accept-rejects."
    )


def report_of(made: Manifest, notes: list[str], *, already_imported: bool) -> ImportReport:
    """Return what a recorded import did."""
    return ImportReport(
        import_id=made.id,
        key=made.key,
        source=made.source,
        read=made.read,
        kept=made.kept,
        repeats=made.repeats,
        rejected=dict(made.rejected),
        null_ids=made.null_ids,
        identical_without_id=made.identical_without_id,
        coverage=made.coverage,
        first_ns=made.first_ns,
        last_ns=made.last_ns,
        needs_acceptance=made.needs_acceptance,
        already_imported=already_imported,
        notes=tuple(notes),
    )
