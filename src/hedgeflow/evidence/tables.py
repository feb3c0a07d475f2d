"""What evidence reads: finished tables, draws of the null, and how the run was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import FloatArray
from hedgeflow.evidence.expiry_tables import (
    EXPIRY_COLUMNS,
    EXPIRY_PRICE_COLUMNS,
    EXPIRY_REQUIRED,
    PROBABILITY_REQUIRED,
    STRIKE_PROBABILITY_COLUMNS,
    check_expiries,
)
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.claims import NullKind

NS_PER_MINUTE = 60_000_000_000

TRADE_COLUMNS = {
    "trade_id": pl.String,
    "alert_id": pl.String,
    "session": pl.String,
    "flow_class": pl.String,
    "exit_reason": pl.String,
    "entry_ns": pl.Int64,
    "exit_ns": pl.Int64,
    "target_distance": pl.Float64,
    "stop_distance": pl.Float64,
    "age_seconds": pl.Float64,
    "gross_usd": pl.Float64,
    "fees_usd": pl.Float64,
    "spread_usd": pl.Float64,
    "slippage_usd": pl.Float64,
    "net_usd": pl.Float64,
    "gross_points": pl.Float64,
    "net_points": pl.Float64,
    "net_bps": pl.Float64,
}
ALERT_COLUMNS = {
    "alert_id": pl.String,
    "event_id": pl.Int64,
    "flow_class": pl.String,
    "confidence": pl.Float64,
}
"""One row an alert; `event_id` numbers what it is about, a shock event or an expiry."""
SHOCK_ALERT_COLUMNS = {"demand": pl.Float64, "response_minutes": pl.Float64}
"""What the alerts of a volume shock say besides; other strategies have neither."""
DECISION_COLUMNS = {"alert_id": pl.String, "kind": pl.String, "reason_code": pl.String}
LEDGER_COLUMNS = {
    "entry_id": pl.String,
    "trade_id": pl.String,
    "at_ns": pl.Int64,
    "kind": pl.String,
    "amount_usd": pl.Float64,
}
FLOW_COLUMNS = {
    "session": pl.String,
    "predicted": pl.Float64,
    "observed": pl.Float64,
    "predicted_minutes": pl.Float64,
    "observed_minutes": pl.Float64,
    "flow_class": pl.String,
}
PREDICTION_COLUMNS = {
    "run_id": pl.String,
    "alert_id": pl.String,
    "session": pl.String,
    "flow_class": pl.String,
    "true_class": pl.String,
    "predicted_direction": pl.Int64,
    "observed_direction": pl.Int64,
    "predicted": pl.Float64,
    "observed": pl.Float64,
    "predicted_minutes": pl.Float64,
    "observed_minutes": pl.Float64,
    "direction_right": pl.Boolean,
    "magnitude_error": pl.Float64,
    "timing_error": pl.Float64,
    "score": pl.Float64,
}
"""One row a prediction: what an alert said of the hedge, what was observed, and how far apart.

Whatever could not be observed is null; an observed direction of 0 is "no hedge observed".
"""
PRICE_COLUMNS = {
    "alert_id": pl.String,
    "session": pl.String,
    "flow_class": pl.String,
    "direction": pl.Int64,
    "placebos": pl.Int64,
    "prior_move_bps": pl.Float64,
    "move_minutes": pl.Float64,
    "move_bps": pl.Float64,
    "placebo_move_bps": pl.Float64,
    "placebo_move_deviation": pl.Float64,
    "move_rank": pl.Float64,
    "completion_minutes": pl.Float64,
    "acceleration_bps": pl.Float64,
    "placebo_acceleration_bps": pl.Float64,
    "placebo_acceleration_deviation": pl.Float64,
    "acceleration_rank": pl.Float64,
}
"""One row an event: its price moves in the predicted direction, and those of its placebo windows.

