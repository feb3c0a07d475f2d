"""Verdicts abreast: every figure is a package's own, and every page, row and picture is marked."""

from __future__ import annotations

import re
import shutil

import pytest

from evidence.report.test_evidence_page import Page, made
from hedgeflow.evidence.report.comparison import (
    Judged,
    compared_figures,
    is_comparison,
    render_comparison,
)

CHROMIUM = shutil.which("chromium")
NOW = "2025-04-11T00:00:00Z"


def judged(name, *, has_effect, trades=90, verdict=None, **changes):
    package, _ = made(trades, simulated=True)
    if verdict is not None:
        package["experimental_validity"]["verdict"] = verdict
    return Judged(
        name=name,
        truth=f"What is true in {name}.",
        has_effect=has_effect,
        settings=changes,
        package=package,
        report=f"report-{name}/report.html",
    )


@pytest.fixture(scope="module")
def pair():
    return [
        judged("first", has_effect=True),
        judged("second", has_effect=False, trades=0, plan={"stop_multiple": 3.0}),
    ]


@pytest.fixture(scope="module")
def html(pair):
    return render_comparison(pair, NOW)


@pytest.mark.parametrize(
    ("has_effect", "verdict", "words"),
    [
        (True, "VALIDATED", "found the claim to hold"),
        (True, "REJECTED", "not shown to do all that the claim says"),
        (True, "INSUFFICIENT_DATA", "not shown to do all that the claim says"),
        (False, "VALIDATED", "the judge was fooled"),
        (False, "REJECTED", "did not see one"),
        (False, "INSUFFICIENT_DATA", "did not see one"),
    ],
)
def test_what_a_verdict_is_worth_depends_on_what_is_true(has_effect, verdict, words):
    assert words in judged("market", has_effect=has_effect, verdict=verdict).outcome


def test_every_figure_is_the_package_s_own_or_says_why_there_is_none(pair):
    figures = dict(compared_figures(pair))
    overall = pair[0].package["performance_metrics"]["overall"]
    traded, empty = figures["Win rate, net of costs"]
    assert traded.value == f"{100 * overall['win_rate']['value']:.1f}\u00a0%"
    assert empty.text.startswith("not computable: ")
    assert [shown.value for shown in figures["Trades"]] == ["90", "0"]
    assert len(figures) == 7


def test_the_page_names_truth_word_gates_and_report_of_each_market(pair, html):
    page = Page(html)
    for each in pair:
        assert each.truth in page.text
        assert each.outcome in page.text
        assert each.report in page.links
    assert page.by_class["word"] == [
        f"SIMULATED: {each.verdict.replace('_', ' ')}" for each in pair
    ]
    gates = pair[0].package["experimental_validity"]["gates"]
    assert html.count('<span class="state ') == 2 * len(gates)
    for gate in gates:
        assert gate["statement"][1:] in page.text
    assert "stop_multiple" in page.text


def test_the_page_is_known_again_and_marked_in_every_section(html):
    assert is_comparison(html)
    assert not is_comparison("<h1>My home page</h1>")
    titles = re.findall(r"<h2.*?</h2>", html)
    assert len(titles) == html.count("<section") == 4
    assert all("SIMULATED" in title for title in titles)
    assert "SIMULATED" in re.search(r"<title>(.*?)</title>", html)[1]


def test_a_name_cannot_write_into_the_page():
    page = render_comparison([judged("<script>alert(1)</script>", has_effect=True)], NOW)
    assert "<script" not in page


def test_one_market_alone_is_no_pair(pair):
    assert "One market, one verdict" in render_comparison(pair[:1], NOW)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_it_fits_loads_nothing_and_is_dark_where_the_reader_is(html, tmp_path, width, scheme):
    from playwright.sync_api import sync_playwright

    path = tmp_path / "index.html"
    path.write_text(html, encoding="utf-8")
    seen, said = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("request", lambda request: seen.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()
    assert (seen, said) == ([path.as_uri()], [])
    assert wide <= width
    assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
