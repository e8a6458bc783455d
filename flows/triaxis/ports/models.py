"""Talking to models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from triaxis.domain.rows import ProbeRow, Request
from triaxis.domain.variant import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A whole answer as it came."""

    raw: str
    """The body in OpenAI's shape of a chat completion, byte for byte where the wire has it, or of an embedding."""
    client: str
    busy_core_s: float | None = None


class ChatModel(Protocol):
    """One model at one address, asked for what its target's `kind` says. Safe for concurrent calls."""

    async def complete(self, request: Request) -> Received:
        """Sends one request, once.

        Raises:
            Transient: where sending it again may help (rate limit, server error, timeout, reset, truncated, malformed).
            Terminal: where it will not (bad request, authentication, content filter).
        """
        ...


class Models(Protocol):
    """Opens models; a local one is started when it is first opened, and stopped when its context ends."""

    def open(self, target: Target) -> AbstractAsyncContextManager[ChatModel]:
        """The model at that target, ready to be called."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCall:
    """One scheduled request of a block."""

    index: int
    """Negative for warm-up requests."""
    case_id: str
    offset_s: float
    """When it is due, from the start of the block."""
    request: Request


class ProbeClient(Protocol):
    """Sends blocks of scheduled, streamed requests from a process of its own."""

    def held(self) -> AbstractAsyncContextManager[None]:
        """Keeps what a block needed (its process, a local server) for the next block, until the context ends."""
        ...

    def run_block(self, target: Target, calls: Sequence[ProbeCall], *, timeout_s: float) -> AsyncGenerator[ProbeRow]:
        """Yields each request's outcome as it ends, in order of completion; warm-up requests among them.

        Warm-up requests go first, one after another, each scheduled when it is sent. `variant`, `block` and `key` of
        the rows are empty: the caller knows them.
        """
        ...

    def busy_core_s(self, target: Target) -> float | None:
        """CPU-seconds that the server used over the last block run there; None for a server that is not ours."""
        ...
