"""The trial ledger as a list: each configuration tried on a tape with what it earned."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hedgeflow.evidence.wording import counted
from hedgeflow.market.sessions import calendar_of_venue, session_date, sessions_between
from hedgeflow.market.time import iso
from hedgeflow.studies.markets import option_data_hash, option_tape_key
from hedgeflow.studies.trial_ledger import (
    CHOSEN,
    configurations,
    data_key,
    differences,
    session_sharpe,
    trials_on,
)

if TYPE_CHECKING:
    import polars as pl

    from hedgeflow.evidence.estimates import FloatArray
    from hedgeflow.journal import Journal
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.sessions import Sessions
    from hedgeflow.studies.trial_ledger import TriedConfiguration


@dataclass(frozen=True, slots=True)
class ListedTrial:
    """One configuration on one state of the tape, by the code that tried it last.

    Attributes
    ----------
    config_hash, data_hash, code_version, strategy, preset : str
    recorded_ns : int or None
        UTC ns, when it was first tried; None where no instant was given.
    data_until_ns : int or None
        UTC ns, the last print of the data then; None where the journal does not say.
    period : tuple of int or None
        The part that was traded, UTC ns.
    hedge : str
        The hedge instrument and its venue.
    differences : tuple of str
        From its preset, in words.
    complete : bool
        The journal holds its run whole.
    trades : int or None
    net_usd : float or None
    sharpe : float or None
        Annualised, of daily net profit from the first session with an option print to the last in
        its period, those without a trade being zero; None where it never traded or did not vary.
    """

    config_hash: str
    data_hash: str
    code_version: str
    strategy: str
    preset: str
    recorded_ns: int | None
    data_until_ns: int | None
    period: tuple[int | None, int | None]
    hedge: str
    differences: tuple[str, ...]
    complete: bool
    trades: int | None
    net_usd: float | None
    sharpe: float | None

    @property
    def period_words(self) -> str:
        """The part that was traded, in words."""
        begin, end = self.period
        if begin is None and end is None:
            return "all of it"
        since = "" if begin is None else f"from {iso(begin)} "
        return f"{since}on" if end is None else f"{since}until {iso(end)}"

    def document(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TrialList:
    """Everything that was tried on a tape.

    Attributes
    ----------
    underlying : str
    configurations : int
        Different ones, over the whole life of the tape.
    trials : tuple of ListedTrial
        The oldest first.
    simulated : bool
    """

    underlying: str
    configurations: int
    trials: tuple[ListedTrial, ...]
    simulated: bool

    @property
    def sentence(self) -> str:
        """What the list comes to."""
        if not self.trials:
            return f"nothing was tried on the options of {self.underlying}"
        traded = sum(each.complete for each in self.trials)
        return (
            f"{counted(self.configurations, 'configuration')} tried on the options of"
            f" {self.underlying}: so many the deflated Sharpe ratio counts. {traded:,} of"
            f" {counted(len(self.trials), 'trial')} ran to the end"
        )


def listed_trials(catalog: Catalog, underlying: str, journal: Journal) -> TrialList:
    """Return every configuration that was tried on an underlying's option tape.

    Nothing of the tapes is read: what the journal holds was seen when it was tried.

    Parameters
    ----------
    catalog : Catalog
    underlying : str
    journal : Journal

    Raises
    ------
    CatalogError
        The catalog has no option tape of the underlying, or several.
    """
    options = option_tape_key(catalog, underlying)
    tried = trials_on(journal, data_key(options), option_data_hash(catalog, underlying))
    latest = {(trial.data_hash, trial.config_hash): trial for trial in tried}
    first: dict[tuple[str, str], int | None] = {}
    for trial in tried:
        first.setdefault((trial.data_hash, trial.config_hash), trial.recorded_ns)
    earned = {
        name: journal.daily_net(name).partition_by("config_hash", "code_version", as_dict=True)
        for name in {trial.data_hash for trial in tried}
    }
    made = [
        each
        for each in catalog.imports()
        if each.key.underlying == underlying and each.key.venue == options.venue
    ]
    rows: list[ListedTrial] = []
    for key, trial in latest.items():
        run = earned[trial.data_hash].get((trial.config_hash, trial.code_version))
        sessions = _sessions(options.venue, trial)
        rows.append(
            ListedTrial(
                config_hash=trial.config_hash,
                data_hash=trial.data_hash,
                code_version=trial.code_version,
                strategy=trial.strategy,
                preset=str(trial.settings.get("preset", "")),
                recorded_ns=first[key],
                data_until_ns=trial.last_ns,
                period=trial.period,
                hedge=" on ".join(str(trial.settings.get(name, "")) for name in CHOSEN),
                differences=tuple(differences(trial.strategy, trial.settings, filled=True)),
                complete=run is not None,
                trades=None if run is None else int(run["trades"].sum()),
                net_usd=None if run is None else float(run["net_usd"].sum()),
                sharpe=None if run is None or sessions is None else _sharpe(sessions, trial, run),
            )
        )
    rows.sort(key=lambda each: (each.recorded_ns or 0, each.config_hash))
    return TrialList(
        underlying, configurations(tried), tuple(rows), any(each.simulated for each in made)
    )


def _sessions(venue: str, trial: TriedConfiguration) -> Sessions | None:
    """Return the sessions that a trial's data span, None where the journal does not say."""
    if trial.first_ns is None or trial.last_ns is None:
        return None
    calendar = trial.settings.get("calendar") or calendar_of_venue(venue)
    return sessions_between(calendar, trial.first_ns, trial.last_ns)


def _sharpe(sessions: Sessions, trial: TriedConfiguration, run: pl.DataFrame) -> float | None:
    """Return the annualised Sharpe ratio of what a run earned in the sessions of its period."""
    nets = dict(zip(run["session"], run["net_usd"], strict=True))
    begin, end = trial.period
    inside = [
        session_date(sessions, int(opens))
        for opens, closes in zip(sessions.open_ns, sessions.close_ns, strict=True)
        if (begin is None or closes > begin) and (end is None or opens < end)
    ]
    daily: FloatArray = np.array([nets.get(date, 0.0) for date in inside], dtype=np.float64)
    ratio = session_sharpe(daily)
    return None if ratio is None else ratio * math.sqrt(float(sessions.per_year))
