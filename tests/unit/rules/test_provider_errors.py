"""What a provider's error means."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from build_calls import a_body, a_vector_body

from triaxis.errors import CallFailed, Denied, Terminal, Transient
from triaxis.quantities import Tokens
from triaxis.rules.calls.embedding import compact
from triaxis.rules.calls.provider_errors import batch_failure, failure, kept, retry_after_s

KEY = "sk-made-up-1234567890"


def an_error(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> CallFailed:
    return failure(status, headers or {}, body, now_s=1_700_000_000.0, variable="OPENAI_API_KEY", keys=("", KEY))


def said(message: str, code: str = "") -> str:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": code}})


@pytest.mark.parametrize(
    ("status", "reason", "billed"),
    [
        (408, "timeout", True),
        (409, "server", True),
        (425, "server", True),
        (429, "rate_limit", False),
        (500, "server", True),
        (502, "server", True),
        (503, "server", True),
        (504, "server", True),
        (529, "server", True),
    ],
)
def test_what_may_help_to_send_again(status: int, reason: str, billed: bool) -> None:
    error = an_error(status, "<html>busy</html>")
    assert isinstance(error, Transient)
    assert (error.reason, error.status, error.billed) == (reason, status, billed)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, said("The response was filtered", "content_filter"), "content_filter"),
        (400, said("Your prompt was flagged by our moderation"), "content_filter"),
        (403, said("Input flagged", "moderation"), "content_filter"),
        (400, said("This model's maximum context length is 8192 tokens", "context_length_exceeded"), "context_length"),
        (413, "too big", "context_length"),
        (400, said("Unsupported value: 'temperature'"), "bad_request"),
        (500, said("input (6001 tokens) is too large to process. increase the batch size"), "context_length"),
        (422, json.dumps({"detail": "unprocessable"}), "bad_request"),
    ],
)
def test_what_leaves_a_case_without_an_answer(status: int, body: str, reason: str) -> None:
    error = an_error(status, body)
    assert isinstance(error, Terminal)
    assert (error.reason, error.raw, error.billed) == (reason, body, False)


@pytest.mark.parametrize(
    ("status", "body", "reason", "advice"),
    [
        (401, said("Incorrect API key provided"), "authentication", "check the key in OPENAI_API_KEY"),
        (402, said("Insufficient balance"), "quota", "no credit"),
        (403, said("You are not allowed to sample from this model"), "permission", "may not use this model"),
        (404, said("The model `x` does not exist"), "not_found", "check the model's name"),
        (405, "", "refused", "nothing there takes such calls"),
        (307, "", "refused", "check api_base"),
        (400, said("no such model", "model_not_found"), "refused", "check api_base and the model's name"),
        (429, said("You exceeded your current quota", "insufficient_quota"), "quota", "no quota left"),
    ],
)
def test_what_no_case_will_survive(status: int, body: str, reason: str, advice: str) -> None:
    error = an_error(status, body)
    assert isinstance(error, Denied)
    assert (error.reason, error.billed) == (reason, False)
    assert advice in str(error)


def test_the_provider_is_quoted_and_the_key_is_not() -> None:
    error = an_error(401, said(f"Incorrect API key provided: {KEY}"))
    assert str(error) == (
        "authentication (HTTP 401): check the key in OPENAI_API_KEY "
        "(the provider says: Incorrect API key provided: [key])"
    )
    refused = an_error(400, said(f"odd request with {KEY}"))
    assert KEY not in refused.raw


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        ("plain text", "plain text"),
        ("x" * 1_000, "x" * 300),
        (json.dumps({"error": "just text"}), "just text"),
        (json.dumps({"message": "bare"}), "bare"),
        (json.dumps({"detail": "Not Found"}), "Not Found"),
        (json.dumps(["a list"]), '["a list"]'),
        ("[" * 100_000, "[" * 300),
    ],
)
def test_error_bodies_come_in_many_shapes(body: str, quoted: str) -> None:
    assert str(an_error(404, body)).endswith(f"(the provider says: {quoted})")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "1"}, 1.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),  # 1,700,000,000 is 22:13:20 of that day
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:10 GMT"}, 0.0),
        ({"Retry-After": "later"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
    ],
)
def test_how_long_the_provider_wants_to_be_left_alone(headers: Mapping[str, str], expected: float | None) -> None:
    assert retry_after_s(headers, 1_700_000_000.0) == expected


def test_a_refusal_for_load_says_how_long() -> None:
    error = an_error(429, "", {"Retry-After": "7"})
    assert isinstance(error, Transient)
    assert error.retry_after_s == 7.0


def test_an_answer_passes() -> None:
    kept(a_body())


@pytest.mark.parametrize(
    ("raw", "reason", "usage"),
    [
        ("", "malformed", None),
        ("<html>", "malformed", None),
        (a_body()[:-3], "malformed", None),
        ('{"choices": []}', "malformed", None),
        (
            '{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}',
            "malformed",
            Tokens(input=3, output=1),
        ),
        ('{"error": {"message": "upstream timed out"}}', "server", None),
        ("[]", "malformed", None),
    ],
)
def test_a_body_without_an_answer_may_have_been_billed(raw: str, reason: str, usage: Tokens | None) -> None:
    with pytest.raises(Transient) as raised:
        kept(raw)
    assert (raised.value.reason, raised.value.usage, raised.value.billed) == (reason, usage, True)


def of_a_batch(status: int, body: str = "") -> Transient | Denied:
    return batch_failure(status, {}, body, now_s=0.0, variable="OPENAI_API_KEY", keys=(KEY,))


@pytest.mark.parametrize(
    ("status", "reason", "advice"),
    [
        (400, "refused", "the provider takes no such batch"),
        (401, "authentication", "check the key in OPENAI_API_KEY"),
        (404, "not_found", "for a server without files and batches, use `transport: live`"),
        (405, "refused", "for a server without files and batches, use `transport: live`"),
        (413, "refused", "check api_base"),
        (307, "refused", "check api_base"),
    ],
)
def test_a_refused_call_about_a_batch_is_the_fault_of_no_case(status: int, reason: str, advice: str) -> None:
    error = of_a_batch(status, said(f"content_filter context_length {KEY}"))
    assert isinstance(error, Denied)
    assert (error.reason, error.billed) == (reason, False)
    assert advice in error.advice
    assert KEY not in error.advice


@pytest.mark.parametrize(("status", "billed"), [(429, False), (408, True), (500, True), (529, True)])
def test_a_call_about_a_batch_that_may_be_repeated(status: int, billed: bool) -> None:
    error = of_a_batch(status, said("later"))
    assert isinstance(error, Transient)
    assert error.billed == billed


def test_a_spent_quota_takes_no_batch() -> None:
    assert of_a_batch(429, said("no money", "insufficient_quota")).reason == "quota"


@pytest.mark.parametrize(
    ("raw", "reason"), [(a_vector_body(), "malformed"), ('{"error": {}}', "server"), ("{", "malformed")]
)
def test_a_200_without_the_vector_that_was_asked_for_may_have_been_billed(raw: str, reason: str) -> None:
    """Nor is a chat's answer one."""
    assert kept(a_vector_body(1.0), "embedding") == compact(a_vector_body(1.0))
    for other in (raw, a_body()):
        with pytest.raises(Transient) as raised:
            kept(other, "embedding")
        assert raised.value.billed
    with pytest.raises(Transient, match=reason):
        kept(raw, "embedding")
