"""Starts a simulated provider as a process, and reads what it billed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIVE = Path(__file__).with_name("ledger_provider.py")
BATCHES = Path(__file__).with_name("batch_provider.py")


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
class BatchBill:
    """One batch that was created."""

    batch: str
    """The provider's id."""
    protocol: str
    name: str | None
    """Ours, as its metadata has it."""
    file: str | None
    """Name of the input file."""
    rows: int
    of: str
    """`provider_parts.digest_of` its custom_ids."""
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault:
    """One call about files or batches that met a fault."""

    call: str
    fault: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBill:
    """One row of a batch that costs."""

    batch: str
    custom_id: str
    request: str
    """sha256 of the body."""
    model: str
    fault: str | None
    reported: bool
    """Whether its usage stands in a line that can be read."""
    usage: Mapping[str, Any]
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningProvider:
    """A provider that answers."""

    api_base: str
    ledger: Path

    def bills(self) -> list[Bill]:
        """The live calls so far, in the order in which they came."""
        return [Bill(**line) for line in self._lines("")]

    def batches(self) -> list[BatchBill]:
        """The batches created so far."""
        return [BatchBill(**line) for line in self._lines("batch")]

    def rows(self) -> list[RowBill]:
        """The rows of batches billed so far."""
        return [RowBill(**line) for line in self._lines("row")]

    def call_faults(self) -> list[CallFault]:
        """The calls about files and batches that met a fault so far."""
        return [CallFault(**line) for line in self._lines("fault")]

    def _lines(self, kind: str) -> list[dict[str, Any]]:
        if not self.ledger.exists():
            return []
        lines = [json.loads(line) for line in self.ledger.read_text().splitlines()]
        return [line for line in lines if line.pop("kind", "") == kind]


@contextmanager
def running_provider(
    ledger: Path, *options: str, env: Mapping[str, str] | None = None, script: Path = LIVE
) -> Generator[RunningProvider]:
    """The provider with these command-line options, until the context ends; `ledger` may already hold lines."""
    command = [sys.executable, str(script), "--ledger", str(ledger), *options]
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


def running_batch_provider(
    ledger: Path, *options: str, env: Mapping[str, str] | None = None
) -> AbstractContextManager[RunningProvider]:
    """A provider that takes batches as well."""
    return running_provider(ledger, *options, env=env, script=BATCHES)
