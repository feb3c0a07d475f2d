"""Volume history: what each contract and each bucket of contracts traded in past sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from hedgeflow.market.time import DAY_NS, SLOT_NS, SLOTS_PER_BUCKET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.rules import BaselineRules

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class SessionVolume:
    """What one session traded, a row per contract, slot and moneyness bucket, slots ascending.

    Attributes
    ----------
    session : int
        Index in the scan's sessions.
    contract, moneyness : ndarray of shape (n,), int32
    slot : ndarray of shape (n,), int32
    lots : ndarray of shape (n,), int64
    """

    session: int
    contract: NDArray[np.int32]
    slot: NDArray[np.int32]
    moneyness: NDArray[np.int32]
    lots: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Normal 5-minute volume for one session, from earlier sessions only.

    Attributes
    ----------
    contract : ndarray of shape (buckets, contracts), float64
        Mean lots per covered slot, or per slot of whole days; NaN under the needed history.
    is_daily : ndarray of shape (buckets, contracts), bool
        Where `contract` comes from daily volumes, for want of intraday history.
    bucket : ndarray of shape (buckets, cells), float64
        Mean lots per contract and covered slot of the cell; NaN without history.
    volume_floor : ndarray of shape (buckets, cells), float64
        Nearest-rank quantile of the cell's (contract, slot) volumes; NaN without pairs.
    days : ndarray of shape (contracts,), int32
        Days-to-expiry bucket of each contract in this session.
    """

    contract: NDArray[np.float64]
    is_daily: NDArray[np.bool_]
    bucket: NDArray[np.float64]
    volume_floor: NDArray[np.float64]
    days: NDArray[np.int32]

    def with_daily_means(self, means: NDArray[np.float64]) -> Baselines:
        """Return the same baselines, contracts without intraday history taking their days'.

        Parameters
        ----------
        means : ndarray of shape (contracts,), float64
            Mean lots per slot of past sessions, the same for every bucket; NaN where unknown.
        """
        filled = np.isnan(self.contract) & ~np.isnan(means)
        return replace(
            self, contract=np.where(filled, means, self.contract), is_daily=self.is_daily | filled
        )

    def with_new_contracts(
        self,
        expiry_ns: NDArray[np.int64],
        session_close_ns: int,
        edges: tuple[int, ...],
        means: NDArray[np.float64],
    ) -> Baselines:
        """Return the same baselines with contracts added that have no intraday history.

        Parameters
        ----------
        expiry_ns : ndarray of shape (contracts,), int64
        session_close_ns : int
        edges : tuple of int
            Of the days to expiry.
        means : ndarray of shape (contracts,), float64
            As for `with_daily_means`.
        """
        shape = (self.contract.shape[0], means.size)
        is_known = np.broadcast_to(~np.isnan(means), shape)
        days = days_buckets(expiry_ns, session_close_ns, edges)
        return Baselines(
            contract=np.concatenate((self.contract, np.broadcast_to(means, shape)), axis=1),
            is_daily=np.concatenate((self.is_daily, is_known), axis=1),
            bucket=self.bucket,
            volume_floor=self.volume_floor,
            days=np.concatenate((self.days, days)),
        )


def days_buckets(
    expiry_ns: NDArray[np.int64], session_close_ns: int, edges: tuple[int, ...]
) -> NDArray[np.int32]:
    """Return the days-to-expiry bucket of each contract: calendar days, edges 0 1 2 8 31 91.

    A session's date is that of its last instant: a futures session opens on the evening before.
    """
    days = expiry_ns // DAY_NS - (session_close_ns - 1) // DAY_NS
    return np.maximum(0, np.searchsorted(np.array(edges), days, side="right") - 1).astype(np.int32)


@nb.njit(cache=True)
def moneyness_bucket(ratio: float, edges: NDArray[np.float64]) -> int:
    """Return the bucket of K/S: how many edges are at or below it."""
    bucket = 0
    for edge in edges:
        bucket += ratio >= edge
    return bucket


@nb.njit(cache=True)
def cell_of(right: int, moneyness: int, days: int, moneyness_count: int, days_count: int) -> int:
    """Return the flat index of a (right, moneyness, days) cell; `right` is +1 or -1."""
    side = 0 if right > 0 else 1
    return (side * moneyness_count + moneyness) * days_count + days


