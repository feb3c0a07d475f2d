"""The durable record: what was tried, alerted, decided, traded and earned, append-only in SQL."""

from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.facts import JournalFacts, journal_facts
from hedgeflow.journal.journal import Journal
from hedgeflow.journal.records import Run, Trial, TrialRecord, run_id_of
from hedgeflow.journal.rows import Rows
from hedgeflow.journal.tables import ROW_TABLES, SCHEMA_VERSION, columns

__all__ = [
    "ROW_TABLES",
    "SCHEMA_VERSION",
    "Journal",
    "JournalError",
    "JournalFacts",
    "Rows",
    "Run",
    "Trial",
    "TrialRecord",
    "columns",
    "journal_facts",
    "run_id_of",
]
