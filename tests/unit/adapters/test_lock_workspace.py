"""One run at a time: the lock names its holder and dies with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from build_calls import TickingClock

from triaxis.adapters.workspace_lock import workspace_lock
from triaxis.errors import Busy

HOLDER = """
import sys, os, time
sys.path[:0] = {paths!r}
from pathlib import Path
from build_calls import TickingClock
from triaxis.adapters.workspace_lock import workspace_lock
with workspace_lock(Path({path!r}), "run", clock=TickingClock(now=1_700_000_000.0)):
    if {fork} and os.fork() == 0:
        print("held", flush=True)  # by now it has let go of what it shares with its parent
        time.sleep(30)
        os._exit(0)
    if not {fork}:
        print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path, *, fork: bool = False) -> Generator[subprocess.Popen[str]]:
    """Another process that holds the lock until the block ends; with `fork`, a child of it lives on."""
    code = HOLDER.format(paths=sys.path, path=str(path), fork=fork)
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def test_the_second_run_is_told_who_holds_the_workspace(tmp_path: Path) -> None:
    path = tmp_path / ".triaxis/lock"
    with held_elsewhere(path) as holder:
        says = rf"`triaxis run`, process {holder.pid}, since 2023-11-14T22:13:20Z"
        with pytest.raises(Busy, match=says), workspace_lock(path, "run", clock=TickingClock()):
            pytest.fail("the lock was taken twice")
    with workspace_lock(path, "generate", clock=TickingClock()):
        pass


@pytest.mark.parametrize("fork", [False, True])
def test_the_lock_of_a_killed_process_is_free(tmp_path: Path, *, fork: bool) -> None:
    """Even where a forked child of it lives on."""
    path = tmp_path / "lock"
    with held_elsewhere(path, fork=fork) as holder:
        holder.kill()
        holder.wait()
        with workspace_lock(path, "run", clock=TickingClock()):
            assert f'"pid": {os.getpid()}' in path.read_text()


def test_a_holder_that_has_not_signed_yet_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with workspace_lock(path, "run", clock=TickingClock()):
        path.write_text("")
        with pytest.raises(Busy, match="just starting"), workspace_lock(path, "run", clock=TickingClock()):
            pytest.fail("the lock was taken twice")
