"""Builds what a batch of calls needs, with nothing of the world in it: models that follow a script, books in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Message
from triaxis.domain.rows import Attempt, Request, Row
from triaxis.domain.variant import Limits
from triaxis.ports.models import Received
from triaxis.quantities import NO_MONEY, Money


def a_request(text: str = "hello", *, model: str = "openai/small", **params: JsonValue) -> Request:
    """A one-message request."""
    return Request(model=model, endpoint="bank", messages=(Message(role="user", content=text),), params=params)


def a_body(text: str | None = "hi", *, finish: str = "stop", usage: Mapping[str, Any] | None = None) -> str:
    """A chat completion's body; by default 10 prompt and 2 completion tokens."""
    counts = {"prompt_tokens": 10, "completion_tokens": 2} if usage is None else usage
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return json.dumps({"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": counts})


def an_embedding_request(
    text: str = "hello", *, model: str = "openai/embed", params: Mapping[str, JsonValue] | None = None
) -> Request:
    """A request for the vector of a text."""
    messages = (Message(role="user", content=text),)
    return Request(model=model, endpoint="bank", messages=messages, params=params or {}, kind="embedding")


def a_vector_body(*numbers: float, tokens: int | None = 5) -> str:
    """The body of an embedding; by default of 5 tokens."""
    usage = None if tokens is None else {"prompt_tokens": tokens, "total_tokens": tokens}
    data = [{"object": "embedding", "index": 0, "embedding": list(numbers)}]
    return json.dumps({"object": "list", "model": "m", "data": data, "usage": usage})


@dataclass(slots=True)
class TickingClock:
    """Starts at a round time; only sleeping, and being told to, moves it. Every look at the wall is a nanosecond on."""

    now: float = 1_000.0
    looks: int = 0
    slept: list[float] = field(default_factory=list[float])

    def now_ns(self) -> int:
        """Wall clock, nanoseconds since the epoch."""
        self.looks += 1
        return int(self.now * 1e9) + self.looks

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Moves the clock at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@dataclass(slots=True)
class BookJournal:
    """A journal in memory that remembers in which order it was written."""

    lines: list[tuple[str, Attempt, Row | None]] = field(default_factory=list[tuple[str, Attempt, "Row | None"]])

    async def intend(self, attempts: Sequence[Attempt]) -> None:
        """Writes intentions."""
        self.lines += [("intend", attempt, None) for attempt in attempts]
        await asyncio.sleep(0)

    async def settle(self, attempt: Attempt, row: Row | None = None) -> None:
        """Writes an outcome."""
        self.lines.append(("settle", attempt, row))
        await asyncio.sleep(0)

    async def seal(self) -> None:
        """Nobody else looks."""

    @property
    def rows(self) -> list[Row]:
        """What was sealed."""
        return [row for _, _, row in self.lines if row is not None]

    @property
    def settled(self) -> list[Attempt]:
        """Attempts with an outcome."""
        return [attempt for kind, attempt, _ in self.lines if kind == "settle"]

    @property
    def open(self) -> list[Attempt]:
        """Attempts without one."""
        ended = {(attempt.key, attempt.at_ns) for attempt in self.settled}
        return [a for kind, a, _ in self.lines if kind == "intend" and (a.key, a.at_ns) not in ended]


@dataclass(slots=True)
class ScriptedModel:
    """Says or raises what the script has for the next call; the last entry is for all that follow."""

    script: Sequence[str | Exception]
    asked: list[Request] = field(default_factory=list[Request])
    most: int = 0
    """The most calls in flight at once."""
    _flying: int = 0

    async def complete(self, request: Request) -> Received:
        """The next entry."""
        entry = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(request)
        self._flying += 1
        self.most = max(self.most, self._flying)
        await asyncio.sleep(0)
        self._flying -= 1
        if isinstance(entry, Exception):
            raise entry
        return Received(raw=entry, client="script", busy_core_s=0.25)


@dataclass(slots=True)
class CountingProgress:
    """Adds up what it is told."""

    done: int = 0
    spent: Money = NO_MONEY
    noted: list[str] = field(default_factory=list[str])

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Forgets."""

    def advance(self, stage: str, done: int = 1, spent: Money = NO_MONEY) -> None:
        """Adds."""
        del stage
        self.done += done
        self.spent += spent

    def end(self, stage: str, summary: str) -> None:
        """Forgets."""

    def note(self, text: str) -> None:
        """Remembers."""
        self.noted.append(text)


ONE_AT_A_TIME = Limits(concurrency=1, max_attempts=3)
