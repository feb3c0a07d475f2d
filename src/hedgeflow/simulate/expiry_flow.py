"""What customers trade in the series that expires next: round strikes most, mostly on one side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate.dealers_book import rebalance_ns
from hedgeflow.simulate.hours import activity, option_days
from hedgeflow.simulate.option_quotes import RESOLUTION_NS
from hedgeflow.simulate.prints import Orders, tail_lots
from hedgeflow.simulate.streams import Component, fixed_draws, stream
from hedgeflow.simulate.trades import filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.simulate.hours import Session
    from hedgeflow.simulate.listing import Book, Expiry
    from hedgeflow.simulate.paths import IndexPath
    from hedgeflow.simulate.scenario import Scenario

_MORE_OF_ONE_RIGHT: Final = 0.9
"""Share of a strike's volume that is in calls, or in puts, whichever it has more of."""

_WEIGHT_RANGE: Final = (0.6, 1.4)
"""Strikes of one kind differ in volume by such factors, uniformly."""

_MILLISECONDS_PER_SECOND: Final = 1000
_KEYS_PER_UNIT: Final = 1_000_000


class StrikeTraits(NamedTuple):
    """What a strike of an expiry is like from the first order on, whatever prices do.

    Attributes
    ----------
    dealers : ndarray of shape (n,), int64
        +1 where dealers are long, -1 where they are short.
    calls : ndarray of shape (n,), float64
        Share of volume in calls.
    call_side, put_side : ndarray of shape (n,), int64
        Side on which most customers trade the calls and the puts.
    weight : ndarray of shape (n,), float64
        Factor of volume.
    """

    dealers: NDArray[np.int64]
    calls: NDArray[np.float64]
    call_side: NDArray[np.int64]
    put_side: NDArray[np.int64]
    weight: NDArray[np.float64]


def strike_traits(scenario: Scenario, strikes: NDArray[np.float64], expiry_ns: int) -> StrikeTraits:
    """Return the traits of strikes of one expiry."""
    key = np.rint(strikes * _KEYS_PER_UNIT).astype(np.int64)
    stamps = np.full(strikes.size, expiry_ns, dtype=np.int64)

    def coin(component: Component) -> NDArray[np.int64]:
        return np.where(fixed_draws(scenario.seed, component, key, stamps) < 0.5, 1, -1)

    match scenario.expiry.dealers:
        case "long":
            dealers = np.ones(strikes.size, dtype=np.int64)
        case "short":
            dealers = -np.ones(strikes.size, dtype=np.int64)
        case "mixed" | "none":
            dealers = coin(Component.EXPIRY_SIDES)
    match scenario.expiry.convention:
        case "none":
            more, call_side, put_side = coin(Component.EXPIRY_RIGHTS), -dealers, -dealers
        case "calls-long":
            ones = np.ones(strikes.size, dtype=np.int64)
            more, call_side, put_side = dealers, -ones, ones
        case "calls-short":
            ones = np.ones(strikes.size, dtype=np.int64)
            more, call_side, put_side = -dealers, ones, -ones
    calls = np.where(more > 0, _MORE_OF_ONE_RIGHT, 1.0 - _MORE_OF_ONE_RIGHT)
    draws = fixed_draws(scenario.seed, Component.EXPIRY_SIZES, key, stamps)
    weight = _WEIGHT_RANGE[0] + (_WEIGHT_RANGE[1] - _WEIGHT_RANGE[0]) * draws
    return StrikeTraits(dealers, calls, call_side, put_side, weight)


def hedging_start_ns(scenario: Scenario, session: Session) -> int:
    """Return when the last hours of what expires at a session's end begin: a look at the book."""
    interval = rebalance_ns(scenario)
    latest = session.end_ns - round(scenario.expiry.window_minutes * MINUTE_NS)
    return latest - (latest - session.start_ns) % interval


def expires(book: Book, session: Session) -> bool:
    """Say whether options expire as a session ends."""
    return any(expiry.expiry_ns == session.end_ns for expiry in book.live)


def expiry_orders(scenario: Scenario, path: IndexPath, book: Book) -> Orders:
    """Return what customers send in a session for series that expire soon.

    In each of a series' last `expiry.build_sessions` sessions they trade the same, around where the
    index stands as the session starts, with the day's profile; in its last session they are done
    before dealers' last hours begin. Sizes come from the same Pareto tail as other large prints.
    """
    session = path.session
    rng = stream(scenario.seed, Component.EXPIRY_FLOW, session.number)
    ends = option_days(scenario).end_ns
    today = int(np.searchsorted(ends, session.end_ns))
    none = np.empty(0, dtype=np.int64)
    parts = [Orders.simple(none, none, none, none)]
    for expiry in book.live:
        if int(np.searchsorted(ends, expiry.expiry_ns)) - today < scenario.expiry.build_sessions:
            last = expiry.expiry_ns == session.end_ns
            until = hedging_start_ns(scenario, session) if last else session.end_ns
            parts.append(_orders_in(scenario, path, expiry, until, rng))
    return Orders.concatenated(parts)


def _orders_in(
    scenario: Scenario, path: IndexPath, expiry: Expiry, until_ns: int, rng: np.random.Generator
) -> Orders:
    traits = strike_traits(scenario, expiry.strikes, expiry.expiry_ns)
    lots = _volumes(scenario, expiry, traits, float(path.price[0])) / scenario.chain.lot
    sizes = [
        filled(tail_lots(scenario, rng, total + 1), total)
        for total in np.rint(lots).astype(np.int64).tolist()
    ]
    strike = np.repeat(np.arange(len(sizes)), [each.size for each in sizes])
    lots_of_each = np.concatenate(sizes)
    is_put = rng.random(strike.size) >= traits.calls[strike]
    with_most = rng.random(strike.size) < 0.5 * (1.0 + scenario.expiry.lean)
    most = np.where(is_put, traits.put_side[strike], traits.call_side[strike])
    traded = lots_of_each > 0
    return Orders.simple(
        _stamps(scenario, path.session, until_ns, strike.size, rng),
        expiry.first_contract[strike] + is_put,
        lots_of_each,
        np.where(with_most, most, -most),
    ).take(traded)


def _volumes(
    scenario: Scenario, expiry: Expiry, traits: StrikeTraits, price: float
) -> NDArray[np.float64]:
    """Return the contracts to be traded in each strike in one session."""
    settings = scenario.expiry
    step = float(np.diff(expiry.strikes).min())
    is_round = np.rint(expiry.strikes / step).astype(np.int64) % settings.round_every == 0
    away = np.abs(expiry.strikes - price) / step
    shape = np.exp(-away / settings.decay_strikes) * traits.weight
    heaviest = settings.contracts / settings.build_sessions
    return heaviest * shape * np.where(is_round, 1.0, 1.0 / settings.round_weight)


def _stamps(
    scenario: Scenario, session: Session, until_ns: int, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return instants with the day's profile, none at the very start of a second."""
    seconds = (until_ns - session.start_ns) // SECOND_NS
    reached = np.cumsum(activity(scenario, session)[:seconds], dtype=np.float64)
    second = np.searchsorted(reached, rng.random(count) * float(reached[-1]), side="right")
    millisecond = rng.integers(1, _MILLISECONDS_PER_SECOND, count)
    return session.start_ns + second * SECOND_NS + millisecond * RESOLUTION_NS
