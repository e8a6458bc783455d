"""Immutable tables in pieces: each segment is a Parquet file named by the sha256 of its content."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

import numpy as np

from triaxis.adapters.digests import file_sha256
from triaxis.adapters.parquet.columns import columns, read_keys
from triaxis.adapters.parquet.rows import Cell, Groups, Layout, TableWriter
from triaxis.adapters.store.blobs import Blobs
from triaxis.adapters.store.key_index import KeyIndex
from triaxis.domain.keys import Keys, Mask, Places
from triaxis.errors import StoreDamaged

T = TypeVar("T")

SMALL = 20_000
"""A segment of fewer rows may be merged with others."""
MANY = 32
"""How many small segments there may be before they are merged."""
MERGED = 200_000
"""About how many rows are merged at a time."""
_TRIES = 5
_NAME = re.compile(r"[0-9a-f]{64}\.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a table's segments hold, and which of its rows are the same."""

    folder: str
    layout: Layout
    named_by: tuple[str, ...] = ()
    """Whole-numbered columns that, with the key, name a row; of rows with one name the first is kept."""
    yields: tuple[str, str] | None = None
    """A column and the text that makes a row give way to any other of its name."""
    held_bytes: int = 0
    """How much is kept decoded for the next chunk."""
    trusted_s: float = 0.0
    """Where listing crosses a network: for how long the last one is believed when every key asked for was found."""


