"""Pages out of templates: escaped, every name given, without stray blanks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def rendered(template: str, context: Mapping[str, object]) -> str:
    """Return a template filled in, as one HTML document."""
    page = _environment().get_template(template).render(context)
    return "\n".join(line.rstrip() for line in page.split("\n")).strip() + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hedgeflow.evidence.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
