"""A Friday on which stock options expire: open interest, signed prints, and a wandering price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builders.stock_market import (
    SESSION_MINUTES,
    option_print,
    rows_of,
    session_open,
    store_options,
    tape_key,
    terms_of,
)
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.contracts import Right, osi_symbol, parse_osi_option
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, moment_of
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.studies.expiration.markets import load_expiry_market

if TYPE_CHECKING:
    from pathlib import Path

    from hedgeflow.studies.markets import Market

STRIKES = (635.0, 637.5, 640.0, 642.5, 645.0, 647.5, 650.0, 655.0, 660.0)
OPEN = session_open()
CLOSE = OPEN + SESSION_MINUTES * MINUTE_NS
PUBLISHED = OPEN - 3 * HOUR_NS
"""When Friday's official open interest is known."""

POISON = 7.0
"""What prices, sizes and counts of the future are multiplied by."""


def symbol(right: str, strike: float, *, week: int = 0) -> str:
    """Return a contract that expires on Friday, or so many weeks later."""
    day = moment_of(CLOSE + week * 7 * DAY_NS).date()
    return osi_symbol("AAPL", day, Right(right), strike)


CONTRACTS = tuple(symbol(right, strike) for strike in STRIKES for right in "CP")


def interest() -> dict[str, float]:
    """Return the official open interest by contract."""
    rng = np.random.default_rng(11)
    return {each: float(rng.integers(200, 9_000)) for each in CONTRACTS}


def prints(seed: int = 5, every: int = 3) -> list[dict[str, Any]]:
    """Return prints of Friday's options by either side, and of the week after with volatilities."""
    rng = np.random.default_rng(seed)
    rows = []
    for minute in range(1, SESSION_MINUTES, every):
        contract = CONTRACTS[rng.integers(len(CONTRACTS) - 4)]  # the last two strikes never trade
        side = int(rng.choice((-1, 0, 1)))
        lots = int(rng.integers(1, 400))
        rows.append(option_print(minute, contract, lots=lots, price=3.0, aggressor=side, iv=0.4))
        later = symbol("C", float(rng.choice((642.5, 645.0, 647.5))), week=1)
        iv = 0.25 + 0.02 * float(rng.standard_normal())
        rows.append(option_print(minute, later, lots=1, price=9.0, aggressor=1, iv=iv))
    return rows


def closes(seed: int = 3) -> np.ndarray:
    """Return the close of every minute of Thursday and Friday."""
    steps = np.random.default_rng(seed).normal(0.0, 0.18, 2 * SESSION_MINUTES)
    return np.round(645.0 + np.cumsum(steps), 2)


def friday_catalog(folder: Path, *, poisoned_from: int | None = None) -> Catalog:
    """Return the catalog; what becomes known after an instant is another world's, if one is given.

    Nothing on Friday becomes known off a whole minute.
    """

    def of(known_ns: int, value: float) -> float:
        is_future = poisoned_from is not None and known_ns > poisoned_from
        return value * POISON if is_future else value

    catalog = Catalog.create_or_open(folder / "catalog")
    rows = prints()
    if poisoned_from is not None:
        later = [row for row in prints(seed=99, every=1) if row["known_at"] > poisoned_from]
        rows = [row for row in rows if row["known_at"] <= poisoned_from] + [
            row | {"iv": POISON * row["iv"]} for row in later
        ]
    store_options(catalog, rows)
    counts = []
    for known in (PUBLISHED, OPEN + 370 * MINUTE_NS):  # a second count shortly before the close
        counts += [
            {"ts": known - MINUTE_NS, "known_at": known, "contract": each,
             "open_interest": of(known, count)}
            for each, count in interest().items()
        ]  # fmt: skip
    counts = [row for row in counts if row["known_at"] == PUBLISHED or poisoned_from is not None]
    frame = rows_of(TapeKind.OPEN_INTEREST, counts)
    key = tape_key(TapeKind.OPEN_INTEREST, resolution_ns=DAY_NS)
    catalog.store(key, frame, source="counts", contracts=terms_of(frame))
    bars = []
    for place, close in enumerate(closes()):
        day, minute = divmod(place, SESSION_MINUTES)
        start = session_open(day - 1) + minute * MINUTE_NS
        price = of(start + MINUTE_NS, float(close))
        bars.append(
            {"ts": start, "known_at": start + MINUTE_NS, "open": price, "high": price,
             "low": price, "close": price, "volume": of(start + MINUTE_NS, 50_000.0)}
        )  # fmt: skip
    catalog.store(tape_key(TapeKind.BARS), rows_of(TapeKind.BARS, bars), source="bars")
    return catalog


def friday_market(folder: Path, config: ExpirationPressureConfig, **changes: Any) -> Market:
    """Return the market of such a catalog."""
    return load_expiry_market(friday_catalog(folder, **changes), "AAPL", config)


def is_expiring(contract: str) -> bool:
    """Say whether a contract expires on Friday."""
    return parse_osi_option(contract, "usa").expiry_ns == CLOSE
