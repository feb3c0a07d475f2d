"""How the journal's columns are made: types that every database has, each with its meaning."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, ForeignKey, MetaData, Text
from sqlalchemy.types import TypeEngine

TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by its bytes on every database, whatever the server's language."""

METADATA: Final = MetaData()


def key(name: str, kind: type[TypeEngine[Any]], meaning: str) -> Column[Any]:
    """Return a column that names its row, alone or with others."""
    return Column(
        name, typed(kind), primary_key=True, nullable=False, autoincrement=False, comment=meaning
    )


def run() -> Column[Any]:
    """Return the run that a row belongs to: given by the call, never by the caller's rows."""
    return Column("run_id", TEXT, ForeignKey("runs.run_id"), primary_key=True)


def must(name: str, kind: type[TypeEngine[Any]], meaning: str) -> Column[Any]:
    """Return a column that has a value in every row."""
    return Column(name, typed(kind), nullable=False, comment=meaning)


def may(name: str, kind: type[TypeEngine[Any]], meaning: str) -> Column[Any]:
    """Return a column whose value may be unknown."""
    return Column(name, typed(kind), nullable=True, comment=meaning)


def typed(kind: type[TypeEngine[Any]]) -> TypeEngine[Any]:
    """Return a column's type, text as it sorts everywhere."""
    return TEXT if kind is Text else kind()
