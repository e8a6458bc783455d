"""The frozen values of the domain from their JSON, by their own type hints; `domain.plain` is the way out.

A member of a union is told by its `type`. Everything read here was written by Triaxis, so that what does not fit is
damage, not a user's mistake.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from triaxis.domain.canonical import JsonValue, canonical_json
from triaxis.domain.plain import plain, type_name
from triaxis.quantities import Money

T = TypeVar("T")


def encode(value: object) -> bytes:
    """Canonical JSON (RFC 8785) and a final newline."""
    return canonical_json(plain(value)) + b"\n"


def decode(kind: type[T], value: JsonValue) -> T:
    """The value of that class.

    Raises:
        ValueError: where the JSON is not of that shape.
    """
    try:
        return cast("T", _decode(kind, value))
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"this is not a {type_name(kind)}: {error!r}") from error


def _decode(kind: Any, value: Any) -> object:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _, entry = get_args(kind)
        return {key: _decode(entry, inner) for key, inner in value.items()}
    if origin is Literal or kind is object:
        return value
    return _decode_class(kind, value)


def _decode_class(kind: type, value: Any) -> object:
    if is_dataclass(kind) and kind is not Money:
        hints = _hints(kind)
        return kind(**{name: _decode(hints[name], value[name]) for name in hints if name in value})
    if kind is float:
        return float(value)
    if kind is Decimal:
        return Decimal(value)
    if kind is Money:
        return Money.of(str(value))
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind!r}")
    return value


def _decode_tuple(entries: tuple[Any, ...], value: list[Any]) -> object:
    if entries[-1] is Ellipsis:
        return tuple(_decode(entries[0], inner) for inner in value)
    return tuple(_decode(entry, inner) for entry, inner in zip(entries, value, strict=True))


def _decode_union(members: tuple[Any, ...], value: Any) -> object:
    """By the name under `type` where there is one, else the first member whose JSON looks like this."""
    if isinstance(value, Mapping) and "type" in value:
        named = {type_name(m): m for m in members if is_dataclass(m) and isinstance(m, type)}
        return _decode(named[value["type"]], value)
    for member in members:
        if _looks_like(member, value):
            return _decode(member, value)
    raise TypeError(f"{value!r} is none of {members}")


def _looks_like(member: Any, value: Any) -> bool:
    shape = get_origin(member) or member
    match value:
        case None:
            return shape is types.NoneType
        case bool():
            return shape is bool or (shape is Literal and value in get_args(member))
        case str():
            return shape in (str, Decimal, Money, Literal)
        case int() | float():
            return shape is type(value) or shape is float
        case list():
            return shape is tuple
        case _:
            return is_dataclass(shape) or (isinstance(shape, type) and issubclass(shape, Mapping))


@lru_cache
def _hints(kind: type) -> dict[str, Any]:
    """The types of a dataclass' fields. A JSON value stands for itself, whatever is in it."""
    hints = get_type_hints(kind, localns={"JsonValue": object})
    return {f.name: hints[f.name] for f in fields(kind)}
