"""What LiteLLM does to requests and answers, as result lines show it."""

from __future__ import annotations

import json

import pytest

from triaxis.rules.batches.lines import read_line
from triaxis.rules.calls.reply import parse_reply


@pytest.mark.parametrize(("stop", "finish"), [("tool_use", "stop"), ("max_tokens", "length")])
def test_an_answer_by_litellms_tool_for_json_is_an_answer(stop: str, finish: str) -> None:
    """A live call reads the same, since LiteLLM turns it back."""
    tool = {"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {"reason": "gut", "score": 1}}
    message = {"content": [tool], "stop_reason": stop, "usage": {"input_tokens": 1, "output_tokens": 1}}
    line = read_line(json.dumps({"custom_id": "c", "result": {"type": "succeeded", "message": message}}))
    reply = parse_reply(line.body)
    assert (json.loads(reply.text), reply.finish_reason) == (tool["input"], finish)


@pytest.mark.parametrize(("code", "status"), [("429", 429), ("400", 400), ("3", 500), ("4000000", 500), ("x", 500)])
def test_a_code_that_is_a_status_is_one(code: str, status: int) -> None:
    line = read_line(json.dumps({"custom_id": "c", "response": None, "error": {"code": code, "message": "m"}}))
    assert (line.status, line.code) == (status, code)
