"""How figures are written in sentences: rates as per cent, p-values as such, the rest plainly."""

from __future__ import annotations

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.estimates import Estimate

_NAMES = {
    "trades": "trades",
    "tradable_prices": "tradable:",
    "win_rate": "win rate",
    "sharpe_annualised": "annualised Sharpe ratio",
    "deflated_sharpe": "probability",
    "p_value": "p =",
    "p_value_win_rate": "p =",
    "r_squared": "R² =",
    "expectancy_points": "points a trade",
    "drawdown": "drawdown",
    "detection_to_entry_minutes": "longest, in minutes,",
    "average_win_points": "average win in points",
    "average_loss_points": "average loss in points",
    "hold_minutes": "minutes held",
    "trades_per_session": "trades a session",
    "trades_per_expiry_day": "trades an expiry day",
    "response_rank_correlation": "rank correlation",
    "flow_class_accuracy": "share right",
    "pinning_distance_difference": "difference in spacings",
    "pinning_heaviest_distance_difference": "difference in spacings",
    "gamma_drift_bps": "bps with dealers’ gamma",
    "brier_source_skill": "Brier skill",
    "brier_lognormal_skill": "Brier skill",
    "brier_empirical_skill": "Brier skill",
    "brier_source_over_lognormal_skill": "Brier skill",
    "brier_empirical_over_lognormal_skill": "Brier skill",
}
_RATES = frozenset({"win_rate", "drawdown", "flow_class_accuracy", "deflated_sharpe"})


def describe(statistic: str) -> str:
    """Return the statistic's name as it is read."""
    if statistic.endswith("p_value"):
        return "p ="
    return _NAMES.get(statistic, statistic.replace("_", " "))


def show(statistic: str, value: float) -> str:
    """Return a value of `statistic` as it is written."""
    if statistic in _RATES:
        return percent(value)
    if "p_value" in statistic:
        return p_value(value)
    if statistic == "trades":
        return f"{value:.0f}"
    if statistic == "tradable_prices":
        return "yes" if value else "no"
    return f"{value:.2f}"


def percent(value: float) -> str:
    """Return a share as per cent with one decimal."""
    return f"{100.0 * value:.1f} %"


def p_value(value: float) -> str:
    """Return a p-value with two significant digits."""
    return f"{value:.2g}"


def bounded(estimate: Estimate, *, rate: bool = False, digits: int = 2) -> str:
    """Return an estimate with its bounds, or why it is missing."""

    def write(value: float) -> str:
        return percent(value) if rate else f"{value:.{digits}f}"

    if estimate.value is None:
        return f"not computable ({estimate.reason})"
    if estimate.lower is None or estimate.upper is None:
        return f"{write(estimate.value)} (no interval: {estimate.reason})"
    return f"{write(estimate.value)} ({write(estimate.lower)} to {write(estimate.upper)})"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural unless it is one."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def fills_at_quotes(config: JsonObject, spread_usd: float) -> bool:
    """Say whether a run's fills were at quotes, so that no half spread was charged on top.

    Parameters
    ----------
    config : mapping
        The run's configuration.
    spread_usd : float
        What its trades, of which there must be some, were charged for the spread.
    """
    costs = section(config, "costs")
    assumed = [number(costs, key) for key in costs if key.startswith("half_spread_")]
    charged = bool(assumed) and all(assumed) and (number(costs, "cost_multiple") or 0.0) > 0.0
    return charged and spread_usd == 0.0
