import numpy as np
import pytest

from hedgeflow.market.time import DAY_NS, HOUR_NS, YEAR_NS
from hedgeflow.simulate import changed, scenario
from hedgeflow.simulate.hours import option_days, sessions_of
from hedgeflow.simulate.paths import IndexPath, first_state, index_path
from hedgeflow.simulate.smiles import implied_volatility

STEADY = {"index.volatility_of_volatility": 0.0}
STRAIGHT = {"smile.skew": 0.0, "smile.curvature": 0.0, "smile.short_end_premium": 0.0}


def path_of(market):
    session = sessions_of(market)[0]
    count = session.seconds
    price = np.full(count, market.index.start_price)
    return IndexPath(session, price, np.full(count, market.index.volatility))


def implied(market, moneyness, days):
    path = path_of(market)
    strike = market.index.start_price * np.asarray(moneyness, dtype=np.float64)
    stamps = np.full(strike.size, path.session.start_ns, dtype=np.int64)
    expiry = stamps + np.int64(days * DAY_NS)
    return implied_volatility(market, path, strike, expiry, stamps)


def test_a_straight_smile_is_the_level_wherever_the_market_never_closes():
    market = scenario("calm", STEADY | STRAIGHT)
    for days in (0.25, 1, 30):
        assert implied(market, [0.9, 1.0, 1.1], days) == pytest.approx([0.5] * 3, rel=1e-12)


def test_the_short_end_is_lifted_by_its_premium_which_fades_in_its_days():
    market = scenario(
        "calm", STEADY | STRAIGHT | {"smile.short_end_premium": 0.2, "smile.short_end_days": 4.0}
    )
    lift = [float(implied(market, [1.0], days)[0]) / 0.5 - 1.0 for days in (0.01, 4, 40)]
    assert lift == pytest.approx([0.2 * np.exp(-0.0025), 0.2 / np.e, 0.2 * np.exp(-10)], rel=1e-9)


def test_skew_tilts_and_curvature_lifts_by_standardised_moneyness():
    deviation = 0.5 * np.sqrt(7 / 365)
    moneyness = np.exp(deviation * np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))
    tilted = scenario("calm", STEADY | STRAIGHT | {"smile.skew": -0.03})
    bent = scenario("calm", STEADY | STRAIGHT | {"smile.curvature": 0.025})
    assert implied(tilted, moneyness, 7) / 0.5 == pytest.approx([1.06, 1.03, 1.0, 0.97, 0.94])
    assert implied(bent, moneyness, 7) / 0.5 == pytest.approx([1.1, 1.025, 1.0, 1.025, 1.1])


def test_options_that_expire_at_the_close_are_priced_for_the_variance_that_the_session_has():
    market = scenario("us-index", STEADY | STRAIGHT, days=400)
    closes = option_days(market).end_ns
    state = first_state(market)
    priced, moved, calendar = [], [], []
    for session in sessions_of(market):
        path, state = index_path(market, session, state)
        moved.append((state.log_price - np.log(path.price[0])) ** 2)
        stamps = np.array([session.start_ns], dtype=np.int64)
        expiry = closes[np.searchsorted(closes, stamps, side="right")]
        years = (expiry - stamps) / YEAR_NS
        vol = implied_volatility(market, path, path.price[:1], expiry, stamps)
        priced.append(float((vol**2 * years)[0]))
        calendar.append(0.15**2 * float(years[0]))
    error = np.std(moved) / np.sqrt(len(moved))
    assert abs(np.mean(moved) - np.mean(priced)) < 4 * error
    assert np.mean(priced) > 2 * np.mean(calendar)


def test_nights_and_weekends_are_dearer_than_nothing_and_cheaper_than_sessions():
    market = scenario("us-index", STEADY | STRAIGHT)
    monday, tuesday = sessions_of(market)[:2]
    path = path_of(market)
    closes = np.array([monday.end_ns, tuesday.end_ns])
    stamps = np.full(2, monday.start_ns, dtype=np.int64)
    strike = np.full(2, market.index.start_price)
    variance = implied_volatility(market, path, strike, closes, stamps) ** 2
    variance *= (closes - stamps) / YEAR_NS
    day = 0.15**2 / 252
    assert variance == pytest.approx([0.8 * day, 1.8 * day], rel=1e-6)


def test_the_last_minutes_do_not_blow_the_smile_up():
    market = scenario("calm", STEADY)
    vols = implied(market, [0.9, 1.0, 1.1], 1e-4)
    assert (vols < 2.0).all()
    assert (vols > 0.1).all()
    flat = changed(market, STRAIGHT)
    assert implied(flat, [1.0], HOUR_NS / DAY_NS) == pytest.approx([0.5])
