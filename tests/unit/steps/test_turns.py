"""What one worker alone may do: waited for, kept, checked, given up."""

from __future__ import annotations

import asyncio

import pytest
from build_calls import BookJournal, CountingProgress, TickingClock
from build_claims import MemoryClaims
from build_store import an_intention

from triaxis.errors import TurnLost
from triaxis.ports.stores import Claims
from triaxis.steps import turns as module
from triaxis.steps.turns import CheckedJournal, Turns


def turns_of(claims: Claims | None, clock: TickingClock | None = None) -> Turns:
    return Turns(claims=claims, clock=clock or TickingClock(), progress=CountingProgress())


async def test_where_nobody_else_can_be_nothing_is_claimed() -> None:
    turns = turns_of(None)
    async with turns.turn("plan-1"):
        turns.check()
        assert (turns.holds("plan-1"), await turns.theirs("plan-1")) == (False, False)


async def failing(turns: Turns, claims: MemoryClaims) -> None:
    async with turns.turn("plan-1"):
        turns.check()
        assert turns.holds("plan-1")
        assert list(claims.held) == ["plan-1"]
        raise KeyError


async def test_a_turn_is_kept_for_its_context_and_given_up_however_that_ends() -> None:
    claims = MemoryClaims()
    turns = turns_of(claims)
    with pytest.raises(KeyError):
        await failing(turns, claims)
    assert not claims.held
    assert not turns.holds("plan-1")


async def test_a_turn_of_another_worker_is_waited_for() -> None:
    """The user is told once, however often it is asked for."""
    claims, progress = MemoryClaims(), CountingProgress()
    theirs = claims.claim("plan-1", 30)
    assert theirs is not None
    turns = Turns(claims=claims, clock=TickingClock(), progress=progress)
    waiting = asyncio.create_task(taken(turns))
    for _ in range(3):
        claims.refused.clear()
        await asyncio.to_thread(claims.refused.wait)
    assert await turns.theirs("plan-1")
    theirs.release()
    await waiting
    assert len(progress.noted) == 1
    assert not await turns.theirs("plan-1")


async def taken(turns: Turns) -> None:
    async with turns.turn("plan-1"):
        pass


async def test_parts_of_one_run_take_turns_among_themselves() -> None:
    turns, inside, most = turns_of(MemoryClaims()), 0, 0

    async def one() -> None:
        nonlocal inside, most
        async with turns.turn("plan-1"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one() for _ in range(5)))
    assert most == 1


async def test_nothing_is_intended_once_a_turn_may_be_anothers() -> None:
    claims, journal = MemoryClaims(), BookJournal()
    turns = turns_of(claims)
    checked = CheckedJournal(journal, turns.check)
    async with turns.turn("asking-1"):
        await checked.intend([an_intention()])
        claims.held.clear()  # the lease ran out, as after a long pause
        with pytest.raises(TurnLost, match="'asking-1' ran out"):
            await checked.intend([an_intention(2)])
        await checked.settle(an_intention(), None)
        await checked.seal()
    assert [kind for kind, _, _ in journal.lines] == ["intend", "settle"]


@pytest.mark.parametrize("unanswered", [0, 1])
async def test_a_claim_is_renewed_for_as_long_as_it_is_held(unanswered: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer once costs no claim."""
    monkeypatch.setattr(module, "RENEW_S", 0.001)
    claims = MemoryClaims(unanswered=unanswered)
    async with turns_of(claims).turn("asking-1"):
        assert await asyncio.to_thread(claims.renewed_enough.wait, 10)
