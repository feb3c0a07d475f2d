"""Walk-forward: a configuration is chosen on some sessions and traded on those that follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from hedgeflow.evidence.estimates import Estimate, missing
from hedgeflow.evidence.rates import win_rate
from hedgeflow.evidence.resampling import clustered_mean, resample_sessions
from hedgeflow.evidence.sharpe import sharpe_annualised
from hedgeflow.journal import Journal
from hedgeflow.studies.periods import within
from hedgeflow.studies.processes import results_of
from hedgeflow.studies.sweep.documents import Figures, FoldResult, Stitched, WalkForwardDocument
from hedgeflow.studies.sweep.folds import Cut, Scheme, cuts, dates, tradable_sessions
from hedgeflow.studies.sweep.results import Record, daily_net, highest, win_count
from hedgeflow.studies.sweep.sweeping import (
    TRYING,
    head_of,
    searched_of,
    settings_of,
    stage,
    tape_of,
)
from hedgeflow.studies.sweep.trying import SharedScan, try_all, try_one
from hedgeflow.studies.sweep.words import walk_forward_words
from hedgeflow.studies.trial_ledger import session_sharpe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.sweep.candidates import Candidate, Search
    from hedgeflow.studies.sweep.sweeping import Stages
    from hedgeflow.studies.sweep.trying import Ground, Tried

TRADING: Final = "Trading what was chosen"


@dataclass(frozen=True, slots=True, eq=False)
class WalkForward:
    """A finished walk-forward.

    Attributes
    ----------
    document : WalkForwardDocument
    trades : polars.DataFrame
        Out of sample: `TRADE_COLUMNS` with the fold's number.
    record : Record
        What all configurations traded on the whole.
    """

    document: WalkForwardDocument
    trades: pl.DataFrame
    record: Record


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a fold's training gave, and where it is to be traded."""

    candidate: Candidate
    from_ns: int
    until_ns: int


def walk_forward(
    ground: Ground,
    base: StrategyConfig,
    search: Search,
    scheme: Scheme,
    *,
    jobs: int,
    timestamp: str,
    progress: Stages | None = None,
) -> WalkForward:
    """Choose a configuration in each fold, trade it on what follows, and stitch the results.

    Look-ahead: a fold's choice rests on trades that were over, and known, more than the embargo
    before its test begins; the choice is traded on tapes that end with its test.

    Parameters
    ----------
    ground : Ground
    base : StrategyConfig
        Over which the settings were varied; its sessions are cut into folds.
    search : Search
    scheme : Scheme
    jobs : int
        Processes; 1 is this one.
    timestamp : str
        When it is made, ISO 8601.
    progress : callable, optional

    Raises
    ------
    DataError
        There are too few sessions for one fold.

    Notes
    -----
    Every configuration runs once over the whole market, and that run is a trial; training reads of
    it what was over in time, which is what a run on that part alone would have traded, since
    neither scan nor replay looks ahead. R. Pardo, *The Evaluation and Optimization of Trading
    Strategies*, Wiley 2008, chapter 11.
    """
    market = ground.market(base)
    sessions = tradable_sessions(market, base)
    folds = cuts(sessions, scheme)
    tried = try_all(ground, search.candidates, jobs=jobs, progress=stage(progress, TRYING))
    every = [each.trades for each in tried]
    scores = [fold.scores(every, scheme.objective) for fold in folds]
    chosen = [highest(each) for each in scores]
    choices = {
        number: _Choice(
            tried[place].candidate, folds[number].test[0].open_ns, folds[number].test[-1].close_ns
        )
        for number, place in enumerate(chosen)
        if place is not None
    }
    traded = _trade(ground, choices, jobs, stage(progress, TRADING))
    year = float(market.sessions.per_year)
    results = tuple(
        _result(
            number,
            fold,
            sum(value is not None for value in scores[number]),
            None if place is None else tried[place],
            traded.get(number),
            year,
        )
        for number, (fold, place) in enumerate(zip(folds, chosen, strict=True))
    )
    trades = _stitched_trades(traded)
    outside = [date for fold in folds for date in dates(fold.test)]
    stitched = _stitched(trades, results, outside, base, year)
    searched = searched_of(ground, base, market, search, tried, scheme.objective)
    document = WalkForwardDocument(
        **head_of(market, base),
        tape=tape_of(market, dates(sessions), year),
        search=searched,
        train_sessions=scheme.train,
        test_sessions=scheme.test,
        anchored=scheme.anchored,
        embargo_minutes=scheme.embargo_minutes,
        folds=results,
        stitched=stitched,
        conclusion=walk_forward_words(searched, results, stitched),
        timestamp=timestamp,
    )
    return WalkForward(document, trades, Record.of(tried, year))


