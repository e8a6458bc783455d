"""Handing over many requests at once, and fetching what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Protocol

from triaxis.domain.batches import BatchIntent, BatchRecord, BatchReport, BatchRows, BatchRules, Closed, Submitted
from triaxis.domain.rows import Request
from triaxis.domain.variant import Target


class BatchApi(Protocol):
    """The batch API of one model's provider. One retry layer: ours, so that every method sends once.

    Every method raises `CallFailed` as `ChatModel.complete` does: `Transient` where asking again may help, `Denied`
    where it cannot.
    """

    @property
    def rules(self) -> BatchRules:
        """What the provider takes."""
        ...

    def line(self, key: str, request: Request) -> bytes:
        """One line of an input file, newline included; its `custom_id` is the row's key and nothing else.

        Raises:
            Denied: where the model does not have one of the parameters.
            Terminal: where no request can be written of these messages: the row has its outcome, unsent.
        """
        ...

    async def submit(self, name: str, file: Path) -> str:
        """Hands over the lines of a file, and returns the provider's id of the batch.

        Raises:
            CallFailed: with `billed` False where the provider surely accepted no batch, so that it may be submitted
                again at once; else it may have, and has to be looked for.
        """
        ...

    async def find(self, name: str) -> str | None:
        """The id of the batch of that name, None where the provider has none; only where `rules.find` is not `none`.

        A provider that shows no list raises, and is never taken to have none.
        """
        ...

    async def report(self, provider_id: str) -> BatchReport:
        """What the provider says of a batch now."""
        ...

    async def fetch(self, report: BatchReport, folder: Path) -> Sequence[Path]:
        """Downloads the files of a report, whole, as lines that `rules.batches.lines.read_line` reads.

        Raises:
            Transient: `truncated`, where a file came to an early end; nothing is left in the folder then.
        """
        ...

    async def cancel(self, provider_id: str) -> None:
        """Asks the provider to stop; what it has completed by then is billed and can be fetched."""
        ...


class Draft(Protocol):
    """An input file being written on this machine."""

    @property
    def rows(self) -> int:
        """Lines so far."""
        ...

    @property
    def size(self) -> int:
        """Bytes so far."""
        ...

    def add(self, line: bytes) -> None:
        """Adds a line."""
        ...


class BatchBook(Protocol):
    """Every provider batch from its intention on. What it notes is durable when a method returns, and never changes."""

    def open(self) -> Sequence[BatchRecord]:
        """The batches of which something is still to come, oldest first."""
        ...

    def all(self) -> Sequence[BatchRecord]:
        """Every batch, oldest first."""
        ...

    def record(self, name: str) -> BatchRecord:
        """One batch.

        Raises:
            InputFaults: where there is none of that name.
        """
        ...

    def rows(self, name: str) -> BatchRows:
        """The rows of a batch."""
        ...

    def drafting(self) -> AbstractContextManager[Draft]:
        """An empty input file; what is not intended by the end of the context is thrown away."""
        ...

    def clear(self) -> None:
        """Deletes the files that killed processes left of no open batch; for the one that holds the workspace."""
        ...

    def intend(self, draft: Draft, intent: BatchIntent, rows: BatchRows) -> None:
        """Notes a batch that is about to be submitted, with every row, and keeps its file for that."""
        ...

    def submitted(self, name: str, submitted: Submitted) -> None:
        """Notes that the provider has it."""
        ...

    def close(self, name: str, closed: Closed) -> None:
        """Notes its end, and deletes its files from this machine."""
        ...

    def file(self, name: str) -> Path | None:
        """Its input file, where it was made on this machine and nobody deleted it."""
        ...

    def folder(self, name: str) -> Path:
        """Where its results are fetched to."""
        ...

    def lines(self, files: Sequence[Path]) -> Iterator[bytes]:
        """The lines of result files, one after the other."""
        ...


class BatchApis(Protocol):
    """Opens batch APIs."""

    def open(self, target: Target) -> AbstractAsyncContextManager[BatchApi]:
        """The batch API of the model at that target, ready to be called.

        Raises:
            InputFaults: where its provider has none, or its key is not set.
        """
        ...
