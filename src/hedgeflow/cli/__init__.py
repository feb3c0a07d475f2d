"""The command line: `hedgeflow`, its exit codes and what it prints."""

from __future__ import annotations

from hedgeflow.cli.app import main

__all__ = ["main"]
