"""One week of a run: its trades, what they cost, how far from the claims, what to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from hedgeflow.evidence.assessment import Evidence
from hedgeflow.evidence.estimates import Estimate
from hedgeflow.evidence.performance import AlertCounts, Profit, Results
from hedgeflow.evidence.verdict import Judgement, Status
from hedgeflow.evidence.wording import counted, describe, percent, show

REVIEW_VERSION = "1.0"
"""Of the schema of a review's JSON."""

MUCH = 0.5
"""Share of the gross result in costs, or of alerts skipped for one reason, that is remarked on."""
FAR = 3.0
"""Average losses that a single loss must exceed to be remarked on."""
_BY_TRADES = frozenset({
    "win_rate", "expectancy_points", "expectancy_bps", "average_win_points", "average_loss_points",
    "hold_minutes", "trades_per_session", "sharpe_annualised", "drawdown",
    "detection_to_entry_minutes",
})  # fmt: skip
"""Statistics that the journal alone gives: no tape is read for a review."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week and the run that it is of.

    Attributes
    ----------
    name : str
        ISO week, such as 2026-W03.
    first_day, last_day : str
        ISO dates, UTC, Monday and Sunday.
    sessions : int
        Sessions of it in which the run was under way.
    run_id, strategy, preset, underlying, code_version : str
    simulated : bool
    rows : mapping
        Rows of each table of the journal that were known up to its end.
    version : int
        1, and one more for each time that rows arrived afterwards.
    corrects : str
        Why there is another version; empty in the first.
    notes : tuple of str
    """

    name: str
    first_day: str
    last_day: str
    sessions: int
    run_id: str
    strategy: str
    preset: str
    underlying: str
    code_version: str
    simulated: bool
    rows: Mapping[str, int]
    version: int = 1
    corrects: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """A claim beside this week and beside everything so far.

    Attributes
    ----------
    id, statement, statistic, flow_class, comparison : str
    threshold, upper_threshold : float or None
        The claimed band.
    week : float or None
        This week's figure, without an interval: a week is too short for one.
    value, lower, upper : float or None
        To date.
    status : Status
        To date, by the interval.
    """

    id: str
    statement: str
    statistic: str
    flow_class: str
    comparison: str
    threshold: float
    upper_threshold: float | None
    week: float | None
    value: float | None
    lower: float | None
    upper: float | None
    status: Status

    def beside(self, value: float | None) -> str:
        """Return where a value lies beside the band: inside, below or above it."""
        return position(self.comparison, self.threshold, self.upper_threshold, value)


@dataclass(frozen=True, slots=True)
class Sequence:
    """The confidence sequences at the end of the week.

    Attributes
    ----------
    trades : int
        All trades so far.
    win_rate, net_bps : Estimate
        With intervals that hold whenever one looks, and however often.
    claimed_win_rate : float
    decision : str
        ``above``, ``below`` or ``open``.
    decided_after : int or None
        Trades after which that was first so.
    """

    trades: int
    win_rate: Estimate
    net_bps: Estimate
    claimed_win_rate: float
    decision: str
    decided_after: int | None


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that a weekly review says."""

    review_version: str
    simulated: bool
    week: Week
    overall: Results
    by_class: Mapping[str, Results]
    profit: Profit
    alerts: AlertCounts
    sequence: Sequence
    to_date: Results
    drift: tuple[Drift, ...]
    attention: tuple[str, ...]


def review(week: Week, of_week: Evidence, to_date: Evidence, trades: pl.DataFrame) -> Review:
    """Return the review of a week.

    Parameters
    ----------
    week : Week
    of_week, to_date : Evidence
        What `assess` returned for the rows of the week, and for all rows up to its end.
    trades : polars.DataFrame
        Those that ended in the week.

    Notes
    -----
    Look-ahead: none, if `to_date` ends with the week.
    """
    watched = to_date.monitoring
    sequence = Sequence(
        to_date.performance.trades,
        watched.win_rate,
        watched.net_bps,
        watched.claimed_win_rate,
        watched.decision,
        watched.decided_after,
    )
    drift = tuple(
        _drift(before, now)
        for before, now in zip(of_week.claims, to_date.claims, strict=True)
        if now.statistic in _BY_TRADES
    )
    performance = of_week.performance
    return Review(
        REVIEW_VERSION,
        week.simulated,
        week,
        performance.overall,
        of_week.by_class,
        performance.profit,
        performance.alerts,
        sequence,
        to_date.performance.overall,
        drift,
        tuple(_attention(sequence, of_week, drift, trades)),
    )


def _drift(week: Judgement, now: Judgement) -> Drift:
    return Drift(
        now.id,
        now.statement,
        now.statistic,
        now.flow_class,
        now.comparison,
        now.threshold,
        now.upper_threshold,
        week.value,
        now.value,
        now.lower,
        now.upper,
        now.status,
    )


def position(comparison: str, low: float, high: float | None, value: float | None) -> str:
    """Return where a value lies beside a claimed band: inside, below or above it.

    Parameters
    ----------
    comparison : str
        With ``<=`` and ``<`` the band is all below `low`.
    low, high : float
        Its ends; None: without an upper one.
    value : float or None
    """
    if value is None:
        return "no figure"
    if comparison in {"<=", "<"}:
        low, high = float("-inf"), low
    if value < low:
        return "below"
    return "above" if high is not None and value > high else "inside"


def sequence_words(sequence: Sequence) -> str:
    """Return in a sentence what the win rate's confidence sequence has decided."""
    claimed = percent(sequence.claimed_win_rate)
    if sequence.decision == "open":
        return f"Whether the win rate reaches the claimed {claimed} is not decided yet."
    return (
        f"The win rate is shown to be {sequence.decision} the claimed {claimed}, first after"
        f" {counted(sequence.decided_after or 0, 'trade')}."
    )


