"""Every kind of event by another route: raw files, plain sums, medians by hand."""

from __future__ import annotations

import re
import statistics
import zipfile
from collections import defaultdict
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from builders.expiry_friday import (
    CLOSE,
    OPEN,
    PUBLISHED,
    closes,
    interest,
    prints,
)
from builders.stock_market import SESSION_MINUTES, session_open
from hedgeflow.market.contracts import parse_osi_option
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS
from hedgeflow.signals.settlement_events import EventKind
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.studies.expiration.feed import feed_of, session_minutes
from hedgeflow.studies.periods import within
from hedgeflow.studies.poison import poisoned

SOURCE = ExpirationPressureConfig.source()


@pytest.fixture(scope="module")
def feed(friday):
    return feed_of(friday, SOURCE)


def of(feed, kind):
    return feed.events[feed.events["kind"] == kind]


def sums(feed, kind) -> dict[str, float]:
    """Return the sum of a kind of events by contract."""
    found: dict[str, float] = defaultdict(float)
    for row in of(feed, kind):
        found[feed.chain.symbols[row["contract"]]] += float(row["value"])
    return dict(found)


def test_prices_are_the_closes_of_minutes_at_their_ends(feed):
    rows = of(feed, EventKind.PRICE)
    ends = [
        session_open(day) + (minute + 1) * MINUTE_NS
        for day in (-1, 0)
        for minute in range(SESSION_MINUTES)
    ]
    assert rows["known_ns"].tolist() == ends
    assert rows["value"].tolist() == closes().tolist()


def test_another_underlyings_hedge_leaves_the_prices_to_bars_of_the_options_own(friday, feed):
    """SPX options hedged in ES: the index's bars price the strikes, whatever ES does."""
    other = replace(
        friday,
        hedge=replace(friday.hedge, underlying="ANOTHER"),
        bars=friday.bars.with_columns(pl.col("open", "high", "low", "close") + 25.0),
        underlying_bars=friday.bars,
    )
    assert (
        of(feed_of(other, SOURCE), EventKind.PRICE).tobytes() == of(feed, EventKind.PRICE).tobytes()
    )


def test_without_such_bars_the_prints_tell_the_price(friday):
    other = replace(friday, hedge=replace(friday.hedge, underlying="ANOTHER"))
    told = of(feed_of(other, SOURCE), EventKind.PRICE)
    frame = pl.concat(list(friday.option_tape.slices()))
    assert 0 < told.size <= frame.height
    assert set(told["value"].tolist()) <= set(frame["underlying_price"].to_list())


def test_a_day_without_such_bars_has_the_prices_of_its_prints(friday):
    other = replace(
        friday,
        hedge=replace(friday.hedge, underlying="ANOTHER"),
        underlying_bars=friday.bars.filter(
            pl.col("ts").dt.date() < friday.bars["ts"].dt.date().max()
        ),
    )
    told = of(feed_of(other, SOURCE), EventKind.PRICE)
    last_day = told["known_ns"] >= OPEN
    frame = pl.concat(list(friday.option_tape.slices()))
    assert last_day.any()
    assert set(told["value"][last_day].tolist()) <= set(frame["underlying_price"].to_list())


def test_bars_that_come_later_in_a_day_take_no_print_away(friday):
    """Which prices are heard in the morning does not hang on what is recorded at noon."""
    noon = OPEN + 150 * MINUTE_NS
    late = friday.bars.filter(pl.col("ts").dt.timestamp("ns") >= noon)
    other = replace(friday, hedge=replace(friday.hedge, underlying="ANOTHER"))
    never, later = (
        of(feed_of(replace(other, underlying_bars=bars), SOURCE), EventKind.PRICE)
        for bars in (friday.bars.clear(), late)
    )
    until = [told[told["known_ns"] <= noon] for told in (never, later)]
    assert until[0].size
    assert until[0].tobytes() == until[1].tobytes()
    after = later[later["known_ns"] > noon]
    assert after["value"].tolist() == late["close"].to_list()


def test_a_period_and_a_poisoned_market_change_the_underlyings_own_bars_too(friday):
    cut = int(friday.bars["known_at"].dt.timestamp("ns")[-100])
    other = replace(friday, underlying_bars=friday.bars)
    part = within(other, SOURCE, until_ns=cut).underlying_bars
    assert part is not None
    assert part.equals(friday.bars.filter(pl.col("known_at").dt.timestamp("ns") <= cut))
    changed = poisoned(other, SOURCE, cut, seed=1).underlying_bars
    assert changed is not None
    known = pl.col("known_at").dt.timestamp("ns") <= cut
    assert changed.filter(known).equals(friday.bars.filter(known))
    assert (changed.filter(~known)["close"] != friday.bars.filter(~known)["close"]).all()


def test_official_counts_stand_when_they_were_known(feed):
    assert sums(feed, EventKind.SETTLED) == interest()
    assert set(of(feed, EventKind.SETTLED)["known_ns"].tolist()) == {PUBLISHED}


