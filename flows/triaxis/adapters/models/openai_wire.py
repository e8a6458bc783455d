"""Chat completions and embeddings over an OpenAI-compatible wire, with one pooled HTTP client.

Calls are sent whole, not streamed. Nothing here measures latency (that is the probe's work, on a client of its own),
a plain body is kept byte for byte, and it costs a fraction of the processor time of a parsed stream, which is what
bounds 64 calls at once. The time to the first token of a whole answer is the time to its first byte, so the three
timeouts of a stream keep their meaning:

    connect       until the connection stands
    first token   until the first byte, and between any two reads after it
    total         until the last byte

A body that ends early shows as fewer bytes than were announced, as an open chunk, or as JSON without an end.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from triaxis.adapters.models.http_session import broken, session
from triaxis.adapters.models.openai_address import Address
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits
from triaxis.errors import Transient
from triaxis.ports.clock import Clock
from triaxis.ports.models import ChatModel, Received
from triaxis.rules.calls.provider_errors import failure, kept

CLIENT = "aiohttp"
HEADERS = {"Content-Type": "application/json"}


@asynccontextmanager
async def open_wire(address: Address, *, limits: Limits, clock: Clock) -> AsyncGenerator[ChatModel]:
    """The model at that address; connections are kept until the context ends."""
    async with session(address.url, address.key, _timeouts(limits)) as client:
        yield _Wire(client, address, clock)


def _timeouts(limits: Limits) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=limits.total_timeout_s,
        sock_connect=limits.connect_timeout_s,
        sock_read=limits.first_token_timeout_s,
    )


@dataclass(frozen=True, slots=True)
class _Wire:
    client: aiohttp.ClientSession
    address: Address
    clock: Clock

    async def complete(self, request: Request) -> Received:
        """Sends one request, once."""
        data = json.dumps(self.address.body(request), ensure_ascii=False, separators=(",", ":")).encode()
        try:
            status, headers, body = await self._post(self.address.url_of(request.kind), data)
        except (aiohttp.ClientError, TimeoutError) as error:
            # The error's text names the address only, but its chain may hold the session's headers.
            raise broken(error) from None
        raw = _text(body, status)
        if status != HTTPStatus.OK:
            now_s = self.clock.now_ns() / 1e9
            raise failure(
                status, headers, raw, now_s=now_s, variable=self.address.variable, keys=(self.address.key or "",)
            )
        return Received(raw=kept(raw, request.kind), client=CLIENT)

    async def _post(self, url: str, data: bytes) -> tuple[int, Mapping[str, str], bytes]:
        # A redirect would carry the key elsewhere, and turn the call into another one.
        async with self.client.post(url, data=data, headers=HEADERS, allow_redirects=False) as response:
            return response.status, response.headers, await response.read()


def _text(body: bytes, status: int) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        if status == HTTPStatus.OK:
            raise Transient("malformed") from None
        return body.decode(errors="replace")
