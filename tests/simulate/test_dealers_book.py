import numpy as np
import polars as pl
import pytest

from hedgeflow import pricing
from hedgeflow.market.time import MINUTE_NS, YEAR_NS
from hedgeflow.simulate import changed, scenario, simulate
from hedgeflow.simulate.dealers_book import BookState, rebalanced
from hedgeflow.simulate.hours import sessions_of
from hedgeflow.simulate.listing import Book
from hedgeflow.simulate.open_interest import Positions
from hedgeflow.simulate.paths import first_state, index_path
from hedgeflow.simulate.prints import Orders

PLAIN = {
    "smile.skew": 0.0,
    "smile.curvature": 0.0,
    "smile.short_end_premium": 0.0,
    "index.volatility_of_volatility": 0.0,
    "impact.enabled": False,
}
"""Implied volatility is the index's own, always the same, so that deltas need no simulator."""


def stamps(frame, column="ts"):
    return frame[column].dt.epoch("ns").to_numpy()


def customers_delta(market, looks, price):
    """Customers' delta at each look, from tapes and truth alone, contract by contract."""
    prints = market.option_trades.join(
        market.prints_truth.select("trade_id", "side"), on="trade_id"
    ).join(market.contracts.select("contract", "right", "strike", "expiry"), on="contract")
    total = np.zeros(looks.size)
    for (right, strike, expiry), mine in prints.group_by("right", "strike", "expiry"):
        at = stamps(mine)
        units = mine["lots"].to_numpy() * 0.1 * mine["side"].to_numpy()
        expiry_ns = int(pl.Series([expiry]).dt.epoch("ns")[0])
        for i in np.flatnonzero(looks < expiry_ns):
            held = units[at < looks[i]].sum()
            years = (expiry_ns - looks[i]) / YEAR_NS
            sign = 1 if right == "C" else -1
            vol = market.scenario.index.volatility
            total[i] += held * pricing.delta(sign, price[i], strike, years, vol)
    return total


@pytest.fixture(scope="module")
def plain(small):
    return changed(
        small,
        {
            **PLAIN,
            "dealers.ordinary_share": 1.0,
            "dealers.rebalance_minutes": 20.0,
            "future.quote_interval_seconds": 1.0,
            "future.half_spread_bps": 0.0,
            "future.trades_per_day": 2_000.0,
        },
    )


def book_trades(market):
    return market.hedge_trades.join(market.hedge_truth, on="trade_id").filter(
        pl.col("origin") == "book"
    )


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_hedges_held_and_outstanding_are_customers_delta_within_the_band(plain, share):
    """Over three days and their expiries, from the tapes and the truth."""
    market = simulate(changed(plain, {"dealers.ordinary_share": share}))
    [(start, end)] = market.coverage.intervals
    looks = np.arange(start, end, 20 * MINUTE_NS)
    quotes = market.hedge_quotes
    at = np.searchsorted(stamps(quotes), looks)
    price = 0.5 * (quotes["bid"] + quotes["ask"]).to_numpy()[at]
    trades = book_trades(market)
    signed = (trades["size"] * trades["aggressor"]).to_numpy()
    bought = np.concatenate(([0.0], np.cumsum(signed)))
    with_outstanding = bought[np.searchsorted(stamps(trades), looks + 20 * MINUTE_NS)]
    truth = market.truth
    hedged = np.array(
        [truth.filter(stamps(truth, "last_print") < look)["hedge_volume"].sum() for look in looks]
    )
    printing = np.array(
        [((stamps(truth) < look) & (stamps(truth, "last_print") >= look)).any() for look in looks]
    )
    wanted = share * (customers_delta(market, looks, price) - hedged)
    gap = np.abs(wanted - with_outstanding)[~printing]
    assert (~printing).sum() > 200
    assert gap.max() <= plain.dealers.band_units + 0.25
    assert gap.max() > 0.5 * plain.dealers.band_units
    assert np.abs(wanted).max() > 10 * plain.dealers.band_units


