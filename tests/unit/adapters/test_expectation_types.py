"""Suites are checked without Great Expectations, against what it has."""

from __future__ import annotations

import json

import pytest

from triaxis.adapters.truth.expectation_types import SuiteFault, suite_faults
from triaxis.domain.canonical import JsonValue

COLUMNS = ("id", "input", "slice.kind", "slice_size.kind")


def faults(*expectations: JsonValue) -> list[tuple[str, str, str]]:
    found = suite_faults({"name": "mine", "expectations": list(expectations)}, COLUMNS)
    return [(".".join(map(str, fault.path[1:])), fault.problem, fault.advice) for fault in found]


def test_a_sound_suite() -> None:
    suite: JsonValue = {
        "name": "mine",
        "meta": {},
        "expectations": [
            {
                "type": "expect_column_values_to_be_in_set",
                "kwargs": {"column": "slice.kind", "value_set": ["a"], "mostly": 0.9},
                "severity": "critical",
                "description": "the kinds we know",
            },
            {"type": "expect_column_min_to_be_between", "kwargs": {"column": "slice_size.kind", "min_value": 20}},
            {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["id", "input"]}},
            {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1, "strict_min": True}},
            {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "input", "regex": "^.+$"}},
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "id", "max_value": None}},
        ],
    }
    assert suite_faults(suite, COLUMNS) == []


@pytest.mark.parametrize(
    ("suite", "fault"),
    [
        ([], SuiteFault((), "is not a suite", 'Write {"name": ..., "expectations": [...]}.')),
        ({"name": "x"}, SuiteFault(("expectations",), "is not a list", 'Write "expectations": [{"type": ...}].')),
        (
            {"expectation": [], "expectations": []},
            SuiteFault(("expectation",), "unknown key 'expectation'", "Did you mean 'expectations'?"),
        ),
    ],
)
def test_what_is_no_suite(suite: JsonValue, fault: SuiteFault) -> None:
    assert suite_faults(suite, COLUMNS) == [fault]


@pytest.mark.parametrize(
    ("expectation", "fault"),
    [
        ("x", ("0", "is not an expectation", 'Write {"type": ..., "kwargs": {...}}.')),
        (
            {"type": "expect_column_value_to_be_unique", "kwargs": {"column": "id"}},
            (
                "0.type",
                "no expectation 'expect_column_value_to_be_unique'",
                "Did you mean 'expect_column_values_to_be_unique'?",
            ),
        ),
        (
            {"type": "expect_column_values_to_be_unique", "kwargs": ["id"]},
            ("0.kwargs", "is not a mapping", 'Write "kwargs": {"column": ...}.'),
        ),
        (
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id", "mostli": 1}},
            (
                "0.kwargs.mostli",
                "expect_column_values_to_be_unique has no argument 'mostli'",
                "Did you mean 'mostly'?",
            ),
        ),
        (
            {"type": "expect_column_values_to_be_unique"},
            ("0.kwargs.column", "is required and missing", "expect_column_values_to_be_unique needs 'column'."),
        ),
        (
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "slice.knd"}},
            ("0.kwargs.column", "the cases have no column 'slice.knd'", "Did you mean 'slice.kind'?"),
        ),
        (
            {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["id", 3]}},
            (
                "0.kwargs.column_list.1",
                "the cases have no column 3",
                "There are: id, input, slice.kind, slice_size.kind.",
            ),
        ),
        (
            {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": "id"}},
            ("0.kwargs.column_list", "'id' is not a list", "Give a list."),
        ),
        (
            {"type": "expect_column_values_to_be_null", "kwargs": {"column": "id", "mostly": 95}},
            ("0.kwargs.mostly", "95 is not a number from 0 to 1", "Give a number from 0 to 1."),
        ),
        (
            {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": "3"}},
            ("0.kwargs.min_value", "'3' is not a number", "Give a number."),
        ),
        (
            {"type": "expect_table_row_count_to_be_between", "kwargs": {"strict_min": 1}},
            ("0.kwargs.strict_min", "1 is not true or false", "Give true or false."),
        ),
        (
            {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "input", "regex": "("}},
            ("0.kwargs.regex", "'(' is not a regular expression", "Give a regular expression."),
        ),
        (
            {"type": "expect_column_values_to_be_null", "kwargs": {"column": "id"}, "severity": "info"},
            ("0.severity", "is not `critical`", "Every expectation decides here; loosen it with `mostly`."),
        ),
        (
            {"type": "expect_column_values_to_be_null", "kwargs": {"column": "id"}, "comment": ""},
            ("0.comment", "unknown key 'comment'", "There are: description, id, kwargs, meta, notes, severity, type."),
        ),
    ],
)
def test_what_is_no_expectation(expectation: JsonValue, fault: tuple[str, str, str]) -> None:
    """Each fault has its path, and the nearest name there is."""
    assert faults(expectation) == [fault]


def test_every_fault_at_once() -> None:
    found = faults({"type": "nonsense"}, {"type": "expect_column_values_to_be_null", "kwargs": {"colum": "id"}})
    assert [place for place, _, __ in found] == ["0.type", "1.kwargs.colum", "1.kwargs.column"]
    assert json.dumps(found)
