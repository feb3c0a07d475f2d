"""Triggers by which the database itself refuses to change what was written."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, Connection, Table, event

_SAYS: Final = "the journal is append-only"
_FUNCTION: Final = "journal_refuses_change"


def refuse_changes(table: Table) -> None:
    """Let a table get its triggers whenever it is created."""

    def created(_table: Table, connection: Connection, **_how: object) -> None:
        for statement in refusing_triggers(table.name, connection.dialect.name):
            connection.execute(DDL(statement))

    event.listen(table, "after_create", created)


def refusing_triggers(table: str, database: str) -> list[str]:
    """Return the statements after which a table refuses UPDATE, DELETE and TRUNCATE.

    Parameters
    ----------
    table : str
    database : str
        ``sqlite`` or ``postgresql``.
    """
    if database == "sqlite":
        return [
            f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '{_SAYS}: {table} refuses {verb}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    function = (
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION USING MESSAGE = '{_SAYS}: ' || TG_TABLE_NAME || ' refuses ' || TG_OP; "
        "END $$"
    )
    trigger = (
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
    )
    return [function, trigger]
