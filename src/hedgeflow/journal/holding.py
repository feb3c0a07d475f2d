"""Registrations and vaults in the database: each laid down once, each opening counted."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, select

from hedgeflow.journal.errors import JournalError, VaultError
from hedgeflow.journal.pledges import DATA_SETS, REGISTRATIONS, VAULT_OPENINGS, VAULTS
from hedgeflow.journal.promises import DataSet, HoldOut, RegisteredHypothesis, VaultOpening
from hedgeflow.journal.rows import check_values
from hedgeflow.journal.storage import lock
from hedgeflow.journal.writes import insert_once
from hedgeflow.market.time import iso


def keep_data_set(connection: Connection, data_set: DataSet) -> None:
    """Record what a data set's hash stands for, once."""
    lock(connection, f"data set {data_set.data_hash}")
    insert_once(connection, DATA_SETS, asdict(data_set))


def register(
    connection: Connection, given: RegisteredHypothesis
) -> tuple[RegisteredHypothesis, bool]:
    """Record a hypothesis, once; return it as first recorded and whether it is new."""
    lock(connection, f"registration {given.registration_id}")
    values = {"registration_id": given.registration_id} | asdict(given)
    stored, is_new = insert_once(connection, REGISTRATIONS, values, but=("recorded_ns",))
    return replace(given, recorded_ns=stored["recorded_ns"]), is_new


def registrations(connection: Connection) -> list[RegisteredHypothesis]:
    """Return every registration, the oldest first."""
    columns = REGISTRATIONS.columns
    wanted = select(*(each for each in columns if each.name != "registration_id")).order_by(
        columns["recorded_ns"], columns["registration_id"]
    )
    return [RegisteredHypothesis(**row) for row in connection.execute(wanted).mappings()]


def declare(connection: Connection, given: HoldOut) -> tuple[HoldOut, bool]:
    """Record a vault, once; return it as first recorded and whether it is new.

    Raises
    ------
    VaultError
        Another vault on the same tape has a part of the period.
    """
    lock(connection, f"vaults on {given.data_key}")
    known = vaults(connection, given.data_key)
    for vault in known:
        if vault.vault_id == given.vault_id:
            return vault, False
    for vault in known:
        if vault.overlaps(given.from_ns, given.until_ns):
            raise VaultError(
                f"vault {vault.vault_id} ({vault.period_words}, {vault.state_words}) has a part of"
                " this period",
                where=f"a vault on {given.data_key}",
                hint="Declare a period that no vault has a part of: what was looked at once is"
                " never fresh again",
            )
    values = {"vault_id": given.vault_id} | {
        name: value for name, value in asdict(given).items() if name != "openings"
    }
    check_values("vaults", values)
    connection.execute(VAULTS.insert().values(values))
    return given, True


def vaults(connection: Connection, data_key: str | None = None) -> list[HoldOut]:
    """Return the vaults of a tape or of all, in the order of time, each with its openings."""
    columns = VAULTS.columns
    wanted = select(*columns).order_by(columns["data_key"], columns["from_ns"])
    if data_key is not None:
        wanted = wanted.where(columns["data_key"] == data_key)
    return [
        HoldOut(
            **{name: value for name, value in row.items() if name != "vault_id"},
            openings=_openings(connection, row["vault_id"]),
        )
        for row in connection.execute(wanted).mappings().all()
    ]


def open_vault(
    connection: Connection, vault_id: str, opening: VaultOpening, *, reopen: bool
) -> HoldOut:
    """Record that a vault is opened, and return it with this opening.

    The ordinal of `opening` is given here; whether it is a reopening follows from the record.

    Raises
    ------
    VaultError
        It was opened before and `reopen` is false, or never and `reopen` is true.
    JournalError
        There is no such vault.
    """
    lock(connection, f"vault {vault_id}")
    vault = next((each for each in vaults(connection) if each.vault_id == vault_id), None)
    if vault is None:
        raise JournalError("no such vault", where=f"vault {vault_id}", hint="Declare it first")
    if vault.openings and not reopen:
        raise VaultError(
            f"it was opened {vault.times_words}: {_opened_words(vault.openings)}",
            where=f"vault {vault_id} ({vault.period_words})",
            hint="A hold-out can be looked at once; --reopen opens it again, and every package"
            " then says how often it was",
        )
    if reopen and vault.sealed:
        raise VaultError(
            "it was never opened, so it cannot be opened again",
            where=f"vault {vault_id} ({vault.period_words})",
            hint="Leave --reopen out",
        )
    made = replace(opening, ordinal=len(vault.openings) + 1, reopened=not vault.sealed)
    values: dict[str, Any] = {"vault_id": vault_id} | asdict(made)
    check_values("vault_openings", values)
    connection.execute(VAULT_OPENINGS.insert().values(values))
    return replace(vault, openings=(*vault.openings, made))


def _opened_words(openings: tuple[VaultOpening, ...]) -> str:
    return "; ".join(
        f"on {iso(each.opened_ns)} with configuration {each.config_hash[:12]}"
        f" (preset {json.loads(each.config_json).get('preset', 'unknown')})"
        for each in openings
    )


def _openings(connection: Connection, vault_id: str) -> tuple[VaultOpening, ...]:
    columns = VAULT_OPENINGS.columns
    wanted = select(*(each for each in columns if each.name != "vault_id"))
    wanted = wanted.where(columns["vault_id"] == vault_id).order_by(columns["ordinal"])
    return tuple(VaultOpening(**row) for row in connection.execute(wanted).mappings())
