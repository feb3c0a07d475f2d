"""Daily volumes as baselines: what contracts traded in past sessions, as venues publish it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.rules import BaselineRules


class DayVolume(NamedTuple):
    """What one contract traded in one past session: lots, and the 5-minute slots it had."""

    session: int
    lots: int
    slots: int


class DailyVolumes:
    """Mean 5-minute volumes of contracts without enough intraday history, from whole sessions.

    A session's list counts from the moment that it is known. Of the last `rules.sessions` lists,
    a contract's history are those from its first appearance on any list on; one that leaves the
    contract out says that it did not trade. `rules.history_sessions` are needed. The baseline is
    the mean of lots / slots over them, the same at every time of day.

    Parameters
    ----------
    days : polars.DataFrame
        The option-days tape; `ts` lies in the session that a row is about.
    sessions : Sessions
        Must span the tape.
    rules : BaselineRules

    Attributes
    ----------
    outside_sessions : int
        Rows of no session, which are left out.
    """

    def __init__(self, days: pl.DataFrame, sessions: Sessions, rules: BaselineRules) -> None:
        session = sessions.index_of(days["ts"].dt.epoch("ns").to_numpy())
        inside = session >= 0
        begin, end = sessions.slot_bounds()
        symbols = days["contract"].unique().sort()
        contract = symbols.search_sorted(days["contract"]).to_numpy().astype(np.int64)
        self.outside_sessions = int((~inside).sum())
        self._rules = rules
        self._slots = (begin < end).sum(axis=1)
        self._place = {symbol: place for place, symbol in enumerate(symbols.to_list())}
        self._session = session[inside]
        self._contract = contract[inside]
        self._lots = days["lots"].to_numpy()[inside]
        self._known_ns = days["known_at"].dt.epoch("ns").to_numpy()[inside]
        self._open_ns = -1
        self._window = self._window_at(self._open_ns)

    def means(self, open_ns: int, symbols: Sequence[str]) -> NDArray[np.float64]:
        """Return mean lots per slot of contracts for the session that opens, NaN where unknown.

        Look-ahead: rows with ``known_at`` up to `open_ns`.
        """
        places = [self._place.get(symbol, -1) for symbol in symbols]
        return self._at(open_ns).means[np.array(places, np.int64)]

    def history(self, open_ns: int, symbol: str) -> list[DayVolume]:
        """Return the sessions that a contract's mean is over, oldest first.

        Look-ahead: as `means`.
        """
        window = self._at(open_ns)
        place = self._place[symbol]
        return [
            DayVolume(session, int(window.lots[place, column]), int(self._slots[session]))
            for column, session in enumerate(window.sessions.tolist())
            if window.counted[place, column]
        ]

    def _at(self, open_ns: int) -> _Window:
        if open_ns != self._open_ns:
            self._window, self._open_ns = self._window_at(open_ns), open_ns
        return self._window

    def _window_at(self, open_ns: int) -> _Window:
        known = self._known_ns <= open_ns
        session, contract = self._session[known], self._contract[known]
        contracts = len(self._place)
        last = np.unique(session)[-self._rules.sessions :]
        first = np.full(contracts, np.iinfo(np.int64).max)
        np.minimum.at(first, contract, session)
        recent = np.isin(session, last)
        place = contract[recent], np.searchsorted(last, session[recent])
        lots = np.zeros((contracts, last.size), np.int64)
        np.add.at(lots, place, self._lots[known][recent])
        counted = last[None, :] >= first[:, None]
        count = counted.sum(axis=1)
        means = np.full(contracts + 1, np.nan)  # the last stands for contracts on no list
        rates = (lots / self._slots[last]).sum(axis=1)
        np.divide(rates, count, out=means[:-1], where=count >= self._rules.history_sessions)
        return _Window(last, lots, counted, means)


class _Window(NamedTuple):
    """The last lists known at a session's open.

    Attributes
    ----------
    sessions : ndarray of shape (n,), int64
    lots : ndarray of shape (contracts, n), int64
        Zero where a list leaves a contract out.
    counted : ndarray of shape (contracts, n), bool
        From the contract's first appearance on any list on.
    means : ndarray of shape (contracts + 1,), float64
        Mean lots per slot, NaN under the needed history; the last of a contract on no list.
    """

    sessions: NDArray[np.int64]
    lots: NDArray[np.int64]
    counted: NDArray[np.bool_]
    means: NDArray[np.float64]
