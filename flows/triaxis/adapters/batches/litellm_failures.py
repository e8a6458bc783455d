"""What the errors mean that LiteLLM lets through from its file and batch calls: it translates those of chats only."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import aiohttp

from triaxis.adapters.models import litellm_library
from triaxis.adapters.models.http_session import broken
from triaxis.adapters.models.litellm_library import secrets
from triaxis.errors import CallFailed, Denied, Transient
from triaxis.ports.clock import Clock
from triaxis.rules.calls.provider_errors import SAID_CHARS, batch_failure, without

VARIABLE = "the provider's variable"
DISCONNECTED = (aiohttp.ClientError, TimeoutError)


@cache
def batch_errors() -> tuple[type[Exception], ...]:
    """All that its calls may raise: its own errors, and those of the clients behind it."""
    botocore = importlib.import_module("botocore.exceptions")
    return (
        *litellm_library.errors(),
        importlib.import_module("openai").OpenAIError,
        importlib.import_module("httpx").HTTPError,
        botocore.BotoCoreError,
        botocore.ClientError,
        TimeoutError,
        ValueError,
        KeyError,
        AttributeError,
        ImportError,
    )


def failed_call(error: Exception, clock: Clock) -> CallFailed:
    """The error as ours; no secret of the environment is left in it."""
    for cause in _causes(error):
        if isinstance(cause, DISCONNECTED):
            return broken(cause)
    if _unread(error):
        return Transient("malformed")
    status, headers, body = _answer(error)
    if status is None:
        return Denied("setup", without(secrets(), f"{type(error).__name__}: {error}")[:SAID_CHARS])
    return batch_failure(status, headers, body, now_s=clock.now_ns() / 1e9, variable=VARIABLE, keys=secrets())


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unread(error: Exception) -> bool:
    """Whether it says that an answer is not what it should be."""
    pydantic = importlib.import_module("pydantic")
    return isinstance(error, json.JSONDecodeError | KeyError | AttributeError | pydantic.ValidationError)


def _answer(error: Any) -> tuple[int | None, Mapping[str, str], str]:
    """Status, headers and body of the response that an error tells of; no status where it tells of none."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):
        meta: Any = cast("Mapping[str, Any]", response).get("ResponseMetadata", {})
        return meta.get("HTTPStatusCode"), meta.get("HTTPHeaders", {}), str(error)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    headers: Any = getattr(response, "headers", None) or getattr(error, "headers", None) or {}
    body: object = getattr(error, "body", None)
    if isinstance(body, dict):
        return status, headers, json.dumps({"error": body})
    return status, headers, str(getattr(error, "text", None) or getattr(error, "message", None) or error)
