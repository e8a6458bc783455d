r"""Files and batches as the gateway keeps them, and in OpenAI's shapes.

validating -> in_progress -> finalizing -> completed
    \-> failed      \            \-> expired
                     \-> cancelling -> cancelled
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from triaxis.domain.canonical import JsonValue

Status: TypeAlias = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]
Purpose: TypeAlias = Literal["batch", "batch_output"]
Endpoint: TypeAlias = Literal["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"]
"""What the rows of a batch may ask for."""

ENDED: frozenset[Status] = frozenset({"failed", "completed", "expired", "cancelled"})
WINDOW = re.compile(r"([1-9]\d{0,6})([smh])")
"""How long a batch may take: `24h`, `90m`, `30s`."""

_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_MOVES: tuple[Status, ...] = (
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "expired",
    "cancelling",
    "cancelled",
)
_NS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """What is known of one file."""

    id: str
    filename: str
    """As whoever uploaded it named it; it is shown, and never a path here."""
    purpose: Purpose
    bytes: int
    created_ns: int
    """Wall clock, nanoseconds since the epoch; no two are the same, so that it orders lists."""
    expires_at: int | None = None
    """Wall clock in seconds, when the file goes by itself; None keeps it until it is deleted."""

    def to_openai(self) -> dict[str, JsonValue]:
        """OpenAI's `file` object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.bytes,
            "created_at": self.created_ns // _NS,
            "expires_at": self.expires_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """Something wrong with an input file, which keeps its batch from being run."""

    code: str
    message: str
    line: int | None = None
    """1-based; None where it is about the whole file."""
    param: str | None = None

    def to_openai(self) -> dict[str, JsonValue]:
        """An entry of `errors.data`."""
        return {"code": self.code, "message": self.message, "line": self.line, "param": self.param}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of a batch. Those that it never got to are neither completed nor failed."""

    total: int = 0
    completed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is known of one batch."""

    id: str
    input_file_id: str
    endpoint: Endpoint
    completion_window: str
    metadata: Mapping[str, str] | None
    created_ns: int
    output_expires_s: int | None = None
    """Seconds after which its output files go by themselves."""
    status: Status = "validating"
    moved_at: Mapping[str, int] = field(default_factory=dict[str, int])
    """Wall clock in seconds of each status it has had, by status."""
    model: str | None = None
    """The model of its rows, where they all name the same."""
    counts: Counts = Counts()
    faults: tuple[LineFault, ...] = ()
    output_file_id: str | None = None
    error_file_id: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED

    @property
    def expires_ns(self) -> int:
        """Wall clock: no row is sent from then on."""
        return self.created_ns + window_s(self.completion_window) * _NS

    def moved(self, status: Status, now_ns: int) -> Batch:
        """The batch in its next status."""
        return replace(self, status=status, moved_at={**self.moved_at, status: now_ns // _NS})

    def to_openai(self) -> dict[str, JsonValue]:
        """OpenAI's `batch` object."""
        faults: JsonValue = {"object": "list", "data": [fault.to_openai() for fault in self.faults]}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.model,
            "errors": faults if self.faults else None,
            "input_file_id": self.input_file_id,
            "completion_window": self.completion_window,
            "status": self.status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": self.created_ns // _NS,
            "expires_at": self.expires_ns // _NS,
            **{f"{status}_at": self.moved_at.get(status) for status in _MOVES},
            "request_counts": {
                "total": self.counts.total,
                "completed": self.counts.completed,
                "failed": self.counts.failed,
            },
            "metadata": self.metadata,
        }


def window_s(text: str) -> int:
    """Seconds in a completion window.

    Raises:
        ValueError: for a text that is none.
    """
    found = WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _SECONDS[found[2]]
