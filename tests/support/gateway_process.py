"""Starts `triaxis gateway` as a process of its own, which can be stopped, killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
