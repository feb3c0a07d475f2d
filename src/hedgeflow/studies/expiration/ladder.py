"""The ladder of an expiry at one instant: open interest, pressure, gamma, chances by strike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.journal import VaultError
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.expiries import SettlementKind, features_at, session_of, settlement_kind
from hedgeflow.market.expiries.clock import Phase, phase_of, session_fraction
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS, iso, moment_of
from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.gamma_profile import DealerPositions, GammaProfile, gamma_profile
from hedgeflow.signals.settlement_events import EventKind
from hedgeflow.signals.settlement_probability import remaining_deviation
from hedgeflow.signals.settlement_rules import NOTICE, NoticeKind
from hedgeflow.strategies.expiration_pressure.rules import pressure_rules
from hedgeflow.studies.expiration.feed import feed_of, session_minutes
from hedgeflow.studies.expiration.rungs import rung_frame, with_alerts
from hedgeflow.studies.expiration.standing_scan import StandingScan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from hedgeflow.market.expiries import Features
    from hedgeflow.signals.settlement_rules import PressureRules
    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.expiration.feed import Feed
    from hedgeflow.studies.expiration.standing_scan import Standing
    from hedgeflow.studies.markets import Market

DEFAULT_MINUTES: Final = 30
"""Before the last expiry a ladder is taken, unless it is told when."""

NOTICES: Final = {
    "at_ns": pl.Int64(),
    "kind": pl.String(),
    "minutes_left": pl.Float64(),
    "strike": pl.Float64(),
}
"""A notice given so far of the expiry: a `NoticeKind`; `strike` is null where it is timed."""


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """An expiry strike by strike at one instant.

    Attributes
    ----------
    underlying, venue : str
    zone : str
        The exchange's own.
    simulated : bool
        It can never be read as evidence about a market.
    at_ns, expiry_ns : int
        UTC nanoseconds.
    settlement : SettlementKind
    features : Features
        Weekday, cycle, triple witching, early close.
    phase : Phase
        Of the session in which the expiry lies.
    price, price_ns : float, int
        The underlying's, and the instant that it is of.
    sigma : float or None
        Annual volatility in force, a fraction; None where none is known.
    sigma_source : str or None
        ``implied`` or ``realised``.
    minutes_per_year : float
        Of the year of `sigma`.
    point : float or None
        A source point in price units.
    preset : str
    model : str
        The probability that makes pressure.
    pressure_is : str
        How pressure is computed, and its unit, in words.
    threshold : float or None
        The pressure above which a strike is an alert; None where nothing can be.
    no_alert : str
        Why nothing can be an alert: NO_HISTORY, NO_SIGMA, NO_SCALE, NO_MODEL or TOO_EARLY; else
        empty.
    evaluated_ns : int or None
        When conditions were last looked at, which is when a price or open interest came in; those
        of `rungs` are of then. None: not yet on the way to this expiry.
    profile : GammaProfile or None
        Dealers' net gamma over prices with one volatility for all strikes; None without one.
    rungs : polars.DataFrame
        Every listed strike, ascending, `RUNG`.
    notices : polars.DataFrame
        `NOTICES` given so far of this expiry.
    notes : tuple of str
        What a reader should know.
    """

    underlying: str
    venue: str
    zone: str
    simulated: bool
    at_ns: int
    expiry_ns: int
    settlement: SettlementKind
    features: Features
    phase: Phase
    price: float
    price_ns: int
    sigma: float | None
    sigma_source: str | None
    minutes_per_year: float
    point: float | None
    preset: str
    model: str
    pressure_is: str
    threshold: float | None
    no_alert: str
    evaluated_ns: int | None
    profile: GammaProfile | None
    rungs: pl.DataFrame
    notices: pl.DataFrame
    notes: tuple[str, ...]

    @property
    def seconds_left(self) -> float:
        """Seconds to the expiration instant, with their fraction."""
        return (self.expiry_ns - self.at_ns) / SECOND_NS

    @property
    def minutes_left(self) -> float:
        """Minutes to the expiration instant, with their fraction."""
        return (self.expiry_ns - self.at_ns) / MINUTE_NS

    @property
    def expected_move(self) -> float | None:
        """One standard deviation of what is left, price units; None without a volatility."""
        if self.sigma is None:
            return None
        left = remaining_deviation(self.sigma, self.minutes_left, self.minutes_per_year)
        return self.price * left

    def around(self, strikes: int) -> pl.DataFrame:
        """Return so many strikes at or below the price, and as many above it."""
        listed = self.rungs["strike"]
        above = int(listed.search_sorted(self.price, side="right"))
        first = max(0, above - strikes)
        return self.rungs.slice(first, above + strikes - first)


def ladder_at(market: Market, config: ExpirationPressureConfig, at_ns: int | None = None) -> Ladder:
    """Return the ladder of the next expiry at an instant.

    Look-ahead: nothing that became known after `at_ns` has a part in it.

    Parameters
    ----------
    market : Market
    config : ExpirationPressureConfig
    at_ns : int, optional
        UTC nanoseconds; default: `LadderFold.default_ns`.

    Raises
    ------
    ConfigError, VaultError
        As `LadderFold.at`.
    """
    fold = LadderFold(market, config)
    return fold.at(fold.default_ns if at_ns is None else at_ns)


def ladders(
    market: Market, config: ExpirationPressureConfig, instants: Iterable[int]
) -> Iterator[Ladder]:
    """Return the ladders of several instants, which ascend; the tape is folded once.

    Look-ahead: as `ladder_at`; the instants are taken one by one.

    Raises
    ------
    ConfigError, VaultError
        As `LadderFold.at`.
    """
    fold = LadderFold(market, config)
    for at_ns in instants:
        yield fold.at(at_ns)


class LadderFold:
    """A market's tapes folded from one instant to a later one, with the ladder of each.

    Parameters
    ----------
    market : Market
    config : ExpirationPressureConfig
    feed : Feed, optional
        The market's events, where they are made already, by the same scale and signing.

    Attributes
    ----------
    zone : str
        The time zone of the options' exchange; UTC where markets never close.
    """

    def __init__(
        self, market: Market, config: ExpirationPressureConfig, feed: Feed | None = None
    ) -> None:
        self.zone = _zone_of(market)
        self._market = market
        self._config = config
        self._feed = feed_of(market, config) if feed is None else feed
        rules = pressure_rules(config, market.sessions.minutes_per_year)
        lengths = session_minutes(market, self._feed.chain)
        self._scan = StandingScan(rules, self._feed.chain, lengths)
        self._done = 0
        self._holding: NDArray[Any] | None = None
        self._notices = np.zeros(0, NOTICE)

    @property
    def last_expiry_ns(self) -> int:
        """The last expiry in whose 24 hours there is a price.

        Raises
        ------
        ConfigError
            There is no such expiry.
        """
        priced, ends = self._priced_ns, self._feed.chain.expiry_ns
        before = np.searchsorted(priced, ends, side="left")
        near = np.flatnonzero(before > np.searchsorted(priced, ends - DAY_NS, side="left"))
        if not near.size:
            raise ConfigError(
                f"no expiry of {self._market.underlying} has a price in its last 24 hours",
                where="ladder",
                hint="Import prices and open interest of a day on which options expire",
            )
        return int(ends[near[-1]])

    @property
    def default_ns(self) -> int:
        """The last instant known up to `DEFAULT_MINUTES` before that expiry.

        Nearer to it gamma is all at one strike and pressure at its largest. Where no price was
        known so long before, it is the last instant known before the expiry.

        Raises
        ------
        ConfigError
            As `last_expiry_ns`.
        """
        known, expiry_ns = self._feed.events["known_ns"], self.last_expiry_ns
        until_ns, priced = expiry_ns - DEFAULT_MINUTES * MINUTE_NS, self._priced_ns
        if not bool(((priced >= expiry_ns - DAY_NS) & (priced <= until_ns)).any()):
            until_ns = expiry_ns - 1
        return int(known[int(np.searchsorted(known, until_ns, side="right")) - 1])

    @property
    def _priced_ns(self) -> NDArray[np.int64]:
        events = self._feed.events
        return events["known_ns"][events["kind"] == EventKind.PRICE]

    def at(self, at_ns: int) -> Ladder:
        """Return the ladder at an instant, not before the last that was asked for.

        Raises
        ------
        ConfigError
            No expiry is within the 24 hours after the instant, or neither a price nor open
            interest was known by then.
        VaultError
            The instant is in or after a sealed vault.
        DataError
            The instant is before the last.
        """
        self._check(at_ns)
        self._advance(at_ns)
        rungs, standing = self._scan.ladder(at_ns), self._scan.standing(at_ns)
        expiry_ns = self._expiry_within_a_day(at_ns)
        self._check_known(at_ns, expiry_ns, rungs, standing)
        return self._ladder(at_ns, expiry_ns, rungs, standing)

    # --- folding --------------------------------------------------------------------------------

    def _advance(self, at_ns: int) -> None:
        events = self._feed.events
        stop = int(np.searchsorted(events["known_ns"], at_ns, side="right"))
        for output in (
            self._scan.advance(events[self._done : stop]),
            self._scan.advance_to(at_ns),
        ):
            if output.conditions.size:
                at = output.conditions["at_ns"]
                self._holding = output.conditions[at == at[-1]]
            self._notices = np.concatenate((self._notices, output.notices))
        self._done = stop

    def _held(self, expiry_ns: int, evaluated_ns: int | None) -> NDArray[Any] | None:
        """Return the conditions that held at the last evaluation of the live expiry."""
        rows = self._holding
        if rows is None or evaluated_ns is None:
            return None
        mine = (rows["at_ns"] == evaluated_ns) & (rows["expiry_ns"] == expiry_ns)
        return rows[mine] if bool(mine.any()) else None

    # --- refusals -------------------------------------------------------------------------------

    def _where(self, at_ns: int) -> str:
        return f"ladder of {self._market.underlying} at {iso(at_ns)}"

    def _check(self, at_ns: int) -> None:
        until_ns, known = self._market.until_ns, self._feed.events["known_ns"]
        if until_ns is not None and at_ns > until_ns:
            raise VaultError(
                f"a sealed vault begins {iso(until_ns)}",
                where=self._where(at_ns),
                hint="Ask for an instant before it",
            )
        if not known.size or at_ns < int(known[0]):
            first = f"the tapes begin {iso(int(known[0]))}" if known.size else "the tapes are empty"
            raise ConfigError(
                f"nothing was known by then: {first}",
                where=self._where(at_ns),
                hint="Ask for a later instant",
            )

    def _expiry_within_a_day(self, at_ns: int) -> int:
        expiry_ns, ends = self._scan.live_expiry_ns, self._feed.chain.expiry_ns
        if expiry_ns is not None and 0 < expiry_ns - at_ns <= DAY_NS:
            return expiry_ns
        over = ends[ends <= at_ns]
        told = [f"the last was {iso(int(over[-1]))}"] if over.size else []
        if expiry_ns is not None:
            away = _hours_and_minutes(expiry_ns - at_ns)
            told.append(f"the next is {iso(expiry_ns)}, {away} later")
        raise ConfigError(
            f"no expiry is within the 24 hours after it: {', '.join(told)}",
            where=self._where(at_ns),
            hint="Ask for an instant before an expiry and at most 24 hours away from it",
        )

    def _check_known(
        self, at_ns: int, expiry_ns: int, rungs: NDArray[Any], standing: Standing
    ) -> None:
        where = self._where(at_ns)
        if not standing.price > 0.0:
            raise ConfigError(
                f"no price of {self._market.underlying} was known by then",
                where=where,
                hint="Ask for a later instant, or import earlier prices",
            )
        if not bool((rungs["settled_ns"] >= 0).any()):
            raise ConfigError(
                f"no open interest of the expiry {iso(expiry_ns)} was known by then",
                where=where,
                hint="Ask for a later instant, or import the open interest of that day",
            )

    # --- the ladder -----------------------------------------------------------------------------

    def _ladder(
        self, at_ns: int, expiry_ns: int, rungs: NDArray[Any], standing: Standing
    ) -> Ladder:
        market, minutes = self._market, (expiry_ns - at_ns) / MINUTE_NS
        venue, per_year = market.options.venue, market.sessions.minutes_per_year
        kind = self._settlement(expiry_ns)
        opens, closes = session_of(expiry_ns, venue)
        frame = rung_frame(rungs, standing, minutes, per_year, kind)
        held = self._held(expiry_ns, standing.evaluated_ns)
        return Ladder(
            underlying=market.underlying,
            venue=venue,
            zone=self.zone,
            simulated=market.simulated,
            at_ns=at_ns,
            expiry_ns=expiry_ns,
            settlement=kind,
            features=features_at(expiry_ns, venue, market.underlying),
            phase=Phase(phase_of(session_fraction(opens, closes, at_ns))),
            price=standing.price,
            price_ns=standing.price_ns,
            sigma=_known(standing.sigma),
            sigma_source=None if math.isnan(standing.sigma) else self._feed.sigma_source(at_ns),
            minutes_per_year=per_year,
            point=_known(standing.point),
            preset=self._config.preset,
            model=self._scan.rules.probability,
            pressure_is=pressure_words(self._scan.rules),
            threshold=_known(standing.threshold),
            no_alert=standing.no_alert,
            evaluated_ns=standing.evaluated_ns,
            profile=_profile(rungs, standing, minutes, per_year),
            rungs=with_alerts(frame, held, self._config),
            notices=_notices(self._notices[self._notices["expiry_ns"] == expiry_ns]),
            notes=(*market.notes, *self._notes(at_ns, standing, rungs)),
        )

    def _settlement(self, expiry_ns: int) -> SettlementKind:
        terms = self._market.contracts
        mine = terms.filter(pl.col("expiry").dt.timestamp("ns") == expiry_ns)
        commonest = mine["settlement"].value_counts(sort=True).row(0)[0]
        return settlement_kind(self._market.options.venue, str(commonest))

    def _notes(self, at_ns: int, standing: Standing, rungs: NDArray[Any]) -> Iterator[str]:
        age = (at_ns - standing.price_ns) / MINUTE_NS
        if age > self._config.clock.oldest_price_minutes:
            yield f"The price is {age:,.0f} minutes old."
        if math.isnan(standing.sigma):
            yield (
                "No volatility is known: neither gamma nor the lognormal and empirical chances are."
            )
        signed = int((rungs["gamma_basis"] == GammaConvention.SIGNED_FLOW).sum())
        if signed:
            yield (
                f"At {signed:,} of {rungs.size:,} strikes dealers' side is told by the volume that"
                " was signed since the tapes begin; what they held before is not in it."
            )


def pressure_words(rules: PressureRules) -> str:
    """Return in words how pressure is computed by some rules, and its unit."""
    scale, unit, minutes = "", "contracts of 100 units per square minute", "minutes left"
    if rules.reference_risk is not None:
        scale = f" × {rules.reference_risk:,.0f} × 100 ÷ the hedge’s usual volume in 5 minutes"
        unit = "no unit of its own, comparable between markets"
    if rules.session_minutes is not None:
        minutes = f"minutes left as parts of a session of {rules.session_minutes:,.10g}"
    return (
        f"{rules.open_interest} open interest × the chance by model {rules.probability}{scale} ÷"
        f" the square of {minutes}, 1 at least: {unit}"
    )


def _hours_and_minutes(span_ns: int) -> str:
    hours, minutes = divmod(-(-span_ns // MINUTE_NS), 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def _zone_of(market: Market) -> str:
    calendar = market.sessions.calendar
    if calendar == ALWAYS_OPEN:
        return "UTC"
    import exchange_calendars as ecals

    day = moment_of(int(market.sessions.open_ns[0])).date()
    span = {"start": str(day), "end": str(day + timedelta(days=7))}
    return str(ecals.get_calendar(calendar, **span).tz)


def _profile(
    rungs: NDArray[Any], standing: Standing, minutes: float, per_year: float
) -> GammaProfile | None:
    if math.isnan(standing.sigma):
        return None
    strikes = rungs["strike"].astype(np.float64)
    sigmas = np.full(strikes.size, standing.sigma)
    units = rungs["dealer_units"].astype(np.float64)
    positions = DealerPositions(strikes, units, sigmas, minutes, per_year)
    return gamma_profile(positions, standing.price)


def _notices(rows: NDArray[Any]) -> pl.DataFrame:
    kinds = [NoticeKind(int(each)).name for each in rows["kind"]]
    frame = pl.DataFrame(
        {
            "at_ns": rows["at_ns"],
            "kind": pl.Series(kinds, dtype=pl.String),
            "minutes_left": rows["minutes_left"],
            "strike": rows["strike"],
        },
        schema=NOTICES,
    )
    return frame.with_columns(pl.col("strike").fill_nan(None))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
