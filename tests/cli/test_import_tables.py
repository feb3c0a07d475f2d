"""The commands that import tables and Tardis files: options, dry runs, wrong arguments."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from builders.market_files import START, file_bars, written
from hedgeflow.cli.app import app
from hedgeflow.market import Catalog
from hedgeflow.sources import import_bars

COLUMNS = "ts=t,price=p,quantity=q,contract=c"


@pytest.fixture
def run():
    def invoke(*arguments):
        return CliRunner().invoke(app, [str(each) for each in arguments])

    return invoke


@pytest.fixture
def priced(tmp_path):
    """Return a catalog with bars that price the options of `prints`."""
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    bars = written(file_bars(15, start=START - timedelta(minutes=15)), tmp_path, "bars.parquet")
    import_bars(bars, catalog, instrument="AAPL", venue="nasdaq")
    return catalog


@pytest.fixture
def prints(tmp_path):
    row = {"t": [START], "p": [4.0], "q": [2], "c": ["AAPL  250418C00200000"]}
    return written(pl.DataFrame(row), tmp_path, "prints.parquet")


def test_a_dry_run_prices_trades_by_the_catalogs_bars_and_writes_nothing(run, priced, prints):
    before = [each.id for each in priced.imports()]
    arguments = ["--kind", "option_trades", "--venue", "opra", "--underlying", "AAPL"]
    done = run(
        *["data", "import", "table", prints, "--catalog", priced.path, "--columns", COLUMNS],
        *[*arguments, "--dry-run", "--json"],
    )
    assert done.exit_code == 0
    (report,) = json.loads(done.stdout)
    assert (report["kept"], report["dry_run"]) == (1, True)
    assert [each.id for each in priced.imports()] == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--type", "quotes"), "only trades need to be named"),
        (("--contract-size", "1", "--contract-value", "1"), "say one of both"),
        (("--contract-size", "0"), "--contract-size"),
    ],
)
def test_wrong_arguments_are_usage_errors(run, prints, tmp_path, arguments, said):
    done = run("data", "import", "tardis", prints, "--catalog", tmp_path / "new", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "new").exists()
