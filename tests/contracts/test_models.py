"""The port `Models`: one suite for our own wire, for LiteLLM, and for the model that other tests use."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import aiohttp
import pytest
from build_calls import a_body, a_request, a_vector_body, an_embedding_request
from recording_server import Answer, aborting, cutting, hanging, recording_server, resetting, saying, stalling

from triaxis.adapters.models.http_session import broken
from triaxis.adapters.models.litellm_models import open_litellm
from triaxis.adapters.models.registry import LiveModels
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.variant import Limits, Target
from triaxis.errors import CallFailed, Denied, InputFaults, Terminal, Transient
from triaxis.ports.models import ChatModel
from triaxis.rules.calls.reply import parse_reply

KEY = "sk-made-up-and-searched-for"
LIMITS = Limits(connect_timeout_s=0.5, first_token_timeout_s=0.3, total_timeout_s=3.0)
CLOCK = SystemClock()

Opener: TypeAlias = Callable[[str], AbstractAsyncContextManager[ChatModel]]


@asynccontextmanager
async def no_local_model(target: Target) -> AsyncGenerator[ChatModel]:
    raise AssertionError(target)
    yield  # pyright: ignore[reportUnreachable]


def models(**environ: str) -> LiveModels:
    return LiveModels(local=no_local_model, limits=LIMITS, clock=CLOCK, environ=environ)


def wire(api_base: str) -> AbstractAsyncContextManager[ChatModel]:
    return models(OPENAI_API_KEY=KEY).open(Target(model="openai/small", api_base=api_base))


def litellm(api_base: str) -> AbstractAsyncContextManager[ChatModel]:
    return open_litellm(Target(model="openai/small", api_base=api_base), limits=LIMITS, clock=CLOCK)


@pytest.fixture(params=[wire, litellm])
def opener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Opener:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return request.param


async def the_error(opener: Opener, answer: Answer) -> CallFailed:
    async with recording_server(answer) as server, opener(server.api_base) as model:
        with pytest.raises(CallFailed) as raised:
            await model.complete(a_request())
        assert len(server.heard) == 1, "sent once, and not again"
    return raised.value


async def test_an_answer_comes_whole(opener: Opener) -> None:
    async with recording_server() as server, opener(server.api_base) as model:
        received = await model.complete(a_request())
    assert parse_reply(received.raw) == parse_reply(a_body())
    assert received.client in ("aiohttp", "litellm")


async def test_many_calls_at_once_are_not_mixed_up(opener: Opener) -> None:
    async with recording_server() as server, opener(server.api_base) as model:
        await asyncio.gather(*(model.complete(a_request(f"question {number}")) for number in range(20)))
        asked = sorted(heard.body["messages"][0]["content"] for heard in server.heard)
    assert asked == sorted(f"question {number}" for number in range(20))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (saying("{}", 500), "server"),
        (saying("", 503), "server"),
        (hanging, "timeout"),
        (saying("<html>"), "malformed"),
        (saying('{"choices": []}'), "malformed"),
    ],
)
async def test_failures_that_may_have_been_billed(opener: Opener, answer: Answer, reason: str) -> None:
    error = await the_error(opener, answer)
    assert isinstance(error, Transient)
    assert error.billed
    if opener is wire:
        assert error.reason == reason


@pytest.mark.parametrize("answer", [aborting, resetting, cutting(announced=True), cutting(announced=False)])
async def test_broken_connections_may_have_been_billed(opener: Opener, answer: Answer) -> None:
    error = await the_error(opener, answer)
    assert isinstance(error, Transient)
    assert error.billed


async def test_litellms_own_client_sends_once_where_a_connection_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left alone it would send again, unseen, what may have been taken and billed."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    def anthropic(api_base: str) -> AbstractAsyncContextManager[ChatModel]:
        target = Target(model="anthropic/claude-sonnet-4-5", api_base=api_base.removesuffix("/v1"))
        return open_litellm(target, limits=LIMITS, clock=CLOCK)

    error = await the_error(anthropic, aborting)
    assert isinstance(error, Transient)
    assert error.billed


async def test_a_rate_limit_is_not_billed_and_says_how_long(opener: Opener) -> None:
    error = await the_error(opener, saying("{}", 429, {"Retry-After": "7"}))
    assert isinstance(error, Transient)
    assert (error.reason, error.billed, error.retry_after_s) == ("rate_limit", False, 7.0)


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("context_length_exceeded", "This model's maximum context length is 100 tokens", "context_length"),
        ("content_policy_violation", "Your request was rejected by our content_policy", "content_filter"),
        ("invalid_value", "temperature must be below 2", "bad_request"),
    ],
)
async def test_a_request_at_fault_leaves_its_case_without_an_answer(
    opener: Opener, code: str, message: str, reason: str
) -> None:
    body = f'{{"error": {{"message": "{message}", "type": "invalid_request_error", "code": "{code}"}}}}'
    error = await the_error(opener, saying(body, 400))
    assert isinstance(error, Terminal)
    assert (error.reason, error.billed) == (reason, False)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "invalid_api_key", "authentication"),
        (404, "model_not_found", "not_found"),
        (429, "insufficient_quota", "quota"),
    ],
)
async def test_what_no_call_survives_stops_the_run_without_telling_the_key(
    opener: Opener, status: int, code: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = f'{{"error": {{"message": "Incorrect API key: {KEY}", "type": "{code}", "code": "{code}"}}}}'
    error = await the_error(opener, saying(body, status))
    assert isinstance(error, Denied)
    assert error.reason == reason
    assert KEY not in f"{error!r} {error} {caplog.text}"


async def test_an_address_without_a_server_is_surely_not_billed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with wire(f"http://127.0.0.1:{taken.getsockname()[1]}/v1") as model:
            with pytest.raises(Transient) as raised:
                await model.complete(a_request())
    assert (raised.value.reason, raised.value.billed) == ("connect", False)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (aborting, "reset"),
        (resetting, "reset"),
        (cutting(announced=True), "truncated"),
        (cutting(announced=False), "truncated"),
        (stalling, "timeout"),
        (saying(b'{"choices": "\xff"}'), "malformed"),
        (saying(b"\xff", 500), "server"),
    ],
)
async def test_the_wire_names_what_broke(answer: Answer, reason: str) -> None:
    assert (await the_error(wire, answer)).reason == reason


async def test_something_that_is_not_http_is_malformed() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"220 mail ready\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server, wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as model:
        with pytest.raises(Transient) as raised:
            await model.complete(a_request())
    assert raised.value.reason == "malformed"


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    error = await the_error(wire, saying("", 307, {"Location": "http://127.0.0.1:9/elsewhere"}))
    assert isinstance(error, Denied)


async def test_a_server_of_the_users_own_needs_no_key() -> None:
    async with recording_server() as server:
        async with models().open(Target(model="openai/small", api_base=server.api_base)) as model:
            await model.complete(a_request())
        assert server.heard[0].authorization is None


async def test_a_local_model_is_opened_by_whoever_manages_it() -> None:
    with pytest.raises(AssertionError, match="local/tiny"):
        async with models().open(Target(model="local/tiny")):
            pass


@pytest.mark.parametrize("api_base", ["not a url", "http://"])
async def test_an_address_that_is_none_stops_the_run(api_base: str) -> None:
    async with wire(api_base) as model:
        with pytest.raises(Denied, match="api_base is not a URL"):
            await model.complete(a_request())


async def test_a_missing_key_is_named_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InputFaults, match="Set OPENAI_API_KEY"):
        async with models().open(Target(model="openai/gpt-4o-mini")):
            pass


async def test_a_missing_key_of_a_provider_that_litellm_calls_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(InputFaults, match="Set ANTHROPIC_API_KEY"):
        async with models().open(Target(model="anthropic/claude-sonnet-4-5")):
            pass


async def test_a_name_that_no_provider_has_is_a_fault() -> None:
    with pytest.raises(InputFaults, match="no provider serves a model named 'tiny'"):
        async with models().open(Target(model="tiny")):
            pass


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/gpt-4o-mini", "OPENAI_BASE_URL"),
        ("openai/gpt-4o-mini", "OPENAI_API_BASE"),
        ("groq/llama-3.1-8b-instant", "GROQ_API_BASE"),
        ("ollama/llama3", "OLLAMA_API_BASE"),
    ],
)
async def test_a_server_that_only_the_environment_names_is_refused(
    model: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers would be stored under the vendor's name."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9/v1")
    with pytest.raises(InputFaults, match=f"{variable} sends it to a server"):
        async with models().open(Target(model=model)):
            pass


@pytest.mark.parametrize("provider", ["hosted_vllm", "litellm_proxy"])
async def test_a_server_of_the_users_own_needs_an_address(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM would send its calls, and its key, to OpenAI."""
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", KEY)
    with pytest.raises(InputFaults, match="it has no api_base"):
        async with models().open(Target(model=f"{provider}/small")):
            pass


