"""`ports.batches.BatchApis`: each model's batches by the way that reaches them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from triaxis.adapters.batches.mistral import open_mistral_batches
from triaxis.adapters.batches.openai import open_openai_batches
from triaxis.adapters.batches.support import rules_of
from triaxis.adapters.models.openai_address import Address
from triaxis.adapters.models.registry import address_of
from triaxis.adapters.probes.client import local_address
from triaxis.domain.batches import BatchRules
from triaxis.domain.variant import Limits, Target
from triaxis.errors import Fault, InputFaults
from triaxis.ports.batches import BatchApi
from triaxis.ports.clock import Clock
from triaxis.rules.batches.providers import NoBatches

OPENAI = frozenset({"openai", "hosted_vllm", "litellm_proxy"})
"""Providers whose batches are OpenAI's protocol at an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBatches:
    """Opens batches of OpenAI's protocol, of Mistral's and of Anthropic's, and those that LiteLLM reaches."""

    gateway: Callable[[Target], AbstractAsyncContextManager[str]]
    """The base address of a gateway in front of a `local/NAME`, for as long as it is held."""
    limits: Limits
    clock: Clock
    environ: Mapping[str, str]
    """Holds the keys."""

    @asynccontextmanager
    async def open(self, target: Target) -> AsyncGenerator[BatchApi]:
        """The batch API of the model at that target, ready to be called.

        Raises:
            InputFaults: where its provider has none, or its key is not set; nothing has been sent then.
        """
        rules = rules_of(target)
        if isinstance(rules, NoBatches):
            raise InputFaults(Fault(file=target.model, field="transport", problem=rules.problem, advice=rules.advice))
        if rules.provider == "local":
            async with self.gateway(target) as base, self._openai(local_address(base, target.model), rules) as api:
                yield api
        else:
            async with self._hosted(target, rules) as api:
                yield api

    def _hosted(self, target: Target, rules: BatchRules) -> AbstractAsyncContextManager[BatchApi]:
        if rules.provider in OPENAI:
            return self._openai(self._address(target), rules)
        if rules.provider == "mistral":
            name = target.model.partition("/")[2]
            return open_mistral_batches(self._address(target), name, rules, limits=self.limits, clock=self.clock)
        # Imported here because LiteLLM is behind both, which takes seconds.
        if rules.provider == "anthropic":
            from triaxis.adapters.batches.anthropic import open_anthropic_batches

            return open_anthropic_batches(target, rules, limits=self.limits, clock=self.clock)
        from triaxis.adapters.batches.litellm_batches import open_litellm_batches

        return open_litellm_batches(target, rules, limits=self.limits, clock=self.clock)

    def _openai(self, address: Address, rules: BatchRules) -> AbstractAsyncContextManager[BatchApi]:
        return open_openai_batches(address, rules, limits=self.limits, clock=self.clock)

    def _address(self, target: Target) -> Address:
        address = address_of(target, self.environ)
        assert address is not None, "the wires of these providers are OpenAI's"
        return address
