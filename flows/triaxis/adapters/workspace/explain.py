"""What pydantic finds, in words that say what to do."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from triaxis.adapters.workspace.findings import near
from triaxis.adapters.workspace.tree import Path

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}
_BOUND_KEYS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


def explain(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> tuple[str, str]:
    """Problem and advice for one error of a model at a path (type names taken out)."""
    kind = detail["type"]
    context = detail.get("ctx", {})
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return f"unknown key {key!r}", near(key, keys_at(model, path[:-1]))
    if kind == "missing":
        return "is required and missing", f"Add `{key}:`. {_about(model, path)}".strip()
    if kind in _WANTED:
        return _wrong_type(_WANTED[kind], detail["input"], key, _about(model, path))
    if kind == "literal_error":
        return _wrong_word(detail["input"], str(context.get("expected", "")))
    if kind in _BOUNDS:
        bound = f"{_BOUNDS[kind]} {context[_BOUND_KEYS[kind]]:g}"
        return f"{detail['input']!r} is not {bound}", f"Give a number {bound}."
    return _other(kind, detail, model, path)


def _other(kind: str, detail: ErrorDetails, model: type[BaseModel], path: Path) -> tuple[str, str]:
    context = detail.get("ctx", {})
    wanted = context.get("max_length", context.get("min_length", 1))
    if kind in {"too_long", "too_short"} and wanted > 1:
        problem = f"holds {context['actual_length']} entries"
        return problem, f"Give {wanted} of them. {_about(model, path)}".strip()
    if kind in {"string_too_short", "too_short"}:
        return "is empty", f"Give it a value. {_about(model, path)}".strip()
    if kind == "string_pattern_mismatch":
        pattern = str(detail.get("ctx", {}).get("pattern"))
        return f"{str(detail['input'])[:60]!r} has a form that is not allowed", _form(pattern)
    if kind == "where_value":
        return "holds no value to compare with", "Give a text, number or boolean, or a list of them with at least one."
    message = detail["msg"]
    return message[0].lower() + message[1:], f"Correct the value. {_about(model, path)}".strip()


def _form(pattern: str) -> str:
    if pattern == r"\S":
        return "Give a text that is not blank."
    if "[0-9a-f]{64}" in pattern:
        return "Give a sha256 as 64 hexadecimal digits in lower case."
    if pattern.startswith("^[0-9]{4}-[0-9]{2}-[0-9]{2}"):
        return "Write a day that exists, as YYYY-MM-DD."
    return "Use letters, digits, `.`, `_` and `-`, beginning with a letter or digit."


def _wrong_type(wanted: str, got: object, key: str, about: str) -> tuple[str, str]:
    problem = f"should be {wanted}, not {shown(got)}"
    if wanted == "text" and isinstance(got, (bool, int, float)):
        text = str(got).lower() if isinstance(got, bool) else str(got)
        return problem, f'Put it in quotes if that is meant: {key}: "{text}".'
    if wanted == "true or false" and isinstance(got, str):
        return problem, f"Write `{key}: true` or `{key}: false`, without quotes."
    if wanted.endswith("number") and isinstance(got, str):
        return problem, f"Write {wanted} without quotes and without a unit."
    return problem, f"Write {wanted}. {about}".strip()


def _wrong_word(got: object, expected: str) -> tuple[str, str]:
    words = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    if isinstance(got, str):
        return f"{got[:60]!r} is not known here", near(got, words)
    return f"{shown(got)} is not known here", f"It has: {', '.join(words)}."


def shown(value: object) -> str:
    """A value as a fault names it: what kind it is, and its text where that is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"


def _about(model: type[BaseModel], path: Path) -> str:
    """The first sentence of the field's description, where it has one."""
    parent = _model_at(model, path[:-1])
    info = parent.model_fields.get(str(path[-1])) if parent and path else None
    text = (info.description or "") if info else ""
    return " ".join(text.split()).split(". ")[0].rstrip(".") + "." if text else ""


def keys_at(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """The keys that the model allows at a path."""
    found = _model_at(model, path)
    return tuple(info.alias or name for name, info in found.model_fields.items()) if found else ()


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    here: Any = model
    for key in path:
        owner = _model_of(here)
        if owner is not None:
            info = owner.model_fields.get(str(key))
            here = info.annotation if info else None
        else:
            here = _element(here)
    return _model_of(here)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is, or may be."""
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        found = (_model_of(part) for part in get_args(annotation))
        return next((m for m in found if m is not None), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _element(annotation: Any) -> Any:
    """The type of a collection's elements."""
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        found = (_element(part) for part in get_args(annotation))
        return next((e for e in found if e is not None), None)
    return get_args(annotation)[-1] if get_origin(annotation) in (list, dict, tuple) else None


def row_faults(model: type[BaseModel], row: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Field, problem and advice for everything in a flat row that does not fit the model."""
    try:
        model.model_validate(row)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return [(".".join(map(str, d["loc"])), *explain(d, d["loc"], model)) for d in details]
    return []
