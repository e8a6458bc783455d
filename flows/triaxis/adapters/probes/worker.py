"""The process that sends probes: a thin streaming client on an open-loop schedule, and nothing else.

Run as `python -m triaxis.adapters.probes.worker`. Each line of standard input is one block:

    {"url", "headers", "timeout_s", "calls": [{"index", "offset_s", "body"}]}
    {"model", "api_base", "timeout_s", "calls": ...}                            for a wire that is not OpenAI's

Each request's outcome is one line on standard output, as it ends; `{"done": true}` ends the block, and the end of
standard input ends the process. Times are nanoseconds since the block's start, on the monotonic clock.

A request leaves when it is due, whatever became of those before it. Bodies are made beforehand, connections are opened
beforehand, and the garbage collector waits while a block runs: what is measured is the server.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from triaxis.adapters.probes.reading import Fields, Reading
from triaxis.errors import CallFailed

CONNECTIONS = 8
"""Opened before a block starts; more are opened as the load asks for them, as any client does."""
LEAD_S = 0.05
"""From the start of a block's clock to its first due time, so that everything is in place."""
EARLY_S = 0.001
"""The event loop's timers are late by up to so much: they are set early, and the rest is waited out awake."""
LINE_BYTES = 2**26
"""Longest line read: a block with all its bodies."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one request."""

    index: int
    scheduled_ns: int
    sent_ns: int
    client: str
    first_ns: int | None = None
    last_ns: int | None = None
    error: str | None = None
    usage: Fields | None = None


class Sender(Protocol):
    """Sends one request and reads its stream."""

    client: str

    async def connect(self) -> None:
        """Opens connections before a block starts."""
        ...

    async def stream(self, body: bytes, reading: Reading) -> str | None:
        """Returns what was wrong, None for a whole answer."""
        ...


