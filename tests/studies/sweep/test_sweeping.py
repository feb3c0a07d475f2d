"""A sweep where there is nothing to find: every configuration counted, and none VALIDATED."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import jsonschema
import polars as pl
import pytest

from hedgeflow.evidence.documents import schema_of
from hedgeflow.evidence.plain import dumps
from hedgeflow.journal import Journal
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies.sweep.candidates import grid_search, random_search
from hedgeflow.studies.sweep.documents import DOCUMENTS, SweepDocument
from hedgeflow.studies.sweep.page import MARK, sweep_html, sweep_markdown
from hedgeflow.studies.sweep.results import FEWEST_TRADES
from hedgeflow.studies.sweep.sweeping import Effort, sweep
from hedgeflow.studies.sweep.trying import CatalogGround
from hedgeflow.studies.sweep.writing import write_folder
from hedgeflow.studies.validation import verdict

BASE = load_config(settings=["costs.cost_multiple=0", "null.draws_on_ticks=1000"])
"""Without costs, which is when luck has it easiest."""
TIME = "2025-02-01T00:00:00Z"
SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"


@pytest.fixture(scope="module")
def swept(coin_catalog, tmp_path_factory):
    """Return a sweep of 60 random configurations and the ground they were tried on."""
    journal = tmp_path_factory.mktemp("swept") / "journal.sqlite"
    ground = CatalogGround(coin_catalog, "SIM", journal, time.time_ns)
    search = random_search(BASE, 60, seed=1, scans=4)
    return sweep(ground, BASE, search, jobs=1, timestamp=TIME), ground


def test_of_many_configurations_without_an_edge_none_is_validated(swept):
    found, _ = swept
    document = found.document
    assert found.configurations.filter(pl.col("trades") >= 30).height > 30
    assert document.search.configurations == 60
    assert document.validated == 0
    assert "VALIDATED" not in found.configurations["verdict"].drop_nulls().to_list()


def test_every_configuration_that_counts_do_not_rule_out_is_judged(swept):
    found, _ = swept
    frame = found.configurations
    hopeful = set(frame.filter("could_be_validated")["number"])
    judged = {each.number for each in found.document.judged}
    assert found.document.best is not None
    assert judged == hopeful | {found.document.best.judged.number}
    assert found.document.ruled_out_by_counts == 60 - len(hopeful)


def test_the_best_has_the_highest_ratio_among_those_with_trades_enough(swept):
    found, _ = swept
    enough = found.configurations.filter(pl.col("trades") >= FEWEST_TRADES)
    best = enough.sort("sharpe_annualised", descending=True, nulls_last=True)["number"][0]
    assert found.document.best is not None
    assert found.document.best.judged.number == best


def test_the_best_is_judged_as_it_would_be_alone(swept):
    found, ground = swept
    best = found.document.best
    config = next(
        each.candidate.config
        for each in found.record.tried
        if each.candidate.number == best.judged.number
    )
    with Journal.open(ground.journal) as journal:
        alone = verdict(ground.market(config), config, journal).evidence
    assert best.judged.p_value == alone.significance.p_value
    assert best.judged.gates == alone.gates
    assert best.judged.sharpe_annualised == alone.performance.sharpe_annualised


def test_the_deflated_ratio_is_of_the_ledgers_count(swept):
    found, ground = swept
    deflated = found.document.best.deflated_sharpe
    assert deflated.configurations == found.document.search.ledger_configurations == 60
    assert deflated.sharpes_known == len(found.record.sharpes)
    with Journal.open(ground.journal) as journal:
        assert journal.count_trials(ground.market(BASE).option_hash) == 60


def test_what_was_tried_before_counts_too(swept, tmp_path):
    _, ground = swept
    few = grid_search(BASE, ["anomaly.ratio=3.3,3.7"])
    again = sweep(ground, BASE, few, jobs=1, timestamp=TIME)
    assert again.document.search.configurations == 2
    assert again.document.search.ledger_configurations == 62
    assert "62 on this data set" in again.document.conclusion[0]


def test_daily_results_add_up_to_the_trades(swept):
    found, _ = swept
    daily = found.record.daily_table()
    assert daily.columns == ["session", *(str(number) for number in range(1, 61))]
    sums = [daily[str(number)].sum() for number in found.configurations["number"]]
    assert sums == pytest.approx(found.configurations["net_usd"].to_list())


def test_the_document_is_as_its_published_schema_says(swept):
    found, _ = swept
    document = json.loads(dumps(found.document))
    published = json.loads((SCHEMAS / "sweep.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, published)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_published_schemas_are_the_ones_in_use(name):
    published = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert published == schema_of(DOCUMENTS[name])


def test_both_pages_say_simulated_how_many_were_tried_and_what_is_left(swept):
    found, _ = swept
    html, markdown = sweep_html(found), sweep_markdown(found, "A search")
    assert markdown.startswith(MARK)
    for page in (html, markdown):
        assert "SIMULATED" in page
        assert "costs.cost_multiple 0.0 (1.0)" in page
        assert "60 tried" in page or "60 configurations were tried here" in page
        assert "What is left: " in page
        assert "p against" not in page.splitlines()[0]
    assert "http" not in html.replace("http-equiv", "")


def test_a_sweep_in_which_nothing_trades_says_that_there_is_no_best(ground):
    never = load_config(settings=["plan.sweep_multiplier=0", "plan.emergency_multiplier=0"])
    search = grid_search(never, ["plan.ambiguous_multiplier=0.0"])
    found = sweep(ground, never, search, jobs=1, timestamp=TIME)
    assert found.document.best is None
    assert found.document.judged == ()
    assert "there is no best" in found.document.conclusion[0]
    assert "What is left: nothing to judge." in sweep_html(found)


def test_only_a_part_is_looked_at_if_asked_for(swept):
    _, ground = swept
    market = ground.market(BASE)
    until = int(market.sessions.open_ns[6])
    part = replace(ground, until_ns=until, journal=ground.journal.with_name("part.sqlite"))
    found = sweep(part, BASE, grid_search(BASE, ["anomaly.ratio=3,4"]), jobs=1, timestamp=TIME)
    assert all(each.trades["exit_ns"].max() < until for each in found.record.tried)
    assert found.document.tape.period_until == "2025-01-12T00:00:00Z"


def test_a_scan_for_each_would_have_taken_longer(swept):
    found, _ = swept
    effort = Effort.of(found.record.tried)
    assert (effort.tried, effort.known, effort.scans) == (60, 0, 4)
    assert effort.speed_up is not None
    assert effort.speed_up > 1.5
    assert Effort.of([]).speed_up is None


def test_another_folder_is_never_written_over(swept, tmp_path):
    found, _ = swept
    document: SweepDocument = found.document
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(EvidenceError, match=r"holds no sweep\.json"):
        write_folder(tmp_path, "sweep", document, {}, "", simulated=True)
    out = tmp_path / "out"
    for _ in range(2):
        page = write_folder(
            out, "sweep", document, {"t": found.configurations}, "x", simulated=True
        )
    assert page == out / "sweep.html"
    assert pl.read_parquet_metadata(out / "t.parquet")["simulated"] == "true"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["notes.txt", "out"]
