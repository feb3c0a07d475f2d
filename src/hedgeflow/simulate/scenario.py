"""The scenario: every parameter of a simulated market in sections, with its unit and its switch."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.settings import Section
from hedgeflow.simulate.hours import DAYS_PER_YEAR, SESSIONS_PER_YEAR, has_session

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Range = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]

MINUTES_PER_DAY = 1440
YEARS = (1970, 2200)
SHORTEST_SESSION_MINUTES = 210
"""A half day of the New York exchange."""

LONGEST_LAST_MINUTES = 180
"""Shocks come in options that live for so long at least."""


def _day(value: object) -> object:
    """Return the date that a text of JSON holds; TOML has dates of its own."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


Day = Annotated[date, BeforeValidator(_day)]


class Index(Section):
    """The index on which options are written."""

    start_price: Positive = 50_000.0
    """At the first instant, quote currency."""
    volatility: Positive = 0.50
    """Long-run volatility, fraction per year; implied volatility at the money moves around it."""
    volatility_of_volatility: NonNegative = 0.10
    """Stationary standard deviation of the log of the volatility's level; 0 holds it constant."""
    volatility_half_life_hours: Positive = 24.0
    """Half-life of its deviations."""
    intraday_volatility: NonNegative = 0.5
    """Power of the day's activity to which the index's variance follows it; 0 is flat."""
    jumps_per_day: NonNegative = 1.0
    """Jumps expected in a session."""
    jump_bps: NonNegative = 20.0
    """Standard deviation of a jump, basis points."""
    overnight_share: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of a day's variance that falls between sessions, where the market closes."""

    @property
    def jump_variance(self) -> float:
        """Variance of the log price that jumps make in a session."""
        return self.jumps_per_day * (self.jump_bps * 1e-4) ** 2


class Smile(Section):
    """Implied volatility by strike and time left."""

    skew: float = -0.03
    """Relative change of implied volatility per standardised log-moneyness."""
    curvature: float = 0.025
    """And per its square."""
    short_end_premium: NonNegative = 0.08
    """Relative lift of implied volatility at zero days."""
    short_end_days: Positive = 5.0
    """Days in which that lift falls to 1/e."""


class Chain(Section):
    """Which options are listed."""

    daily_expiries: Annotated[int, Field(ge=0)] = 3
    """Expiries listed ahead, one at the end of each option day."""
    weekly_expiries: Annotated[int, Field(ge=0)] = 4
    """Fridays listed ahead."""
    expiries: tuple[Day, ...] = ()
    """Further expiry dates, listed from the start."""
    daily_strike_step: Positive = 500.0
    """Distance of strikes of daily expiries, quote currency."""
    weekly_strike_step: Positive = 1_000.0
    """Of weekly ones and of further dates."""
    strikes_each_side: Count = 6
    """Strikes listed on each side of the index at a listing."""
    multiplier: Positive = 1.0
    """Underlying units of one contract."""
    lot: Positive = 0.1
    """Smallest quantity, contracts."""

    @property
    def lot_units(self) -> float:
        """Underlying units of one lot."""
        return self.lot * self.multiplier


class OptionFlow(Section):
    """Ordinary option prints."""

    trades_per_day: Positive = 20_000.0
    """Prints expected in a full session; in a short one as many fewer as it is shorter."""
    burst_trades: Annotated[float, Field(ge=1)] = 2.0
    """Prints expected in one burst in one contract: arrivals cluster."""
    burst_seconds: Positive = 40.0
    """Mean delay of a burst's later prints behind its first."""
    lots_median: Positive = 2.0
    """Median of the lognormal body of print sizes, lots."""
    lots_sigma: NonNegative = 0.7
    """Standard deviation of its log."""
    tail_share: Share = 0.02
    """Share of prints drawn from the Pareto tail of sizes instead."""
    tail_lots: Annotated[float, Field(ge=1)] = 5.0
    """Smallest size of that tail, lots; shocks print from the same tail."""
    tail_exponent: Positive = 2.5
    """Its exponent."""
    largest_lots: Annotated[float, Field(ge=1)] = 100.0
    """Largest print of all."""
    complex_share: Share = 0.03
    """Share of prints that are the first leg of a two-leg complex order."""
    unsigned_share: Share = 0.03
    """Share of prints, shocks included, whose aggressor the tape does not know."""
    inside_share: Share = 0.30
    """Share of prints at a price between the middle and the quote that they hit."""


