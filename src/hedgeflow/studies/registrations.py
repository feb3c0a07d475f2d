"""Hypotheses written down before they are run, and whether they were (evidence.md 3)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hedgeflow.evidence.manifest import Registration
from hedgeflow.journal import RegisteredHypothesis
from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import iso
from hedgeflow.studies.trial_ledger import CHOSEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hedgeflow.journal import Journal
    from hedgeflow.strategies.claims import Declaration
    from hedgeflow.strategies.settings import StrategyConfig
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.trial_ledger import TriedConfiguration


def settings_json(config: StrategyConfig) -> str:
    """Return every setting as canonical JSON, without anything that only data decide."""
    return json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def settings_hash(config: StrategyConfig) -> str:
    """Return the SHA-256 of `settings_json`: the configuration's name before there are data."""
    return hashlib.sha256(settings_json(config).encode()).hexdigest()


def hypothesis(
    statement: str,
    config: StrategyConfig,
    declaration: Declaration,
    *,
    underlying: str | None,
    recorded_ns: int,
) -> RegisteredHypothesis:
    """Return a hypothesis as it is registered.

    Parameters
    ----------
    statement : str
        In words; surrounding blanks do not count.
    config : StrategyConfig
        The settings that it will be run with.
    declaration : Declaration
        Whose claims and gates it will be judged by.
    underlying : str or None
        What it is about; None: whatever it is run on.
    recorded_ns : int
        UTC ns by the caller's clock.

    Raises
    ------
    ConfigError
        The statement says nothing.
    """
    words = statement.strip()
    if not words:
        raise ConfigError(
            "the statement is empty", where="STATEMENT", hint="Say in words what you expect"
        )
    thresholds = {
        "null_hypothesis": declaration.null_hypothesis,
        "gates": [asdict(gate) for gate in declaration.gates],
        "claims": [asdict(claim) for claim in declaration.claims],
    }
    return RegisteredHypothesis(
        strategy=declaration.strategy,
        underlying=underlying,
        statement=words,
        config_hash=settings_hash(config),
        config_json=settings_json(config),
        thresholds_json=json.dumps(thresholds, sort_keys=True, separators=(",", ":")),
        recorded_ns=recorded_ns,
    )


def registration_of(
    journal: Journal,
    market: Market,
    config: StrategyConfig,
    strategy: str,
    trials: Iterable[TriedConfiguration],
) -> Registration | None:
    """Return the first registered hypothesis that a run fits, None where there is none.

    It fits if strategy, settings and underlying are the same, whatever the data are. It came
    before the run if it came before the first trial of these settings on this tape, however long
    the tape was then; of a trial without an instant it is not known, and so not said.

    Parameters
    ----------
    journal : Journal
    market : Market
    config : StrategyConfig
    strategy : str
    trials : iterable of TriedConfiguration
        As `trials_of_tape`.
    """
    wanted = settings_hash(config)
    fitting = [
        each
        for each in journal.registrations()
        if (each.strategy, each.config_hash) == (strategy, wanted)
        and each.underlying in {None, market.underlying}
    ]
    if not fitting:
        return None
    first = fitting[0]
    tried = [
        trial.recorded_ns
        for trial in trials
        if trial.strategy == strategy and _same(trial.settings, config)
    ]
    return Registration(
        id=first.registration_id,
        statement=first.statement,
        registered=iso(first.recorded_ns),
        before_run=all(at is not None and first.recorded_ns < at for at in tried),
    )


def _same(tried: Mapping[str, Any], config: StrategyConfig) -> bool:
    """Say whether a trial had these settings, an instrument left open standing for any."""
    asked: dict[str, Any] = json.loads(settings_json(config))
    open_ones = {name for name in CHOSEN if asked.get(name) is None}
    return all(tried.get(name) == value for name, value in asked.items() if name not in open_ones)
