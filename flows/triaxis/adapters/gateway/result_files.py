"""Writes the output and error files of a batch whose rows are done, or will not be run."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Literal, TypeAlias

from triaxis.adapters.gateway.batch_journal import Progress, outcomes
from triaxis.adapters.gateway.files import FileShelf
from triaxis.adapters.gateway.input_file import Rows
from triaxis.adapters.gateway.output_lines import Line, RowName, never_run
from triaxis.adapters.gateway.records import Batch, Counts

Kind: TypeAlias = Literal["output", "error"]
Ending: TypeAlias = Literal["completed", "expired", "cancelled"]


@dataclass(slots=True)
class _Pair:
    """The two files while they are written; only those that get a line are made."""

    batch: Batch
    shelf: FileShelf
    stack: ExitStack
    files: dict[Kind, IO[bytes]] = field(default_factory=dict[Kind, IO[bytes]])

    def add(self, kind: Kind, line: Line) -> None:
        """Adds a line to one of them."""
        if kind not in self.files:
            self.files[kind] = self._opened(file_id(self.batch, kind))
        self.files[kind].write(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def _opened(self, name: str) -> IO[bytes]:
        # An earlier process may have been killed between its files and the end of its batch.
        if (earlier := self.shelf.get(name)) is not None:
            self.shelf.delete(earlier)
        return self.stack.enter_context(self.shelf.content(name).open("wb"))

    def kept(self, kind: Kind) -> str | None:
        """The id of a whole file, now on the shelf; None where it has no line."""
        if kind not in self.files:
            return None
        name, seconds = f"{self.batch.id}_{kind}.jsonl", self.batch.output_expires_s
        return self.shelf.keep(file_id(self.batch, kind), filename=name, purpose="batch_output", expires_s=seconds).id


def file_id(batch: Batch, kind: Kind) -> str:
    """The id that a batch's file has, however often it is written before the batch has ended."""
    return f"file-{batch.id.removeprefix('batch_')}-{kind}"


def write_results(
    batch: Batch, ending: Ending, *, rows: Rows, journal: Path, progress: Progress, shelf: FileShelf
) -> Batch:
    """The batch with the ids and counts of its files, which are on disk when this returns; blocks.

    Rows come in the order in which they were answered; after them, those that were never run.
    """
    lost = 0
    with ExitStack() as stack:
        pair = _Pair(batch, shelf, stack)
        for outcome in outcomes(journal):
            pair.add("output" if outcome.ok else "error", dict(outcome.line))
        for index in sorted(set(range(len(rows))) - progress.done):
            sends = progress.sends.get(index, 0)
            lost += sends > 0
            name = RowName(batch_id=batch.id, row=index, custom_id=rows.read(index).custom_id)
            pair.add("error", never_run(name, ending, sends=sends))
    counts = Counts(total=len(rows), completed=progress.completed, failed=progress.failed + lost)
    return replace(batch, counts=counts, output_file_id=pair.kept("output"), error_file_id=pair.kept("error"))
