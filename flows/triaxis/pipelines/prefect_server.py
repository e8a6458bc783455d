"""A Prefect server for the length of one run: a child process that dies with its parent.

Prefect's own temporary server outlives a parent that is killed, and blocks the start-up it could overlap. Run as a
module, this file is that child: it prints its address as a JSON line once it answers, and ends with its stdin.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

from triaxis.errors import TriaxisError

QUIET = {"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_LOGGING_TO_API_ENABLED": "false"}
"""The run reports for itself; nobody will read logs on a server that ends with it."""
START_LIMIT_S = 120.0
"""A cold Prefect home migrates its database first, which takes half a minute on a busy machine."""


class ServerFailed(TriaxisError):
    """The temporary Prefect server did not come up."""


@asynccontextmanager
async def prefect_server() -> AsyncGenerator[Awaitable[None]]:
    """Starts the child at once and yields what to await before Prefect is imported; leaving stops the child.

    A configured server (`PREFECT_API_URL`) is used as it is, and nothing is started.
    """
    if "PREFECT_API_URL" in os.environ:
        yield asyncio.sleep(0)
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"},
        start_new_session=True,  # so that Ctrl-C reaches the run alone, which then stops its children in order
    )
    ready = asyncio.create_task(_pointed_at(process))
    try:
        yield ready
    finally:
        ready.cancel()
        os.environ.pop("PREFECT_API_URL", None)
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _pointed_at(process: asyncio.subprocess.Process) -> None:
    """Waits for the child, and points Prefect at it."""
    os.environ.update(QUIET, PREFECT_API_URL=await _address(process))


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_LIMIT_S)
    except TimeoutError:
        line = b""
    if not line:
        msg = "the temporary Prefect server did not start; run `prefect server start` and set PREFECT_API_URL"
        raise ServerFailed(msg)
    url: str = json.loads(line)["url"]
    return url


def _serve() -> None:
    import uvicorn
    from prefect.server.api.server import create_app

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            sys.stdout.write(json.dumps({"url": url}) + "\n")
            sys.stdout.flush()

    threading.Thread(target=_die_with_parent, daemon=True).start()
    Announcing(uvicorn.Config(create_app(ephemeral=True), log_level="critical", lifespan="on")).run([listener])


def _die_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve()
