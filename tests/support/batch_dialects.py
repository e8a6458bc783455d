"""The batch protocols of Anthropic, Mistral and xAI, as a simulated provider speaks them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from batch_jobs import Asked, Job, Outcome, Refused, asked_of, lines_of, read_rows
from batch_openai import OpenAI
from batch_state import Batches
from provider_parts import refusal

ERRORS = {429: "rate_limit_error", 500: "api_error", 400: "invalid_request_error"}
STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
MISTRAL = {
    "running": "RUNNING",
    "completed": "SUCCESS",
    "failed": "FAILED",
    "expired": "TIMEOUT_EXCEEDED",
    "cancelled": "CANCELLED",
}
RESULTS = 3
"""Results that xAI tells at once."""


@dataclass(frozen=True, slots=True)
class Anthropic:
    """Message Batches: requests in the call itself, no metadata, one file of results."""

    batches: Batches

    def routes(self) -> Iterable[web.RouteDef]:
        """Its routes."""
        base, wrapped = "/v1/messages/batches", self.batches.wrapped
        return (
            web.post(base, wrapped("create", self.create)),
            web.get(base, wrapped("list", self.list_)),
            web.get(f"{base}/{{id}}", wrapped("retrieve", self.retrieve)),
            web.post(f"{base}/{{id}}/cancel", wrapped("cancel", self.cancel)),
            web.get(f"{base}/{{id}}/results", wrapped("content", self.results)),
        )

    async def create(self, http: web.Request) -> web.Response:
        """Starts a batch, or refuses it as a whole."""
        try:
            rows = [asked_of(one["custom_id"], _plain(one["params"])) for one in (await http.json())["requests"]]
        except (ValueError, KeyError, TypeError):
            error = {"type": "invalid_request_error", "message": "simulated: requests: not as they should be"}
            return web.json_response({"type": "error", "error": error}, status=400)
        return self._told(http, await self.batches.start("anthropic", "", (rows, []), prefix="msgbatch_"))

    async def retrieve(self, http: web.Request) -> web.Response:
        """What has become of a batch."""
        return self._told(http, await self.batches.look(http.match_info["id"]))

    async def cancel(self, http: web.Request) -> web.Response:
        """Stops a batch."""
        return self._told(http, await self.batches.cancel(http.match_info["id"]))

    async def list_(self, http: web.Request) -> web.Response:
        """All batches."""
        data = [self._fields(http, job) for job in self.batches.listed("anthropic")]
        return web.json_response({"data": data, "has_more": False, "first_id": None, "last_id": None})

    async def results(self, http: web.Request) -> web.Response:
        """The results, one a line, in no order."""
        job = self.batches.jobs.get(http.match_info["id"])
        if job is None or job.state == "running":
            return refusal(404, "not_found_error", "no results")
        lines = lines_of(job, [(job.outcomes[n], _result(job.outcomes[n])) for n in job.order])
        ending = "expired" if job.state == "expired" else "canceled"
        unrun = [
            json.dumps({"custom_id": row.custom_id, "result": {"type": ending}}).encode() + b"\n" for row in job.unrun
        ]
        return web.Response(body=b"".join([*lines, *unrun]), content_type="application/x-jsonl")

    def _told(self, http: web.Request, job: Job) -> web.Response:
        return web.json_response(self._fields(http, job))

    def _fields(self, http: web.Request, job: Job) -> dict[str, Any]:
        running = job.state == "running"
        unrun = len(job.unrun)
        return {
            "id": job.id,
            "type": "message_batch",
            "processing_status": "in_progress" if running else "ended",
            "request_counts": {
                "processing": len(job.asked) if running else 0,
                "succeeded": job.completed,
                "errored": len(job.outcomes) - job.completed,
                "canceled": unrun if job.state == "cancelled" else 0,
                "expired": unrun if job.state == "expired" else 0,
            },
            "created_at": "2026-01-01T00:00:00Z",
            "expires_at": "2026-01-02T00:00:00Z",
            "ended_at": None if running else "2026-01-01T01:00:00Z",
            "cancel_initiated_at": "2026-01-01T00:30:00Z" if job.cancelling else None,
            "archived_at": None,
            "results_url": None if running else f"{http.url.origin()}/v1/messages/batches/{job.id}/results",
        }


def _plain(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Anthropic's parameters as a chat completion's body, so that both are answered alike."""
    system = [{"role": "system", "content": _text(params["system"])}] if "system" in params else []
    said = [{"role": m["role"], "content": _text(m["content"])} for m in params["messages"]]
    kept = {k: v for k, v in params.items() if k not in ("system", "messages")}
    return {**kept, "messages": [*system, *said]}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(str(block.get("text", "")) for block in content)


