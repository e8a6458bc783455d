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

    async def seal(self) -> None:
        """Returns when everything settled so far is where other workers of the store see it."""
        ...


class Sealing(Protocol):
    """Takes in answers that can be fetched again, such as those of a provider's batch, and so need no journal."""

    def add(self, attempt: Attempt, row: Row | None = None) -> None:
        """Takes in how an attempt ended, and the row it brought."""
        ...


class RowStore(Protocol):
    """Owns what was paid for. Readers see each key once. Keys are those of requests, 64 hex digits.

    Asking for chunks of some thousand keys, one after another, costs little more than asking for all at once.
    """

    @property
    def empty(self) -> bool:
        """Whether nothing was ever stored here, or somebody deleted it."""
        ...

    def known(self, keys: Keys) -> Mask:
        """Which of the keys have a row, without reading any."""
        ...

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The stored rows among `keys`."""
        ...

    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """Every attempt known for `keys`, by time; keys without one are left out."""
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

    def sealing(self) -> AbstractContextManager[Sealing]:
        """Takes in very many rows at once: all are there when the context has ended, none where an error ended it.

        A kill in between may leave attempts without their rows, never a row without its attempt.
        """
        ...


class Claim(Protocol):
    """The sole right of one worker to do something named, for as long as it is renewed."""

    @property
    def held(self) -> bool:
        """Whether it surely is ours still: False from a margin before the end on, by which clocks may differ.

        Ask before everything that nobody else may do at the same time.
        """
        ...

    def renew(self) -> bool:
        """Extends it to a whole lease from now; False where it is another's by now, and stays so."""
        ...

    def release(self) -> None:
        """Gives it up, so that the next worker need not wait for its end."""
        ...


class Claims(Protocol):
    """Who does what, among workers that share a store."""

    def claim(self, name: str, lease_s: float) -> Claim | None:
        """Claims something for a lease; None where somebody else has it.

        `name` is lower-case letters, digits and hyphens.

        Raises:
            NotShareable: where the store cannot tell two workers apart, so that only one may use it at a time.
        """
        ...

    def forget(self, name: str) -> None:
        """Clears away what is left of a claim that nobody holds and nobody will ask for again."""
        ...


class Askings(Protocol):
    """Which rows are being asked for by live calls right now, among workers that share a store.

    A name is that of the claim under which it is done: rows of a claim that nobody holds are asked for by nobody.
    """

    def note(self, target: str, keys: Keys) -> str:
        """Notes that rows of a target are about to be asked for, under a name that nobody has yet; the name."""
        ...

    def noted(self, target: str) -> Mapping[str, Keys]:
        """What was noted for a target and not dropped, by name."""
        ...

    def drop(self, target: str, name: str) -> None:
        """Forgets a note."""
        ...
