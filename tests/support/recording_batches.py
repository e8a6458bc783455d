"""A server of files and batches in the test's own loop, which remembers every call and answers as OpenAI or Mistral."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import BodyPartReader, web

FILE = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 0, "filename": "f", "purpose": "batch"}
BATCH = {
    "id": "batch-1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "in_progress",
    "created_at": 0,
}
JOB = {
    "id": "job-1",
    "input_files": ["file-1"],
    "endpoint": "/v1/chat/completions",
    "status": "RUNNING",
    "created_at": 0,
}
Part: TypeAlias = tuple[str | None, str | None, str | None, bytes]
"""Name, file name, type (of a file) and content of a part of a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it came."""

    method: str
    path: str
    authorization: str | None
    said: Any
    """JSON, or the parts of a form."""


@dataclass(slots=True)
class RecordingBatches:
    """What was heard."""

    batch: Mapping[str, Any]
    heard: list[Call] = field(default_factory=list[Call])
    api_base: str = ""

    async def handle(self, http: web.Request) -> web.Response:
        """Remembers, then answers."""
        multipart = http.content_type.startswith("multipart/")
        said: Any = await _parts(http) if multipart else json.loads(await http.read() or b"null")
        authorization = http.headers.get("Authorization") or http.headers.get("api-key")
        self.heard.append(Call(method=http.method, path=http.path_qs, authorization=authorization, said=said))
        if http.path.endswith("/content"):
            return web.Response(body=b'{"custom_id":"c"}\n')
        return web.json_response(JOB if "/batch/jobs" in http.path else FILE if "/files" in http.path else self.batch)


async def _parts(http: web.Request) -> list[Part]:
    parts: list[Part] = []
    async for part in await http.multipart():
        assert isinstance(part, BodyPartReader)
        kind = part.headers.get("Content-Type") if part.filename else None
        parts.append((part.name, part.filename, kind, bytes(await part.read())))
    return sorted(parts, key=lambda part: part[0] or "")


@asynccontextmanager
async def recording_batches(**batch: Any) -> AsyncGenerator[RecordingBatches]:
    """Serves until the context ends; `batch` is what is told otherwise of the batch."""
    server = RecordingBatches({**BATCH, **batch})
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.api_base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
