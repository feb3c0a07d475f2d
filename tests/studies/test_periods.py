"""A part of a market: what came before is known, what comes after does not exist."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import CatalogError
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies import load_market
from hedgeflow.studies.periods import within
from hedgeflow.studies.scanning import scan_market

CONFIG = VolumeShockConfig()
KNOWN_AT_ALERT = (
    "triggered_ns", "detected_ns", "contract", "direction", "demand", "pressure",
    "response_minutes", "confidence", "scale_volume", "flow_class",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(simulated_market):
    return load_market(Catalog.open(simulated_market), "SIM", CONFIG)


@pytest.fixture(scope="module")
def alerts(whole):
    return scan_market(whole, CONFIG).alerts.select(KNOWN_AT_ALERT)


@pytest.fixture(scope="module")
def span(whole) -> tuple[int, int]:
    """The eighth to the tenth day."""
    first = whole.option_tape.first_ns // DAY_NS * DAY_NS
    return first + 8 * DAY_NS, first + 10 * DAY_NS


def test_a_part_gives_the_alerts_of_its_time_as_the_whole_market_does(whole, alerts, span):
    begin, end = span
    part = scan_market(within(whole, CONFIG, from_ns=begin, until_ns=end), CONFIG)
    expected = alerts.filter(pl.col("detected_ns").is_between(begin, end, closed="left"))
    assert expected.height > 5
    assert part.alerts.select(KNOWN_AT_ALERT).equals(expected)
    assert part.anomalies["at_ns"].min() >= begin
    assert set(part.alerts["event_id"]) <= set(part.events["event_id"])


def test_no_tape_of_a_part_knows_its_end_or_what_comes_after(whole, span):
    _, end = span
    part = within(whole, CONFIG, until_ns=end)
    stamps = [frame["ts"].dt.timestamp("ns").max() for frame in part.option_tape.slices()]
    assert max(stamps) < end
    for tape in (part.bars, part.trades, part.quotes):
        assert tape["ts"].dt.timestamp("ns").max() < end
        assert tape["known_at"].dt.timestamp("ns").max() <= end
    assert part.bars["known_at"].dt.timestamp("ns").max() == end  # the bar that ends there
    assert max(part.option_coverage.end_ns.max(), part.bar_coverage.end_ns.max()) <= end
    assert part.option_tape.last_ns < end
    assert part.sessions.open_ns[-1] < end


def test_a_bar_that_an_end_cuts_is_not_known(whole, span):
    cut = span[1] + MINUTE_NS // 2
    part = within(whole, CONFIG, until_ns=cut)
    assert part.bars["known_at"].dt.timestamp("ns").max() == span[1]


def test_what_is_changed_after_the_end_changes_nothing_before_it(whole, span):
    _, end = span
    after = pl.col("ts").dt.timestamp("ns") >= end

    def poisoned_slices():
        for frame in whole.option_tape.slices():
            wild = pl.when(after).then(pl.col("lots") * 50).otherwise(pl.col("lots"))
            yield frame.with_columns(lots=wild)

    bars = whole.bars.with_columns(
        volume=pl.when(after).then(pl.col("volume") * 50).otherwise(pl.col("volume"))
    )
    poisoned = replace(
        whole, bars=bars, option_tape=replace(whole.option_tape, slices=poisoned_slices)
    )
    clean, other = (
        scan_market(within(market, CONFIG, until_ns=end), CONFIG) for market in (whole, poisoned)
    )
    assert clean.alerts.height > 10
    assert clean.alerts.equals(other.alerts)
    assert clean.anomalies.equals(other.anomalies)
    assert clean.scale_volume == other.scale_volume
    assert not scan_market(poisoned, CONFIG).alerts.equals(scan_market(whole, CONFIG).alerts)


def test_sessions_before_the_start_are_not_tested(whole, span):
    begin, end = span
    part = within(whole, CONFIG, from_ns=begin, until_ns=end)
    tested = [int(part.sessions.open_ns[index]) for index in part.tested_sessions(needs_scale=True)]
    assert tested == [begin, begin + DAY_NS]
    assert len(whole.tested_sessions(needs_scale=True)) > 2


def test_a_part_of_a_part_is_the_smaller_of_both(whole, span):
    begin, end = span
    part = within(whole, CONFIG, from_ns=begin, until_ns=end)
    wider = within(part, CONFIG, from_ns=begin - DAY_NS, until_ns=end + DAY_NS)
    assert (wider.from_ns, wider.until_ns) == (begin, end)
    smaller = within(part, CONFIG, from_ns=begin + HOUR_NS, until_ns=end - HOUR_NS)
    assert (smaller.from_ns, smaller.until_ns) == (begin + HOUR_NS, end - HOUR_NS)
    assert smaller.option_tape.recorded_last_ns == whole.option_tape.last_ns


def test_a_part_without_an_end_reads_the_same_tapes(whole, span):
    part = within(whole, CONFIG, from_ns=span[0])
    assert part.bars is whole.bars
    assert (part.from_ns, part.until_ns) == (span[0], None)


@pytest.mark.parametrize(
    ("from_days", "until_days", "says"),
    [
        (None, -1, "nothing was recorded before"),
        (400, None, "nothing was recorded from"),
        (9, 9, "has no length"),
        (10, 9, "has no length"),
    ],
)
def test_a_part_of_which_nothing_is_left_is_refused(whole, span, from_days, until_days, says):
    first = span[0] - 8 * DAY_NS
    bounds = {
        "from_ns": None if from_days is None else first + from_days * DAY_NS,
        "until_ns": None if until_days is None else first + until_days * DAY_NS,
    }
    with pytest.raises(CatalogError, match=says):
        within(whole, CONFIG, **bounds)


def test_an_end_before_the_first_bar_is_refused(whole):
    first = whole.option_tape.first_ns
    late = whole.bars.filter(pl.col("ts").dt.timestamp("ns") > first + HOUR_NS)
    with pytest.raises(CatalogError, match="no bar of SIM-PERP was known before"):
        within(replace(whole, bars=late), CONFIG, until_ns=first + MINUTE_NS)
