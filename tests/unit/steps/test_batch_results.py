"""What a batch brought: every ending, every kind of line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from build_batches import ONE_ROW, PRICE, Counter, ScriptedApi, an_order, answered, failed, unsent
from build_calls import a_body

from triaxis.domain.batches import BatchFault, BatchReport
from triaxis.domain.rows import Attempt, Row
from triaxis.errors import Transient
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.batches.policy import FETCHES
from triaxis.rules.calls.price import spend
from triaxis.steps.batching import carry, intended
from triaxis.steps.sending import Sent

Results = Callable[[Sequence[str]], Sequence[bytes]]
ONE_UPPER = Money.of("0.000103")
"""85 tokens in and 9 out, at batch prices."""


class Ended:
    """A batch of three rows that was carried to its end."""

    def __init__(self, counter: Counter, api: ScriptedApi, sent: Sent, name: str) -> None:
        self.counter, self.api, self.sent, self.name = counter, api, sent, name
        self.keys = counter.book.held[name].keys.texts()

    @property
    def rows(self) -> list[Row | None]:
        """What was sealed of each."""
        stored = self.counter.store.rows(self.keys)
        return [stored.get(key) for key in self.keys]

    @property
    def attempts(self) -> list[tuple[Attempt, ...]]:
        """What is known to have been tried."""
        tried = self.counter.store.attempts(self.keys)
        return [tried.get(key, ()) for key in self.keys]

    @property
    def spent(self) -> tuple[Money, Money]:
        """Known and possible dollars."""
        return spend([attempt for tried in self.attempts for attempt in tried], {PRICE.model: PRICE})


def nothing(keys: Sequence[str]) -> Sequence[bytes]:
    del keys
    return ()


def resent(line: bytes, sends: int) -> bytes:
    """The line, as a gateway writes it of a row that it sent so often."""
    return json.dumps({**json.loads(line), "triaxis": {"sends": sends}}).encode() + b"\n"


async def ended(results: Results, *, report: BatchReport | None = None, texts: str = "abc", **script: object) -> Ended:
    counter = Counter()
    api = ScriptedApi(book=counter.book, results=results, **script)  # pyright: ignore[reportArgumentType]
    api.reports = [] if report is None else [report]
    (intent,) = [i async for i in intended(an_order(*texts), api=api, desk=counter.desk, number=0)]
    sent = (await carry(intent.name, api=api, desk=counter.desk, patience_s=1e9)).sent
    assert counter.book.record(intent.name).state == "sealed"
    assert counter.purse.reserved == NO_MONEY
    return Ended(counter, api, sent, intent.name)


def a_report(state: str, completed: int | None = None, *faults: BatchFault) -> BatchReport:
    return BatchReport(
        provider_id="",
        state=state,  # pyright: ignore[reportArgumentType]
        total=3,
        completed=completed,
        files=("output", "errors"),
        faults=faults,
    )


async def test_an_answer_is_sealed_with_the_attempt_that_bought_it() -> None:
    end = await ended(lambda keys: [answered(key, f"answer {key[:4]}") for key in reversed(keys)])
    assert end.sent == Sent(answered=3)
    (row, *_), ((attempt,), *_) = end.rows, end.attempts
    assert row is not None
    assert (row.key, row.kind, row.outcome, row.client) == (end.keys[0], "call", "answered", "batch")
    assert f"answer {end.keys[0][:4]}" in row.raw
    assert (attempt.outcome, attempt.batch, attempt.usage) == ("answered", end.name, Tokens(input=10, output=2))
    assert end.spent == (ONE_ROW * 3, NO_MONEY)
    assert end.counter.purse.spent == end.counter.progress.spent == ONE_ROW * 3


async def test_one_bad_line_hides_no_other() -> None:
    """Malformed lines, lines of nobody, and a line twice: every other row keeps its answer and its price."""
    end = await ended(
        lambda keys: [
            b"{half a li",
            answered(keys[0]),
            answered("f" * 64),
            answered(keys[0], "again"),
            b'{"custom_id": 7}\n',
            answered(keys[1]),
            answered(keys[2]),
        ]
    )
    assert end.sent == Sent(answered=3)
    assert "again" not in (end.rows[0] or Row).raw
    assert end.spent == (ONE_ROW * 3, NO_MONEY)


async def test_a_good_line_wins_over_an_error_whichever_comes_first() -> None:
    end = await ended(
        lambda keys: [failed(keys[0]), answered(keys[0]), answered(keys[1]), failed(keys[1]), answered(keys[2])]
    )
    assert end.sent == Sent(answered=3)
    assert [len(tried) for tried in end.attempts] == [1, 1, 1]


async def test_only_bad_rows_are_left_to_be_asked_again() -> None:
    end = await ended(lambda keys: [answered(keys[0]), failed(keys[1], 429, "rate_limit_exceeded"), failed(keys[2])])
    assert (end.sent.answered, end.sent.failed, end.sent.denied) == (1, 2, False)
    assert [row is not None for row in end.rows] == [True, False, False]
    assert [(a.outcome, a.error, a.may_bill) for (a,) in end.attempts[1:]] == [
        ("failed", "rate_limit_exceeded", False),
        ("failed", "server_error", True),
    ]
    assert end.spent == (ONE_ROW, ONE_UPPER)


async def test_rows_that_cannot_be_answered_are_outcomes() -> None:
    """A filtered prompt and one that is too long: the user gets no answer, and nobody is asked again."""
    end = await ended(
        lambda keys: [
            failed(keys[0], 400, "content_filter"),
            failed(keys[1], 400, "context_length_exceeded"),
            answered(keys[2], body=a_body("", finish="content_filter")),
        ]
    )
    assert end.sent == Sent(terminal=3)
    assert [(row.outcome, row.error) for row in end.rows if row] == [
        ("terminal", "content_filter"),
        ("terminal", "context_length"),
        ("terminal", "content_filter"),
    ]


async def test_a_bad_request_is_an_outcome_where_others_are_answered() -> None:
    end = await ended(lambda keys: [failed(keys[0], 400, "invalid"), answered(keys[1]), answered(keys[2])])
    assert end.sent == Sent(answered=2, terminal=1)
    assert end.rows[0] is not None
    assert end.rows[0].error == "bad_request"


async def test_where_all_are_bad_requests_it_is_not_about_them() -> None:
    end = await ended(lambda keys: [failed(key, 400, "invalid") for key in keys], texts="abcdef")
    assert (end.sent.failed, end.sent.denied) == (6, True)
    assert "check params" in end.sent.last_error
    assert end.rows == [None] * 6


async def test_a_key_that_is_not_taken_stops_the_run() -> None:
    end = await ended(lambda keys: [answered(keys[0]), failed(keys[1], 401, "invalid_api_key"), answered(keys[2])])
    assert (end.sent.answered, end.sent.failed, end.sent.denied) == (2, 1, True)


@pytest.mark.parametrize("state", ["expired", "cancelled"])
@pytest.mark.parametrize("told", [True, False], ids=["told of", "left out"])
async def test_what_was_completed_before_the_end_is_kept_and_the_rest_is_not_billed(state: str, told: bool) -> None:
    code = {"expired": "batch_expired", "cancelled": "batch_cancelled"}[state]
    end = await ended(
        lambda keys: [answered(keys[0]), *(unsent(key, code) for key in keys[1:] if told)],
        report=a_report(state, completed=1),
    )
    assert (end.sent.answered, end.sent.failed) == (1, 2)
    assert end.spent == (ONE_ROW, NO_MONEY)
    assert {a.error for (a,) in end.attempts[1:]} == {code if told else "no_line"}


async def test_a_batch_that_failed_validation_cost_nothing_and_says_why() -> None:
    fault = BatchFault(code="invalid_json_line", message="This line is not parseable", line=2)
    end = await ended(nothing, report=a_report("rejected", None, fault))
    assert (end.sent.failed, end.sent.denied) == (3, True)
    assert "This line is not parseable (line 2)" in end.sent.last_error
    assert {(a.error, a.may_bill) for (a,) in end.attempts} == {("rejected", False)}
    assert end.counter.book.fetched == {}


async def test_a_rejection_for_load_may_be_tried_again() -> None:
    fault = BatchFault(code="token_limit_exceeded", message="Enqueued token limit reached")
    end = await ended(nothing, report=a_report("rejected", None, fault))
    assert (end.sent.failed, end.sent.denied) == (3, False)


async def test_a_row_that_was_completed_and_cannot_be_read_may_have_been_billed() -> None:
    end = await ended(lambda keys: [answered(keys[0]), b"\x00 not json\n"], report=a_report("completed", 3))
    assert (end.sent.answered, end.sent.failed) == (1, 2)
    assert end.spent == (ONE_ROW, ONE_UPPER * 2)


async def test_results_are_fetched_again_while_some_are_missing() -> None:
    """A download that ends early is noticed by its count; nothing of the first one is sealed twice."""
    downloads = [1, 2, 3]

    def results(keys: Sequence[str]) -> list[bytes]:
        return [answered(key) for key in keys[: downloads.pop(0)]]

    end = await ended(results, report=a_report("completed", 3))
    assert (end.sent, downloads) == (Sent(answered=3), [])
    assert [len(tried) for tried in end.attempts] == [1, 1, 1]


async def test_results_that_stay_short_are_given_up_on() -> None:
    fetched: list[int] = []

    def results(keys: Sequence[str]) -> list[bytes]:
        fetched.append(1)
        return [answered(keys[0])]

    end = await ended(results, report=a_report("completed", 3))
    assert (len(fetched), end.sent.failed) == (FETCHES, 2)


async def test_a_truncated_download_is_repeated() -> None:
    end = await ended(lambda keys: [answered(key) for key in keys], fetches=[Transient("truncated")])
    assert end.sent == Sent(answered=3)


@pytest.mark.parametrize(
    ("body", "reason", "usage"),
    [
        ('{"error": {"message": "overloaded"}}', "server", None),
        (
            '{"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2}}',
            "malformed",
            Tokens(input=10, output=2),
        ),
    ],
)
async def test_an_answer_without_a_reply_is_none(body: str, reason: str, usage: Tokens | None) -> None:
    end = await ended(lambda keys: [answered(keys[0], body=body), answered(keys[1]), answered(keys[2])])
    assert (end.sent.answered, end.sent.failed) == (2, 1)
    ((attempt,), *_) = end.attempts
    assert (attempt.error, attempt.usage) == (reason, usage)


async def test_usage_that_nobody_reported_is_possible_spend() -> None:
    end = await ended(lambda keys: [answered(keys[0], body=a_body(usage={})), answered(keys[1]), answered(keys[2])])
    assert end.sent == Sent(answered=3)
    assert end.spent == (ONE_ROW * 2, ONE_UPPER)


async def test_a_gateway_tells_of_sends_that_may_have_been_answered_and_of_busy_seconds() -> None:
    """Killed while it waited for the first row, it sent it again: one send more, of unknown fate."""
    ours = {"sends": 2, "busy_core_s": 0.25}
    end = await ended(lambda keys: [answered(keys[0], triaxis=ours), answered(keys[1]), answered(keys[2])])
    assert [attempt.outcome for attempt in end.attempts[0]] == ["answered", "unknown"]
    assert end.spent == (ONE_ROW * 3, ONE_UPPER)
    assert end.rows[0] is not None
    assert end.rows[0].busy_core_s == 0.25


async def test_sends_that_may_have_been_billed_are_told_of_failed_rows_too() -> None:
    """Three sends of a row that failed, and two of one that is refused; the last of each is the one that is told of."""
    end = await ended(
        lambda keys: [
            resent(failed(keys[0], 429, "rate_limit_exceeded"), 3),
            resent(failed(keys[1], 400, "invalid"), 2),
            answered(keys[2]),
        ]
    )
    assert (end.sent.answered, end.sent.terminal, end.sent.failed) == (1, 1, 1)
    assert [[a.outcome for a in tried] for tried in end.attempts] == [
        ["failed", "unknown", "unknown"],
        ["failed", "unknown"],
        ["answered"],
    ]
    assert end.spent == (ONE_ROW, ONE_UPPER * 3)


async def test_collecting_twice_adds_nothing() -> None:
    """Killed between sealing and closing: the same rows and attempts come again, under the same names."""
    end = await ended(lambda keys: [answered(keys[0]), failed(keys[1]), answered(keys[2])])
    book, before = end.counter.book, (end.rows, end.attempts)
    book.records[end.name] = replace(book.records[end.name], closed=None)
    await carry(end.name, api=end.api, desk=end.counter.desk, patience_s=1e9)
    assert (end.rows, end.attempts) == before


async def test_results_are_read_one_batch_at_a_time() -> None:
    """What a batch's rows take in memory is taken once, however many batches end together."""
    counter, fetched = Counter(), asyncio.Event()

    def results(keys: Sequence[str]) -> Sequence[bytes]:
        fetched.set()
        return [answered(key) for key in keys]

    api = ScriptedApi(book=counter.book, results=results)
    (intent,) = [i async for i in intended(an_order("a"), api=api, desk=counter.desk, number=0)]
    async with counter.reading:
        carried = asyncio.create_task(carry(intent.name, api=api, desk=counter.desk, patience_s=1e9))
        await fetched.wait()
        await asyncio.sleep(0)
        assert not counter.store.rows(counter.book.held[intent.name].keys.texts())
    assert (await carried).sent == Sent(answered=1)
