"""The types of which every wire model is made, and the reading of a tree into one."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from triaxis.adapters.workspace.explain import explain
from triaxis.adapters.workspace.findings import Place
from triaxis.adapters.workspace.tree import Node, Path
from triaxis.domain.case import Scalar, tag_text


class Wire(BaseModel):
    """A part of a file as it is written: undeclared keys are refused, and nothing is converted."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        model_title_generator=lambda model: model.__name__.removeprefix("Wire"),
    )


class WireFile(Wire):
    """A whole file."""

    schema_version: Literal[1] = 1
    """Version of the format."""


Text: TypeAlias = Annotated[str, Field(min_length=1, pattern=r"\S")]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
VariantName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(\+[A-Za-z0-9][A-Za-z0-9._-]*)*$")]
"""Joined levers have a plus between their names."""
Positive: TypeAlias = Annotated[float, Field(gt=0)]
NonNegative: TypeAlias = Annotated[float, Field(ge=0)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _tag_values(value: object) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, (str, bool, int, float)) for item in items):
        raise PydanticCustomError("where_value", "should be a value or a list of values")
    return tuple(tag_text(cast("Scalar", item)) for item in items)


_SCALAR_SCHEMA = {"type": ["string", "number", "boolean"]}
TagValues: TypeAlias = Annotated[
    tuple[str, ...],
    BeforeValidator(_tag_values),
    WithJsonSchema({"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1}]}),
]
WireWhere: TypeAlias = dict[Text, TagValues]

W = TypeVar("W", bound=Wire)


def read(model: type[W], place: Place, node: Node, path: Path = (), *, inherited: Node | None = None) -> W | None:
    """The node as that model; None after adding a fault for everything that does not fit.

    A fault in an entry that was taken over from `inherited` is not told again: it has been told there.
    """
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            loc = _existing(node, detail["loc"], missing=detail["type"] == "missing")
            taken = node.at(loc)
            if inherited is None or taken is None or taken is not inherited.at(loc):
                problem, advice = explain(detail, loc, model)
                line = node.line_of(loc)
                place.findings.add(place.file, problem, advice, line=line, path=_field(path, loc))
        return None


def _field(path: Path, loc: Path) -> str:
    return ".".join(map(str, (*path, *loc)))


def _existing(node: Node, loc: Path, *, missing: bool) -> Path:
    """The location without the names of types, which pydantic puts between keys where a value may be of several."""
    path: list[str | int] = []
    for i, key in enumerate(loc):
        if node.at((*path, key)) is not None or (missing and i == len(loc) - 1):
            path.append(key)
    return tuple(path)
