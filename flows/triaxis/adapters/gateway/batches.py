"""The batches of a gateway: those that have ended, and those that run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import uuid4

from triaxis.adapters.gateway.batch_journal import Progress, new_journal, read_journal, reopened
from triaxis.adapters.gateway.batch_run import BatchRun, Means
from triaxis.adapters.gateway.records import Batch

Tell = Callable[[str], None]
"""Takes a line for whoever watches the gateway."""


class Batches:
    """Every batch of one folder, a journal each; the folder is this process's alone."""

    def __init__(self, folder: Path, means: Means, tell: Tell) -> None:
        self._folder, self._means, self._tell = folder, means, tell
        self._ended = dict[str, Batch]()
        self._runs = dict[str, BatchRun]()
        self._tasks = set[asyncio.Task[None]]()
        self._faults = dict[str, str]()
        self._beginning = list[str]()
        self._newest_ns = 0

    def load(self) -> None:
        """Reads the folder, which is made where there is none; blocks.

        Raises:
            StoreDamaged: naming the file that cannot be read.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("batch_*.jsonl")):
            past = read_journal(path)
            if past is None:
                path.unlink()
                continue
            self._newest_ns = max(self._newest_ns, past.batch.created_ns)
            if past.batch.ended:
                self._ended[past.batch.id] = past.batch
            else:
                self._runs[past.batch.id] = BatchRun(past.batch, reopened(past, path), past.progress, self._means)

    def resume(self) -> None:
        """Goes on with every batch that has not ended."""
        for run in list(self._runs.values()):
            counts = run.batch.counts
            self._tell(f"{run.batch.id} goes on: {counts.completed + counts.failed} of {counts.total} rows are done")
            self._start(run)

    async def create(self, make: Callable[[str, int], Batch]) -> Batch:
        """Begins a batch, which is on disk when this returns.

        Args:
            make: gives the batch of an id and a time, nanoseconds since the epoch.
        """
        self._newest_ns = max(self._means.clock.now_ns(), self._newest_ns + 1)
        batch = make(f"batch_{uuid4().hex}", self._newest_ns)
        self._beginning.append(batch.input_file_id)
        try:
            journal = await new_journal(self._folder / f"{batch.id}.jsonl", batch)
        finally:
            self._beginning.remove(batch.input_file_id)
        run = BatchRun(batch, journal, Progress(), self._means)
        self._runs[batch.id] = run
        self._start(run)
        return batch

    def get(self, batch_id: str) -> Batch | None:
        """The batch of that id as it is now, whoever names it."""
        run = self._runs.get(batch_id)
        return self._ended.get(batch_id) if run is None else run.batch

    def fault(self, batch_id: str) -> str | None:
        """Why a batch stands still until the gateway is started again; None where it does not."""
        return self._faults.get(batch_id)

    def newest_first(self) -> Iterable[Batch]:
        """Every batch."""
        batches = [*self._ended.values(), *(run.batch for run in self._runs.values())]
        return sorted(batches, key=lambda batch: batch.created_ns, reverse=True)

    async def cancel(self, batch_id: str) -> bool:
        """Whether the batch could be cancelled, and is being; on disk when this returns."""
        run = self._runs.get(batch_id)
        if run is None or not run.cancellable:
            return False
        await run.cancel()
        return True

    def reads(self, file_id: str) -> bool:
        """Whether a batch that has not ended needs the file."""
        return file_id in self._beginning or any(run.batch.input_file_id == file_id for run in self._runs.values())

    def halt(self) -> None:
        """Sends no more rows of any batch."""
        for run in self._runs.values():
            run.halt()

    async def close(self, grace_s: float) -> None:
        """Leaves what has not ended to the next process; rows with the upstream get so long to come in."""
        self.halt()
        runs = list(self._runs.values())
        await asyncio.gather(*(run.land(grace_s) for run in runs))
        if self._tasks:
            await asyncio.wait(self._tasks)
        for run in runs:
            try:
                await run.close()
            except OSError as error:
                self._tell(f"{run.batch.id}: what came last may not be on disk: {error.strerror}")

    def _start(self, run: BatchRun) -> None:
        task = asyncio.create_task(run.run(), name=run.batch.id)
        self._tasks.add(task)
        task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        batch_id = task.get_name()
        batch = self._runs[batch_id].batch
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self._faults[batch_id] = f"{type(error).__name__}: {error}"
            self._tell(f"{batch_id} stands still until the gateway is started again: {self._faults[batch_id]}")
        elif batch.ended:
            self._ended[batch_id] = batch
            del self._runs[batch_id]
            self._tell(_said(batch))


def _said(batch: Batch) -> str:
    counts = batch.counts
    if batch.status == "failed":
        count = len(batch.faults)
        return f"{batch.id} failed: its input file has {count} fault{'s' if count > 1 else ''}; nothing was sent"
    return f"{batch.id} {batch.status}: {counts.completed} of {counts.total} rows answered, {counts.failed} failed"
