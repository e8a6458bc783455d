"""A Prefect server for the length of one run: a child process that dies with its parent.

Prefect's own temporary server outlives a parent that is killed, and blocks the start-up it could overlap. Run as a
module, this file is that child: it gets the number of a listening socket, prints a line once it answers there, and ends
with its stdin.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, closing, suppress
from http.client import HTTPConnection

from triaxis.errors import TriaxisError

QUIET = {"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_LOGGING_TO_API_ENABLED": "false"}
"""The run reports for itself; nobody will read logs on a server that ends with it."""
START_LIMIT_S = 120.0
"""A cold Prefect home migrates its database first, which takes half a minute on a busy machine."""


class ServerFailed(TriaxisError):
    """The temporary Prefect server did not come up."""


@asynccontextmanager
async def prefect_server() -> AsyncGenerator[Awaitable[None]]:
    """Starts the child at once and yields what to await before a flow runs; leaving stops the child.

    The child inherits a socket that listens already, so that its address is known at once: Prefect reads it when it is
    imported, and is imported while the child starts. A configured server (`PREFECT_API_URL`) is used as it is, and
    nothing is started.
    """
    if "PREFECT_API_URL" in os.environ:
        yield asyncio.sleep(0)
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = await _child(listener)
        os.environ.update(QUIET, PREFECT_API_URL=_url(listener))
    ready = asyncio.create_task(_answers(process))
    try:
        yield ready
    finally:
        ready.cancel()
        os.environ.pop("PREFECT_API_URL", None)
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _child(listener: socket.socket) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(listener.fileno()),
        pass_fds=(listener.fileno(),),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"},
        start_new_session=True,  # so that Ctrl-C reaches the run alone, which then stops its children in order
    )


async def _answers(process: asyncio.subprocess.Process) -> None:
    """Waits until the child says that it serves."""
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_LIMIT_S)
    except TimeoutError:
        line = b""
    if not line:
        msg = "the temporary Prefect server did not start; run `prefect server start` and set PREFECT_API_URL"
        raise ServerFailed(msg)


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/api"


def _serve() -> None:
    gc.disable()  # while what lives as long as the process is imported
    import uvicorn
    from prefect.server.api.server import create_app

    gc.freeze()
    gc.enable()
    listener = socket.socket(fileno=int(sys.argv[1]))

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            await asyncio.to_thread(_warm_up, listener.getsockname()[1])
            sys.stdout.write("ready\n")
            sys.stdout.flush()

    threading.Thread(target=_die_with_parent, daemon=True).start()
    Announcing(uvicorn.Config(create_app(ephemeral=True), log_level="critical", lifespan="on")).run([listener])


def _warm_up(port: int) -> None:
    """Asks the two things that load most of what serves the others: half a second that the run need not wait for."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_LIMIT_S)
    with closing(connection), suppress(OSError):
        for method, path in (("GET", "/api/admin/version"), ("POST", "/api/flow_runs/filter")):
            connection.request(method, path, body="{}", headers={"Content-Type": "application/json"})
            connection.getresponse().read()


def _die_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve()
