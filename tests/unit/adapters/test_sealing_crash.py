"""Sealing when its process is killed: no row without its attempt, and what was not published is as if never there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from build_store import a_row, a_store, an_attempt, key

CHILD = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from build_store import a_row, a_store, an_attempt
from triaxis.adapters.store.blobs import FolderBlobs

class Killed(FolderBlobs):
    published = 0

    def publish(self, draft, name):
        if self.published == {after}:
            os.kill(os.getpid(), signal.SIGKILL)
        super().publish(draft, name)
        self.published += 1

folder = Path({folder!r})
with a_store(folder, blobs=Killed(folder / "store")).sealing() as sealing:
    for n in range(9000):
        sealing.add(an_attempt(n), a_row(n))
"""


def kill_after(folder: Path, *, published: int) -> None:
    """A process that seals nine thousand rows, more than a row group, and is killed with -9 before it publishes on."""
    code = CHILD.format(paths=sys.path, folder=str(folder), after=published)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("published", [0, 1])
def test_a_kill_leaves_attempts_at_most_and_sealing_again_completes_it(tmp_path: Path, published: int) -> None:
    keys = [key(n) for n in range(9000)]
    kill_after(tmp_path, published=published)
    store = a_store(tmp_path)
    assert store.rows(keys) == {}
    assert len(store.attempts(keys)) == 9000 * published

    with store.sealing() as sealing:
        for number in range(9000):
            sealing.add(an_attempt(number), a_row(number))
    assert store.rows(keys) == {key(n): a_row(n) for n in range(9000)}
    assert store.attempts(keys) == {key(n): (an_attempt(n),) for n in range(9000)}
    assert list((tmp_path / "store").rglob("*.draft")) == []
