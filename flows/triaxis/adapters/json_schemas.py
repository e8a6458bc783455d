"""JSON Schema through the jsonschema package; references stay within the schema, nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from triaxis.domain.canonical import JsonValue

_MESSAGE_CHARS = 200


class JsonSchemaPackage:
    """Holds values against schemas: draft 2020-12, unless `$schema` names another draft that is known."""

    def __init__(self) -> None:
        self._validators: dict[int, tuple[JsonValue, Validator]] = {}
        """By identity, with the schema itself, so that the identity is not given to another."""

    def misfit(self, schema: JsonValue, value: JsonValue) -> str | None:
        """The first misfit by path and text, whatever the order of the schema's keys; None where the value fits."""
        errors = self._validator(schema).iter_errors(value)
        return min((f"{error.json_path}: {error.message}"[:_MESSAGE_CHARS] for error in errors), default=None)

    def _validator(self, schema: JsonValue) -> Validator:
        if id(schema) not in self._validators:
            self._validators[id(schema)] = (schema, _kind(schema)(_plain(schema), registry=Registry()))
        return self._validators[id(schema)][1]


def schema_fault(schema: JsonValue) -> str | None:
    """What is wrong with a schema itself, for `check`; None where it can be used."""
    if not isinstance(schema, Mapping | bool):
        return "a JSON Schema is an object"
    try:
        _kind(schema).check_schema(_plain(schema))
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"[:_MESSAGE_CHARS]
    resource = Resource[Any].from_contents(_plain(schema), default_specification=DRAFT202012)
    resolver = Registry[Any]().with_resource(resource.id() or "", resource).resolver(resource.id() or "")
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            return f"$ref {reference!r} names nothing within the schema"
    return None


def _kind(schema: JsonValue) -> type[Validator]:
    return validator_for(_plain(schema), default=Draft202012Validator)


def _plain(schema: JsonValue) -> Any:
    """The schema as the package's own types want it."""
    return cast("Any", schema)


def _references(schema: JsonValue) -> Iterator[str]:
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for part in schema:
            yield from _references(part)
