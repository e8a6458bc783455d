"""JSON as everybody agrees on it: no NaN, no infinities, no integers past 2**53, no key twice."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from triaxis.adapters.workspace.yaml_lines import MAX_INTEGER

_LONGEST = 32
"""Characters of a number beyond which it is refused unread."""


class NotPlain(ValueError):
    """Well-formed JSON that readers do not agree on; `advice` says what to write instead."""

    def __init__(self, problem: str, advice: str) -> None:
        self.problem, self.advice = problem, advice
        super().__init__(problem)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotPlain(f"the key {twice[:60]!r} is given twice", "Remove one of them.")
    return found


def _constant(text: str) -> NoReturn:
    raise NotPlain(f"{text} is not JSON", "Write null, or a finite number.")


def _int(text: str) -> int:
    if len(text) <= _LONGEST and abs(value := int(text)) <= MAX_INTEGER:
        return value
    raise NotPlain(f"{text[:_LONGEST]} is beyond 2**53, where readers disagree", "Write it as text, in quotes.")


def _float(text: str) -> float:
    value = float(text)
    if math.isfinite(value):
        return value
    raise NotPlain(f"{text[:_LONGEST]} is too large for a number", "Write it as text, in quotes.")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_int, parse_float=_float)


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        NotPlain: where the value, or its nesting, is not plain; the advice says what to write.
        json.JSONDecodeError: where it is not JSON.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise NotPlain("is nested too deeply", "Write it flatter: a case never needs this much structure.") from None
