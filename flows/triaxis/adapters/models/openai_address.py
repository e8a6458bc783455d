"""Where an OpenAI-compatible model is reached, and what is said to it: chats, and texts whose vectors are wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Request
from triaxis.domain.variant import CallKind, Target
from triaxis.rules.calls.embedding import text_of

Body: TypeAlias = Mapping[str, JsonValue]

PLAIN = {"openai": "OPENAI_API_KEY", "hosted_vllm": "HOSTED_VLLM_API_KEY"}
"""Providers whose requests say just what they mean, by name, with the variable of their key."""
TRANSLATED = re.compile(r"o\d|gpt-5|.*(search|audio)")
"""OpenAI's models for which LiteLLM rewrites messages or parameters."""
CHATS, EMBEDDINGS = "/chat/completions", "/embeddings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where and how a model takes calls."""

    url: str
    """The whole URL of chats, `.../chat/completions`; embeddings are made beside it."""
    variable: str
    """The environment variable that holds the key."""
    key: str | None = field(default=None, repr=False)
    """None sends no Authorization: many local servers want none."""
    body: Callable[[Request], Body] = field(repr=False)
    """What is sent for a request."""

    def url_of(self, kind: CallKind) -> str:
        """The URL that takes calls of a kind."""
        return self.url if kind == "chat" else f"{self.url.removesuffix(CHATS)}{EMBEDDINGS}"


def plain_address(target: Target, environ: Mapping[str, str]) -> Address | None:
    """The address of a model on a server of the user's own, without LiteLLM; None where its help is needed.

    LiteLLM takes seconds to import and would send the same, which a contract test holds.
    """
    provider, _, name = target.model.partition("/")
    if target.api_base is None or provider not in PLAIN or TRANSLATED.match(name):
        return None
    variable = PLAIN[provider]
    return Address(
        url=completions_url(target.api_base),
        variable=variable,
        key=key_of(variable, environ),
        body=plain_body(name),
    )


def completions_url(api_base: str) -> str:
    """The URL to post to, under a base such as `http://127.0.0.1:8000/v1`."""
    return f"{api_base.rstrip('/')}{CHATS}"


def key_of(variable: str, environ: Mapping[str, str]) -> str | None:
    """The key in that variable; an empty one is none."""
    return environ.get(variable, "").strip() or None


def plain_body(model: str) -> Callable[[Request], Body]:
    """Bodies that say what the request says, for the model under the provider's own name for it."""

    def body(request: Request) -> Body:
        if request.kind == "embedding":
            return embedding_body(model, request)
        return {"model": model, "messages": [m.to_json() for m in request.messages], **request.params}

    return body


def embedding_body(model: str, request: Request) -> Body:
    """What asks for the vector of one text, under the provider's own name of the model."""
    return {"model": model, "input": [text_of(request)], **request.params}
