"""Canonical bytes and their hashes: RFC 8785 JSON, so that meaning decides and layout does not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

import rfc8785

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""A JSON value; treated as immutable everywhere."""


def canonical_json(value: JsonValue) -> bytes:
    """RFC 8785 bytes of `value`: sorted keys, shortest numbers, no white space.

    Raises:
        ValueError: for NaN, infinities, and integers beyond 2**53, which JSON readers do not agree on.
    """
    return rfc8785.dumps(cast("dict[str, object]", value))  # pyright: ignore[reportArgumentType]


def sha256_json(value: JsonValue) -> str:
    """Hex sha256 of the canonical bytes."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_rows(rows: Iterable[JsonValue]) -> str:
    """Hex sha256 over the sorted hex hashes of the rows, joined by nothing: row order does not matter, content does."""
    return hashlib.sha256("".join(sorted(map(sha256_json, rows))).encode()).hexdigest()


def without_nulls(value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The mapping without the keys that say nothing: nulls and empty mappings, at the top level only."""
    return {k: v for k, v in value.items() if v is not None and v != {}}
