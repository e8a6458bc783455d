"""Buys what a stage lacks: live orders as calls, the others in rounds of provider batches, and what those leave over.

settle what an earlier run left behind
while rows are missing, and rounds are left:
    carry the batches that hold some of them; cut what is in none into new ones
ask for the rest live, where the order says so
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from triaxis.domain.batches import BatchIntent
from triaxis.domain.keys import Keys
from triaxis.errors import Denied
from triaxis.pipelines import on_their_way, sharing
from triaxis.pipelines.session import Session
from triaxis.ports.batches import BatchApi
from triaxis.steps.batching import intended
from triaxis.steps.orders import Order
from triaxis.steps.sending import Sent

AGAIN_S = 1.0
"""Until rows that another worker asks for are looked for again."""


class Dispatch(Protocol):
    """How orders are carried out: here and now, or as tasks of an orchestrator."""

    async def calls(self, session: Session, orders: Sequence[Order]) -> None:
        """Returns when every live call was answered or has failed for good; failures show in their absent rows."""
        ...

    async def batch(self, session: Session, intent: BatchIntent) -> None:
        """Submits a batch where it is not, and returns when what it brought is sealed, or it is not waited for."""
        ...


async def bought(session: Session, dispatch: Dispatch, orders: Sequence[Order]) -> None:
    """Returns when everything was bought that can be; what could not shows in absent rows.

    Raises:
        BatchUnknown: where a person has to decide before anything more is bought.
    """
    await on_their_way.settle(session)
    await on_their_way.collect_ready(session, Keys.joined(order.keys for order in orders))
    live = [order for order in orders if order.delivery.transport == "live"]
    async with _together() as group:
        for order in orders:
            if order.delivery.transport == "batch":
                group.create_task(_in_batches(session, dispatch, order))
        if live:
            group.create_task(_live(session, dispatch, live))


async def _live(session: Session, dispatch: Dispatch, orders: Sequence[Order]) -> None:
    """Asks one by one for what nobody has asked for, and waits for what is on its way, here or by another worker."""
    while orders:
        async with AsyncExitStack() as askings, _together() as group:
            shares = [await askings.enter_async_context(sharing.asking(session, order)) for order in orders]
            mine = [share.mine for share in shares if len(share.mine)]
            if mine:
                group.create_task(dispatch.calls(session, mine))
            for intent in {intent.name: intent for share in shares for intent in share.flying}.values():
                group.create_task(dispatch.batch(session, intent))
        if session.waiting:
            return
        left = [share.others for share in shares if not session.denied(share.others)]
        orders = [part for order in left if len(part := sharing.missing(session, order))]
        if orders and not mine:
            await session.wiring.clock.sleep(AGAIN_S)


async def _in_batches(session: Session, dispatch: Dispatch, order: Order) -> None:
    """One order, round by round."""
    number, rounds = 0, session.operations.limits.batch_rounds
    while number < rounds:
        carried, elsewhere = await _round(session, dispatch, order, number)
        if session.waiting:
            return
        order = sharing.missing(session, order)
        if not len(order) or session.denied(order):
            return
        if carried or not elsewhere:
            number = max((intent.round for intent in carried), default=rounds) + 1
        else:
            await session.wiring.clock.sleep(AGAIN_S)
    if order.delivery.fallback == "live":
        session.progress.note(f"{order.stage}: {len(order)} rows that batches left over are asked for live")
        await _live(session, dispatch, [order])


async def _round(session: Session, dispatch: Dispatch, order: Order, number: int) -> tuple[Sequence[BatchIntent], bool]:
    """Carries every batch that holds rows of the order, and new ones for the rest, which start as they are cut.

    Also says whether another worker is asking for some of them live.
    """
    api = await session.batch_api(order.model, order.endpoint)
    async with _together() as group, sharing.planning(session, order) as share:
        carried = list(share.flying)
        for intent in carried:
            group.create_task(dispatch.batch(session, intent))
        try:
            async for intent in intended(_enough(session, share.mine, api), api=api, desk=session.desk, number=number):
                carried.append(intent)
                group.create_task(dispatch.batch(session, intent))
        except Denied as error:
            sent = Sent(failed=len(share.mine), last_error=str(error), denied=True)
            session.note_sent(order.model, order.endpoint, sent)
    return carried, share.elsewhere


def _enough(session: Session, order: Order, api: BatchApi) -> Order:
    """The order, or none of it where the provider would refuse so small a batch."""
    few = api.rules.min_rows
    if len(order) >= few or not len(order):
        return order
    refusal = f"{api.rules.provider} takes no batch of fewer than {few} rows, and {len(order)} are left"
    session.note_sent(order.model, order.endpoint, Sent(failed=len(order), last_error=refusal))
    return order.part(slice(0))


@asynccontextmanager
async def _together() -> AsyncGenerator[asyncio.TaskGroup]:
    """A group of tasks that end together; what one raises ends the others, and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
