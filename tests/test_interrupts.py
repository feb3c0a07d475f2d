"""A signal whose exception compiled code swallows is raised again, and other losses are told."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

import pytest

from hedgeflow.interrupts import raised_again_when_lost

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a POSIX signal here")


def in_a_callback(deed):
    """Call a function as compiled code does: what it raises goes nowhere."""
    ctypes.CFUNCTYPE(None)(deed)()


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1.0)  # where the handler's exception falls


@pytest.mark.parametrize(
    "deeds",
    [[press_ctrl_c], [press_ctrl_c] * 3, [press_ctrl_c, lambda: time.sleep(1.0)]],
    ids=["once", "pressed thrice", "lost again"],
)
def test_ctrl_c_in_a_callback_ends_the_wait_that_follows(capsys, deeds):
    passed = []

    def work():
        for deed in deeds:
            in_a_callback(deed)
            passed.append(deed)
        time.sleep(30.0)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), raised_again_when_lost(KeyboardInterrupt, signal.SIGINT):
        work()
    assert passed == deeds
    assert time.monotonic() - begun < 20.0
    time.sleep(0.5)  # nothing more comes
    assert capsys.readouterr().err == ""


def test_another_exception_that_is_dropped_is_told_as_before_and_sends_nothing():
    told = []
    before = sys.unraisablehook
    sys.unraisablehook = told.append
    try:
        with raised_again_when_lost(KeyboardInterrupt, signal.SIGINT):
            in_a_callback(lambda: 1 // 0)
            time.sleep(0.5)
        assert sys.unraisablehook == told.append
    finally:
        sys.unraisablehook = before
    assert [lost.exc_type for lost in told] == [ZeroDivisionError]
