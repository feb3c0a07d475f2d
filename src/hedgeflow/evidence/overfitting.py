"""Does choosing the best configuration mean anything: probability of backtest overfitting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb

import numpy as np

from hedgeflow.evidence.estimates import BoolArray, Estimate, FloatArray, IntArray, missing
from hedgeflow.evidence.nulls import HISTOGRAM_BINS, HistogramBin
from hedgeflow.market.errors import EvidenceError

MOST_BLOCKS = 16
"""Blocks of the paper's examples: 12,870 ways to choose half of them."""
FEWEST_BLOCKS = 6
FEWEST_PERIODS_A_BLOCK = 3
"""Periods a block holds at least, so that a ratio of half of all blocks rests on 9."""
DOMINANCE_POINTS = 41
_AT_ONCE = 512
"""Combinations whose configurations are held in memory together: 512 × 1,000 ratios are 4 MB."""
_NO_SPREAD = 1e-12
_TIE = 1e-9
"""Ratios that are so near are the same: copies of a configuration, added up in another order."""


@dataclass(frozen=True, slots=True, eq=False)
class Selections:
    """What choosing the best of one half of the record gave on the other half.

    Attributes
    ----------
    in_sample, out_of_sample : ndarray, shape (combinations,)
        Ratio of the configuration that was best in sample, there and on the other half.
    rank : ndarray, shape (combinations,)
        Its rank out of sample, 1 the worst, ties sharing theirs.
    every : ndarray, shape (combinations,)
        Mean out-of-sample ratio of all configurations.
    curve : ndarray, shape (2, points)
        Share of out-of-sample ratios at or below each of `levels`: of those chosen, and of all.
    levels : ndarray, shape (points,)
    """

    in_sample: FloatArray
    out_of_sample: FloatArray
    rank: FloatArray
    every: FloatArray
    curve: FloatArray
    levels: FloatArray


@dataclass(frozen=True, slots=True)
class DominancePoint:
    """Shares of out-of-sample ratios at or below one: of the configurations chosen, and of all."""

    ratio: float
    chosen: float
    every: float


@dataclass(frozen=True, slots=True)
class Overfitting:
    """How the best configuration in sample fared out of sample, over all ways to halve the record.

    Attributes
    ----------
    configurations, periods, blocks, combinations : int
    probability : Estimate
        Share of combinations in which the best in sample is at or below the median out of sample.
        Pure chance gives about a half, a choice that carries over gives little.
    median_logit : Estimate
        Of ln(ω / (1 − ω)), ω the relative rank out of sample; above 0 where it carries over.
    in_sample, out_of_sample : Estimate
        Mean ratio, per period, of those chosen.
    every_out_of_sample : Estimate
        Mean ratio of all configurations out of sample: what choosing at random would have given.
    degradation_slope : Estimate
        Of out-of-sample on in-sample ratio over combinations; below 0, the better it looked the
        worse it did.
    probability_of_loss : Estimate
        Share of combinations in which the chosen lost out of sample.
    first_order_dominance, second_order_dominance : bool or None
        Whether choosing beats a random choice for whoever likes more, and for whoever moreover
        shuns risk.
    dominance : tuple of DominancePoint
        Both distributions.
    logits : tuple of HistogramBin
    reason : str
        Why there are no figures.
    """

    configurations: int
    periods: int
    blocks: int
    combinations: int
    probability: Estimate
    median_logit: Estimate
    in_sample: Estimate
    out_of_sample: Estimate
    every_out_of_sample: Estimate
    degradation_slope: Estimate
    probability_of_loss: Estimate
    first_order_dominance: bool | None
    second_order_dominance: bool | None
    dominance: tuple[DominancePoint, ...]
    logits: tuple[HistogramBin, ...]
    reason: str


