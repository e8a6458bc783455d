"""Lines of OpenAI's batch input files as cases: `{custom_id, method, url, body: {messages, ...}}`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from triaxis.adapters.workspace.case_values import Row, Wrong
from triaxis.adapters.workspace.explain import shown
from triaxis.adapters.workspace.findings import near

_KEYS = frozenset({"custom_id", "method", "url", "body"})


def is_batch_input(row: Row) -> bool:
    """Whether a row is a request of a batch rather than a case."""
    return "custom_id" in row and "body" in row


def case_row(row: Row, wrong: Wrong) -> Row:
    """The case that a request is: its id, and its messages as input; what a variant decides is left out."""
    for key in sorted(row.keys() - _KEYS):
        wrong(key, f"unknown key {key[:60]!r}", near(key, _KEYS))
    body: object = row["body"]
    if not isinstance(body, dict):
        wrong("body", f"should be a mapping, not {shown(body)}", "Give the request as OpenAI's batch API takes it.")
        return {"id": row["custom_id"], "input": ""}
    messages = cast("dict[str, Any]", body).get("messages")
    if messages is None:
        wrong("body.messages", "is required and missing", "Only chat completions are evaluated: give their messages.")
    return {"id": row["custom_id"], "input": "" if messages is None else messages}


def left_out(row: Row) -> Iterable[str]:
    """What a request says besides its messages, such as its model."""
    body: object = row["body"]
    return cast("dict[str, Any]", body).keys() - {"messages"} if isinstance(body, dict) else ()
