"""Runs one batch, from the look at its input file to its output files, from wherever an earlier process left off."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from triaxis.adapters.gateway.batch_journal import BatchJournal, Progress
from triaxis.adapters.gateway.files import FileShelf
from triaxis.adapters.gateway.input_file import Rows, examine
from triaxis.adapters.gateway.records import Batch, Status
from triaxis.adapters.gateway.result_files import Ending, write_results
from triaxis.adapters.gateway.row_sending import RowSender
from triaxis.adapters.gateway.upstream import Upstream
from triaxis.errors import StoreDamaged
from triaxis.ports.clock import Clock

CANCELLABLE: frozenset[Status] = frozenset({"validating", "in_progress", "cancelling"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the batches of one gateway share."""

    upstream: Upstream
    shelf: FileShelf
    clock: Clock
    concurrency: int
    slots: asyncio.Semaphore
    """As many as `concurrency`: a request with the upstream holds one, whichever batch it is of."""


class BatchRun:
    """A batch that has not ended. Its methods are for the loop that it runs in."""

    def __init__(self, batch: Batch, journal: BatchJournal, progress: Progress, means: Means) -> None:
        self._batch, self._journal, self._progress, self._means = batch, journal, progress, means
        self._halted = self._ending = False
        self._woken = asyncio.Event()
        self._workers = set[asyncio.Task[None]]()

    @property
    def batch(self) -> Batch:
        """The batch as it is now."""
        if self._batch.ended:
            return self._batch
        return replace(self._batch, counts=self._progress.counts(self._batch.counts.total))

    @property
    def cancellable(self) -> bool:
        """Whether `cancel` has a meaning."""
        return not self._ending and self._batch.status in CANCELLABLE

    async def run(self) -> None:
        """Until the batch has ended, or `halt` has.

        Raises:
            OSError: where the disk does not take what has to be written.
            StoreDamaged: where the input file is no more what it was.
        """
        rows = await self._examined()
        if rows is None:
            return
        await self._send(rows)
        if not self._halted:
            await self._finish(rows)

    async def cancel(self) -> None:
        """Sends no more rows, and returns when that is on disk; those with the upstream still come in."""
        if self._batch.status != "cancelling":
            self._move("cancelling")
            self._woken.set()
        await self._journal.durable()

    def halt(self) -> None:
        """Sends no more rows, and leaves the batch to the next process."""
        self._halted = True
        self._woken.set()

    async def land(self, grace_s: float) -> None:
        """After `halt`: gives the rows with the upstream so long to come in, and lets go of the others."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=grace_s)
        for worker in self._workers:
            worker.cancel()

    async def close(self) -> None:
        """Lets go of the journal, once `run` has returned."""
        if not self._batch.ended:
            await self._journal.close()

    async def _examined(self) -> Rows | None:
        """The rows to send; None where faults have ended the batch."""
        path = self._means.shelf.content(self._batch.input_file_id)
        found = await asyncio.to_thread(examine, path, self._batch.endpoint)
        known = self._batch.counts.total
        if known and (found.faults or len(found.rows) != known):
            raise StoreDamaged(f"{path} is not the input file of {known} rows that {self._batch.id} began with")
        if found.faults:
            await self._end(replace(self._batch, faults=found.told()), "failed")
            return None
        if not known:
            self._batch = replace(self._batch, model=found.model, counts=self._progress.counts(len(found.rows)))
            if self._batch.status == "validating":
                self._move("in_progress")
            else:
                self._journal.batch(self._batch)
        return found.rows

    async def _send(self, rows: Rows) -> None:
        sender = RowSender(
            batch=self._batch,
            rows=rows,
            journal=self._journal,
            progress=self._progress,
            upstream=self._means.upstream,
        )
        left = iter([index for index in range(len(rows)) if index not in self._progress.done])
        self._workers = {asyncio.create_task(self._work(sender, left)) for _ in range(self._means.concurrency)}
        for ended in await asyncio.gather(*self._workers, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _work(self, sender: RowSender, left: Iterator[int]) -> None:
        for index in left:
            async with self._means.slots:
                if self._closing():
                    return
                sent = await sender.send(index, self._pause)
            # A failure that might have passed is an outcome only if no time is left, and if it may have cost something.
            if sent.final or (self._progress.sends.get(index) and not self._halted):
                self._journal.outcome(sent.outcome)
                self._progress.settled(index, ok=sent.outcome.ok)

    def _closing(self) -> bool:
        """Whether no row may be sent any more."""
        expired = self._means.clock.now_ns() >= self._batch.expires_ns
        return self._halted or expired or self._batch.status == "cancelling"

    async def _pause(self, seconds: float) -> bool:
        """Waits, unless there is no use in it; whether a row may be sent afterwards."""
        left_s = max(0.0, (self._batch.expires_ns - self._means.clock.now_ns()) / 1e9)
        waits = {
            asyncio.ensure_future(self._means.clock.sleep(min(seconds, left_s))),
            asyncio.ensure_future(self._woken.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not self._closing()

    async def _finish(self, rows: Rows) -> None:
        ending: Ending = "completed" if len(self._progress.done) == len(rows) else "expired"
        if "cancelling" in self._batch.moved_at:
            ending = "cancelled"
        elif self._batch.status != "finalizing":
            self._move("finalizing")
        await self._journal.durable()
        batch = await asyncio.to_thread(
            write_results,
            self._batch,
            ending,
            rows=rows,
            journal=self._journal.path,
            progress=self._progress,
            shelf=self._means.shelf,
        )
        await self._end(batch, ending)

    def _move(self, status: Status) -> None:
        self._batch = self._batch.moved(status, self._means.clock.now_ns())
        self._journal.batch(self._batch)

    async def _end(self, batch: Batch, status: Status) -> None:
        self._ending = True
        ended = batch.moved(status, self._means.clock.now_ns())
        await self._journal.end(ended)
        self._batch = ended
