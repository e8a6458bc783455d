"""Batch objects as reports."""

from __future__ import annotations

from typing import Any

import pytest

from triaxis.domain.batches import BatchFault, BatchReport
from triaxis.rules.batches.reports import MOST_FAULTS, report_of


def a_batch(**changes: Any) -> dict[str, Any]:
    """A completed batch of three rows, one of which failed."""
    batch = {
        "id": "batch_1",
        "status": "completed",
        "output_file_id": "file-out",
        "error_file_id": "file-err",
        "request_counts": {"total": 3, "completed": 2, "failed": 1},
    }
    return batch | changes


def test_a_completed_batch() -> None:
    assert report_of(a_batch()) == BatchReport(
        provider_id="batch_1", state="completed", total=3, completed=2, failed=1, files=("file-out", "file-err")
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("validating", "pending"),
        ("in_progress", "pending"),
        ("finalizing", "pending"),
        ("cancelling", "pending"),
        ("completed", "completed"),
        ("expired", "expired"),
        ("cancelled", "cancelled"),
    ],
)
def test_states(status: str, state: str) -> None:
    assert report_of(a_batch(status=status)).state == state


def test_what_is_not_said_is_not_zero() -> None:
    report = report_of({"id": "b", "status": "in_progress", "request_counts": {"total": True, "failed": -1}})
    assert (report.total, report.completed, report.failed, report.files) == (None, None, None, ())


def test_a_file_that_was_refused_is_not_billed() -> None:
    errors = {"data": [{"code": "invalid_json_line", "message": "no JSON", "line": 7}, {"message": "x" * 1000}, "?"]}
    report = report_of({"id": "b", "status": "failed", "request_counts": {"completed": 0}, "errors": errors})
    assert report.state == "rejected"
    assert report.faults == (
        BatchFault(code="invalid_json_line", message="no JSON", line=7),
        BatchFault(code="refused", message="x" * 300),
        BatchFault(code="refused", message=""),
    )


@pytest.mark.parametrize("changes", [{"output_file_id": "f"}, {"request_counts": {"completed": 1}}])
def test_a_batch_that_failed_with_answers_was_stopped_and_is_billed(changes: dict[str, Any]) -> None:
    assert report_of({"id": "b", "status": "failed"} | changes).state == "cancelled"


def test_faults_are_bounded() -> None:
    errors = {"data": [{"message": str(n)} for n in range(5000)]}
    assert len(report_of(a_batch(status="failed", errors=errors)).faults) == MOST_FAULTS


@pytest.mark.parametrize("changes", [{"id": None}, {"id": ""}, {"status": "thinking"}, {"status": None}])
def test_what_is_no_batch_is_not_taken_for_one(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no id or no known state"):
        report_of(a_batch(**changes))


def test_a_batch_whose_answers_are_not_there_yet_is_waited_for() -> None:
    assert report_of(a_batch(output_file_id=None)).state == "pending"


def test_a_batch_without_an_answer_is_complete_without_a_file_of_them() -> None:
    report = report_of(a_batch(output_file_id="", request_counts={"completed": 0, "failed": 3}))
    assert (report.state, report.files) == ("completed", ("file-err",))
