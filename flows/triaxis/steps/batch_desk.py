"""What buying in batches needs, and how a provider is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from triaxis.domain.batches import BatchIntent
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.variant import Limits
from triaxis.errors import CallFailed, Transient
from triaxis.ports.batches import BatchBook
from triaxis.ports.clock import Clock
from triaxis.ports.progress import Progress
from triaxis.ports.stores import RowStore
from triaxis.quantities import Money
from triaxis.rules.calls.budget import cost_of
from triaxis.rules.calls.retry import Failures, wait_s
from triaxis.stats.seeds import generator
from triaxis.steps.purse import Purse
from triaxis.steps.turns import Turns

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one evaluation's batches are noted, and by what limits and prices they are bought."""

    evaluation: str
    book: BatchBook
    store: RowStore
    clock: Clock
    progress: Progress
    limits: Limits
    prices: Mapping[str, PriceRow]
    purse: Purse
    turns: Turns
    reading: asyncio.Lock
    """Held while a batch's results are read: many at once would take no less time, and memory for each."""

    def turn(self, name: str) -> AbstractAsyncContextManager[None]:
        """The right to hand a batch over, and to seal what it brought, which one worker has at a time."""
        return self.turns.turn(_turn(name))

    async def begin(self, name: str) -> None:
        """Keeps a batch that is about to be intended from every other worker until it is handed over."""
        await self.turns.begin(_turn(name))

    def most(self, intent: BatchIntent) -> Money:
        """No more than this can be billed for a batch."""
        return cost_of(intent.upper, self.prices.get(intent.model), "batch")

    async def again(self, name: str, failures: Failures, error: CallFailed) -> Failures | None:
        """Waits until something that failed may be tried again; None where that would not help any more."""
        failures = failures.and_one(refused=error.status == HTTPStatus.TOO_MANY_REQUESTS)
        draw = float(generator("batch", name, str(failures)).random())
        retry_after_s = error.retry_after_s if isinstance(error, Transient) else None
        wait = wait_s(failures, max_attempts=self.limits.max_attempts, draw=draw, retry_after_s=retry_after_s)
        if wait is None or not isinstance(error, Transient):
            return None
        await self.clock.sleep(wait)
        return failures

    async def steadily(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Does what may be done more than once, for as long as trying again may help.

        Raises:
            CallFailed: the last failure.
        """
        failures: Failures | None = Failures()
        while True:
            try:
                return await call()
            except CallFailed as error:
                failures = await self.again(name, failures, error)
                if failures is None:
                    raise


def _turn(name: str) -> str:
    return f"batch-{name}"