def test_volume_is_every_print_and_its_side_is_the_aggressors(feed):
    volume: dict[str, float] = defaultdict(float)
    signed: dict[str, float] = defaultdict(float)
    for row in prints():
        volume[row["contract"]] += row["lots"]
        signed[row["contract"]] += row["lots"] * row["aggressor"]
    assert sums(feed, EventKind.VOLUME) == dict(volume)
    told = sums(feed, EventKind.SIGNED)
    # All prints of a contract have one price, so that no rule tells the side of unsigned ones.
    assert {name: value for name, value in signed.items() if value} == {
        name: value for name, value in told.items() if value
    }
    assert set(feed.signed) == {"AGGRESSOR", "NONE"}
    assert sum(feed.signed.values()) == sum(volume.values())


@pytest.mark.parametrize("minute", [60, 121, 240, 388])
def test_volatility_is_the_median_of_the_last_hours_prints_of_the_next_week(feed, minute):
    at = OPEN + minute * MINUTE_NS
    near = [
        row["iv"]
        for row in prints()
        if at - HOUR_NS < row["known_at"] <= at
        and parse_osi_option(row["contract"], "usa").expiry_ns > CLOSE
    ]
    assert len(near) >= 5
    rows = of(feed, EventKind.SIGMA)
    (value,) = rows["value"][rows["known_ns"] == at]
    assert value == pytest.approx(statistics.median(near), rel=1e-12)
    assert feed.sigma_source(at) == "implied"


def test_before_five_prints_volatility_is_that_of_the_bars(feed):
    at = OPEN + 10 * MINUTE_NS
    assert feed.sigma_source(at) == "realised"
    assert feed.sigma_source(session_open(-1) - 1) is None
    rows = of(feed, EventKind.SIGMA)
    (value,) = rows["value"][rows["known_ns"] == at]
    path = closes()[: SESSION_MINUTES + 10]
    halves = np.split(path, [SESSION_MINUTES])  # a night makes no return
    moves = np.concatenate([np.diff(np.log(half)) for half in halves])
    last_day = moves[-SESSION_MINUTES:]  # 24 hours of trading are sessions of 390 minutes
    assert value == pytest.approx(float(np.sqrt(np.mean(last_day**2) * 252 * 390)), rel=0.02)


def test_an_expirys_session_has_the_length_of_the_day(friday, feed):
    assert session_minutes(friday, feed.chain)[0] == SESSION_MINUTES


def test_recorded_counts_are_those_of_the_raw_files(recorded, market_data):
    folder = market_data / "lean" / "option" / "usa" / "minute" / "aapl"
    raw: dict[tuple[str, float], float] = {}
    with zipfile.ZipFile(folder / "20140606_openinterest_american.zip") as archive:
        for name in archive.namelist():
            found = re.search(r"_(call|put)_(\d+)_(20140606|20140607)\.csv$", name)
            if found:
                last = archive.read(name).decode().strip().splitlines()[-1]
                raw[found[1], int(found[2]) / 10_000] = float(last.split(",")[1])
    feed = feed_of(recorded("AAPL"), SOURCE)
    told: dict[tuple[str, float], float] = {}
    for row in of(feed, EventKind.SETTLED):
        option = parse_osi_option(feed.chain.symbols[row["contract"]], "usa")
        if option.expiry_ns == CLOSE:
            told["call" if option.right.value == "C" else "put", option.strike] = row["value"]
    assert told == raw


def test_a_sweeps_volatility_holds_a_day(recorded):
    market = recorded("BTC")
    feed = feed_of(market, SOURCE)
    terms = {
        row["contract"]: (row["strike"], row["expiry"])
        for row in market.contracts.iter_rows(named=True)
    }
    rows = pl.concat(list(market.option_tape.slices()))
    known = rows["known_at"].unique().sort()
    first, last = known[0], known[-1]
    by_expiry = defaultdict(list)
    for row in rows.filter(pl.col("known_at") == first).iter_rows(named=True):
        strike, expiry = terms[row["contract"]]
        days = (expiry - row["known_at"]).total_seconds() / 86_400
        near = abs(strike / row["underlying_price"] - 1) <= 0.03
        if 1 <= days <= 30 and near and row["iv"] is not None and row["iv"] > 0:
            by_expiry[expiry].append(row["iv"])
    nearest = min(expiry for expiry, found in by_expiry.items() if len(found) >= 5)
    sigma = of(feed, EventKind.SIGMA)
    first_ns, last_ns = (int(each.timestamp() * 1e6) * 1_000 for each in (first, last))
    (value,) = sigma["value"][sigma["known_ns"] == first_ns]
    assert value == pytest.approx(statistics.median(by_expiry[nearest]))
    assert feed.sigma_source(first_ns - 1) == "realised"
    after = sigma["known_ns"][sigma["known_ns"] > last_ns]
    assert after.size
    for at in after.tolist():
        assert feed.sigma_source(at) == ("implied" if at - last_ns <= DAY_NS else "realised")


def test_bars_win_over_the_late_prices_of_snapshots(recorded, scanned):
    market = recorded("SPX")
    ends = market.bars["known_at"].dt.timestamp("ns").to_numpy()
    conditions = scanned("SPX").more["conditions"]
    assert conditions.height
    place = np.searchsorted(ends, conditions["at_ns"].to_numpy(), side="right") - 1
    assert conditions["price"].to_list() == market.bars["close"].to_numpy()[place].tolist()
