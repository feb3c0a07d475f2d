"""The `hedgeflow` program: its commands, and how a refusal or Ctrl-C becomes an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import typer

from hedgeflow.cli import (
    checking,
    claiming,
    comparing,
    data,
    demonstrating,
    describing,
    expiring,
    explaining,
    judging,
    laddering,
    registering,
    running,
    scoring,
    simulating,
    sweeping,
    vaulting,
    watching,
)
from hedgeflow.interrupts import raised_again_when_lost
from hedgeflow.kernels import KERNELS_VARIABLE, temporary_kernels

EXIT_CODES: Final = """\
Exit codes: 0 done (whatever the verdict) · 1 refused · 2 wrong arguments · 3 bad data ·
4 bad catalog · 5 bad configuration · 6 bad evidence · 7 bad journal · 8 books that do not add up ·
130 stopped by Ctrl-C."""
STOPPED: Final = 130
STOPPED_WORDS: Final = "hedgeflow: stopped; nothing half-written is left behind"

app = typer.Typer(
    name="hedgeflow",
    help="Hedging flow: detect it, trade it in replay, and say honestly whether the claim holds.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
app.add_typer(comparing.app, name="evidence")
app.add_typer(vaulting.app, name="vault")
app.command("demo")(demonstrating.demo)
app.command("simulate")(simulating.simulate)
app.command("score")(scoring.score)
app.command("scan")(running.scan)
app.command("backtest")(running.backtest)
app.command("validate")(running.validate)
app.command("sweep")(sweeping.sweep)
app.command("walk-forward")(sweeping.walk_forward)
app.command("explain")(explaining.explain)
app.command("expiries")(expiring.expiries)
app.command("ladder")(laddering.ladder)
app.command("watch")(watching.watch)
app.command("claims")(comparing.claims)
app.command("claim")(claiming.claim)
app.command("register")(registering.register)
app.command("trials")(registering.trials)
app.command("stylised-facts")(describing.stylised_facts)
app.command("calibrate-judge")(judging.calibrate_judge)
app.command("check-config")(checking.check_config)
app.command("doctor")(checking.doctor)
app.command("warm")(checking.warm)


def _version(show: bool) -> None:
    if show:
        from hedgeflow import __version__

        typer.echo(f"hedgeflow {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False,
        "--version",
        callback=_version,
        is_eager=True,
        help="Print the version and stop.",
    ),
) -> None:
    """Keep --version beside the commands."""
    _ = version


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program: refusals go to standard error in one line, without a traceback.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without them, those of the command line.

    Raises
    ------
    SystemExit
        Always, with one of `EXIT_CODES`.
    """
    try:
        # Not standalone: typer turns Ctrl-C into a code without a word.
        with raised_again_when_lost(KeyboardInterrupt, signal.SIGINT):
            code = app(arguments, standalone_mode=False) or 0
        if code == STOPPED:
            typer.echo(STOPPED_WORDS, err=True)
        sys.exit(code)
    except BrokenPipeError:
        sys.exit(0)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            sys.exit(0)  # typer makes a 1 of a reader that has seen enough
        raise
    except OSError as trouble:
        named = f"{trouble.filename}: " if trouble.filename else ""
        typer.echo(f"hedgeflow: {named}{trouble.strerror or trouble}", err=True)
        sys.exit(1)
    except Exception as refusal:
        # Known by their exit code: the class of ours takes half a second to import.
        if isinstance(refusal.__cause__ or refusal.__context__, KeyboardInterrupt):
            typer.echo(STOPPED_WORDS, err=True)  # Ctrl-C inside compiled code
            sys.exit(STOPPED)
        code = getattr(refusal, "exit_code", None)
        if not isinstance(code, int):
            raise
        show = getattr(refusal, "show", None)
        if callable(show):
            show()
        else:
            typer.echo(f"hedgeflow: {refusal}", err=True)
        sys.exit(code)
    finally:
        _tell_where_kernels_are()


def _tell_where_kernels_are() -> None:
    """Say in one line that compiled code is kept for a while only, where that matters."""
    folder = temporary_kernels()
    if folder is not None and "numba" in sys.modules:
        typer.echo(
            f"hedgeflow: compiled code is kept in {folder} only, for neither the program's folder"
            f" nor the user's cache can be written; {KERNELS_VARIABLE} names one that lasts",
            err=True,
        )
