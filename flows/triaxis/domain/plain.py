"""Domain values as plain JSON, and the names by which the members of a union are told apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import cast, get_args

from triaxis.domain.canonical import JsonValue
from triaxis.domain.router import Cascade, Rule
from triaxis.domain.rubric import Evaluator
from triaxis.domain.slo import Objective
from triaxis.domain.variant import Variant
from triaxis.quantities import Measure, Money

MEMBERS: frozenset[type] = frozenset(
    member for union in (Evaluator, Objective, Variant, Rule, Measure) for member in get_args(union)
) | {Cascade}
"""Classes that stand in a union; their JSON says which one it is, under `type`. A router, which was there before
cascades were, is known by having none."""


def type_name(member: type) -> str:
    """`TokenF1` is `token_f1`: the name of a union's member in files."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", member.__name__).lower()


def plain(value: object) -> JsonValue:
    """The value as JSON: dataclasses as objects of all their fields, tuples as arrays, decimals and money as text.

    Raises:
        TypeError: for anything that has no place in a frozen value.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return Money(value).text()
        case Money():
            return value.text()
        case Mapping():
            entries = cast("Mapping[str, object]", value)
            return {key: plain(entry) for key, entry in entries.items()}
        case tuple() | list():
            return [plain(entry) for entry in cast("Sequence[object]", value)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            named: dict[str, JsonValue] = {f.name: plain(getattr(value, f.name)) for f in fields(value)}
            return {"type": type_name(type(value)), **named} if type(value) in MEMBERS else named
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")
