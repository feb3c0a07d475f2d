"""The fold for expiration pressure and a slow reference find the same, however it is sliced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals import PressureRules, SettlementOutput, SettlementScan
from reference.slow_settlement import SlowScan
from signals.chains import EXPIRY, Market, assert_same, random_market

SOURCE = PressureRules()
WIDE = PressureRules(threshold=0.5, oi_above=100.0)
"""Lowered, so that the filter's tests bind."""
LOGNORMAL = PressureRules(probability="lognormal", threshold=2.0, distance="bps")
RELATIVE = PressureRules(
    probability="lognormal", threshold=100.0, distance="sigma", reference_risk=100_000.0,
    session_minutes=390.0, open_interest="settled",
)  # fmt: skip
LEARNT = PressureRules(
    probability="lognormal", quantile=0.9, quantile_expiries=2, confidence="rank",
    oi_above=100.0, filter_pressure=0.0,
)  # fmt: skip
HEAVY = PressureRules(oi_above=30_000.0)
"""Met by the heaviest of the random strikes alone."""
RULES = {
    "source": SOURCE, "wide": WIDE, "heavy": HEAVY, "lognormal": LOGNORMAL,
    "relative": RELATIVE, "learnt": LEARNT,
}  # fmt: skip


def scan_of(market: Market, rules: PressureRules) -> SettlementScan:
    chain = market.chain
    return SettlementScan(rules, chain, np.full(chain.expiry_ns.size, 210.0))


def joined(parts: list[SettlementOutput]) -> SettlementOutput:
    return SettlementOutput(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def whole(market: Market, rules: PressureRules) -> tuple[SettlementOutput, Any]:
    scan = scan_of(market, rules)
    parts = [scan.advance(market.events), scan.advance_to(until(market))]
    return joined(parts), scan.counts


def until(market: Market) -> int:
    return max(option.expiry_ns for option in market.options) + 4 * MINUTE_NS


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", RULES)
def test_a_fold_over_random_chains_and_the_slow_reference_find_the_same(name, seed):
    rules = RULES[name]
    expiries = 4 if name == "learnt" else 1
    market = random_market(seed, expiries=expiries, strikes=4, batches=60 // expiries)
    output, counts = whole(market, rules)
    lengths = {option.expiry_ns: 210.0 for option in market.options}
    slow = SlowScan(rules, market.options, market.told, session_minutes=lengths)
    assert_same(output, counts, slow.run(until(market)))


def test_the_random_chains_meet_every_case():
    cases: set[Any] = set()
    for name, rules in RULES.items():
        for seed in (1, 2, 3):
            expiries = 4 if name == "learnt" else 1
            market = random_market(seed, expiries=expiries, strikes=4, batches=60 // expiries)
            output, counts = whole(market, rules)
            cases |= set(output.conditions["signal_class"].tolist())
            cases |= {("basis", basis) for basis in output.conditions["gamma_basis"].tolist()}
            cases |= {("inside", inside) for inside in output.samples["inside"].tolist()}
            cases |= {("notice", kind) for kind in output.notices["kind"].tolist()}
            cases |= {key for key in _REASONS if counts[key].sum()}
            again = output.conditions[output.conditions["is_new"]]
            keys = again[["expiry_ns", "strike", "urgency"]]
            cases |= {"re-armed"} if np.unique(keys).size < keys.size else set()
    wanted: set[Any] = {0, 1, 2, 3, ("basis", 0), ("basis", 1), ("notice", 0), ("notice", 1)}
    wanted |= {("inside", 0), ("inside", 1), "re-armed", *_REASONS}
    assert cases >= wanted, wanted - cases


@given(st.integers(0, 10_000), st.sampled_from(sorted(RULES)))
@settings(max_examples=25)
def test_no_alert_nor_evaluation_is_at_an_expiry_or_after_it(seed, name):
    market = random_market(seed, expiries=2, batches=20, minutes=30.0)
    assert max(each.known_ns for each in market.told) >= EXPIRY  # told at expiry and after
    output, counts = whole(market, RULES[name])
    assert (output.conditions["at_ns"] < output.conditions["expiry_ns"]).all()
    assert (output.conditions["minutes_left"] > 0.0).all()
    assert (output.notices["at_ns"] < output.notices["expiry_ns"]).all()
    assert (counts["last_ns"] < counts["expiry_ns"]).all()


_REASONS = (
    "no_history", "no_sigma", "no_scale", "too_far", "too_early", "too_weak", "stale_price",
    "below_open_interest",
)  # fmt: skip


@settings(max_examples=40)
@given(st.sampled_from(sorted(RULES)), st.sets(st.integers(0, 10_000), max_size=30), st.booleans())
def test_any_slicing_gives_the_same_output(name, cuts, clocked):
    market = _SLICED
    events = market.events
    expected, counts = whole(market, RULES[name])
    instants = np.unique(events["known_ns"])
    firsts = np.searchsorted(events["known_ns"], instants[[cut % instants.size for cut in cuts]])
    scan, parts = scan_of(market, RULES[name]), []
    for part in np.split(events, np.sort(np.unique(firsts)).astype(np.int64)):
        if part.size and clocked:  # the clock runs on, up to just before what comes next
            parts.append(scan.advance_to(int(part["known_ns"][0]) - 1))
        parts.append(scan.advance(part))
    parts.append(scan.advance_to(until(market)))
    sliced = joined(parts)
    for column, other in zip(sliced, expected, strict=True):
        assert column.tobytes() == other.tobytes()
    if not clocked:
        assert scan.counts.tobytes() == counts.tobytes()


_SLICED = random_market(7, expiries=4, strikes=4, batches=25)


@pytest.mark.parametrize("name", ["source", "wide", "lognormal", "relative"])
def test_snapshots_and_the_stream_they_are_sampled_from_agree_at_their_instants(name):
    stream = random_market(5, strikes=6, batches=400, with_silences=False)
    instants = EXPIRY - np.arange(200, 0, -5) * MINUTE_NS
    snapshots = Market(stream.options, _sampled(stream, instants.tolist()))
    streamed, _ = whole(stream, RULES[name])
    sampled, _ = whole(snapshots, RULES[name])
    at_instants = streamed.conditions[np.isin(streamed.conditions["at_ns"], instants)]
    sampled_rows = sampled.conditions[np.isin(sampled.conditions["at_ns"], at_instants["at_ns"])]
    assert sampled_rows.size > 0
    for column in set(sampled_rows.dtype.names) - {"alert_number", "is_new", "settled_ns"}:
        np.testing.assert_array_equal(at_instants[column], sampled_rows[column], column)


def _sampled(stream: Market, instants: list[int]) -> list[Any]:
    """Return what snapshots at the instants tell: prices as they stand, sums of volume since."""
    told, before = [], 0
    for now in instants:
        since = [each for each in stream.told if before < each.known_ns <= now]
        flows: dict[Any, float] = {}
        last: dict[Any, Any] = {}
        for each in since:
            key = (each.kind, each.contract)
            flows[key] = flows.get(key, 0.0) + each.value
            last[key] = each
        for (kind, contract), total in flows.items():
            value = total if kind in {"VOLUME", "SIGNED"} else last[kind, contract].value
            told.append(last[kind, contract]._replace(known_ns=now, value=value))
        before = now
    order = ("PRICE", "SIGMA", "SCALE", "SETTLED", "VOLUME", "SIGNED")
    return sorted(told, key=lambda each: (each.known_ns, order.index(each.kind)))
