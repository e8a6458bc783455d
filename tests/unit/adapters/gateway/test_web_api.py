from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from build_calls import TickingClock
from build_gateway import CHAT, Said, ScriptedUpstream, a_row, jsonl, until

from triaxis.adapters.gateway import uploads
from triaxis.adapters.gateway.serve import GatewaySettings, open_gateway

MANY_DAYS = {"anchor": "created_at", "seconds": 86_400}


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks a gateway."""

    session: aiohttp.ClientSession
    base: str

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and body."""
        async with self.session.request(method, f"{self.base}{path}", **options) as response:
            assert response.content_type == "application/json"
            return response.status, await response.json()

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str, str | None]:
        """Status, message and parameter of an error, in OpenAI's shape."""
        status, body = await self.ask(method, path, **options)
        assert body.keys() == {"error"}
        assert body["error"].keys() == {"message", "type", "param", "code"}
        return status, body["error"]["message"], body["error"]["param"]

    async def upload(self, content: bytes, **fields: str) -> Any:
        """The file, once it is there."""
        status, file = await self.ask("POST", "/files", data=a_form(content, **fields))
        assert status == 200
        return file

    async def batch(self, file_id: str, **changes: Any) -> tuple[int, Any]:
        """Asks for a batch."""
        asked = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h", **changes}
        return await self.ask("POST", "/batches", json=asked)


def a_form(content: bytes | None, *, filename: str = "a.jsonl", **fields: str) -> aiohttp.FormData:
    """An upload, the file before its fields, as some clients have it."""
    form = aiohttp.FormData(default_to_multipart=True)
    if content is not None:
        form.add_field("file", content, filename=filename, content_type="application/jsonl")
    for name, text in ({"purpose": "batch"} | fields).items():
        form.add_field(name, text)
    return form


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def upstream() -> ScriptedUpstream:
    return ScriptedUpstream()


@pytest.fixture
async def caller(upstream: ScriptedUpstream, clock: TickingClock, tmp_path: Path) -> AsyncGenerator[Caller]:
    settings = GatewaySettings(state=tmp_path / "state", grace_s=0.0)
    async with open_gateway(upstream, settings, clock=clock) as base, aiohttp.ClientSession() as session:
        yield Caller(session, base)


async def test_a_file_in_openais_shape(caller: Caller) -> None:
    file = await caller.upload(b"{}\n")
    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": 3,
        "created_at": 1_000,
        "expires_at": None,
        "filename": "a.jsonl",
        "purpose": "batch",
        "status": "processed",
        "status_details": None,
    }
    assert await caller.ask("GET", f"/files/{file['id']}") == (200, file)


async def test_a_batch_in_openais_shape(caller: Caller) -> None:
    file = await caller.upload(b"")
    status, batch = await caller.batch(file["id"], completion_window="90m", metadata=None)
    moves = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
    assert status == 200
    assert batch == {
        "id": batch["id"],
        "object": "batch",
        "endpoint": CHAT,
        "model": None,
        "errors": None,
        "input_file_id": file["id"],
        "completion_window": "90m",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": 1_000,
        "expires_at": 1_000 + 90 * 60,
        **{f"{move}_at": None for move in moves},
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": None,
    }


@pytest.mark.parametrize(
    ("form", "message", "param"),
    [
        (a_form(b"x", purpose="fine-tune"), "purpose: Input should be 'batch'", "purpose"),
        (a_form(None), "The form has no file.", "file"),
        (a_form(b"x", color="red"), "color: Extra inputs are not permitted", "color"),
        (
            a_form(b"x", **{"expires_after[anchor]": "now", "expires_after[seconds]": "60"}),
            (
                "expires_after.anchor: Input should be 'created_at'; "
                "expires_after.seconds: Input should be greater than or equal to 3600"
            ),
            "expires_after.anchor",
        ),
        (a_form(b"x", **{"purpose[x]": "1"}), "purpose[x]: Extra inputs are not permitted", "purpose[x]"),
        (a_form(b"x", purpose="x" * 5_000), "A field of the form is too long.", None),
        (a_form(b"x", **{f"f{n}": "" for n in range(40)}), "The form has parts that an upload has not.", None),
        (b'{"purpose": "batch"}', "An upload is a form, multipart/form-data, with purpose and file.", None),
    ],
)
async def test_an_upload_with_faults_leaves_nothing(
    form: Any, message: str, param: str | None, caller: Caller, tmp_path: Path
) -> None:
    assert await caller.refused("POST", "/files", data=form) == (400, message, param)
    assert list((tmp_path / "state" / "files").iterdir()) == []


