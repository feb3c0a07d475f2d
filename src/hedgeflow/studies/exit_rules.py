"""How positions of a strategy end wherever they were entered: what a null follows its draws by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hedgeflow.fills import order_arrival_ns
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.expiries import fixing_minutes
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.replay.evolving import WalkedTape, added_contracts_of
from hedgeflow.signals.settlement_rules import Urgency
from hedgeflow.strategies.exits import NEVER_DUE_NS, OUT_OF_REACH
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.exits import NEVER_NS, Positions
from hedgeflow.strategies.expiration_pressure.plan import buffer_minutes
from hedgeflow.strategies.path_index import PathIndex
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.exits import exit_on_bars_many
from hedgeflow.strategies.volume_shock.path_index import exit_on_path_many
from hedgeflow.strategies.volume_shock.plan import watched_levels

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.replay import HedgeTape
    from hedgeflow.strategies.settings import StrategyConfig


class ExitRule(Protocol):
    """The way out of some trades, from any entry on either side."""

    @property
    def words(self) -> str:
        """What stays as it was, for the description of a null."""
        ...

    def closed_from_ns(self) -> NDArray[np.int64]:
        """Return from when on each trade could not have been entered any more, shape (trades,)."""
        ...

    def prices(
        self, of: NDArray[np.int64], fill_ns: NDArray[np.int64], side: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return at what prices entries were filled and left.

        Parameters
        ----------
        of, fill_ns : ndarray of shape (entries,), int64
            Which trade is entered, and from when on it is filled.
        side : float
            +1 buys, -1 sells, every one of them.
        """
        ...


def exit_rule(trades: pl.DataFrame, tape: HedgeTape, config: StrategyConfig) -> ExitRule:
    """Return how the strategy of a configuration leaves its trades on a tape.

    Raises
    ------
    ConfigError
        No rule is known for that strategy.
    """
    if isinstance(config, VolumeShockConfig):
        return BarrierExits(trades, tape, config, path_of(tape))
    if isinstance(config, ExpirationPressureConfig):
        return ExpiryExits(trades, WalkedTape.of(tape, config))
    raise ConfigError(f"how '{config.STRATEGY}' leaves its positions is not known to any null")


