"""Lines of batch input files in OpenAI's shape, which most providers take."""

from __future__ import annotations

import json
from collections.abc import Mapping

from triaxis.domain.canonical import JsonValue, json_bytes

CHAT = "/v1/chat/completions"


def request_line(key: str, body: Mapping[str, JsonValue], url: str = CHAT) -> bytes:
    """One request, newline included."""
    return json_line({"custom_id": key, "method": "POST", "url": url, "body": body})


def json_line(value: Mapping[str, JsonValue]) -> bytes:
    r"""A JSON object as one line.

    In ASCII, since readers differ in what ends a line: U+2028 and U+0085 are letters to JSON, and ends to many.
    """
    line = json_bytes(value)
    return (line if line.isascii() else json.dumps(value, separators=(",", ":")).encode()) + b"\n"
