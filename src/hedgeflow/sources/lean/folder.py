"""A whole Lean data folder into a catalog, with an account of every file in it."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.sources.lean.account import Account
from hedgeflow.sources.lean.days import import_day
from hedgeflow.sources.lean.layout import (
    OTHER_FOLDERS,
    UNDERLYING_ASSET,
    Asset,
    Content,
    LeanFile,
    lean_file,
)
from hedgeflow.sources.lean.members import underlying_of
from hedgeflow.sources.lean.report import LeanReport, NotUsed, Outcome
from hedgeflow.sources.lean.universes import load_universe, universe_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.writing import Progress

ASSETS: Final = frozenset(str(asset) for asset in Asset)

NOTES: Final = (
    "Each minute bar of an option's trades became one print at its close, without an aggressor.",
    "Its side comes from quotes where the folder has them, else from the tick rule.",
    "Stamps are starts of minutes: each row is known one minute after its stamp.",
    "A day file was taken to record its day's whole sessions: a minute without a row is silence.",
)


def import_lean(
    folder: Path | str,
    catalog: Catalog,
    *,
    accept_rejects: bool = False,
    progress: Progress | None = None,
) -> LeanReport:
    """Import a QuantConnect Lean data folder and account for every file in it.

    A file that cannot be read is refused by name and the others are imported, except that trades
    of an underlying's options wait for everything of their day that goes in with them.

    Parameters
    ----------
    folder : path
        The data folder itself, which holds `equity`, `option` and so on.
    catalog : Catalog
    accept_rejects : bool
        Use tapes although more than 0.01 % of an import is rejected.
    progress : callable, optional
        Called with the files done and the files to do.

    Returns
    -------
    LeanReport

    Raises
    ------
    DataError
        The folder is no Lean data folder, is a part of one, or nothing in it can be used.
    CatalogError
        The catalog cannot be written.
    """
    root = Path(folder)
    _check_root(root)
    paths = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    account = Account(root, catalog, accept_rejects, len(paths), progress)
    files = list(_usable(paths, account))
    for of_day in _by_day(files, account):
        import_day(of_day, account)
    for file in files:
        if file.content is Content.UNIVERSE:
            _import_universe(file, account)
    reports = tuple(account.reports[path.as_posix()] for path in paths)
    if all(each.outcome is Outcome.NOT_USED for each in reports):
        first = f", as {reports[0].path}: {reports[0].reason}" if reports else ""
        raise DataError(
            f"none of its {len(reports)} files can be used{first}",
            where=str(root),
            hint="Expected are minute files of stocks, indices, futures and their options",
        )
    return LeanReport(root.resolve().name, reports, tuple(account.imports), NOTES)


def _check_root(root: Path) -> None:
    """Refuse what is no Lean data folder, naming the right one where it can be told."""
    if not root.is_dir():
        what = "this is a file, not a folder" if root.exists() else "there is no such folder"
        raise DataError(what, where=str(root), hint="Name the data folder of Lean")
    inside = sorted(path.name for path in root.iterdir())
    if ASSETS & set(inside):
        return
    for part in (root.resolve(), *root.resolve().parents):
        if part.name in ASSETS | OTHER_FOLDERS and ASSETS & _names(part.parent):
            raise DataError(
                "this is a part of a Lean data folder, and options need the prices beside it",
                where=str(root),
                hint=f"Name the whole folder, {part.parent}",
            )
    for name in inside:
        if ASSETS & _names(root / name):
            raise DataError(
                "this is no Lean data folder, but one lies in it",
                where=str(root),
                hint=f"Name {root / name}",
            )
    there = ", ".join(inside[:5]) + (" …" if len(inside) > 5 else "")
    raise DataError(
        f"this is no Lean data folder: it holds {there or 'nothing'}",
        where=str(root),
        hint=f"Expected are folders such as {', '.join(Asset)}",
    )


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _usable(paths: Sequence[PurePath], account: Account) -> Iterator[LeanFile]:
    """Yield the files that a tape can be made of and enter what becomes of the others."""
    seen: dict[tuple[str, ...], str] = {}
    for path in paths:
        try:
            file = lean_file(path)
            account.underlyings[file.path] = underlying_of(file)
        except NotUsed as why:
            account.not_used(path.as_posix(), why)
            continue
        earlier = seen.setdefault(file.identity, file.path)
        if earlier == file.path:
            yield file
            continue
        what = f"{PurePath(earlier).name} beside it is the same day"
        hint = "Keep one of them, or what they hold would count twice"
        account.refused(file.path, DataError(what, where=path.name, hint=hint))


def _by_day(files: Sequence[LeanFile], account: Account) -> Iterator[list[LeanFile]]:
    """Yield the files of each day and underlying, by date."""
    groups: dict[tuple[date, str, str], list[LeanFile]] = {}
    for file in files:
        if file.content is not Content.UNIVERSE:
            key = (file.day, file.market, account.underlyings[file.path])
            groups.setdefault(key, []).append(file)
    for key in sorted(groups):
        yield groups[key]


def _import_universe(file: LeanFile, account: Account) -> None:
    try:
        found = load_universe(file, account.root, UNDERLYING_ASSET[file.asset], account.facts)
        portions = account.commit(
            TapeKind.OPTION_DAYS,
            account.underlyings[file.path],
            [found.loaded],
            found.coverage,
            faults=universe_faults(),
            contracts=found.contracts,
        )
    except NotUsed as why:
        account.not_used(file.path, why)
    except DataError as why:
        account.refused(file.path, why)
    else:
        account.imported(file.path, portions.values(), found.loaded.empty)
