"""A server that streams what the last message asks for, over real sockets; all of it is simulated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}


def event(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    """A chunk with one choice."""
    return data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def data(value: Any) -> bytes:
    """An event of that JSON."""
    return framed(b"data: " + json.dumps(value).encode() + b"\n\n")


def framed(content: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(content), content)


def plain(status: int, body: bytes) -> bytes:
    """A whole response."""
    return b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


ROLE = event({"role": "assistant", "content": ""})
DONE = framed(b"data: [DONE]\n\n")
COUNTED = data({"choices": [], "usage": USAGE})
SAID: Mapping[str, bytes] = {
    "answer": HEAD
    + ROLE
    + event({"content": "a"})
    + event({"content": "b"})
    + event({}, "stop")
    + COUNTED
    + DONE
    + END,
    "nothing": HEAD + ROLE + event({}, "stop") + COUNTED + DONE + END,
    "no finish": HEAD + event({"content": "a"}) + DONE + END,
    "tool": HEAD + event({"tool_calls": [{"index": 0}]}) + event({}, "tool_calls") + DONE + END,
    "filter": HEAD + event({"content": "a"}, "content_filter") + DONE + END,
    "error event": HEAD + event({"content": "a"}) + data({"error": {"message": "broke"}}) + END,
    "no json": HEAD + framed(b"data: {oops\n\n") + END,
    "no object": HEAD + data([1]) + END,
    "page": plain(200, b"<html>sign in</html>"),
    "silence": HEAD + END,
    "half": HEAD + event({"content": "a"}) + END,
    "cut": HEAD + event({"content": "a"}),
    "reset": b"",
    "401": plain(401, b'{"error": {"message": "bad key"}}'),
    "429": plain(429, b"{}"),
    "500": plain(500, b"{}"),
}
CLOSED = ("cut", "reset")
"""After these the connection is closed."""


@dataclass(slots=True)
class SseServer:
    """A running server, and what it was sent."""

    api_base: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[str] = field(default_factory=list[str])

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until it ends."""
        try:
            while await self._answer(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if head.startswith("HEAD"):
            writer.write(b"HTTP/1.1 405 Said\r\nContent-Length: 0\r\n\r\n")
            return True
        length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
        body = json.loads(await reader.readexactly(int(length)))
        self.requests.append(body)
        self.headers.append(head)
        said = body["messages"][-1]["content"]
        if said == "hang":
            await asyncio.sleep(30)
        if said == "slow":
            await asyncio.sleep(0.2)
        writer.write(SAID["answer" if said == "slow" else said])
        return said not in CLOSED


@asynccontextmanager
async def an_sse_server() -> AsyncGenerator[SseServer]:
    """Serves from this event loop until the context ends."""
    served, talks = SseServer(), set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        await served.talk(reader, writer)
        talks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    served.api_base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield served
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
