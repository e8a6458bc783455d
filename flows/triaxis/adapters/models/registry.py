"""`ports.models.Models`: each model by the cheapest way that reaches it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from triaxis.adapters.local.models import is_local
from triaxis.adapters.models.openai_address import Address, plain_address
from triaxis.adapters.models.openai_wire import open_wire
from triaxis.domain.variant import Limits, Target
from triaxis.ports.clock import Clock
from triaxis.ports.models import ChatModel


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveModels:
    """Opens managed local models, models on an OpenAI-compatible wire, and every other that LiteLLM reaches."""

    local: Callable[[Target], AbstractAsyncContextManager[ChatModel]]
    """Opens a `local/NAME`."""
    limits: Limits
    clock: Clock
    environ: Mapping[str, str]
    """Holds the keys."""

    @asynccontextmanager
    async def open(self, target: Target) -> AsyncGenerator[ChatModel]:
        """The model at that target, ready to be called.

        Raises:
            InputFaults: where the provider is unknown or its key is not set; nothing has been sent then.
        """
        async with self._opened(target) as model:
            yield model

    def _opened(self, target: Target) -> AbstractAsyncContextManager[ChatModel]:
        if is_local(target.model):
            return self.local(target)
        address = address_of(target, self.environ)
        if address is None:
            from triaxis.adapters.models.litellm_models import open_litellm

            return open_litellm(target, limits=self.limits, clock=self.clock)
        return open_wire(address, limits=self.limits, clock=self.clock)


def address_of(target: Target, environ: Mapping[str, str]) -> Address | None:
    """Where a hosted model takes chat completions; None where its wire is not OpenAI's.

    Raises:
        InputFaults: where the provider is unknown or its key is not set.
    """
    if address := plain_address(target, environ):
        return address
    # Imported here because LiteLLM is behind it, which takes seconds.
    from triaxis.adapters.models.litellm_models import resolve

    return resolve(target)
