"""What was laid down before a run, in words: its registration and its hold-out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hedgeflow.evidence.wording import counted

if TYPE_CHECKING:
    from hedgeflow.evidence.manifest import Registration, Vault


def registration_words(registration: Registration | None) -> str:
    """Return whether the hypothesis was written down before it was run, in one sentence."""
    if registration is None:
        return "The hypothesis was not registered beforehand."
    name = f"registered as {registration.id} on {registration.registered}"
    when = "before" if registration.before_run else "but not before"
    return f"The hypothesis was {name}, {when} these settings were first tried on this tape."


def vault_words(vault: Vault) -> tuple[str, ...]:
    """Return what became of a hold-out, and who had seen some of it, in one sentence each."""
    span = f"from {vault.start} {f'to {vault.end}' if vault.end else 'on'}"
    name = f"hold-out {span} (vault {vault.id})"
    often = {1: "once", 2: "twice"}.get(vault.openings, f"{vault.openings} times")
    if vault.opened_here:
        stale = "" if vault.openings == 1 else ": it is no fresh sample"
        said = f"The verdict is on the {name} alone, which was opened {often}{stale}."
    elif vault.openings:
        said = f"The {name} is spent: it was opened {often}, and any run since may have seen it."
    else:
        said = (
            f"The {name} is sealed: nothing stamped at its start or later was seen, nor anything"
            " after it."
        )
    if not vault.seen_before:
        return (said,)
    others = counted(vault.seen_before, "configuration")
    return said, f"Outside of its openings {others} had seen some of it."
