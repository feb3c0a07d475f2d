"""The fold as a whole: slices, the future, sessions, thresholds, and what each decision knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgeflow.market.errors import ConfigError
from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.signals import ScanOutput, SessionReference, ShockScan, scan, windows_for
from hedgeflow.signals.fold_state import FoldState
from hedgeflow.signals.response import CalibratedResponse
from signals.tapes import (
    DEEP,
    FixedReference,
    RandomTape,
    at,
    config,
    contracts_table,
    found,
    joined,
    option,
    random_tape,
    scan_of,
    tape,
    trade,
    usual,
)

EVENTS = config("source", alert={"unit": "event"})
SETTINGS = {
    "source": config("source", alert={"pressure_threshold": 0.5}),
    "source events": config("source", alert={"unit": "event", "pressure_threshold": 0.5}),
    "normalized": config("normalized", response={"model": "tiers"}),
    "normalized include": config("normalized", tape={"complex": "include"}),
    "quantile": config("normalized", alert={"pressure_rule": "quantile", "quantile_events": 5}),
}
FINE, MINUTES = random_tape(3, step_ns=1), random_tape(4, prints_a_day=80)
TAPES = {"fine": (FINE, 1), "minutes": (MINUTES, MINUTE_NS)}


def stamps(frame: pl.DataFrame) -> np.ndarray:
    return frame["ts"].dt.timestamp("ns").to_numpy()


def sliced(
    scan: ShockScan, frame: pl.DataFrame, ends: list[int], *, finish: bool = True
) -> ScanOutput:
    """Return what a scan finds when it is fed in slices that end at some stamps."""
    bounds = [0, *np.searchsorted(stamps(frame), sorted(ends), side="right"), frame.height]
    outputs = [scan.advance(frame[int(start) : int(stop)]) for start, stop in pairwise(bounds)]
    return joined([*outputs, scan.finish()] if finish else outputs)


def assert_equal(one: ScanOutput, other: ScanOutput) -> None:
    """Fail unless two outputs are the same to the last bit."""
    for name in ("anomalies", "decisions", "members", "closes"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    assert one.volatility.tobytes() == other.volatility.tobytes()
    assert one.volatility_source == other.volatility_source
    assert one.scale_volume.tobytes() == other.scale_volume.tobytes()


WHOLE: dict[tuple[str, str], ScanOutput] = {}


def whole(tape_name: str, rules: str) -> ScanOutput:
    """Return what one advance over a whole tape finds, remembered."""
    if (tape_name, rules) not in WHOLE:
        source, resolution = TAPES[tape_name]
        one = source.scan(SETTINGS[rules], resolution_ns=resolution)
        WHOLE[tape_name, rules] = joined([one.advance(source.frame), one.finish()])
    return WHOLE[tape_name, rules]


# --- slices ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", SETTINGS)
@pytest.mark.parametrize("tape_name", TAPES)
@settings(max_examples=4)
@given(data=st.data())
def test_any_slicing_between_stamps_gives_the_same_outputs(tape_name, rules, data):
    source, resolution = TAPES[tape_name]
    at_stamps = st.sampled_from(np.unique(stamps(source.frame)).tolist())
    ends = data.draw(st.lists(at_stamps, max_size=40, unique=True))
    expected = whole(tape_name, rules)
    one = source.scan(SETTINGS[rules], resolution_ns=resolution)
    assert expected.anomalies.size > 5
    assert_equal(sliced(one, source.frame, ends), expected)


@pytest.mark.parametrize("rules", ["source", "normalized"])
def test_slices_of_one_batch_each_give_the_same_outputs(rules):
    one = MINUTES.scan(SETTINGS[rules])
    every = np.unique(stamps(MINUTES.frame)).tolist()
    assert_equal(sliced(one, MINUTES.frame, every), whole("minutes", rules))


def test_pieces_that_stay_in_the_cache_give_the_same_outputs(monkeypatch):
    """A long slice is folded in pieces of 2¹⁸ prints; here of 7, and never inside a batch."""
    monkeypatch.setattr(scan, "_CHUNK_PRINTS", 7)
    one = MINUTES.scan(SETTINGS["normalized"])
    found_in_pieces = joined([one.advance(MINUTES.frame), one.finish()])
    assert_equal(found_in_pieces, whole("minutes", "normalized"))


def test_an_empty_slice_changes_nothing():
    one = scan_of()
    assert one.advance(tape()).anomalies.size == 0
    one.advance(tape(trade(at(10), "CALL", 60)))
    assert one.advance(tape()).anomalies.size == 0
    assert one.advance(tape(trade(at(10, minute=1), "CALL", 60))).anomalies.size == 1


def test_a_slice_that_begins_inside_the_last_batch_is_refused():
    one = scan_of()
    one.advance(tape(trade(at(10))))
    with pytest.raises(ValueError, match="must begin after 2025-03-13T12:00:00Z"):
        one.advance(tape(trade(at(10))))


def test_outputs_grow_beyond_their_first_room():
    """5,000 contracts with an anomaly each in one batch, and 5,000 more in the next."""
    names = [f"C{number:05}" for number in range(10_000)]
    terms = contracts_table(*[option(name, strike=50 + 0.001 * k) for k, name in enumerate(names)])
    rows = [trade(at(10, minute=5 + place // 5_000), name, 150) for place, name in enumerate(names)]
    output = found(scan_of(EVENTS, terms), *rows)
    assert output.anomalies.size == 10_000
    assert output.closes["members"].tolist() == [10_000]
    assert output.members.size == 5_000
    assert output.decisions["lots"].tolist() == [5_000 * 1_500]


def test_contracts_met_later_find_the_room_they_need():
    names = [f"C{number:03}" for number in range(200)]
    terms = contracts_table(*[option(name, strike=50.0 + k) for k, name in enumerate(names)])
    rows = [trade(at(10, minute=place), name, 150) for place, name in enumerate(names)]
    one = scan_of(config(), terms)
    seen = joined([one.advance(tape(row)) for row in rows])
    assert [one.book.symbols[row["contract"]] for row in seen.anomalies] == names


def test_the_window_buffer_forgets_what_no_window_needs():
    state = FoldState(np.array([5 * MINUTE_NS]))
    one = scan_of()
    for minute in range(0, 24 * 60, 2):
        rows = [trade(at(10, 0, minute, second=place / 10)) for place in range(100)]
        one.advance(tape(*rows))
    assert one._state.entries.size <= 2 * state.entries.size


def test_the_longest_window_keeps_its_entries_when_the_buffer_is_emptied():
    """Sixty slices of 60 prints in four minutes: the short windows need none of the first."""
    rules = config("source", anomaly={"windows_seconds": (5.0, 300.0)})
    one = scan_of(rules, resolution_ns=SECOND_NS)
    slices = [
        tape(*[trade(at(10, second=4 * part), "CALL", 0.1) for _ in range(60)])
        for part in range(60)
    ]
    output = joined([one.advance(rows) for rows in slices])
    assert output.anomalies["lots"].tolist() == [1_020]
    assert output.anomalies["demand"].tolist() == [pytest.approx(102.0)]
    late = one.advance(tape(trade(at(10, minute=8), "CALL2", 1_000)))
    assert late.anomalies["lots"].tolist() == [10_000, 10_000]
    again = one.advance(tape(trade(at(10, minute=10), "CALL", 101)))
    assert again.anomalies["lots"].tolist() == [1_010, 1_010]


# --- the future -----------------------------------------------------------------------------------


def until(output: ScanOutput, stamp: int) -> dict[str, Any]:
    """Return what was known of anomalies and decisions at a stamp."""
    decided = output.decisions["ts"] <= stamp
    stop = int(output.decisions["member_to"][decided].max(initial=0))
    return {
        "anomalies": output.anomalies[output.anomalies["ts"] <= stamp].tobytes(),
        "decisions": output.decisions[decided].tobytes(),
        "members": output.members[:stop].tobytes(),
        "closes": output.closes[output.closes["closed_ns"] <= stamp].tobytes(),
        "volatility": output.volatility[decided].tobytes(),
    }


@pytest.mark.parametrize("rules", SETTINGS)
@pytest.mark.parametrize("tape_name", TAPES)
@settings(max_examples=4)
@given(data=st.data())
def test_no_later_row_changes_an_earlier_output(tape_name, rules, data):
    """Prices, quantities, sides, volatilities and the presence of every later row are poisoned."""
    source, resolution = TAPES[tape_name]
    stamp = data.draw(st.sampled_from(np.unique(stamps(source.frame))[5:-1].tolist()))
    rng = np.random.default_rng(data.draw(st.integers(0, 1_000)))
    poisoned = source.poisoned_after(stamp, rng)
    one = source.scan(SETTINGS[rules], resolution_ns=resolution)
    seen = sliced(one, poisoned, [stamp] if data.draw(st.booleans()) else [], finish=False)
    assert until(seen, stamp) == until(whole(tape_name, rules), stamp)


@pytest.mark.parametrize("rules", ["source", "normalized"])
def test_contracts_added_to_the_table_change_nothing(rules):
    others = contracts_table(
        *[option(f"OTHER{number}", "P", 70.0 + number) for number in range(60)]
    )
    one = MINUTES.scan(SETTINGS[rules], terms=pl.concat([others, MINUTES.terms]))
    output = joined([one.advance(MINUTES.frame), one.finish()])
    assert_equal(output, whole("minutes", rules))


def test_the_names_of_complex_orders_mean_nothing():
    renamed = MINUTES.frame.with_columns(
        combo_id=("z" + pl.col("combo_id").str.reverse()),
        block_id=pl.col("block_id") + "-" + pl.col("ts").cast(pl.String),
    )
    one = MINUTES.scan(SETTINGS["source"])
    output = joined([one.advance(renamed), one.finish()])
    assert_equal(output, whole("minutes", "source"))


# --- windows, sessions, thresholds ----------------------------------------------------------------


def test_windows_under_twice_the_stamps_resolution_are_left_out():
    asked = (5 * SECOND_NS, 60 * SECOND_NS, 300 * SECOND_NS)
    assert windows_for(asked, MINUTE_NS) == (300 * SECOND_NS,)
    assert windows_for(asked, 30 * SECOND_NS) == asked[1:]
    assert windows_for(asked, 30 * SECOND_NS + 1) == asked[2:]
    assert windows_for(asked, 2_500_000_000) == asked


def test_a_configuration_that_asks_only_for_such_windows_is_refused_by_name():
    settings_ = config("source", anomaly={"windows_seconds": (5.0, 60.0)})
    with pytest.raises(ConfigError, match="windows of 5 s, 60 s are finer") as refused:
        scan_of(settings_, resolution_ns=MINUTE_NS)
    assert "anomaly.windows_seconds" in str(refused.value)


@dataclass
class SpyReference:
    """A reference that remembers what it was told at each session."""

    scale_volume: dict[int, float | None] = field(default_factory=dict)
    response: CalibratedResponse | None = None
    told: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def session(self, open_ns: int, closed_events: np.ndarray) -> SessionReference:
        self.told.append((open_ns, closed_events.copy()))
        return SessionReference(self.scale_volume.get(open_ns, 1_000.0), self.response)

    def realised_volatility(self, now: int) -> float | None:
        return None


def test_a_session_is_told_of_events_that_closed_before_it_only():
    spy = SpyReference()
    rows = [trade(at(day, 12), "CALL", 150) for day in range(3)]
    found(scan_of(EVENTS, reference=spy), *rows)
    assert [opened for opened, _ in spy.told] == [at(day, 0) for day in range(3)]
    for opened, closes in spy.told:
        assert (closes["closed_ns"] < opened).all()
    # The event of a day is closed by the next print, which is the next day's.
    assert [closes.size for _, closes in spy.told] == [0, 0, 1]


def test_the_calibrated_response_of_the_session_is_used():
    fitted = CalibratedResponse(np.log(4.0), 0.0, 0.1, 0.1, 30, 1.0)
    output = found(
        scan_of(EVENTS, reference=FixedReference(response=fitted)),
        trade(at(10), "CALL", 1_000),
    )
    assert output.decisions["response_minutes"].tolist() == [pytest.approx(4.0)]
    assert output.decisions["pressure"].tolist() == [pytest.approx(1_000 / 16)]


QUANTILE = config(
    "source",
    anomaly={"ratio": 0.01},
    alert={"unit": "event", "pressure_rule": "quantile", "pressure_threshold": 7.0},
)


def threshold_after(counts: list[int], scale: float | None = None, **changes: Any) -> float:
    """Return the threshold of the day after days with so many events, of demand 200, 201, ..."""
    rows, demand = [], 200
    for day, count in enumerate(counts):
        for place in range(count):
            rows.append(trade(at(day, 0, 10 * place), "CALL", demand))
            rows.append(trade(at(day, 0, 10 * place + 5), "CALL", 1))  # closes it
            demand += 1
    last = len(counts)
    settings_ = changes.pop("settings", QUANTILE)
    one = scan_of(settings_, days=last + 1, **changes)
    one.advance(tape(*rows, trade(at(last, 1), "CALL", 1)))
    return float(one._params[0]["threshold"])


def test_the_fixed_thresholds_are_20_under_source_and_10_under_normalized():
    assert threshold_after([40], settings=EVENTS) == 20.0
    assert threshold_after([40], settings=config("normalized")) == 10.0


@pytest.mark.parametrize(("events", "is_quantile"), [(29, False), (30, True)])
def test_the_quantile_threshold_needs_30_events(events, is_quantile):
    expected = float(np.quantile((200.0 + np.arange(events)) / 100, 0.90))
    assert threshold_after([events]) == pytest.approx(expected if is_quantile else 7.0)


def test_the_quantile_threshold_looks_back_10_sessions():
    recent = (200.0 + 40 + np.arange(30)) / 100
    counts = [40, *[3] * 10]
    assert threshold_after(counts) == pytest.approx(float(np.quantile(recent, 0.90)))


def test_events_without_a_scale_are_no_pressures_of_zero():
    relative = config(
        "normalized",
        anomaly={"no_history": "floor", "volume_floor": "fixed", "baseline_floor": "one"},
        alert={"pressure_rule": "quantile"},
    )
    assert threshold_after([40], settings=relative, reference=SpyReference({at(0, 0): None})) == 10


def test_a_scale_of_zero_volume_is_no_scale():
    relative = config("normalized", anomaly={"no_history": "floor", "volume_floor": "fixed"})
    row = trade(at(10), "CALL", 150)
    output = found(scan_of(relative, reference=FixedReference(0.0)), row)
    assert output.closes["no_scale"].tolist() == [1]


# --- what a decision knows ------------------------------------------------------------------------

NEAR = contracts_table(
    option("NEAR", strike=100.0, expiry=at(12, 8)),
    option("CALL"),
)


def near(minute: float, iv: float, **changes: Any) -> dict[str, object]:
    return trade(at(10, minute=minute), "NEAR", 1, iv=iv, **changes)


def test_a_decision_has_the_underlying_price_of_the_batchs_last_print_in_tape_order():
    rows = [
        trade(at(10), "CALL", 9_000, underlying_price=101.0),
        trade(at(10), "CALL2", 1, underlying_price=102.0, combo_id="a", aggressor=-1),
        trade(at(10), "CALL", 9_000, underlying_price=103.0, combo_id="a"),
        trade(at(10), "CALL2", 1, underlying_price=104.0, combo_id="a", aggressor=-1),
        trade(at(10, minute=1), "CALL2", 1, underlying_price=105.0),
    ]
    output = found(scan_of(EVENTS), *rows)
    assert output.decisions["spot"].tolist() == [104.0]


def test_a_decision_has_the_implied_volatility_of_its_own_batch_too():
    rows = [near(place, 0.4 + place / 100) for place in range(4)]
    batch = [near(9, 0.9), trade(at(10, minute=9), "CALL", 9_000), near(10, 3.0)]
    output = found(scan_of(EVENTS, NEAR), *rows, *batch)
    assert output.volatility.tolist() == [pytest.approx(0.42)]
    assert output.volatility_source == ("implied",)


def test_without_five_prints_the_realised_volatility_stands_in_and_else_none():
    rows = [near(place, 0.4) for place in range(4)] + [trade(at(10, minute=9), "CALL", 9_000)]
    realised = found(scan_of(EVENTS, NEAR, reference=FixedReference(realised=0.7)), *rows)
    assert (realised.volatility.tolist(), realised.volatility_source) == ([0.7], ("realised",))
    none = found(scan_of(EVENTS, NEAR, reference=FixedReference(realised=None)), *rows)
    assert np.isnan(none.volatility).all()
    assert none.volatility_source == ("none",)


def test_signed_prints_leave_the_scan_as_it_is():
    one = MINUTES.scan(SETTINGS["normalized"])
    half = int(stamps(MINUTES.frame)[MINUTES.frame.height // 2])
    early = MINUTES.frame.filter(pl.Series(stamps(MINUTES.frame) <= half))
    late = MINUTES.frame.filter(pl.Series(stamps(MINUTES.frame) > half))
    first = one.advance(early)
    signed = one.signed_prints(late)
    output = joined([first, one.advance(late), one.finish()])
    assert_equal(output, whole("minutes", "normalized"))
    assert (signed["sign"] == late["aggressor"].to_numpy()).mean() > 0.9
    assert np.allclose(
        signed["demand"], signed["sign"] * signed["delta"] * late["lots"].to_numpy() / 10
    )


def test_lots_below_institutional_size_are_retail():
    """10 contracts by default."""
    rows = [
        trade(at(10), "CALL", 9.9), trade(at(10), "CALL", 10.0), trade(at(10), "CALL", 3_000.0)
    ]  # fmt: skip
    decision = found(scan_of(EVENTS), *rows).decisions[0]
    assert decision["institutional_lots"] == 30_100
    assert decision["rule_lots"].sum() == decision["lots"]


def test_a_scan_takes_a_table_of_more_contracts_than_it_meets():
    assert len(scan_of().book) == 0
    one = scan_of()
    one.advance(tape(*usual(1, days=range(1))))
    assert one.book.symbols == ["CALL"]
    assert DEEP.height > 1
    assert isinstance(FINE, RandomTape)


def test_signed_prints_start_the_tick_test_anew_with_each_session():
    """A rising price over midnight: the first print of the new day has no sign (precise.md 8)."""
    rows = [
        trade(at(9, 23, 58 + step), "CALL", 60, price=1.0 + step, aggressor=0) for step in range(4)
    ]
    scan = scan_of()
    signed = scan.signed_prints(tape(*rows))
    assert signed["sign"].tolist() == [0.0, 1.0, 0.0, 1.0]
    output = scan_of().advance(tape(*rows))
    known = int(output.anomalies["ts"][-1])
    before = np.array([row["ts"] <= known for row in rows])
    assert output.anomalies["demand"][-1] == pytest.approx(signed["demand"][before].sum())
