"""Downloads that go wrong: one message, nothing half-written, and the same command goes on."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from builders.fetched import FIRST, HASTY, LAST, fetch, tree
from builders.program import LIMITED, PROGRAM
from builders.stopping import Stop, StoppingCatalog
from hedgeflow.market import Catalog, CatalogError
from hedgeflow.sources.deribit.history import DOWNLOADS
from hedgeflow.sources.download import DownloadError
from sources.deribit_history_server import Faults, HistoryServer, simulated_market

SERVER = Path(__file__).parents[1] / "sources" / "deribit_history_server.py"

PASSING = ["429", "429-seconds", "429-date", "10028", "500", "502", "timeout", "reset",
           "truncated", "garbage", "html", "shape", "instrument", "time"]  # fmt: skip
SAYS = {
    "429": r"the server answered 429 \(.*too_many_requests",
    "10028": r"the server answered 200 \(.*too_many_requests",
    "500": r"the server answered 500 \(<html>500 from a proxy",
    "502": "the server answered 502",
    "timeout": r"there was no whole answer in 0\.3 s",
    "reset": r"the connection failed",
    "truncated": r"the answer was cut off",
    "garbage": r"no Deribit answer with trades.*Expected `object`, got `array`",
    "html": "no Deribit answer with trades.*<!DOCTYPE html>",
    "shape": "missing required field `trades`",
    "instrument": r"a trade of ETH-PERPETUAL, asked was BTC-",
    "time": r"a trade of \d+ ms, outside \d+ to \d+",
}


@pytest.fixture(scope="module")
def market():
    return simulated_market(FIRST, 2, perpetual_a_day=1_500, options_a_day=400)


@pytest.fixture(scope="module")
def in_one_go(market, tmp_path_factory):
    """Return the files of a download that nothing disturbed, and how many requests it took."""
    server, folder = HistoryServer(market), tmp_path_factory.mktemp("reference") / "catalog"
    fetch(server, folder)
    return tree(folder), len(server.requests)


@pytest.fixture(scope="module")
def one_day(market, tmp_path_factory):
    """Return the same for the first day alone."""
    server, folder = HistoryServer(market), tmp_path_factory.mktemp("reference") / "catalog"
    fetch(server, folder, last=FIRST)
    return tree(folder), len(server.requests)


# --- answers that are none ----------------------------------------------------------------------


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_leaves_no_trace(market, tmp_path, one_day, fault):
    files, requests = one_day
    server = HistoryServer(market, Faults({5: fault}))
    fetch(server, tmp_path / "catalog", last=FIRST)
    assert len(server.requests) == requests + 1
    assert tree(tmp_path / "catalog") == files


def test_faults_of_every_kind_at_random_leave_no_trace(market, tmp_path, in_one_go):
    files, requests = in_one_go
    rng = random.Random(3)
    kinds = [kind for kind in PASSING if kind not in {"timeout", "429-seconds", "429-date"}]
    faults = {number: rng.choice(kinds) for number in range(60) if rng.random() < 0.4}
    server = HistoryServer(market, Faults(faults))
    fetch(server, tmp_path / "catalog")
    assert len(server.requests) > requests
    assert tree(tmp_path / "catalog") == files


@pytest.mark.parametrize("fault", SAYS)
def test_a_fault_that_stays_says_what_is_kept_and_the_same_command_goes_on(
    market, tmp_path, one_day, fault
):
    files, requests = one_day
    server = HistoryServer(market, Faults(dict.fromkeys(range(5)), after=fault))
    told = (
        rf"history\.test.*4 attempts failed, the last one because .*{SAYS[fault]}.*"
        r"0 of 1 days are written and 5 answers of 2025-01-06 are kept; the same command goes on"
    )
    with pytest.raises(DownloadError, match=re.compile(told, re.DOTALL)):
        fetch(server, tmp_path / "catalog", last=FIRST)
    again = 2 if fault == "reset" else 1  # aiohttp itself repeats what a used connection lost
    assert len(server.requests) == 5 + again * HASTY.attempts
    assert Catalog.open(tmp_path / "catalog").imports() == []
    healthy = HistoryServer(market)
    fetch(healthy, tmp_path / "catalog", last=FIRST)
    assert len(healthy.requests) == requests - 5
    assert tree(tmp_path / "catalog") == files


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("400", r"refuses the request: 400 \(.*Invalid params"),
        ("404", r"refuses the request: 404 \(<html>404"),
        ("forever", r"asks to come back in 86,400 s"),
    ],
)
def test_a_refusal_for_good_is_not_repeated(market, tmp_path, fault, message):
    server = HistoryServer(market, Faults({4: fault}))
    with pytest.raises(DownloadError, match=message):
        fetch(server, tmp_path / "catalog")
    assert len(server.requests) == 5


def test_a_server_that_is_not_there_is_named(market, tmp_path):
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:9/.*the connection failed"):
        fetch(HistoryServer(market), tmp_path / "catalog", url="http://127.0.0.1:9")


# --- downloads that are stopped -----------------------------------------------------------------


def stopping(calls: int):
    """Return a progress callback that stops the download when it is called so often."""
    seen = []

    def tell(now):
        seen.append(now)
        if len(seen) == calls:
            raise Stop

    return tell


@pytest.mark.parametrize("calls", [1, 4, 9, 11, 17, 20])
def test_a_download_stopped_after_any_answer_goes_on_there(market, tmp_path, in_one_go, calls):
    files, requests = in_one_go
    first, second = HistoryServer(market), HistoryServer(market)
    with pytest.raises(Stop):
        fetch(first, tmp_path / "catalog", progress=stopping(calls))
    fetch(second, tmp_path / "catalog")
    assert len(first.requests) + len(second.requests) == requests
    assert tree(tmp_path / "catalog") == files


@pytest.mark.parametrize("commits", [1, 2, 3, 5])
def test_a_download_stopped_between_two_tapes_writes_the_rest(market, tmp_path, in_one_go, commits):
    files, requests = in_one_go
    Catalog.create_or_open(tmp_path / "catalog")
    catalog = StoppingCatalog(tmp_path / "catalog")
    catalog.left = commits
    first, second = HistoryServer(market), HistoryServer(market)
    with pytest.raises(Stop):
        fetch(first, catalog)
    fetch(second, tmp_path / "catalog")
    assert len(first.requests) + len(second.requests) == requests
    assert tree(tmp_path / "catalog") == files


def test_answers_that_another_server_gave_are_not_used(market, tmp_path, one_day):
    files, requests = one_day
    other = simulated_market(FIRST, 2, seed=8, perpetual_a_day=1_500, options_a_day=400)
    with pytest.raises(Stop):
        fetch(
            HistoryServer(other),
            tmp_path / "catalog",
            last=FIRST,
            url="http://other.test",
            progress=stopping(7),
        )
    server = HistoryServer(market)
    fetch(server, tmp_path / "catalog", last=FIRST)
    assert len(server.requests) == requests
    assert tree(tmp_path / "catalog") == files


@pytest.mark.parametrize("spoil", ["cut", "changed", "emptied"])
def test_a_kept_answer_that_was_damaged_is_asked_for_again(market, tmp_path, one_day, spoil):
    files, requests = one_day
    server = HistoryServer(market)
    with pytest.raises(Stop):
        fetch(server, tmp_path / "catalog", last=FIRST, progress=stopping(7))
    kept = sorted((tmp_path / "catalog" / DOWNLOADS).rglob("*.answer"))
    content = kept[0].read_bytes()
    changed = content.replace(b'"price": ', b'"price": 1', 1)
    kept[0].write_bytes({"cut": content[:-100], "changed": changed, "emptied": b""}[spoil])
    again = HistoryServer(market)
    fetch(again, tmp_path / "catalog", last=FIRST)
    assert len(again.requests) == requests - len(kept) + 1
    assert tree(tmp_path / "catalog") == files


# --- real processes -----------------------------------------------------------------------------


@contextmanager
def served(*options: str):
    """Give the address of the server, run as a user runs it."""
    command = [sys.executable, str(SERVER), "--port", "0", "--trades", "2000", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().split()[-1]
        finally:
            server.kill()


def command(url: str, catalog: Path, days: int = 3, rate: int = 1000) -> list[str]:
    return [
        *PROGRAM, "data", "fetch", "deribit", "--catalog", str(catalog), "--currency", "BTC",
        "--from", "2025-01-06", "--to", f"2025-01-0{5 + days}", "--url", url, "--rate", str(rate),
    ]  # fmt: skip


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, check=False, capture_output=True, text=True)


def killed(arguments: list[str], catalog: Path, answers: int, wait: float) -> str:
    """Start a download, kill it some time after it has kept so many answers or written a day."""
    environment = os.environ | {"POLARS_MAX_THREADS": "1"}
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=environment) as process:
        begun = Counter(path.suffix for path in catalog.rglob("*"))
        while process.poll() is None:
            now = Counter(path.suffix for path in catalog.rglob("*"))
            if now[".answer"] >= answers or now[".json"] > begun[".json"] + 1:
                break
            time.sleep(0.002)
        time.sleep(wait)
        process.kill()
    return "killed" if process.returncode == -signal.SIGKILL else "ended"


@pytest.fixture(scope="module")
def three_days(tmp_path_factory):
    """Return the address of a server, and the files that a download in one go makes."""
    folder = tmp_path_factory.mktemp("three-days") / "catalog"
    with served() as url:
        whole = run(command(url, folder))
        assert whole.returncode == 0, whole.stderr
        yield url, tree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("seed", [1, 2])
def test_three_days_killed_twice_at_random_and_resumed_equal_one_go_byte_for_byte(
    three_days, tmp_path, seed
):
    rng, (url, files), catalog = random.Random(seed), three_days, tmp_path / "catalog"
    ends = [
        killed(command(url, catalog), catalog, rng.randrange(1, 12), rng.uniform(0, 0.15))
        for _ in range(2)
    ]
    assert ends[0] == "killed"
    resumed = run(command(url, catalog))
    assert resumed.returncode == 0, resumed.stderr
    assert tree(catalog) == files
    assert Catalog.open(catalog).check() == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(tmp_path):
    with served("--delay", "0.05") as url:
        catalog = tmp_path / "catalog"
        asked = command(url, catalog, days=1)
        process = subprocess.Popen(asked, stderr=subprocess.PIPE, text=True)
        while not list(catalog.rglob("*.answer")):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=180)
        assert process.returncode == 130
        assert "what was downloaded is kept; the same command goes on from there" in said
        assert "Traceback" not in said
        assert run(asked).returncode == 0


def test_a_second_download_is_told_who_is_at_work(tmp_path):
    with served("--delay", "0.05") as url:
        catalog = tmp_path / "catalog"
        with subprocess.Popen(command(url, catalog), stdout=subprocess.DEVNULL) as first:
            while not list(catalog.rglob("*.answer")):
                time.sleep(0.01)
            second = run(command(url, catalog))
            first.kill()
    assert second.returncode == 4
    assert re.search(rf"another download .* at work \(process {first.pid}\).*Wait", second.stderr)
    assert len(second.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes cannot be limited there")
def test_a_disk_that_is_full_is_one_message_and_no_half_day(tmp_path):
    with served() as url:
        arguments = command(url, tmp_path / "catalog", days=1)[3:]
        full = run([sys.executable, "-c", LIMITED, "50000", *arguments])
        assert full.returncode == 4
        assert re.search(r"cannot be kept \(.*\)\. What was kept before stays", full.stderr)
        assert len(full.stderr.strip().splitlines()) == 1
        assert Catalog.open(tmp_path / "catalog").imports() == []
        assert list(tmp_path.rglob("*.part")) == []
        assert run([*PROGRAM, *arguments]).returncode == 0


def test_an_import_at_work_lets_the_download_wait_for_the_next_run(market, tmp_path, in_one_go):
    from hedgeflow.market.transactions import locked

    files, requests = in_one_go
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    server = HistoryServer(market)
    with locked(catalog.path), pytest.raises(CatalogError, match="another import is writing"):
        fetch(server, catalog, last=LAST)
    asked = len(server.requests)
    fetch(server, catalog)
    assert len(server.requests) == requests
    assert 0 < asked < requests
    assert tree(catalog.path) == files
