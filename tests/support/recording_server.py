"""A chat completions server in the test's own loop: it remembers what it was sent, and answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from build_calls import a_body
from provider_parts import reset

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request as it came."""

    path: str
    authorization: str | None
    content_type: str
    body: Mapping[str, Any]
    betas: str | None = None
    """Anthropic's header of features that are asked for."""


@dataclass(slots=True)
class RecordingServer:
    """What was heard, and what is answered."""

    answer: Answer
    heard: list[Heard] = field(default_factory=list[Heard])
    api_base: str = ""

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """Remembers, then answers."""
        self.heard.append(
            Heard(
                path=str(http.rel_url),
                authorization=http.headers.get("Authorization"),
                content_type=http.headers.get("Content-Type", ""),
                body=json.loads(await http.read() or b"{}"),
                betas=http.headers.get("anthropic-beta"),
            )
        )
        return await self.answer(http)


def saying(body: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answers with that body."""

    async def answer(_: web.Request) -> web.StreamResponse:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(body=data, status=status, headers=headers, content_type="application/json")

    return answer


async def hanging(_: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.sleep(60)
    raise AssertionError


async def resetting(http: web.Request) -> web.StreamResponse:
    """Closes the connection."""
    assert http.transport is not None
    http.transport.close()
    return web.Response()


async def aborting(http: web.Request) -> web.StreamResponse:
    """Resets the connection, as a machine does that went down."""
    reset(http)
    return web.Response()


def cutting(*, announced: bool) -> Answer:
    """Half of a body: of a known length, or in chunks."""

    async def answer(http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        data = a_body().encode()
        if announced:
            response.content_length = len(data)
        await response.prepare(http)
        await response.write(data[: len(data) // 2])
        return await resetting(http)

    return answer


async def stalling(http: web.Request) -> web.StreamResponse:
    """Half of a body, and then nothing."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(http)
    await response.write(b'{"choices":')
    await asyncio.sleep(60)
    return response


@asynccontextmanager
async def recording_server(answer: Answer | None = None) -> AsyncGenerator[RecordingServer]:
    """Serves until the context ends."""
    server = RecordingServer(answer or saying(a_body()))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.api_base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