def _attention(
    sequence: Sequence, week: Evidence, drift: tuple[Drift, ...], trades: pl.DataFrame
) -> list[str]:
    performance = week.performance
    told = [sequence_words(sequence)]
    told += _of_alerts(performance.alerts, performance.trades)
    told += _of_costs(performance.profit)
    told += _of_trades(performance.overall, trades)
    missed = [each for each in drift if each.status is Status.FAILED]
    told += [
        f"To date a claim is missed: {each.statement} ({describe(each.statistic)}"
        f" {show(each.statistic, each.value)}, {each.beside(each.value)} the claimed"
        f" {_band(each)})."
        for each in missed
        if each.value is not None
    ]
    return told


def _band(item: Drift) -> str:
    low = show(item.statistic, item.threshold)
    if item.upper_threshold is not None:
        return f"band of {low} to {show(item.statistic, item.upper_threshold)}"
    return f"{item.comparison} {low}"


def _of_alerts(alerts: AlertCounts, trades: int) -> list[str]:
    if not alerts.alerts:
        return ["There was no alert this week."]
    told: list[str] = []
    if not trades:
        told.append(f"There was no trade this week, of {counted(alerts.alerts, 'alert')}.")
    for reason, count in sorted(alerts.skip_reasons.items(), key=lambda each: -each[1]):
        if count > MUCH * alerts.alerts:
            told.append(
                f"{reason} kept {count:,} of {counted(alerts.alerts, 'alert')} from being traded."
            )
    return told


def _of_costs(profit: Profit) -> list[str]:
    gross, net, ledger = profit.gross_usd, profit.net_usd, profit.ledger_net_usd
    told: list[str] = []
    if gross is None or net is None:
        return told
    if gross > 0 and net < 0:
        told.append(f"Costs turned a gross profit of {gross:,.2f} USD into a loss of {-net:,.2f}.")
    elif gross > 0 and gross - net > MUCH * gross:
        told.append(f"Costs took {percent((gross - net) / gross)} of the gross profit.")
    if ledger is not None and abs(ledger - net) > 1e-6 * max(1.0, abs(net)):
        told.append(
            f"THE BOOKS DO NOT ADD UP: trades earned {net:,.2f} USD, the ledger has {ledger:,.2f}."
        )
    return told


def _of_trades(overall: Results, trades: pl.DataFrame) -> list[str]:
    told: list[str] = []
    flagged = trades.filter(pl.col("flags") != "") if "flags" in trades.columns else trades.clear()
    if flagged.height:
        kinds = ", ".join(sorted({each for flags in flagged["flags"] for each in flags.split(",")}))
        told.append(f"{counted(flagged.height, 'trade')} had something unusual: {kinds}.")
    loss = overall.average_loss_usd.value
    if loss and trades.height:
        worst = trades.sort("net_usd", "trade_id").row(0, named=True)
        if -worst["net_usd"] > FAR * loss:
            told.append(
                f"Trade {worst['trade_id']} lost {-worst['net_usd']:,.2f} USD,"
                f" {-worst['net_usd'] / loss:.1f} times the average loss: {worst['exit_reason']}."
            )
    return told
