"""The provider of batches that other tests are measured against keeps its own promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from provider_process import RunningProvider, running_batch_provider

ROWS = 6


def lines(rows: int = ROWS) -> bytes:
    """An input file in OpenAI's shape."""
    asked = [{"model": "m", "messages": [{"role": "user", "content": f"question {n}"}]} for n in range(rows)]
    entries = [
        {"custom_id": f"c{n}", "method": "POST", "url": "/v1/chat/completions", "body": b} for n, b in enumerate(asked)
    ]
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


async def said(provider: RunningProvider, path: str, **posted: Any) -> Mapping[str, Any]:
    """The JSON that a call is answered with."""
    async with aiohttp.ClientSession(provider.api_base.removesuffix("/v1")) as client:
        ask = client.post if posted else client.get
        async with ask(f"/v1/{path}", **posted) as response:
            return json.loads(await response.text())


async def uploaded(provider: RunningProvider, data: bytes) -> str:
    form = aiohttp.FormData({"purpose": "batch"})
    form.add_field("file", data, filename="triaxis-1.jsonl")
    return (await said(provider, "files", data=form))["id"]


async def created(provider: RunningProvider, data: bytes | None = None) -> Mapping[str, Any]:
    file = await uploaded(provider, lines() if data is None else data)
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return await said(provider, "batches", json={**body, "metadata": {"triaxis": "triaxis-1"}})


async def content(provider: RunningProvider, file: str) -> str:
    async with aiohttp.ClientSession() as client, client.get(f"{provider.api_base}/files/{file}/content") as response:
        return await response.text()


async def ended(provider: RunningProvider, batch: str) -> Mapping[str, Any]:
    while (told := await said(provider, f"batches/{batch}"))["status"] in ("in_progress", "cancelling"):
        pass
    return told