@pytest.mark.parametrize(
    "body", [b"", b"--x\r\n", b"no form", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nab"]
)
async def test_a_form_that_is_cut_short_leaves_nothing(body: bytes, caller: Caller, tmp_path: Path) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, _, _ = await caller.refused("POST", "/files", data=body, headers=headers)
    assert status == 400
    assert list((tmp_path / "state" / "files").iterdir()) == []


async def test_an_upload_whose_sender_goes_away_leaves_nothing(caller: Caller, tmp_path: Path) -> None:
    host, _, port = caller.base.removeprefix("http://").removesuffix("/v1").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"y" * 200_000
    writer.write(head + b"Content-Length: 999999\r\n\r\n" + part)
    await writer.drain()
    files = tmp_path / "state" / "files"
    await until(lambda: list(files.iterdir()))
    writer.close()
    await writer.wait_closed()
    await until(lambda: not list(files.iterdir()))


async def test_a_file_may_not_be_too_large(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_FILE_BYTES", 1_000)
    refused = await caller.refused("POST", "/files", data=a_form(b"x" * 1_001))
    assert refused == (413, "A file may have 1000 bytes.", "file")
    assert (await caller.upload(b"x" * 1_000))["bytes"] == 1_000


async def test_files_and_results_expire_as_they_were_asked_to(caller: Caller, clock: TickingClock) -> None:
    expiry = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = await caller.upload(jsonl([a_row(0)]), **expiry)
    assert file["expires_at"] == 1_000 + 3_600
    _, batch = await caller.batch(file["id"], output_expires_after=MANY_DAYS)
    batch = await the_end(caller, batch["id"])
    clock.now += 3_600
    assert (await caller.refused("GET", f"/files/{file['id']}/content"))[0] == 404
    _, output = await caller.ask("GET", f"/files/{batch['output_file_id']}")
    assert output["expires_at"] == output["created_at"] + 86_400


async def the_end(caller: Caller, batch_id: str) -> Any:
    while True:
        _, batch = await caller.ask("GET", f"/batches/{batch_id}")
        if batch["status"] in ("completed", "failed", "expired", "cancelled"):
            return batch
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("changes", "message", "param"),
    [
        ({"input_file_id": "file-0"}, "There is no file with that id whose purpose is batch.", "input_file_id"),
        (
            {"endpoint": "/v1/images", "completion_window": "soon"},
            (
                "endpoint: Input should be '/v1/chat/completions', '/v1/completions', '/v1/embeddings' or "
                "'/v1/responses'; completion_window: Value error, should be such as 24h, 90m or 30s"
            ),
            "endpoint",
        ),
        ({"metadata": {"a": 1}}, "metadata.a: Input should be a valid string", "metadata.a"),
        (
            {"metadata": {f"{n}": "" for n in range(17)}},
            "metadata: Dictionary should have at most 16 items",
            "metadata",
        ),
        ({"priority": 1}, "priority: Extra inputs are not permitted", "priority"),
    ],
)
async def test_a_batch_with_faults_is_none(
    changes: Mapping[str, Any], message: str, param: str, caller: Caller
) -> None:
    file = await caller.upload(b"{}\n")
    status, body = await caller.batch(file["id"], **changes)
    assert (status, body["error"]["message"][: len(message)], body["error"]["param"]) == (400, message, param)
    assert (await caller.ask("GET", "/batches"))[1]["data"] == []


async def test_results_are_no_input(caller: Caller) -> None:
    file = await caller.upload(jsonl([a_row(0)]))
    batch = await the_end(caller, (await caller.batch(file["id"]))[1]["id"])
    status, body = await caller.batch(batch["output_file_id"])
    assert (status, body["error"]["param"]) == (400, "input_file_id")


async def test_a_file_stays_while_a_batch_reads_it(caller: Caller, upstream: ScriptedUpstream) -> None:
    async def hanging(_: Mapping[str, Any]) -> Said:
        await asyncio.sleep(60)
        raise AssertionError

    upstream.script = hanging
    file = await caller.upload(jsonl([a_row(0)]))
    _, batch = await caller.batch(file["id"])
    status, message, _ = await caller.refused("DELETE", f"/files/{file['id']}")
    assert (status, message) == (400, "A batch that has not ended reads this file.")
    assert (await caller.ask("POST", f"/batches/{batch['id']}/cancel"))[1]["status"] == "cancelling"


async def test_lists_come_in_pages(caller: Caller) -> None:
    files = [await caller.upload(b"x", filename=f"{number}") for number in range(3)]
    _, first = await caller.ask("GET", "/files?limit=2")
    assert first == {
        "object": "list",
        "data": [files[2], files[1]],
        "first_id": files[2]["id"],
        "last_id": files[1]["id"],
        "has_more": True,
    }
    _, rest = await caller.ask("GET", f"/files?limit=2&after={first['last_id']}")
    assert (rest["data"], rest["has_more"]) == ([files[0]], False)
    assert (await caller.ask("GET", "/files?order=asc"))[1]["data"] == files
    _, none = await caller.ask("GET", "/files?purpose=batch_output")
    assert (none["data"], none["first_id"], none["has_more"]) == ([], None, False)


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("limit=10001", "limit"), ("order=up", "order"), ("after=x", "after")],
)
async def test_a_page_that_is_none(query: str, param: str, caller: Caller) -> None:
    status, _, named = await caller.refused("GET", f"/files?{query}")
    assert (status, named) == (400, param)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/files/file-0", 404),
        ("DELETE", "/files/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/files/file-0/content", 404),
        ("GET", "/batches/batch_0", 404),
        ("POST", "/batches/batch_0/cancel", 404),
        ("PUT", "/files", 404),
        ("GET", "/batches/batch_0/rows", 404),
        ("POST", "/batches", 400),
    ],
)
async def test_every_error_is_in_openais_shape_and_is_not_to_be_retried(
    method: str, path: str, status: int, caller: Caller
) -> None:
    assert (await caller.refused(method, path))[0] == status
    async with caller.session.request(method, f"{caller.base}{path}") as response:
        assert response.headers["x-should-retry"] == "false"


