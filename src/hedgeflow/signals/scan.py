"""A volume-shock scan: one fold over option prints, the same for a whole day and for one tick."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import SECOND_NS, iso
from hedgeflow.signals import shock
from hedgeflow.signals.demand import DemandTerms, put_demands
from hedgeflow.signals.fold_state import FoldState, empty_entries
from hedgeflow.signals.history import NEVER, VolumeHistory, cell_of, moneyness_bucket
from hedgeflow.signals.implied_move import VolatilityWindow
from hedgeflow.signals.intake import close_gaps, intake_rules, take_in
from hedgeflow.signals.orders import net_legs
from hedgeflow.signals.outputs import ScanOutput, empty_output, joined
from hedgeflow.signals.prints import ContractBook, PrintSlice, slice_of
from hedgeflow.signals.rules import CLOSE, SESSION_PARAMS, PrintRules, record

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.daily_volume import DailyVolumes
    from hedgeflow.signals.fold_arrays import Entries
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
    daily : DailyVolumes, optional
        Baselines of contracts without enough intraday history.

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
        daily: DailyVolumes | None = None,
    ) -> None:
        self.rules = rules
        self.book = ContractBook(terms)
        self.windows_ns = windows_for(rules.windows_ns, resolution_ns)
        self.history = VolumeHistory(sessions, covered, rules.baselines)
        self.daily = daily
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
        self._intake = intake_rules(rules.prints, self.book.lot)
        self._edges = np.array(rules.baselines.moneyness_edges)
        self._resolution_ns = resolution_ns
        self._last_ts = self._known_ns = int(np.iinfo(np.int64).min)

    @property
    def candidates_without_baseline(self) -> int:
        """How often volume passed the floor where there was no baseline (NO_BASELINE)."""
        return int(self._state.cursor[0]["without_baseline"])

    @property
    def baselines(self) -> Baselines | None:
        """The baselines in force, or None before the first print."""
        return self._baselines

    def advance(self, frame: pl.DataFrame) -> ScanOutput:
        """Fold a slice of the option-trades tape; it must not end inside a batch.

        Nothing is detected before every print up to the trigger is known: where `known_at` is
        later than stamp + r, detection waits for it.
        """
        output = self.advance_prints(slice_of(frame, self.book))
        if frame.height:
            known = np.maximum.accumulate(frame["known_at"].dt.timestamp("ns").to_numpy())
            known = np.maximum(known, self._known_ns)
            self._known_ns = int(known[-1])
            stamps = frame["ts"].dt.timestamp("ns").to_numpy()
            last = np.searchsorted(stamps, output.decisions["ts"], side="right") - 1
            np.maximum(output.detected_ns, known[last], out=output.detected_ns)
        return output

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
        baselines = self._baselines
        if baselines is None:  # pragma: no cover - a session has begun by here
            message = "no session has begun"
            raise RuntimeError(message)
        state, terms = self._state, self._demand_terms(self.rules.prints)
        first, end = self._take_in(prints, terms)
        entered = slice(first, end)
        moneyness = np.empty(end - first, np.int32)
        _fill_cells(
            state.entries.contract[entered],
            state.entries.spot[entered],
            self.book.strike,
            self.book.right,
            baselines.days,
            self._edges,
            len(self.rules.baselines.days_edges),
            moneyness,
            state.entries.cell[entered],
        )
        self._volatility.add(prints)
        state.close_slice(first, end)
        self.history.reserve(len(self.book))
        self.history.add(
            state.entries.ts[entered],
            state.entries.contract[entered],
            state.entries.lots[entered],
            moneyness,
        )
        self._fold(baselines, terms)
        return self._collect(prints)

    def _fold(self, baselines: Baselines, terms: DemandTerms) -> None:
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
                baselines.is_daily,
                baselines.bucket,
                baselines.volume_floor,
                self.book.strike_id,
                self.rules.shock,
                self._params,
                terms,
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
            self.book.expiry_ns[before:known],
            closes,
            self.rules.baselines.days_edges,
            self._daily_means(self.book.symbols[before:known]),
        )

    def _refresh_baselines(self) -> None:
        known = len(self.book)
        baselines = self.history.baselines(
            self.book.right[:known], self.book.expiry_ns[:known], self.book.listed_ns[:known]
        )
        self._baselines = baselines.with_daily_means(self._daily_means(self.book.symbols[:known]))

    def _daily_means(self, symbols: list[str]) -> NDArray[np.float64]:
        if self.daily is None:
            return np.full(len(symbols), np.nan)
        return self.daily.means(int(self._sessions.open_ns[self._session]), symbols)

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

        Demand is that of each print on its own: complex orders are not netted. Prints lie in
        sessions, as those that a scan takes in.
        """
        prints = slice_of(frame, self.book)
        self._state.reserve(len(self.book))
        signed = self._signed(prints, self.rules.prints)
        exposure = self._signed(prints, replace(self.rules.prints, assume_bought=True)).demand
        lots = prints.lots * self.book.lot * self.book.multiplier[prints.contract]
        return {
            "sign": signed.sign,
            "rule": signed.rule,
            "probability": self._probabilities[signed.rule],
            "delta": exposure / lots,
            "demand": signed.demand,
        }

    def _signed(self, prints: PrintSlice, rules: PrintRules) -> Entries:
        """Return every print as an entry of its own, its demand settled."""
        count = prints.ts.size
        entries, memory = empty_entries(count, 0), self._state.memory.copy()
        everything = intake_rules(
            replace(rules, complex="include", exclude_conditions=()), self.book.lot
        )
        sessions = self._sessions.index_of(prints.ts)
        bounds = [0, *(np.flatnonzero(np.diff(sessions)) + 1).tolist(), count]
        for start, stop in pairwise(bounds if count else []):
            part, legs = prints.part(start, stop), np.empty((2, stop - start), np.int64)
            take_in(part, int(sessions[start]), everything, memory, entries, start, legs)
        put_demands(entries, np.arange(count), self._demand_terms(rules), np.empty(count))
        return entries

    def _demand_terms(self, rules: PrintRules) -> DemandTerms:
        book = self.book
        return DemandTerms(
            book.right,
            book.strike,
            book.expiry_ns,
            book.multiplier,
            self._probabilities,
            book.lot,
            book.inverse,
            rules.premium_adjusted,
        )

    def _take_in(self, prints: PrintSlice, terms: DemandTerms) -> tuple[int, int]:
        """Put a slice into the window buffer, complex orders netted; return from where to where."""
        state = self._state
        first = state.make_room(prints.ts.size)
        places = np.empty((2, prints.ts.size), np.int64)
        end, count = take_in(
            prints, self._session, self._intake, state.memory, state.entries, first, places
        )
        if count and self.rules.prints.complex == "net":
            ranks = self.book.alphabetical_rank()
            gaps = net_legs(prints, state.entries, places[:, :count], terms, ranks)
            end = close_gaps(state.entries, gaps, end)
        return first, end

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
            decisions["ts"] + self._resolution_ns,
        )


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
