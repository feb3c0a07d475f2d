"""What the documentation publishes of the package's documents: schemas, and a table of each type.

`PYTHONPATH=tests python -m builders.published` writes both anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hedgeflow.evidence.documents import DOCUMENTS, schema

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGE = REFERENCE / "evidence-package.md"
BEGIN = "<!-- every type of the schemas; written by builders.published -->\n"
END = "<!-- end of the types -->\n"


def schema_text(name: str) -> str:
    """Return a published schema as it is written."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def types_text() -> str:
    """Return every type of all documents as headings and tables, each type once."""
    bodies: dict[str, dict[str, Any]] = {}
    for name in DOCUMENTS:
        document: Any = schema(name)
        bodies |= {document["title"]: document}
        bodies |= {each: part for each, part in document["$defs"].items() if each not in bodies}
    parts = [_type(name, body) for name, body in bodies.items() if "properties" in body]
    return "\n".join(parts)


def _type(name: str, body: dict[str, Any]) -> str:
    rows = "".join(
        f"| `{field}` | {kind(one)} | {one['description']} |\n"
        for field, one in body["properties"].items()
    )
    head = "| field | type | meaning |\n| --- | --- | --- |\n"
    return f"### {name}\n\n{body['description']}\n\n{head}{rows}"


def kind(one: dict[str, Any]) -> str:
    """Return the type of a field in words, linked where the page has a table of it."""
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if _has_table(name) else name
    if "anyOf" in one:
        return " or ".join(kind(each) for each in one["anyOf"])
    if "const" in one:
        return f"`{one['const']}`"
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if one.get("type") == "array":
        return f"list of {kind(one['items'])}"
    if isinstance(one.get("additionalProperties"), dict) and one["additionalProperties"]:
        return f"names to {kind(one['additionalProperties'])}"
    return str(one.get("type", "any"))


def _has_table(name: str) -> bool:
    documents: list[Any] = [schema(document) for document in DOCUMENTS]
    return any("properties" in document["$defs"].get(name, {}) for document in documents)


def page_text(page: str) -> str:
    """Return the page with its types as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{types_text()}\n{END}{after}"


def publish() -> None:
    """Write the schemas and the page's types."""
    for name in DOCUMENTS:
        (REFERENCE / "schemas" / f"{name}.schema.json").write_text(schema_text(name))
    PAGE.write_text(page_text(PAGE.read_text()))


if __name__ == "__main__":
    publish()
