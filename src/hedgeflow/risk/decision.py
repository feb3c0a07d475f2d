"""A decision: the sized plan, or the reason why there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

from hedgeflow.risk.reasons import Reason
from hedgeflow.strategies.entry_plan import EntryPlan


@dataclass(frozen=True, slots=True)
class SizedPlan:
    """An entry plan that passed every limit.

    Attributes
    ----------
    entry : EntryPlan
    size_contracts : float
        Standard contracts, floored to the lot, at least one lot.
    units : float
        Underlying units.
    risk_usd : float
        Size x stop distance x multiplier + costs in and out (precise.md 26).
    margin_usd : float
        Initial margin.
    bound_by : str
        The cap that set the size, or ``plan`` if none did.
    """

    entry: EntryPlan
    size_contracts: float
    units: float
    risk_usd: float
    margin_usd: float
    bound_by: str

    def to_json(self) -> str:
        """Return the plan as one JSON object, keys sorted, for `plan_json`."""
        entry = self.entry
        return json.dumps(
            {
                **{field.name: getattr(entry, field.name) for field in fields(entry)},
                **{name: getattr(self, name) for name in _SIZE_FIELDS},
                "planned_contracts": entry.size_contracts,
                "target": entry.target,
                "stop": entry.stop,
            },
            sort_keys=True,
            allow_nan=False,
        )


_SIZE_FIELDS = tuple(field.name for field in fields(SizedPlan) if field.name != "entry")


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on one alert, and why, in one sentence.

    Attributes
    ----------
    alert_id : str
    decided_ns : int
        UTC nanoseconds; everything it rests on was known by then.
    reason : Reason
    sentence : str
    plan : SizedPlan or None
        None for a skip.
    """

    alert_id: str
    decided_ns: int
    reason: Reason
    sentence: str
    plan: SizedPlan | None = None

    @property
    def kind(self) -> str:
        """``plan`` or ``skip``."""
        return "skip" if self.plan is None else "plan"