class OptionQuotes(Section):
    """Quotes of options."""

    half_spread_vol: NonNegative = 0.008
    """Half of the quoted spread at the money, implied volatility."""
    update_seconds: Positive = 10.0
    """A contract's quote is set anew so often; in between it does not follow the index, so that
    prints trade a little beside the quote that was known. The shortest is a millisecond."""
    size_lots: Positive = 20.0
    """Mean quantity at the bid and at the ask, lots."""
    tape: bool = False
    """Whether there is a tape of them; each print carries the quote that it met in any case."""
    refresh_minutes: Annotated[float, Field(ge=0.1)] = 30.0
    """Every listed contract is quoted anew so often on that tape."""


class OpenInterest(Section):
    """Open interest, carried over days."""

    start_contracts: NonNegative = 100.0
    """Mean open interest of a contract at the money on the first day, contracts."""
    opening_share: Share = 0.6
    """Share of traded volume that opens positions; the rest closes what is open, while it lasts."""


class Shocks(Section):
    """Option shocks of known size, side and time."""

    enabled: bool = True
    first_day: Annotated[int, Field(ge=0)] = 0
    """Sessions without shocks at the start."""
    sweeps_per_day: Range = (3, 5)
    """Least and most institutional sweeps in a session, equally likely."""
    emergencies_per_day: Range = (1, 3)
    """The same of gamma emergencies."""
    gap_minutes: Positive = 45.0
    """Shortest time between the starts of two shocks of one session."""
    sweep_units: Positive = 24.0
    """Median abs(hedge demand) of a sweep, underlying units."""
    emergency_units: Positive = 80.0
    """Of an emergency."""
    units_sigma: NonNegative = 0.30
    """Standard deviation of its log."""
    sweep_seconds: Positive = 60.0
    """Median time over which a sweep's prints are spread; the session's end cuts it short."""
    emergency_seconds: Positive = 20.0
    """Of an emergency."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Shocks:
        for name in ("sweeps_per_day", "emergencies_per_day"):
            least, most = getattr(self, name)
            if least > most:
                message = f"{name} must be [least, most], was [{least}, {most}]"
                raise ValueError(message)
        return self


class Dealers(Section):
    """What dealers trade in the future."""

    hedging: Literal["demand", "coin", "none"] = "demand"
    """``demand``: dealers hedge. ``coin``: the same trades with the same impact, all of one order
    on a side that a coin decides. ``none``: the same times and sizes, the side of every trade
    random, without impact. Orders for the book as a whole are meant, too."""
    share: Share = 1.0
    """Share of a shock's hedge demand that is traded in the future."""
    lag_seconds: NonNegative = 40.0
    """Median time from a shock's first print to the first possible trade."""
    half_time_minutes: Positive = 5.3
    """Median time from there to half of the hedge, for a demand of `reference_units`; none takes
    longer than 8."""
    half_time_exponent: NonNegative = 1.1
    """Half-time falls with this power of abs(hedge demand): the greater, the faster."""
    reference_units: Positive = 30.0
    """The typical hedge demand that times and impact refer to, underlying units."""
    ordinary: bool = True
    """Whether dealers hedge all other option flow and rehedge what they hold."""
    ordinary_share: Share = 1.0
    """Share of that which they hedge in this future: the rest is hedged elsewhere."""
    rebalance_minutes: Annotated[float, Field(ge=1)] = 5.0
    """They look at their book so often."""
    band_units: NonNegative = 5.0
    """And leave a delta smaller than this."""


class Impact(Section):
    """How hedges move prices; those of an expiry's last hours by `expiry.impact_bps`."""

    enabled: bool = True
    peak_bps: NonNegative = 20.0
    """Peak impact of a hedge of `reference_units` if nothing decayed; goes with the square root of
    the hedge (the square-root law, e.g. Toth et al. 2011)."""
    path_exponent: Positive = 0.7
    """Concavity of impact in the executed share of one hedge: 0.5 is the square-root law all the
    way, 1 is linear."""
    permanent_share: Share = 0.5
    """Share that stays, in the index too; the rest is the future's premium and decays."""
    transient_half_life_minutes: Positive = 30.0
    """Half-life of that premium."""


