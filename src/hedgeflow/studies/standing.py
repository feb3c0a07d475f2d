"""What the journal says of a run besides its rows: trials, registration, vault (evidence.md 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hedgeflow.studies.registrations import registration_of
from hedgeflow.studies.trial_ledger import configurations, trial_sharpes, trials_of_tape
from hedgeflow.studies.vaults import vault_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.evidence import Manifest
    from hedgeflow.journal import Journal
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market


def with_standing(
    manifest: Manifest,
    journal: Journal,
    market: Market,
    config: StrategyConfig,
    sessions: Sequence[str],
) -> Manifest:
    """Return a run's manifest with what stands in the journal about it.

    Configurations are counted over the whole life of the option tape: a tape that has grown by a
    day has another hash, but whoever tried on it before has tried.

    Parameters
    ----------
    manifest : Manifest
    journal : Journal
    market : Market
    config : StrategyConfig
    sessions : sequence of str
        The tested sessions, ISO dates.
    """
    tried = trials_of_tape(journal, market)
    return replace(
        manifest,
        trials=max(manifest.trials, configurations(tried)),
        trial_sharpes=trial_sharpes(journal, market, sessions, tried),
        registration=registration_of(journal, market, config, manifest.strategy, tried),
        vault=vault_of(journal, market, tried),
    )
