"""validate --from, evidence compare and claims as users run them."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from evidence import samples
from hedgeflow.evidence import assess, write_package
from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.simulate import TruthTable, read_truth
from hedgeflow.strategies.volume_shock import load_config
from hedgeflow.strategies.volume_shock.claims import CLAIMS, DECLARATION
from hedgeflow.studies import load_market, validate, write_validation
from hedgeflow.studies.periods import within

NOW = "2024-03-01T00:00:00Z"
DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Return two packages of recorded tables and one of simulated ones."""
    folder = tmp_path_factory.mktemp("packages")
    for name, wins, simulated in (("good", 70, False), ("bad", 30, False), ("made", 70, True)):
        tables = samples.tables(samples.mixed(wins, 90 - wins), flow_noise=0.5)
        evidence = assess(tables, DECLARATION, samples.manifest(simulated=simulated))
        write_package(evidence, tables, folder / name, timestamp=NOW)
    return folder


@pytest.fixture(scope="module")
def place(simulated_market, tmp_path_factory):
    """Return a catalog and the package that was made of its first days."""
    from builders.simulated import copy_of

    folder = tmp_path_factory.mktemp("again")
    root = copy_of(simulated_market, folder / "catalog")
    config = load_config(settings=["null.draws_on_bars=200", "null.draws_on_ticks=200"])
    whole = load_market(Catalog.open(root), "SIM", config)
    market = within(whole, config, until_ns=whole.option_tape.first_ns + 4 * DAY_NS)
    with Journal.open(root / "journal.sqlite") as journal:
        made = validate(market, config, journal, truth=read_truth(root, TruthTable.SHOCKS))
    write_validation(made, folder / "package", NOW)
    return folder


# --- validate --from ------------------------------------------------------------------------------


def test_a_package_that_is_reproduced_is_code_0_and_one_that_is_not_is_code_6(
    run, place, tmp_path
):  # fmt: skip
    package, catalog = place / "package", place / "catalog"
    done = run("validate", "--from", package / "evidence.json", "--catalog", catalog)
    assert done.returncode == 0
    assert done.stdout.startswith("SIMULATED: ")
    assert re.search(r"REPRODUCED: [\d,]+ values of \d+ files compared, none differs", done.stdout)
    other = shutil.copytree(package, tmp_path / "other")
    document = json.loads((other / "evidence.json").read_text())
    document["performance_metrics"]["overall"]["wins"] += 1
    (other / "evidence.json").write_text(json.dumps(document))
    out = tmp_path / "out"
    done = run("validate", "--from", other, "--catalog", catalog, "--out", out, "--json")
    assert done.returncode == 6
    told = json.loads(done.stdout)
    assert told["reproduced"] is False
    assert told["differences"][0]["place"] == "performance_metrics.overall.wins"
    assert json.loads((out / "reproduction.json").read_text()) == told


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 5, "does not know where its data lie. Add --catalog CAT"),
        (("--catalog", "CAT", "--preset", "source"), 5, "states it itself: --preset"),
        (("volume-shock", "--catalog", "CAT"), 5, "states it itself: STRATEGY"),
        (("--catalog", "CAT", "--out", "PACKAGE"), 6, "is the package that is to be compared"),
        (("--catalog", "PACKAGE"), 4, "catalog"),
    ],
)
def test_what_a_package_states_or_cannot_know_is_asked_for(
    refused, place, arguments, code, words
):  # fmt: skip
    named = {"CAT": place / "catalog", "PACKAGE": place / "package"}
    given = [named.get(each, each) for each in arguments]
    refusal = refused("validate", "--from", place / "package", *given)
    assert refusal[0] == code
    assert words in refusal[1]


def test_without_from_what_is_missing_is_a_wrong_argument(run):
    assert run("validate").returncode == 2
    done = run("validate", "volume-shock", "--underlying", "BTC", "--out", "o")
    assert done.returncode == 2
    assert "Missing option '--catalog'" in done.stderr


def test_a_package_of_another_schema_says_what_to_do(refused, packages, tmp_path):
    old = shutil.copytree(packages / "good", tmp_path / "old")
    document = json.loads((old / "evidence.json").read_text()) | {"schema_version": "1.1"}
    (old / "evidence.json").write_text(json.dumps(document))
    for command in (("validate", "--from", old), ("evidence", "compare", old, packages / "good"),
                    ("claims", old)):  # fmt: skip
        code, words = refused(*command)
        assert code == 6
        assert "written with schema 1.1" in words
        assert "Make the package again with hedgeflow validate" in words


# --- evidence compare -----------------------------------------------------------------------------


def test_compare_says_what_differs_beyond_the_intervals(run, packages):
    done = run("evidence", "compare", packages / "good", packages / "bad")
    assert done.returncode == 0
    (row,) = re.findall(r"^\S+overall\.win_rate .*$", done.stdout, re.MULTILINE)
    assert row.endswith("MORE THAN THE INTERVALS ALLOW")
    assert "no setting differs" in done.stdout
    assert "same code" in done.stdout


def test_compare_tells_a_simulated_from_a_recorded_market_first(run, packages):
    done = run("evidence", "compare", packages / "good", packages / "made")
    assert done.stdout.startswith("WARNING: SIMULATED BESIDE RECORDED: made is of a simulated")
    found = json.loads(run("evidence", "compare", packages / "good", packages / "made",
                           "--json").stdout)  # fmt: skip
    assert found["simulated"] == [False, True]
    assert len(found["figures"]) > 50


def test_what_is_no_package_is_refused(refused, packages, tmp_path):
    assert refused("evidence", "compare", packages / "good", tmp_path)[0] == 6
    assert refused("evidence", "compare", packages / "good", tmp_path / "none")[0] == 6


# --- claims ---------------------------------------------------------------------------------------


def test_every_claim_stands_beside_what_each_package_found(run, packages, tmp_path):
    page = tmp_path / "claims.md"
    done = run("claims", packages / "good", packages / "made", "--name", "recorded", "--name",
               "effect", "--out", page)  # fmt: skip
    assert done.returncode == 0
    text = page.read_text()
    assert text.startswith("<!-- made by hedgeflow claims -->")
    assert "| recorded | SIMULATED: effect |" in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) >= len(CLAIMS)
    assert "75 to 85\u00a0%" in text
    assert run("claims", packages / "good", "--out", page).returncode == 0, "its own is replaced"


def test_a_page_of_html_loads_nothing_and_carries_the_mark(run, packages, tmp_path):
    page = tmp_path / "claims.html"
    assert run("claims", packages / "made", "--out", page).returncode == 0
    html = page.read_text()
    assert html.count("SIMULATED") > 5
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [("claims.md", "# mine", 3, "another file, which is left alone"),
     ("claims.txt", None, 5, "ends in .html or .md"),
     ("claims", None, 5, "ends in .html or .md")],
)  # fmt: skip
def test_a_page_replaces_only_its_own(refused, packages, tmp_path, name, text, code, words):
    if text is not None:
        (tmp_path / name).write_text(text)
    refusal = refused("claims", packages / "good", "--out", tmp_path / name)
    assert refusal[0] == code
    assert words in refusal[1]


def test_names_are_one_for_each_package(refused, packages):
    code, words = refused("claims", packages / "good", packages / "bad", "--name", "one")
    assert code == 6
    assert "1 names for 2 packages" in words
