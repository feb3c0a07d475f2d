"""An expiration pressure's position on a tape: its walk to the end, what is added, its row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hedgeflow.fills import CostModel, order_arrival_ns
from hedgeflow.ledger import RoundTrip
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.replay.position import (
    Closed,
    Entry,
    entry_at,
    flat_ns,
    round_trip,
    trade_row,
)
from hedgeflow.replay.tape import HedgeTape
from hedgeflow.risk import SizedPlan
from hedgeflow.signals.settlement_rules import Urgency
from hedgeflow.strategies.exits import Exit, flag_names
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.exits import (
    ManagedExits,
    Management,
    Positions,
    position_of,
)
from hedgeflow.strategies.expiration_pressure.plan import ExpirationPlan
from hedgeflow.strategies.expiration_pressure.walks import exit_on_bars, exit_on_path
from hedgeflow.strategies.path_index import PathIndex

EVOLVED: Final = "EVOLVE_TO_CRISIS_MODE"
"""Flag: the position went into CRISIS while it was open, and its stop was tightened."""
ADDED: Final = "ADDED:"
"""Flag, followed by the standard contracts that were added when it did."""

_WORDS: Final = {
    Exit.EXIT_TIME_LIMIT: "its time limit had passed",
    Exit.EXIT_TARGET_HIT: "the target was hit",
    Exit.EXIT_STOP_HIT: "the stop was hit",
    Exit.EXIT_GAP: "the data had a gap",
    Exit.EXIT_END_OF_DATA: "the data ended",
    Exit.EXIT_FLAT_BEFORE_CLOSE: "positions are flat before the close",
    Exit.EXIT_KILLED: "trading was stopped",
    Exit.EXIT_IMMEDIATE_TIME_DANGER: "expiry was too near",
}


@dataclass(frozen=True, slots=True, eq=False)
class WalkedTape:
    """A tape with what walks towards expiry need of it.

    Attributes
    ----------
    tape : HedgeTape
    config : ExpirationPressureConfig
    rules : Management
    path : PathIndex or None
        Of the tape's ticks; None on bars.
    """

    tape: HedgeTape
    config: ExpirationPressureConfig
    rules: Management
    path: PathIndex | None

    @classmethod
    def of(cls, tape: HedgeTape, config: ExpirationPressureConfig) -> WalkedTape:
        """Return a tape as a configuration walks it."""
        path = None if tape.ticks is None else PathIndex.of(*tape.ticks[:3])
        return cls(tape, config, Management.of(config), path)

    @property
    def latency_ns(self) -> int:
        """How long an order takes to the venue."""
        return order_arrival_ns(0, self.config.costs.latency_ms)

    @property
    def closing_ns(self) -> int:
        """How long before expiry the last order to open or add may still fill.

        The two minutes of danger, and what the order that ends the position needs before them: on
        bars a whole bar, on ticks its own way.
        """
        tape = self.tape
        way = self.latency_ns if tape.bars is None else tape.bars.interval_ns
        return self.rules.danger_ns + way

    def ends(self, positions: Positions, entered: NDArray[np.float64]) -> ManagedExits:
        """Return how positions end that were entered at prices, shape (entries,)."""
        if self.tape.bars is not None:
            gap_bars = self.config.plan.gap_bars
            return exit_on_bars(self.tape.bars, positions, self.rules, gap_bars=gap_bars)
        assert self.path is not None  # noqa: S101 - a tape has bars or ticks
        return exit_on_path(self.path, positions, entered, self.rules, self.latency_ns)

    def additions(self, ends: ManagedExits) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return which bar or tick fills an order sent at each crossing, and where one does.

        The first at or after the crossing + latency, if the position is still open there, and so
        before the danger, and the order is no older than an alert may be.

        Returns
        -------
        tuple of ndarray of shape (entries,)
            Indices (of no meaning where nothing fills), and whether the order fills.
        """
        stamps = self.tape.stamps
        oldest = round(self.config.plan.oldest_alert_minutes * MINUTE_NS)
        place = np.searchsorted(stamps, ends.evolved_ns + self.latency_ns, side="left")
        known = np.minimum(place, stamps.size - 1)
        at_ns = stamps[known]
        fills = (ends.evolved >= 0) & (place < stamps.size) & (at_ns < ends.ns)
        return known, fills & (at_ns - ends.evolved_ns <= oldest)


@dataclass(frozen=True, slots=True)
class Evolution:
    """A position's crossing into CRISIS, and the order to add that may follow it.

    Attributes
    ----------
    at_ns : int
    price : float
        The price at the crossing.
    fill : Entry or None
        What an order sent then gets while the position is open; None if nothing.
    """

    at_ns: int
    price: float
    fill: Entry | None


