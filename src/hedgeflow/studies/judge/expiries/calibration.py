"""What the trials of expiration pressure show, from one table of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import polars as pl

from hedgeflow.evidence import Status, Verdict
from hedgeflow.strategies.expiration_pressure.claims import GATES
from hedgeflow.studies.expiration.study import DIRECTIONS
from hedgeflow.studies.judge.calibration import TrialsOf, run_facts
from hedgeflow.studies.judge.expiries.figures import NULLS, OWN, PINNING, TESTS
from hedgeflow.studies.judge.expiries.worlds import WITHOUT_EDGE
from hedgeflow.studies.judge.levels import levels_of_tests
from hedgeflow.studies.judge.outcomes import SIGNIFICANT, Share, share_of

OTHERS: Final = tuple(model for model in DIRECTIONS if model != OWN)


@dataclass(frozen=True, slots=True)
class Direction:
    """What one direction earned on the alerts of all trials of a world.

    Attributes
    ----------
    trades : int
    win_rate, net_bps : float or None
        Over all trades; None without any.
    beaten : Share
        Trials in which dealer-gamma earned more a trade, of those in which both traded and did not
        earn the same.
    """

    trades: int
    win_rate: float | None
    net_bps: float | None
    beaten: Share


@dataclass(frozen=True, slots=True)
class Sides:
    """How often dealers' side was told right; each of `count` out of `trials`.

    Attributes
    ----------
    told, convention, short_all : Share
        At strikes with an alert: by the scan, by the convention of long calls and short puts, and
        by that of dealers who are short all.
    traded : Share
        Trades on the side that dealers' true holding asks for.
    moved : Share
        Trades in whose favour dealers' hedges moved the price, of those whose expiry's did.
    """

    told: Share
    convention: Share
    short_all: Share
    traded: Share
    moved: Share


@dataclass(frozen=True, slots=True)
class ExpiryOutcome:
    """All trials of one world.

    Attributes
    ----------
    world : str
    peak_bps : float
        Impact of the typical hedge, basis points.
    trials : int
    expiries : int
        Of a trial, at the median.
    fewest_trades, median_trades : int
        Of dealer-gamma, in a trial.
    validated, source_validated, insufficient : Share
        Verdicts on dealer-gamma: ours, by the source's point rules, and INSUFFICIENT_DATA.
    gates : mapping of str to Share
        Trials in which each gate passed.
    significant : Share
        Trials whose p-value, the largest of those against the nulls, is below `SIGNIFICANT`.
    nulls : mapping of str to Share
        Trials whose p-value against each null alone is below it, of those that have one.
    positive : Share
        Trials in which the 95 % interval of the mean net result lies above zero.
    directions : mapping of str to Direction
    sides : Sides
    pinning : mapping of str to Share
        Trials in which each test of pinning rejects below `SIGNIFICANT`, before Holm.
    drift_bps : float or None
        Median over trials of the last move with dealers' gamma.
    """

    world: str
    peak_bps: float
    trials: int
    expiries: int
    fewest_trades: int
    median_trades: int
    validated: Share
    source_validated: Share
    insufficient: Share
    gates: Mapping[str, Share]
    significant: Share
    nulls: Mapping[str, Share]
    positive: Share
    directions: Mapping[str, Direction]
    sides: Sides
    pinning: Mapping[str, Share]
    drift_bps: float | None


@dataclass(frozen=True, slots=True)
class ExpiryCalibration(TrialsOf[ExpiryOutcome]):
    """What the trials of expiration pressure show."""

    @property
    def without_edge(self) -> tuple[ExpiryOutcome, ...]:
        """The worlds in which VALIDATED is false."""
        return tuple(each for each in self.outcomes if each.world in WITHOUT_EDGE)

    @property
    def with_edge(self) -> tuple[ExpiryOutcome, ...]:
        """The worlds in which dealers' hedges move prices as their gamma says."""
        return tuple(each for each in self.outcomes if each.world not in WITHOUT_EDGE)


def calibration_of(table: pl.DataFrame) -> ExpiryCalibration:
    """Return what a table of results shows.

    Parameters
    ----------
    table : polars.DataFrame
        See `Bench.schema`; of one version of the code, one scenario and one length, as
        `latest_run` gives it.
    """
    groups = table.group_by("world", "peak_bps", maintain_order=True)
    return ExpiryCalibration(
        **run_facts(table),
        outcomes=tuple(
            _outcome(str(world), float(str(peak)), rows) for (world, peak), rows in groups
        ),
        levels=levels_of_tests(table, TESTS),
    )


def _outcome(world: str, peak_bps: float, rows: pl.DataFrame) -> ExpiryOutcome:
    share = partial(share_of, rows)
    own = rows[f"trades:{OWN}"]
    drift = rows["value:drift_bps"].median()
    return ExpiryOutcome(
        world=world,
        peak_bps=peak_bps,
        trials=rows.height,
        expiries=_median(rows["count:expiries"]),
        fewest_trades=min(own.to_list()),
        median_trades=_median(own),
        validated=share(pl.col("verdict") == Verdict.VALIDATED),
        source_validated=share(pl.col("source_verdict") == Verdict.VALIDATED),
        insufficient=share(pl.col("verdict") == Verdict.INSUFFICIENT_DATA),
        gates={gate.id: share(pl.col(f"gate:{gate.id}") == Status.PASSED) for gate in GATES},
        significant=share(pl.col("p:mean") < SIGNIFICANT),
        nulls={name: _rejected(rows[f"p:{name}"]) for name in NULLS},
        positive=share(pl.col("lower:net_bps") > 0.0),
        directions={model: _direction(model, rows) for model in DIRECTIONS},
        sides=_sides(rows),
        pinning={name: _rejected(rows[f"p:{name}"]) for name in PINNING},
        drift_bps=float(drift) if isinstance(drift, float) else None,
    )


def _direction(model: str, rows: pl.DataFrame) -> Direction:
    trades = int(rows[f"trades:{model}"].sum())
    both = rows.select(
        own=pl.col(f"sum:{OWN}") / pl.col(f"trades:{OWN}"),
        other=pl.col(f"sum:{model}") / pl.col(f"trades:{model}"),
    ).filter(
        pl.col("own").is_finite(), pl.col("other").is_finite(), pl.col("own") != pl.col("other")
    )
    return Direction(
        trades,
        float(rows[f"wins:{model}"].sum()) / trades if trades else None,
        float(rows[f"sum:{model}"].sum()) / trades if trades else None,
        Share(int((both["own"] > both["other"]).sum()), both.height),
    )


def _sides(rows: pl.DataFrame) -> Sides:
    def share(part: str, whole: str) -> Share:
        return Share(int(rows[f"count:{part}"].sum()), int(rows[f"count:{whole}"].sum()))

    return Sides(
        told=share("strikes:told", "strikes"),
        convention=share("strikes:convention", "strikes"),
        short_all=share("strikes:short-all", "strikes"),
        traded=share("sides:told", "sides"),
        moved=share("moved:with", "moved"),
    )


def _rejected(values: pl.Series) -> Share:
    known = values.drop_nulls()
    return Share(int((known < SIGNIFICANT).sum()), known.len())


def _median(values: pl.Series) -> int:
    return round(float(str(values.median())))
