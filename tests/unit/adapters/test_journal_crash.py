"""The journal and the store when processes die: nothing answered is lost, nothing is seen twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from build_store import a_row, a_store, an_attempt, an_intention, key

from triaxis.adapters.store import journal as journal_module
from triaxis.adapters.store.journal import Entries, FileJournal
from triaxis.adapters.store.journal_files import read_journal
from triaxis.errors import StoreDamaged


def journals(folder: Path) -> list[Path]:
    return sorted((folder / "journal").glob("*.jsonl"))


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from build_store import a_row, a_store, an_attempt, an_intention

async def main():
    store = a_store(Path({folder!r}), seal_rows={seal_rows})
    with store.journal() as journal:
        for n in range({answered}):
            await journal.intend([an_intention(n)])
            await journal.settle(an_attempt(n), a_row(n))
        await journal.intend([an_intention({answered})])
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def kill_after(folder: Path, *, answered: int, seal_rows: int = 1000) -> None:
    """A process that stores some answers, intends one call more, and is killed with -9."""
    code = CHILD.format(paths=sys.path, folder=str(folder), answered=answered, seal_rows=seal_rows)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("seal_rows", [1000, 3])
def test_a_process_killed_with_9_loses_no_answer(tmp_path: Path, seal_rows: int) -> None:
    """All answers are there before and after settling; the call in flight is an attempt of unknown fate, once."""
    kill_after(tmp_path, answered=7, seal_rows=seal_rows)
    keys = [key(n) for n in range(9)]
    expected = {key(n): a_row(n) for n in range(7)}
    assert a_store(tmp_path).rows(keys) == expected

    store = a_store(tmp_path)
    assert store.settle() == 1
    assert journals(tmp_path) == []
    assert store.rows(keys) == expected
    attempts = store.attempts(keys)
    assert {k: len(some) for k, some in attempts.items()} == dict.fromkeys(keys[:8], 1)
    assert attempts[key(7)] == (an_intention(7),)
    assert store.settle() == 0


def test_the_journal_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.journal() as journal:
        asyncio.run(journal.intend([an_intention(1)]))
        assert a_store(tmp_path).settle() == 0
        assert len(journals(tmp_path)) == 1
    assert journals(tmp_path) == []


def test_another_process_reads_what_a_living_one_has_settled(tmp_path: Path) -> None:
    with a_store(tmp_path).journal() as journal:
        asyncio.run(journal.settle(an_attempt(1), a_row(1)))
        assert a_store(tmp_path).rows([key(1)]) == {key(1): a_row(1)}


def test_another_process_s_journal_is_read_as_far_as_it_is_new(tmp_path: Path) -> None:
    """A line that is half written says nothing yet; what was read is not read again, even if it is damaged by now."""
    (tmp_path / "journal").mkdir()
    path, reader = tmp_path / "journal" / "1-1.jsonl", a_store(tmp_path)
    with a_store(tmp_path / "other").journal() as journal:
        for number in range(3):
            asyncio.run(journal.settle(an_attempt(number), a_row(number)))
        one, two, three = journals(tmp_path / "other")[0].read_bytes().splitlines(keepends=True)
    path.write_bytes(one + two[:50])
    assert reader.rows([key(0), key(1)]) == {key(0): a_row(0)}
    path.write_bytes(b"x" * len(one) + two)
    assert reader.rows([key(0), key(1)]) == {key(0): a_row(0), key(1): a_row(1)}
    assert reader.attempts([key(1)]) == {key(1): (an_attempt(1),)}
    path.write_bytes(b"x" * len(one) + two + b"damaged\n" + three)
    with pytest.raises(StoreDamaged, match=r"1-1\.jsonl line 3 is damaged"):
        reader.rows([key(2)])
    path.unlink()
    assert reader.rows([key(0)]) == {}


def test_a_torn_last_line_says_nothing_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.journal() as journal:
        asyncio.run(journal.settle(an_attempt(1), a_row(1)))
        whole = journals(tmp_path)[0].read_bytes()
    (tmp_path / "journal" / "1-1.jsonl").write_bytes(whole + whole[: len(whole) // 2])
    entries = Entries()
    read_journal(tmp_path / "journal" / "1-1.jsonl", entries)
    assert list(entries.rows.values()) == [a_row(1)]

    (tmp_path / "journal" / "1-1.jsonl").write_bytes(whole[: len(whole) // 2] + b"\n" + whole)
    with pytest.raises(StoreDamaged, match=r"1-1\.jsonl line 1 is damaged"):
        a_store(tmp_path).settle()


def test_a_kill_between_segment_and_journal_shows_each_row_once(tmp_path: Path) -> None:
    """The segment is written and the journal still there: both are read, one is seen, and settling changes nothing."""
    store = a_store(tmp_path)
    with store.journal() as journal:
        asyncio.run(journal.intend([an_intention(1)]))
        asyncio.run(journal.settle(an_attempt(1), a_row(1)))
        left = journals(tmp_path)[0].read_bytes()
    (tmp_path / "journal" / "1-1.jsonl").write_bytes(left)
    for settle in (False, True):
        store = a_store(tmp_path)
        if settle:
            store.settle()
        assert store.rows([key(1)]) == {key(1): a_row(1)}
        assert store.attempts([key(1)]) == {key(1): (an_attempt(1),)}


def test_concurrent_intentions_share_an_fsync_that_starts_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 callers at once cost one fsync, or two where one had begun; each returns when its own is on disk."""
    synced: list[int] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(os.fstat(fd).st_size)
        real(fd)

    async def wave(journal: FileJournal, content: Callable[[], bytes]) -> None:
        async def intend(number: int) -> None:
            await journal.intend([an_intention(number)])
            assert max(synced) > content().index(key(number).encode())

        await asyncio.gather(*map(intend, range(64)))

    with a_store(tmp_path).journal() as journal:
        monkeypatch.setattr(journal_module.os, "fsync", fsync)
        asyncio.run(wave(journal, journals(tmp_path)[0].read_bytes))
        assert len(synced) <= 2
        monkeypatch.undo()


