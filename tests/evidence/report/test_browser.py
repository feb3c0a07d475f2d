"""The report in a browser: it draws, loads nothing, logs nothing and fits a desk and a phone."""

from __future__ import annotations

import shutil

import pytest

from evidence import samples
from evidence.report.test_answers import arms_of
from evidence.report.test_evidence_page import TIMESTAMP, event_study, tables
from hedgeflow.evidence import ArmGroup, assess, package_document
from hedgeflow.evidence.report.evidence_page import render_report
from hedgeflow.strategies.volume_shock.claims import DECLARATION

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    finished = tables(90)
    arms = [arm for group in ArmGroup for arm in arms_of(finished, group, (1.0, 30.0), 0.1)]
    evidence = assess(finished, DECLARATION, samples.manifest(simulated=True), arms)
    package = package_document(evidence, timestamp=TIMESTAMP, files={})
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
        page.wait_for_load_state("networkidle")
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
    assert plots >= 15
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
    captions = page.locator("figcaption")
    assert captions.count() == page.locator(".plot").count()
    for caption in captions.all():
        lines = caption.locator("p")
        assert lines.count() == 3
        assert lines.nth(1).inner_text().startswith("If there were nothing: ")
        assert lines.nth(2).inner_text().startswith("Not shown: ")


def test_the_first_screen_holds_all_four_answers(opened):
    page = opened(1400)
    page.set_viewport_size({"width": 1400, "height": 1000})
    for name in ("Why", "How sure", "What would change it"):
        box = page.locator(
            ".answers > div", has=page.locator(f"h3:text-is('{name}')")
        ).bounding_box()
        assert box["y"] + box["height"] <= 1000, name
    assert page.locator(".verdict .word").inner_text().startswith("SIMULATED: ")


def test_on_a_phone_tables_become_cards_that_are_still_tables(opened):
    page = opened(390)
    for details in page.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    assert page.locator("table.folds").count() > 10
    wide = "element => element.scrollWidth > element.clientWidth + 1"
    for table in page.locator("table.folds").all():
        assert not table.evaluate(wide), table.locator("..").get_attribute("aria-label")
    assert page.locator("table.wide").first.evaluate("e => e.parentElement.scrollWidth") > 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    gates = page.get_by_role("region", name="Gates of the verdict")
    assert gates.get_by_role("row").count() == 1 + gates.locator("tbody tr").count()
    assert gates.get_by_role("cell").count() == 4 * gates.locator("tbody tr").count()
    label = "getComputedStyle(document.querySelector('#gates td'), '::before').content"
    assert page.evaluate(label) == '"State"'


def test_all_of_it_can_be_reached_by_the_keyboard(opened):
    page = opened(1400)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#verdict"
    unreachable = page.locator(".scroll:not([tabindex='0'])")
    assert unreachable.count() == 0
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
