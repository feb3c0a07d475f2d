"""Rows out of the database, as polars tables in order of time."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, and_, exists, func, select

from hedgeflow.journal.errors import JournalError
from hedgeflow.journal.rows import dtype_of
from hedgeflow.journal.tables import ORDER, RUNS, SEALS, TRADES, table_named


def read(connection: Connection, name: str, **equal: str) -> pl.DataFrame:
    """Return the rows of a table whose columns equal what is given, in the table's order."""
    table = table_named(name)
    if not equal.keys() <= set(table.columns.keys()):
        raise JournalError(
            f"no column {' or '.join(equal.keys() - set(table.columns.keys()))}", where=name
        )
    wanted = select(*table.columns).order_by(*(table.columns[column] for column in ORDER[name]))
    wanted = wanted.where(*(table.columns[column] == value for column, value in equal.items()))
    rows = connection.execute(wanted).all()
    values = zip(*rows, strict=True) if rows else ((),) * len(table.columns)
    return pl.DataFrame(
        [
            pl.Series(column.name, list(given), dtype=dtype_of(column))
            for column, given in zip(table.columns, values, strict=True)
        ]
    )


def row_count(connection: Connection, name: str, run_id: str) -> int:
    """Return how many rows of a table a run has."""
    table = table_named(name)
    count = select(func.count()).select_from(table).where(table.columns["run_id"] == run_id)
    return connection.execute(count).scalar_one()


def sealed_hashes(connection: Connection, run_id: str) -> dict[str, str]:
    """Return the hashes of a complete run's tables, none for a run under way."""
    seals = read(connection, "seals", run_id=run_id)
    return dict(zip(seals["table_name"], seals["content_hash"], strict=True))


def daily_net(connection: Connection, data_hash: str) -> pl.DataFrame:
    """Return the net profit and the trades of each complete run on a data set by session."""
    run, trade = RUNS.columns, TRADES.columns
    complete = exists().where(SEALS.columns["run_id"] == run["run_id"])
    wanted = (
        select(
            run["run_id"],
            run["config_hash"],
            run["code_version"],
            trade["session"],
            func.coalesce(func.sum(trade["net_usd"]), 0.0),
            func.count(trade["trade_id"]),
        )
        .select_from(RUNS.outerjoin(TRADES, trade["run_id"] == run["run_id"]))
        .where(and_(run["data_hash"] == data_hash, complete))
        .group_by(run["run_id"], run["config_hash"], run["code_version"], trade["session"])
        .order_by(run["run_id"], trade["session"])
    )
    schema = {
        "run_id": pl.String,
        "config_hash": pl.String,
        "code_version": pl.String,
        "session": pl.String,
        "net_usd": pl.Float64,
        "trades": pl.Int64,
    }
    rows = [tuple(row) for row in connection.execute(wanted)]
    return pl.DataFrame(rows, schema=schema, orient="row")
