"""Starts `triaxis gateway` as a process of its own, which can be stopped, killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TRIAXIS = str(Path(sys.executable).with_name("triaxis"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningGateway:
    """A gateway that answers."""

    process: subprocess.Popen[str]
    api_base: str
    folder: Path
    """Where it was started; its state is in `.triaxis/gateway` there, and what it says in `gateway.txt`."""

    @property
    def port(self) -> str:
        """Where it listens."""
        return self.api_base.removesuffix("/v1").rpartition(":")[2]

    @property
    def said(self) -> str:
        """Its standard error so far, of all gateways started in the folder."""
        return (self.folder / "gateway.txt").read_text()

    def kill(self) -> None:
        """Ends it with -9."""
        self.process.kill()
        self.process.wait()

    def stopped(self) -> int:
        """Presses Ctrl-C, and returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@contextmanager
def running_gateway(
    folder: Path,
    upstream: str,
    *options: str,
    port: str = "0",
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = (TRIAXIS,),
) -> Generator[RunningGateway]:
    """A gateway with its state in that folder, until the context ends; `program` is another than `triaxis`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [*program, "gateway", "--json", "--upstream", upstream, "--port", port, *options]
    around = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), **(env or {})}
    with (folder / "gateway.txt").open("a") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=said, text=True, env=around)
    assert process.stdout is not None
    with process, process.stdout:
        try:
            line = process.stdout.readline()
            assert line, (folder / "gateway.txt").read_text()
            yield RunningGateway(process=process, api_base=json.loads(line)["api_base"], folder=folder)
        finally:
            process.kill()


@dataclass(slots=True, kw_only=True)
class MortalGateway:
    """A gateway that is killed and started again at the same place, for whoever needs it meanwhile."""

    folder: Path
    upstream: str
    options: Sequence[str]
    program: Sequence[str]
    env: Mapping[str, str]
    api_base: str = ""
    kills: int = 0
    up: threading.Event = field(default_factory=threading.Event)
    """Whether it has been up at all."""
    over: threading.Event = field(default_factory=threading.Event)
    """Whether nobody needs it any more."""

    def live(self, lives_s: Sequence[float]) -> None:
        """So many lives of so many seconds, and one without an end."""
        port = "0"
        for seconds in (*lives_s, None):
            with running_gateway(
                self.folder, self.upstream, *self.options, port=port, env=self.env, program=self.program
            ) as gateway:
                port, self.api_base = gateway.port, gateway.api_base
                self.up.set()
                if self.over.wait(seconds):
                    return
                gateway.kill()
                self.kills += 1


@contextmanager
def mortal_gateway(
    folder: Path,
    upstream: str,
    *options: str,
    lives_s: Sequence[float],
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = (TRIAXIS,),
) -> Generator[MortalGateway]:
    """A gateway that answers most of the time, until the context ends."""
    gateway = MortalGateway(folder=folder, upstream=upstream, options=options, program=program, env=env or {})
    keeper = threading.Thread(target=gateway.live, args=(lives_s,), daemon=True)
    keeper.start()
    assert gateway.up.wait(timeout=60), (folder / "gateway.txt").read_text()
    try:
        yield gateway
    finally:
        gateway.over.set()
        keeper.join(timeout=60)
