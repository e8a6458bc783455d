"""Builds what a gateway is given: rows, input files, upstreams that follow a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from build_calls import TickingClock, a_body

from triaxis.adapters.gateway.batch_run import Means
from triaxis.adapters.gateway.batches import Batches
from triaxis.adapters.gateway.files import FileShelf
from triaxis.adapters.gateway.records import Batch, Endpoint
from triaxis.adapters.gateway.upstream import Answer, Live
from triaxis.errors import CallFailed, Transient
from triaxis.ports.clock import Clock

CHAT: Endpoint = "/v1/chat/completions"


def a_row(number: int, **changes: Any) -> dict[str, Any]:
    """A line of an input file, that asks a question of its own."""
    body = {"model": "small", "messages": [{"role": "user", "content": f"Question {number}?"}], "max_tokens": 12}
    return {"custom_id": f"row-{number}", "method": "POST", "url": CHAT, "body": body, **changes}


def jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a file's content."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def lines_of(content: bytes | str) -> list[dict[str, Any]]:
    """A file's content as rows."""
    return [json.loads(line) for line in content.splitlines()]


def an_input(folder: Path, count: int) -> Path:
    """An input file of so many rows."""
    path = folder / "questions.jsonl"
    path.write_bytes(jsonl([a_row(number) for number in range(count)]))
    return path


def an_answer(text: str = "hi", **changes: Any) -> Answer:
    """What an upstream says to a chat completion."""
    return replace(Answer(status=200, body=a_body(text).encode()), **changes)


def a_refusal(status: int, code: str = "refused", **changes: Any) -> Answer:
    """What an upstream says where it does not answer."""
    body = json.dumps({"error": {"message": code, "type": code, "code": code, "param": None}}).encode()
    return replace(Answer(status=status, body=body), **changes)


Said = Answer | CallFailed
Script = Callable[[Mapping[str, Any]], Awaitable[Said]]


async def answering(body: Mapping[str, Any]) -> Said:
    """Repeats the question."""
    return an_answer(f"to {body['messages'][0]['content']}")


@dataclass(slots=True)
class ScriptedUpstream:
    """An upstream that says what its script says, and remembers what it heard and how much at once."""

    script: Script = answering
    heard: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    paths: set[str] = field(default_factory=set[str])
    flying: int = 0
    most: int = 0

    async def answer(self, path: str, body: bytes) -> Answer:
        """As the script says."""
        asked = json.loads(body)
        self.heard.append(asked)
        self.paths.add(path)
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await asyncio.sleep(0)
            said = await self.script(asked)
        finally:
            self.flying -= 1
        if isinstance(said, CallFailed):
            raise said
        return said

    @asynccontextmanager
    async def live(self) -> AsyncGenerator[Live]:
        """Nowhere."""
        raise Transient("connect", billed=False)
        yield  # pyright: ignore[reportUnreachable]

    @property
    def questions(self) -> list[str]:
        """What was asked, in order."""
        return [body["messages"][0]["content"] for body in self.heard]


def saying_in_turn(*said: Said) -> Script:
    """Says these things, and then the last of them for ever."""
    left = list(said)

    async def script(_body: Mapping[str, Any]) -> Said:
        return left.pop(0) if len(left) > 1 else left[0]

    return script


@dataclass(slots=True)
class GatewayState:
    """The state folder of one gateway, without the web in front; every `batches` of it is another process's."""

    folder: Path
    upstream: ScriptedUpstream = field(default_factory=ScriptedUpstream)
    clock: Clock = field(default_factory=TickingClock)
    concurrency: int = 2
    told: list[str] = field(default_factory=list[str])

    _shelf: FileShelf | None = None

    @property
    def shelf(self) -> FileShelf:
        """The files as they are."""
        if self._shelf is None:
            self._shelf = FileShelf.load(self.folder / "files", self.clock)
        return self._shelf

    def upload(self, content: bytes) -> str:
        """The id of a file of that content."""
        file_id = self.shelf.new_id()
        self.shelf.content(file_id).write_bytes(content)
        return self.shelf.keep(file_id, filename="input.jsonl", purpose="batch").id

    @asynccontextmanager
    async def batches(self, grace_s: float = 0.0) -> AsyncGenerator[Batches]:
        """The batches, running; left as a gateway leaves them."""
        means = Means(
            upstream=self.upstream,
            shelf=self.shelf,
            clock=self.clock,
            concurrency=self.concurrency,
            slots=asyncio.Semaphore(self.concurrency),
        )
        batches = Batches(self.folder / "batches", means, self.told.append)
        try:
            batches.load()
            batches.resume()
            yield batches
        finally:
            await batches.close(grace_s)

    def lines(self, file_id: str | None) -> list[dict[str, Any]]:
        """The lines of an output or error file; none of none."""
        return [] if file_id is None else lines_of(self.shelf.content(file_id).read_bytes())


def a_batch(input_file_id: str, window: str = "24h") -> Callable[[str, int], Batch]:
    """What `Batches.create` makes."""

    def make(batch_id: str, created_ns: int) -> Batch:
        return Batch(
            id=batch_id,
            input_file_id=input_file_id,
            endpoint=CHAT,
            completion_window=window,
            metadata=None,
            created_ns=created_ns,
        )

    return make


async def until(condition: Callable[[], object]) -> None:
    """Returns when it holds."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to hold")


async def ended(batches: Batches, batch_id: str) -> Batch:
    """The batch when it has ended."""
    found: list[Batch] = []

    def look() -> bool:
        batch = batches.get(batch_id)
        assert batch is not None
        found[:] = [batch]
        assert batches.fault(batch_id) is None
        return batch.ended

    await until(look)
    return found[0]