class VolumeHistory:
    """Collects a session's volumes slot by slot and keeps past sessions as long as they matter.

    Parameters
    ----------
    sessions : Sessions
    covered : ndarray of shape (n_sessions, slots), bool
        Which slots the tape recorded whole; only sessions before the current one are read.
    rules : BaselineRules
    """

    def __init__(
        self, sessions: Sessions, covered: NDArray[np.bool_], rules: BaselineRules
    ) -> None:
        self._sessions = sessions
        self._covered = covered
        self._rules = rules
        self._past: list[SessionVolume] = []
        self._first_session = np.empty(0, np.int64)
        self._current = -1
        self._slot = -1
        self._pending = np.zeros((0, len(rules.moneyness_edges) + 1), np.int64)
        self._rows: list[tuple[NDArray[np.int64], ...]] = []

    @property
    def past(self) -> list[SessionVolume]:
        """The sessions kept, oldest first."""
        return self._past

    def reserve(self, contracts: int) -> None:
        """Make room for so many contracts."""
        missing = contracts - self._first_session.size
        if missing > 0:
            self._first_session = np.concatenate(
                (self._first_session, np.full(missing, NEVER, np.int64))
            )
            width = self._pending.shape[1]
            self._pending = np.concatenate((self._pending, np.zeros((missing, width), np.int64)))

    def add(
        self,
        ts: NDArray[np.int64],
        contract: NDArray[np.int32],
        lots: NDArray[np.int64],
        moneyness: NDArray[np.int32],
    ) -> None:
        """Count entries of the current session, in time order."""
        if ts.size == 0:
            return
        open_ns = int(self._sessions.open_ns[self._current])
        stop = 0
        while stop < ts.size:
            start = stop
            slot = (int(ts[start]) - open_ns) // SLOT_NS
            stop = int(np.searchsorted(ts, open_ns + (slot + 1) * SLOT_NS))
            if slot != self._slot:
                self._flush_slot()
                self._slot = slot
            _count(
                self._pending,
                self._first_session,
                self._current,
                contract[start:stop],
                lots[start:stop],
                moneyness[start:stop],
            )

    def _flush_slot(self) -> None:
        if self._slot < 0:
            return
        contract, moneyness = np.nonzero(self._pending)
        lots = self._pending[contract, moneyness]
        self._pending[contract, moneyness] = 0
        slot = np.full(contract.size, self._slot, np.int64)
        self._rows.append((contract, slot, moneyness, lots))

    def begin(self, session: int) -> None:
        """Close the session at hand and begin another."""
        if self._current >= 0:
            self._flush_slot()
            if self._rows:
                columns = [np.concatenate(parts) for parts in zip(*self._rows, strict=True)]
                self._past.append(
                    SessionVolume(
                        self._current,
                        columns[0].astype(np.int32),
                        columns[1].astype(np.int32),
                        columns[2].astype(np.int32),
                        columns[3],
                    )
                )
        self._rows = []
        self._slot = -1
        self._current = session
        used = self._used_sessions(session)
        oldest = min((int(chosen[0]) for chosen in used if chosen.size), default=session)
        self._past = [volume for volume in self._past if volume.session >= oldest]

    def _used_sessions(self, session: int) -> list[NDArray[np.int64]]:
        """Per time-of-day bucket, the last sessions before this one with a covered slot there."""
        counts = self._covered_slots(session)
        return [
            np.flatnonzero(counts[:, bucket])[-self._rules.sessions :]
            for bucket in range(counts.shape[1])
        ]

    def _covered_slots(self, session: int) -> NDArray[np.int64]:
        covered = self._covered[:session]
        buckets = self._sessions.buckets
        padded = np.zeros((covered.shape[0], buckets * SLOTS_PER_BUCKET), np.bool_)
        padded[:, : covered.shape[1]] = covered
        return padded.reshape(covered.shape[0], buckets, SLOTS_PER_BUCKET).sum(axis=2)

    def baselines(
        self, right: NDArray[np.int8], expiry_ns: NDArray[np.int64], listed_ns: NDArray[np.int64]
    ) -> Baselines:
        """Return the current session's baselines.

        Look-ahead: reads sessions before the current one only.

        Parameters
        ----------
        right, expiry_ns, listed_ns : ndarray of shape (contracts,)
            Terms of the contracts met so far.
        """
        session, rules = self._current, self._rules
        contracts = right.size
        self.reserve(contracts)
        counts = self._covered_slots(session)
        used = self._used_sessions(session)
        buckets = len(used)
        moneyness_count = len(rules.moneyness_edges) + 1
        days_count = len(rules.days_edges)
        cells = 2 * moneyness_count * days_count
        is_used = np.zeros((session + 1, buckets), np.bool_)
        for bucket, chosen in enumerate(used):
            is_used[chosen, bucket] = True
        first = np.minimum(
            self._first_session[:contracts],
            np.searchsorted(self._sessions.open_ns, listed_ns, side="right") - 1
            if contracts
            else np.empty(0, np.int64),
        )
        first = np.where(listed_ns == NEVER, self._first_session[:contracts], first)
        volume = np.zeros((buckets, contracts))
        cell_volume = np.zeros((buckets, cells))
        pairs = np.zeros((buckets, cells), np.int64)
        rows_key: list[NDArray[np.int64]] = []
        rows_lots: list[NDArray[np.int64]] = []
        for past in self._past:
            closed = int(self._sessions.close_ns[past.session])
            key, lots = _add_session(
                past.contract,
                past.slot,
                past.moneyness,
                past.lots,
                self._covered[past.session],
                is_used[past.session],
                counts[past.session],
                right,
                days_buckets(expiry_ns, closed, rules.days_edges),
                moneyness_count,
                days_count,
                volume,
                cell_volume,
                pairs,
            )
            rows_key.append(key)
            rows_lots.append(lots)
        mean, enough = _contract_means(volume, counts, used, first, rules.history_sessions)
        bucket_mean = np.full((buckets, cells), np.nan)
        np.divide(cell_volume, pairs, out=bucket_mean, where=pairs > 0)
        floor = _nearest_rank(rows_key, rows_lots, pairs, rules.quantile)
        return Baselines(
            contract=np.where(enough, mean, np.nan),
            is_daily=np.zeros(enough.shape, np.bool_),
            bucket=bucket_mean,
            volume_floor=floor,
            days=days_buckets(expiry_ns, int(self._sessions.close_ns[session]), rules.days_edges),
        )