class Expiry(Section):
    """Positions in the series that expires next, and what they make dealers trade at its end."""

    enabled: bool = False
    """Whether customers build such positions; dealers rehedge all they hold in any case."""
    dealers: Literal["long", "short", "mixed", "none"] = "mixed"
    """``long``: dealers bought the options, so that their hedges pin the price to a strike.
    ``short``: they sold them, and their hedges repel it. ``mixed``: a coin decides for each strike
    of each expiry. ``none``: as ``mixed``, and the hedges of the last hours move no price."""
    convention: Literal["none", "calls-long", "calls-short"] = "none"
    """What calls and puts tell of it. ``none``: nothing; customers are on one side of both.
    ``calls-long``: dealers are long the calls and short the puts, whichever is more; the usual
    convention holds. ``calls-short``: the other way round; that convention misleads."""
    contracts: Positive = 10_000.0
    """Traded in a round strike until it expires if the index stands at it, contracts."""
    build_sessions: Count = 5
    """In so many sessions, in equal parts, the last of them that of the expiry."""
    round_every: Count = 2
    """Every so many strikes there is a round one."""
    round_weight: Annotated[float, Field(ge=1)] = 5.0
    """Volume in a round strike over that in another."""
    decay_strikes: Positive = 4.0
    """Strikes from the index in which volume falls to 1/e."""
    lean: Share = 0.6
    """Net over gross of what customers trade in a strike: how far they are on one side."""
    window_minutes: Annotated[float, Field(gt=0, le=180)] = 120.0
    """Length of the last hours at least: until the last look at the book before them dealers
    rehedge the series with the rest of what they hold."""
    look_seconds: Annotated[float, Field(ge=1)] = 15.0
    """In the last hours they look at it so often."""
    half_life_minutes: Positive = 2.0
    """And trade half of what is missing in this time."""
    hedging_volatility: Positive = 1.0
    """Volatility at which dealers reckon delta on the day of expiry, over the market's. Where it is
    1, and the market's is fair, delta has no drift and their hedges have none: they change how far
    the price moves, not where to. Above 1 they put off what passing time then makes them trade."""
    impact_bps: NonNegative = 3.0
    """Impact of `dealers.reference_units` of these hedges; linear in what is traded. Divided into
    lasting and transient as that of shocks' hedges."""


class Future(Section):
    """The future's ordinary trades, and its quotes."""

    volume_units: Positive = 300.0
    """Median 5-minute volume of ordinary flow, underlying units."""
    trades_per_day: Positive = 60_000.0
    """Ordinary trades expected in a full session."""
    size_sigma: NonNegative = 0.6
    """Standard deviation of the log of a trade's size."""
    activity_sigma: NonNegative = 0.30
    """Standard deviation of the log of the slowly varying activity."""
    imbalance_units: Positive = 10.0
    """Standard deviation of the ordinary flow's cumulative signed volume, which reverts to zero:
    the noise against which hedging flow must be seen. About a trade's size at least."""
    run_trades: Annotated[float, Field(ge=1)] = 3.0
    """Mean length of runs of trades on one side, as orders are split; 1 is none."""
    run_exponent: Annotated[float, Field(gt=1, le=10)] = 1.6
    """Tail exponent of the runs' lengths."""
    half_spread_bps: NonNegative = 0.25
    """Half of the quoted spread, basis points, where activity is ordinary."""
    quote_interval_seconds: Positive = 2.0
    """Time between quotes."""


