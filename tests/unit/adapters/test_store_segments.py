"""Segments: immutable, named by content, merged without being missed by a reader."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from build_store import a_row, a_store, an_attempt, an_intention, key

from triaxis.adapters.digests import file_sha256
from triaxis.adapters.parquet.rows import scan, write_table
from triaxis.adapters.store import segments as segments_module
from triaxis.adapters.store.blobs import FolderBlobs
from triaxis.adapters.store.claims import BlobClaims
from triaxis.adapters.store.url_blobs import UrlBlobs
from triaxis.adapters.system_clock import SystemClock
from triaxis.errors import StoreDamaged


def segment_files(folder: Path) -> list[Path]:
    return sorted((folder / "store" / "rows").glob("*.parquet"))


def test_a_segment_is_named_by_its_content(tmp_path: Path) -> None:
    a_store(tmp_path).adopt([a_row(1)], [])
    a_store(tmp_path / "again").adopt([a_row(1)], [])
    (one,), (other,) = segment_files(tmp_path), segment_files(tmp_path / "again")
    assert one.name == other.name
    assert len(one.stem) == 64


def test_a_damaged_segment_is_named(tmp_path: Path) -> None:
    a_store(tmp_path).adopt([a_row(1)], [])
    (path,) = segment_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(StoreDamaged, match=path.name):
        a_store(tmp_path).rows([key(1)])


def test_many_small_segments_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Merging keeps every row and attempt, once; a reader with the old segments in mind finds the new one."""
    monkeypatch.setattr(segments_module, "MANY", 4)
    writer, reader = a_store(tmp_path), a_store(tmp_path)
    for number in range(6):
        writer.adopt([a_row(number)], [an_attempt(number), an_attempt(number, at_ns=1)])
    keys = [key(n) for n in range(6)]
    assert len(segment_files(tmp_path)) == 6
    assert len(reader.rows(keys[:2])) == 2
    writer.settle()
    assert len(segment_files(tmp_path)) == 1
    for store in (reader, writer, a_store(tmp_path)):
        assert store.rows(keys) == {key(n): a_row(n) for n in range(6)}
        assert store.attempts(keys) == {key(n): (an_attempt(n, at_ns=1), an_attempt(n)) for n in range(6)}


def test_a_large_segment_is_not_merged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "MANY", 2)
    monkeypatch.setattr(segments_module, "SMALL", 3)
    store = a_store(tmp_path)
    store.adopt(map(a_row, range(5)), [])
    (large,) = segment_files(tmp_path)
    for number in range(10, 13):
        store.adopt([a_row(number)], [])
    store.settle()
    assert large in segment_files(tmp_path)
    assert len(segment_files(tmp_path)) == 2


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    """Drafts of processes of this machine that are no more; those of a living one, and of other machines, stay."""
    folder = tmp_path / "store" / "rows"
    drafting = FolderBlobs(tmp_path / "store").draft("rows")
    host, pid, _ = drafting.name.removeprefix(".").split("-")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    others = [f".{host}-{pid}-99.draft", f".other-{gone.pid}-1.draft"]
    for name in (*others, f".{host}-{gone.pid}-1.draft"):
        (folder / name).write_text("half")
    a_store(tmp_path).adopt([a_row(1)], [])
    assert sorted(path.name for path in folder.iterdir()) == sorted([*others, segment_files(tmp_path)[0].name])


def test_of_attempts_of_one_name_merging_keeps_the_one_that_says_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "MANY", 2)
    store = a_store(tmp_path)
    for attempts in ([an_intention(1)], [an_attempt(1)], [an_intention(1)], [an_intention(2), an_intention(2, part=1)]):
        store._seal([], attempts)
    seen = store.attempts([key(1), key(2)])
    assert seen == {key(1): (an_attempt(1),), key(2): (an_intention(2), an_intention(2, part=1))}
    store.settle()
    (merged,) = (tmp_path / "store" / "attempts").glob("*.parquet")
    assert len(list(scan(merged, ["key"]))) == 3
    assert a_store(tmp_path).attempts([key(1), key(2)]) == seen


async def test_what_a_long_journal_seals_is_merged_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty segments would be left until the end; readers of the same process and of another see every row."""
    monkeypatch.setattr(segments_module, "MANY", 4)
    store = a_store(tmp_path, seal_rows=1)
    with store.journal() as journal:
        for number in range(40):
            await journal.intend([an_intention(number)])
            await journal.settle(an_attempt(number), a_row(number))
            assert store.rows([key(number)]) == {key(number): a_row(number)}
        journal._sealer.submit(lambda: None).result()
        assert len(segment_files(tmp_path)) <= 8
        assert a_store(tmp_path).rows([key(n) for n in range(40)]) == {key(n): a_row(n) for n in range(40)}
    assert a_store(tmp_path).attempts([key(n) for n in range(40)]) == {key(n): (an_attempt(n),) for n in range(40)}


def test_a_store_that_lists_what_is_not_there_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that went on without it would buy its rows again."""

    def names(_: FolderBlobs, prefix: str) -> list[str]:
        return [f"{prefix}{'0' * 64}.parquet"]

    store = a_store(tmp_path)
    monkeypatch.setattr(FolderBlobs, "names", names)
    with pytest.raises(StoreDamaged, match="lists what is not there"):
        store.rows([key(1)])


