"""The durable record: what was tried, alerted, decided, traded and earned, append-only in SQL."""

from hedgeflow.journal.errors import JournalError, VaultError
from hedgeflow.journal.facts import JournalFacts, journal_facts
from hedgeflow.journal.journal import Journal
from hedgeflow.journal.promises import DataSet, HoldOut, RegisteredHypothesis, VaultOpening
from hedgeflow.journal.records import Run, Trial, TrialRecord, run_id_of
from hedgeflow.journal.rows import Rows
from hedgeflow.journal.tables import ROW_TABLES, SCHEMA_VERSION, columns

__all__ = [
    "ROW_TABLES",
    "SCHEMA_VERSION",
    "DataSet",
    "HoldOut",
    "Journal",
    "JournalError",
    "JournalFacts",
    "RegisteredHypothesis",
    "Rows",
    "Run",
    "Trial",
    "TrialRecord",
    "VaultError",
    "VaultOpening",
    "columns",
    "journal_facts",
    "run_id_of",
]
