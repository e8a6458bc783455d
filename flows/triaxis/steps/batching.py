"""Buys answers in provider batches: cuts orders into files, submits them, and waits.

A batch is intended (its rows on disk), submitted (the provider's id on disk), and sealed. Whatever kills the process in
between leaves the intention behind, and it is settled before anything else is bought: the batch is found again at its
provider, or surely not there, or a person has to decide. So no batch is ever paid for twice silently, and none is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triaxis.domain.batches import BatchIntent, BatchRecord, BatchReport, BatchRows, Closed, Submitted
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.keys import Keys
from triaxis.domain.rows import Attempt
from triaxis.errors import BatchUnknown, CallFailed, Denied, Terminal, Transient
from triaxis.ports.batches import BatchApi, BatchBook, Draft
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.batches.policy import LOOKS, batch_name, look_again_s, poll_s, share
from triaxis.rules.calls.budget import cost_of
from triaxis.rules.calls.retry import Failures
from triaxis.steps.batch_desk import Desk
from triaxis.steps.batch_results import attempt_in, collect
from triaxis.steps.orders import Order
from triaxis.steps.plan import InFlight
from triaxis.steps.sending import HOPELESS, Sent, terminal_row

YIELD_EVERY = 500
"""Lines after which whatever else waits for the processor gets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How far a batch was carried."""

    sent: Sent = Sent()
    waiting: bool = False
    """Whether it is at its provider still."""


def in_flight(book: BatchBook, *, evaluation: str, prices: Mapping[str, PriceRow]) -> InFlight:
    """The rows of an evaluation's batches that are on their way, and the most they may cost, by stage."""
    mine = [record.intent for record in book.open() if record.intent.evaluation == evaluation]
    most: dict[str, Money] = {}
    for intent in mine:
        cost = cost_of(intent.upper, prices.get(intent.model), "batch")
        most[intent.stage] = most.get(intent.stage, NO_MONEY) + cost
    return InFlight(keys=Keys.joined(book.rows(intent.name).keys for intent in mine), most=most)


async def intended(order: Order, *, api: BatchApi, desk: Desk, number: int) -> AsyncIterator[BatchIntent]:
    """Cuts an order into batches and yields each as soon as its intention is on disk.

    Args:
        order: of rows that are neither stored nor on their way.
        api: of the order's model, for the lines and the limits of a file.
        desk: where they are noted.
        number: how many batches the rows were in before.

    Raises:
        Denied: where the model does not have one of the parameters, or the next batch could take the run over its
            limit; those before it stand.
    """
    rows = share(len(order), order.bounds.most.input or 0, api.rules, desk.limits.batch_rows)
    unwritten: list[tuple[int, Terminal]] = []
    lines = _lines(order, api, unwritten)
    ahead = next(lines, None)
    while ahead is not None:
        with desk.book.drafting() as draft:
            places: list[int] = []
            while ahead is not None and _fits(draft, ahead[1], rows, api.rules.max_bytes):
                places.append(ahead[0])
                draft.add(ahead[1])
                ahead = next(lines, None)
                if draft.rows % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
            yield await _intend(order.part(np.array(places)), draft, desk, number)
    _seal_unwritten(order, unwritten, desk)


def _lines(order: Order, api: BatchApi, unwritten: list[tuple[int, Terminal]]) -> Iterator[tuple[int, bytes]]:
    """The lines by their place in the order; requests of which none can be made are told apart."""
    for place, (key, request) in enumerate(order.requests()):
        try:
            yield place, api.line(key, request)
        except Terminal as error:
            unwritten.append((place, error))


def _seal_unwritten(order: Order, unwritten: Sequence[tuple[int, Terminal]], desk: Desk) -> None:
    """Rows whose requests cannot be made have their outcome, and nothing was spent on them.

    Raises:
        Denied: where there are many of them and no others: then it is not about these requests.
    """
    if len(order) == len(unwritten) >= HOPELESS:
        raise Denied("bad_request", f"{unwritten[-1][1]}: none of {len(order)} requests can be written; check params")
    keys, uppers, now_ns = order.keys.texts(), order.bounds.upper.tolist(), desk.clock.now_ns()
    with desk.store.sealing() as sealing:
        for place, error in unwritten:
            attempt = Attempt(
                key=keys[place],
                at_ns=now_ns,
                model=order.model,
                endpoint=order.endpoint,
                outcome="failed",
                error=error.reason,
                upper=Tokens(input=uppers[place][0], output=uppers[place][1]),
                may_bill=False,
            )
            sealing.add(attempt, terminal_row(attempt, error))
            desk.progress.advance(order.stage, 1)


def _fits(draft: Draft, line: bytes, rows: int, most_bytes: int) -> bool:
    """Whether a line may be added; a single one that is too long is for the provider to refuse."""
    return not draft.rows or (draft.rows < rows and draft.size + len(line) <= most_bytes)