def test_a_cancelled_caller_does_not_cancel_the_fsync_of_others(tmp_path: Path) -> None:
    async def two(journal: FileJournal) -> None:
        first = asyncio.create_task(journal.intend([an_intention(1)]))
        second = asyncio.create_task(journal.intend([an_intention(2)]))
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert first.cancelled() or first.done()

    with a_store(tmp_path).journal() as journal:
        asyncio.run(two(journal))


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    with a_store(tmp_path).journal() as journal:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(journal.settle(an_attempt(1), a_row(1)))


async def test_closing_while_a_cancelled_caller_s_fsync_is_due_is_quiet(tmp_path: Path) -> None:
    """Ctrl-C cancels the callers and closes the journal before their shared fsync has begun."""
    with a_store(tmp_path).journal() as journal:
        caller = asyncio.create_task(journal.intend([an_intention(1)]))
        await asyncio.sleep(0)
        caller.cancel()
    await asyncio.sleep(0.01)
    assert caller.cancelled()
    assert a_store(tmp_path).attempts([key(1)]) == {key(1): (an_intention(1),)}


def test_sealing_that_fails_is_told_and_leaves_the_journal(tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    journal = FileJournal(tmp_path / "journal", refuse)
    asyncio.run(journal.settle(an_attempt(1), a_row(1)))
    with pytest.raises(OSError, match="disk full"):
        journal.close()
    assert a_store(tmp_path).rows([key(1)]) == {key(1): a_row(1)}


def test_answers_are_sealed_after_half_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(journal_module.time, "monotonic", lambda: now[0])
    with a_store(tmp_path).journal() as journal:
        asyncio.run(journal.settle(an_attempt(1), a_row(1)))
        first = journals(tmp_path)
        now[0] = 31.0
        asyncio.run(journal.settle(an_attempt(2), a_row(2)))
        assert set(journals(tmp_path)) - set(first)


def test_a_line_is_readable_json(tmp_path: Path) -> None:
    """A person who looks into a journal finds the request's key, what was intended and what came."""
    with a_store(tmp_path).journal() as journal:
        asyncio.run(journal.intend([an_intention(1)]))
        asyncio.run(journal.settle(an_attempt(1), a_row(1)))
        lines: list[dict[str, Any]] = [json.loads(line) for line in journals(tmp_path)[0].read_text().splitlines()]
    assert [sorted(line) for line in lines] == [["intend"], ["row", "settle"]]
    assert lines[0]["intend"]["key"] == lines[1]["row"]["key"] == key(1)
