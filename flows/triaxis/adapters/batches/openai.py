"""`ports.batches.BatchApi` over OpenAI's files and batches, on our own client.

For OpenAI itself, and for every server that speaks its protocol: the gateway in front of a local model among them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from triaxis.adapters.batches.http import BatchHttp, id_of, open_http
from triaxis.adapters.batches.request_lines import CHAT, request_line
from triaxis.adapters.models.openai_address import Address
from triaxis.domain.batches import BatchReport, BatchRules
from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits
from triaxis.errors import Transient
from triaxis.ports.batches import BatchApi
from triaxis.ports.clock import Clock
from triaxis.rules.batches.reports import mapping, report_of

PAGE = "100"
LABEL = "triaxis"
"""The key in a batch's metadata that holds our name for it."""


@asynccontextmanager
async def open_openai_batches(
    address: Address, rules: BatchRules, *, limits: Limits, clock: Clock
) -> AsyncGenerator[BatchApi]:
    """The batch API below that address; connections are kept until the context ends."""
    async with open_http(address, limits=limits, clock=clock) as http:
        yield _OpenAIBatches(http, rules)


@dataclass(frozen=True, slots=True)
class FileBatches:
    """What batch APIs share that are handed a file of requests, and hand out files of results."""

    http: BatchHttp
    rules: BatchRules

    def line(self, key: str, request: Request) -> bytes:
        """The line of a batch's file that asks for one row."""
        return request_line(key, self.http.address.body(request))

    async def fetch(self, report: BatchReport, folder: Path) -> Sequence[Path]:
        """Downloads files, all of them or none. Their names are ours: a provider's id never becomes a path."""
        paths: list[Path] = []
        try:
            for number, file in enumerate(report.files):
                path = folder / f"{number}.jsonl"
                await self.http.download("files", file, "content", to=path)
                paths.append(path)
        except BaseException:
            for path in paths:
                path.unlink()
            raise
        return paths


@dataclass(frozen=True, slots=True)
class _OpenAIBatches(FileBatches):
    async def submit(self, name: str, file: Path) -> str:
        input_file = await self.http.upload(f"{name}.jsonl", file)
        body: dict[str, JsonValue] = {
            "input_file_id": input_file,
            "endpoint": CHAT,
            "completion_window": "24h",
            "metadata": {LABEL: name},
        }
        return id_of(await self.http.post("batches", body=body))

    async def find(self, name: str) -> str | None:
        """By metadata; a batch that is listed without any is told by its input file's name."""
        batches = await self._all("batches")
        for batch in batches:
            if mapping(batch.get("metadata")).get(LABEL) == name:
                return id_of(batch)
        unnamed = [batch for batch in batches if not mapping(batch.get("metadata"))]
        if not unnamed:
            return None
        ours = {id_of(file) for file in await self._all("files") if file.get("filename") == f"{name}.jsonl"}
        return next((id_of(batch) for batch in unnamed if batch.get("input_file_id") in ours), None)

    async def _all(self, path: str) -> Sequence[Mapping[str, JsonValue]]:
        """The entries of all pages of a list."""
        entries: list[Mapping[str, JsonValue]] = []
        after: dict[str, str] = {}
        while True:
            page = await self.http.get(path, limit=PAGE, **after)
            data = page.get("data")
            if not isinstance(data, list):
                raise Transient("malformed")
            entries += map(mapping, data)
            # A server that knows no pages tells the same one again and again.
            if not data or page.get("has_more") is not True or after == {"after": id_of(entries[-1])}:
                return entries
            after = {"after": id_of(entries[-1])}

    async def report(self, provider_id: str) -> BatchReport:
        return read_report(await self.http.get("batches", provider_id))

    async def cancel(self, provider_id: str) -> None:
        await self.http.post("batches", provider_id, "cancel")


def read_report(batch: Mapping[str, JsonValue]) -> BatchReport:
    """The report in a batch object of OpenAI's shape.

    Raises:
        Transient: `malformed`, where it is none.
    """
    try:
        return report_of(batch)
    except ValueError:
        raise Transient("malformed") from None