Ranks are the share of placebo windows below the event's own value, ties as halves.
"""
TRUTH_COLUMNS = {"alert_id": pl.String, "true_class": pl.String}


@dataclass(frozen=True, slots=True, eq=False)
class NullDraws:
    """Draws of a null in which the strategy knows nothing.

    Attributes
    ----------
    name, description : str
        What was drawn, for example matched random entries, and how.
    mean_net_bps, win_rate : ndarray, shape (draws,)
        The statistic in each draw.
    observed_mean_net_bps, observed_win_rate : float
        The strategy's own, by the same code; they must agree with the trades.
    distinct : int, optional
        How many equally likely draws there are at all, the strategy itself being one; None where
        they are too many to matter.
    """

    name: str
    description: str
    mean_net_bps: FloatArray
    win_rate: FloatArray
    observed_mean_net_bps: float
    observed_win_rate: float
    distinct: int | None = None

    def __post_init__(self) -> None:
        if self.mean_net_bps.shape != self.win_rate.shape or self.mean_net_bps.ndim != 1:
            raise EvidenceError(
                f"draws of shapes {self.mean_net_bps.shape} and {self.win_rate.shape}",
                where=f"null {self.name!r}",
                hint="Both are one-dimensional and of one length.",
            )
        if not (np.isfinite(self.mean_net_bps).all() and np.isfinite(self.win_rate).all()):
            raise EvidenceError(
                "a draw is not finite",
                where=f"null {self.name!r}",
                hint="Draws without trades cannot be compared; leave them out and say so.",
            )


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTables:
    """The finished tables of one run.

    Attributes
    ----------
    trades, alerts, decisions, ledger_entries : polars.DataFrame
        As the journal holds them; any may be empty.
    sessions : tuple of str
        ISO dates in which the strategy could trade, ascending.
    sessions_per_year : float
        365 for venues that never close, 252 for exchanges.
    event_study : polars.DataFrame, optional
        Price and signed flow around alerts, by class and minute; for the report.
    nulls : mapping of NullKind to NullDraws
        Draws of each null that the strategy must beat; without one of those that it declares,
        significance is untestable, and `nulls_missing` says why.
    flow : polars.DataFrame, optional
        One row per event: session, flow_class, predicted and observed signed hedge in underlying
        units, predicted_minutes and observed_minutes (null where no hedge was observed).
    flow_untestable_reason : str
        Why there is no `flow`.
    predictions : polars.DataFrame, optional
        One row per prediction, `PREDICTION_COLUMNS`.
    prices : polars.DataFrame, optional
        One row per event, `PRICE_COLUMNS`; null where not known.
    prices_missing : str
        Why there are no `prices`.
    acceleration_basis : str
        The completion around which prices were differenced, in words.
    truth : polars.DataFrame, optional
        True class per alert, known only in simulation.
    events, anomalies : polars.DataFrame, optional
        Every shock event as it closed, and every anomaly with its own demand; for the package.
    arms : polars.DataFrame, optional
        Trades of the same record run other ways, as `arms.arm_trades` gives them; for the package.
    expiries, expiry_prices, strike_probabilities : polars.DataFrame, optional
        Closes beside strikes on days with and without an expiry, prices before them, and what was
        said of each strike: `expiry_tables`. None where a strategy says nothing of expiries; empty
        where it does and nothing is known.
    expiries_missing, strike_probabilities_missing : str
        Why `expiries` and `strike_probabilities` are empty, where they are.
    price_stand_in : str
        Why the prices of the trades are those of nothing that can be traded, for example an index
        in the place of its future; empty where they are an instrument's own.
    costs_note : str
        Which fees, spreads and slippage were charged, with their date.
    latency_limit_seconds : float
        Longest claimed time from detection to entry.
    """

    trades: pl.DataFrame
    alerts: pl.DataFrame
    decisions: pl.DataFrame
    ledger_entries: pl.DataFrame
    sessions: tuple[str, ...]
    sessions_per_year: float
    event_study: pl.DataFrame | None = None
    nulls: Mapping[NullKind, NullDraws] = field(default_factory=dict[NullKind, NullDraws])
    nulls_missing: str = "no null was drawn"
    flow: pl.DataFrame | None = None
    flow_untestable_reason: str = "no signed hedge tape"
    predictions: pl.DataFrame | None = None
    prices: pl.DataFrame | None = None
    prices_missing: str = "prices after events were not studied"
    acceleration_basis: str = ""
    truth: pl.DataFrame | None = None
    events: pl.DataFrame | None = None
    anomalies: pl.DataFrame | None = None
    arms: pl.DataFrame | None = None
    expiries: pl.DataFrame | None = None
    expiry_prices: pl.DataFrame | None = None
    strike_probabilities: pl.DataFrame | None = None
    expiries_missing: str = "no expiry was observed"
    strike_probabilities_missing: str = "no probability of a strike was recorded"
    price_stand_in: str = ""
    costs_note: str = ""
    latency_limit_seconds: float = 300.0

    def __post_init__(self) -> None:
        if list(self.sessions) != sorted(set(self.sessions)):
            raise EvidenceError(
                "sessions do not ascend without repeats", hint="Pass ISO dates, each once."
            )
        _validate("trades", self.trades, TRADE_COLUMNS)
        _validate("alerts", self.alerts, ALERT_COLUMNS)
        of_shocks = {
            name: kind for name, kind in SHOCK_ALERT_COLUMNS.items() if name in self.alerts.columns
        }
        _validate("alerts", self.alerts, of_shocks)
        _validate("decisions", self.decisions, DECISION_COLUMNS, nullable={"reason_code"})
        _validate("ledger_entries", self.ledger_entries, LEDGER_COLUMNS, nullable={"trade_id"})
        if self.flow is not None:
            nullable = {"predicted_minutes", "observed_minutes"}
            _validate("flow", self.flow, FLOW_COLUMNS, nullable=nullable)
        if self.predictions is not None:
            nullable = set(PREDICTION_COLUMNS) - {"run_id", "alert_id", "session", "flow_class"}
            _validate("predictions", self.predictions, PREDICTION_COLUMNS, nullable=nullable)
        if self.prices is not None:
            nullable = set(PRICE_COLUMNS) - {"alert_id", "session", "flow_class", "direction"}
            _validate("prices", self.prices, PRICE_COLUMNS, nullable=nullable)
        if self.truth is not None:
            _validate("truth", self.truth, TRUTH_COLUMNS)
        for name, frame, columns, required in (
            ("expiries", self.expiries, EXPIRY_COLUMNS, EXPIRY_REQUIRED),
            (
                "expiry_prices",
                self.expiry_prices,
                EXPIRY_PRICE_COLUMNS,
                set(EXPIRY_PRICE_COLUMNS) - {"expected_move"},
            ),
            (
                "strike_probabilities",
                self.strike_probabilities,
                STRIKE_PROBABILITY_COLUMNS,
                PROBABILITY_REQUIRED,
            ),
        ):
            if frame is not None:
                _validate(name, frame, columns, nullable=set(columns) - set(required))
        if self.expiries is not None:
            check_expiries(self.expiries)
        for name, frame in (
            ("trades", self.trades),
            ("flow", self.flow),
            ("prices", None if self.prices is None else with_figures(self.prices)),
        ):
            if frame is None:
                continue
            strangers = set(frame["session"].to_list()) - set(self.sessions)
            if strangers:
                raise EvidenceError(
                    f"session {min(strangers)} is not among the sessions given",
                    where=f"{name}.session",
                    hint="List every session in which the strategy could trade.",
                )


def with_figures(prices: pl.DataFrame) -> pl.DataFrame:
    """Return the events of a table of prices of which any figure is known."""
    figures = ("prior_move_bps", "move_bps", "acceleration_bps")
    return prices.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in figures))


def _validate(
    name: str,
    frame: pl.DataFrame,
    columns: Mapping[str, type[pl.DataType]],
    *,
    nullable: set[str] | frozenset[str] = frozenset(),
) -> None:
    for column, dtype in columns.items():
        if column not in frame.columns:
            raise EvidenceError(f"column {column!r} is missing", where=name)
        series = frame[column]
        if series.dtype != dtype and not (frame.is_empty() and series.dtype == pl.Null):
            raise EvidenceError(
                f"{column!r} is {series.dtype}, expected {dtype.__name__}", where=name
            )
        if column not in nullable and series.null_count():
            raise EvidenceError(f"{column!r} has {series.null_count()} null(s)", where=name)
        if dtype == pl.Float64 and not frame.is_empty():
            wild = int(series.drop_nulls().is_finite().not_().sum())
            if wild:
                raise EvidenceError(f"{column!r} has {wild} value(s) not finite", where=name)
