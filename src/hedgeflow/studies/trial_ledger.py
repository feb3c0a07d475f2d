"""What was tried on a tape: which configurations, when, on which part, and what each earned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from hedgeflow.journal import DataSet
from hedgeflow.market.tapes import TapeKind
from hedgeflow.studies.strategies import study_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hedgeflow.evidence.estimates import FloatArray
    from hedgeflow.journal import Journal
    from hedgeflow.market.tapes import TapeKey
    from hedgeflow.studies.markets import Market

_NO_SPREAD: Final = 1e-12
"""A deviation below this share of the largest value is rounding, not variation."""
CHOSEN: Final = ("hedge_instrument", "hedge_venue")
"""Settings that a market fills in where the configuration leaves them open."""
_DATA_ALONE: Final = ("hedge_data", "volatility_index")
"""Parts of a trial's document that change when a day is imported, though nobody chose anything."""


@dataclass(frozen=True, slots=True)
class TriedConfiguration:
    """One configuration that was evaluated on a data set.

    Attributes
    ----------
    data_hash, config_hash, code_version, strategy : str
    document : mapping
        What was tried, as `backtesting.trial_document` wrote it.
    recorded_ns : int or None
        UTC ns; None where the caller gave no instant.
    first_ns, last_ns : int or None
        UTC ns, first and last print of its data set; None where the journal does not say.
    """

    data_hash: str
    config_hash: str
    code_version: str
    strategy: str
    document: Mapping[str, Any]
    recorded_ns: int | None
    first_ns: int | None
    last_ns: int | None

    @property
    def settings(self) -> Mapping[str, Any]:
        """Every setting, with the hedge instrument that was chosen."""
        return self.document.get("settings", {})

    @property
    def period(self) -> tuple[int | None, int | None]:
        """The part of the data that was traded, UTC ns; None: from or to their end."""
        begin, end = self.document.get("period", (None, None))
        return begin, end

    @property
    def identity(self) -> str:
        """What was chosen: all of the document that does not change with the data alone."""
        chosen = {name: part for name, part in self.document.items() if name not in _DATA_ALONE}
        return json.dumps([self.strategy, chosen], sort_keys=True)

    def saw(self, from_ns: int, until_ns: int | None) -> bool:
        """Say whether it could see a print of a period; True where the journal cannot tell."""
        end = self.period[1]
        if self.first_ns is None or self.last_ns is None:
            return end is None or end > from_ns
        last_ns = self.last_ns if end is None else min(self.last_ns, end - 1)
        return last_ns >= from_ns and (until_ns is None or self.first_ns < until_ns)


def data_key(options: TapeKey) -> str:
    """Return the name of a venue's options on an underlying, the same however their tape grows.

    Trades and snapshots of the chain have one name: whoever tried on the one has seen the other,
    and a vault on either holds for both.
    """
    return f"{TapeKind.OPTION_TRADES} {options.venue} {options.underlying}"


def data_set_of(market: Market) -> DataSet:
    """Return what the hash of a market's data set stands for, of a part that of the whole."""
    tape = market.option_tape
    last_ns = tape.last_ns if tape.recorded_last_ns is None else tape.recorded_last_ns
    return DataSet(market.option_hash, data_key(tape.key), tape.first_ns, last_ns)


def trials_of_tape(journal: Journal, market: Market) -> list[TriedConfiguration]:
    """Return every trial on a market's option tape, however long it was then, the oldest first."""
    return trials_on(journal, data_key(market.options), market.option_hash)


