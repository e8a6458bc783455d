"""Builds batches: the APIs of all providers that can run here, at a simulated one, and what is handed to them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from build_calls import a_request

from triaxis.adapters.batches.apis import ProviderBatches
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.batches import BatchReport
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits, Target
from triaxis.ports.batches import BatchApi
from triaxis.rules.batches.lines import BatchLine, read_line

KEY = "sk-made-up-and-searched-for"
NAME = "triaxis-0123456789abcdef"
LIMITS = Limits(connect_timeout_s=10, first_token_timeout_s=30, total_timeout_s=60)
HASTY = Limits(connect_timeout_s=3, first_token_timeout_s=2, total_timeout_s=2)
"""For providers that never answer."""
VARIABLES = ("OPENAI_API_KEY", "MISTRAL_API_KEY", "XAI_API_KEY", "AZURE_API_KEY", "ANTHROPIC_API_KEY")
TARGETS = {
    "openai": ("openai/small", "/v1"),
    "hosted_vllm": ("hosted_vllm/small", "/v1"),
    "litellm_proxy": ("litellm_proxy/small", "/v1"),
    "local": ("local/tiny", "/v1"),
    "mistral": ("mistral/mistral-small-latest", "/mistral/v1"),
    "azure": ("azure/my-deployment", ""),
    "xai": ("xai/grok-4", "/xai/v1"),
    "anthropic": ("anthropic/claude-sonnet-4-5", ""),
}
"""Model and path below the simulated provider's root, by provider."""

Opener: TypeAlias = Callable[[str], AbstractAsyncContextManager[BatchApi]]
"""Opens an API at a provider whose `api_base` is given."""


def apis(root: str = "", limits: Limits = LIMITS, **environ: str) -> ProviderBatches:
    """All batch APIs; a gateway in front of a local model is at `root`."""

    @asynccontextmanager
    async def gateway(target: Target) -> AsyncGenerator[str]:
        assert target.model.startswith("local/")
        yield f"{root}/v1"

    return ProviderBatches(gateway=gateway, limits=limits, clock=SystemClock(), environ=environ)


def opener_of(provider: str, limits: Limits = LIMITS) -> Opener:
    """Opens the API of that provider; keys come from the environment."""
    model, path = TARGETS[provider]

    def opened(api_base: str) -> AbstractAsyncContextManager[BatchApi]:
        root = api_base.removesuffix("/v1")
        target = Target(model=model, api_base=None if provider == "local" else root + path)
        return apis(root, limits, OPENAI_API_KEY=KEY).open(target)

    return opened


def some_requests(count: int = 4, *, model: str = "m") -> list[Request]:
    """Requests that differ."""
    return [a_request(f"question {n} \u2028 „ü“", model=model, temperature=0, max_tokens=60) for n in range(count)]


def written(api: BatchApi, path: Path, requests: Sequence[Request] | None = None) -> Path:
    """The input file of a batch of them."""
    asked = some_requests() if requests is None else requests
    path.write_bytes(b"".join(api.line(request.key, request) for request in asked))
    return path


async def ended(api: BatchApi, provider_id: str) -> BatchReport:
    """The report of a batch that has come to its end."""
    while (report := await api.report(provider_id)).state == "pending":
        pass
    return report


def lines_in(paths: Iterable[Path]) -> list[BatchLine]:
    """Every line that can be read."""
    found: list[BatchLine] = []
    for line in b"".join(path.read_bytes() for path in paths).splitlines():
        try:
            found.append(read_line(line))
        except ValueError:
            continue
    return found


def bodies_in(path: Path) -> list[object]:
    """What an input file asks, line by line."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
