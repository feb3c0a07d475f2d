"""Does a package agree with itself: counts, means, intervals, p-values and Sharpe ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

from hedgeflow.evidence.checks import Check, JsonObject, compared, not_checkable, number, section
from hedgeflow.evidence.estimates import CONFIDENCE_LEVEL
from hedgeflow.evidence.foreign import foreign_checks
from hedgeflow.evidence.rates import wilson_bounds

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Coherence:
    """All checks of one package.

    Attributes
    ----------
    coherent : bool
        No check failed. A package that contradicts itself is never VALIDATED.
    checks : tuple of Check
        Each of them.
    """

    coherent: bool
    checks: tuple[Check, ...]

    @property
    def contradictions(self) -> tuple[str, ...]:
        """The sentences of the checks that failed."""
        return tuple(check.sentence for check in self.checks if check.status == "FAILED")


def check(package: JsonObject) -> Coherence:
    """Check any package: ours, or a foreign one of the source's shape.

    Parameters
    ----------
    package : mapping
        Parsed JSON. One with a ``schema_version`` is ours and every figure of it is recomputed
        exactly; a foreign one is checked as far as its printed digits allow.
    """
    checks = _own(package) if "schema_version" in package else foreign_checks(package)
    return Coherence(all(item.status != "FAILED" for item in checks), tuple(checks))


def _near(stated: float) -> float:
    return _TOLERANCE * max(1.0, abs(stated))


def _own(package: JsonObject) -> list[Check]:
    overall = section(package, "performance_metrics", "overall")
    trades = number(overall, "trades")
    if not trades:
        return [not_checkable("counts", "there are no trades")]
    return [
        *_own_counts(package, overall, trades),
        _own_interval(overall, trades),
        *_own_p_value(package),
        *_own_null(package, overall),
        _own_payoff(overall, trades),
        *_own_money(package, overall, trades),
        _own_sharpe(package),
    ]


def _own_counts(package: JsonObject, overall: JsonObject, trades: float) -> list[Check]:
    wins, losses, flat = (number(overall, key) or 0.0 for key in ("wins", "losses", "flat"))
    rate = number(overall, "win_rate", "value")
    classes = section(package, "performance_by_flow_type")
    sizes = [number(classes, name, "trades") or 0.0 for name in classes]
    rates = [number(classes, name, "win_rate", "value") or 0.0 for name in classes]
    weighted = sum(size * each for size, each in zip(sizes, rates, strict=True)) / trades
    sample = number(package, "statistical_measures", "sample_size")
    checks = [
        compared("counts", "wins, losses and flat trades", trades, wins + losses + flat, 0.0),
        compared("class-sizes", "trades of all classes", trades, sum(sizes), 0.0),
        compared("sample-size", "sample size", -1.0 if sample is None else sample, trades, 0.0),
    ]
    if rate is None:
        checks.append(Check("win-rate", "FAILED", "There are trades but no win rate."))
        return checks
    checks.append(compared("win-rate", "win rate from counts", rate, wins / trades, _near(rate)))
    checks.append(
        compared("weighted-mean", "win rate from its classes", rate, weighted, _near(rate))
    )
    return checks


def _own_interval(overall: JsonObject, trades: float) -> Check:
    wins = number(overall, "wins") or 0.0
    lower, upper = (number(overall, "win_rate", key) for key in ("lower", "upper"))
    if lower is None or upper is None or not 0.0 <= wins <= trades:
        return Check("interval", "FAILED", "The win rate has no interval, or impossible counts.")
    low, high = wilson_bounds(int(wins), int(trades), CONFIDENCE_LEVEL)
    agree = max(abs(lower - low), abs(upper - high)) <= _TOLERANCE
    words = "agrees with" if agree else "contradicts"
    return Check(
        "interval",
        "HOLDS" if agree else "FAILED",
        f"win-rate interval: stated {lower:.4f} to {upper:.4f} {words} Wilson's "
        f"{low:.4f} to {high:.4f} for {wins:.0f} of {trades:.0f}.",
        lower,
        low,
    )


def _own_p_value(package: JsonObject) -> list[Check]:
    measures = section(package, "statistical_measures")
    nulls = _nulls(package)
    checks: list[Check] = []
    for name, key in (
        ("p_value", "exceedances_mean"),
        ("p_value_win_rate", "exceedances_win_rate"),
    ):
        stated = number(measures, name, "value")
        label = name.replace("_", "-")
        again = [
            (1.0 + reached) / (1.0 + draws)
            for null in nulls
            if (draws := number(null, "draws")) and (reached := number(null, key)) is not None
        ]
        if stated is None or not again:
            checks.append(not_checkable(label, "no null was drawn"))
            continue
        checks.append(compared(label, "p from the null draws", stated, max(again), _near(stated)))
    return checks


def _nulls(package: JsonObject) -> list[JsonObject]:
    found = section(package, "statistical_measures").get("nulls")
    return cast("list[JsonObject]", found) if isinstance(found, list) else []


def _own_null(package: JsonObject, overall: JsonObject) -> list[Check]:
    nulls = _nulls(package)
    pairs = (
        ("null-mean", "observed_mean_net_bps", number(overall, "expectancy_bps", "value")),
        ("null-win-rate", "observed_win_rate", number(overall, "win_rate", "value")),
    )
    checks: list[Check] = []
    for name, key, own in pairs:
        stated = [value for null in nulls if (value := number(null, key)) is not None]
        if own is None or not stated:
            checks.append(not_checkable(name, "no null was drawn"))
            continue
        worst = max(stated, key=lambda value, own=own: abs(value - own))
        what = "what the null was compared with, against the trades' own figure"
        checks.append(compared(name, what, worst, own, 1e-6 * max(1.0, abs(own))))
    return checks


def _own_payoff(overall: JsonObject, trades: float) -> Check:
    expectancy = number(overall, "expectancy_usd", "value")
    wins, losses = number(overall, "wins") or 0.0, number(overall, "losses") or 0.0
    win = number(overall, "average_win_usd", "value") or 0.0
    loss = number(overall, "average_loss_usd", "value") or 0.0
    if expectancy is None:
        return Check("payoff", "FAILED", "There are trades but no expectancy.")
    implied = (wins * win - losses * loss) / trades
    return compared(
        "payoff",
        "expectancy from win rate and payoff",
        expectancy,
        implied,
        _TOLERANCE * max(1.0, win, loss),
    )


def _own_money(package: JsonObject, overall: JsonObject, trades: float) -> list[Check]:
    profit = section(package, "performance_metrics", "profit")
    keys = ("gross_usd", "fees_usd", "spread_usd", "slippage_usd", "net_usd", "ledger_net_usd")
    values = [number(profit, key) for key in keys]
    expectancy = number(overall, "expectancy_usd", "value")
    if any(value is None for value in values) or expectancy is None:
        return [Check("costs", "FAILED", "There are trades but their profit is incomplete.")]
    gross, fees, spread, slippage, net, ledger = (cast("float", value) for value in values)
    scale = 1e-8 * max(1.0, abs(gross), fees + spread + slippage, trades)
    return [
        compared("costs", "gross less costs", net, gross - fees - spread - slippage, scale),
        compared("ledger", "net profit against the ledger's entries", net, ledger, scale),
        compared("expectancy", "net profit a trade", expectancy, net / trades, scale),
    ]


def _own_sharpe(package: JsonObject) -> Check:
    metrics = section(package, "performance_metrics")
    stated = number(metrics, "sharpe_annualised", "value")
    per_year = number(metrics, "sessions_per_year")
    points = metrics.get("equity")
    if stated is None or per_year is None or not isinstance(points, list) or not points:
        return not_checkable("sharpe", "there is no Sharpe ratio, or no account to recompute it")
    daily = [
        number(cast("JsonObject", point), "net_usd") or 0.0
        for point in cast("list[object]", points)
    ]
    mean = math.fsum(daily) / len(daily)
    square = math.fsum((value - mean) ** 2 for value in daily)
    if len(daily) < 2 or square == 0.0:
        return Check("sharpe", "FAILED", "A Sharpe ratio is stated of days that do not vary.")
    again = mean / math.sqrt(square / (len(daily) - 1)) * math.sqrt(per_year)
    tolerance = 1e-6 * max(1.0, abs(stated))
    return compared("sharpe", "annualised Sharpe from daily profit", stated, again, tolerance)
