import numpy as np
import polars as pl
import pytest

from hedgeflow.simulate import changed, scenario, simulate


@pytest.fixture(scope="module")
def carried(small):
    return simulate(changed(small, days=6))


def session_ends(market):
    return market.positions_truth["ts"].unique().sort()


def test_open_interest_is_what_was_and_was_opened_less_what_was_closed_or_settled(carried):
    truth = carried.positions_truth
    first = carried.open_interest.filter(pl.col("ts") == carried.open_interest["ts"].min())
    before = first.select("contract", before="open_interest")
    for end in session_ends(carried):
        rows = truth.filter(pl.col("ts") == end).join(before, on="contract", how="left")
        change = pl.col("opened") - pl.col("closed") - pl.col("settled")
        off = rows.select(
            (pl.col("open_interest") - pl.col("before").fill_null(0.0) - change).abs().max()
        ).item()
        assert off < 1e-6
        before = rows.select("contract", before="open_interest")


def test_customers_net_is_the_sum_of_their_prints_until_expiry(carried):
    terms = carried.contracts.select("contract", "expiry")
    prints = carried.option_trades.with_columns(side=carried.prints_truth["side"])
    for end in session_ends(carried):
        summed = (
            prints.filter(pl.col("ts") < end)
            .group_by("contract")
            .agg(expected=(pl.col("lots") * pl.col("side")).sum() * 0.1)
        )
        rows = (
            carried.positions_truth.filter(pl.col("ts") == end)
            .join(terms, on="contract")
            .join(summed, on="contract", how="left")
        )
        live = pl.col("expiry") > pl.col("ts")
        expected = pl.when(live).then(pl.col("expected").fill_null(0.0)).otherwise(0.0)
        assert rows.select((pl.col("customer_net") - expected).abs().max()).item() < 1e-6


def test_volume_opens_or_closes(carried):
    volume = (
        carried.option_trades.with_columns(end=pl.col("ts").dt.truncate("1d").dt.offset_by("1d"))
        .group_by("end", "contract")
        .agg(volume=pl.col("lots").sum() * 0.1)
    )
    rows = carried.positions_truth.join(
        volume, left_on=["ts", "contract"], right_on=["end", "contract"], how="left"
    )
    off = pl.col("opened") + pl.col("closed") - pl.col("volume").fill_null(0.0)
    assert rows.select(off.abs().max()).item() < 1e-6
    assert rows.select((pl.col("opened") >= 0).all() & (pl.col("closed") >= 0).all()).item()
    plenty = rows.filter(pl.col("open_interest") > 5 * (pl.col("opened") + pl.col("closed")))
    opened = plenty["opened"].sum() / (plenty["opened"].sum() + plenty["closed"].sum())
    assert plenty["opened"].sum() > 200.0
    assert opened == pytest.approx(0.6, abs=0.04)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_open_interest_never_falls_below_customers_net_and_is_zero_after_expiry(small, share):
    market = simulate(
        changed(
            small,
            {
                "open_interest.start_contracts": 5.0,
                "open_interest.opening_share": share,
                "option_flow.trades_per_day": 2e4,
            },
        )
    )
    truth = market.positions_truth.join(
        market.contracts.select("contract", "expiry"), on="contract"
    )
    assert truth.select(
        (pl.col("open_interest") >= pl.col("customer_net").abs() - 1e-9).all()
    ).item()
    expired = truth.filter(pl.col("expiry") <= pl.col("ts"))
    assert expired.height > 50
    assert expired["open_interest"].eq(0.0).all()
    assert expired["customer_net"].eq(0.0).all()
    assert expired["settled"].max() > 0.0
    if share == 1.0:
        assert truth["closed"].max() == 0.0


def test_it_is_published_once_a_session_as_the_one_before_left_it(carried):
    truth = carried.positions_truth.join(
        carried.contracts.select("contract", "expiry"), on="contract"
    )
    tape = carried.open_interest
    assert tape.select(pl.struct("ts", "contract").is_unique().all()).item()
    assert ((tape["known_at"] - tape["ts"]).dt.total_milliseconds() == 1).all()
    left = truth.filter((pl.col("expiry") > pl.col("ts")) & (pl.col("ts") < truth["ts"].max()))
    published = tape.filter(pl.col("ts") > tape["ts"].min())
    both = published.join(left, on=["ts", "contract"], how="full", suffix="_left")
    assert both.height == published.height == left.height
    assert both["open_interest"].equals(both["open_interest_left"].alias("open_interest"))


def test_an_exchange_publishes_before_the_next_open_and_never_on_the_day_itself():
    market = simulate(scenario("us-index", {"option_flow.trades_per_day": 3_000.0}, days=3))
    starts = [start for start, _ in market.coverage.intervals]
    stamps = market.open_interest["ts"].dt.epoch("ns").unique().sort().to_list()
    assert stamps == starts
    today = market.open_interest.filter(pl.col("ts") == market.open_interest["ts"].max())
    listed = today.join(market.contracts, on="contract")
    assert (listed["listed"] < listed["ts"]).all()


def test_the_first_days_open_interest_peaks_at_the_money(carried):
    first = carried.open_interest.filter(pl.col("ts") == carried.open_interest["ts"].min())
    rows = first.join(carried.contracts, on="contract")
    index = carried.option_trades["underlying_price"][0]
    away = (rows["strike"] / index).log().abs().to_numpy()
    days = (rows["expiry"] - rows["ts"]).dt.total_hours().to_numpy() / 24
    z = away / (0.5 * np.sqrt(days / 365))
    held = rows["open_interest"].to_numpy()
    assert held[z < 0.3].mean() == pytest.approx(100.0, rel=0.3)
    assert held[z > 2.5].mean() < 10.0


def test_no_start_is_no_open_interest_on_the_first_day(small):
    market = simulate(changed(small, {"open_interest.start_contracts": 0.0}, days=1))
    assert market.open_interest.height > 100
    assert market.open_interest["open_interest"].eq(0.0).all()
