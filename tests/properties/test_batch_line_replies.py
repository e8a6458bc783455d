"""What a result line says is what its stored body says, though only one of the two was parsed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from hypothesis import example, given
from hypothesis import strategies as st

from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Reply
from triaxis.rules.batches.lines import read_line
from triaxis.rules.calls.reply import parse_reply

numbers = st.integers() | st.floats() | st.sampled_from([2**53, 2**63, 2**64, 10**30, 1e30, 5.0])
anything: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
counts = st.integers(0, 10**6) | anything


def some(**fields: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[Mapping[str, JsonValue]]:
    """Objects that have some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


completions = some(
    model=anything,
    choices=st.lists(
        some(
            finish_reason=anything,
            message=some(
                content=anything | st.lists(some(text=anything, refusal=anything), max_size=3), refusal=anything
            ),
        )
        | anything,
        max_size=2,
    )
    | anything,
    usage=some(
        prompt_tokens=counts,
        completion_tokens=counts,
        total_tokens=counts,
        cache_read_input_tokens=counts,
        prompt_tokens_details=some(cached_tokens=counts, cache_creation_tokens=counts) | anything,
        completion_tokens_details=some(reasoning_tokens=counts) | anything,
    )
    | anything,
)
anthropics = some(
    id=anything,
    model=anything,
    stop_reason=anything,
    content=st.lists(some(text=anything, name=anything, input=anything), max_size=3) | anything,
    usage=some(input_tokens=counts, output_tokens=counts, cache_read_input_tokens=counts) | anything,
)
googles = some(
    responseId=anything,
    modelVersion=anything,
    candidates=st.lists(some(content=some(parts=st.lists(some(text=anything)) | anything)), max_size=2) | anything,
    usageMetadata=some(promptTokenCount=counts, candidatesTokenCount=counts, thoughtsTokenCount=counts) | anything,
)


def of_openai(body: JsonValue) -> JsonValue:
    return {"custom_id": "r", "response": {"status_code": 200, "body": body}}


def of_anthropic(message: JsonValue) -> JsonValue:
    return {"custom_id": "r", "result": {"type": "succeeded", "message": message}}


def of_google(response: Mapping[str, JsonValue]) -> JsonValue:
    return {"custom_id": "r", "response": {"candidates": [], **response}}


def said(read: Callable[[], Reply]) -> Reply | str:
    """The reply, or why there is none."""
    try:
        return read()
    except ValueError as error:
        return str(error)


HUGE = {"choices": [{"message": {"content": "yes"}}], "usage": {"prompt_tokens": 10**30, "completion_tokens": 10**30}}


@given((completions | anything).map(of_openai) | anthropics.map(of_anthropic) | googles.map(of_google))
@example({"id": "\ud800", "custom_id": "r", "response": {"status_code": 200, "body": HUGE}})  # no strict reader's line
def test_a_line_says_what_its_body_says(fields: JsonValue) -> None:
    line = read_line(json.dumps(fields))
    assert said(line.reply) == said(lambda: parse_reply(line.body))
