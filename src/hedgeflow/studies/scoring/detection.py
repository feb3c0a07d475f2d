"""Which shocks were found, what was found where there was none, and why the rest was missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.studies.scoring.figures import Rate, f_score
from hedgeflow.studies.scoring.matching import chance_of_overlap, overlaps

if TYPE_CHECKING:
    from collections.abc import Callable

    from hedgeflow.studies.scoring.shocks import Found

SIZES = ("smallest third", "middle third", "largest third")


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found of what there was.

    Attributes
    ----------
    found_by : str
        ``alerts``, ``events`` or ``anomalous contracts``.
    recall : Rate
        Of shocks, those that something found overlaps; of anomalous contracts, of the contracts
        that shocks traded.
    precision : Rate
        Of what was found, what overlaps a shock.
    f1 : float or None
    by_chance : float or None
        The precision that things of the same lengths at times without meaning would have.
    """

    found_by: str
    recall: Rate
    precision: Rate
    f1: float | None
    by_chance: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """The shocks of one kind, and those of them that an alert overlaps."""

    group: str
    recall: Rate


@dataclass(frozen=True, slots=True)
class Missed:
    """A shock that no alert overlaps.

    Attributes
    ----------
    shock_id : int
    shock_class, contract : str
    at_ns : int
        Its first print.
    demand : float
        True hedge demand, underlying units.
    demand_scaled : float or None
        In the units of the thresholds; None where V5 was not known.
    should_alert : bool
        Whether its true demand and response have a pressure above the threshold.
    reason : str
        See `missed_reason`.
    """

    shock_id: int
    shock_class: str
    contract: str
    at_ns: int
    demand: float
    demand_scaled: float | None
    should_alert: bool
    reason: str


def detection(found: Found, covered_ns: int) -> tuple[Detection, ...]:
    """Return recall and precision by alerts, by events and by anomalous contracts."""
    shocks, contracts = found.shocks, found.contracts
    return (
        _detection("alerts", found.alerts, shocks, found.window_ns, covered_ns),
        _detection("events", found.events, shocks, found.window_ns, covered_ns),
        _of_contracts(found.anomalies, contracts),
    )


def recall_by_group(found: Found) -> tuple[Group, ...]:
    """Return recall by alerts: of all, by class, by thirds of size, of shocks that should alert."""
    shocks = found.shocks
    hit = shocks["shock_id"].is_in(_ids(overlaps(found.alerts, shocks, found.window_ns)))
    hits = hit.to_numpy()
    size = shocks["demand"].abs().to_numpy()
    classes = shocks["shock_class"].to_numpy()
    groups = [Group(str(name), Rate.among(hits[classes == name])) for name in np.unique(classes)]
    if size.size:
        edges = np.quantile(size, [1 / 3, 2 / 3])
        third = np.searchsorted(edges, size, side="left")
        for place, name in enumerate(SIZES):
            mine = third == place
            if mine.any():
                span = f"{size[mine].min():,.1f} to {size[mine].max():,.1f} units"
                groups.append(Group(f"{name}: {span}", Rate.among(hits[mine])))
    should = shocks["should_alert"].to_numpy()
    return (*groups, Group("true pressure above the threshold", Rate.among(hits[should])))


def missed_shocks(found: Found, without_baseline: set[tuple[int, str]]) -> tuple[Missed, ...]:
    """Return the shocks that no alert overlaps, in order of time, each with a reason."""
    shocks, window_ns = found.shocks, found.window_ns
    hit = _ids(overlaps(found.alerts, shocks, window_ns))
    reason_of = _reasons(found, without_baseline)
    return tuple(
        Missed(
            shock_id=row["shock_id"],
            shock_class=row["shock_class"],
            contract=row["contract"],
            at_ns=row["shock_first_ns"],
            demand=row["demand"],
            demand_scaled=row["demand_scaled"],
            should_alert=row["should_alert"],
            reason=reason_of(row["shock_id"]),
        )
        for row in shocks.filter(~pl.col("shock_id").is_in(hit)).iter_rows(named=True)
    )


def _reasons(found: Found, without_baseline: set[tuple[int, str]]) -> Callable[[int], str]:
    """Return a function from a missed shock's id to its reason.

    The first that holds of: an event overlaps it that had its alert before (JOINED_EVENT), one
    that came before V5 was known (NO_SCALE), one whose pressure stayed at or below the threshold
    (BELOW_THRESHOLD); no event, and none of its contracts had a history to be compared with
    (NO_BASELINE); else its volume was not unusual enough in any of them (NO_ANOMALY).
    """
    events = overlaps(found.events, found.shocks, found.window_ns)
    kinds = {
        "JOINED_EVENT": pl.col("decided"),
        "NO_SCALE": pl.col("no_scale"),
        "BELOW_THRESHOLD": pl.lit(value=True),
    }
    ids = {name: set(_ids(events.filter(condition))) for name, condition in kinds.items()}
    contracts = found.contracts.group_by("shock_id").agg(pl.col("contract"))
    judged = {
        shock
        for shock, names in contracts.rows()
        if any((shock, name) not in without_baseline for name in names)
    }

    def reason(shock_id: int) -> str:
        for name, having in ids.items():
            if shock_id in having:
                return name
        return "NO_ANOMALY" if shock_id in judged else "NO_BASELINE"

    return reason


def _detection(
    name: str, found: pl.DataFrame, shocks: pl.DataFrame, window_ns: int, covered_ns: int
) -> Detection:
    pairs = overlaps(found.with_row_index("place"), shocks, window_ns)
    recall = Rate.out_of(len(_ids(pairs)), shocks.height)
    precision = Rate.out_of(pairs["place"].n_unique(), found.height)
    chance = chance_of_overlap(found, shocks, window_ns, covered_ns)
    return Detection(name, recall, precision, f_score(precision, recall), chance)


def _of_contracts(anomalies: pl.DataFrame, contracts: pl.DataFrame) -> Detection:
    """Compare anomalies with the contracts of shocks, each in its own window.

    A contract counts once an event, like its anomalies (precise.md 16).
    """
    placed = anomalies.with_columns(
        place=pl.struct("event_id", "contract").rank("dense").cast(pl.Int64)
    )
    parts = [
        overlaps(part, contracts, int(part["window_ns"][0]), by=["contract"])
        for part in placed.partition_by("window_ns")
    ]
    pairs = pl.concat(parts) if parts else overlaps(placed, contracts, 0, by=["contract"])
    recall = Rate.out_of(pairs.select("shock_id", "contract").n_unique(), contracts.height)
    precision = Rate.out_of(pairs["place"].n_unique(), placed["place"].n_unique())
    return Detection("anomalous contracts", recall, precision, f_score(precision, recall), None)


def _ids(pairs: pl.DataFrame) -> list[int]:
    return pairs["shock_id"].unique().to_list()