async def _intend(part: Order, draft: Draft, desk: Desk, number: int) -> BatchIntent:
    now_ns, most = desk.clock.now_ns(), cost_of(part.bounds.most, desk.prices.get(part.model), "batch")
    if not desk.purse.reserve(most):
        raise Denied("budget", desk.purse.refusal(most))
    intent = BatchIntent(
        name=batch_name(part.keys, now_ns),
        evaluation=desk.evaluation,
        stage=part.stage,
        model=part.model,
        endpoint=part.endpoint,
        rows=len(part),
        upper=part.bounds.most,
        intended_ns=now_ns,
        round=number,
    )
    await desk.begin(intent.name)
    desk.book.intend(draft, intent, BatchRows(keys=part.keys, upper=part.bounds.upper))
    return intent


async def settle(record: BatchRecord, *, api: BatchApi, desk: Desk) -> None:
    """Finds out what became of an intention that somebody left behind.

    Raises:
        BatchUnknown: where the provider offers no way to find out; a person decides.
        CallFailed: where the provider cannot be asked.
    """
    intent = record.intent
    async with desk.turn(intent.name):
        if desk.book.record(intent.name).state != "intended":
            return  # another worker was handing it over, or has looked
        found = await _look(intent, api, desk)
        if found is not None:
            desk.book.submitted(intent.name, Submitted(provider_id=found, at_ns=desk.clock.now_ns()))
        else:
            _void(intent, desk, "never accepted")


def abandon(record: BatchRecord, *, desk: Desk) -> None:
    """Gives a batch up, as a person decided: what it may have cost counts as possible from now on."""
    intent, rows = record.intent, desk.book.rows(record.intent.name)
    with desk.store.sealing() as sealing:
        for key, upper in zip(rows.keys, rows.uppers, strict=True):
            sealing.add(attempt_in(intent, key, upper), None)
    desk.book.close(intent.name, Closed(state="abandoned", at_ns=desk.clock.now_ns(), failed=intent.rows))


async def carry(name: str, *, api: BatchApi, desk: Desk, patience_s: float) -> Carried:
    """Submits a batch that is not submitted yet, waits for its end for so long, and seals what it brought.

    Raises:
        BatchUnknown: where a submission was cut off and nobody can find out how it ended.
        CallFailed: where the provider cannot be asked any more; the batch stays open.
    """
    async with desk.turn(name):
        record = desk.book.record(name)
        if record.state == "intended":
            refused = await _submit(record.intent, api, desk)
            if refused is not None:
                return refused
            record = desk.book.record(name)
    report = await _ended(record, api, desk, patience_s) if record.open else None
    if report is None:
        return Carried(waiting=record.open)
    async with desk.turn(name):
        if not desk.book.record(name).open:
            return Carried()  # another worker has sealed it meanwhile
        return Carried(sent=await collect(record, report, api=api, desk=desk))


async def _submit(intent: BatchIntent, api: BatchApi, desk: Desk) -> Carried | None:
    """Hands a batch over, once; None when the provider has it, else what kept it."""
    failures: Failures | None = Failures()
    file = desk.book.file(intent.name)
    while file is not None:
        desk.turns.check()
        try:
            found = await api.submit(intent.name, file)
        except CallFailed as error:
            found = await _look(intent, api, desk) if error.billed else None
            if found is None:
                failures = await desk.again(intent.name, failures, error)
                if failures is None:
                    return _refused(intent, desk, error)
                continue
        desk.book.submitted(intent.name, Submitted(provider_id=found, at_ns=desk.clock.now_ns()))
        return None
    _void(intent, desk, "its file is gone")
    return Carried(sent=Sent(failed=intent.rows, last_error="the batch's file is gone"))


def _refused(intent: BatchIntent, desk: Desk, error: CallFailed) -> Carried:
    """The provider surely has not got it."""
    _void(intent, desk, str(error))
    denied = not isinstance(error, Transient)
    return Carried(sent=Sent(failed=intent.rows, last_error=str(error), denied=denied))


def _void(intent: BatchIntent, desk: Desk, why: str) -> None:
    desk.purse.ended(desk.most(intent), NO_MONEY)
    desk.book.close(intent.name, Closed(state="void", at_ns=desk.clock.now_ns(), why=why))


async def _look(intent: BatchIntent, api: BatchApi, desk: Desk) -> str | None:
    """The provider's id of a batch that may have been accepted; None where it surely was not."""
    if api.rules.find == "none":
        raise BatchUnknown(intent.name, intent.rows, desk.most(intent))
    for looks in range(LOOKS):
        if looks:
            await desk.clock.sleep(look_again_s(looks - 1))
        found = await desk.steadily(intent.name, lambda: api.find(intent.name))
        if found is not None:
            return found
    return None


async def _ended(record: BatchRecord, api: BatchApi, desk: Desk, patience_s: float) -> BatchReport | None:
    """The last report of a batch; None where it takes longer than our patience."""
    assert record.submitted is not None
    provider_id, stage = record.submitted.provider_id, record.intent.stage
    began, shown = desk.clock.monotonic(), 0
    while True:
        report = await desk.steadily(record.intent.name, lambda: api.report(provider_id))
        if report.state != "pending":
            desk.progress.advance(stage, -shown)
            return report
        done = report.completed or 0
        desk.progress.advance(stage, done - shown)
        shown = done
        waited = desk.clock.monotonic() - began
        if waited >= patience_s:
            return None
        await desk.clock.sleep(min(poll_s(waited), patience_s - waited))
