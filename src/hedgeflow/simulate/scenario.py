"""The scenario: every parameter of a simulated market, its unit and its switch, and the presets."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Final, Literal, get_args

from hedgeflow.market.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

PresetName = Literal["calm", "effect", "null", "shock-day"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A market with known truth.

    Distances are in basis points of the price, sizes in underlying units, option sizes in lots of
    0.1 units. The demo's numbers are chosen to be seen, not to be believed: real hedging moves an
    index future by single-digit basis points (Golez & Jackwerth 2012; Ni et al. 2021).

    Attributes
    ----------
    days : int
        UTC days to simulate.
    seed : int
        Root of every random stream; streams are spawned per component and day, so that switching
        one effect leaves every other component's draws as they were.
    first_day : date
        The first UTC day.
    start_price : float
        Index price at the first instant, quote currency.
    volatility : float
        Long-run implied volatility at the money, fraction per year; the index diffuses with it.
    volatility_of_volatility : float
        Stationary standard deviation of the log of that level; 0 holds it constant.
    volatility_half_life_hours : float
        Half-life of its deviations.
    skew, curvature : float
        Relative change of implied volatility per standardised log-moneyness, and per its square.
    short_end_premium : float
        Relative lift of implied volatility at zero days, falling with an e-fold of 5 days.
    daily_expiries, weekly_expiries : int
        Expiries listed ahead, at 08:00 UTC of each day and of each Friday.
    daily_strike_step, weekly_strike_step : float
        Distance of strikes, quote currency.
    strikes_each_side : int
        Strikes listed on each side of the index price at a listing (08:00 UTC).
    option_trades_per_day : float
        Ordinary option prints expected in a day.
    option_burst_trades : float
        Expected prints in one burst of ordinary flow in one contract (clustering), at least 1.
    option_burst_seconds : float
        Mean delay of a burst's later prints behind its first.
    option_lots_median, option_lots_sigma : float
        Lognormal body of option print sizes: median in lots, standard deviation of the log.
    option_tail_share : float
        Share of ordinary prints drawn from the Pareto tail of sizes instead.
    option_tail_lots, option_tail_exponent, option_largest_lots : float
        Smallest size of that tail, its exponent, and the largest print of all. The prints of
        shocks come from the same tail.
    option_half_spread_vol : float
        Half of the quoted option spread at the money, in implied volatility.
    complex_share : float
        Share of ordinary prints that are the first leg of a two-leg complex order.
    unsigned_share : float
        Share of prints, shocks included, whose aggressor the tape does not know.
    shocks : bool
        Whether there are shocks at all.
    first_shock_day : int
        Days without shocks at the start.
    sweeps_per_day, emergencies_per_day : tuple of int
        Least and most shocks of each class in a day, equally likely.
    shock_gap_minutes : float
        Shortest time between the starts of two shocks of one day.
    sweep_delta_units, emergency_delta_units : float
        Median abs(hedge demand) of a shock.
    delta_sigma : float
        Standard deviation of its log.
    sweep_seconds, emergency_seconds : float
        Median time over which a shock's prints are spread.
    hedging : bool
        Whether dealers hedge shocks. Without, the same trades (times, sizes) carry random signs,
        so that volume after a shock is the same and only its direction is gone.
    hedge_share : float
        Share of a shock's hedge demand that dealers trade in the perpetual.
    hedge_lag_seconds : float
        Median time from a shock's first print to the dealers' first possible trade.
    hedge_half_time_minutes : float
        Median time from there to half of the hedge, for a hedge demand of `reference_units`.
    hedge_half_time_exponent : float
        Half-time falls with this power of abs(hedge demand): the greater, the faster.
    impact : bool
        Whether the dealers' trades move the perpetual. Without hedging there is none.
    impact_bps : float
        Peak impact of a hedge of `reference_units` if nothing decayed; goes with the square root
        of the hedge (the square-root law, e.g. Toth et al. 2011).
    impact_path_exponent : float
        Concavity of impact in the executed share of one hedge: 0.5 is the square-root law all the
        way, 1 is linear.
    lasting_share : float
        Share of impact that is not transient.
    transient_half_life_minutes, lasting_half_life_hours : float
        Half-lives of the two parts. The index, off which options are priced, does not move with
        the perpetual's premium; arbitrage closes the lasting part over hours.
    reference_units : float
        The typical hedge demand that the figures above refer to.
    hedge_volume_units : float
        Median 5-minute volume of the perpetual's ordinary flow.
    hedge_trades_per_day : float
        Ordinary trades of the perpetual expected in a day.
    hedge_size_sigma : float
        Standard deviation of the log of a perpetual trade's size.
    hedge_activity_sigma : float
        Standard deviation of the log of the perpetual's slowly varying activity.
    imbalance_units : float
        Standard deviation of the ordinary flow's cumulative signed volume, which reverts to zero:
        the noise against which hedging flow must be seen.
    hedge_half_spread_bps : float
        Half of the perpetual's quoted spread.
    quote_interval_seconds : float
        Time between the perpetual's quotes.
    """

    days: int
    seed: int
    first_day: date = date(2025, 1, 6)

    start_price: float = 50_000.0
    volatility: float = 0.50
    volatility_of_volatility: float = 0.10
    volatility_half_life_hours: float = 24.0
    skew: float = -0.03
    curvature: float = 0.025
    short_end_premium: float = 0.08

    daily_expiries: int = 3
    weekly_expiries: int = 4
    daily_strike_step: float = 500.0
    weekly_strike_step: float = 1_000.0
    strikes_each_side: int = 6

    option_trades_per_day: float = 20_000.0
    option_burst_trades: float = 2.0
    option_burst_seconds: float = 40.0
    option_lots_median: float = 2.0
    option_lots_sigma: float = 0.7
    option_tail_share: float = 0.02
    option_tail_lots: float = 5.0
    option_tail_exponent: float = 2.5
    option_largest_lots: float = 100.0
    option_half_spread_vol: float = 0.008
    complex_share: float = 0.03
    unsigned_share: float = 0.03

    shocks: bool = True
    first_shock_day: int = 0
    sweeps_per_day: tuple[int, int] = (3, 5)
    emergencies_per_day: tuple[int, int] = (1, 3)
    shock_gap_minutes: float = 45.0
    sweep_delta_units: float = 24.0
    emergency_delta_units: float = 60.0
    delta_sigma: float = 0.30
    sweep_seconds: float = 60.0
    emergency_seconds: float = 20.0

    hedging: bool = True
    hedge_share: float = 1.0
    hedge_lag_seconds: float = 40.0
    hedge_half_time_minutes: float = 4.0
    hedge_half_time_exponent: float = 0.5

    impact: bool = True
    impact_bps: float = 20.0
    impact_path_exponent: float = 0.7
    lasting_share: float = 0.5
    transient_half_life_minutes: float = 30.0
    lasting_half_life_hours: float = 8.0
    reference_units: float = 30.0

    hedge_volume_units: float = 300.0
    hedge_trades_per_day: float = 60_000.0
    hedge_size_sigma: float = 0.6
    hedge_activity_sigma: float = 0.30
    imbalance_units: float = 10.0
    hedge_half_spread_bps: float = 0.25
    quote_interval_seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what no market can be.

        Raises
        ------
        ConfigError
            A value is out of its range; the message names it.
        """
        for name, accepts, expected in _RULES:
            value = getattr(self, name)
            if not (math.isfinite(value) and accepts(value)):
                raise ConfigError(f"must be {expected}, was {value!r}", where=f"scenario.{name}")
        for name in ("sweeps_per_day", "emergencies_per_day"):
            least, most = getattr(self, name)
            if not 0 <= least <= most:
                raise ConfigError(
                    f"must be (least, most), was ({least}, {most})", where=f"scenario.{name}"
                )
        most_shocks = self.sweeps_per_day[1] + self.emergencies_per_day[1]
        if most_shocks * self.shock_gap_minutes >= _MINUTES_PER_DAY:
            raise ConfigError(
                f"{most_shocks} shocks {self.shock_gap_minutes:g} minutes apart exceed a day",
                where="scenario.shock_gap_minutes",
            )


_MINUTES_PER_DAY: Final = 1440
_SHARES: Final = (
    "complex_share", "lasting_share", "option_tail_share", "unsigned_share",
)  # fmt: skip
_NON_NEGATIVE: Final = (
    "delta_sigma", "first_shock_day", "hedge_activity_sigma", "hedge_half_spread_bps",
    "hedge_half_time_exponent", "hedge_share", "hedge_size_sigma", "impact_bps",
    "option_half_spread_vol", "option_lots_sigma", "seed", "short_end_premium",
    "volatility_of_volatility",
)  # fmt: skip
_ONE_OR_MORE: Final = ("daily_expiries", "days", "option_burst_trades", "strikes_each_side")
_FREE: Final = (
    "curvature", "emergencies_per_day", "first_day", "hedging", "impact", "shocks", "skew",
    "sweeps_per_day",
)  # fmt: skip


def _rules() -> tuple[tuple[str, Callable[[float], bool], str], ...]:
    rules: list[tuple[str, Callable[[float], bool], str]] = []
    for field in fields(Scenario):
        if field.name in _FREE:
            continue
        if field.name in _SHARES:
            rules.append((field.name, lambda value: 0.0 <= value <= 1.0, "between 0 and 1"))
        elif field.name in _NON_NEGATIVE:
            rules.append((field.name, lambda value: value >= 0, "0 or more"))
        elif field.name in _ONE_OR_MORE:
            rules.append((field.name, lambda value: value >= 1, "1 or more"))
        else:
            rules.append((field.name, lambda value: value > 0, "positive"))
    return tuple(rules)


_RULES: Final = _rules()

_EFFECT: Final = Scenario(days=30, seed=7, impact_bps=45.0)
_PRESETS: Final[dict[PresetName, Scenario]] = {
    "calm": Scenario(days=12, seed=7, shocks=False),
    "effect": _EFFECT,
    "null": replace(_EFFECT, hedging=False, impact=False),
    "shock-day": Scenario(days=12, seed=7, first_shock_day=11),
}


def scenario(name: PresetName, *, days: int | None = None, seed: int | None = None) -> Scenario:
    """Return a preset.

    Parameters
    ----------
    name : {"calm", "effect", "null", "shock-day"}
        ``calm``: no shocks. ``shock-day``: eleven calm days, then one with shocks that dealers
        hedge. ``effect``: 30 days of shocks, hedged, with strong impact. ``null``: the market of
        ``effect`` with the same option tape, in which nobody hedges and no price responds.
    days, seed : int, optional
        In place of the preset's.

    Raises
    ------
    ConfigError
        There is no such preset.
    """
    if name not in _PRESETS:
        raise ConfigError(
            f"no preset '{name}'", where="scenario", hint=f"Use one of {get_args(PresetName)}"
        )
    preset = _PRESETS[name]
    return replace(
        preset,
        days=preset.days if days is None else days,
        seed=preset.seed if seed is None else seed,
    )
