"""Jobs side by side: progress arrives, one that fails stops the others, nothing is half-written."""

from __future__ import annotations

import os

import pytest

from builders.jobs import Job, work
from hedgeflow.market.errors import CatalogError, HedgeflowError
from hedgeflow.studies.side_by_side import run_side_by_side


def jobs(folder, *deeds):
    return {deed.upper(): Job(folder, deed) for deed in deeds}


def silent(*_progress):
    pass


def test_a_single_job_needs_no_process_and_tells_its_progress(tmp_path):
    heard = []
    run_side_by_side(work, jobs(tmp_path, "tell"), lambda *progress: heard.append(progress))
    assert heard == [("TELL", "working", 0, 1), ("TELL", "working", 1, 1)]
    assert (tmp_path / "process").read_text() == str(os.getpid())


@pytest.mark.parametrize("other", ["wait", "swallow"])
def test_one_that_is_refused_is_named_and_the_others_clear_up(tmp_path, other):
    with pytest.raises(CatalogError, match=r"^REFUSE: .*: holds nothing\. Fill it$") as refusal:
        run_side_by_side(work, jobs(tmp_path, other, "refuse"), silent)
    assert refusal.value.exit_code == 4
    assert not list(tmp_path.iterdir())


def test_a_process_that_dies_without_a_word_is_named_with_its_code(tmp_path):
    with pytest.raises(HedgeflowError, match="DIE: its process ended with code 7"):
        run_side_by_side(work, jobs(tmp_path, "wait", "die"), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["die.half"]
