import numpy as np
import polars as pl
import pytest

from hedgeflow.market.time import SECOND_NS
from hedgeflow.simulate import changed, scenario, simulate
from hedgeflow.simulate.future import hedge_quote_tape, hedge_trade_tape, quoted
from hedgeflow.simulate.hours import sessions_of
from hedgeflow.simulate.paths import IndexPath
from hedgeflow.simulate.trades import Trades


def market(drawn, price=50_000.0, level=None, pace=1.0, premium=0.0):
    session = sessions_of(drawn)[0]
    ones = np.ones(session.seconds)
    level = drawn.index.volatility if level is None else level
    path = IndexPath(session, price * ones, level * ones)
    return quoted(drawn, path, premium * ones, pace * ones)


@pytest.mark.parametrize("half_spread", [0.5, 5.0])
def test_half_of_the_spread_is_the_scenarios_where_all_is_ordinary(half_spread):
    drawn = changed(scenario("effect"), {"future.half_spread_bps": half_spread})
    found = market(drawn, price=50_000.03)
    half = 50_000.03 * half_spread * 1e-4
    assert 50_000.03 - half - 0.1 < found.bid[0] <= 50_000.03 - half
    assert 50_000.03 + half <= found.ask[0] < 50_000.03 + half + 0.1


def test_the_spread_widens_with_volatility_and_a_little_with_activity():
    drawn = changed(scenario("effect"), {"future.half_spread_bps": 5.0})

    def width(**changes):
        found = market(drawn, **changes)
        return found.ask[0] - found.bid[0]

    assert width(level=2 * drawn.index.volatility) == pytest.approx(2 * width(), rel=0.01)
    assert width(pace=4.0) == pytest.approx(2 * width(), rel=0.01)


@pytest.mark.parametrize(("preset", "tick"), [("effect", 0.1), ("us-index", 0.25)])
def test_prices_are_on_the_venues_tick_and_the_quote_at_least_one_wide(preset, tick):
    drawn = changed(scenario(preset), {"future.half_spread_bps": 0.0})
    found = market(drawn, price=4_999.90)
    for side in (found.bid, found.ask):
        np.testing.assert_allclose(side / tick, np.round(side / tick), atol=1e-6)
    assert found.ask[0] - found.bid[0] == pytest.approx(tick)


def test_the_middle_is_the_index_with_its_premium():
    drawn = changed(scenario("effect"), {"future.half_spread_bps": 1.0})
    found = market(drawn, premium=0.01)
    assert 0.5 * (found.bid[0] + found.ask[0]) == pytest.approx(50_000 * np.exp(0.01), abs=0.1)


def test_takers_buy_at_the_ask_and_sell_at_the_bid_of_their_second():
    drawn = scenario("effect")
    session = sessions_of(drawn)[0]
    found = market(drawn)
    found.ask[5] = 60_000.0
    stamp = session.start_ns + np.array([4, 5, 5]) * SECOND_NS + 999_000_000
    trades = Trades.of(stamp, np.ones(3), np.array([1, 1, -1]), -1)
    tape = hedge_trade_tape(found, trades)
    assert tape["price"].to_list() == [found.ask[4], 60_000.0, found.bid[5]]
    assert tape["aggressor"].to_list() == [1, 1, -1]


@pytest.mark.parametrize("seconds", [0.5, 7.0])
def test_there_is_one_quote_in_each_interval(seconds):
    drawn = changed(scenario("effect"), {"future.quote_interval_seconds": seconds})
    session = sessions_of(drawn)[0]
    tape = hedge_quote_tape(drawn, market(drawn), np.random.default_rng(0))
    at = (tape["ts"].dt.epoch("ns").to_numpy() - session.start_ns) / (seconds * SECOND_NS)
    count = round(session.seconds / seconds)
    assert np.array_equal(np.floor(at[:count]).astype(int), np.arange(count))


def test_quotes_and_trades_of_one_second_agree(small_market):
    quotes = small_market.hedge_quotes.with_columns(second=pl.col("ts").dt.truncate("1s"))
    trades = small_market.hedge_trades.with_columns(second=pl.col("ts").dt.truncate("1s"))
    both = trades.join(quotes.unique("second"), on="second")
    expected = pl.when(pl.col("aggressor") > 0).then(pl.col("ask")).otherwise(pl.col("bid"))
    assert both.height > 100
    assert both.select((pl.col("price") == expected).all())[0, 0]


def test_the_future_of_an_exchange_trades_whole_contracts_in_its_sessions():
    drawn = changed(scenario("us-index", days=2), {"future.trades_per_day": 5_000.0})
    found = simulate(drawn)
    assert (found.hedge_trades["size"] % 50.0 == 0.0).all()
    opens = [session.start_ns for session in sessions_of(drawn)]
    ends = [session.end_ns for session in sessions_of(drawn)]
    at = found.hedge_trades["ts"].dt.epoch("ns").to_numpy()
    inside = [(at >= start) & (at < end) for start, end in zip(opens, ends, strict=True)]
    assert np.any(inside, axis=0).all()
    assert min(each.sum() for each in inside) > 4_000
