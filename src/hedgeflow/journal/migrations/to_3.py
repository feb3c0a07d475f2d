"""Version 3 adds what is laid down before it is looked at, and what became of predictions."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Text,
)

from hedgeflow.journal.append_only import refusing_triggers
from hedgeflow.journal.migrations.columns import column


def upgrade(op: Operations) -> None:
    """Create data_sets, registrations, vaults, vault_openings and predictions."""
    op.create_table(
        "data_sets",
        column("data_hash", Text, "of the data set, as in trials"),
        column("data_key", Text, "of the option tape, the same however long it grows"),
        column("first_ns", BigInteger, "UTC ns, stamp of its first print"),
        column("last_ns", BigInteger, "UTC ns, stamp of its last print"),
        PrimaryKeyConstraint("data_hash"),
        CheckConstraint("last_ns >= first_ns", name="a data set ends after it begins"),
    )
    op.create_table(
        "registrations",
        column("registration_id", Text, "from all that is registered but the time"),
        column("strategy", Text, "name"),
        column(
            "underlying",
            Text,
            "what the options are on; null: whatever it is run on",
            nullable=True,
        ),
        column("statement", Text, "the hypothesis in words"),
        column("config_hash", Text, "of the settings alone: the data may be there or not"),
        column("config_json", Text, "every setting"),
        column("thresholds_json", Text, "the claims and gates that it will be judged by"),
        column("recorded_ns", BigInteger, "UTC ns by the caller's clock, when first registered"),
        PrimaryKeyConstraint("registration_id"),
    )
    op.create_table(
        "vaults",
        column("vault_id", Text, "from data key and period"),
        column("data_key", Text, "of the option tape, the same however long it grows"),
        column("from_ns", BigInteger, "UTC ns, start of the period"),
        column(
            "until_ns",
            BigInteger,
            "UTC ns, its end, not part of it; null: no end",
            nullable=True,
        ),
        column("declared_ns", BigInteger, "UTC ns by the caller's clock"),
        column(
            "seen_before",
            BigInteger,
            "configurations that had seen some of it when it was declared",
        ),
        column("note", Text, "why, empty if nothing was said"),
        PrimaryKeyConstraint("vault_id"),
        CheckConstraint("until_ns > from_ns", name="a vault has a length"),
    )
    op.create_table(
        "vault_openings",
        column("vault_id", Text, "the vault that was opened"),
        column("ordinal", BigInteger, "1 for the first opening"),
        column("config_hash", Text, "of the settings that it was opened with"),
        column("config_json", Text, "every setting"),
        column("code_version", Text, "of hedgeflow"),
        column("opened_ns", BigInteger, "UTC ns by the caller's clock, before it was read"),
        column("data_until_ns", BigInteger, "UTC ns, where the data ended that were read"),
        column("reopened", Boolean, "it was spent already, and --reopen was given"),
        column("reason", Text, "why it was opened again, empty if nothing was said"),
        PrimaryKeyConstraint("vault_id", "ordinal"),
        CheckConstraint("ordinal > 0", name="openings are counted from one"),
        ForeignKeyConstraint(
            ["vault_id"], ["vaults.vault_id"], name="a vault is declared before it is opened"
        ),
    )
    op.create_table(
        "predictions",
        column("run_id", Text),
        column("alert_id", Text, "the alert that predicted"),
        column(
            "direction_right",
            Boolean,
            "the dealers traded the way that it said; null: not observed",
            nullable=True,
        ),
        column("magnitude_error", Double, "relative error of the hedge's size", nullable=True),
        column("timing_error", Double, "relative error of the response's minutes", nullable=True),
        column(
            "score",
            Double,
            "direction x (1 - capped magnitude error) x (1 - capped timing error)",
            nullable=True,
        ),
        PrimaryKeyConstraint("run_id", "alert_id"),
        ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
        ForeignKeyConstraint(
            ["run_id", "alert_id"],
            ["alerts.run_id", "alerts.alert_id"],
            name="an alert is journalled before its prediction is judged",
        ),
    )
    created = ("data_sets", "registrations", "vaults", "vault_openings", "predictions")
    for table in created:
        for statement in refusing_triggers(table, op.get_bind().dialect.name):
            op.execute(statement)
