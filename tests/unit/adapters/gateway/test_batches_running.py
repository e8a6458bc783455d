from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from build_calls import TickingClock
from build_gateway import (
    GatewayState,
    Said,
    ScriptedUpstream,
    a_batch,
    a_refusal,
    a_row,
    an_answer,
    answering,
    ended,
    jsonl,
    saying_in_turn,
    until,
)

from triaxis.adapters.gateway.batch_journal import read_journal
from triaxis.adapters.gateway.records import Batch
from triaxis.adapters.system_clock import SystemClock
from triaxis.errors import StoreDamaged, Transient


def rows(count: int) -> bytes:
    return jsonl([a_row(number) for number in range(count)])


async def hanging(_body: Mapping[str, Any]) -> Said:
    await asyncio.sleep(60)
    raise AssertionError


def ids(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(line["custom_id"] for line in lines)


def by_code(lines: list[dict[str, Any]]) -> dict[str, str]:
    return {line["custom_id"]: line["error"]["code"] for line in lines if line["error"]}


async def test_a_batch_is_answered_row_by_row_and_no_more_at_once_than_allowed(tmp_path: Path) -> None:
    state = GatewayState(tmp_path, concurrency=3)
    async with state.batches() as batches:
        first = await batches.create(a_batch(state.upload(rows(8))))
        second = await batches.create(a_batch(state.upload(rows(8))))
        done = [await ended(batches, batch.id) for batch in (first, second)]
    assert (first.status, state.upstream.most) == ("validating", 3)
    for batch in done:
        assert (batch.status, batch.counts.completed, batch.error_file_id) == ("completed", 8, None)
        assert ids(state.lines(batch.output_file_id)) == [f"row-{number}" for number in range(8)]
    assert sorted(state.told) == sorted(f"{batch.id} completed: 8 of 8 rows answered, 0 failed" for batch in done)


async def test_failures_go_to_the_error_file(tmp_path: Path) -> None:
    state = GatewayState(tmp_path, ScriptedUpstream(saying_in_turn(a_refusal(400), an_answer())), concurrency=1)
    async with state.batches() as batches:
        batch = await ended(batches, (await batches.create(a_batch(state.upload(rows(3))))).id)
    assert (batch.status, batch.counts.completed, batch.counts.failed) == ("completed", 2, 1)
    assert ids(state.lines(batch.error_file_id)) == ["row-0"]
    assert ids(state.lines(batch.output_file_id)) == ["row-1", "row-2"]


async def test_a_batch_of_failures_has_no_output_file(tmp_path: Path) -> None:
    state = GatewayState(tmp_path, ScriptedUpstream(saying_in_turn(a_refusal(400))))
    async with state.batches() as batches:
        batch = await ended(batches, (await batches.create(a_batch(state.upload(rows(2))))).id)
    assert (batch.status, batch.output_file_id, batch.counts.failed) == ("completed", None, 2)


async def test_what_is_done_is_not_sent_again_after_a_restart(tmp_path: Path) -> None:
    """Three rows are answered and two are with the upstream when the process ends."""
    state = GatewayState(tmp_path)

    async def three(body: Mapping[str, Any]) -> Said:
        early = body["messages"][0]["content"] in ("Question 0?", "Question 1?", "Question 2?")
        return await (answering if early else hanging)(body)

    state.upstream.script = three
    async with state.batches() as batches:
        batch = await batches.create(a_batch(state.upload(rows(6))))
        await until(lambda: state.upstream.flying == 2 and len(set(state.upstream.questions)) == 5)
    again = GatewayState(tmp_path)
    async with again.batches() as batches:
        shown = batches.get(batch.id)
        assert shown is not None
        assert (shown.status, shown.counts.total, shown.counts.completed) == ("in_progress", 6, 3)
        done = await ended(batches, batch.id)
    assert sorted(again.upstream.questions) == ["Question 3?", "Question 4?", "Question 5?"]
    lines = state.lines(done.output_file_id)
    assert ids(lines) == [f"row-{number}" for number in range(6)]
    assert [line["triaxis"] for line in lines if "triaxis" in line] == [{"sends": 2}] * 2
    assert again.told[0] == f"{batch.id} goes on: 3 of 6 rows are done"


async def test_rows_in_flight_may_come_in_when_the_gateway_ends(tmp_path: Path) -> None:
    state = GatewayState(tmp_path)
    late = asyncio.Event()

    async def slow(body: Mapping[str, Any]) -> Said:
        await late.wait()
        return await answering(body)

    state.upstream.script = slow
    async with state.batches(grace_s=30) as batches:
        batch = await batches.create(a_batch(state.upload(rows(4))))
        await until(lambda: state.upstream.flying == 2)
        batches.halt()
        late.set()
    past = read_journal(tmp_path / "batches" / f"{batch.id}.jsonl")
    assert past is not None
    assert (past.batch.status, past.progress.completed, len(state.upstream.heard)) == ("in_progress", 2, 2)


async def test_a_failure_that_may_pass_is_left_to_the_next_process(tmp_path: Path) -> None:
    """A row that waits to be sent again when the gateway ends has no outcome yet."""
    state = GatewayState(tmp_path, ScriptedUpstream(saying_in_turn(a_refusal(500))), clock=SystemClock())
    async with state.batches() as batches:
        batch = await batches.create(a_batch(state.upload(rows(1))))
        await until(lambda: state.upstream.heard)
    again = GatewayState(tmp_path)
    async with again.batches() as batches:
        done = await ended(batches, batch.id)
    assert [line["triaxis"] for line in state.lines(done.output_file_id)] == [{"sends": 2}]


async def test_the_window_ends_a_batch(tmp_path: Path) -> None:
    """What was answered by then stands; what was not sent is told apart from what failed."""
    clock = TickingClock()
    state = GatewayState(tmp_path, clock=clock, concurrency=1)

    async def an_hour_each(body: Mapping[str, Any]) -> Said:
        clock.now += 3600
        return await answering(body)

    state.upstream.script = an_hour_each
    async with state.batches() as batches:
        batch = await ended(batches, (await batches.create(a_batch(state.upload(rows(5)), "90m"))).id)
    assert (batch.status, batch.counts.total, batch.counts.completed, batch.counts.failed) == ("expired", 5, 2, 0)
    assert ids(state.lines(batch.output_file_id)) == ["row-0", "row-1"]
    assert by_code(state.lines(batch.error_file_id)) == dict.fromkeys(("row-2", "row-3", "row-4"), "batch_expired")
    assert {"in_progress", "finalizing", "expired"} == set(batch.moved_at)


@pytest.mark.parametrize(
    ("said", "outcomes", "failed"),
    [
        (Transient("reset"), {"row-0": "reset", "row-1": "batch_expired"}, 1),
        (Transient("connect", billed=False), {"row-0": "batch_expired", "row-1": "batch_expired"}, 0),
    ],
)
async def test_a_row_that_no_time_is_left_for_has_its_last_failure_if_it_may_have_cost_something(
    said: Said, outcomes: dict[str, str], failed: int, tmp_path: Path
) -> None:
    clock = TickingClock()

    async def an_hour_later(_body: Mapping[str, Any]) -> Said:
        clock.now += 3600
        return said

    state = GatewayState(tmp_path, ScriptedUpstream(an_hour_later), clock=clock, concurrency=1)
    async with state.batches() as batches:
        batch = await ended(batches, (await batches.create(a_batch(state.upload(rows(2)), "1h"))).id)
    assert (batch.status, batch.counts.failed) == ("expired", failed)
    assert by_code(state.lines(batch.error_file_id)) == outcomes


async def test_a_cancelled_batch_waits_for_what_is_with_the_upstream(tmp_path: Path) -> None:
    state, late = GatewayState(tmp_path), asyncio.Event()

    async def slow(body: Mapping[str, Any]) -> Said:
        await late.wait()
        return await answering(body)

    state.upstream.script = slow
    async with state.batches() as batches:
        created = await batches.create(a_batch(state.upload(rows(5))))
        await until(lambda: state.upstream.flying == 2)
        assert [await batches.cancel(created.id) for _ in range(2)] == [True, True]
        shown = batches.get(created.id)
        assert shown is not None
        assert shown.status == "cancelling"
        late.set()
        batch = await ended(batches, created.id)
        assert not await batches.cancel(created.id)
    assert (batch.status, batch.counts.completed, len(state.upstream.heard)) == ("cancelled", 2, 2)
    assert by_code(state.lines(batch.error_file_id)) == dict.fromkeys(("row-2", "row-3", "row-4"), "batch_cancelled")
    assert "finalizing" not in batch.moved_at


async def test_a_wait_ends_when_the_batch_is_cancelled(tmp_path: Path) -> None:
    state = GatewayState(tmp_path, ScriptedUpstream(saying_in_turn(a_refusal(429, retry_after_s=250.0))))
    state.clock = SystemClock()
    async with state.batches() as batches:
        created = await batches.create(a_batch(state.upload(rows(2))))
        await until(lambda: len(state.upstream.heard) == 2)
        await batches.cancel(created.id)
        batch = await ended(batches, created.id)
    assert by_code(state.lines(batch.error_file_id)) == {"row-0": "batch_cancelled", "row-1": "batch_cancelled"}


async def test_a_batch_may_be_cancelled_before_its_file_was_looked_at(tmp_path: Path) -> None:
    state = GatewayState(tmp_path)
    async with state.batches() as batches:
        created = await batches.create(a_batch(state.upload(rows(3))))
        await batches.cancel(created.id)
        batch = await ended(batches, created.id)
    assert (batch.status, batch.counts.total, state.upstream.heard) == ("cancelled", 3, [])
    assert len(state.lines(batch.error_file_id)) == 3


@pytest.mark.parametrize("cut_at", ["cancelling", "sent", "finalizing", "files"])
async def test_an_ending_that_was_cut_short_is_done_again(cut_at: str, tmp_path: Path) -> None:
    """A row that was sent and lost says so: it may have been billed, and is not sent in a batch that is to end."""
    state = GatewayState(tmp_path, ScriptedUpstream(hanging))
    async with state.batches() as batches:
        created = await batches.create(a_batch(state.upload(rows(4))))
        await until(lambda: state.upstream.flying == 2)
        if cut_at != "finalizing":
            await batches.cancel(created.id)
    clock = TickingClock(now=1_000 + 25 * 3600)
    if cut_at == "files":
        for kind in ("output", "error"):
            file_id = f"file-{created.id.removeprefix('batch_')}-{kind}"
            state.shelf.content(file_id).write_bytes(b"half")
            state.shelf.keep(file_id, filename="x", purpose="batch_output")
    again = GatewayState(tmp_path, clock=clock)
    async with again.batches() as batches:
        batch = await ended(batches, created.id)
    status = "expired" if cut_at == "finalizing" else "cancelled"
    assert (batch.status, batch.counts.failed, again.upstream.heard) == (status, 2, [])
    assert by_code(again.lines(batch.error_file_id)) == {
        "row-0": "answer_lost",
        "row-1": "answer_lost",
        "row-2": f"batch_{status}",
        "row-3": f"batch_{status}",
    }


async def test_an_input_file_with_faults_fails_the_batch(tmp_path: Path) -> None:
    state = GatewayState(tmp_path)
    async with state.batches() as batches:
        batch = await ended(batches, (await batches.create(a_batch(state.upload(b"x\n")))).id)
    assert (batch.status, [fault.line for fault in batch.faults]) == ("failed", [1])
    assert state.told == [f"{batch.id} failed: its input file has 1 fault; nothing was sent"]
    async with GatewayState(tmp_path).batches() as batches:
        assert batches.get(batch.id) == batch


async def test_an_input_file_that_changed_stops_its_batch_and_says_why(tmp_path: Path) -> None:
    state = GatewayState(tmp_path, ScriptedUpstream(hanging))
    async with state.batches() as batches:
        file_id = state.upload(rows(3))
        created = await batches.create(a_batch(file_id))
        await until(lambda: state.upstream.flying)
    state.shelf.content(file_id).write_bytes(rows(2))
    again = GatewayState(tmp_path, _shelf=state.shelf)
    async with again.batches() as batches:
        await until(lambda: batches.fault(created.id))
        assert f"{file_id}.data is not the input file of 3 rows" in (batches.fault(created.id) or "")
        assert batches.get(created.id) is not None
    assert again.upstream.heard == []
    assert "stands still until the gateway is started again" in again.told[-1]


async def test_a_disk_that_is_full_stops_the_batch_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = GatewayState(tmp_path, concurrency=1)
    taken, write = list[bytes](), os.write

    def filling(fd: int, data: bytes) -> int:
        if len(taken) < 6:
            taken.append(data)
            return write(fd, data)
        write(fd, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", filling)
    async with state.batches() as batches:
        created = await batches.create(a_batch(state.upload(rows(5))))
        await until(lambda: batches.fault(created.id))
        assert batches.fault(created.id) == "OSError: [Errno 28] No space left on device"
    monkeypatch.undo()
    async with GatewayState(tmp_path).batches() as batches:
        batch = await ended(batches, created.id)
    # begun, looked at, two rows with a mark and an outcome each; then half of the third row's mark
    assert (batch.status, batch.counts.completed, len(state.upstream.heard)) == ("completed", 5, 2)


async def test_lists_are_newest_first_across_restarts(tmp_path: Path) -> None:
    made: list[str] = []
    for _ in range(2):
        state = GatewayState(tmp_path)
        async with state.batches() as batches:
            for content in (rows(1), rows(2)):
                created = await batches.create(a_batch(state.upload(content)))
                made += [(await ended(batches, created.id)).id]
            assert [batch.id for batch in batches.newest_first()] == made[::-1]


def test_a_batch_that_was_never_told_of_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    path = tmp_path / "batches" / "batch_1.jsonl"
    path.write_bytes(b'{"batch":')

    async def look() -> list[Batch]:
        async with GatewayState(tmp_path).batches() as batches:
            return list(batches.newest_first())

    assert asyncio.run(look()) == []
    assert not path.exists()


async def test_damage_is_told_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "batch_1.jsonl").write_bytes(b"damage\n")
    with pytest.raises(StoreDamaged, match=r"batch_1\.jsonl line 1 is damaged"):
        async with GatewayState(tmp_path).batches():
            pass


async def test_a_disk_that_fails_at_the_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    state, late = GatewayState(tmp_path), asyncio.Event()

    async def one_late(body: Mapping[str, Any]) -> Said:
        await late.wait()
        return await (answering if body["messages"][0]["content"] == "Question 0?" else hanging)(body)

    state.upstream.script = one_late
    async with state.batches() as batches:
        created = await batches.create(a_batch(state.upload(rows(2))))
        await until(lambda: state.upstream.flying == 2)
        monkeypatch.setattr(os, "fsync", failing)
        late.set()
        await until(lambda: state.upstream.flying == 1)
    assert state.told == [f"{created.id}: what came last may not be on disk: Input/output error"]
