"""The commands that look before anything runs: check-config, doctor, warm."""

from __future__ import annotations

import os
import platform
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from hedgeflow.cli.clock import now_ns
from hedgeflow.cli.options import (
    ConfigOption,
    JournalOption,
    JsonOption,
    PresetOption,
    SetOption,
    StrategyArgument,
)
from hedgeflow.cli.output import print_json, print_table

MINIMUM_FREE_GB = 1.0
EARLIEST_CLOCK_NS = 1_735_689_600_000_000_000
"""2025-01-01: a clock before it is wrong."""
CLOCK_TOLERANCE_SECONDS = 1.0


def check_config(
    strategy: StrategyArgument,
    preset: PresetOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    price: Annotated[
        float | None, typer.Option(min=0, help="Price of the hedge instrument, to judge costs.")
    ] = None,
    hedge: Annotated[
        str | None, typer.Option(help="Its symbol, as in BTC-PERP, ESH25 or AAPL.")
    ] = None,
    venue: Annotated[str, typer.Option(help="Its venue, for the fee table.")] = "binance",
    as_json: JsonOption = False,
) -> None:
    """Say in words which settings conflict, never bind, or cannot pay their costs."""
    from hedgeflow.market.contracts import hedge_instrument
    from hedgeflow.studies.strategies import study_named

    study = study_named(strategy)
    chosen = study.load_config(preset, config, settings or [])
    instrument = hedge_instrument(hedge, venue) if hedge else None
    findings = study.explain_config(chosen, price=price, hedge=instrument)
    if as_json:
        print_json(
            {
                "preset": chosen.preset,
                "config": chosen.model_dump(mode="json"),
                "findings": [
                    {"level": each.level, "key": each.key, "sentence": each.sentence}
                    for each in findings
                ],
            }
        )
        return
    typer.echo(f"{strategy}, preset {chosen.preset}: {len(findings)} findings")
    print_table(
        ("level", "setting", "what it means"),
        [[each.level, each.key, each.sentence] for each in findings],
    )


