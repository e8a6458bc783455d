"""`ports.batches.BatchApi` through LiteLLM's file and batch calls: Azure, xAI, Vertex AI and Bedrock.

What LiteLLM (1.106) does differently for each, and where it is not to be left alone:

- xAI       keeps a name and no metadata; tells only of a completed batch where its results are, though those of a
            cancelled one can be read, and are billed
- Vertex    renames file and job, so that neither is found again; reads results line by line only as a stream
- Bedrock   the same; tells where results are of completed jobs only; hands lines over as Bedrock wrote them
- all       reads a completed batch's files after every `retrieve`, for a spend log, unless it is told not to
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from triaxis.adapters.batches.http import SLOWEST_BYTES_PER_S, unbilled
from triaxis.adapters.batches.litellm_failures import batch_errors, failed_call
from triaxis.adapters.batches.openai import LABEL, read_report
from triaxis.adapters.batches.request_lines import CHAT, request_line
from triaxis.adapters.batches.result_lines import whole_lines
from triaxis.adapters.models import litellm_library
from triaxis.adapters.models.litellm_library import library
from triaxis.adapters.models.openai_address import Body, plain_body
from triaxis.domain.batches import BatchReport, BatchRules
from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits, Target
from triaxis.errors import CallFailed, Fault, InputFaults, Transient
from triaxis.ports.batches import BatchApi
from triaxis.ports.clock import Clock
from triaxis.rules.batches.bedrock_lines import as_result_line
from triaxis.rules.batches.reports import count, mapping

NEEDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "azure": (("AZURE_API_KEY",),),
    "xai": (("XAI_API_KEY",),),
    "vertex_ai": (("VERTEXAI_PROJECT",), ("VERTEXAI_LOCATION",), ("GCS_BATCH_BUCKET_NAME", "GCS_BUCKET_NAME")),
    "bedrock": (("AWS_BATCH_ROLE_ARN",), ("AWS_S3_BUCKET_NAME",), ("AWS_REGION_NAME", "AWS_REGION")),
}
"""Variables without which nothing can be sent, by provider; of several in a row, one is enough."""
PAGE = 100
SILENT = {"batch_ignore_default_logging": True}
"""Keeps LiteLLM from reading a batch's files for its own accounting."""
EARLY = frozenset({"failed", "cancelled", "expired"})
"""How a batch ends that is not complete."""
UNREADY, WAIT_S = "pending", 2.0
"""Azure looks through a file before a batch can be made of it."""


@asynccontextmanager
async def open_litellm_batches(
    target: Target, rules: BatchRules, *, limits: Limits, clock: Clock
) -> AsyncGenerator[BatchApi]:
    """The batch API of the provider of a model.

    Raises:
        InputFaults: with every variable that is not set, and where Azure has no address.
    """
    model = litellm_library.named(target)
    litellm_library.refuse_unnamed_server(target, model.provider)
    _check(target, model.provider)
    own = model.provider in ("azure", "xai")
    yield _LitellmBatches(
        rules=rules,
        name=model.name,
        # What the others take, LiteLLM makes of OpenAI's shape when it stores the file.
        body=litellm_library.bodies(model, litellm_library.chat_config(model)) if own else plain_body(model.name),
        said=_said(target, model.provider),
        url="/chat/completions" if model.provider == "azure" else CHAT,
        label="name" if model.provider == "xai" else LABEL,
        limits=limits,
        clock=clock,
    )


def _check(target: Target, provider: str) -> None:
    if provider == "azure" and target.api_base is None:
        raise litellm_library.no_address(target, "Azure has an address of your own")
    lacking = [names for names in NEEDS[provider] if not any(os.environ.get(name) for name in names)]
    if lacking:
        raise InputFaults(
            *(
                Fault(
                    file="environment",
                    field=names[0],
                    problem=f"it is not set, and batches of {target.model} need it",
                    advice=f"Set {' or '.join(names)}.",
                )
                for names in lacking
            )
        )


