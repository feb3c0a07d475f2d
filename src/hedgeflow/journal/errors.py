"""What the journal refuses."""

from __future__ import annotations

from hedgeflow.market.errors import HedgeflowError


class JournalError(HedgeflowError):
    """A database is no journal, a row does not fit it, or a run contradicts its own record."""

    exit_code = 7


class VaultError(HedgeflowError):
    """A hold-out period would be opened again, looked into unopened, or declared over another."""
