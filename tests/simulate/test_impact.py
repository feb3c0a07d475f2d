import numpy as np
import pytest

from hedgeflow.market.time import MINUTE_NS, SECOND_NS
from hedgeflow.simulate import changed, scenario, simulate
from hedgeflow.simulate.hedging import Hedge
from hedgeflow.simulate.hours import sessions_of
from hedgeflow.simulate.impact import ImpactState, Moves
from hedgeflow.simulate.paths import IndexPath, PathState
from hedgeflow.simulate.trades import Trades

PEAK_BPS = -40.0


def hedge(start_ns, seconds, sizes):
    """A selling hedge of the peak impact, traded at seconds after an instant."""
    stamp = start_ns + (np.array(seconds) * SECOND_NS).astype(np.int64)
    size = np.array(sizes, dtype=np.float64)
    trades = Trades.of(stamp, size, np.full(size.size, -1), 0)
    return Hedge(start_ns, 1.0, 1.0, 1.0, -size.sum(), -size.sum(), PEAK_BPS, trades)


def slow_reference(drawn, hedges, session, until):
    """Log move of index and future at one second of a session, trade by trade."""
    impact = drawn.impact
    index = future = 0.0
    for each in hedges:
        done, total = 0.0, each.trades.size.sum()
        for stamp, size in zip(each.trades.stamp, each.trades.size, strict=True):
            before, done = done, done + size
            step = (done / total) ** impact.path_exponent - (before / total) ** impact.path_exponent
            step *= each.impact_bps * 1e-4
            since = until - ((stamp - session.start_ns) // SECOND_NS + 1)
            if since < 0:
                continue
            index += impact.permanent_share * step
            decayed = 0.5 ** (since / 60.0 / impact.transient_half_life_minutes)
            future += (1.0 - impact.permanent_share) * step * decayed
    return index, index + future


def flat_path(session):
    return IndexPath(session, np.full(session.seconds, 100.0), np.full(session.seconds, 0.5))


@pytest.mark.parametrize("path_exponent", [0.5, 1.0])
@pytest.mark.parametrize("permanent_share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("half_life", [5.0, 60.0])
def test_each_trade_moves_the_index_for_good_and_the_future_for_a_while(
    path_exponent, permanent_share, half_life
):
    drawn = changed(
        scenario("effect"),
        {
            "impact.path_exponent": path_exponent,
            "impact.permanent_share": permanent_share,
            "impact.transient_half_life_minutes": half_life,
        },
    )
    session = sessions_of(drawn)[0]
    hedges = [
        hedge(session.start_ns + 100 * SECOND_NS, [0.0, 3.7, 3.9, 250.0], [1.0, 5.0, 2.0, 8.0]),
        hedge(session.start_ns + 200 * SECOND_NS, [1.0, 30.0], [3.0, 3.0]),
    ]
    moves = Moves(drawn, session, ImpactState.at_rest())
    for each in hedges:
        moves.add(each)
    index = np.log(moves.moved(flat_path(session)).price / 100.0)
    premium, _ = moves.premium()
    for second in (99, 100, 101, 104, 105, 230, 231, 351, 4_000, 80_000):
        expected = slow_reference(drawn, hedges, session, second)
        assert index[second] == pytest.approx(expected[0], abs=1e-12)
        assert index[second] + premium[second] == pytest.approx(expected[1], abs=1e-12)


def test_the_whole_hedge_moves_the_price_by_its_peak_if_nothing_decays():
    drawn = changed(scenario("effect"), {"impact.permanent_share": 1.0})
    session = sessions_of(drawn)[0]
    moves = Moves(drawn, session, ImpactState.at_rest())
    moves.add(hedge(session.start_ns, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]))
    assert np.log(moves.moved(flat_path(session)).price[-1] / 100.0) == pytest.approx(-0.0040)
    assert moves.moved_end(PathState(7.0, 0.0, session.end_ns)).log_price == pytest.approx(6.9960)


@pytest.mark.parametrize("preset", ["effect", "us-index"])
def test_impact_goes_on_in_the_next_session_and_the_premium_fades_while_the_market_is_shut(preset):
    drawn = scenario(preset)
    first, second = sessions_of(drawn)[:2]
    late = hedge(first.end_ns - 60 * SECOND_NS, [0.0, 50.0, 90.0, 200.0], [1.0, 1.0, 1.0, 1.0])
    moves = Moves(drawn, first, ImpactState.at_rest())
    moves.add(late)
    premium, state = moves.premium()
    following = Moves(drawn, second, state)
    after, rest = following.premium()
    share = drawn.impact.path_exponent
    step = -0.0040 * (0.75**share - 0.5**share)
    index = np.log(following.moved(flat_path(second)).price / 100.0)
    assert index[30] == 0.0
    assert index[31] == pytest.approx(drawn.impact.permanent_share * step)
    closed = (second.start_ns - first.end_ns) / MINUTE_NS
    kept = 0.5 ** ((closed + 1 / 60) / drawn.impact.transient_half_life_minutes)
    assert after[0] == pytest.approx(premium[-1] * kept, rel=1e-9, abs=1e-15)
    assert rest.ahead.size == 0


def test_what_moves_nothing_leaves_the_index_as_it_was():
    drawn = scenario("effect")
    session = sessions_of(drawn)[0]
    moves = Moves(drawn, session, ImpactState.at_rest())
    path = flat_path(session)
    assert moves.moved(path) is path
    assert not moves.premium()[0].any()


def test_option_prints_and_quotes_of_the_future_see_a_permanent_move_on_the_tape(small):
    """One market with and without impact: before the first hedge they agree, after it they part."""
    one = changed(small, {"impact.permanent_share": 1.0}, days=1)
    moved, flat = simulate(one), simulate(changed(one, {"impact.enabled": False}))
    first = moved.truth.row(0, named=True)
    columns = ["ts", "contract", "underlying_price"]
    both = moved.option_trades[columns].join(
        flat.option_trades[columns], on=["ts", "contract"], suffix="_flat"
    )
    log_move = np.log((both["underlying_price"] / both["underlying_price_flat"]).to_numpy())
    at = both["ts"].dt.epoch("ns").to_numpy()
    start = int(first["hedge_start"].timestamp() * 1e9)
    second = int(moved.truth["hedge_start"][1].timestamp() * 1e9)
    assert not log_move[at < start].any()
    between = log_move[(at > start + 20 * MINUTE_NS) & (at < second)]
    assert between.size > 10
    np.testing.assert_allclose(between, first["impact_bps"] * 1e-4, rtol=1e-9)


def test_later_shocks_are_priced_on_the_index_that_earlier_ones_moved(small):
    one = changed(small, {"impact.permanent_share": 1.0, "impact.peak_bps": 300.0}, days=1)
    truth, flat = (simulate(each).truth for each in (one, changed(one, {"impact.enabled": False})))
    assert truth["ts"].equals(flat["ts"])
    assert truth.row(0, named=True)["contract"] == flat.row(0, named=True)["contract"]
    assert not truth["option_units"][1:].equals(flat["option_units"][1:])
    wanted = truth["delta"].abs() / one.shocks.sweep_units
    assert wanted.min() > 0.4
