"""How exact the probe is: against a server whose delay is known, and one that stalls. All answers are simulated.

    python benchmarks/probe.py [--requests 1000] [--rate 50]

The server runs in a process of its own and sends its first token 100 ms after a request. Wanted of 1,000 streamed
requests, Poisson at 50/s: TTFT within 2.5 ms of 100 at the median and 6 ms at p99; a stall of 2 s shows in p99.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from triaxis.adapters.models.openai_address import Address, plain_address
from triaxis.adapters.probes.client import ProbeProcess
from triaxis.domain.case import Message
from triaxis.domain.rows import ProbeRow, Request
from triaxis.domain.variant import ProbePlan, Target
from triaxis.ports.models import ProbeCall
from triaxis.rules.probes.schedule import arrivals
from triaxis.stats.seeds import generator

DELAY_S = 0.1
TOKENS = 10
TOKEN_S = 0.01
STALL_AT_S, STALL_S = 5.0, 2.0
MEDIAN_MS, P99_MS = 2.5, 6.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class DelayServer(asyncio.Protocol):
    """Answers each request after exactly `DELAY_S`, on asyncio's own timers, with `TOKENS` tokens."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the connection."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """Starts an answer when a whole request is in."""
        self.buffer += data
        head, parted, body = self.buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not parted or len(body) < int(length or 0):
            return
        self.buffer = b""
        if head.startswith(b"HEAD"):
            self.transport.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        asyncio.get_running_loop().call_later(DELAY_S, self.token, TOKENS, HEAD)

    def token(self, left: int, head: bytes = b"") -> None:
        """Sends the next token, or the end."""
        if self.transport.is_closing():
            return
        if left:
            self.transport.write(head + event({"content": " word"}))
            asyncio.get_running_loop().call_later(TOKEN_S, self.token, left - 1)
        else:
            usage = {"prompt_tokens": 200, "completion_tokens": TOKENS}
            self.transport.write(
                event({}, "stop") + event({}, None, usage) + framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"
            )


def event(delta: dict[str, str], finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    """One server-sent event, as a chunk of the body."""
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {"object": "chat.completion.chunk", "model": "simulated", "choices": choices, "usage": usage}
    return framed(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def framed(data: bytes) -> bytes:
    """A chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(stall_at_s: float) -> None:
    """Serves until the process is ended; where `stall_at_s` is not 0, all of it stands still for `STALL_S` then."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(DelayServer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    if stall_at_s:
        loop.call_later(stall_at_s, time.sleep, STALL_S)
    await server.serve_forever()


@contextlib.contextmanager
def server(stall_at_s: float = 0.0) -> Generator[str]:
    """A delay server in a process of its own; gives its address."""
    command = [sys.executable, __file__, "--serve", str(stall_at_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}/v1"
        finally:
            child.terminate()


async def probe(api_base: str, count: int, rate: float) -> list[ProbeRow]:
    """The measured rows of one block."""
    plan = ProbePlan(rate_per_s=rate, requests=count, blocks=1)
    (offsets,) = arrivals(plan, count, generator("benchmark", "probe"))
    messages = (Message(role="user", content="How much money is in my account? " * 30),)
    request = Request(model="openai/simulated", endpoint="benchmark", messages=messages, params={"max_tokens": TOKENS})
    due = [(-3, 0.0), (-2, 0.0), (-1, 0.0), *enumerate(offsets)]
    calls = [ProbeCall(index=index, case_id=str(index), offset_s=at, request=request) for index, at in due]
    client = ProbeProcess(locate=located)
    target = Target(model=request.model, api_base=api_base)
    rows = [row async for row in client.run_block(target, calls, timeout_s=30)]
    return [row for row in rows if row.index >= 0]


def located(target: Target) -> Address:
    """The server's address."""
    address = plain_address(target, {})
    assert address is not None
    return address


def quantiles(values: Iterable[float | None]) -> NDArray[np.float64]:
    """Milliseconds at p50, p95, p99 and the maximum, over those that have a value."""
    return np.percentile([value for value in values if value is not None], (50, 95, 99, 100))


def report(name: str, rows: Sequence[ProbeRow]) -> NDArray[np.float64]:
    """Prints a table of what was measured, and returns the times to the first token."""
    print(f"\n{name}: {len(rows)} streamed requests (simulated), {sum(r.error is not None for r in rows)} errors")
    print(f"{'ms':<28}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}")
    lines = {
        "sender lag": quantiles((r.sent_ns - r.scheduled_ns) / 1e6 for r in rows),
        "TTFT": quantiles(r.ttft_ms for r in rows),
        "TTFT above the server's": quantiles(r.ttft_ms for r in rows) - DELAY_S * 1e3,
        "full": quantiles(r.full_ms for r in rows),
    }
    for line, values in lines.items():
        print(f"{line:<28}" + "".join(f"{value:>9.2f}" for value in values))
    return lines["TTFT above the server's"]


def main() -> None:
    """Runs both measurements; exit code 1 where a target is missed."""
    parser = argparse.ArgumentParser(description="How exact the probe is.")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(options.serve))
        return
    with server() as api_base:
        exact = report("known delay", asyncio.run(probe(api_base, options.requests, options.rate)))
    with server(stall_at_s=STALL_AT_S) as api_base:
        stalled = report("stalled for 2 s", asyncio.run(probe(api_base, options.requests, options.rate)))
    held = exact[0] <= MEDIAN_MS and exact[2] <= P99_MS and stalled[2] >= STALL_S * 1e3 / 4
    print(f"\nwithin {MEDIAN_MS} ms at the median and {P99_MS} ms at p99, the stall in p99: {'yes' if held else 'NO'}")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
