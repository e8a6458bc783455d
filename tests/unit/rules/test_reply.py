"""Stored bodies read as answers with token counts that do not overlap."""

from __future__ import annotations

import json

import pytest
from build_scoring import a_body, a_reply
from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Reply
from triaxis.quantities import Tokens
from triaxis.rules.calls.reply import is_simulated, no_answer, parse_reply, tokens_of


def test_a_whole_body() -> None:
    usage: JsonValue = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    reply = parse_reply(a_body("42", usage=usage))
    assert (reply.text, reply.finish_reason, reply.model, reply.refusal) == ("42", "stop", "m-1", None)
    assert reply.usage == Tokens(input=40, cached=60, output=30, reasoning=20)  # 100 - 60, 50 - 20


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, Tokens()),
        ("much", Tokens()),
        ({"prompt_tokens": 7}, Tokens(input=7)),
        ({"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": None}, Tokens(input=7, output=2)),
        # as floats; and what a sum in 64 bits, or a double, would not survive
        ({"prompt_tokens": 7.0, "completion_tokens": 2.5}, Tokens(input=7)),
        ({"prompt_tokens": 2**53, "completion_tokens": 1e30}, Tokens()),
        # LiteLLM on Anthropic: prompt_tokens holds reads and writes. 100 - 30 - 20
        (
            {"prompt_tokens": 100, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 20},
            Tokens(input=50, cached=30, cache_write=20),
        ),
        # Anthropic's own count leaves cached tokens out of the prompt's
        ({"prompt_tokens": 10, "cache_read_input_tokens": 900}, Tokens(input=10, cached=900)),
        # DeepSeek
        ({"prompt_tokens": 10, "prompt_cache_hit_tokens": 4}, Tokens(input=6, cached=4)),
        # xAI: the total shows that the completion leaves reasoning out. 10 + 5 + 80 = 95
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 95,
                "completion_tokens_details": {"reasoning_tokens": 80},
            },
            Tokens(input=10, output=5, reasoning=80),
        ),
        # the same total with reasoning inside: 10 + 85 = 95
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 85,
                "total_tokens": 95,
                "completion_tokens_details": {"reasoning_tokens": 80},
            },
            Tokens(input=10, output=5, reasoning=80),
        ),
        ({"prompt_tokens": 1.0, "completion_tokens": 1.5}, Tokens(input=1)),
        ({"prompt_tokens": True, "completion_tokens": -1}, Tokens()),
    ],
)
def test_usage(usage: JsonValue, tokens: Tokens) -> None:
    """What a provider counts twice or not at all is settled before a price meets it; unreported is None."""
    assert tokens_of(usage) == tokens


counts = st.none() | st.integers(0, 10_000)


@given(prompt=counts, cached=counts, written=counts, completion=counts, reasoning=counts)
def test_counts_never_overlap_nor_go_below_zero(
    prompt: int | None, cached: int | None, written: int | None, completion: int | None, reasoning: int | None
) -> None:
    """Where the parts fit into the whole, they sum to it."""
    tokens = tokens_of(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "prompt_tokens_details": {"cached_tokens": cached, "cache_creation_tokens": written},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }
    )
    assert all(count is None or count >= 0 for count in (tokens.input, tokens.output))
    if prompt is not None and (cached or 0) + (written or 0) <= prompt:
        assert (tokens.input or 0) + (cached or 0) + (written or 0) == prompt
    if completion is not None and (reasoning or 0) <= completion:
        assert (tokens.output or 0) + (reasoning or 0) == completion


@pytest.mark.parametrize(
    ("content", "text", "refusal"),
    [
        (None, "", None),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, "stray"], "ab", None),
        ([{"type": "refusal", "refusal": "no"}], "", "no"),
        ("half \ud83d a pair", "half \ufffd a pair", None),
    ],
)
def test_content(content: JsonValue, text: str, refusal: str | None) -> None:
    reply = parse_reply(json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}))
    assert (reply.text, reply.refusal, reply.finish_reason) == (text, refusal, None)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "<html>",
        "[]",
        "{}",
        '{"choices": []}',
        '{"choices": null}',
        '{"choices": [1]}',
        '{"choices": [{"message": null}]}',
        '{"choices": [{"delta": {"content": "a"}}]}',
        '{"error": {"message": "overloaded"}}',
        "[" * 100_000,
    ],
)
def test_a_body_that_is_no_answer(raw: str) -> None:
    with pytest.raises(ValueError, match="the body is not"):
        parse_reply(raw)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (a_reply("hello"), None),
        (a_reply("cut sho", finish="length"), None),
        (a_reply(" ", finish="length"), "truncated"),
        (a_reply("", finish="stop"), None),
        (a_reply("I can", finish="content_filter"), "content_filter"),
        (a_reply("", refusal="I won't"), "refusal"),
    ],
)
def test_no_answer(reply: Reply, why: str | None) -> None:
    """A cap that leaves nothing, a filter and a refusal leave the user without an answer; a cut answer is one."""
    assert no_answer(reply) == why


@pytest.mark.parametrize(
    ("raw", "simulated"), [('{"system_fingerprint": "simulated"}', True), (a_body(), False), ("<html>", False)]
)
def test_simulated(raw: str, simulated: bool) -> None:
    assert is_simulated(raw) == simulated