def _result(outcome: Outcome) -> bytes:
    if outcome.status == 200:
        result: dict[str, Any] = {"type": "succeeded", "message": _message(outcome.body)}
    else:
        error = {"type": ERRORS[outcome.status], "message": outcome.body["error"]["message"]}
        result = {"type": "errored", "error": {"type": "error", "error": error}}
    return json.dumps({"custom_id": outcome.asked.custom_id, "result": result}).encode() + b"\n"


def _message(answer: Mapping[str, Any]) -> dict[str, Any]:
    (choice,) = answer["choices"]
    said: dict[str, Any] = {
        "id": answer["id"],
        "type": "message",
        "role": "assistant",
        "model": answer["model"],
        "content": [{"type": "text", "text": choice["message"]["content"]}],
        "stop_reason": STOPS[choice["finish_reason"]],
    }
    if "usage" in answer:
        cached = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
        said["usage"] = {
            "input_tokens": answer["usage"]["prompt_tokens"] - cached,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": answer["usage"]["completion_tokens"],
        }
    return said


@dataclass(frozen=True, slots=True)
class Mistral:
    """OpenAI's files, and jobs of one model each."""

    batches: Batches
    files: OpenAI

    def routes(self) -> Iterable[web.RouteDef]:
        """Its routes."""
        base, wrapped = "/mistral/v1", self.batches.wrapped
        return (
            *self.files.file_routes(base),
            web.post(f"{base}/batch/jobs", wrapped("create", self.create)),
            web.get(f"{base}/batch/jobs", wrapped("list", self.list_)),
            web.get(f"{base}/batch/jobs/{{id}}", wrapped("retrieve", self.retrieve)),
            web.post(f"{base}/batch/jobs/{{id}}/cancel", wrapped("cancel", self.cancel)),
        )

    async def create(self, http: web.Request) -> web.Response:
        """Starts a job; its model is that of every line."""
        body = cast("dict[str, Any]", await http.json())
        file = self.batches.files.get(str(body["input_files"][0]))
        if file is None or body["endpoint"] != "/v1/chat/completions":
            return refusal(422, "invalid_request_error", "no such file, or no such endpoint")
        asked, faults = read_rows(file.data)
        asked = [asked_of(row.custom_id, {**row.body, "model": body["model"]}) for row in asked]
        metadata = cast("dict[str, str] | None", body.get("metadata"))
        name = (metadata or {}).get("triaxis")
        job = await self.batches.start("mistral", file.id, (asked, faults), name=name, metadata=metadata)
        return web.json_response(self._told(job))

    async def retrieve(self, http: web.Request) -> web.Response:
        """What has become of a job."""
        return web.json_response(self._told(await self.batches.look(http.match_info["id"])))

    async def cancel(self, http: web.Request) -> web.Response:
        """Stops a job."""
        job = await self.batches.cancel(http.match_info["id"])
        told = self._told(job)
        return web.json_response({**told, "status": "CANCELLATION_REQUESTED"} if job.cancelling else told)

    async def list_(self, http: web.Request) -> web.Response:
        """A page of jobs, newest first; pages are counted from 0."""
        jobs = [self._told(job) for job in self.batches.listed("mistral")]
        size = min(int(http.query.get("page_size", 100)), self.batches.batch.page)
        first = int(http.query.get("page", 0)) * size
        return web.json_response({"object": "list", "data": jobs[first : first + size], "total": len(jobs)})

    def _told(self, job: Job) -> dict[str, Any]:
        output, errors = self.files.written(job)
        faults = Counter(fault.message for fault in job.faults)
        return {
            "id": job.id,
            "object": "batch",
            "input_files": [job.file],
            "endpoint": "/v1/chat/completions",
            "model": str(job.asked[0].body["model"]) if job.asked else "",
            "status": MISTRAL[job.state],
            "created_at": job.number,
            "total_requests": len(job.asked),
            "completed_requests": len(job.outcomes),
            "succeeded_requests": job.completed,
            "failed_requests": len(job.outcomes) - job.completed,
            "output_file": output,
            "error_file": errors,
            "errors": [{"message": message, "count": count} for message, count in faults.items()],
            "metadata": job.metadata if self.batches.batch.find == "metadata" else None,
        }


