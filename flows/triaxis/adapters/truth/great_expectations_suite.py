"""Great Expectations judges ground truth: a built-in suite, and the workspace's own beside it.

It takes seconds to import, so it is imported where it is used, and its caller does not ask twice about the same cases.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from triaxis.domain.canonical import JsonValue, canonical_json
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Expectation, Quarantined, Validation
from triaxis.rules.truth.ground_truth import Table, table

if TYPE_CHECKING:
    import pandas as pd

MOST_INPUT_CHARS = 400_000
"""About the longest context that models take; a longer input is a file pasted by mistake."""
MOST_EXPECTED_CHARS = 100_000

_Entry = Mapping[str, JsonValue]


def _expect(kind: str, description: str, **kwargs: JsonValue) -> _Entry:
    return {"type": kind, "kwargs": kwargs, "description": description}


BUILT_IN: tuple[_Entry, ...] = (
    _expect("expect_column_values_to_not_be_null", "every case has an id", column="id"),
    _expect("expect_column_values_to_be_unique", "no two cases share an id", column="id"),
    _expect("expect_column_values_to_match_regex", "the input is not empty", column="input", regex=r"\S"),
    _expect(
        "expect_column_values_to_be_between",
        f"the input has at most {MOST_INPUT_CHARS:,} characters",
        column="input_length",
        max_value=MOST_INPUT_CHARS,
    ),
    _expect(
        "expect_column_values_to_be_between",
        f"expected has at most {MOST_EXPECTED_CHARS:,} characters",
        column="expected_length",
        max_value=MOST_EXPECTED_CHARS,
    ),
    _expect(
        "expect_column_values_to_be_null",
        "no earlier case has the same input and context",
        column="duplicate_of",
    ),
    _expect(
        "expect_column_values_to_be_null",
        "no case has the same input and context, and another expected",
        column="conflicts_with",
    ),
)
"""Runs on every dataset. An expectation of the workspace with the same type and column takes the place of one here, so
that `mostly` can loosen it."""


class GreatExpectations:
    """Runs suites over the table of `rules.ground_truth`, in a context that lives and dies with the call."""

    def validate(self, cases: Sequence[Case], suite: JsonValue, prompts: Mapping[str, str]) -> Validation:
        """Every expectation with the ids of the cases that break it; those cases are the quarantined ones.

        An expectation about the whole table names no case, and neither does one that could not be evaluated.
        """
        entries = _entries(suite)
        with _quiet():
            results = _run(entries, table(cases, prompts))
        outcomes = tuple(_outcome(entry, results[index], len(cases)) for index, entry in enumerate(entries))
        return Validation(expectations=outcomes, quarantined=_quarantined(outcomes), cases=len(cases))


def _entries(suite: JsonValue) -> Sequence[_Entry]:
    own = cast("Sequence[_Entry]", suite.get("expectations", ()) if isinstance(suite, Mapping) else ())
    replaced = {_subject(entry) for entry in own}
    return (*(entry for entry in BUILT_IN if _subject(entry) not in replaced), *own)


def _subject(entry: _Entry) -> tuple[str, JsonValue]:
    """What an expectation is about: its type and column."""
    return str(entry["type"]), _kwargs(entry).get("column")


def _kwargs(entry: _Entry) -> Mapping[str, JsonValue]:
    return cast("Mapping[str, JsonValue]", entry.get("kwargs", {}))


def _run(entries: Sequence[_Entry], columns: Table) -> Mapping[int, Mapping[str, Any]]:
    """The result of every entry by its place: the package answers in an order of its own."""
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    gx = cast("Any", great_expectations)  # its types are partly unknown
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("cases").add_dataframe_asset("cases")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": _frame(columns)})
    suite = gx.ExpectationSuite(
        name="cases",
        expectations=[
            {"type": entry["type"], "kwargs": dict(_kwargs(entry)), "meta": {"place": place}}
            for place, entry in enumerate(entries)
        ],
    )
    result_format = {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]}
    report = batch.validate(suite, result_format=result_format).to_json_dict()
    return {result["expectation_config"]["meta"]["place"]: result for result in report["results"]}


def _frame(columns: Table) -> pd.DataFrame:
    """The table as pandas has it: text columns as objects, so that null is None and a tag keeps its type."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(list(cells), dtype=_dtype(cells)) for name, cells in columns.items()})


def _dtype(cells: Sequence[object]) -> str:
    kinds = {type(cell) for cell in cells if cell is not None}
    return "Int64" if kinds == {int} else "Float64" if kinds and kinds <= {int, float} else "object"


def _outcome(entry: _Entry, result: Mapping[str, Any], checked: int) -> Expectation:
    success = bool(result["success"])
    found = cast("Mapping[str, Any]", result["result"])
    rows = cast("Sequence[Mapping[str, str]]", () if success else found.get("unexpected_index_list") or ())
    detail = _words(entry)
    if not success and not rows:
        detail += _observed(result, found)
    column = _kwargs(entry).get("column")
    return Expectation(
        name=str(entry["type"]),
        column=column if isinstance(column, str) else None,
        success=success,
        failing_ids=tuple(sorted({row["id"] for row in rows})),
        checked=checked,
        detail=detail,
    )


def _words(entry: _Entry) -> str:
    """The author's description, or the type and its arguments as they read."""
    if isinstance(description := entry.get("description"), str):
        return description
    kwargs = {name: value for name, value in _kwargs(entry).items() if name != "column"}
    words = str(entry["type"]).removeprefix("expect_").removeprefix("column_").replace("_", " ")
    said = ", ".join(f"{name} {canonical_json(value).decode()}" for name, value in sorted(kwargs.items()))
    return f"{words}: {said}" if said else words


def _observed(result: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What was found instead, or why nothing could be found."""
    if found.get("observed_value") is not None:
        return f"; observed {json.dumps(found['observed_value'], sort_keys=True)}"
    raised = cast("Mapping[str, Any]", result["exception_info"])
    reports = [raised] if "exception_message" in raised else [*raised.values()]
    messages = sorted({str(report["exception_message"]) for report in reports if report["exception_message"]})
    return f"; could not be evaluated: {messages[0]}" if messages else ""


def _quarantined(outcomes: Sequence[Expectation]) -> tuple[Quarantined, ...]:
    reasons = defaultdict[str, list[str]](list)
    for outcome in outcomes:
        for case_id in outcome.failing_ids:
            place = f"{outcome.column}: " if outcome.column else ""
            reasons[case_id].append(f"{place}{outcome.detail}")
    return tuple(Quarantined(id=case_id, reasons=tuple(why)) for case_id, why in sorted(reasons.items()))


@contextmanager
def _quiet() -> Generator[None]:
    """No analytics, warnings or log lines of the package while it runs: what it finds is in its results."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