async def test_a_server_that_speaks_no_tls_stops_the_run() -> None:
    async with recording_server() as server, wire(server.api_base.replace("http:", "https:")) as model:
        with pytest.raises(Denied, match="tls"):
            await model.complete(a_request())


async def test_a_proxy_of_the_environment_is_used_except_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with recording_server() as proxy, recording_server() as server:
        monkeypatch.setenv("http_proxy", proxy.api_base.removesuffix("/v1"))
        for api_base in ("http://models.invalid/v1", server.api_base):
            async with wire(api_base) as model:
                await model.complete(a_request())
        assert (len(proxy.heard), len(server.heard)) == (1, 1)


def test_a_connection_that_takes_too_long_is_surely_not_billed() -> None:
    error = broken(aiohttp.ConnectionTimeoutError())
    assert isinstance(error, Transient)
    assert (error.reason, error.billed) == ("connect_timeout", False)


def wire_of_vectors(api_base: str) -> AbstractAsyncContextManager[ChatModel]:
    return models(OPENAI_API_KEY=KEY).open(Target(model="openai/embed", api_base=api_base, kind="embedding"))


def litellm_of_vectors(api_base: str) -> AbstractAsyncContextManager[ChatModel]:
    target = Target(model="openai/embed", api_base=api_base, kind="embedding")
    return open_litellm(target, limits=LIMITS, clock=CLOCK)


@pytest.mark.parametrize("opener", [wire_of_vectors, litellm_of_vectors])
@pytest.mark.parametrize(
    ("answer", "reason", "billed"),
    [
        (saying("", 500), "server", True),
        (saying("", 429), "rate_limit", False),
        (saying(a_vector_body()), "malformed", True),
        (saying('{"error": {"message": "This model\'s maximum context length is 8"}}', 400), "context_length", False),
        (saying('{"error": {"code": "invalid_api_key"}}', 401), "authentication", False),
        (aborting, "reset server", True),  # LiteLLM says of a broken connection that the server broke
        (hanging, "timeout", True),
    ],
)
async def test_embeddings_fail_as_chats_do(
    opener: Opener, answer: Answer, reason: str, monkeypatch: pytest.MonkeyPatch, *, billed: bool
) -> None:
    """Once, with a mark that says what may have been billed."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with recording_server(answer) as server, opener(server.api_base) as model:
        with pytest.raises(CallFailed) as raised:
            await model.complete(an_embedding_request())
        assert len(server.heard) == 1
    assert raised.value.reason in reason.split()
    assert raised.value.billed == billed
    assert KEY not in str(raised.value)
