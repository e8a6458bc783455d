"""The batches that a simulated provider holds, and the faults of the HTTP calls that speak of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from batch_jobs import Asked, Fate, Job, Refused, ledger_lines
from ledger_provider import Settings
from provider_parts import Ledger, close, digest_of, draw, refusal, reset

CALLS = ("upload", "create", "retrieve", "list", "cancel", "content", "files")
CALL_FAULTS = ("rate_limit", "unavailable", "reset", "server", "hang", "lost", "truncated", "malformed")
"""429, 500 and a reset before anything was done; after it: 500, silence, a reset, half a body, one without its end."""
BEFORE = ("rate_limit", "unavailable", "reset")
FINDS = ("metadata", "file_name", "none", "refused")
"""What a list of batches shows: all; no metadata; nothing; or there is no such list (404)."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """What the command line said of batches."""

    calls: Mapping[str, float]
    """Rate by fault, or by call and fault: `create.lost`."""
    at_most: int
    """How often one call meets a fault, at most."""
    find: str
    polls: int
    """A batch ends with so many looks at it; 0 lets it end by time."""
    run_s: float
    page: int
    """Entries of a list that are told at once, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One file."""

    id: str
    name: str
    purpose: str
    data: bytes

    def told(self) -> dict[str, Any]:
        """As it is listed."""
        kept = {"id": self.id, "filename": self.name, "purpose": self.purpose, "bytes": len(self.data)}
        return {**kept, "object": "file", "created_at": 0, "status": "processed"}


@dataclass(slots=True, kw_only=True)
class Batches:
    """The batches of all protocols, and the files."""

    settings: Settings
    batch: BatchSettings
    ledger: Ledger
    fate: Fate
    files: dict[str, Stored] = field(default_factory=dict[str, Stored])
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    seen: Counter[str] = field(default_factory=Counter[str])
    ending: asyncio.Lock = field(default_factory=asyncio.Lock)
    running: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def store(self, name: str, purpose: str, data: bytes) -> Stored:
        """Keeps a file."""
        file = Stored(id=f"file-{len(self.files) + 1}", name=name, purpose=purpose, data=data)
        self.files[file.id] = file
        return file

    async def start(
        self,
        protocol: str,
        file: str,
        rows: tuple[list[Asked], list[Refused]],
        *,
        prefix: str = "batch_",
        name: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Job:
        """A new batch, in the ledger and on its way."""
        asked, faults = rows
        number = len(self.jobs) + 1
        job = Job(
            id=f"{prefix}{number}",
            number=number,
            protocol=protocol,
            file=file,
            name=name,
            metadata=metadata,
            asked=asked,
            faults=faults,
        )
        job.faults = job.faults or self.fate.refusals(job)
        self.jobs[job.id] = job
        stored = self.files.get(file)
        line = {"kind": "batch", "batch": job.id, "protocol": protocol, "name": name, "rows": len(asked)}
        line["of"] = digest_of(row.custom_id for row in asked)
        await self.ledger.bill({"at_ns": time.time_ns(), **line, "file": stored.name if stored else None})
        if job.faults:
            job.state = "failed"
        elif not self.batch.polls:
            task = asyncio.create_task(self._run(job))
            self.running.add(task)
            task.add_done_callback(self.running.discard)
        return job

    async def _run(self, job: Job) -> None:
        await asyncio.sleep(self.batch.run_s)
        await self.end(job)

    async def end(self, job: Job, *, cancelled: bool = False) -> None:
        """Runs the rows that are still to be run, and bills them, where that has not been done."""
        async with self.ending:
            if job.state != "running":
                return
            state = self.fate.end(job, "cancelled" if cancelled else "completed")
            stamp = time.time_ns()
            await self.ledger.bill(*({"at_ns": stamp, **line} for line in ledger_lines(job)))
            job.state = state

    async def end_all(self) -> None:
        """The provider goes on with what it accepted, whoever has gone."""
        for job in self.jobs.values():
            await self.end(job)

    async def look(self, id_: str) -> Job:
        """The batch as it is now; a look moves it on where looks count."""
        job = self.jobs.get(id_)
        if job is None:
            raise web.HTTPNotFound(text=json.dumps({"error": {"message": "no such batch", "code": "not_found"}}))
        job.polls += 1
        if self.batch.polls and job.polls >= self.batch.polls:
            await self.end(job)
        return job

    async def cancel(self, id_: str) -> Job:
        """Stops a batch half way."""
        job = await self.look(id_)
        if job.state == "running":
            await self.end(job, cancelled=True)
            job.cancelling = True
        return job

    def listed(self, protocol: str) -> list[Job]:
        """What a list of batches shows, newest first."""
        if self.batch.find == "refused":
            raise web.HTTPNotFound(text="{}")
        jobs = [] if self.batch.find == "none" else list(self.jobs.values())[::-1]
        return [job for job in jobs if job.protocol == protocol]

    def wrapped(self, call: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler, with the faults of its HTTP call before and after it."""

        async def handle(http: web.Request) -> web.StreamResponse:
            multipart = http.content_type.startswith("multipart/")
            await (http.post() if multipart else http.read())
            if refused := self._locked(http):
                return refused
            place = f"{call} {http.path}"
            fault = self._fault(call, place, self.seen[place])
            self.seen[place] += 1
            if fault is not None:
                await self.ledger.bill({"at_ns": time.time_ns(), "kind": "fault", "call": call, "fault": fault})
            if fault in BEFORE:
                return self._nothing_done(fault, http)
            answer = await handler(http)
            return answer if fault is None else await self._done(fault, http, answer)

        return handle

    def _locked(self, http: web.Request) -> web.Response | None:
        given = http.headers.get("Authorization", "").removeprefix("Bearer ")
        given = given or http.headers.get("x-api-key") or http.headers.get("api-key") or "nothing"
        if self.settings.key is None or given == self.settings.key:
            return None
        return refusal(401, "invalid_api_key", f"Incorrect API key provided: {given}")

    def _fault(self, call: str, place: str, repeat: int) -> str | None:
        for name, rate in self.batch.calls.items():
            of, _, kind = name.rpartition(".")
            if (
                of in ("", call)
                and repeat < self.batch.at_most
                and draw(self.settings.seed, name, place, repeat) < rate
            ):
                return kind
        return None

    def _nothing_done(self, fault: str, http: web.Request) -> web.Response:
        said = f", asked with {dict(http.headers)}" if self.settings.echo else ""
        if fault == "reset":
            reset(http)
        if fault == "rate_limit":
            wait = {"retry-after-ms": str(int(self.settings.retry_after_s * 1000))}
            return refusal(429, "rate_limit_exceeded", f"simulated: too many requests{said}", wait)
        return refusal(500, "server_error", f"simulated: something broke{said}")

    async def _done(self, fault: str, http: web.Request, answer: web.Response) -> web.StreamResponse:
        body = answer.body
        assert isinstance(body, bytes)
        if fault == "server":
            return refusal(500, "server_error", "simulated: something broke after it was done")
        if fault == "malformed":
            return web.Response(body=body[:-7], content_type="application/json")
        if fault == "truncated":
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            response.content_length = len(body)
            await response.prepare(http)
            await response.write(body[: len(body) // 2])
            await asyncio.sleep(0)
            close(http)
            return response
        if fault == "hang":
            await asyncio.sleep(self.settings.hang_s)
        reset(http)
        return answer
