"""Bedrock's output lines, as its user guide shows them, read as everybody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from triaxis.quantities import Tokens
from triaxis.rules.batches.bedrock_lines import as_result_line
from triaxis.rules.batches.lines import BatchLine, read_line
from triaxis.rules.calls.reply import parse_reply

KEY = "a" * 64


def a_line(**outcome: Any) -> BatchLine:
    line = as_result_line(json.dumps({"recordId": KEY, "modelInput": {}, **outcome}).encode() + b"\n")
    assert line.endswith(b"\n")
    return read_line(line)


def test_a_model_of_anthropic() -> None:
    message = {
        "type": "message",
        "content": [{"type": "text", "text": "Short."}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 10, "output_tokens": 2},
    }
    line = a_line(modelOutput=message)
    reply = parse_reply(line.body)
    assert (line.custom_id, line.status, reply.text, reply.finish_reason) == (KEY, 200, "Short.", "length")
    assert reply.usage == Tokens(input=10, output=2)


@pytest.mark.parametrize(
    ("stop", "finish"),
    [("end_turn", "stop"), ("max_tokens", "length"), ("guardrail_intervened", "content_filter"), ("new", "new")],
)
def test_a_model_of_amazon(stop: str, finish: str) -> None:
    usage = {"inputTokens": 10, "outputTokens": 2, "totalTokens": 12, "cacheReadInputTokenCount": 5}
    content: list[dict[str, object]] = [{"text": "One"}, {"image": {}}, {"text": " two"}]
    output = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop, "usage": usage}
    reply = parse_reply(a_line(modelOutput=output).body)
    assert (reply.text, reply.finish_reason) == ("One two", finish)
    assert reply.usage == Tokens(input=10, cached=5, output=2)


def test_a_model_of_amazon_that_says_little() -> None:
    reply = parse_reply(a_line(modelOutput={"output": {}}).body)
    assert (reply.text, reply.usage.known) == ("", False)


def test_a_model_of_openai() -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop"}]}
    assert parse_reply(a_line(modelOutput=body).body).text == "Yes"


def test_rows_that_failed() -> None:
    error = {"errorCode": 400, "errorMessage": "bad request", "expired": False, "retryable": False}
    line = a_line(error=error)
    assert (line.status, line.code, line.unsent) == (400, "400", False)
    assert "bad request" in line.body
    assert a_line(error={"errorMessage": "?"}).status == 500
    assert a_line(error={"errorCode": 408, "errorMessage": "too late", "expired": True}).unsent


def test_an_answer_of_no_known_shape_is_a_failure_that_may_be_asked_again() -> None:
    assert a_line(modelOutput={"generation": "Hi"}).status == 500


@pytest.mark.parametrize("line", [b"not json\n", b"[]\n", b'{"recordId": 3}\n', b'{"custom_id": "x"}\n'])
def test_a_line_that_is_not_bedrocks_is_left_alone(line: bytes) -> None:
    assert as_result_line(line) == line
