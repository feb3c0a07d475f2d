"""The steps from each released schema version to the next; a step that was released stays as it is.

Step N is the module `to_N` with `upgrade(op)`, which brings version N - 1 to N by alembic's
operations on either database. It describes its tables itself: those of `tables` move on.
"""

from __future__ import annotations

from importlib import import_module

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection

from hedgeflow.journal.tables import JOURNAL_SCHEMA, SCHEMA_VERSION


def migrate(connection: Connection, version: int) -> None:
    """Bring a journal of an older version to the present one, within the caller's transaction."""
    operations = Operations(MigrationContext.configure(connection))
    for number in range(version + 1, SCHEMA_VERSION + 1):
        import_module(f"{__name__}.to_{number}").upgrade(operations)
        connection.execute(JOURNAL_SCHEMA.insert().values(version=number))