class Scenario(Section):
    """A market with known truth; without changes, hedged shocks whose impact is there to be seen.

    Sizes are in underlying units, option sizes in lots of the chain. Every random stream is
    spawned per component and day from one seed, so that switching one effect leaves every other
    component's draws as they were.
    """

    preset: str = ""
    """What the scenario was made from."""
    days: Count = 12
    """Sessions to simulate."""
    seed: Annotated[int, Field(ge=0)] = 7
    """Root of every random stream."""
    first_day: Day = date(2025, 1, 6)
    """The first session's date, or that of the first session after it."""
    hours: Literal["24/7", "XNYS"] = "24/7"
    """Never closed, UTC days, a perpetual; or New York's sessions, half days too, and a future."""
    day_shape: Literal["u", "humps", "flat"] = "humps"
    """Activity over the day: much at the open and the close, two humps, or none."""
    index: Index = Index()
    smile: Smile = Smile()
    chain: Chain = Chain()
    option_flow: OptionFlow = OptionFlow()
    option_quotes: OptionQuotes = OptionQuotes()
    open_interest: OpenInterest = OpenInterest()
    shocks: Shocks = Shocks()
    dealers: Dealers = Dealers()
    impact: Impact = Impact()
    expiry: Expiry = Expiry()
    future: Future = Future()
    strategy: str = "volume-shock"
    """The strategy that this market is made to judge."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of that strategy with which studies judge this market, in its own sections."""

    @property
    def session_share(self) -> float:
        """Share of a year's variance that falls into one full session."""
        if self.hours == ALWAYS_OPEN:
            return 1.0 / DAYS_PER_YEAR
        return (1.0 - self.index.overnight_share) / SESSIONS_PER_YEAR

    @model_validator(mode="after")
    def _is_possible(self) -> Scenario:
        days = (self.first_day, *self.chain.expiries)
        if min(days).year < YEARS[0] or max(days).year + self.days // 200 >= YEARS[1]:
            message = f"first_day: a market can be simulated from {YEARS[0]} until {YEARS[1]}"
            raise ValueError(message)
        for expiry in self.chain.expiries:
            if expiry <= self.first_day:
                message = (
                    f"chain.expiries: {expiry} is not after the first day, {self.first_day}:"
                    " an option cannot expire before it trades"
                )
                raise ValueError(message)
            if self.hours != ALWAYS_OPEN and not has_session(self.hours, expiry):
                message = f"chain.expiries: there is no session of {self.hours} on {expiry}"
                raise ValueError(message)
        index = self.index
        if index.jump_variance >= index.volatility**2 * self.session_share:
            message = (
                f"index.jump_bps: jumps of {index.jump_bps:g} basis points,"
                f" {index.jumps_per_day:g} a day, exceed the whole variance of an index whose"
                f" volatility is {index.volatility:g} a year"
            )
            raise ValueError(message)
        shocks = self.shocks
        most = shocks.sweeps_per_day[1] + shocks.emergencies_per_day[1]
        minutes = MINUTES_PER_DAY if self.hours == ALWAYS_OPEN else SHORTEST_SESSION_MINUTES
        if shocks.enabled and most * shocks.gap_minutes >= minutes:
            message = (
                f"shocks.gap_minutes: {most} shocks {shocks.gap_minutes:g} minutes apart exceed a"
                f" session of {minutes} minutes"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _lists_options(self) -> Scenario:
        if self.chain.daily_expiries + self.chain.weekly_expiries == 0:
            message = (
                "chain.weekly_expiries: no option is listed where this and chain.daily_expiries"
                " are both 0"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _can_expire(self) -> Scenario:
        expiry, dealers = self.expiry, self.dealers
        if not expiry.enabled:
            return self
        if self.hours == ALWAYS_OPEN:
            message = (
                "expiry.enabled: options must expire as a session closes, and"
                f" hours '{self.hours}' never close: set hours to 'XNYS'"
            )
            raise ValueError(message)
        if not dealers.ordinary:
            message = (
                "expiry.enabled: with dealers.ordinary false dealers rehedge nothing, so nothing"
                " can happen at an expiry"
            )
            raise ValueError(message)
        if expiry.window_minutes + dealers.rebalance_minutes > LONGEST_LAST_MINUTES:
            message = (
                f"expiry.window_minutes: {expiry.window_minutes:g} minutes and the time between two"
                f" looks at the book, {dealers.rebalance_minutes:g} (dealers.rebalance_minutes),"
                f" exceed {LONGEST_LAST_MINUTES}: the last hours begin at a look, and no shock"
                " may fall into them"
            )
            raise ValueError(message)
        if expiry.look_seconds > 60.0 * expiry.window_minutes:
            message = (
                f"expiry.look_seconds: {expiry.look_seconds:g} seconds are longer than the last"
                f" hours, {expiry.window_minutes:g} minutes (expiry.window_minutes)"
            )
            raise ValueError(message)
        return self
