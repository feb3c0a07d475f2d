"""Registration and hold-out in words."""

from __future__ import annotations

import pytest

from hedgeflow.evidence.beforehand import registration_words, vault_words
from hedgeflow.evidence.manifest import Registration, Vault

VAULT = Vault("v1", "2025-01-14T00:00:00Z", "2025-01-16T00:00:00Z", 0, opened_here=False)


def vault(openings, *, here, seen=0, end=VAULT.end):
    return Vault("v1", VAULT.start, end, openings, opened_here=here, seen_before=seen)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (vault(0, here=False), "is sealed: nothing stamped at its start or later was seen"),
        (vault(1, here=True), "alone, which was opened once."),
        (vault(2, here=True), "alone, which was opened twice: it is no fresh sample."),
        (vault(3, here=True), "opened 3 times: it is no fresh sample."),
        (vault(1, here=False), "is spent: it was opened once, and any run since may have seen it."),
        (vault(0, here=False, end=""), "hold-out from 2025-01-14T00:00:00Z on (vault v1)"),
    ],
)
def test_a_hold_out_says_what_became_of_it(given, says):
    (said,) = vault_words(given)
    assert says in said


def test_who_had_seen_it_is_counted():
    assert vault_words(vault(1, here=True, seen=1))[1] == (
        "Outside of its openings 1 configuration had seen some of it."
    )


def test_a_hypothesis_says_when_it_was_registered():
    assert registration_words(None) == "The hypothesis was not registered beforehand."
    early = Registration("r1", "It holds.", "2025-01-01T00:00:00Z", before_run=True)
    late = Registration("r1", "It holds.", "2025-01-01T00:00:00Z", before_run=False)
    assert ", before these settings were first tried" in registration_words(early)
    assert "but not before these settings were first tried" in registration_words(late)
