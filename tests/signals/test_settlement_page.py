"""The page on the scan of expiration pressure does what it says."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "expiration-scan.md"


def test_the_pages_example_runs_and_finds_the_three_strikes(capsys):
    (block,) = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    exec(block, {})
    printed = capsys.readouterr().out
    assert "[(640.0, 200.0), (645.0, 357.8), (650.0, 354.9)]" in printed
