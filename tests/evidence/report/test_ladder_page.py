"""A ladder's page: every rung, what is not known said so, drawn without loading anything."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from evidence.report.test_browser import ARGUMENTS
from hedgeflow.evidence.report.ladder_page import BEGINNING, render_ladder, time_left
from hedgeflow.evidence.report.ladder_pictures import dealer_picture, interest_picture

CHROMIUM = shutil.which("chromium")
MADE = "2014-06-06T20:30:00Z"
STRIKES = (640.0, 642.5, 645.0, 647.5, 650.0)


def rung(place, **changes):
    strike = STRIKES[place]
    return {
        "strike": strike, "settled": "2014-06-06T10:31:00Z", "settled_oi": 9_000.0 + place,
        "settled_calls": 5_000.0 + place, "settled_puts": 4_000.0, "estimated_oi": 9_500.0,
        "estimated_calls": 5_400.0, "estimated_puts": 4_100.0, "oi_low": 7_000.0,
        "oi_high": 12_000.0, "oi": 9_500.0, "pressure": 8.0 + place, "dealer_units": 100.0,
        "dealer_gamma": (-1.0) ** place * 1_000.0, "gamma_basis": "SIGNED_FLOW", "source": 0.9,
        "lognormal": 0.2, "empirical": None, "in_the_money_call": 0.4, "in_the_money_put": 0.6,
        "distance": abs(646.0 - strike), "distance_points": abs(646.0 - strike),
        "distance_sigmas": 0.5, "urgency": "HIGH" if place > 2 else None,
        "direction": "SELL_FUTURES" if place > 2 else None,
    } | changes  # fmt: skip


def ladder(**changes):
    return {
        "underlying": "AAPL", "simulated": False, "at": "2014-06-06T19:30:00Z",
        "at_local": "2014-06-06T15:30:00-04:00", "expiry": "2014-06-06T20:00:00Z",
        "expiry_local": "2014-06-06T16:00:00-04:00", "zone": "America/New_York",
        "settlement": "american-assignment", "features": {"words": "Friday, weekly"},
        "phase": "HIGH_PRESSURE", "seconds_left": 1_799.25, "price": 646.0,
        "price_at": "2014-06-06T19:30:00Z", "sigma": 0.25, "sigma_source": "implied",
        "expected_move": 2.8, "preset": "source", "model": "source",
        "pressure_is": "open interest × the chance by model source", "threshold": 10.0,
        "no_alert": "", "strikes_listed": 86,
        "evaluated": "2014-06-06T19:30:00Z",
        "profile": {"net_gamma": -2_500.4, "flip": 643.21, "call_wall": 645.0, "put_wall": None,
                    "move": 0.01, "flow_up": 1_234.0, "flow_down": -777.0},
        "rungs": [rung(place) for place in range(5)],
        "notices": [{"at": "2014-06-06T19:15:00Z", "kind": "TIMED", "minutes_left": 45.0}],
        "notes": ["The price is -3 minutes old."],
    } | changes  # fmt: skip


def words(html):
    body = re.sub(r"<script.*?</script>|<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_the_page_begins_as_is_checked_before_it_is_replaced():
    assert render_ladder(ladder(), MADE).startswith(BEGINNING)


def test_head_and_cards_say_when_what_and_which_side():
    said = words(render_ladder(ladder(), MADE))
    assert "AAPL options that expire 2014-06-06, 00:30:00 before, at 15:30:00" in said
    assert "was known at 2014-06-06 15:30:00; times are America/New_York time." in said
    assert "Pressure, by preset source: open interest × the chance by model source. " in said
    assert "source is the steps of the document" in said
    assert "Expires 16:00, Friday, weekly; american assignment." in said
    assert "Dealers’ net gamma −2,500" in said
    assert "they are short: they feed moves" in said
    assert "Flip level 643.21" in said
    assert "645 / none" in said
    assert "buy 1,234 as the price rises, sell 777 as it falls; units of the underlying" in said
    assert "2 HIGH 647.5, 650; pressure above 10.00, looked at 15:30:00" in said
    assert "Notice at 15:15:00: 45 minutes left." in said


def test_small_figures_keep_their_digits():
    coins = [
        rung(place, dealer_gamma=-0.0034 * (place == 3), settled_oi=1.25) for place in range(5)
    ]
    profile = ladder()["profile"] | {"net_gamma": -0.0034, "flow_up": 1.284, "flow_down": 0.0}
    said = words(render_ladder(ladder(rungs=coins, profile=profile), MADE))
    assert "Dealers’ net gamma −0.00340" in said
    assert "buy 1.28 as the price rises, nothing as it falls; units of the underlying" in said
    assert "12.00 0.00000 signed flow" in said
    far = ladder()["profile"] | {"net_gamma": -1e-90, "flow_up": -1e-90}
    said_far = words(render_ladder(ladder(profile=far), MADE))
    assert "Dealers’ net gamma 0 " in said_far
    assert "move of 1 % nothing as the price rises" in said_far
    assert "they are flat" in said_far
    assert "11.00 −0.00340 signed flow" in said
    assert " 1 5,004.0" not in said


def test_time_left_counts_the_second_under_way():
    left = {1_799.25: "00:30:00", 1_799.0: "00:29:59", 0.001: "00:00:01", 86_400.0: "24:00:00"}
    assert {each: time_left({"seconds_left": each}) for each in left} == left


def test_every_rung_stands_in_the_table_from_the_highest_down_with_the_instant_of_its_count():
    html = render_ladder(ladder(), MADE)
    table = html[html.index("<table") : html.index("</table>")]
    heads = re.findall(r'<th scope="row" role="rowheader">([\d.]+)</th>', table)
    assert heads == ["650", "647.5", "645", "642.5", "640"]
    row = words(table[table.index(">650<") - 40 : table.index(">647.5<")])
    assert "9,004 5,004 / 4,000 06:31:00 9,500 5,400 / 4,100 7,000 to 12,000 12.00 +1,000" in row
    assert row.count("—") == 1  # the empirical chance alone is not known
    assert "HIGH SELL FUTURES" in row


def test_settled_and_estimated_are_drawn_apart_and_levels_only_where_they_are():
    interest = interest_picture(ladder(), simulated=False).spec
    names = [each.get("name") for each in interest["data"]]
    assert names == ["settled calls", "settled puts", "estimated, with its band", None]
    calls, puts, estimated, _ = interest["data"]
    assert [a + b for a, b in zip(calls["x"], puts["x"], strict=True)] == [
        9_000.0 + place for place in range(5)
    ]
    assert estimated["error_x"]["array"] == [2_500.0] * 5
    assert estimated["error_x"]["arrayminus"] == [2_500.0] * 5
    dealers = dealer_picture(ladder(), simulated=False).spec
    told = [each["text"] for each in dealers["layout"]["annotations"]]
    assert told == ["price<br>646.00", "flip<br>643.21", "call wall"]
    far = ladder(profile=ladder()["profile"] | {"flip": 500.0, "call_wall": None})
    told = [
        each["text"] for each in dealer_picture(far, simulated=False).spec["layout"]["annotations"]
    ]
    assert told == ["price<br>646.00"]


@pytest.mark.parametrize("flip", [646.02, 645.9, 646.0, 646.6, 648.0])
def test_the_names_of_near_levels_stand_one_above_the_other(flip):
    shown = ladder(profile=ladder()["profile"] | {"flip": flip})
    spec = dealer_picture(shown, simulated=False).spec
    price, other = spec["layout"]["annotations"][:2]
    up = other.get("yshift", 0.0) - price.get("yshift", 0.0)
    pixels = (flip - 646.0) / (STRIKES[-1] - STRIKES[0]) * 400.0 + up
    assert abs(pixels) >= 33.9, "two lines of 11 pixels"
    assert pixels * (flip - 646.0) >= 0.0, "the higher level is named above"


def test_a_count_tells_since_when_it_stands_by_the_exchange_s_clock():
    bars = interest_picture(ladder(), simulated=False).spec["data"][0]
    assert bars["customdata"] == ["2014-06-06 06:31:00"] * 5
    assert "unchanged since %{customdata}" in bars["hovertemplate"]


def test_without_a_volatility_the_page_says_what_cannot_be_drawn():
    unknown = {"dealer_gamma": None, "lognormal": None, "in_the_money_call": None}
    rungs = [rung(place, **unknown) for place in range(5)]
    shown = ladder(sigma=None, expected_move=None, profile=None, rungs=rungs, threshold=None,
                   no_alert="NO_SIGMA")  # fmt: skip
    said = words(render_ladder(shown, MADE))
    assert "no volatility is known" in said
    assert "dealers’ gamma, its flip and walls, and the lognormal chances cannot be drawn" in said
    assert "nothing can be an alert: no volatility is known" in said
    assert "Dealers’ net gamma" not in said
    assert "nan" not in said.lower().split()


def test_a_simulated_ladder_is_marked_everywhere():
    html = render_ladder(ladder(simulated=True), MADE)
    assert html.count('<span class="tag">SIMULATED</span>') >= 4
    specs = re.findall(r'<script type="application/json" id="fig-[\w]+-data">(.*?)</script>', html)
    assert len(specs) == 2
    for spec in specs:
        notes = json.loads(spec)["layout"]["annotations"]
        assert any(each["text"] == "SIMULATED" for each in notes)
    assert "SIMULATED" not in words(render_ladder(ladder(), MADE))


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_it_draws_on_a_desk_and_a_phone_loads_nothing_and_logs_nothing(tmp_path):
    from playwright.sync_api import sync_playwright

    path = tmp_path / "ladder.html"
    path.write_text(render_ladder(ladder(simulated=True), MADE), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for width in (1400, 390):
            page = browser.new_page(viewport={"width": width, "height": 900})
            seen, said = [], []
            page.on("request", lambda request, seen=seen: seen.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-drawn]", state="attached")
            page.wait_for_timeout(200)
            assert seen == [path.as_uri()]
            assert said == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator(".plot .main-svg:first-child").count() >= 2
            bars = [page.locator(f"#{name} .barlayer .point").count()
                    for name in ("fig-interest", "fig-dealers")]  # fmt: skip
            assert min(bars) >= 5
            rows = [
                page.evaluate(
                    f"document.querySelector('#{name} .yaxislayer-above text, #{name} .ytick text')"
                    ".getBoundingClientRect().top"
                )
                for name in ("fig-interest", "fig-dealers")
            ]
            assert (abs(rows[0] - rows[1]) < 2.0) == (width == 1400)  # abreast, rung beside rung
        browser.close()
