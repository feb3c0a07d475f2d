import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from hedgeflow import pricing
from hedgeflow.market.tapes import CONTRACT_COLUMNS, TapeKind, schema, tape_schema
from hedgeflow.market.time import DAY_NS, MINUTE_NS, YEAR_NS
from hedgeflow.simulate import TRUTH_SCHEMA, changed, scenario, simulate, simulate_days
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


def signed_volume(market, start, end):
    """Signed perpetual volume from start (included) to end (excluded), per window."""
    cumulative = np.concatenate(
        ([0.0], np.cumsum(market.hedge_trades["size"] * market.hedge_trades["aggressor"]))
    )
    at = stamps(market.hedge_trades)
    return cumulative[np.searchsorted(at, end)] - cumulative[np.searchsorted(at, start)]


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


def test_a_hedge_that_begins_before_midnight_goes_on_after_it():
    late = changed(
        scenario("effect", days=20),
        {
            "shocks.sweeps_per_day": (20, 20),
            "shocks.gap_minutes": 20.0,
            "option_flow.trades_per_day": 100.0,
            "future.trades_per_day": 20_000.0,
            "future.quote_interval_seconds": 600.0,
        },
    )
    market = simulate(late)
    start = stamps(market.truth, "hedge_start")
    half_time = market.truth["half_time_minutes"].to_numpy()
    end = start + (2 * half_time * MINUTE_NS).astype(np.int64)
    crossing = (start // DAY_NS != end // DAY_NS) & (end < market.coverage.end_ns[-1])
    assert crossing.sum() >= 3
    midnight = (start // DAY_NS + 1) * DAY_NS
    volume = market.truth["hedge_volume"].to_numpy()
    flow = np.sign(volume) * signed_volume(market, midnight, np.maximum(end, midnight))
    share = 1 - (midnight - start) / MINUTE_NS / half_time / 2
    left = np.abs(volume) * share
    scale = np.sqrt(2) * late.future.imbalance_units * np.sqrt(crossing.sum())
    assert abs(flow[crossing].sum() - left[crossing].sum()) < 4 * scale


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


def test_dealers_trade_the_demand_after_a_shock_and_nothing_abnormal_without_hedging(effect, null):
    demand = effect.truth["delta"].to_numpy()
    start = stamps(effect.truth)
    for market, expected in ((effect, 1.0), (null, 0.0)):
        flow = signed_volume(market, start, start + 15 * MINUTE_NS) * np.sign(demand)
        slope = flow.sum() / np.abs(demand).sum()
        error = flow.std() * np.sqrt(demand.size) / np.abs(demand).sum()
        assert abs(slope - expected) < 4 * error + 0.03
        assert error < 0.1


def test_half_of_a_hedge_is_done_after_its_half_time(effect):
    start = stamps(effect.truth, "hedge_start")
    half = (effect.truth["half_time_minutes"].to_numpy() * MINUTE_NS).astype(np.int64)
    volume = effect.truth["hedge_volume"].to_numpy()
    flow = signed_volume(effect, start, start + half) * np.sign(volume)
    assert 0.45 < flow.sum() / np.abs(volume).sum() < 0.60


def test_greater_exposure_is_hedged_faster(effect):
    size = np.log(effect.truth["delta"].abs().to_numpy())
    half_time = np.log(effect.truth["half_time_minutes"].to_numpy())
    slope = np.polyfit(size, half_time, 1)[0]
    assert -1.3 < slope < -0.8


def test_the_price_follows_the_hedge_only_with_the_effect(effect, null):
    demand = effect.truth["delta"].to_numpy()
    start = stamps(effect.truth)
    means = []
    for market in (effect, null):
        opened = stamps(market.bars)
        price = market.bars["open"].to_numpy()
        entry = np.searchsorted(opened, start + MINUTE_NS)
        keep = entry + 8 < price.size
        entry = entry[keep]
        move = np.log(price[entry + 8] / price[entry]) * 1e4 * np.sign(demand[keep])
        means.append(move.mean())
        error = move.std() / np.sqrt(move.size)
    assert means[0] > 10.0
    assert abs(means[1]) < 4 * error


def test_peak_impact_is_the_square_root_of_the_hedge(effect):
    volume = effect.truth["hedge_volume"].to_numpy()
    strength = effect.scenario.impact.peak_bps
    expected = np.sign(volume) * strength * np.sqrt(np.abs(volume) / 30.0)
    np.testing.assert_allclose(effect.truth["impact_bps"].to_numpy(), expected, rtol=1e-12)


def test_bought_puts_make_dealers_sell_and_sold_puts_make_them_buy(effect):
    puts = effect.truth.filter(pl.col("contract").str.ends_with("P"))
    calls = effect.truth.filter(pl.col("contract").str.ends_with("C"))
    assert puts.height > 20
    assert calls.height > 20
    assert (puts["hedge_volume"].sign() == -puts["side"]).all()
    assert (calls["hedge_volume"].sign() == calls["side"]).all()


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


def test_the_perpetuals_median_five_minute_volume_is_the_scenarios(calm):
    slots = calm.bars.group_by(pl.col("ts").dt.truncate("5m")).agg(pl.col("volume").sum())
    assert slots["volume"].median() == pytest.approx(300.0, rel=0.05)


def test_shocks_come_as_often_and_as_large_as_the_scenario_says(effect):
    truth = effect.truth.with_columns(day=pl.col("ts").dt.date())
    counts = truth.group_by("day", "shock_class").len()
    sweeps = counts.filter(pl.col("shock_class") == "INSTITUTIONAL_SWEEP")["len"]
    emergencies = counts.filter(pl.col("shock_class") == "GAMMA_EMERGENCY")["len"]
    assert (sweeps.min(), sweeps.max()) == (3, 5)
    assert (emergencies.min(), emergencies.max()) == (1, 3)
    relative = effect.truth["delta"].abs() * 100_000 / 300
    assert relative.min() > 1_000
    assert effect.truth.height >= 50 / 0.6


def test_a_sweep_takes_three_strikes_and_none_the_greater_part_an_emergency_one(effect):
    trades = effect.option_trades
    for shock in effect.truth.iter_rows(named=True):
        if shock["shock_class"] == "INSTITUTIONAL_SWEEP":
            assert shock["strikes"] >= 3
        first, last = (
            trades["ts"]
            .search_sorted(pl.Series([shock["ts"], shock["last_print"]], dtype=trades.schema["ts"]))
            .to_list()
        )
        inside = trades[first : last + 1].filter(pl.col("contract") == shock["contract"])
        share = inside["lots"].sum() * 0.1 / shock["option_units"]
        if shock["shock_class"] == "INSTITUTIONAL_SWEEP":
            assert share < 0.6
        else:
            assert share > 0.8


def test_nothing_on_the_tape_marks_a_shock(effect):
    """Sizes beyond the body of ordinary ones come from one tail."""
    market = simulate(
        changed(
            effect.scenario,
            {"option_flow.largest_lots": 200.0, "option_flow.tail_share": 0.05},
            days=4,
        )
    )
    trades = market.option_trades
    of_shock = market.prints_truth["shock_id"].is_not_null()
    inside, others = trades.filter(of_shock), trades.filter(~of_shock)
    large = [frame.filter(pl.col("lots") >= 30)["lots"].to_numpy() for frame in (inside, others)]
    assert min(sizes.size for sizes in large) > 20
    assert stats.ks_2samp(*large).pvalue > 1e-3
    assert inside["lots"].max() <= market.scenario.option_flow.largest_lots
    assert inside["condition"].null_count() == inside.height
    assert inside["block_id"].null_count() == inside.height
    number = pl.col("trade_id").str.split("-").list.last().cast(pl.Int64)
    in_day = pl.int_range(pl.len()).over(pl.col("ts").dt.date())
    assert trades.select((number == in_day).all())[0, 0]
