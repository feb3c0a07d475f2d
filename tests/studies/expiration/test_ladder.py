"""Ladders against other routes: raw files, finite differences, scipy, grids, and other folds."""

from __future__ import annotations

import json
import re
import zipfile
from collections import defaultdict
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from builders.expiry_friday import (
    CLOSE,
    CONTRACTS,
    OPEN,
    PUBLISHED,
    STRIKES,
    closes,
    friday_market,
    interest,
    prints,
)
from builders.recorded_markets import apple
from hedgeflow.journal import VaultError
from hedgeflow.market.contracts import parse_osi_option
from hedgeflow.market.errors import CatalogError, ConfigError, DataError
from hedgeflow.market.expiries import SettlementKind
from hedgeflow.market.expiries.clock import Phase
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from hedgeflow.signals.settlement_events import EventKind
from hedgeflow.signals.settlement_rules import SignalClass, Urgency
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.rules import pressure_rules
from hedgeflow.studies.expiration.feed import feed_of
from hedgeflow.studies.expiration.ladder import (
    LadderFold,
    ladder_at,
    ladders,
    pressure_words,
)
from hedgeflow.studies.expiration.ladder_document import ladder_document
from hedgeflow.studies.expiration.markets import load_expiry_market
from hedgeflow.studies.expiration.rungs import OF_ALERTS, RUNG
from hedgeflow.studies.expiration.scanning import expiry_scan
from hedgeflow.studies.periods import within

SOURCE = ExpirationPressureConfig.source()
NORMALIZED = ExpirationPressureConfig.normalized()
AT = CLOSE - 25 * MINUTE_NS - 7 * SECOND_NS - 250_000_000
"""Between two prints: 25 minutes and 7.25 seconds before the close."""

YEAR = 252.0 * 390.0


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    return friday_market(tmp_path_factory.mktemp("friday"), SOURCE)


@pytest.fixture(scope="module")
def fold(market):
    """A feed that is made once; each test takes a ladder of its own fold."""
    made = feed_of(market, SOURCE)

    def at(instant, config=SOURCE):
        return LadderFold(market, config, made).at(instant)

    return at


@pytest.fixture(scope="module")
def ladder(fold):
    return fold(AT)


def same(one, other):
    a, b = (json.dumps(ladder_document(each), sort_keys=True) for each in (one, other))
    return a == b


# --- the head -----------------------------------------------------------------------------------


def test_time_left_is_of_the_second_and_below(ladder):
    assert ladder.expiry_ns == CLOSE
    assert ladder.seconds_left == 25 * 60 + 7.25
    assert ladder.minutes_left == pytest.approx(25.0 + 7.25 / 60.0, rel=1e-15)


def test_the_expiry_is_told_with_settlement_phase_and_calendar(ladder):
    assert ladder.settlement is SettlementKind.AMERICAN_ASSIGNMENT
    assert (ladder.features.weekday, ladder.features.weekly) == ("Friday", True)
    assert ladder.features.triple_witching is False
    assert ladder.phase is Phase.HIGH_PRESSURE
    assert ladder.zone == "America/New_York"


def test_the_price_is_the_close_of_the_last_bar_that_has_ended(ladder):
    ended = (AT - OPEN) // MINUTE_NS
    assert ladder.price == closes()[390 + ended - 1]
    assert ladder.price_ns == OPEN + ended * MINUTE_NS
    assert ladder.evaluated_ns == ladder.price_ns
    known = [
        row["iv"]
        for row in prints()
        if row["iv"] < 0.35 and ladder.price_ns - HOUR_NS < row["known_at"] <= ladder.price_ns
    ]
    assert ladder.sigma_source == "implied"
    assert min(known) <= ladder.sigma <= max(known)


def test_notices_are_those_given_so_far(fold, ladder):
    assert ladder.notices["minutes_left"].to_list() == [120.0, 45.0]
    later = fold(CLOSE - 90 * SECOND_NS)
    assert later.notices.filter(kind="TIMED")["minutes_left"].to_list() == [120.0, 45.0, 15.0, 2.0]
    warned = later.notices.filter(kind="PREPARE_FOR_PANIC_MODE")
    near = later.rungs.filter(pl.col("distance") < 2.0, pl.col("oi") >= 2_000.0)
    assert near.height
    assert set(near["strike"]) <= set(warned["strike"])


# --- open interest ------------------------------------------------------------------------------


