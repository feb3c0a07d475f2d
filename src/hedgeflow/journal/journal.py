"""The journal itself: what is appended, in one transaction, and read back as tables."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
from sqlalchemy import Engine, distinct, func, select

from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.reads import read, sealed_hashes
from hedgeflow.journal.records import Run, Trial, TrialRecord
from hedgeflow.journal.rows import Rows, row_frame
from hedgeflow.journal.storage import lock, open_database, reading, writing
from hedgeflow.journal.tables import ROW_TABLES, TRIALS
from hedgeflow.journal.writes import append, begin, check_reproduced, hold, insert_once, seal

_TRIAL = TRIALS.columns
_CONFIGURATIONS = func.count(distinct(_TRIAL["config_hash"]))


class Journal:
    """A durable, transactional, append-only record; safe for many threads and processes at once.

    Made by `Journal.open`. Every method is one transaction: it is recorded whole or not at all.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url_or_path: str | Path, *, create: bool = True) -> Journal:
        """Return the journal at an address.

        Parameters
        ----------
        url_or_path : str or Path
            A file of SQLite, or ``postgresql://user@host/database``. A password may stand in the
            URL, in PGPASSWORD or in ~/.pgpass; no message shows it.
        create : bool
            Whether an absent or empty database becomes a journal; readers say no. Either way a
            journal of an older schema version is brought to the present one.

        Raises
        ------
        JournalError
            The database cannot be reached, there is no journal, one that a newer hedgeflow wrote,
            or an older one that cannot be written to.
        """
        return cls(open_database(url_or_path, create=create))

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # What was tried

    def record_trial(self, trial: Trial) -> TrialRecord:
        """Record a configuration tried on a data set, once, and return the counts (evidence.md 3).

        Raises
        ------
        JournalError
            The key is recorded with another strategy or configuration.
        """
        with writing(self._engine) as connection:
            lock(connection, f"trials on {trial.data_hash}")
            stored, is_new = insert_once(connection, TRIALS, asdict(trial), but=("recorded_ns",))
            counts = select(_CONFIGURATIONS, func.count()).select_from(TRIALS)
            configurations, trials = connection.execute(
                counts.where(_TRIAL["data_hash"] == trial.data_hash)
            ).one()
        return TrialRecord(Trial(**stored), is_new, configurations, trials)

    def count_trials(self, data_hash: str) -> int:
        """Return how many distinct configurations were really tried on a data set."""
        count = select(_CONFIGURATIONS).where(_TRIAL["data_hash"] == data_hash)
        with reading(self._engine) as connection:
            return connection.execute(count).scalar_one()

    # What was run

    def begin_run(self, run: Run) -> bool:
        """Record that a run begins and return whether it is already complete.

        Raises
        ------
        JournalError
            Its trial is not recorded, or the run is recorded as another strategy's or underlying's.
        """
        with writing(self._engine) as connection:
            begin(connection, run)
            return bool(sealed_hashes(connection, run.run_id))

    def record_run(
        self,
        run: Run,
        *,
        anomalies: Rows,
        alerts: Rows,
        decisions: Rows,
        trades: Rows,
        ledger_entries: Rows,
    ) -> bool:
        """Record a whole run in one transaction and return whether anything was written.

        A run recorded before must bring the same rows again and writes nothing; one that was
        begun, and perhaps died, is completed. From then on nothing can be added to it.

        Raises
        ------
        JournalError
            A row is refused, or the run is not reproducible: its rows differ from the record, and
            the message says in which table and where first.
        """
        given = (anomalies, alerts, decisions, trades, ledger_entries)
        frames = {
            name: row_frame(name, run.run_id, rows)
            for name, rows in zip(ROW_TABLES, given, strict=True)
        }
        _check_causes(frames)
        with writing(self._engine) as connection:
            begin(connection, run)
            if sealed_hashes(connection, run.run_id):
                check_reproduced(connection, run.run_id, frames)
                return False
            for name, frame in frames.items():
                append(connection, name, frame)
            check_reproduced(connection, run.run_id, frames)
            seal(connection, run.run_id, frames)
        return True

    def append_anomalies(self, run_id: str, rows: Rows) -> int:
        """Record anomalies of a run under way; return how many were new.

        For this and the other appends a row recorded before is passed over if it is the same and
        refused if it is not, so that a caller can repeat what it does not know to have arrived.
        """
        return self._append("anomalies", run_id, rows)

    def append_alerts(self, run_id: str, rows: Rows) -> int:
        """Record alerts, before anything acts on them; return how many were new."""
        return self._append("alerts", run_id, rows)

    def append_decisions(self, run_id: str, rows: Rows) -> int:
        """Record what was decided about alerts, plan or skip; return how many were new."""
        return self._append("decisions", run_id, rows)

    def append_trades(self, run_id: str, rows: Rows) -> int:
        """Record trades that have ended; return how many were new."""
        return self._append("trades", run_id, rows)

    def append_entries(self, run_id: str, rows: Rows) -> int:
        """Record ledger entries; return how many were new."""
        return self._append("ledger_entries", run_id, rows)

    def _append(self, name: str, run_id: str, rows: Rows) -> int:
        frame = row_frame(name, run_id, rows)
        with writing(self._engine) as connection:
            hold(connection, run_id)
            return append(connection, name, frame)

    # What is known

    def table(self, name: str, run_id: str | None = None) -> pl.DataFrame:
        """Return a table, or a run's part of it, in order of time.

        Parameters
        ----------
        name : str
            One of `ROW_TABLES`, or trials, runs, seals.
        run_id : str, optional
            Trials have none.
        """
        with reading(self._engine) as connection:
            return (
                read(connection, name) if run_id is None else read(connection, name, run_id=run_id)
            )

    def runs(self) -> pl.DataFrame:
        """Return the runs, `complete` saying which were recorded to their end."""
        with reading(self._engine) as connection:
            runs, seals = read(connection, "runs"), read(connection, "seals")
        return runs.with_columns(
            complete=pl.col("run_id").is_in(seals["run_id"].unique().to_list())
        )

    def trials(self, data_hash: str | None = None) -> pl.DataFrame:
        """Return the trials, of one data set or of all."""
        with reading(self._engine) as connection:
            if data_hash is None:
                return read(connection, "trials")
            return read(connection, "trials", data_hash=data_hash)

    def alert(self, alert_id: str, run_id: str | None = None) -> dict[str, Any]:
        """Return one alert with its `decisions` and `trades`, each a list of rows.

        Raises
        ------
        JournalError
            No alert has that id, or alerts of several runs do and `run_id` does not say which.
        """
        wanted = {"alert_id": alert_id} | ({} if run_id is None else {"run_id": run_id})
        with reading(self._engine) as connection:
            found = read(connection, "alerts", **wanted)
            if found.height != 1:
                raise _not_one(alert_id, found["run_id"].to_list())
            alert = found.row(0, named=True)
            wanted["run_id"] = alert["run_id"]
            for name in ("decisions", "trades"):
                alert[name] = read(connection, name, **wanted).to_dicts()
        return alert


def _check_causes(frames: dict[str, pl.DataFrame]) -> None:
    """Refuse ledger entries of a trade that the run does not have."""
    caused = frames["ledger_entries"].filter(pl.col("trade_id").is_not_null())
    orphans = caused.join(frames["trades"], on="trade_id", how="anti")
    if orphans.height:
        raise JournalError(
            f"entry {orphans['entry_id'][0]} names no trade of the run: {orphans['trade_id'][0]}",
            where="ledger_entries",
        )


def _not_one(alert_id: str, runs: list[str]) -> JournalError:
    if not runs:
        return JournalError(f"no alert {alert_id}", where="journal")
    return JournalError(
        f"alert {alert_id} is in runs {', '.join(runs)}",
        where="journal",
        hint="Say which one with --run",
    )
