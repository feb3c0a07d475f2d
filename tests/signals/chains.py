"""Small option chains, what is told of them, and scans over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.signals import Chain, EventKind, PressureRules, SettlementScan, build_chain
from hedgeflow.signals.settlement_events import EVENT, events, merged
from hedgeflow.signals.settlement_rules import NoticeKind, SignalClass, Urgency
from reference.slow_settlement import Found, Option, Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.signals import SettlementOutput

EXPIRY = 20_000 * DAY_NS + 20 * 60 * MINUTE_NS
"""An expiration instant at 20:00 UTC."""


class Market(NamedTuple):
    """A chain as plain records, and everything told of it."""

    options: list[Option]
    told: list[Told]

    @property
    def chain(self) -> Chain:
        listed = [-1 if each.listed_ns is None else each.listed_ns for each in self.options]
        return build_chain(
            [str(place) for place in range(len(self.options))],
            [each.expiry_ns for each in self.options],
            [each.strike for each in self.options],
            [1 if each.right == "C" else -1 for each in self.options],
            [each.multiplier for each in self.options],
            listed,
        )

    @property
    def events(self) -> np.ndarray[Any, Any]:
        rows = np.zeros(len(self.told), EVENT)
        for row, each in zip(rows, self.told, strict=True):
            contract = -1 if each.contract is None else each.contract
            row["known_ns"] = row["observed_ns"] = each.known_ns
            row["contract"] = contract
            row["kind"], row["value"] = EventKind[each.kind], each.value
        return merged(rows)


def one_strike(
    price: float,
    minutes: float,
    *,
    oi: float = 10_000.0,
    strike: float = 100.0,
    rules: PressureRules | None = None,
    spacing: float = 5.0,
) -> SettlementOutput:
    """Evaluate one strike once: all its open interest in calls, neighbours without any."""
    return scan_once([(minutes, price)], oi=oi, strike=strike, rules=rules, spacing=spacing)


def scan_once(
    path: Sequence[tuple[float, float]],
    *,
    oi: float = 10_000.0,
    strike: float = 100.0,
    rules: PressureRules | None = None,
    spacing: float = 5.0,
) -> SettlementOutput:
    """Fold prices at minutes left, as in `one_strike`."""
    chain = three_strikes(strike, spacing)
    scan = SettlementScan(rules or PressureRules(), chain)
    at = [EXPIRY - round(minutes * MINUTE_NS) for minutes, _ in path]
    told = merged(
        events([at[0] - 1], EventKind.SETTLED, [oi], 2),
        events([at[0] - 1], EventKind.SIGMA, [0.2]),
        events(at, EventKind.PRICE, [price for _, price in path]),
    )
    return scan.advance(told)


def three_strikes(strike: float = 100.0, spacing: float = 5.0, expiry: int = EXPIRY) -> Chain:
    """Return a call and a put at each of three strikes; the middle call is contract 2."""
    strikes = [strike - spacing, strike, strike + spacing]
    return build_chain(
        [f"{k:g}{right}" for k in strikes for right in "CP"],
        [expiry] * 6,
        np.repeat(strikes, 2),
        [1, -1] * 3,
        [100.0] * 6,
    )


def random_market(
    seed: int,
    *,
    expiries: int = 1,
    strikes: int = 5,
    batches: int = 60,
    minutes: float = 200.0,
    with_flow: bool = True,
    with_silences: bool = True,
) -> Market:
    """Return random expiries a day apart, the last evenings of each, ties and silences included."""
    rng = np.random.default_rng(seed)
    options: list[Option] = []
    told: list[Told] = []
    price = 100.0
    for day in range(expiries):
        expiry = EXPIRY + day * DAY_NS
        first = len(options)
        ladder = 100.0 + np.cumsum(rng.choice([2.5, 5.0], strikes)) - 3.5 * strikes / 2
        start = expiry - round(minutes * MINUTE_NS)
        for strike in ladder:
            late = start + 30 * MINUTE_NS if rng.random() < 0.1 else None
            options += [Option(expiry, float(strike), right, 100.0, late) for right in "CP"]
        places = range(first, len(options))
        told += [
            Told(start, "SETTLED", c, float(np.floor(rng.lognormal(8, 1.5))))
            for c in places
            if rng.random() < 0.9
        ]
        told += [Told(start, "SIGMA", None, 0.3), Told(start, "SCALE", None, 40_000.0)]
        at = start + np.sort(rng.integers(0, round(minutes) + 3, batches)) * MINUTE_NS
        at += rng.choice([0, 0, 17_000_000_000], batches)
        for i, now in enumerate(np.sort(at).tolist()):
            if with_silences and i % 7 == 0:  # news while the price grows older than 5 minutes
                c = places[i % len(places)]
                later = [at for k in (1, 2) if (at := now + k * 299 * 10**9) < expiry]
                told += [Told(at, "VOLUME", c, 1.0) for at in later]
            price *= float(np.exp(rng.normal(0, 0.004)))
            told.append(Told(now, "PRICE", None, round(price, 2)))
            if rng.random() < 0.1:
                told.append(Told(now, "SIGMA", None, float(rng.choice([0.0, 0.25, 0.6]))))
            if rng.random() < 0.05:
                told.append(Told(now, "SCALE", None, float(rng.choice([0.0, 30_000.0]))))
            if with_flow and rng.random() < 0.5:
                c, size = int(rng.choice(places)), float(rng.integers(1, 4_000))
                told.append(Told(now, "VOLUME", c, size))
                told.append(Told(now, "SIGNED", c, size * float(rng.choice([-1, 1]))))
    order = {kind.name: int(kind) for kind in EventKind}
    told.sort(key=lambda each: (each.known_ns, order[each.kind]))
    return Market(options, told)


def assert_same(output: SettlementOutput, counts: Any, found: Found) -> None:
    """Compare everything that a fold and the slow reference gave."""
    rows = output.conditions
    assert rows.size == len(found.conditions)
    for row, slow in zip(rows, found.conditions, strict=True):
        for name in (
            "at_ns",
            "expiry_ns",
            "strike",
            "alert_number",
            "is_new",
            "settled_ns",
            "price_ns",
        ):
            assert row[name] == slow[name], (name, row, slow)
        assert Urgency(row["urgency"]).name == slow["urgency"]
        assert SignalClass(row["signal_class"]).name == slow["signal_class"]
        assert slow["gamma_basis"] == ("SIGNED_FLOW" if row["gamma_basis"] == 0 else _ASSUMED)
        for name in (
            "pressure", "threshold", "risk", "oi", "settled_oi", "estimated_oi", "oi_low",
            "oi_high", "probability", "distance", "minutes_left", "confidence", "target_distance",
            "dealer_gamma", "dealer_units", "price", "point",
        ):  # fmt: skip
            np.testing.assert_allclose(row[name], slow[name], rtol=1e-9, atol=1e-12, err_msg=name)
    noticed = [
        (row["at_ns"], NoticeKind(row["kind"]).name, row["minutes_left"],
         None if np.isnan(row["strike"]) else row["strike"])
        for row in output.notices
    ]  # fmt: skip
    assert sorted(noticed, key=str) == sorted(found.notices, key=str)
    assert [row["at_ns"] for row in output.notices] == sorted(output.notices["at_ns"])
    assert output.samples.size == len(found.samples)
    for row, slow in zip(output.samples, found.samples, strict=True):
        for name in ("at_ns", "expiry_ns", "strike", "inside"):
            assert row[name] == slow[name]
        for name in ("oi", "price", "distance", "source", "lognormal", "empirical"):
            np.testing.assert_allclose(row[name], slow[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert counts["no_history"].sum() == found.no_history
    for name in (
        "oi_too_small", "too_far", "too_early", "too_weak", "stale_price", "below_open_interest",
    ):  # fmt: skip
        assert counts[name].sum() == found.stopped.get(name, 0), name
    for row in counts:
        assert row["largest_oi"] == found.largest.get(int(row["expiry_ns"]), 0.0)


_ASSUMED = "LONG_CALLS_SHORT_PUTS"
