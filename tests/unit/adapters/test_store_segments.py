"""Segments: immutable, named by content, merged without being missed by a reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_store import a_row, an_attempt, key

from triaxis.adapters import segments as segments_module
from triaxis.adapters.row_store import LocalRowStore
from triaxis.errors import StoreDamaged


def open_store(folder: Path) -> LocalRowStore:
    return LocalRowStore(folder / "store", folder / "journal")


def segment_files(folder: Path) -> list[Path]:
    return sorted((folder / "store" / "rows").glob("*.parquet"))


def test_a_segment_is_named_by_its_content(tmp_path: Path) -> None:
    open_store(tmp_path).adopt([a_row(1)], [])
    open_store(tmp_path / "again").adopt([a_row(1)], [])
    (one,), (other,) = segment_files(tmp_path), segment_files(tmp_path / "again")
    assert one.name == other.name
    assert len(one.stem) == 64


def test_a_damaged_segment_is_named(tmp_path: Path) -> None:
    open_store(tmp_path).adopt([a_row(1)], [])
    (path,) = segment_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(StoreDamaged, match=path.name):
        open_store(tmp_path).rows([key(1)])


def test_many_small_segments_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Merging keeps every row and attempt, once; a reader with the old segments in mind finds the new one."""
    monkeypatch.setattr(segments_module, "MANY", 4)
    writer, reader = open_store(tmp_path), open_store(tmp_path)
    for number in range(6):
        writer.adopt([a_row(number)], [an_attempt(number), an_attempt(number, at_ns=1)])
    keys = [key(n) for n in range(6)]
    assert len(segment_files(tmp_path)) == 6
    assert len(reader.rows(keys[:2])) == 2
    writer.settle()
    assert len(segment_files(tmp_path)) == 1
    for store in (reader, writer, open_store(tmp_path)):
        assert store.rows(keys) == {key(n): a_row(n) for n in range(6)}
        assert store.attempts(keys) == {key(n): (an_attempt(n, at_ns=1), an_attempt(n)) for n in range(6)}


def test_a_large_segment_is_not_merged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "MANY", 2)
    monkeypatch.setattr(segments_module, "SMALL", 3)
    store = open_store(tmp_path)
    store.adopt(map(a_row, range(5)), [])
    (large,) = segment_files(tmp_path)
    for number in range(10, 13):
        store.adopt([a_row(number)], [])
    store.settle()
    assert large in segment_files(tmp_path)
    assert len(segment_files(tmp_path)) == 2


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.adopt([a_row(1)], [])
    for name in ("99-1.draft", ".99-2.draft.tmp"):
        (tmp_path / "store" / "rows" / name).write_text("half")
    store.settle()
    assert [path.name for path in (tmp_path / "store" / "rows").iterdir()] == [segment_files(tmp_path)[0].name]


def test_rows_that_two_segments_hold_are_seen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes sealed the same journal: readers and merging both see one row and one attempt."""
    monkeypatch.setattr(segments_module, "MANY", 1)
    store = open_store(tmp_path)
    seal = store._seal  # pyright: ignore[reportPrivateUsage]
    seal([a_row(1)], [an_attempt(1)])
    seal([a_row(1), a_row(2)], [an_attempt(1), an_attempt(2)])
    for _ in range(2):
        assert store.rows([key(1)]) == {key(1): a_row(1)}
        assert store.attempts([key(1)]) == {key(1): (an_attempt(1),)}
        store.settle()
    assert len(segment_files(tmp_path)) == 1
