import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hedgeflow import pricing
from hedgeflow.market.tapes import CONTRACT_COLUMNS, TapeKind, schema, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS, YEAR_NS
from hedgeflow.simulate import TRUTH_SCHEMA, changed, simulate, simulate_days
from hedgeflow.simulate.markets import joined

TABLES = (
    "option_trades",
    "hedge_trades",
    "hedge_quotes",
    "bars",
    "open_interest",
    "contracts",
    "truth",
    "prints_truth",
    "hedge_truth",
    "positions_truth",
)
SECOND = 1_000_000_000


def stamps(frame, column="ts"):
    return frame[column].dt.epoch("ns").to_numpy()


def with_terms(market):
    terms = market.contracts.select("contract", "strike", "right", "expiry", "listed")
    return market.option_trades.join(terms, on="contract", how="left", maintain_order="left")


def priced(trades, column):
    years = (stamps(trades, "expiry") - stamps(trades)) / YEAR_NS
    sign = np.where((trades["right"] == "C").to_numpy(), 1, -1)
    function = {"value": pricing.value, "delta": pricing.delta}[column]
    return function(sign, trades["underlying_price"], trades["strike"], years, trades["iv"])


def test_every_table_has_exactly_its_schema(small_market):
    assert dict(small_market.option_trades.schema) == tape_schema(TapeKind.OPTION_TRADES)
    assert dict(small_market.hedge_trades.schema) == tape_schema(TapeKind.HEDGE_TRADES)
    assert dict(small_market.hedge_quotes.schema) == tape_schema(TapeKind.HEDGE_QUOTES)
    assert dict(small_market.bars.schema) == tape_schema(TapeKind.BARS)
    assert dict(small_market.contracts.schema) == schema(CONTRACT_COLUMNS)
    assert dict(small_market.truth.schema) == TRUTH_SCHEMA


@pytest.mark.parametrize("table", ["option_trades", "hedge_trades", "hedge_quotes"])
def test_a_tape_is_sorted_in_whole_milliseconds_and_known_one_later(small_market, table):
    frame = getattr(small_market, table)
    at = stamps(frame)
    assert (np.diff(at) >= 0).all()
    assert (at % 1_000_000 == 0).all()
    assert (stamps(frame, "known_at") - at == 1_000_000).all()


def test_tapes_lie_within_their_coverage_of_whole_days(small_market):
    [(start, end)] = small_market.coverage.intervals
    assert end - start == 3 * DAY_NS
    for table in ("option_trades", "hedge_trades", "hedge_quotes", "bars"):
        at = stamps(getattr(small_market, table))
        assert start <= at[0]
        assert at[-1] < end


def test_ids_are_unique(small_market):
    assert small_market.option_trades["trade_id"].is_unique().all()
    assert small_market.hedge_trades["trade_id"].is_unique().all()
    assert small_market.contracts["contract"].is_unique().all()
    assert small_market.truth["shock_id"].to_list() == list(range(small_market.truth.height))


@pytest.mark.parametrize("table", TABLES)
def test_one_seed_gives_one_market(small, small_market, table):
    assert_frame_equal(getattr(simulate(small), table), getattr(small_market, table), rel_tol=0)


@pytest.mark.parametrize("table", ["option_trades", "hedge_trades", "hedge_quotes", "truth"])
def test_another_seed_gives_another_market(small, small_market, table):
    other = getattr(simulate(changed(small, {"seed": 12})), table)
    assert not other.equals(getattr(small_market, table))


def test_day_by_day_is_the_whole_and_does_not_depend_on_how_many_days_follow(small, small_market):
    days = list(simulate_days(small))
    assert [day.coverage.intervals[0][1] - day.coverage.intervals[0][0] for day in days] == [
        DAY_NS
    ] * 3
    first_two = joined(days[:2])
    shorter = simulate(changed(small, {"days": 2}))
    for table in TABLES:
        whole = getattr(small_market, table)
        assert getattr(joined(days), table).equals(whole)
        assert getattr(first_two, table).equals(getattr(shorter, table))


@pytest.fixture(scope="module", params=["none", "coin"])
def without_impact(small, request):
    flat = changed(small, {"impact.enabled": False})
    return simulate(flat), simulate(changed(flat, {"dealers.hedging": request.param}))


def test_where_no_price_moves_the_nulls_have_the_same_option_tape(without_impact):
    hedged, null = without_impact
    assert hedged.option_trades.equals(null.option_trades)
    assert hedged.contracts.equals(null.contracts)


def test_where_no_price_moves_the_nulls_have_the_same_times_and_volumes(without_impact):
    hedged, null = without_impact
    columns = ["ts", "size"]
    assert hedged.hedge_trades[columns].equals(null.hedge_trades[columns])
    assert hedged.hedge_truth.equals(null.hedge_truth)
    assert hedged.bars["volume"].equals(null.bars["volume"])
    assert hedged.hedge_quotes["ts"].equals(null.hedge_quotes["ts"])


def test_with_impact_the_null_still_has_about_as_many_trades_and_as_much_volume(effect, null):
    """The index moves a little further, so other strikes are listed and delta drifts more."""
    assert effect.option_trades.height == pytest.approx(null.option_trades.height, rel=0.005)
    assert effect.hedge_trades.height == pytest.approx(null.hedge_trades.height, rel=0.01)
    assert effect.bars["volume"].sum() == pytest.approx(null.bars["volume"].sum(), rel=0.02)


