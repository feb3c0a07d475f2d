"""Which contracts are traded and held: concentration, expiries, deltas, open interest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.time import DAY_NS
from hedgeflow.studies.stylised_facts.estimators import ratio
from hedgeflow.studies.stylised_facts.records import SCALE, SHARE, Alike, Definition, Fact, Group
from hedgeflow.studies.stylised_facts.session_sums import SessionSums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hedgeflow.studies.stylised_facts.estimators import Floats
    from hedgeflow.studies.stylised_facts.tapes import Day, MarketTapes

_MOST_TRADED: Final = 10
_EXPIRIES: Final = (
    ("0_1", "0–1 days", 0, 2), ("2_7", "2–7 days", 2, 8),
    ("8_30", "8–30 days", 8, 31), ("31", "over 30 days", 31, 1 << 30),
)  # fmt: skip
_DELTAS: Final = (
    ("10", "|Δ| < 0.1", 0.0, 0.1), ("40", "|Δ| 0.1–0.4", 0.1, 0.4),
    ("60", "|Δ| 0.4–0.6", 0.4, 0.6), ("100", "|Δ| > 0.6", 0.6, 1.01),
)  # fmt: skip


def _share(key: str, name: str, text: str, group: Group = Group.CONTRACTS) -> Definition:
    return Definition(key, group, name, "share", text, SHARE)


_TOP: Final = _share(
    "top_10_contracts", "volume in the 10 most traded contracts",
    "Of a session's option volume, contracts; sessions by their volume.",
)  # fmt: skip
_TRADED: Final = Definition(
    "contracts_traded", Group.CONTRACTS, "contracts traded in a session", "contracts",
    "Mean number of different option contracts that print.", SCALE,
)  # fmt: skip
_PRINTS: Final = Definition(
    "prints_per_session", Group.CONTRACTS, "option prints in a session", "contracts",
    "Mean number; sessions that were recorded in part count as they are.", SCALE,
)  # fmt: skip
_BY_EXPIRY: Final = tuple(
    _share(f"expiry_{key}", f"volume, {words} to expiry", "Of option volume, whole days left.")
    for key, words, _, _ in _EXPIRIES
)
_BY_DELTA: Final = tuple(
    _share(f"delta_{key}", f"volume, {words}", "Of option volume whose delta is known.")
    for key, words, _, _ in _DELTAS
)
_CALLS: Final = _share("call_share", "volume in calls", "Of option volume, contracts.")
_HELD_NEAR: Final = _share(
    "interest_0_7", "open interest, 0–7 days to expiry", "Of all open option contracts.",
    Group.OPEN_INTEREST,
)  # fmt: skip
_HELD_CALLS: Final = _share(
    "interest_calls", "open interest in calls", "Of all open option contracts.",
    Group.OPEN_INTEREST,
)  # fmt: skip
_HELD_TOP: Final = _share(
    "interest_top_10", "open interest in the 10 largest contracts",
    "Of all open option contracts.", Group.OPEN_INTEREST,
)  # fmt: skip
_TURNOVER: Final = Definition(
    "interest_turnover", Group.OPEN_INTEREST, "session's volume over open interest", "share",
    "Option contracts traded in a session over those open, sessions with both tapes.",
    Alike("factor", 2.0),
)  # fmt: skip
_CHANGE: Final = Definition(
    "interest_change", Group.OPEN_INTEREST, "change of open interest", "share",
    "Sum of absolute changes from one session to the next over the sum before, contracts that are"
    " listed in both.",
    Alike("factor", 2.0),
)  # fmt: skip

DEFINITIONS: Final = (_PRINTS, _TRADED, _TOP, *_BY_EXPIRY, *_BY_DELTA, _CALLS)
OPEN_INTEREST: Final = (_HELD_NEAR, _HELD_CALLS, _HELD_TOP, _TURNOVER, _CHANGE)


class Positions:
    """Collects volume and open interest by contract."""

    def __init__(self, tapes: MarketTapes) -> None:
        self._tapes = tapes
        self._sums = SessionSums()
        self._before: tuple[int, pl.DataFrame] | None = None

    def see(self, day: Day) -> None:
        """Add the volume and open interest of a session."""
        if day.prints.height:
            self._see_volume(day.prints)
        if day.interest.height:
            self._see_interest(day)

    def _see_volume(self, prints: pl.DataFrame) -> None:
        volume = prints["contracts"].to_numpy()
        total = float(volume.sum())
        by_contract = prints.group_by("contract").agg(pl.col("contracts").sum())["contracts"]
        self._sums.add("top", np.array([by_contract.top_k(_MOST_TRADED).sum(), total]))
        self._sums.add("traded", np.array([by_contract.len(), prints.height, 1.0]))
        left = ((prints["expiry_ns"] - prints["ts"]) // DAY_NS).to_numpy()
        expiries = [volume[(left >= low) & (left < high)].sum() for _, _, low, high in _EXPIRIES]
        self._sums.add("expiries", np.array([*expiries, total]))
        size = np.abs(prints["delta"].fill_null(np.nan).to_numpy())
        deltas = [volume[(size >= low) & (size < high)].sum() for _, _, low, high in _DELTAS]
        self._sums.add("deltas", np.array([*deltas, volume[np.isfinite(size)].sum()]))
        self._sums.add("calls", np.array([volume[prints["right"].to_numpy() > 0].sum(), total]))

    def _see_interest(self, day: Day) -> None:
        held = day.interest.select("contract", "open_interest", "right", "expiry_ns")
        open_contracts = held["open_interest"].to_numpy()
        total = float(open_contracts.sum())
        near = (held["expiry_ns"].to_numpy() - day.open_ns) // DAY_NS < 8
        calls = held["right"].to_numpy() > 0
        largest = held["open_interest"].top_k(_MOST_TRADED).sum()
        self._sums.add(
            "interest",
            np.array([open_contracts[near].sum(), open_contracts[calls].sum(), largest, total]),
        )
        if day.prints.height:
            self._sums.add("turnover", np.array([day.prints["contracts"].sum(), total]))
        if self._before is not None and self._before[0] == day.number - 1:
            both = self._before[1].join(held, on="contract", suffix="_after")
            change = (both["open_interest_after"] - both["open_interest"]).abs().sum()
            self._sums.add("change", np.array([change, both["open_interest"].sum()]))
        self._before = (day.number, held)

    def facts(self, bars_only: str) -> Iterator[Fact]:
        """Yield the facts of volume."""
        sums, tapes = self._sums, self._tapes
        reason = "" if tapes.options else f"no option trades of {tapes.underlying}"
        yield sums.fact(_PRINTS, "traded", partial(_over_last, place=1), reason=reason or bars_only)
        yield sums.fact(_TRADED, "traded", partial(_over_last, place=0), reason=reason)
        yield sums.fact(_TOP, "top", ratio, reason=reason)
        for place, definition in enumerate(_BY_EXPIRY):
            yield sums.fact(definition, "expiries", partial(_over_last, place=place), reason=reason)
        for place, definition in enumerate(_BY_DELTA):
            yield sums.fact(definition, "deltas", partial(_over_last, place=place), reason=reason)
        yield sums.fact(_CALLS, "calls", ratio, reason=reason)

    def open_interest(self) -> Iterator[Fact]:
        """Yield the facts of open interest."""
        sums, tapes = self._sums, self._tapes
        reason = "" if tapes.interest else "no tape of options' open interest"
        for place, definition in enumerate((_HELD_NEAR, _HELD_CALLS, _HELD_TOP)):
            yield sums.fact(definition, "interest", partial(_over_last, place=place), reason=reason)
        both = reason or ("" if sums.sessions("turnover") else "no session has prints and it")
        yield sums.fact(_TURNOVER, "turnover", ratio, reason=both)
        two = reason or ("" if sums.sessions("change") else "no two sessions follow each other")
        yield sums.fact(_CHANGE, "change", ratio, reason=two)


def _over_last(sums: Floats, place: int) -> Floats:
    return sums[..., place] / sums[..., -1]
