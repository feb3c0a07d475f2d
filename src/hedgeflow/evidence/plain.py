"""Records as JSON-ready values: the same bytes for the same figures, and never a NaN."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import cast

import numpy as np

from hedgeflow.market.errors import EvidenceError

SIGNIFICANT_DIGITS = 12
PART = {"part": True}
"""Metadata of a field that some packages have and others do not: None is left out."""


def plain(value: object, where: str = "evidence") -> object:
    """Return `value` as dicts, lists, strings, numbers and None.

    Parameters
    ----------
    value : object
        Dataclasses, mappings, sequences, enumerations, NumPy scalars.
    where : str
        Path of the value, for errors.

    Raises
    ------
    EvidenceError
        On a number that is not finite, or a type that JSON does not know.

    Notes
    -----
    Floats keep 12 significant digits, so that the last bits of a sum do not change a hash.
    """
    if value is None or (isinstance(value, (bool, str)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value, where)
    if isinstance(value, np.generic):
        return plain(cast("object", value.item()), where)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return _rounded(value, where)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: plain(getattr(value, item.name), f"{where}.{item.name}")
            for item in fields(value)
            if not (item.metadata.get("part") and getattr(value, item.name) is None)
        }
    return _container(value, where)


def _rounded(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise EvidenceError(
            f"{value} is no figure", where=where, hint="Missing figures are null with a reason."
        )
    rounded = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return 0.0 if rounded == 0.0 else rounded


def _container(value: object, where: str) -> object:
    if isinstance(value, Mapping):
        return {
            str(key): plain(item, f"{where}.{key}")
            for key, item in cast("Mapping[object, object]", value).items()
        }
    if isinstance(value, (list, tuple)):
        return [
            plain(item, f"{where}[{row}]") for row, item in enumerate(cast("list[object]", value))
        ]
    raise EvidenceError(f"{type(value).__name__} has no place in a package", where=where)


def dumps(value: object) -> str:
    """Return canonical JSON: sorted keys, two spaces, a final newline, no NaN."""
    return (
        json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        + "\n"
    )


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data` with its prefix."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
