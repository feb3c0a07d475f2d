"""Configurations tried in parallel, each a journalled trial, those that read alike on one scan."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.studies.backtesting import (
    backtest,
    record_trial,
    run_of,
    trial_document,
)
from hedgeflow.studies.periods import within
from hedgeflow.studies.processes import results_of
from hedgeflow.studies.sessions import session_dates
from hedgeflow.studies.strategies import study_of
from hedgeflow.studies.vaults import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import polars as pl

    from hedgeflow.replay import HedgeTape
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import ScanResult
    from hedgeflow.studies.sweep.candidates import Candidate

TRADE_COLUMNS: Final = (
    "trade_id", "alert_id", "session", "entry_ns", "exit_ns", "net_usd", "net_bps",
)  # fmt: skip
"""What a sweep needs of a trade; the journal holds the rest."""
FEWEST_TOGETHER: Final = 10
"""Configurations that are sent to a process together, where so many share a scan."""
PARTS_PER_JOB: Final = 4
"""Parts into which the work of a process is cut, so that none waits long for the others."""


class Ground(Protocol):
    """Where configurations are tried; it is sent to processes."""

    @property
    def journal(self) -> str | Path:
        """The journal's address."""
        ...

    @property
    def clock(self) -> Callable[[], int]:
        """What trials are dated by, UTC nanoseconds; a function that can be sent to processes."""
        ...

    def market(self, config: StrategyConfig) -> Market:
        """Return the market as a configuration names it."""
        ...


@dataclass(frozen=True, slots=True)
class CatalogGround:
    """An underlying of a catalog, and the part of it that may be looked at.

    Attributes
    ----------
    catalog : pathlib.Path
    underlying : str
    journal : str or pathlib.Path
    clock : callable
        What trials are dated by, UTC nanoseconds; it is sent to processes.
    from_ns, until_ns : int or None
        As `within`.
    """

    catalog: Path
    underlying: str
    journal: str | Path
    clock: Callable[[], int]
    from_ns: int | None = None
    until_ns: int | None = None

    def market(self, config: StrategyConfig) -> Market:
        """Return the market as a configuration names it, up to its first sealed vault."""
        whole = study_of(config).load_market(Catalog.open(self.catalog), self.underlying, config)
        part = within(whole, config, from_ns=self.from_ns, until_ns=self.until_ns)
        with Journal.open(self.journal) as journal:
            return visible(part, config, journal)


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A configuration and what it traded.

    Attributes
    ----------
    candidate : Candidate
    config_hash, run_id : str
        Its trial and its run in the journal.
    scan : str
        Equal for configurations that a scan reads alike.
    sessions : tuple of str
        Dates on which it could have traded.
    trades : polars.DataFrame
        `TRADE_COLUMNS`, in the order of entry.
    known : bool
        Whether the journal held the run complete, so that it was not run again.
    scan_seconds, replay_seconds : float
        Of this process's time; a scan's stands with the first configuration that it served.
    """

    candidate: Candidate
    config_hash: str
    run_id: str
    scan: str
    sessions: tuple[str, ...]
    trades: pl.DataFrame
    known: bool
    scan_seconds: float
    replay_seconds: float


def try_all(
    ground: Ground,
    candidates: Sequence[Candidate],
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Tried, ...]:
    """Return what each configuration traded, in their order.

    Every configuration is a trial in the ledger and a run in the journal, as after a backtest;
    whoever stops the work loses only what is under way, and the next call goes on from there.

    Parameters
    ----------
    ground : Ground
    candidates : sequence of Candidate
    jobs : int
        Processes; 1 is this one. The results do not depend on it.
    progress : callable, optional
        Called with configurations done and configurations in all.
    """
    done: list[Tried] = []
    work = partial(_try_together, ground)
    parts = together(candidates, jobs)
    results = (
        map(work, parts)
        if jobs == 1
        else results_of(work, parts, workers=jobs, what="configurations")
    )
    for some in results:
        done += some
        if progress is not None:
            progress(len(done), len(candidates))
    return tuple(sorted(done, key=lambda each: each.candidate.number))


def together(candidates: Iterable[Candidate], jobs: int) -> list[tuple[Candidate, ...]]:
    """Return configurations by scan, in parts that keep every process at work."""
    by_scan: dict[str, list[Candidate]] = {}
    for each in candidates:
        by_scan.setdefault(scan_id(each.config), []).append(each)
    count = sum(len(group) for group in by_scan.values())
    most = max(FEWEST_TOGETHER, -(-count // (PARTS_PER_JOB * jobs)))
    return [
        tuple(group[first : first + most])
        for group in by_scan.values()
        for first in range(0, len(group), most)
    ]


def scan_id(config: StrategyConfig) -> str:
    """Return a name that configurations share whose scans are equal."""
    text = json.dumps(study_of(config).scan_settings(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _try_together(ground: Ground, candidates: tuple[Candidate, ...]) -> tuple[Tried, ...]:
    market = ground.market(candidates[0].config)
    shared = SharedScan(market, candidates[0].config)
    with Journal.open(ground.journal, clock=ground.clock) as journal:
        return tuple(try_one(each, market, shared, journal) for each in candidates)


class SharedScan:
    """A market's scan and tape, made when they are first asked for."""

    def __init__(self, market: Market, config: StrategyConfig) -> None:
        self._market = market
        self._config = config
        self._result: ScanResult | None = None
        self._tape: HedgeTape | None = None
        self.seconds = 0.0
        """Processor time that it took and that nobody has counted yet."""

    def result(self) -> ScanResult:
        """Return the scan."""
        if self._result is None:
            begun = time.process_time()
            self._result = study_of(self._config).scan(self._market, self._config)
            self.seconds += time.process_time() - begun
        return self._result

    def tape(self) -> HedgeTape:
        """Return the hedge instrument's tape."""
        if self._tape is None:
            self._tape = study_of(self._config).hedge_tape(self._market)
        return self._tape


def try_one(candidate: Candidate, market: Market, scan: SharedScan, journal: Journal) -> Tried:
    """Return what a configuration traded on a market, by the journal if it holds the run.

    Parameters
    ----------
    candidate : Candidate
    market : Market
        As this configuration names it, or another one that a scan reads alike.
    scan : SharedScan
        Of that market.
    journal : Journal
    """
    begun = time.process_time()
    config = candidate.config
    text = trial_document(market, config)
    run = run_of(market, config, text)
    record_trial(journal, run, text, market)
    known = journal.begin_run(run)
    if known:
        trades = journal.table("trades", run.run_id)
    else:
        trades = backtest(market, config, journal, scan=scan.result(), tape=scan.tape()).trades
    scanned, scan.seconds = scan.seconds, 0.0
    return Tried(
        candidate=candidate,
        config_hash=run.config_hash,
        run_id=run.run_id,
        scan=scan_id(config),
        sessions=session_dates(market, config, trades["session"]),
        trades=trades.select(TRADE_COLUMNS).sort("entry_ns", "trade_id"),
        known=known,
        scan_seconds=scanned,
        replay_seconds=time.process_time() - begun - scanned,
    )
