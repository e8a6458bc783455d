"""The probe's side in this process: spawns the worker that sends, feeds it blocks, and reads its outcomes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from triaxis.adapters.local.models import PREFIX, is_local
from triaxis.adapters.models.openai_address import Address, completions_url, plain_body
from triaxis.domain.rows import ProbeRow, Request
from triaxis.domain.variant import Target
from triaxis.errors import TriaxisError
from triaxis.ports.models import ProbeCall
from triaxis.rules.calls.reply import tokens_of

LINE_BYTES = 2**20
STREAMED: Mapping[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}

Locate: TypeAlias = Callable[[Target], Address | None]
"""Where a hosted model takes chat completions, by the code that whole answers are sent by; None where its wire is not
OpenAI's, so that LiteLLM must speak to it."""


class LocalServers(Protocol):
    """Managed local servers, as a probe needs them."""

    def address(self, target: Target) -> AbstractAsyncContextManager[str]:
        """The base address of a running server."""
        ...

    def busy_core_s(self, target: Target) -> float | None:
        """CPU-seconds it has used so far."""
        ...


class WorkerDied(TriaxisError):
    """The probe's process ended in the middle of a block, which is measured again by the next run."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: asyncio.subprocess.Process

    def end(self) -> None:
        """Tells the worker that nobody listens: it ends with its input, in the middle of a block too."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def outcomes(self, block: Mapping[str, Any]) -> AsyncGenerator[Mapping[str, Any]]:
        """Sends one block and yields what became of each request."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(block, separators=(",", ":")).encode() + b"\n")
        with suppress(ConnectionError):  # told below, by the missing outcomes
            await self.process.stdin.drain()
        while line := await self.process.stdout.readline():
            outcome = json.loads(line)
            if "done" in outcome:
                return
            yield outcome
        raise WorkerDied("the probe's process ended in the middle of a block; run again to measure that block")


class ProbeProcess:
    """A `ProbeClient` whose sender is a process of its own, so that nothing here can make it late."""

    def __init__(self, *, locate: Locate, local: LocalServers | None = None) -> None:
        self._locate, self._local = locate, local
        self._kept: AsyncExitStack | None = None
        self._worker: _Worker | None = None
        self._leased = set[Target]()
        self._busy_core_s = dict[Target, float]()

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Keeps one process, and local servers from their first block on, until the (outermost) context ends."""
        if self._kept is not None:
            yield
            return
        async with AsyncExitStack() as kept:
            self._kept = kept
            try:
                yield
            finally:
                self._kept, self._worker = None, None
                self._leased.clear()

    async def run_block(
        self, target: Target, calls: Sequence[ProbeCall], *, timeout_s: float
    ) -> AsyncGenerator[ProbeRow]:
        """Yields each request's outcome as it ends; warm-up requests, which have negative indices, come first."""
        case_ids = {call.index: call.case_id for call in calls}
        async with self._address(target) as address, self._running() as worker:
            before = self._cpu_s(target)
            async for outcome in worker.outcomes(_block(address, target, calls, timeout_s)):
                yield _row(outcome, case_ids)
            after = self._cpu_s(target)
            if before is not None and after is not None:
                self._busy_core_s[target] = after - before

    def busy_core_s(self, target: Target) -> float | None:
        """CPU-seconds that a managed local server used over its last block; None for any other."""
        return self._busy_core_s.get(target)

    def _cpu_s(self, target: Target) -> float | None:
        return None if self._local is None else self._local.busy_core_s(target)

    @asynccontextmanager
    async def _address(self, target: Target) -> AsyncGenerator[Address | None]:
        if self._local is None or not is_local(target.model):
            yield self._locate(target)
            return
        if self._kept is not None and target not in self._leased:
            await self._kept.enter_async_context(self._local.address(target))
            self._leased.add(target)
        # Asked for again for each block: a server that died since has been started again, at another address.
        async with self._local.address(target) as address:
            yield local_address(address, target.model)

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[_Worker]:
        if self._kept is None:
            async with _spawned() as worker:
                yield worker
            return
        if self._worker is None:
            self._worker = await self._kept.enter_async_context(_spawned())
        worker, self._worker = self._worker, None
        try:
            yield worker
        except BaseException:
            # A block that was broken off must not go on being sent.
            worker.end()
            raise
        self._worker = worker


def local_address(address: str, model: str) -> Address:
    """A managed server's address, which wants no key."""
    return Address(url=completions_url(address), variable="", key=None, body=plain_body(model.removeprefix(PREFIX)))


@asynccontextmanager
async def _spawned() -> AsyncGenerator[_Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "triaxis.adapters.probes.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
        start_new_session=True,
    )
    worker = _Worker(process)
    try:
        yield worker
    finally:
        worker.end()
        await process.wait()


def _block(address: Address | None, target: Target, calls: Sequence[ProbeCall], timeout_s: float) -> Mapping[str, Any]:
    return {
        **({"model": target.model, "api_base": target.api_base} if address is None else _wire(address)),
        "timeout_s": timeout_s,
        "calls": [{"index": c.index, "offset_s": c.offset_s, "body": _body(address, c.request)} for c in calls],
    }


def _wire(address: Address) -> Mapping[str, Any]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "User-Agent": "triaxis"}
    if address.key is not None:
        headers["Authorization"] = f"Bearer {address.key}"
    return {"url": address.url, "headers": headers}


def _body(address: Address | None, request: Request) -> str:
    plain = {"messages": [m.to_json() for m in request.messages], "params": request.params}
    body = plain if address is None else {**address.body(request), **STREAMED}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _row(outcome: Mapping[str, Any], case_ids: Mapping[int, str]) -> ProbeRow:
    return ProbeRow(
        case_id=case_ids[outcome["index"]],
        variant="",
        block=0,
        index=outcome["index"],
        scheduled_ns=outcome["scheduled_ns"],
        sent_ns=outcome["sent_ns"],
        first_ns=outcome["first_ns"],
        last_ns=outcome["last_ns"],
        error=outcome["error"],
        usage=tokens_of(outcome["usage"]),
        client=outcome["client"],
    )