@dataclass(frozen=True, slots=True)
class XAI:
    """OpenAI's files, batches with a name and counters, and pages of results."""

    batches: Batches
    files: OpenAI

    def routes(self) -> Iterable[web.RouteDef]:
        """Its routes."""
        base, wrapped = "/xai/v1", self.batches.wrapped
        return (
            *self.files.file_routes(base),
            web.post(f"{base}/batches", wrapped("create", self.create)),
            web.get(f"{base}/batches", wrapped("list", self.list_)),
            web.get(f"{base}/batches/{{id:[^/:]+}}", wrapped("retrieve", self.retrieve)),
            web.post(f"{base}/batches/{{id:[^/:]+}}:cancel", wrapped("cancel", self.cancel)),
            web.get(f"{base}/batches/{{id:[^/:]+}}/results", wrapped("content", self.results)),
        )

    async def create(self, http: web.Request) -> web.Response:
        """Starts a batch."""
        body = cast("dict[str, Any]", await http.json())
        file = self.batches.files.get(str(body.get("input_file_id")))
        if file is None:
            return refusal(400, "invalid_request_error", "no such file")
        rows: tuple[list[Asked], list[Refused]] = read_rows(file.data)
        job = await self.batches.start("xai", file.id, rows, name=body["name"])
        return web.json_response(self._told(job))

    async def retrieve(self, http: web.Request) -> web.Response:
        """What has become of a batch."""
        return web.json_response(self._told(await self.batches.look(http.match_info["id"])))

    async def cancel(self, http: web.Request) -> web.Response:
        """Stops a batch."""
        return web.json_response(self._told(await self.batches.cancel(http.match_info["id"])))

    async def list_(self, http: web.Request) -> web.Response:
        """A page of batches."""
        jobs = [self._told(job) for job in self.batches.listed("xai")]
        first = int(http.query.get("pagination_token", 0))
        last = first + min(int(http.query.get("limit", 100)), self.batches.batch.page)
        return web.json_response({"batches": jobs[first:last], "pagination_token": str(last) if jobs[last:] else None})

    async def results(self, http: web.Request) -> web.Response:
        """A page of results."""
        job = await self.batches.look(http.match_info["id"])
        told = [
            _xai_result(job.outcomes[n]) for n in job.order if job.outcomes[n].fault not in ("missing", "malformed")
        ]
        first = int(http.query.get("pagination_token", 0))
        last = first + RESULTS
        return web.json_response({"results": told[first:last], "pagination_token": str(last) if told[last:] else None})

    def _told(self, job: Job) -> dict[str, Any]:
        stopped = job.state in ("cancelled", "expired", "failed")
        theirs = stopped and not job.cancelling
        return {
            "batch_id": job.id,
            "name": job.name if self.batches.batch.find == "metadata" else "",
            "create_time": "2026-01-01T00:00:00Z",
            "cancel_time": "2026-01-01T00:30:00Z" if stopped else None,
            "cancel_by_xai_message": (job.faults[0].message if job.faults else "simulated: stopped")
            if theirs
            else None,
            "input_file_id": job.file,
            "state": {
                "num_requests": len(job.asked),
                "num_pending": len(job.asked) if job.state == "running" else 0,
                "num_success": job.completed,
                "num_error": len(job.outcomes) - job.completed,
                "num_cancelled": len(job.unrun) if stopped else 0,
            },
        }


def _xai_result(outcome: Outcome) -> dict[str, Any]:
    error = {"code": outcome.status, "message": outcome.body.get("error", {}).get("message")}
    answered = {"response": {"chat_get_completion": outcome.body}}
    return {
        "batch_request_id": outcome.asked.custom_id,
        "batch_result": answered if outcome.status == 200 else {"error": error},
    }
