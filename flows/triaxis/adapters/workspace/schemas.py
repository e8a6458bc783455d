"""The published JSON Schema of every file that a user writes, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from triaxis.adapters.workspace.case_values import ALIASES
from triaxis.adapters.workspace.wire import Wire
from triaxis.adapters.workspace.wire_case import WireCase, WireHumanLabel, WireResponse
from triaxis.adapters.workspace.wire_evaluation import WireEvaluation
from triaxis.adapters.workspace.wire_prices import WirePrices
from triaxis.adapters.workspace.wire_rubric import WireRubric
from triaxis.adapters.workspace.wire_slo import WireSlo
from triaxis.domain.canonical import JsonValue

_MODELS: Mapping[str, type[Wire]] = {
    "case": WireCase,
    "evaluation": WireEvaluation,
    "human": WireHumanLabel,
    "prices": WirePrices,
    "response": WireResponse,
    "rubric": WireRubric,
    "slo": WireSlo,
}
NAMES = tuple(_MODELS)
"""The formats that have a schema here."""
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str) -> Mapping[str, JsonValue]:
    """The schema of a format of `NAMES`, in draft 2020-12."""
    body = cast("dict[str, JsonValue]", _MODELS[name].model_json_schema())
    if name == "case":
        body = _with_aliases(body)
    return {"$schema": _DRAFT, **body, "title": f"Triaxis {name}"}


def _with_aliases(body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The case's schema with the other names that its keys may have; `input` is required under one of them."""
    own = cast("Mapping[str, JsonValue]", body["properties"])
    others = {alias: own[key] for alias, key in ALIASES.items()}
    asked: list[JsonValue] = [{"required": [key]} for key in ("input", *ALIASES) if ALIASES.get(key, key) == "input"]
    return {**body, "properties": {**own, **others}, "required": ["id"], "oneOf": asked}
