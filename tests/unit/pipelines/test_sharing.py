"""Two workers over one store: no row is asked for by both, whatever each of them does about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest
from build_batches import PRICE, MemoryBook, ScriptedApi, an_order
from build_calls import CountingProgress, TickingClock
from build_claims import MemoryAskings, MemoryClaims
from build_store import MemoryRowStore, a_row, an_attempt

from triaxis.domain.evaluation import Operations
from triaxis.domain.variant import Delivery, Limits, Target
from triaxis.pipelines.buying import bought
from triaxis.pipelines.session import Session
from triaxis.pipelines.stages import Here
from triaxis.ports.batches import BatchApi
from triaxis.steps.batching import intended
from triaxis.steps.orders import Order
from triaxis.steps.sending import Sent
from triaxis.wiring import Wiring

LIVE, BATCH = Delivery(), Delivery(transport="batch")


@dataclass(slots=True)
class Shared:
    """What workers share."""

    store: MemoryRowStore = field(default_factory=MemoryRowStore)
    book: MemoryBook = field(default_factory=MemoryBook)
    claims: MemoryClaims = field(default_factory=MemoryClaims)
    askings: MemoryAskings = field(default_factory=MemoryAskings)
    clock: TickingClock = field(default_factory=TickingClock)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    """Live calls wait for it."""
    calling: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by every live call."""
    asked: list[str] = field(default_factory=list[str])
    """Keys in the order in which the provider was asked live."""

    def __post_init__(self) -> None:
        self.answering.set()


@dataclass(slots=True)
class Worker(Session):
    """A session whose live calls are answered when the shared event is set."""

    shared: Shared = field(default_factory=Shared)
    api: ScriptedApi | None = None

    async def batch_api(self, model: str, endpoint: str | None) -> BatchApi:
        """The scripted one."""
        del model, endpoint
        assert self.api is not None
        return self.api

    async def send(self, orders: Sequence[Order]) -> Sent:
        """Answers everything, in time."""
        keys = [key for order in orders for key in order.keys]
        self.shared.asked += keys
        self.shared.calling.set()
        await self.shared.answering.wait()
        for n, key in enumerate(keys):
            self.shared.store.note(an_attempt(n, key=key), a_row(n, key=key))
        return Sent(answered=len(keys))


def a_worker(shared: Shared) -> Worker:
    operations = Operations(targets={"openai/small@bank": Target(model="openai/small")}, limits=Limits(max_attempts=2))
    wiring = SimpleNamespace(
        config="evaluation.yaml",
        shared=True,
        store=shared.store,
        book=shared.book,
        claims=shared.claims,
        askings=shared.askings,
        clock=shared.clock,
        workspace=SimpleNamespace(operations=lambda: operations),
        evidence=SimpleNamespace(inputs=lambda: SimpleNamespace(prices=SimpleNamespace(rows={PRICE.model: PRICE}))),
    )
    return Worker(
        wiring=cast("Wiring", wiring),
        progress=CountingProgress(),
        shared=shared,
        api=ScriptedApi(book=shared.book),
    )


def keys_of(order: Order) -> list[str]:
    return order.keys.texts()


async def buy(worker: Worker, order: Order) -> None:
    async with asyncio.timeout(5):
        await bought(worker, Here(), [order])


@pytest.mark.parametrize("one", [LIVE, BATCH], ids=["live", "batch"])
@pytest.mark.parametrize("other", [LIVE, BATCH], ids=["and live", "and batch"])
async def test_two_workers_ask_for_each_row_once(one: Delivery, other: Delivery) -> None:
    """Rows b and c are wanted by both, at the same time."""
    shared = Shared()
    first, second = an_order(*"abc", delivery=one), an_order(*"bcd", delivery=other)
    await asyncio.gather(buy(a_worker(shared), first), buy(a_worker(shared), second))
    batched = [key for name in shared.book.held for key in shared.book.held[name].keys]
    assert sorted(shared.asked + batched) == sorted({*keys_of(first), *keys_of(second)})
    assert shared.store.known(first.keys).all()
    assert shared.store.known(second.keys).all()
    assert not shared.claims.held
    assert not shared.askings.notes


async def test_what_another_worker_asks_for_is_waited_for_while_the_rest_goes_on() -> None:
    shared, asked = Shared(), [*keys_of(an_order("a", "b")), *keys_of(an_order("c"))]
    shared.answering.clear()
    buying: list[asyncio.Task[None]] = []
    for texts in ("ab", "bc"):
        shared.calling.clear()
        buying.append(asyncio.create_task(buy(a_worker(shared), an_order(*texts, delivery=LIVE))))
        await shared.calling.wait()
    assert shared.asked == asked
    shared.answering.set()
    await asyncio.gather(*buying)
    assert shared.asked == asked


async def test_rows_of_a_worker_that_was_killed_are_asked_for_again() -> None:
    """Its note is there, and nobody holds the claim to it."""
    shared, order = Shared(), an_order(*"ab", delivery=LIVE)
    shared.askings.note("openai/small@bank", order.keys)
    worker = a_worker(shared)
    await buy(worker, order)
    assert shared.asked == keys_of(order)
    assert not shared.askings.notes
    assert isinstance(worker.progress, CountingProgress)
    assert [text[:40] for text in worker.progress.noted] == ["another worker ended while it asked for 2"[:40]]


async def test_what_is_on_its_way_in_a_batch_is_not_asked_for_live() -> None:
    """The transport was changed while a batch was out: the batch is carried, and only the rest is asked."""
    shared = Shared()
    worker = a_worker(shared)
    assert worker.api is not None
    (intent,) = [i async for i in intended(an_order(*"ab"), api=worker.api, desk=worker.desk, number=0)]
    worker.api.accepted.append(intent.name)  # it was heard, though nobody was told
    await buy(worker, an_order(*"abc", delivery=LIVE))
    assert shared.asked == keys_of(an_order("c"))
    assert shared.store.known(an_order(*"abc").keys).all()
    assert shared.book.record(intent.name).state == "sealed"
