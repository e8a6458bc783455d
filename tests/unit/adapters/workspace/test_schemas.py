# pyright: reportUnknownMemberType=false
# (jsonschema's stubs leave validators' methods partly unknown)

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import jsonschema
import pytest
import yaml
from build_workspace import DEFAULTS

from triaxis.adapters.workspace.schemas import NAMES, schema
from triaxis.adapters.workspace_init import write_workspace_files
from triaxis.domain.canonical import JsonValue


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(dict(schema(name)))


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(dict(schema(name)))
    assert schema(name)["title"] == f"Triaxis {name}"


@pytest.mark.parametrize("name", ["evaluation", "rubric", "slo", "prices"])
def test_valid_files_fit_their_schema(tmp_path: Path, name: str) -> None:
    write_workspace_files(tmp_path)
    mine = next(tmp_path.rglob(f"{name}.yaml")).read_text()
    for text in (DEFAULTS[name], mine):
        assert [error.message for error in validator(name).iter_errors(_plain(text))] == []


def _plain(text: str) -> JsonValue:
    """The file as a reader of YAML 1.2 has it: dates are text."""
    return cast("JsonValue", json.loads(json.dumps(yaml.safe_load(text), default=str)))


@pytest.mark.parametrize("name", ["cases", "human"])
def test_valid_lines_fit_their_schema(name: str) -> None:
    for line in DEFAULTS[name].splitlines():
        assert validator("case" if name == "cases" else name).is_valid(json.loads(line))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("evaluation", "{variants: {}}"),
        ("evaluation", DEFAULTS["evaluation"] + "more: 1\n"),
        ("evaluation", DEFAULTS["evaluation"].replace("max_tokens: 600", "max_tokens: 0")),
        ("rubric", DEFAULTS["rubric"].replace("evaluator: exact", "evaluator: exakt")),
        ("rubric", DEFAULTS["rubric"].replace("kind: policy", "kind: {}")),
        ("slo", DEFAULTS["slo"].replace("min: 0.5", "min: 5")),
        ("prices", DEFAULTS["prices"].replace("1.0e-5", "-1")),
    ],
)
def test_faulty_files_do_not_fit(name: str, text: str) -> None:
    assert not validator(name).is_valid(_plain(text))


def described(node: JsonValue) -> Iterator[tuple[str, bool]]:
    """Every property of a schema, and whether it says what it means, itself or by what it refers to."""
    if isinstance(node, Mapping):
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            yield from (
                (key, isinstance(p, Mapping) and p.keys() & {"description", "$ref"} != set())
                for key, p in properties.items()
            )
        for part in node.values():
            yield from described(part)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_described(name: str) -> None:
    """An editor shows the description of a key under the cursor."""
    assert [key for key, has in described(schema(name)) if not has] == []
