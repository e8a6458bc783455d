"""One contract for every probe client, and what the real one makes of a server's bad moods."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from build_calls import a_request
from build_probe import ScriptedProbeClient
from sse_server import an_sse_server

from triaxis.adapters.models.openai_address import Address, plain_address
from triaxis.adapters.probes.client import ProbeProcess, WorkerDied
from triaxis.domain.rows import ProbeRow
from triaxis.domain.variant import Target
from triaxis.ports.models import ProbeCall, ProbeClient
from triaxis.quantities import Tokens

KEY = "sk-made-up-for-this-test"
NOWHERE = Target(model="openai/small", api_base="http://127.0.0.1:9/v1")


def calls_of(*said: str, warmup: int = 0, gap_s: float = 0.01) -> list[ProbeCall]:
    """Calls that ask for these answers, `gap_s` apart, after as many warm-up calls."""
    due = [(i - warmup, "answer", 0.0) for i in range(warmup)] + [(i, s, i * gap_s) for i, s in enumerate(said)]
    return [
        ProbeCall(index=i, case_id=f"case {i}", offset_s=at, request=a_request(s, max_tokens=2)) for i, s, at in due
    ]


def located(target: Target) -> Address:
    address = plain_address(target, {"OPENAI_API_KEY": KEY})
    assert address is not None
    return address


async def run(client: ProbeClient, target: Target, calls: Sequence[ProbeCall], timeout_s: float = 5) -> list[ProbeRow]:
    async with client.held(), aclosing(client.run_block(target, calls, timeout_s=timeout_s)) as rows:
        return [row async for row in rows]


@asynccontextmanager
async def a_client(kind: str) -> AsyncGenerator[tuple[ProbeClient, Target]]:
    if kind == "script":
        yield ScriptedProbeClient(), NOWHERE
        return
    async with an_sse_server() as server:
        yield ProbeProcess(locate=located), Target(model="openai/small", api_base=server.api_base)


async def measured(*said: str, timeout_s: float = 5, gap_s: float = 0.01) -> list[ProbeRow]:
    """What the real client makes of these answers, by index."""
    async with an_sse_server() as server:
        target = Target(model="openai/small", api_base=server.api_base)
        rows = await run(ProbeProcess(locate=located), target, calls_of(*said, gap_s=gap_s), timeout_s)
    return sorted(rows, key=lambda row: row.index)


@pytest.mark.parametrize("kind", ["script", "process"])
async def test_every_call_has_one_row_and_warmup_comes_first(kind: str) -> None:
    calls = calls_of("answer", "answer", "answer", warmup=2)
    async with a_client(kind) as (client, target):
        rows = await run(client, target, calls)
    assert [row.index for row in rows[:2]] == [-2, -1]
    assert sorted((row.index, row.case_id) for row in rows) == [(call.index, call.case_id) for call in calls]


@pytest.mark.parametrize("kind", ["script", "process"])
async def test_times_count_from_the_schedule_and_tokens_do_not_overlap(kind: str) -> None:
    async with a_client(kind) as (client, target):
        rows = [row for row in await run(client, target, calls_of("answer", "answer", warmup=1)) if row.index >= 0]
    for row in rows:
        assert row.scheduled_ns <= row.sent_ns <= (row.first_ns or 0) <= (row.last_ns or 0)
        assert row.usage == Tokens(input=6, cached=4, output=2)
        assert (row.error, row.variant, row.key) == (None, "", "")
    first, second = sorted(row.scheduled_ns for row in rows)
    assert second - first == 10_000_000


@pytest.mark.parametrize("kind", ["script", "process"])
async def test_several_blocks_are_served_while_it_is_held(kind: str) -> None:
    async with a_client(kind) as (client, target), client.held():
        for _ in range(2):
            async with aclosing(client.run_block(target, calls_of("answer"), timeout_s=5)) as rows:
                assert [row.error async for row in rows] == [None]
        assert client.busy_core_s(target) is None


async def test_what_is_sent_is_the_request_streamed_with_usage_and_the_key() -> None:
    async with an_sse_server() as server:
        target = Target(model="openai/small", api_base=server.api_base)
        await run(ProbeProcess(locate=located), target, calls_of("answer"))
    assert server.requests == [
        {
            "model": "small",
            "messages": [{"role": "user", "content": "answer"}],
            "max_tokens": 2,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert f"Authorization: Bearer {KEY}" in server.headers[0]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("filter", "content_filter"),
        ("error event", "server"),
        ("no json", "malformed"),
        ("no object", "malformed"),
        ("page", "malformed"),
        ("silence", "truncated"),
        ("half", "truncated"),
        ("cut", "truncated"),
        ("reset", "reset"),
        ("401", "status_401"),
        ("429", "status_429"),
        ("500", "status_500"),
        ("hang", "timeout"),
    ],
)
async def test_each_failure_has_its_word(said: str, error: str) -> None:
    (row,) = await measured(said, timeout_s=0.5)
    assert (row.error, row.ttft_ms, row.full_ms) == (error, None, None)


async def test_a_wire_that_is_not_openais_is_left_to_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it speaks to a server whose wire is, so that the same answers can be given; it is named in every row."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with an_sse_server() as server:
        target = Target(model="openai/small", api_base=server.api_base)
        client = ProbeProcess(locate=lambda _: None)
        rows = await run(client, target, calls_of("answer", "429", "401", warmup=1), timeout_s=20)
    told = {row.index: (row.error, row.client) for row in rows}
    assert told == {i: (e, "litellm") for i, e in ((-1, None), (0, None), (1, "status_429"), (2, "status_401"))}
    (answered,) = (row for row in rows if row.index == 0)
    assert answered.ttft_ms is not None
    assert (answered.usage.input, answered.usage.cached, answered.usage.output) == (6, 4, 2)
    assert len(server.requests) == 4


async def test_a_server_that_is_not_there() -> None:
    (row,) = await run(ProbeProcess(locate=located), NOWHERE, calls_of("answer"))
    assert row.error == "connect"


async def test_an_empty_answer_ends_when_it_is_known_to_be_empty() -> None:
    (row,) = await measured("nothing")
    assert (row.error, row.first_ns) == (None, row.last_ns)
    assert row.ttft_ms is not None


@pytest.mark.parametrize("said", ["no finish", "tool"])
async def test_odd_but_whole_answers_count(said: str) -> None:
    (row,) = await measured(said)
    assert row.error is None
    assert row.ttft_ms is not None


async def test_no_request_waits_for_another() -> None:
    """Each takes 200 ms, and they are due 10 ms apart: all are sent before the first is answered."""
    rows = await measured(*["slow"] * 10)
    assert max(row.sent_ns for row in rows) < min(row.first_ns or 0 for row in rows)
    assert [row.ttft_ms for row in rows if (row.ttft_ms or 0) < 195] == []


async def test_breaking_off_stops_the_sending() -> None:
    """The block would take 20 s; its process ends with whoever listens to it."""
    async with an_sse_server() as server:
        client, target = ProbeProcess(locate=located), Target(model="openai/small", api_base=server.api_base)
        async with client.held():
            async with aclosing(client.run_block(target, calls_of(*["answer"] * 20, gap_s=1), timeout_s=5)) as rows:
                await anext(rows)
            await asyncio.sleep(0.3)
            sent = len(server.requests)
            async with aclosing(client.run_block(target, calls_of("answer"), timeout_s=5)) as rows:
                assert [row.error async for row in rows] == [None]
    assert len(server.requests) == sent + 1 <= 3


async def test_a_worker_that_dies_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    client = ProbeProcess(locate=located)
    monkeypatch.setattr(sys, "executable", shutil.which("true"))
    with pytest.raises(WorkerDied, match="ended in the middle of a block"):
        await run(client, NOWHERE, calls_of("answer"))


async def test_the_worker_ends_with_its_input_in_the_middle_of_a_block() -> None:
    """Nobody would hear of its answers, and each may cost something."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "triaxis.adapters.probes.worker",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert worker.stdin is not None
    call = {"index": 0, "offset_s": 60.0, "body": "{}"}
    block = {"url": "http://127.0.0.1:9/v1", "headers": dict[str, str](), "timeout_s": 5, "calls": [call]}
    worker.stdin.write(json.dumps(block).encode() + b"\n")
    await worker.stdin.drain()
    await asyncio.sleep(0.5)
    worker.stdin.close()
    assert await asyncio.wait_for(worker.wait(), 10) == 0
