"""LiteLLM itself: how it is set up, and what it knows of providers: their names, keys, servers and parameters."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from triaxis.adapters.models.openai_address import Body, embedding_body
from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Request
from triaxis.domain.variant import Target
from triaxis.errors import Denied, Fault, InputFaults

ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
"""Set before the import: no price table is fetched, and no .env file of somebody else's is read."""

SECRETS = ("_KEY", "_TOKEN", "_SECRET")
"""How the names of variables end whose values nobody may read in an error."""
REDIRECTIONS = ("API_BASE", "BASE_URL")
"""What the names of variables end with, after the provider's, that LiteLLM takes a server's address from."""
OWN_SERVERS = frozenset({"hosted_vllm", "litellm_proxy"})
"""Without an api_base LiteLLM would send their calls to OpenAI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A model as LiteLLM resolves its name."""

    name: str
    """As the provider has it."""
    provider: str
    key: str | None = field(repr=False)
    base: str | None


@cache
def library() -> Any:
    """LiteLLM, imported when it is first needed, which takes seconds."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    # Its embeddings take a max_retries of 0 for none given, and put this in its place.
    litellm.DEFAULT_MAX_RETRIES = 0
    # What went wrong is in the error; its log would repeat prompts.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    _send_once()
    return litellm


def _send_once() -> None:
    """Takes away what LiteLLM's client does when a connection breaks: it sends the request again, whatever it is told.

    A request whose connection was reset may have been taken and billed, so that the second would be paid for unseen.
    """
    client: Any = importlib.import_module("litellm.llms.custom_httpx.http_handler").AsyncHTTPHandler

    async def give_up(*_: object, **__: object) -> None:
        broken = sys.exception()
        assert broken is not None
        raise broken

    client.single_connection_post_request = give_up


def named(target: Target) -> Named:
    """What LiteLLM makes of a model's name.

    Raises:
        InputFaults: where it means nothing.
    """
    litellm = library()
    try:
        name, provider, key, base = litellm.get_llm_provider(model=target.model, api_base=target.api_base)
    except litellm.BadRequestError:
        raise InputFaults(
            Fault(
                file=target.model,
                field="model",
                problem=f"no provider serves a model named {target.model!r}",
                advice="Write PROVIDER/MODEL as LiteLLM has it; a server of your own is openai/MODEL with api_base.",
            )
        ) from None
    return Named(name=name, provider=provider, key=key, base=base)


def chat_config(model: Named) -> Any:
    """How LiteLLM translates chat completions for that model."""
    utils = importlib.import_module("litellm.utils")
    return utils.ProviderConfigManager.get_provider_chat_config(model.name, library().LlmProviders(model.provider))


def missing_keys(target: Target) -> list[str]:
    """The environment variables of keys that LiteLLM misses for a model."""
    missing = library().validate_environment(model=target.model)["missing_keys"]
    return [name for name in missing if name.endswith("_API_KEY")]


def secrets() -> list[str]:
    """What nobody may read in an error."""
    return [value for name, value in os.environ.items() if name.endswith(SECRETS)]


def refuse_unnamed_server(target: Target, provider: str) -> None:
    """Whose answers they are must stand in the evaluation, since they are kept under that name."""
    if target.api_base is not None:
        return
    redirecting = [f"{provider.upper()}_{ending}" for ending in REDIRECTIONS]
    set_here = [name for name in redirecting if os.environ.get(name)]
    if set_here:
        raise no_address(target, f"{set_here[0]} sends it to a server that the evaluation does not name")
    if provider in OWN_SERVERS:
        raise no_address(target, "it has no api_base")


def no_address(target: Target, problem: str) -> InputFaults:
    """The fault of a model whose server nobody named."""
    return InputFaults(
        Fault(
            file=target.model,
            field="api_base",
            problem=problem,
            advice="Write the server's address as api_base; ${NAME} may stand there beside an `endpoint`.",
        )
    )


def no_key(target: Target, variable: str) -> InputFaults:
    """The fault of a model whose key is not set."""
    return InputFaults(
        Fault(
            file="environment",
            field=variable,
            problem=f"the key for {target.model} is not set",
            advice=f"Set {variable}, or give the model an api_base that needs none.",
        )
    )


def bodies(model: Named, config: Any) -> Callable[[Request], Body]:
    """Bodies as LiteLLM would send them; parameters are translated once for each variant, not for each call."""
    translated = dict[str, dict[str, Any]]()

    def body(request: Request) -> Body:
        if request.kind == "embedding":
            return embedding_body(model.name, request)
        known = json.dumps(request.params, sort_keys=True)
        if known not in translated:
            translated[known] = parameters(model, request.params)
        messages = [dict(m.to_json()) for m in request.messages]
        sent = config.transform_request(model.name, messages, dict(translated[known]), {}, {})
        extra = sent.pop("extra_body", {})
        return {**sent, **extra}

    return body


def parameters(model: Named, params: Mapping[str, JsonValue]) -> dict[str, Any]:
    """A request's parameters in the provider's words.

    Raises:
        Denied: where the model does not have one of them.
    """
    utils = importlib.import_module("litellm.utils")
    try:
        translated = utils.get_optional_params(model=model.name, custom_llm_provider=model.provider, **params)
    except library().BadRequestError as error:
        raise bad_params(error) from None
    translated.pop("stream", None)
    return translated


def with_betas(model: Named, headers: dict[str, str], body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Anthropic's header of features that a request needs, and its body, as LiteLLM sends them."""
    betas: Any = importlib.import_module("litellm.anthropic_beta_headers_manager")
    kept, body = betas.update_request_with_filtered_beta(headers=headers, request_data=body, provider=model.provider)
    return kept.get("anthropic-beta", ""), body


def errors() -> tuple[type[Exception], ...]:
    """What its calls raise of its own, translated or not."""
    untranslated: Any = importlib.import_module("litellm.llms.base_llm.chat.transformation")
    return (*library().exceptions.LITELLM_EXCEPTION_TYPES, untranslated.BaseLLMException)


def bad_params(error: Any) -> Denied:
    """What LiteLLM says of a parameter that a model does not have."""
    return Denied("params", f"change the variant's params ({str(error.message).splitlines()[0]})")
