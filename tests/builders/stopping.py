"""What stops a download in a test: at a moment of its choice, as Ctrl-C does."""

from __future__ import annotations

from hedgeflow.market import Catalog


class Stop(BaseException):
    """What stops a download in a test, as Ctrl-C does."""


class StoppingCatalog(Catalog):
    """A catalog whose writer is stopped right after some commit."""

    left = 0

    def commit(self, new, progress=None):
        made = super().commit(new, progress)
        self.left -= 1
        if self.left == 0:
            raise Stop
        return made
