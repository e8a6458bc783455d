"""Lines of batch result files, as OpenAI, Anthropic and Google write them: whose outcome it is, and what it says.

An answer leaves here in OpenAI's chat completion shape, as every stored answer has it:

    OpenAI      {custom_id, response: {status_code, body}, error}; xAI, Mistral, Azure and vLLM write the same
    Anthropic   {custom_id, result: {type: succeeded | errored | canceled | expired, message | error}}
    Google      {custom_id or key, response: {candidates, usageMetadata}, status or error}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from triaxis.domain.canonical import JsonValue, json_text, read_json
from triaxis.domain.rows import Reply
from triaxis.rules.calls.reply import parse_reply, reply_of

ANSWERED = int(HTTPStatus.OK)
UNSENT = frozenset({"batch_expired", "batch_cancelled", "expired", "canceled", "cancelled"})
"""Codes of rows that the provider never got to, which it does not bill."""
_STOPS: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
}
"""Anthropic's and Google's words for why an answer ended, in OpenAI's."""
_ANTHROPIC_STATUS: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}
_JSON_TOOL = "json_tool_call"
"""What LiteLLM calls the tool by which it asks models for JSON that have no other way; its input is the answer."""
_SERVER = int(HTTPStatus.INTERNAL_SERVER_ERROR)
_ERRORS, _NO_STATUS = 400, 600

_Fields = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """The outcome of one row."""

    custom_id: str
    status: int
    """The HTTP status that the row had, or would have had: 200 is an answer."""
    body: str
    """JSON: a chat completion for an answer, else an error of any shape."""
    code: str = ""
    """The provider's word for what went wrong."""
    busy_core_s: float | None = None
    """CPU-seconds of a self-hosted server, where a gateway of ours reports them."""
    sends: int = 1
    """How often a gateway of ours sent it, since what it was sending when it was killed may have been answered."""
    fields: _Fields | None = field(default=None, repr=False, compare=False)
    """The body's own, where it came as an object and not as text: no text need be parsed to know what it says."""

    @property
    def unsent(self) -> bool:
        """Whether the provider says that it never got to the row."""
        return self.code in UNSENT

    def reply(self) -> Reply:
        """What an answer says.

        Raises:
            ValueError: where the body is not a chat completion with a message; the text never quotes the body.
        """
        return parse_reply(self.body) if self.fields is None else reply_of(self.fields)


def read_line(line: bytes | str) -> BatchLine:
    """The outcome in one line.

    Raises:
        ValueError: where it is no JSON, names no row, or has no outcome; the text never quotes the line.
    """
    try:
        fields = _mapping(read_json(line))
    except ValueError:
        raise ValueError("the line is not JSON") from None
    return read_fields(fields)


def read_fields(fields: _Fields) -> BatchLine:
    """The outcome in a line that is parsed already.

    Raises:
        ValueError: where it names no row, or has no outcome; the text never quotes the line.
    """
    custom_id = _first_text(fields.get("custom_id"), fields.get("key"))
    if custom_id is None:
        raise ValueError("the line names no row")
    result, response = _mapping(fields.get("result")), _mapping(fields.get("response"))
    if result:
        return _anthropic(custom_id, result)
    if "candidates" in response or "usageMetadata" in response:
        return _google(custom_id, response)
    if isinstance(status := response.get("status_code"), int):
        return _openai(custom_id, status, response.get("body"), fields)
    return _failed(custom_id, fields)


def _openai(custom_id: str, status: int, body: JsonValue, fields: _Fields) -> BatchLine:
    busy = _mapping(fields.get("triaxis")).get("busy_core_s")
    return BatchLine(
        custom_id=custom_id,
        status=status,
        body=body if isinstance(body, str) else json_text(body),
        code="" if status == ANSWERED else _code(body) or _code(fields.get("error")),
        busy_core_s=busy if isinstance(busy, float) else None,
        sends=_sends(fields),
        fields=body if isinstance(body, dict) else None,
    )


def _sends(fields: _Fields) -> int:
    """How often a gateway of ours says that it sent the row, answered or not."""
    sends = _mapping(fields.get("triaxis")).get("sends")
    return sends if isinstance(sends, int) and sends > 0 else 1


def _failed(custom_id: str, fields: _Fields) -> BatchLine:
    """A line without a response: all that there is, is an error or a status."""
    said = fields.get("error") or fields.get("status")
    if not said:
        raise ValueError("the line has no outcome")
    return BatchLine(
        custom_id=custom_id,
        status=_status(_mapping(said).get("status_code"), _code(said)),
        body=json_text({"error": said}),
        code=_code(said),
        sends=_sends(fields),
    )