class SegmentDraft:
    """A segment while it is written: to be published, or else discarded."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.writer = TableWriter(path, layout)

    def finished(self) -> str:
        """Ends the file; the sha256 of its content."""
        self.writer.close()
        return file_sha256(self.path)


class Segments:
    """The segments of one table, with an index of their keys in memory.

    Writers add whole files and merge small ones; a reader that finds a merged file gone looks at the names again,
    where the file that took its place stood before the others went.
    """

    def __init__(self, blobs: Blobs, table: Table, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._blobs, self._table, self._monotonic = blobs, table, monotonic
        self._groups = Groups(table.layout, table.held_bytes)
        self._lock = threading.RLock()
        self._names: list[str | None] = []
        """By the number that the index knows them under; None where a segment is gone."""
        self._sizes: dict[str, int] = {}
        self._index = KeyIndex.joined([])
        self._verified: set[str] = set()
        self._listed_s = float("-inf")

    def names(self) -> list[str]:
        """The segments there are, sorted."""
        here = f"{self._table.folder}/"
        return [name for name in self._blobs.names(here) if _NAME.fullmatch(name.removeprefix(here))]

    @contextmanager
    def draft(self) -> Generator[SegmentDraft]:
        """A segment to be written to; it is discarded unless it is published within the context."""
        draft = SegmentDraft(self._blobs.draft(self._table.folder), self._table.layout)
        try:
            yield draft
        finally:
            draft.writer.abandon()
            draft.path.unlink(missing_ok=True)

    def publish(self, draft: SegmentDraft) -> str | None:
        """Seals a draft into a segment and returns its name; None where nothing was written."""
        name = f"{self._table.folder}/{draft.finished()}.parquet"
        if not draft.writer.count:
            return None
        self._blobs.publish(draft.path, name)
        self._verified.add(name)
        self._listed_s = float("-inf")
        return name

    def add(self, rows: Iterable[tuple[Cell, ...]]) -> None:
        """Seals rows into a segment."""
        with self.draft() as draft:
            for cells in rows:
                draft.writer.add(cells)
            self.publish(draft)

    def known(self, keys: Keys) -> Mask:
        """Which of the keys some segment holds by now."""
        with self._lock:
            self._refresh(0.0)
            return self._index.known(keys)

    def find(self, keys: Collection[str], make: Callable[[tuple[Cell, ...]], T]) -> list[T]:
        """What is made of every row whose key is among `keys`; a row that two segments hold comes twice.

        Raises:
            StoreDamaged: naming a segment that does not hold what its name says.
        """
        words = Keys.of(list(keys))
        with self._lock:
            self._refresh(self._table.trusted_s)
            asked, there = self._index.find(words)
            for _ in range(_TRIES):
                if len(np.unique(asked)) < len(words):
                    self._refresh(0.0)
                    asked, there = self._index.find(words)
                try:
                    return [make(cells) for cells in self._pick(there) if cells[0] in keys]
                except FileNotFoundError:
                    asked = there[:0]
        raise self._restless()

    def merge(self) -> None:
        """Makes one segment of small ones for as long as there are many; rows of one name count once.

        Readers need not wait meanwhile: the small ones stay until the merged one is there.
        """
        while len(small := self._small()) > MANY:
            ends = accumulate(self._sizes[name] for name in small)
            try:
                self._merge(small[: max(2, sum(end <= MERGED for end in ends))])
            except FileNotFoundError:
                return  # somebody else merges the same, or cleared copies away: it can wait

    @property
    def crowded(self) -> bool:
        """Whether there is something to merge; where the names alone say no, nothing is read."""
        return len(self.names()) > MANY and len(self._small()) > MANY

    def _small(self) -> list[str]:
        with self._lock:
            self._refresh(0.0)
            return sorted(name for name in self._names if name and self._sizes[name] < SMALL)

    def _merge(self, names: Sequence[str]) -> None:
        paths = [self._blobs.file(name) for name in names]
        sizes = [self._sizes[name] for name in names]
        keep = np.split(self._first_of_name(paths), np.cumsum(sizes)[:-1])
        with self.draft() as draft:
            for path, mask in zip(paths, keep, strict=True):
                draft.writer.copy(path, mask)
            merged = self.publish(draft)
        for name in names:
            if name != merged:
                self._blobs.remove(name)

    def _first_of_name(self, paths: Sequence[Path]) -> Mask:
        """Which rows of some segments are kept: of each name the first that does not yield, else the first."""
        keys = Keys.joined(read_keys(path, self._table.layout) for path in paths)
        numbers = [
            np.concatenate([columns(path, [name]).ints(name) for path in paths]) for name in self._table.named_by
        ]
        order = np.lexsort((np.arange(len(keys)), self._yielding(paths), *numbers, *keys.words.T))
        names = np.column_stack([keys.words, *(number.astype(np.uint64) for number in numbers)])[order]
        first = np.ones(len(keys), dtype=np.bool_)
        first[1:] = (names[1:] != names[:-1]).any(axis=1)
        keep = np.zeros(len(keys), dtype=np.bool_)
        keep[order[first]] = True
        return keep

    def _yielding(self, paths: Sequence[Path]) -> Mask:
        if self._table.yields is None:
            return np.zeros(sum(self._sizes[f"{self._table.folder}/{path.name}"] for path in paths), dtype=np.bool_)
        column, text = self._table.yields
        found = (columns(path, [column]).texts(column) for path in paths)
        return np.array([value == text for values in found for value in values], dtype=np.bool_)

    def _pick(self, there: Places) -> Iterator[tuple[Cell, ...]]:
        """The rows at some positions of the index."""
        segments = self._index.segment[there]
        numbers: list[int] = np.unique(segments).tolist()
        for number in numbers:
            name = self._names[number]
            assert name is not None, "segments that are gone are not in the index"
            places = np.unique(self._index.place[there[segments == number]].astype(np.int64))
            yield from self._groups.pick(self._blobs.file(name), places)

    def _refresh(self, trusted_s: float) -> None:
        """Indexes segments that are new and forgets those that are gone, unless the last look was just now."""
        if self._blobs.remote and self._monotonic() - self._listed_s < trusted_s:
            return
        for _ in range(_TRIES):
            looked_s = self._monotonic()
            present = self.names()
            try:
                self._reindex(present)
            except FileNotFoundError:
                continue
            self._listed_s = looked_s
            return
        raise self._restless()

    def _restless(self) -> StoreDamaged:
        return StoreDamaged(f"{self._table.folder} of the row store lists what is not there; try again")

    def _reindex(self, present: Sequence[str]) -> None:
        there = set(present)
        gone = [number for number, name in enumerate(self._names) if name is not None and name not in there]
        new = sorted(there.difference(name for name in self._names if name))
        if gone:
            self._index = self._index.without(gone)
            for number in gone:
                self._names[number] = None
        parts = [self._indexed(name, len(self._names) + number) for number, name in enumerate(new)]
        if parts:
            self._index = KeyIndex.joined([self._index, *parts])
            self._names += new

    def _indexed(self, name: str, number: int) -> KeyIndex:
        path = self._blobs.file(name)
        if name not in self._verified and file_sha256(path) != path.stem:
            raise StoreDamaged(
                f"{path} is damaged: its content is not what its name says. Delete it and run again; rows that "
                "reports/evidence carries come back from there, and only what nothing else holds is bought again."
            )
        self._verified.add(name)
        keys = read_keys(path, self._table.layout)
        self._sizes[name] = len(keys)
        return KeyIndex.of(keys, number)
