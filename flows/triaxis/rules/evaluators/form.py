"""The evaluators that look at the answer alone, and the workspace's own, which look at what they like.

Each function makes the scorer of one evaluator of the rubric's table. They are called for answers that exist.
"""

from __future__ import annotations

import copy
import math
import numbers
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.rows import Abstained, Outcome, Reply, Scored
from triaxis.domain.rubric import Finished, JsonSchema, Length, PythonFunction, Regex
from triaxis.rules.evaluators.agreement import Normal, Scorer
from triaxis.rules.evaluators.caught import Caught
from triaxis.rules.evaluators.text import parse_json
from triaxis.rules.route import without_truth

Inspects: TypeAlias = Regex | JsonSchema | Length | Finished | PythonFunction

_REASON_CHARS = 300

Fits: TypeAlias = Callable[[JsonValue, JsonValue], str | None]
"""Why a value does not fit a JSON Schema (schema first); None where it does."""
CallPython: TypeAlias = Callable[[PythonFunction, Mapping[str, JsonValue], str], float | bool | None]
"""Calls a workspace's own evaluator with a case and an answer; its exceptions come through as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What some evaluators need from outside the rules."""

    fits: Fits
    python: CallPython


def inspecting(evaluator: Inspects, normal: Normal, outside: Outside) -> Scorer:
    """The scorer of an evaluator that looks at the answer alone."""
    match evaluator:
        case Regex():
            return _regex(re.compile(evaluator.pattern), normal)
        case JsonSchema():
            return _json_schema(evaluator, outside.fits)
        case Length():
            return _length(evaluator, normal)
        case Finished():
            return _finished
        case PythonFunction():
            return _python(evaluator, outside.python)
        case _:
            assert_never(evaluator)


def _regex(pattern: re.Pattern[str], normal: Normal) -> Scorer:
    return lambda _, reply: Scored(float(pattern.search(normal(reply.text)) is not None))


def _json_schema(evaluator: JsonSchema, fits: Fits) -> Scorer:
    def score(_: Case, reply: Reply) -> Outcome:
        try:
            misfit = fits(evaluator.schema, parse_json(reply.text))
        except ValueError:
            return Scored(0.0, "the answer is not JSON")
        return Scored(1.0) if misfit is None else Scored(0.0, misfit)

    return score


def _length(evaluator: Length, normal: Normal) -> Scorer:
    low, high = evaluator.min_chars or 0, math.inf if evaluator.max_chars is None else evaluator.max_chars
    return lambda _, reply: Scored(float(low <= len(normal(reply.text)) <= high))


def _finished(_: Case, reply: Reply) -> Outcome:
    if reply.finish_reason is None:
        return Abstained("the provider gave no finish reason")
    return Scored(float(reply.finish_reason != "length"))


def _python(evaluator: PythonFunction, call: CallPython) -> Scorer:
    def score(case: Case, reply: Reply) -> Outcome:
        row = without_truth(case) if evaluator.blind else {**case.to_json(), "expected": copy.deepcopy(case.expected)}
        with Caught() as caught:
            return _returned(call(evaluator, row, reply.text))
        return Abstained(f"the evaluator {caught.why}"[:_REASON_CHARS])

    return score


def _returned(value: object) -> Outcome:
    """The outcome of what an evaluator returned, which may be anything."""
    if value is None:
        return Abstained("the evaluator abstained")
    if not isinstance(value, numbers.Real):
        return Abstained(f"the evaluator returned a {type(value).__name__}, not a number")
    score = float(value)
    return Scored(score) if 0 <= score <= 1 else Abstained(f"the evaluator returned {score}, outside 0 to 1")
