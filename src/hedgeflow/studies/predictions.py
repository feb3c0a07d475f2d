"""What each alert predicted of the hedge, and what flow and price then did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.evidence.predictions import scored
from hedgeflow.evidence.tables import PREDICTION_COLUMNS, PRICE_COLUMNS
from hedgeflow.market.sessions import session_date
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.hedge_response import observe
from hedgeflow.signals.price_moves import (
    NINE_TENTHS_IN_HALVES,
    accelerations,
    against_placebos,
    completions,
    flow_totals,
    known_closes,
    moves,
    next_closes,
    windows_of,
)
from hedgeflow.strategies.volume_shock.rules import observation_rules
from hedgeflow.studies.scoring.shocks import longest_window_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.signals.price_moves import KnownPrices
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.backtesting import Backtest
    from hedgeflow.studies.markets import Market

OBSERVED_BASIS = (
    "second difference of the price {width:g} min to either side of the moment at which {share:g} %"
    " of the abnormal signed flow after the event was done; placebo windows by their own flow"
)
PREDICTED_BASIS = (
    "second difference of the price {width:g} min to either side of the moment at which 90 % of"
    " the hedge was predicted to be done: detection + predicted half-time × log2(10), as under"
    " exponential completion; no flow is signed"
)


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of the predictions of one run.

    Attributes
    ----------
    flow : polars.DataFrame or None
        Predicted against observed hedges; None without signed trades.
    predictions, prices : polars.DataFrame
        As `PREDICTION_COLUMNS` and `PRICE_COLUMNS`.
    acceleration_basis : str
        The completion around which prices were differenced.
    notes : tuple of str
    """

    flow: pl.DataFrame | None
    predictions: pl.DataFrame
    prices: pl.DataFrame
    acceleration_basis: str
    notes: tuple[str, ...]


def predicted_and_observed(
    market: Market, config: VolumeShockConfig, result: Backtest, truth: pl.DataFrame | None = None
) -> Observed:
    """Return the predictions of a run's alerts with what flow and price did after them.

    The prediction of an event is its first alert's: the demand in underlying units, its direction,
    and the time by which half of it is expected.

    Look-ahead: a study of what followed; nothing here is seen by signals or by a replay. Placebo
    windows lie in earlier sessions.

    Parameters
    ----------
    market : Market
    config : VolumeShockConfig
    result : Backtest
    truth : polars.DataFrame, optional
        True class of each alert; in simulation.
    """
    first = _first_alerts(market, result)
    flow, notes = _flow(market, config, first)
    width, share = config.observation.acceleration_minutes, 100.0 * config.observation.mostly_done
    basis = PREDICTED_BASIS if flow is None else OBSERVED_BASIS
    return Observed(
        flow,
        _predictions(first, flow, result.run.run_id, truth),
        _prices(market, config, first),
        basis.format(width=width, share=share),
        tuple(notes),
    )


def _first_alerts(market: Market, result: Backtest) -> pl.DataFrame:
    """Return the first alert of each event, with the event's first anomaly and its session."""
    first = result.alerts.sort("detected_ns", "alert_id").unique("event_id", keep="first")
    events = first.join(
        result.scan.events.select("event_id", "first_ns"), on="event_id", how="inner"
    ).sort("event_id")
    dates = [session_date(market.sessions, at) for at in events["detected_ns"].to_list()]
    side = np.where(events["direction"].to_numpy() == "BUY_FUTURES", 1, -1)
    return events.with_columns(
        session=pl.Series(dates, dtype=pl.String), side=pl.Series(side, dtype=pl.Int64)
    )


def _flow(
    market: Market, config: VolumeShockConfig, first: pl.DataFrame
) -> tuple[pl.DataFrame | None, list[str]]:
    """Return predicted against observed hedges, with what else moves flow, and what to say of them.

    Observed is the abnormal signed flow after the event began (volume-shock.md 8). Events with too
    few placebos to tell are left out and counted.
    """
    if market.flow is None:
        return None, []
    rules = observation_rules(config)
    seen = observe(market.flow, first["event_id"].to_numpy(), first["first_ns"].to_numpy(), rules)
    told = seen.filter(pl.col("observed").is_not_null())
    notes = ["Hedges are predicted, and so compared, for events that alerted, not for every event."]
    if told.height < first.height:
        notes.append(
            f"{first.height - told.height:,} of {first.height:,} alerted events have fewer than"
            f" {rules.fewest_placebos} earlier sessions to compare with: whether"
            " dealers hedged there cannot be told, and they are left out of the hedging figures."
        )
    both = first.join(told, on="event_id", how="inner", suffix="_seen", maintain_order="left")
    return both.select(
        "alert_id",
        "session",
        "flow_class",
        predicted="demand",
        observed="abnormal_flow",
        predicted_minutes="response_minutes",
        observed_minutes="response_minutes_seen",
        observed_move_bps=pl.col("move_to_completion") / pl.col("spot") * 1e4,
        **_controls(market, config, both["first_ns"].to_numpy()),
    ), notes


