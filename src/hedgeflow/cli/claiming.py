"""The command that reads a claim: what its figures imply of each other, and the sample it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.options import (
    JsonOption,
)
from hedgeflow.cli.output import print_json

if TYPE_CHECKING:
    from hedgeflow.evidence.coherence import Coherence
    from hedgeflow.evidence.stated_claim import Reading, StatedClaim

CONTRADICTS_ITSELF = 6
"""The exit code of bad evidence."""
CENTURY = 100.0


def claim(
    win_rate: Annotated[
        str | None, typer.Option("--win-rate", metavar="RATE", help="As in 83.7% or 0.837.")
    ] = None,
    win: Annotated[float | None, typer.Option("--win", help="Average win, positive.")] = None,
    loss: Annotated[
        float | None, typer.Option("--loss", help="Average loss, positive, in the same unit.")
    ] = None,
    target: Annotated[
        float | None, typer.Option("--target", help="Distance of the target.")
    ] = None,
    stop: Annotated[float | None, typer.Option("--stop", help="Distance of the stop.")] = None,
    per_day: Annotated[float | None, typer.Option("--per-day", help="Trades a session.")] = None,
    sharpe: Annotated[
        float | None, typer.Option("--sharpe", help="Annualised Sharpe ratio.")
    ] = None,
    trades: Annotated[int | None, typer.Option("--trades", help="How many trades.")] = None,
    wins: Annotated[int | None, typer.Option("--wins", help="How many of them won.")] = None,
    sessions: Annotated[
        float, typer.Option("--sessions-per-year", help="252 on exchanges, 365 around the clock.")
    ] = 252.0,
    threshold: Annotated[
        str, typer.Option(metavar="RATE", help="Win rate that the lower bound is to reach.")
    ] = "80%",
    package: Annotated[
        Path | None,
        typer.Option(
            "--package", metavar="FILE", help="A package's JSON: check it against itself."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a claim's figures imply of each other, and the sample that it takes to know."""
    from hedgeflow.evidence.stated_claim import read_claim

    figures = (win_rate, win, loss, target, stop, per_day, sharpe, trades, wins)
    said = any(each is not None for each in figures)
    if package is not None:
        if said:
            from click import UsageError

            raise UsageError("--package is checked by its own figures: give it alone.")
        _check_package(package, as_json=as_json)
        return
    if not said:
        from click import UsageError

        raise UsageError("Nothing is claimed: give --win-rate, --win and --loss, or the like.")
    stated = _stated(win_rate, win, loss, target, stop, per_day, sharpe, trades, wins, sessions,
                     threshold)  # fmt: skip
    found = read_claim(stated)
    if as_json:
        from hedgeflow.evidence.plain import plain

        print_json(
            {"claim": plain(stated), "reading": {**_plain(found), "coherent": found.coherent}}
        )
        return
    for line in _lines(stated, found):
        typer.echo(line)


def _plain(found: Reading) -> dict[str, Any]:
    from typing import cast

    from hedgeflow.evidence.plain import plain

    return cast("dict[str, Any]", plain(found))


def _stated(
    win_rate: str | None,
    win: float | None,
    loss: float | None,
    target: float | None,
    stop: float | None,
    per_day: float | None,
    sharpe: float | None,
    trades: int | None,
    wins: int | None,
    sessions: float,
    threshold: str,
) -> StatedClaim:
    """Return the claim, refusing what cannot be."""
    from hedgeflow.evidence.stated_claim import StatedClaim

    positive = {
        "--win": win, "--loss": loss, "--target": target, "--stop": stop, "--per-day": per_day,
        "--trades": trades, "--sessions-per-year": sessions,
    }  # fmt: skip
    for option, value in positive.items():
        if value is not None and not 0.0 < value < float("inf"):
            raise _refusal(f"is {value:g}", option, "It must be positive")
    if sharpe is not None and not abs(sharpe) < float("inf"):
        raise _refusal(f"is {sharpe:g}", "--sharpe", "It must be a number")
    _together(("--win", win), ("--loss", loss))
    _together(("--target", target), ("--stop", stop))
    if wins is not None and (trades is None or not 0 <= wins <= trades):
        raise _refusal(f"is {wins}", "--wins", "It lies between 0 and --trades")
    rate, unit = (None, 0.0) if win_rate is None else _rate(win_rate, "--win-rate")
    return StatedClaim(
        rate, unit, win, loss, target, stop, per_day, sharpe, trades, wins, sessions,
        _rate(threshold, "--threshold")[0],
    )  # fmt: skip


def _together(first: tuple[str, float | None], second: tuple[str, float | None]) -> None:
    if (first[1] is None) != (second[1] is None):
        missing, there = (first[0], second[0]) if first[1] is None else (second[0], first[0])
        raise _refusal("is missing", missing, f"{there} says nothing without it")


def _rate(text: str, option: str) -> tuple[float, float]:
    """Return a rate and one unit of its last digit."""
    hint = "Write it as in 83.7% or 0.837"
    number = text.strip().removesuffix("%").strip()
    scale = 1.0 / CENTURY if text.strip().endswith("%") else 1.0
    try:
        rate = float(number) * scale
    except ValueError:
        raise _refusal(f"'{text}' is no rate", option, hint) from None
    if not 0.0 <= rate <= 1.0:
        raise _refusal(f"is {text}", option, f"A rate lies between 0 and 1. {hint}")
    digits = len(number.partition(".")[2])
    return rate, scale * 10.0**-digits


