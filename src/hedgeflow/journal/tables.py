"""The journal's tables, each column with its unit and meaning, in types every database has."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from hedgeflow.journal.append_only import refuse_changes
from hedgeflow.journal.columns import METADATA, key, may, must, run
from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.pledges import PLEDGES

SCHEMA_VERSION: Final = 3
"""What `METADATA` describes; a step in `migrations` leads to it from the version before."""

JOURNAL_SCHEMA: Final = Table(
    "journal_schema",
    METADATA,
    key("version", BigInteger, "of these tables; a newer one is refused"),
)

TRIALS: Final = Table(
    "trials",
    METADATA,
    key("data_hash", Text, "of the data set"),
    key("config_hash", Text, "of the configuration"),
    key("code_version", Text, "of hedgeflow"),
    must("strategy", Text, "name"),
    must("config_json", Text, "the configuration"),
    may("recorded_ns", BigInteger, "UTC ns by the caller's clock, when first recorded"),
)

RUNS: Final = Table(
    "runs",
    METADATA,
    key("run_id", Text, "from data, configuration, code version and seed"),
    must("data_hash", Text, "of the data set"),
    must("config_hash", Text, "of the configuration"),
    must("code_version", Text, "of hedgeflow"),
    must("strategy", Text, "name"),
    must("preset", Text, "name of the preset that the configuration started from"),
    must("underlying", Text, "what the options are on"),
    must("seed", BigInteger, "of every random draw"),
    must("simulated", Boolean, "data came from the simulator"),
    ForeignKeyConstraint(
        ["data_hash", "config_hash", "code_version"],
        ["trials.data_hash", "trials.config_hash", "trials.code_version"],
        name="a run executes a recorded trial",
    ),
)

SEALS: Final = Table(
    "seals",
    METADATA,
    run(),
    key("table_name", Text, "one of the row tables"),
    must("row_count", BigInteger, "rows of the run in that table"),
    must("content_hash", Text, "SHA-256 of those rows in key order"),
)
"""A run with seals is complete: nothing is added to it any more."""

ANOMALIES: Final = Table(
    "anomalies",
    METADATA,
    run(),
    key("at_ns", BigInteger, "UTC ns, stamp of the print that made it"),
    key("contract", Text, "what traded too much"),
    key("window_ns", BigInteger, "length of the window, which ends at `at_ns`"),
    must("event_id", BigInteger, "the shock event it is a member of, unique in its run"),
    must("contracts", Double, "volume in the window"),
    must("baseline_contracts", Double, "normal volume of such a window (precise.md 11)"),
    must("floor_contracts", Double, "volume that it had to exceed besides (precise.md 14)"),
    must("ratio", Double, "volume over baseline"),
    must("baseline_origin", Text, "CONTRACT, DAYS, BUCKET or FLOOR (precise.md 13)"),
    must("demand", Double, "D of the window, underlying units, positive: dealers must buy"),
    CheckConstraint("window_ns > 0", name="a window has a length"),
)
"""Each anomaly with its own D (precise.md 17), whether or not its event became an alert."""

ALERTS: Final = Table(
    "alerts",
    METADATA,
    run(),
    key("alert_id", Text, "unique in its run"),
    must("event_id", BigInteger, "the shock event it belongs to, unique in its run"),
    must("unit", Text, "event or contract: what alerts (precise.md 17)"),
    must("triggered_ns", BigInteger, "UTC ns, stamp of the triggering print"),
    must("detected_ns", BigInteger, "UTC ns, when the trigger was known (precise.md 2)"),
    must("underlying", Text, "what the options are on"),
    may("contract", Text, "the triggering contract"),
    may("direction", Text, "BUY_FUTURES or SELL_FUTURES"),
    may("demand", Double, "hedge demand D in underlying units, positive: dealers must buy"),
    may("demand_scaled", Double, "D in reference units (precise.md 21)"),
    must("pressure", Double, "abs(demand) per minute squared"),
    may("response_minutes", Double, "expected response of the hedgers"),
    must("urgency", Text, "HIGH or LOW"),
    may("tier", Text, "label of the tier model"),
    may("flow_class", Text, "at the decision, the one that is traded"),
    may("flow_class_at_close", Text, "when the event closed, never used for trading"),
    must("confidence", Double, "0 to 0.95"),
    may("ratio", Double, "largest recent volume over baseline so far"),
    may("strikes", BigInteger, "strikes with an anomalous contract"),
    may("concentration", Double, "largest strike's share of the volume"),
    may("volume_contracts", Double, "volume of the event or contract"),
    may("expected_hedge_contracts", Double, "hedge size in contracts of the hedge instrument"),
    may("hedge_to_come", Double, "underlying units still to be hedged (precise.md 16)"),
    may("demand_low", Double, "lower end of the 95 % band of D (precise.md 7)"),
    may("demand_high", Double, "upper end of the 95 % band of D"),
    may("demand_expected", Double, "mean of D given the sign probabilities"),
    may("signing_json", Text, "share of the volume signed by each rule"),
    may("spot", Double, "underlying price at the trigger, quote currency"),
    may("point", Double, "price units in one source point (precise.md 23)"),
    may("sigma", Double, "annual volatility at the trigger"),
    may("sigma_source", Text, "implied, realised or none"),
    may("scale_volume", Double, "V5 in force, underlying units; null under absolute demand"),
    may("baseline_origin", Text, "CONTRACT, DAYS, BUCKET or FLOOR (precise.md 13)"),
    may("members_json", Text, "the event's anomalies, each with its own D"),
    must("sentence", Text, "why, in one sentence"),
    CheckConstraint("detected_ns >= triggered_ns", name="an alert is detected after its trigger"),
)

DECISIONS: Final = Table(
    "decisions",
    METADATA,
    run(),
    key("alert_id", Text, "the alert decided on"),
    key("decided_ns", BigInteger, "UTC ns"),
    must("kind", Text, "plan or skip"),
    must("reason_code", Text, "for counting"),
    must("sentence", Text, "why, in one sentence"),
    may("plan_json", Text, "the entry plan; none for a skip"),
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
    run(),
    key("trade_id", Text, "unique in its run"),
    may("alert_id", Text, "the alert that it acts on; null for strategies without alerts"),
    may("event_id", BigInteger, "the shock event it acts on"),
    must("session", Text, "ISO date of the session it was entered in"),
    must("underlying", Text, "what the options are on"),
    must("instrument", Text, "what was traded"),
    must("venue", Text, "where"),
    may("flow_class", Text, "of the event at the decision"),
    may("urgency", Text, "HIGH or LOW"),
    must("direction", SmallInteger, "+1 long, -1 short"),
    must("size_contracts", Double, "filled size in standard contracts (precise.md 26)"),
    must("units", Double, "filled size in underlying units"),
    may("detected_ns", BigInteger, "UTC ns, when its alert was known"),
    must("entry_ns", BigInteger, "UTC ns of the entry fill"),
    must("entry_price", Double, "quote currency"),
    must("exit_ns", BigInteger, "UTC ns of the exit fill"),
    must("exit_price", Double, "quote currency"),
    may("target", Double, "target price, quote currency"),
    may("stop", Double, "stop price, quote currency"),
    may("target_distance", Double, "entry to target, price units"),
    may("stop_distance", Double, "entry to stop, price units"),
    may("limit_minutes", Double, "time limit from entry"),
    may("point", Double, "price units in one source point"),
    must("exit_reason", Text, "for counting, EXIT_TARGET_HIT and its like"),
    must("flags", Text, "what was unusual, comma-separated: GAP, END_OF_DATA; empty if nothing"),
    may("age_seconds", Double, "entry less detection"),
    must("gross_usd", Double, "profit before costs"),
    must("fees_usd", Double, "fees paid, positive"),
    must("spread_usd", Double, "half spreads paid, positive"),
    must("slippage_usd", Double, "slippage paid, positive"),
    must("net_usd", Double, "gross less all costs"),
    may("gross_points", Double, "move in the trade's favour in source points"),
    may("net_points", Double, "the same less costs per unit"),
    may("net_bps", Double, "net per entry notional, basis points"),
    may("risk_usd", Double, "size x stop distance x multiplier + costs at the decision"),
    must("sentence", Text, "why it ended, in one sentence"),
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
    run(),
    key("entry_id", Text, "unique in its run"),
    may("trade_id", Text, "the trade that caused it; null for deposits and the like"),
    must("at_ns", BigInteger, "UTC ns"),
    must("kind", Text, "DEPOSIT, TRADE_PNL, FEE, SPREAD, SLIPPAGE"),
    must("amount_usd", Double, "signed; a run's amounts sum to its equity"),
    must("sentence", Text, "why, in one sentence"),
)

PREDICTIONS: Final = Table(
    "predictions",
    METADATA,
    run(),
    key("alert_id", Text, "the alert that predicted"),
    may("direction_right", Boolean, "the dealers traded the way that it said; null: not observed"),
    may("magnitude_error", Double, "relative error of the hedge's size"),
    may("timing_error", Double, "relative error of the response's minutes"),
    may("score", Double, "direction x (1 - capped magnitude error) x (1 - capped timing error)"),
    ForeignKeyConstraint(
        ["run_id", "alert_id"],
        ["alerts.run_id", "alerts.alert_id"],
        name="an alert is journalled before its prediction is judged",
    ),
)
"""What became of each prediction (evidence.md 1): computed from a complete run, so not sealed."""

ROW_TABLES: Final = ("anomalies", "alerts", "decisions", "trades", "ledger_entries")
"""The tables that belong to a run, in the order in which they are written."""

STUDY_TABLES: Final = ("predictions",)
"""Those that a study of a run fills, though the run be complete."""

ORDER: Final[dict[str, tuple[str, ...]]] = {
    "trials": ("data_hash", "config_hash", "code_version"),
    "runs": ("run_id",),
    "seals": ("run_id", "table_name"),
    "anomalies": ("run_id", "at_ns", "contract", "window_ns"),
    "alerts": ("run_id", "triggered_ns", "alert_id"),
    "decisions": ("run_id", "decided_ns", "alert_id"),
    "trades": ("run_id", "entry_ns", "trade_id"),
    "ledger_entries": ("run_id", "at_ns", "entry_id"),
    "predictions": ("run_id", "alert_id"),
    **PLEDGES,
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
        One of `ROW_TABLES` or `STUDY_TABLES`.
    """
    if name not in (*ROW_TABLES, *STUDY_TABLES):
        raise JournalError(
            f"no rows are appended to {name!r}",
            where="journal",
            hint=f"Rows go to {', '.join(ROW_TABLES)}",
        )
    return tuple(column.name for column in METADATA.tables[name].columns if column.name != "run_id")


for _table in METADATA.tables.values():
    refuse_changes(_table)
