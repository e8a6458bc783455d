"""One streamed answer as it comes: when content came, and whether it ended as it should."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Fields = Mapping[str, Any]
"""A JSON object of our own making, or a provider's chunk: looked into with care."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """One stream as it comes: when content came, and whether it ended as it should."""

    start_ns: int
    """The block's start on the monotonic clock, from which times count."""
    first_ns: int | None = None
    last_ns: int | None = None
    finish: str | None = None
    done: bool = False
    failed: bool = False
    chunks: int = 0
    usage: Fields | None = None
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Takes in bytes of an event stream that have just arrived.

        Raises:
            ValueError, TypeError, AttributeError: for an event that is no JSON, or not of a chunk's shape.
        """
        now_ns = self._now_ns()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip(), now_ns)

    def take(self, chunk: Fields) -> None:
        """Takes in a chunk that has just arrived and was parsed by somebody else."""
        self._chunk(chunk, self._now_ns())

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self.start_ns

    def _event(self, data: bytes, now_ns: int) -> None:
        if data == b"[DONE]":
            self.done = True
        else:
            self._chunk(json.loads(data), now_ns)

    def _chunk(self, chunk: Fields, now_ns: int) -> None:
        self.chunks += 1
        self.failed |= bool(chunk.get("error"))
        self.usage = chunk.get("usage") or self.usage
        for choice in chunk.get("choices") or ():
            if _has_content(choice.get("delta") or {}):
                self._stamp(now_ns)
            if choice.get("finish_reason"):
                self.finish = choice["finish_reason"]
                if self.first_ns is None:
                    # An empty answer is complete when it is known to be empty.
                    self._stamp(now_ns)

    def _stamp(self, now_ns: int) -> None:
        self.first_ns = self.first_ns or now_ns
        self.last_ns = now_ns

    def error(self) -> str | None:
        """What was wrong with a stream that ended; None for a whole answer."""
        if self.failed:
            return "server"
        if self.finish == "content_filter":
            return "content_filter"
        if self._rest and not self.chunks:
            return "malformed"  # a whole body, or a proxy's page, where a stream was asked for
        return None if self.finish or (self.done and self.first_ns) else "truncated"


def _has_content(delta: Fields) -> bool:
    """Whether a user would see something; hidden reasoning is not content, a tool call or a refusal is."""
    return bool(delta.get("content") or delta.get("tool_calls") or delta.get("refusal"))
