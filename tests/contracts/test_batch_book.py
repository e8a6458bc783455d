"""What every book of batches promises: the one in memory, and the one on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build_batches import MemoryBook
from build_store import key

from triaxis.adapters.batches.book import BlobBook
from triaxis.adapters.store.blobs import FolderBlobs
from triaxis.domain.batches import BatchIntent, BatchRecord, BatchRows, Closed, Submitted
from triaxis.domain.keys import Keys
from triaxis.errors import InputFaults
from triaxis.ports.batches import BatchBook
from triaxis.quantities import Tokens

ROWS = BatchRows(keys=Keys.of([key(1), key(2)]), upper=np.array([[10, 5], [20, 6]]))
SUBMITTED, CLOSED = (
    Submitted(provider_id="batch_1", at_ns=2**61 + 1),
    Closed(state="sealed", at_ns=2**61 + 2, answered=2),
)


def on_disk(folder: Path) -> BatchBook:
    return BlobBook(FolderBlobs(folder / "store"), folder / "work")


def in_memory(folder: Path) -> BatchBook:
    del folder
    return MemoryBook()


@pytest.fixture(params=[on_disk, in_memory])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> BatchBook:
    make: Callable[[Path], BatchBook] = request.param
    return make(tmp_path)


def an_intent(number: int = 1) -> BatchIntent:
    return BatchIntent(
        name=f"triaxis-{number}",
        evaluation="evaluation.yaml",
        stage="generate",
        model="openai/small",
        endpoint=None if number % 2 else "bank",
        rows=2,
        upper=Tokens(input=30, output=11),
        intended_ns=2**61 + 10 - number,  # beyond what a double holds, and the later ones older
        round=number,
    )


def intended(book: BatchBook, number: int = 1) -> BatchIntent:
    intent = an_intent(number)
    with book.drafting() as draft:
        draft.add(b"one\n")
        draft.add(b"two\n")
        assert (draft.rows, draft.size) == (2, 8)
        book.intend(draft, intent, ROWS)
    return intent


def test_a_batch_is_followed_from_its_intention_to_its_end(book: BatchBook) -> None:
    intent = intended(book)
    assert book.record(intent.name) == BatchRecord(intent=intent)
    book.submitted(intent.name, SUBMITTED)
    assert book.open() == [BatchRecord(intent=intent, submitted=SUBMITTED)]
    book.close(intent.name, CLOSED)
    assert book.open() == []
    assert book.all() == [BatchRecord(intent=intent, submitted=SUBMITTED, closed=CLOSED)]


def test_every_row_is_known_again(book: BatchBook) -> None:
    rows = book.rows(intended(book).name)
    assert rows.keys.texts() == ROWS.keys.texts()
    assert rows.uppers == [Tokens(input=10, output=5), Tokens(input=20, output=6)]


def test_the_oldest_comes_first(book: BatchBook) -> None:
    for number in (1, 2, 3):
        intended(book, number)
    assert [record.intent.round for record in book.all()] == [3, 2, 1]


def test_what_is_not_intended_is_thrown_away(book: BatchBook) -> None:
    with book.drafting() as draft:
        draft.add(b"one\n")
    assert book.all() == []


def test_books_of_one_store_know_the_same(tmp_path: Path) -> None:
    """Another worker has the rows and the provider's id, and not the file."""
    mine = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "mine")
    theirs = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "theirs")
    intent = intended(mine)
    mine.submitted(intent.name, SUBMITTED)
    assert theirs.open() == mine.open()
    assert theirs.rows(intent.name).keys.texts() == ROWS.keys.texts()
    assert (theirs.file(intent.name), mine.file(intent.name)) == (None, tmp_path / "mine" / f"{intent.name}.jsonl")


def test_files_go_when_the_batch_is_closed(tmp_path: Path) -> None:
    book = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "work")
    intent = intended(book)
    file, folder = book.file(intent.name), book.folder(intent.name)
    assert file is not None
    assert file.read_bytes() == b"one\ntwo\n"
    (folder / "output").write_bytes(b"a\n\n  \nb")
    assert list(book.lines([folder / "output"])) == [b"a\n", b"b"]
    book.close(intent.name, CLOSED)
    assert list((tmp_path / "work").iterdir()) == []


def test_a_batch_counts_when_its_intention_is_whole(tmp_path: Path) -> None:
    """Killed after the rows were written and before the intention was: nothing was sent, so there is nothing."""
    book = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "work")
    intent = intended(book)
    (tmp_path / "store" / "batches" / intent.name / "intent.json").unlink()
    assert book.all() == []


def test_what_a_killed_process_was_writing_is_cleared(tmp_path: Path) -> None:
    book = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "work")
    kept = intended(book)
    (tmp_path / "work" / ".draft-x").write_bytes(b"half")
    book.clear()
    assert [path.name for path in (tmp_path / "work").iterdir()] == [f"{kept.name}.jsonl"]


def test_the_files_of_a_batch_that_is_not_open_are_cleared(tmp_path: Path) -> None:
    """Killed between the note of its end and the deletion, or between the file and the intention."""
    book = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "work")
    kept, closed = intended(book, 1), intended(book, 2)
    book.close(closed.name, CLOSED)
    for name in (closed.name, "triaxis-3"):
        (tmp_path / "work" / f"{name}.jsonl").write_bytes(b"prompts\n")
    for name in (kept.name, closed.name):
        (book.folder(name) / "0.jsonl").write_bytes(b"answers\n")
    book.clear()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [kept.name, f"{kept.name}.jsonl"]


def test_where_no_batch_ever_was_there_is_nothing_to_clear(tmp_path: Path) -> None:
    BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "work").clear()
    assert list(tmp_path.iterdir()) == []


def test_what_was_noted_first_stands(tmp_path: Path) -> None:
    """Two workers that find the same batch note one id; a second end changes nothing."""
    book = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "work")
    intent = intended(book)
    book.submitted(intent.name, SUBMITTED)
    book.submitted(intent.name, replace(SUBMITTED, provider_id="batch_2"))
    assert book.record(intent.name).submitted == SUBMITTED


def test_a_name_that_is_none_has_a_near_one(tmp_path: Path) -> None:
    book = BlobBook(FolderBlobs(tmp_path / "store"), tmp_path / "work")
    intended(book)
    with pytest.raises(InputFaults, match="Did you mean triaxis-1"):
        book.record("triaxis-7")
    with pytest.raises(InputFaults, match="lists them"):
        book.record("zzz")
