from __future__ import annotations

import json
from pathlib import Path

import pytest
from build_calls import TickingClock

from triaxis.adapters.gateway.files import FileShelf
from triaxis.adapters.gateway.records import StoredFile
from triaxis.errors import StoreDamaged


def a_file(shelf: FileShelf, content: bytes = b"{}\n", *, expires_s: int | None = None) -> StoredFile:
    file_id = shelf.new_id()
    shelf.content(file_id).write_bytes(content)
    return shelf.keep(file_id, filename="../../etc/x.jsonl", purpose="batch", expires_s=expires_s)


def test_files_are_there_after_a_restart_in_their_order(tmp_path: Path) -> None:
    clock = TickingClock()
    shelf = FileShelf.load(tmp_path, clock)
    kept = [a_file(shelf, b"x" * size) for size in range(3)]
    again = FileShelf.load(tmp_path, clock)
    assert list(again.newest_first()) == list(shelf.newest_first()) == kept[::-1]
    assert again.get(kept[2].id) == kept[2]
    assert again.content(kept[2].id).read_bytes() == b"xx"


def test_a_name_is_kept_and_never_a_path(tmp_path: Path) -> None:
    shelf = FileShelf.load(tmp_path / "files", TickingClock())
    assert a_file(shelf).filename == "../../etc/x.jsonl"
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "files"}


def test_what_was_cut_short_is_gone_after_a_restart(tmp_path: Path) -> None:
    shelf = FileShelf.load(tmp_path, TickingClock())
    kept, cut = a_file(shelf), shelf.new_id()
    shelf.content(cut).write_bytes(b"half")
    again = FileShelf.load(tmp_path, TickingClock())
    assert [file.id for file in again.newest_first()] == [kept.id]
    assert not again.content(cut).exists()


def test_a_deleted_file_is_gone(tmp_path: Path) -> None:
    shelf = FileShelf.load(tmp_path, TickingClock())
    file = a_file(shelf)
    shelf.drop(file.id)
    assert shelf.content(file.id).exists()
    shelf.delete(file)
    assert shelf.get(file.id) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_expires_unless_it_is_in_use(tmp_path: Path) -> None:
    clock = TickingClock()
    shelf = FileShelf.load(tmp_path, clock)
    brief, used, lasting = a_file(shelf, expires_s=3600), a_file(shelf, expires_s=3600), a_file(shelf)
    clock.now += 3599
    shelf.expire(lambda _: False)
    assert shelf.get(brief.id) == brief
    clock.now += 1
    shelf.expire(lambda file_id: file_id == used.id)
    assert list(shelf.newest_first()) == [lasting, used]


@pytest.mark.parametrize("damage", ["no json", "other id", "no content", "short content"])
def test_damage_names_the_file(damage: str, tmp_path: Path) -> None:
    file = a_file(FileShelf.load(tmp_path, TickingClock()))
    known, content = tmp_path / f"{file.id}.json", tmp_path / f"{file.id}.data"
    match damage:
        case "no json":
            known.write_text("{")
        case "other id":
            known.write_text(json.dumps({**json.loads(known.read_text()), "id": "file-2"}))
        case "no content":
            content.unlink()
        case _:
            content.write_bytes(b"")
    with pytest.raises(StoreDamaged, match=file.id):
        FileShelf.load(tmp_path, TickingClock())
