"""The one place where calls are sent, and sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import cast

import pytest
from build_calls import (
    ONE_AT_A_TIME,
    BookJournal,
    CountingProgress,
    ScriptedModel,
    TickingClock,
    a_body,
    a_request,
)
from build_store import a_row, an_attempt, key

from triaxis.domain.evaluation import PriceRow
from triaxis.domain.keys import Keys, Mask
from triaxis.domain.rows import Attempt, Request, Row
from triaxis.domain.variant import Limits
from triaxis.errors import Denied, Terminal, Transient
from triaxis.ports.evidence import Evidence, TableName
from triaxis.ports.models import ChatModel, Received
from triaxis.ports.stores import RowStore
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.calls.budget import upper_tokens
from triaxis.steps.calls import found, restore, send
from triaxis.steps.pacer import Pacer
from triaxis.steps.purse import Purse
from triaxis.steps.sending import HOPELESS, Sent

PRICE = PriceRow(
    model="openai/small",
    source="prices.yaml",
    input_cost_per_token=Decimal("1e-6"),
    output_cost_per_token=Decimal("2e-6"),
)
ONE_CALL = Money.of("0.000014")
"""10 prompt tokens at 1 and 2 completion tokens at 2 micro-dollars."""


@dataclass(slots=True)
class Books:
    """Everything a batch writes to."""

    journal: BookJournal = field(default_factory=BookJournal)
    clock: TickingClock = field(default_factory=TickingClock)
    progress: CountingProgress = field(default_factory=CountingProgress)

    async def send(
        self,
        requests: Sequence[Request],
        model: ChatModel,
        limits: Limits = ONE_AT_A_TIME,
        price: PriceRow | None = PRICE,
        grace_s: float = 1.0,
        *,
        purse: Purse | None = None,
    ) -> Sent:
        """A batch with these books."""
        return await send(
            requests,
            model=model,
            journal=self.journal,
            clock=self.clock,
            limits=limits,
            pace=Pacer(limits=limits, clock=self.clock),
            progress=self.progress,
            price=price,
            purse=purse,
            grace_s=grace_s,
        )


def questions(count: int) -> list[Request]:
    return [a_request(f"question {number}") for number in range(count)]


async def test_an_answer_is_sealed_as_it_came() -> None:
    books, request = Books(), a_request()
    assert await books.send([request], ScriptedModel([a_body()])) == Sent(answered=1)
    (row,) = books.journal.rows
    assert row == Row(
        key=request.key,
        kind="call",
        model="openai/small",
        endpoint="bank",
        outcome="answered",
        raw=a_body(),
        client="script",
        busy_core_s=0.25,
        latency_ms=0.0,
    )
    (attempt,) = books.journal.settled
    assert (attempt.outcome, attempt.usage, attempt.error) == ("answered", Tokens(input=10, output=2), None)
    assert (books.progress.done, books.progress.spent) == (1, ONE_CALL)


async def test_what_is_intended_is_written_before_it_is_sent() -> None:
    books = Books()
    seen: list[list[Attempt]] = []

    class Looking:
        async def complete(self, request: Request) -> Received:
            del request
            seen.append(books.journal.open)
            return Received(raw=a_body(), client="x")

    request = a_request(max_tokens=5)
    await books.send([request], Looking())
    ((attempt,),) = seen
    assert (attempt.key, attempt.outcome, attempt.upper) == (request.key, "unknown", upper_tokens(request))
    assert attempt.upper.output == 5


async def test_equal_requests_are_sent_once() -> None:
    model = ScriptedModel([a_body()])
    assert await Books().send([a_request(), a_request()], model) == Sent(answered=1)
    assert len(model.asked) == 1


async def test_nothing_to_send_is_no_call() -> None:
    assert await Books().send([], ScriptedModel([])) == Sent()


async def test_without_a_price_nothing_is_counted_as_spent() -> None:
    books = Books()
    await books.send([a_request()], ScriptedModel([a_body()]), price=None)
    assert books.progress.spent == Money.of(0)


async def test_an_answer_without_usage_may_have_cost_anything_up_to_its_bound() -> None:
    books = Books()
    await books.send([a_request()], ScriptedModel([a_body(usage={})]))
    (attempt,) = books.journal.settled
    assert (attempt.usage, attempt.may_bill) == (None, True)


async def test_a_transient_failure_is_sent_again_after_a_wait() -> None:
    books = Books()
    model = ScriptedModel([Transient("reset"), Transient("rate_limit", status=429, billed=False), a_body()])
    assert await books.send([a_request()], model) == Sent(answered=1)
    assert [(a.outcome, a.error, a.may_bill) for a in books.journal.settled] == [
        ("failed", "reset", True),
        ("failed", "rate_limit", False),
        ("answered", None, True),
    ]
    assert 0 < books.clock.slept[0] < 0.5
    assert 0 < books.clock.slept[1] < 1.0
    assert len({attempt.at_ns for attempt in books.journal.settled}) == 3


async def test_retry_after_is_honoured() -> None:
    books = Books()
    await books.send([a_request()], ScriptedModel([Transient("rate_limit", retry_after_s=9.0, billed=False), a_body()]))
    assert books.clock.slept[0] >= 9.0


async def test_refusals_for_load_are_borne_for_longer() -> None:
    books = Books()
    refusals = [Transient("rate_limit", status=429, billed=False)] * 14
    assert await books.send([a_request()], ScriptedModel([*refusals, a_body()])) == Sent(answered=1)


async def test_a_billed_failure_counts_as_spent() -> None:
    books = Books()
    failure = Transient("malformed", usage=Tokens(input=10, output=2))
    await books.send([a_request()], ScriptedModel([failure, a_body()]))
    assert books.progress.spent == ONE_CALL * 2


async def test_a_body_that_is_no_answer_is_sent_again() -> None:
    books = Books()
    assert await books.send([a_request()], ScriptedModel(["<html>", a_body()])) == Sent(answered=1)
    assert books.journal.settled[0].error == "malformed"


async def test_a_call_that_outlasts_its_retries_leaves_no_row_and_stops_no_other() -> None:
    books = Books()
    model = ScriptedModel([a_body(), *[Transient("server", status=500)] * 3, a_body()])
    sent = await books.send(questions(3), model)
    assert sent == Sent(answered=2, failed=1, last_error="server (HTTP 500)")
    assert len(books.journal.rows) == 2
    assert books.progress.done == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (a_body("", finish="content_filter"), "content_filter"),
        (a_body("", finish="length"), "truncated"),
    ],
)
async def test_an_answer_that_is_none_is_sealed_as_terminal_and_was_paid_for(body: str, reason: str) -> None:
    books = Books()
    assert await books.send([a_request()], ScriptedModel([body])) == Sent(terminal=1)
    (row,) = books.journal.rows
    assert (row.outcome, row.error, row.raw, row.client) == ("terminal", reason, body, "script")
    assert books.progress.spent == ONE_CALL


async def test_a_refused_request_is_sealed_as_terminal() -> None:
    books = Books()
    refusal = Terminal("context_length", status=400, raw='{"error": {}}', billed=False)
    assert await books.send(questions(2), ScriptedModel([refusal, a_body()])) == Sent(answered=1, terminal=1)
    row = books.journal.rows[0]
    assert (row.outcome, row.error, row.raw) == ("terminal", "context_length", '{"error": {}}')
    assert books.journal.settled[0].may_bill is False


async def test_a_denial_stops_the_run_and_seals_nothing() -> None:
    books = Books()
    model = ScriptedModel([a_body(), Denied("authentication", "check the key in OPENAI_API_KEY", status=401)])
    sent = await books.send(questions(100), model)
    said = "authentication (HTTP 401): check the key in OPENAI_API_KEY"
    assert sent == Sent(answered=1, failed=99, last_error=said, denied=True)
    assert len(model.asked) == 2
    assert books.journal.open == []


async def test_the_first_denial_is_the_one_reported() -> None:
    books = Books()
    model = ScriptedModel([Denied("quota", "first"), Denied("quota", "second")])
    sent = await books.send(questions(4), model, Limits(concurrency=4))
    assert sent.last_error == "quota: first"


async def test_bad_requests_are_outcomes_once_something_was_answered() -> None:
    books = Books()
    bad = Terminal("bad_request", status=400, raw="{}", billed=False)
    assert await books.send(questions(3), ScriptedModel([bad, a_body(), bad])) == Sent(answered=1, terminal=2)
    assert len(books.journal.rows) == 3


async def test_a_lone_bad_request_is_an_outcome() -> None:
    bad = Terminal("bad_request", status=400, raw="{}", billed=False)
    assert await Books().send(questions(1), ScriptedModel([bad])) == Sent(terminal=1)


async def test_bad_requests_alone_stop_the_run_and_seal_nothing() -> None:
    """A parameter that the server refuses would otherwise become the stored outcome of every case."""
    books = Books()
    model = ScriptedModel([Terminal("bad_request", status=400, raw="{}", billed=False)])
    sent = await books.send(questions(50), model)
    assert (sent.denied, sent.failed, sent.terminal) == (True, 50, 0)
    assert "the first 5 calls were all refused" in sent.last_error
    assert len(model.asked) == HOPELESS
    assert (books.journal.rows, books.journal.open) == ([], [])


async def test_a_provider_that_answers_nothing_is_not_asked_for_every_case() -> None:
    model = ScriptedModel([Transient("connect", billed=False)])
    sent = await Books().send(questions(1_000), model, replace(ONE_AT_A_TIME, max_attempts=1))
    assert (sent.denied, sent.failed) == (True, 1_000)
    assert sent.last_error == "connect: none of the first calls was answered; check api_base and its server"
    assert len(model.asked) == HOPELESS


async def test_as_many_calls_are_in_flight_as_the_limit_allows() -> None:
    model = ScriptedModel([a_body()])
    await Books().send(questions(60), model, Limits(concurrency=6))
    assert model.most == 6


class Stuck:
    """Answers when told to; says when two calls wait."""

    def __init__(self) -> None:
        self.two, self.free = asyncio.Event(), asyncio.Event()
        self.asked = 0

    async def complete(self, request: Request) -> Received:
        """Waits."""
        del request
        self.asked += 1
        if self.asked == 2:
            self.two.set()
        await self.free.wait()
        return Received(raw=a_body(), client="x")


async def test_interrupted_it_lets_calls_in_flight_end_and_launches_no_more() -> None:
    books, model = Books(), Stuck()
    run = asyncio.create_task(books.send(questions(10), model, Limits(concurrency=2)))
    await model.two.wait()
    run.cancel()
    await asyncio.sleep(0)
    model.free.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert model.asked == 2
    assert [attempt.outcome for attempt in books.journal.settled] == ["answered", "answered"]


async def test_interrupted_for_longer_than_the_grace_it_leaves_intentions_open() -> None:
    books, model = Books(), Stuck()
    run = asyncio.create_task(books.send(questions(10), model, Limits(concurrency=2), grace_s=0.01))
    await model.two.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert len(books.journal.open) == 2
    assert books.journal.settled == []


async def test_interrupted_it_sends_no_failed_call_again() -> None:
    books, sent, free = Books(), asyncio.Event(), asyncio.Event()

    class Failing:
        async def complete(self, request: Request) -> Received:
            del request
            sent.set()
            await free.wait()
            raise Transient("reset")

    run = asyncio.create_task(books.send(questions(1), Failing()))
    await sent.wait()
    run.cancel()
    await asyncio.sleep(0)
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [attempt.error for attempt in books.journal.settled] == ["reset"]
    assert books.clock.slept == []


async def test_a_journal_that_cannot_be_written_stops_everything() -> None:
    class Full(BookJournal):
        async def intend(self, attempts: Sequence[Attempt]) -> None:
            del attempts
            raise OSError(28, "no space left on device")

    books, model = Books(journal=Full()), ScriptedModel([a_body()])
    with pytest.raises(OSError, match="no space"):
        await books.send(questions(100), model, Limits(concurrency=8))
    assert model.asked == []


def test_results_of_several_models_add_up() -> None:
    both = Sent(answered=1, failed=2, last_error="reset") + Sent(terminal=3, denied=True)
    assert both == Sent(answered=1, terminal=3, failed=2, last_error="reset", denied=True)


@dataclass(slots=True)
class Kept:
    """A store and evidence that hold the rows of some numbers."""

    held: Collection[int]
    adopted: list[str] = field(default_factory=list[str])

    def known(self, keys: Keys) -> Mask:
        """As a store."""
        return keys.among(self.paid_keys("generations"))

    def paid_keys(self, table: TableName) -> Keys:
        """As evidence."""
        del table
        return Keys.of([key(number) for number in self.held])

    def paid(self, table: TableName, keys: Keys) -> Iterator[tuple[Row | None, tuple[Attempt, ...]]]:
        """As evidence."""
        del table
        wanted = keys.texts()
        return iter((a_row(n), (an_attempt(n),)) for n in self.held if key(n) in wanted)

    def adopt(self, rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """As a store."""
        self.adopted += [row.key for row in rows]
        assert [attempt.key for attempt in attempts] == self.adopted


def test_what_the_store_lost_is_taken_from_the_evidence() -> None:
    store, evidence = Kept((1, 2)), Kept((2, 3))
    wanted = Keys.of([key(n) for n in (1, 2, 3, 4)])
    known = found(wanted, "generations", store=cast("RowStore", store), evidence=cast("Evidence", evidence))
    assert known.tolist() == [True, True, True, False]
    assert store.adopted == []
    restore("generations", store=cast("RowStore", store), evidence=cast("Evidence", evidence))
    assert store.adopted == [key(3)]


def test_a_store_that_lost_nothing_takes_nothing_in() -> None:
    store = Kept((1, 2))
    restore("generations", store=cast("RowStore", store), evidence=cast("Evidence", Kept((1,))))
    assert store.adopted == []


async def test_a_run_stops_before_it_would_pass_its_limit() -> None:
    """A call of 9 bytes may take 89 tokens in and 9 out, 107 millionths; a failure that may be billed counts as much.

    107 for the failure and 107 for its repeat fit into 240, and so does another call after 107 + 14, but no third one.
    """
    books, purse = Books(), Purse(Money.of("0.00024"))
    asked = [a_request(text, max_tokens=9) for text in ("a1234", "b1234", "c1234")]
    sent = await books.send(asked, ScriptedModel([Transient("reset"), a_body()]), purse=purse)
    assert purse.spent == Money.of("0.000121") + ONE_CALL
    assert (sent.answered, sent.failed, sent.denied) == (2, 1, True)
    assert "raise it to $" in sent.last_error


async def test_what_is_surely_not_billed_takes_nothing_from_the_purse() -> None:
    books, purse = Books(), Purse(Money.of("0.0002"))
    refused = Transient("rate_limit", status=429, billed=False)
    sent = await books.send([a_request("a1234", max_tokens=9)], ScriptedModel([refused, a_body()]), purse=purse)
    assert (sent.answered, purse.spent, purse.reserved) == (1, ONE_CALL, NO_MONEY)
