"""Every command of README and docs does what they say; every reference table is the code's."""

from __future__ import annotations

import contextlib
import doctest
import fcntl
import json
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin

import polars as pl
import pytest
from click.exceptions import UsageError
from pydantic import BaseModel
from typer.main import get_command
from typer.testing import CliRunner

from builders.dbn_files import databento_files
from builders.lean_folders import lean_folder
from builders.market_files import file_bars
from builders.simulated import copy_of
from hedgeflow.cli.app import app
from hedgeflow.evidence.documents import DOCUMENTS, schema
from hedgeflow.evidence.verdict import CouldTell, Status, Verdict
from hedgeflow.journal import Journal
from hedgeflow.journal.tables import METADATA
from hedgeflow.ledger.fees import FEE_PROFILES
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import HedgeflowError
from hedgeflow.market.tapes import COLUMNS, CONTRACT_COLUMNS
from hedgeflow.market.validation import Reason as RejectReason
from hedgeflow.risk import Reason
from hedgeflow.simulate import Scenario, preset_words, presets
from hedgeflow.sources import import_bars, import_deribit_trades
from hedgeflow.strategies.exits import FLAG_NAMES, Exit
from hedgeflow.strategies.expiration_pressure import ExpirationPressureConfig
from hedgeflow.strategies.settings import StrategyConfig
from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.strategies.volume_shock.claims import GATES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]

