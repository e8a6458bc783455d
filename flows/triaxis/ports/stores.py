"""Where paid work and evidence are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from triaxis.domain.keys import Keys, Mask
from triaxis.domain.rows import Attempt, Row


class Journal(Protocol):
    """The write-ahead log of one process: what is intended is on disk before it is sent."""

    async def intend(self, attempts: Sequence[Attempt]) -> None:
        """Returns when the attempts (outcome `unknown`) are fsynced; concurrent callers share one fsync."""
        ...

    async def settle(self, attempt: Attempt, row: Row | None = None) -> None:
        """Returns when the attempt's outcome, and the row it sealed, are on disk."""
        ...


class Sealing(Protocol):
    """New segments being written."""

    def add(self, attempt: Attempt, row: Row | None) -> None:
        """One attempt, with the row that it bought."""
        ...


class RowStore(Protocol):
    """Owns what was paid for. Readers see each key once."""

    @property
    def empty(self) -> bool:
        """Whether nothing was ever stored here, or somebody deleted it."""
        ...

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The stored rows among `keys`."""
        ...

    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """Every attempt known for `keys`, by time; keys without one are left out."""
        ...

    def known(self, keys: Keys) -> Mask:
        """Which rows are stored, without reading them."""
        ...

    def sealing(self) -> AbstractContextManager[Sealing]:
        """Takes in answers that can be fetched again; they are there when the context has ended without an error."""
        ...

    def adopt(self, rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Takes in rows that evidence holds and the store lost."""
        ...

    def settle(self) -> int:
        """Seals what dead processes left in their journals; open intentions become `unknown`. Returns how many."""
        ...

    def journal(self) -> AbstractContextManager[Journal]:
        """Opens this process's journal; leaving the context seals it into segments."""
        ...
