"""The report says what the package says, alone, offline, and never as evidence when simulated."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from evidence import samples
from hedgeflow.evidence import EvidenceTables, assess, package_document
from hedgeflow.evidence.report.evidence_page import SECTIONS, render_report
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.claims import NullKind
from hedgeflow.strategies.volume_shock.claims import DECLARATION

TIMESTAMP = "2025-04-11T00:00:00Z"
CLASSES = ("ALL", samples.SWEEP, samples.EMERGENCY)
HEADLINES = 6
OF_EXPIRIES = ("pinning", "probabilities", "directions")
"""Sections that a volume shock has nothing for."""


def event_study(*, flow: bool) -> pl.DataFrame:
    rows = [
        {
            "flow_class": name,
            "minute": minute,
            "price_bps": 0.1 * max(0, minute),
            "price_low": 0.1 * max(0, minute) - 1.0,
            "price_high": 0.1 * max(0, minute) + 1.0,
            "signed_flow": 3.0 * max(0, minute) if flow else None,
            "flow_low": 2.0 * max(0, minute) if flow else None,
            "flow_high": 4.0 * max(0, minute) if flow else None,
            "events": 20,
        }
        for name in CLASSES
        for minute in range(-5, 11)
    ]
    floats = ("signed_flow", "flow_low", "flow_high")
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(floats, pl.Float64))


def tables(count: int, *, seed: int = 11, loss_points: float = 8.0) -> EvidenceTables:
    days = samples.sessions(20)
    outcomes = [bool(won) for won in np.random.default_rng(seed).random(count) < 0.7]
    trades = samples.trades_table(days, outcomes, seed=seed, loss_points=loss_points)
    alerts = samples.alerts_table(trades).with_columns(
        pressure=pl.col("demand") / 25.0,
        detected_ns=pl.Series([row * 10**9 for row in range(trades.height)], dtype=pl.Int64),
    )
    reasons = ["NO_SIZE", "NO_SIZE", "POSITION_OPEN"] if count else []
    skips = pl.DataFrame(
        {
            "alert_id": [f"S{row}" for row, _ in enumerate(reasons)],
            "kind": ["skip"] * len(reasons),
            "reason_code": reasons,
            "sentence": [f"Skipped, example {row}, -0.5 lots." for row, _ in enumerate(reasons)],
        },
        schema=dict.fromkeys(("alert_id", "kind", "reason_code", "sentence"), pl.String),
    )
    return EvidenceTables(
        trades=trades,
        alerts=alerts,
        decisions=skips,
        ledger_entries=samples.ledger_table(trades),
        sessions=days,
        sessions_per_year=365.0,
        nulls={
            NullKind.MATCHED_ENTRIES: samples.null_draws(trades, draws=200),
            NullKind.DIRECTIONS: samples.null_draws(trades, draws=150, seed=4),
            NullKind.SESSION_DIRECTIONS: samples.null_draws(trades, draws=150, seed=5),
        }
        if count
        else {},
        costs_note="Taker fee 4.5 bps.",
    )


def made(count: int = 90, *, simulated: bool = False) -> tuple[dict[str, object], EvidenceTables]:
    finished = tables(count)
    evidence = assess(finished, DECLARATION, samples.manifest(simulated=simulated))
    return package_document(evidence, timestamp=TIMESTAMP, files={}), finished


class Page(HTMLParser):
    """What a page shows, what it would load, and the texts of elements by class."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.by_class: dict[str, list[str]] = {}
        self.ids: list[str] = []
        self._silent = 0
        self._class = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._silent += tag in {"script", "style"}
        self._class = given.get("class") or ""
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given[name] for name in ("src", "href", "data", "action") if given.get(name)]

    def handle_endtag(self, tag):
        self._silent -= tag in {"script", "style"}
        self._class = ""

    def handle_data(self, data):
        if not self._silent and data.strip():
            self.words.append(data.strip())
            self.by_class.setdefault(self._class, []).append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def real():
    package, finished = made()
    return Page(render_report(package, finished, event_study(flow=True))), package


@pytest.fixture(scope="module")
def empty():
    package, finished = made(0)
    return Page(render_report(package, finished, None)), package


def test_the_verdict_stands_first_with_the_source_s_own_beside_it(real):
    page, package = real
    validity = package["experimental_validity"]
    assert page.by_class["word"] == [validity["verdict"]]
    before_gates = page.text[: page.text.index("The verdict is VALIDATED only when")]
    assert validity["source_verdict"] in before_gates
    assert validity["could_tell"] in before_gates
    assert all(paragraph[:60] in before_gates for paragraph in validity["resolution"])


def test_every_gate_states_its_statement_and_its_state_in_words(real):
    page, package = real
    for gate in package["experimental_validity"]["gates"]:
        statement = gate["statement"]
        assert statement[0].upper() + statement[1:] in page.text
    states = [gate["status"] for gate in package["experimental_validity"]["gates"]]
    assert {f"state {state}" for state in states} <= set(page.by_class)


def test_every_claim_is_shown(real):
    page, package = real
    for claim in package["hypothesis_validation"]["claims"]:
        shown = claim["statement"]
        if not claim["flow_class"]:
            assert shown[0].upper() + shown[1:] in page.text
    band = "8 to 15\u00a0points"
    assert band in page.text


