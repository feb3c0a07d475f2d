"""Claimed bands: of a class of trades, and of all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hedgeflow.strategies.claims import Claim

if TYPE_CHECKING:
    from hedgeflow.strategies.claims import Comparison

    Band = tuple[float, float]

OF_CLASS: Final = "claimed band of the class"
TOGETHER: Final = "claimed band of all trades together"
A_SESSION: Final = ("a session", "trades_per_session")
"""Of what a frequency is, in words, and the statistic that measures it."""
AN_EXPIRY_DAY: Final = ("an expiry day", "trades_per_expiry_day")
"""For a strategy that can trade only on days when options expire."""
LEAST_TRADES: Final = 30
"""Fewer say nothing of a band."""


def class_bands(
    name: str,
    flow_class: str,
    *,
    win_rate: Band,
    win: Band,
    loss: Band,
    hold: Band,
    frequency: Band,
    a_day: tuple[str, str] = A_SESSION,
) -> tuple[Claim, ...]:
    """Return the claims of a class: wins as a share, points, minutes held, trades `a_day`."""

    def claim(suffix: str, statement: str, statistic: str, ends: Band) -> Claim:
        return _band(name, suffix, statement, statistic, ends, flow_class)

    return (
        _band(
            name, "win-rate", _rate_words(win_rate), "win_rate", win_rate, flow_class, at_least=True
        ),
        claim("win", f"average win {win[0]:g} to {win[1]:g} points", "average_win_points", win),
        claim(
            "loss", f"average loss {loss[0]:g} to {loss[1]:g} points", "average_loss_points", loss
        ),
        claim("hold", f"held {hold[0]:g} to {hold[1]:g} min", "hold_minutes", hold),
        claim(
            "frequency",
            f"{frequency[0]:g} to {frequency[1]:g} trades {a_day[0]}",
            a_day[1],
            frequency,
        ),
    )


def bands_together(*, win_rate: Band, sharpe: Band, drawdown: Band) -> tuple[Claim, ...]:
    """Return the claims of all trades together: win rate, Sharpe ratio, drawdown."""
    low, high = (100.0 * end for end in drawdown)
    return (
        _band("together", "win-rate", _rate_words(win_rate), "win_rate", win_rate, at_least=True),
        _band(
            "together",
            "sharpe",
            f"an annualised Sharpe ratio of at least {sharpe[0]:g}"
            f" (claimed: {sharpe[0]:g} to {sharpe[1]:g})",
            "sharpe_annualised",
            sharpe,
            at_least=True,
        ),
        _band(
            "together", "drawdown", f"a drawdown of {low:.0f} to {high:.0f} %", "drawdown", drawdown
        ),
    )


def _rate_words(ends: Band) -> str:
    low, high = (100.0 * end for end in ends)
    return f"wins at least {low:.0f} % (claimed: {low:.0f} to {high:.0f} %)"


def _band(
    name: str,
    suffix: str,
    statement: str,
    statistic: str,
    ends: Band,
    flow_class: str = "",
    *,
    at_least: bool = False,
) -> Claim:
    """Return a claim of a band; with `at_least` more than its upper end is no failure."""
    comparison: Comparison = ">=" if at_least else "within"
    return Claim(
        f"{name}-{suffix}",
        f"{name}: {statement}",
        statistic,
        comparison,
        ends[0],
        LEAST_TRADES,
        OF_CLASS if flow_class else TOGETHER,
        upper_threshold=ends[1],
        flow_class=flow_class,
        group=f"{name}-band",
    )
