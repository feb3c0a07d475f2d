"""The command that compares a scan of a simulated market with its truth."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

import typer

from hedgeflow.cli.options import (
    CatalogOption,
    ConfigOption,
    JsonOption,
    PresetOption,
    SetOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.studies.scoring.classes import Confusion
    from hedgeflow.studies.scoring.estimates import Ratios
    from hedgeflow.studies.scoring.figures import Rate
    from hedgeflow.studies.scoring.scores import Score

RATIO_COLUMNS = ("median", "quartiles", "bias", "correlation")
CLEAR_WORDS = {
    "any": "of clear cases",
    "tiers": "- decided by the response of the tiers",
    "calibrated": "- decided by the calibrated response",
}


def score(
    catalog: CatalogOption,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Scan a simulated catalog and compare what was found with its truth. SIMULATED throughout."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.simulate import read_scenario
    from hedgeflow.strategies.volume_shock import load_config
    from hedgeflow.studies.scoring.scores import score_catalog

    opened = Catalog.open(catalog)
    scenario = read_scenario(catalog)
    _check_strategy(scenario.strategy, opened)
    asked = scenario.settings
    chosen = load_config(preset, config, settings or [], market_settings=asked)
    with progress_bar("Scanning option prints", quiet=as_json) as progress:
        result = score_catalog(opened, chosen, progress)
    if as_json:
        print_json(_document(result, asked, chosen.preset))
        return
    print_simulated(simulated=True)
    _print_head(result, asked, chosen.preset)
    _print_detection(result)
    _print_classes(result)
    _print_estimates(result)
    _print_signing(result)
    for note in result.notes:
        typer.echo(f"note: {note}")


def _check_strategy(strategy: str, catalog: Catalog) -> None:
    """Refuse a market that is made to judge another strategy: its alerts have no truth here."""
    import shlex

    from hedgeflow.cli.simulating import SCORED
    from hedgeflow.market.errors import ConfigError

    if strategy != SCORED:
        place, underlying = shlex.quote(str(catalog.path)), catalog.keys()[0].underlying
        raise ConfigError(
            f"this market is made to judge {strategy}, and a score is of {SCORED}: of shocks found",
            where=str(catalog.path),
            hint=f"Judge it with hedgeflow validate {strategy} --catalog {place}"
            f" --underlying {underlying}",
        )


def _document(result: Score, asked: Mapping[str, Any], preset: str) -> dict[str, Any]:
    from dataclasses import asdict

    from hedgeflow.market.time import iso

    document: dict[str, Any] = asdict(result) | {
        "simulated": True,
        "preset": preset,
        "settings_of_the_scenario": dict(_flat(asked)),
    }
    for each in document["missed"]:
        each["at"] = iso(each.pop("at_ns"))
    return document


def _print_head(result: Score, asked: Mapping[str, Any], preset: str) -> None:
    typer.echo(
        f"{result.scenario or 'defaults'}, seed {result.seed}: {result.sessions} sessions,"
        f" {result.prints:,} option prints, {result.shocks:,} shocks, {result.alerts:,} alerts"
    )
    given = ", ".join(f"{key} = {value}" for key, value in _flat(asked))
    words = f"; the scenario's own settings lie under yours: {given}" if given else ""
    typer.echo(f"scanned with volume-shock, preset {preset}{words}")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(cast("Mapping[str, Any]", value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _print_detection(result: Score) -> None:
    _title("Shocks found", "share, 95 % interval, count; by chance: precision at random times")
    print_table(
        ("found by", "recall", "precision", "F1", "by chance"),
        [
            (each.found_by, _rate(each.recall), _rate(each.precision), _figure(each.f1),
             _percent(each.by_chance))
            for each in result.detection
        ],
        numeric=("recall", "precision", "F1", "by chance"),
    )  # fmt: skip
    typer.echo()
    print_table(
        ("shocks", "with an alert"),
        [(each.group, _rate(each.recall)) for each in result.groups],
        numeric=("with an alert",),
    )
    if result.missed:
        reasons = Counter(each.reason for each in result.missed).most_common()
        named = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        typer.echo(f"without an alert: {named} (--json lists them)")


def _print_classes(result: Score) -> None:
    from hedgeflow.studies.scoring.classes import ASSIGNED, CLEAR_FACTOR

    for each in result.classes:
        _title(f"Class {each.moment}", "rows: the truth; columns: the class that alerts were given")
        print_table(
            ("alerts on", *ASSIGNED, "precision", "recall", "F1"),
            [
                (row.true_class, *(row.assigned[name] for name in ASSIGNED),
                 None if row.precision is None else _rate(row.precision), _rate(row.recall),
                 _figure(row.f1))
                for row in each.rows
            ],
            numeric=(*ASSIGNED, "precision", "recall", "F1"),
        )  # fmt: skip
        typer.echo()
        print_table(("right", "share"), _accuracies(each, CLEAR_FACTOR), numeric=("share",))
    count = ", ".join(f"{count:,} {name}" for name, count in result.clear_shocks.items())
    typer.echo(
        f"clear cases, by the truth alone: {count or 'none'}: response and demand are beyond the"
        f" classifier's bounds by a factor of {CLEAR_FACTOR:g} (--json has other factors)"
    )


def _accuracies(confusion: Confusion, factor: float) -> list[tuple[str, str]]:
    return [
        ("of all alerts", _rate(confusion.accuracy)),
        ("of alerts on shocks", _rate(confusion.accuracy_of_shocks)),
        *(
            (CLEAR_WORDS[each.response_model], _rate(each.accuracy))
            for each in confusion.clear
            if each.factor == factor
        ),
    ]


def _print_estimates(result: Score) -> None:
    _title("Hedge demand", "over the shock's true demand")
    print_table(
        ("", "alerts", "sign right", *RATIO_COLUMNS),
        [
            (each.moment, each.ratio.count, _rate(each.sign_right), *_ratios(each.ratio))
            for each in result.demand
        ],
        numeric=("alerts", "sign right", *RATIO_COLUMNS),
    )
    typer.echo(
        f"95 % band at decision holds the true demand of the prints counted so far:"
        f" {_rate(result.band.of_same_prints)}; of the whole shock: {_rate(result.band.of_shock)}"
    )
    response = result.response
    _title(
        "Response time",
        "over the true one, both from the event's first anomaly to half of the hedge",
    )
    print_table(
        ("by", "times", *RATIO_COLUMNS),
        [(each.source, each.ratio.count, *_ratios(each.ratio)) for each in response.scores],
        numeric=("times", *RATIO_COLUMNS),
    )
    if response.delay_seconds is not None:
        typer.echo(
            f"an event's first anomaly comes {response.delay_seconds:+,.1f} s after the first print"
            " of its shock (median; less than 0 where an event was open already)"
        )
    typer.echo(f"hedges that the tape showed: {_rate(response.observed)} of events on shocks")


def _print_signing(result: Score) -> None:
    signing = result.signing
    _title("Signing, print by print", f"right: {_rate(signing.right)} of all prints")
    print_table(
        ("rule", "right", "by lots", "assumed", "which is"),
        [
            (each.rule, _rate(each.right), _percent(each.lots_right), _percent(each.assumed),
             _calibration(each.is_calibrated, each.right, each.assumed))
            for each in signing.rules
        ],
        numeric=("right", "by lots", "assumed"),
    )  # fmt: skip
    typer.echo()
    print_table(
        ("side", "precision", "recall", "F1"),
        [
            (each.side, _rate(each.precision), _rate(each.recall), _figure(each.f1))
            for each in signing.sides
        ],
        numeric=("precision", "recall", "F1"),
    )


def _calibration(is_calibrated: bool | None, right: Rate, assumed: float) -> str:
    if is_calibrated is None or right.share is None:
        return "–"
    if is_calibrated:
        return "inside the interval"
    return "too little" if right.share > assumed else "too much"


def _title(title: str, words: str) -> None:
    typer.echo(f"\n{title} ({words})")


def _rate(rate: Rate) -> str:
    if rate.share is None or rate.low is None or rate.high is None:
        return "– 0/0"
    span = f"({100 * rate.low:.1f}–{100 * rate.high:.1f})"
    return f"{100 * rate.share:.1f} % {span} {rate.count:,}/{rate.of:,}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f} %"


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _ratios(ratios: Ratios) -> tuple[str | None, ...]:
    quartiles = None
    if ratios.lower_quartile is not None and ratios.upper_quartile is not None:
        quartiles = f"{ratios.lower_quartile:.2f} to {ratios.upper_quartile:.2f}"
    bias = None if ratios.bias is None else f"{100 * ratios.bias:+.1f} %"
    median = None if ratios.median is None else f"{ratios.median:.2f}"
    return median, quartiles, bias, _figure(ratios.correlation)
