"""`ports.batches.BatchApi` over Mistral's files and batch jobs, on our own client.

LiteLLM (1.106) creates and retrieves these jobs, and can neither list nor cancel them, so that a job whose id was never
heard could not be found again; a contract test holds what both send equal.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from triaxis.adapters.batches.http import id_of, open_http
from triaxis.adapters.batches.openai import LABEL, FileBatches, read_report
from triaxis.adapters.batches.request_lines import CHAT
from triaxis.adapters.models.openai_address import Address
from triaxis.domain.batches import BatchReport, BatchRules
from triaxis.domain.canonical import JsonValue
from triaxis.domain.variant import Limits
from triaxis.errors import Transient
from triaxis.ports.batches import BatchApi
from triaxis.ports.clock import Clock
from triaxis.rules.batches.reports import mapping

JOBS = ("batch", "jobs")
PAGE = 100
STATES = {
    "QUEUED": "validating",
    "RUNNING": "in_progress",
    "CANCELLATION_REQUESTED": "cancelling",
    "SUCCESS": "completed",
    "FAILED": "failed",
    "TIMEOUT_EXCEEDED": "expired",
    "CANCELLED": "cancelled",
}
"""Mistral's words for how far a job is, in OpenAI's."""


@asynccontextmanager
async def open_mistral_batches(
    address: Address, model: str, rules: BatchRules, *, limits: Limits, clock: Clock
) -> AsyncGenerator[BatchApi]:
    """The jobs below that address; `model` is Mistral's own name, since a job is of one model."""
    async with open_http(address, limits=limits, clock=clock) as http:
        yield _MistralBatches(http, rules, model)


@dataclass(frozen=True, slots=True)
class _MistralBatches(FileBatches):
    model: str

    async def submit(self, name: str, file: Path) -> str:
        input_file = await self.http.upload(f"{name}.jsonl", file)
        body: dict[str, JsonValue] = {
            "input_files": [input_file],
            "endpoint": CHAT,
            "model": self.model,
            "metadata": {LABEL: name},
        }
        return id_of(await self.http.post(*JOBS, body=body))

    async def find(self, name: str) -> str | None:
        number, seen = 0, 0
        while True:
            page = await self.http.get(*JOBS, page=str(number), page_size=str(PAGE))
            jobs, total = page.get("data"), page.get("total")
            if not isinstance(jobs, list) or not isinstance(total, int):
                raise Transient("malformed")
            for job in map(mapping, jobs):
                if mapping(job.get("metadata")).get(LABEL) == name:
                    return id_of(job)
            number, seen = number + 1, seen + len(jobs)
            if not jobs or seen >= total:
                return None

    async def report(self, provider_id: str) -> BatchReport:
        return read_report(_as_openai(await self.http.get(*JOBS, provider_id)))

    async def cancel(self, provider_id: str) -> None:
        await self.http.post(*JOBS, provider_id, "cancel")


def _as_openai(job: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A job as OpenAI's batch object."""
    return {
        "id": job.get("id"),
        "status": STATES.get(str(job.get("status"))),
        "request_counts": {
            "total": job.get("total_requests"),
            "completed": job.get("succeeded_requests"),
            "failed": job.get("failed_requests"),
        },
        "output_file_id": job.get("output_file"),
        "error_file_id": job.get("error_file"),
        "errors": {"data": job.get("errors")},
    }