def doctor(
    catalog: Annotated[
        Path | None, typer.Option("--catalog", metavar="CAT", help="A catalog to look at too.")
    ] = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check this machine: Python, clock, disk, kernels' cache, catalog, journal, conflicts."""
    findings = [
        _python(),
        _clock(),
        _disk(catalog or Path.cwd()),
        _kernels(),
        ("ok", "keys", "no venue that needs a key is configured: data come from files"),
        *_conflicts(),
    ]
    if catalog is not None:
        findings += _catalog(catalog)
    if catalog is not None or journal is not None:
        findings += _journal(catalog, journal)
    if as_json:
        print_json([{"state": s, "what": w, "text": t} for s, w, t in findings])
    else:
        print_table(("state", "what", "finding"), findings)
    if any(state == "bad" for state, _, _ in findings):
        raise typer.Exit(1)


def warm() -> None:
    """Compile the kernels now, so that the first run need not wait for them."""
    from hedgeflow.studies.warming import warm_kernels

    began = time.perf_counter()
    warm_kernels()
    typer.echo(f"kernels compiled in {time.perf_counter() - began:.0f} s")


Finding = tuple[str, str, str]


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return "ok", "python", f"{text}, {os.cpu_count()} cores"


def _clock() -> Finding:
    from hedgeflow.market.time import iso

    now = now_ns()
    state = "ok" if now > EARLIEST_CLOCK_NS else "bad"
    return state, "clock", f"{iso(now)} UTC, time zone {time.tzname[0]}"


def _disk(folder: Path) -> Finding:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    state = "ok" if free >= MINIMUM_FREE_GB else "bad"
    return state, "disk", f"{free:,.1f} GB free at {folder}"


def _kernels() -> Finding:
    from hedgeflow.kernels import KERNELS_VARIABLE, kernels_folder, temporary_kernels

    folder = kernels_folder()
    if folder is None:
        return "bad", "kernels", f"they can be kept nowhere: {KERNELS_VARIABLE} names a folder"
    kept, state = f"kept in {folder}", "ok"
    if temporary_kernels() is not None:
        kept += f" for a while only; {KERNELS_VARIABLE} names a folder that lasts"
        state = "note"
    if cached := _cached_kernels(folder):
        return state, "kernels", f"{cached} compiled kernels are {kept}"
    return "note", "kernels", f"none is compiled yet: `hedgeflow warm` does it once; {kept}"


def _cached_kernels(folder: Path) -> int:
    from hashlib import sha1

    from hedgeflow.kernels import PACKAGE, kernel_packages

    if folder == PACKAGE:
        return sum(1 for _ in folder.rglob("*.nbi"))
    # numba shares its folder among all packages, each part named after the path of the code.
    parts = (f"{each.name}_{sha1(bytes(each)).hexdigest()}" for each in kernel_packages())  # noqa: S324
    return sum(1 for part in parts for _ in (folder / part).glob("*.nbi"))


def _conflicts() -> list[Finding]:
    from hedgeflow.studies.strategies import STRATEGIES, study_named

    found = [
        (f"{strategy} {preset}", finding)
        for strategy in STRATEGIES
        for study in (study_named(strategy),)
        for preset in ("normalized", "source")
        for finding in study.explain_config(study.of_preset(preset))
        if finding.level == "conflict"
    ]
    if not found:
        return [("ok", "configuration", "no conflicts between the presets' rules")]
    return [
        ("note", f"configuration {preset}", f"{finding.key}: {finding.sentence}")
        for preset, finding in found
    ]


def _catalog(catalog: Path) -> list[Finding]:
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.errors import HedgeflowError
    from hedgeflow.market.soundness import Severity

    try:
        opened = Catalog.open(catalog)
        damaged = [each for each in opened.check() if each.severity is Severity.ERROR]
    except HedgeflowError as refusal:
        return [("bad", "catalog", str(refusal))]
    findings: list[Finding] = [("bad", "catalog", f"{each.where}: {each.text}") for each in damaged]
    if not damaged:
        mark = "SIMULATED: " if opened.simulated else ""
        text = f"{mark}{len(opened.keys())} tapes, every file as recorded"
        findings.append(("ok", "catalog", text))
    return findings


def _journal(catalog: Path | None, url: str | None) -> list[Finding]:
    from hedgeflow.journal import SCHEMA_VERSION, journal_facts
    from hedgeflow.market.errors import HedgeflowError
    from hedgeflow.studies.backtesting import JOURNAL_FILE

    if not url and not (catalog and (catalog / JOURNAL_FILE).exists()):
        return [("note", "journal", "nothing has been run on this catalog yet")]
    try:
        facts = journal_facts(url or (catalog or Path()) / JOURNAL_FILE, now_ns)
    except HedgeflowError as refusal:
        return [("bad", "journal", str(refusal))]
    place = f"{facts.database} at {facts.address}"
    if facts.schema_version is None:
        return [("note", "journal", f"{place} is empty; the first run makes its tables")]
    runs, trials, rows = facts.rows["runs"], facts.rows["trials"], sum(facts.rows.values())
    said = f"{place}: {runs:,} runs, {trials:,} trials, {rows:,} rows"
    findings: list[Finding] = [("ok", "journal", f"{said}, schema version {facts.schema_version}")]
    if facts.schema_version < SCHEMA_VERSION:
        note = f"the next command that uses it brings it to schema version {SCHEMA_VERSION}"
        findings.append(("note", "journal", note))
    if (ahead := facts.clock_ahead_seconds) is not None:
        state = "ok" if abs(ahead) <= CLOCK_TOLERANCE_SECONDS else "note"
        findings.append((state, "journal", f"its server's clock is {ahead:+.3f} s from this one"))
    return findings
