"""Whose rows are whose, among workers that share a row store: ours is what nobody has, awaits or asks for.

One worker at a time settles that for a model, and has noted what it will do before the next one looks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

from triaxis.domain.batches import BatchIntent
from triaxis.domain.evaluation import target_key
from triaxis.domain.keys import Keys
from triaxis.pipelines import on_their_way
from triaxis.pipelines.session import Session
from triaxis.steps.orders import Order

DIED = (
    "another worker ended while it asked for {rows} rows: what it had in flight may be billed, and comes into these "
    "books when it is started again on its own disk"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """An order, parted."""

    mine: Order
    """What this run is to ask for."""
    others: Order
    """The rest: on its way in batches, or asked for by others."""
    flying: Sequence[BatchIntent]
    """The batches."""
    elsewhere: bool
    """Whether another worker is asking for some of it live."""


def missing(session: Session, order: Order) -> Order:
    """What of an order has no row."""
    return order.part(~session.wiring.store.known(order.keys))


@asynccontextmanager
async def planning(session: Session, order: Order) -> AsyncGenerator[Share]:
    """The order's share, which stays as it is for the length of the context: note what is done about it before."""
    target = target_key(order.model, order.endpoint)
    async with session.turns.turn(f"plan-{sha256(target.encode()).hexdigest()[:16]}"):
        flying = on_their_way.flying(session, order.keys)
        asked = await _asked_elsewhere(session, target)
        lacking = missing(session, order) if session.wiring.shared else order
        theirs = lacking.keys.among(Keys.joined([*(keys for _, keys in flying), asked]))
        yield Share(
            mine=lacking.part(~theirs),
            others=lacking.part(theirs),
            flying=[intent for intent, _ in flying],
            elsewhere=bool(lacking.keys.among(asked).any()),
        )


@asynccontextmanager
async def asking(session: Session, order: Order) -> AsyncGenerator[Share]:
    """The order's share, to be asked for live within the context: other workers leave it to this one meanwhile."""
    async with AsyncExitStack() as ours:
        async with planning(session, order) as share:
            if session.wiring.shared and len(share.mine):
                target, askings = target_key(order.model, order.endpoint), session.wiring.askings
                name = askings.note(target, share.mine.keys)
                ours.callback(session.wiring.claims.forget, name)
                await ours.enter_async_context(session.turns.turn(name))
                # A note whose claim nobody holds is a dead worker's: it goes before the claim does.
                ours.callback(askings.drop, target, name)
                ours.push_async_callback(session.seal)
        yield share


async def _asked_elsewhere(session: Session, target: str) -> Keys:
    """The rows that other workers are asking for live; what dead ones left behind is cleared away."""
    if not session.wiring.shared:
        return Keys.of([])
    askings, asked = session.wiring.askings, list[Keys]()
    for name, keys in askings.noted(target).items():
        if await session.turns.theirs(name):
            asked.append(keys)
        elif not session.turns.holds(name) and name in askings.noted(target):
            askings.drop(target, name)
            session.wiring.claims.forget(name)
            session.progress.note(DIED.format(rows=len(keys)))
    return Keys.joined(asked)
