"""Did the price move as a hedge would move it: the predicted direction, and how the hedge ended."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hedgeflow.evidence.estimates import Estimate, FloatArray, Measure, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.resampling import Resampling, clustered_mean
from hedgeflow.evidence.sign_flips import sign_flip_p_value, smallest_p_value
from hedgeflow.evidence.tables import EvidenceTables
from hedgeflow.evidence.trades import session_index


@dataclass(frozen=True, slots=True)
class PriceResponse:
    """Signed price moves after events against the same minutes of earlier sessions.

    Everything is in basis points, positive in the direction that was predicted at the alert.

    Attributes
    ----------
    events : int
        Events whose move is known together with enough placebo windows.
    left_out : int
        Events without either.
    prior_move_bps : Estimate
        Move in the 15 minutes that end where the event's first anomaly window begins: a pre-trend
        means that whatever moved the price moved the options too.
    move_bps, placebo_move_bps, excess_move_bps : Estimate
        Move over the predicted response, that of the placebo windows, and the difference.
    sign_agreement : Estimate
        Share of events whose price moved in the predicted direction.
    p_value_move : Estimate
        Of the excess move being positive; signs flipped by session.
    accelerated_events : int
        Events whose acceleration is known together with enough placebo windows.
    acceleration_bps, placebo_acceleration_bps, excess_acceleration_bps : Estimate
        Second difference of the price around the completion of the hedge.
    acceleration_p_value : Estimate
        Of the excess acceleration being zero, two-sided: the claim is that the end of a hedge
        leaves a mark, and a price that stops being pushed decelerates.
    acceleration_basis : str
        Which completion: the observed one, or the predicted one where no flow is signed.
    move_sessions, acceleration_sessions : int
        Sessions that these events lie on, whose signs are flipped.
    """

    events: int
    left_out: int
    prior_move_bps: Estimate
    move_bps: Estimate
    placebo_move_bps: Estimate
    excess_move_bps: Estimate
    sign_agreement: Estimate
    p_value_move: Estimate
    accelerated_events: int
    acceleration_bps: Estimate
    placebo_acceleration_bps: Estimate
    excess_acceleration_bps: Estimate
    acceleration_p_value: Estimate
    acceleration_basis: str
    move_sessions: int
    acceleration_sessions: int


def price_response(tables: EvidenceTables, resampling: Resampling) -> PriceResponse:
    """Return what prices did after the events.

    Parameters
    ----------
    tables : EvidenceTables
        With `prices`, or the reason why there is none.
    resampling : Resampling
        Session draws for the bounds; its seed serves the sign flips.
    """
    if tables.prices is None:
        return _nothing(missing(tables.prices_missing))
    frame = tables.prices
    moved = frame.drop_nulls(["move_bps", "placebo_move_bps"])
    turned = frame.drop_nulls(["acceleration_bps", "placebo_acceleration_bps"])
    prior = frame.drop_nulls("prior_move_bps")
    none = "no event has a price and enough placebo windows"

    def mean(rows: pl.DataFrame, column: str, less: str | None = None) -> Estimate:
        what = f"mean of {column}" if less is None else f"mean of {column} − {less}"
        return clustered_mean(
            _difference(rows, column, less),
            session_index(rows["session"], tables.sessions),
            resampling,
            none=none,
            what=what.replace("_", " "),
        )

    right = int((moved["move_bps"] > 0).sum())
    return PriceResponse(
        events=moved.height,
        left_out=frame.height - moved.height,
        prior_move_bps=mean(prior, "prior_move_bps"),
        move_bps=mean(moved, "move_bps"),
        placebo_move_bps=mean(moved, "placebo_move_bps"),
        excess_move_bps=mean(moved, "move_bps", "placebo_move_bps"),
        sign_agreement=win_rate(right, moved.height) if moved.height else missing(none),
        p_value_move=sign_flip_p_value(
            _difference(moved, "move_bps", "placebo_move_bps"),
            session_index(moved["session"], tables.sessions),
            seed=resampling.seed,
            sides="greater",
            none=none,
        ),
        accelerated_events=turned.height,
        acceleration_bps=mean(turned, "acceleration_bps"),
        placebo_acceleration_bps=mean(turned, "placebo_acceleration_bps"),
        excess_acceleration_bps=mean(turned, "acceleration_bps", "placebo_acceleration_bps"),
        acceleration_p_value=sign_flip_p_value(
            _difference(turned, "acceleration_bps", "placebo_acceleration_bps"),
            session_index(turned["session"], tables.sessions),
            seed=resampling.seed,
            sides="two-sided",
            none=none,
        ),
        acceleration_basis=tables.acceleration_basis,
        move_sessions=moved["session"].n_unique(),
        acceleration_sessions=turned["session"].n_unique(),
    )


def _nothing(gone: Estimate) -> PriceResponse:
    return PriceResponse(
        events=0,
        left_out=0,
        prior_move_bps=gone,
        move_bps=gone,
        placebo_move_bps=gone,
        excess_move_bps=gone,
        sign_agreement=gone,
        p_value_move=gone,
        accelerated_events=0,
        acceleration_bps=gone,
        placebo_acceleration_bps=gone,
        excess_acceleration_bps=gone,
        acceleration_p_value=gone,
        acceleration_basis="",
        move_sessions=0,
        acceleration_sessions=0,
    )


def price_measures(price: PriceResponse) -> dict[tuple[str, str], Measure]:
    """Return what claims about prices are judged by."""
    return {
        ("price_response_p_value", ""): Measure(
            price.p_value_move,
            price.events,
            exact=True,
            smallest=smallest_p_value(price.move_sessions, "greater"),
        ),
        ("acceleration_p_value", ""): Measure(
            price.acceleration_p_value,
            price.accelerated_events,
            exact=True,
            smallest=smallest_p_value(price.acceleration_sessions, "two-sided"),
        ),
    }


def _difference(rows: pl.DataFrame, column: str, less: str | None) -> FloatArray:
    values = rows[column] if less is None else rows[column] - rows[less]
    return values.cast(pl.Float64).to_numpy()
