"""Vaults: hold-out periods that no run sees before they are opened, and that are spent by it.

A vault holds for an option tape by its key (kind, venue, underlying), not by the hash of what was
imported so far, so that it stays where it is when the tape grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.evidence.beforehand import vault_words
from hedgeflow.evidence.manifest import Vault
from hedgeflow.journal import DataSet, HoldOut, VaultError, VaultOpening
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.tapes import TapeKey, TapeKind
from hedgeflow.market.time import iso
from hedgeflow.studies.markets import option_data_hash, option_tape_key
from hedgeflow.studies.periods import within
from hedgeflow.studies.registrations import settings_hash, settings_json
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.trial_ledger import configurations, data_key, trials_of_tape, trials_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hedgeflow.journal import Journal
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.trial_ledger import TriedConfiguration


def declare(
    journal: Journal,
    key: str,
    *,
    from_ns: int,
    until_ns: int | None,
    declared_ns: int,
    note: str = "",
    data_set: DataSet | None = None,
) -> tuple[HoldOut, bool]:
    """Declare a vault and return it as it was first declared, and whether it is new.

    Parameters
    ----------
    journal : Journal
    key : str
        As `data_key`; the tape need not be there yet.
    from_ns : int
        UTC ns.
    until_ns : int or None
        UTC ns, not part of it; None: whatever comes after `from_ns`.
    declared_ns : int
        UTC ns by the caller's clock.
    note : str
    data_set : DataSet, optional
        What is there of the tape, so that trials of older journals are known to be on it.

    Raises
    ------
    VaultError
        The period has no length, or another vault has a part of it.
    """
    if until_ns is not None and until_ns <= from_ns:
        raise VaultError(
            f"a period from {iso(from_ns)} to {iso(until_ns)} has no length",
            where=f"a vault on {key}",
            hint="The end is not part of it, so it comes after the start",
        )
    if data_set is not None:
        journal.record_data_set(data_set)
    seen = [each for each in trials_on(journal, key) if each.saw(from_ns, until_ns)]
    vault = HoldOut(key, from_ns, until_ns, declared_ns, configurations(seen), note)
    return journal.declare_vault(vault)


def tape_of(
    catalog: Catalog, underlying: str, venue: str | None = None
) -> tuple[str, DataSet | None]:
    """Return the key of an underlying's option tape, and what is there of it by now.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    venue : str, optional
        Of the options; needed where the catalog has none of them yet.

    Raises
    ------
    CatalogError
        The catalog has none and no venue is given, or it has those of another venue.
    """
    kinds = (TapeKind.OPTION_TRADES, TapeKind.OPTION_SNAPSHOTS)
    tapes = catalog.keys()
    if not any(key.kind in kinds and key.underlying == underlying for key in tapes):
        if venue is None:
            raise CatalogError(
                f"no {underlying} options were imported yet",
                where=str(catalog.path),
                hint="Say with --venue where they will be from, as in --venue deribit",
            )
        return data_key(TapeKey(kinds[0], venue.lower(), underlying, underlying, 1)), None
    options = option_tape_key(catalog, underlying)
    if venue is not None and venue.lower() != options.venue:
        raise CatalogError(
            f"its {underlying} options are from {options.venue}, not {venue}",
            where=str(catalog.path),
            hint="Leave --venue out",
        )
    summary = catalog.summary(options)
    if summary.first_ns is None or summary.last_ns is None:
        return data_key(options), None
    name = option_data_hash(catalog, underlying)
    return data_key(options), DataSet(name, data_key(options), summary.first_ns, summary.last_ns)


def visible(market: Market, config: StrategyConfig, journal: Journal) -> Market:
    """Return a market as far as its sealed vaults let it be seen.

    What comes after a sealed vault is not seen either: baselines and calibrations of those days
    would be made of the vault's. A vault that was opened hides nothing, for it is spent. Applied
    twice it changes nothing.

    Look-ahead: nothing stamped at the start of the first sealed vault or later is in any tape.

    Raises
    ------
    VaultError
        Nothing is left outside of the vaults.
    """
    vaults = journal.vaults(data_key(market.options))
    start = _sealed_from(vaults)
    if start is not None and (market.until_ns is None or market.until_ns > start):
        hidden = market.option_tape.first_ns >= start or (
            market.from_ns is not None and market.from_ns >= start
        )
        if hidden:
            raise VaultError(
                f"all that is asked for lies in or after a sealed vault, which begins {iso(start)}",
                where=f"{market.underlying} options on {market.options.venue}",
                hint="Open it with hedgeflow validate --open-vault, once everything is decided",
            )
        return within(market, config, until_ns=start)
    return market


def refuse_sealed(market: Market, journal: Journal) -> None:
    """Refuse a market that reaches into a sealed vault: nothing tried may have seen it.

    Raises
    ------
    VaultError
    """
    start = _sealed_from(journal.vaults(data_key(market.options)))
    if start is not None and (market.until_ns is None or market.until_ns > start):
        raise VaultError(
            f"the market reaches into a sealed vault, which begins {iso(start)}",
            where=f"{market.underlying} options on {market.options.venue}",
            hint="Take the part that hedgeflow.studies.vaults.visible leaves",
        )


def open_vault(
    catalog: Catalog,
    underlying: str,
    config: StrategyConfig,
    journal: Journal,
    *,
    code_version: str,
    opened_ns: int,
    vault_id: str | None = None,
    reopen: bool = False,
    reason: str = "",
) -> Market:
    """Record that a vault is opened, and return the market that is traded in it alone.

    Before the record is made, nothing of the period is read but what the catalog's manifests say
    and, where no hedge instrument is named, how much each was traded. From then on the vault is
    spent, whatever becomes of the run.

    Look-ahead: what came before the vault is known, and makes baselines; what comes after its end
    is in no tape.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    config : StrategyConfig
    journal : Journal
    code_version : str
    opened_ns : int
        UTC ns by the caller's clock.
    vault_id : str, optional
        Its beginning suffices; needed where several vaults are declared on the tape.
    reopen : bool
        It is known to be spent, and is opened again.
    reason : str
        Why, for those who ask.

    Raises
    ------
    VaultError
        There is no such vault, it was opened before and `reopen` is false or never and it is true,
        it has no data yet, or an earlier vault is still sealed.
    CatalogError
        As `load_market`.
    """
    options = option_tape_key(catalog, underlying)
    vaults = journal.vaults(data_key(options))
    vault = _chosen(vaults, vault_id, options.underlying)
    _check_openable(vault, vaults)
    summary = catalog.summary(options)
    if summary.last_ns is None or summary.last_ns < vault.from_ns:
        raise VaultError(
            f"the catalog has no options of {underlying} from {iso(vault.from_ns)} on",
            where=f"vault {vault.vault_id}",
            hint="Import them first: an opening counts whether or not there was anything to see",
        )
    study_of(config).require_hedge(catalog, options, config)
    end = int(summary.coverage.end_ns[-1])
    until = vault.until_ns
    if until is None:  # one that was opened and has a younger one after it goes no further
        later = [each.from_ns for each in vaults if each.from_ns > vault.from_ns]
        until = min(later, default=None)
    opening = VaultOpening(
        ordinal=0,
        config_hash=settings_hash(config),
        config_json=settings_json(config),
        code_version=code_version,
        opened_ns=opened_ns,
        data_until_ns=end if until is None else min(end, until),
        reopened=reopen,
        reason=reason,
    )
    opened = journal.open_vault(vault.vault_id, opening, reopen=reopen)
    market = within(
        study_of(config).load_market(catalog, underlying, config),
        config,
        from_ns=opened.from_ns,
        until_ns=until,
    )
    return visible(market, config, journal)


def vault_of(
    journal: Journal, market: Market, trials: Iterable[TriedConfiguration]
) -> Vault | None:
    """Return the vault that a package speaks of, None where none is declared on the tape.

    The one that the run is about; else the first that is sealed, which it did not see; else the
    last that was spent.

    Parameters
    ----------
    journal : Journal
    market : Market
    trials : iterable of TriedConfiguration
        As `trials_of_tape`.
    """
    vaults = journal.vaults(data_key(market.options))
    if not vaults:
        return None
    about = [vault for vault in vaults if _is_about(market, vault)]
    sealed = [vault for vault in vaults if vault.sealed]
    vault = (about or sealed or vaults[-1:])[0]
    seen = [
        trial
        for trial in trials
        if trial.saw(vault.from_ns, vault.end_ns) and not _is_within(trial.period, vault)
    ]
    return Vault(
        id=vault.vault_id,
        start=iso(vault.from_ns),
        end="" if vault.end_ns is None else iso(vault.end_ns),
        openings=len(vault.openings),
        opened_here=bool(about),
        declared=iso(vault.declared_ns),
        seen_before=max(vault.seen_before, configurations(seen)),
    )


def vault_notes(journal: Journal, market: Market) -> tuple[str, ...]:
    """Return what a reader of a run should know of its tape's hold-out; nothing without one."""
    found = vault_of(journal, market, trials_of_tape(journal, market))
    return () if found is None else vault_words(found)


