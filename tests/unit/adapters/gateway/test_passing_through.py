from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from build_calls import a_body
from recording_server import Answer, RecordingServer, cutting, hanging, recording_server, resetting, saying, stalling

from triaxis.adapters.gateway.serve import GatewaySettings, open_gateway
from triaxis.adapters.gateway.upstream import HttpUpstream, Timeouts, open_session
from triaxis.adapters.system_clock import SystemClock

KEY = "sk-the-upstreams-own"
CALLERS = "sk-the-callers"
CLOCK = SystemClock()


@asynccontextmanager
async def passing(
    folder: Path, server: RecordingServer, key: str | None = None, *, answer_s: float = 30.0
) -> AsyncGenerator[str]:
    """A gateway in front of the server."""
    settings = GatewaySettings(state=folder / "state", timeouts=Timeouts(answer_s=answer_s), grace_s=0.1)
    async with open_session(settings.timeouts) as session:
        upstream = HttpUpstream(session=session, base=server.api_base, clock=CLOCK, key=key)
        async with open_gateway(upstream, settings, clock=CLOCK) as base:
            yield base


async def test_a_call_is_passed_as_it_is(tmp_path: Path) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "é"}], "seed": 7}
    answer = saying(a_body(), status=201, headers={"x-request-id": "abc", "Connection": "keep-alive"})
    async with (
        recording_server(answer) as server,
        passing(tmp_path, server) as base,
        aiohttp.ClientSession() as session,
    ):
        headers = {"Authorization": f"Bearer {CALLERS}"}
        async with session.post(f"{base}/chat/completions?a=b%2Fc", json=body, headers=headers) as response:
            assert (response.status, response.headers["x-request-id"]) == (201, "abc")
            assert await response.text() == a_body()
    (heard,) = server.heard
    assert (heard.path, heard.body) == ("/v1/chat/completions?a=b/c", body)
    assert heard.authorization == f"Bearer {CALLERS}"


async def test_the_gateways_own_key_takes_the_place_of_the_callers_and_is_never_told(tmp_path: Path) -> None:
    async def telling(http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=401)
        await response.prepare(http)
        for piece in (b"wrong key: sk-the-", b"upstreams-own, s", b"k-the"):
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    async with recording_server(telling) as server, passing(tmp_path, server, KEY) as base:
        headers = {"Authorization": f"Bearer {CALLERS}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{base}/embeddings", json={}, headers=headers) as response,
        ):
            assert (response.status, await response.text()) == (401, "wrong key: [key], sk-the")
    assert [heard.authorization for heard in server.heard] == [f"Bearer {KEY}"]


async def test_a_stream_comes_piece_by_piece(tmp_path: Path) -> None:
    """The second piece is sent only once the first has come through."""
    came = asyncio.Event()

    async def streaming(http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(http)
        await response.write(b"data: one\n\n")
        await came.wait()
        await response.write(b"data: two\n\n")
        return response

    async with (
        recording_server(streaming) as server,
        passing(tmp_path, server, KEY) as base,
        aiohttp.ClientSession() as session,
        session.post(f"{base}/chat/completions", json={"stream": True}) as response,
    ):
        assert response.content_type == "text/event-stream"
        assert await response.content.readany() == b"data: one\n\n"
        came.set()
        assert await response.content.readany() == b"data: two\n\n"


@pytest.mark.parametrize(("answer", "status"), [(hanging, 504), (resetting, 502)], ids=["hanging", "resetting"])
async def test_an_upstream_that_does_not_answer_is_told(answer: Answer, status: int, tmp_path: Path) -> None:
    async with (
        recording_server(answer) as server,
        passing(tmp_path, server, answer_s=0.2) as base,
        aiohttp.ClientSession() as session,
        session.post(f"{base}/completions", json={}) as response,
    ):
        said = await response.json()
    assert (response.status, said["error"]["type"]) == (status, "server_error")


@pytest.mark.parametrize("answer", [cutting(announced=True), cutting(announced=False), stalling])
async def test_an_answer_that_breaks_off_breaks_off_for_the_caller_too(answer: Answer, tmp_path: Path) -> None:
    async with (
        recording_server(answer) as server,
        passing(tmp_path, server, answer_s=0.2) as base,
        aiohttp.ClientSession() as session,
        session.post(f"{base}/completions", json={}) as response,
    ):
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_bodies_that_come_compressed_are_passed_readable(tmp_path: Path) -> None:
    async def compressed(http: web.Request) -> web.StreamResponse:
        assert json.loads(await http.read()) == {"a": 1}
        return web.Response(body=gzip.compress(b'{"b": 2}'), headers={"Content-Encoding": "gzip"})

    async with recording_server(compressed) as server, passing(tmp_path, server) as base:
        sent = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{base}/completions", data=gzip.compress(b'{"a": 1}'), headers=sent) as response,
        ):
            assert json.loads(await response.read()) == {"b": 2}


async def test_a_caller_who_goes_away_leaves_the_gateway_as_it_was(tmp_path: Path) -> None:
    async def endless(http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(http)
        while True:
            await response.write(b"x" * 100_000)
            await asyncio.sleep(0)

    async with (
        recording_server(endless) as server,
        passing(tmp_path, server) as base,
        aiohttp.ClientSession() as session,
    ):
        async with session.post(f"{base}/completions", json={}) as response:
            await response.content.readany()
        server.answer = saying(a_body())
        async with session.post(f"{base}/completions", json={}) as response:
            assert await response.text() == a_body()
