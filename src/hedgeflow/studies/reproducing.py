"""A package made again from what it states, and compared with itself, figure by figure."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import TypeAdapter

from hedgeflow.evidence import write_package
from hedgeflow.evidence.checks import JsonObject, section
from hedgeflow.evidence.comparing import covered
from hedgeflow.evidence.identity import Identity, identity
from hedgeflow.evidence.manifest import (
    Inputs,
    Manifest,
    Registration,
    Vault,
)
from hedgeflow.evidence.opening import Package, open_package
from hedgeflow.evidence.plain import digest, dumps, plain
from hedgeflow.evidence.report.sections import objects, text
from hedgeflow.market.errors import EvidenceError
from hedgeflow.market.time import instant_ns
from hedgeflow.simulate import TRUTH_FOLDER, TruthTable, read_truth
from hedgeflow.studies.backtesting import code_version, trial_document
from hedgeflow.studies.periods import within
from hedgeflow.studies.strategies import STRATEGIES, study_named
from hedgeflow.studies.validation import Validation, coverage_of, validate, write_validation
from hedgeflow.studies.vaults import refuse_sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from hedgeflow.journal import Journal
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


VAULT_NOTE: Final = "(vault "
"""What every note on a vault has, which says what its journal knew of it."""


@dataclass(frozen=True, slots=True)
class StatedMarket:
    """The market and the configuration that a package states, as a catalog has them.

    Attributes
    ----------
    market : Market
    config : StrategyConfig
    truth : polars.DataFrame or None
        The simulated shocks as they were, where the package compared classes with them.
    """

    market: Market
    config: StrategyConfig
    truth: pl.DataFrame | None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A package that was made again.

    Attributes
    ----------
    stated : Package
        As it was.
    validation : Validation
        The same run, made now.
    found : Identity
        What the comparison of both found.
    notes : tuple of str
        What the reader should know: other code, more trials since.
    """

    stated: Package
    validation: Validation
    found: Identity
    notes: tuple[str, ...]


def stated_inputs(package: Package) -> Inputs:
    """Return what a package's run read.

    Raises
    ------
    EvidenceError
        It does not say, or it is of another strategy than can be run.
    """
    if package.strategy not in STRATEGIES:
        raise EvidenceError(
            f"is of the strategy {package.strategy}, which cannot be run here",
            where=package.name,
            hint=f"There is {' and '.join(STRATEGIES)}",
        )
    stated = package.reproducibility.get("inputs")
    if stated is None:
        raise EvidenceError(
            "does not say what it was made from (reproducibility.inputs is null)",
            where=package.name,
            hint="Make the package again with hedgeflow validate",
        )
    return TypeAdapter(Inputs).validate_python(stated)


def reproduce(
    package: Package,
    stated: StatedMarket,
    journal: Journal,
    *,
    calendar: Calendar | None = None,
    out: Path | None = None,
    timestamp: str,
    progress: Callable[[int, int], None] | None = None,
) -> Reproduction:
    """Run again what a package states, on the same data, and compare every figure and table.

    The configuration is the one that was tried, so that the ledger of trials counts none more.
    What the journal said when the package was made (trials, their Sharpe ratios, registration,
    vault) is taken from the package: since then the journal may have grown.

    Parameters
    ----------
    package : Package
    stated : StatedMarket
    journal : Journal
    calendar : Calendar, optional
        The events that the run knew, if it knew any: a package holds their hash only.
    out : pathlib.Path, optional
        Where the package is written that was made again, with its report.
    timestamp : str
        When it is made, ISO 8601.
    progress : callable, optional
        Called with prints scanned and prints in all.

    Raises
    ------
    EvidenceError
        The data, the calendar or the volatility index are not those that the package states; the
        message names both hashes.
    VaultError
        What the package was made from has become part of a vault since, which is sealed.
    """
    _check_same_data(package, stated, calendar)
    refuse_sealed(stated.market, journal)
    validation = validate(
        stated.market,
        stated.config,
        journal,
        calendar=calendar,
        truth=stated.truth,
        progress=progress,
        as_stated=lambda manifest: _as_stated(manifest, package.reproducibility),
        leakage=section(package.document, "experimental_validity").get("leakage") is not None,
    )
    found = _compared(package, validation, out, timestamp)
    return Reproduction(package, validation, found, tuple(_notes(package, validation)))


def stated_market(package: Package, catalog: Catalog) -> StatedMarket:
    """Return what a package was made from; a hedge instrument that volume chose is chosen again.

    Raises
    ------
    EvidenceError
        The package does not say enough, or says of its configuration what its hash does not.
    CatalogError
        As `load_market`.
    """
    inputs = stated_inputs(package)
    settings = section(package.reproducibility, "config")
    if digest(dumps(settings).encode()) != package.reproducibility["config_hash"]:
        raise EvidenceError(
            "its configuration was changed since: the hash is of another",
            where=package.name,
            hint="Make the package again with hedgeflow validate",
        )
    study = study_named(package.strategy)
    resolved = study.of_settings(settings, package.name)
    asked = resolved.model_copy(
        update={
            "hedge_instrument": inputs.named_instrument,
            "hedge_venue": inputs.named_venue,
        }
    )
    market = study.load_market(catalog, inputs.underlying, asked)
    chosen = (market.hedge.symbol, market.hedge.venue)
    if chosen != (resolved.hedge_instrument, resolved.hedge_venue):
        asked, market = resolved, study.load_market(catalog, inputs.underlying, resolved)
    from_ns, until_ns = (
        None if stamp is None else instant_ns(datetime.fromisoformat(stamp))
        for stamp in (inputs.traded_from, inputs.traded_until)
    )
    if from_ns is not None or until_ns is not None:
        market = within(market, asked, from_ns=from_ns, until_ns=until_ns)
    return StatedMarket(market, asked, _truth(inputs, catalog, package))


