"""A simulated provider: OpenAI-compatible chat completions over real HTTP, with no model behind it.

    python benchmarks/provider.py --delay-ms fast=20 --delay-ms slow=60

prints one line of JSON with its address and ends when its standard input does. An answer is a function of the request
alone: nine in ten are what the case expects, the rest wrong. `GET /heard` says how many calls came, and what CPU time
serving them took, so that a benchmark can check the one and take off the other. Nothing is written to disk.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

QUESTION = re.compile(r"question (\d+)")
WRONG_OF_256 = 26
VERDICT = '{"reason": "simulated", "score": 1}'


@dataclass(slots=True)
class Heard:
    """What came in so far."""

    calls: int = 0


def completion(model: str, text: str) -> dict[str, Any]:
    """A simulated chat completion; the same for the same question and model. The model `judge` is content with all."""
    asked = QUESTION.search(text)
    number = asked[1] if asked else "0"
    digest = hashlib.sha256(f"{model} {number}".encode()).digest()
    answer = "I do not know" if digest[0] < WRONG_OF_256 else f"answer {number}"
    # Hardly two usages are alike, as with a real provider: what is only fast for equal ones is not fast.
    prompt, completed = 40 + digest[1], 1 + digest[2]
    said = VERDICT if model == "judge" else answer
    return {
        "id": f"simulated-{digest[:8].hex()}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completed, "total_tokens": prompt + completed},
    }


def handler(delays_s: Mapping[str, float], heard: Heard) -> Callable[[web.BaseRequest], Awaitable[web.Response]]:
    """Answers each model after its delay."""

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.method == "GET":
            return web.json_response({"calls": heard.calls, "cpu_s": time.process_time()})
        heard.calls += 1
        body = json.loads(await request.read())
        await asyncio.sleep(delays_s.get(body["model"], 0.0))
        said = json.dumps(completion(body["model"], body["messages"][-1]["content"])).encode()
        return web.Response(body=said, content_type="application/json")

    return handle


async def serve(delays_s: Mapping[str, float]) -> None:
    """Serves until standard input ends."""
    # The low-level server: no routing, no middleware, so that it takes as little as may be of the machine it shares.
    runner = web.ServerRunner(web.Server(handler(delays_s, Heard()), access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    port: int = runner.addresses[0][1]
    print(json.dumps({"api_base": f"http://127.0.0.1:{port}/v1"}), flush=True)
    await asyncio.Event().wait()


def end_with_input() -> None:
    """Ends the process when whoever started it does."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Serves on a free port."""
    parser = argparse.ArgumentParser(description="A simulated provider.")
    parser.add_argument("--delay-ms", action="append", default=[], metavar="MODEL=MS")
    pairs = [str(given).partition("=") for given in parser.parse_args().delay_ms]
    threading.Thread(target=end_with_input, daemon=True).start()
    asyncio.run(serve({model: float(ms) / 1e3 for model, _, ms in pairs}))


if __name__ == "__main__":
    main()
