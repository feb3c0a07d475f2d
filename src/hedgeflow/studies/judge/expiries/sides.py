"""Whether dealers' side at strikes was told as it truly was."""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from hedgeflow.strategies.expiration_pressure.plan import PIN

_STRIKE: Final = ("expiry_ns", "strike")


def alerted_sides(
    conditions: pl.DataFrame,
    strikes: pl.DataFrame,
    contracts: pl.DataFrame,
    interest: pl.DataFrame,
) -> pl.DataFrame:
    """Return dealers' side at each strike that had an alert, as it was told and as it was.

    Parameters
    ----------
    conditions : polars.DataFrame
        Of a scan.
    strikes : polars.DataFrame
        The truth of strikes, `TruthTable.EXPIRY_STRIKES`.
    contracts, interest : polars.DataFrame
        Terms of the options, and their official open interest.

    Returns
    -------
    polars.DataFrame
        One row a strike of an expiry, as of its first alert: the signs `told` by the scan,
        `convention` by official open interest of calls less puts, and `true`; 0 is neither side. A
        strike at which dealers truly held nothing is left out.
    """
    first = (
        conditions.filter("is_new")
        .sort("at_ns")
        .unique(_STRIKE, keep="first", maintain_order=True)
        .select(*_STRIKE, "at_ns", told=pl.col("dealer_units").fill_nan(0.0).sign())
    )
    return first.join(_by_convention(first, contracts, interest), on=_STRIKE, how="left").join(
        _true_sides(strikes), on=_STRIKE
    )


def traded_sides(
    trades: pl.DataFrame, decisions: pl.DataFrame, strikes: pl.DataFrame, expiries: pl.DataFrame
) -> pl.DataFrame:
    """Return the side taken by each trade, beside the side that dealers truly had.

    Parameters
    ----------
    trades, decisions : polars.DataFrame
        Of a replay.
    strikes, expiries : polars.DataFrame
        The truth of strikes and of expiries.

    Returns
    -------
    polars.DataFrame
        One row a trade: the signs `told` (+1: taken for one at which dealers are long, and traded
        towards the strike), `true`, and `moved`, which is positive where dealers' hedges ended up
        moving the price as the trade wanted it.
    """
    plans = [
        {"alert_id": alert, **{name: plan[name] for name in (*_STRIKE, "model", "direction")}}
        for alert, text in decisions.select("alert_id", "plan_json").iter_rows()
        if text is not None
        for plan in (json.loads(text),)
    ]
    schema = {
        "alert_id": pl.String, "expiry_ns": pl.Int64, "strike": pl.Float64, "model": pl.String,
        "direction": pl.Int64,
    }  # fmt: skip
    moves = expiries.select("moved_bps", expiry_ns=pl.col("ts").dt.timestamp("ns").cast(pl.Int64))
    return (
        trades.select("alert_id")
        .join(pl.DataFrame(plans, schema=schema, orient="row"), on="alert_id")
        .join(_true_sides(strikes), on=_STRIKE)
        .join(moves, on="expiry_ns")
        .select(
            told=pl.when(pl.col("model") == PIN).then(1.0).otherwise(-1.0),
            true="true",
            moved=pl.col("direction") * pl.col("moved_bps"),
        )
    )


def _true_sides(strikes: pl.DataFrame) -> pl.DataFrame:
    return strikes.select(
        "strike",
        expiry_ns=pl.col("ts").dt.timestamp("ns").cast(pl.Int64),
        true=pl.col("dealer_gamma").sign(),
    ).filter(pl.col("true") != 0.0)


def _by_convention(
    alerted: pl.DataFrame, contracts: pl.DataFrame, interest: pl.DataFrame
) -> pl.DataFrame:
    """Return the side that long calls and short puts give dealers, by what was known then."""
    legs = contracts.select(
        "contract",
        "strike",
        expiry_ns=pl.col("expiry").dt.timestamp("ns").cast(pl.Int64),
        side=pl.when(pl.col("right") == "C").then(1.0).otherwise(-1.0),
    )
    known = interest.select(
        "contract", "open_interest", known_ns=pl.col("known_at").dt.timestamp("ns")
    )
    return (
        alerted.join(legs, on=_STRIKE)
        .join(known, on="contract")
        .filter(pl.col("known_ns") <= pl.col("at_ns"))
        .sort("known_ns")
        .unique((*_STRIKE, "contract"), keep="last", maintain_order=True)
        .group_by(_STRIKE)
        .agg(convention=(pl.col("side") * pl.col("open_interest")).sum().sign())
    )
