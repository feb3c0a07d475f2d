"""The report in a browser: it draws, loads nothing, logs nothing and fits a desk and a phone."""

from __future__ import annotations

import shutil

import pytest

from evidence.test_report import event_study, made
from hedgeflow.evidence.report import render_report

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    package, finished = made(simulated=True)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(package, finished, event_study(flow=True)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, report):
    def at(width: int, scheme: str = "light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.seen, page.said = [], []
        page.on("request", lambda request: page.seen.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        pages.append(page)
        return page

    pages = []
    yield at
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", [1400, 390])
def test_it_draws_within_the_width_loads_nothing_and_logs_nothing(opened, report, width):
    page = opened(width)
    page.wait_for_timeout(300)
    assert page.seen == [report.as_uri()]
    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    plots = page.locator(".plot").count()
    assert plots >= 7
    assert page.locator(".plot .main-svg:first-child").count() >= plots


def test_pictures_take_the_reader_s_colours(opened):
    colour = "getComputedStyle(document.querySelector('#fig-event-price .xtick text')).fill"
    assert opened(1400, "light").evaluate(colour) == "rgb(27, 29, 31)"
    dark = opened(1400, "dark")
    assert dark.evaluate(colour) == "rgb(232, 232, 228)"
    dark.emulate_media(color_scheme="light")
    dark.wait_for_timeout(500)
    assert dark.evaluate(colour) == "rgb(27, 29, 31)"


def test_paper_is_light_and_carries_the_watermark(opened):
    page = opened(690, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_selector("html[data-print]", state="attached")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".watermark").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 690


def test_headers_have_a_scope_and_pictures_a_description(opened):
    page = opened(1400)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("h1").count() == 1
    for picture in page.locator(".plot").all():
        assert len(picture.get_attribute("aria-label")) > 40
