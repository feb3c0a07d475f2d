"""Ctrl-C, or being asked to leave, is never lost: what compiled code swallows is raised again.

An exception of a signal's handler goes into whatever Python code runs at that moment. Where that is
a callback of compiled code, or a destructor, Python prints it and drops it, and the program would
work on as if nobody had asked it to stop.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

AGAIN_SECONDS: Final = 0.1
"""Until it is raised anew: by then the callback has most often returned; if not, again."""


@contextmanager
def raised_again_when_lost(kind: type[BaseException], number: int) -> Generator[None]:
    """While this lasts, send a signal once more wherever its handler's exception was dropped.

    Parameters
    ----------
    kind : type
        Of the exception that the signal's handler raises, or a base of it.
    number : int
        Of the signal.
    """
    before = sys.unraisablehook
    again = threading.Timer(AGAIN_SECONDS, _send, [number])

    def hear(lost: sys.UnraisableHookArgs) -> None:
        nonlocal again
        if not issubclass(lost.exc_type, kind):
            before(lost)
            return
        again.cancel()  # one is enough: a second would disturb the clearing up
        again = threading.Timer(AGAIN_SECONDS, _send, [number])
        again.daemon = True
        again.start()

    sys.unraisablehook = hear
    try:
        yield
    finally:
        sys.unraisablehook = before
        again.cancel()


def _send(number: int) -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)  # to it alone: a wait in it ends at once
    else:
        signal.raise_signal(number)
