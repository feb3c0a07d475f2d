"""The journal itself: what is appended, in one transaction, and read back as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
from sqlalchemy import Engine, distinct, func, select

from hedgeflow.journal import holding
from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.promises import DataSet, HoldOut, RegisteredHypothesis, VaultOpening
from hedgeflow.journal.reads import daily_net, read, sealed_hashes
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

    def __init__(self, engine: Engine, clock: Callable[[], int] | None = None) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def open(
        cls,
        url_or_path: str | Path,
        *,
        create: bool = True,
        clock: Callable[[], int] | None = None,
    ) -> Journal:
        """Return the journal at an address.

        Parameters
        ----------
        url_or_path : str or Path
            A file of SQLite, or ``postgresql://user@host/database``. A password may stand in the
            URL, in PGPASSWORD or in ~/.pgpass; no message shows it.
        create : bool
            Whether an absent or empty database becomes a journal; readers say no. Either way a
            journal of an older schema version is brought to the present one.
        clock : callable, optional
            Returns UTC ns now: the instant of trials that come without one, so that it can be said
            whether a hypothesis was registered before them.

        Raises
        ------
        JournalError
            The database cannot be reached, there is no journal, one that a newer hedgeflow wrote,
            or an older one that cannot be written to.
        """
        return cls(open_database(url_or_path, create=create), clock)

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

    def record_trial(self, trial: Trial, data_set: DataSet | None = None) -> TrialRecord:
        """Record a configuration tried on a data set, once, and return the counts (evidence.md 3).

        Parameters
        ----------
        trial : Trial
        data_set : DataSet, optional
            What its data hash stands for, recorded with it.

        Raises
        ------
        JournalError
            The key is recorded with another strategy or configuration, or the data set with
            another tape.
        """
        if trial.recorded_ns is None and self._clock is not None:
            trial = replace(trial, recorded_ns=self._clock())
        with writing(self._engine) as connection:
            lock(connection, f"trials on {trial.data_hash}")
            if data_set is not None:
                holding.keep_data_set(connection, data_set)
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

    # What is laid down before it is looked at

    def record_data_set(self, data_set: DataSet) -> None:
        """Record what a data set's hash stands for, once.

        Raises
        ------
        JournalError
            The hash is recorded with another tape or another extent.
        """
        with writing(self._engine) as connection:
            holding.keep_data_set(connection, data_set)

    def register(self, hypothesis: RegisteredHypothesis) -> tuple[RegisteredHypothesis, bool]:
        """Record a hypothesis, once; return it as first recorded and whether it is new."""
        with writing(self._engine) as connection:
            return holding.register(connection, hypothesis)

    def registrations(self) -> list[RegisteredHypothesis]:
        """Return every registered hypothesis, the oldest first."""
        with reading(self._engine) as connection:
            return holding.registrations(connection)

    def declare_vault(self, vault: HoldOut) -> tuple[HoldOut, bool]:
        """Record a hold-out period, once; return it as first recorded and whether it is new.

        Raises
        ------
        VaultError
            Another vault on the same tape has a part of the period.
        """
        with writing(self._engine) as connection:
            return holding.declare(connection, vault)

    def vaults(self, data_key: str | None = None) -> list[HoldOut]:
        """Return the vaults of a tape or of all, in the order of time, with their openings."""
        with reading(self._engine) as connection:
            return holding.vaults(connection, data_key)

    def open_vault(self, vault_id: str, opening: VaultOpening, *, reopen: bool = False) -> HoldOut:
        """Record that a vault is opened, and return it with this opening as the last.

        Of several that open it at once, one is the first.

        Parameters
        ----------
        vault_id : str
        opening : VaultOpening
            Its `ordinal` and `reopened` are given here.
        reopen : bool
            Whether it is known to have been opened before.

        Raises
        ------
        VaultError
            It was opened before and `reopen` is false, or never and `reopen` is true.
        JournalError
            There is no such vault.
        """
        with writing(self._engine) as connection:
            return holding.open_vault(connection, vault_id, opening, reopen=reopen)

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

    def append_predictions(self, run_id: str, rows: Rows) -> int:
        """Record what became of a run's predictions; return how many were new.

        They are computed from the run, so that one that is complete takes them too.
        """
        return self._append("predictions", run_id, rows)

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
            Any of the journal's tables.
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

    def daily_net(self, data_hash: str) -> pl.DataFrame:
        """Return what complete runs on a data set earned, session by session.

        Returns
        -------
        polars.DataFrame
            Columns ``run_id``, ``config_hash``, ``code_version``, ``session``, ``net_usd``,
            ``trades``: one row a run and session with trades; a run without any has one row with
            a null session.
        """
        with reading(self._engine) as connection:
            return daily_net(connection, data_hash)

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
        return JournalError(
            f"no alert {alert_id}",
            where="journal",
            hint="hedgeflow scan prints the id of each alert that it finds and keeps them",
        )
    return JournalError(
        f"alert {alert_id} is in runs {', '.join(runs)}",
        where="journal",
        hint="Say which one with --run",
    )
