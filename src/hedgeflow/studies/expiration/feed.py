"""What an expiration-pressure scan is told of a market: its tapes as one stream of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.market.expiries import session_of
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.signals.chain import chain_of
from hedgeflow.signals.implied_move import VolatilityWindow
from hedgeflow.signals.prints import ContractBook, slice_of
from hedgeflow.signals.rules import SigningRule
from hedgeflow.signals.settlement_events import EventKind, events, merged
from hedgeflow.signals.settlement_tapes import (
    open_interest_events,
    price_events,
    signed_print_events,
    snapshot_events,
)
from hedgeflow.signals.signed_volume import VolumeSigner
from hedgeflow.strategies.expiration_pressure.rules import pressure_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hedgeflow.signals.chain import Chain
    from hedgeflow.signals.implied_move import MoveRules
    from hedgeflow.signals.prints import PrintSlice
    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.markets import Market

IMPLIED: Final = "implied"
REALISED: Final = "realised"


@dataclass(frozen=True, slots=True)
class Feed:
    """A market's tapes as events.

    Attributes
    ----------
    chain : Chain
    events : ndarray of `EVENT`
        Sorted; whatever became known, when it did.
    rows : int
        Rows of the option tape that were read.
    signed : dict of str to int
        Contracts traded by the rule that signed them.
    sigma_ns, sigma_implied : ndarray
        From when on a volatility was in force, and whether it was an implied one.
    """

    chain: Chain
    events: NDArray[Any]
    rows: int
    signed: dict[str, float]
    sigma_ns: NDArray[np.int64]
    sigma_implied: NDArray[np.bool_]

    def sigma_source(self, at_ns: int) -> str | None:
        """Return where the volatility in force came from: implied, realised, or None."""
        place = int(np.searchsorted(self.sigma_ns, at_ns, side="right")) - 1
        if place < 0:
            return None
        return IMPLIED if bool(self.sigma_implied[place]) else REALISED


def feed_of(market: Market, config: ExpirationPressureConfig) -> Feed:
    """Return a market's tapes as the events of an expiration-pressure scan.

    Prices are the closes of bars of the options' own underlying at their ends, the hedge
    instrument's where it is on that, and those that snapshots or, for want of a young bar, prints
    carry.
    Volatility is that of precise.md 23: implied at the money of the nearest expiry a day or more
    away, from prints of the last hour or from the last snapshot, else realised over the last 24
    hours.

    Look-ahead: every event stands at the instant at which it was known.
    """
    chain = chain_of(market.contracts)
    rules = pressure_rules(config, market.sessions.minutes_per_year)
    priced = _own_bars(market)
    looked_ns = np.union1d(_ns(_inside(market, market.bars)["known_at"]), _ns(priced["known_at"]))
    bars = price_events(priced)
    if market.options.kind is TapeKind.OPTION_SNAPSHOTS:
        tape = _of_snapshots(market, chain, rules.move)
    else:
        tape = _of_prints(market, chain, config, rules.move, looked_ns, priced)
    sigma = _volatilities(market, tape, looked_ns)
    interest = market.open_interest
    official = () if interest is None else (open_interest_events(interest, chain),)
    known, value, implied = sigma
    return Feed(
        chain,
        merged(
            *official,
            *tape.events,
            bars,  # last of one instant, so that they hold: snapshots' prices may come late
            events(known, EventKind.SIGMA, value),
            _scales(market),
        ),
        tape.rows,
        tape.signed,
        known,
        implied,
    )


@dataclass(frozen=True, slots=True)
class _OfTape:
    """What the option tape gives: events, rows read, who signed, and implied volatilities.

    An implied volatility holds for `holds_ns`, unless the next comes before.
    """

    events: tuple[NDArray[Any], ...]
    rows: int
    signed: dict[str, float]
    implied: tuple[NDArray[np.int64], NDArray[np.float64]]
    holds_ns: int


def _own_bars(market: Market) -> pl.DataFrame:
    """Return the bars in sessions that price the options' underlying, none where there are none."""
    if market.hedge.underlying == market.underlying:
        return _inside(market, market.bars)
    bars = market.underlying_bars
    return market.bars.clear() if bars is None else _inside(market, bars)


def _inside(market: Market, frame: pl.DataFrame) -> pl.DataFrame:
    inside = market.sessions.index_of(_ns(frame["ts"])) >= 0
    return frame.filter(pl.Series(inside, dtype=pl.Boolean))


def _of_prints(
    market: Market,
    chain: Chain,
    config: ExpirationPressureConfig,
    move: MoveRules,
    asked_ns: NDArray[np.int64],
    priced: pl.DataFrame,
) -> _OfTape:
    book = ContractBook(market.contracts)
    asking = _Asking(VolatilityWindow(move, book), asked_ns, market.options.resolution_ns)
    assume_bought = config.signing.mode == "assume-bought"
    signer = VolumeSigner(market.contracts.height, assume_bought=assume_bought)
    is_elsewhere = market.hedge.underlying != market.underlying
    oldest_ns = round(config.clock.oldest_price_minutes * MINUTE_NS)
    found: list[NDArray[Any]] = []
    signed: dict[str, float] = {}
    rows, last = 0, 0
    for frame in _inside_sessions(market):
        prints = slice_of(frame, book)
        sign, rule = signer.signs(prints, market.sessions.index_of(prints.ts))
        found.append(signed_print_events(frame, chain, sign, book.lot))
        if is_elsewhere:
            last_prints = _without_young(_last_of_minutes(frame), priced, oldest_ns)
            found.append(price_events(last_prints, "underlying_price"))
        for each in SigningRule:
            volume = float((prints.lots[rule == each]).sum()) * book.lot
            if volume:
                signed[each.name] = signed.get(each.name, 0.0) + volume
        asking.take(prints, _ns(frame["known_at"]))
        last = int(prints.ts[-1])
        rows += frame.height
    asking.ask(last + move.lookback_ns)
    return _OfTape(tuple(found), rows, signed, asking.answers(), holds_ns=0)


