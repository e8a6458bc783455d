"""The row store: what was paid for, as immutable segments, and the journals not yet sealed into them."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from triaxis.adapters.parquet.rows import TableWriter
from triaxis.adapters.store import segments
from triaxis.adapters.store.blobs import Blobs
from triaxis.adapters.store.bulk import collector_paused
from triaxis.adapters.store.held_file import hold
from triaxis.adapters.store.journal import SEAL_ROWS, Entries, FileJournal
from triaxis.adapters.store.journal_files import JournalFiles, read_journal
from triaxis.adapters.store.row_codec import (
    ATTEMPT_LAYOUT,
    ROW_LAYOUT,
    attempt_cells,
    attempt_of,
    each_once,
    row_cells,
    row_of,
)
from triaxis.adapters.store.segments import Segments, Table
from triaxis.domain.keys import Keys, Mask
from triaxis.domain.rows import Attempt, Row
from triaxis.ports.stores import Claims

ROWS: Final = Table(folder="rows", layout=ROW_LAYOUT, held_bytes=64 << 20, trusted_s=float("inf"))
"""A row that was found stays what it is, however long ago that was."""
ATTEMPTS: Final = Table(
    folder="attempts",
    layout=ATTEMPT_LAYOUT,
    named_by=("at_ns", "part"),
    yields=("outcome", "unknown"),
    held_bytes=16 << 20,
    trusted_s=1.0,
)
"""To what was found of a key, another worker may have added."""
MERGE_LEASE_S: Final = 600.0


class BlobRowStore:
    """`ports.stores.RowStore` over `Blobs`, with the journals on the worker's own disk.

    Any number of processes may read, and seal into it; of those that share a folder of journals one writes at a time
    (it holds the workspace's lock). Small segments are merged by whoever holds the claim to that.
    """

    def __init__(self, blobs: Blobs, claims: Claims, journal_dir: Path, *, seal_rows: int = SEAL_ROWS) -> None:
        self._blobs, self._claims = blobs, claims
        self._rows, self._attempts = Segments(blobs, ROWS), Segments(blobs, ATTEMPTS)
        self._journal_dir, self._seal_rows = journal_dir, seal_rows
        self._journals = JournalFiles(journal_dir)
        self._own: FileJournal | None = None
        self._since_merge = 0

    @property
    def empty(self) -> bool:
        """Whether nothing was ever stored here, or somebody deleted it."""
        return not self._rows.names()

    def known(self, keys: Keys) -> Mask:
        """Which of the keys have a row, without reading any."""
        # Journals first: one that is sealed meanwhile is in a segment by the time those are looked at.
        unsealed = Keys.of([key for entries in self._unsealed() for key in entries.rows])
        return self._rows.known(keys) | keys.among(unsealed)

    @collector_paused()
    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The stored rows among `keys`."""
        wanted = _as_set(keys)
        unsealed = {key: entries.rows[key] for entries in self._unsealed() for key in wanted & entries.rows.keys()}
        return {**unsealed, **{row.key: row for row in self._rows.find(wanted - unsealed.keys(), row_of)}}

    @collector_paused()
    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """Every attempt known for `keys`, by time."""
        wanted = _as_set(keys)
        unsealed = [a for entries in self._unsealed() for a in entries.attempts() if a.key in wanted]
        by_key: dict[str, list[Attempt]] = {}
        for attempt in chain(self._attempts.find(wanted, attempt_of), unsealed):
            by_key.setdefault(attempt.key, []).append(attempt)
        return {key: tuple(some) if len(some) == 1 else each_once(some) for key, some in by_key.items()}

    @collector_paused()
    def adopt(self, rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Takes in rows that evidence holds and the store lost, with the attempts behind them."""
        given = {row.key: row for row in rows}
        known = self._rows.known(Keys.of(list(given)))
        lost = [row for row, there in zip(given.values(), known.tolist(), strict=True) if not there]
        self._seal(lost, self._unknown_here(attempts))

    def settle(self) -> int:
        """Seals what dead processes left in their journals; open intentions become `unknown`. Returns how many."""
        left = Entries()
        with ExitStack() as holding:
            dead = [path for path in self._journals.paths() if _take(path, holding)]
            for path in dead:
                read_journal(path, left)
            if not left.empty:
                self._seal(list(left.rows.values()), left.attempts())
            for path in dead:
                path.unlink()
        self._merge()
        return len(left.open)

    @contextmanager
    def journal(self) -> Generator[FileJournal]:
        """This process's journal; leaving the context, however it ends, seals it into segments."""
        journal = FileJournal(self._journal_dir, self._seal_and_merge, seal_rows=self._seal_rows)
        self._own = journal
        try:
            yield journal
        finally:
            try:
                journal.close()
            finally:
                self._own = None
            self._merge()

    @contextmanager
    def sealing(self) -> Generator[StreamedSealing]:
        """Streams rows straight into segments, which are there when the context has ended without an error.

        Attempts are published before rows: a row without its attempt would be an answer that nobody paid for.
        """
        with self._attempts.draft() as attempts, self._rows.draft() as rows:
            yield StreamedSealing(attempts.writer, rows.writer)
            self._attempts.publish(attempts)
            self._rows.publish(rows)
        self._merge_in_time()

    def _unknown_here(self, attempts: Iterable[Attempt]) -> list[Attempt]:
        """The attempts that the store does not hold yet, each once."""
        given = each_once(attempts)
        held = self.attempts({attempt.key for attempt in given})
        return [attempt for attempt in given if attempt not in held.get(attempt.key, ())]

    def _seal(self, rows: Sequence[Row], attempts: Sequence[Attempt]) -> None:
        if attempts:
            self._attempts.add(map(attempt_cells, attempts))
        if rows:
            self._rows.add(map(row_cells, rows))

    def _seal_and_merge(self, rows: Sequence[Row], attempts: Sequence[Attempt]) -> None:
        self._seal(rows, attempts)
        self._merge_in_time()

    def _merge_in_time(self) -> None:
        """Merges as soon as there is something to, so that rows that are asked for together stay near each other."""
        self._since_merge += 1
        if self._since_merge > segments.MANY:
            self._since_merge = 0
            self._merge()

    def _merge(self) -> None:
        """Merges what is in too many pieces, unless another worker is at it."""
        crowded = [table for table in (self._rows, self._attempts) if table.crowded]
        if not crowded:
            return
        claim = None
        if self._blobs.lone is None and (claim := self._claims.claim("merge", MERGE_LEASE_S)) is None:
            return
        try:
            for table in crowded:
                table.merge()
        finally:
            if claim is not None:
                claim.release()

    def _unsealed(self) -> Iterator[Entries]:
        """What is known and not in a segment: of this process, and of others, alive or dead."""
        paths = [path for path in self._journals.paths() if not (self._own and self._own.owns(path))]
        others = self._journals.read(paths)
        return iter([*(self._own.unsealed() if self._own else []), *others])


@dataclass(frozen=True, slots=True)
class StreamedSealing:
    """`ports.stores.Sealing` over two segments that are being written."""

    _attempts: TableWriter
    _rows: TableWriter

    def add(self, attempt: Attempt, row: Row | None = None) -> None:
        """Takes in how an attempt ended, and the row it brought."""
        self._attempts.add(attempt_cells(attempt))
        if row is not None:
            self._rows.add(row_cells(row))


def _take(path: Path, holding: ExitStack) -> bool:
    """Whether the journal's owner is dead, so that the file is ours now."""
    held = hold(path)
    if held is not None:
        holding.callback(held.close)
    return held is not None


def _as_set(keys: Collection[str]) -> frozenset[str]:
    return keys if isinstance(keys, frozenset) else frozenset(keys)
