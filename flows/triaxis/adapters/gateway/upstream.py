"""Whoever answers the gateway's rows and live calls: the protocol, and an OpenAI-compatible server as one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from typing import Protocol

import aiohttp

from triaxis.adapters.models.http_session import broken, session
from triaxis.errors import Terminal
from triaxis.ports.clock import Clock
from triaxis.rules.calls.provider_errors import retry_after_s

PLAIN = {"Accept-Encoding": "identity"}
"""Asks for bodies as they are: what is passed on is passed as it comes."""
MOST_ANSWER_BYTES = 64 * 2**20
"""Of one row's answer, which is held whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole response, of any status."""

    status: int
    body: bytes
    request_id: str | None = None
    """The upstream's own name for the request."""
    retry_after_s: float | None = None
    """What it asked for, where it refused."""
    busy_core_s: float | None = None
    """CPU-seconds that it spent on the request; None where nobody knows."""

    @property
    def answered(self) -> bool:
        """Whether the status says so."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Where a live call goes."""

    base: str
    """Such as `http://127.0.0.1:8080/v1`."""
    key: str | None = field(default=None, repr=False)
    """Takes the place of the caller's own; None sends the caller's."""


class Upstream(Protocol):
    """A server with OpenAI's endpoints. Safe for concurrent calls."""

    async def answer(self, path: str, body: bytes) -> Answer:
        """What it says to a body posted to a path under its base, such as `/chat/completions`; sent once.

        Raises:
            CallFailed: where no whole response came; with `billed` False where the request surely was not taken.
        """
        ...

    def live(self) -> AbstractAsyncContextManager[Live]:
        """Where a call may go that is passed through, while the context lasts.

        Raises:
            CallFailed: where it may go nowhere.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the upstream may take."""

    connect_s: float = 10.0
    """Until a connection stands."""
    answer_s: float = 600.0
    """Until a row is answered whole; of a live call, between any two reads."""


@asynccontextmanager
async def open_session(timeouts: Timeouts, url: str = "") -> AsyncGenerator[aiohttp.ClientSession]:
    """Pooled connections to the server at that URL, by the proxy that the environment names for it."""
    timeout = aiohttp.ClientTimeout(total=timeouts.answer_s, sock_connect=timeouts.connect_s)
    async with session(url, None, timeout) as opened:
        yield opened


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUpstream:
    """A server that runs already."""

    session: aiohttp.ClientSession
    base: str
    clock: Clock
    key: str | None = field(default=None, repr=False)

    async def answer(self, path: str, body: bytes) -> Answer:
        """What the server says."""
        return await post(self.session, f"{self.base}{path}", body, clock=self.clock, key=self.key)

    @asynccontextmanager
    async def live(self) -> AsyncGenerator[Live]:
        """Its own address, at any time."""
        yield Live(base=self.base, key=self.key)


async def post(client: aiohttp.ClientSession, url: str, body: bytes, *, clock: Clock, key: str | None = None) -> Answer:
    """Sends a JSON body once, and returns the whole response, without the key where somebody repeats it.

    Raises:
        CallFailed: where no whole response came.
    """
    headers = {"Content-Type": "application/json", **PLAIN}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    try:
        # A redirect would carry the key elsewhere.
        async with client.post(url, data=BytesIO(body), headers=headers, allow_redirects=False) as response:
            content = await _whole(response)
            request_id = response.headers.get("x-request-id")
            wait = retry_after_s(response.headers, clock.now_ns() / 1e9)
    except (aiohttp.ClientError, TimeoutError) as error:
        # Its chain may hold the headers.
        raise broken(error) from None
    if key is not None:
        content = content.replace(key.encode(), b"[key]")
        request_id = None if request_id is None else request_id.replace(key, "[key]")
    return Answer(status=response.status, body=content, request_id=request_id, retry_after_s=wait)


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The body, which may be compressed small and be huge."""
    parts, size = list[bytes](), 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MOST_ANSWER_BYTES:
            raise Terminal("answer_too_long", status=response.status)
        parts.append(part)
    return b"".join(parts)