def test_settled_is_what_was_published_with_its_instant_calls_and_puts_apart(ladder):
    counts = interest()
    for rung in ladder.rungs.iter_rows(named=True):
        mine = {
            parse_osi_option(each, "usa").right: count
            for each, count in counts.items()
            if parse_osi_option(each, "usa").strike == rung["strike"]
        }
        assert (rung["settled_calls"], rung["settled_puts"]) == (mine["C"], mine["P"])
        assert rung["settled_oi"] == mine["C"] + mine["P"]
        assert rung["settled_ns"] == PUBLISHED


def test_estimated_is_another_column_settled_and_signed_volume_within_what_was_traded(ladder):
    signed, traded = defaultdict(float), defaultdict(float)
    for row in prints():
        if row["known_at"] <= AT:
            signed[row["contract"]] += row["aggressor"] * row["lots"]
            traded[row["contract"]] += row["lots"]
    by_strike = {strike: [0.0] * 4 for strike in STRIKES}
    for each, count in interest().items():
        option, sums = (
            parse_osi_option(each, "usa"),
            by_strike[parse_osi_option(each, "usa").strike],
        )
        sums[0 if option.right == "C" else 1] += max(0.0, count + signed[each])
        sums[2] += max(0.0, count - traded[each])
        sums[3] += count + traded[each]
    assert any(traded[each] for each in CONTRACTS)
    unsigned = {row["contract"] for row in prints() if row["aggressor"] == 0}
    assert unsigned  # their side is told by the tick test or not at all
    for rung in ladder.rungs.iter_rows(named=True):
        calls, puts, low, high = by_strike[rung["strike"]]
        assert (rung["oi_low"], rung["oi_high"]) == (low, high)
        assert rung["estimated_calls"] + rung["estimated_puts"] == rung["estimated_oi"]
        assert low <= rung["estimated_oi"] <= high
        assert rung["estimated_calls"] == pytest.approx(calls, abs=0.0)
        assert rung["estimated_puts"] == pytest.approx(puts, abs=0.0)
    assert (ladder.rungs["estimated_oi"] != ladder.rungs["settled_oi"]).any()


def test_a_strike_that_never_traded_says_that_a_convention_tells_its_side(ladder):
    bases = dict(ladder.rungs.select("strike", "gamma_basis").iter_rows())
    assert bases[660.0] == "LONG_CALLS_SHORT_PUTS"
    assert bases[645.0] == "SIGNED_FLOW"
    top = ladder.rungs.filter(strike=660.0).row(0, named=True)
    assert top["dealer_units"] == 100.0 * (top["settled_calls"] - top["settled_puts"])
    assert any("is told by the volume that was signed" in note for note in ladder.notes)


# --- gamma and chances, by other means ----------------------------------------------------------


def deviation(ladder):
    return ladder.sigma * np.sqrt(ladder.minutes_left / YEAR)


def call_delta(price, strike, left):
    return norm.cdf(np.log(price / strike) / left + left / 2.0)


def test_dealer_gamma_is_the_change_of_delta_over_a_cent(ladder):
    left, rungs = deviation(ladder), ladder.rungs
    strike, units = rungs["strike"].to_numpy(), rungs["dealer_units"].to_numpy()
    up, down = (call_delta(ladder.price + step, strike, left) for step in (0.005, -0.005))
    expected = units * (up - down) / 0.01
    np.testing.assert_allclose(rungs["dealer_gamma"].to_numpy(), expected, rtol=1e-4, atol=1e-3)
    assert ladder.profile.total == pytest.approx(expected.sum(), rel=1e-4)


def test_hedging_of_one_percent_is_minus_the_whole_change_of_delta(ladder):
    left, rungs = deviation(ladder), ladder.rungs
    strike, units = rungs["strike"].to_numpy(), rungs["dealer_units"].to_numpy()
    now = call_delta(ladder.price, strike, left)
    for flow, to in ((ladder.profile.flow_up, 1.01), (ladder.profile.flow_down, 0.99)):
        then = call_delta(to * ladder.price, strike, left)
        assert flow == pytest.approx(-(units * (then - now)).sum(), rel=1e-9)


