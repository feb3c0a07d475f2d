"""What is kept of one trial of expiration pressure: verdict, tests, three directions, sides."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from hedgeflow.evidence import Estimate
from hedgeflow.journal import Journal
from hedgeflow.market.settings import merged
from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.simulate import TruthTable
from hedgeflow.strategies.claims import NullKind
from hedgeflow.strategies.expiration_pressure.claims import GATES
from hedgeflow.studies.backtesting import JOURNAL_FILE
from hedgeflow.studies.expiration.study import DIRECTIONS
from hedgeflow.studies.judge.expiries.sides import alerted_sides, traded_sides
from hedgeflow.studies.judge.figures import (
    VERDICT,
    Row,
    TriedTest,
    estimate_figures,
    verdict_figures,
)
from hedgeflow.studies.judge.worlds import COIN, NULL
from hedgeflow.studies.scenario_settings import config_of
from hedgeflow.studies.simulated_markets import market_with_truth
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.validation import verdict

if TYPE_CHECKING:
    from hedgeflow.evidence import Evidence
    from hedgeflow.simulate import Scenario
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.validation import Validation

OWN: Final = "dealer-gamma"
"""The direction that is judged; the others are traded beside it on the same alerts."""

_MOVING: Final = (
    "where a coin decides, prices do move more near strikes than elsewhere, so that alerts are"
    " better entries than random ones and the test is right to say so"
)
_EITHER_WAY: Final = (
    "where a coin decides, hedges do change how closes lie beside strikes: some are held there,"
    " others driven off, and the two need not cancel"
)

TESTS: Final = (
    TriedTest("mean", "mean net result, the largest p-value of all nulls (gate)", (NULL, COIN)),
    TriedTest("mean-entries", "mean net result against random entries alone", (NULL,), _MOVING),
    TriedTest(
        "mean-directions", "mean net result against directions dealt out again", (NULL, COIN)
    ),
    TriedTest("mean-sessions", "mean net result against whole sessions turned", (NULL, COIN)),
    TriedTest("nearest", "distance of closes from the nearest strike", (NULL,), _EITHER_WAY),
    TriedTest("nearest-share", "share of closes at the nearest strike", (NULL,), _EITHER_WAY),
    TriedTest("heaviest", "distance of closes from the heaviest strike", (NULL,), _EITHER_WAY),
    TriedTest("heaviest-share", "share of closes at the heaviest strike", (NULL,), _EITHER_WAY),
    TriedTest("drift", "last move with dealers' gamma", (NULL, COIN)),
)
"""Every test whose level is measured; the last five are those of pinning, before Holm."""

PINNING: Final = ("nearest", "nearest-share", "heaviest", "heaviest-share", "drift")

NULLS: Final = {
    "mean-entries": NullKind.MATCHED_ENTRIES,
    "mean-directions": NullKind.DIRECTIONS,
    "mean-sessions": NullKind.SESSION_DIRECTIONS,
}
_COUNTS: Final = (
    *("expiries", "strikes", "strikes:told", "strikes:convention", "strikes:short-all"),
    *("sides", "sides:told", "moved", "moved:with"),
)
_VALUES: Final = ("net_bps", "drift_bps", "nearest_spacings", "heaviest_spacings")

FIGURES: Final[dict[str, type[pl.DataType]]] = {
    **VERDICT,
    **{f"gate:{gate.id}": pl.String for gate in GATES},
    **{f"p:{test.name}": pl.Float64 for test in TESTS},
    **{f"{end}:{name}": pl.Float64 for name in _VALUES for end in ("value", "lower", "upper")},
    **{f"trades:{model}": pl.Int64 for model in DIRECTIONS},
    **{f"wins:{model}": pl.Int64 for model in DIRECTIONS},
    **{f"sum:{model}": pl.Float64 for model in DIRECTIONS},
    **{f"count:{name}": pl.Int64 for name in _COUNTS},
}
"""Columns of a trial's figures.