def one_contract(changes=None, expiry_minutes=10**6):
    """A session, its path, and a single call at the money of which customers hold nothing."""
    drawn = changed(scenario("effect", days=1), {**PLAIN, **(changes or {})})
    session = sessions_of(drawn)[0]
    path, _ = index_path(drawn, session, first_state(drawn))
    book = Book(
        number=np.array([0]),
        strike=np.array([50_000.0]),
        right=np.array([1]),
        expiry_ns=np.array([session.start_ns + expiry_minutes * MINUTE_NS]),
        listed_ns=np.array([session.start_ns]),
        symbol=pl.Series(["C"]),
    )
    nothing = np.zeros(1, dtype=np.int64)
    return drawn, session, path, Positions(book, nothing, nothing)


def bought(session, minutes, lots):
    stamp = session.start_ns + (np.array(minutes) * MINUTE_NS).astype(np.int64)
    zeros = np.zeros(stamp.size, dtype=np.int64)
    return Orders.simple(stamp, zeros, np.array(lots), zeros + 1)


def test_an_order_knows_only_what_printed_before_the_look(small):
    drawn, session, path, before = one_contract()
    few = bought(session, [12.0], [1_000])
    more = bought(session, [12.0, 15.0, 16.0], [1_000, 5_000, 5_000])
    orders = [rebalanced(drawn, path, before, each, [], BookState()) for each in (few, more)]
    known = orders[0].looks <= session.start_ns + 15 * MINUTE_NS
    assert known.sum() == 4
    assert orders[0].held[known].tolist() == orders[1].held[known].tolist()
    assert orders[0].held[2] == 0.0
    assert orders[0].held[3] > 0.0
    assert orders[1].held[4] > 3 * orders[0].held[4]
    first = orders[0].trades.stamp[0]
    assert first > session.start_ns + 15 * MINUTE_NS


@pytest.mark.parametrize("minutes", [1.0, 7.0, 60.0])
def test_dealers_look_as_often_as_the_scenario_says_and_trade_until_the_next_look(minutes):
    drawn, session, path, before = one_contract({"dealers.rebalance_minutes": minutes})
    found = rebalanced(drawn, path, before, bought(session, [30.0], [10_000]), [], BookState())
    assert (np.diff(found.looks) == minutes * MINUTE_NS).all()
    assert found.looks[0] == session.start_ns
    look = found.looks[np.searchsorted(found.looks, session.start_ns + 30 * MINUTE_NS, "right")]
    following = found.trades.stamp[found.trades.stamp < look + minutes * MINUTE_NS]
    assert look < following[0]
    assert following[-1] - look > 0.5 * minutes * MINUTE_NS
    assert found.trades.stamp[-1] < session.end_ns


@pytest.mark.parametrize("band", [0.0, 3.0, 40.0])
def test_a_gap_within_the_band_is_left(band):
    drawn, session, path, before = one_contract(
        {"dealers.band_units": band, "dealers.ordinary_share": 1.0}, expiry_minutes=3_000
    )
    found = rebalanced(drawn, path, before, bought(session, [3.0], [2_000]), [], BookState())
    assert np.abs(found.target - found.held).max() <= max(band, 0.0005)
    placed = np.abs(np.diff(found.held, prepend=0.0))
    placed = placed[placed > 1e-9]
    assert placed.min() > band - 0.0005
    assert 1 <= placed.size < found.looks.size


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_ordinary_share_of_customers_delta_is_held(share):
    drawn, session, path, before = one_contract(
        {"dealers.ordinary_share": share, "dealers.band_units": 0.0}
    )
    found = rebalanced(drawn, path, before, bought(session, [3.0], [2_000]), [], BookState())
    second = path.second(found.looks[1:])
    years = (before.book.expiry_ns[0] - found.looks[1:]) / YEAR_NS
    delta = pricing.delta(1, path.price[second], 50_000.0, years, drawn.index.volatility)
    np.testing.assert_allclose(found.held[1:], share * 200.0 * delta, atol=0.001)
    assert found.after.held == found.held[-1]


def test_an_expired_contract_is_traded_back():
    drawn, session, path, before = one_contract(expiry_minutes=300)
    found = rebalanced(drawn, path, before, bought(session, [3.0], [2_000]), [], BookState())
    alive = found.looks < session.start_ns + 300 * MINUTE_NS
    assert found.target[alive].max() > 20.0 * drawn.dealers.ordinary_share
    assert (found.target[~alive] == 0.0).all()
    assert (np.abs(found.held[~alive]) <= drawn.dealers.band_units).all()