def _sealed_from(vaults: list[HoldOut]) -> int | None:
    return min((vault.from_ns for vault in vaults if vault.sealed), default=None)


def _chosen(vaults: list[HoldOut], vault_id: str | None, underlying: str) -> HoldOut:
    if not vaults:
        raise VaultError(
            f"no vault is declared on the options of {underlying}",
            where="--open-vault",
            hint="Declare one first: hedgeflow vault declare",
        )
    named = [vault for vault in vaults if vault.vault_id.startswith(vault_id or "")]
    if len(named) == 1:
        return named[0]
    listed = "; ".join(
        f"{vault.vault_id} {vault.period_words}, {vault.state_words}" for vault in vaults
    )
    said = "several vaults are declared" if vault_id is None else f"{vault_id!r} names no one vault"
    raise VaultError(f"{said}: {listed}", where="--vault", hint="Name one of them with --vault")


def _check_openable(vault: HoldOut, vaults: list[HoldOut]) -> None:
    earlier = [each for each in vaults if each.sealed and each.from_ns < vault.from_ns]
    if earlier:
        raise VaultError(
            f"vault {earlier[0].vault_id} ({earlier[0].period_words}) lies before it and is"
            " sealed: its days would make this one's baselines",
            where=f"vault {vault.vault_id}",
            hint="Open the earlier one first",
        )


def _is_about(market: Market, vault: HoldOut) -> bool:
    """Say whether a vault that was opened is all that a market is traded in."""
    return not vault.sealed and _is_within((market.from_ns, market.until_ns), vault)


def _is_within(period: tuple[int | None, int | None], vault: HoldOut) -> bool:
    """Say whether a part of the tape lies in a vault."""
    begin, end = period
    if begin is None or not vault.overlaps(begin, begin + 1):
        return False
    return vault.until_ns is None or (end is not None and end <= vault.until_ns)
