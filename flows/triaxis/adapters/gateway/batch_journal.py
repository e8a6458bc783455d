"""The journal of one batch: JSON lines that are only ever added to, until the batch has ended.

    {"batch": {...}}                            the batch as it is from here on
    {"sent": 7}                                 row 7 is about to be sent
    {"untaken": 7}                              the upstream surely did not take it: that sending does not count
    {"row": 7, "ok": true, "line": {...}}       what became of row 7, as it will stand in the output or error file

A line is handed to the operating system before anything that follows from it is done, so that a killed process loses
none. Outcomes and batches are on disk with the next shared fsync. Once a batch has ended and its files are written, the
journal is replaced by its first kind of line alone.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter

from triaxis.adapters.atomic import flush, replacing
from triaxis.adapters.gateway.records import Batch, Counts
from triaxis.domain.canonical import JsonValue
from triaxis.errors import StoreDamaged

_FORMAT = TypeAdapter(Batch)


@dataclass(slots=True)
class Progress:
    """How far the rows of a batch are, by index."""

    done: set[int] = field(default_factory=set[int])
    sends: dict[int, int] = field(default_factory=dict[int, int])
    """How often each row without an outcome was sent and may have been answered."""
    completed: int = 0
    failed: int = 0

    def sent(self, row: int) -> None:
        """The row is about to be sent."""
        self.sends[row] = self.sends.get(row, 0) + 1

    def untaken(self, row: int) -> None:
        """The last sending of the row does not count."""
        self.sends[row] -= 1

    def settled(self, row: int, *, ok: bool) -> None:
        """The row has an outcome; a second one says nothing."""
        if row not in self.done:
            self.done.add(row)
            self.sends.pop(row, None)
            self.completed += ok
            self.failed += not ok

    def counts(self, total: int) -> Counts:
        """Of so many rows."""
        return Counts(total=total, completed=self.completed, failed=self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a journal says."""

    batch: Batch
    progress: Progress
    whole_bytes: int
    """Up to the end of the last whole line; what a kill left behind it is no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a row."""

    row: int
    ok: bool
    """Whether it goes to the output file; else to the error file."""
    line: Mapping[str, JsonValue]


class BatchJournal:
    """The journal of a batch that has not ended, open for adding. Its methods are for the loop that made it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._written = self._synced = 0
        self._flusher: asyncio.Task[None] | None = None
        self._broken: OSError | None = None

    def batch(self, batch: Batch) -> None:
        """The batch as it is from here on."""
        self._add({"batch": _plain(batch)})
        self._flush_soon()

    def sent(self, row: int) -> None:
        """To be called before the row is sent."""
        self._add({"sent": row})

    def untaken(self, row: int) -> None:
        """The last sending of the row does not count."""
        self._add({"untaken": row})

    def outcome(self, outcome: Outcome) -> None:
        """What became of a row."""
        self._add({"row": outcome.row, "ok": outcome.ok, "line": outcome.line})
        self._flush_soon()

    async def durable(self) -> None:
        """Returns when everything added so far is on disk.

        Raises:
            OSError: where the disk does not take it.
        """
        written = self._written
        while self._synced < written:
            self._flush_soon()
            assert self._flusher is not None
            await asyncio.shield(self._flusher)

    async def close(self) -> None:
        """Lets go of the file, with everything on disk.

        Raises:
            OSError: where the disk does not take it; the file is let go of all the same.
        """
        try:
            if self._broken is None:
                await self.durable()
        finally:
            if self._flusher is not None:
                await asyncio.gather(self._flusher, return_exceptions=True)
            os.close(self._fd)

    async def end(self, batch: Batch) -> None:
        """Replaces everything by the batch, and lets go of the file."""
        await self.close()
        await asyncio.to_thread(_replace, self.path, batch)

    def _add(self, line: Mapping[str, JsonValue]) -> None:
        if self._broken is not None:
            raise self._broken
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            while data:
                count = os.write(self._fd, data)
                self._written, data = self._written + count, data[count:]
        except OSError as error:
            # Half a line may stand there now, which only the next start cuts off.
            self._broken = error
            raise

    def _flush_soon(self) -> None:
        if self._flusher is not None and self._flusher.done():
            self._flusher.result()
            self._flusher = None
        if self._flusher is None and self._synced < self._written:
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        """One fsync after the other, each for all that was added while the one before it ran."""
        while self._synced < self._written:
            written = self._written
            await asyncio.to_thread(os.fsync, self._fd)
            self._synced = written


async def new_journal(path: Path, batch: Batch) -> BatchJournal:
    """The journal of a new batch, which is on disk when this returns."""
    journal = BatchJournal(path)
    journal.batch(batch)
    await journal.durable()
    await asyncio.to_thread(flush, path.parent)
    return journal


def reopened(past: Past, path: Path) -> BatchJournal:
    """The journal of a batch that goes on, without the half of a line that a kill may have left."""
    os.truncate(path, past.whole_bytes)
    return BatchJournal(path)


def read_journal(path: Path) -> Past | None:
    """What a journal says; None where its batch was never told to anybody, since it has not one whole line.

    Raises:
        StoreDamaged: for a whole line that cannot be read, since it may have held an answer.
    """
    batch, progress, end = None, Progress(), 0
    for number, (line, whole_bytes) in enumerate(_whole_lines(path), 1):
        end = whole_bytes
        try:
            entry = cast("dict[str, Any]", json.loads(line))
            if "batch" in entry:
                batch = _FORMAT.validate_python(entry["batch"])
            else:
                _enter(entry, progress)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _damaged(path, number) from None
    if batch is None and end:
        raise _damaged(path, 1)
    return None if batch is None else Past(batch=batch, progress=progress, whole_bytes=end)


def outcomes(path: Path) -> Iterator[Outcome]:
    """Every row's outcome in a journal that `read_journal` has read, one at a time, each row once."""
    seen = set[int]()
    for line, _ in _whole_lines(path):
        entry = json.loads(line)
        if "row" in entry and entry["row"] not in seen:
            seen.add(entry["row"])
            yield Outcome(row=entry["row"], ok=entry["ok"], line=entry["line"])


def _whole_lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Every line that has its end, with the offset of that end."""
    end = 0
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                end += len(line)
                yield line, end


def _enter(entry: Mapping[str, Any], progress: Progress) -> None:
    match entry:
        case {"sent": int(row)}:
            progress.sent(row)
        case {"untaken": int(row)}:
            progress.untaken(row)
        case {"row": int(row), "ok": bool(ok), "line": dict()}:
            progress.settled(row, ok=ok)
        case _:
            raise ValueError


def _plain(batch: Batch) -> dict[str, JsonValue]:
    return cast("dict[str, JsonValue]", _FORMAT.dump_python(batch, mode="json"))


def _replace(path: Path, batch: Batch) -> None:
    with replacing(path) as draft:
        draft.write_text(json.dumps({"batch": _plain(batch)}, separators=(",", ":")) + "\n")


def _damaged(path: Path, number: int) -> StoreDamaged:
    return StoreDamaged(
        f"{path} line {number} is damaged. It may hold an answer; to give that up, delete the line and start again."
    )
