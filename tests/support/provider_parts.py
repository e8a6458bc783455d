"""What simulated providers share: answers that are a function of the request, a ledger, and broken connections."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import socket
import struct
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

SCRIPTED = re.compile(r"\[\[answer (.*?)\]\]", re.DOTALL)
WORDS = ("account", "balance", "card", "payment", "transfer", "refund", "limit", "fee", "today", "pending", "policy")


@dataclass(slots=True)
class Ledger:
    """Appends lines; writers that come while the disk is busy share the next fsync."""

    path: str
    waiting: list[tuple[bytes, asyncio.Future[None]]] = field(
        default_factory=list[tuple[bytes, "asyncio.Future[None]"]]
    )
    busy: bool = False

    async def bill(self, *lines: Mapping[str, object]) -> None:
        """Returns when the lines are on disk."""
        if not self.path or not lines:
            return
        done = asyncio.get_running_loop().create_future()
        self.waiting.append((b"".join(json.dumps(line).encode() + b"\n" for line in lines), done))
        if not self.busy:
            await self._drain()
        await done

    async def _drain(self) -> None:
        self.busy = True
        while self.waiting:
            batch, self.waiting = self.waiting, []
            await asyncio.to_thread(self._append, b"".join(line for line, _ in batch))
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
        self.busy = False

    def _append(self, data: bytes) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def identity(body: Mapping[str, Any]) -> str:
    """The request as it is billed: how it is delivered does not matter."""
    kept = {k: v for k, v in body.items() if k not in ("stream", "stream_options")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def digest_of(custom_ids: Iterable[str]) -> str:
    """Tells batches of the same rows from others, whatever their order."""
    return hashlib.sha256("|".join(sorted(custom_ids)).encode()).hexdigest()


def words_of(body: Mapping[str, Any]) -> tuple[list[str], str]:
    """The answer's words and the finish reason: scripted by the messages, else drawn from their hash, then capped."""
    text = json.dumps(body["messages"], ensure_ascii=False)
    scripted = SCRIPTED.findall("\n".join(str(message.get("content", "")) for message in body["messages"]))
    digest = hashlib.sha256(text.encode()).digest()
    words = (
        scripted[-1].split() if scripted else ["simulated", *(WORDS[b % len(WORDS)] for b in digest[: digest[0] % 9])]
    )
    cap = body.get("max_completion_tokens") or body.get("max_tokens") or len(words)
    return words[:cap], "stop" if cap >= len(words) else "length"


def usage_of(body: Mapping[str, Any], words: list[str]) -> dict[str, Any]:
    """Four characters make a token, and a system message is read from cache."""
    messages = cast("list[dict[str, Any]]", body["messages"])
    sizes = [1 + len(str(m.get("content", ""))) // 4 for m in messages]
    cached = sum(size for size, m in zip(sizes, messages, strict=True) if m.get("role") == "system")
    return {
        "prompt_tokens": sum(sizes),
        "completion_tokens": len(words),
        "total_tokens": sum(sizes) + len(words),
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def answer_of(body: Mapping[str, Any], request: str) -> dict[str, Any]:
    """The whole body of an answer."""
    words, finish = words_of(body)
    return {
        "id": f"simulated-{request[:16]}",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "system_fingerprint": "simulated",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": " ".join(words)}, "finish_reason": finish}
        ],
        "usage": usage_of(body, words),
    }


DIMENSIONS = 64
"""Numbers of a vector."""


def vector_of(text: str) -> list[float]:
    """How often each word is said, by the word's hash, scaled to length 1: texts that share words are alike."""
    counts = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.casefold()):
        counts[hashlib.sha256(word.encode()).digest()[0] % DIMENSIONS] += 1
    length = sum(count * count for count in counts) ** 0.5
    return [count / (length or 1.0) for count in counts]


def embedding_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The whole body of the embedding of one text."""
    text = body["input"] if isinstance(body["input"], str) else body["input"][0]
    tokens = 1 + len(text) // 4
    return {
        "object": "list",
        "model": body["model"],
        "system_fingerprint": "simulated",
        "data": [{"object": "embedding", "index": 0, "embedding": vector_of(text)}],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An error in OpenAI's shape."""
    error = {"message": message, "type": code, "code": code, "param": None}
    return web.json_response({"error": error}, status=status, headers=headers)


def reset(http: web.Request) -> None:
    """Breaks the connection with a reset, as a machine does that went down."""
    if http.transport is not None:
        linger = struct.pack("ii", 1, 0)
        http.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        cast("asyncio.WriteTransport", http.transport).abort()


def close(http: web.Request) -> None:
    """Ends the connection, which leaves a body short."""
    if http.transport is not None:
        http.transport.close()


def rates(text: str, known: Sequence[str]) -> dict[str, float]:
    """`server=0.1,hang=0.05` as rates, in that order."""
    given = {name: float(rate) for name, _, rate in (part.partition("=") for part in text.split(",") if part)}
    unknown = set(given) - set(known)
    if unknown:
        raise SystemExit(f"unknown faults {sorted(unknown)}; there are {', '.join(known)}")
    return given


async def serve(app: web.Application, port: int, at_end: Callable[[], Awaitable[None]] | None = None) -> None:
    """Says where it is, and serves until standard input ends."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    bound = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"api_base": f"http://127.0.0.1:{bound}/v1", "simulated": True}) + "\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
    await ended.wait()
    if at_end is not None:
        await at_end()
    os._exit(0)