def _controls(
    market: Market, config: VolumeShockConfig, first_ns: NDArray[np.int64]
) -> dict[str, pl.Series]:
    """Return what else may move signed flow: return and volume meanwhile, flow and return before.

    Before means the window that ends where the event's first anomaly window begins: what the
    event's own prints are part of is not before it.
    """
    assert market.flow is not None  # noqa: S101 - asked for with flow only
    rules = observation_rules(config)
    window_ns = round(rules.window_minutes * MINUTE_NS)
    prices = _known_prices(market)
    begun = first_ns - longest_window_ns(config) - window_ns
    before = flow_totals(
        market.flow,
        windows_of(market.sessions, begun, rules.placebo_sessions, market.flow.coverage),
        rules.window_minutes,
    )
    prior = against_placebos(before, rules.fewest_placebos)
    columns = {
        "return_bps": moves(prices, first_ns, first_ns + window_ns),
        "volume": _volume(market, first_ns, first_ns + window_ns),
        "prior_return_bps": moves(prices, begun, begun + window_ns),
        "prior_flow": prior.own - prior.mean,
    }
    return {name: _nullable(values) for name, values in columns.items()}


def _known_prices(market: Market) -> KnownPrices:
    return known_closes(market.bars, market.bars_key.resolution_ns)


def _volume(
    market: Market, from_ns: NDArray[np.int64], until_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the volume of the hedge instrument's bars that ended in each window."""
    known = market.bars["known_at"].dt.timestamp("ns").to_numpy()
    total = np.concatenate(([0.0], np.cumsum(market.bars["volume"].to_numpy())))
    begin, end = (np.searchsorted(known, at, side="right") for at in (from_ns, until_ns))
    return total[end] - total[begin]


def _predictions(
    first: pl.DataFrame, flow: pl.DataFrame | None, run_id: str, truth: pl.DataFrame | None
) -> pl.DataFrame:
    """Return one row per prediction; null where nothing could be told."""
    made = first.filter(pl.col("demand") != 0).select(
        "alert_id",
        "session",
        "flow_class",
        run_id=pl.lit(run_id),
        predicted_direction="side",
        predicted="demand",
        predicted_minutes="response_minutes",
    )
    if flow is None:
        made = made.with_columns(
            observed=pl.lit(None, pl.Float64), observed_minutes=pl.lit(None, pl.Float64)
        )
    else:
        seen = flow.select("alert_id", "observed", "observed_minutes")
        made = made.join(seen, on="alert_id", how="left", maintain_order="left")
    classes = pl.DataFrame(schema={"alert_id": pl.String, "true_class": pl.String})
    known = classes if truth is None else truth
    rows = scored(made).join(known, on="alert_id", how="left", maintain_order="left")
    return rows.select(pl.col(name).cast(dtype) for name, dtype in PREDICTION_COLUMNS.items())


def _prices(market: Market, config: VolumeShockConfig, first: pl.DataFrame) -> pl.DataFrame:
    """Return the price moves after each event, and those of its placebo windows.

    A move begins with the first bar that ends at or after detection: what moved the price within
    that bar before detection, and the options with it, is no response.
    """
    rules = observation_rules(config)
    prices = _known_prices(market)
    side = first["side"].to_numpy()[:, None].astype(np.float64)
    detected = first["detected_ns"].to_numpy()
    minutes = first["response_minutes"].to_numpy()
    windows = windows_of(market.sessions, detected, rules.placebo_sessions, market.bar_coverage)
    horizon = np.rint(minutes * MINUTE_NS).astype(np.int64)[:, None]
    after = next_closes(market.bars, market.bars_key.resolution_ns)
    moved = against_placebos(side * moves(after, windows, windows + horizon), rules.fewest_placebos)
    window_ns = round(rules.window_minutes * MINUTE_NS)
    begun = first["first_ns"].to_numpy() - longest_window_ns(config) - window_ns
    around, completion = _completion(market, config, first, windows)
    turned = against_placebos(
        np.where(
            np.isfinite(completion),
            side * accelerations(prices, around, round(rules.acceleration_minutes * MINUTE_NS)),
            np.nan,
        ),
        rules.fewest_placebos,
    )
    columns = {
        "prior_move_bps": side[:, 0] * moves(prices, begun, begun + window_ns),
        "move_minutes": minutes,
        "move_bps": moved.own,
        "placebo_move_bps": moved.mean,
        "placebo_move_deviation": moved.deviation,
        "move_rank": moved.rank,
        "completion_minutes": completion[:, 0],
        "acceleration_bps": turned.own,
        "placebo_acceleration_bps": turned.mean,
        "placebo_acceleration_deviation": turned.deviation,
        "acceleration_rank": turned.rank,
    }
    table = first.select(
        "alert_id",
        "session",
        "flow_class",
        direction="side",
        placebos=pl.Series(moved.placebos, dtype=pl.Int64),
        **{name: _nullable(values) for name, values in columns.items()},
    )
    return table.select(*PRICE_COLUMNS)


def _completion(
    market: Market, config: VolumeShockConfig, first: pl.DataFrame, windows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return when the hedge of each window was done, as instants and in minutes from its start.

    Observed from the start of the event where flow is signed; else predicted from detection: what
    is left of an exponential hedge has the same half-time at whatever moment one looks.
    """
    rules = observation_rules(config)
    if market.flow is None:
        minutes = NINE_TENTHS_IN_HALVES * first["response_minutes"].to_numpy()
        done = np.broadcast_to(minutes[:, None], windows.shape)
    else:
        began, covered = first["first_ns"].to_numpy(), market.flow.coverage
        windows = windows_of(market.sessions, began, rules.placebo_sessions, covered)
        done = completions(market.flow, windows, rules.window_minutes, rules.mostly_done)
    steps = np.rint(np.nan_to_num(done) * MINUTE_NS).astype(np.int64)
    return windows + steps, done


def _nullable(values: NDArray[np.float64]) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64).fill_nan(None)