def test_merging_what_goes_meanwhile_can_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "MANY", 1)
    store = a_store(tmp_path)
    for number in range(2):
        store.adopt([a_row(number)], [])
    store.rows([key(0)])

    def file(_: FolderBlobs, name: str) -> Path:
        raise FileNotFoundError(name)

    monkeypatch.setattr(FolderBlobs, "file", file)
    store.settle()
    monkeypatch.undo()
    assert store.rows([key(0), key(1)]) == {key(0): a_row(0), key(1): a_row(1)}


def test_sealing_again_and_again_merges_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "MANY", 3)
    store = a_store(tmp_path)
    for number in range(9):
        with store.sealing() as sealing:
            sealing.add(an_attempt(number), a_row(number))
    assert len(segment_files(tmp_path)) < 4
    assert store.rows([key(n) for n in range(9)]) == {key(n): a_row(n) for n in range(9)}


def test_merging_stops_at_about_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five segments of two rows, at most four rows together: by twos until few enough are left."""
    monkeypatch.setattr(segments_module, "MANY", 3)
    monkeypatch.setattr(segments_module, "MERGED", 4)
    store = a_store(tmp_path)
    for number in range(0, 10, 2):
        store.adopt([a_row(number), a_row(number + 1)], [])
    store.settle()
    assert len(segment_files(tmp_path)) == 3
    assert store.rows([key(n) for n in range(10)]) == {key(n): a_row(n) for n in range(10)}


def test_who_merges_has_the_claim_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "MANY", 1)
    store = a_store(tmp_path)
    for number in range(3):
        store.adopt([a_row(number)], [])
    other = BlobClaims(FolderBlobs(tmp_path / "store"), SystemClock()).claim("merge", 60.0)
    assert other is not None
    store.settle()
    assert len(segment_files(tmp_path)) == 3
    other.release()
    store.settle()
    assert len(segment_files(tmp_path)) == 1


def test_a_store_of_another_release_is_not_misread(tmp_path: Path) -> None:
    folder = tmp_path / "store" / "attempts"
    folder.mkdir(parents=True)
    write_table(folder / "draft", {"key": "text", "body": "text"}, [(key(1), "{}")])
    name = hashlib.sha256((folder / "draft").read_bytes()).hexdigest()
    (folder / "draft").rename(folder / f"{name}.parquet")
    with pytest.raises(StoreDamaged, match=r"another release.*store of its own"):
        a_store(tmp_path).attempts([key(1)])


def test_a_segment_is_verified_once_and_listed_no_more_than_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunk after chunk of rows that are there costs one listing over a network, and one reading of the segment."""
    blobs = UrlBlobs(f"memory://once{tmp_path}", tmp_path / "cache")
    a_store(tmp_path, blobs=blobs).adopt([a_row(n) for n in range(4)], [an_attempt(n) for n in range(4)])
    listed: list[str] = []
    hashed: list[Path] = []
    real = file_sha256

    def names(prefix: str) -> list[str]:
        listed.append(prefix)
        return UrlBlobs.names(blobs, prefix)

    def sha256(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(blobs, "names", names)
    monkeypatch.setattr(segments_module, "file_sha256", sha256)
    store = a_store(tmp_path, blobs=blobs)
    for number in range(4):
        assert store.rows([key(number)]) == {key(number): a_row(number)}
    assert listed == ["rows/"]
    assert len(hashed) == 1
    assert store.rows([key(9)]) == {}
    assert listed == ["rows/", "rows/"]


def test_a_shared_segment_comes_from_the_local_copy_once_it_was_fetched(tmp_path: Path) -> None:
    url = f"memory://copies{tmp_path}"
    a_store(tmp_path / "writer", blobs=UrlBlobs(url, tmp_path / "cache")).adopt([a_row(1)], [])
    copies = UrlBlobs(url, tmp_path / "other")
    assert a_store(tmp_path / "reader", blobs=copies).rows([key(1)]) == {key(1): a_row(1)}
    (copy,) = (tmp_path / "other").rglob("*.parquet")
    copy.write_bytes(b"damaged")
    with pytest.raises(StoreDamaged, match=copy.name):
        a_store(tmp_path / "reader", blobs=copies).rows([key(1)])
    copy.unlink()
    assert a_store(tmp_path / "reader", blobs=copies).rows([key(1)]) == {key(1): a_row(1)}


def test_rows_that_two_segments_hold_are_seen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes sealed the same journal: readers and merging both see one row and one attempt."""
    monkeypatch.setattr(segments_module, "MANY", 1)
    store = a_store(tmp_path)
    store._seal([a_row(1)], [an_attempt(1)])
    store._seal([a_row(1), a_row(2)], [an_attempt(1), an_attempt(2)])
    for _ in range(2):
        assert store.rows([key(1)]) == {key(1): a_row(1)}
        assert store.attempts([key(1)]) == {key(1): (an_attempt(1),)}
        store.settle()
    assert len(segment_files(tmp_path)) == 1
