"""Version 2 adds the anomalies, which stood in the evidence package alone."""

from __future__ import annotations

from typing import Any

from alembic.operations import Operations
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Text,
)
from sqlalchemy.types import TypeEngine

from hedgeflow.journal.append_only import refusing_triggers


def upgrade(op: Operations) -> None:
    """Create the table `anomalies`."""
    op.create_table(
        "anomalies",
        _column("run_id", Text),
        _column("at_ns", BigInteger, "UTC ns, stamp of the print that made it"),
        _column("contract", Text, "what traded too much"),
        _column("window_ns", BigInteger, "length of the window, which ends at `at_ns`"),
        _column("event_id", BigInteger, "the shock event it is a member of, unique in its run"),
        _column("contracts", Double, "volume in the window"),
        _column("baseline_contracts", Double, "normal volume of such a window (precise.md 11)"),
        _column("floor_contracts", Double, "volume that it had to exceed besides (precise.md 14)"),
        _column("ratio", Double, "volume over baseline"),
        _column("baseline_origin", Text, "CONTRACT, DAYS, BUCKET or FLOOR (precise.md 13)"),
        _column("demand", Double, "D of the window, underlying units, positive: dealers must buy"),
        PrimaryKeyConstraint("run_id", "at_ns", "contract", "window_ns"),
        CheckConstraint("window_ns > 0", name="a window has a length"),
        ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
    )
    for statement in refusing_triggers("anomalies", op.get_bind().dialect.name):
        op.execute(statement)


def _column(name: str, kind: type[TypeEngine[Any]], meaning: str | None = None) -> Column[Any]:
    typed = Text().with_variant(Text(collation="C"), "postgresql") if kind is Text else kind()
    return Column(name, typed, nullable=False, comment=meaning)
