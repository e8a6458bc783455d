"""The book of provider batches: a few contents each, in the row store's own place, so that any worker can go on.

    batches/NAME/rows.parquet      every row's key and the most it can be billed for
    batches/NAME/intent.json       written last of the two: from now on the batch counts
    batches/NAME/submitted.json    the provider's id
    batches/NAME/closed.json       how it ended

Input files and fetched results are this machine's own, under another folder, and go when the batch is closed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TypeVar

import numpy as np

from triaxis.adapters.atomic import flush
from triaxis.adapters.evidence.codec import decode
from triaxis.adapters.parquet import columns as parquet
from triaxis.adapters.parquet.rows import Layout
from triaxis.adapters.store.blobs import Blobs
from triaxis.domain.batches import BatchIntent, BatchRecord, BatchRows, Closed, Submitted
from triaxis.domain.plain import plain
from triaxis.errors import Fault, InputFaults
from triaxis.ports.batches import Draft

FOLDER = "batches/"
DRAFT = ".draft-"
INPUT = ".jsonl"
ROWS: Layout = {"key": "text", "input": "int", "output": "int"}
UPPER = ("input", "output")

T = TypeVar("T")


class FileDraft:
    """`ports.batches.Draft`: lines in a file."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path, self._file = path, file
        self.rows = self.size = 0

    def add(self, line: bytes) -> None:
        """Adds a line."""
        self._file.write(line)
        self.rows += 1
        self.size += len(line)

    def finish(self) -> None:
        """Returns when the lines are on disk."""
        self._file.close()
        flush(self.path)


class BlobBook:
    """`ports.batches.BatchBook` over contents that never change; `work` is a folder of this machine."""

    def __init__(self, blobs: Blobs, work: Path) -> None:
        self._blobs, self._work = blobs, work

    def open(self) -> Sequence[BatchRecord]:
        """The batches of which something is still to come, oldest first."""
        parts = self._parts()
        return _by_age(self._read(name, own) for name, own in parts.items() if "closed.json" not in own)

    def all(self) -> Sequence[BatchRecord]:
        """Every batch, oldest first."""
        return _by_age(self._read(name, own) for name, own in self._parts().items())

    def record(self, name: str) -> BatchRecord:
        """One batch.

        Raises:
            InputFaults: where there is none of that name.
        """
        parts = self._parts()
        if name not in parts:
            near = get_close_matches(name, parts, n=1)
            advice = f"Did you mean {near[0]}?" if near else "`triaxis batches` lists them."
            raise InputFaults(Fault(file="batches", problem=f"there is no batch {name[:80]!r}", advice=advice))
        return self._read(name, parts[name])

    def rows(self, name: str) -> BatchRows:
        """The rows of a batch."""
        path = self._blobs.file(f"{FOLDER}{name}/rows.parquet")
        bounds = parquet.columns(path, UPPER)
        return BatchRows(
            keys=parquet.read_keys(path, ROWS), upper=np.column_stack([bounds.ints(column) for column in UPPER])
        )

    @contextmanager
    def drafting(self) -> Generator[FileDraft]:
        """An empty input file; what is not intended by the end of the context is thrown away."""
        self._work.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._work, prefix=DRAFT, delete=False) as file:
            path = Path(file.name)
            try:
                yield FileDraft(path, file)
            finally:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Deletes the files that killed processes left of no open batch; for the one that holds the workspace."""
        if not self._work.is_dir() or not (left := list(self._work.iterdir())):
            return
        kept = {record.intent.name for record in self.open()}
        for path in left:
            if path.name.removesuffix(INPUT) in kept:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def intend(self, draft: Draft, intent: BatchIntent, rows: BatchRows) -> None:
        """Notes a batch that is about to be submitted, with every row, and keeps its file for that."""
        assert isinstance(draft, FileDraft)
        draft.finish()
        draft.path.replace(self._file(intent.name))
        written = self._blobs.draft(f"{FOLDER}{intent.name}")
        parquet.write_columns(written, ROWS, [rows.keys, *rows.upper.T])
        self._blobs.publish(written, f"{FOLDER}{intent.name}/rows.parquet")
        self._note(intent.name, "intent.json", intent)

    def submitted(self, name: str, submitted: Submitted) -> None:
        """Notes that the provider has it."""
        self._note(name, "submitted.json", submitted)

    def close(self, name: str, closed: Closed) -> None:
        """Notes its end, and deletes its files from this machine."""
        self._note(name, "closed.json", closed)
        self._file(name).unlink(missing_ok=True)
        shutil.rmtree(self._work / name, ignore_errors=True)

    def file(self, name: str) -> Path | None:
        """Its input file, where it was made on this machine and nobody deleted it."""
        path = self._file(name)
        return path if path.is_file() else None

    def folder(self, name: str) -> Path:
        """Where its results are fetched to."""
        folder = self._work / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def lines(self, files: Sequence[Path]) -> Iterator[bytes]:
        """The lines of result files, one after the other; blank ones are none."""
        for path in files:
            with path.open("rb") as file:
                yield from (line for line in file if not line.isspace())

    def _file(self, name: str) -> Path:
        return self._work / f"{name}{INPUT}"

    def _parts(self) -> dict[str, set[str]]:
        """The contents that each batch has, where its intention is among them."""
        parts: dict[str, set[str]] = {}
        for path in self._blobs.names(FOLDER):
            name, _, part = path.removeprefix(FOLDER).partition("/")
            parts.setdefault(name, set()).add(part)
        return {name: own for name, own in parts.items() if "intent.json" in own}

    def _read(self, name: str, parts: set[str]) -> BatchRecord:
        return BatchRecord(
            intent=self._value(name, "intent.json", BatchIntent),
            submitted=self._value(name, "submitted.json", Submitted) if "submitted.json" in parts else None,
            closed=self._value(name, "closed.json", Closed) if "closed.json" in parts else None,
        )

    def _value(self, name: str, part: str, kind: type[T]) -> T:
        return decode(kind, json.loads(self._blobs.read(f"{FOLDER}{name}/{part}")))

    def _note(self, name: str, part: str, value: BatchIntent | Submitted | Closed) -> None:
        # Plain JSON, since canonical JSON has no room for a clock's nanoseconds.
        self._blobs.create(f"{FOLDER}{name}/{part}", json.dumps(plain(value), sort_keys=True).encode())


def _by_age(records: Iterator[BatchRecord]) -> Sequence[BatchRecord]:
    return sorted(records, key=lambda record: (record.intent.intended_ns, record.intent.name))
