"""Work for processes of their own, which must find it in a module."""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import dataclass
from pathlib import Path

from hedgeflow.market.errors import CatalogError


@dataclass(frozen=True)
class Job:
    """What a process is to do in a folder: see `deeds`."""

    folder: Path
    deed: str


def work(job: Job, progress) -> None:
    """Do it, and leave no half-written file behind."""
    half = job.folder / f"{job.deed}.half"
    try:
        half.touch()
        progress("working", 0, 1)
        deeds[job.deed](job)
        half.rename(job.folder / f"{job.deed}.done")
        progress("working", 1, 1)
    finally:
        half.unlink(missing_ok=True)


def tell(job: Job) -> None:
    """Write down the process."""
    (job.folder / "process").write_text(str(os.getpid()))


def wait(job: Job) -> None:
    """Wait until someone stops it."""
    time.sleep(60.0)


def swallow(job: Job) -> None:
    """Wait in a callback of compiled code, which drops what stops it, then go on waiting."""
    ctypes.CFUNCTYPE(None)(lambda: time.sleep(60.0))()
    time.sleep(60.0)


def refuse(job: Job) -> None:
    """Refuse once the others are at work."""
    while len(list(job.folder.glob("*.half"))) < 2:  # its own, and another's
        time.sleep(0.01)
    time.sleep(0.2)  # until the other has begun to wait
    raise CatalogError("holds nothing", where=job.folder.name, hint="Fill it")


def die(job: Job) -> None:
    """End without a word."""
    os._exit(7)


deeds = {deed.__name__: deed for deed in (tell, wait, swallow, refuse, die)}