@nb.njit(cache=True)
def _count(
    pending: NDArray[np.int64],
    first_session: NDArray[np.int64],
    session: int,
    contract: NDArray[np.int32],
    lots: NDArray[np.int64],
    moneyness: NDArray[np.int32],
) -> None:
    for i in range(contract.size):
        pending[contract[i], moneyness[i]] += lots[i]
        first_session[contract[i]] = min(first_session[contract[i]], session)


@nb.njit(cache=True)
def _add_session(
    contract: NDArray[np.int32],
    slot: NDArray[np.int32],
    moneyness: NDArray[np.int32],
    lots: NDArray[np.int64],
    covered: NDArray[np.bool_],
    is_used: NDArray[np.bool_],
    slots_of_bucket: NDArray[np.int64],
    right: NDArray[np.int8],
    days: NDArray[np.int32],
    moneyness_count: int,
    days_count: int,
    volume: NDArray[np.float64],
    cell_volume: NDArray[np.float64],
    pairs: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Add a past session's covered rows, slots ascending, to volumes and (contract, slot) pairs.

    Returns the flat (bucket, cell) and the lots of each row added.
    """
    cells = pairs.shape[1]
    key, added = np.empty(contract.size, np.int64), np.empty(contract.size, np.int64)
    counted_in = np.full((right.size, moneyness_count), -1, np.int32)
    count = 0
    for i in range(contract.size):
        bucket = slot[i] // SLOTS_PER_BUCKET
        if not (covered[slot[i]] and is_used[bucket]):
            continue
        c: int = contract[i]
        cell = cell_of(right[c], moneyness[i], days[c], moneyness_count, days_count)
        volume[bucket, c] += lots[i]
        cell_volume[bucket, cell] += lots[i]
        if counted_in[c, moneyness[i]] != bucket:
            counted_in[c, moneyness[i]] = bucket
            pairs[bucket, cell] += slots_of_bucket[bucket]
        key[count] = bucket * cells + cell
        added[count] = lots[i]
        count += 1
    return key[:count], added[:count]


def _contract_means(
    volume: NDArray[np.float64],
    counts: NDArray[np.int64],
    used: list[NDArray[np.int64]],
    first: NDArray[np.int64],
    history_sessions: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return mean lots per covered slot since the first print, and where history suffices."""
    mean = np.zeros_like(volume)
    enough = np.zeros(volume.shape, np.bool_)
    for bucket, chosen in enumerate(used):
        since = np.searchsorted(chosen, first, side="left")
        slots_from = np.concatenate((np.cumsum(counts[chosen, bucket][::-1])[::-1], [0]))
        slots = slots_from[since]
        np.divide(volume[bucket], slots, out=mean[bucket], where=slots > 0)
        enough[bucket] = chosen.size - since >= history_sessions
    return mean, enough


def _nearest_rank(
    keys: list[NDArray[np.int64]],
    lots: list[NDArray[np.int64]],
    pairs: NDArray[np.int64],
    quantile: float,
) -> NDArray[np.float64]:
    """Return the nearest-rank quantile of each cell's volumes, silent pairs counting as zero."""
    floor = np.full(pairs.size, np.nan)
    total = pairs.ravel()
    floor[total > 0] = 0.0
    if keys:
        volume, stops = _grouped(np.concatenate(keys), np.concatenate(lots), total.size)
        sizes = np.diff(stops, prepend=0)
        places = np.ceil(quantile * total - 1e-9).astype(np.int64) - 1 - (total - sizes)
        for cell in np.flatnonzero((sizes > 0) & (places >= 0)):
            spoken = volume[stops[cell] - sizes[cell] : stops[cell]]
            floor[cell] = np.partition(spoken, places[cell])[places[cell]]
    return floor.reshape(pairs.shape)


@nb.njit(cache=True)
def _grouped(
    key: NDArray[np.int64], lots: NDArray[np.int64], groups: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lots ordered by key, and where each key's end."""
    place = np.zeros(groups + 1, np.int64)
    for group in key:
        place[group + 1] += 1
    place = np.cumsum(place)
    grouped = np.empty_like(lots)
    for i in range(key.size):
        grouped[place[key[i]]] = lots[i]
        place[key[i]] += 1
    return grouped, place[:groups]
