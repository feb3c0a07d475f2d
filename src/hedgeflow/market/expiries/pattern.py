"""The source's weekly pattern of expirations, and the years for which it was true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from hedgeflow.market.expiries.expiry import expiries_on
from hedgeflow.market.expiries.rules import WEEKDAYS

PATTERN_SINCE: Final = date(2016, 3, 2)
"""First Wednesday expiry of SPXW: the source knows Wednesday options."""

PATTERN_UNTIL: Final = date(2022, 4, 25)
"""The day before SPXW first expired on a Tuesday; Mondays had been listed since 2016-08-22."""

INDEX_OPTIONS: Final = ("SPX", "SPXW", "SPXPM", "SPXQ")
"""The chain that the source has in mind."""

_CLAIMS: Final = (
    "minimal: weekly options are still far",
    "minimal: weekly options are still far",
    "Wednesday's weekly options expire, and Friday's monthly ones are positioned for",
    "building for Friday",
    "maximal: monthly and weekly options expire together",
)


@dataclass(frozen=True, slots=True)
class PatternDay:
    """What the source says of a weekday, beside what was listed on a date of it.

    Attributes
    ----------
    weekday, claim : str
        ``nothing`` for a weekend.
    in_force : bool
        The date lies in the years that the pattern describes, 2016 to April 2022.
    listed : tuple of str
        Roots on the S&P 500 that expired, or expire, on the date.
    contradicted : bool
        The source says that little expires, and something was listed.
    """

    weekday: str
    claim: str
    in_force: bool
    listed: tuple[str, ...]
    contradicted: bool


def weekly_pattern(day: date) -> PatternDay:
    """Return the source's weekly pattern for a date beside what was really listed.

    Raises
    ------
    ConfigError
        As `expiries_on` does.
    """
    claim = _CLAIMS[day.weekday()] if day.weekday() < len(_CLAIMS) else "nothing"
    listed = tuple(each.root for each in expiries_on(day, INDEX_OPTIONS))
    quiet = claim.startswith(("minimal", "building"))
    return PatternDay(
        weekday=WEEKDAYS[day.weekday()],
        claim=claim,
        in_force=PATTERN_SINCE <= day <= PATTERN_UNTIL,
        listed=listed,
        contradicted=quiet and bool(listed),
    )
