"""A gateway in front of a managed local model, for batches whose rows know their CPU-seconds."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp

from triaxis.adapters.gateway.serve import GatewaySettings, open_gateway
from triaxis.adapters.gateway.upstream import Answer, Live, open_session, post
from triaxis.adapters.local.models import LocalModels, TakeTurn
from triaxis.domain.variant import Target
from triaxis.errors import Denied, ServerDied
from triaxis.ports.clock import Clock


@asynccontextmanager
async def open_local_gateway(
    target: Target, settings: GatewaySettings, *, local: LocalModels, clock: Clock
) -> AsyncGenerator[str]:
    """A gateway in front of a `local/NAME`; yields its `api_base`.

    Rows and live calls share one line: the server answers one request at a time, so that CPU-seconds are its own.

    Args:
        target: the model.
        settings: of the gateway; its state folder is this model's alone, since batches go on where it is opened.
        local: the servers of this process; the model's is shared with whoever else asks it.
        clock: of created_at and completion windows.

    Raises:
        InputFaults: where the model cannot be served here.
    """
    async with local.turns(target) as turn, open_session(settings.timeouts) as session:
        upstream = LocalUpstream(turn=turn, session=session, clock=clock)
        async with open_gateway(upstream, settings, clock=clock) as api_base:
            yield api_base


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUpstream:
    """A managed local server as `gateway.upstream.Upstream`."""

    turn: TakeTurn
    session: aiohttp.ClientSession
    clock: Clock

    async def answer(self, path: str, body: bytes) -> Answer:
        """What the server says, with the CPU-seconds that it took; after a crash, what its successor says."""
        try:
            async with self.turn() as turn:
                answer = await post(self.session, f"{turn.address}{path}", body, clock=self.clock)
                return replace(answer, busy_core_s=turn.busy_core_s())
        except ServerDied as died:
            raise Denied("server_died", str(died)) from None

    @asynccontextmanager
    async def live(self) -> AsyncGenerator[Live]:
        """The server, while nobody else asks it."""
        async with AsyncExitStack() as stack:
            try:
                turn = await stack.enter_async_context(self.turn())
            except ServerDied as died:
                raise Denied("server_died", str(died)) from None
            yield Live(base=turn.address)
