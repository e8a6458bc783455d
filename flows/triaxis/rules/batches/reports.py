"""What a provider says of a batch, in the shape that OpenAI gave it and others took over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from triaxis.domain.batches import BatchFault, BatchReport
from triaxis.domain.canonical import JsonValue

MOST_FAULTS = 100
"""Faults of a refused file that are kept: they tend to be the same for every line."""
_SAID_CHARS = 300

State: TypeAlias = Literal["pending", "completed", "expired", "cancelled", "rejected"]
_STATES: Mapping[str, State] = {
    "validating": "pending",
    "in_progress": "pending",
    "finalizing": "pending",
    "cancelling": "pending",
    "completed": "completed",
    "expired": "expired",
    "cancelled": "cancelled",
    "failed": "rejected",
}

_Fields: TypeAlias = Mapping[str, JsonValue]


def report_of(batch: _Fields) -> BatchReport:
    """The report in a batch object.

    A batch that `failed` was refused as a whole and is not billed; one that failed and has answers was stopped half
    way, and is. One that is `completed` may name its answers a moment later, and is pending until then.

    Raises:
        ValueError: where it has no id, or a state that nobody knows: waiting on for it could have no end.
    """
    id_, state = batch.get("id"), _STATES.get(str(batch.get("status")))
    if not isinstance(id_, str) or not id_ or state is None:
        raise ValueError("the batch has no id or no known state")
    counts = mapping(batch.get("request_counts"))
    files = tuple(file for name in ("output_file_id", "error_file_id") if isinstance(file := batch.get(name), str))
    completed = count(counts.get("completed"))
    if state == "rejected" and (files or completed):
        state = "cancelled"
    if state == "completed" and completed and not batch.get("output_file_id"):
        state = "pending"
    return BatchReport(
        provider_id=id_,
        state=state,
        total=count(counts.get("total")),
        completed=completed,
        failed=count(counts.get("failed")),
        files=tuple(file for file in files if file),
        faults=_faults(mapping(batch.get("errors")).get("data")),
    )


def _faults(data: JsonValue) -> tuple[BatchFault, ...]:
    entries = [mapping(entry) for entry in data] if isinstance(data, list) else []
    return tuple(
        BatchFault(
            code=str(entry.get("code") or "refused")[:_SAID_CHARS],
            message=str(entry.get("message") or "")[:_SAID_CHARS],
            line=count(entry.get("line")),
        )
        for entry in entries[:MOST_FAULTS]
    )


def count(value: JsonValue) -> int | None:
    """A number of things; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def mapping(value: JsonValue) -> _Fields:
    """The object that a value is; an empty one for any other."""
    return value if isinstance(value, Mapping) else {}
