"""A simulated provider of batches that is as fast as may be: OpenAI's files and batches, with no model behind them.

    python benchmarks/batch_provider.py [--ready-after 1]

prints one line of JSON with its address and ends when its standard input does. A batch is complete at its first look,
or at the one that is asked for. An answer is a function of the request alone, as in `provider.py`. It is made while the
file of answers is read, so that nothing but one chunk is in memory. `GET /heard` says how many batches and rows came,
when each file of requests began to, and what CPU time serving them took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import BodyPartReader, web
from provider import completion, end_with_input

CHUNK = 2**20


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch, and how often it was asked after."""

    file: str
    metadata: dict[str, str] | None
    looks: int = 0


@dataclass(slots=True, kw_only=True)
class Provider:
    """Files on disk, batches in memory."""

    folder: Path
    ready_after: int
    names: dict[str, str] = field(default_factory=dict[str, str])
    """File names by id."""
    batches: dict[str, Batch] = field(default_factory=dict[str, Batch])
    rows: int = 0
    uploads_s: list[float] = field(default_factory=list[float])
    """Since the epoch."""

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.get("/heard", self.heard),
            web.post("/v1/files", self.upload),
            web.get("/v1/files/{id}/content", self.content),
            web.post("/v1/batches", self.create),
            web.get("/v1/batches", self.list_),
            web.get("/v1/batches/{id}", self.retrieve),
        ]

    async def heard(self, _: web.Request) -> web.Response:
        """Counts so far."""
        said = {"batches": len(self.batches), "rows": self.rows, "uploads_s": self.uploads_s}
        return web.json_response({**said, "cpu_s": time.process_time()})

    async def upload(self, http: web.Request) -> web.Response:
        """Writes a file to disk as it comes."""
        self.uploads_s.append(time.time())
        id_ = f"file-{len(self.names) + 1}"
        async for part in await http.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "file":
                self.names[id_] = part.filename or ""
                with (self.folder / id_).open("wb") as file:
                    while chunk := await part.read_chunk(CHUNK):
                        file.write(chunk)
        return web.json_response({"id": id_, "object": "file", "filename": self.names[id_], "status": "processed"})

    async def create(self, http: web.Request) -> web.Response:
        """Takes a batch."""
        asked = await http.json()
        id_ = f"batch_{len(self.batches) + 1}"
        self.batches[id_] = Batch(file=asked["input_file_id"], metadata=asked.get("metadata"))
        return web.json_response(self._told(id_))

    async def retrieve(self, http: web.Request) -> web.Response:
        """What has become of a batch."""
        id_ = http.match_info["id"]
        self.batches[id_].looks += 1
        return web.json_response(self._told(id_))

    async def list_(self, _: web.Request) -> web.Response:
        """All batches, newest first."""
        data = [self._told(id_) for id_ in list(self.batches)[::-1]]
        return web.json_response({"object": "list", "data": data, "has_more": False})

    async def content(self, http: web.Request) -> web.StreamResponse:
        """The answers to a file, made as they are read."""
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(http)
        for chunk in self._answers(self.folder / http.match_info["id"].removesuffix("-output")):
            await response.write(chunk)
        return response

    def _answers(self, path: Path) -> Iterator[bytes]:
        lines, size = list[bytes](), 0
        with path.open("rb") as file:
            for asked in file:
                lines.append(_answer(asked))
                self.rows += 1
                size += len(lines[-1])
                if size >= CHUNK:
                    yield b"".join(lines)
                    lines, size = [], 0
        yield b"".join(lines)

    def _told(self, id_: str) -> dict[str, Any]:
        batch = self.batches[id_]
        ready = batch.looks >= self.ready_after
        return {
            "id": id_,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "input_file_id": batch.file,
            "status": "completed" if ready else "in_progress",
            "output_file_id": f"{batch.file}-output" if ready else None,
            "metadata": batch.metadata,
        }


def _answer(line: bytes) -> bytes:
    """The line of answers to a line of requests."""
    asked = orjson.loads(line)
    body = completion(asked["body"]["model"], asked["body"]["messages"][-1]["content"])
    response = {"status_code": 200, "request_id": body["id"], "body": body}
    said = {"id": body["id"], "custom_id": asked["custom_id"], "response": response, "error": None}
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


async def serve(folder: Path, ready_after: int) -> None:
    """Serves until standard input ends."""
    app = web.Application(client_max_size=2**31)
    app.add_routes(Provider(folder=folder, ready_after=ready_after).routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    print(json.dumps({"api_base": f"http://127.0.0.1:{port}/v1"}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serves on a free port."""
    parser = argparse.ArgumentParser(description="A simulated provider of batches.")
    parser.add_argument("--ready-after", type=int, default=1, help="looks until a batch is complete")
    given = parser.parse_args()
    threading.Thread(target=end_with_input, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(serve(Path(folder), given.ready_after))


if __name__ == "__main__":
    main()
