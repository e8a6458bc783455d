from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from triaxis.adapters.gateway.batch_journal import (
    BatchJournal,
    Outcome,
    Past,
    new_journal,
    outcomes,
    read_journal,
    reopened,
)
from triaxis.adapters.gateway.records import Batch, Counts, LineFault
from triaxis.errors import StoreDamaged

BATCH = Batch(
    id="batch_1",
    input_file_id="file-1",
    endpoint="/v1/completions",
    completion_window="90m",
    metadata={"a": "b"},
    created_ns=10**18,
)


def an_outcome(row: int, *, ok: bool = True) -> Outcome:
    return Outcome(row=row, ok=ok, line={"custom_id": f"row-{row}"})


def read(path: Path) -> Past:
    past = read_journal(path)
    assert past is not None
    return past


async def written(path: Path) -> BatchJournal:
    """Row 0 answered, row 1 failed, row 2 sent twice, row 3 sent and not taken."""
    journal = await new_journal(path, BATCH)
    journal.batch(BATCH.moved("in_progress", BATCH.created_ns))
    for row in (0, 1, 2, 2, 3):
        journal.sent(row)
    journal.untaken(3)
    journal.outcome(an_outcome(0))
    journal.outcome(an_outcome(1, ok=False))
    return journal


async def test_what_was_written_is_read_after_a_kill(tmp_path: Path) -> None:
    """Without closing: every line is with the operating system at once."""
    path = tmp_path / "batch_1.jsonl"
    journal = await written(path)
    past = read(path)
    assert past.batch == BATCH.moved("in_progress", BATCH.created_ns)
    assert past.progress.done == {0, 1}
    assert past.progress.sends == {2: 2, 3: 0}
    assert past.progress.counts(9) == Counts(total=9, completed=1, failed=1)
    assert [(outcome.row, outcome.ok, outcome.line["custom_id"]) for outcome in outcomes(path)] == [
        (0, True, "row-0"),
        (1, False, "row-1"),
    ]
    await journal.close()


@pytest.mark.parametrize("torn", [b'{"row":2,"ok":tr', b"\x00" * 50, b'{"sent":2}'])
async def test_half_a_last_line_says_nothing_and_is_cut_off(torn: bytes, tmp_path: Path) -> None:
    path = tmp_path / "batch_1.jsonl"
    await (await written(path)).close()
    before = read(path)
    with path.open("ab") as file:
        file.write(torn)
    assert read(path) == before
    journal = reopened(before, path)
    journal.outcome(an_outcome(2))
    await journal.close()
    assert read(path).progress.done == {0, 1, 2}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b'{"sent": "2"}',
        b'{"untaken": 7}',
        b'{"row": 2, "ok": 1, "line": {}}',
        b'{"row": 2, "ok": true}',
        b'{"batch": {"id": "batch_1"}}',
    ],
)
async def test_any_other_damage_names_the_file_and_the_line(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "batch_1.jsonl"
    await (await written(path)).close()
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:3], damage, *lines[3:], b""]))
    with pytest.raises(StoreDamaged, match=r"batch_1\.jsonl line 4 is damaged"):
        read_journal(path)


def test_a_batch_that_nobody_was_told_of_is_none(tmp_path: Path) -> None:
    path = tmp_path / "batch_1.jsonl"
    path.write_bytes(b'{"batch":{"id":')
    assert read_journal(path) is None
    path.write_bytes(b'{"sent":1}\n')
    with pytest.raises(StoreDamaged):
        read_journal(path)


async def test_an_ended_batch_keeps_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "batch_1.jsonl"
    journal = await written(path)
    fault = LineFault(code="empty_file", message="The input file has no rows.")
    ended = replace(BATCH, faults=(fault,))
    await journal.end(ended.moved("failed", BATCH.created_ns))
    assert read(path).batch == ended.moved("failed", BATCH.created_ns)
    assert len(path.read_bytes().splitlines()) == 1


async def test_an_outcome_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "batch_1.jsonl"
    journal = await written(path)
    journal.outcome(an_outcome(1, ok=True))
    await journal.close()
    assert read(path).progress.counts(2) == Counts(total=2, completed=1, failed=1)
    assert [outcome.row for outcome in outcomes(path)] == [0, 1]


async def test_writers_share_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "batch_1.jsonl"
    journal = await new_journal(path, BATCH)
    syncs, fsync = list[int](), os.fsync

    def counted(fd: int) -> None:
        syncs.append(path.stat().st_size)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", counted)
    for row in range(100):
        journal.outcome(an_outcome(row))
    await journal.durable()
    assert syncs[-1] == path.stat().st_size
    assert len(syncs) < 5
    journal.sent(100)
    await journal.close()
    assert syncs[-1] == path.stat().st_size


async def test_a_full_disk_is_heard_and_nothing_is_written_behind_half_a_line(tmp_path: Path) -> None:
    """A later line would be glued to the half that the disk took."""
    path = tmp_path / "batch_1.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        await new_journal(path, BATCH)
    journal = BatchJournal(path)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            journal.sent(1)
    await journal.close()


async def test_a_disk_that_fails_to_sync_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = await new_journal(tmp_path / "batch_1.jsonl", BATCH)

    def failing(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    journal.outcome(an_outcome(0))
    with pytest.raises(OSError, match="Input/output error"):
        await journal.durable()
    with pytest.raises(OSError, match="Input/output error"):
        await journal.close()
