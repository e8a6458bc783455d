"""LiteLLM: resolves the providers whose wire is OpenAI's, and makes the calls to all others.

One retry layer: ours. LiteLLM's own retries, router and cache stay off, since they would send what no journal knows of,
or change which model is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from triaxis.adapters.models import litellm_library
from triaxis.adapters.models.litellm_library import bad_params, library, missing_keys, named, no_key
from triaxis.adapters.models.openai_address import Address, key_of
from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits, Target
from triaxis.errors import CallFailed, Terminal, Transient
from triaxis.ports.clock import Clock
from triaxis.ports.models import ChatModel, Received
from triaxis.rules.calls.embedding import text_of
from triaxis.rules.calls.provider_errors import failure, kept

CLIENT = "litellm"
WIRED = frozenset(
    {"openai", "hosted_vllm", "together_ai", "mistral", "groq", "deepseek", "xai", "fireworks_ai", "litellm_proxy"}
)
"""Providers for which the contract test shows that our wire and LiteLLM send and read the same."""
EMBEDDING = frozenset({"openai", "hosted_vllm", "together_ai", "litellm_proxy"})
"""Those of them for which it shows the same of embeddings."""


def resolve(target: Target) -> Address | None:
    """The address of a model on an OpenAI-compatible wire; None where LiteLLM must make the call itself.

    Raises:
        InputFaults: where the name means nothing, the provider's key is missing, or no api_base says which
            server answers.
    """
    model = named(target)
    litellm_library.refuse_unnamed_server(target, model.provider)
    variables = missing_keys(target)
    if model.provider not in (WIRED if target.kind == "chat" else EMBEDDING):
        if len(variables) == 1:
            raise no_key(target, variables[0])
        return None
    variable = variables[0] if variables else f"{model.provider.upper()}_API_KEY"
    key = key_of(variable, os.environ) if model.provider == "openai" else model.key
    if key is None and target.api_base is None:
        raise no_key(target, variable)
    config = litellm_library.chat_config(model)
    base = model.base or config.get_api_base()
    return Address(
        url=config.get_complete_url(base, None, model.name, {}, {}, stream=False),
        variable=variable,
        key=None if key == "fake-api-key" else key,
        body=litellm_library.bodies(model, config),
    )


@asynccontextmanager
async def open_litellm(target: Target, *, limits: Limits, clock: Clock) -> AsyncGenerator[ChatModel]:
    """The model, called through LiteLLM."""
    yield _LitellmChat(target, limits, clock)


@dataclass(frozen=True, slots=True)
class _LitellmChat:
    target: Target
    limits: Limits
    clock: Clock

    async def complete(self, request: Request) -> Received:
        litellm = library()
        try:
            async with asyncio.timeout(self.limits.total_timeout_s):
                answer = await self._asked(litellm, request)
        except TimeoutError:
            raise Transient("timeout") from None
        except tuple(litellm.exceptions.LITELLM_EXCEPTION_TYPES) as error:
            raise _translated(error, self.target, self.clock.now_ns() / 1e9) from None
        raw = answer.model_dump_json(exclude_none=True)
        return Received(raw=kept(raw, request.kind), client=CLIENT)

    async def _asked(self, litellm: Any, request: Request) -> Any:
        shared = {
            "model": self.target.model,
            "api_base": self.target.api_base,
            "num_retries": 0,
            "max_retries": 0,
            "timeout": self.limits.total_timeout_s,
            **request.params,
        }
        if request.kind == "embedding":
            return await litellm.aembedding(input=[text_of(request)], **shared)
        return await litellm.acompletion(messages=[dict(m.to_json()) for m in request.messages], **shared)


def _translated(error: Any, target: Target, now_s: float) -> CallFailed:
    litellm = library()
    match error:
        case litellm.Timeout():
            return Transient("timeout")
        case litellm.APIConnectionError():
            return Transient("reset")
        case litellm.ContentPolicyViolationError():
            return Terminal("content_filter", status=error.status_code, billed=False)
        case litellm.ContextWindowExceededError():
            return Terminal("context_length", status=error.status_code, billed=False)
        case litellm.UnsupportedParamsError():
            return bad_params(error)
        case _:
            return _by_status(error, target, now_s)


def _by_status(error: Any, target: Target, now_s: float) -> CallFailed:
    headers = getattr(error, "litellm_response_headers", None) or getattr(error.response, "headers", None)
    variables = missing_keys(target)
    return failure(
        int(error.status_code),
        headers or {},
        _body_of(error),
        now_s=now_s,
        variable=variables[0] if variables else "the provider's variable",
        keys=litellm_library.secrets(),
    )


async def stream(
    model: str, api_base: str | None, messages: Sequence[JsonValue], params: Mapping[str, JsonValue]
) -> AsyncGenerator[Mapping[str, Any]]:
    """The chunks of one streamed answer in OpenAI's shape, as they come; for probes.

    Raises:
        CallFailed: as `complete` does.
    """
    litellm = library()
    try:
        chunks = await litellm.acompletion(
            model=model,
            api_base=api_base,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            num_retries=0,
            max_retries=0,
            **params,
        )
        async for chunk in chunks:
            yield chunk.model_dump(exclude_none=True)
    except tuple(litellm.exceptions.LITELLM_EXCEPTION_TYPES) as error:
        # A probe sends nothing again, so that no date in a Retry-After matters.
        raise _translated(error, Target(model=model, api_base=api_base), 0.0) from None


def _body_of(error: Any) -> str:
    """The provider's own words: LiteLLM keeps OpenAI's error apart, and puts its own name before any other."""
    body: object = error.body
    if isinstance(body, dict):
        return json.dumps({"error": body})
    return str(error.message).rpartition("Exception - ")[2]
