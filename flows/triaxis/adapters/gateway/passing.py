"""Passes live calls through to the upstream, streams included, so that one address serves them and batches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from typing import TypeAlias

import aiohttp
from aiohttp import web

from triaxis.adapters.gateway.refusals import Refusal
from triaxis.adapters.gateway.upstream import PLAIN, Live, Timeouts, Upstream
from triaxis.adapters.models.http_session import broken
from triaxis.errors import CallFailed

HOP = frozenset(
    {
        "connection",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers about one connection; the next one has its own (RFC 9110, section 7.6.1)."""
SIZED = frozenset({"content-encoding", "content-length"})
"""Headers about bytes that reach us decoded."""
KEY_MARK = b"[key]"

Headers: TypeAlias = list[tuple[str, str]]


class Passage:
    """Hands requests on, and what comes back."""

    def __init__(self, upstream: Upstream, session: aiohttp.ClientSession, timeouts: Timeouts) -> None:
        self._upstream, self._session = upstream, session
        # A stream may last; what may not is a silence.
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect_s, sock_read=timeouts.answer_s)

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """What the upstream says to the request, as it comes."""
        try:
            async with self._upstream.live() as live:
                return await self._passed(http, live)
        except CallFailed as error:
            status = HTTPStatus.GATEWAY_TIMEOUT if "timeout" in error.reason else HTTPStatus.BAD_GATEWAY
            raise Refusal(status, f"No answer came from the upstream: {error}", may_pass=True) from None

    async def _passed(self, http: web.Request, live: Live) -> web.StreamResponse:
        response: web.StreamResponse | None = None
        try:
            async with self._session.request(
                http.method,
                live.base + http.raw_path.removeprefix("/v1"),
                headers=_headers(http, live),
                data=http.content if http.can_read_body else None,
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                response = web.StreamResponse(status=answer.status, headers=_answered(answer.headers))
                await response.prepare(http)
                async for piece in without_key(answer.content, live.key):
                    await response.write(piece)
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            if response is None:
                raise broken(error) from None
            if isinstance(error, ConnectionError):
                raise  # the caller's own: nobody is there to be told
            # Half of it is sent: only a connection that breaks tells the caller that there should be more.
            if http.transport is not None:
                http.transport.close()
            return response
        await response.write_eof()
        return response


async def without_key(content: aiohttp.StreamReader, key: str | None) -> AsyncGenerator[bytes]:
    """The pieces of a stream as they come, without the key, should somebody repeat it.

    Of each piece no more is held back than could be the key's beginning.
    """
    secret, held = (key or "").encode(), b""
    async for piece in content.iter_any():
        if not secret:
            yield piece
            continue
        whole = (held + piece).replace(secret, KEY_MARK)
        length = next((n for n in range(len(secret) - 1, 0, -1) if whole.endswith(secret[:n])), 0)
        held = whole[len(whole) - length :]
        yield whole[: len(whole) - length]
    if held:
        yield held


def _headers(http: web.Request, live: Live) -> Headers:
    """Of the request as it goes on."""
    # An encoded body reaches us decoded.
    dropped = HOP | {"accept-encoding"} | (SIZED if "Content-Encoding" in http.headers else frozenset[str]())
    if live.key is None:
        return [*_without(http.headers, dropped), *PLAIN.items()]
    own = {"Authorization": f"Bearer {live.key}", **PLAIN}
    return [*_without(http.headers, dropped | {"authorization"}), *own.items()]


def _answered(headers: Mapping[str, str]) -> Headers:
    """Of the response as it goes back."""
    return _without(headers, HOP | SIZED)


def _without(headers: Mapping[str, str], dropped: frozenset[str]) -> Headers:
    return [(name, value) for name, value in headers.items() if name.lower() not in dropped]
