"""A run of a journal as it grows: which one, what it holds by now, and how sure it makes one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from hedgeflow.evidence import EvidenceTables, Manifest
from hedgeflow.evidence.confidence_sequence import Monitoring, monitoring
from hedgeflow.evidence.trades import trade_arrays
from hedgeflow.evidence.weekly_review import Sequence, sequence_words
from hedgeflow.evidence.wording import bounded, counted
from hedgeflow.journal import JournalError
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.sessions import (
    ALWAYS_OPEN,
    calendar_of_venue,
    session_date,
    sessions_between,
)
from hedgeflow.market.time import moment_of
from hedgeflow.strategies.declared import declaration_of
from hedgeflow.studies.backtesting import code_version
from hedgeflow.studies.strategies import study_named

if TYPE_CHECKING:
    from hedgeflow.journal import Journal
    from hedgeflow.strategies.claims import Declaration

NO_CLAIM_RATE = 0.50
"""What a win rate is held against for a strategy that claims none."""
TABLES = ("alerts", "decisions", "trades", "ledger_entries")
KNOWN_AT = {"alerts": "detected_ns", "decisions": "decided_ns", "trades": "exit_ns"}
"""When a row of each table was known."""


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """A run of a journal, as it is recorded.

    Attributes
    ----------
    run_id, strategy, preset, underlying, data_hash, code_version : str
    seed : int
    simulated : bool
    complete : bool
        Nothing will be added any more.
    settings : mapping
        Its configuration.
    trials : int
        Configurations tried on its data.
    """

    run_id: str
    strategy: str
    preset: str
    underlying: str
    data_hash: str
    code_version: str
    seed: int
    simulated: bool
    complete: bool
    settings: dict[str, Any]
    trials: int

    @property
    def declaration(self) -> Declaration:
        """What its strategy claims."""
        return declaration_of(self.strategy)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a journal holds of a run at one moment.

    Attributes
    ----------
    run : WatchedRun
    tables : mapping of str to polars.DataFrame
        Alerts, decisions, trades and ledger entries.
    monitoring : Monitoring
        Confidence sequences over the sessions that are over.
    unfinished : int
        Trades of a session that is not.
    """

    run: WatchedRun
    tables: dict[str, pl.DataFrame]
    monitoring: Monitoring
    unfinished: int

    @property
    def rows(self) -> dict[str, int]:
        """How many rows there are of each table."""
        return {name: frame.height for name, frame in self.tables.items()}

    @property
    def sentence(self) -> str:
        """The state of the run in one line."""
        watched, trades = self.monitoring, self.tables["trades"].height
        mark = "SIMULATED " if self.run.simulated else ""
        head = f"{mark}run {self.run.run_id}: {counted(trades, 'trade')}"
        if self.unfinished:
            head += f" ({self.unfinished:,} of a session that is not over yet and does not count)"
        if not trades:
            told = f"{head} of {counted(self.tables['alerts'].height, 'alert')}"
            if self.tables["alerts"].height and self.tables["decisions"].is_empty():
                told += "; nothing is decided about them, as in a scan, which never trades"
            return told
        sequence = Sequence(
            trades,
            watched.win_rate,
            watched.net_bps,
            watched.claimed_win_rate,
            watched.decision,
            watched.decided_after,
        )
        return (
            f"{head}, win rate {bounded(watched.win_rate, rate=True)}, net bps"
            f" {bounded(watched.net_bps)}. {sequence_words(sequence)}"
        )


def choose_run(
    journal: Journal,
    strategy: str,
    *,
    underlying: str | None = None,
    run_id: str | None = None,
) -> WatchedRun:
    """Return the run that is named, else the latest one of a strategy.

    The latest is one that decided before one that only scanned, which is never complete; one under
    way before any that is complete; then the one whose last alert or trade is the latest, of
    several the one that this code made.

    Parameters
    ----------
    journal : Journal
    strategy : str
    underlying : str, optional
        Any, if it is not named.
    run_id : str, optional

    Raises
    ------
    JournalError
        There is no such run, or several are the latest.
    """
    runs = journal.runs()
    if run_id is not None:
        found = runs.filter(pl.col("run_id") == run_id)
        if found.is_empty():
            raise JournalError(f"there is no run {run_id}", where="journal", hint=_known_runs(runs))
        return _watched(journal, found.row(0, named=True))
    runs = runs.filter(pl.col("strategy") == strategy)
    if underlying is not None:
        runs = runs.filter(pl.col("underlying") == underlying)
    if runs.is_empty():
        of = strategy if underlying is None else f"{strategy} on {underlying}"
        raise JournalError(
            f"the journal holds no run of {of}",
            where="journal",
            hint="hedgeflow backtest or validate makes one",
        )
    rows = list(runs.iter_rows(named=True))
    last = [
        (
            not _only_scanned(journal, row),
            not row["complete"],
            _last_ns(journal, row["run_id"]),
            row["code_version"] == code_version(),
        )
        for row in rows
    ]
    latest = [row for row, key in zip(rows, last, strict=True) if key == max(last)]
    if len(latest) > 1:
        raise JournalError(
            f"{len(latest)} runs of {strategy} end at the same time",
            where="journal",
            hint=f"Say which one with --run: {', '.join(row['run_id'] for row in latest)}",
        )
    return _watched(journal, latest[0])


def _known_runs(runs: pl.DataFrame) -> str:
    names: list[str] = runs["run_id"].to_list()
    return f"It holds {', '.join(names[:5])}" if names else "It holds none"


def _only_scanned(journal: Journal, row: dict[str, Any]) -> bool:
    """Say whether a run is as a scan leaves it: not complete, and nothing decided."""
    return not row["complete"] and journal.table("decisions", row["run_id"]).is_empty()


