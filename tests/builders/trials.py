"""Trials of the judge, which processes must find in a module."""

from __future__ import annotations

import multiprocessing

from hedgeflow.studies.judge import Trial


class ChangingTrial(Trial):
    """A trial that has another key here than in a process: as if code were changed between."""

    @property
    def key(self) -> str:
        """The key in a process of its own, and another one here."""
        return super().key if multiprocessing.parent_process() else "0" * 16
