"""A ladder as plain data: what `hedgeflow ladder --json` prints, and what a dashboard draws."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hedgeflow.market.time import iso, moment_of
from hedgeflow.signals.gamma_profile import MOVE

if TYPE_CHECKING:
    from hedgeflow.signals.gamma_profile import GammaProfile
    from hedgeflow.studies.expiration.ladder import Ladder


def ladder_document(ladder: Ladder, strikes: int | None = None) -> dict[str, Any]:
    """Return a ladder as dicts, lists, texts and finite numbers; what is not known is None.

    Parameters
    ----------
    ladder : Ladder
    strikes : int, optional
        So many rungs on each side of the price; default: all. Totals are of all in any case.

    Returns
    -------
    dict
        Names and units are those of `Ladder` and `RUNG`; instants are ISO 8601, UTC, under the
        same name without ``_ns``, those that people read also in the exchange's own time. A
        rung's `settled` is since when its official counts stand, unchanged. Of
        `profile`: net gamma and levels as in `GammaProfile`, `flow_up` and `flow_down` over a
        move of `move`, and the curve.
    """
    rungs = ladder.rungs if strikes is None else ladder.around(strikes)
    return {
        "underlying": ladder.underlying,
        "venue": ladder.venue,
        "simulated": ladder.simulated,
        "at": iso(ladder.at_ns),
        "at_local": _local(ladder.at_ns, ladder.zone),
        "expiry": iso(ladder.expiry_ns),
        "expiry_local": _local(ladder.expiry_ns, ladder.zone),
        "zone": ladder.zone,
        "settlement": ladder.settlement.value,
        "features": asdict(ladder.features) | {"words": ladder.features.words},
        "phase": ladder.phase.name,
        "seconds_left": ladder.seconds_left,
        "minutes_left": ladder.minutes_left,
        "price": ladder.price,
        "price_at": iso(ladder.price_ns),
        "sigma": ladder.sigma,
        "sigma_source": ladder.sigma_source,
        "expected_move": ladder.expected_move,
        "point": ladder.point,
        "preset": ladder.preset,
        "model": ladder.model,
        "pressure_is": ladder.pressure_is,
        "threshold": ladder.threshold,
        "no_alert": ladder.no_alert,
        "evaluated": None if ladder.evaluated_ns is None else iso(ladder.evaluated_ns),
        "profile": None if ladder.profile is None else _profile(ladder.profile),
        "strikes_listed": ladder.rungs.height,
        "rungs": [_timed(row, "settled") for row in rungs.iter_rows(named=True)],
        "notices": [_timed(row, "at") for row in ladder.notices.iter_rows(named=True)],
        "notes": list(ladder.notes),
    }


def _profile(profile: GammaProfile) -> dict[str, Any]:
    return {
        "net_gamma": profile.total,
        "flip": profile.flip,
        "call_wall": profile.call_wall,
        "put_wall": profile.put_wall,
        "move": MOVE,
        "flow_up": profile.flow_up,
        "flow_down": profile.flow_down,
        "curve": {"price": profile.prices.tolist(), "net_gamma": profile.net_gamma.tolist()},
    }


def _timed(row: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a row with an instant in words in the place of its nanoseconds."""
    at_ns = row.pop(f"{name}_ns")
    return row | {name: None if at_ns is None else iso(at_ns)}


def _local(instant: int, zone: str) -> str:
    return moment_of(instant).astimezone(ZoneInfo(zone)).isoformat()
