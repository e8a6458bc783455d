"""Lines of Bedrock's batch output files, as lines that `lines.read_line` reads.

    {recordId, modelInput, modelOutput}    what the model's own InvokeModel would have answered
    {recordId, modelInput, error: {errorCode, errorMessage, expired}}

After https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias, cast

from triaxis.domain.canonical import JsonValue
from triaxis.rules.batches.reports import count, mapping

_Fields: TypeAlias = Mapping[str, JsonValue]

_STOPS: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}


def as_result_line(line: bytes) -> bytes:
    """The line in OpenAI's shape, or in Anthropic's where the answer is; one that is not Bedrock's, as it is."""
    try:
        record = mapping(cast("JsonValue", json.loads(line)))
    except (ValueError, RecursionError):
        return line
    custom_id = record.get("recordId")
    if not isinstance(custom_id, str):
        return line
    outcome = _answered(mapping(record.get("modelOutput"))) or _failed(mapping(record.get("error")))
    return json.dumps({"custom_id": custom_id, **outcome}, separators=(",", ":")).encode() + b"\n"


def _answered(output: _Fields) -> _Fields:
    if "choices" in output:
        return _response(200, output)
    if "content" in output:
        return {"result": {"type": "succeeded", "message": output}}
    return _response(200, _from_nova(output)) if "output" in output else {}


def _from_nova(output: _Fields) -> _Fields:
    """The answer of Amazon Nova as a chat completion."""
    parts = mapping(mapping(output["output"]).get("message")).get("content")
    texts = [mapping(part).get("text") for part in parts] if isinstance(parts, list) else []
    stop = str(output.get("stopReason"))
    choice: _Fields = {
        "index": 0,
        "message": {"role": "assistant", "content": "".join(text for text in texts if isinstance(text, str))},
        "finish_reason": _STOPS.get(stop, stop),
    }
    return {"object": "chat.completion", "choices": [choice], "usage": _usage(mapping(output.get("usage")))}


def _usage(usage: _Fields) -> _Fields:
    read, written = count(usage.get("cacheReadInputTokenCount")), count(usage.get("cacheWriteInputTokenCount"))
    fresh = count(usage.get("inputTokens"))
    details = {"cached_tokens": read, "cache_creation_tokens": written}
    return {
        "prompt_tokens": None if fresh is None else fresh + (read or 0) + (written or 0),
        "completion_tokens": count(usage.get("outputTokens")),
        "prompt_tokens_details": {name: value for name, value in details.items() if value is not None},
    }


def _failed(error: _Fields) -> _Fields:
    if error.get("expired") is True:
        return {"response": None, "error": {"code": "expired", "message": error.get("errorMessage")}}
    code = count(error.get("errorCode"))
    said: _Fields = {"error": {"code": str(code or "unknown"), "message": error.get("errorMessage")}}
    return _response(500 if code is None else code, said)


def _response(status: int, body: _Fields) -> _Fields:
    return {"response": {"status_code": status, "body": body}, "error": None}