FENCE = re.compile(r"^```(?:console|bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"#\s*exit code (\d+)\s*$")
SPECIFICATION = re.compile(r" ?\([a-z-]+\.md[ \d]*\)")
"""Pointers to the specification, which comments of the code carry and documentation does not."""

TAPE_DAYS = 3
ALERT_PLACEHOLDER = "ALERT"


# --- commands -----------------------------------------------------------------------------------


class Command(NamedTuple):
    """One line of a fenced block, the exit code that it claims, and the output shown under it."""

    words: tuple[str, ...]
    exit_code: int
    shown: tuple[str, ...]


def commands_of(page: Path) -> list[Command]:
    found: list[Command] = []
    for block in FENCE.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            text = line.removeprefix("$ ")
            claimed = EXIT_CODE.search(text)
            words = tuple(shlex.split(text, comments=True)) if text.split() else ()
            if words and words[0] in {"hedgeflow", "make"}:
                found.append(Command(words, int(claimed[1]) if claimed else 0, ()))
            elif found and line.strip() and not line.startswith("$ "):
                found[-1] = found[-1]._replace(shown=(*found[-1].shown, line))
    return found


PYTHON = re.compile(r"^```pycon\n(.*?)^```", re.MULTILINE | re.DOTALL)

PAGES_WITH_COMMANDS = [
    page
    for page in PAGES
    if any(command.words[0] == "hedgeflow" for command in commands_of(page))
    or PYTHON.search(page.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory, simulated_market: Path) -> Path:
    """Return a folder with a simulated market, and its first days as files that users bring."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "documentation"
    shared.mkdir(exist_ok=True)
    with (shared / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of a parallel run make it once
        if not (shared / "done").exists():
            make_example(shared, simulated_market)
            (shared / "done").touch()
    return shared


def make_example(folder: Path, market: Path) -> None:
    copy_of(market, folder / "markets" / market.name)
    files = folder / "files"
    files.mkdir()
    trades = tape_of(market, "option_trades").filter(pl.col("aggressor") != 0)
    trades.select(
        "ts",
        "trade_id",
        instrument=pl.col("contract").str.replace("SIM", "BTC"),
        direction=pl.when(pl.col("aggressor") > 0).then(pl.lit("buy")).otherwise(pl.lit("sell")),
        price_btc=pl.col("price") / pl.col("underlying_price"),
        iv_pct=pl.col("iv") * 100,
        amount=pl.col("lots") * 0.1,
        underlying_price="underlying_price",
    ).write_parquet(files / "trades.parquet")
    bars = tape_of(market, "bars").select("ts", "open", "high", "low", "close", "volume")
    bars.rename({"ts": "date"}).write_parquet(files / "BTC-PERP-1m.parquet")
    thin = bars.with_columns(pl.col("volume") / 10)
    thin.rename({"ts": "date"}).write_parquet(files / "bybit_BTC-PERP-1m.parquet")
    exported = file_bars(60).rename({"date": "Time", "open": "Opening", "volume": "Qty"})
    exported.with_columns(pl.col("Time").dt.strftime("%Y-%m-%d %H:%M:%S")).write_csv(
        files / "export.csv"
    )
    lean_folder(files / "Lean" / "Data")
    databento_files(files)
    opened = Catalog.create_or_open(folder / "catalog")
    import_deribit_trades(files / "trades.parquet", opened)
    import_bars(files / "BTC-PERP-1m.parquet", opened, instrument="BTC-PERP", venue="binance")


def tape_of(market: Path, kind: str) -> pl.DataFrame:
    parts = pl.scan_parquet(sorted((market / kind).rglob("*.parquet")), hive_partitioning=False)
    first = parts.select(pl.col("ts").min()).collect().item()
    until = pl.lit(first).dt.truncate("1d") + pl.duration(days=TAPE_DAYS)
    return parts.filter(pl.col("ts") < until).sort("ts", "sequence").collect()


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_do_what_it_says(page: Path, example: Path, tmp_path: Path):
    commands = commands_of(page)
    shutil.copytree(example / "files", tmp_path, dirs_exist_ok=True)
    shutil.copytree(example / "markets", tmp_path / "out" / "demo" / "markets")
    if not any(command.words[1:3] == ("data", "import") for command in commands):
        shutil.copytree(example / "catalog", tmp_path / "catalog")
    for name, text in files_written_by(page).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with contextlib.chdir(tmp_path):
        for command in commands:
            if command.words[0] == "hedgeflow":
                check_command(command)
        check_python(page)


def check_python(page: Path) -> None:
    """Run the interactive examples of a page as one session; they print what it shows."""
    session = "\n".join(PYTHON.findall(page.read_text(encoding="utf-8")))
    examples = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    told: list[str] = []
    ran = doctest.DocTestRunner(optionflags=flags, verbose=False).run(examples, out=told.append)
    assert ran.failed == 0, "".join(told)


def files_written_by(page: Path) -> dict[str, str]:
    """Return the files that a page shows whole, by the name in their block's title."""
    block = re.compile(r"^```\w+ title=\"([^\"]+)\"\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return dict(block.findall(page.read_text(encoding="utf-8")))


def check_command(command: Command) -> None:
    words = [first_alert() if word == ALERT_PLACEHOLDER else word for word in command.words[1:]]
    code, output = run(words)
    said = " ".join(command.words)
    assert code == command.exit_code, f"{said}: exit code {code}\n{output}"
    printed = [" ".join(line.split()) for line in output.splitlines()]
    for line in command.shown:
        pattern = ".*".join(re.escape(" ".join(part.split())) for part in line.split("…"))
        assert any(re.search(pattern, each) for each in printed), f"{said} prints no {line!r}"


def run(words: list[str]) -> tuple[int, str]:
    """Return exit code and output of a command, refusals as `main` reports them."""
    result = CliRunner().invoke(app, words, prog_name="hedgeflow")
    if isinstance(result.exception, HedgeflowError):
        return result.exception.exit_code, f"{result.output}hedgeflow: {result.exception}"
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def first_alert() -> str:
    with Journal.open(Path("catalog") / "journal.sqlite", create=False) as journal:
        run_id = journal.runs()["run_id"][-1]
        return str(journal.table("alerts", run_id)["alert_id"][0])


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [*PAGES, ROOT / "CONTRIBUTING.md"]
    named = {command.words[1] for page in pages for command in commands_of(page)
             if command.words[0] == "make"}  # fmt: skip
    named |= {name for page in pages for name in re.findall(r"`make ([a-z]+)`", page.read_text())}
    assert named
    assert named <= targets


# --- the command line's reference ---------------------------------------------------------------


def test_the_reference_names_every_command_and_option():
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    section = re.compile(r"^## hedgeflow ([\w -]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    sections = dict(section.findall(text))
    commands = dict(command_tree(get_command(app)))
    assert set(sections) == set(commands)
    for name, command in commands.items():
        options = {max(each.opts, key=len) for each in command.params if each.opts[0][:1] == "-"}
        told = set(re.findall(r"^\| `(--[\w-]+)", sections[name], re.MULTILINE))
        assert told == options - {"--help"}, name


def command_tree(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from command_tree(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def test_the_reference_names_every_exit_code():
    told = set(table_of(REFERENCE / "cli.md", "Exit codes", 1))
    refusals = {each.exit_code for each in every_refusal(HedgeflowError)}
    assert told == {(str(code),) for code in {0, UsageError.exit_code, 130, *refusals}}


def every_refusal(kind: type[HedgeflowError]) -> Iterator[type[HedgeflowError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from every_refusal(inner)


# --- the configuration's reference --------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """A setting as the reference shows it."""

    key: str
    normalized: str
    source: str
    allowed: str


def settings_of_the_code(normalized: StrategyConfig, source: StrategyConfig) -> list[Setting]:
    found: list[Setting] = []
    top: list[Setting] = []
    for name, field in type(normalized).model_fields.items():
        mine, other = getattr(normalized, name), getattr(source, name)
        if isinstance(mine, BaseModel):
            for key, inner in type(mine).model_fields.items():
                found.append(
                    setting(f"{name}.{key}", getattr(mine, key), getattr(other, key), inner)
                )
        else:
            top.append(setting(name, mine, other, field))
    return top + found


def setting(key: str, mine: object, other: object, field: Any) -> Setting:
    differs = f"**{shown(other)}**" if mine != other else shown(other)
    return Setting(key, shown(mine), differs, allowed(field.annotation, field.metadata))


def shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    if isinstance(value, float):
        return f"{value:,.10g}"
    return str(value)


def allowed(annotation: Any, metadata: list[Any]) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(annotation))
    if get_origin(annotation) is dict:
        return "settings"
    if get_origin(annotation) is tuple:
        inner, *rest = get_args(annotation)
        length = "any number" if rest == [Ellipsis] else str(len(get_args(annotation)))
        bounds = [each for part in getattr(inner, "__metadata__", ())
                  for each in getattr(part, "metadata", [part])]  # fmt: skip
        return f"{length} of {allowed(get_args(inner)[0] if bounds else inner, bounds)}"
    if annotation is bool:
        return "true, false"
    kind = {int: "whole ", float: "", str: "text", date: "date"}.get(annotation, "text")
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    bounds = [f"{sign} {getattr(each, name):g}" for each in metadata
              for name, sign in signs.items() if hasattr(each, name)]  # fmt: skip
    return (kind + " and ".join(bounds)).strip()


def settings_told(page: str) -> list[Setting]:
    return sorted(
        Setting(key.strip("`"), normalized, source, ruled)
        for key, normalized, source, _, ruled, rule in rows_of(REFERENCE / page, 6)
        if rule
    )


def test_the_reference_of_settings_is_the_configuration():
    known = settings_of_the_code(VolumeShockConfig.normalized(), VolumeShockConfig.source())
    assert settings_told("configuration.md") == sorted(known)


def test_the_reference_of_expiration_pressure_tells_every_setting_that_is_not_the_volume_shocks():
    ours = ExpirationPressureConfig.normalized(), ExpirationPressureConfig.source()
    others = settings_of_the_code(VolumeShockConfig.normalized(), VolumeShockConfig.source())
    known = set(settings_of_the_code(*ours)) - set(others)
    told = settings_told("configuration-expiration-pressure.md")
    assert told == sorted(known)


def test_the_reference_names_every_fee_table():
    row = next(row for row in rows_of(REFERENCE / "configuration.md", 6) if "fee_profile" in row[0])
    assert set(re.findall(r"`([\w-]+)`", row[-1])) - {"auto"} == set(FEE_PROFILES)


# --- scenarios ----------------------------------------------------------------------------------


def keys_of_the_scenario() -> list[tuple[str, str, str]]:
    """Return each key with its default and what is allowed: those outside sections first."""
    top: list[tuple[str, str, str]] = []
    found: list[tuple[str, str, str]] = []
    defaults = Scenario()
    for name, field in Scenario.model_fields.items():
        value = getattr(defaults, name)
        if isinstance(value, BaseModel):
            for key, inner in type(value).model_fields.items():
                found.append((f"{name}.{key}", *told_of(getattr(value, key), inner)))
        else:
            top.append((name, *told_of(value, field)))
    return top + found


def told_of(value: object, field: Any) -> tuple[str, str]:
    default = "–" if value in ("", {}) else shown(value)
    return default, allowed(field.annotation, field.metadata) or "any number"


def test_the_reference_of_scenarios_is_the_scenario():
    told = [
        (key.strip("`"), default, ruled)
        for key, default, unit, ruled, meaning in rows_of(REFERENCE / "scenarios.md", 5)
        if unit and meaning
    ]
    assert told == keys_of_the_scenario()


def test_the_reference_names_every_preset_as_it_describes_itself():
    told = table_of(REFERENCE / "scenarios.md", "Presets", 2)
    assert told == [(f"`{name}`", preset_words(name)) for name in presets()]


# --- tapes, journal, reasons, package -----------------------------------------------------------


def tables_of_the_tapes() -> dict[str, list[tuple[str, ...]]]:
    tables = {str(kind): columns for kind, columns in COLUMNS.items()}
    tables["contracts"] = CONTRACT_COLUMNS
    return {
        name: [
            (
                f"`{column.name}`",
                re.sub(r"\(.*", "", str(column.dtype)),
                column.unit or "–",
                column.meaning,
                "yes" if column.nullable else "no",
                "yes" if column.positive else "no",
            )
            for column in columns
        ]
        for name, columns in tables.items()
    }


def test_the_reference_of_tapes_is_the_schemas():
    page = REFERENCE / "tapes.md"
    for name, columns in tables_of_the_tapes().items():
        assert table_of(page, name, 6) == columns


def tables_of_the_journal() -> dict[str, list[tuple[str, ...]]]:
    return {
        name: [
            (
                f"`{column.name}`",
                str(column.type).lower(),
                "yes" if column.nullable else "no",
                SPECIFICATION.sub("", column.comment or "the run that the row belongs to"),
            )
            for column in table.columns
        ]
        for name, table in METADATA.tables.items()
    }


def test_the_reference_of_the_journal_is_its_tables():
    page = REFERENCE / "journal.md"
    for name, columns in tables_of_the_journal().items():
        assert table_of(page, name, 4) == columns
    assert set(headings(page)) == set(METADATA.tables)


@pytest.mark.parametrize(
    ("heading", "codes"),
    [
        ("Why an alert was traded or not", list(Reason)),
        ("Why a position ended", list(Exit.__members__)[1:]),
        ("What was unusual about a trade", [name for _, name in FLAG_NAMES]),
        ("Why a row of a file was refused", list(RejectReason)),
        ("What became of a claim or gate", list(Status)),
        ("The verdict", list(Verdict)),
        ("Could the data have told?", list(CouldTell)),
    ],
)
def test_the_reference_explains_every_code(heading: str, codes: list[str]):
    rows = table_of(REFERENCE / "reasons.md", heading, 2)
    assert [code for code, meaning in rows if meaning] == [f"`{code}`" for code in codes]


def test_the_reference_names_every_gate():
    rows = table_of(REFERENCE / "evidence-package.md", "The gates", 3)
    told = [(identifier.strip("`"), comparison) for identifier, _, comparison in rows]
    assert told == [(gate.id, f"{gate.comparison} {gate.threshold:.2f}".replace(".00", ""))
                    for gate in GATES]  # fmt: skip


def test_the_published_schemas_are_the_ones_in_use():
    for name in DOCUMENTS:
        path = REFERENCE / "schemas" / f"{name}.schema.json"
        assert json.loads(path.read_text(encoding="utf-8")) == schema(name)


def test_the_reference_names_every_key_of_the_package():
    text = (REFERENCE / "evidence-package.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_0-9]+)`", text))
    for name in DOCUMENTS:
        document: Any = schema(name)
        for key, value in document["properties"].items():
            inner = value.get("properties", {})
            if "$ref" in value:
                inner = document["$defs"][value["$ref"].rpartition("/")[2]]["properties"]
            assert {key, *inner} <= named, f"{name}.{key}: {sorted({key, *inner} - named)}"


# --- reading pages ------------------------------------------------------------------------------


def headings(page: Path) -> list[str]:
    return re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def table_of(page: Path, heading: str, width: int) -> list[tuple[str, ...]]:
    """Return the first `width` cells of the rows of the table under a heading."""
    text = page.read_text(encoding="utf-8")
    pattern = rf"^##+ {re.escape(heading)}$(.*?)(?=^##|\Z)"
    section = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    assert section, f"{page.name} has no heading '{heading}'"
    return [row[:width] for row in cells(section[1])]


def rows_of(page: Path, width: int) -> list[tuple[str, ...]]:
    return [row for row in cells(page.read_text(encoding="utf-8")) if len(row) == width]


def cells(text: str) -> list[tuple[str, ...]]:
    tables = re.findall(r"^\|.*\n\| ---.*\n((?:\|.*(?:\n|\Z))*)", text, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]
