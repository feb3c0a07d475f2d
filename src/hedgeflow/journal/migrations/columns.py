"""Columns as the migrations' steps describe them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Text
from sqlalchemy.types import TypeEngine


def column(
    name: str,
    kind: type[TypeEngine[Any]],
    meaning: str | None = None,
    *,
    nullable: bool = False,
) -> Column[Any]:
    """Return a column; text sorts by its bytes on every database."""
    typed = Text().with_variant(Text(collation="C"), "postgresql") if kind is Text else kind()
    return Column(name, typed, nullable=nullable, comment=meaning)