def test_the_flip_is_the_nearest_change_of_sign_on_a_coarse_grid(ladder):
    left, rungs = deviation(ladder), ladder.rungs
    strike, units = rungs["strike"].to_numpy(), rungs["dealer_units"].to_numpy()
    grid = np.linspace(strike[0], strike[-1], 4_001)
    d1 = np.log(grid[:, None] / strike) / left + left / 2.0
    net = (units * norm.pdf(d1) / (grid[:, None] * left)).sum(axis=1)
    turns = np.flatnonzero(np.sign(net[1:]) != np.sign(net[:-1]))
    assert turns.size
    middle = (grid[turns] + grid[turns + 1]) / 2.0
    nearest = middle[np.argmin(np.abs(middle - ladder.price))]
    assert ladder.profile.flip == pytest.approx(nearest, abs=grid[1] - grid[0])
    gamma = dict(rungs.select("strike", "dealer_gamma").iter_rows())
    assert ladder.profile.call_wall == max(gamma, key=gamma.get)
    assert ladder.profile.put_wall == min(gamma, key=gamma.get)


def test_chances_are_those_of_scipy_and_of_the_source_s_words(ladder):
    left, price = deviation(ladder), ladder.price
    strike = ladder.rungs["strike"].to_numpy()
    middle = (strike[1:] + strike[:-1]) / 2.0
    marks = np.concatenate(([2 * strike[0] - middle[0]], middle, [2 * strike[-1] - middle[-1]]))
    below = norm.cdf((np.log(marks / price) + left**2 / 2.0) / left)
    np.testing.assert_allclose(ladder.rungs["lognormal"], np.diff(below), rtol=1e-9, atol=1e-13)
    away = np.abs(price - strike)
    np.testing.assert_allclose(ladder.rungs["source"], np.maximum(0.5, 1.0 - away / 20.0))
    beyond = norm.cdf((np.log(price / strike) - left**2 / 2.0) / left)
    np.testing.assert_allclose(ladder.rungs["in_the_money_call"], beyond, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(
        ladder.rungs["in_the_money_put"], 1.0 - beyond, rtol=1e-9, atol=1e-13
    )
    assert ladder.rungs["empirical"].is_null().all()  # no earlier expiry
    sigmas = np.abs(np.log(price / strike)) / left
    np.testing.assert_allclose(ladder.rungs["distance_sigmas"], sigmas, rtol=1e-12)
    assert ladder.expected_move == pytest.approx(price * left)


def test_distances_and_pressure_are_in_points_of_the_preset(fold, ladder):
    assert ladder.point == 1.0
    other = fold(AT, NORMALIZED)
    point = other.price * other.sigma * np.sqrt(8.0 / YEAR) / 8.0
    assert other.point == pytest.approx(point, rel=1e-12)
    away = np.abs(other.price - other.rungs["strike"].to_numpy())
    np.testing.assert_allclose(other.rungs["distance_points"], away / point, rtol=1e-12)
    pressed = ladder.rungs["oi"] * ladder.rungs["source"] / ladder.minutes_left**2
    np.testing.assert_allclose(ladder.rungs["pressure"], pressed, rtol=1e-12)


# --- alerts -------------------------------------------------------------------------------------


def test_alerts_are_the_conditions_of_a_plain_scan_at_the_last_evaluation(market, ladder):
    feed = feed_of(market, SOURCE)
    known = feed.events[feed.events["known_ns"] <= AT]
    found = expiry_scan(market, SOURCE, feed).advance(known).conditions
    found = found[found["at_ns"] == ladder.evaluated_ns]
    shown = ladder.rungs.filter(pl.col("urgency").is_not_null())
    assert shown.height == found.size > 0
    for rung, condition in zip(shown.iter_rows(named=True), found, strict=True):
        for name in ("strike", "alert_number", "confidence", "target_distance"):
            assert rung[name] == condition[name]
        assert rung["urgency"] == Urgency(int(condition["urgency"])).name == "HIGH"
        assert rung["signal_class"] == SignalClass(int(condition["signal_class"])).name
        assert condition["threshold"] == ladder.threshold == 10.0
        above = ladder.price > rung["strike"]
        assert rung["direction"] == ("BUY_FUTURES" if above else "SELL_FUTURES")
    none = ladder.rungs.filter(pl.col("urgency").is_null())
    assert none.height
    assert all(none[name].is_null().all() for name in OF_ALERTS)


@pytest.mark.parametrize(
    ("changes", "minutes", "reason"),
    [
        ({}, 25.5, "NO_HISTORY"),
        ({}, 200.5, "TOO_EARLY"),
        ({"pressure": {"threshold_rule": "fixed", "confidence": "linear"}}, 200.5, ""),
        ({"pressure": {"probability": "empirical"}}, 25.5, "NO_MODEL"),
    ],
)
def test_why_nothing_can_be_an_alert_is_what_the_fold_counts(
    market, fold, changes, minutes, reason
):
    document = NORMALIZED.model_dump()
    for section, values in changes.items():
        document[section] |= values
    config = ExpirationPressureConfig.model_validate(document)
    at = CLOSE - round(minutes * MINUTE_NS)
    shown = fold(at, config)
    assert (shown.no_alert, shown.threshold is None) == (reason, bool(reason))
    feed = feed_of(market, config)
    events = feed.events
    scan = expiry_scan(market, config, feed)
    scan.advance(events[events["known_ns"] < shown.evaluated_ns])
    before = scan.counts
    scan.advance(events[events["known_ns"] == shown.evaluated_ns])
    grown = {
        name for name in ("no_history", "no_sigma", "no_scale", "no_model")
        if (scan.counts[name] > before[name]).any()
    }  # fmt: skip
    assert grown == ({reason.lower()} - {"too_early", ""})


def test_without_a_usual_volume_or_a_volatility_it_is_said(market):
    made = feed_of(market, NORMALIZED)
    made.events["value"][made.events["kind"] == EventKind.SCALE] = np.nan
    assert LadderFold(market, NORMALIZED, made).at(AT).no_alert == "NO_SCALE"
    made.events["value"][made.events["kind"] == EventKind.SIGMA] = np.nan
    config = NORMALIZED.model_copy(
        update={"scale": NORMALIZED.scale.model_copy(update={"demand": "absolute"})}
    )
    shown = LadderFold(market, config, made).at(AT)
    assert shown.no_alert == "NO_SIGMA"
    assert (shown.sigma, shown.sigma_source, shown.profile, shown.expected_move) == (None,) * 4
    assert shown.rungs["dealer_gamma"].is_null().all()
    assert shown.rungs["dealer_units"].is_not_null().all()
    assert any("No volatility is known" in note for note in shown.notes)


# --- time ---------------------------------------------------------------------------------------


def test_any_instants_before_give_the_same_ladder(market, fold, ladder):
    made = feed_of(market, SOURCE)

    @settings(max_examples=15)
    @given(st.lists(st.integers(OPEN, AT), max_size=6))
    def check(instants):
        folded = LadderFold(market, SOURCE, made)
        for instant in sorted(instants):
            folded.at(instant)
        assert same(folded.at(AT), ladder)

    check()
    several = list(ladders(market, SOURCE, [OPEN + HOUR_NS, AT]))
    assert [each.at_ns for each in several] == [OPEN + HOUR_NS, AT]
    assert same(several[0], fold(OPEN + HOUR_NS))
    assert same(several[1], ladder)


def test_nothing_that_is_known_later_changes_it(tmp_path, ladder):
    other = friday_market(tmp_path, SOURCE, poisoned_from=AT)
    assert same(ladder_at(other, SOURCE, AT), ladder)
    later = ladder_at(other, SOURCE, CLOSE - MINUTE_NS)
    assert later.price > 4_000.0  # the poison is there


def test_what_is_known_at_the_instant_itself_is_in_it(fold):
    minute = OPEN + 300 * MINUTE_NS
    assert fold(minute).price_ns == minute
    assert fold(minute - 1).price_ns == minute - MINUTE_NS


def test_without_an_instant_it_is_the_last_known_half_an_hour_before_the_last_expiry(market):
    shown = ladder_at(market, SOURCE)
    assert shown.at_ns == CLOSE - 30 * MINUTE_NS
    assert shown.phase is Phase.HIGH_PRESSURE


def test_where_prices_begin_later_it_is_the_last_known_before_the_last_expiry(market):
    feed = feed_of(market, SOURCE)
    early = feed.events["known_ns"] <= CLOSE - 30 * MINUTE_NS
    kept = feed.events[~(early & (feed.events["kind"] == EventKind.PRICE))]
    fold = LadderFold(market, SOURCE, replace(feed, events=kept))
    assert fold.default_ns == CLOSE - MINUTE_NS


def test_the_words_of_pressure_follow_the_settings():
    rules = replace(pressure_rules(NORMALIZED, YEAR), open_interest="settled")
    said = pressure_words(rules)
    assert said.startswith("settled open interest × the chance by model lognormal × 100,000 × 100")
    assert "as parts of a session of 390" in said


def test_time_does_not_go_back(market):
    folded = LadderFold(market, SOURCE)
    folded.at(AT)
    with pytest.raises(DataError, match="time goes back"):
        folded.at(AT - 1)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (CLOSE, "no expiry is within the 24 hours after it: the last was 2014-06-06T20:00:00Z"),
        (CLOSE + HOUR_NS, "the next is 2014-06-13T20:00:00Z, 167 h later"),
        (CLOSE - DAY_NS - MINUTE_NS, "the next is 2014-06-06T20:00:00Z, 24 h 1 min later"),
        (CLOSE + 30 * DAY_NS, "no expiry is within"),
        (OPEN - 9 * DAY_NS, "nothing was known by then: the tapes begin 2014-06-05T"),
        (PUBLISHED - 1, "no open interest of the expiry 2014-06-06T20:00:00Z was known by then"),
    ],
)
def test_an_instant_without_a_ladder_is_refused_with_the_reason(fold, at, words):
    with pytest.raises(ConfigError, match=re.escape(words)) as refusal:
        fold(at)
    assert refusal.value.where.startswith("ladder of AAPL at ")
    assert refusal.value.hint


