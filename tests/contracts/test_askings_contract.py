"""Askings: what one worker notes others read, over every kind of store that workers share."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_store import key

from triaxis.adapters.batches.askings import BlobAskings
from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.url_blobs import UrlBlobs
from triaxis.domain.keys import Keys
from triaxis.errors import StoreDamaged

TARGET = "openai/small@http://127.0.0.1:8123/../v1"
"""Named by people: it may look like a path."""


@pytest.fixture(params=["folder", "memory://", "s3://"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return FolderBlobs(tmp_path / "store")
    if request.param == "s3://":
        request.getfixturevalue("s3")
    return UrlBlobs(f"{request.param}rows{tmp_path}", tmp_path / "disk")


def noted(askings: BlobAskings, target: str) -> dict[str, list[str]]:
    return {name: keys.texts() for name, keys in askings.noted(target).items()}


def test_what_one_notes_another_reads_until_it_is_dropped(blobs: Blobs) -> None:
    mine, theirs = BlobAskings(blobs), BlobAskings(blobs)
    first = mine.note(TARGET, Keys.of([key(1), key(2)]))
    second = theirs.note(TARGET, Keys.of([key(3)]))
    assert noted(theirs, TARGET) == {first: [key(1), key(2)], second: [key(3)]}
    assert noted(theirs, "openai/other") == {}
    mine.drop(TARGET, first)
    assert noted(theirs, TARGET) == {second: [key(3)]}


def test_equal_rows_are_noted_apart(blobs: Blobs) -> None:
    """Two workers that note the same rows each drop their own note."""
    first, second = (BlobAskings(blobs).note(TARGET, Keys.of([key(1)])) for _ in range(2))
    BlobAskings(blobs).drop(TARGET, first)
    assert noted(BlobAskings(blobs), TARGET) == {second: [key(1)]}


def test_what_was_dropped_can_be_dropped_again(blobs: Blobs) -> None:
    askings = BlobAskings(blobs)
    name = askings.note(TARGET, Keys.of([key(1)]))
    askings.drop(TARGET, name)
    askings.drop(TARGET, name)
    assert noted(askings, TARGET) == {}


def test_a_content_that_is_no_note_is_told_of(blobs: Blobs) -> None:
    askings = BlobAskings(blobs)
    name = askings.note(TARGET, Keys.of([key(1)]))
    (path,) = blobs.names("asking/")
    blobs.create(path.replace(name, "asking-cut"), b"not 32 bytes")
    with pytest.raises(StoreDamaged, match="asking-cut of the row store is not a note of rows"):
        askings.noted(TARGET)
