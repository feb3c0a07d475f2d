"""The journal's tables, each column with its unit and meaning, in types every database has."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

from hedgeflow.journal.append_only import refuse_changes
from hedgeflow.journal.errors import JournalError

SCHEMA_VERSION: Final = 2
"""What `METADATA` describes; a step in `migrations` leads to it from the version before."""

TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by its bytes on every database, whatever the server's language."""

METADATA: Final = MetaData()


def _key(name: str, kind: type[TypeEngine[Any]], meaning: str) -> Column[Any]:
    return Column(
        name, _type(kind), primary_key=True, nullable=False, autoincrement=False, comment=meaning
    )


def _run() -> Column[Any]:
    """The run that a row belongs to: given by the call, never by the caller's rows."""
    return Column("run_id", TEXT, ForeignKey("runs.run_id"), primary_key=True)


def _must(name: str, kind: type[TypeEngine[Any]], meaning: str) -> Column[Any]:
    return Column(name, _type(kind), nullable=False, comment=meaning)


def _may(name: str, kind: type[TypeEngine[Any]], meaning: str) -> Column[Any]:
    return Column(name, _type(kind), nullable=True, comment=meaning)


def _type(kind: type[TypeEngine[Any]]) -> TypeEngine[Any]:
    return TEXT if kind is Text else kind()


JOURNAL_SCHEMA: Final = Table(
    "journal_schema",
    METADATA,
    _key("version", BigInteger, "of these tables; a newer one is refused"),
)

TRIALS: Final = Table(
    "trials",
    METADATA,
    _key("data_hash", Text, "of the data set"),
    _key("config_hash", Text, "of the configuration"),
    _key("code_version", Text, "of hedgeflow"),
    _must("strategy", Text, "name"),
    _must("config_json", Text, "the configuration"),
    _may("recorded_ns", BigInteger, "UTC ns by the caller's clock, when first recorded"),
)

RUNS: Final = Table(
    "runs",
    METADATA,
    _key("run_id", Text, "from data, configuration, code version and seed"),
    _must("data_hash", Text, "of the data set"),
    _must("config_hash", Text, "of the configuration"),
    _must("code_version", Text, "of hedgeflow"),
    _must("strategy", Text, "name"),
    _must("preset", Text, "name of the preset that the configuration started from"),
    _must("underlying", Text, "what the options are on"),
    _must("seed", BigInteger, "of every random draw"),
    _must("simulated", Boolean, "data came from the simulator"),
    ForeignKeyConstraint(
        ["data_hash", "config_hash", "code_version"],
        ["trials.data_hash", "trials.config_hash", "trials.code_version"],
        name="a run executes a recorded trial",
    ),
)

SEALS: Final = Table(
    "seals",
    METADATA,
    _run(),
    _key("table_name", Text, "one of the row tables"),
    _must("row_count", BigInteger, "rows of the run in that table"),
    _must("content_hash", Text, "SHA-256 of those rows in key order"),
)
"""A run with seals is complete: nothing is added to it any more."""

ANOMALIES: Final = Table(
    "anomalies",
    METADATA,
    _run(),
    _key("at_ns", BigInteger, "UTC ns, stamp of the print that made it"),
    _key("contract", Text, "what traded too much"),
    _key("window_ns", BigInteger, "length of the window, which ends at `at_ns`"),
    _must("event_id", BigInteger, "the shock event it is a member of, unique in its run"),
    _must("contracts", Double, "volume in the window"),
    _must("baseline_contracts", Double, "normal volume of such a window (precise.md 11)"),
    _must("floor_contracts", Double, "volume that it had to exceed besides (precise.md 14)"),
    _must("ratio", Double, "volume over baseline"),
    _must("baseline_origin", Text, "CONTRACT, DAYS, BUCKET or FLOOR (precise.md 13)"),
    _must("demand", Double, "D of the window, underlying units, positive: dealers must buy"),
    CheckConstraint("window_ns > 0", name="a window has a length"),
)
"""Each anomaly with its own D (precise.md 17), whether or not its event became an alert."""

