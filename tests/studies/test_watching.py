"""A run is watched as its journal grows, on SQLite and PostgreSQL; each week is reviewed once."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders.postgresql import running_server
from hedgeflow.evidence.confidence_sequence import monitoring
from hedgeflow.evidence.trades import trade_arrays
from hedgeflow.journal import Journal, JournalError, Run, Trial
from hedgeflow.market.errors import EvidenceError
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.studies.watching import choose_run, evidence_tables, look
from hedgeflow.studies.weekly_reviews import complete_weeks, review_of, write_reviews
from journal.conftest import alert_row, decision_row, entry_row, trade_row

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SETTINGS = VolumeShockConfig().model_dump(mode="json") | {
    "hedge_instrument": "BTC-PERPETUAL",
    "hedge_venue": "deribit",
}
TRIAL = Trial("data-1", "config-1", "0.1.0", "volume-shock", json.dumps({"settings": SETTINGS}))
RUN = Run("data-1", "config-1", "0.1.0", "volume-shock", "normalized", "BTC", 7, simulated=True)
RUN_ID = RUN.run_id
LATER = "2026-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def server():
    yield from running_server()


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'journal.db'}"
    else:
        url = request.getfixturevalue("server").new_schema()
    with Journal.open(url) as opened:
        opened.record_trial(TRIAL)
        opened.begin_run(RUN)
        yield opened


@pytest.fixture
def sqlite(tmp_path):
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        opened.record_trial(TRIAL)
        opened.begin_run(RUN)
        yield opened


def ns(day, hour=12):
    """UTC ns of an hour, so many days after the first Monday."""
    return int((MONDAY + timedelta(days=day, hours=hour)).timestamp()) * 10**9


def rows(number, day, *, won=True, skipped=False):
    """What a run records of one alert: its decision, and a trade unless it was skipped."""
    at = ns(day) + number
    alert = alert_row(number, triggered_ns=at, detected_ns=at + 10**9)
    if skipped:
        return {"alerts": [alert], "decisions": [decision_row(number, decided_ns=at + 10**9)]}
    gross = 100.0 if won else -90.0
    trade = trade_row(
        number, detected_ns=at + 10**9, entry_ns=at + 2 * 10**9, exit_ns=at + 300 * 10**9,
        session=(MONDAY + timedelta(days=day)).date().isoformat(), gross_usd=gross,
        net_usd=gross - 40.0, net_points=(gross - 40.0) / 20.0, gross_points=gross / 20.0,
        net_bps=(gross - 40.0) / 9.0, stop_distance=90.0,
        exit_reason="EXIT_TARGET_HIT" if won else "EXIT_STOP_HIT",
        flow_class=("INSTITUTIONAL_SWEEP", "GAMMA_EMERGENCY")[number % 2],
    )  # fmt: skip
    entries = [
        entry_row(4 * number + part, number, kind=kind, amount_usd=amount, at_ns=trade["exit_ns"])
        for part, (kind, amount) in enumerate(
            [("TRADE_PNL", gross), ("FEE", -30.0), ("SPREAD", -10.0)]
        )
    ]
    plan = decision_row(
        number, decided_ns=at + 10**9, kind="plan", reason_code="ENTER", plan_json="{}"
    )
    return {"alerts": [alert], "decisions": [plan], "trades": [trade], "ledger_entries": entries}


def append(journal, given):
    journal.append_alerts(RUN_ID, given["alerts"])
    journal.append_decisions(RUN_ID, given.get("decisions", []))
    journal.append_trades(RUN_ID, given.get("trades", []))
    journal.append_entries(RUN_ID, given.get("ledger_entries", []))


def deposit(journal):
    first = entry_row(9_999, None, kind="DEPOSIT", amount_usd=100_000.0, at_ns=ns(0, 0))
    journal.append_entries(RUN_ID, [first])


def fill(journal, numbers=range(12), per_day=1):
    """Trades of two weeks, one a day from Monday: each third is lost."""
    deposit(journal)
    for number in numbers:
        append(journal, rows(number, number // per_day, won=number % 3 != 2))


# --- the sequence moves as the journal grows ------------------------------------------------------


def test_the_sequence_moves_with_every_row_and_is_that_of_the_evidence(journal):
    deposit(journal)
    widths = []
    for number in range(8):
        append(journal, rows(number, number))
        found = look(journal, RUN_ID, ns(100))
        assert found.rows["trades"] == number + 1
        rate = found.monitoring.win_rate
        widths.append(rate.upper - rate.lower)
    assert widths == sorted(widths, reverse=True)
    tables = evidence_tables(found.run, found.tables)
    again = monitoring(trade_arrays(tables), tables.sessions, 0.80)
    assert found.monitoring == again
    assert found.sentence.startswith(f"SIMULATED run {RUN_ID}: 8 trades, win rate 100.0 %")


def test_a_session_that_is_not_over_does_not_count(sqlite):
    fill(sqlite, range(4))
    during = look(sqlite, RUN_ID, ns(3, hour=18))
    assert (during.unfinished, during.monitoring.points[-1].trades) == (1, 3)
    assert "1 of a session that is not over yet" in during.sentence
    after = look(sqlite, RUN_ID, ns(4, hour=0))
    assert (after.unfinished, after.monitoring.points[-1].trades) == (0, 4)


def test_a_claim_that_is_refuted_is_said_to_be(sqlite):
    deposit(sqlite)
    for number in range(40):
        append(sqlite, rows(number, number, won=number % 3 == 0))
    found = look(sqlite, RUN_ID, ns(100))
    assert found.monitoring.decision == "below"
    assert "The win rate is shown to be below the claimed 80.0 %" in found.sentence


# --- which run ------------------------------------------------------------------------------------


def other_run(journal, seed, **changes):
    run = replace(RUN, seed=seed, **changes)
    journal.begin_run(run)
    return run.run_id


def test_the_run_under_way_is_the_latest(sqlite):
    done = other_run(sqlite, 8)
    sqlite.append_alerts(done, [alert_row(1, triggered_ns=ns(50), detected_ns=ns(50))])
    sqlite.append_decisions(done, [decision_row(1, decided_ns=ns(50) + 10**9)])
    append(sqlite, rows(0, 0))
    scanned = other_run(sqlite, 10)
    sqlite.append_alerts(scanned, [alert_row(3, triggered_ns=ns(95), detected_ns=ns(95))])
    assert choose_run(sqlite, "volume-shock", run_id=done).run_id == done
    assert choose_run(sqlite, "volume-shock").run_id == done, "both under way: the later"
    complete = replace(RUN, seed=9)
    sqlite.record_run(complete, anomalies=[], ledger_entries=[], trades=[], decisions=[],
                      alerts=[alert_row(2, triggered_ns=ns(90), detected_ns=ns(90))])  # fmt: skip
    assert choose_run(sqlite, "volume-shock").run_id == done


def test_of_runs_that_end_together_one_must_be_named(sqlite):
    append(sqlite, rows(0, 0))
    other = other_run(sqlite, 8)
    sqlite.append_alerts(other, rows(0, 0)["alerts"])
    given = rows(0, 0)
    sqlite.append_decisions(other, given["decisions"])
    sqlite.append_trades(other, given["trades"])
    with pytest.raises(JournalError, match=f"2 runs of volume-shock end at.*--run: .*{other}"):
        choose_run(sqlite, "volume-shock")


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"underlying": "ETH"}, "no run of volume-shock on ETH"),
     ({"run_id": "nonsense"}, f"there is no run nonsense. It holds {RUN_ID}")],
)  # fmt: skip
def test_a_run_that_is_not_there_is_refused(sqlite, asked, words):
    with pytest.raises(JournalError, match=words):
        choose_run(sqlite, "volume-shock", **asked)


def test_an_empty_journal_is_told(tmp_path):
    with (
        Journal.open(tmp_path / "journal.sqlite") as empty,
        pytest.raises(JournalError, match=r"no run of volume-shock.*backtest or validate"),
    ):
        choose_run(empty, "volume-shock")


# --- weeks ----------------------------------------------------------------------------------------


def weeks(journal, now_ns):
    return [span.name for span in complete_weeks(look(journal, RUN_ID, now_ns), now_ns)]


def test_a_week_is_over_when_the_clock_has_passed_it(sqlite):
    fill(sqlite, range(9))
    assert weeks(sqlite, ns(6, hour=23)) == ["2026-W02"], "the run itself has passed it"
    assert weeks(sqlite, ns(13, hour=23)) == ["2026-W02"]
    assert weeks(sqlite, ns(14, hour=0)) == ["2026-W02", "2026-W03"]


def test_a_week_with_an_undecided_alert_is_not_over(sqlite):
    fill(sqlite, range(9))
    sqlite.append_alerts(RUN_ID, rows(50, 2)["alerts"])
    assert weeks(sqlite, ns(100)) == []
    sqlite.append_decisions(RUN_ID, rows(50, 2, skipped=True)["decisions"])
    assert weeks(sqlite, ns(14, hour=0)) == ["2026-W02", "2026-W03"]


def test_all_weeks_of_a_complete_run_are_over(sqlite):
    run = replace(RUN, seed=8)
    parts = [rows(number, number) for number in range(9)]
    whole = {
        name: [row for part in parts for row in part[name]]
        for name in ("alerts", "decisions", "trades", "ledger_entries")
    }
    sqlite.record_run(run, anomalies=[], **whole)
    found = look(sqlite, run.run_id, ns(8))
    assert [span.name for span in complete_weeks(found, ns(8))] == ["2026-W02", "2026-W03"]


def test_a_year_ends_by_iso_weeks(sqlite):
    append(sqlite, rows(0, -8))
    assert weeks(sqlite, ns(0, hour=0)) == ["2025-W52", "2026-W01"]


# --- reviews --------------------------------------------------------------------------------------


@pytest.fixture
def reviewed(sqlite, tmp_path):
    fill(sqlite)
    append(sqlite, rows(60, 1, skipped=True))
    return write_reviews(look(sqlite, RUN_ID, ns(14, 0)), tmp_path / "out", ns(14, 0), LATER)


def test_the_review_of_a_week_says_what_the_week_s_rows_say(reviewed):
    first, second = (each.review for each in reviewed)
    assert (first.week.name, second.week.name) == ("2026-W02", "2026-W03")
    assert (first.week.first_day, first.week.last_day) == ("2026-01-05", "2026-01-11")
    assert (first.overall.trades, first.overall.wins, second.overall.trades) == (7, 5, 5)
    assert first.profit.net_usd == pytest.approx(5 * 60.0 - 2 * 130.0)
    assert first.profit.ledger_net_usd == pytest.approx(first.profit.net_usd)
    assert first.alerts.skip_reasons == {"SIZE_ZERO": 1}
    assert first.overall.trades_per_session.value == pytest.approx(1.0)
    assert (first.sequence.trades, second.sequence.trades) == (7, 12)
    assert second.to_date.trades == 12


def test_drift_sets_the_week_beside_the_band_and_all_weeks(reviewed):
    by_id = {each.id: each for each in reviewed[1].review.drift}
    together = by_id["together-win-rate"]
    assert (together.threshold, together.upper_threshold) == (0.80, 0.90)
    assert together.week == pytest.approx(3 / 5)
    assert together.value == pytest.approx(8 / 12)
    assert together.beside(together.week) == "below"
    assert by_id["sweep-frequency"].flow_class == "INSTITUTIONAL_SWEEP"


def test_page_markdown_and_json_say_the_same_and_simulated(reviewed):
    page = reviewed[0].page
    html, markdown = page.read_text(), page.with_suffix(".md").read_text()
    document = json.loads(page.with_suffix(".json").read_text())
    assert document["simulated"] is True
    assert html.count("SIMULATED") > 3
    assert markdown.startswith("# SIMULATED: volume-shock on BTC, week 2026-W02")
    for text in (html, markdown):
        assert "71.4\u00a0%" in text
        assert "SIZE_ZERO" in text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)
    assert len(document["attention"]) == len(reviewed[0].review.attention)


def test_a_week_is_written_once(journal, tmp_path):
    fill(journal)
    found = look(journal, RUN_ID, ns(14, 0))
    assert len(write_reviews(found, tmp_path, ns(14, 0), LATER)) == 2
    page = tmp_path / RUN_ID / "2026-W02.html"
    page.write_text("read already")
    assert write_reviews(found, tmp_path, ns(14, 0), LATER) == ()
    append(journal, rows(70, 15))
    written = write_reviews(look(journal, RUN_ID, ns(21, 0)), tmp_path, ns(21, 0), LATER)
    assert [each.review.week.name for each in written] == ["2026-W04"]
    assert page.read_text() == "read already"


def test_rows_that_come_late_make_a_corrected_version_that_says_so(sqlite, tmp_path):
    fill(sqlite)
    write_reviews(look(sqlite, RUN_ID, ns(14, 0)), tmp_path, ns(14, 0), LATER)
    first = (tmp_path / RUN_ID / "2026-W02.html").read_text()
    append(sqlite, rows(80, 3))
    written = write_reviews(look(sqlite, RUN_ID, ns(14, 0)), tmp_path, ns(14, 0), LATER)
    assert [each.review.week.version for each in written] == [2, 2], "later weeks are to date"
    week = written[0].review.week
    assert week.corrects == (
        "Corrects version 1: rows arrived after it was written (1 alerts, 1 decisions, 1 trades, up"
        " to the end of the week)."
    )
    assert week.corrects in written[0].page.read_text()
    assert (tmp_path / RUN_ID / "2026-W02-v1.html").read_text() == first


def test_nothing_after_a_week_changes_its_review(sqlite):
    fill(sqlite, range(7))
    before = look(sqlite, RUN_ID, ns(7, 0))
    (span,) = complete_weeks(before, ns(7, 0))
    early = review_of(before, span)
    for number in range(7, 30):
        append(sqlite, rows(number, number, won=False))
    late = review_of(look(sqlite, RUN_ID, ns(40)), span)
    assert late == early


def test_a_trade_over_the_end_of_a_week_is_of_the_week_in_which_it_ends(sqlite):
    deposit(sqlite)
    across = rows(0, 6)
    across["trades"][0] |= {"entry_ns": ns(6, 23), "exit_ns": ns(7, 0) + 60 * 10**9}
    across["ledger_entries"][2]["at_ns"] = ns(6, 23)
    append(sqlite, across)
    append(sqlite, rows(1, 8))
    found = look(sqlite, RUN_ID, ns(14, 0))
    first, second = (review_of(found, span) for span in complete_weeks(found, ns(14, 0)))
    assert (first.overall.trades, second.overall.trades) == (0, 2)
    assert second.profit.ledger_net_usd == pytest.approx(second.profit.net_usd)
    assert not any("ADD UP" in each for each in second.attention)


def test_what_to_look_at_is_said(sqlite):
    deposit(sqlite)
    for number in range(6):
        append(sqlite, rows(number, number, won=number != 3))
    loss = rows(6, 6, won=False)
    loss["trades"][0] |= {"gross_usd": -960.0, "net_usd": -1_000.0, "flags": "GAP"}
    append(sqlite, loss)
    for number in range(20, 32):
        append(sqlite, rows(number, 2, skipped=True))
    found = look(sqlite, RUN_ID, ns(14, 0))
    told = " ".join(review_of(found, complete_weeks(found, ns(14, 0))[0]).attention)
    assert "SIZE_ZERO kept 12 of 19 alerts from being traded." in told
    assert "1 trade had something unusual: GAP." in told
    assert "THE BOOKS DO NOT ADD UP" in told, "the ledger has the gross result of another trade"
    quiet = review_of(found, complete_weeks(found, ns(14, 0))[1]).attention
    assert "There was no alert this week." in quiet


def test_a_review_of_another_journal_is_not_replaced(sqlite, tmp_path):
    fill(sqlite)
    write_reviews(look(sqlite, RUN_ID, ns(14, 0)), tmp_path, ns(14, 0), LATER)
    with Journal.open(tmp_path / "other.sqlite") as other:
        other.record_trial(TRIAL)
        other.begin_run(RUN)
        fill(other, range(3))
        with pytest.raises(EvidenceError, match="it is of another journal"):
            write_reviews(look(other, RUN_ID, ns(14, 0)), tmp_path, ns(14, 0), LATER)


def test_what_is_no_review_is_not_replaced(sqlite, tmp_path):
    fill(sqlite)
    (tmp_path / RUN_ID).mkdir()
    (tmp_path / RUN_ID / "2026-W02.json").write_text("[]")
    with pytest.raises(EvidenceError, match="is no weekly review"):
        write_reviews(look(sqlite, RUN_ID, ns(14, 0)), tmp_path, ns(14, 0), LATER)
