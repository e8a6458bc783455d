"""The provider batches that are on their way, as one run sees them: settled, carried to their end, and sealed."""

from __future__ import annotations

from collections.abc import Sequence

from triaxis.domain.batches import BatchIntent
from triaxis.domain.evaluation import target_key
from triaxis.domain.keys import Keys
from triaxis.errors import CallFailed
from triaxis.pipelines.session import Session
from triaxis.steps import batching
from triaxis.steps.sending import Sent


async def settle(session: Session) -> None:
    """Finds out what became of batches whose submission was cut off, before anything else is bought.

    Raises:
        BatchUnknown: where nobody can find out; a person decides.
    """
    session.wiring.book.clear()
    for record in session.wiring.book.open():
        intent = record.intent
        if not _reaches(session, intent):
            if intent.evaluation == session.config:
                session.progress.note(f"the batch {intent.name} is of {intent.model}, which is not used any more")
            continue
        session.purse.take(session.desk.most(intent))
        if record.submitted is None:
            api = await session.batch_api(intent.model, intent.endpoint)
            await batching.settle(record, api=api, desk=session.desk)


def flying(session: Session, wanted: Keys) -> Sequence[tuple[BatchIntent, Keys]]:
    """The batches that hold some of the rows, and which this evaluation can reach, with all their rows."""
    return [(intent, keys) for intent, keys in _all(session) if keys.among(wanted).any()]


async def collect_ready(session: Session, wanted: Keys) -> None:
    """Seals batches that have ended and hold nothing that is wanted any more: they are paid for."""
    for intent, keys in _all(session):
        if not keys.among(wanted).any():
            await _carried(session, intent, 0.0)


async def carry(session: Session, name: str) -> None:
    """Submits a batch that is not submitted, waits for its end as long as the session does, and seals it."""
    intent = session.wiring.book.record(name).intent
    if await _carried(session, intent, session.patience_s):
        session.waiting.append(intent)


def _all(session: Session) -> Sequence[tuple[BatchIntent, Keys]]:
    book = session.wiring.book
    mine = [record.intent for record in book.open() if _reaches(session, record.intent)]
    return [(intent, book.rows(intent.name).keys) for intent in mine]


def _reaches(session: Session, intent: BatchIntent) -> bool:
    return target_key(intent.model, intent.endpoint) in session.operations.targets


async def _carried(session: Session, intent: BatchIntent, patience_s: float) -> bool:
    """Whether the batch is at its provider still."""
    api = await session.batch_api(intent.model, intent.endpoint)
    try:
        carried = await batching.carry(intent.name, api=api, desk=session.desk, patience_s=patience_s)
    except CallFailed as error:
        # The batch stays open: whatever it brings can still be fetched.
        sent = Sent(failed=intent.rows, last_error=f"{intent.name}: {error}", denied=True)
        session.note_sent(intent.model, intent.endpoint, sent)
        return False
    session.note_sent(intent.model, intent.endpoint, carried.sent)
    return carried.waiting
