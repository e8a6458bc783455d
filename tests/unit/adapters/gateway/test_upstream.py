from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from build_calls import a_body
from recording_server import Answer as Script
from recording_server import RecordingServer, cutting, hanging, recording_server, resetting, saying

from triaxis.adapters.gateway import upstream
from triaxis.adapters.gateway.upstream import Answer, HttpUpstream, Timeouts, open_session
from triaxis.adapters.system_clock import SystemClock
from triaxis.errors import CallFailed, Denied, Terminal, Transient

KEY = "sk-made-up"


async def asked(script: Script, *, key: str | None = KEY) -> tuple[Answer, RecordingServer]:
    """What a real server says, over real HTTP."""
    async with recording_server(script) as server, open_session(Timeouts(answer_s=0.3), server.api_base) as session:
        there = HttpUpstream(session=session, base=server.api_base, clock=SystemClock(), key=key)
        return await there.answer("/chat/completions", b'{"model":"m"}'), server


async def test_a_row_is_posted_as_it_is_with_the_key() -> None:
    headers = {"x-request-id": "abc", "Retry-After": "3"}
    answer, server = await asked(saying(a_body(), 429, headers))
    assert answer == Answer(status=429, body=a_body().encode(), request_id="abc", retry_after_s=3.0)
    (heard,) = server.heard
    assert (heard.path, heard.body, heard.authorization) == ("/v1/chat/completions", {"model": "m"}, f"Bearer {KEY}")
    assert heard.content_type == "application/json"


async def test_without_a_key_none_is_sent() -> None:
    _, server = await asked(saying(a_body()), key=None)
    assert server.heard[0].authorization is None


async def test_a_key_that_is_repeated_is_taken_out() -> None:
    answer, _ = await asked(saying(f"you are {KEY}", 401, {"x-request-id": f"of-{KEY}"}))
    assert (answer.body, answer.request_id) == (b"you are [key]", "of-[key]")


async def test_a_redirect_is_not_followed() -> None:
    """It would carry the key elsewhere."""

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("http://127.0.0.1:9/")

    answer, server = await asked(elsewhere)
    assert (answer.status, answer.answered, len(server.heard)) == (307, False, 1)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (hanging, "timeout"),
        (resetting, "reset"),
        (cutting(announced=True), "truncated"),
        (cutting(announced=False), "truncated"),
    ],
)
async def test_what_broke_is_told_and_may_have_been_answered(script: Script, reason: str) -> None:
    with pytest.raises(Transient) as raised:
        await asked(script)
    assert (raised.value.reason, raised.value.billed) == (reason, True)


@pytest.mark.parametrize(
    ("base", "kind", "reason"),
    [("http://127.0.0.1:9/v1", Transient, "connect"), ("http://[/v1", Denied, "address")],
)
async def test_a_server_that_is_not_there_has_surely_not_taken_it(
    base: str, kind: type[CallFailed], reason: str
) -> None:
    async with open_session(Timeouts()) as session:
        there = HttpUpstream(session=session, base=base, clock=SystemClock())
        with pytest.raises(kind) as raised:
            await there.answer("/completions", b"{}")
    assert (raised.value.reason, raised.value.billed) == (reason, False)


async def test_an_answer_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MOST_ANSWER_BYTES", 1_000)
    with pytest.raises(Terminal, match="answer_too_long"):
        await asked(saying("x" * 1_001))
    assert len((await asked(saying("x" * 1_000)))[0].body) == 1_000


def test_a_key_is_in_no_text_of_an_upstream() -> None:
    session: Any = None
    there = HttpUpstream(session=session, base="", clock=SystemClock(), key=KEY)
    assert KEY not in repr(there)
