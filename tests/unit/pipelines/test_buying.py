"""Rounds of batches, from a stage's orders to what is left for live calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest
from build_batches import PRICE, Counter, ScriptedApi, an_order, answered, failed
from build_calls import CountingProgress

from triaxis.domain.batches import BatchReport
from triaxis.domain.evaluation import Operations
from triaxis.domain.rows import Request
from triaxis.domain.variant import Delivery, Limits, Target
from triaxis.errors import BatchUnknown, Denied, Transient
from triaxis.pipelines.buying import bought
from triaxis.pipelines.session import Session
from triaxis.pipelines.stages import Here
from triaxis.ports.batches import BatchApi
from triaxis.quantities import Money
from triaxis.steps.batching import intended
from triaxis.steps.orders import Order
from triaxis.steps.sending import Sent
from triaxis.wiring import Wiring

PENDING = BatchReport(provider_id="", state="pending")
LIVE = Delivery()


@dataclass(slots=True)
class Shop(Session):
    """A session whose models and batch API are scripted, and which notes what it is asked live."""

    api: ScriptedApi | None = None
    asked_live: list[str] = field(default_factory=list[str])

    async def batch_api(self, model: str, endpoint: str | None) -> BatchApi:
        """The scripted one."""
        del model, endpoint
        assert self.api is not None
        return self.api

    async def send(self, orders: Sequence[Order]) -> Sent:
        """Answers nothing."""
        self.asked_live += [text_of(request) for order in orders for _, request in order.requests()]
        return Sent()


def text_of(request: Request) -> str:
    return request.messages[-1].content


def all_answered(keys: Sequence[str]) -> Sequence[bytes]:
    return [answered(key) for key in keys]


def a_shop(
    counter: Counter,
    *,
    patience_s: float = math.inf,
    limits: Limits | None = None,
    results: Callable[[Sequence[str]], Sequence[bytes]] = all_answered,
    **script: object,
) -> Shop:
    operations = Operations(
        targets={"openai/small@bank": Target(model="openai/small")}, limits=limits or Limits(max_attempts=2)
    )
    wiring = SimpleNamespace(
        config="evaluation.yaml",
        shared=False,
        store=counter.store,
        book=counter.book,
        clock=counter.clock,
        workspace=SimpleNamespace(operations=lambda: operations),
        evidence=SimpleNamespace(inputs=lambda: SimpleNamespace(prices=SimpleNamespace(rows={PRICE.model: PRICE}))),
    )
    api = ScriptedApi(book=counter.book, results=results, **script)  # pyright: ignore[reportArgumentType]
    return Shop(wiring=cast("Wiring", wiring), progress=CountingProgress(), patience_s=patience_s, api=api)


async def left_behind(counter: Counter, *texts: str, submitted: bool) -> str:
    """A batch of an earlier run: intended, and perhaps accepted by a provider that the run did not hear any more."""
    api = ScriptedApi(book=counter.book)
    (intent,) = [i async for i in intended(an_order(*texts), api=api, desk=counter.desk, number=0)]
    if submitted:
        api.accepted.append(intent.name)
    return intent.name


def states(counter: Counter) -> list[tuple[str, int, int]]:
    """State, rows and round of every batch."""
    return [(record.state, record.intent.rows, record.intent.round) for record in counter.book.all()]


def found(counter: Counter, order: Order) -> int:
    return int(counter.store.known(order.keys).sum())


async def test_an_order_is_bought_in_one_round_of_batches() -> None:
    counter, order = Counter(), an_order(*"abcde")
    shop = a_shop(counter, max_rows=2)
    await bought(shop, Here(), [order])
    assert (found(counter, order), states(counter)) == (5, [("sealed", 2, 0), ("sealed", 2, 0), ("sealed", 1, 0)])
    assert shop.sent == Sent(answered=5)


async def test_live_orders_are_made_beside_batches() -> None:
    counter = Counter()
    shop = a_shop(counter)
    await bought(shop, Here(), [an_order("a"), an_order("b", delivery=LIVE)])
    assert (shop.asked_live, shop.sent.answered) == (["b"], 1)


async def test_only_what_failed_is_asked_again() -> None:
    """The row that failed in the first round alone is in the second batch."""
    counter, order, bad = Counter(), an_order(*"abc"), an_order("b").keys.texts()

    def results(keys: Sequence[str]) -> list[bytes]:
        return [failed(key) if key in bad and len(keys) > 1 else answered(key) for key in keys]

    await bought(a_shop(counter, results=results), Here(), [order])
    assert (found(counter, order), states(counter)) == (3, [("sealed", 3, 0), ("sealed", 1, 1)])


@pytest.mark.parametrize(("fallback", "live"), [(None, []), ("live", ["b"])])
async def test_rounds_end_and_what_is_left_goes_live_where_it_may(fallback: str | None, live: list[str]) -> None:
    counter, bad = Counter(), an_order("b").keys.texts()
    delivery = Delivery(transport="batch", fallback=fallback)  # pyright: ignore[reportArgumentType]
    order = an_order(*"abc", delivery=delivery)
    shop = a_shop(counter, results=lambda keys: [failed(key) if key in bad else answered(key) for key in keys])
    await bought(shop, Here(), [order])
    assert (found(counter, order), [r for _, _, r in states(counter)], shop.asked_live) == (2, [0, 1, 2], live)


@pytest.mark.parametrize(("fallback", "live"), [(None, []), ("live", ["b"])])
async def test_a_batch_that_would_be_refused_as_too_small_is_none(fallback: str | None, live: list[str]) -> None:
    """Of three rows in one batch one fails, and alone it is too few for another."""
    counter, bad = Counter(), an_order("b").keys.texts()
    order = an_order(*"abc", delivery=Delivery(transport="batch", fallback=fallback))  # pyright: ignore[reportArgumentType]
    shop = a_shop(
        counter, min_rows=2, results=lambda keys: [failed(key) if key in bad else answered(key) for key in keys]
    )
    await bought(shop, Here(), [order])
    assert (found(counter, order), states(counter), shop.asked_live) == (2, [("sealed", 3, 0)], live)
    assert shop.sent.last_error == "test takes no batch of fewer than 2 rows, and 1 are left"


async def test_a_model_that_is_denied_is_not_asked_again_in_any_way() -> None:
    counter = Counter()
    order = an_order(*"abc", delivery=Delivery(transport="batch", fallback="live"))
    shop = a_shop(counter, submits=[Denied("authentication", "check the key", status=401)])
    await bought(shop, Here(), [order])
    assert ([state for state, _, _ in states(counter)], shop.asked_live, shop.denied(order)) == (["void"], [], True)


async def test_a_run_that_does_not_wait_submits_all_and_tells_of_what_is_on_its_way() -> None:
    counter, order = Counter(), an_order(*"abc")
    shop = a_shop(counter, patience_s=0, reports=[PENDING] * 2, max_rows=2)
    await bought(shop, Here(), [order])
    assert sorted(intent.rows for intent in shop.waiting) == [1, 2]
    assert found(counter, order) == 0

    later = a_shop(counter, patience_s=0)
    await bought(later, Here(), [order])
    assert (found(counter, order), later.waiting, later.api and later.api.accepted) == (3, [], [])


async def test_rounds_are_counted_across_runs() -> None:
    """What a later run collects was in one batch already: two rounds are left of three."""
    counter, order = Counter(), an_order("a")
    await bought(a_shop(counter, patience_s=0, reports=[PENDING]), Here(), [order])
    await bought(a_shop(counter, results=lambda keys: [failed(key) for key in keys]), Here(), [order])
    assert [number for _, _, number in states(counter)] == [0, 1, 2]


@pytest.mark.parametrize("submitted", [True, False])
async def test_what_a_killed_run_left_is_settled_before_anything_is_bought(submitted: bool) -> None:
    """Accepted: it is collected, and only what is not in it is bought. Not accepted: all is bought, once."""
    counter, order = Counter(), an_order(*"abc")
    name = await left_behind(counter, "a", "b", submitted=submitted)
    shop = a_shop(counter, accepted=[name] if submitted else [])
    await bought(shop, Here(), [order])
    assert found(counter, order) == 3
    assert states(counter) == (
        [("sealed", 2, 0), ("sealed", 1, 0)] if submitted else [("void", 2, 0), ("sealed", 3, 0)]
    )


async def test_a_batch_of_unknown_fate_stops_everything_before_a_cent_is_spent() -> None:
    counter = Counter()
    await left_behind(counter, "a", "b", submitted=True)
    shop = a_shop(counter, find_by="none")
    with pytest.raises(BatchUnknown):
        await bought(shop, Here(), [an_order(*"xyz"), an_order("w", delivery=LIVE)])
    assert (len(counter.book.records), shop.asked_live) == (1, [])


async def test_what_is_not_wanted_any_more_is_paid_for_and_therefore_kept() -> None:
    counter = Counter()
    name = await left_behind(counter, "old", submitted=True)
    await bought(a_shop(counter, accepted=[name]), Here(), [an_order("new")])
    assert found(counter, an_order("old", "new")) == 2


async def test_a_batch_of_a_model_that_is_not_used_any_more_is_left_alone() -> None:
    counter, order = Counter(), an_order("old", model="openai/gone")
    api = ScriptedApi(book=counter.book)
    assert [intent.model async for intent in intended(order, api=api, desk=counter.desk, number=0)] == ["openai/gone"]
    await bought(a_shop(counter), Here(), [an_order("new")])
    assert states(counter) == [("intended", 1, 0), ("sealed", 1, 0)]


async def test_a_provider_that_stops_answering_leaves_its_batch_and_the_others_go_on() -> None:
    counter, order = Counter(), an_order(*"ab")
    shop = a_shop(counter, limits=Limits(max_attempts=1), max_rows=1, reports=[Transient("server", status=500)])
    await bought(shop, Here(), [order])
    assert sorted(state for state, _, _ in states(counter)) == ["sealed", "submitted"]
    assert (found(counter, order), shop.sent.failed) == (1, 1)


async def test_a_round_that_could_pass_the_limit_is_not_begun() -> None:
    """Three rows may cost 309 millionths, and repeating two that may have been billed 206 more."""
    counter, order = Counter(), an_order(*"abc")
    shop = a_shop(
        counter,
        limits=Limits(max_attempts=2, max_usd=0.0004),
        results=lambda keys: [answered(keys[0]), *(failed(key) for key in keys[1:])],
    )
    await bought(shop, Here(), [order])
    assert states(counter) == [("sealed", 3, 0)]
    assert "limits.max_usd of $0.0004; raise it to $0.000426" in shop.sent.last_error  # 14 + 206 + 206
    assert shop.purse.spent == Money.of("0.00022")
