"""What every test of a command may ask for."""

from __future__ import annotations

import pytest


@pytest.fixture
def refused(run):
    """Return a function that runs a command which must fail in one clear line."""

    def run_refused(*arguments: object) -> tuple[int, str]:
        done = run(*arguments)
        assert done.stderr.startswith("hedgeflow: ")
        assert len(done.stderr.strip().splitlines()) == 1
        return done.returncode, done.stderr

    return run_refused
