"""The provider that other tests are measured against keeps its own promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from provider_process import RunningProvider, running_provider

ASKED = {"model": "m", "messages": [{"role": "system", "content": "s" * 40}, {"role": "user", "content": "where?"}]}


async def ask(provider: RunningProvider, **changes: Any) -> tuple[int, Mapping[str, str], str]:
    url = f"{provider.api_base}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json=ASKED | changes) as response:
        return response.status, response.headers, await response.text()


async def test_answers_depend_on_the_request_alone_and_are_marked(tmp_path: Path) -> None:
    bodies: list[str] = []
    for number in range(2):
        with running_provider(tmp_path / f"{number}.jsonl", "--seed", str(number)) as provider:
            bodies.append((await ask(provider))[2])
            assert (await ask(provider))[2] == bodies[0]
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[0])["system_fingerprint"] == "simulated"


async def test_a_scripted_answer_is_cut_by_its_cap(tmp_path: Path) -> None:
    with running_provider(tmp_path / "l.jsonl") as provider:
        messages = [{"role": "user", "content": "x [[answer one two three]]"}]
        body = json.loads((await ask(provider, messages=messages, max_tokens=2))[2])
    (choice,) = body["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "length")


async def test_a_stream_carries_the_same_answer_and_usage(tmp_path: Path) -> None:
    with running_provider(tmp_path / "l.jsonl") as provider:
        whole = json.loads((await ask(provider))[2])
        streamed = (await ask(provider, stream=True, stream_options={"include_usage": True}))[2]
    *events, last = [event.removeprefix("data: ") for event in streamed.strip().split("\n\n")]
    chunks = [json.loads(event) for event in events]
    assert last == "[DONE]"
    text = "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])
    assert text == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == whole["usage"]


@pytest.mark.parametrize("kind", ["server", "reset", "truncated", "malformed", "no_choices", "filtered"])
async def test_it_bills_before_it_faults(kind: str, tmp_path: Path) -> None:
    with running_provider(tmp_path / "l.jsonl", "--faults", f"{kind}=1") as provider:
        try:
            status, _, _ = await ask(provider)
        except aiohttp.ClientError:
            status = 0
        (bill,) = provider.bills()
    assert status in {"server": (500,), "reset": (0,), "truncated": (0,)}.get(kind, (200,))
    assert (bill.fault, bill.billed, bill.reported) == (kind, True, kind in ("no_choices", "filtered"))
    assert bill.usage["prompt_tokens_details"] == {"cached_tokens": 11}  # 1 + 40 characters / 4


async def test_a_rate_limit_is_not_billed_and_says_how_long(tmp_path: Path) -> None:
    with running_provider(tmp_path / "l.jsonl", "--faults", "rate_limit=1", "--retry-after-s", "0.25") as provider:
        status, headers, _ = await ask(provider)
        assert not provider.bills()[0].billed
    assert (status, headers["Retry-After"], headers["retry-after-ms"]) == (429, "1", "250")


async def test_faults_are_drawn_anew_for_each_repeat_but_not_for_each_seed(tmp_path: Path) -> None:
    met: list[list[str | None]] = []
    for number in range(2):
        with running_provider(tmp_path / f"{number}.jsonl", "--faults", "server=0.5", "--seed", "7") as provider:
            for _ in range(12):
                await ask(provider)
            met.append([bill.fault for bill in provider.bills()])
    assert met[0] == met[1]
    assert set(met[0]) == {None, "server"}
