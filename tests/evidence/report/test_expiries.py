"""The report of an expiration pressure: its own sections, its own words, nothing of shocks."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from evidence import expiry_samples, samples
from hedgeflow.evidence import Arm, ArmGroup, assess, companion_documents, package_document
from hedgeflow.evidence.report import expiry_pictures as pictures
from hedgeflow.evidence.report import expiry_words as words_of
from hedgeflow.evidence.report.evidence_page import render_report, shown_sections
from hedgeflow.strategies.expiration_pressure.claims import DECLARATION
from hedgeflow.strategies.volume_shock.claims import DECLARATION as OF_SHOCKS

CLASSES = DECLARATION.classes[:3]
STAND_IN = "the index cannot be traded"


def tables(**more):
    built = samples.tables(samples.mixed(40, 30))
    of = [CLASSES[row % 3] for row in range(built.trades.height)]
    expiries, prices = expiry_samples.market(150, seed=3, pull_bps=40.0)
    return replace(
        built,
        trades=built.trades.with_columns(flow_class=pl.Series(of)),
        alerts=built.alerts.drop("demand", "response_minutes").with_columns(
            flow_class=pl.Series(of), strike=pl.lit(645.0), pressure=pl.lit(12.0)
        ),
        expiries=expiries,
        expiry_prices=prices,
        strike_probabilities=expiry_samples.probabilities(30, seed=4),
        flow_untestable_reason="expiration pressure predicts no hedge flow",
        **more,
    )


def arm(tables, name: str, *, turned: bool, reference: bool = False) -> Arm:
    trades = tables.trades.with_columns(hold_minutes=pl.lit(5.0))
    if turned:
        trades = trades.with_columns(net_usd=-pl.col("net_usd"), net_bps=-pl.col("net_bps"))
    return Arm(ArmGroup.DIRECTION, name, f"direction: {name}", None, trades, reference=reference)


def assessed(finished, *, arms=True):
    three = [
        arm(finished, "steer-away", turned=True),
        arm(finished, "pin", turned=False),
        arm(finished, "dealer-gamma", turned=False, reference=True),
    ]
    manifest = samples.manifest(
        strategy="expiration-pressure",
        null_hypothesis=DECLARATION.null_hypothesis,
        signing_mode="",
        simulated=True,
    )
    return assess(finished, DECLARATION, manifest, three if arms else ())


def document(evidence):
    made = package_document(evidence, timestamp="2024-03-01T00:00:00Z", files={})
    return json.loads(json.dumps(made))


@pytest.fixture(scope="module")
def run():
    finished = tables(price_stand_in=STAND_IN)
    evidence = assessed(finished)
    return finished, evidence, document(evidence)


@pytest.fixture(scope="module")
def words(run):
    finished, _, package = run
    html = render_report(package, finished, None)
    bare = re.sub(r"<(script|style).*?</\1>", " ", html, flags=re.DOTALL)
    bare = bare[: bare.index("The configuration")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


def test_a_run_on_an_index_is_never_validated_and_says_why(run):
    gate = next(each for each in run[1].gates if each.statistic == "tradable_prices")
    assert gate.status == "UNTESTABLE"
    assert gate.reason == STAND_IN
    assert "tradable-prices" in run[1].decision.untestable


def test_prices_of_an_instrument_pass_that_gate():
    gates = {each.statistic: each for each in assessed(tables(), arms=False).gates}
    assert gates["tradable_prices"].status == "PASSED"


def test_every_declared_statistic_of_expiries_is_measured(run):
    unmeasured = [
        each.id for each in run[1].claims if each.reason == "this run does not measure it"
    ]
    assert unmeasured == []


def test_the_sections_are_those_of_expiries(run):
    shown = shown_sections(run[2], None)
    assert {"pinning", "probabilities", "directions"} <= shown
    assert "event-study" not in shown


def test_nothing_is_said_of_shocks(words):
    for foreign in ("sweep", "Sweep", "emergenc", "Emergenc", "shock", "flow class", "demand"):
        assert foreign not in words


def test_the_section_says_what_was_found_against_what(words):
    assert "Does the price pin?" in words
    assert "Closes beside the nearest strike: on 30 expiry days" in words
    assert "on days without an expiry (120 of them)" in words
    assert "If there were nothing: bars of both kinds of days alike" in words
    assert "The published pull on single stocks is 16.5 bps" in words


def test_the_family_of_holms_correction_is_told(words, run):
    assert run[1].pinning.tests == 5
    assert "Holm’s correction runs over 5 p-values of at most five" in words
    assert "Claims name three of these" in words


def test_what_gamma_predicted_is_told(run):
    package = run[2]
    drift = package["hypothesis_validation"]["pinning"]["drift"]
    even = drift | {"up_share": 0.5, "caution": ""}
    uneven = drift | {"up_share": 0.82, "caution": "dealers’ gamma predicted a rise on 82.0 %"}
    package["hypothesis_validation"]["pinning"]["drift"] = even
    assert "Dealers’ gamma predicted a rise on 50.0" in words_of.pinning_words(package)[2]
    package["hypothesis_validation"]["pinning"]["drift"] = uneven
    assert "Dealers’ gamma predicted a rise on 82.0 %." in words_of.pinning_words(package)[2]
    package["hypothesis_validation"]["pinning"]["drift"] = drift


def test_the_heaviest_strike_is_told_beside_the_mirror_images_of_other_days(words):
    assert "of the mirror images of the last move, and on 120 days without an expiry" in words


def test_the_floor_of_the_source_is_told(words):
    assert "3 or more expected moves away: the source’s rule gave them" in words
    assert "Its floor gives strikes a chance" in words


def test_the_three_directions_stand_side_by_side(words, run):
    assert "The three directions side by side" in words
    found = {each.id: each.figure for each in run[1].arm_findings}
    earned = run[0].trades.group_by("session").agg(pl.col("net_usd").sum())["net_usd"]
    assert found["pin-less-steer"].value == pytest.approx(2.0 * earned.mean())
    assert found["gamma-over-blind"].value == pytest.approx(earned.mean())
    assert found["pin-less-steer-p-value"].value < 0.01


def test_without_the_arms_there_is_no_section_of_directions():
    evidence = assessed(tables(), arms=False)
    assert "directions" not in shown_sections(document(evidence), None)


def test_a_package_holds_only_the_documents_that_its_strategy_speaks_of(run):
    written = companion_documents(run[1])
    assert set(written) == {"pinning", "execution_latency", "significance_testing"}
    ids = [each["id"] for each in written["pinning"]["claims"]]
    assert "pinning-nearest" in ids
    assert "probability-source" in ids
    assert "delta_flow_correlation" not in run[2]["hypothesis_validation"]


def test_a_volume_shock_has_no_part_of_expiries():
    evidence = assess(samples.tables(samples.mixed(40, 30)), OF_SHOCKS, samples.manifest())
    tests = document(evidence)["hypothesis_validation"]
    assert not {"pinning", "strike_probabilities"} & set(tests)
    assert "delta_flow_correlation" in tests
    assert "pinning" not in companion_documents(evidence)


def test_what_is_not_known_is_said_in_the_place_of_a_picture():
    finished = tables()
    nothing = replace(
        finished,
        expiries=finished.expiries.head(0),
        expiry_prices=None,
        strike_probabilities=finished.strike_probabilities.head(0),
        expiries_missing="the chains end hours before their expiry",
        strike_probabilities_missing="no price was known at any mark",
    )
    package = document(assessed(nothing, arms=False))
    drawn = pictures.distance_picture(package, simulated=False)
    assert drawn.reason == "the chains end hours before their expiry"
    assert pictures.drift_picture(package, simulated=False).reason == drawn.reason
    beside = pictures.probability_picture(package, simulated=False)
    assert beside.reason == "no price was known at any mark"
    assert words_of.far_words(package) == ""
    told = words_of.pinning_words(package)
    assert all(f"untestable, {drawn.reason}." in each for each in told)


def test_the_age_of_prices_is_told_where_snapshots_end_before_the_mark():
    finished = tables()
    older = finished.expiry_prices.with_columns(minutes_before=pl.lit(370.0))
    package = document(assessed(replace(finished, expiry_prices=older), arms=False))
    assert "The last 370 min (no price nearer to 60) on" in words_of.pinning_words(package)[2]


def test_pictures_of_a_simulated_market_say_so(run):
    for draw in (pictures.distance_picture, pictures.drift_picture, pictures.probability_picture):
        assert "SIMULATED" in json.dumps(draw(run[2], simulated=True).spec)
