"""Who looks into the future is caught, and who does not passes: on toys, simulated and recorded."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from hedgeflow.market.catalog import Catalog
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.simulate import scenario
from hedgeflow.sources import import_bars, import_deribit_trades
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies import Output, leakage, load_market
from hedgeflow.studies.poison import check_leakage, poisoned, put_out
from hedgeflow.studies.scanning import scan_market
from hedgeflow.studies.scenario_settings import config_of
from hedgeflow.studies.simulated_markets import market_in_memory

PRICES = pl.DataFrame({"at_ns": range(10), "price": [float(n * n) for n in range(10)]})
TAPES = ("bars", "trades", "quotes")


def doubled(prices: pl.DataFrame, cut: int) -> pl.DataFrame:
    return prices.with_columns(price=pl.col("price") * (1 + (pl.col("at_ns") > cut).cast(pl.Int8)))


def rising(prices: pl.DataFrame, *, ahead: int = 0) -> dict[str, Output]:
    """Return when the price rose, as known at the time, or so many steps before it was known."""
    rows = prices.with_columns(rise=pl.col("price").diff().shift(-ahead))
    return {"rises": Output(rows.select("at_ns", "rise"), "at_ns")}


def test_a_strategy_that_sees_the_past_alone_passes_at_every_cut():
    found = leakage(rising, PRICES, range(9), doubled)
    assert found.passed
    assert [cut.compared[0].rows for cut in found.cuts] == list(range(1, 10))
    assert "45 rows that were known by then are the same" in found.words


def test_a_strategy_that_looks_one_step_ahead_is_caught_in_the_very_row():
    found = leakage(lambda prices: rising(prices, ahead=1), PRICES, [4], doubled)
    assert not found.passed
    assert found.cuts[0].difference == (
        "rises: row 5, known at 1970-01-01T00:00:00Z, has rise 9.0, with another future 34.0."
    )


def test_a_row_that_appears_only_because_of_the_future_is_caught():
    def last_high(prices: pl.DataFrame) -> dict[str, Output]:
        return {
            "highs": Output(prices.filter(pl.col("price") > 0.3 * prices["price"].max()), "at_ns")
        }

    found = leakage(last_high, PRICES, [6], doubled)
    assert "highs: 2 rows, with another future 0." in found.cuts[0].difference


def test_nothing_passes_without_a_cut():
    assert not leakage(rising, PRICES, [], doubled).passed


@pytest.fixture(scope="module")
def simulated():
    """Return a market with ticks, its configuration and its alerts."""
    small = scenario("effect", days=6, seed=7)
    config = config_of(small)
    market, _ = market_in_memory(small, config)
    return market, config, scan_market(market, config).alerts


def test_the_volume_shock_passes_on_a_simulated_market(simulated):
    found = check_leakage(*simulated)
    assert found is not None
    assert found.passed, found.cuts
    assert len(found.cuts) == 3
    assert all(each.rows for each in found.cuts[-1].compared)


def test_another_future_keeps_the_past_and_changes_everything_after_it(simulated):
    market, config, alerts = simulated
    cut = int(alerts["detected_ns"][alerts.height // 2])
    other = poisoned(market, config, cut, seed=1)
    for name in TAPES:
        mine, theirs = getattr(market, name), getattr(other, name)
        known = pl.col("known_at").dt.timestamp("ns") <= cut
        assert mine.filter(known).equals(theirs.filter(known))
        values = [column for column in mine.columns if mine[column].dtype == pl.Float64]
        later = theirs.filter(~known).select(values)
        stayed = later.join(mine.filter(~known).select(values), on=values, how="semi")
        assert stayed.height == 0
        if name != "trades":
            assert theirs["ts"].equals(mine["ts"])
    before, after = (put_out(each, config, None)["alerts"].rows for each in (market, other))
    assert not before.equals(after)


def test_the_bar_that_has_begun_keeps_its_open_and_nothing_else(simulated):
    market, config, _ = simulated
    cut = int(market.bars["ts"].to_physical()[500]) + MINUTE_NS // 2
    other = poisoned(market, config, cut, seed=1)
    mine, theirs = market.bars.row(500, named=True), other.bars.row(500, named=True)
    assert theirs["open"] == mine["open"]
    assert all(theirs[name] != mine[name] for name in ("high", "low", "close", "volume"))
    assert theirs["low"] <= min(theirs["open"], theirs["close"])
    assert theirs["high"] >= max(theirs["open"], theirs["close"])


def caught(simulated, peek, *, before_ns: int = 0) -> str:
    """Return the first difference of a volume shock that sees what `peek` shows it."""
    market, config, alerts = simulated
    cut = int(alerts["detected_ns"][alerts.height // 2]) - before_ns
    found = leakage(
        lambda seen: put_out(peek(seen), config, None),
        market,
        [cut],
        lambda seen, at: poisoned(seen, config, at, seed=1),
    )
    assert not found.passed
    return found.cuts[0].difference


def test_a_strategy_that_is_told_the_quotes_of_the_next_minute_is_caught(simulated):
    """Quotes are known a minute before they are: entries are planned at prices to come."""

    def peek(market):
        early = pl.col("known_at") - pl.duration(minutes=1)
        return replace(market, quotes=market.quotes.with_columns(known_at=early))

    assert caught(simulated, peek).startswith("decisions: row ")


def test_a_strategy_that_sees_the_prints_of_the_next_minute_is_caught(simulated):
    """Option prints come a minute early, as on a tape whose stamps were floored."""

    def peek(market):
        early = [pl.col(name) - pl.duration(minutes=1) for name in ("ts", "known_at")]
        tape = market.option_tape
        slices = [frame.with_columns(early) for frame in tape.slices()]
        return replace(market, option_tape=replace(tape, slices=lambda: slices))

    assert caught(simulated, peek, before_ns=MINUTE_NS // 2).startswith("alerts: ")


def test_the_volume_shock_passes_on_the_recorded_tape(market_data, tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    import_deribit_trades(market_data / "deribit-trades" / "btc_option_trades.parquet", catalog)
    minutes = market_data / "perp-bars" / "binance_BTCUSDT_1m.parquet"
    import_bars(minutes, catalog, instrument="BTC-PERP", venue="binance")
    config = VolumeShockConfig()
    market = load_market(catalog, "BTC", config)
    found = check_leakage(market, config, scan_market(market, config).alerts, cuts=2)
    assert found is not None
    assert found.passed, found.cuts
    assert min(each.rows for cut in found.cuts for each in cut.compared) > 50
