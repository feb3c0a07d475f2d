"""Everything behind an alert at a strike: open interest by its sources, probabilities, pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hedgeflow.market.errors import HedgeflowError
from hedgeflow.market.time import iso
from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.settlement_events import EventKind
from hedgeflow.signals.settlement_rules import SignalClass, Urgency
from hedgeflow.signals.settlement_timetable import time_factors
from hedgeflow.strategies.expiration_pressure.plan import NoPlan, side_of
from hedgeflow.studies.expiration.feed import feed_of, session_minutes
from hedgeflow.studies.expiration.scanning import BASES, expiry_scan
from hedgeflow.studies.explaining import StrikeExplanation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.expiration.feed import Feed
    from hedgeflow.studies.explaining import AlertCase

MODELS: Final = ("source", "lognormal", "empirical")
NEXT: Final = "Run the scan again, then explain one of its alerts"


def explained_strike(case: AlertCase) -> StrikeExplanation:
    """Return what an alert at a strike rests on, folded anew from the tapes.

    Look-ahead: nothing that became known after the alert was detected has a part in it.

    Raises
    ------
    HedgeflowError
        The tapes do not give the alert: other code made it.
    """
    config: ExpirationPressureConfig = case.config
    market, alert = case.market, case.alert
    feed = feed_of(market, config)
    at = int(alert["detected_ns"])
    stop = int(np.searchsorted(feed.events["known_ns"], at, side="right"))
    scan = expiry_scan(market, config, feed)
    conditions = scan.advance(feed.events[:stop]).conditions
    mine = conditions[
        (conditions["at_ns"] == at) & (conditions["alert_number"] == alert["event_id"])
    ]
    if mine.size != 1 or not np.isclose(mine["pressure"][0], alert["pressure"], rtol=1e-9):
        raise HedgeflowError(
            f"alert {alert['alert_id']} does not come out of the tapes again",
            where=str(case.catalog.path),
            hint=NEXT,
        )
    row: dict[str, Any] = {name: _known(mine[name][0].item()) for name in mine.dtype.names or ()}
    ladder = scan.ladder(at)
    rung = ladder[ladder["strike"] == row["strike"]][0]
    factor = time_factors(scan.rules, feed.chain, session_minutes(market, feed.chain))
    expiry = int(np.searchsorted(feed.chain.expiry_ns, int(row["expiry_ns"])))
    side = side_of(dict(zip(mine.dtype.names or (), mine[0].item(), strict=True)), config)
    condition = row | {
        "urgency": Urgency(row["urgency"]).name,
        "signal_class": SignalClass(row["signal_class"]).name,
        "gamma_basis": GammaConvention(row["gamma_basis"]).name,
        "pressure_minutes": row["minutes_left"] * float(factor[expiry]),
        "sigma_source": alert["sigma_source"],
    }
    return StrikeExplanation(
        alert=alert,
        contracts=_contracts(feed, feed.events[:stop], expiry, row["strike"]),
        condition=condition,
        model=scan.rules.probability,
        probabilities={name: _known(float(rung[name])) for name in MODELS},
        basis=BASES[GammaConvention(row["gamma_basis"])],
        side=side.sentence if isinstance(side, NoPlan) else _side_words(side, config),
        notes=tuple(_notes(feed, config)),
        simulated=case.simulated,
    )


def _contracts(feed: Feed, known: NDArray[Any], expiry: int, strike: float) -> list[dict[str, Any]]:
    """Return what the tapes told of each contract of a strike, in its own contracts."""
    chain = feed.chain
    first, last = chain.first_strike[expiry : expiry + 2].tolist()
    place = first + int(np.flatnonzero(chain.strike[first:last] == strike)[0])
    told: list[dict[str, Any]] = []
    for contract in chain.contracts[slice(*chain.first_contract[place : place + 2])].tolist():
        own = known[known["contract"] == contract]
        official = np.flatnonzero(own["kind"] == EventKind.SETTLED)
        since = own if not official.size else own[official[-1] + 1 :]
        settled = float(own["value"][official[-1]]) if official.size else None
        net = _sum(since, EventKind.SIGNED)
        told.append(
            {
                "contract": chain.symbols[contract],
                "right": "call" if chain.right[contract] > 0 else "put",
                "multiplier": float(chain.multiplier[contract]),
                "official": settled,
                "official_known": iso(int(own["known_ns"][official[-1]]))
                if official.size
                else None,
                "traded_since": _sum(since, EventKind.VOLUME),
                "customers_net_since": net,
                "estimated": max(0.0, (settled or 0.0) + net),
                "customers_net_in_all": _sum(own, EventKind.SIGNED),
            }
        )
    return told


def _sum(rows: NDArray[Any], kind: EventKind) -> float:
    return float(rows["value"][rows["kind"] == kind].sum())


def _side_words(side: tuple[str, int], config: ExpirationPressureConfig) -> str:
    done, sign = side
    model = config.direction.model
    words = f"{'BUY_FUTURES' if sign > 0 else 'SELL_FUTURES'} by {model}"
    return words if done == model else f"{words}: {done}"


def _notes(feed: Feed, config: ExpirationPressureConfig) -> list[str]:
    notes: list[str] = []
    if not feed.signed:
        notes.append(
            "No print of the options is known: open interest is as it was last published, and"
            " dealers' side is a convention."
        )
    if config.pressure.open_interest == "settled":
        notes.append("Pressure is of the open interest as published; what was traded is not in it.")
    return notes


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
