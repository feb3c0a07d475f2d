"""The report of an expiration pressure: its own sections, its own words, nothing of shocks."""

from __future__ import annotations

import copy
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
    assert re.search(r"on 30 expiry days 0\.\d\d spacings away, 0\.\d\d on 120 days without", words)
    assert "If there were nothing: bars of both kinds of days alike" in words
    assert "The published pull on single stocks is 16.5 bps" in words


def test_the_family_of_holms_correction_is_told(words, run):
    assert run[1].pinning.tests == 5
    assert "Holm’s correction runs here over the 5 p-values of this section, of at most" in words
    assert "Claims name three of these" in words
    assert "after Holm over 5 tests p" in words


def test_more_than_chance_means_what_the_claims_ask():
    asked = {each.threshold for each in DECLARATION.claims if "holm_p_value" in each.statistic}
    assert asked == {words_of.SHOWN}


@pytest.mark.parametrize(("p_value", "said"), [(0.009, "more than"), (0.03, "no more than")])
def test_a_p_value_between_the_levels_is_not_called_more_than_chance(run, p_value, said):
    package = copy.deepcopy(run[2])
    for name in ("nearest", "heaviest", "drift"):
        package["hypothesis_validation"]["pinning"][name]["p_value_holm"] = p_value
    told = words_of.pinning_words(package)[:3]
    assert all(f"at the claims’ level of 0.01, {said} chance would do" in each for each in told)


def test_a_direction_is_named_only_where_something_is_shown(run):
    package = copy.deepcopy(run[2])
    test = package["hypothesis_validation"]["pinning"]["nearest"] | {"direction": "farther"}
    package["hypothesis_validation"]["pinning"]["nearest"] = test | {"p_value_holm": 0.5}
    assert "driven away" not in words_of.pinning_words(package)[0]
    package["hypothesis_validation"]["pinning"]["nearest"] = test | {"p_value_holm": 0.001}
    assert ", farther, as if driven away." in words_of.pinning_words(package)[0]


def test_the_two_families_of_p_values_are_told_apart(words, run):
    tests = run[2]["hypothesis_validation"]
    own = {each["id"]: each["p_value"] for each in tests["hypotheses"]}
    both = sorted(tests["pinning"][name]["p_value"]["value"] for name in ("nearest", "heaviest"))
    assert own["pinning"] == pytest.approx(min(2.0 * both[0], max(2.0 * both[0], both[1])))
    tested = sum(each is not None for each in own.values())
    assert f"p, Holm over these {tested}" in words
    assert re.search(r"the smaller after Holm of \S+ and \S+, those of the two strikes", words)
    assert "“Does the price pin?” are another family" in words


def test_days_on_which_only_daily_options_expire_are_called_so(run):
    finished, _, package = run
    daily = pl.when(pl.col("is_expiry")).then(pl.lit("weekly")).otherwise(pl.lit("daily"))
    round_the_clock = finished.expiries.with_columns(cycle=daily)
    html = render_report(package, replace(finished, expiries=round_the_clock), None)
    pinning = html[html.index('<section id="pinning"') : html.index('<section id="probabilities"')]
    assert "without an expiry" not in pinning
    assert "on 120 days on which only daily options expire" in pinning
    assert "days on which only daily options expire (120)" in pinning


def test_power_names_its_effect_and_its_level(words):
    assert "Power for 16.5" in words
    assert "would show at 5 %, two-sided, before Holm, a pull of 16.5 bps" in words
    assert "An index or a coin is no single stock" in words


def test_a_picture_with_one_series_has_a_legend_and_the_days_behind_each_point(run):
    package = copy.deepcopy(run[2])
    for mark in package["hypothesis_validation"]["pinning"]["drift"]["marks"]:
        mark["short_bps"] = mark["short_bps"] | {"value": None}
    [only] = pictures.drift_picture(package, simulated=False).spec["data"]
    assert only["showlegend"] is True
    marks = package["hypothesis_validation"]["pinning"]["drift"]["marks"]
    assert only["text"] == [f"{each['long_bps']['n']} days" for each in marks]


def test_a_few_days_make_no_curve_of_probabilities():
    finished = tables()
    rows = finished.strike_probabilities
    some = rows["date"].unique().sort()[:2]
    few = replace(finished, strike_probabilities=rows.filter(pl.col("date").is_in(some.to_list())))
    drawn = pictures.probability_picture(document(assessed(few, arms=False)), simulated=False)
    assert drawn.reason == "2 expiry days; a curve takes 5 at least"


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
    assert "had the last move gone the other way" in words
    assert re.search(r"on 120 days without an expiry they lay 0\.\d\d (nearer|farther) than", words)


def test_the_floor_of_the_source_is_told(words):
    assert "3 or more expected moves away: the source’s rule gave them" in words
    assert "Its floor gives strikes so far away a chance, and it was never seen." in words


def test_a_floor_of_what_came_at_times_is_told_as_too_high(run):
    package = copy.deepcopy(run[2])
    far = package["hypothesis_validation"]["strike_probabilities"]["far"]
    far["came"] = far["came"] | {"value": 0.02, "lower": 0.01, "upper": 0.03}
    assert words_of.far_words(package).endswith("so far away more of a chance than they had.")


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
