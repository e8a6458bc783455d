"""Imported outputs become rows like any other, and say of themselves what nobody recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build_imports import a_bare_response, a_response, an_openai_line

from triaxis.quantities import Tokens
from triaxis.rules.batches.lines import read_fields
from triaxis.rules.calls.reply import parse_reply
from triaxis.rules.truth.importing import batch_outcome, generation, timing


def test_an_answer_becomes_a_chat_completion_that_nobody_paid_for() -> None:
    """100 prompt tokens with 40 cached ones are 60 in full."""
    made = generation(a_response("a", sample=1), None)
    row, reply = made.row, made.reply
    assert (made.variant, made.case_id, made.sample, made.answer, made.attempts) == ("past", "a", 1, "yes", ())
    assert (row.kind, row.client, row.outcome, row.error) == ("import", "imported", "answered", None)
    assert (row.key, row.latency_ms, made.stated_usd) == (a_response("a", sample=1).key, 500.0, 0.002)
    assert reply is not None
    assert (reply.model, reply.finish_reason) == ("gpt-x-2024", "stop")
    assert reply.usage == Tokens(input=60, cached=40, output=10)
    assert parse_reply(row.raw) == reply


def test_a_row_says_only_what_was_recorded() -> None:
    made = generation(a_bare_response(response=""), None)
    assert json.loads(made.row.raw) == {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": None}],
    }
    assert (made.answer, made.stated_usd, made.row.model) == ("", None, "")
    assert made.reply is not None
    assert made.reply.usage == Tokens()


@pytest.mark.parametrize(
    ("variant", "row", "model"), [("openai/x", "gpt", "openai/x"), (None, "gpt", "gpt"), (None, None, "")]
)
def test_the_variants_model_is_noted_before_the_rows_own(variant: str | None, row: str | None, model: str) -> None:
    assert generation(a_response(model=row), variant).row.model == model


def test_a_failed_call_is_terminal_with_its_reason_and_keeps_its_usage() -> None:
    made = generation(a_bare_response(error="timeout", prompt_tokens=7, completion_tokens=0), None)
    assert (made.row.outcome, made.row.error, made.answer) == ("terminal", "timeout", None)
    assert made.reply is not None
    assert made.reply.usage == Tokens(input=7, output=0)
    assert json.loads(made.row.raw)["error"] == {"code": "timeout"}


@pytest.mark.parametrize(
    ("fields", "outcome", "reason"),
    [
        ({"response": "sorry", "finish_reason": "content_filter"}, "terminal", "content_filter"),
        ({"response": "", "finish_reason": "length"}, "terminal", "truncated"),
        ({"response": " ", "finish_reason": "max_tokens"}, "terminal", "truncated"),
        ({"response": "cut", "finish_reason": "MAX_TOKENS"}, "answered", None),
        ({"response": "cut", "error": "reset"}, "terminal", "reset"),
        ({}, "unrecorded", None),
        ({"latency_ms": 5.0, "finish_reason": "length"}, "unrecorded", None),
        ({"finish_reason": "content_filter"}, "terminal", "content_filter"),
    ],
)
def test_what_the_user_got_is_told_as_of_any_call(fields: dict[str, Any], outcome: str, reason: str | None) -> None:
    """An answer whose text nobody kept is neither an empty answer nor none."""
    made = generation(a_bare_response(**fields), None)
    assert (made.row.outcome, made.row.error) == (outcome, reason)
    assert (made.answer is not None) is (outcome == "answered")


def test_a_batch_line_keeps_its_body_as_received() -> None:
    body = json.dumps(an_openai_line("a", "ja")["response"]["body"])
    made = generation(a_bare_response("a", body=body), "openai/x")
    assert (made.row.raw, made.answer, made.row.outcome) == (body, "ja", "answered")


def test_an_errors_body_has_no_reply() -> None:
    made = generation(a_bare_response(error="batch_expired", body='{"error": {}}'), None)
    assert (made.row.outcome, made.row.error, made.reply) == ("terminal", "batch_expired", None)


def test_a_body_that_turned_out_to_say_nothing_is_no_answer() -> None:
    made = generation(a_bare_response(body="{}"), None)
    assert (made.row.outcome, made.row.error, made.reply) == ("terminal", "no_answer", None)


def test_the_outcome_of_a_batch_line() -> None:
    answered = batch_outcome(read_fields(an_openai_line("a", "ja")))
    assert answered.error is None
    assert answered.reply is not None
    assert answered.reply.text == "ja"
    refused = {"custom_id": "a", "response": {"status_code": 400, "body": {"error": {"code": "too_long"}}}}
    assert batch_outcome(read_fields(refused)).error == "too_long"
    assert batch_outcome(read_fields({"custom_id": "a", "response": {"status_code": 503}})).error == "status_503"


def test_an_answer_to_something_else_is_refused() -> None:
    embedding = {"custom_id": "a", "response": {"status_code": 200, "body": {"data": [{"embedding": [0.1]}]}}}
    with pytest.raises(ValueError, match="not a chat completion"):
        batch_outcome(read_fields(embedding))


def test_times_stand_as_those_of_a_request_sent_when_it_was_due() -> None:
    found = timing(a_response("a"), 7)
    assert found is not None
    assert (found.ttft_ms, found.full_ms, found.scheduled_ns, found.sent_ns) == (100.0, 500.0, 0, 0)
    assert (found.variant, found.case_id, found.block, found.index) == ("past", "a", 0, 7)
    assert (found.client, found.key, found.error, found.usage) == ("imported", a_response("a").key, None, Tokens())


def test_one_time_is_enough_and_a_failure_counts_without_any() -> None:
    first = timing(a_bare_response(ttft_ms=3.5), 0)
    assert first is not None
    assert (first.ttft_ms, first.full_ms) == (3.5, None)
    failed = timing(a_bare_response(error="reset"), 0)
    assert failed is not None
    assert (failed.error, failed.ttft_ms, failed.full_ms) == ("reset", None, None)
    assert timing(a_bare_response(response="yes"), 0) is None


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"response": "sorry", "finish_reason": "content_filter"}, "content_filter"),
        ({"response": " ", "finish_reason": "max_tokens"}, "truncated"),
        ({"response": "cut", "finish_reason": "length"}, None),
        ({"response": ""}, None),
        ({"finish_reason": "length"}, None),
    ],
)
def test_what_counts_as_an_error_counts_as_one_in_latency_too(fields: dict[str, Any], error: str | None) -> None:
    """An instant refusal would otherwise make a variant look fast, beside an error rate that counts it."""
    row = a_bare_response(latency_ms=5.0, **fields)
    found = timing(row, 0)
    assert found is not None
    assert (found.error, generation(row, None).row.error) == (error, error)