def test_nothing_reads_none_or_nan(real, empty):
    for page, _ in (real, empty):
        assert not re.search(r"\b(None|nan|NaN|inf|undefined)\b", page.text)


def test_nothing_is_loaded_from_outside(real):
    page, _ = real
    assert page.links
    assert all(link.startswith(("#", "data:")) for link in page.links)


def test_the_same_package_gives_the_same_bytes():
    package, finished = made(30)
    first = render_report(package, finished, event_study(flow=False))
    again = render_report(copy.deepcopy(package), tables(30), event_study(flow=False))
    assert first == again


def test_no_trades_make_a_report_without_figures(empty):
    page, _ = empty
    assert page.by_class["word"] == ["INSUFFICIENT_DATA"]
    assert page.by_class["words"] == ["not computable: no trades"] * (HEADLINES - 1)
    assert "There are no trades." in page.text
    assert not [name for name in page.ids if name.startswith("fig-")]


def test_without_its_trades_no_figure_of_the_report_remains(real, empty):
    shown = real[0].by_class["figure"]
    assert len(shown) == HEADLINES
    assert not set(shown) & set(empty[0].by_class["figure"])
    pictures = {name for name in real[0].ids if name.startswith("fig-")}
    assert {"fig-equity", "fig-trades", "fig-results", "fig-null", "fig-pressure"} <= pictures


def test_other_trades_change_every_headline_figure(real):
    finished = tables(70, seed=5, loss_points=11.0)
    evidence = assess(finished, DECLARATION, samples.manifest())
    package = package_document(evidence, timestamp=TIMESTAMP, files={})
    other = Page(render_report(package, finished, None)).by_class["figure"]
    first = real[0].by_class["figure"]
    kept = [name for name, again in zip(first, other, strict=True) if name == again]
    p_value = package["statistical_measures"]["p_value"]
    smallest = 1 / (1 + p_value["n"])
    assert kept == ([f"{smallest:.2g}"] if p_value["value"] == pytest.approx(smallest) else [])


def test_simulated_stands_over_every_section_and_in_every_picture():
    package, finished = made(simulated=True)
    html = render_report(package, finished, event_study(flow=True))
    page = Page(html)
    headings = html.count("<h2 ")
    assert html.count("<h2 ") == len(re.findall(r'<h2 [^>]*>[^\n]*class="tag">SIMULATED', html))
    assert headings == len(SECTIONS) - len(OF_EXPIRIES)
    assert page.by_class["word"] == [f"SIMULATED: {package['experimental_validity']['verdict']}"]
    assert "can never be read as evidence about a market" in page.text
    assert page.by_class["watermark"] == ["SIMULATED"]
    specs = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert specs
    for spec in specs:
        notes = json.loads(spec)["layout"]["annotations"]
        assert "SIMULATED" in [note["text"] for note in notes]


def test_real_data_do_not_say_simulated(real):
    assert "SIMULATED" not in real[0].text


def test_signed_flow_that_no_tape_shows_is_called_untestable():
    package, finished = made(30)
    page = Page(render_report(package, finished, event_study(flow=False)))
    assert "fig-event-price" in page.ids
    assert "fig-event-flow" not in page.ids
    assert (
        "Signed flow around alerts No picture: untestable on these data: no signed hedge tape"
        in page.text
    )


def test_skips_are_counted_by_reason_with_an_example(real):
    text = real[0].text
    assert "No size NO_SIZE 2 66.7\u00a0% Skipped, example 0, \u22120.5 lots." in text
    assert "Position open POSITION_OPEN 1 33.3\u00a0% Skipped, example 2" in text


def test_costs_are_stated_in_all_and_a_trade(real):
    text = real[0].text
    assert "Fees \u2212180.00\u00a0USD \u22122.00\u00a0USD" in text
    assert "Taker fee 4.5 bps." in text


def test_a_contradiction_is_named():
    package, finished = made(30)
    validity = package["experimental_validity"]
    validity["coherence"] = {"coherent": False, "checks": []}
    validity["reasons"] = [*validity["reasons"], "The package contradicts itself: 2 is not 3."]
    page = Page(render_report(package, finished, None))
    assert "it contradicts itself" in page.text
    assert "The package contradicts itself: 2 is not 3." in page.text


def test_a_package_and_tables_of_two_runs_are_refused():
    package, _ = made(30)
    with pytest.raises(EvidenceError, match="states 30 trades, its tables hold 31"):
        render_report(package, tables(31), None)


def test_a_study_without_its_columns_is_refused():
    package, finished = made(30)
    with pytest.raises(EvidenceError, match="'events' is missing"):
        render_report(package, finished, event_study(flow=False).drop("events"))


def test_names_from_outside_cannot_become_markup():
    finished = tables(30)
    note = "</script><script>document.title = 'owned'</script>"
    manifest = samples.manifest(notes=(note,), config={"preset": note})
    package = package_document(
        assess(finished, DECLARATION, manifest), timestamp=TIMESTAMP, files={}
    )
    html = render_report(package, finished, None, command=note)
    assert note not in html
    assert Page(html).text.count(note) == 3


def test_the_command_and_the_configuration_are_shown():
    package, finished = made(30)
    page = Page(render_report(package, finished, None, command="hedgeflow validate volume-shock"))
    assert "hedgeflow validate volume-shock" in page.text
    assert '"model": "calibrated"' in page.text
    assert package["reproducibility"]["config_hash"] in page.text