def _said(target: Target, provider: str) -> Mapping[str, Any]:
    """What every call is told."""
    said: dict[str, Any] = {"custom_llm_provider": provider, "num_retries": 0, "max_retries": 0}
    if target.api_base is not None:
        said["api_base"] = target.api_base
    if provider in ("azure", "xai"):
        # Named in every call: left out, LiteLLM takes whatever other key it finds.
        said["api_key"] = os.environ[NEEDS[provider][0][0]]
    if provider == "azure":
        said["api_version"] = os.environ.get("AZURE_API_VERSION") or library().AZURE_DEFAULT_API_VERSION
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class _LitellmBatches:
    rules: BatchRules
    name: str
    body: Callable[[Request], Body]
    said: Mapping[str, Any]
    url: str
    label: str
    limits: Limits
    clock: Clock

    def line(self, key: str, request: Request) -> bytes:
        return request_line(key, self.body(request), self.url)

    async def submit(self, name: str, file: Path) -> str:
        try:
            input_file = await self._store(name, file)
        except CallFailed as error:
            raise unbilled(error) from None
        batch = await self._call(
            "acreate_batch",
            completion_window="24h",
            endpoint=self.url,
            input_file_id=input_file,
            metadata={self.label: name},
            model=f"{self.rules.provider}/{self.name}",
        )
        return str(batch.id)

    async def _store(self, name: str, file: Path) -> str:
        with await asyncio.to_thread(file.open, "rb") as lines:
            size = os.fstat(lines.fileno()).st_size
            stored = await self._call("acreate_file", size, file=(f"{name}.jsonl", lines), purpose="batch")
        until = self.clock.monotonic() + self.limits.total_timeout_s
        while stored.status == UNREADY:
            if self.clock.monotonic() > until:
                raise Transient("timeout")
            await self.clock.sleep(WAIT_S)
            stored = await self._call("afile_retrieve", file_id=stored.id)
        return str(stored.id)

    async def find(self, name: str) -> str | None:
        page = await self._call("alist_batches", limit=PAGE)
        while True:
            for batch in page.data:
                if mapping(batch.metadata).get(self.label) == name:
                    return str(batch.id)
            if not page.data or not page.has_more:
                return None
            page = await self._next(page)

    async def _next(self, page: Any) -> Any:
        if self.rules.provider == "azure":
            # LiteLLM does not hand `after` on to Azure; the page itself knows what comes next.
            return await self._sent(page.get_next_page, self.limits.total_timeout_s)
        return await self._call("alist_batches", limit=PAGE, after=page.next_page_token)

    async def report(self, provider_id: str) -> BatchReport:
        batch = await self._call("aretrieve_batch", batch_id=provider_id, litellm_metadata=SILENT)
        fields = cast("dict[str, JsonValue]", batch.model_dump())
        return read_report({**fields, **_results(self.rules.provider, fields)})

    async def fetch(self, report: BatchReport, folder: Path) -> Sequence[Path]:
        paths: list[Path] = []
        try:
            for number, file in enumerate(report.files):
                path = folder / f"{number}.jsonl"
                await self._download(file, path)
                paths.append(path)
        except BaseException:
            for path in paths:
                path.unlink()
            raise
        return paths

    async def _download(self, file: str, path: Path) -> None:
        streamed = self.rules.provider == "vertex_ai"
        content = await self._call("afile_content", file_id=file, stream=streamed)
        with whole_lines(path) as written:
            if streamed:
                async for chunk in self._chunks(content.stream_iterator):
                    written.write(chunk)
            elif self.rules.provider == "bedrock":
                written.writelines(map(as_result_line, content.content.splitlines(keepends=True)))
            else:
                written.write(content.content)

    async def _chunks(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        try:
            async for chunk in stream:
                yield chunk
        except batch_errors() as error:
            raise failed_call(error, self.clock) from None

    async def cancel(self, provider_id: str) -> None:
        await self._call("acancel_batch", batch_id=provider_id)

    async def _call(self, verb: str, size: int = 0, **arguments: Any) -> Any:
        """One of LiteLLM's calls, sent once."""
        within = self.limits.total_timeout_s + size / SLOWEST_BYTES_PER_S
        call = getattr(library(), verb)
        return await self._sent(lambda: call(**self.said, **arguments, timeout=within), within)

    async def _sent(self, call: Callable[[], Awaitable[Any]], within: float) -> Any:
        try:
            async with asyncio.timeout(within):
                return await call()
        except batch_errors() as error:
            raise failed_call(error, self.clock) from None


def _results(provider: str, batch: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Where the results of a batch are that LiteLLM does not name, since it ended before it was complete."""
    answered = count(mapping(batch.get("request_counts")).get("completed"))
    if batch.get("output_file_id") or batch.get("status") not in EARLY or not answered:
        return {}
    if provider == "bedrock":
        return {"output_file_id": mapping(batch.get("metadata")).get("output_file_uri")}
    return {"output_file_id": batch.get("id")} if provider == "xai" else {}
