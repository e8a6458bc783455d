"""Lines of three providers' batch result files, each as the provider documents or was recorded to write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from triaxis.domain.canonical import JsonValue
from triaxis.quantities import Tokens
from triaxis.rules.batches.lines import BatchLine, finish_word, read_fields, read_line
from triaxis.rules.calls.reply import parse_reply


def line(**fields: Any) -> BatchLine:
    """A line of these fields, for the row `r`."""
    return read_line(json.dumps({"custom_id": "r", **fields}))


def openai(status: int = 200, body: object = None, **fields: Any) -> BatchLine:
    return line(id="batch_req_1", response={"status_code": status, "request_id": "q", "body": body}, **fields)


def anthropic(**result: Any) -> BatchLine:
    return line(result=result)


def message(**changes: Any) -> dict[str, Any]:
    said = {
        "id": "msg_1",
        "model": "claude",
        "content": [{"type": "text", "text": "Ra"}, {"type": "text", "text": "men"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 11,
            "cache_creation_input_tokens": 5,
            "cache_read_input_tokens": 7,
            "output_tokens": 3,
        },
    }
    return {**said, **changes}


def google(**changes: Any) -> BatchLine:
    said = {
        "candidates": [{"content": {"parts": [{"text": "Ra"}, {"text": "men"}]}, "finishReason": "STOP"}],
        "modelVersion": "gemini",
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4},
    }
    return line(status="", response={**said, **changes})


def test_an_openai_answer_keeps_its_body_as_received() -> None:
    body = {"choices": [{"message": {"content": "é"}}], "usage": {"prompt_tokens": 1}, "x": [1.5, None]}
    found = openai(body=body, error=None)
    assert (found.custom_id, found.status, found.code, found.unsent) == ("r", 200, "", False)
    assert json.loads(found.body) == body
    assert openai(body='{"as": "text"}').body == '{"as": "text"}'


def test_what_a_gateway_of_ours_says_is_read() -> None:
    found = openai(body={}, triaxis={"busy_core_s": 0.5, "sends": 2})
    assert (found.busy_core_s, found.sends) == (0.5, 2)
    odd = openai(body={}, triaxis={"busy_core_s": "a lot", "sends": 0})
    assert (odd.busy_core_s, odd.sends) == (None, 1)


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        ({"error": {"code": "invalid_value", "type": "invalid_request_error"}}, None, "invalid_value"),
        ({"error": {"code": None, "type": "invalid_request_error"}}, None, "invalid_request_error"),
        ({"code": "bare"}, None, "bare"),
        (None, {"code": "outside"}, "outside"),
        ({}, None, ""),
    ],
)
def test_a_request_that_openai_refused_has_its_code(body: JsonValue, error: JsonValue, code: str) -> None:
    found = openai(400, body, error=error)
    assert (found.status, found.code, found.unsent) == (400, code, False)


@pytest.mark.parametrize("code", ["batch_expired", "batch_cancelled"])
def test_a_row_that_openai_never_got_to_says_so(code: str) -> None:
    found = line(response=None, error={"code": code, "message": "This request could not be executed."})
    assert (found.status, found.code, found.unsent) == (500, code, True)
    assert json.loads(found.body)["error"]["code"] == code


def test_an_error_may_carry_a_status() -> None:
    assert line(error={"status_code": 429, "code": "slow"}).status == 429
    assert line(error={"status_code": 200, "code": "odd"}).status == 500


def test_anthropics_answer_becomes_a_chat_completion() -> None:
    """Its input tokens are without cached ones; 11 fresh, 7 read and 5 written make 23 of the prompt."""
    found = anthropic(type="succeeded", message=message())
    reply = parse_reply(found.body)
    assert (found.status, reply.text, reply.finish_reason, reply.model) == (200, "Ramen", "stop", "claude")
    assert json.loads(found.body)["usage"]["prompt_tokens"] == 23
    assert reply.usage == Tokens(input=11, cached=7, cache_write=5, output=3)


def test_what_anthropic_does_not_report_stays_unknown() -> None:
    found = anthropic(type="succeeded", message=message(content=None, stop_reason=None, usage=None))
    reply = parse_reply(found.body)
    assert (reply.text, reply.finish_reason, reply.usage) == ("", None, Tokens())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, 400),
        ({"type": "authentication_error"}, 401),
        ({"type": "permission_error"}, 403),
        ({"type": "not_found_error"}, 404),
        ({"type": "request_too_large"}, 413),
        ({"type": "rate_limit_error"}, 429),
        ({"type": "overloaded_error"}, 529),
        ({"type": "api_error"}, 500),
    ],
)
def test_anthropics_errors_have_the_status_of_their_type(error: Mapping[str, Any], status: int) -> None:
    found = anthropic(type="errored", error=error)
    inner = error.get("error", error)
    assert (found.status, found.code, found.unsent) == (status, inner["type"], False)
    assert json.loads(found.body)["error"]["type"] == inner["type"]


@pytest.mark.parametrize("kind", ["expired", "canceled"])
def test_a_row_that_anthropic_never_got_to_says_so(kind: str) -> None:
    found = anthropic(type=kind)
    assert (found.status, found.code, found.unsent) == (500, kind, True)


def test_a_result_without_a_type_is_an_error_of_no_name() -> None:
    found = anthropic(odd=True)
    assert (found.status, found.code) == (500, "")


def test_googles_answer_becomes_a_chat_completion() -> None:
    reply = parse_reply(google().body)
    assert (reply.text, reply.finish_reason, reply.model) == ("Ramen", "stop", "gemini")
    assert reply.usage == Tokens(input=9, output=4)


def test_googles_thoughts_are_reasoning_and_no_text() -> None:
    """5 thoughts beside 4 said make 9 completion tokens, of which 5 are hidden."""
    parts: list[dict[str, Any]] = [{"text": "hm", "thought": True}, {"text": "Ramen"}, {"inlineData": {}}]
    usage = {
        "promptTokenCount": 9,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 2,
    }
    found = google(candidates=[{"content": {"parts": parts}, "finishReason": "MAX_TOKENS"}], usageMetadata=usage)
    reply = parse_reply(found.body)
    assert (reply.text, reply.finish_reason) == ("Ramen", "length")
    assert reply.usage == Tokens(input=7, cached=2, output=4, reasoning=5)
    assert parse_reply(google(usageMetadata={"thoughtsTokenCount": 5}).body).usage.reasoning == 5


@pytest.mark.parametrize("candidates", [None, [], [{"content": {"role": "model"}}]])
def test_a_blocked_prompt_has_no_answer_and_says_why(candidates: JsonValue) -> None:
    reply = parse_reply(google(candidates=candidates, promptFeedback={"blockReason": "SAFETY"}).body)
    assert (reply.text, reply.finish_reason) == ("", "content_filter")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no"}}, "INVALID_ARGUMENT"),
        ({"error": {"code": 3, "message": "no"}}, ""),
        ({"status": "Deadline exceeded", "response": {}}, "Deadline exceeded"),
    ],
)
def test_googles_errors_have_a_word_beside_their_number(fields: Mapping[str, Any], code: str) -> None:
    found = read_line(json.dumps({"key": "r", **fields}))
    assert (found.custom_id, found.status, found.code) == ("r", 500, code)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "names no row"),
        ("{}", "names no row"),
        ('{"custom_id": 7, "response": {"status_code": 200}}', "names no row"),
        ('{"custom_id": "", "key": ""}', "names no row"),
        ('{"custom_id": "r"}', "has no outcome"),
        ('{"custom_id": "r", "response": "yes", "error": null, "status": ""}', "has no outcome"),
    ],
)
def test_a_line_that_says_nothing_is_told_of_without_being_quoted(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_line(text)


def test_a_parsed_line_reads_as_its_text_does() -> None:
    fields = {"custom_id": "r", "result": {"type": "succeeded", "message": message()}}
    assert read_fields(fields) == read_line(json.dumps(fields).encode())


def test_counts_that_are_none_are_not_counted() -> None:
    usage = {"input_tokens": True, "output_tokens": "3"}
    assert parse_reply(anthropic(type="succeeded", message=message(usage=usage)).body).usage == Tokens()


@pytest.mark.parametrize(
    ("said", "word"),
    [("max_tokens", "length"), ("STOP", "stop"), ("Odd", "odd"), ("stop", "stop"), (None, None), (3, None)],
)
def test_why_an_answer_ended_is_said_in_one_way(said: JsonValue, word: str | None) -> None:
    assert finish_word(said) == word
