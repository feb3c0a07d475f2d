"""The page of stylised facts says what the tapes say today, recorded and simulated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builders import recorded_markets
from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import scenario, write_to_catalog
from hedgeflow.studies.stylised_facts import DEFINITIONS, REFERENCES, stylised_facts
from hedgeflow.studies.stylised_facts.page import definitions_table

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "reference" / "stylised-facts.md"
RECORDED = {"effect": recorded_markets.CRYPTO, "us-index": recorded_markets.EXCHANGE}
FEW_SESSIONS = 6
SCALES_OF_NOISE = 6.0
NUMBER = re.compile(r"-?[\d,]*\.?\d+")


def section(name):
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", text, re.DOTALL)
    assert found, f"the page has no {name}"
    return found[1]


def told(name):
    """Return the cells of a section's facts by fact, a column each, notes' numbers left out."""
    names = {each.name.replace("|", "\\|") for each in DEFINITIONS}
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section(name).splitlines()
            if line.startswith("| ")]  # fmt: skip
    cells = [[re.sub(r" \(\d+\)$", "", cell.strip()) for cell in row] for row in rows]
    return {row[0].replace("\\|", "|"): row[1:-1] for row in cells if row[0] in names}


def leading(text):
    """Return the number that a cell begins with, as fraction where it is in per cent."""
    number = float(NUMBER.match(text)[0].replace(",", ""))
    return number / 100.0 if "%" in text else number


@pytest.fixture(scope="module")
def recorded(market_data, tmp_path_factory):
    """Return a function that measures a recorded market of the page."""
    folder = tmp_path_factory.mktemp("recorded")

    def measure(market):
        catalog = market.make(market_data, folder)
        return stylised_facts(catalog, market.underlying, calendar=market.calendar)

    return measure


COLUMNS = [
    pytest.param(preset, place, id=market.title)
    for preset, markets in RECORDED.items()
    for place, market in enumerate(markets, 1)
]


@pytest.mark.parametrize(("preset", "place"), COLUMNS)
def test_the_recorded_figures_of_the_page_are_those_of_the_recordings(recorded, preset, place):
    facts, page = recorded(RECORDED[preset][place - 1]), told(preset)
    shown = {fact.definition.name: page[fact.definition.name][place] for fact in facts.facts}
    assert shown == {fact.definition.name: fact.text for fact in facts.facts}


@pytest.fixture(scope="module", params=sorted(RECORDED))
def simulated(request, tmp_path_factory):
    """Return a preset's name and its facts over a few sessions."""
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("simulated") / request.param)
    few = scenario(request.param, {"option_quotes.tape": True}, days=FEW_SESSIONS)
    write_to_catalog(few, catalog)
    return request.param, stylised_facts(catalog, "SIM")


BANDS = {
    "size_tail_5": (1.0, 4.0),
    "size_top_share": (0.03, 0.6),
    "fano_1m": (1.2, 100.0),
    "fano_own_1m": (1.2, 50.0),
    "fano_5m": (1.2, 200.0),
    "gap_variation": (1.0, 3.0),
    "same_contract_minute": (0.3, 0.95),
    "print_spread_all": (0.001, 0.3),
    "quote_spread_all": (0.001, 0.3),
    "print_spread_iv_atm": (0.05, 5.0),
    "hedge_spread_median": (0.005, 5.0),
    "option_sign_acf_1": (0.005, 0.6),
    "hedge_sign_acf_1": (0.05, 0.95),
    "option_buy_share": (0.4, 0.6),
    "unsigned_share": (0.001, 0.2),
    "complex_share": (0.001, 0.3),
    "volatility": (0.05, 1.0),
    "kurtosis_1m": (3.2, 50.0),
    "absolute_acf_1": (0.02, 0.6),
    "jump_share": (-0.05, 0.4),
    "interest_turnover": (0.05, 3.0),
    "interest_change": (0.01, 0.5),
}


def test_a_simulated_market_shows_the_facts_that_every_market_shows(simulated):
    preset, facts = simulated
    # A trade of `effect` is nearly as large as what its flow may be off: its signs alternate.
    forced = {"hedge_sign_acf_1"} if preset == "effect" else set()
    outside = {name: facts[name].text for name, (low, high) in BANDS.items()
               if name not in forced and not low <= (facts[name].value or 0.0) <= high}  # fmt: skip
    assert outside == {}
    assert facts.simulated


def test_a_market_that_closes_is_busy_at_its_ends_and_moves_overnight(simulated):
    preset, facts = simulated
    ends = ("u_prints", "u_volume", "u_hedge_volume", "u_variance")
    if preset == "effect":
        assert {facts[name].note for name in ends} == {"the market never closes"}
        assert 1.2 < facts["day_contrast_prints"].value < 4.0
        return
    assert all(1.2 < facts[name].value < 6.0 for name in ends)
    assert 0.02 < facts["overnight_share"].value < 0.6


def test_the_simulated_figures_of_the_page_are_the_simulator_s(simulated):
    """A few sessions against the page's many: what differs by more than noise is out of date."""
    preset, facts = simulated
    page, stale = told(preset), {}
    for fact in facts.facts:
        shown = page[fact.definition.name][0]
        if fact.value is None or fact.error is None or fact.definition.key.startswith("busiest"):
            continue
        apart = abs(leading(shown) - fact.value)
        if apart > SCALES_OF_NOISE * fact.error + 0.10 * abs(fact.value) + 0.005:
            stale[fact.definition.key] = (shown, fact.text)
    assert stale == {}, "make the page again: HEDGEFLOW_DATA=FOLDER python bench/stylised_page.py"


def test_the_page_defines_what_it_shows_and_names_its_sources():
    assert section("definitions").strip() == definitions_table()
    assert all(f"- {name}: {text}" in section("references") for name, text in REFERENCES.items())
    for preset in RECORDED:
        assert set(told(preset)) == {each.name for each in DEFINITIONS}
