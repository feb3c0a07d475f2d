"""Price moves against placebos, judged: planted effects are found, their absence is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence import samples
from hedgeflow.evidence.estimates import missing
from hedgeflow.evidence.price_response import price_measures, price_response
from hedgeflow.evidence.resampling import resample_sessions
from hedgeflow.evidence.tables import PRICE_COLUMNS
from hedgeflow.evidence.verdict import Status, judge
from hedgeflow.strategies.volume_shock.claims import CLAIMS

DAYS = samples.sessions(40)
RESAMPLING = resample_sessions(np.random.default_rng(0).normal(size=40), seed=1, resamples=400)


def prices(move=0.0, acceleration=0.0, *, events=120, days=40, seed=3, placebo=0.0, **columns):
    rng = np.random.default_rng(seed)
    row = {name: [None] * events for name in PRICE_COLUMNS} | {
        "alert_id": [f"A{k}" for k in range(events)],
        "session": [DAYS[k * days // events] for k in range(events)],
        "flow_class": ["INSTITUTIONAL_SWEEP"] * events,
        "direction": [1 if k % 2 else -1 for k in range(events)],
        "prior_move_bps": rng.normal(0.0, 5.0, events),
        "move_bps": rng.normal(move, 10.0, events),
        "placebo_move_bps": rng.normal(placebo, 3.0, events),
        "acceleration_bps": rng.normal(acceleration, 10.0, events),
        "placebo_acceleration_bps": rng.normal(0.0, 3.0, events),
    }
    return pl.DataFrame(row | columns, schema=PRICE_COLUMNS)


def found(frame, **changes):
    built = samples.tables([], days=40, prices=frame, acceleration_basis="observed", **changes)
    return price_response(built, RESAMPLING)


def judged(response, name):
    claim = next(claim for claim in CLAIMS if claim.id == name)
    return judge(claim, price_measures(response)[claim.statistic, ""], {})


def test_a_planted_move_is_found_with_its_size():
    response = found(prices(move=6.0))
    assert response.excess_move_bps.lower < 6.0 < response.excess_move_bps.upper
    assert response.sign_agreement.value > 0.6
    assert response.p_value_move.value < 0.001


def test_a_move_that_placebo_windows_have_too_is_no_response():
    response = found(prices(move=6.0, placebo=6.0))
    assert response.move_bps.lower > 0
    assert response.p_value_move.value > 0.01


def test_a_move_the_wrong_way_is_not_the_claim():
    assert found(prices(move=-6.0)).p_value_move.value > 0.99


@pytest.mark.parametrize("planted", [8.0, -8.0])
def test_acceleration_of_either_sign_is_measurable(planted):
    response = found(prices(acceleration=planted))
    assert response.acceleration_p_value.value < 0.001
    assert np.sign(response.excess_acceleration_bps.lower) == np.sign(planted)


def test_without_an_effect_neither_is_found():
    response = found(prices())
    assert response.p_value_move.value > 0.05
    assert response.acceleration_p_value.value > 0.05


def test_events_whose_placebos_are_too_few_are_left_out_and_counted():
    unknown = [None] * 30 + [0.5] * 90
    response = found(prices(placebo_move_bps=unknown, placebo_acceleration_bps=unknown))
    assert (response.events, response.left_out) == (90, 30)
    assert response.accelerated_events == 90


def test_a_claim_needs_events_enough_to_hold():
    assert judged(found(prices(move=9.0)), "price-response").status is Status.PASSED
    few = judged(found(prices(move=9.0, events=40)), "price-response")
    assert few.status is Status.INCONCLUSIVE
    assert "fewer than the 50" in few.reason


def test_too_few_sessions_can_prove_no_acceleration_however_large():
    seven = judged(found(prices(acceleration=-90.0, days=7)), "acceleration")
    assert seven.status is Status.UNTESTABLE
    assert judged(found(prices(acceleration=-90.0, days=8)), "acceleration").status is Status.PASSED


def test_what_was_not_studied_has_the_reason():
    response = found(None, prices_missing="there are no bars")
    assert response.move_bps == missing("there are no bars")
    assert judged(response, "acceleration").status is Status.UNTESTABLE