async def test_a_live_call_that_goes_nowhere_may_be_retried(caller: Caller) -> None:
    async with caller.session.get(f"{caller.base}/models") as response:
        said = await response.json()
        assert (response.status, "x-should-retry" in response.headers) == (502, False)
    assert said["error"]["message"] == "No answer came from the upstream: connect"


async def test_a_path_that_is_not_below_v1_is_none(caller: Caller) -> None:
    async with caller.session.get(caller.base.removesuffix("/v1") + "/metrics") as response:
        assert (response.status, (await response.json())["error"]["message"]) == (404, "Not Found")


async def test_a_body_that_is_too_large_is_refused(caller: Caller) -> None:
    status, _, _ = await caller.refused("POST", "/batches", data=BytesIO(b"x" * 2_000_000))
    assert status == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example:80"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "["}, 403),
        ({"Host": "localhost:80"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": "localhost:80", "Origin": "http://localhost:80"}, 200),
    ],
)
async def test_web_pages_of_elsewhere_may_not_ask(headers: Mapping[str, str], status: int, caller: Caller) -> None:
    """A browser would send a page's request here, with the upstream's key behind it."""
    async with caller.session.get(f"{caller.base}/files", headers=headers) as response:
        assert response.status == status


async def test_content_is_whole_and_in_parts(caller: Caller) -> None:
    content = json.dumps({"x": "y" * 300_000}).encode()
    file = await caller.upload(content)
    url = f"{caller.base}/files/{file['id']}/content"
    async with caller.session.get(url) as response:
        assert (response.content_type, await response.read()) == ("application/octet-stream", content)
    async with caller.session.get(url, headers={"Range": "bytes=10-19"}) as response:
        assert (response.status, await response.read()) == (206, content[10:20])


async def test_a_state_folder_that_cannot_be_written_is_told(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("triaxis.adapters.gateway.files.flush", full)
    status, message, _ = await caller.refused("POST", "/files", data=a_form(b"x"))
    assert (status, message) == (507, "the state folder cannot be read or written: No space left on device")


async def test_a_batch_that_stands_still_says_why(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("triaxis.adapters.gateway.batch_run.examine", unreadable)
    file = await caller.upload(jsonl([a_row(0)]))
    _, batch = await caller.batch(file["id"])
    path = f"/batches/{batch['id']}"
    while True:
        status, _ = await caller.ask("GET", path)
        if status != 200:
            break
        await asyncio.sleep(0.001)
    assert await caller.refused("GET", path) == (
        500,
        "The batch stands still until the gateway is started again: OSError: [Errno 5] Input/output error",
        None,
    )
    assert (await caller.ask("GET", "/batches"))[1]["data"][0]["status"] == "validating"