def _last_ns(journal: Journal, run_id: str) -> int:
    stamps = [journal.table(name, run_id)[KNOWN_AT[name]].max() for name in ("alerts", "trades")]
    return max((each for each in stamps if isinstance(each, int)), default=-1)


def _watched(journal: Journal, row: dict[str, Any]) -> WatchedRun:
    trials = journal.trials(row["data_hash"]).filter(
        pl.col("config_hash") == row["config_hash"],
        pl.col("code_version") == row["code_version"],
    )
    return WatchedRun(
        run_id=row["run_id"],
        strategy=row["strategy"],
        preset=row["preset"],
        underlying=row["underlying"],
        data_hash=row["data_hash"],
        code_version=row["code_version"],
        seed=row["seed"],
        simulated=row["simulated"],
        complete=row["complete"],
        settings=json.loads(trials["config_json"][0]).get("settings", {}),
        trials=journal.count_trials(row["data_hash"]),
    )


def look(journal: Journal, run_id: str, now_ns: int) -> Look:
    """Return what a journal holds of a run by now.

    A confidence sequence moves by whole sessions; of a run under way today's is left out.

    Parameters
    ----------
    journal : Journal
    run_id : str
    now_ns : int
        UTC ns by the caller's clock.
    """
    runs = journal.runs().filter(pl.col("run_id") == run_id)
    run = _watched(journal, runs.row(0, named=True))
    tables = {name: journal.table(name, run_id).drop("run_id") for name in TABLES}
    today = moment_of(now_ns).date().isoformat()
    over = pl.lit(value=True) if run.complete else pl.col("session") < today
    trades = tables["trades"].filter(over)
    found = evidence_tables(run, tables | {"trades": trades})
    rate = next(
        (gate.threshold for gate in run.declaration.gates if gate.statistic == "win_rate"),
        NO_CLAIM_RATE,
    )
    watched = monitoring(trade_arrays(found), found.sessions, rate)
    return Look(run, tables, watched, tables["trades"].height - trades.height)


def evidence_tables(
    run: WatchedRun,
    tables: dict[str, pl.DataFrame],
    sessions: tuple[str, ...] = (),
) -> EvidenceTables:
    """Return a run's tables as evidence reads them; nothing is drawn, and no tape is read.

    Parameters
    ----------
    run : WatchedRun
    tables : mapping
        Alerts, decisions, trades and ledger entries.
    sessions : tuple of str
        Dates in which the run was under way, beside those of the trades.
    """
    calendar, _ = calendar_of(run)
    reached = set(tables["trades"]["session"].to_list())
    return EvidenceTables(
        trades=tables["trades"],
        alerts=tables["alerts"].drop(study_named(run.strategy).silent_columns),
        decisions=tables["decisions"],
        ledger_entries=tables["ledger_entries"],
        sessions=tuple(sorted({*sessions, *reached})),
        sessions_per_year=365.0 if calendar == ALWAYS_OPEN else 252.0,
        nulls_missing="a review draws no nulls: hedgeflow validate does",
        flow_untestable_reason="a review reads no tape: hedgeflow validate does",
    )


def manifest_of(run: WatchedRun) -> Manifest:
    """Return how a run was made, as far as its journal says."""
    settings = run.settings
    return Manifest(
        strategy=run.strategy,
        preset=run.preset,
        simulated=run.simulated,
        data_hash=run.data_hash,
        config=settings,
        code_version=run.code_version,
        seed=run.seed,
        trials=max(1, run.trials),
        hedge_instrument=str(settings.get("hedge_instrument") or "not stated"),
        hedge_venue=str(settings.get("hedge_venue") or ""),
        scale_volume=None,
        signing_mode="",
        null_hypothesis=run.declaration.null_hypothesis,
    )


def calendar_of(run: WatchedRun) -> tuple[str, str | None]:
    """Return a run's calendar, and a note where it had to be assumed."""
    named = run.settings.get("calendar")
    if isinstance(named, str):
        return named, None
    venue = str(run.settings.get("hedge_venue") or "")
    try:
        return calendar_of_venue(venue), None
    except ConfigError:
        told = f"The hours of {venue or 'the venue'} are not known: every UTC day is a session."
        return ALWAYS_OPEN, told


def session_dates(run: WatchedRun, first_ns: int, until_ns: int) -> tuple[str, ...]:
    """Return the dates of a run's sessions that begin in [first_ns, until_ns)."""
    calendar, _ = calendar_of(run)
    if until_ns <= first_ns:
        return ()
    sessions = sessions_between(calendar, first_ns, until_ns - 1)
    opens = [int(each) for each in sessions.open_ns]
    return tuple(
        session_date(sessions, each)
        for each, close in zip(opens, sessions.close_ns, strict=True)
        if each < until_ns and int(close) > first_ns
    )


def known_within(
    tables: dict[str, pl.DataFrame], from_ns: int | None, until_ns: int
) -> dict[str, pl.DataFrame]:
    """Return the rows that became known in [from_ns, until_ns); None: from the beginning.

    Ledger entries go with their trades; deposits are those of the whole run so far.

    Look-ahead: a trade is known when it has ended, a decision when it was made.
    """
    parts = {
        name: tables[name].filter(
            pl.col(stamp) < until_ns,
            pl.lit(value=True) if from_ns is None else pl.col(stamp) >= from_ns,
        )
        for name, stamp in KNOWN_AT.items()
    }
    entries = tables["ledger_entries"]
    parts["ledger_entries"] = entries.filter(
        pl.col("trade_id").is_in(parts["trades"]["trade_id"].to_list())
        | (pl.col("trade_id").is_null() & (pl.col("at_ns") < until_ns))
    )
    return parts