def test_trades_add_up_to_what_is_held_and_say_that_they_are_the_books(plain):
    drawn, session, path, before = one_contract()
    found = rebalanced(drawn, path, before, bought(session, [3.0], [2_000]), [], BookState())
    assert (found.trades.size * found.trades.sign).sum() == pytest.approx(found.after.held)
    assert (found.trades.origin == -2).all()


def test_without_ordinary_hedging_the_book_trades_nothing(small):
    market = simulate(changed(small, {"dealers.ordinary": False}))
    assert market.hedge_truth["origin"].unique().sort().to_list() == ["ordinary", "shock"]


def test_what_a_shock_hedge_takes_on_the_book_does_not_hedge_again(plain):
    """Where share is 0 nobody hedges the demand itself, the book neither."""
    gross = {}
    for share in (0.0, 1.0):
        market = simulate(changed(plain, {"dealers.share": share}))
        after = market.truth["ts"].dt.epoch("ns").to_numpy()
        trades = book_trades(market)
        soon = (np.searchsorted(after, stamps(trades) - 41 * MINUTE_NS)) != np.searchsorted(
            after, stamps(trades)
        )
        gross[share] = trades.filter(soon)["size"].sum()
    assert gross[0.0] == pytest.approx(gross[1.0], rel=0.05)


def dealers_flow(market, start, minutes):
    """Signed volume of all dealers' trades in the minutes after instants."""
    trades = market.hedge_trades.filter(market.hedge_truth["origin"] != "ordinary")
    total = np.concatenate(([0.0], np.cumsum(trades["size"] * trades["aggressor"])))
    at = stamps(trades)
    end = start + int(minutes * MINUTE_NS)
    return total[np.searchsorted(at, end)] - total[np.searchsorted(at, start)]


@pytest.mark.parametrize(("hedging", "tells"), [("demand", True), ("coin", False), ("none", False)])
def test_dealers_flow_after_a_shock_tells_its_side_only_where_they_hedge(hedging, tells):
    """Over many seeds, within a quarter of an hour, and over the hours of rehedging after it."""
    base = changed(
        scenario("effect", days=6),
        {
            "dealers.hedging": hedging,
            "dealers.ordinary_share": 1.0,
            "option_flow.trades_per_day": 1_000.0,
            "future.trades_per_day": 10_000.0,
            "future.quote_interval_seconds": 3_600.0,
        },
    )
    markets = [simulate(changed(base, seed=seed)) for seed in range(100, 108)]
    for from_minutes, minutes in ((0, 15), (15, 240), (0, 1_440)):
        score = np.concatenate(
            [
                np.sign(market.truth["delta"].to_numpy())
                * dealers_flow(market, stamps(market.truth) + from_minutes * MINUTE_NS, minutes)
                for market in markets
            ]
        )
        z = score.mean() / (score.std() / np.sqrt(score.size))
        if tells and from_minutes == 0 and minutes == 15:
            assert z > 10.0
        if not tells:
            assert abs(z) < 3.5


@pytest.mark.parametrize(("hedging", "tells"), [("demand", True), ("coin", False), ("none", False)])
def test_ordinary_demand_tells_dealers_flow_only_where_they_hedge(plain, hedging, tells):
    base = changed(
        plain,
        {
            "dealers.hedging": hedging,
            "shocks.enabled": False,
            "dealers.band_units": 0.1,
            "option_flow.trades_per_day": 5_000.0,
            "future.quote_interval_seconds": 3_600.0,
        },
        days=6,
    )
    market = simulate(base)
    prints = market.option_trades.join(
        market.prints_truth.select("trade_id", "side"), on="trade_id"
    )
    call = prints["contract"].str.ends_with("C").to_numpy()
    toward = prints["lots"].to_numpy() * prints["side"].to_numpy() * np.where(call, 1, -1)
    window = (stamps(prints) - market.coverage.start_ns[0]) // (20 * MINUTE_NS)
    demand = np.bincount(window, weights=toward)
    looks = market.coverage.start_ns[0] + (np.arange(demand.size) + 1) * 20 * MINUTE_NS
    correlation = np.corrcoef(demand, dealers_flow(market, looks, 20))[0, 1]
    if tells:
        assert correlation > 0.3
    else:
        assert abs(correlation) < 4 / np.sqrt(demand.size)
