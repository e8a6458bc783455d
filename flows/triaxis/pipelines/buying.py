"""Buys what a stage lacks: live orders as calls, the others in rounds of provider batches, and what those leave over.

settle what an earlier run left behind
while rows are missing, and rounds are left:
    carry the batches that hold some of them; cut what is in none into new ones
ask for the rest live, where the order says so
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from triaxis.domain.batches import BatchIntent
from triaxis.domain.keys import Keys
from triaxis.errors import Denied
from triaxis.pipelines.session import Session
from triaxis.steps.batching import intended
from triaxis.steps.orders import Order
from triaxis.steps.sending import Sent


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
    live = [order for order in orders if order.delivery.transport == "live"]
    batched = [order for order in orders if order.delivery.transport == "batch"]
    if batched:
        await session.settle_batches()
        await session.collect_ready(Keys.joined(order.keys for order in batched))
    async with _together() as group:
        for order in batched:
            group.create_task(_in_batches(session, dispatch, order))
        if live:
            group.create_task(dispatch.calls(session, live))


async def _in_batches(session: Session, dispatch: Dispatch, order: Order) -> None:
    """One order, round by round."""
    number, rounds = 0, session.operations.limits.batch_rounds
    while number < rounds:
        carried = await _round(session, dispatch, order, number)
        if session.waiting:
            return
        order = order.part(~session.wiring.store.known(order.keys))
        if not len(order) or session.denied(order):
            return
        number = max((intent.round for intent in carried), default=rounds) + 1
    if order.delivery.fallback == "live":
        session.progress.note(f"{order.stage}: {len(order)} rows that batches left over are asked for live")
        await dispatch.calls(session, [order])


async def _round(session: Session, dispatch: Dispatch, order: Order, number: int) -> Sequence[BatchIntent]:
    """Carries every batch that holds rows of the order, and new ones for the rest, which start as they are cut."""
    flying = [(intent, keys) for intent, keys in session.flying() if keys.among(order.keys).any()]
    carried = [intent for intent, _ in flying]
    rest = order.part(~order.keys.among(Keys.joined(keys for _, keys in flying)))
    api = await session.batch_api(order.model, order.endpoint)
    if len(rest) < api.rules.min_rows:
        few = f"{api.rules.provider} takes no batch of fewer than {api.rules.min_rows} rows, and {len(rest)} are left"
        session.note_sent(order.model, order.endpoint, Sent(failed=len(rest), last_error=few))
        rest = rest.part(slice(0))
    async with _together() as group:
        for intent in carried:
            group.create_task(dispatch.batch(session, intent))
        try:
            async for intent in intended(rest, api=api, desk=session.desk, number=number):
                carried.append(intent)
                group.create_task(dispatch.batch(session, intent))
        except Denied as error:
            session.note_sent(order.model, order.endpoint, Sent(failed=len(rest), last_error=str(error), denied=True))
    return carried


@asynccontextmanager
async def _together() -> AsyncGenerator[asyncio.TaskGroup]:
    """A group of tasks that end together; what one raises ends the others, and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
