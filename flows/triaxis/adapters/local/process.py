"""One running child process that serves a local model: started, watched, clocked and stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from tempfile import TemporaryFile
from typing import IO, Literal
from urllib.parse import urlsplit

from triaxis.adapters.local.joined_weights import joined
from triaxis.adapters.local.weights import PACKAGED, Weights
from triaxis.errors import Fault, InputFaults, ServerDied

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 5.0
NGRAM = (4, 8)
"""After so many tokens that stand in the prompt as well, so many are guessed: a processor pays for each wrong one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Settings of a server that can change its answers or its speed: part of the model's identity."""

    context: int = 4096
    """Tokens of prompt and answer together."""
    threads: int = 1
    """One is as fast as two on a small machine, where the second is wanted by the sender."""
    slots: int = 1
    """Requests decoded side by side; with one, each request's CPU-seconds are exactly its own."""
    speculation: Literal["none", "ngram"] = "none"
    """`ngram` guesses that what stood in the prompt comes again, and checks several guesses at once."""
    template: Literal["joined", "own"] = "joined"
    """`joined` sends the contents of the messages as they are; `own` uses the chat template in the weights."""
    pooling: Literal["none", "mean"] = "none"
    """`mean` makes embeddings, each the mean over its text's tokens; with `none` there are only answers."""

    def text(self) -> str:
        """The settings in an identity."""
        speculation = "" if self.speculation == "none" else ":ngram{}x{}".format(*NGRAM)
        pooling = "" if self.pooling == "none" else f":{self.pooling}"
        return f"ctx{self.context}:t{self.threads}:s{self.slots}:{self.template}{speculation}{pooling}"


class LocalProcess:
    """A local server that answers on `address` until it is stopped, or until this process ends in any way."""

    def __init__(
        self, name: str, child: subprocess.Popen[bytes], log: IO[bytes], resources: ExitStack, address: str
    ) -> None:
        self._name, self._child, self._log, self._resources = name, child, log, resources
        self.address = address
        """Such as `http://127.0.0.1:40123/v1`."""

    @classmethod
    def start(cls, weights: Weights, settings: ServerSettings) -> LocalProcess:
        """Starts the server and waits until it answers; blocks, for about half a second with a small model.

        Weights in parts are joined before the first start.

        Raises:
            InputFaults: when the weights are not those that the identity names.
            ServerDied: when the server ended before it answered; with the last words it wrote.
        """
        weights = joined(weights)
        if not weights.verified():
            raise InputFaults(_damaged(weights))
        with ExitStack() as started:
            log = started.enter_context(TemporaryFile())
            child = started.enter_context(_spawn(weights, settings, log))
            resources = started.pop_all()
        deadline = threading.Timer(START_TIMEOUT_S, child.kill)
        deadline.start()
        try:
            address = _announced(child)
            while address and child.poll() is None and not _healthy(address):
                time.sleep(0.02)
        finally:
            deadline.cancel()
        process = cls(weights.name, child, log, resources, f"{address}/v1")
        if not address or not process.alive:
            raise process.ended()
        return process

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._child.poll() is None

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def cpu_s(self) -> float | None:
        """CPU-seconds used so far by all threads, to the nanosecond where the system can; None when it is gone."""
        try:
            # The clock of another process, numbered as clock_getcpuclockid(3) does.
            return time.clock_gettime((~self.pid << 3) | 2) if sys.platform == "linux" else _times(self.pid)
        except OSError:
            return None

    def stop(self) -> None:
        """Ends the child and waits for it."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._resources.close()

    def ended(self) -> ServerDied:
        """The error that says how the child ended; to be raised once it has."""
        self._child.wait()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        self._resources.close()
        return ServerDied(self._name, self._child.returncode, lines[-1] if lines else "")


def _spawn(weights: Weights, settings: ServerSettings, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "triaxis.adapters.local.server"]
    command += ["--weights", str(weights.path), "--name", weights.name, "--context", str(settings.context)]
    command += ["--threads", str(settings.threads), "--slots", str(settings.slots)]
    command += ["--own-template"] if settings.template == "own" else []
    command += ["--ngram", *map(str, NGRAM)] if settings.speculation == "ngram" else []
    command += ["--embeds"] if settings.pooling == "mean" else []
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        # Threads that spin while they wait cost a busy machine most of its speed.
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        # Ctrl-C in a terminal goes to this process alone, which then ends the child in its own time.
        start_new_session=True,
    )


def _announced(child: subprocess.Popen[bytes]) -> str:
    """The address in the child's one line of output; empty where it ended without one."""
    assert child.stdout is not None
    line = child.stdout.readline()
    return str(json.loads(line)["address"]) if line else ""


def _healthy(address: str) -> bool:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _times(pid: int) -> float:
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error as gone:
        raise ProcessLookupError(pid) from gone
    return times.user + times.system


def _damaged(weights: Weights) -> Fault:
    packaged = PACKAGED.get(weights.name)
    if packaged is None:
        again = "Get the file again, or remove its .sha256 file"
    elif packaged.whole:
        again = f"Install them again: {packaged.install}"
    else:
        again = f"Remove the file, and the next run joins it anew from its packages: {packaged.install}"
    return Fault(file=str(weights.path), problem=f"its sha256 is not {weights.sha256}", advice=again)
