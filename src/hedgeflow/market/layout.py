"""Where things lie in a catalog: hive partitions that Polars, DuckDB and Spark read as they are.

``<kind>/venue=…/underlying=…/instrument=…/resolution=…/date=YYYY-MM-DD/<import>.parquet``

The partition columns (venue, underlying, instrument, resolution in nanoseconds, UTC date) stand in
no file. Spark needs ``spark.sql.legacy.parquet.nanosAsLong=true`` for times in nanoseconds.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

    from hedgeflow.market.tapes import TapeKey

MARKER: Final = "hedgeflow-catalog.json"
FORMAT_VERSION: Final = 1
IMPORTS: Final = "imports"
REJECTS: Final = "rejects"
CONTRACTS: Final = "contracts"
LOCK: Final = ".lock"
STAGING: Final = ".staging-"
"""Prefix of the folder of an import that is being written; without a commit it is removed."""
COMMITTED: Final = ".committed-"
"""Prefix of the folder of an import that is whole and on its way to its place."""


def tape_folder(key: TapeKey) -> str:
    """Return the folder of a tape below the catalog."""
    return (
        f"{key.kind}/venue={_value(key.venue)}/underlying={_value(key.underlying)}"
        f"/instrument={_value(key.instrument)}/resolution={key.resolution_ns}"
    )


def part_path(key: TapeKey, date: str, import_id: str) -> str:
    """Return the path of one day of an import."""
    return f"{tape_folder(key)}/date={date}/{import_id}.parquet"


def contracts_folder(venue: str, underlying: str) -> str:
    """Return the folder of an underlying's contract tables."""
    return f"{CONTRACTS}/venue={_value(venue)}/underlying={_value(underlying)}"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _value(text: str) -> str:
    return quote(text, safe="")