def _check_same_data(package: Package, stated: StatedMarket, calendar: Calendar | None) -> None:
    inputs, market, config = stated_inputs(package), stated.market, stated.config
    tried = cast(
        "dict[str, Any]", TypeAdapter(Any).validate_json(trial_document(market, config, calendar))
    )
    pairs = (
        ("option tape", inputs.option_data, market.option_hash),
        (f"tapes of {market.hedge.symbol} on {market.hedge.venue}", inputs.hedge_data,
         market.hedge_hash),
        ("volatility index", inputs.volatility_index, tried["volatility_index"]),
    )  # fmt: skip
    other = [pair for pair in pairs if pair[1] != pair[2]]
    if other:
        named = "; ".join(
            f"its {what} has hash {stated or 'none'}, the catalog's {found or 'none'}"
            for what, stated, found in other
        )
        raise EvidenceError(
            f"the data are not those of the package: {named}. {_spans(package, market)}",
            where=package.name,
            hint="Name the catalog that it was made from with --catalog",
        )
    if inputs.calendar == tried["calendar"]:
        return
    if inputs.calendar is not None and tried["calendar"] is None:
        raise EvidenceError(
            f"its run knew a calendar (hash {inputs.calendar}), which a package does not hold",
            where=package.name,
            hint="Name the same files with --calendar",
        )
    raise EvidenceError(
        f"the calendar is not that of the package: its hash is {inputs.calendar or 'none'}, that"
        f" of the files {tried['calendar']}",
        where="--calendar",
        hint="Name the files that the run knew, or none where it knew none",
    )


def _spans(package: Package, market: Market) -> str:
    """Return in words how the tapes' spans differ."""
    stated = {
        text(each, "tape"): covered(each) for each in objects(package.reproducibility, "coverage")
    }
    found = {each.tape: covered(cast("JsonObject", plain(each))) for each in coverage_of(market)}
    apart = [
        f"{tape}: stated {stated.get(tape, 'nothing')}, in the catalog {found.get(tape, 'nothing')}"
        for tape in dict.fromkeys([*stated, *found])
        if stated.get(tape) != found.get(tape)
    ]
    return "; ".join(apart) if apart else "They cover the same time, so rows of them differ"


def _truth(inputs: Inputs, catalog: Catalog, package: Package) -> pl.DataFrame | None:
    if not inputs.truth:
        return None
    if not (catalog.path / TRUTH_FOLDER).is_dir():
        raise EvidenceError(
            "its classes were compared with the simulator's truth, which the catalog lacks",
            where=package.name,
            hint="Name the simulated catalog itself with --catalog",
        )
    return read_truth(catalog.path, TruthTable.SHOCKS)


def _as_stated(manifest: Manifest, stated: JsonObject) -> Manifest:
    """Return a manifest with what the journal said when the package was made."""
    return replace(
        manifest,
        notes=_notes_as_stated(
            manifest.notes, TypeAdapter(tuple[str, ...]).validate_python(stated["notes"])
        ),
        trials=TypeAdapter(int).validate_python(stated["trials"]),
        trial_sharpes=TypeAdapter(tuple[float, ...]).validate_python(stated["trial_sharpes"]),
        registration=TypeAdapter(Registration | None).validate_python(stated["registration"]),
        vault=TypeAdapter(Vault | None).validate_python(stated["vault"]),
    )


def _notes_as_stated(found: Sequence[str], stated: Sequence[str]) -> tuple[str, ...]:
    """Return the notes found, with what is stated of vaults: they may have been opened since."""
    others = iter([note for note in found if VAULT_NOTE not in note])
    merged = [note if VAULT_NOTE in note else next(others, None) for note in stated]
    return (*(note for note in merged if note is not None), *others)


def _compared(
    package: Package, validation: Validation, out: Path | None, timestamp: str
) -> Identity:
    if out is not None:
        write_validation(validation, out, timestamp)
        return identity(package, open_package(out))
    with tempfile.TemporaryDirectory(prefix="hedgeflow-again-") as folder:
        again = Path(folder) / package.name
        write_package(validation.evidence, validation.tables, again, timestamp=timestamp)
        return identity(package, open_package(again))


def _notes(package: Package, validation: Validation) -> list[str]:
    stated = package.reproducibility
    notes: list[str] = []
    if stated["code_version"] != code_version():
        notes.append(
            f"other code: the package was made by {stated['code_version']}, and this is"
            f" {code_version()}; figures may differ for that alone"
        )
    if validation.backtest.configurations != stated["trials"]:
        notes.append(
            f"the package counts {stated['trials']} configurations tried on these data, the"
            f" journal now {validation.backtest.configurations}; the package's count was used"
        )
    return notes
