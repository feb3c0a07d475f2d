"""What the report says first and of money: headline figures, data, coverage, costs, latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl

from hedgeflow.evidence.checks import JsonObject, number, section
from hedgeflow.evidence.report.tables import Cell, Table
from hedgeflow.evidence.report.words import (
    SPACE,
    Shown,
    counted,
    decimal,
    estimate,
    money,
    p_is,
    percent,
    prose,
    significant,
    to_the_second,
)
from hedgeflow.evidence.wording import fills_at_quotes

STATES = ("PASSED", "FAILED", "INCONCLUSIVE", "UNTESTABLE", "REFUSED")


@dataclass(frozen=True, slots=True)
class Headline:
    """One headline figure: name, figure or sentence, interval, and what to hold it against."""

    name: str
    shown: Shown
    context: str


def objects(package: JsonObject, *path: str) -> list[JsonObject]:
    """Return the list of objects at `path`, empty where there is none."""
    value = section(package, *path[:-1]).get(path[-1])
    return cast("list[JsonObject]", value) if isinstance(value, (list, tuple)) else []


def texts(package: JsonObject, *path: str) -> list[str]:
    """Return the list of sentences at `path`."""
    return [prose(str(item)) for item in cast("list[object]", objects(package, *path))]


def text(package: JsonObject, *path: str) -> str:
    """Return the text at `path`, empty where there is none."""
    value = section(package, *path[:-1]).get(path[-1])
    return "" if value is None else str(value)


def headlines(package: JsonObject) -> list[Headline]:
    """Return the headline figures, each with its interval and its yardstick."""
    metrics, measures = (
        section(package, "performance_metrics"),
        section(package, "statistical_measures"),
    )
    overall = section(metrics, "overall")

    def of(record: JsonObject, key: str, statistic: str = "") -> Shown:
        return estimate(section(record, key), statistic or key)

    barrier, null = of(overall, "barrier_implied_win_rate"), first_null(package)
    points, usd = of(overall, "expectancy_points"), of(overall, "expectancy_usd")
    trades = int(number(metrics, "trades") or 0)
    sessions = int(number(metrics, "sessions") or 0)
    traded = int(number(metrics, "sessions_with_trades") or 0)
    fall = number(metrics, "drawdown", "observed_usd")
    draws = number(null, "draws")
    beside = of(null, "null_mean_net_bps", "null_bps")
    implied = of(metrics, "sharpe_implied")
    return [
        Headline(
            "Trades",
            Shown(decimal(trades, 0), "", "", ""),
            f"on {decimal(traded, 0)} of {counted(sessions, 'session')}",
        ),
        Headline(
            "Win rate, net of costs",
            of(overall, "win_rate"),
            _sentence("barriers alone imply", barrier) + _needed(section(overall, "wins_needed")),
        ),
        Headline(
            "Net result a trade",
            of(overall, "expectancy_bps"),
            "; ".join(part for part in (_both(points), _both(usd)) if part),
        ),
        Headline(
            "Sharpe ratio, annualised",
            of(metrics, "sharpe_annualised"),
            _sentence("win rate, payoff and frequency would imply", implied),
        ),
        Headline(
            "p against random entries and directions",
            of(measures, "p_value"),
            f"{_against(measures)}; {decimal(draws, 0)} draws;{_sentence(' their mean', beside)}"
            if draws
            else "",
        ),
        Headline(
            "Largest drawdown",
            of(section(metrics, "drawdown"), "observed", "drawdown"),
            "" if fall is None else money(fall),
        ),
    ]


def first_null(package: JsonObject) -> JsonObject:
    """Return the null that effects are measured from, empty where a strategy declares none."""
    nulls = objects(section(package, "statistical_measures"), "nulls")
    return nulls[0] if nulls else {}


def _against(measures: JsonObject) -> str:
    """Return the p-value against each null; the largest is the headline."""
    found = [(text(null, "name"), number(null, "p_value")) for null in objects(measures, "nulls")]
    return "; ".join(f"{words}: {p_is(p)}" for words, p in found if p is not None)


def _sentence(words: str, shown: Shown) -> str:
    return f"{words} {shown.value}" if shown.value else ""


def _both(shown: Shown) -> str:
    if not shown.value:
        return ""
    return f"{shown.value} ({shown.interval})" if shown.interval else shown.value


def _needed(needed: JsonObject) -> str:
    rate, trades, wins = (number(needed, key) for key in ("threshold", "trades", "wins"))
    if rate is None or not trades:
        return ""
    if wins is None:
        return f"; too few trades to show {percent(rate, 0)}, even if all had won"
    return f"; to show {percent(rate, 0)} takes {decimal(wins, 0)} of {decimal(trades, 0)}"


def gate_counts(gates: Sequence[JsonObject]) -> str:
    """Return "Of 5 gates: 4 passed, 1 failed."; empty where there are no gates."""
    counts = {state: sum(text(gate, "status") == state for gate in gates) for state in STATES}
    parts = [f"{count} {state.lower()}" for state, count in counts.items() if count]
    return f"Of {counted(len(gates), 'gate')}: {', '.join(parts)}." if parts else ""


def facts(package: JsonObject, tables_underlying: Sequence[str]) -> list[tuple[str, str]]:
    """Return what was run on what: name and words.

    Parameters
    ----------
    package : mapping
        The package.
    tables_underlying : sequence of str
        Underlyings that the tables name.
    """
    made, metrics = section(package, "reproducibility"), section(package, "performance_metrics")
    first, last = text(metrics, "first_session"), text(metrics, "last_session")
    scale, signed = number(made, "scale_volume"), text(made, "signing_mode")
    venue = text(made, "hedge_venue")
    trials = int(number(made, "trials") or 0)
    sessions = counted(int(number(metrics, "sessions") or 0), "session")
    period = f"{first} to {last}, {sessions}" if first else "no sessions"
    return [
        ("Data", "SIMULATED market" if package.get("simulated") else "recorded market data"),
        ("Underlying", ", ".join(tables_underlying) or "not named by the tables"),
        ("Hedge instrument", text(made, "hedge_instrument") + (f" on {venue}" if venue else "")),
        ("Period", period),
        (
            "V5, median 5-minute volume",
            f"{significant(scale)} underlying units" if scale is not None else _without_scale(made),
        ),
        ("Strategy and preset", f"{text(package, 'strategy')}, {text(package, 'preset')}"),
        ("Sides told by", signed.replace(" %", f"{SPACE}%") or "not stated"),
        ("Configurations tried on these data", decimal(trials, 0)),
    ]


def coverage_table(package: JsonObject) -> Table | None:
    """Return what the tapes cover; None when none is listed."""
    tapes = objects(package, "reproducibility", "coverage")
    rows = tuple(
        (
            Cell(text(tape, "tape")),
            Cell(to_the_second(text(tape, "start")) or "—"),
            Cell(to_the_second(text(tape, "end")) or "—"),
            Cell(decimal(number(tape, "sessions") or 0.0, 0)),
            Cell(text(tape, "note") or "—"),
        )
        for tape in tapes
    )
    columns = (("Tape", False), ("From", False), ("To", False), ("Days", True), ("Note", False))
    return Table("What the tapes cover", columns, rows) if rows else None


def cost_table(package: JsonObject) -> Table | None:
    """Return gross, costs and net, in all and per trade; None without trades."""
    profit = section(package, "performance_metrics", "profit")
    trades = number(package, "performance_metrics", "trades")
    gross = number(profit, "gross_usd")
    if not trades or gross is None:
        return None
    lines = [("Gross", gross)]
    lines += [
        (words, -(number(profit, key) or 0.0))
        for words, key in (
            ("Fees", "fees_usd"),
            ("Spread", "spread_usd"),
            ("Slippage", "slippage_usd"),
        )
    ]
    lines.append(("Net", number(profit, "net_usd") or 0.0))
    rows = tuple(
        (
            Cell(words),
            Cell(money(amount)),
            Cell(money(amount / trades)),
            Cell(percent(amount / gross) if gross > 0.0 else "—"),
        )
        for words, amount in lines
    )
    columns = (("", False), ("In all", True), ("A trade", True), ("Of gross", True))
    return Table("From gross to net", columns, rows)


def cost_words(package: JsonObject) -> str:
    """Return where the spread is when none was charged; empty where it was, or without trades."""
    profit = section(package, "performance_metrics", "profit")
    spread = number(profit, "spread_usd") or 0.0
    config = section(package, "reproducibility", "config")
    if not number(package, "performance_metrics", "trades") or not fills_at_quotes(config, spread):
        return ""
    return (
        "The spread is 0 because every fill is at a quote, bought at the ask and sold at the bid:"
        " gross already holds it. “Without any costs”, below, is without that spread too."
    )


def latency_table(package: JsonObject) -> Table | None:
    """Return the win rate by the time from detection to entry; None without trades."""
    speed = section(package, "performance_metrics", "execution_latency")
    if not number(speed, "detection_to_entry_seconds", "n"):
        return None
    rows = tuple(
        (
            Cell(text(item, "bucket")),
            Cell(decimal(number(item, "trades") or 0.0, 0)),
            Cell(shown.value or "no trades", detail=shown.interval),
        )
        for item in objects(speed, "buckets")
        for shown in (estimate(section(item, "win_rate"), "win_rate"),)
    )
    columns = (("Detection to entry", False), ("Trades", True), ("Win rate", True))
    return Table("Win rate by time from detection to entry", columns, rows)


def underlyings(*frames: pl.DataFrame) -> list[str]:
    """Return the underlyings that the tables name."""
    found: set[str] = set()
    for frame in frames:
        if "underlying" in frame.columns:
            found |= {str(value) for value in frame["underlying"].drop_nulls().unique().to_list()}
    return sorted(found)


def _without_scale(made: JsonObject) -> str:
    if section(made, "config", "scale").get("demand") == "relative":
        return "unknown: no complete earlier session of the hedge instrument"
    return "not used: thresholds are absolute"
