"""A gateway in front of a real local model: batches whose rows know their CPU-seconds."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from build_gateway import CHAT, a_row, jsonl, lines_of

from triaxis.adapters.gateway.serve import GatewaySettings
from triaxis.adapters.local.gateway import open_local_gateway
from triaxis.adapters.local.models import LocalModels, faults
from triaxis.adapters.models.openai_wire import open_wire
from triaxis.adapters.probes.client import local_address
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.variant import Limits, Target

SMOL = "local/smollm2-135m"
CLOCK = SystemClock()
FRESH = {"cache_prompt": False}
"""Nothing of another prompt stands in the cache, which flips a near-tie now and then."""
ASKED = [f"Q: {n} plus {n}?\nA: {n + n}\nQ: {n} plus 1?\nA:" for n in range(4)]

pytestmark = pytest.mark.skipif(bool(faults(SMOL)), reason="the extra `local` or its weights are not installed")


def a_body(text: str) -> dict[str, Any]:
    """Greedy, so that it makes the same text every time."""
    message = {"role": "user", "content": text}
    return {"model": "smollm2-135m", "messages": [message], "max_tokens": 8, "temperature": 0}


def local_models() -> LocalModels:
    return LocalModels(wire=lambda base: open_wire(local_address(base, SMOL), limits=Limits(), clock=CLOCK))


@asynccontextmanager
async def serving(local: LocalModels, state: Path) -> AsyncGenerator[openai.AsyncOpenAI]:
    """A client of a gateway in front of the model."""
    settings = GatewaySettings(state=state, grace_s=0.0)
    async with (
        open_local_gateway(Target(model=SMOL), settings, local=local, clock=CLOCK) as base,
        openai.AsyncOpenAI(api_key="none", base_url=base, max_retries=0) as client,
    ):
        yield client


async def batched(client: openai.AsyncOpenAI, texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The line of each text."""
    rows = jsonl([a_row(number, body=a_body(text) | FRESH) for number, text in enumerate(texts)])
    file = await client.files.create(file=("input.jsonl", rows), purpose="batch")
    batch = await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    while batch.status != "completed":
        await asyncio.sleep(0.02)
        batch = await client.batches.retrieve(batch.id)
    kept = [file_id for file_id in (batch.output_file_id, batch.error_file_id) if file_id is not None]
    lines = [line for file_id in kept for line in lines_of((await client.files.content(file_id)).content)]
    return {line["custom_id"]: line for line in lines}


def text_of(body: Any) -> str:
    return body["choices"][0]["message"]["content"]


async def test_a_batch_says_what_live_calls_say_and_what_each_row_cost(tmp_path: Path) -> None:
    with local_models() as local:
        async with serving(local, tmp_path) as client:
            lines = await batched(client, ASKED)
            create: Any = client.chat.completions.create
            live = [await create(**a_body(text), extra_body=FRESH) for text in ASKED]
            streamed = [chunk async for chunk in await create(**a_body(ASKED[0]), extra_body=FRESH, stream=True)]
    assert [text_of(lines[f"row-{n}"]["response"]["body"]) for n in range(4)] == [
        answer.choices[0].message.content for answer in live
    ]
    assert (
        "".join(c.choices[0].delta.content or "" for c in streamed if c.choices) == live[0].choices[0].message.content
    )
    assert all(0 < line["triaxis"]["busy_core_s"] < 30 for line in lines.values())


async def test_a_model_that_died_is_started_again_once(tmp_path: Path) -> None:
    """Its rows are answered by its successor; when that dies too, they say that the server did."""
    with local_models() as local:
        async with serving(local, tmp_path) as client:
            kill(local)
            lines = await batched(client, ASKED[:2])
            assert all(text_of(line["response"]["body"]) for line in lines.values())
            kill(local)
            lines = await batched(client, ASKED[:2])
            with pytest.raises(openai.APIStatusError, match="server_died"):
                await client.models.list()
    assert {line["error"]["code"] for line in lines.values()} == {"server_died"}
    assert all("ended by itself" in line["error"]["message"] for line in lines.values())


def kill(local: LocalModels) -> None:
    process = local._servers[SMOL, "answers"].process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