@dataclass(frozen=True, slots=True, eq=False)
class EvolvingPosition:
    """A filled plan, followed to its end.

    Attributes
    ----------
    walked : WalkedTape
    detected_ns : int
        When the condition that it was planned on was known.
    plan : SizedPlan
    order : ExpirationPlan
        The plan before limits of risk, `plan.entry` by its own type.
    entry : Entry
    closed : Closed
    evolution : Evolution or None
    added : SizedPlan or None
        What the governor let be added at the evolution.
    """

    walked: WalkedTape
    detected_ns: int
    plan: SizedPlan
    order: ExpirationPlan
    entry: Entry
    closed: Closed
    evolution: Evolution | None
    added: SizedPlan | None = None

    @classmethod
    def follow(
        cls,
        walked: WalkedTape,
        detected_ns: int,
        plan: SizedPlan,
        order: ExpirationPlan,
        entry: Entry,
        killed_ns: int | None = None,
    ) -> EvolvingPosition:
        """Return a filled plan with its end; a kill at `killed_ns` is a flat instant of its own.

        Look-ahead: the order that follows a kill arrives a latency later.
        """
        tape, config = walked.tape, walked.config
        flat_at, why = flat_ns(tape, entry.at_ns, config), Exit.EXIT_FLAT_BEFORE_CLOSE
        if killed_ns is not None:
            # On ticks an exit takes its order's way by itself.
            way = 0 if tape.bars is None else walked.latency_ns
            arrival = max(killed_ns + way, entry.at_ns)
            if flat_at is None or arrival < flat_at:
                flat_at, why = arrival, Exit.EXIT_KILLED
        ends = walked.ends(
            position_of(order, config, entry.index, flat_ns=flat_at), np.array([entry.price])
        )
        place, fills = walked.additions(ends)
        evolution = None
        if ends.evolved[0] >= 0:
            fill = entry_at(tape, int(place[0]), order.direction) if fills[0] else None
            if fill is not None and fill.at_ns >= order.opens_until_ns:
                fill = None  # the order to add is good until the fixing begins
            evolution = Evolution(int(ends.evolved_ns[0]), float(ends.evolved_price[0]), fill)
        reason = Exit(int(ends.reason[0]))
        if reason is Exit.EXIT_FLAT_BEFORE_CLOSE:
            reason = why
        flags = flag_names(int(ends.flags[0]))
        closed = Closed(int(ends.ns[0]), float(ends.price[0]), reason.name, _WORDS[reason], flags)
        return cls(walked, detected_ns, plan, order, entry, closed, evolution)

    @property
    def ends_ns(self) -> int:
        """When it ends, UTC nanoseconds."""
        return self.closed.at_ns

    def killed(self, killed_ns: int) -> EvolvingPosition:
        """Return it ended by a kill; what had been added before stays added."""
        again = self.follow(
            self.walked, self.detected_ns, self.plan, self.order, self.entry, killed_ns
        )
        return replace(again, added=self.added)

    def addition(self, contracts: float) -> ExpirationPlan | None:
        """Return the order to add so many contracts at the crossing; None where there is none.

        Whether it will fill is not known then, and not asked.

        Its risk is from the price at the crossing to the stop as it is then tightened, never
        loosened (precise.md 34). A position that is beyond its stop already is added nothing, but
        under the source's precedence, which asks about the evolution first and so adds to a loss:
        that addition is sized by the tightened stop alone.
        """
        if self.evolution is None or not contracts > 0.0:
            return None
        order, price = self.order, self.evolution.price
        if self.evolution.at_ns >= order.opens_until_ns:
            return None
        stop = self.entry.price - order.direction * order.stop_distance
        distance = min(order.direction * (price - stop), order.tightened_distance)
        if not distance > 0.0:
            if not self.walked.rules.evolves_first:
                return None
            distance = order.tightened_distance
        return replace(
            order,
            urgency=Urgency.CRISIS.name,
            size_contracts=contracts,
            reference_price=price,
            target_distance=order.direction * (order.target_price - price),
            stop_distance=distance,
        )

    def round_trips(self, costs: CostModel) -> tuple[RoundTrip, ...]:
        """Return the position and, as a round trip of its own, what was added to it."""
        tape, closed = self.walked.tape, self.closed
        own = round_trip(tape, self.plan, self.entry, closed, costs)
        if self._more is None:
            return (own,)
        added, fill = self._more
        return own, replace(round_trip(tape, added, fill, closed, costs), part="addition")

    @property
    def _more(self) -> tuple[SizedPlan, Entry] | None:
        """What was added and where it filled; None where the position ended first."""
        if self.added is None or self.evolution is None or self.evolution.fill is None:
            return None
        return self.added, self.evolution.fill

    def row(self, trips: tuple[RoundTrip, ...], net_usd: float) -> dict[str, object]:
        """Return its row of the `trades` table: one trade, whatever was added to it.

        Target and its distance are as they were from the fill on, the stop as it was before it was
        tightened.
        """
        flags = [self.closed.flags] if self.closed.flags else []
        added = None
        if self.evolution is not None:
            flags.append(EVOLVED)
        if self._more is not None:
            added, _ = self._more
            flags.append(f"{ADDED}{added.size_contracts:.9g}")
        order = self.order
        entry = replace(
            order, target_distance=order.direction * (order.target_price - self.entry.price)
        )
        return trade_row(
            self.detected_ns,
            self.walked.tape,
            replace(self.plan, entry=entry),
            trips,
            replace(self.closed, flags=",".join(flags)),
            net_usd,
            added=added,
        )


def added_contracts_of(flags: str) -> float:
    """Return how many standard contracts a trade's flags say were added; 0 where they say none."""
    for flag in flags.split(","):
        if flag.startswith(ADDED):
            return float(flag.removeprefix(ADDED))
    return 0.0