@dataclass(frozen=True, slots=True, eq=False)
class BarrierExits:
    """Target, stop and time limit, all from the fill: the way out of a volume shock.

    Attributes
    ----------
    trades : polars.DataFrame
    tape : HedgeTape
    config : VolumeShockConfig
    path : PathIndex or None
        Of the tape's ticks; None on bars.
    """

    trades: pl.DataFrame
    tape: HedgeTape
    config: VolumeShockConfig
    path: PathIndex | None

    @property
    def words(self) -> str:
        """What stays as it was."""
        return "the same target, stop, time limit and costs"

    def closed_from_ns(self) -> NDArray[np.int64]:
        """Return when the strategy is flat before the close."""
        return flat_from_ns(self.tape, self.trades["entry_ns"].to_numpy(), self.config)

    def prices(
        self, of: NDArray[np.int64], fill_ns: NDArray[np.int64], side: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return at what prices entries were filled and left; a kill ends none of them."""
        tape, config = self.tape, self.config
        target, stop, limit = watched_levels(
            self.trades["target_distance"].to_numpy()[of],
            self.trades["stop_distance"].to_numpy()[of],
            limit_ns(self.trades)[of],
            config.plan,
        )
        if tape.sessions.calendar != ALWAYS_OPEN:
            left_ns = flat_from_ns(tape, fill_ns, config) - fill_ns
            limit = np.minimum(limit, np.maximum(0, left_ns))
        place, entered = filled(tape, fill_ns, side)
        if tape.bars is not None:
            exits = exit_on_bars_many(
                tape.bars, place, side, target, stop, limit, gap_bars=config.plan.gap_bars
            )
            return entered, exits.price
        assert self.path is not None  # noqa: S101 - a tape has bars or ticks
        latency_ns = order_arrival_ns(0, config.costs.latency_ms)
        exits = exit_on_path_many(self.path, place, entered, side, target, stop, limit, latency_ns)
        return entered, exits.price


@dataclass(frozen=True, slots=True, eq=False)
class ExpiryExits:
    """The way out of an expiration pressure: towards the trade's own expiry, as it was managed.

    From another entry a trade keeps its distances to target and stop, its urgency at the entry, its
    expiry and the instant of its time limit. It evolves by the same rules if it is open at the
    crossing, and is then added to in the proportion in which the trade itself was; a trade that
    ended before its crossing was added nothing, and so are its draws.

    Attributes
    ----------
    trades : polars.DataFrame
    walked : WalkedTape
    """

    trades: pl.DataFrame
    walked: WalkedTape

    @property
    def words(self) -> str:
        """What stays as it was."""
        return (
            "the same distances to target and stop, the same expiry, evolution and last instant,"
            " and the same costs"
        )

    def closed_from_ns(self) -> NDArray[np.int64]:
        """Return the instant of each trade's time limit, or when expiry or fixing was too near."""
        walked, entry = self.walked, self.trades["entry_ns"].to_numpy()
        expiry = self._expiry_ns()
        closing = np.minimum(expiry - walked.closing_ns + 1, self._fixing_from_ns(expiry))
        flat = flat_from_ns(walked.tape, entry, walked.config)
        last = np.minimum(np.minimum(entry + limit_ns(self.trades), closing), flat)
        # On ticks an order is sent at a whole minute and filled a latency later.
        return last if walked.tape.bars is not None else last - walked.latency_ns

    def prices(
        self, of: NDArray[np.int64], fill_ns: NDArray[np.int64], side: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what a unit cost on average, additions included, and what it was left at."""
        walked, trades = self.walked, self.trades
        plan, tape = walked.config.plan, walked.tape
        place, entered = filled(tape, fill_ns, side)
        target = trades["target_distance"].to_numpy()[of]
        stop = trades["stop_distance"].to_numpy()[of]
        tightened = plan.tightened_stop_points * trades["point"].to_numpy()[of]
        expiry = self._expiry_ns()[of]
        own_end = (trades["entry_ns"].to_numpy() + limit_ns(trades))[of]
        positions = Positions(
            entry=place,
            direction=side,
            target=entered + side * target if plan.target else side * OUT_OF_REACH,
            stop_distance=stop if plan.stop else OUT_OF_REACH,
            tightened_distance=tightened if plan.stop else OUT_OF_REACH,
            limit_ns=own_end - tape.stamps[place] if plan.time_limit else NEVER_DUE_NS,
            expiry_ns=expiry,
            urgency=self._urgency()[of],
            flat_ns=NEVER_NS
            if tape.sessions.calendar == ALWAYS_OPEN
            else flat_from_ns(tape, fill_ns, walked.config),
        )
        ends = walked.ends(positions, entered)
        share = self._added_share()[of]
        where, fills = walked.additions(ends)
        share = np.where(fills, share, 0.0)
        _, more = filled(tape, tape.stamps[where], side)
        return entered + share * (more - entered), ends.price

    def _urgency(self) -> NDArray[np.int64]:
        """Return the urgency of each trade at its entry."""
        return np.array([Urgency[name] for name in self.trades["urgency"]], np.int64)

    def _expiry_ns(self) -> NDArray[np.int64]:
        """Return each trade's expiry: its decision, its time limit and the buffer behind that."""
        rules = self.walked.config.plan
        buffers = np.array([buffer_minutes(urgency, rules) for urgency in Urgency])
        minutes = self.trades["limit_minutes"].to_numpy() + buffers[self._urgency()]
        return self.trades["detected_ns"].to_numpy() + np.rint(minutes * MINUTE_NS).astype(np.int64)

    def _fixing_from_ns(self, expiry_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return from when on nothing is opened because settlement prices are averaged."""
        if self.walked.config.plan.trade_in_fixing:
            return expiry_ns
        minutes = [
            fixing_minutes(underlying, at)
            for underlying, at in zip(self.trades["underlying"], expiry_ns.tolist(), strict=True)
        ]
        return expiry_ns - np.rint(np.array(minutes) * MINUTE_NS).astype(np.int64)

    def _added_share(self) -> NDArray[np.float64]:
        """Return what share of each trade's size had been added."""
        added = np.array([added_contracts_of(flags) for flags in self.trades["flags"]])
        return added / self.trades["size_contracts"].to_numpy()


def path_of(tape: HedgeTape) -> PathIndex | None:
    """Return what first passages on ticks need; None on bars."""
    return None if tape.ticks is None else PathIndex.of(*tape.ticks[:3])


def limit_ns(trades: pl.DataFrame) -> NDArray[np.int64]:
    """Return the trades' time limits from their entries, nanoseconds."""
    return np.rint(trades["limit_minutes"].to_numpy() * MINUTE_NS).astype(np.int64)


def filled(
    tape: HedgeTape, fill_ns: NDArray[np.int64], side: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which bar or tick fills orders that are at the venue at instants, and at what price.

    Where the tape has ended, its last.
    """
    stamps = tape.stamps
    place = np.minimum(np.searchsorted(stamps, fill_ns), stamps.size - 1)
    if tape.bars is not None:
        return place, tape.bars.open[place]
    assert tape.ticks is not None  # noqa: S101 - a tape has bars or ticks
    return place, (tape.ticks.ask if side > 0 else tape.ticks.bid)[place]


def flat_from_ns(
    tape: HedgeTape, at_ns: NDArray[np.int64], config: StrategyConfig
) -> NDArray[np.int64]:
    """Return from when the strategy is flat in the session of each instant."""
    sessions = tape.sessions
    index = np.searchsorted(sessions.open_ns, at_ns, side="right") - 1
    if sessions.calendar == ALWAYS_OPEN:
        return sessions.close_ns[index]
    return sessions.close_ns[index] - round(config.risk.flat_before_close_minutes * MINUTE_NS)
