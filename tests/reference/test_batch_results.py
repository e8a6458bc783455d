"""Batch results as three providers wrote them, recorded by others (bespokelabsai/curator): every line is understood."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from triaxis.domain.rows import Reply
from triaxis.rules.batches.lines import read_line
from triaxis.rules.truth.importing import batch_outcome

DATA = Path(os.environ.get("TRIAXIS_PUBLIC_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
FOLDER = DATA / "provider_batch_outputs"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no public data at {FOLDER}")


def recorded() -> list[str]:
    """The lines of all three providers; those of two of them stand with where they were recorded."""
    if not FOLDER.is_dir():
        return []
    noted = [json.loads(line) for line in _lines("openai_anthropic_batch_lines.jsonl")]
    return [*(json.dumps(row["line"]) for row in noted), *_lines("gemini_batch_response.jsonl")]


def _lines(name: str) -> list[str]:
    return [line for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def provider(fields: dict[str, Any]) -> str:
    if "result" in fields:
        return "anthropic"
    return "google" if "candidates" in fields["response"] else "openai"


def said_by_provider(fields: dict[str, Any]) -> tuple[str, str, str, int, int]:
    """Text, reason to end, model, prompt and completion tokens, by the provider's own names."""
    match provider(fields):
        case "anthropic":
            message = fields["result"]["message"]
            usage, text = message["usage"], message["content"][0]["text"]
            return text, message["stop_reason"], message["model"], usage["input_tokens"], usage["output_tokens"]
        case "google":
            response = fields["response"]
            usage, first = response["usageMetadata"], response["candidates"][0]
            text = first["content"]["parts"][0]["text"]
            counts = usage["promptTokenCount"], usage["candidatesTokenCount"]
            return text, first["finishReason"], response["modelVersion"], *counts
        case _:
            body = fields["response"]["body"]
            usage, first = body["usage"], body["choices"][0]
            counts = usage["prompt_tokens"], usage["completion_tokens"]
            return first["message"]["content"], first["finish_reason"], body["model"], *counts


STOPS = {"end_turn": "stop", "STOP": "stop", "stop": "stop", "length": "length"}


@pytest.mark.parametrize("line", recorded())
def test_every_recorded_line_gives_text_reason_and_usage(line: str) -> None:
    fields = json.loads(line)
    found = read_line(line)
    assert (found.custom_id, found.status, found.code, found.unsent) == (fields["custom_id"], 200, "", False)
    outcome = batch_outcome(found)
    assert outcome.error is None
    assert isinstance(outcome.reply, Reply)
    text, finish, model, prompt, completion = said_by_provider(fields)
    reply = outcome.reply
    assert (reply.text, reply.finish_reason, reply.model) == (text, STOPS[finish], model)
    assert (reply.usage.input or 0) + (reply.usage.cached or 0) + (reply.usage.cache_write or 0) == prompt
    assert (reply.usage.output or 0) + (reply.usage.reasoning or 0) == completion


def test_eighteen_lines_of_three_providers_were_recorded() -> None:
    providers = [provider(json.loads(line)) for line in recorded()]
    assert {name: providers.count(name) for name in set(providers)} == {"openai": 11, "anthropic": 4, "google": 3}
