"""Our wires make the calls that LiteLLM makes where it has them, and batch lines ask what live calls ask."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import batch_look
import litellm_batch_calls
import pytest
from build_batch_apis import KEY, NAME, VARIABLES, apis, bodies_in, opener_of, written
from build_calls import a_body, a_request
from recording_batches import Call, recording_batches
from recording_server import recording_server, saying

from triaxis.adapters.models.litellm_models import open_litellm
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.batches import BatchReport
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Message
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits, Target
from triaxis.errors import Denied, Terminal
from triaxis.rules.evaluators.judging import RESPONSE_FORMAT

PARAMS: dict[str, dict[str, JsonValue]] = {
    "none": {},
    "usual": {"temperature": 0, "max_tokens": 60, "stop": ["\n\n", "Q:"]},
    "judge": {"temperature": 0, "response_format": RESPONSE_FORMAT},
    "json": {"response_format": {"type": "json_object"}},
}
MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, KEY)


async def ours(provider: str, folder: Path, model: str) -> list[Call]:
    """The calls of a batch's whole life on our wire."""
    async with recording_batches() as server:
        async with apis(OPENAI_API_KEY=KEY).open(Target(model=model, api_base=server.api_base)) as api:
            id_ = await api.submit(NAME, written(api, folder / "in.jsonl", [a_request()]))
            await api.report(id_)
            report = BatchReport(provider_id=id_, state="completed", files=("file-2",))
            await api.fetch(report, folder / "out")
            if provider != "mistral":
                await api.cancel(id_)
        return server.heard


async def theirs(provider: str, file: Path, *model: str) -> list[Call]:
    """The same calls by LiteLLM."""
    async with recording_batches() as server:
        await run(litellm_batch_calls.__file__, provider, server.api_base, str(file), NAME, *model)
        return server.heard


async def test_openais_protocol_is_spoken_as_litellm_speaks_it(tmp_path: Path) -> None:
    mine = await ours("openai", tmp_path, "openai/small")
    assert mine == await theirs("openai", tmp_path / "in.jsonl")
    assert [(call.method, call.path) for call in mine] == [
        ("POST", "/v1/files"),
        ("POST", "/v1/batches"),
        ("GET", "/v1/batches/batch-1"),
        ("GET", "/v1/files/file-2/content"),
        ("POST", "/v1/batches/batch-1/cancel"),
    ]


async def test_mistrals_protocol_is_spoken_as_litellm_speaks_it(tmp_path: Path) -> None:
    mine = await ours("mistral", tmp_path, "mistral/mistral-small-latest")
    assert mine == await theirs("mistral", tmp_path / "in.jsonl", "mistral/mistral-small-latest")


async def test_litellm_would_hand_openais_key_to_a_server_of_the_users_own(tmp_path: Path) -> None:
    """Ours sends the key of that provider or none."""
    mine = await ours("hosted_vllm", tmp_path, "hosted_vllm/small")
    assert {call.authorization for call in mine} == {None}


async def test_a_look_at_a_completed_batch_reads_none_of_its_files() -> None:
    """LiteLLM reads them after every look, in the background, to log what the batch cost."""
    async with recording_batches(status="completed", output_file_id="file-2") as server:
        await run(batch_look.__file__, server.api_base, "batch-1")
        assert [(call.method, call.path.partition("?")[0]) for call in server.heard] == [
            ("GET", "/openai/batches/batch-1")
        ]


async def run(script: str, *arguments: str) -> None:
    """Runs a script of `tests/support` to its end."""
    places = os.pathsep.join(sys.path)
    environ = {**os.environ, "KEY": KEY, "PYTHONPATH": places}
    process = await asyncio.create_subprocess_exec(sys.executable, "-W", "ignore", script, *arguments, env=environ)
    assert await process.wait() == 0


async def heard_live(request: Request, answer: str, api_base_path: str) -> tuple[Any, str | None]:
    """What LiteLLM's own live call says, and the betas it asks for."""
    async with recording_server(saying(answer)) as server:
        base = server.api_base.removesuffix("/v1") + api_base_path
        target = Target(model=request.model, api_base=base)
        async with open_litellm(target, limits=Limits(), clock=SystemClock()) as model:
            await model.complete(request)
        return dict(server.heard[0].body), server.heard[0].betas


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
@pytest.mark.parametrize(("provider", "path"), [("azure", ""), ("xai", "/v1"), ("mistral", "/v1"), ("openai", "/v1")])
async def test_a_line_asks_what_a_live_call_asks(
    provider: str, path: str, params: dict[str, JsonValue], tmp_path: Path
) -> None:
    models = {"azure": "azure/my-deployment", "xai": "xai/grok-4", "mistral": "mistral/mistral-small-latest"}
    if provider == "xai":
        params = {name: value for name, value in params.items() if name != "stop"}  # Grok has none
    request = a_request("Wie viel?", model=models.get(provider, "openai/small"), **params)
    live, _ = await heard_live(request, a_body(), path)
    async with opener_of(provider)("http://127.0.0.1:9/v1") as api:
        (entry,) = bodies_in(written(api, tmp_path / "in.jsonl", [request]))
    assert isinstance(entry, dict)
    assert entry["body"] == live


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
@pytest.mark.parametrize("name", ["claude-sonnet-4-5", "claude-opus-4-6", "claude-3-haiku-20240307"])
async def test_a_message_batch_asks_what_a_live_call_asks(
    name: str, params: dict[str, JsonValue], tmp_path: Path
) -> None:
    request = a_request('"output_format": Wie viel?', model=f"anthropic/{name}", **params)
    live, betas = await heard_live(request, json.dumps(MESSAGE), "")
    async with recording_server(saying('{"id": "b"}')) as server:
        root = server.api_base.removesuffix("/v1")
        async with apis().open(Target(model=request.model, api_base=root)) as api:
            await api.submit(NAME, written(api, tmp_path / "in.jsonl", [request, request]))
        (heard,) = server.heard
    asked = {"custom_id": request.key, "params": live}
    assert heard.body == {"requests": [asked, asked]}
    assert heard.betas == betas
    assert (betas is not None) == (
        name != "claude-3-haiku-20240307" and "temperature" in params and "stop" not in params
    )


async def test_a_message_batch_refuses_what_it_cannot_carry(tmp_path: Path) -> None:
    tools: JsonValue = [{"type": "code_execution_20250825", "name": "code_execution"}]
    request = a_request(model="anthropic/claude-sonnet-4-5", tools=tools)
    async with opener_of("anthropic")("http://127.0.0.1:9/v1") as api:
        with pytest.raises(Denied, match="a batch does not carry what these params need"):
            written(api, tmp_path / "in.jsonl", [request])


async def test_a_request_that_cannot_be_written_has_its_outcome_unsent() -> None:
    """As it has live: nothing is left to say once the system has spoken."""
    alone = Message(role="system", content="Be brief.")
    request = Request(model="anthropic/claude-sonnet-4-5", endpoint=None, messages=(alone,))
    reasons: list[str] = []
    async with opener_of("anthropic")("http://127.0.0.1:9/v1") as api:
        with pytest.raises(Terminal) as unwritten:
            api.line(request.key, request)
        reasons.append(unwritten.value.reason)
    with pytest.raises(Terminal) as unsent:
        await heard_live(request, json.dumps(MESSAGE), "")
    assert [*reasons, unsent.value.reason] == ["bad_request", "bad_request"]
