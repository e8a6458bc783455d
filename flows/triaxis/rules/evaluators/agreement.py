"""The evaluators that compare an answer with what is expected of the case.

Each function makes the scorer of one evaluator of the rubric's table, with its patterns and expected texts prepared.
They are called for cases that have an `expected` only, and for answers that exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias, assert_never

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.rows import Abstained, Outcome, Reply, Scored
from triaxis.domain.rubric import Contains, Exact, Label, Numeric, Recall, TokenF1
from triaxis.rules.evaluators.text import (
    Number,
    label_finder,
    last_number,
    number_of,
    parse_json,
    squad_tokens,
    texts_of,
    token_f1,
)

Scorer: TypeAlias = Callable[[Case, Reply], Outcome]
"""Scores an answer that exists."""
Normal: TypeAlias = Callable[[str], str]
"""Brings a text into the dimension's normal form."""
Compares: TypeAlias = Exact | Contains | TokenF1 | Recall | Numeric | Label

_REMEMBERED = 4096


def comparing(evaluator: Compares, normal: Normal) -> Scorer:
    """The scorer of an evaluator that compares."""
    match evaluator:
        case Exact():
            return _exact(normal)
        case Contains():
            return _contains(normal, any if evaluator.need == "any" else all)
        case TokenF1():
            return _token_f1(normal)
        case Recall():
            return _recall(normal)
        case Numeric():
            return _numeric(evaluator)
        case Label():
            return _label(evaluator, normal)
        case _:
            assert_never(evaluator)


def _exact(normal: Normal) -> Scorer:
    prepared = _prepared(normal)

    def score(case: Case, reply: Reply) -> Outcome:
        if isinstance(case.expected, Mapping):
            return Scored(float(_equals_object(reply.text, case.expected)))
        return Scored(float(normal(reply.text) in prepared(case.expected)))

    return score


def _equals_object(answer: str, expected: JsonValue) -> bool:
    try:
        return parse_json(answer) == expected
    except ValueError:
        return False


def _found(normal: Normal) -> Callable[[Case, Reply], tuple[bool, ...] | Abstained]:
    """Which expected texts occur in the answer, as part of it; a text that normalises to nothing occurs everywhere."""
    prepared = _prepared(normal)

    def found(case: Case, reply: Reply) -> tuple[bool, ...] | Abstained:
        wanted, answer = prepared(case.expected), normal(reply.text)
        if not all(wanted):
            return Abstained("an expected text is empty after normalisation, and would occur in every answer")
        return tuple(text in answer for text in wanted)

    return found


def _contains(normal: Normal, enough: Callable[[tuple[bool, ...]], bool]) -> Scorer:
    found = _found(normal)

    def score(case: Case, reply: Reply) -> Outcome:
        hits = found(case, reply)
        return hits if isinstance(hits, Abstained) else Scored(float(enough(hits)))

    return score


def _recall(normal: Normal) -> Scorer:
    found = _found(normal)

    def score(case: Case, reply: Reply) -> Outcome:
        hits = found(case, reply)
        return hits if isinstance(hits, Abstained) else Scored(sum(hits) / len(hits))

    return score


def _token_f1(normal: Normal) -> Scorer:
    prepared = _prepared(normal)
    tokens = lru_cache(maxsize=_REMEMBERED)(squad_tokens)

    def score(case: Case, reply: Reply) -> Outcome:
        answer = squad_tokens(normal(reply.text))
        return Scored(max(token_f1(answer, tokens(text)) for text in prepared(case.expected)))

    return score


def _numeric(evaluator: Numeric) -> Scorer:
    def score(case: Case, reply: Reply) -> Outcome:
        expected = number_of(case.expected)
        if expected is None:
            return Abstained("expected holds no number")
        given = last_number(reply.text)
        if given is None:
            return Scored(0.0, "no number in the answer")
        return Scored(float(any(_near(g, e, evaluator) for g, e in _readings(given, expected))))

    return score


def _readings(given: Number, expected: Number) -> tuple[tuple[Decimal, Decimal], ...]:
    """The pairs to compare: where only one side has a percent sign, 12% reads as 12 and as 0.12."""
    as_written = (given.value, expected.value)
    if given.percent == expected.percent:
        return (as_written,)
    as_share = (given.value / 100, expected.value) if given.percent else (given.value, expected.value / 100)
    return as_written, as_share


def _near(given: Decimal, expected: Decimal, evaluator: Numeric) -> bool:
    """Equal, or within either tolerance; the relative one is of the expected number."""
    if given == expected:
        return True
    distance = abs(given - expected)
    absolute = evaluator.tolerance is not None and distance <= Decimal(str(evaluator.tolerance))
    relative = evaluator.relative is not None and distance <= Decimal(str(evaluator.relative)) * abs(expected)
    return absolute or relative


def _label(evaluator: Label, normal: Normal) -> Scorer:
    prepared, labels_in = _prepared(normal), label_finder(evaluator.labels, normal)
    known = frozenset(map(normal, evaluator.labels))

    def score(case: Case, reply: Reply) -> Outcome:
        expected = prepared(case.expected)
        if not known.issuperset(expected):
            return Abstained("expected is not among the labels")
        found = labels_in(normal(reply.text))
        if len(found) != 1:
            return Scored(0.0, "several labels in the answer" if found else "no label in the answer")
        return Scored(float(found.issubset(expected)))

    return score


def _prepared(normal: Normal) -> Callable[[JsonValue], tuple[str, ...]]:
    """The normalised expected texts; remembered, because every variant and sample asks for the same ones."""

    @lru_cache(maxsize=_REMEMBERED)
    def prepared(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(normal, texts))

    return lambda expected: prepared(texts_of(expected))
