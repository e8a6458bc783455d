"""Canonical bytes and their hashes: RFC 8785 JSON, so that meaning decides and layout does not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

import orjson
import rfc8785

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""A JSON value; treated as immutable everywhere."""


_BEYOND = 2**53
"""From here on, JSON readers that hold numbers as doubles do not agree on integers."""
_ENCODE = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, sort_keys=True, separators=(",", ":")
).encode


def canonical_json(value: JsonValue) -> bytes:
    """RFC 8785 bytes of `value`: sorted keys, shortest numbers, no white space.

    Raises:
        ValueError: for NaN, infinities, and integers beyond 2**53, which JSON readers do not agree on.
    """
    if _plain(value):
        return _ENCODE(value).encode()
    return rfc8785.dumps(cast("dict[str, object]", value))  # pyright: ignore[reportArgumentType]


def _plain(value: object) -> bool:
    """Whether Python's own encoder writes the very bytes of RFC 8785, in a seventh of the time.

    It escapes texts alike. It differs in how it writes floats and lets large integers pass, and it sorts keys by code
    point where the RFC sorts by UTF-16 unit, which is the same order for ASCII. Whatever is none of the exact types
    that JSON has is left to the RFC's encoder too.
    """
    kind = type(value)
    if kind is dict:
        entries = cast("dict[object, object]", value).items()
        return all(type(k) is str and k.isascii() and (type(v) is str or _plain(v)) for k, v in entries)
    if kind is list or kind is tuple:
        return all(map(_plain, cast("Sequence[object]", value)))
    if kind is int:
        return -_BEYOND < cast("int", value) < _BEYOND
    return kind is str or kind is bool or value is None


def read_json(text: str | bytes) -> JsonValue:
    """The value of a JSON text that somebody else wrote, a million times over.

    Raises:
        ValueError: where it is not JSON; the text never quotes it.
    """
    try:
        return cast("JsonValue", orjson.loads(text))
    except ValueError:
        # Python reads what strict readers do not, such as half of a surrogate pair.
        try:
            return cast("JsonValue", json.loads(text))
        except (ValueError, RecursionError):
            raise ValueError("it is not JSON") from None


def json_text(value: JsonValue) -> str:
    """Compact JSON, in the order in which the value has its keys."""
    return json_bytes(value).decode()


def json_bytes(value: JsonValue) -> bytes:
    """`json_text` in UTF-8."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def plain_json(value: JsonValue) -> str | None:
    """What `json.dumps` writes of a value without floats, compact and with its keys sorted, in a tenth of the time.

    None where orjson cannot write it, or would not escape what Python does: DEL, and all that is beyond ASCII. The two
    write floats differently, too.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return None
    return text if text.isascii() and "\x7f" not in text else None


def sha256_json(value: JsonValue) -> str:
    """Hex sha256 of the canonical bytes."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sha256_rows(rows: Iterable[JsonValue]) -> str:
    """Hex sha256 over the sorted hex hashes of the rows, joined by nothing: row order does not matter, content does."""
    return hashlib.sha256("".join(sorted(map(sha256_json, rows))).encode()).hexdigest()


def without_nulls(value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The mapping without the keys that say nothing: nulls and empty mappings, at the top level only."""
    return {k: v for k, v in value.items() if v is not None and v != {}}
