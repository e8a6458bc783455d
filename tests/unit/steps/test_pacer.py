"""Calls that wait for their turn."""

from __future__ import annotations

import asyncio

import pytest
from build_calls import TickingClock

from triaxis.domain.variant import Limits
from triaxis.errors import CallFailed, Denied, Terminal, Transient
from triaxis.steps.pacer import Pacer, Pacers


def a_pacer(clock: TickingClock, *, concurrency: int = 2, requests_per_min: float | None = None) -> Pacer:
    return Pacer(limits=Limits(concurrency=concurrency, requests_per_min=requests_per_min), clock=clock)


async def test_a_call_waits_until_another_ends() -> None:
    pacer = a_pacer(TickingClock())
    first = await pacer.admit(1)
    await pacer.admit(1)
    third = asyncio.create_task(pacer.admit(1))
    await asyncio.sleep(0)
    assert not third.done()
    pacer.ended(first)
    assert await third == 1_000.0


async def test_a_call_that_no_longer_waits_is_passed_over() -> None:
    pacer = a_pacer(TickingClock(), concurrency=1)
    first = await pacer.admit(1)
    gone, here = asyncio.create_task(pacer.admit(1)), asyncio.create_task(pacer.admit(1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    pacer.ended(first)
    assert await here == 1_000.0


async def test_a_limit_on_requests_is_slept_out() -> None:
    """30 a minute: the first at once, the next two seconds later."""
    clock = TickingClock()
    pacer = a_pacer(clock, requests_per_min=30)
    await pacer.admit(1)
    assert await pacer.admit(1) == 1_002.0
    assert clock.slept == [2.0]


async def test_retry_after_stops_every_call() -> None:
    clock = TickingClock()
    pacer = a_pacer(clock, concurrency=8)
    pacer.ended(await pacer.admit(1), Transient("rate_limit", status=429, retry_after_s=3.0))
    assert await pacer.admit(1) == 1_003.0


@pytest.mark.parametrize(
    ("error", "window"),
    [
        (None, 5),
        (Terminal("content_filter"), 5),
        (Transient("reset"), 4),
        (Denied("authentication", "check the key"), 4),
        (Transient("rate_limit", status=429), 2),
        (Transient("timeout"), 2),
        (Transient("server", status=503), 2),
        (Transient("server", status=500), 4),
    ],
)
async def test_what_an_end_says_about_load(error: CallFailed | None, window: int) -> None:
    pacer = a_pacer(TickingClock(), concurrency=8)
    pacer.ended(await pacer.admit(1), error)
    assert pacer.pace.window == window


async def test_a_withdrawn_call_frees_its_place() -> None:
    pacer = a_pacer(TickingClock(), concurrency=1)
    await pacer.admit(1)
    pacer.withdrawn()
    assert await pacer.admit(1) == 1_000.0


def test_models_of_one_server_or_vendor_share_a_pace() -> None:
    pacers = Pacers(limits=Limits(), clock=TickingClock())
    assert pacers.of("openai/a", "bench") is pacers.of("hosted_vllm/b", "bench")
    assert pacers.of("openai/a", None) is pacers.of("openai/b", None)
    assert pacers.of("openai/a", None) is not pacers.of("groq/a", None)
    assert pacers.of("openai/a", None) is not pacers.of("openai/a", "bench")
