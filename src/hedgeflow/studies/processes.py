"""Many small tasks in parallel processes: each result as it comes, and none is left at work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from hedgeflow.market.errors import HedgeflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

Task = TypeVar("Task")
Result = TypeVar("Result")

ONE_THREAD: Final = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
"""Variables that tell libraries how many threads to use."""


def results_of(
    work: Callable[[Task], Result], tasks: Sequence[Task], *, workers: int, what: str
) -> Generator[Result, None, None]:
    """Yield the results of tasks as they finish; when the reader stops, no process is left at work.

    Parameters
    ----------
    work : callable
        A function of a module, or a partial of one, called with a task.
    tasks : sequence
        They are sent to the processes in their order.
    workers : int
        Processes, of one thread each.
    what : str
        What a task is, as in "a trial", for the error.

    Raises
    ------
    HedgeflowError
        A process was ended from outside; or what `work` raised.
    """
    if not tasks:
        return
    others = set(multiprocessing.active_children())
    with _single_threaded():
        pool = ProcessPoolExecutor(
            min(workers, len(tasks)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
        )
        try:
            yield from _gathered(pool, work, list(tasks), workers)
        except BrokenProcessPool as cause:
            raise HedgeflowError(
                f"a process with {what} was ended from outside",
                hint="What finished before is kept: run it again, and on fewer processes if"
                " memory was short",
            ) from cause
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - others:
                child.kill()


def _gathered(
    pool: ProcessPoolExecutor,
    work: Callable[[Task], Result],
    waiting: list[Task],
    workers: int,
) -> Generator[Result, None, None]:
    waiting.reverse()
    at_work: set[Future[Result]] = set()
    while waiting or at_work:
        while waiting and len(at_work) < 2 * workers:  # one more each, so that none is ever idle
            with _interrupts_wait():
                at_work.add(pool.submit(work, waiting.pop()))
        ended, at_work = wait(at_work, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in ended)


@contextmanager
def _single_threaded() -> Generator[None, None, None]:
    """Let processes that are started meanwhile use one thread each; libraries read it at import."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _interrupts_wait() -> Generator[None, None, None]:
    """Hold Ctrl-C back: a process that is started meanwhile inherits that and never hears of it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and leave with it, even when it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