def test_impact_off_keeps_the_ordinary_trades_and_prices_as_the_index_has_them(small, small_market):
    flat = simulate(changed(small, {"impact.enabled": False}))
    columns = ["ts", "size", "aggressor"]
    ordinary = [
        market.hedge_trades.filter(market.hedge_truth["origin"] == "ordinary")[columns]
        for market in (flat, small_market)
    ]
    assert ordinary[0].equals(ordinary[1])
    assert flat.truth["impact_bps"].eq(0.0).all()
    assert flat.truth["hedge_volume"].abs().min() > 0.0
    assert not flat.hedge_quotes["bid"].equals(small_market.hedge_quotes["bid"])


def test_shocks_off_leave_the_ordinary_prints_as_they_are(small):
    quiet = changed(small, {"impact.enabled": False})
    calm = simulate(changed(quiet, {"shocks.enabled": False}))
    assert calm.truth.is_empty()
    columns = ["ts", "contract", "price", "lots", "aggressor", "iv"]
    missing = calm.option_trades.join(
        simulate(quiet).option_trades, on=columns, how="anti", nulls_equal=True
    )
    assert missing.is_empty()


def test_the_truth_is_the_delta_of_the_prints(small):
    market = simulate(changed(small, {"option_flow.unsigned_share": 0.0}))
    trades = with_terms(market)
    flow = priced(trades, "delta") * (trades["lots"] * trades["aggressor"]).to_numpy() * 0.1
    at = stamps(trades)
    for shock in market.truth.iter_rows(named=True):
        same = (trades["contract"] == shock["contract"]).to_numpy()
        inside = (trades["ts"].is_between(shock["ts"], shock["last_print"])).to_numpy()
        lead = flow[same & inside].sum()
        assert np.sign(lead) == np.sign(shock["delta"])
        assert flow[inside].sum() == pytest.approx(shock["delta"], abs=4.0)
        assert at[inside].size > 5


def test_customers_net_flow_is_about_zero_without_shocks(calm):
    trades = calm.option_trades
    signed = (trades["lots"] * trades["aggressor"]).to_numpy().astype(np.float64)
    assert abs(signed.mean()) < 4 * signed.std() / np.sqrt(signed.size)
    perpetual = (calm.hedge_trades["size"] * calm.hedge_trades["aggressor"]).sum()
    assert abs(perpetual) < 6 * calm.scenario.future.imbalance_units


def test_a_price_is_the_black_value_at_its_printed_volatility(small_market):
    trades = with_terms(small_market)
    worth = priced(trades, "value")
    price = trades["price"].to_numpy()
    off = np.abs(price - worth)
    assert (off < 1.0 + 1e-9).mean() > 0.99
    assert (off < 1.0 + 0.01 * (trades["ask"] - trades["bid"].fill_null(0.0)).to_numpy()).all()
    assert (price % 1.0 == 0.0).all()


def test_a_contract_trades_only_while_it_is_listed(effect):
    trades = with_terms(effect)
    assert trades["expiry"].null_count() == 0
    assert trades.select((pl.col("ts") < pl.col("expiry")).all())[0, 0]
    assert trades.select((pl.col("ts") >= pl.col("listed")).all())[0, 0]


def test_expiries_are_at_eight_and_about_two_hundred_contracts_are_live(effect):
    assert effect.contracts["expiry"].dt.hour().eq(8).all()
    at = effect.option_trades["ts"][effect.option_trades.height // 2]
    live = effect.contracts.filter((pl.col("listed") <= at) & (pl.col("expiry") > at))
    assert 150 <= live.height <= 320


def test_legs_of_a_complex_order_share_stamp_and_size_and_are_opposite(small):
    market = simulate(
        changed(small, {"option_flow.unsigned_share": 0.0, "option_flow.complex_share": 0.2})
    )
    legs = market.option_trades.filter(pl.col("combo_id").is_not_null())
    orders = legs.group_by("combo_id").agg(
        pl.len(),
        pl.col("ts").n_unique(),
        pl.col("lots").n_unique(),
        pl.col("contract").n_unique().alias("contracts"),
        pl.col("aggressor").sum(),
    )
    assert orders.height > 500
    assert orders["len"].eq(2).all()
    assert orders["ts"].eq(1).all()
    assert orders["lots"].eq(1).all()
    assert orders["contracts"].eq(2).all()
    assert orders["aggressor"].eq(0).all()


def test_the_share_of_unsigned_prints_is_the_scenarios(effect):
    share = effect.option_trades["aggressor"].eq(0).mean()
    assert share == pytest.approx(0.03, abs=0.003)


def test_bars_are_the_aggregation_of_trades(small_market):
    trades = small_market.hedge_trades.with_columns(minute=stamps(small_market.hedge_trades))
    bars = small_market.bars
    minutes = trades["minute"].to_numpy() // MINUTE_NS
    for row in bars.with_columns(at=stamps(bars)).sample(60, seed=1).iter_rows(named=True):
        inside = trades.filter(minutes == row["at"] // MINUTE_NS)
        assert row["open"] == inside["price"][0]
        assert row["close"] == inside["price"][-1]
        assert row["high"] == inside["price"].max()
        assert row["low"] == inside["price"].min()
        assert row["volume"] == pytest.approx(inside["size"].sum(), abs=1e-9)
    assert bars["volume"].sum() == pytest.approx(trades["size"].sum(), rel=1e-12)
    assert (stamps(bars, "known_at") - stamps(bars) == MINUTE_NS).all()
