"""The row store: what was paid for, as immutable segments, and the journals not yet sealed into them."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import numpy as np

from triaxis.adapters.bulk import collector_paused
from triaxis.adapters.held_file import hold
from triaxis.adapters.journal import SEAL_ROWS, Entries, FileJournal, read_journal
from triaxis.adapters.row_codec import (
    ATTEMPT_LAYOUT,
    ROW_LAYOUT,
    attempt_cells,
    attempt_of,
    each_once,
    row_cells,
    row_of,
)
from triaxis.adapters.segments import Segments
from triaxis.domain.keys import Keys, Mask
from triaxis.domain.rows import Attempt, Row


class _Sealing:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.attempts: list[Attempt] = []

    def add(self, attempt: Attempt, row: Row | None) -> None:
        """One attempt, with the row that it bought."""
        self.attempts.append(attempt)
        if row is not None:
            self.rows.append(row)


class LocalRowStore:
    """`ports.stores.RowStore` in a folder, with the journals on the worker's own disk.

    One process writes at a time (it holds the workspace's lock); readers need no lock.
    """

    def __init__(self, root: Path, journal_dir: Path, *, seal_rows: int = SEAL_ROWS) -> None:
        self._rows = Segments(root / "rows", ROW_LAYOUT)
        self._attempts = Segments(root / "attempts", ATTEMPT_LAYOUT)
        self._journal_dir, self._seal_rows = journal_dir, seal_rows
        self._own: FileJournal | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was ever stored here, or somebody deleted it."""
        return not self._rows.names()

    @collector_paused()
    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The stored rows among `keys`."""
        wanted = _as_set(keys)
        unsealed = [row for entries in self._unsealed() for key, row in entries.rows.items() if key in wanted]
        found = {row.key: row for row in map(row_of, self._rows.find(wanted))}
        return {**{row.key: row for row in unsealed}, **found}

    @collector_paused()
    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """Every attempt known for `keys`, by time."""
        wanted = _as_set(keys)
        unsealed = [a for entries in self._unsealed() for a in entries.attempts() if a.key in wanted]
        by_key: dict[str, list[Attempt]] = {}
        for attempt in chain(map(attempt_of, self._attempts.find(wanted)), unsealed):
            by_key.setdefault(attempt.key, []).append(attempt)
        return {key: tuple(some) if len(some) == 1 else each_once(some) for key, some in by_key.items()}

    def known(self, keys: Keys) -> Mask:
        """Which rows are stored, without reading them."""
        texts = keys.texts()
        unsealed = {key for entries in self._unsealed() for key in entries.rows}
        sealed = self._rows.known(texts)
        return np.array([key in sealed or key in unsealed for key in texts], dtype=np.bool_)

    @contextmanager
    def sealing(self) -> Generator[_Sealing]:
        """Takes in answers that can be fetched again; they are there when the context has ended without an error."""
        sealing = _Sealing()
        yield sealing
        self._seal(sealing.rows, sealing.attempts)

    @collector_paused()
    def adopt(self, rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Takes in rows that evidence holds and the store lost, with the attempts behind them."""
        given = {row.key: row for row in rows}
        known = self._rows.known(given)
        self._seal([row for key, row in given.items() if key not in known], self._unknown_here(attempts))

    def settle(self) -> int:
        """Seals what dead processes left in their journals; open intentions become `unknown`. Returns how many."""
        left = Entries()
        with ExitStack() as holding:
            dead = [path for path in self._journal_files() if _take(path, holding)]
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
        journal = FileJournal(self._journal_dir, self._seal, seal_rows=self._seal_rows)
        self._own = journal
        try:
            yield journal
        finally:
            try:
                journal.close()
            finally:
                self._own = None
            self._merge()

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

    def _merge(self) -> None:
        self._rows.merge(identity=[0])
        self._attempts.merge(identity=range(len(ATTEMPT_LAYOUT)))

    def _unsealed(self) -> Iterator[Entries]:
        """What is known and not in a segment: of this process, and of others, alive or dead."""
        own = self._own.unsealed() if self._own else []
        others = Entries()
        for path in self._journal_files():
            if not (self._own and self._own.owns(path)):
                try:
                    read_journal(path, others)
                except FileNotFoundError:
                    continue
        return iter([*own, others])

    def _journal_files(self) -> list[Path]:
        return sorted(self._journal_dir.glob("*.jsonl"))


def _take(path: Path, holding: ExitStack) -> bool:
    """Whether the journal's owner is dead, so that the file is ours now."""
    held = hold(path)
    if held is not None:
        holding.callback(held.close)
    return held is not None


def _as_set(keys: Collection[str]) -> frozenset[str]:
    return keys if isinstance(keys, frozenset) else frozenset(keys)
