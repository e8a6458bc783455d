"""Opens a gateway: takes its state folder, listens, and goes on with what an earlier process left."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from triaxis.adapters.gateway.batch_run import Means
from triaxis.adapters.gateway.batches import Batches, Tell
from triaxis.adapters.gateway.files import FileShelf
from triaxis.adapters.gateway.passing import Passage
from triaxis.adapters.gateway.upstream import Timeouts, Upstream, open_session
from triaxis.adapters.gateway.web_app import Api
from triaxis.adapters.models.http_session import LOOPBACK
from triaxis.adapters.workspace_lock import workspace_lock
from triaxis.errors import Fault, InputFaults
from triaxis.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Where a gateway keeps its state, where it listens, and what it asks of its upstream."""

    state: Path
    """Its folder, which one process at a time holds. It belongs to one upstream: batches go on where it is opened."""
    host: str = "127.0.0.1"
    port: int = 0
    """0 picks a free one."""
    concurrency: int = 4
    """Most rows that are with the upstream at once."""
    timeouts: Timeouts = Timeouts()
    grace_s: float = 5.0
    """How long requests with the upstream may still take when the gateway ends."""


def _silence(_line: str) -> None:
    """Tells nobody."""


@asynccontextmanager
async def open_gateway(
    upstream: Upstream, settings: GatewaySettings, *, clock: Clock, url: str = "", tell: Tell = _silence
) -> AsyncGenerator[str]:
    """A gateway in front of the upstream; yields its `api_base`, such as `http://127.0.0.1:8124/v1`.

    When the context ends, what has not ended is kept for whoever opens the state folder next.

    Args:
        upstream: answers rows and live calls.
        settings: of the gateway.
        clock: of created_at and completion windows.
        url: of the upstream, by which a proxy of the environment is found; none for a server of this machine.
        tell: takes a line for each batch that goes on or ends.

    Raises:
        Busy: where another process holds the state folder.
        StoreDamaged: where the state folder does not hold together; naming the file.
        InputFaults: where the gateway cannot listen there, or not write its state.
    """
    async with AsyncExitStack() as stack:
        _hold(settings.state, clock, stack)
        session = await stack.enter_async_context(open_session(settings.timeouts, url))
        shelf = await asyncio.to_thread(FileShelf.load, settings.state / "files", clock)
        means = Means(
            upstream=upstream,
            shelf=shelf,
            clock=clock,
            concurrency=settings.concurrency,
            slots=asyncio.Semaphore(settings.concurrency),
        )
        batches = Batches(settings.state / "batches", means, tell)
        stack.push_async_callback(batches.close, settings.grace_s)
        await asyncio.to_thread(batches.load)
        api = Api(shelf, batches, Passage(upstream, session, settings.timeouts))
        yield await stack.enter_async_context(_listening(api, settings, batches))


def _hold(state: Path, clock: Clock, stack: AsyncExitStack) -> None:
    try:
        stack.enter_context(workspace_lock(state / "lock", "gateway", clock=clock, what=f"the state folder {state}"))
    except OSError as error:
        problem = f"{state} cannot be written: {error.strerror}"
        raise InputFaults(Fault(file="--state", problem=problem, advice="Name another folder.")) from None


@asynccontextmanager
async def _listening(api: Api, settings: GatewaySettings, batches: Batches) -> AsyncGenerator[str]:
    """Answers requests and sends rows; afterwards neither, but those with the upstream may still come in."""
    runner = web.AppRunner(
        api.application(loopback=settings.host in LOOPBACK),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=settings.grace_s,
    )
    await runner.setup()
    try:
        await _bind(runner, settings)
        batches.resume()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{runner.addresses[0][1]}/v1"
    finally:
        batches.halt()
        await runner.cleanup()


async def _bind(runner: web.AppRunner, settings: GatewaySettings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port, backlog=1024).start()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise InputFaults(
            Fault(
                file="--port" if taken else "--host",
                problem=f"nothing can listen at {settings.host} port {settings.port}: {os.strerror(error.errno or 0)}",
                advice="Stop who listens there, or let --port 0 pick a free one."
                if taken
                else "Name an address of this machine, such as 127.0.0.1.",
            )
        ) from None
