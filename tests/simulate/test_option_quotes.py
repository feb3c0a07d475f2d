import numpy as np
import polars as pl
import pytest

from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS
from hedgeflow.simulate import changed, simulate
from hedgeflow.sources.prevailing import with_quotes


@pytest.fixture(scope="module")
def quoted(small):
    return simulate(
        changed(small, {"option_quotes.tape": True, "option_quotes.refresh_minutes": 60.0}, days=2)
    )


def test_a_market_without_the_tape_has_none(small_market):
    assert small_market.option_quotes.is_empty()
    assert dict(small_market.option_quotes.schema) == tape_schema(TapeKind.OPTION_QUOTES)


def test_the_tape_has_its_schema_is_sorted_and_quotes_a_contract_once_at_a_time(quoted):
    quotes = quoted.option_quotes
    assert dict(quotes.schema) == tape_schema(TapeKind.OPTION_QUOTES)
    assert quotes["ts"].is_sorted()
    assert quotes.select(pl.struct("ts", "contract").is_unique().all()).item()
    assert ((quotes["known_at"] - quotes["ts"]).dt.total_milliseconds() == 1).all()


def test_the_last_quote_that_was_known_is_exactly_the_one_that_a_print_carries(quoted):
    prints = quoted.option_trades.rename({"bid": "carried_bid", "ask": "carried_ask"})
    joined = with_quotes(prints, quoted.option_quotes)
    assert joined.height == quoted.option_trades.height > 3_000
    assert joined["bid"].equals(joined["carried_bid"].alias("bid"))
    assert joined["ask"].equals(joined["carried_ask"].alias("ask"))
    assert joined["bid"].null_count() > 0


def test_every_listed_contract_is_quoted_anew_as_often_as_stated(quoted):
    quotes = quoted.option_quotes.join(
        quoted.contracts.select("contract", "expiry", "listed"), on="contract"
    )
    start = quoted.coverage.intervals[0][0]
    for hour in range(1, 48):
        at = pl.lit(start + hour * 60 * MINUTE_NS).cast(pl.Datetime("ns", "UTC"))
        live = quoted.contracts.filter((pl.col("listed") < at) & (pl.col("expiry") > at))
        fresh = quotes.filter((pl.col("ts") <= at) & (pl.col("ts") >= at - pl.duration(seconds=10)))
        missing = set(live["contract"]) - set(fresh["contract"])
        assert not missing
    assert (quotes["ts"] >= quotes["listed"]).all()
    assert (quotes["ts"] < quotes["expiry"]).all()


def test_quotes_are_at_least_a_tick_wide_and_have_sizes_where_they_have_prices(quoted):
    quotes = quoted.option_quotes
    assert quotes.select((pl.col("ask") - pl.col("bid").fill_null(0.0) >= 1.0).all()).item()
    assert (quotes["bid"].is_null() == quotes["bid_size"].is_null()).all()
    assert quotes["ask_size"].null_count() == 0
    lots = (quotes["ask_size"] / 0.1).to_numpy()
    assert np.allclose(lots, np.round(lots))
    assert lots.min() == pytest.approx(1.0)
    assert lots.mean() == pytest.approx(20.0, rel=0.05)


def test_the_spread_in_volatility_is_the_scenarios(quoted):
    trades = quoted.option_trades.join(quoted.contracts, on="contract")
    index, strike = trades["underlying_price"].to_numpy(), trades["strike"].to_numpy()
    years = (trades["expiry"] - trades["ts"]).dt.total_nanoseconds().to_numpy() / (365 * DAY_NS)
    near = (np.abs(strike / index - 1.0) < 0.005) & (years > 1 / 365)
    vega = index * np.sqrt(years / (2 * np.pi))
    half = 0.5 * (trades["ask"] - trades["bid"]).to_numpy()
    assert near.sum() > 50
    assert np.median(half[near] / vega[near]) == pytest.approx(0.008, rel=0.1)


def test_the_tape_of_quotes_changes_no_other_table(small, quoted):
    without = simulate(changed(small, days=2))
    for table in ("option_trades", "hedge_trades", "open_interest", "truth"):
        assert getattr(without, table).equals(getattr(quoted, table))
