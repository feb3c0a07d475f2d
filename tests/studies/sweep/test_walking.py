"""Walk-forward: nothing is chosen on what was not known, and nothing later changes a fold."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

from hedgeflow.evidence.plain import dumps, plain
from hedgeflow.journal import Journal
from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.time import HOUR_NS, MINUTE_NS
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.studies.backtesting import backtest
from hedgeflow.studies.periods import within
from hedgeflow.studies.poison import poisoned
from hedgeflow.studies.sweep.candidates import grid_search
from hedgeflow.studies.sweep.folds import Cut, Scheme, Session, cuts, tradable_sessions
from hedgeflow.studies.sweep.page import walk_forward_html
from hedgeflow.studies.sweep.results import highest
from hedgeflow.studies.sweep.trying import CatalogGround
from hedgeflow.studies.sweep.walking import walk_forward

BASE = load_config(settings=["costs.cost_multiple=0"])
SEARCH = grid_search(BASE, ["plan.stop_high_points=4,8,20", "plan.target_cap_points=5,25"])
SCHEME = Scheme(train=3, test=2, embargo_minutes=60.0, objective="expectancy")
TIME = "2025-02-01T00:00:00Z"
DAY_NS = 24 * HOUR_NS
SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"


@dataclass(frozen=True)
class PoisonedGround:
    """A ground on which everything after an instant is another future."""

    clean: CatalogGround
    journal: Path
    cut_ns: int

    @property
    def clock(self):
        return self.clean.clock

    def market(self, config):
        return poisoned(self.clean.market(config), config, self.cut_ns, seed=1)


@pytest.fixture(scope="module")
def walked(coin_catalog, tmp_path_factory):
    journal = tmp_path_factory.mktemp("walked") / "journal.sqlite"
    ground = CatalogGround(coin_catalog, "SIM", journal, time.time_ns)
    return walk_forward(ground, BASE, SEARCH, SCHEME, jobs=1, timestamp=TIME), ground


def day(number: int) -> Session:
    return Session(f"2025-01-{number:02d}", number * DAY_NS, (number + 1) * DAY_NS)


def test_a_trade_that_ends_in_the_embargo_is_not_trained_on():
    cut = cuts([day(n) for n in range(1, 6)], Scheme(2, 1, embargo_minutes=60.0))[0]
    assert [each.date for each in cut.train] == ["2025-01-01", "2025-01-02"]
    ends = [3 * DAY_NS - 61 * MINUTE_NS, 3 * DAY_NS - 60 * MINUTE_NS, 3 * DAY_NS + 5]
    trades = pl.DataFrame(
        {"session": ["2025-01-02"] * 3, "exit_ns": ends, "net_usd": [1.0] * 3, "net_bps": [1.0] * 3}
    )
    assert cut.entered(trades).height == 3
    assert cut.known(trades)["exit_ns"].to_list() == ends[:1]


def test_a_choice_rests_on_the_training_sessions_alone():
    cut = Cut((day(1), day(2)), (day(3),), 3 * DAY_NS)

    def record(train: float, test: float) -> pl.DataFrame:
        dates = ["2025-01-01", "2025-01-02"] * 10 + ["2025-01-03"] * 10
        net = [train + place % 3 for place in range(20)] + [test] * 10
        ends = [DAY_NS + place for place in range(20)] + [3 * DAY_NS + 1] * 10
        return pl.DataFrame({"session": dates, "exit_ns": ends, "net_usd": net, "net_bps": net})

    assert highest(cut.scores([record(1.0, 500.0), record(2.0, -500.0)], "expectancy")) == 1
    assert highest(cut.scores([record(2.0, -500.0), record(1.0, 500.0)], "sharpe")) == 0


def test_anchored_training_begins_with_the_first_session():
    sessions = [day(n) for n in range(1, 10)]
    anchored = cuts(sessions, Scheme(3, 2, anchored=True))
    rolling = cuts(sessions, Scheme(3, 2))
    assert [len(each.train) for each in anchored] == [3, 5, 7]
    assert [len(each.train) for each in rolling] == [3, 3, 3]
    assert [each.test for each in anchored] == [each.test for each in rolling]


def test_every_session_after_the_first_training_is_traded_once(walked):
    found, ground = walked
    sessions = tradable_sessions(ground.market(BASE), BASE)
    document = found.document
    assert document.stitched.sessions == len(sessions) - SCHEME.train
    assert document.folds[0].test_first == sessions[SCHEME.train].date
    assert document.folds[-1].test_last == sessions[-1].date
    for before, after in zip(document.folds, document.folds[1:], strict=False):
        assert before.test_last < after.test_first
    assert found.trades.height == document.stitched.trades > 10


def test_each_choice_is_traded_on_tapes_that_end_with_its_test(walked, tmp_path):
    found, ground = walked
    sessions = {each.date: each for each in tradable_sessions(ground.market(BASE), BASE)}
    for fold in found.document.folds:
        chosen = SEARCH.candidates[fold.chosen - 1].config
        first, last = sessions[fold.test_first], sessions[fold.test_last]
        part = within(ground.market(chosen), chosen, from_ns=first.open_ns, until_ns=last.close_ns)
        with Journal.open(tmp_path / f"{fold.number}.sqlite") as journal:
            alone = backtest(part, chosen, journal).trades
        traded = found.trades.filter(pl.col("fold") == fold.number)
        assert traded["trade_id"].to_list() == alone.sort("entry_ns")["trade_id"].to_list()
        assert traded["entry_ns"].min() >= first.open_ns
        assert traded["exit_ns"].max() < last.close_ns


def test_training_figures_are_those_of_a_market_that_ends_before_the_test(walked, tmp_path):
    """Training reads a run over the whole market; a run that cannot see the test is no other."""
    found, ground = walked
    folds = cuts(tradable_sessions(ground.market(BASE), BASE), SCHEME)
    for fold in folds[:2]:
        for place in (0, 3):
            config = SEARCH.candidates[place].config
            blind = within(ground.market(config), config, until_ns=fold.test[0].open_ns)
            with Journal.open(tmp_path / f"{fold.known_ns}{place}.sqlite") as journal:
                trades = backtest(blind, config, journal).trades
            expected = fold.known(trades).sort("entry_ns")["net_usd"].to_list()
            assert fold.known(found.record.tried[place].trades)["net_usd"].to_list() == expected
            assert len(expected) > 5


def test_another_future_changes_nothing_in_a_fold_that_was_over(walked, tmp_path):
    found, ground = walked
    sessions = {each.date: each for each in tradable_sessions(ground.market(BASE), BASE)}
    first = found.document.folds[0]
    cut_ns = sessions[first.test_last].close_ns
    other = PoisonedGround(ground, tmp_path / "poisoned.sqlite", cut_ns)
    changed = walk_forward(other, BASE, SEARCH, SCHEME, jobs=1, timestamp=TIME)
    assert changed.document.folds[0] == replace(first, run_id=changed.document.folds[0].run_id)
    assert plain(changed.document.folds[-1]) != plain(found.document.folds[-1])


def test_every_configuration_and_every_folds_choice_is_a_trial(walked):
    found, _ = walked
    choices = {(fold.chosen, fold.test_first) for fold in found.document.folds}
    assert found.document.search.ledger_configurations == 6 + len(choices)


def test_efficiency_is_what_was_left_of_profit_a_session(walked):
    found, _ = walked
    stitched, folds = found.document.stitched, found.document.folds
    inside = np.mean([fold.in_sample.net_usd / fold.in_sample.sessions for fold in folds])
    outside = np.mean([fold.out_of_sample.net_usd / fold.out_of_sample.sessions for fold in folds])
    assert stitched.in_sample_usd_a_session.value == pytest.approx(inside)
    assert stitched.out_of_sample_usd_a_session.value == pytest.approx(outside)
    if inside > 0:
        assert stitched.efficiency.value == pytest.approx(outside / inside)
    else:
        assert stitched.efficiency.value is None
    assert stitched.net_usd == pytest.approx(found.trades["net_usd"].sum())


def test_the_document_is_as_its_published_schema_says_and_the_page_is_marked(walked):
    found, _ = walked
    published = json.loads((SCHEMAS / "walk_forward.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(dumps(found.document)), published)
    page = walk_forward_html(found)
    assert page.count("SIMULATED") > 3
    assert "Fold by fold" in page
    assert found.document.conclusion[-1].startswith("What is left: ")


def test_too_few_sessions_for_a_fold_are_refused_before_anything_is_tried(ground):
    with pytest.raises(DataError, match=r"a fold needs 20 \+ 5 sessions, there are"):
        walk_forward(ground, BASE, SEARCH, Scheme(20, 5), jobs=1, timestamp=TIME)
    with Journal.open(ground.journal) as journal:
        assert journal.runs().is_empty()


def test_an_embargo_in_the_test_is_refused():
    with pytest.raises(ConfigError, match="an embargo of -5 minutes"):
        Scheme(3, 2, embargo_minutes=-5.0)
