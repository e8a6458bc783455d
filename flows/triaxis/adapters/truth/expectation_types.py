"""What may stand in expectations.json, known without the seconds it takes to import Great Expectations.

The file is a suite in Great Expectations' own format. A test holds the table below to the installed package.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from triaxis.domain.canonical import JsonValue

_RANGE = "min_value? max_value? strict_min? strict_max?"
_AGGREGATE = "column row_condition? condition_parser?"
_MAP = f"{_AGGREGATE} mostly?"
_PAIR = "column_A column_B mostly? row_condition? condition_parser? ignore_row_if?"
_MULTI = "column_list mostly? row_condition? condition_parser? ignore_row_if?"

KWARGS = {
    "expect_column_distinct_values_to_be_in_set": f"{_AGGREGATE} value_set",
    "expect_column_distinct_values_to_contain_set": f"{_AGGREGATE} value_set",
    "expect_column_distinct_values_to_equal_set": f"{_AGGREGATE} value_set",
    "expect_column_max_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_mean_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_median_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_min_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_most_common_value_to_be_in_set": f"{_AGGREGATE} value_set ties_okay?",
    "expect_column_pair_values_a_to_be_greater_than_b": f"{_PAIR} or_equal?",
    "expect_column_pair_values_to_be_equal": _PAIR,
    "expect_column_pair_values_to_be_in_set": f"{_PAIR} value_pairs_set",
    "expect_column_proportion_of_non_null_values_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_proportion_of_unique_values_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_quantile_values_to_be_between": f"{_AGGREGATE} quantile_ranges allow_relative_error?",
    "expect_column_stdev_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_sum_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_to_exist": "column column_index?",
    "expect_column_unique_value_count_to_be_between": f"{_AGGREGATE} {_RANGE}",
    "expect_column_value_lengths_to_be_between": f"{_MAP} {_RANGE}",
    "expect_column_value_lengths_to_equal": f"{_MAP} value",
    "expect_column_value_z_scores_to_be_less_than": f"{_MAP} threshold double_sided",
    "expect_column_values_to_be_between": f"{_MAP} {_RANGE}",
    "expect_column_values_to_be_in_set": f"{_MAP} value_set",
    "expect_column_values_to_be_null": _MAP,
    "expect_column_values_to_be_unique": _MAP,
    "expect_column_values_to_match_regex": f"{_MAP} regex",
    "expect_column_values_to_match_regex_list": f"{_MAP} regex_list match_on?",
    "expect_column_values_to_match_strftime_format": f"{_MAP} strftime_format",
    "expect_column_values_to_not_be_in_set": f"{_MAP} value_set",
    "expect_column_values_to_not_be_null": _MAP,
    "expect_column_values_to_not_match_regex": f"{_MAP} regex",
    "expect_column_values_to_not_match_regex_list": f"{_MAP} regex_list",
    "expect_compound_columns_to_be_unique": _MULTI,
    "expect_multicolumn_sum_to_equal": f"{_MULTI} sum_total",
    "expect_select_column_values_to_be_unique_within_record": _MULTI,
    "expect_table_column_count_to_be_between": "min_value? max_value?",
    "expect_table_column_count_to_equal": "value",
    "expect_table_columns_to_match_set": "column_set? exact_match?",
    "expect_table_row_count_to_be_between": f"{_RANGE} row_condition? condition_parser?",
    "expect_table_row_count_to_equal": "value row_condition? condition_parser?",
}
"""Arguments by expectation; `?` marks those that may be left out. Those for SQL, and those that pandas lacks, are not
in it."""

_SUITE_KEYS = ("name", "expectations", "id", "meta", "notes")
_ENTRY_KEYS = ("type", "kwargs", "id", "meta", "notes", "description", "severity")
_ONE_COLUMN = ("column", "column_A", "column_B")


class SuiteFault(NamedTuple):
    """One thing wrong with a suite: the path of the entry, the problem, the advice."""

    path: tuple[str | int, ...]
    problem: str
    advice: str


def suite_faults(suite: JsonValue, columns: Collection[str]) -> list[SuiteFault]:
    """Everything wrong with a suite over a table of these columns (`rules.ground_truth.column_names`)."""
    if not isinstance(suite, Mapping):
        return [SuiteFault((), "is not a suite", 'Write {"name": ..., "expectations": [...]}.')]
    faults = [SuiteFault((key,), f"unknown key {key!r}", _near(key, _SUITE_KEYS)) for key in suite.keys() - _SUITE_KEYS]
    entries = suite.get("expectations")
    if not isinstance(entries, list | tuple):
        return [*faults, SuiteFault(("expectations",), "is not a list", 'Write "expectations": [{"type": ...}].')]
    for index, entry in enumerate(entries):
        faults += (fault._replace(path=("expectations", index, *fault.path)) for fault in _entry(entry, columns))
    return faults


def _entry(entry: JsonValue, columns: Collection[str]) -> Iterator[SuiteFault]:
    if not isinstance(entry, Mapping):
        yield SuiteFault((), "is not an expectation", 'Write {"type": ..., "kwargs": {...}}.')
        return
    for key in sorted(entry.keys() - _ENTRY_KEYS):
        yield SuiteFault((key,), f"unknown key {key!r}", _near(key, _ENTRY_KEYS))
    if entry.get("severity", "critical") != "critical":
        yield SuiteFault(("severity",), "is not `critical`", "Every expectation decides here; loosen it with `mostly`.")
    kind, kwargs = entry.get("type"), entry.get("kwargs", {})
    if not isinstance(kind, str) or kind not in KWARGS:
        yield SuiteFault(("type",), f"no expectation {kind!r}", _near(str(kind), KWARGS))
    elif not isinstance(kwargs, Mapping):
        yield SuiteFault(("kwargs",), "is not a mapping", 'Write "kwargs": {"column": ...}.')
    else:
        for fault in (*_names(kind, kwargs), *_values(kwargs, columns)):
            yield fault._replace(path=("kwargs", *fault.path))


def _names(kind: str, kwargs: Mapping[str, JsonValue]) -> Iterator[SuiteFault]:
    """Arguments that the expectation has not, or lacks."""
    words = KWARGS[kind].split()
    for name in sorted(kwargs.keys() - {word.rstrip("?") for word in words}):
        yield SuiteFault((name,), f"{kind} has no argument {name!r}", _near(name, [w.rstrip("?") for w in words]))
    for name in words:
        if not name.endswith("?") and name not in kwargs:
            yield SuiteFault((name,), "is required and missing", f"{kind} needs {name!r}.")


def _values(kwargs: Mapping[str, JsonValue], columns: Collection[str]) -> Iterator[SuiteFault]:
    """Arguments whose values cannot be."""
    for name, value in kwargs.items():
        if name in _ONE_COLUMN:
            yield from _column((name,), value, columns)
        elif name == "column_list" and isinstance(value, list | tuple):
            for index, column in enumerate(value):
                yield from _column((name, index), column, columns)
        elif (wanted := _misfit(name, value)) is not None:
            yield SuiteFault((name,), f"{value!r} is not {wanted}", f"Give {wanted}.")


def _column(path: tuple[str | int, ...], column: JsonValue, columns: Collection[str]) -> Iterator[SuiteFault]:
    if not isinstance(column, str) or column not in columns:
        yield SuiteFault(path, f"the cases have no column {column!r}", _near(str(column), columns))


def _misfit(name: str, value: JsonValue) -> str | None:
    """What the argument should have been; None where it may be what it is."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    match name:
        case "mostly":
            return None if number is not None and 0 <= number <= 1 else "a number from 0 to 1"
        case "min_value" | "max_value" | "value" | "threshold" | "sum_total":
            return None if number is not None or value is None else "a number"
        case "value_set" | "regex_list" | "column_list" | "value_pairs_set" | "column_set":
            return None if isinstance(value, Sequence) and not isinstance(value, str) else "a list"
        case "strict_min" | "strict_max" | "or_equal" | "ties_okay" | "exact_match" | "double_sided":
            return None if isinstance(value, bool) else "true or false"
        case "regex":
            return None if isinstance(value, str) and _compiles(value) else "a regular expression"
        case _:
            return None


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _near(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(sorted(known))}."
