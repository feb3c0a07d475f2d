"""Where a simulated market trades: its venue's ticks and steps, and the instrument of hedges."""

from __future__ import annotations

from calendar import FRIDAY
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from hedgeflow.market.contracts import FUTURE_SPECIFICATIONS
from hedgeflow.market.sessions import ALWAYS_OPEN
from hedgeflow.market.time import moment_of
from hedgeflow.simulate.hours import sessions_of

if TYPE_CHECKING:
    from hedgeflow.simulate.scenario import Scenario

UNDERLYING: Final = "SIM"

_QUARTERLY_CODES: Final = {3: "H", 6: "M", 9: "U", 12: "Z"}
_DAYS_OF_TWO_WEEKS: Final = 14


@dataclass(frozen=True, slots=True)
class Venue:
    """What a venue allows.

    Attributes
    ----------
    name : str
        As tapes and fee profiles name it.
    option_ticks : int
        Price steps of options in one unit of quote currency.
    hedge_tick : float
        Price step of the hedge instrument, quote currency.
    hedge_step : float
        Smallest quantity of the hedge instrument, underlying units.
    """

    name: str
    option_ticks: int
    hedge_tick: float
    hedge_step: float


_FUTURE_UNITS, _FUTURE_TICK = FUTURE_SPECIFICATIONS[UNDERLYING]

_VENUES: Final = {
    ALWAYS_OPEN: Venue("sim", option_ticks=1, hedge_tick=0.1, hedge_step=0.001),
    "XNYS": Venue("sim-us", option_ticks=20, hedge_tick=_FUTURE_TICK, hedge_step=_FUTURE_UNITS),
}


def venue_of(scenario: Scenario) -> Venue:
    """Return the venue that a scenario's hours mean."""
    return _VENUES[scenario.hours]


def hedge_symbol(scenario: Scenario) -> str:
    """Return the hedge instrument: a perpetual, or the first future to expire after the scenario.

    Futures expire on the third Friday of March, June, September and December.
    """
    if scenario.hours == ALWAYS_OPEN:
        return f"{UNDERLYING}-PERP"
    last = moment_of(sessions_of(scenario)[-1].start_ns).date()
    months = ((last.year + ahead, month) for ahead in (0, 1) for month in _QUARTERLY_CODES)
    year, month = next(each for each in months if _third_friday(*each) > last)
    return f"{UNDERLYING}{_QUARTERLY_CODES[month]}{year % 100:02d}"


def _third_friday(year: int, month: int) -> date:
    first_friday = 1 + (FRIDAY - date(year, month, 1).weekday()) % 7
    return date(year, month, first_friday + _DAYS_OF_TWO_WEEKS)
