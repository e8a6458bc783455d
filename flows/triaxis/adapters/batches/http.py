"""HTTP calls about files and batches, on our own client: each is sent once, and no file is ever in memory."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import cast
from urllib.parse import quote

import aiohttp
from yarl import URL

from triaxis.adapters.batches.result_lines import whole_lines
from triaxis.adapters.models.http_session import broken, session
from triaxis.adapters.models.openai_address import Address
from triaxis.domain.canonical import JsonValue
from triaxis.domain.variant import Limits
from triaxis.errors import CallFailed, Transient
from triaxis.ports.clock import Clock
from triaxis.rules.calls.provider_errors import batch_failure, without

COMPLETIONS = "/chat/completions"
SLOWEST_BYTES_PER_S = 100_000
"""An upload is given up where it is slower than this."""
CHUNK_BYTES = 2**20
NO_IDS = frozenset({"", ".", ".."})
"""What would lead to another path than an id's."""
BROKEN = (aiohttp.ClientError, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHttp:
    """Calls below one base address."""

    client: aiohttp.ClientSession
    address: Address
    limits: Limits
    clock: Clock

    async def get(self, *path: str, **query: str) -> Mapping[str, JsonValue]:
        """The JSON object at a path.

        Raises:
            CallFailed: where there is none; see `ports.batches`.
        """
        return await self._json("GET", path, query=query)

    async def post(self, *path: str, body: Mapping[str, JsonValue] | None = None) -> Mapping[str, JsonValue]:
        """The JSON object that answers another one."""
        return await self._json("POST", path, body=body)

    async def upload(self, name: str, file: Path) -> str:
        """Stores a file of batch lines under a name, and returns its id. No batch is made of it, whatever fails."""
        with await asyncio.to_thread(file.open, "rb") as lines:
            form = aiohttp.FormData({"purpose": "batch"})
            form.add_field("file", lines, filename=name, content_type="application/octet-stream")
            try:
                return id_of(await self._json("POST", ("files",), form=form, size=os.fstat(lines.fileno()).st_size))
            except CallFailed as error:
                raise unbilled(error) from None

    async def download(self, *path: str, to: Path) -> None:
        """Writes the lines at a path to a file.

        Raises:
            Transient: `truncated`, where they came to an early end; there is no file then.
        """
        timeout = aiohttp.ClientTimeout(
            sock_connect=self.limits.connect_timeout_s, sock_read=self.limits.first_token_timeout_s
        )
        try:
            async with self.client.get(self._url(path), timeout=timeout, allow_redirects=False) as response:
                if response.status != HTTPStatus.OK:
                    raise self._failure(response, await response.read())
                with whole_lines(to) as file:
                    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                        file.write(chunk)
        except BROKEN as error:
            raise broken(error) from None

    async def _json(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, JsonValue] | None = None,
        form: aiohttp.FormData | None = None,
        size: int = 0,
    ) -> Mapping[str, JsonValue]:
        url = self._url(path).with_query(query) if query else self._url(path)
        try:
            # A redirect would carry the key elsewhere, and turn the call into another one.
            async with self.client.request(
                method, url, json=body, data=form, timeout=_timeouts(self.limits, size), allow_redirects=False
            ) as response:
                data = await response.read()
        except BROKEN as error:
            # The error's text names the address only, but its chain may hold the session's headers.
            raise broken(error) from None
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._failure(response, data)
        return self._object(data)

    def _url(self, path: tuple[str, ...]) -> URL:
        if NO_IDS.intersection(path):
            raise Transient("malformed")
        base = self.address.url.removesuffix(COMPLETIONS)
        return URL("/".join([base, *(quote(part, safe="") for part in path)]), encoded=True)

    def _object(self, data: bytes) -> Mapping[str, JsonValue]:
        try:
            said: object = json.loads(without([self.address.key or ""], data.decode()))
        except (ValueError, RecursionError):
            raise Transient("malformed") from None
        if not isinstance(said, dict):
            raise Transient("malformed")
        return cast("dict[str, JsonValue]", said)

    def _failure(self, response: aiohttp.ClientResponse, data: bytes) -> CallFailed:
        return batch_failure(
            response.status,
            response.headers,
            data.decode(errors="replace"),
            now_s=self.clock.now_ns() / 1e9,
            variable=self.address.variable,
            keys=(self.address.key or "",),
        )


@asynccontextmanager
async def open_http(address: Address, *, limits: Limits, clock: Clock) -> AsyncGenerator[BatchHttp]:
    """Calls below the base of a chat completions address; connections are kept until the context ends."""
    async with session(address.url, address.key, _timeouts(limits)) as client:
        yield BatchHttp(client=client, address=address, limits=limits, clock=clock)


def _timeouts(limits: Limits, size: int = 0) -> aiohttp.ClientTimeout:
    """Of a call that sends so many bytes. Nothing is read while they go out, so that only the whole has a bound."""
    total = limits.total_timeout_s + size / SLOWEST_BYTES_PER_S
    return aiohttp.ClientTimeout(total=total, sock_connect=limits.connect_timeout_s)


def id_of(said: Mapping[str, JsonValue]) -> str:
    """The id of a file or a batch.

    Raises:
        Transient: `malformed`, where there is none that can stand in an address.
    """
    id_ = said.get("id")
    if not isinstance(id_, str) or id_ in NO_IDS:
        raise Transient("malformed")
    return id_


def unbilled(error: CallFailed) -> CallFailed:
    """The same error of a call that costs nothing, whatever became of it."""
    if not isinstance(error, Transient):
        return error
    return Transient(error.reason, status=error.status, retry_after_s=error.retry_after_s, billed=False)
