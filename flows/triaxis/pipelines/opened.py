"""The models, batch APIs and probe of one run: each is opened when it is first needed, and ends with the run."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from triaxis.domain.evaluation import target_key
from triaxis.domain.variant import Limits, Target
from triaxis.ports.batches import BatchApi
from triaxis.ports.models import ChatModel, ProbeClient
from triaxis.wiring import Providers, Wiring


@dataclass(slots=True, kw_only=True)
class Opened:
    """What is open."""

    wiring: Wiring
    stack: AsyncExitStack
    """Closes it."""
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _models: dict[str, ChatModel] = field(default_factory=dict[str, ChatModel])
    _apis: dict[str, BatchApi] = field(default_factory=dict[str, BatchApi])
    _providers: Providers | None = None

    async def model(self, target: Target, limits: Limits) -> ChatModel:
        """The model at a target."""
        key = f"{target.kind} {target_key(target.model, target.api_base)}"
        async with self._opening:
            if key not in self._models:
                models = (await self._open(limits)).models
                self._models[key] = await self.stack.enter_async_context(models.open(target))
        return self._models[key]

    async def batch_api(self, target: Target, limits: Limits) -> BatchApi:
        """The batch API of the model at a target."""
        key = target_key(target.model, target.api_base)
        async with self._opening:
            if key not in self._apis:
                batches = (await self._open(limits)).batches
                self._apis[key] = await self.stack.enter_async_context(batches.open(target))
        return self._apis[key]

    async def probes(self, limits: Limits) -> ProbeClient:
        """What measures."""
        async with self._opening:
            return (await self._open(limits)).probes

    async def _open(self, limits: Limits) -> Providers:
        if self._providers is None:
            self._providers = await self.stack.enter_async_context(self.wiring.providers(limits))
        return self._providers
