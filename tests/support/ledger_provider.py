"""An OpenAI-compatible provider that keeps a ledger of what it billed, over real HTTP in a process of its own.

It answers chats, and makes embeddings of words.

It bills before it faults: a line is in the ledger, fsynced, before a byte of an answer or a fault is sent. Answers are
a function of the request alone, so that two runs agree byte for byte, and all are marked `simulated`. A message that
holds `[[answer TEXT]]` is answered TEXT.

    python ledger_provider.py --ledger ledger.jsonl --delay-ms 20 --faults server=0.1,hang=0.05 --seed 7

prints one line of JSON with its address, and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web
from provider_parts import Ledger, answer_of, close, draw, embedding_of, identity, rates, refusal, reset, serve

FAULTS = ("rate_limit", "server", "hang", "reset", "truncated", "malformed", "no_choices", "bad_request", "filtered")
"""Kinds of fault. The last two belong to the request and stay; the others are drawn anew for every repeat of it."""
LASTING = ("bad_request", "filtered")
UNBILLED = ("rate_limit", "bad_request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line said."""

    ledger: str
    delays_s: Mapping[str, float]
    faults: Mapping[str, float]
    seed: str
    token_s: float
    hang_s: float
    retry_after_s: float
    stall: tuple[float, float] | None
    key: str | None
    echo: bool = False
    """Whether what is refused repeats the key, as some providers' errors do."""


def fault_of(settings: Settings, request: str, repeat: int) -> str | None:
    """The fault that this repeat of this request meets, if any."""
    for kind, rate in settings.faults.items():
        parts = (settings.seed, kind, request) if kind in LASTING else (settings.seed, kind, request, repeat)
        if draw(*parts) < rate:
            return kind
    return None