``sum:`` is of net basis points. ``count:strikes``: strikes of an expiry with an alert, and of
those, by the rest of the name, where dealers' side is what was told, or what a convention has.
``count:sides``: trades, and those on the side that dealers' true holding asks for; ``moved``:
trades at expiries whose hedges moved the price, and those that it was moved in favour of.
"""


def figures_of(scenario: Scenario) -> Row:
    """Simulate a market, judge dealer-gamma on it, and return the trial's figures."""
    config = _directed(config_of(scenario), OWN)
    market, truth = market_with_truth(scenario, config)
    with (
        tempfile.TemporaryDirectory(prefix="hedgeflow-") as folder,
        Journal.open(Path(folder) / JOURNAL_FILE) as journal,
    ):
        found = verdict(market, config, journal)
    evidence = found.evidence
    return (
        verdict_figures(evidence)
        | {f"p:{name}": value for name, value in _p_values(evidence).items()}
        | _values(evidence)
        | _directions(market, config, found)
        | {f"count:{name}": count for name, count in _counts(market, found, truth).items()}
    )


def _directed(config: StrategyConfig, model: str) -> StrategyConfig:
    settings = merged(config.model_dump(), {"direction": {"model": model}})
    return study_of(config).of_settings(settings)


def _p_values(evidence: Evidence) -> dict[str, float | None]:
    by_null = {each.kind: each.p_value for each in evidence.significance.nulls}
    values = {"mean": evidence.significance.p_value.value}
    values |= {name: by_null.get(kind) for name, kind in NULLS.items()}
    found = evidence.pinning
    if found is None:
        return values | dict.fromkeys(PINNING)
    return values | {
        "nearest": found.nearest.p_value.value,
        "nearest-share": found.nearest.share_p_value.value,
        "heaviest": found.heaviest.p_value.value,
        "heaviest-share": found.heaviest.share_p_value.value,
        "drift": found.drift.p_value.value,
    }


def _values(evidence: Evidence) -> Row:
    found = evidence.pinning
    estimates = {"net_bps": evidence.performance.overall.expectancy_bps}
    if found is not None:
        estimates["drift_bps"] = found.drift.signed_bps
        estimates["nearest_spacings"] = found.nearest.difference
        estimates["heaviest_spacings"] = found.heaviest.difference
    row: Row = {}
    for name in _VALUES:
        row |= estimate_figures(name, estimates.get(name, Estimate(None)))
    return row


def _directions(market: Market, config: StrategyConfig, found: Validation) -> Row:
    """Return what each of the three directions earned on the alerts of one scan."""
    result, study = found.backtest, study_of(config)
    row: Row = {}
    for model in DIRECTIONS:
        trades = result.trades
        if model != OWN:
            settings = _directed(config, model)
            trades = study.replay(
                market, settings, result.scan, result.alerts, result.tape, None
            ).trades
        row |= {
            f"trades:{model}": trades.height,
            f"wins:{model}": int((trades["net_usd"] > 0.0).sum()),
            f"sum:{model}": float(trades["net_bps"].sum()),
        }
    return row


def _counts(
    market: Market, found: Validation, truth: dict[TruthTable, pl.DataFrame]
) -> dict[str, int]:
    result, strikes = found.backtest, truth[TruthTable.EXPIRY_STRIKES]
    scan, interest = result.scan, market.open_interest
    alerted = alerted_sides(
        scan.more["conditions"],
        strikes,
        market.contracts,
        pl.DataFrame(schema=tape_schema(TapeKind.OPEN_INTEREST)) if interest is None else interest,
    )
    traded = traded_sides(result.trades, result.decisions, strikes, truth[TruthTable.EXPIRIES])
    moved = traded.filter(pl.col("moved") != 0.0)

    def right(rows: pl.DataFrame, side: pl.Expr) -> int:
        return int(rows.select((side == pl.col("true")).fill_null(value=False).sum()).item())

    values = (
        *(scan.more["expiry_counts"].height, alerted.height),
        *(right(alerted, side) for side in (pl.col("told"), pl.col("convention"), pl.lit(-1.0))),
        *(traded.height, right(traded, pl.col("told"))),
        *(moved.height, int((moved["moved"] > 0.0).sum())),
    )
    return dict(zip(_COUNTS, values, strict=True))