def _trade(
    ground: Ground,
    choices: Mapping[int, _Choice],
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> dict[int, Tried]:
    """Return what each fold's choice traded in its test."""
    work, tasks = partial(_trade_choice, ground), list(choices.items())
    results = (
        map(work, tasks)
        if jobs == 1 or len(tasks) < 2
        else results_of(work, tasks, workers=jobs, what="a fold")
    )
    traded: dict[int, Tried] = {}
    for number, found in results:
        traded[number] = found
        if progress is not None:
            progress(len(traded), len(tasks))
    return dict(sorted(traded.items()))


def _trade_choice(ground: Ground, task: tuple[int, _Choice]) -> tuple[int, Tried]:
    number, choice = task
    config = choice.candidate.config
    market = within(ground.market(config), config, from_ns=choice.from_ns, until_ns=choice.until_ns)
    with Journal.open(ground.journal, clock=ground.clock) as journal:
        return number, try_one(choice.candidate, market, SharedScan(market, config), journal)


def _result(
    number: int, fold: Cut, eligible: int, chosen: Tried | None, after: Tried | None, year: float
) -> FoldResult:
    train, test = dates(fold.train), dates(fold.test)
    known = None if chosen is None else fold.known(chosen.trades)
    begun = 0 if chosen is None else fold.entered(chosen.trades).height
    return FoldResult(
        number=number + 1,
        train_first=train[0],
        train_last=train[-1],
        test_first=test[0],
        test_last=test[-1],
        eligible=eligible,
        chosen=None if chosen is None else chosen.candidate.number,
        settings={} if chosen is None else settings_of(chosen.candidate.settings),
        run_id=None if after is None else after.run_id,
        purged=0 if known is None else begun - known.height,
        in_sample=None if known is None else figures(known, train, year),
        out_of_sample=figures(None if after is None else after.trades, test, year),
    )


def figures(trades: pl.DataFrame | None, dates: Sequence[str], year: float) -> Figures:
    """Return what trades earned over sessions; without trades, nothing was earned."""
    if trades is None or trades.is_empty():
        return Figures(len(dates), 0, 0.0, None, None, None)
    ratio = session_sharpe(daily_net(trades, dates))
    return Figures(
        sessions=len(dates),
        trades=trades.height,
        net_usd=float(trades["net_usd"].sum()),
        win_rate=win_count(trades) / trades.height,
        expectancy_bps=float(trades["net_bps"].to_numpy().mean()),
        sharpe_annualised=None if ratio is None else ratio * math.sqrt(year),
    )


def _stitched_trades(traded: Mapping[int, Tried]) -> pl.DataFrame:
    parts = [
        each.trades.with_columns(fold=pl.lit(number + 1, dtype=pl.Int64))
        for number, each in traded.items()
    ]
    schema = {"session": pl.String, "net_usd": pl.Float64, "net_bps": pl.Float64}
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _stitched(
    trades: pl.DataFrame,
    results: Sequence[FoldResult],
    dates: Sequence[str],
    base: StrategyConfig,
    year: float,
) -> Stitched:
    daily = daily_net(trades, dates)
    resampling = resample_sessions(daily, seed=base.seed)
    place = {date: index for index, date in enumerate(dates)}
    session = np.array([place[date] for date in trades["session"]], dtype=np.int64)
    inside, outside, efficiency = _efficiency(results)
    return Stitched(
        sessions=len(dates),
        trades=trades.height,
        net_usd=float(trades["net_usd"].sum()),
        win_rate=win_rate(win_count(trades), trades.height)
        if trades.height
        else missing("no trades"),
        expectancy_bps=clustered_mean(trades["net_bps"].to_numpy(), session, resampling),
        sharpe_annualised=sharpe_annualised(daily, session, resampling, sessions_per_year=year),
        in_sample_usd_a_session=inside,
        out_of_sample_usd_a_session=outside,
        efficiency=efficiency,
    )


def _efficiency(results: Sequence[FoldResult]) -> tuple[Estimate, Estimate, Estimate]:
    """Return net profit a session in sample and out of sample, and what share of it was left."""
    chosen = [each for each in results if each.in_sample is not None]
    name = "net USD a session, mean over folds"
    ratio = "out of sample / in sample, net USD a session"
    if not chosen:
        reason = "nothing was chosen in any fold"
        return missing(reason, method=name), missing(reason, method=name), missing(reason)
    inside = [each.in_sample.net_usd / each.in_sample.sessions for each in chosen if each.in_sample]
    outside = [each.out_of_sample.net_usd / each.out_of_sample.sessions for each in chosen]
    folds = len(chosen)
    before, after = float(np.mean(inside)), float(np.mean(outside))
    return (
        Estimate(before, n=folds, method=name),
        Estimate(after, n=folds, method=name),
        Estimate(after / before, n=folds, method=ratio)
        if before > 0
        else missing("what was chosen lost in sample, too", n=folds, method=ratio),
    )
