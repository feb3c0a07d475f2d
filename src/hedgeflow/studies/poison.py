"""Another future for a market: the same past, and everything after an instant changed wildly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.market.tapes import TapeKind
from hedgeflow.studies.backtesting import traded_alerts
from hedgeflow.studies.leakage import Output, leakage
from hedgeflow.studies.markets import Market, OptionTape, Tape, market_of
from hedgeflow.studies.strategies import study_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hedgeflow.evidence import Leakage
    from hedgeflow.risk import Calendar
    from hedgeflow.strategies.settings import StrategyConfig

PRICES: Final = ("price", "open", "high", "low", "close", "bid", "ask", "underlying_price")
SIZES: Final = ("lots", "size", "volume", "open_interest")
SIDES: Final = ("aggressor", "delta")
LEFT_OUT: Final = 1 / 3
"""Of prints and trades."""
CUTS: Final = 3
KNOWN_LATER: Final = ("flow_class_at_close",)
"""Columns of an alert that are filled in when its event has closed, for the record only."""


def check_leakage(
    market: Market,
    config: StrategyConfig,
    alerts: pl.DataFrame,
    calendar: Calendar | None = None,
    *,
    cuts: int = CUTS,
) -> Leakage | None:
    """Return the leakage test of a strategy on a market; None where nothing was decided.

    Parameters
    ----------
    market : Market
    config : StrategyConfig
    alerts : polars.DataFrame
        The run's: the future is changed right after some of them were detected, evenly spread.
    calendar : Calendar, optional
    cuts : int
        Scans and replays made besides the run's own.
    """
    detected: list[int] = alerts["detected_ns"].unique().sort().to_list()
    if not detected:
        return None
    places = sorted({(number + 1) * len(detected) // (cuts + 1) for number in range(cuts)})
    chosen = [detected[place] for place in places if place < len(detected)]
    return leakage(
        lambda seen: put_out(seen, config, calendar),
        market,
        chosen,
        lambda seen, cut: poisoned(seen, config, cut, seed=config.seed),
    )


def put_out(
    market: Market, config: StrategyConfig, calendar: Calendar | None
) -> Mapping[str, Output]:
    """Return the alerts, decisions and closed trades of a market, without journalling any."""
    study = study_of(config)
    scan = study.scan(market, config)
    alerts = traded_alerts(market, scan)
    result = study.replay(market, config, scan, alerts, study.hedge_tape(market), calendar)
    quotes = market.tick_quotes
    lags = [0] if quotes is None else (quotes["known_at"] - quotes["ts"]).to_physical().to_list()
    return {
        "alerts": Output(alerts.drop(KNOWN_LATER).sort("detected_ns", "alert_id"), "detected_ns"),
        "decisions": Output(
            study.known_decisions(result, alerts).sort("known_ns", "alert_id"), "known_ns"
        ),
        "trades": Output(result.trades.sort("exit_ns", "trade_id"), "exit_ns", max(lags)),
    }


def poisoned(market: Market, config: StrategyConfig, cut_ns: int, *, seed: int) -> Market:
    """Return a market that is the same in all that was known by an instant, and in nothing else.

    Prices, sizes, sides and volumes of later rows are multiplied by random factors; a third of the
    later prints and trades is left out. Stamps of bars and quotes stay, as clocks and sessions are
    known; so does the open of the bar that has begun.
    """

    def changed(rows: pl.DataFrame, salt: int, *, thin: bool = False) -> pl.DataFrame:
        return _changed(rows, cut_ns, np.random.default_rng([seed, salt]), thin=thin)

    tape = market.option_tape

    def slices() -> Iterable[pl.DataFrame]:
        for salt, frame in enumerate(tape.slices()):
            yield changed(frame, 10 + salt, thin=True)

    options = OptionTape(
        key=tape.key,
        rows=tape.rows,
        first_ns=tape.first_ns,
        last_ns=tape.last_ns,
        coverage=tape.coverage,
        slices=slices,
    )
    recorded = None if market.flow is None else market.flow.coverage
    covered = market.bar_coverage if recorded is None else recorded
    index = market.volatility_index
    other = market_of(
        market.underlying,
        options,
        market.contracts,
        Tape(market.bars_key, changed(market.bars, 1), market.bar_coverage),
        config,
        days=None
        if market.days is None
        else Tape(
            replace(tape.key, kind=TapeKind.OPTION_DAYS), changed(market.days, 2), tape.coverage
        ),
        trades=None
        if market.trades is None
        else Tape(market.bars_key, changed(market.trades, 3, thin=True), covered),
        quotes=None
        if market.quotes is None or market.quotes_key is None
        else Tape(market.quotes_key, changed(market.quotes, 4), covered),
        volatility_index=None
        if index is None
        else replace(
            index, value=np.where(index.known_ns > cut_ns, 3.0 * index.value, index.value)
        ),
        option_hash=market.option_hash,
        hedge_hash=market.hedge_hash,
        simulated=market.simulated,
        notes=market.notes,
        open_interest=None if market.open_interest is None else changed(market.open_interest, 5),
        underlying_bars=None
        if market.underlying_bars is None
        else changed(market.underlying_bars, 6),
        hedge=market.hedge,
    )
    return replace(other, from_ns=market.from_ns, until_ns=market.until_ns)


def _changed(
    rows: pl.DataFrame, cut_ns: int, rng: np.random.Generator, *, thin: bool
) -> pl.DataFrame:
    """Return rows of which those that were not known by the cut have other values."""
    later = pl.col("known_at").dt.timestamp("ns") > cut_ns
    factor = pl.Series("factor", np.exp(rng.normal(0.0, 0.5, rows.height)))
    times = pl.Series("times", rng.integers(2, 50, rows.height))
    turn = pl.Series("turn", rng.choice([-1, 1], rows.height))
    left_out = pl.Series("left_out", rng.random(rows.height) < (LEFT_OUT if thin else 0.0))
    stretch = {"high": 1.5, "low": 1 / 1.5, "close": 1.2}
    begun = later & (pl.col("ts").dt.timestamp("ns") <= cut_ns)
    whole = {name: dtype.is_integer() for name, dtype in rows.schema.items()}

    def new(name: str) -> pl.Expr:
        if name in PRICES:
            scaled = pl.col(name) * stretch.get(name, 1.0)
            known = pl.when(begun & pl.lit("open" in rows.columns)).then(1.0)
            return scaled * known.otherwise(pl.col("factor"))
        if name in SIZES:
            return pl.col(name) * pl.col("times" if whole[name] else "factor")
        if name in SIDES:
            return pl.col(name) * pl.col("turn")
        return pl.col(name) * pl.col("factor")

    names = [name for name in (*PRICES, *SIZES, *SIDES, "iv") if name in rows.columns]
    wild = rows.with_columns(factor, times, turn, left_out).with_columns(
        pl.when(later).then(new(name)).otherwise(pl.col(name)).cast(rows.schema[name]).alias(name)
        for name in names
    )
    return wild.filter(~(later & pl.col("left_out"))).select(rows.columns)
