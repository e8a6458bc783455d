"""Batches cut, submitted, found again and waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_batches import Counter, ScriptedApi, an_order

from triaxis.domain.batches import BatchIntent, BatchReport
from triaxis.domain.variant import Limits
from triaxis.errors import BatchUnknown, CallFailed, Denied, Transient
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.batches.policy import LOOKS
from triaxis.steps.batching import Carried, abandon, carry, in_flight, intended, settle
from triaxis.steps.orders import Order
from triaxis.steps.purse import Purse
from triaxis.steps.sending import HOPELESS, Sent

UNHEARD, SURE = Transient("reset"), Transient("rate_limit", status=429, billed=False)
ROW_UPPER = Tokens(input=85, output=9)
PENDING = BatchReport(provider_id="", state="pending", total=3, completed=2)


async def cut(counter: Counter, api: ScriptedApi, order: Order, number: int = 0) -> list[BatchIntent]:
    return [intent async for intent in intended(order, api=api, desk=counter.desk, number=number)]


async def one_batch(counter: Counter, api: ScriptedApi, *texts: str) -> BatchIntent:
    (intent,) = await cut(counter, api, an_order(*(texts or ("a", "b", "c"))))
    return intent


async def carried(counter: Counter, api: ScriptedApi, intent: BatchIntent, patience_s: float = 1e9) -> Carried:
    return await carry(intent.name, api=api, desk=counter.desk, patience_s=patience_s)


async def test_an_order_is_cut_into_even_batches_within_the_limits() -> None:
    """7 rows in batches of at most 3: three of 3, 3 and 1, in the order's order, each row's key alone in its line."""
    counter = Counter()
    api, order = ScriptedApi(book=counter.book, max_rows=3), an_order(*"abcdefg")
    intents = await cut(counter, api, order, number=2)
    assert [(intent.rows, intent.round) for intent in intents] == [(3, 2), (3, 2), (1, 2)]
    assert [key for intent in intents for key in counter.book.held[intent.name].keys] == order.keys.texts()
    lines = [line for intent in intents for line in counter.book.inputs[intent.name]]
    assert lines == [api.line(key, request) for key, request in order.requests()]


async def test_bytes_bound_a_batch_too() -> None:
    counter = Counter()
    api, order = ScriptedApi(book=counter.book), an_order(*"abcd")
    api.max_bytes = 2 * max(len(api.line(key, request)) for key, request in order.requests())
    assert {intent.rows for intent in await cut(counter, api, order)} <= {1, 2}
    api.max_bytes = 1
    assert [intent.rows for intent in await cut(counter, api, order)] == [1, 1, 1, 1]


async def test_an_intention_says_what_is_at_stake() -> None:
    """Each row: 1 + 4 bytes, 64 and 16 tokens of template, and an answer of 9."""
    counter = Counter()
    intent = await one_batch(counter, ScriptedApi(book=counter.book), "a", "b")
    assert intent.upper == Tokens(input=2 * 85, output=18)
    assert counter.book.held[intent.name].uppers == [ROW_UPPER] * 2
    most = Money.of("0.000206")  # 170 x 1 + 18 x 2 millionths: batch prices
    flying = in_flight(counter.book, evaluation="evaluation.yaml", prices=counter.desk.prices)
    assert (len(flying.keys), flying.most) == (2, {"generate": most})
    assert counter.purse.reserved == most
    assert len(in_flight(counter.book, evaluation="other.yaml", prices={}).keys) == 0


async def test_a_batch_that_could_pass_the_limit_is_not_intended() -> None:
    counter = Counter(purse=Purse(Money.of("0.00015")))  # one row is 103 millionths
    api = ScriptedApi(book=counter.book, max_rows=1)
    with pytest.raises(Denied, match=r"raise it to \$0.000206"):
        await cut(counter, api, an_order("a", "b"))
    assert len(counter.book.records) == 1


async def test_a_request_that_cannot_be_written_has_its_outcome_and_costs_nothing() -> None:
    counter, order = Counter(), an_order("a", "unwritable", "b")
    (intent,) = await cut(counter, ScriptedApi(book=counter.book), order)
    first, unwritable, last = order.keys.texts()
    assert counter.book.held[intent.name].keys.texts() == [first, last]
    row = counter.store.rows(order.keys.texts())[unwritable]
    (attempt,) = counter.store.attempts([unwritable])[unwritable]
    assert (row.outcome, row.error, attempt.may_bill) == ("terminal", "bad_request", False)
    assert attempt.upper == replace(ROW_UPPER, input=85 + len("nwritable"))


async def test_where_nothing_can_be_written_it_is_not_about_the_requests() -> None:
    counter, order = Counter(), an_order(*(f"unwritable {n}" for n in range(HOPELESS)))
    with pytest.raises(Denied, match=f"none of {HOPELESS} requests can be written"):
        await cut(counter, ScriptedApi(book=counter.book), order)
    assert not counter.store.rows(order.keys.texts())


async def test_a_batch_is_intended_submitted_and_sealed() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book)
    intent = await one_batch(counter, api)
    assert await carried(counter, api, intent) == Carried(sent=Sent(answered=3))
    assert [what for what, _ in counter.book.told] == ["intent", "submitted", "sealed"]
    assert api.accepted == [intent.name]
    assert len(counter.store.rows(counter.book.held[intent.name].keys.texts())) == 3


async def test_a_submission_that_was_heard_of_by_nobody_is_found_again() -> None:
    """The create call succeeded, and its answer was lost: there is one batch, and it is not submitted again."""
    counter = Counter()
    api = ScriptedApi(book=counter.book, submits=[UNHEARD], hears=True)
    intent = await one_batch(counter, api)
    assert (await carried(counter, api, intent)).sent.answered == 3
    assert api.accepted == [intent.name]


async def test_a_list_may_lag_behind() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book, submits=[UNHEARD], hears=True, finds=[None] * (LOOKS - 1))
    intent = await one_batch(counter, api)
    assert (await carried(counter, api, intent)).sent.answered == 3
    assert api.accepted == [intent.name]


@pytest.mark.parametrize("error", [UNHEARD, SURE], ids=["nobody heard", "surely not"])
async def test_what_the_provider_has_not_got_is_submitted_again(error: CallFailed) -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book, submits=[error])
    intent = await one_batch(counter, api)
    assert (await carried(counter, api, intent)).sent.answered == 3
    assert api.accepted == [intent.name]


async def test_a_batch_that_nobody_can_find_stops_everything() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book, submits=[UNHEARD], hears=True, find_by="none")
    intent = await one_batch(counter, api)
    with pytest.raises(BatchUnknown, match=r"\$0.000309 are at stake.*batches adopt.*batches resubmit"):
        await carried(counter, api, intent)
    assert counter.book.record(intent.name).state == "intended"
    with pytest.raises(BatchUnknown):
        await settle(counter.book.record(intent.name), api=api, desk=counter.desk)


async def test_where_nobody_can_look_a_sure_refusal_is_still_sure() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book, submits=[SURE], find_by="none")
    intent = await one_batch(counter, api)
    assert (await carried(counter, api, intent)).sent.answered == 3


@pytest.mark.parametrize(
    ("error", "denied"), [(SURE, False), (UNHEARD, False), (Denied("authentication", "check the key"), True)]
)
async def test_a_provider_that_does_not_take_it_leaves_nothing_open(error: CallFailed, denied: bool) -> None:
    counter = Counter(limits=Limits(max_attempts=2))
    api = ScriptedApi(book=counter.book, submits=[error] * 20)
    intent = await one_batch(counter, api)
    sent = (await carried(counter, api, intent)).sent
    assert (sent.failed, sent.denied, sent.last_error) == (3, denied, str(error))
    assert counter.book.record(intent.name).state == "void"
    assert (api.accepted, counter.purse.reserved, counter.purse.spent) == ([], NO_MONEY, NO_MONEY)


async def test_a_batch_whose_file_is_gone_is_asked_for_anew() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book)
    intent = await one_batch(counter, api)
    counter.book.inputs.clear()
    assert (await carried(counter, api, intent)).sent == Sent(failed=3, last_error="the batch's file is gone")
    assert counter.book.record(intent.name).state == "void"


@pytest.mark.parametrize(("was_accepted", "state"), [(True, "submitted"), (False, "void")])
async def test_what_a_killed_run_left_is_settled(was_accepted: bool, state: str) -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book)
    intent = await one_batch(counter, api)
    api.accepted = [intent.name] if was_accepted else []
    await settle(counter.book.record(intent.name), api=api, desk=counter.desk)
    assert counter.book.record(intent.name).state == state
    assert api.accepted == ([intent.name] if was_accepted else [])
    assert counter.clock.slept == ([] if was_accepted else [0.5, 1.5]), "nothing is waited for after the last look"


async def test_a_provider_that_cannot_be_asked_leaves_the_intention_open() -> None:
    counter = Counter(limits=Limits(max_attempts=1))
    api = ScriptedApi(book=counter.book, finds=[Transient("server", status=500)])
    intent = await one_batch(counter, api)
    with pytest.raises(Transient):
        await settle(counter.book.record(intent.name), api=api, desk=counter.desk)
    assert counter.book.record(intent.name).state == "intended"


async def test_a_batch_is_waited_for_and_progress_is_told() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book, reports=[PENDING, Transient("server", status=500), PENDING])
    intent = await one_batch(counter, api)
    assert (await carried(counter, api, intent)).sent.answered == 3
    assert counter.progress.done == 3
    assert counter.clock.slept.count(0.25) == 2


async def test_a_run_that_does_not_wait_leaves_it_at_the_provider() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book, reports=[PENDING])
    intent = await one_batch(counter, api)
    assert await carried(counter, api, intent, patience_s=0) == Carried(waiting=True)
    assert counter.book.record(intent.name).state == "submitted"
    assert (await carried(counter, api, intent, patience_s=0)).sent.answered == 3
    assert api.accepted == [intent.name]


async def test_patience_ends() -> None:
    counter = Counter()
    api = ScriptedApi(book=counter.book, reports=[PENDING] * 100)
    intent = await one_batch(counter, api)
    began = counter.clock.now
    assert (await carried(counter, api, intent, patience_s=10)).waiting
    assert counter.clock.now - began == pytest.approx(10)


async def test_a_provider_that_stops_answering_leaves_the_batch_open() -> None:
    counter = Counter(limits=Limits(max_attempts=2))
    api = ScriptedApi(book=counter.book, reports=[Transient("server", status=500)] * 5)
    intent = await one_batch(counter, api)
    with pytest.raises(Transient):
        await carried(counter, api, intent)
    assert counter.book.record(intent.name).state == "submitted"


async def test_what_a_person_gives_up_counts_as_possible() -> None:
    counter = Counter()
    intent = await one_batch(counter, ScriptedApi(book=counter.book), "a", "b")
    abandon(counter.book.record(intent.name), desk=counter.desk)
    assert counter.book.record(intent.name).state == "abandoned"
    attempts = [
        a for some in counter.store.attempts(counter.book.held[intent.name].keys.texts()).values() for a in some
    ]
    assert [(a.outcome, a.batch, a.may_bill, a.upper.output) for a in attempts] == [
        ("unknown", intent.name, True, 9)
    ] * 2
