"""Which shock an alert, an event or an anomaly belongs to: the one rule of all comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence


def overlaps(
    found: pl.DataFrame, shocks: pl.DataFrame, window_ns: int, by: Sequence[str] = ()
) -> pl.DataFrame:
    """Return every pair of something found and a shock that it overlaps.

    What was found saw the prints of its first window on: the half-open time from `window_ns` before
    its first anomaly to its end. It overlaps a shock whose first print is not after that end and
    whose last print lies in that time or after it. Nothing else counts, neither side nor class nor
    what dealers did later, so that the rule is the same in a market where nobody hedges; what lies
    beside a shock by chance counts as well, see `chance_of_overlap`.

    Parameters
    ----------
    found : polars.DataFrame
        With `first_ns`, the first anomaly, and `until_ns`, when it ended or was decided.
    shocks : polars.DataFrame
        With `shock_first_ns` and `shock_last_ns`, the first and the last print of each.
    window_ns : int
        The longest window in which anomalies are looked for.
    by : sequence of str, optional
        Columns that must be equal too: the contract, of anomalies.

    Returns
    -------
    polars.DataFrame
        The columns of both, a row a pair.
    """
    keys = list(by)
    pairs = found.join(shocks, on=keys) if keys else found.join(shocks, how="cross")
    return pairs.filter(
        pl.col("shock_first_ns") <= pl.col("until_ns"),
        pl.col("shock_last_ns") > pl.col("first_ns") - window_ns,
    )


def latest_shock(
    found: pl.DataFrame, shocks: pl.DataFrame, window_ns: int, by: Sequence[str] = ()
) -> pl.DataFrame:
    """Return what was found, in its order, each with the shock that it overlaps.

    Of several the one that began last; null columns where there is none.
    """
    order = pl.int_range(pl.len()).alias("_place")
    placed = found.with_columns(order)
    pairs = overlaps(placed, shocks, window_ns, by)
    latest = pairs.sort("shock_first_ns", maintain_order=True).unique(
        "_place", keep="last", maintain_order=True
    )
    of_shocks = [name for name in shocks.columns if name not in {*by, *found.columns}]
    joined = placed.join(latest.select("_place", *of_shocks), on="_place", how="left")
    return joined.sort("_place").drop("_place")


def chance_of_overlap(
    found: pl.DataFrame, shocks: pl.DataFrame, window_ns: int, covered_ns: int
) -> float | None:
    """Return the share of what was found that would overlap a shock at times without meaning.

    A thing of length L overlaps a shock of length S wherever it ends in a stretch of about L + S +
    the window; the sum over shocks, as a share of the time covered, averaged over what was found.
    Shocks that lie closer together than that count twice, up to certainty.

    Parameters
    ----------
    found, shocks : polars.DataFrame
        As for `overlaps`.
    window_ns : int
    covered_ns : int
        Time that the tape covers, nanoseconds.
    """
    if found.is_empty() or covered_ns <= 0:
        return None
    length = (found["until_ns"] - found["first_ns"]).to_numpy().astype(float)
    shock_length = float((shocks["shock_last_ns"] - shocks["shock_first_ns"]).sum() or 0)
    share = (shocks.height * (length + window_ns) + shock_length) / covered_ns
    return float(share.clip(0.0, 1.0).mean())