def trials_on(journal: Journal, key: str, data_hash: str | None = None) -> list[TriedConfiguration]:
    """Return every trial on an option tape, by its key and, if given, its present hash.

    Trials of journals before schema version 3 are known by the present hash alone.
    """
    sets = {row["data_hash"]: row for row in journal.table("data_sets").iter_rows(named=True)}
    own: set[str] = {name for name, row in sets.items() if row["data_key"] == key}
    own |= set() if data_hash is None else {data_hash}
    found = [
        TriedConfiguration(
            data_hash=row["data_hash"],
            config_hash=row["config_hash"],
            code_version=row["code_version"],
            strategy=row["strategy"],
            document=json.loads(row["config_json"]),
            recorded_ns=row["recorded_ns"],
            first_ns=sets.get(row["data_hash"], {}).get("first_ns"),
            last_ns=sets.get(row["data_hash"], {}).get("last_ns"),
        )
        for row in journal.trials().iter_rows(named=True)
        if row["data_hash"] in own
    ]
    return sorted(found, key=lambda each: (each.recorded_ns or 0, each.config_hash))


def configurations(trials: Iterable[TriedConfiguration]) -> int:
    """Return how many different configurations there are among trials.

    The same settings on a tape that has grown by a day are no other configuration; on another
    part of it, or with another hedge instrument or calendar, they are.
    """
    return len({trial.identity for trial in trials})


def trial_sharpes(
    journal: Journal,
    market: Market,
    sessions: Sequence[str],
    trials: Iterable[TriedConfiguration],
) -> tuple[float, ...]:
    """Return the net Sharpe ratio per session of each configuration tried on these data.

    Of each configuration whose run the journal holds complete on the same data set and the same
    part of it: mean over standard deviation of its daily net profit, not annualised, over the
    sessions given, those without a trade being zero. All ratios are therefore of the same days:
    what a run with another hedge instrument earned in other sessions is left out. Runs on other
    parts of the data are of other days and left out, and so are those that never traded, which
    have no ratio. Of several code versions the last one tried counts.

    Parameters
    ----------
    journal : Journal
    market : Market
    sessions : sequence of str
        ISO dates of the tested sessions.
    trials : iterable of TriedConfiguration
        As `trials_of_tape`, the oldest first.
    """
    part = (market.from_ns, market.until_ns)
    latest = {
        trial.config_hash: trial.code_version
        for trial in trials
        if trial.data_hash == market.option_hash and trial.period == part
    }
    place = {session: number for number, session in enumerate(sessions)}
    daily: dict[str, FloatArray] = {}
    for row in journal.daily_net(market.option_hash).iter_rows(named=True):
        if latest.get(row["config_hash"]) != row["code_version"]:
            continue
        earned = daily.setdefault(row["run_id"], np.zeros(len(sessions)))
        if row["session"] in place:
            earned[place[row["session"]]] = row["net_usd"]
    ratios = [session_sharpe(daily[run_id]) for run_id in sorted(daily)]
    return tuple(ratio for ratio in ratios if ratio is not None)


def session_sharpe(daily: FloatArray) -> float | None:
    """Return mean over standard deviation of daily results, None where they do not vary."""
    if daily.size < 2:
        return None
    deviation = float(daily.std(ddof=1))
    if deviation <= _NO_SPREAD * float(np.abs(daily).max()):
        return None
    return float(daily.mean()) / deviation


def differences(strategy: str, settings: Mapping[str, Any], *, filled: bool = False) -> list[str]:
    """Return in words what settings differ in from their preset, as in ``anomaly.ratio 5 (3)``.

    Parameters
    ----------
    strategy : str
    settings : mapping
    filled : bool
        Whether a market filled in the hedge instrument, which is then no difference.
    """
    preset = settings.get("preset", "normalized")
    ground = study_named(strategy).of_preset(preset)
    before, now = _flat(ground.model_dump(mode="json")), _flat(settings)
    return [
        f"{name} {_word(value)} ({_word(before.get(name))})"
        for name, value in now.items()
        if before.get(name) != value and not (filled and name in CHOSEN)
    ]


def _flat(document: Mapping[str, Any], under: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            flat |= _flat(cast("dict[str, Any]", value), f"{under}{name}.")
        else:
            flat[f"{under}{name}"] = value
    return flat


def _word(value: object) -> str:
    return "none" if value is None else json.dumps(value) if isinstance(value, list) else str(value)
