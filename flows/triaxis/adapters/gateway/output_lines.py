"""Lines of output and error files, in OpenAI's shape.

A key `triaxis`, which other clients ignore, says what OpenAI's shape has no place for: `sends`, where the row was sent
more than once and so may have been answered more than once, and `busy_core_s`, where the upstream's CPU-seconds are
known.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import NoReturn, TypeAlias, cast

from triaxis.adapters.gateway.upstream import Answer
from triaxis.domain.canonical import JsonValue
from triaxis.errors import CallFailed, Denied, Transient

Line: TypeAlias = dict[str, JsonValue]

LOST = "answer_lost"
NEVER_RUN = {
    "expired": ("batch_expired", "The completion window passed before this request could be sent."),
    "cancelled": ("batch_cancelled", "The batch was cancelled before this request was sent."),
}
"""By the batch's last status."""
_MOST_TEXT = 2_000
"""Characters kept of an error that is no JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowName:
    """Whose line it is."""

    batch_id: str
    row: int
    custom_id: str

    @property
    def digest(self) -> str:
        """The same however often the gateway is started."""
        return hashlib.sha256(f"{self.batch_id}|{self.row}".encode()).hexdigest()[:32]

    def line(self, response: JsonValue, error: JsonValue, *, sends: int = 1, busy_core_s: float | None = None) -> Line:
        """A line of a row that was sent so often."""
        line: Line = {
            "id": f"batch_req_{self.digest}",
            "custom_id": self.custom_id,
            "response": response,
            "error": error,
        }
        ours: Line = {}
        if sends > 1:
            ours["sends"] = sends
        if busy_core_s is not None:
            ours["busy_core_s"] = round(busy_core_s, 6)
        return {**line, "triaxis": ours} if ours else line


def answered(name: RowName, answer: Answer, *, sends: int) -> Line:
    """The line of a row that got a response, of whatever status.

    Raises:
        Transient: `malformed`, where what should be an answer is no JSON object.
    """
    response: Line = {
        "status_code": answer.status,
        "request_id": answer.request_id or f"req_{name.digest}",
        "body": _body(answer),
    }
    return name.line(response, None, sends=sends, busy_core_s=answer.busy_core_s)


def failed(name: RowName, error: CallFailed, *, sends: int) -> Line:
    """The line of a row that got no response."""
    why = error.advice if isinstance(error, Denied) else error.reason.replace("_", " ")
    return name.line(None, {"code": error.reason, "message": f"No answer came from the upstream: {why}."}, sends=sends)


def never_run(name: RowName, status: str, *, sends: int) -> Line:
    """The line of a row without an outcome in a batch that ended with that status.

    One that was sent when the gateway was stopped may have been answered, which a code of its own says.
    """
    if sends:
        message = "The request was sent, and the gateway was stopped before the answer came."
        return name.line(None, {"code": LOST, "message": message}, sends=sends)
    code, message = NEVER_RUN[status]
    return name.line(None, {"code": code, "message": message})


def _body(answer: Answer) -> JsonValue:
    try:
        body: object = json.loads(answer.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return cast("Line", body)
    if answer.answered:
        raise Transient("malformed", status=answer.status)
    said = answer.body[:_MOST_TEXT].decode(errors="replace")
    return {"error": {"message": said, "type": "upstream_error", "code": str(answer.status), "param": None}}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
