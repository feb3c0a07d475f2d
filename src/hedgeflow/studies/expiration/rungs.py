"""The rungs of a ladder: what is known of each strike of an expiry, and the alert at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from hedgeflow.market.expiries import SettlementKind
from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.settlement_probability import distance_in_sigmas, in_the_money_probability
from hedgeflow.signals.settlement_rules import SignalClass, Urgency
from hedgeflow.strategies.expiration_pressure.plan import NoPlan, side_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.expiration.standing_scan import Standing

RUNG: Final = {
    "strike": pl.Float64(),
    "settled_oi": pl.Float64(),
    "settled_calls": pl.Float64(),
    "settled_puts": pl.Float64(),
    "settled_ns": pl.Int64(),
    "estimated_oi": pl.Float64(),
    "estimated_calls": pl.Float64(),
    "estimated_puts": pl.Float64(),
    "oi_low": pl.Float64(),
    "oi_high": pl.Float64(),
    "oi": pl.Float64(),
    "distance": pl.Float64(),
    "distance_points": pl.Float64(),
    "distance_sigmas": pl.Float64(),
    "pressure": pl.Float64(),
    "dealer_gamma": pl.Float64(),
    "dealer_units": pl.Float64(),
    "gamma_basis": pl.String(),
    "source": pl.Float64(),
    "lognormal": pl.Float64(),
    "empirical": pl.Float64(),
    "in_the_money_call": pl.Float64(),
    "in_the_money_put": pl.Float64(),
    "urgency": pl.String(),
    "signal_class": pl.String(),
    "alert_number": pl.Int64(),
    "confidence": pl.Float64(),
    "target_distance": pl.Float64(),
    "direction": pl.String(),
}
"""A strike of a ladder; what is not known is null.

Open interest is in contracts of 100 underlying units: `settled_*` as last published, which
have stood unchanged since `settled_ns` (UTC ns, of the oldest of the strike's counts: when it was
published or, in snapshots, when it changed or its session began); `estimated_*` with the signed
volume since, between `oi_low` and `oi_high`; `oi` is the one that the configuration presses with.
`distance` is abs(price - strike) in price units, `distance_points` in source points, and
`distance_sigmas` in standard deviations of what is left. `dealer_gamma` is in underlying units per
1 of price and has the sign of `dealer_units`, the underlying units of options that dealers are
long; whose side they are on was told by `gamma_basis`, a `GammaConvention`. `source`, `lognormal`
and `empirical` are the chances of settling at the strike; `in_the_money_*` those of an option's
being worth something, given where that means assignment. The last six columns are of the alert
whose condition holds at the strike, null where none does: `urgency`, `signal_class`,
`alert_number` of the scan, `confidence`, `target_distance` in price units, and `direction`
(BUY_FUTURES or SELL_FUTURES) where there is a side.
"""

OF_ALERTS: Final = (
    "urgency", "signal_class", "alert_number", "confidence", "target_distance", "direction",
)  # fmt: skip


def rung_frame(
    rungs: NDArray[Any],
    standing: Standing,
    minutes: float,
    per_year: float,
    kind: SettlementKind,
) -> pl.DataFrame:
    """Return the columns of `RUNG` that are not of alerts.

    Parameters
    ----------
    rungs : ndarray of `LADDER`
    standing : Standing
    minutes, per_year : float
        Minutes left, and in the year of the volatility.
    kind : SettlementKind
    """
    price, sigma = standing.price, standing.sigma
    strikes = [float(each) for each in rungs["strike"]]
    away = [distance_in_sigmas(price, each, sigma, minutes, per_year) for each in strikes]
    chances: dict[str, list[float] | pl.Series] = {}
    for name, right in (("in_the_money_call", 1), ("in_the_money_put", -1)):
        if kind is SettlementKind.AMERICAN_ASSIGNMENT:
            chances[name] = [
                in_the_money_probability(right, price, each, sigma, minutes, per_year)
                for each in strikes
            ]
        else:
            chances[name] = pl.repeat(None, len(strikes), dtype=pl.Float64, eager=True)
    frame = pl.DataFrame(rungs).with_columns(
        dealer_gamma=pl.col("dealer_gamma") + 0.0,  # no minus before a 0
        settled_calls=pl.Series(standing.settled_calls),
        settled_puts=pl.Series(standing.settled_puts),
        estimated_calls=pl.Series(standing.estimated_calls),
        estimated_puts=pl.Series(standing.estimated_puts),
        settled_ns=pl.when(pl.col("settled_ns") >= 0).then("settled_ns"),
        distance_points=pl.col("distance") / standing.point,
        distance_sigmas=pl.Series(away),
        gamma_basis=pl.Series([GammaConvention(int(each)).name for each in rungs["gamma_basis"]]),
        **{name: pl.Series(name, values) for name, values in chances.items()},
    )
    return frame.with_columns(pl.selectors.float().fill_nan(None))


def with_alerts(
    frame: pl.DataFrame, held: NDArray[Any] | None, config: ExpirationPressureConfig
) -> pl.DataFrame:
    """Return a ladder's rungs, `RUNG`, with the conditions that hold; None: none does."""
    rows: list[dict[str, Any]] = []
    names = () if held is None else held.dtype.names or ()
    for row in () if held is None else held.tolist():
        condition = dict(zip(names, row, strict=True))
        side = side_of(condition, config)
        rows.append(
            {
                "strike": condition["strike"],
                "urgency": Urgency(condition["urgency"]).name,
                "signal_class": SignalClass(condition["signal_class"]).name,
                "alert_number": condition["alert_number"],
                "confidence": condition["confidence"],
                "target_distance": condition["target_distance"],
                "direction": None
                if isinstance(side, NoPlan)
                else ("BUY_FUTURES" if side[1] > 0 else "SELL_FUTURES"),
            }
        )
    schema = {name: RUNG[name] for name in ("strike", *OF_ALERTS)}
    alerts = pl.DataFrame(rows, schema=schema)
    return frame.join(alerts, on="strike", how="left", maintain_order="left").select(
        pl.col(name).cast(dtype) for name, dtype in RUNG.items()
    )