class _Asking:
    """Asks for the volatility at given instants, each once, when all prints before it are in."""

    def __init__(
        self, window: VolatilityWindow, asked_ns: NDArray[np.int64], resolution_ns: int
    ) -> None:
        self._window = window
        self._asked_ns = asked_ns
        self._lag_ns = resolution_ns
        self._next = 0
        self._values: list[NDArray[np.float64]] = [np.zeros(0)]

    def take(self, prints: PrintSlice, known_ns: NDArray[np.int64]) -> None:
        """Take in a slice; how late its prints were known holds from the next one on."""
        self.ask(int(prints.ts[0]) - 1)
        self._window.add(prints)
        self.ask(int(prints.ts[-1]))
        self._lag_ns = max(self._lag_ns, int((known_ns - prints.ts).max()))

    def ask(self, until_ns: int) -> None:
        """Ask at all instants that rest on prints stamped up to one, and no later."""
        stop = int(np.searchsorted(self._asked_ns, until_ns + self._lag_ns, side="right"))
        asked = self._asked_ns[self._next : stop]
        self._values.append(self._window.at_the_money_each(asked - self._lag_ns))
        self._next += asked.size

    def answers(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the instants that had an answer so far, and the answers."""
        values = np.concatenate(self._values)
        known = ~np.isnan(values)
        return self._asked_ns[: values.size][known], values[known]


def _without_young(frame: pl.DataFrame, bars: pl.DataFrame, oldest_ns: int) -> pl.DataFrame:
    """Return the prints at which no bar was known that had ended so shortly before.

    Look-ahead: whether bars come later in a day takes no print away.
    """
    known = _ns(frame["known_at"])
    ends = np.concatenate(([np.iinfo(np.int64).min // 2], np.sort(_ns(bars["known_at"]))))
    age = known - ends[np.searchsorted(ends, known, side="right") - 1]
    return frame.filter(pl.Series(age > oldest_ns, dtype=pl.Boolean))


def _last_of_minutes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the last print known in each minute."""
    minute = pl.col("known_at").dt.truncate("1m")
    return frame.filter(minute.ne_missing(minute.shift(-1)))


def _inside_sessions(market: Market) -> Iterator[pl.DataFrame]:
    """Return the prints in sessions, in frames that have some."""
    for frame in market.option_tape.slices():
        kept = _inside(market, frame)
        if kept.height:
            yield kept


def _of_snapshots(market: Market, chain: Chain, move: MoveRules) -> _OfTape:
    frame = pl.concat(list(market.option_tape.slices()))
    return _OfTape(
        (snapshot_events(frame, chain),),
        frame.height,
        {},
        _of_sweeps(frame, market.contracts, move),
        holds_ns=DAY_NS,
    )


def _of_sweeps(
    frame: pl.DataFrame, contracts: pl.DataFrame, move: MoveRules
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each sweep's implied volatility: the median near the money of the nearest expiry."""
    terms = contracts.select("contract", "strike", "expiry")
    days = (pl.col("expiry") - pl.col("known_at")).dt.total_nanoseconds() / DAY_NS
    away = (pl.col("strike") / pl.col("underlying_price") - 1.0).abs()
    near = (
        frame.select("known_at", "contract", "iv", "underlying_price")
        .join(terms, on="contract", how="left")
        .filter(
            days.is_between(move.days_min, move.days_max),
            away <= move.moneyness,
            pl.col("iv") > 0.0,
        )
        .group_by("known_at", "expiry")
        .agg(pl.col("iv").median(), pl.len())
        .filter(pl.col("len") >= move.prints)
        .sort("known_at", "expiry")
        .unique("known_at", keep="first", maintain_order=True)
    )
    return _ns(near["known_at"]), near["iv"].to_numpy()


def _volatilities(
    market: Market, tape: _OfTape, bar_ns: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return when a volatility came into force, what it was, and whether it is implied.

    Where no implied one is in force, that of the hedge instrument's own bars takes its place.
    """
    at, value = tape.implied
    asked = np.unique(np.concatenate((bar_ns, at)))
    place = np.searchsorted(at, asked, side="right") - 1
    fresh = (place >= 0) & (asked - at[np.maximum(place, 0)] <= tape.holds_ns) if at.size else None
    found = np.full(asked.size, np.nan)
    is_implied = np.zeros(asked.size, np.bool_)
    if fresh is not None:
        found[fresh] = value[place[fresh]]
        is_implied = fresh
    for i in np.flatnonzero(~is_implied).tolist():
        realised = market.volume.realised_volatility(int(asked[i]))
        found[i] = np.nan if realised is None else realised
    return asked, found, is_implied


def _scales(market: Market) -> NDArray[Any]:
    opens = market.sessions.open_ns
    known = [market.volume.scale_volume(int(at)) for at in opens.tolist()]
    return events(
        opens, EventKind.SCALE, np.array([np.nan if each is None else each for each in known])
    )


def session_minutes(market: Market, chain: Chain) -> NDArray[np.float64]:
    """Return the length of each expiry's session, minutes."""
    venue = market.options.venue
    sessions = [session_of(int(at), venue) for at in chain.expiry_ns.tolist()]
    return np.array([(close - begin) / MINUTE_NS for begin, close in sessions])


def _ns(column: pl.Series) -> NDArray[np.int64]:
    return column.dt.timestamp("ns").to_numpy()
