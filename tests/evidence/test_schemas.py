"""Schemas know every field, say what it means, and refuse what cannot be."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from builders.published import PAGE, REFERENCE, kind, page_text, schema_text
from evidence import samples
from hedgeflow.evidence import assess, companion_documents, package_document
from hedgeflow.evidence.documents import DOCUMENTS, EVIDENCE, schema
from hedgeflow.evidence.schemas import described
from hedgeflow.strategies.volume_shock.claims import DECLARATION

WRITE_ANEW = "PYTHONPATH=tests python -m builders.published"


@pytest.fixture(scope="module")
def documents():
    evidence = assess(
        samples.tables(samples.mixed(40, 30), flow_noise=0.5), DECLARATION, samples.manifest()
    )
    made = package_document(evidence, timestamp="2024-03-01T00:00:00Z", files={})
    return {EVIDENCE: made} | companion_documents(evidence)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_of_every_type_says_what_it_is(name):
    body = schema(name)
    for title, part in {name: body, **body["$defs"]}.items():
        for field, one in part.get("properties", {}).items():
            assert one.get("description"), f"{title}.{field}"


def refused(document, name, path):
    """Return whether the schema refuses the document, and at `path`."""
    errors = list(Draft202012Validator(schema(name)).iter_errors(document))
    return any(list(error.absolute_path) == path for error in errors)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["performance_metrics", "trades"], -1),
        (["performance_metrics", "overall", "win_rate", "value"], 1.2),
        (["performance_metrics", "overall", "win_rate", "n"], -3),
        (["statistical_measures", "p_value", "value"], -0.1),
        (["statistical_measures", "confidence_level"], 95.0),
        (["experimental_validity", "gates", 0, "comparison"], "about"),
        (["experimental_validity", "gates", 0, "status"], "SPLENDID"),
        (["reproducibility", "config_hash"], "md5:1"),
        (["schema_version"], "1.0"),
    ],
)
def test_a_value_that_cannot_be_is_refused(documents, path, value):
    document = json.loads(json.dumps(documents[EVIDENCE]))
    assert not refused(document, EVIDENCE, path)
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert refused(document, EVIDENCE, path)


def test_what_fields_mean_is_read_off_the_docstring():
    words = described(
        "A thing.\n\nAttributes\n----------\nfirst, second : float or None\n    Two of them; None\n"
        "    where ``none`` is.\nthird\n    One more.\n\nNotes\n-----\nfourth\n    Not a field.\n"
    )
    meaning = "Two of them; null where `none` is."
    assert words == {"first": meaning, "second": meaning, "third": "One more."}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_published_schemas_are_the_types_own(name):
    path = REFERENCE / "schemas" / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(name), WRITE_ANEW


def test_the_page_of_the_package_has_every_type():
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_text(page), WRITE_ANEW
    assert "### Judgement" in page


def test_types_are_told_in_words():
    assert kind({"anyOf": [{"type": "number"}, {"type": "null"}]}) == "number or null"
    assert kind({"type": "array", "items": {"type": "string"}}) == "list of string"
    assert kind({"$ref": "#/$defs/Estimate"}) == "[Estimate](#estimate)"
    assert kind({"type": "object", "additionalProperties": {"type": "integer"}}) == (
        "names to integer"
    )


def test_packages_written_before_classes_were_named_and_expiries_known_are_still_read(documents):
    document = json.loads(json.dumps(documents[EVIDENCE]))
    compared = document["hypothesis_validation"]["flow_type_differentiation"]
    assert all(each.pop("classes") for each in compared)
    assert not {"pinning", "strike_probabilities"} & set(document["hypothesis_validation"])
    assert Draft202012Validator(schema(EVIDENCE)).is_valid(document)
