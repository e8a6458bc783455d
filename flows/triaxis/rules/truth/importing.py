"""Imported outputs as the rows that any answer is: OpenAI's chat completion shape, and never paid for here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from triaxis.domain.canonical import JsonValue, without_nulls
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rows import IMPORTED, Generation, ProbeRow, Reply, Row
from triaxis.quantities import Tokens
from triaxis.rules.batches.lines import BatchLine, finish_word
from triaxis.rules.calls.reply import no_answer, parse_reply

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What an imported line of a batch result file says."""

    error: str | None
    """The provider's word for what went wrong."""
    reply: Reply | None
    """None where there is an error."""


def batch_outcome(line: BatchLine) -> BatchOutcome:
    """The outcome of a line.

    Raises:
        ValueError: where it is an answer to something else than a chat completion.
    """
    if line.status != HTTPStatus.OK:
        return BatchOutcome(line.code or f"status_{line.status}", None)
    return BatchOutcome(None, line.reply())


def generation(response: ImportedResponse, model: str | None) -> Generation:
    """The output as a line of generations.parquet.

    Args:
        response: What was imported.
        model: The variant's, for whose price row its tokens are; else the row's own is noted.
    """
    raw = response.body or _completion(response)
    reply = _reply(raw)
    outcome, reason = _outcome(response, reply)
    return Generation(
        variant=response.variant,
        case_id=response.case_id,
        sample=response.sample,
        row=Row(
            key=response.key,
            kind="import",
            model=model or response.model or "",
            endpoint=None,
            outcome=outcome,
            raw=raw,
            error=reason,
            client=IMPORTED,
            latency_ms=response.latency_ms,
        ),
        reply=reply,
        attempts=(),
        stated_usd=response.cost_usd,
    )


def timing(response: ImportedResponse, index: int) -> ProbeRow | None:
    """Its times in the form of a probe's; None where it neither carries one nor failed.

    Whatever counts in the error rate failed here too, such as what a filter withheld, however fast that was. Tokens are
    left out: of them a probe tells the cached share, and imported answers carry their own.
    """
    error = _failure(response)
    if error is None and response.ttft_ms is None and response.latency_ms is None:
        return None
    return ProbeRow(
        case_id=response.case_id,
        variant=response.variant,
        block=0,
        index=index,
        scheduled_ns=0,
        sent_ns=0,
        first_ns=_nanoseconds(response.ttft_ms),
        last_ns=_nanoseconds(response.latency_ms),
        error=error,
        client=IMPORTED,
        key=response.key,
    )


def _failure(response: ImportedResponse) -> str | None:
    """Why the user got no answer; a result file's body is not opened for it, since such files carry no times."""
    if response.error is not None or response.body is not None:
        return response.error
    said = Reply(text=response.response or "", finish_reason=finish_word(response.finish_reason), usage=Tokens())
    return _outcome(response, said)[1]


def _nanoseconds(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * _NS_PER_MS)


def _reply(raw: str) -> Reply | None:
    """What the body says; None for an error's."""
    try:
        return parse_reply(raw)
    except ValueError:
        return None


def _outcome(
    response: ImportedResponse, reply: Reply | None
) -> tuple[Literal["answered", "terminal", "unrecorded"], str | None]:
    """Whether the user got an answer, and if not, why; a text that nobody kept is not an empty one."""
    if response.error is not None or reply is None:
        return "terminal", response.error or "no_answer"
    reason = no_answer(reply)
    if response.body is None and response.response is None and reason in (None, "truncated"):
        return "unrecorded", None
    return ("answered", None) if reason is None else ("terminal", reason)


def _completion(response: ImportedResponse) -> str:
    """A chat completion that says what the row says, and nothing of what it does not."""
    choice: JsonValue = {
        "index": 0,
        "message": {"role": "assistant", "content": response.response},
        "finish_reason": finish_word(response.finish_reason),
    }
    body: dict[str, JsonValue] = {
        "object": "chat.completion",
        "model": response.model,
        "choices": [choice],
        "usage": _usage(response),
        "error": None if response.error is None else {"code": response.error},
    }
    return json.dumps(without_nulls(body), ensure_ascii=False, separators=(",", ":"))


def _usage(response: ImportedResponse) -> Mapping[str, JsonValue]:
    return without_nulls(
        {
            "prompt_tokens": response.prompt_tokens,
            "completion_tokens": response.completion_tokens,
            "prompt_tokens_details": without_nulls({"cached_tokens": response.cached_tokens}),
        }
    )
