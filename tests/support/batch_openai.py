"""OpenAI's protocol of files and batches, as a simulated provider speaks it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from batch_jobs import Asked, Job, Outcome, lines_of, read_rows
from batch_state import Batches, Stored
from provider_parts import refusal


@dataclass(frozen=True, slots=True)
class OpenAI:
    """OpenAI's protocol."""

    batches: Batches

    def routes(self, base: str) -> Iterable[web.RouteDef]:
        """Its routes under a base path."""
        wrapped = self.batches.wrapped
        return (
            *self.file_routes(base),
            web.post(f"{base}/batches", wrapped("create", self.create)),
            web.get(f"{base}/batches", wrapped("list", self.list_)),
            web.get(f"{base}/batches/{{id}}", wrapped("retrieve", self.retrieve)),
            web.post(f"{base}/batches/{{id}}/cancel", wrapped("cancel", self.cancel)),
        )

    def file_routes(self, base: str) -> Iterable[web.RouteDef]:
        """The routes of files, which other protocols share."""
        wrapped = self.batches.wrapped
        return (
            web.post(f"{base}/files", wrapped("upload", self.upload)),
            web.get(f"{base}/files", wrapped("files", self.list_files)),
            web.get(f"{base}/files/{{id}}", wrapped("files", self.file)),
            web.get(f"{base}/files/{{id}}/content", wrapped("content", self.content)),
        )

    async def upload(self, http: web.Request) -> web.Response:
        """Keeps a file."""
        form = await http.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        return web.json_response(self.batches.store(file.filename, str(form["purpose"]), file.file.read()).told())

    async def create(self, http: web.Request) -> web.Response:
        """Starts a batch."""
        body = cast("dict[str, Any]", await http.json())
        file = self.batches.files.get(str(body.get("input_file_id")))
        if file is None or body.get("endpoint") not in ("/v1/chat/completions", "/chat/completions"):
            return refusal(400, "invalid_request_error", "no such file, or no such endpoint")
        metadata = cast("dict[str, str] | None", body.get("metadata"))
        job = await self.batches.start(
            "openai", file.id, read_rows(file.data), name=(metadata or {}).get("triaxis"), metadata=metadata
        )
        return web.json_response(self.told(job))

    async def retrieve(self, http: web.Request) -> web.Response:
        """What has become of a batch."""
        return web.json_response(self.told(await self.batches.look(http.match_info["id"])))

    async def cancel(self, http: web.Request) -> web.Response:
        """Stops a batch; what it had done is billed."""
        job = await self.batches.cancel(http.match_info["id"])
        told = self.told(job)
        return web.json_response({**told, "status": "cancelling"} if job.cancelling else told)

    async def list_(self, http: web.Request) -> web.Response:
        """A page of batches, newest first."""
        return self._page(http, [self.told(job) for job in self.batches.listed("openai")])

    async def list_files(self, http: web.Request) -> web.Response:
        """A page of files, newest first."""
        return self._page(http, [file.told() for file in list(self.batches.files.values())[::-1]])

    async def file(self, http: web.Request) -> web.Response:
        """What is known of a file."""
        file = self.batches.files.get(http.match_info["id"])
        return refusal(404, "not_found", "no such file") if file is None else web.json_response(file.told())

    async def content(self, http: web.Request) -> web.Response:
        """A whole file."""
        file = self.batches.files.get(http.match_info["id"])
        if file is None:
            return refusal(404, "not_found", "no such file")
        return web.Response(body=file.data, content_type="application/octet-stream")

    def _page(self, http: web.Request, entries: Sequence[Mapping[str, Any]]) -> web.Response:
        ids = [entry["id"] for entry in entries]
        after = http.query.get("after")
        first = ids.index(after) + 1 if after in ids else 0
        last = first + min(int(http.query.get("limit", 20)), self.batches.batch.page)
        page = entries[first:last]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
        return web.json_response({"object": "list", "data": page, "has_more": last < len(entries), **ends})

    def told(self, job: Job) -> dict[str, Any]:
        """A batch as OpenAI tells it."""
        output, errors = self.written(job)
        data = [{"code": f.code, "message": f.message, "line": f.line, "param": None} for f in job.faults]
        return {
            "id": job.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "errors": {"object": "list", "data": data} if data else None,
            "input_file_id": job.file,
            "completion_window": "24h",
            "status": "in_progress" if job.state == "running" else job.state,
            "output_file_id": output,
            "error_file_id": errors,
            "created_at": job.number,
            "request_counts": {
                "total": len(job.asked),
                "completed": job.completed,
                "failed": len(job.outcomes) - job.completed,
            },
            "metadata": job.metadata if self.batches.batch.find == "metadata" else None,
        }

    def written(self, job: Job) -> tuple[str | None, str | None]:
        """The ids of the files of answers and of errors, which are written once."""
        if job.state in ("running", "failed"):
            return None, None
        rendered = [(job.outcomes[n], _line(job.outcomes[n])) for n in job.order]
        good = [(outcome, line) for outcome, line in rendered if outcome.status == 200]
        bad = [(outcome, line) for outcome, line in rendered if outcome.status != 200]
        unrun = [_unrun(row, job.state) for row in job.unrun]
        return (
            self._file(job, "output", b"".join(lines_of(job, good)), lines=len(good)),
            self._file(job, "error", b"".join([*lines_of(job, bad), *unrun]), lines=len(bad) + len(unrun)),
        )

    def _file(self, job: Job, kind: str, data: bytes, *, lines: int) -> str | None:
        """A file that has lines, or should have."""
        if not lines:
            return None
        file = Stored(id=f"file-{job.id}-{kind}", name=f"{job.id}_{kind}.jsonl", purpose="batch_output", data=data)
        return self.batches.files.setdefault(file.id, file).id


def _line(outcome: Outcome) -> bytes:
    response = {"status_code": outcome.status, "request_id": f"simulated-{outcome.asked.request[:16]}"}
    said = {"custom_id": outcome.asked.custom_id, "response": {**response, "body": outcome.body}, "error": None}
    return json.dumps({"id": f"batch_req_{outcome.asked.request[:16]}", **said}).encode() + b"\n"


def _unrun(row: Asked, state: str) -> bytes:
    error = {"code": f"batch_{state}", "message": f"simulated: the batch {state} before this row was run"}
    said = {"id": f"batch_req_{row.request[:16]}", "custom_id": row.custom_id, "response": None, "error": error}
    return json.dumps(said).encode() + b"\n"
