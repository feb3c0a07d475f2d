"""Tables of what is laid down before it is looked at: hypotheses, hold-out periods, data sets."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKeyConstraint,
    Table,
    Text,
)

from hedgeflow.journal.columns import METADATA, key, may, must

DATA_SETS: Final = Table(
    "data_sets",
    METADATA,
    key("data_hash", Text, "of the data set, as in trials"),
    must("data_key", Text, "of the option tape, the same however long it grows"),
    must("first_ns", BigInteger, "UTC ns, stamp of its first print"),
    must("last_ns", BigInteger, "UTC ns, stamp of its last print"),
    CheckConstraint("last_ns >= first_ns", name="a data set ends after it begins"),
)
"""What the hash of a data set stood for, so that a tape that has grown is known again."""

REGISTRATIONS: Final = Table(
    "registrations",
    METADATA,
    key("registration_id", Text, "from all that is registered but the time"),
    must("strategy", Text, "name"),
    may("underlying", Text, "what the options are on; null: whatever it is run on"),
    must("statement", Text, "the hypothesis in words"),
    must("config_hash", Text, "of the settings alone: the data may be there or not"),
    must("config_json", Text, "every setting"),
    must("thresholds_json", Text, "the claims and gates that it will be judged by"),
    must("recorded_ns", BigInteger, "UTC ns by the caller's clock, when first registered"),
)

VAULTS: Final = Table(
    "vaults",
    METADATA,
    key("vault_id", Text, "from data key and period"),
    must("data_key", Text, "of the option tape, the same however long it grows"),
    must("from_ns", BigInteger, "UTC ns, start of the period"),
    may("until_ns", BigInteger, "UTC ns, its end, not part of it; null: no end"),
    must("declared_ns", BigInteger, "UTC ns by the caller's clock"),
    must("seen_before", BigInteger, "configurations that had seen some of it when it was declared"),
    must("note", Text, "why, empty if nothing was said"),
    CheckConstraint("until_ns > from_ns", name="a vault has a length"),
)

VAULT_OPENINGS: Final = Table(
    "vault_openings",
    METADATA,
    key("vault_id", Text, "the vault that was opened"),
    key("ordinal", BigInteger, "1 for the first opening"),
    must("config_hash", Text, "of the settings that it was opened with"),
    must("config_json", Text, "every setting"),
    must("code_version", Text, "of hedgeflow"),
    must("opened_ns", BigInteger, "UTC ns by the caller's clock, before it was read"),
    must("data_until_ns", BigInteger, "UTC ns, where the data ended that were read"),
    must("reopened", Boolean, "it was spent already, and --reopen was given"),
    must("reason", Text, "why it was opened again, empty if nothing was said"),
    CheckConstraint("ordinal > 0", name="openings are counted from one"),
    ForeignKeyConstraint(
        ["vault_id"], ["vaults.vault_id"], name="a vault is declared before it is opened"
    ),
)

PLEDGES: Final[dict[str, tuple[str, ...]]] = {
    "data_sets": ("data_hash",),
    "registrations": ("recorded_ns", "registration_id"),
    "vaults": ("data_key", "from_ns", "vault_id"),
    "vault_openings": ("vault_id", "ordinal"),
}
"""How each table is read."""
