"""Promises taken out of the journal, one at a time: what checks spending must notice every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from triaxis.adapters.store.journal import FileJournal
from triaxis.domain.rows import Attempt, Row

REAL_INTEND, REAL_SETTLE, REAL_CLOSE = FileJournal.intend, FileJournal.settle, FileJournal.close


async def _write_nothing(self: FileJournal, attempts: Sequence[Attempt]) -> None:
    del self, attempts


def no_intention() -> None:
    """Nothing is written before a send."""
    FileJournal.intend = _write_nothing


def late_intention() -> None:
    """The intention is written when the send has ended, with its outcome."""

    async def settle(self: FileJournal, attempt: Attempt, row: Row | None = None) -> None:
        await REAL_INTEND(self, (attempt,))
        await REAL_SETTLE(self, attempt, row)

    FileJournal.intend = _write_nothing
    FileJournal.settle = settle


def lost_answers() -> None:
    """Answers are kept in memory until the end: what a kill takes was paid for."""
    kept: list[tuple[Attempt, Row | None]] = []

    async def settle(self: FileJournal, attempt: Attempt, row: Row | None = None) -> None:
        del self
        kept.append((attempt, row))

    def close(self: FileJournal) -> None:
        for attempt, row in kept:
            with suppress(StopIteration):
                # It awaits nothing, and a loop may be running here already.
                REAL_SETTLE(self, attempt, row).send(None)
        REAL_CLOSE(self)

    FileJournal.settle = settle
    FileJournal.close = close


DEFECTS = {"no_intention": no_intention, "late_intention": late_intention, "lost_answers": lost_answers}