async def test_a_batch_ends_with_the_last_look_and_bills_every_row(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--polls", "2") as provider:
        batch = await created(provider)
        assert (await said(provider, f"batches/{batch['id']}"))["status"] == "in_progress"
        assert provider.rows() == []
        told = await said(provider, f"batches/{batch['id']}")
        assert (told["status"], told["request_counts"]["completed"]) == ("completed", ROWS)
        ids = [json.loads(line)["custom_id"] for line in (await content(provider, told["output_file_id"])).splitlines()]
        assert ids == [row.custom_id for row in provider.rows()]
        (bill,) = provider.batches()
    assert (bill.name, bill.file, bill.rows) == ("triaxis-1", "triaxis-1.jsonl", ROWS)


async def test_a_batch_that_was_never_heard_of_is_in_the_ledger_and_bills(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--polls", "9", "--calls", "create.lost=1") as provider:
        with pytest.raises(aiohttp.ClientError):
            await created(provider)
        assert len(provider.batches()) == 1
    assert len(provider.rows()) == ROWS, "the provider went on with it"


@pytest.mark.parametrize("kind", ["rate_limit", "unavailable", "reset"])
async def test_what_was_not_done_is_not_in_the_ledger(kind: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--calls", f"create.{kind}=1", "--at-most", "1") as provider:
        try:
            assert "error" in await created(provider)
        except aiohttp.ClientError:
            assert kind == "reset"
        assert provider.batches() == []
        assert (await created(provider))["object"] == "batch", "a fault strikes at most so often"


@pytest.mark.parametrize("state", ["expired", "cancelled"])
async def test_a_batch_that_ends_half_way_bills_half(state: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--batches", f"{state}=1") as provider:
        told = await ended(provider, (await created(provider))["id"])
        errors = [json.loads(line) for line in (await content(provider, told["error_file_id"])).splitlines()]
        assert (told["status"], len(provider.rows())) == (state, ROWS // 2)
    assert {line["error"]["code"] for line in errors} == {f"batch_{state}"}


async def test_a_refused_file_bills_nothing(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--batches", "invalid_lines=1") as provider:
        told = await ended(provider, (await created(provider))["id"])
        assert told["status"] == "failed"
        assert [fault["line"] for fault in told["errors"]["data"]] == [1, ROWS]
    assert provider.rows() == []


async def test_a_file_with_something_wrong_is_refused(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl") as provider:
        told = await ended(provider, (await created(provider, lines(2) + b"{\n" + lines(1)))["id"])
    faults = [(fault["code"], fault["line"]) for fault in told["errors"]["data"]]
    assert faults == [("invalid_json_line", 3), ("duplicate_custom_id", 4)]


@pytest.mark.parametrize(
    ("kind", "billed", "reported", "written"),
    [
        ("busy", 0, 0, 6),
        ("broken", 0, 0, 6),
        ("refused", 0, 0, 6),
        ("filtered", 6, 6, 6),
        ("no_usage", 6, 0, 6),
        ("malformed", 6, 0, 6),
        ("missing", 6, 0, 0),
        ("twice", 6, 6, 12),
        ("stranger", 6, 6, 12),
    ],
)
async def test_rows_and_what_is_billed_and_told_of_them(
    kind: str, billed: int, reported: int, written: int, tmp_path: Path
) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--rows", f"{kind}=1") as provider:
        told = await ended(provider, (await created(provider))["id"])
        files = [id_ for id_ in (told["output_file_id"], told["error_file_id"]) if id_]
        said_of_rows = "".join([await content(provider, file) for file in files]).splitlines()
    assert len(provider.rows()) == billed
    assert sum(row.reported for row in provider.rows()) == reported
    assert len(said_of_rows) == written
    assert sum("usage" in line and line.endswith("}") for line in said_of_rows) == (written if reported else 0)


async def test_faults_are_the_same_for_a_seed_and_drawn_anew_for_a_repeat(tmp_path: Path) -> None:
    met: list[list[str]] = []
    for number, seed in enumerate("778"):
        with running_batch_provider(tmp_path / f"{number}.jsonl", "--rows", "busy=0.5", "--seed", seed) as provider:
            for _ in range(2):
                await ended(provider, (await created(provider))["id"])
            met.append([f"{row.batch} {row.custom_id}" for row in provider.rows()])
    assert met[0] == met[1] != met[2]
    first, again = ([row for row in met[0] if row.startswith(f"batch_{n}")] for n in (1, 2))
    assert [row.split()[1] for row in first] != [row.split()[1] for row in again]


@pytest.mark.parametrize(
    ("find", "entries"), [("metadata", [{"triaxis": "triaxis-1"}]), ("file_name", [None]), ("none", [])]
)
async def test_how_much_a_list_shows(find: str, entries: list[object], tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--find", find, "--polls", "9") as provider:
        await created(provider)
        listed = (await said(provider, "batches"))["data"]
        assert [entry["metadata"] for entry in listed] == entries
        assert [file["filename"] for file in (await said(provider, "files"))["data"]] == ["triaxis-1.jsonl"]


async def test_lists_come_by_pages_newest_first(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--page", "2") as provider:
        for _ in range(3):
            await created(provider)
        first = await said(provider, "batches?limit=100")
        rest = await said(provider, f"batches?limit=100&after={first['last_id']}")
    assert [entry["id"] for entry in first["data"]] == ["batch_3", "batch_2"]
    assert (first["has_more"], rest["has_more"], rest["first_id"]) == (True, False, "batch_1")


async def test_live_calls_go_into_the_same_ledger_and_are_answered_alike(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl") as provider:
        asked = json.loads(lines(1))["body"]
        live = await said(provider, "chat/completions", json=asked)
        told = await ended(provider, (await created(provider))["id"])
        first = json.loads((await content(provider, told["output_file_id"])).splitlines()[0])
        assert first["response"]["body"] == live
        assert provider.bills()[0].request == provider.rows()[0].request
