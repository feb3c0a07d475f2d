"""A volume-shock scan: one fold over option prints, the same for a whole day and for one tick."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numba as nb
import numpy as np

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import SECOND_NS, iso
from hedgeflow.signals import shock
from hedgeflow.signals.demand import demand_of_prints
from hedgeflow.signals.fold_state import FoldState
from hedgeflow.signals.history import NEVER, VolumeHistory, cell_of, moneyness_bucket
from hedgeflow.signals.implied_move import VolatilityWindow
from hedgeflow.signals.orders import OrderTape, net_orders, order_groups
from hedgeflow.signals.outputs import ScanOutput, empty_output, joined
from hedgeflow.signals.prints import CONDITIONS, ContractBook, PrintSlice, slice_of
from hedgeflow.signals.rules import CLOSE, SESSION_PARAMS, PrintRules, record

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.hedge_reference import HedgeReference
    from hedgeflow.signals.history import Baselines
    from hedgeflow.signals.scan_rules import ScanRules

_CHUNK_PRINTS = 1 << 18


def windows_for(windows_ns: tuple[int, ...], resolution_ns: int) -> tuple[int, ...]:
    """Return the windows that a tape's stamps can resolve: those of at least 2r (precise.md 2).

    Raises
    ------
    ConfigError
        The configuration asks only for windows finer than that.
    """
    kept = tuple(window for window in windows_ns if window >= 2 * resolution_ns)
    if not kept:
        asked = ", ".join(f"{window / SECOND_NS:g} s" for window in windows_ns)
        raise ConfigError(
            f"windows of {asked} are finer than the tape's stamps, which resolve"
            f" {resolution_ns / SECOND_NS:g} s",
            where="anomaly.windows_seconds",
            hint=f"Ask for a window of at least {2 * resolution_ns / SECOND_NS:g} s",
        )
    return kept


class ShockScan:
    """The fold of one underlying's option tape on one venue.

    Parameters
    ----------
    rules : ScanRules
    terms : polars.DataFrame
        The contracts table.
    sessions : Sessions
        Must span the tape.
    covered : ndarray of shape (n_sessions, slots), bool
        Slots that the tape recorded whole.
    reference : HedgeReference
    resolution_ns : int
        Resolution r of the stamps.

    Notes
    -----
    Look-ahead: baselines and references read sessions before the current one; a slice may end
    anywhere between two stamps, and any slicing gives the same outputs.
    """

    def __init__(
        self,
        rules: ScanRules,
        terms: pl.DataFrame,
        sessions: Sessions,
        covered: NDArray[np.bool_],
        reference: HedgeReference,
        resolution_ns: int,
    ) -> None:
        self.rules = rules
        self.book = ContractBook(terms)
        self.windows_ns = windows_for(rules.windows_ns, resolution_ns)
        self.history = VolumeHistory(sessions, covered, rules.baselines)
        self.outside_sessions = 0
        self.prints = 0
        self._sessions = sessions
        self._reference = reference
        self._state = FoldState(np.array(self.windows_ns, np.int64))
        self._volatility = VolatilityWindow(rules.move, self.book)
        self._session = -1
        self._params = record(
            SESSION_PARAMS,
            open_ns=0,
            threshold=rules.threshold.fixed,
            demand_scale=float("nan"),
            calibrated=0,
            response_a=0.0,
            response_b=0.0,
            smallest_demand=0.0,
        )
        self._scale_volume = float("nan")
        self._baselines: Baselines | None = None
        self._closes: list[NDArray[Any]] = []
        self._probabilities = np.array(rules.prints.probabilities)
        self._edges = np.array(rules.baselines.moneyness_edges)
        self._last_ts = np.iinfo(np.int64).min

    @property
    def candidates_without_baseline(self) -> int:
        """How often volume passed the floor where there was no baseline (NO_BASELINE)."""
        return int(self._state.cursor[0]["without_baseline"])

    @property
    def baselines(self) -> Baselines | None:
        """The baselines in force, or None before the first print."""
        return self._baselines

    def advance(self, frame: pl.DataFrame) -> ScanOutput:
        """Fold a slice of the option-trades tape; it must not end inside a batch."""
        return self.advance_prints(slice_of(frame, self.book))

    def advance_prints(self, prints: PrintSlice) -> ScanOutput:
        """Fold a slice given as arrays.

        Raises
        ------
        ValueError
            The slice begins at or before the last stamp of the one before it.
        """
        if prints.ts.size == 0:
            return empty_output()
        if int(prints.ts[0]) <= self._last_ts:
            message = f"a slice must begin after {iso(self._last_ts)}, was {iso(int(prints.ts[0]))}"
            raise ValueError(message)
        self._last_ts = int(prints.ts[-1])
        self.prints += prints.ts.size
        outputs = [
            self._advance_chunk(prints.part(start, stop), session)
            for session, start, stop in self._chunks(prints.ts)
        ]
        return joined(outputs)

    def finish(self) -> ScanOutput:
        """Close the event that is open at the end of the tape."""
        state = self._state
        shock.finish(
            state.cursor,
            self._last_ts,
            state.event,
            state.members,
            state.member_of,
            self.book.strike_id,
            self.rules.shock,
            state.outputs["closes"],
        )
        return self._collect(None)

    def _chunks(self, ts: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        """Cut a slice at session changes and into pieces that stay in the cache."""
        bounds: list[int] = [0, ts.size]
        index = self._sessions.index_of(ts[[0, -1]])
        if index[0] != index[1] or index[0] < 0:
            index = self._sessions.index_of(ts)
            bounds[1:1] = (np.flatnonzero(np.diff(index)) + 1).tolist()
        chunks: list[tuple[int, int, int]] = []
        for start, stop in pairwise(bounds):
            session = int(index[start])
            if session < 0:
                self.outside_sessions += stop - start
                continue
            place = start
            while place < stop:
                end = min(place + _CHUNK_PRINTS, stop)
                last = int(ts[end - 1])
                end = place + int(np.searchsorted(ts[place:stop], last, side="right"))
                chunks.append((session, place, end))
                place = end
        return chunks

    def _advance_chunk(self, prints: PrintSlice, session: int) -> ScanOutput:
        self._state.reserve(len(self.book))
        if session != self._session:
            self._begin_session(session)
        elif self._baselines is not None and self._baselines.days.size < len(self.book):
            self._extend_baselines(self._baselines)
        tape = self._order_tape(prints)
        moneyness = np.empty(tape.ts.size, np.int32)
        cells = np.empty(tape.ts.size, np.int32)
        baselines = self._baselines
        if baselines is None:  # pragma: no cover - a session has begun by here
            message = "no session has begun"
            raise RuntimeError(message)
        _fill_cells(
            tape.contract,
            tape.spot,
            self.book.strike,
            self.book.right,
            baselines.days,
            self._edges,
            len(self.rules.baselines.days_edges),
            moneyness,
            cells,
        )
        self._volatility.add(prints)
        self._state.append(tape, cells)
        self._fold(baselines)
        self.history.reserve(len(self.book))
        self.history.add(tape.ts, tape.contract, tape.lots, moneyness)
        return self._collect(prints)

    def _fold(self, baselines: Baselines) -> None:
        state = self._state
        status = shock.OUTPUT_FULL
        while status == shock.OUTPUT_FULL:
            status = shock.fold(
                state.cursor,
                state.entries,
                state.windows_ns,
                state.armed,
                state.last_entry,
                state.member_of,
                state.touched,
                state.members,
                state.event,
                baselines.contract,
                baselines.bucket,
                baselines.volume_floor,
                self.book.strike_id,
                self.rules.shock,
                self._params,
                state.outputs["anomalies"],
                state.outputs["decisions"],
                state.outputs["members"],
                state.outputs["closes"],
            )
            if status == shock.OUTPUT_FULL:
                state.grow_outputs()

    def _begin_session(self, session: int) -> None:
        self._session = session
        self.history.begin(session)
        self._refresh_baselines()
        closes = np.concatenate(self._closes) if self._closes else np.zeros(0, CLOSE)
        open_ns = int(self._sessions.open_ns[session])
        reference = self._reference.session(open_ns, closes)
        params = self._params[0]
        params["open_ns"] = open_ns
        params["threshold"] = self._threshold(session, closes)
        known = reference.scale_volume is not None and reference.scale_volume > 0
        self._scale_volume = float(reference.scale_volume or "nan") if known else float("nan")
        params["demand_scale"] = 1.0
        if self.rules.reference_demand is not None:
            params["demand_scale"] = self.rules.reference_demand / self._scale_volume
        response = reference.response
        params["calibrated"] = response is not None
        params["response_a"] = response.a if response else 0.0
        params["response_b"] = response.b if response else 0.0
        params["smallest_demand"] = response.smallest_demand if response else 0.0

    def _extend_baselines(self, baselines: Baselines) -> None:
        """Give contracts first met in this session a place; unlisted ones have no history."""
        known, before = len(self.book), baselines.days.size
        if (self.book.listed_ns[before:known] != NEVER).any():
            self._refresh_baselines()
            return
        closes = int(self._sessions.close_ns[self._session])
        self._baselines = baselines.with_new_contracts(
            self.book.expiry_ns[before:known], closes, self.rules.baselines.days_edges
        )

    def _refresh_baselines(self) -> None:
        known = len(self.book)
        self._baselines = self.history.baselines(
            self.book.right[:known], self.book.expiry_ns[:known], self.book.listed_ns[:known]
        )

    def _threshold(self, session: int, closes: NDArray[Any]) -> float:
        rules = self.rules.threshold
        if rules.quantile is None:
            return rules.fixed
        since = int(self._sessions.open_ns[max(0, session - rules.sessions)])
        counted = (closes["first_ns"] >= since) & (closes["no_scale"] == 0)
        pressures = closes["largest_pressure"][counted]
        if pressures.size < rules.events_needed:
            return rules.fixed
        return float(np.quantile(pressures, rules.quantile))

    def signed_prints(self, frame: pl.DataFrame) -> dict[str, NDArray[Any]]:
        """Return sign, rule, probability, delta and demand of prints, leaving the scan as it is.

        Demand is that of each print on its own: complex orders are not netted.
        """
        prints = slice_of(frame, self.book)
        self._state.reserve(len(self.book))
        session = int(self._sessions.index_of(prints.ts[:1])[0]) if prints.ts.size else -1
        signed = self._signed(prints, session, self._state.memory.copy(), self.rules.prints)
        bought = replace(self.rules.prints, assume_bought=True)
        exposure = self._signed(prints, session, self._state.memory.copy(), bought).demand
        lots = prints.lots * self.book.lot * self.book.multiplier[prints.contract]
        return {
            "sign": np.rint(signed.demand / np.where(exposure == 0, np.inf, exposure)),
            "rule": signed.rule,
            "probability": self._probabilities[signed.rule],
            "delta": exposure / lots,
            "demand": signed.demand,
        }

    def _signed(
        self, prints: PrintSlice, session: int, memory: NDArray[Any], rules: PrintRules
    ) -> _Signed:
        count, book = prints.ts.size, self.book
        signed = _Signed(
            np.empty(count),
            np.empty(count),
            np.empty(count),
            np.empty(count),
            np.empty(count, np.uint8),
        )
        demand_of_prints(
            prints.ts,
            prints.contract,
            prints.price,
            prints.lots,
            prints.aggressor,
            prints.iv,
            prints.spot,
            prints.bid,
            prints.ask,
            _is_leg(prints),
            session,
            rules.assume_bought,
            book.inverse,
            rules.premium_adjusted,
            book.lot,
            self._probabilities,
            book.right,
            book.strike,
            book.expiry_ns,
            book.multiplier,
            memory,
            signed.demand,
            signed.expected,
            signed.variance,
            signed.unsigned,
            signed.rule,
        )
        return signed

    def _order_tape(self, prints: PrintSlice) -> OrderTape:
        rules, book = self.rules.prints, self.book
        signed = self._signed(prints, self._session, self._state.memory, rules)
        tape = OrderTape(
            prints.ts,
            prints.contract,
            prints.lots,
            signed.demand,
            signed.expected,
            signed.variance,
            prints.spot,
            signed.rule,
            prints.lots >= rules.institutional_contracts / book.lot,
        )
        keep = np.ones(prints.ts.size, np.bool_)
        for condition in rules.exclude_conditions:
            keep &= prints.condition != CONDITIONS.index(condition)
        is_leg = _is_leg(prints)
        if rules.complex == "exclude":
            keep &= ~is_leg
        elif rules.complex == "net" and is_leg.any():
            legs = np.flatnonzero(is_leg & keep)
            groups = order_groups(prints.ts[legs], prints.combo[legs], prints.block[legs])
            netted, standing = net_orders(
                tape, signed.unsigned, legs, groups, book.alphabetical_rank()
            )
            return netted.keep(keep & standing)
        return tape if keep.all() else tape.keep(keep)

    def _collect(self, prints: PrintSlice | None) -> ScanOutput:
        taken = self._state.take_outputs()
        decisions = taken["decisions"]
        if taken["closes"].size:
            self._closes.append(taken["closes"])
        volatility = np.full(decisions.size, np.nan)
        sources: list[str] = []
        for row in range(decisions.size):
            now = int(decisions["ts"][row])
            if prints is not None:
                last = int(np.searchsorted(prints.ts, now, side="right")) - 1
                decisions["spot"][row] = prints.spot[last]
            sigma, source = self._volatility.at_the_money(now), "implied"
            if sigma is None:
                sigma, source = self._reference.realised_volatility(now), "realised"
            volatility[row] = float("nan") if sigma is None else sigma
            sources.append("none" if sigma is None else source)
        return ScanOutput(
            taken["anomalies"],
            decisions,
            taken["members"],
            taken["closes"],
            volatility,
            tuple(sources),
            np.full(decisions.size, self._scale_volume),
        )


class _Signed(NamedTuple):
    """What signing and delta give each print."""

    demand: NDArray[np.float64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    unsigned: NDArray[np.float64]
    rule: NDArray[np.uint8]


def _is_leg(prints: PrintSlice) -> NDArray[np.bool_]:
    return (prints.combo >= 0) | (prints.block >= 0)


@nb.njit(cache=True, error_model="numpy")
def _fill_cells(
    contract: NDArray[np.int32],
    spot: NDArray[np.float64],
    strike: NDArray[np.float64],
    right: NDArray[np.int8],
    days: NDArray[np.int32],
    edges: NDArray[np.float64],
    days_count: int,
    moneyness: NDArray[np.int32],
    cells: NDArray[np.int32],
) -> None:
    for i in range(contract.size):
        c: int = contract[i]
        bucket = moneyness_bucket(strike[c] / spot[i], edges)
        moneyness[i] = bucket
        cells[i] = cell_of(right[c], bucket, days[c], edges.size + 1, days_count)
