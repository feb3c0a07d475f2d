"""Jobs in processes of their own, side by side: one that fails, or Ctrl-C, stops them all."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from hedgeflow.interrupts import raised_again_when_lost
from hedgeflow.market.errors import HedgeflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from multiprocessing.context import SpawnProcess

    End = Any
    """Of a pipe: a class of its own on each system."""

    Stages = Callable[[str, int, int], object]
    """Called with what is being done, how much of it is done, and how much there is."""

Job = TypeVar("Job")

PATIENCE_SECONDS: Final = 10.0
"""For a process to clear up after itself before it is killed."""


def run_side_by_side(
    work: Callable[[Job, Stages], None],
    jobs: Mapping[str, Job],
    progress: Callable[[str, str, int, int], object],
) -> None:
    """Do a piece of work for each job, each in a process of its own; a single one in this process.

    Parameters
    ----------
    work : callable
        A function of a module, called with a job and with a callable for its progress: what is
        being done, how much of it is done, how much there is. An exception passes through it where
        it is stopped, and it must then clear up what it has half written.
    jobs : mapping
        By name; they are sent to the processes.
    progress : callable
        Called with a job's name and its progress.

    Raises
    ------
    HedgeflowError, OSError
        What the first process to fail was refused, naming its job; the others are stopped.
    """
    if len(jobs) == 1:
        [(name, job)] = jobs.items()
        work(job, lambda stage, done, total: progress(name, stage, done, total))
        return
    running: dict[End, SpawnProcess] = {}
    try:
        _start(work, jobs, running)
        while running:
            for end in wait(list(running)):
                _hear(end, running, progress)
    finally:
        _stop(running.values())


def _start(
    work: Callable[[Job, Stages], None],
    jobs: Mapping[str, Job],
    running: dict[End, SpawnProcess],
) -> None:
    context = multiprocessing.get_context("spawn")  # polars' threads do not survive a fork
    with _interrupts_ignored():
        for name, job in jobs.items():
            own, others = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(work, job, others), name=name, daemon=True)
            process.start()
            others.close()
            running[own] = process


@contextmanager
def _interrupts_ignored() -> Generator[None]:
    """Start processes that Ctrl-C does not reach: a terminal sends it to all, only one may act."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(
    work: Callable[[Job, Stages], None],
    job: Job,
    end: End,
) -> None:
    signal.signal(signal.SIGTERM, _leave)
    with raised_again_when_lost(_Leaving, signal.SIGTERM):
        try:
            work(job, lambda stage, done, total: end.send((stage, done, total)))
        except (HedgeflowError, OSError) as refusal:
            with suppress(BrokenPipeError):  # nobody is left to hear it
                end.send(refusal)


class _Leaving(SystemExit):
    """Raised wherever a process is when it is asked to leave."""


def _leave(_number: int, _frame: object) -> NoReturn:
    raise _Leaving


def _hear(
    end: End,
    running: dict[End, SpawnProcess],
    progress: Callable[[str, str, int, int], object],
) -> None:
    process = running[end]
    try:
        message = end.recv()
    except EOFError:
        process.join()
        del running[end]
        if process.exitcode:
            raise HedgeflowError(
                f"its process ended with code {process.exitcode}",
                where=process.name,
                hint="What it said last stands above",
            ) from None
        return
    if isinstance(message, HedgeflowError):
        where = f"{process.name}: {message.where}" if message.where else process.name
        raise type(message)(message.what, where=where, hint=message.hint)
    if isinstance(message, OSError):
        raise message
    progress(process.name, *message)


def _stop(processes: Iterable[SpawnProcess]) -> None:
    """Ask processes to leave, wait until they have cleared up, kill those that do not."""
    left = list(processes)
    for process in left:
        process.terminate()
    for process in left:
        process.join(PATIENCE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
