"""What an OpenAI-compatible provider means by an error, and whether sending again may help.

| sign | mark |
|---|---|
| 429, 408, 409, 425, 5xx | Transient; 429 is not billed, the others may have been |
| a body that is cut short, no JSON, or without a choice | Transient, and may have been billed |
| a filtered prompt, a prompt longer than the context | Terminal: the user gets no answer to this case |
| 500 of llama.cpp for a text longer than what it embeds at once | Terminal |
| other 400, 413, 422 | Terminal, `bad_request` |
| 401, 402, 403, 404, redirects, a spent quota | Denied: it would be the same for every case |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus as Status
from typing import Any, cast

from triaxis.domain.variant import CallKind
from triaxis.errors import CallFailed, Denied, Terminal, Transient
from triaxis.rules.calls.embedding import compact
from triaxis.rules.calls.reply import parse_reply, tokens_of

RETRIED = frozenset({Status.REQUEST_TIMEOUT, Status.CONFLICT, Status.TOO_EARLY, Status.TOO_MANY_REQUESTS})
REQUEST = frozenset(
    {Status.BAD_REQUEST, Status.FORBIDDEN, Status.REQUEST_ENTITY_TOO_LARGE, Status.UNPROCESSABLE_ENTITY}
)
"""Statuses that may be about this one request."""
QUOTA = ("insufficient_quota", "billing_hard_limit", "quota_exceeded", "insufficient_balance", "credit")
FILTERED = ("content_filter", "content_policy", "moderation", "responsibleai", "safety", "flagged")
TOO_LONG = ("context_length", "context length", "context window", "maximum context", "too many tokens", "too long")
TOO_LARGE = "too large to process"
NOBODY = ("model_not_found", "invalid_api_key", "api_key_invalid", "invalid_model")
SAID_CHARS = 300
"""So much of a provider's message is shown."""

REASONS = {
    400: "refused",
    401: "authentication",
    402: "quota",
    403: "permission",
    404: "not_found",
    408: "timeout",
    429: "rate_limit",
}
ADVICE = {
    401: "check the key in {variable}",
    402: "the account has no credit left",
    403: "the key in {variable} may not use this model",
    404: "check the model's name and api_base",
    405: "check api_base: nothing there takes such calls",
}
NO_BATCHES = "check api_base: for a server without files and batches, use `transport: live`"
BATCH_ADVICE = {400: "the provider takes no such batch", 404: NO_BATCHES, 405: NO_BATCHES}


def failure(
    status: int, headers: Mapping[str, str], body: str, *, now_s: float, variable: str, keys: Iterable[str]
) -> CallFailed:
    """The error that a response other than 200 stands for.

    Args:
        status: of the response.
        headers: of the response, case-insensitive.
        body: as text; may be anything.
        now_s: the wall clock, for a Retry-After that names a date.
        variable: the environment variable that holds the key.
        keys: secrets, which are taken out of whatever is kept of the body.
    """
    body = without(keys, body)
    code, said = _said(body)
    if status == Status.INTERNAL_SERVER_ERROR and TOO_LARGE in said:
        return Terminal("context_length", status=status, raw=body, billed=False)
    if retried := _retried(status, headers, code, said, now_s):
        return retried
    if status in REQUEST:
        return _about_the_request(status, f"{code} {said}".lower(), body) or _denied(status, said, variable, ADVICE)
    return _denied(status, said, variable, ADVICE)


def batch_failure(
    status: int, headers: Mapping[str, str], body: str, *, now_s: float, variable: str, keys: Iterable[str]
) -> Transient | Denied:
    """The same for a call about files or batches, where no single case can be at fault."""
    code, said = _said(without(keys, body))
    return _retried(status, headers, code, said, now_s) or _denied(status, said, variable, ADVICE | BATCH_ADVICE)


def without(keys: Iterable[str], text: str) -> str:
    """The text with each key replaced."""
    for key in filter(None, keys):
        text = text.replace(key, "[key]")
    return text


def _retried(status: int, headers: Mapping[str, str], code: str, said: str, now_s: float) -> Transient | Denied | None:
    """What a status means that may pass; None for any other."""
    if status not in RETRIED and status < Status.INTERNAL_SERVER_ERROR:
        return None
    if status == Status.TOO_MANY_REQUESTS and _any(QUOTA, code):
        return Denied("quota", _advice("the account has no quota left", said), status=status)
    wait = retry_after_s(headers, now_s)
    reason, billed = REASONS.get(status, "server"), status != Status.TOO_MANY_REQUESTS
    return Transient(reason, status=status, retry_after_s=wait, billed=billed)


def _about_the_request(status: int, words: str, body: str) -> CallFailed | None:
    """The request's own fault, None where the account or the model is at fault."""
    if _any(FILTERED, words):
        return Terminal("content_filter", status=status, raw=body, billed=False)
    if status == Status.FORBIDDEN or _any(NOBODY, words):
        return None
    long = status == Status.REQUEST_ENTITY_TOO_LARGE or _any(TOO_LONG, words)
    reason = "context_length" if long else "bad_request"
    return Terminal(reason, status=status, raw=body, billed=False)


def _denied(status: int, said: str, variable: str, advices: Mapping[int, str]) -> Denied:
    advice = advices.get(status, "check api_base and the model's name").format(variable=variable)
    return Denied(REASONS.get(status, "refused"), _advice(advice, said), status=status)


def kept(raw: str, kind: CallKind = "chat") -> str:
    """The body of a 200 as it is stored, where it holds a reply, a refusal among them, or the vector asked for.

    Raises:
        Transient: where it is no JSON (cut short, or a proxy's page) or has no choice, or no vector; with the usage it
            may report. Some gateways send a provider's error in this way.
    """
    try:
        if kind == "embedding":
            return compact(raw)
        parse_reply(raw)
    except ValueError:
        raise malformed(raw) from None
    return raw


def malformed(raw: str) -> Transient:
    """The error that a body of 200 without a reply stands for, with the usage that it may report."""
    fields = _object(raw)
    usage = tokens_of(fields.get("usage"))
    reason = "server" if "error" in fields else "malformed"
    return Transient(reason, usage=usage if usage.known else None)


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds to wait as the provider asked: `retry-after-ms`, or Retry-After in seconds or as a date."""
    for name, scale in (("retry-after-ms", 1000.0), ("Retry-After", 1.0)):
        try:
            wait = float(headers[name]) / scale
        except (KeyError, ValueError):
            continue
        return wait if 0 <= wait < float("inf") else None
    try:
        return max(0.0, parsedate_to_datetime(headers["Retry-After"]).timestamp() - now_s)
    except (KeyError, ValueError, OverflowError):
        return None


def _said(body: str) -> tuple[str, str]:
    """Code and message of an error body in any of the usual shapes; the body's beginning where it has none."""
    fields = _object(body)
    if not fields:
        return "", body[:SAID_CHARS]
    error: object = fields.get("error", fields)
    if not isinstance(error, dict):
        return "", str(error)[:SAID_CHARS]
    named = cast("dict[str, Any]", error)
    code = f"{named.get('code', '')} {named.get('type', '')}".lower()
    return code, str(named.get("message", named.get("detail", "")))[:SAID_CHARS]


def _object(text: str) -> dict[str, Any]:
    """The JSON object that `text` is; an empty one where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _advice(advice: str, said: str) -> str:
    return f"{advice} (the provider says: {said})" if said else advice


def _any(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)