def _status(said: JsonValue, code: str) -> int:
    """The status that an error without a response stands for; LiteLLM writes xAI's as its code."""
    if not isinstance(said, int) and code.isascii() and code.isdigit():
        said = int(code[:4])
    return said if isinstance(said, int) and _ERRORS <= said < _NO_STATUS else _SERVER


def _anthropic(custom_id: str, result: _Fields) -> BatchLine:
    kind = result.get("type")
    if kind == "succeeded":
        return _answered(custom_id, _from_anthropic(_mapping(result.get("message"))))
    error = _mapping(result.get("error"))
    inner = _mapping(error.get("error")) or error
    code = _first_text(inner.get("type")) or _first_text(kind) or ""
    said: JsonValue = {"error": {"type": code, "code": code, "message": inner.get("message")}}
    status = _ANTHROPIC_STATUS.get(code, _SERVER)
    return BatchLine(custom_id=custom_id, status=status, body=json_text(said), code=code)


def _from_anthropic(message: _Fields) -> dict[str, JsonValue]:
    blocks = message.get("content")
    parts = [_mapping(part) for part in blocks] if isinstance(blocks, list) else []
    usage = _mapping(message.get("usage"))
    read, written = _count(usage.get("cache_read_input_tokens")), _count(usage.get("cache_creation_input_tokens"))
    fresh = _count(usage.get("input_tokens"))
    asked = next((part.get("input") for part in parts if part.get("name") == _JSON_TOOL), None)
    finish = message.get("stop_reason")
    return {
        "id": message.get("id"),
        "model": message.get("model"),
        "text": _joined(parts) if asked is None else json_text(asked),
        "finish": "end_turn" if asked is not None and finish == "tool_use" else finish,
        "prompt_tokens": None if fresh is None else fresh + (read or 0) + (written or 0),
        "completion_tokens": usage.get("output_tokens"),
        "prompt_tokens_details": {"cached_tokens": read, "cache_creation_tokens": written},
        "completion_tokens_details": {},
    }


def _google(custom_id: str, response: _Fields) -> BatchLine:
    candidates = response.get("candidates")
    first = _mapping(candidates[0] if isinstance(candidates, list) and candidates else None)
    parts = _mapping(first.get("content")).get("parts")
    texts = [_mapping(part) for part in parts] if isinstance(parts, list) else []
    usage = _mapping(response.get("usageMetadata"))
    seen, thought = _count(usage.get("candidatesTokenCount")), _count(usage.get("thoughtsTokenCount"))
    blocked = _mapping(response.get("promptFeedback")).get("blockReason")
    said: dict[str, JsonValue] = {
        "id": response.get("responseId"),
        "model": response.get("modelVersion"),
        "text": "".join(
            text for part in texts if not part.get("thought") and isinstance(text := part.get("text"), str)
        ),
        "finish": "SAFETY" if blocked else first.get("finishReason"),
        "prompt_tokens": usage.get("promptTokenCount"),
        "completion_tokens": seen if thought is None else (seen or 0) + thought,
        "prompt_tokens_details": {"cached_tokens": usage.get("cachedContentTokenCount")},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    return _answered(custom_id, said)


def _joined(parts: Iterable[_Fields]) -> str:
    return "".join(text for part in parts if isinstance(text := part.get("text"), str))


def _answered(custom_id: str, said: _Fields) -> BatchLine:
    """A chat completion in OpenAI's shape, without what the provider did not report."""
    usage = {name: said[name] for name in ("prompt_tokens", "completion_tokens")}
    details = {
        name: {kind: count for kind, count in _mapping(said[name]).items() if count is not None}
        for name in ("prompt_tokens_details", "completion_tokens_details")
    }
    choice: JsonValue = {
        "index": 0,
        "message": {"role": "assistant", "content": said["text"]},
        "finish_reason": finish_word(said["finish"]),
    }
    head = {"id": said["id"], "object": "chat.completion", "model": said["model"]}
    body: dict[str, JsonValue] = {**head, "choices": [choice], "usage": {**usage, **details}}
    return BatchLine(custom_id=custom_id, status=ANSWERED, body=json_text(body), fields=body)


def finish_word(finish: JsonValue) -> str | None:
    """Why an answer ended, in OpenAI's word for it; None where nobody says."""
    return _STOPS.get(finish, finish.lower()) if isinstance(finish, str) else None


def _code(error: JsonValue) -> str:
    """The code in an error of the usual shapes; Google's is a number, with a word beside it under `status`."""
    fields = _mapping(error)
    inner = _mapping(fields.get("error")) or fields
    return _first_text(inner.get("code"), inner.get("type"), inner.get("status"), error) or ""


def _first_text(*values: JsonValue) -> str | None:
    return next((value for value in values if isinstance(value, str) and value), None)


def _count(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _mapping(value: JsonValue) -> _Fields:
    """The object that a parsed value is; an empty one where it is none."""
    return value if isinstance(value, dict) else {}
