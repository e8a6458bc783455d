"""Every evaluator of the rubric's table, one line a behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from build_scoring import a_dimension, a_generation, a_reply
from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.rows import Abstained, Failed, Outcome, Scored
from triaxis.domain.rubric import (
    Contains,
    Evaluator,
    Exact,
    Finished,
    JsonSchema,
    Judged,
    Label,
    Length,
    Normalize,
    Numeric,
    PythonFunction,
    Recall,
    Regex,
    Similarity,
    TokenF1,
)
from triaxis.rules.evaluators.form import Outside
from triaxis.rules.evaluators.score import applies, failure, needs_expected, scorer

LABEL = Label(labels=("card lost", "lost", "stolen"))
PYTHON = PythonFunction(file="e.py", function="f", source="")


def fits(schema: JsonValue, value: JsonValue) -> str | None:
    """A schema is the one value that fits it."""
    return None if schema == value else "another value"


def python(evaluator: PythonFunction, case: Mapping[str, JsonValue], answer: str) -> float | bool | None:
    raise AssertionError(evaluator, case, answer)


def score(evaluator: Evaluator, answer: str, expected: JsonValue = None, *, normalize: Normalize = "strip") -> Outcome:
    dimension = a_dimension(evaluator, normalize=normalize)
    case = Case(id="c", input="?", expected=expected)
    return scorer(dimension, Outside(fits=fits, python=python))(case, a_reply(answer))


@pytest.mark.parametrize(
    ("evaluator", "answer", "expected", "value"),
    [
        (Exact(), " yes\n", "yes", 1),
        (Exact(), "Yes", "yes", 0),
        (Exact(), "b", ["a", "b"], 1),
        (Exact(), "12", 12, 1),
        (Exact(), '{"b": 1,  "a": 2}', {"a": 2, "b": 1}, 1),
        (Exact(), '{"a": 3}', {"a": 2}, 0),
        (Exact(), "a: 2", {"a": 2}, 0),
        (Contains(), "the fee is $3 a day", "$3", 1),
        (Contains(), "the fee is $3", ["fee", "day"], 0),
        (Contains(need="any"), "the fee is $3", ["fee", "day"], 1),
        (Contains(need="any"), "nothing", ["fee", "day"], 0),
        (Regex(pattern=r"\bREF-\d{4}\b"), "see REF-1234.", None, 1),
        (Regex(pattern=r"^\d+$"), "a 1", None, 0),
        (TokenF1(), "the cat sat", "cat sat down", 0.8),
        (TokenF1(), "the cat sat", ["nothing", "A cat sat!"], 1),
        (Recall(), "alpha and gamma", ["alpha", "beta", "gamma", "delta"], 0.5),
        (Recall(), "alpha", "alpha", 1),
        (Numeric(), "so it is 1,200.0", 1200, 1),
        (Numeric(), "1200 or 1201", 1200, 0),
        (Numeric(tolerance=0.5), "12.4", "about 12", 1),
        (Numeric(tolerance=0.1), "0.3", 0.2, 1),  # in binary floats 0.3 - 0.2 is below 0.1, and 0.8 - 0.7 above it
        (Numeric(tolerance=0.1), "0.8", 0.7, 1),
        (Numeric(tolerance=0.5), "12.6", 12, 0),
        (Numeric(relative=0.01), "-101", -100, 1),
        (Numeric(relative=0.01), "102", 100, 0),
        (Numeric(), "12%", "12 %", 1),
        (Numeric(), "12%", 0.12, 1),
        (Numeric(), "0.12", "12%", 1),
        (Numeric(), "12", "12%", 1),
        (Numeric(), "0.12%", "12%", 0),
        (JsonSchema(schema={"a": 1}), ' {"a": 1}', None, 1),
        (LABEL, "The card lost.", "card lost", 1),
        (LABEL, "lost", "card lost", 0),
        (LABEL, "lost", ["lost", "stolen"], 1),
        (LABEL, "lost, lost", "lost", 1),
        (Length(max_chars=3), " abc ", None, 1),
        (Length(max_chars=3), "abcd", None, 0),
        (Length(min_chars=3), "ab", None, 0),
        (Length(min_chars=1), "ab", None, 1),
        (Finished(), "anything", None, 1),
    ],
)
def test_scores(evaluator: Evaluator, answer: str, expected: JsonValue, value: float) -> None:
    assert score(evaluator, answer, expected) == Scored(pytest.approx(value))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("evaluator", "answer", "expected", "outcome"),
    [
        (Numeric(), "no idea", 3, Scored(0.0, "no number in the answer")),
        (Numeric(), "3", "three", Abstained("expected holds no number")),
        (LABEL, "lost or stolen", "lost", Scored(0.0, "several labels in the answer")),
        (LABEL, "elsewhere", "lost", Scored(0.0, "no label in the answer")),
        (LABEL, "lost", "found", Abstained("expected is not among the labels")),
        (JsonSchema(schema={}), "[1]", None, Scored(0.0, "another value")),
        (JsonSchema(schema={}), "{", None, Scored(0.0, "the answer is not JSON")),
    ],
)
def test_outcomes_with_a_reason(evaluator: Evaluator, answer: str, expected: JsonValue, outcome: Outcome) -> None:
    assert score(evaluator, answer, expected) == outcome


@pytest.mark.parametrize("evaluator", [Contains(), Recall()])
def test_an_expected_text_of_nothing_proves_nothing(evaluator: Evaluator) -> None:
    """Empty text occurs in every answer, which is not a reason to call the answer right."""
    assert isinstance(score(evaluator, "a", "!", normalize="alnum"), Abstained)


@pytest.mark.parametrize(("normalize", "value"), [("none", 0.0), ("strip", 0.0), ("casefold", 0.0), ("alnum", 1.0)])
def test_normalize_applies_to_both_sides(normalize: Normalize, value: float) -> None:
    assert score(Exact(), " It's-LOST ", "its lost" if normalize == "none" else "IT'S lost", normalize=normalize) == (
        Scored(value)
    )


@given(st.text(), st.text(min_size=1))
def test_what_is_equal_occurs_and_what_occurs_is_recalled(answer: str, expected: str) -> None:
    """The evaluators of text agree with each other in the order of their strictness."""
    exact = score(Exact(), answer, expected, normalize="none")
    contains = score(Contains(), answer, expected, normalize="none")
    recall = score(Recall(), answer, expected, normalize="none")
    assert contains == recall
    assert exact == Scored(0.0) or contains == Scored(1.0)


def test_finished() -> None:
    finished = scorer(a_dimension(Finished()), Outside(fits=fits, python=python))
    case = Case(id="c", input="?")
    assert finished(case, a_reply(finish="length")) == Scored(0.0)
    assert finished(case, a_reply(finish="tool_calls")) == Scored(1.0)
    assert finished(case, a_reply(finish=None)) == Abstained("the provider gave no finish reason")


class Lost(Exception):
    """With a memory address in its text."""


@pytest.mark.parametrize(
    ("returned", "outcome"),
    [
        (0.25, Scored(0.25)),
        (True, Scored(1.0)),
        (Fraction(1, 2), Scored(0.5)),
        (None, Abstained("the evaluator abstained")),
        (1.5, Abstained("the evaluator returned 1.5, outside 0 to 1")),
        (float("nan"), Abstained("the evaluator returned nan, outside 0 to 1")),
        ("1", Abstained("the evaluator returned a str, not a number")),
        (Lost("<object at 0x7f00>"), Abstained("the evaluator raised Lost: <object>")),
        (SystemExit(3), Abstained("the evaluator raised SystemExit: 3")),
    ],
)
def test_python(returned: object, outcome: Outcome) -> None:
    """Whatever an evaluator does, the run goes on and the outcome says what it did, the same every time."""

    def call(_: PythonFunction, case: Mapping[str, JsonValue], answer: str) -> float | bool | None:
        assert (case["id"], answer) == ("c", "hello")
        if isinstance(returned, BaseException):
            raise returned
        return returned  # pyright: ignore[reportReturnType] (another's code may return anything)

    run = scorer(a_dimension(PYTHON), Outside(fits=fits, python=call))
    assert run(Case(id="c", input="?", expected=["a"]), a_reply()) == outcome


def test_an_evaluator_cannot_change_the_case() -> None:
    def call(_: PythonFunction, case: Mapping[str, JsonValue], __: str) -> float:
        assert isinstance(case["expected"], list)
        case["expected"].append("b")
        return 1.0

    case = Case(id="c", input="?", expected=["a"])
    scorer(a_dimension(PYTHON), Outside(fits=fits, python=call))(case, a_reply())
    assert case.expected == ["a"]


def test_an_interrupt_goes_through() -> None:
    def call(*_: object) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scorer(a_dimension(PYTHON), Outside(fits=fits, python=call))(Case(id="c", input="?"), a_reply())


def test_a_judged_dimension_has_no_scorer() -> None:
    with pytest.raises(ValueError, match="scored by a model"):
        scorer(a_dimension(Judged(path="p", template="t")), Outside(fits=fits, python=python))


@pytest.mark.parametrize(
    ("evaluator", "expected", "kind", "in_scope"),
    [
        (Exact(), "a", "policy", True),
        (Exact(), "a", "other", False),
        (Exact(), None, "policy", False),
        (Recall(), [], "policy", False),
        (Exact(), "", "policy", True),
        (Finished(), None, "policy", True),
    ],
)
def test_scope(evaluator: Evaluator, expected: JsonValue, kind: str, in_scope: bool) -> None:
    """A case outside the slice, or without the `expected` that the evaluator compares with, is not judged."""
    case = Case(id="c", input="?", expected=expected, slice={"kind": kind})
    assert applies(a_dimension(evaluator, where={"kind": ("policy",)}), case) == in_scope


def test_which_evaluators_need_expected() -> None:
    needing = {Exact, Contains, TokenF1, Recall, Label, Similarity, Numeric}
    others: tuple[Evaluator, ...] = (
        Regex(pattern=""),
        JsonSchema(schema={}),
        Length(),
        Finished(),
        PYTHON,
        Judged(path="", template=""),
    )
    assert all(needs_expected(e) for e in (Exact(), Numeric(), LABEL, Similarity(model="m")))
    assert not any(needs_expected(e) or type(e) in needing for e in others)


def test_no_answer_is_a_failure() -> None:
    """A call that failed for good, and one that brought nothing, both count 0: the user got no answer."""
    assert failure(a_generation()) is None
    assert failure(a_generation(error="content_filter")) == Failed("content_filter")
    assert failure(a_generation(reply=a_reply("", finish="length"))) == Failed("truncated")


def test_a_text_that_nobody_recorded_is_not_a_wrong_one() -> None:
    given = a_generation(reply=a_reply(""))
    unrecorded = replace(given, row=replace(given.row, outcome="unrecorded"))
    assert failure(unrecorded) == Abstained("its text was not recorded")