def overfitting(results: FloatArray, *, most_blocks: int = MOST_BLOCKS) -> Overfitting:
    """Return the probability of backtest overfitting of choosing the highest Sharpe ratio.

    Parameters
    ----------
    results : ndarray, shape (periods, configurations)
        Net result per period, in time order, zeros included.
    most_blocks : int
        Even; fewer are used where a block would hold under `FEWEST_PERIODS_A_BLOCK` periods.

    Raises
    ------
    EvidenceError
        When a value is not finite or `most_blocks` is odd.

    Notes
    -----
    Combinatorially symmetric cross-validation: D. H. Bailey, J. M. Borwein, M. López de Prado and
    Q. J. Zhu, *Journal of Computational Finance* 20 (4) (2017) 39–69, 2.2 to 5. The combinations
    overlap, so their number says nothing about the error of the shares, which carry no bounds.
    """
    if results.ndim != 2 or not np.isfinite(results).all():
        raise EvidenceError(
            "results are no table of finite numbers",
            where="overfitting",
            hint="Pass one row a period and one column a configuration.",
        )
    if most_blocks % 2 or most_blocks < FEWEST_BLOCKS:
        raise EvidenceError(
            f"{most_blocks} blocks cannot be halved, or are too few",
            where="overfitting",
            hint=f"An even number of at least {FEWEST_BLOCKS}.",
        )
    periods, count = results.shape
    blocks = min(most_blocks, periods // FEWEST_PERIODS_A_BLOCK // 2 * 2)
    reason = ""
    if count < 2:
        reason = "fewer than two configurations, so nothing was chosen"
    elif blocks < FEWEST_BLOCKS:
        needed = FEWEST_BLOCKS * FEWEST_PERIODS_A_BLOCK
        reason = f"{periods} sessions, and {needed} are needed"
    if reason:
        gone = missing(reason, n=periods)
        return Overfitting(
            configurations=count,
            periods=periods,
            blocks=0,
            combinations=0,
            probability=gone,
            median_logit=gone,
            in_sample=gone,
            out_of_sample=gone,
            every_out_of_sample=gone,
            degradation_slope=gone,
            probability_of_loss=gone,
            first_order_dominance=None,
            second_order_dominance=None,
            dominance=(),
            logits=(),
            reason=reason,
        )
    return _summed(selections(results, blocks), periods, count, blocks)


def selections(results: FloatArray, blocks: int) -> Selections:
    """Return what choosing in sample gave out of sample, for every half of the blocks.

    Parameters
    ----------
    results : ndarray, shape (periods, configurations)
    blocks : int
        Even; contiguous and of as nearly equal length as can be.

    Notes
    -----
    A half's ratio needs only its count, sum and sum of squares, which are sums over its blocks: a
    0/1 matrix of combinations × blocks times a matrix of blocks × configurations, made for
    `_AT_ONCE` combinations at a time, so that memory does not grow with their number. Results are
    centred before they are squared. A half in which a configuration's results never vary, because
    it did not trade, has ratio 0.
    """
    periods, count = results.shape
    edges: IntArray = np.array([round(block * periods / blocks) for block in range(blocks + 1)])
    centre = results.mean(axis=0)
    centred = results - centre
    scale = np.abs(centred).max(axis=0, initial=0.0)
    scale[scale == 0.0] = 1.0
    centred, centre = centred / scale, centre / scale
    sums = np.add.reduceat(centred, edges[:-1], axis=0)
    squares = np.add.reduceat(centred**2, edges[:-1], axis=0)
    sizes = (edges[1:] - edges[:-1]).astype(np.float64)
    whole = (sizes.sum(), sums.sum(axis=0), squares.sum(axis=0))
    total = comb(blocks, blocks // 2)
    in_sample, out_of_sample, rank, every = (np.empty(total) for _ in range(4))
    levels = _levels(results)
    below = np.zeros((2, levels.size))
    done = 0
    for chosen in _halves(blocks):
        rows = slice(done, done + chosen.shape[0])
        done += chosen.shape[0]
        half = (chosen @ sizes, chosen @ sums, chosen @ squares)
        inside = _ratio(*half, centre)
        outside = _ratio(whole[0] - half[0], whole[1] - half[1], whole[2] - half[2], centre)
        best = inside.argmax(axis=1)
        line = np.arange(best.size, dtype=np.int64)
        in_sample[rows] = inside[line, best]
        out_of_sample[rows] = picked = outside[line, best]
        ahead = outside - picked[:, None]
        rank[rows] = (ahead < -_TIE).sum(axis=1) + 0.5 * ((np.abs(ahead) <= _TIE).sum(axis=1) + 1)
        every[rows] = outside.mean(axis=1)
        below[0] += np.searchsorted(np.sort(picked), levels, side="right")
        below[1] += np.searchsorted(np.sort(outside, axis=None), levels, side="right")
    below /= np.array([[total], [total * count]])
    return Selections(in_sample, out_of_sample, rank, every, below, levels)


def _halves(blocks: int) -> Iterator[FloatArray]:
    """Yield 0/1 matrices of combinations × blocks, `_AT_ONCE` rows at a time."""
    every = combinations(range(blocks), blocks // 2)
    while some := list(islice(every, _AT_ONCE)):
        places: IntArray = np.array(some, dtype=np.int64)
        chosen = np.zeros((len(some), blocks))
        np.put_along_axis(chosen, places, 1.0, axis=1)
        yield chosen


def _ratio(
    size: FloatArray, sums: FloatArray, squares: FloatArray, centre: FloatArray
) -> FloatArray:
    counts = size[:, None]
    mean = sums / counts
    variance: FloatArray = (squares - counts * mean**2) / (counts - 1.0)
    varied: BoolArray = variance > _NO_SPREAD
    deviation = np.sqrt(np.where(varied, variance, 1.0))
    return np.where(varied, (mean + centre) / deviation, 0.0)


def _levels(results: FloatArray) -> FloatArray:
    """Return ratios at which distributions are compared: four errors either side of the means."""
    deviation = results.std(axis=0, ddof=1)
    varied = deviation > 0.0
    ratio = results.mean(axis=0)[varied] / deviation[varied]
    error = 4.0 / np.sqrt(results.shape[0] / 2.0)
    low, high = float(ratio.min(initial=0.0)), float(ratio.max(initial=0.0))
    return np.linspace(low - error, high + error, DOMINANCE_POINTS, dtype=np.float64)


def _summed(found: Selections, periods: int, count: int, blocks: int) -> Overfitting:
    total = int(found.rank.size)
    share = found.rank / (count + 1.0)
    logit = np.log(share / (1.0 - share))
    gap = found.curve[0] - found.curve[1]
    second = np.cumsum(gap)

    def estimate(value: float, method: str) -> Estimate:
        return Estimate(value, n=total, method=method)

    spread = found.in_sample - found.in_sample.mean()
    flat = float((spread**2).sum()) <= _NO_SPREAD * float((found.in_sample**2).sum())
    name = "least squares of out-of-sample on in-sample ratio over combinations"
    slope = (
        missing("every combination has the same best ratio", n=total, method=name)
        if flat
        else estimate(float((spread * found.out_of_sample).sum() / (spread**2).sum()), name)
    )
    counts, edges = np.histogram(logit, bins=HISTOGRAM_BINS)
    return Overfitting(
        configurations=count,
        periods=periods,
        blocks=blocks,
        combinations=total,
        probability=estimate(
            float((logit <= _NO_SPREAD).mean()),
            "share of combinations whose best in sample is at or below the median out of sample",
        ),
        median_logit=estimate(float(np.median(logit)), "median of ln(ω / (1 − ω))"),
        in_sample=estimate(float(found.in_sample.mean()), "mean ratio of the chosen, in sample"),
        out_of_sample=estimate(
            float(found.out_of_sample.mean()), "mean ratio of the chosen, out of sample"
        ),
        every_out_of_sample=estimate(
            float(found.every.mean()), "mean ratio of all configurations, out of sample"
        ),
        degradation_slope=slope,
        probability_of_loss=estimate(
            float((found.out_of_sample < 0.0).mean()), "share of combinations with a loss"
        ),
        first_order_dominance=bool((gap <= _NO_SPREAD).all() and (gap < -_NO_SPREAD).any()),
        second_order_dominance=bool((second <= _NO_SPREAD).all() and (second < -_NO_SPREAD).any()),
        dominance=tuple(
            DominancePoint(float(level), float(chosen), float(every))
            for level, chosen, every in zip(found.levels, *found.curve, strict=True)
        ),
        logits=tuple(
            HistogramBin(float(lower), float(upper), int(number))
            for lower, upper, number in zip(edges[:-1], edges[1:], counts, strict=True)
        ),
        reason="",
    )
