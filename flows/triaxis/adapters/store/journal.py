"""The write-ahead log of one process: JSON lines in a file that the process holds locked while it lives.

An intention is on disk before its request is sent. A settled answer is handed to the operating system at once, so that
killing the process loses none; the disk has it with the next shared fsync. About every thousand rows the file is
changed for a new one, which starts with the intentions still open, and the old one is sealed into segments and deleted.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from triaxis.adapters.store.held_file import HeldFile, hold
from triaxis.adapters.store.row_codec import Fields, attempt_fields, row_fields, text_of
from triaxis.domain.rows import Attempt, Row

SEAL_ROWS = 1_000
SEAL_SECONDS = 30.0

AttemptName: TypeAlias = tuple[str, int, int]
Seal: TypeAlias = Callable[[Sequence[Row], Sequence[Attempt]], None]


@dataclass(slots=True)
class Entries:
    """What a journal says: outcomes, and intentions that have none."""

    rows: dict[str, Row] = field(default_factory=dict[str, Row])
    settled: dict[AttemptName, Attempt] = field(default_factory=dict[AttemptName, Attempt])
    open: dict[AttemptName, Attempt] = field(default_factory=dict[AttemptName, Attempt])

    def intend(self, attempt: Attempt) -> None:
        """Notes an intention, unless its outcome is known."""
        if (name := _name(attempt)) not in self.settled:
            self.open[name] = attempt

    def settle(self, attempt: Attempt, row: Row | None) -> None:
        """Notes an outcome."""
        self.open.pop(_name(attempt), None)
        self.settled[_name(attempt)] = attempt
        if row is not None:
            self.rows.setdefault(row.key, row)

    def attempts(self) -> list[Attempt]:
        """Every attempt; the fate of an open intention is unknown."""
        return [*self.settled.values(), *(replace(a, outcome="unknown") for a in self.open.values())]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to seal."""
        return not (self.rows or self.settled or self.open)


class FileJournal:
    """`ports.stores.Journal` over a file of its own; `close` seals what is left."""

    def __init__(self, folder: Path, seal: Seal, *, seal_rows: int = SEAL_ROWS) -> None:
        self._folder, self._seal, self._seal_rows = folder, seal, seal_rows
        self._held = new_file(folder)
        self._names = {self._held.path.name}
        self._now = Entries()
        self._sealing: list[tuple[Entries, Future[None]]] = []
        self._since = time.monotonic()
        self._closed = False
        self._lock = threading.Lock()
        self._flusher = ThreadPoolExecutor(1, "journal-fsync")
        self._sealer = ThreadPoolExecutor(1, "journal-seal")
        self._next: asyncio.Task[None] | None = None
        self._last: asyncio.Task[None] | None = None

    async def intend(self, attempts: Sequence[Attempt]) -> None:
        """Returns when the attempts are on disk; whoever calls while an fsync runs shares the one after it."""
        with self._lock:
            self._write({"intend": attempt_fields(attempt)} for attempt in attempts)
            for attempt in attempts:
                self._now.intend(attempt)
        await self._durable()

    async def settle(self, attempt: Attempt, row: Row | None = None) -> None:
        """Returns when the operating system has the outcome."""
        line: Fields = {"settle": attempt_fields(attempt)}
        if row is not None:
            line["row"] = row_fields(row)
        with self._lock:
            self._write([line])
            self._now.settle(attempt, row)
            if self._due():
                self._change_file()

    async def seal(self) -> None:
        """Returns when everything settled so far is in segments."""
        with self._lock:
            if self._now.settled:
                self._change_file()
            sealing = [future for _, future in self._sealing]
        for future in sealing:
            await asyncio.wrap_future(future)

    def unsealed(self) -> list[Entries]:
        """What no segment holds yet."""
        with self._lock:
            self._forget_sealed()
            return [*(entries for entries, _ in self._sealing), self._now]

    def owns(self, path: Path) -> bool:
        """Whether the file is, or was until it is sealed, this journal's."""
        return path.name in self._names

    def close(self) -> None:
        """Seals everything and deletes the file; intentions still open become attempts of unknown fate."""
        self._flusher.shutdown(wait=True)
        with self._lock:
            self._closed = True
            last, held = self._now, self._held
            self._now = Entries()
        done = self._sealer.submit(self._seal_file, last, last.attempts(), held)
        self._sealer.shutdown(wait=True)
        for future in (*(f for _, f in self._sealing), done):
            future.result()

    def _write(self, lines: Iterable[Fields]) -> None:
        if self._closed:
            # The number of the closed file may be another file's by now.
            raise RuntimeError("this journal is closed")
        data = "".join(f"{text_of(line)}\n" for line in lines).encode()
        while data:
            data = data[os.write(self._held.fd, data) :]

    async def _durable(self) -> None:
        if self._next is None:
            self._next = asyncio.create_task(self._flush(self._last))
        await asyncio.shield(self._next)

    async def _flush(self, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        # From here on nobody joins: what is written from now on may come too late for this fsync.
        self._last, self._next = self._next, None
        if self._closed:
            return  # whoever waited was cancelled, and closing has put everything into segments
        # The copy stays good if the file is changed and closed while the fsync waits for its thread.
        fd = os.dup(self._held.fd)
        await asyncio.get_running_loop().run_in_executor(self._flusher, _fsync_and_close, fd)

    def _due(self) -> bool:
        return len(self._now.rows) >= self._seal_rows or (
            bool(self._now.rows) and time.monotonic() - self._since >= SEAL_SECONDS
        )

    def _change_file(self) -> None:
        """Starts a new file with the open intentions, and hands the old one to the sealing thread."""
        self._forget_sealed()
        old, entries = self._held, self._now
        self._held, self._now, self._since = new_file(self._folder), Entries(open=dict(entries.open)), time.monotonic()
        self._names.add(self._held.path.name)
        self._write({"intend": attempt_fields(attempt)} for attempt in self._now.open.values())
        os.fsync(self._held.fd)
        settled = list(entries.settled.values())
        self._sealing.append((entries, self._sealer.submit(self._seal_file, entries, settled, old)))

    def _forget_sealed(self) -> None:
        for _, future in self._sealing:
            if future.done():
                future.result()
        self._sealing = [(entries, future) for entries, future in self._sealing if not future.done()]

    def _seal_file(self, entries: Entries, attempts: Sequence[Attempt], held: HeldFile) -> None:
        """The journal goes when its segments are on disk: a kill in between leaves both, and readers see one."""
        try:
            if entries.rows or attempts:
                self._seal(list(entries.rows.values()), attempts)
            held.path.unlink()
        finally:
            held.close()


def new_file(folder: Path) -> HeldFile:
    """A journal file of this process, held."""
    while True:
        held = hold(folder / f"{os.getpid()}-{time.time_ns()}.jsonl")
        if held is not None:
            return held


def _name(attempt: Attempt) -> AttemptName:
    return attempt.key, attempt.at_ns, attempt.part


def _fsync_and_close(fd: int) -> None:
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
