"""Great Expectations as the judge of ground truth: what it finds, whom it names, and what it keeps to itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

import pytest

from triaxis.adapters.truth import expectation_types
from triaxis.adapters.truth.great_expectations_suite import BUILT_IN, GreatExpectations
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Expectation, Validation
from triaxis.ports.workspace import Validator
from triaxis.rules.truth.ground_truth import column_names

SOUND = tuple(
    Case(
        id=f"c{i}",
        input=f"question {i}",
        expected=("yes", "no")[i % 2],
        slice={"kind": ("p", "q")[i % 2], "hard": i > 2},
    )
    for i in range(6)
)


def validate(cases: Sequence[Case], *expectations: JsonValue, prompts: dict[str, str] | None = None) -> Validation:
    validator: Validator = GreatExpectations()
    suite: JsonValue = {"name": "mine", "expectations": list(expectations)} if expectations else None
    return validator.validate(cases, suite, prompts or {})


def own(validation: Validation) -> Sequence[Expectation]:
    return validation.expectations[len(BUILT_IN) :]


def expect(kind: str, **kwargs: JsonValue) -> JsonValue:
    return {"type": f"expect_{kind}", "kwargs": kwargs}


def test_sound_cases_without_a_suite(capsys: pytest.CaptureFixture[str]) -> None:
    """The built-in suite runs anyway, and nothing is printed."""
    validation = validate(SOUND)
    assert validation.success
    assert (validation.cases, validation.quarantined) == (6, ())
    assert len(validation.expectations) == len(BUILT_IN)
    assert capsys.readouterr() == ("", "")


def test_the_built_in_suite() -> None:
    cases = [
        *SOUND,
        Case(id="blank", input=" \n"),
        Case(id="twin", input="question 0", expected="yes"),
        Case(id="rival", input="question 1", expected="yes"),
        Case(id="c2", input="another", expected="yes"),
        Case(id="huge", input="x" * 400_001, expected="y" * 100_001),
    ]
    validation = validate(cases)
    assert {q.id: q.reasons for q in validation.quarantined} == {
        "blank": ("input: the input is not empty",),
        "twin": ("duplicate_of: no earlier case has the same input and context",),
        "rival": (
            "duplicate_of: no earlier case has the same input and context",
            "conflicts_with: no case has the same input and context, and another expected",
        ),
        "c1": ("conflicts_with: no case has the same input and context, and another expected",),
        "c2": ("id: no two cases share an id",),
        "huge": (
            "input_length: the input has at most 400,000 characters",
            "expected_length: expected has at most 100,000 characters",
        ),
    }
    assert not validation.success


def test_rows_are_named_and_tables_are_not() -> None:
    """An expectation of rows names the cases that break it; one of the table says what it observed."""
    validation = validate(
        SOUND,
        expect("column_values_to_be_in_set", column="slice.kind", value_set=["p"]),
        expect("column_values_to_be_in_set", column="slice.hard", value_set=[False]),
        expect("column_min_to_be_between", column="slice_size.kind", min_value=10),
        expect("table_row_count_to_be_between", max_value=3),
        expect("column_values_to_be_in_set", column="answer_leak", value_set=[False]),
    )
    kinds, hard, sizes, rows, leaks = own(validation)
    assert kinds.failing_ids == ("c1", "c3", "c5")
    assert kinds.detail == 'values to be in set: value_set ["p"]'
    assert hard.failing_ids == ("c3", "c4", "c5")
    assert (sizes.success, sizes.failing_ids) == (False, ())
    assert sizes.detail == "min to be between: min_value 10; observed 3"
    assert (rows.column, rows.detail) == (None, "table row count to be between: max_value 3; observed 6")
    assert leaks.success
    assert [q.id for q in validation.quarantined] == ["c1", "c3", "c4", "c5"]


def test_a_tolerated_share_keeps_its_rows() -> None:
    validation = validate(SOUND, expect("column_values_to_be_in_set", column="slice.kind", value_set=["p"], mostly=0.5))
    assert validation.success
    assert validation.quarantined == ()


def test_the_workspace_can_loosen_what_is_built_in() -> None:
    cases = [*SOUND, Case(id="twin", input="question 0", expected="yes")]
    loosened = validate(cases, expect("column_values_to_be_null", column="duplicate_of", mostly=0.5))
    assert loosened.success
    assert len(loosened.expectations) == len(BUILT_IN)


def test_what_cannot_be_evaluated_fails_and_says_why() -> None:
    (found,) = own(validate(SOUND, expect("column_mean_to_be_between", column="input", max_value=3)))
    assert (found.success, found.failing_ids) == (False, ())
    assert "could not be evaluated" in found.detail


def test_few_shot_leaks() -> None:
    (found,) = own(
        validate(
            SOUND,
            {
                **_mapping(expect("column_values_to_be_in_set", column="in_few_shot", value_set=[False])),
                "description": "no case is an example",
            },
            prompts={"p.md": "--- user\nQuestion 3?"},
        )
    )
    assert found.failing_ids == ("c3",)
    assert found.detail == "no case is an example"


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(value, dict)
    return value


def _classes(package: Any) -> list[type]:
    names = cast("dict[str, object]", vars(package))
    return [value for value in names.values() if isinstance(value, type)]


def test_the_table_of_types_is_the_packages() -> None:
    """Every expectation that `check` lets through exists, with those arguments and no other required ones."""
    validate(SOUND)
    package: Any = sys.modules["great_expectations.expectations"]
    kinds: dict[str, Any] = {getattr(kind, "expectation_type", ""): kind for kind in _classes(package)}
    for name, words in expectation_types.KWARGS.items():
        fields: dict[str, Any] = kinds[name].__fields__
        ours = words.split()
        assert {word.rstrip("?") for word in ours} <= set(fields), name
        required = {word for word in ours if not word.endswith("?")}
        assert {key for key, field in fields.items() if field.required} <= required, name


def test_every_column_can_be_named() -> None:
    every = [expect("column_to_exist", column=column) for column in column_names(SOUND)]
    assert validate(SOUND, *every).success
