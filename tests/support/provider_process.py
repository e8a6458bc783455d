"""Starts the ledger provider as a process, and reads what it billed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("ledger_provider.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One line of the ledger."""

    request: str
    """sha256 of the body."""
    repeat: int
    model: str
    fault: str | None
    billed: bool
    reported: bool
    """Whether its usage stood in what was sent back."""
    usage: Mapping[str, Any]
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningProvider:
    """A provider that answers."""

    api_base: str
    ledger: Path

    def bills(self) -> list[Bill]:
        """The ledger so far, in the order in which requests came."""
        if not self.ledger.exists():
            return []
        return [Bill(**json.loads(line)) for line in self.ledger.read_text().splitlines()]


@contextmanager
def running_provider(ledger: Path, *options: str, env: Mapping[str, str] | None = None) -> Generator[RunningProvider]:
    """The provider with these command-line options, until the context ends; `ledger` may already hold lines."""
    command = [sys.executable, str(SCRIPT), "--ledger", str(ledger), *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield RunningProvider(api_base=json.loads(process.stdout.readline())["api_base"], ledger=ledger)
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait(timeout=10)
