"""The scan for expiration pressure: one fold for snapshots and for streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from hedgeflow.market.errors import DataError
from hedgeflow.market.time import MINUTE_NS, iso
from hedgeflow.signals.open_interest_state import chain_arrays, no_interest
from hedgeflow.signals.settlement_events import BEFORE_ANYTHING, check_events
from hedgeflow.signals.settlement_fold import fold
from hedgeflow.signals.settlement_history import PressureHistory
from hedgeflow.signals.settlement_rules import COUNTS, NOTICE, SAMPLE, NoticeKind
from hedgeflow.signals.settlement_samples import Samples
from hedgeflow.signals.settlement_state import (
    CURSOR,
    MARKET,
    LiveExpiry,
    no_alerts,
    no_outputs,
    rules_record,
)
from hedgeflow.signals.settlement_timetable import (
    Due,
    in_order,
    listed_strikes,
    no_expiry,
    time_factors,
    timetable,
)
from hedgeflow.signals.settlement_view import pressures, rungs, samples

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hedgeflow.signals.chain import Chain
    from hedgeflow.signals.open_interest_state import StrikeInterest
    from hedgeflow.signals.settlement_rules import PressureRules

_SMALLEST_OUTPUT: Final = 4_096


class SettlementOutput(NamedTuple):
    """What a slice of events gave, in the order of time.

    Attributes
    ----------
    conditions : ndarray of `CONDITION`
    notices : ndarray of `NOTICE`
    samples : ndarray of `SAMPLE`
        Of expiries that are over since the last slice.
    """

    conditions: NDArray[Any]
    notices: NDArray[Any]
    samples: NDArray[Any]


class SettlementScan:
    """Pressure, alert conditions, notices and samples of one underlying's expiries.

    Today's expiry is the next expiration instant, if it is within 24 hours (precise.md 29). Every
    batch with a price, or with open interest of that expiry, is an evaluation of all its strikes.
    At an expiration instant, and after it, that expiry has no pressure and gives no alert.

    Parameters
    ----------
    rules : PressureRules
    chain : Chain
    session_minutes : array_like of shape (expiries,), optional
        Length of each expiry's session, minutes; needed where rules scale time by it.

    Raises
    ------
    DataError
        Rules scale time by the session, and lengths are missing or not positive.

    Notes
    -----
    Look-ahead: an output depends on events known at or before its own instant. Strikes count from
    their listing; thresholds, ranks and the empirical model rest on expiries that are over.
    Slices of any size give the same output. Memory is bounded by contracts and, where rules ask
    for history, by strikes x 181 whole minutes x expiries remembered.
    """

    def __init__(
        self, rules: PressureRules, chain: Chain, session_minutes: ArrayLike | None = None
    ) -> None:
        self.rules = rules
        self.chain = chain
        self._record = rules_record(rules)
        self._time_factors = time_factors(rules, chain, session_minutes)
        self._arrays = chain_arrays(chain)
        self._known, self._strikes = no_interest(chain, rules.gamma_convention)
        self._market = np.zeros(1, MARKET)
        for name in ("price", "sigma", "scale"):
            self._market[name] = np.nan
        self._market["price_ns"] = BEFORE_ANYTHING
        self._alerts = no_alerts(chain.strike.size)
        self._out = no_outputs(np.zeros(1, CURSOR), max(_SMALLEST_OUTPUT, chain.strike.size))
        self._counts = np.zeros(chain.expiry_ns.size, COUNTS)
        self._counts["expiry_ns"] = chain.expiry_ns
        self._counts["finish"] = np.nan
        self._history = PressureHistory(rules.quantile_expiries, rules.quantile)
        self._samples = Samples()
        self._resolved: list[NDArray[Any]] = []
        self._live = no_expiry()
        self._expiry = 0
        self._due: list[Due] = []
        self._now = BEFORE_ANYTHING

    def advance(self, events: NDArray[Any]) -> SettlementOutput:
        """Fold the next events.

        Parameters
        ----------
        events : ndarray of `EVENT`
            Sorted by `known_ns`, then kind; a slice never ends inside a batch of one instant.

        Raises
        ------
        DataError
            Events are not in order, reach back to the last slice, name no contract of the chain,
            or have a value that cannot be.
        """
        known_ns = np.ascontiguousarray(events["known_ns"])  # searched for whatever is due
        if events.size == 0:
            return self._taken()
        check_events(events, self._now, len(self.chain.symbols))
        if self._now == BEFORE_ANYTHING:
            self._begin(int(known_ns[0]))
        start = 0
        while start < events.size:
            stop = events.size
            if self._due:
                stop = int(np.searchsorted(known_ns, self._due[0].at_ns, side="right"))
            self._fold(events[start:stop])
            start = stop
            if start < events.size:
                self._pass_time(int(known_ns[start]) - 1)
        self._now = int(known_ns[-1])
        return self._taken()

    def advance_to(self, now_ns: int) -> SettlementOutput:
        """Let time pass: say that nothing more will be known at or before an instant.

        Gives the notices, and the outcomes of expiries, that are due by then; the end of a tape
        and a clock that runs without events need it.

        Raises
        ------
        DataError
            The instant is before the last event.
        """
        self._check_time(now_ns)
        if self._now == BEFORE_ANYTHING:
            self._begin(now_ns)
        self._pass_time(now_ns)
        self._now = now_ns
        return self._taken()

    @property
    def counts(self) -> NDArray[Any]:
        """What came of every expiry of the chain so far: a copy, `COUNTS`."""
        counts = self._counts.copy()
        if self._expiry < counts.size:
            counts[self._expiry] = self._out.counts[0]
        return counts

    @property
    def live_expiry_ns(self) -> int | None:
        """The next expiration instant after what was told, None after the chain's last."""
        return self._live.expiry_ns or None

    def ladder(self, at_ns: int | None = None) -> NDArray[Any]:
        """Return every listed strike of the live expiry as it stands, `LADDER`.

        Parameters
        ----------
        at_ns : int, optional
            The instant to reckon time left from, not before the last event's; default: that. The
            ladder is empty at or after expiry, more than 24 hours before it, and before there is
            a price.

        Raises
        ------
        DataError
            The instant is before the last event: the ladder would show what came later.
        """
        now = self._now if at_ns is None else at_ns
        self._check_time(now)
        return rungs(now, *self._view())

    def _fold(self, events: NDArray[Any]) -> None:
        place = 0
        while place < events.size:
            place = fold(
                events,
                place,
                self._arrays,
                self._known,
                self._strikes,
                self._market[0],
                self._live,
                self._alerts,
                self._record[0],
                self._out,
            )
            if place < events.size:
                self._grow()

    def _grow(self) -> None:
        old = self._out
        new = no_outputs(old.cursor, 2 * old.conditions.size)
        new.conditions[: old.conditions.size] = old.conditions
        new.notices[: old.notices.size] = old.notices
        new.counts[:] = old.counts
        self._out = new

    def _taken(self) -> SettlementOutput:
        cursor = self._out.cursor[0]
        output = SettlementOutput(
            self._out.conditions[: cursor["conditions"]].copy(),
            self._out.notices[: cursor["notices"]].copy(),
            np.concatenate([np.zeros(0, SAMPLE), *self._resolved]),
        )
        cursor["conditions"] = cursor["notices"] = 0
        self._resolved = []
        return output

    def _begin(self, now_ns: int) -> None:
        """Make the next expiration after an instant the live one."""
        e = int(np.searchsorted(self.chain.expiry_ns, now_ns, side="right"))
        self._expiry = e
        if e == self.chain.expiry_ns.size:
            self._live = no_expiry()
            return
        thresholds, past, past_first = self._history.arrays()
        first, stop = self.chain.first_strike[e : e + 2].tolist()
        expiry_ns = int(self.chain.expiry_ns[e])
        self._live = LiveExpiry(
            expiry_ns, first, stop, *listed_strikes(self.chain, first, stop, now_ns),
            float(self._time_factors[e]), thresholds, past, past_first, self._samples.table(),
        )  # fmt: skip
        self._out.counts[0] = self._counts[e]
        due = timetable(self.rules, expiry_ns, self.chain.listed_ns[first:stop])
        self._due = in_order([*self._due, *(each for each in due if each.at_ns >= now_ns)])

    def _pass_time(self, until_ns: int) -> None:
        """Do what is due at or before an instant, everything known by then being in."""
        while self._due and self._due[0].at_ns <= until_ns:
            due = self._due.pop(0)
            match due.what:
                case "resolve":
                    self._resolve(due.at_ns)
                case "list":
                    self._list_strikes(due.at_ns + 1)
                case "remember" if self._is_fresh(due.at_ns):
                    self._history.keep(int(due.minutes), pressures(due.at_ns, *self._view()))
                case "sample" if self._is_fresh(due.at_ns):
                    self._samples.keep(*samples(due.at_ns, *self._view()))
                case "notify":
                    self._notify(due)
                case "retire":
                    self._retire(due.at_ns + 1)
                case "remember" | "sample":  # no price is young enough
                    continue
                case _:
                    message = f"nobody knows what '{due.what}' is"
                    raise ValueError(message)

    def _check_time(self, now_ns: int) -> None:
        if now_ns < self._now:
            raise DataError(f"time goes back from {iso(self._now)} to {iso(now_ns)}")

    def _view(self) -> tuple[LiveExpiry, StrikeInterest, Any, Any]:
        return self._live, self._strikes, self._market[0], self._record[0]

    def _list_strikes(self, now_ns: int) -> None:
        live = self._live
        places, strikes, marks = listed_strikes(self.chain, live.first, live.stop, now_ns)
        self._live = live._replace(places=places, strikes=strikes, marks=marks)

    def _notify(self, due: Due) -> None:
        cursor = self._out.cursor[0]
        if cursor["notices"] == self._out.notices.size:
            self._grow()
        row = np.zeros(1, NOTICE)
        row["at_ns"], row["expiry_ns"] = due.at_ns, self._live.expiry_ns
        row["kind"], row["minutes_left"] = NoticeKind.TIMED, due.minutes
        row["strike"] = row["distance"] = row["oi"] = np.nan
        self._out.notices[cursor["notices"]] = row[0]
        cursor["notices"] += 1

    def _retire(self, now_ns: int) -> None:
        """What is known from an expiration instant on is the next expiry's."""
        self._counts[self._expiry] = self._out.counts[0]
        self._history.close()
        self._begin(now_ns)

    def _resolve(self, now_ns: int) -> None:
        """All prices until an expiration instant are in: the last one decides every sample."""
        finish = float(self._market["price"][0]) if self._is_fresh(now_ns) else float("nan")
        self._counts["finish"][np.searchsorted(self.chain.expiry_ns, now_ns)] = finish
        self._resolved.append(self._samples.resolve(finish))
        self._live = self._live._replace(table=self._samples.table())

    def _is_fresh(self, at_ns: int) -> bool:
        oldest_ns = at_ns - round(self.rules.oldest_price_minutes * MINUTE_NS)
        return self._market["price"][0] > 0.0 and self._market["price_ns"][0] >= oldest_ns