def test_what_comes_after_a_sealed_vault_s_start_is_refused(market):
    part = within(market, SOURCE, until_ns=CLOSE - HOUR_NS)
    assert ladder_at(part, SOURCE, CLOSE - HOUR_NS).price_ns == CLOSE - HOUR_NS
    with pytest.raises(VaultError, match="a sealed vault begins 2014-06-06T19:00:00Z"):
        ladder_at(part, SOURCE, CLOSE - HOUR_NS + 1)


def test_options_without_open_interest_are_refused(tmp_path):
    from builders.stock_market import stock_catalog

    with pytest.raises(CatalogError, match="nothing says how much open interest"):
        load_expiry_market(stock_catalog(tmp_path), "AAPL", SOURCE)


# --- as data ------------------------------------------------------------------------------------


def test_rungs_have_the_documented_schema_and_around_takes_them_by_the_price(ladder):
    assert dict(ladder.rungs.schema) == RUNG
    assert ladder.rungs["strike"].to_list() == list(STRIKES)
    below = [each for each in STRIKES if each <= ladder.price]
    above = [each for each in STRIKES if each > ladder.price]
    assert ladder.around(2)["strike"].to_list() == below[-2:] + above[:2]
    assert ladder.around(100).height == len(STRIKES)


def test_the_document_is_plain_json_and_totals_are_of_all_strikes(ladder):
    document = json.loads(json.dumps(ladder_document(ladder, 1), allow_nan=False))
    assert len(document["rungs"]) == 2
    assert document["strikes_listed"] == len(STRIKES)
    assert document["profile"]["net_gamma"] == ladder.profile.total
    assert document["at_local"] == "2014-06-06T15:34:52.750000-04:00"
    assert document["rungs"][0]["settled"] == "2014-06-06T10:30:00Z"
    assert "settled_ns" not in document["rungs"][0]
    assert document["rungs"][0]["empirical"] is None


