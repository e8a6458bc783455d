"""`ports.batches.BatchApi` over Anthropic's Message Batches, through its own SDK.

LiteLLM cannot create them. It writes each request all the same, so that a batch asks what a live call would ask, and a
contract test holds that. A batch is one call whose body is streamed from the file of lines. It has no name of ours, so
that one whose id was never heard is not found again.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

import httpx

from triaxis.adapters.batches.http import NO_IDS, SLOWEST_BYTES_PER_S, id_of
from triaxis.adapters.batches.request_lines import json_line
from triaxis.adapters.batches.result_lines import whole_lines
from triaxis.adapters.models import litellm_library
from triaxis.adapters.models.openai_address import key_of
from triaxis.domain.batches import BatchFault, BatchReport, BatchRules
from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits, Target
from triaxis.errors import CallFailed, Denied, Terminal, Transient
from triaxis.ports.batches import BatchApi
from triaxis.ports.clock import Clock
from triaxis.rules.batches.reports import State, count, mapping
from triaxis.rules.calls.provider_errors import batch_failure, without

VARIABLE = "ANTHROPIC_API_KEY"
VENDOR = "https://api.anthropic.com"
BETAS: Mapping[str, bytes] = {"structured-outputs-2025-11-13": b'"output_format":'}
"""Headers that requests may need, with the key in a line that needs them. A quoted text has no such bytes: in JSON its
own quotes are escaped."""
STATES = ("processing", "succeeded", "errored", "canceled", "expired")
CHUNK_BYTES = 2**20
OPENING, CLOSING = b'{"requests":[', b"]}"


@asynccontextmanager
async def open_anthropic_batches(
    target: Target, rules: BatchRules, *, limits: Limits, clock: Clock
) -> AsyncGenerator[BatchApi]:
    """The Message Batches of Anthropic, or of a server that speaks its protocol.

    Raises:
        InputFaults: where the key is not set, or only the environment names a server.
    """
    model = litellm_library.named(target)
    litellm_library.refuse_unnamed_server(target, model.provider)
    key = key_of(VARIABLE, os.environ)
    if key is None:
        raise litellm_library.no_key(target, VARIABLE)
    anthropic: Any = importlib.import_module("anthropic")
    timeout = anthropic.Timeout(
        limits.total_timeout_s, connect=limits.connect_timeout_s, read=limits.first_token_timeout_s
    )
    async with anthropic.AsyncAnthropic(
        api_key=key, base_url=target.api_base or VENDOR, max_retries=0, timeout=timeout
    ) as client:
        yield _AnthropicBatches(client=client, body=_bodies(model), key=key, rules=rules, limits=limits, clock=clock)


def _bodies(model: litellm_library.Named) -> Callable[[Request], dict[str, Any]]:
    """Bodies as LiteLLM sends them to Anthropic live."""
    config = litellm_library.chat_config(model)
    translated = dict[str, tuple[dict[str, Any], dict[str, str]]]()

    def body(request: Request) -> dict[str, Any]:
        known = json.dumps(request.params, sort_keys=True)
        if known not in translated:
            translated[known] = _parameters(model, config, request)
        params, headers = translated[known]
        messages = [dict(m.to_json()) for m in request.messages]
        needed = dict(headers)
        try:
            data = config.transform_request(model.name, messages, deepcopy(params), {}, needed)
        except litellm_library.errors():
            raise Terminal("bad_request", billed=False) from None
        betas, data = litellm_library.with_betas(model, needed, data)
        _refuse_betas(betas)
        return data

    return body


def _parameters(model: litellm_library.Named, config: Any, request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    """A request's parameters in Anthropic's words, and the headers that go with them."""
    params = litellm_library.parameters(model, request.params)
    params.pop("json_mode", None)
    messages = [dict(m.to_json()) for m in request.messages]
    headers = config.validate_environment({}, model.name, messages, params, {}, api_key="none")
    return params, headers


def _refuse_betas(header: str) -> None:
    beyond = {beta.strip() for beta in header.split(",") if beta.strip()} - BETAS.keys()
    if beyond:
        raise Denied("params", f"a batch does not carry what these params need ({', '.join(sorted(beyond))})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnthropicBatches:
    client: Any
    body: Callable[[Request], dict[str, Any]]
    key: str = field(repr=False)
    rules: BatchRules
    limits: Limits
    clock: Clock

    def line(self, key: str, request: Request) -> bytes:
        return json_line({"custom_id": key, "params": self.body(request)})

    async def submit(self, name: str, file: Path) -> str:
        del name  # Anthropic has no place for it.
        with await asyncio.to_thread(file.open, "rb") as lines:
            size = os.fstat(lines.fileno()).st_size
            within = self.limits.total_timeout_s + size / SLOWEST_BYTES_PER_S
            headers = {"Content-Type": "application/json", "Content-Length": str(_length(size))}
            if betas := await asyncio.to_thread(_betas, lines):
                headers["anthropic-beta"] = betas
            return id_of(
                await self._json(
                    self.client.post(
                        "/v1/messages/batches",
                        cast_to=httpx.Response,
                        content=_request(lines, size),
                        options={"headers": headers, "timeout": within},
                    )
                )
            )

    async def find(self, name: str) -> str | None:
        raise Denied("find", f"Anthropic knows no names, so that {name} cannot be looked for")

    async def report(self, provider_id: str) -> BatchReport:
        return _report(await self._json(self.client.get(_path(provider_id), cast_to=httpx.Response)))

    async def fetch(self, report: BatchReport, folder: Path) -> Sequence[Path]:
        return [await self._download(batch, folder / f"{n}.jsonl") for n, batch in enumerate(report.files)]

    async def _download(self, batch: str, path: Path) -> Path:
        # The path is ours, and not the `results_url` that is told: that one could lead the key elsewhere.
        try:
            answer = await self.client.get(f"{_path(batch)}/results", cast_to=httpx.Response, stream=True)
            async with aclosing(answer):
                with whole_lines(path) as written:
                    async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                        written.write(chunk)
        except _errors() as error:
            raise self._failed(error) from None
        return path

    async def cancel(self, provider_id: str) -> None:
        await self._json(self.client.post(f"{_path(provider_id)}/cancel", cast_to=httpx.Response))

    async def _json(self, call: Awaitable[httpx.Response]) -> Mapping[str, JsonValue]:
        """The object that a call is answered with."""
        try:
            said: object = json.loads(without([self.key], (await call).text))
        except _errors() as error:
            raise self._failed(error) from None
        except (ValueError, RecursionError):
            raise Transient("malformed") from None
        if not isinstance(said, dict):
            raise Transient("malformed")
        return cast("dict[str, JsonValue]", said)

    def _failed(self, error: Exception) -> CallFailed:
        # The SDK wraps what its HTTP client raises; a download meets it bare.
        match error if isinstance(error, httpx.TransportError) else error.__cause__:
            case httpx.ConnectTimeout():
                return Transient("connect_timeout", billed=False)
            case httpx.ConnectError():
                return Transient("connect", billed=False)
            case httpx.TimeoutException():
                return Transient("timeout")
            case httpx.RemoteProtocolError():
                return Transient("truncated")
            case httpx.TransportError():
                return Transient("reset")
            case _:
                return self._by_status(error)

    def _by_status(self, error: Any) -> CallFailed:
        response: httpx.Response = error.response
        return batch_failure(
            response.status_code,
            response.headers,
            response.text,
            now_s=self.clock.now_ns() / 1e9,
            variable=VARIABLE,
            keys=(self.key,),
        )


def _errors() -> tuple[type[Exception], ...]:
    anthropic: Any = importlib.import_module("anthropic")
    return (anthropic.APIStatusError, anthropic.APIConnectionError, httpx.TransportError)


def _path(batch: str) -> str:
    if batch in NO_IDS:
        raise Transient("malformed")
    return f"/v1/messages/batches/{quote(batch, safe='')}"


def _length(size: int) -> int:
    """Bytes of the request that is made of so many bytes of lines."""
    return len(OPENING) + size - 1 + len(CLOSING)


async def _request(lines: BinaryIO, size: int) -> AsyncGenerator[bytes]:
    """The body: the lines, parted by commas, in a list. Within a line JSON has no newline."""
    yield OPENING
    left = size - 1
    while left > 0:
        chunk = lines.read(min(CHUNK_BYTES, left))
        left -= len(chunk)
        yield chunk.replace(b"\n", b",")
    yield CLOSING


def _betas(lines: BinaryIO) -> str:
    """The header that some of the lines need."""
    needed: set[str] = set()
    for line in lines:
        needed.update(beta for beta, mark in BETAS.items() if mark in line)
    lines.seek(0)
    return ",".join(sorted(needed))


def _report(batch: Mapping[str, JsonValue]) -> BatchReport:
    """What Anthropic says of a batch. Results stay for 29 days; `archived_at` says that they are gone."""
    counts = {name: count(number) for name, number in mapping(batch.get("request_counts")).items()}
    ended = batch.get("processing_status") == "ended"
    state: State = "completed" if ended else "pending"
    if ended and counts.get("canceled"):
        state = "cancelled"
    if ended and counts.get("expired"):
        state = "expired"
    archived = batch.get("archived_at") is not None
    gone = (BatchFault(code="archived", message="the results are no longer kept"),) if archived else ()
    return BatchReport(
        provider_id=id_of(batch),
        state=state,
        total=sum(known) if len(known := [n for n in counts.values() if n is not None]) == len(STATES) else None,
        completed=counts.get("succeeded"),
        failed=counts.get("errored"),
        files=(id_of(batch),) if ended and not archived else (),
        faults=gone,
    )
