"""The program as users run it: in this process, in one of its own, or on a disk that is full."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from hedgeflow.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = [sys.executable, "-c", "from hedgeflow.cli import main; main()"]

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from hedgeflow.cli import main
main(sys.argv[2:])
"""
"""Takes the bytes that a file may have, then a command's words."""


class Done(NamedTuple):
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def runner(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Return a function that runs a command in this process, as the program would."""

    def run(*words: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return run