ALERTS: Final = Table(
    "alerts",
    METADATA,
    _run(),
    _key("alert_id", Text, "unique in its run"),
    _must("event_id", BigInteger, "the shock event it belongs to, unique in its run"),
    _must("unit", Text, "event or contract: what alerts (precise.md 17)"),
    _must("triggered_ns", BigInteger, "UTC ns, stamp of the triggering print"),
    _must("detected_ns", BigInteger, "UTC ns, when the trigger was known (precise.md 2)"),
    _must("underlying", Text, "what the options are on"),
    _may("contract", Text, "the triggering contract"),
    _may("direction", Text, "BUY_FUTURES or SELL_FUTURES"),
    _may("demand", Double, "hedge demand D in underlying units, positive: dealers must buy"),
    _may("demand_scaled", Double, "D in reference units (precise.md 21)"),
    _must("pressure", Double, "abs(demand) per minute squared"),
    _may("response_minutes", Double, "expected response of the hedgers"),
    _must("urgency", Text, "HIGH or LOW"),
    _may("tier", Text, "label of the tier model"),
    _may("flow_class", Text, "at the decision, the one that is traded"),
    _may("flow_class_at_close", Text, "when the event closed, never used for trading"),
    _must("confidence", Double, "0 to 0.95"),
    _may("ratio", Double, "largest recent volume over baseline so far"),
    _may("strikes", BigInteger, "strikes with an anomalous contract"),
    _may("concentration", Double, "largest strike's share of the volume"),
    _may("volume_contracts", Double, "volume of the event or contract"),
    _may("expected_hedge_contracts", Double, "hedge size in contracts of the hedge instrument"),
    _may("hedge_to_come", Double, "underlying units still to be hedged (precise.md 16)"),
    _may("demand_low", Double, "lower end of the 95 % band of D (precise.md 7)"),
    _may("demand_high", Double, "upper end of the 95 % band of D"),
    _may("demand_expected", Double, "mean of D given the sign probabilities"),
    _may("signing_json", Text, "share of the volume signed by each rule"),
    _may("spot", Double, "underlying price at the trigger, quote currency"),
    _may("point", Double, "price units in one source point (precise.md 23)"),
    _may("sigma", Double, "annual volatility at the trigger"),
    _may("sigma_source", Text, "implied, realised or none"),
    _may("scale_volume", Double, "V5 in force, underlying units; null under absolute demand"),
    _may("baseline_origin", Text, "CONTRACT, DAYS, BUCKET or FLOOR (precise.md 13)"),
    _may("members_json", Text, "the event's anomalies, each with its own D"),
    _must("sentence", Text, "why, in one sentence"),
    CheckConstraint("detected_ns >= triggered_ns", name="an alert is detected after its trigger"),
)

DECISIONS: Final = Table(
    "decisions",
    METADATA,
    _run(),
    _key("alert_id", Text, "the alert decided on"),
    _key("decided_ns", BigInteger, "UTC ns"),
    _must("kind", Text, "plan or skip"),
    _must("reason_code", Text, "for counting"),
    _must("sentence", Text, "why, in one sentence"),
    _may("plan_json", Text, "the entry plan; none for a skip"),
    CheckConstraint("kind IN ('plan', 'skip')", name="a decision is a plan or a skip"),
    ForeignKeyConstraint(
        ["run_id", "alert_id"],
        ["alerts.run_id", "alerts.alert_id"],
        name="an alert is journalled before it is decided on",
    ),
)

