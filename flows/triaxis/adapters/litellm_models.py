"""LiteLLM: resolves the providers whose wire is OpenAI's, and makes the calls to all others.

One retry layer: ours. LiteLLM's own retries, router and cache stay off, since they would send what no journal knows of,
or change which model is measured.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from triaxis.adapters.openai_address import Address, Body, key_of
from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits, Target
from triaxis.errors import CallFailed, Denied, Fault, InputFaults, Terminal, Transient
from triaxis.ports.clock import Clock
from triaxis.ports.models import ChatModel, Received
from triaxis.rules.provider_errors import checked, failure

CLIENT = "litellm"
ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
"""Set before the import: no price table is fetched, and no .env file of somebody else's is read."""

WIRED = frozenset(
    {"openai", "hosted_vllm", "together_ai", "mistral", "groq", "deepseek", "xai", "fireworks_ai", "litellm_proxy"}
)
"""Providers for which the contract test shows that our wire and LiteLLM send and read the same."""

SECRETS = ("_KEY", "_TOKEN", "_SECRET")
"""How the names of variables end whose values nobody may read in an error."""
REDIRECTIONS = ("API_BASE", "BASE_URL")
"""What the names of variables end with, after the provider's, that LiteLLM takes a server's address from."""
OWN_SERVERS = frozenset({"hosted_vllm", "litellm_proxy"})
"""Without an api_base LiteLLM would send their calls to OpenAI."""


@cache
def _litellm() -> Any:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    # What went wrong is in the error; its log would repeat prompts.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


def resolve(target: Target) -> Address | None:
    """The address of a model on an OpenAI-compatible wire; None where LiteLLM must make the call itself.

    Raises:
        InputFaults: where the name means nothing, the provider's key is missing, or no api_base says which
            server answers.
    """
    litellm = _litellm()
    name, provider, key, base = _provider(litellm, target)
    _refuse_unnamed_server(target, provider)
    variables = _missing_keys(litellm, target)
    if provider not in WIRED:
        if len(variables) == 1:
            raise _no_key(target, variables[0])
        return None
    variable = variables[0] if variables else f"{provider.upper()}_API_KEY"
    key = key_of(variable, os.environ) if provider == "openai" else key
    if key is None and target.api_base is None:
        raise _no_key(target, variable)
    config = _config(provider, name)
    base = base or config.get_api_base()
    return Address(
        url=config.get_complete_url(base, None, name, {}, {}, stream=False),
        variable=variable,
        key=None if key == "fake-api-key" else key,
        body=_bodies(name, provider, config),
    )


def _provider(litellm: Any, target: Target) -> tuple[str, str, str | None, str | None]:
    try:
        return litellm.get_llm_provider(model=target.model, api_base=target.api_base)
    except litellm.BadRequestError:
        raise InputFaults(
            Fault(
                file=target.model,
                field="model",
                problem=f"no provider serves a model named {target.model!r}",
                advice="Write PROVIDER/MODEL as LiteLLM has it; a server of your own is openai/MODEL with api_base.",
            )
        ) from None


def _config(provider: str, name: str) -> Any:
    utils = importlib.import_module("litellm.utils")
    return utils.ProviderConfigManager.get_provider_chat_config(name, _litellm().LlmProviders(provider))


def _missing_keys(litellm: Any, target: Target) -> list[str]:
    missing = litellm.validate_environment(model=target.model)["missing_keys"]
    return [name for name in missing if name.endswith("_API_KEY")]


def _refuse_unnamed_server(target: Target, provider: str) -> None:
    """Whose answers they are must stand in the evaluation, since they are kept under that name."""
    if target.api_base is not None:
        return
    named = [f"{provider.upper()}_{ending}" for ending in REDIRECTIONS]
    set_here = [name for name in named if os.environ.get(name)]
    if set_here:
        raise _no_address(target, f"{set_here[0]} sends it to a server that the evaluation does not name")
    if provider in OWN_SERVERS:
        raise _no_address(target, "it has no api_base")


def _no_address(target: Target, problem: str) -> InputFaults:
    return InputFaults(
        Fault(
            file=target.model,
            field="api_base",
            problem=problem,
            advice="Write the server's address as api_base; ${NAME} may stand there beside an `endpoint`.",
        )
    )


def _no_key(target: Target, variable: str) -> InputFaults:
    return InputFaults(
        Fault(
            file="environment",
            field=variable,
            problem=f"the key for {target.model} is not set",
            advice=f"Set {variable}, or give the model an api_base that needs none.",
        )
    )


def _bodies(name: str, provider: str, config: Any) -> Callable[[Request], Body]:
    """Bodies as LiteLLM would send them; parameters are translated once for each variant, not for each call."""
    translated = dict[str, dict[str, Any]]()

    def body(request: Request) -> Body:
        known = json.dumps(request.params, sort_keys=True)
        if known not in translated:
            translated[known] = _parameters(name, provider, request.params)
        messages = [dict(m.to_json()) for m in request.messages]
        sent = config.transform_request(name, messages, dict(translated[known]), {}, {})
        extra = sent.pop("extra_body", {})
        return {**sent, **extra}

    return body


def _parameters(name: str, provider: str, params: Mapping[str, JsonValue]) -> dict[str, Any]:
    utils = importlib.import_module("litellm.utils")
    try:
        translated = utils.get_optional_params(model=name, custom_llm_provider=provider, **params)
    except _litellm().BadRequestError as error:
        raise _bad_params(error) from None
    translated.pop("stream", None)
    return translated


def _bad_params(error: Any) -> Denied:
    return Denied("params", f"change the variant's params ({str(error.message).splitlines()[0]})")


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
        litellm = _litellm()
        try:
            async with asyncio.timeout(self.limits.total_timeout_s):
                answer = await litellm.acompletion(
                    model=self.target.model,
                    api_base=self.target.api_base,
                    messages=[dict(m.to_json()) for m in request.messages],
                    num_retries=0,
                    max_retries=0,
                    timeout=self.limits.total_timeout_s,
                    **request.params,
                )
        except TimeoutError:
            raise Transient("timeout") from None
        except tuple(litellm.exceptions.LITELLM_EXCEPTION_TYPES) as error:
            raise _translated(error, self.target, self.clock.now_ns() / 1e9) from None
        raw = answer.model_dump_json(exclude_none=True)
        checked(raw)
        return Received(raw=raw, client=CLIENT)


def _translated(error: Any, target: Target, now_s: float) -> CallFailed:
    litellm = _litellm()
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
            return _bad_params(error)
        case _:
            return _by_status(error, target, now_s)


def _by_status(error: Any, target: Target, now_s: float) -> CallFailed:
    headers = getattr(error, "litellm_response_headers", None) or getattr(error.response, "headers", None)
    variables = _missing_keys(_litellm(), target)
    return failure(
        int(error.status_code),
        headers or {},
        _body_of(error),
        now_s=now_s,
        variable=variables[0] if variables else "the provider's variable",
        keys=[value for name, value in os.environ.items() if name.endswith(SECRETS)],
    )


async def stream(
    model: str, api_base: str | None, messages: Sequence[JsonValue], params: Mapping[str, JsonValue]
) -> AsyncGenerator[Mapping[str, Any]]:
    """The chunks of one streamed answer in OpenAI's shape, as they come; for probes.

    Raises:
        CallFailed: as `complete` does.
    """
    litellm = _litellm()
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
