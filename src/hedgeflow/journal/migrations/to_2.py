"""Version 2 adds the anomalies, which stood in the evidence package alone."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Text,
)

from hedgeflow.journal.append_only import refusing_triggers
from hedgeflow.journal.migrations.columns import column


def upgrade(op: Operations) -> None:
    """Create the table `anomalies`."""
    op.create_table(
        "anomalies",
        column("run_id", Text),
        column("at_ns", BigInteger, "UTC ns, stamp of the print that made it"),
        column("contract", Text, "what traded too much"),
        column("window_ns", BigInteger, "length of the window, which ends at `at_ns`"),
        column("event_id", BigInteger, "the shock event it is a member of, unique in its run"),
        column("contracts", Double, "volume in the window"),
        column("baseline_contracts", Double, "normal volume of such a window (precise.md 11)"),
        column("floor_contracts", Double, "volume that it had to exceed besides (precise.md 14)"),
        column("ratio", Double, "volume over baseline"),
        column("baseline_origin", Text, "CONTRACT, DAYS, BUCKET or FLOOR (precise.md 13)"),
        column("demand", Double, "D of the window, underlying units, positive: dealers must buy"),
        PrimaryKeyConstraint("run_id", "at_ns", "contract", "window_ns"),
        CheckConstraint("window_ns > 0", name="a window has a length"),
        ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
    )
    for statement in refusing_triggers("anomalies", op.get_bind().dialect.name):
        op.execute(statement)