TRADES: Final = Table(
    "trades",
    METADATA,
    _run(),
    _key("trade_id", Text, "unique in its run"),
    _may("alert_id", Text, "the alert that it acts on; null for strategies without alerts"),
    _may("event_id", BigInteger, "the shock event it acts on"),
    _must("session", Text, "ISO date of the session it was entered in"),
    _must("underlying", Text, "what the options are on"),
    _must("instrument", Text, "what was traded"),
    _must("venue", Text, "where"),
    _may("flow_class", Text, "of the event at the decision"),
    _may("urgency", Text, "HIGH or LOW"),
    _must("direction", SmallInteger, "+1 long, -1 short"),
    _must("size_contracts", Double, "filled size in standard contracts (precise.md 26)"),
    _must("units", Double, "filled size in underlying units"),
    _may("detected_ns", BigInteger, "UTC ns, when its alert was known"),
    _must("entry_ns", BigInteger, "UTC ns of the entry fill"),
    _must("entry_price", Double, "quote currency"),
    _must("exit_ns", BigInteger, "UTC ns of the exit fill"),
    _must("exit_price", Double, "quote currency"),
    _may("target", Double, "target price, quote currency"),
    _may("stop", Double, "stop price, quote currency"),
    _may("target_distance", Double, "entry to target, price units"),
    _may("stop_distance", Double, "entry to stop, price units"),
    _may("limit_minutes", Double, "time limit from entry"),
    _may("point", Double, "price units in one source point"),
    _must("exit_reason", Text, "for counting, EXIT_TARGET_HIT and its like"),
    _must("flags", Text, "what was unusual, comma-separated: GAP, END_OF_DATA; empty if nothing"),
    _may("age_seconds", Double, "entry less detection"),
    _must("gross_usd", Double, "profit before costs"),
    _must("fees_usd", Double, "fees paid, positive"),
    _must("spread_usd", Double, "half spreads paid, positive"),
    _must("slippage_usd", Double, "slippage paid, positive"),
    _must("net_usd", Double, "gross less all costs"),
    _may("gross_points", Double, "move in the trade's favour in source points"),
    _may("net_points", Double, "the same less costs per unit"),
    _may("net_bps", Double, "net per entry notional, basis points"),
    _may("risk_usd", Double, "size x stop distance x multiplier + costs at the decision"),
    _must("sentence", Text, "why it ended, in one sentence"),
    CheckConstraint("direction IN (-1, 1)", name="a trade is long (1) or short (-1)"),
    CheckConstraint("exit_ns >= entry_ns", name="a trade ends after it begins"),
    ForeignKeyConstraint(
        ["run_id", "alert_id"],
        ["alerts.run_id", "alerts.alert_id"],
        name="an alert is journalled before it is traded on",
    ),
)

LEDGER_ENTRIES: Final = Table(
    "ledger_entries",
    METADATA,
    _run(),
    _key("entry_id", Text, "unique in its run"),
    _may("trade_id", Text, "the trade that caused it; null for deposits and the like"),
    _must("at_ns", BigInteger, "UTC ns"),
    _must("kind", Text, "DEPOSIT, TRADE_PNL, FEE, SPREAD, SLIPPAGE"),
    _must("amount_usd", Double, "signed; a run's amounts sum to its equity"),
    _must("sentence", Text, "why, in one sentence"),
)

ROW_TABLES: Final = ("anomalies", "alerts", "decisions", "trades", "ledger_entries")
"""The tables that belong to a run, in the order in which they are written."""

ORDER: Final[dict[str, tuple[str, ...]]] = {
    "trials": ("data_hash", "config_hash", "code_version"),
    "runs": ("run_id",),
    "seals": ("run_id", "table_name"),
    "anomalies": ("run_id", "at_ns", "contract", "window_ns"),
    "alerts": ("run_id", "triggered_ns", "alert_id"),
    "decisions": ("run_id", "decided_ns", "alert_id"),
    "trades": ("run_id", "entry_ns", "trade_id"),
    "ledger_entries": ("run_id", "at_ns", "entry_id"),
}
"""How each table is read: in time, ties by name."""


def table_named(name: str) -> Table:
    """Return a table of the journal, refusing a name it does not have."""
    if name not in ORDER:
        raise JournalError(f"no table {name!r}", where="journal", hint=f"It has {', '.join(ORDER)}")
    return METADATA.tables[name]


def key_of(name: str) -> list[str]:
    """Return the columns that name one row of a table."""
    return [column.name for column in table_named(name).primary_key]


def columns(name: str) -> tuple[str, ...]:
    """Return the columns that a caller's rows of a table have, in order, without `run_id`.

    Parameters
    ----------
    name : str
        One of `ROW_TABLES`.
    """
    if name not in ROW_TABLES:
        raise JournalError(
            f"no rows are appended to {name!r}",
            where="journal",
            hint=f"Rows go to {', '.join(ROW_TABLES)}",
        )
    return tuple(column.name for column in METADATA.tables[name].columns if column.name != "run_id")


for _table in METADATA.tables.values():
    refuse_changes(_table)
