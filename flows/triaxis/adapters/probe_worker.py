"""The process that sends probes: a thin streaming client on an open-loop schedule, and nothing else.

Run as `python -m triaxis.adapters.probe_worker`. Each line of standard input is one block:

    {"url", "headers", "timeout_s", "calls": [{"index", "offset_s", "body"}]}

Each request's outcome is one line on standard output, as it ends; `{"done": true}` ends the block, and the end of
standard input ends the process. Times are nanoseconds since the block's start, on the monotonic clock.

A request leaves when it is due, whatever became of those before it. Bodies are made beforehand, connections are opened
beforehand, and the garbage collector waits while a block runs: what is measured is the server.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp

CLIENT = "aiohttp"
CONNECTIONS = 8
"""Opened before a block starts; more are opened as the load asks for them, as any client does."""
LEAD_S = 0.05
"""From the start of a block's clock to its first due time, so that everything is in place."""
EARLY_S = 0.001
"""The event loop's timers are late by up to so much: they are set early, and the rest is waited out awake."""
LINE_BYTES = 2**26
"""Longest line read: a block with all its bodies."""

Fields = Mapping[str, Any]
"""A JSON object of our own making, or a provider's chunk: looked into with care."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one request."""

    index: int
    scheduled_ns: int
    sent_ns: int
    first_ns: int | None = None
    last_ns: int | None = None
    error: str | None = None
    usage: Fields | None = None
    client: str = CLIENT


@dataclass(slots=True, kw_only=True)
class Reading:
    """One stream as it comes: when content came, and whether it ended as it should."""

    first_ns: int | None = None
    last_ns: int | None = None
    finish: str | None = None
    done: bool = False
    failed: bool = False
    events: int = 0
    usage: Fields | None = None
    _rest: bytes = b""

    def feed(self, data: bytes, now_ns: int) -> None:
        """Takes in bytes that arrived at `now_ns`.

        Raises:
            ValueError, TypeError, AttributeError: for an event that is no JSON, or not of a chunk's shape.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip(), now_ns)

    def _event(self, data: bytes, now_ns: int) -> None:
        if data == b"[DONE]":
            self.done = True
            return
        chunk = json.loads(data)
        self.events += 1
        self._chunk(chunk, now_ns)

    def _chunk(self, chunk: Fields, now_ns: int) -> None:
        self.failed |= "error" in chunk
        self.usage = chunk.get("usage") or self.usage
        for choice in chunk.get("choices") or ():
            if _has_content(choice.get("delta") or {}):
                self._stamp(now_ns)
            if choice.get("finish_reason"):
                self.finish = choice["finish_reason"]
                if self.first_ns is None:
                    # An empty answer is complete when it is known to be empty.
                    self._stamp(now_ns)

    def _stamp(self, now_ns: int) -> None:
        self.first_ns = self.first_ns or now_ns
        self.last_ns = now_ns

    def error(self) -> str | None:
        """What was wrong with a stream that ended; None for a whole answer."""
        if self.failed:
            return "server"
        if self.finish == "content_filter":
            return "content_filter"
        if self._rest and not self.events:
            return "malformed"  # a whole body, or a proxy's page, where a stream was asked for
        return None if self.finish or (self.done and self.first_ns) else "truncated"


def _has_content(delta: Fields) -> bool:
    """Whether a user would see something; hidden reasoning is not content, a tool call or a refusal is."""
    return bool(delta.get("content") or delta.get("tool_calls") or delta.get("refusal"))


@dataclass(slots=True, kw_only=True)
class Block:
    """One block being sent."""

    url: str
    timeout_s: float
    session: aiohttp.ClientSession
    report: Callable[[Outcome], None]
    start_ns: int = field(default_factory=time.monotonic_ns)

    async def send(self, index: int, body: bytes, offset_s: float | None) -> None:
        """Sends one request now and reports what became of it; without an offset it is due now."""
        sent = time.monotonic_ns() - self.start_ns
        due = sent if offset_s is None else round((LEAD_S + offset_s) * 1e9)
        outcome, reading = Outcome(index=index, scheduled_ns=due, sent_ns=sent), Reading()
        try:
            async with asyncio.timeout((due - sent) / 1e9 + self.timeout_s):
                outcome.error = await self._stream(body, reading)
        except (aiohttp.ClientError, OSError, ValueError, TypeError, AttributeError) as error:
            outcome.error = _word(error)
        outcome.first_ns, outcome.last_ns, outcome.usage = reading.first_ns, reading.last_ns, reading.usage
        self.report(outcome)

    async def _stream(self, body: bytes, reading: Reading) -> str | None:
        async with self.session.post(self.url, data=body, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                return f"status_{response.status}"
            async for data in response.content.iter_any():
                reading.feed(data, time.monotonic_ns() - self.start_ns)
        return reading.error()


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
    async with _session(block["url"], block["headers"]) as session:
        run = Block(url=block["url"], timeout_s=block["timeout_s"], session=session, report=report)
        for index, _, body in calls:
            if index < 0:
                await run.send(index, body, None)
        await _connect(session, run.url)
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
async def _session(url: str, headers: Mapping[str, str]) -> AsyncGenerator[aiohttp.ClientSession]:
    local = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    async with aiohttp.ClientSession(
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=None),
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=not local,
    ) as session:
        yield session


async def _connect(session: aiohttp.ClientSession, url: str) -> None:
    """Opens connections side by side; what the server says to a HEAD does not matter."""

    async def head() -> None:
        try:
            async with asyncio.timeout(5), session.head(url, allow_redirects=False) as response:
                await response.read()
        except (aiohttp.ClientError, OSError):
            return

    await asyncio.gather(*(head() for _ in range(CONNECTIONS)))


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