@dataclass(slots=True, kw_only=True)
class Wire:
    """Sends to an OpenAI-compatible address."""

    url: str
    session: aiohttp.ClientSession
    client: str = "aiohttp"

    async def connect(self) -> None:
        """Opens connections side by side; what the server says to a HEAD does not matter."""
        await asyncio.gather(*(self._head() for _ in range(CONNECTIONS)))

    async def _head(self) -> None:
        try:
            async with asyncio.timeout(5), self.session.head(self.url, allow_redirects=False) as response:
                await response.read()
        except (aiohttp.ClientError, OSError):
            return

    async def stream(self, body: bytes, reading: Reading) -> str | None:
        """Posts, and stamps bytes as they come."""
        async with self.session.post(self.url, data=body, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                return f"status_{response.status}"
            async for data in response.content.iter_any():
                reading.feed(data)
        return reading.error()


@dataclass(slots=True, kw_only=True)
class ThroughLitellm:
    """Sends to a provider with a wire of its own; LiteLLM's milliseconds are in what is measured, so it is named."""

    chunks: Callable[..., AsyncGenerator[Fields]]
    model: str
    api_base: str | None
    client: str = "litellm"

    async def connect(self) -> None:
        """Its connections are its own."""

    async def stream(self, body: bytes, reading: Reading) -> str | None:
        """Asks LiteLLM for the stream, and stamps chunks as they come."""
        try:
            async for chunk in self.chunks(self.model, self.api_base, **json.loads(body)):
                reading.take(chunk)
        except CallFailed as error:
            return error.reason if error.status is None else f"status_{error.status}"
        return reading.error()


@dataclass(slots=True, kw_only=True)
class Block:
    """One block being sent."""

    sender: Sender
    timeout_s: float
    report: Callable[[Outcome], None]
    start_ns: int = field(default_factory=time.monotonic_ns)

    async def send(self, index: int, body: bytes, offset_s: float | None) -> None:
        """Sends one request now and reports what became of it; without an offset it is due now."""
        sent = time.monotonic_ns() - self.start_ns
        due = sent if offset_s is None else round((LEAD_S + offset_s) * 1e9)
        reading = Reading(start_ns=self.start_ns)
        outcome = Outcome(index=index, scheduled_ns=due, sent_ns=sent, client=self.sender.client)
        try:
            async with asyncio.timeout((due - sent) / 1e9 + self.timeout_s):
                outcome.error = await self.sender.stream(body, reading)
        except (aiohttp.ClientError, OSError, ValueError, TypeError, AttributeError) as error:
            outcome.error = _word(error)
        outcome.first_ns, outcome.last_ns, outcome.usage = reading.first_ns, reading.last_ns, reading.usage
        self.report(outcome)


def _word(error: Exception) -> str:
    match error:
        case aiohttp.ClientSSLError() | aiohttp.ClientConnectorCertificateError():
            return "tls"
        case aiohttp.ClientConnectorError():
            return "connect"
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientPayloadError():
            return "truncated"
        case ValueError() | TypeError() | AttributeError() | aiohttp.ClientResponseError():
            # No JSON, JSON of another shape, or no HTTP.
            return "malformed"
        case _:
            return "reset"


async def run_block(block: Fields, report: Callable[[Outcome], None]) -> None:
    """Sends the warm-up requests (negative index) one by one, then all others when they are due."""
    calls = [(c["index"], c["offset_s"], c["body"].encode()) for c in block["calls"]]
    async with _sender(block) as sender:
        run = Block(sender=sender, timeout_s=block["timeout_s"], report=report)
        for index, _, body in calls:
            if index < 0:
                await run.send(index, body, None)
        await sender.connect()
        with _quiet():
            await _on_schedule(run, [call for call in calls if call[0] >= 0])


async def _on_schedule(run: Block, calls: list[tuple[int, float, bytes]]) -> None:
    loop = asyncio.get_running_loop()
    sending, left = list[asyncio.Task[None]](), asyncio.Event()

    def send(index: int, body: bytes, offset_s: float) -> None:
        if loop.time() < start + offset_s:
            loop.call_soon(send, index, body, offset_s)
            return
        sending.append(loop.create_task(run.send(index, body, offset_s)))
        if len(sending) == len(calls):
            left.set()

    run.start_ns = time.monotonic_ns()
    start = loop.time() + LEAD_S
    for index, offset_s, body in calls:
        loop.call_at(start + offset_s - EARLY_S, send, index, body, offset_s)
    await left.wait()
    await asyncio.gather(*sending)


@asynccontextmanager
async def _sender(block: Fields) -> AsyncGenerator[Sender]:
    url: str | None = block.get("url")
    if url is None:
        from triaxis.adapters.models.litellm_models import stream

        yield ThroughLitellm(chunks=stream, model=block["model"], api_base=block["api_base"])
        return
    local = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    async with aiohttp.ClientSession(
        headers=block["headers"],
        timeout=aiohttp.ClientTimeout(total=None),
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=not local,
    ) as session:
        yield Wire(url=url, session=session)


@contextmanager
def _quiet() -> Generator[None]:
    """Keeps the garbage collector out of a block."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


async def serve(blocks: asyncio.Queue[bytes], write: Callable[[bytes], None]) -> None:
    """Runs block after block."""

    def say(value: Fields) -> None:
        write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    while True:
        await run_block(json.loads(await blocks.get()), lambda outcome: say(asdict(outcome)))
        say({"done": True})


async def main() -> None:
    """Serves standard input and output until the input ends, in the middle of a block too: nobody would hear of it."""
    # Where the system lets it: a sender that waits for a processor measures that.
    with suppress(OSError):
        os.nice(-10)
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    # Written without waiting: a reader that is busy must not stop the clock of those in flight.
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    blocks = asyncio.Queue[bytes]()
    serving = asyncio.create_task(serve(blocks, transport.write))
    ended = asyncio.create_task(_receive(lines, blocks))
    await asyncio.wait((serving, ended), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    serving.cancel()


async def _receive(lines: asyncio.StreamReader, blocks: asyncio.Queue[bytes]) -> None:
    while line := await lines.readline():
        blocks.put_nowait(line)


if __name__ == "__main__":
    asyncio.run(main())
