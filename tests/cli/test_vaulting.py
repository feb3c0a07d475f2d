"""`hedgeflow vault`, `register` and `trials` as users run them."""

from __future__ import annotations

import json

import pytest

from hedgeflow.cli.vaulting import instant
from hedgeflow.journal import Journal
from hedgeflow.market.errors import ConfigError


@pytest.fixture
def run(run, simulated_market, tmp_path):
    """Return a function that runs a command on the shared catalog with the test's own journal."""

    def run_command(*words: object, catalog: object = simulated_market) -> tuple[int, str, str]:
        journal = tmp_path / "journal.sqlite"
        place = [] if catalog is None else ["--catalog", catalog, "--journal", journal]
        return run(*words, *place)

    return run_command


DECLARE = ("vault", "declare", "--underlying", "SIM", "--from", "2025-01-14")


def test_a_vault_is_declared_once_and_listed(run):
    code, said, _ = run(*DECLARE, "--until", "2025-01-16", "--note", "the last days")
    assert code == 0
    assert "from 2025-01-14T00:00:00Z to 2025-01-16T00:00:00Z, declared" in said
    assert "no configuration in the journal had seen any of it" in said
    code, said, _ = run(*DECLARE, "--until", "2025-01-16")
    assert code == 0
    assert "was declared before, and stands as it was" in said
    code, said, _ = run("vault", "list")
    assert code == 0
    assert "sealed" in said
    assert "the last days" in said
    (vault,) = json.loads(run("vault", "list", "--json")[1])
    assert vault["tape"] == "option_trades sim SIM"
    assert (vault["sealed"], vault["openings"], vault["seen_before"]) == (True, [], 0)


def test_a_vault_for_days_and_tapes_to_come_is_declared_by_venue(run):
    code, _, said = run("vault", "declare", "--underlying", "BTC", "--from", "2030-01-01")
    assert (code, "--venue" in said) == (4, True)
    code, said, _ = run(
        "vault", "declare", "--underlying", "BTC", "--from", "2030-01-01", "--venue", "deribit"
    )
    assert code == 0
    assert "on option_trades deribit BTC: from 2030-01-01T00:00:00Z on, declared" in said


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--from", "2025-01-14", "--until", "2025-01-14"), 1, "has no length"),
        (("--from", "the end"), 5, "'the end' is no date"),
        (("--from", "2025-01-14T12:00"), 5, "has no time zone"),
        ((), 2, "Missing option '--from'"),
    ],
)
def test_a_period_that_is_none_is_refused(run, words, code, says):
    found, _, said = run("vault", "declare", "--underlying", "SIM", *words)
    assert (found, says in said) == (code, True), said


def test_two_vaults_do_not_share_an_instant(run):
    run(*DECLARE)
    code, _, said = run("vault", "declare", "--underlying", "SIM", "--from", "2025-01-15")
    assert code == 1
    assert "has a part of this period" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", 86_400_000_000_000),
        ("1970-01-01T01:00:00Z", 3_600_000_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01 00:00:01+00:00", 1_000_000_000),
    ],
)
def test_a_date_is_its_utc_midnight_and_an_instant_says_its_offset(text, expected):
    assert instant(text, "--from") == expected


@pytest.mark.parametrize("text", ["19700101", "1970-01-01T00", "1970-W01", "", "1970-13-01"])
def test_what_is_neither_date_nor_instant_is_refused(text):
    with pytest.raises(ConfigError, match="--from"):
        instant(text, "--from")


def test_how_to_open_says_nothing_without_opening(run, tmp_path):
    for option in (("--reopen",), ("--vault", "abc"), ("--reason", "why")):
        code, _, said = run(
            "validate", "volume-shock", "--underlying", "SIM", "--out", tmp_path / "e", *option
        )
        assert code == 2
        assert "add --open-vault" in said


def test_nothing_is_opened_where_the_command_could_not_be_carried_out(run, tmp_path):
    run(*DECLARE)
    validate = ("validate", "volume-shock", "--underlying", "SIM", "--open-vault")
    (tmp_path / "taken").write_text("something else")
    bad = (
        ((*validate, "--out", tmp_path / "taken"), 6),
        ((*validate, "--out", tmp_path / "e", "--set", "anomaly.ratio=-1"), 5),
        ((*validate, "--out", tmp_path / "e", "--calendar", tmp_path / "none.csv"), 3),
        ((*validate, "--out", tmp_path / "e", "--set", "hedge_venue=nowhere"), 4),
        ((*validate, "--out", tmp_path / "e", "--vault", "nothing"), 1),
    )
    for words, code in bad:
        assert run(*words)[0] == code, words
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        assert journal.vaults()[0].sealed


def test_a_hypothesis_is_registered_and_listed(run):
    words = ("register", "Dealers hedge shocks.", "--underlying", "SIM", "--set", "anomaly.ratio=5")
    code, said, _ = run(*words)
    assert code == 0
    assert " registered on " in said
    assert "volume-shock on SIM, normalized, anomaly.ratio 5.0 (4.0)" in said
    first = said.split()[0]
    code, said, _ = run(*words)
    assert said.startswith(f"{first} was registered before on ")
    (row,) = json.loads(run("register", "--list", "--json")[1])
    assert (row["id"], row["statement"]) == (first, "Dealers hedge shocks.")
    assert row["config"]["anomaly"]["ratio"] == 5.0
    assert [gate["id"] for gate in row["thresholds"]["gates"]]
    assert "Dealers hedge shocks." in run("register", "--list")[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "either a STATEMENT or --list"),
        (("It holds.", "--list"), 2, "either a STATEMENT or --list"),
        (("It holds.", "--strategy", "magic"), 5, "there is no strategy 'magic'"),
        (("It holds.", "--set", "anomaly.rate=5"), 5, "is not a setting"),
        ((" ",), 5, "the statement is empty"),
    ],
)
def test_a_registration_that_says_nothing_is_refused(run, words, code, says):
    found, _, said = run("register", *words)
    assert (found, says in said) == (code, True), said


def test_trials_are_listed_with_what_they_earned(run):
    assert run("trials", "--underlying", "SIM")[0] == 7  # no journal yet
    run("register", "It holds.")
    code, said, _ = run("trials", "--underlying", "SIM")
    assert (code, "nothing was tried on the options of SIM" in said) == (0, True)
    run("backtest", "volume-shock", "--underlying", "SIM", "--set", "anomaly.ratio=6")
    code, said, _ = run("trials", "--underlying", "SIM")
    assert code == 0
    assert said.startswith("SIMULATED")
    assert "1 configuration tried on the options of SIM" in said
    assert "normalized, anomaly.ratio 6.0 (4.0)" in said
    (row,) = json.loads(run("trials", "--underlying", "SIM", "--json")[1])["trials"]
    assert row["complete"]
    assert row["trades"] > 0
    assert row["recorded_ns"] > 1_700_000_000_000_000_000
