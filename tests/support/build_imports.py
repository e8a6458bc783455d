"""Imported outputs, and files of them, for tests of whatever reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from triaxis.domain.responses import ImportedResponse
from triaxis.domain.variant import ImportedVariant


def a_response(case_id: str = "c000", **changes: Any) -> ImportedResponse:
    """An answer of the variant `past` that carries everything there is to carry."""
    whole = ImportedResponse(
        variant="past",
        case_id=case_id,
        response="yes",
        finish_reason="stop",
        model="gpt-x-2024",
        ttft_ms=100.0,
        latency_ms=500.0,
        prompt_tokens=100,
        cached_tokens=40,
        completion_tokens=10,
        cost_usd=0.002,
    )
    return replace(whole, **changes)


def a_bare_response(case_id: str = "c000", **fields: Any) -> ImportedResponse:
    """An output that says no more than this."""
    return replace(ImportedResponse(variant="past", case_id=case_id), **fields)


def an_import(name: str = "past", **fields: Any) -> ImportedVariant:
    """A variant whose answers exist already."""
    return ImportedVariant(name=name, **fields)


def an_openai_line(custom_id: str, text: str = "yes", **body: Any) -> dict[str, Any]:
    """A line of a batch result file of OpenAI's."""
    said = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-x-2024",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        **body,
    }
    return {"id": "batch_req_1", "custom_id": custom_id, "response": {"status_code": 200, "body": said}, "error": None}


def lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a JSONL file has them."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
