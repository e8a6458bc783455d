"""JSON Schema: what fits, what does not, and which schemas cannot be used."""

from __future__ import annotations

import pytest

from triaxis.adapters.json_schemas import JsonSchemaPackage, schema_fault
from triaxis.domain.canonical import JsonValue

PERSON: JsonValue = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"$ref": "#/$defs/age"}},
    "required": ["name"],
    "$defs": {"age": {"type": "integer", "minimum": 0}},
}


@pytest.mark.parametrize(
    ("value", "misfit"),
    [
        ({"name": "Ada", "age": 36}, None),
        ({"age": -1}, "$.age: -1 is less than the minimum of 0"),
        ({}, "$: 'name' is a required property"),
        ([], "$: [] is not of type 'object'"),
    ],
)
def test_misfit(value: JsonValue, misfit: str | None) -> None:
    """The first misfit by path, so that the order of a schema's keys does not matter."""
    schemas = JsonSchemaPackage()
    assert schemas.misfit(PERSON, value) == misfit
    assert schemas.misfit(PERSON, value) == misfit


def test_a_known_draft() -> None:
    old: JsonValue = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": True}
    assert JsonSchemaPackage().misfit(old, 3) is not None
    assert schema_fault(old) is None


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (PERSON, None),
        (True, None),
        ({"items": [{"$ref": "#"}]}, "is not of type"),
        ({"anyOf": [{"$ref": "#"}]}, None),
        ("text", "is an object"),
        ({"type": "nonsense"}, "nonsense"),
        ({"$ref": "#/$defs/none"}, "names nothing within the schema"),
        ({"$ref": "https://example.org/schema.json"}, "names nothing within the schema"),
    ],
)
def test_schema_fault(schema: JsonValue, fault: str | None) -> None:
    """A reference leads nowhere outside the schema: nothing is fetched."""
    found = schema_fault(schema)
    assert found is None if fault is None else fault in (found or "")
