"""What the row store may rely on wherever its contents are: a folder, and URLs of stores that decide and of others."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest

from triaxis.adapters.store import blobs as blobs_module
from triaxis.adapters.store import url_blobs
from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.url_blobs import UrlBlobs

Make = Callable[[str], Blobs]
"""The same store, as another process sees it that has a disk of its own."""


def no_links(*_: object) -> None:
    """As on many a network file system."""
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.fixture(params=["folder", "undecided folder", "memory://", "s3://", "undecided://"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    if "folder" in request.param:
        if request.param != "folder":
            monkeypatch.setattr(blobs_module.os, "link", no_links)
        return lambda _: FolderBlobs(tmp_path / "store")
    if request.param == "s3://":
        request.getfixturevalue("s3")
    protocol = request.param
    if protocol == "undecided://":
        # As with sftp:// and most others: nothing of what is known about memory:// may be relied upon.
        monkeypatch.setattr(url_blobs, "DECIDING", frozenset[str]())
        protocol = "memory://"
    return lambda disk: UrlBlobs(f"{protocol}rows{tmp_path}", tmp_path / disk)


def published(blobs: Blobs, name: str, content: bytes) -> None:
    draft = blobs.draft(name.rpartition("/")[0])
    draft.write_bytes(content)
    blobs.publish(draft, name)
    assert not draft.exists()


def test_an_empty_store_has_no_names_and_no_contents(make: Make) -> None:
    blobs = make("disk")
    assert blobs.names("rows/") == []
    for read in (blobs.read, blobs.file):
        with pytest.raises(FileNotFoundError):
            read("rows/a")
    blobs.remove("rows/a")


def test_what_is_published_is_there_for_others(make: Make) -> None:
    blobs = make("disk")
    published(blobs, "rows/b", b"two")
    published(blobs, "rows/a", b"one")
    published(blobs, "attempts/c", b"three")
    for seen in (blobs, make("another disk")):
        assert seen.names("rows/") == ["rows/a", "rows/b"]
        assert seen.read("rows/a") == seen.file("rows/a").read_bytes() == b"one"


def test_a_name_is_created_once(make: Make) -> None:
    blobs = make("disk")
    assert blobs.create("claims/x/000001.json", b"mine")
    assert not make("another disk").create("claims/x/000001.json", b"theirs")
    assert blobs.read("claims/x/000001.json") == b"mine"
    assert blobs.names("claims/") == ["claims/x/000001.json"]


def create(blobs: Blobs, name: str, content: bytes) -> bool:
    return blobs.create(name, content)


def test_of_many_who_create_at_once_one_does(make: Make) -> None:
    workers = [make(f"disk {number}") for number in range(8)]
    if workers[0].lone:
        return
    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            name, contents = f"claims/{number}", [str(worker).encode() for worker in range(8)]
            won = list(pool.map(create, workers, repeat(name), contents))
            assert won.count(True) == 1
            assert workers[0].read(name) == contents[won.index(True)]


def test_what_is_removed_is_gone_for_all(make: Make) -> None:
    """A reader that fetched it has no copy left once it has looked at the names again."""
    blobs, reader = make("disk"), make("another disk")
    published(blobs, "rows/a", b"one")
    copy = reader.file("rows/a")
    blobs.remove("rows/a")
    assert reader.names("rows/") == []
    assert not copy.exists()
    for seen in (blobs, reader):
        with pytest.raises(FileNotFoundError):
            seen.file("rows/a")


def test_only_a_store_that_decides_is_shared(make: Make, request: pytest.FixtureRequest) -> None:
    lone = make("disk").lone
    if "undecided" in request.node.name:
        assert lone is not None
        assert "two workers may cross there" in lone
    else:
        assert lone is None
    assert make("disk").names("probes/") == []


def test_drafts_do_not_meet_and_are_not_seen(make: Make) -> None:
    blobs = make("disk")
    one, other = blobs.draft("rows"), blobs.draft("rows")
    assert one != other
    one.write_bytes(b"half")
    assert blobs.names("rows/") == []


def test_a_name_that_is_none_of_ours_is_passed_over(make: Make, tmp_path: Path) -> None:
    """What else is in a bucket becomes no path here, whatever it is called."""
    blobs = make("disk")
    published(blobs, "rows/a", b"one")
    for name in ("rows/.hidden", "rows/a b", "rows/-x", "rows/x/.../y"):
        if isinstance(blobs, UrlBlobs):
            blobs._fs.pipe_file(blobs._at(name), b"x")
    if not isinstance(blobs, UrlBlobs):
        (tmp_path / "store" / "rows" / ".hidden").write_bytes(b"x")
    assert blobs.names("rows/") == ["rows/a"]
