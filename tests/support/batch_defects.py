"""Promises taken out of buying in batches, one at a time: what audits spending must notice every one of them."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from triaxis.adapters.batches.book import BlobBook
from triaxis.domain.batches import BatchIntent, BatchRecord, BatchReport, Submitted
from triaxis.domain.keys import Keys
from triaxis.domain.rows import Attempt, Row
from triaxis.pipelines import on_their_way
from triaxis.pipelines.session import Session
from triaxis.ports.stores import Sealing
from triaxis.rules.batches.lines import BatchLine
from triaxis.steps import batch_results, batching
from triaxis.steps.batch_results import Reading


async def _sees_nothing(*_: object) -> None:
    """A look that finds no batch."""


def never_looks() -> None:
    """Nobody looks for a batch whose id was not heard: it counts as not there, and is submitted again."""
    batching._look = _sees_nothing


def late_intention() -> None:
    """The intention is written when the provider has accepted the batch."""
    kept: dict[str, BatchIntent] = {}
    note, record, real_submitted = BlobBook._note, BlobBook.record, BlobBook.submitted

    def late_note(self: BlobBook, name: str, part: str, value: Any) -> None:
        if isinstance(value, BatchIntent):
            kept[name] = value
        else:
            note(self, name, part, value)

    def kept_record(self: BlobBook, name: str) -> BatchRecord:
        return BatchRecord(intent=kept[name]) if name in kept else record(self, name)

    def late_submitted(self: BlobBook, name: str, submitted: Submitted) -> None:
        if name in kept:
            note(self, name, "intent.json", kept.pop(name))
        real_submitted(self, name, submitted)

    BlobBook._note, BlobBook.record, BlobBook.submitted = late_note, kept_record, late_submitted


def sealed_twice() -> None:
    """Of a line that is there twice, the second is sealed as another answer."""
    real = Reading.take

    def take(self: Reading, line: bytes, sealing: Sealing) -> None:
        before = bytes(self.sealed)
        real(self, line, sealing)
        if before == bytes(self.sealed):
            self.sealed = bytearray(len(before))
            real(self, line, _Second(sealing))
            self.sealed = bytearray(before)

    Reading.take = take


class _Second:
    """Seals everything as the second part of what it is of."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def add(self, attempt: Attempt, row: Row | None = None) -> None:
        self._sealing.add(replace(attempt, part=1), row)


class _Answers:
    """Seals only what brought an outcome."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def add(self, attempt: Attempt, row: Row | None = None) -> None:
        if row is not None:
            self._sealing.add(attempt, row)


def dropped_failures() -> None:
    """The attempts of rows that failed are not noted."""
    real = Reading.ended

    def ended(self: Reading, report: BatchReport, sealing: Sealing) -> Any:
        return real(self, report, _Answers(sealing))

    Reading.ended = ended


def unread_is_free() -> None:
    """A row whose line cannot be read counts as not billed."""

    def may_have_billed(report: BatchReport, answered: int) -> bool:
        del report, answered
        return False

    batch_results.may_have_billed = may_have_billed


def unmarked() -> None:
    """Attempts do not say that they were made in a batch, and are priced as live calls."""
    real = batch_results.attempt_in

    def attempt_in(*given: Any, **more: Any) -> Attempt:
        return replace(real(*given, **more), batch=None)

    batch_results.attempt_in = attempt_in


def one_send() -> None:
    """Whatever a gateway tells of its sends, a row counts as sent once."""
    real = batch_results.read_line

    def read_line(line: bytes) -> BatchLine:
        return replace(real(line), sends=1)

    batch_results.read_line = read_line


def uncleared() -> None:
    """What killed processes left stays."""

    def clear(self: BlobBook) -> None:
        del self

    BlobBook.clear = clear


def forgotten() -> None:
    """A run does not know of batches that an earlier one submitted."""

    def flying(session: Session, wanted: Keys) -> Sequence[tuple[BatchIntent, Keys]]:
        del session, wanted
        return ()

    on_their_way.flying = flying


BATCH_DEFECTS: dict[str, Callable[[], None]] = {
    "never_looks": never_looks,
    "late_intention": late_intention,
    "sealed_twice": sealed_twice,
    "dropped_failures": dropped_failures,
    "unread_is_free": unread_is_free,
    "unmarked": unmarked,
    "one_send": one_send,
    "uncleared": uncleared,
    "forgotten": forgotten,
}
