"""Several workers, each a real process with a disk of its own, share one store: a folder, and a bucket of S3."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import shared_worker
from build_store import a_row, a_store, an_attempt, key
from shared_worker import ROUNDS, ROWS

from triaxis.adapters.parquet.rows import scan
from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.url_blobs import UrlBlobs


@pytest.fixture(params=["folder", "s3://"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "store")
    request.getfixturevalue("s3")
    return f"s3://rows{tmp_path}"


def opened(url: str, disk: Path) -> Blobs:
    return UrlBlobs(url, disk) if "://" in url else FolderBlobs(Path(url))


class Worker:
    """A process that can be told lines and asked for what it printed."""

    def __init__(self, verb: str, url: str, folder: Path, number: int) -> None:
        code = f"import sys; sys.path[:0] = {sys.path!r}; import shared_worker, pathlib; shared_worker.main(*{{}})"
        arguments = f"({verb!r}, {url!r}, pathlib.Path({str(folder / str(number))!r}), {number})"
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-c", code.format(arguments)], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def tell(self, line: str) -> None:
        """Sends it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def said(self) -> str:
        """The next line that it printed; its last words where it ended."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        return self.process.stdout.readline().strip() or self.process.stderr.read()


@contextmanager
def workers(verb: str, url: str, folder: Path, count: int) -> Generator[list[Worker]]:
    with ExitStack() as stack:
        some = [Worker(verb, url, folder, number) for number in range(count)]
        for worker in some:
            stack.enter_context(worker.process)
            stack.callback(worker.process.kill)
        yield some


def test_of_six_that_race_for_a_claim_one_wins_and_one_after_its_death(url: str, tmp_path: Path) -> None:
    """The winner is killed with -9; nobody gets the claim until its lease has run out, and then one of five does."""
    with workers("claim", url, tmp_path, 6) as racing:
        assert [worker.said() for worker in racing] == ["ready"] * 6
        for expected, line in (("held", "go"), ("refused", "go"), ("held", "later")):
            for worker in racing:
                worker.tell(line)
            said = [worker.said() for worker in racing]
            assert said.count("held") == (expected == "held"), said
            assert said.count("refused") == len(racing) - said.count("held"), said
            if "held" in said:
                winner = racing.pop(said.index("held"))
                winner.process.kill()


def test_four_that_add_merge_and_read_at_once_lose_and_double_nothing(url: str, tmp_path: Path) -> None:
    """Each reads all of its own after each of its rounds, while the others merge what it reads."""
    with workers("store", url, tmp_path, 4) as working:
        assert [worker.said() for worker in working] == ["done"] * 4
    blobs = opened(url, tmp_path / "reader")
    store = a_store(tmp_path / "reader", blobs=blobs)
    numbers = [1000 * w + n for w in range(4) for n in range(ROUNDS * ROWS)] + [9000 + turn for turn in range(ROUNDS)]
    keys = [key(n) for n in numbers]
    assert store.rows(keys) == {key(n): a_row(n) for n in numbers}
    assert store.attempts(keys) == {key(n): (an_attempt(n),) for n in numbers}

    # What is left of 48 segments a table is few, and merged once more holds each row once.
    before = len(blobs.names("rows/"))
    assert before < 4 * ROUNDS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_worker.segments, "MANY", 1)
        store.settle()
    for folder in ("rows", "attempts"):
        (name,) = blobs.names(f"{folder}/")
        assert sorted(str(found) for (found,) in scan(blobs.file(name), ["key"])) == sorted(keys)