def _refusal(what: str, option: str, hint: str) -> Exception:
    from hedgeflow.market.errors import ConfigError

    return ConfigError(what, where=option, hint=hint)


def _check_package(path: Path, *, as_json: bool) -> None:
    import json

    from hedgeflow.evidence import check
    from hedgeflow.market.errors import EvidenceError

    file = path / "evidence.json" if path.is_dir() else path
    try:
        document: object = json.loads(file.read_text(encoding="utf-8"))
    except OSError as cause:
        raise EvidenceError(f"cannot be read: {cause.strerror}", where=str(file)) from cause
    except ValueError as cause:
        raise EvidenceError(f"is no JSON: {cause}", where=str(file)) from cause
    if not isinstance(document, dict):
        raise EvidenceError("is no JSON object", where=str(file), hint="A package is one")
    from typing import cast

    found = check(cast("dict[str, object]", document))
    if as_json:
        from hedgeflow.evidence.plain import plain

        print_json(plain(found))
    else:
        _print_coherence(found)
    if not found.coherent:
        raise typer.Exit(CONTRADICTS_ITSELF)


def _print_coherence(found: Coherence) -> None:
    words = {"HOLDS": "holds", "FAILED": "FAILED", "NOT_CHECKABLE": "not checkable"}
    for each in found.checks:
        typer.echo(f"{words[each.status]}: {each.sentence}")
    told = sum(each.status != "NOT_CHECKABLE" for each in found.checks)
    if not told:
        typer.echo("It says too little to be checked at all.")
    elif found.coherent:
        typer.echo("It agrees with itself as far as its figures tell.")
    else:
        typer.echo("It contradicts itself: such a package is never VALIDATED.")


def _lines(stated: StatedClaim, found: Reading) -> list[str]:
    """Return the reading in sentences."""
    lines: list[str] = []
    if found.break_even is not None and found.payoff is not None:
        lines.append(
            f"Payoff {found.payoff:.3g} to 1: it breaks even at {found.break_even:.1%} wins."
        )
    if found.barrier_implied is not None:
        lines.append(
            f"A price without drift meets the target before the stop {found.barrier_implied:.1%}"
            " of the time."
        )
    lines += _implied_lines(stated, found)
    lines += _count_lines(stated, found)
    lines += _sample_lines(stated, found)
    lines += [check.sentence for check in found.checks]
    if found.checks:
        agrees = "agrees with itself" if found.coherent else "contradicts itself"
        lines.append(f"The claim {agrees}.")
    return lines


def _implied_lines(stated: StatedClaim, found: Reading) -> list[str]:
    implied, lines = found.implied, list[str]()
    if implied.sharpe is not None:
        lines.append(
            f"Win rate, payoff and frequency imply an annualised Sharpe ratio of"
            f" {implied.sharpe:.1f}."
        )
    if stated.sharpe is None:
        return lines
    if implied.win_rate is not None:
        lines.append(
            f"A Sharpe ratio of {stated.sharpe:g} at this payoff and frequency takes"
            f" {implied.win_rate:.1%} wins."
        )
    if implied.trades_per_session is not None:
        lines.append(
            f"At this win rate and payoff it takes {implied.trades_per_session:.3g} trades a"
            " session."
        )
    if implied.payoff is not None:
        lines.append(f"At this win rate and frequency it takes a payoff of {implied.payoff:.3g}.")
    return lines


def _count_lines(stated: StatedClaim, found: Reading) -> list[str]:
    counts = found.counts
    if counts is None:
        return []
    low, high = counts.wilson
    needed = (
        f"no count of wins has a lower bound of {stated.threshold:.0%}"
        if counts.wins_needed is None
        else f"a lower bound of {stated.threshold:.0%} takes {counts.wins_needed} wins"
    )
    found_words = (
        f"{counts.wins} of {counts.trades} is {counts.win_rate:.1%}, by Wilson {low:.1%} to"
        f" {high:.1%} (exact {counts.exact[0]:.1%} to {counts.exact[1]:.1%}); {needed}."
    )
    lines = [found_words]
    if counts.p_value is not None:
        lines.append(
            f"Against {found.null_rate:.1%}, {found.null_words}, so many wins or more have"
            f" probability {counts.p_value:.2g}."
        )
    return lines


def _sample_lines(stated: StatedClaim, found: Reading) -> list[str]:
    lines: list[str] = []
    if found.win_rate is None:
        return lines
    against = f"{found.win_rate:.1%} from {found.null_rate:.1%} ({found.null_words})"
    for each in found.samples:
        if each.trades is None:
            lines.append(f"{against} cannot be told: it is not above it.")
            break
        power = "" if each.power is None else f"; {stated.trades} have power {each.power:.0%}"
        lines.append(
            f"To tell {against} at {each.alpha:g} with power 80 % takes {each.trades:,}"
            f" trades{power}."
        )
    if found.trades_for_bound is None:
        lines.append(
            f"At {found.win_rate:.1%} no number of trades has a lower bound of"
            f" {stated.threshold:.0%}."
        )
    else:
        lines.append(
            f"At {found.win_rate:.1%} a lower bound of {stated.threshold:.0%} takes"
            f" {found.trades_for_bound:,} trades."
        )
    return lines