@dataclass(slots=True)
class Provider:
    """Answers chat completions and makes embeddings."""

    settings: Settings
    ledger: Ledger
    seen: Counter[str] = field(default_factory=Counter[str])
    started: float = field(default_factory=time.monotonic)

    def said(self, http: web.Request) -> str:
        """What stands at the end of a refusal."""
        return f", asked by {http.headers.get('Authorization', 'nobody')}" if self.settings.echo else ""

    async def answered(self, http: web.Request) -> web.StreamResponse:
        """Bills, then answers or faults."""
        if self.settings.key and http.headers.get("Authorization") != f"Bearer {self.settings.key}":
            said = http.headers.get("Authorization", "nothing")
            return refusal(401, "invalid_api_key", f"Incorrect API key provided: {said}")
        body = cast("dict[str, Any]", await http.json())
        request = identity(body)
        repeat = self.seen[request]
        self.seen[request] += 1
        fault = fault_of(self.settings, request, repeat)
        answer = answer_of(body, request) if "messages" in body else embedding_of(body)
        await self.ledger.bill(self._line(request, repeat, fault, answer))
        await asyncio.sleep(self._delay_s(str(body["model"])))
        if fault is None:
            return await self._stream(http, body, answer) if body.get("stream") else web.json_response(answer)
        return await FAULTY[fault](self, http, body, answer)

    def _line(self, request: str, repeat: int, fault: str | None, answer: Mapping[str, Any]) -> dict[str, object]:
        return {
            "at_ns": time.time_ns(),
            "request": request,
            "repeat": repeat,
            "model": answer["model"],
            "fault": fault,
            "billed": fault not in UNBILLED,
            "reported": fault in (None, "no_choices", "filtered"),
            "usage": answer["usage"],
        }

    def _delay_s(self, model: str) -> float:
        delay = self.settings.delays_s.get(model, self.settings.delays_s[""])
        if self.settings.stall is not None:
            since, length = self.settings.stall
            now = time.monotonic() - self.started
            delay += max(0.0, since + length - now) if now >= since else 0.0
        return delay

    async def _stream(
        self, http: web.Request, body: Mapping[str, Any], answer: Mapping[str, Any], *, cut: bool = False
    ) -> web.StreamResponse:
        """Server-sent events, one word each; `cut` breaks the connection half way."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(http)
        chunks = list(chunks_of(answer, usage=body.get("stream_options") == {"include_usage": True}))
        for chunk in chunks[: len(chunks) // 2] if cut else chunks:
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            if self.settings.token_s:
                await asyncio.sleep(self.settings.token_s)
        if cut:
            reset(http)
        else:
            await response.write(b"data: [DONE]\n\n")
        return response

    async def rate_limit(self, http: web.Request, _body: Mapping[str, Any], _answer: Mapping[str, Any]) -> web.Response:
        """429 with both spellings of how long to wait."""
        wait = self.settings.retry_after_s
        headers = {"Retry-After": str(int(wait + 0.999)), "retry-after-ms": str(int(wait * 1000))}
        return refusal(429, "rate_limit_exceeded", f"simulated: too many requests{self.said(http)}", headers)

    async def server(self, http: web.Request, _body: Mapping[str, Any], _answer: Mapping[str, Any]) -> web.Response:
        """500 after the work was done."""
        return refusal(500, "server_error", f"simulated: something broke{self.said(http)}")

    async def hang(self, _http: web.Request, _body: Mapping[str, Any], answer: Mapping[str, Any]) -> web.Response:
        """An answer that comes too late for anybody."""
        await asyncio.sleep(self.settings.hang_s)
        return web.json_response(answer)

    async def reset(self, http: web.Request, _body: Mapping[str, Any], _answer: Mapping[str, Any]) -> web.Response:
        """The connection breaks before a byte."""
        reset(http)
        return web.Response()

    async def truncated(
        self, http: web.Request, body: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> web.StreamResponse:
        """The connection breaks half way through the body."""
        if body.get("stream"):
            return await self._stream(http, body, answer, cut=True)
        data = json.dumps(answer).encode()
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(data)
        await response.prepare(http)
        await response.write(data[: len(data) // 2])
        await asyncio.sleep(0)
        close(http)
        return response

    async def malformed(self, http: web.Request, _body: Mapping[str, Any], answer: Mapping[str, Any]) -> web.Response:
        """200 with a body that is not JSON."""
        return web.Response(text=json.dumps(answer)[:-7] + self.said(http), content_type="application/json")

    async def no_choices(self, _http: web.Request, _body: Mapping[str, Any], answer: Mapping[str, Any]) -> web.Response:
        """200 with usage and no answer."""
        return web.json_response({**answer, "choices" if "choices" in answer else "data": []})

    async def bad_request(
        self, http: web.Request, _body: Mapping[str, Any], _answer: Mapping[str, Any]
    ) -> web.Response:
        """400 for good."""
        return refusal(400, "context_length_exceeded", f"simulated: the prompt is too long{self.said(http)}")

    async def filtered(self, _http: web.Request, _body: Mapping[str, Any], answer: Mapping[str, Any]) -> web.Response:
        """A billed answer that the filter emptied."""
        choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"}
        return web.json_response({**answer, "choices": [choice]})


FAULTY: dict[
    str, Callable[[Provider, web.Request, Mapping[str, Any], Mapping[str, Any]], Awaitable[web.StreamResponse]]
] = {
    "rate_limit": Provider.rate_limit,
    "server": Provider.server,
    "hang": Provider.hang,
    "reset": Provider.reset,
    "truncated": Provider.truncated,
    "malformed": Provider.malformed,
    "no_choices": Provider.no_choices,
    "bad_request": Provider.bad_request,
    "filtered": Provider.filtered,
}


def chunks_of(answer: Mapping[str, Any], *, usage: bool) -> list[dict[str, Any]]:
    """The answer as stream chunks: a role, a word each, the finish reason and, where asked for, usage."""
    shell = {
        **{k: answer[k] for k in ("id", "created", "model", "system_fingerprint")},
        "object": "chat.completion.chunk",
    }
    choice = answer["choices"][0]
    words = str(choice["message"]["content"]).split()
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if i == 0 else f" {word}"} for i, word in enumerate(words)]
    chunks = [{**shell, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**shell, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    return [*chunks, {**shell, "choices": [], "usage": answer["usage"]}] if usage else chunks


def _delays(text: str) -> dict[str, float]:
    """`20`, or `20,big=60` by model, in milliseconds."""
    parts = [part.rpartition("=") for part in text.split(",") if part]
    return {"": 0.0} | {model: float(ms) / 1000 for model, _, ms in parts}


def arguments(description: str) -> argparse.ArgumentParser:
    """What the command line may say."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", default="", help="file to append to; none without")
    parser.add_argument("--delay-ms", default="0", help="to the first byte: 20, or 20,MODEL=60")
    parser.add_argument("--token-ms", type=float, default=0.0, help="between streamed words")
    parser.add_argument("--faults", default="", help="KIND=RATE,...: " + " ".join(FAULTS))
    parser.add_argument("--seed", default="0")
    parser.add_argument("--hang-s", type=float, default=60.0)
    parser.add_argument("--retry-after-s", type=float, default=0.05)
    parser.add_argument("--stall", default="", help="AT,FOR in seconds: nobody is answered for that long")
    parser.add_argument("--key-env", default="", help="environment variable that holds the key to insist on")
    parser.add_argument("--echo-key", action="store_true", help="repeat the key in whatever is refused")
    return parser


def settings_of(given: argparse.Namespace) -> Settings:
    """What it said."""
    at_for = [float(x) for x in given.stall.split(",") if x]
    return Settings(
        ledger=given.ledger,
        delays_s=_delays(given.delay_ms),
        faults=rates(given.faults, FAULTS),
        seed=given.seed,
        token_s=given.token_ms / 1000,
        hang_s=given.hang_s,
        retry_after_s=given.retry_after_s,
        stall=(at_for[0], at_for[1]) if at_for else None,
        key=os.environ[given.key_env] if given.key_env else None,
        echo=given.echo_key,
    )


def main() -> None:
    """Answers calls."""
    given = arguments("An OpenAI-compatible provider with a ledger and faults.").parse_args()
    settings = settings_of(given)
    app = web.Application(client_max_size=16 * 2**20)
    provider = Provider(settings, Ledger(settings.ledger))
    for path in ("/v1/chat/completions", "/v1/embeddings"):
        app.router.add_post(path, provider.answered)
    asyncio.run(serve(app, given.port))


if __name__ == "__main__":
    main()
