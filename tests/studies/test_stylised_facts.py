"""Facts of markets made by hand are what was put into them; what tapes cannot tell is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hedgeflow import pricing
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.sessions import sessions_between
from hedgeflow.market.tapes import CONTRACT_COLUMNS, TapeKey, TapeKind, schema, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS, SECOND_NS, YEAR_NS, instant_ns
from hedgeflow.studies.stylised_facts import (
    DEFINITIONS,
    REFERENCES,
    facts_page,
    stylised_facts,
)

FIRST = datetime(2024, 1, 8, tzinfo=UTC)
SESSIONS = 6
MINUTES = 390
PRICE = 100.0
MILLISECOND = 1_000_000


@dataclass
class Made:
    """A market that a test makes row by row."""

    root: object
    kinds: dict = field(default_factory=dict)

    def add(self, kind, key, frame, coverage, contracts=None):
        catalog = Catalog.create_or_open(self.root)
        stamps = {name: pl.from_epoch(name, time_unit="ns").dt.replace_time_zone("UTC")
                  for name in ("ts", "known_at")}  # fmt: skip
        missing = {name: pl.lit(None) for name in tape_schema(kind) if name not in frame.columns}
        whole = frame.with_columns(**missing).with_columns(**stamps)
        shaped = whole.select(pl.col(n).cast(t) for n, t in tape_schema(kind).items())
        catalog.store(key, shaped, source="by hand", coverage=coverage, contracts=contracts)
        return catalog


def terms(*options):
    """Return contracts of (name, right, strike, expiry)."""
    rows = [
        {"contract": name, "venue": "usa", "underlying": "ABC", "right": right, "strike": strike,
         "expiry": expiry, "multiplier": 100.0, "lot": 1.0, "style": "european",
         "settlement": "cash", "inverse": False, "listed": None}
        for name, right, strike, expiry in options
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema(CONTRACT_COLUMNS), orient="row")


CONTRACTS = terms(
    ("NEAR C", "C", 100.0, FIRST + timedelta(days=8, hours=21)),
    ("FAR P", "P", 90.0, FIRST + timedelta(days=60, hours=21)),
)


def sessions():
    first = instant_ns(FIRST)
    return sessions_between("XNYS", first, first + 9 * DAY_NS)


def minutes():
    """Return session, minute of it and stamp of every minute."""
    opens = sessions().open_ns[:SESSIONS]
    number, minute = np.divmod(np.arange(SESSIONS * MINUTES), MINUTES)
    return number, minute, opens[number] + minute * MINUTE_NS


def coverage():
    every = sessions()
    return Coverage.of(
        list(
            zip(every.open_ns[:SESSIONS].tolist(), every.close_ns[:SESSIONS].tolist(), strict=True)
        )
    )


def key(kind, instrument="ABC", resolution=MILLISECOND):
    return TapeKey(kind, "usa", "ABC", instrument, resolution)


def prints():
    """Return four prints a minute at the session's ends, else one; each has what a test counts.

    Prints are in turn: two buys, two sells, three of NEAR, one of FAR; every fifth a complex leg.
    """
    _, minute, stamp = minutes()
    times = np.where((minute < 30) | (minute >= MINUTES - 30), 4, 1)
    start = np.repeat(stamp, times)
    place = np.arange(start.size) - np.repeat(np.cumsum(times) - times, times)
    ts = start + place * 10 * SECOND_NS
    turn = np.arange(ts.size) % 4
    near = turn < 3
    expiry = CONTRACTS["expiry"].dt.epoch("ns").to_numpy()[np.where(near, 0, 1)]
    right, strike = np.where(near, 1, -1), np.where(near, 100.0, 90.0)
    years = (expiry - ts) / YEAR_NS
    bid, ask = (pricing.value(right, PRICE, strike, years, vol) for vol in (0.29, 0.31))
    return pl.DataFrame(
        {
            "ts": ts,
            "known_at": ts + MILLISECOND,
            "contract": np.where(near, "NEAR C", "FAR P"),
            "price": np.where(turn < 2, ask, bid),
            "lots": np.where(near, 2, 10),
            "aggressor": np.where(turn < 2, 1, -1),
            "iv": np.where(turn < 2, 0.31, 0.29),
            "underlying_price": PRICE,
            "bid": bid,
            "ask": ask,
            "combo_id": np.where(np.arange(ts.size) % 5 == 0, "x", None),
        }
    )


def bars(overnight=0.02):
    """Return bars that go up and down by a tenth of a percent within sessions, gaps between."""
    number, minute, stamp = minutes()
    close = PRICE * np.exp(0.001 * (minute % 2) + overnight * number)
    opened = np.where(minute == 0, close, np.roll(close, 1))
    table = {"ts": stamp, "known_at": stamp + MINUTE_NS, "open": opened, "close": close,
             "high": np.maximum(opened, close), "low": np.minimum(opened, close),
             "volume": np.where((minute < 30) | (minute >= MINUTES - 30), 30.0, 10.0)}  # fmt: skip
    return pl.DataFrame(table)


def hedge_trades():
    """Return runs of ten buys and ten sells, ten seconds apart; prices follow the side."""
    _, _, stamp = minutes()
    ts = np.repeat(stamp, 6) + np.tile(np.arange(6), stamp.size) * 10 * SECOND_NS
    side = np.where(np.arange(ts.size) // 10 % 2 == 0, 1, -1)
    price = PRICE * np.exp(0.0001 * np.cumsum(side))
    return pl.DataFrame({"ts": ts, "known_at": ts + MILLISECOND, "price": price, "size": 2.0,
                         "aggressor": side})  # fmt: skip


def hedge_quotes():
    """Return a quote a minute: 1 bp wide for 50 seconds, then 7 bps."""
    _, _, stamp = minutes()
    ts = np.repeat(stamp, 2)
    ts[1::2] += 50 * SECOND_NS
    half = PRICE * np.tile([0.5e-4, 3.5e-4], stamp.size)
    return pl.DataFrame({"ts": ts, "known_at": ts + MILLISECOND, "bid": PRICE - half,
                         "ask": PRICE + half})  # fmt: skip


def interest():
    """Return open interest before each session: 100 growing by 10 of NEAR, 300 of FAR."""
    opens = sessions().open_ns[:SESSIONS]
    ts = np.repeat(opens - 3 * 3600 * SECOND_NS, 2)
    table = {"ts": ts, "known_at": ts, "contract": ["NEAR C", "FAR P"] * SESSIONS,
             "open_interest": np.stack([100.0 + 10.0 * np.arange(SESSIONS),
                                        np.full(SESSIONS, 300.0)], axis=-1).ravel()}  # fmt: skip
    return pl.DataFrame(table)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    made, covered = Made(tmp_path_factory.mktemp("facts") / "catalog"), coverage()
    option_key = key(TapeKind.OPTION_TRADES)
    made.add(TapeKind.OPTION_TRADES, option_key, prints(), covered, CONTRACTS)
    made.add(TapeKind.BARS, key(TapeKind.BARS, resolution=MINUTE_NS), bars(), covered)
    made.add(TapeKind.HEDGE_TRADES, key(TapeKind.HEDGE_TRADES), hedge_trades(), covered)
    made.add(TapeKind.HEDGE_QUOTES, key(TapeKind.HEDGE_QUOTES), hedge_quotes(), covered)
    held = interest()
    return made.add(TapeKind.OPEN_INTEREST, key(TapeKind.OPEN_INTEREST), held,
                    Coverage.of([(int(held["ts"][0]), int(held["ts"][-1]) + 1)]))  # fmt: skip


@pytest.fixture(scope="module")
def facts(catalog):
    return stylised_facts(catalog, "ABC")


def value(facts, name):
    assert facts[name].value is not None, facts[name].note
    return facts[name].value


def test_every_fact_is_there_once_with_a_value_or_a_reason(facts):
    assert [fact.definition for fact in facts.facts] == list(DEFINITIONS)
    assert all((fact.value is None) <= bool(fact.note) for fact in facts.facts)
    assert len({each.key for each in DEFINITIONS}) == len(DEFINITIONS)
    assert (facts.sessions, facts.first, facts.last) == (6, "2024-01-08", "2024-01-16")
    assert not facts.simulated


def test_every_definition_names_a_reference_that_is_printed():
    named = {name for each in DEFINITIONS if each.source for name in each.source.split("; ")}
    assert named == set(REFERENCES)


def test_sizes_are_contracts(facts):
    assert value(facts, "size_median") == 2.0
    assert value(facts, "size_p90") == value(facts, "size_largest") == 10.0
    assert value(facts, "size_p99_over_median") == 5.0
    assert value(facts, "size_top_share") == pytest.approx(0.01 * 10 / (0.75 * 2 + 0.25 * 10))
    assert facts["size_tail_1"].note == "too few prints in the tail (0)"


def test_ends_are_four_times_as_busy_as_the_middle(facts):
    assert value(facts, "u_prints") == pytest.approx(4.0)
    assert value(facts, "u_hedge_volume") == pytest.approx(3.0)
    assert value(facts, "busiest") == 0.0
    assert value(facts, "quietest") == 0.5
    shape = next(curve.rate for curve in facts.curves if curve.name == "option prints")
    assert shape == pytest.approx([52 / 19] + [13 / 19] * 11 + [52 / 19])
    assert facts["day_contrast_prints"].value is None


def test_prints_by_the_clock_are_less_than_poisson(facts):
    assert value(facts, "fano_5m") == pytest.approx(0.0)
    assert value(facts, "fano_1s") == pytest.approx(1.0, abs=0.1)
    busy = 4 * 60 / (4 * 60 + 330)
    assert value(facts, "same_contract_minute") == pytest.approx(0.75 * busy, abs=0.01)


def test_sides_complex_orders_and_volume_are_counted(facts):
    assert value(facts, "option_buy_share") == pytest.approx(0.5, abs=0.01)
    assert value(facts, "unsigned_share") == 0.0
    assert value(facts, "complex_share") == pytest.approx(0.2, abs=0.001)
    assert facts["block_share"].value is None
    assert value(facts, "top_10_contracts") == 1.0
    assert value(facts, "contracts_traded") == 2.0
    assert value(facts, "prints_per_session") == 2 * 30 * 4 + 330
    assert value(facts, "call_share") == pytest.approx(6 / 16, abs=0.01)
    assert value(facts, "expiry_31") == pytest.approx(10 / 16, abs=0.01)
    assert value(facts, "expiry_0_1") + value(facts, "expiry_2_7") + value(
        facts, "expiry_8_30"
    ) == pytest.approx(6 / 16, abs=0.01)
    assert value(facts, "delta_60") == pytest.approx(6 / 16, abs=0.01)


def test_signs_remember_as_they_were_made(facts):
    signs = np.where(np.arange(2_340) // 10 % 2 == 0, 1.0, -1.0)
    for lag in (1, 5, 10):
        expected = float((signs[:-lag] * signs[lag:]).mean())
        assert value(facts, f"hedge_sign_acf_{lag}") == pytest.approx(expected, abs=0.01)
    assert value(facts, "hedge_sign_acf_10") == pytest.approx(-1.0, abs=0.01)
    assert value(facts, "flow_return_1m") > 0.9
    assert value(facts, "hedge_buy_share") == pytest.approx(0.5)


def test_spreads_in_volatility_are_the_two_points_that_were_put_in(facts):
    for bucket in ("all", "atm", "otm"):
        found = value(facts, f"print_spread_iv_{bucket}")
        assert found == pytest.approx(2.0, rel=0.01)
    assert value(facts, "print_no_bid") == 0.0
    quoted = prints().filter(contract="FAR P")
    relative = (quoted["ask"] - quoted["bid"]) / (quoted["ask"] + quoted["bid"]) * 2
    assert value(facts, "print_spread_otm") == pytest.approx(relative.median(), rel=0.02)
    assert facts["quote_spread_all"].note == "no tape of option quotes"


def test_the_hedge_s_spread_counts_by_the_time_that_it_stood(facts):
    assert value(facts, "hedge_spread_median") == pytest.approx(1.0, rel=0.01)
    assert value(facts, "hedge_spread_mean") == pytest.approx((50 * 1 + 10 * 7) / 60, rel=0.001)


def test_returns_are_those_of_the_bars(facts):
    assert value(facts, "return_acf_1") == pytest.approx(-1.0, abs=0.01)
    assert value(facts, "kurtosis_1m") == pytest.approx(1.0, abs=1e-4)
    variance = 77 * 0.001**2 / (5 * 77) * 252 * 390
    assert value(facts, "volatility") == pytest.approx(np.sqrt(variance))
    night = (0.02 - 0.001) ** 2  # sessions end at an odd minute
    assert value(facts, "overnight_share") == pytest.approx(night / (night + 389 * 0.001**2))
    assert value(facts, "u_variance") == pytest.approx((1 + 29 / 30) / 2, rel=0.001)


def test_open_interest_is_what_was_published_before_the_session(facts):
    held = 100.0 + 10.0 * np.arange(SESSIONS)
    near = [each for each, left in zip(held, (8, 7, 6, 5, 4, 0), strict=True) if left < 8]
    assert value(facts, "interest_0_7") == pytest.approx(sum(near) / (held + 300).sum())
    assert value(facts, "interest_calls") == pytest.approx(held.sum() / (held + 300).sum())
    assert value(facts, "interest_change") == pytest.approx(5 * 10 / (held[:5] + 300).sum())


def test_errors_come_from_sessions(facts):
    assert facts["u_prints"].error == pytest.approx(0.0, abs=1e-12)
    assert facts["interest_calls"].error > 0.0


# --- what a tape cannot tell --------------------------------------------------------------------


def one_tape(root, kind, frame, resolution, contracts=None):
    return Made(root).add(kind, key(kind, resolution=resolution), frame, coverage(), contracts)


def test_stamps_of_minutes_tell_counts_of_five_minutes_only(tmp_path):
    frame = prints().with_columns(ts=pl.col("ts") // MINUTE_NS * MINUTE_NS)
    frame = frame.with_columns(known_at=pl.col("ts") + MINUTE_NS)
    made = one_tape(tmp_path, TapeKind.OPTION_TRADES, frame, MINUTE_NS, CONTRACTS)
    found = stylised_facts(made, "ABC")
    for name in ("fano_1s", "fano_10s", "fano_1m", "fano_own_1m", "gap_variation"):
        assert found[name].note == "stamps of 1 min are too coarse"
    assert found["fano_5m"].value is not None
    assert found["volatility"].note == "no bars of the underlying"
    assert found["hedge_spread_mean"].note == "no quotes of the hedge instrument"
    assert found["interest_calls"].note == "no tape of options' open interest"


def test_bars_in_place_of_prints_tell_volume_and_no_sizes_or_signs(tmp_path):
    frame = prints().with_columns(ts=pl.col("ts") // MINUTE_NS * MINUTE_NS)
    frame = frame.unique(["ts", "contract"], keep="first", maintain_order=True).with_columns(
        known_at=pl.col("ts") + MINUTE_NS, aggressor=pl.lit(0), bid=pl.lit(None), ask=pl.lit(None)
    )
    made = one_tape(tmp_path, TapeKind.OPTION_TRADES, frame, MINUTE_NS, CONTRACTS)
    found = stylised_facts(made, "ABC")
    for name in ("size_median", "fano_5m", "same_contract_minute", "u_prints"):
        assert found[name].note == "the tape has one row a contract and minute: bars, not prints"
    assert found["option_sign_acf_1"].note == "the tape knows no prints' sides"
    assert found["print_spread_all"].note == "prints carry no quotes"
    assert value(found, "unsigned_share") == 1.0
    assert value(found, "u_volume") > 1.0


def test_a_few_minutes_tell_nothing_of_minutes(tmp_path):
    frame = hedge_trades().head(60)
    found = stylised_facts(one_tape(tmp_path, TapeKind.HEDGE_TRADES, frame, MILLISECOND), "ABC")
    assert found["hedge_sign_acf_1"].note == "too few observations (59)"
    assert found["flow_return_1m"].note == "too few observations (9)"
    assert found["size_median"].note == "no option trades of ABC"


def test_rows_outside_the_sessions_are_refused_where_there_are_no_others(tmp_path):
    frame = hedge_trades().with_columns(pl.col("ts") + 8 * 3600 * SECOND_NS).head(60)
    made = Made(tmp_path).add(
        TapeKind.HEDGE_TRADES,
        key(TapeKind.HEDGE_TRADES),
        frame.with_columns(known_at=pl.col("ts") + MILLISECOND),
        None,
    )
    with pytest.raises(CatalogError, match="no row of ABC lies in a session of XNYS"):
        stylised_facts(made, "ABC")
    assert stylised_facts(made, "ABC", calendar="24/7").sessions == 1


def test_an_underlying_that_is_not_there_is_refused_by_name(catalog):
    with pytest.raises(CatalogError, match=r"no tape of XYZ .* The catalog holds ABC"):
        stylised_facts(catalog, "XYZ")


# --- the page -----------------------------------------------------------------------------------


def test_a_page_holds_every_fact_of_both_markets_and_what_it_is(facts):
    page = facts_page([facts, facts])
    rows = [line for line in page.splitlines() if line.startswith("| memory of signs, hedge")]
    assert len(rows) == 8
    assert rows[0].count(facts["hedge_sign_acf_1"].text) == 2
    assert rows[0].endswith("| yes |")
    assert "SIMULATED" not in page
    assert all(each.text.replace("|", "\\|") in page for each in DEFINITIONS)