# --- a recorded market --------------------------------------------------------------------------


def test_apple_s_open_interest_is_that_of_lean_s_own_files(market_data, tmp_path):
    lean = market_data / "lean" / "option" / "usa" / "minute" / "aapl"
    published = defaultdict(float)
    with zipfile.ZipFile(lean / "20140606_openinterest_american.zip") as files:
        for name in files.namelist():
            right, strike, day = name.removesuffix(".csv").split("_")[-3:]
            if day in {"20140606", "20140607"}:
                last = files.read(name).decode().split()[-1]
                published[int(strike) / 10_000.0, right] += float(last.split(",")[1])
    market = load_expiry_market(apple(market_data, tmp_path), "AAPL", SOURCE)
    shown = ladder_at(market, SOURCE, CLOSE - 30 * MINUTE_NS)
    mine = {
        (rung["strike"], right): rung[f"settled_{right}s"]
        for rung in shown.rungs.iter_rows(named=True)
        for right in ("call", "put")
    }
    assert sum(published.values()) == 267_806
    assert {key: count for key, count in mine.items() if count} == {
        key: count for key, count in published.items() if count
    }
    assert shown.settlement is SettlementKind.AMERICAN_ASSIGNMENT
    assert shown.price == 647.81
    alerts = shown.rungs.filter(pl.col("urgency").is_not_null())
    assert alerts["strike"].to_list() == [625.0, 640.0, 645.0, 647.5, 650.0]
